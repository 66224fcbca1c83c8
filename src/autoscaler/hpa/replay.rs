//! The HPA over recorded observations: what a row may hold stands in `docs/replay.md`.

use serde_json::{Value, json};

use super::controller::{Cluster, Controller, Outcome, Route, Scale};
use super::explain::explain;
use super::history::{Moment, Recommendation, ScaleEvent, ScaleEvents};
use super::metric::MetricSpec;
use super::pods::{Group, Pod};
use super::recorded::{Recorded, age, read_pods};
use super::recorded_units::{pool_fields, review};
use super::replica_calculator::Failure;
use super::{Hpa, behavior::without_behavior};
use crate::autoscaler::{Line, PoolFields, Replay, Row, RowProblem, Rows, Unclear};
use crate::time::{Instant, Span};

/// An HPA driven row by row.
#[derive(Debug)]
pub(crate) struct HpaReplay {
    pub hpa: Hpa,
    pub controller: Controller,
    /// The replicas asked for by the row before.
    spec: Option<i32>,
    /// The time of the row before.
    last: Instant,
    /// Whether numbers of a utilization are shares, rather than percent.
    shares: bool,
}

const PARTS: &str = "\"reconcile\", \"metrics\", \"group_pods\", \"stabilize\", \"limit\", \"rate_limit\" or \"store_scale_event\"";

impl Replay for HpaReplay {
    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let part = row.find_text("part")?.unwrap_or("reconcile");
        let time = match part {
            "reconcile" => row.instant("time")?,
            _ => row.instant_or("time", self.last)?,
        };
        self.last = time;
        let now = Moment::from(time);
        if let Some(state) = row.find_row("state")? {
            self.recall(&state, now)?;
            state.finish()?;
        }
        let line = Line::at(time.as_secs_f64());
        match part {
            "reconcile" => self.reconcile(row, now, line),
            "metrics" => self.metrics(row, line),
            "group_pods" => self.group_pods(row, line),
            "stabilize" => self.stabilize(row, now, line),
            "limit" => self.limit(row, now, line),
            "rate_limit" => self.rate_limit(row, now, line),
            "store_scale_event" => self.store_scale_event(row, now, line),
            _ => Err(row.wrong("part", PARTS)),
        }
    }

    fn metric_field(&self) -> &'static str {
        "value"
    }

    fn takes_quantities(&self) -> bool {
        true
    }

    fn review(&mut self, rows: &Rows<'_>) -> Result<Vec<String>, Unclear> {
        let (shares, notes) = review(&self.hpa.metrics, rows)?;
        self.shares = shares;
        Ok(notes)
    }

    fn pool_fields(&self) -> Option<PoolFields> {
        Some(pool_fields(&self.hpa))
    }
}

impl HpaReplay {
    pub fn new(hpa: Hpa) -> HpaReplay {
        HpaReplay { hpa, controller: Controller::default(), spec: None, last: Instant::ZERO, shares: false }
    }

    /// Takes over what a row says the controller remembers.
    pub fn recall(&mut self, state: &Row<'_>, now: Moment) -> Result<(), RowProblem> {
        let memory = &mut self.controller;
        if state.has("recommendations") {
            memory.recommendations.0 = match state.find_list("recommendations")? {
                None => None,
                Some(_) => Some(read_recommendations(state, now)?),
            };
        }
        let events =
            [("scale_up_events", &mut memory.changes.up), ("scale_down_events", &mut memory.changes.down)];
        for (name, known) in events {
            if state.has(name) {
                *known = read_events(state, name, now)?;
            }
        }
        if let Some(scaled) = state.find_bool("scaled_to_zero")? {
            memory.scaled_to_zero = scaled;
        }
        Ok(())
    }

    /// The replicas asked for and there.
    fn scale(&self, row: &Row<'_>) -> Result<Scale, RowProblem> {
        // A recording that begins with nothing but ready pods began at rest.
        let spec = match count(row, "desired")?.or(self.spec) {
            Some(spec) => spec,
            None => match (count(row, "ready")?, row.find_list("pods")?) {
                (Some(ready), _) => ready,
                (None, Some(pods)) => i32::try_from(pods.len()).unwrap_or(i32::MAX),
                (None, None) => return Err(no_replicas(row)),
            },
        };
        Ok(Scale { spec, status: count(row, "existing")?.unwrap_or(spec) })
    }

    fn reconcile(&mut self, row: &Row<'_>, now: Moment, line: Line) -> Result<Line, RowProblem> {
        let scale = self.scale(row)?;
        let outcome = match count(row, "proposal")? {
            Some(wanted) => {
                row.finish()?;
                self.controller.proposals.clear();
                self.controller.reconcile_to(&self.hpa, now, scale.spec, Some(wanted), None)
            }
            None => {
                let recorded = Recorded::read(row, &self.hpa, self.shares, scale.status)?;
                row.finish()?;
                self.controller.reconcile(&self.hpa, now, scale, &recorded)
            }
        };
        self.spec = Some(outcome.replicas);
        Ok(self.tell(&outcome, now, line))
    }

    /// The line of a reconcile.
    pub fn tell(&self, outcome: &Outcome, now: Moment, line: Line) -> Line {
        let explanation = explain(&self.hpa, &self.controller, outcome);
        let mut line = line.with("desired", outcome.replicas).with("reason", explanation.reason.clone());
        line.push("before", outcome.before);
        if outcome.route == Route::Failed {
            line.push("error", explanation.reason);
        }
        line.push("metric", explanation.metric);
        line.push("observed", explanation.observed);
        explanation.figures.into_iter().for_each(|(name, value)| line.push(name, value));
        line.push("recommendations", self.recommendations(now));
        line.push("scale_up_events", events(&self.controller.changes.up, now));
        line.push("scale_down_events", events(&self.controller.changes.down, now));
        line.push("scaled_to_zero", self.controller.scaled_to_zero);
        line
    }

    fn metrics(&mut self, row: &Row<'_>, line: Line) -> Result<Line, RowProblem> {
        let scale = self.scale(row)?;
        let recorded = Recorded::read(row, &self.hpa, self.shares, scale.status)?;
        row.finish()?;
        let (wanted, leader) = self.controller.evaluate(&self.hpa, scale, &recorded);
        let (replicas, route) = match wanted {
            Some(wanted) => (wanted, Route::Metrics),
            None => (scale.spec, Route::Failed),
        };
        let outcome =
            Outcome { before: scale.spec, replicas, route, wanted, leader, stabilized: wanted, limit: None };
        let explanation = explain(&self.hpa, &self.controller, &outcome);
        let mut line = line.with("desired", wanted).with("reason", explanation.reason.clone());
        if wanted.is_none() {
            line.push("error", explanation.reason);
        }
        let of_the_rest = ["wanted", "stabilized", "able_to_scale", "rate_limit", "scaling_limited"];
        let figures = explanation.figures.into_iter();
        figures
            .filter(|(name, _)| !of_the_rest.contains(name))
            .for_each(|(name, value)| line.push(name, value));
        Ok(line)
    }

    fn group_pods(&mut self, row: &Row<'_>, line: Line) -> Result<Line, RowProblem> {
        let metric = self.hpa.metrics.first().cloned().unwrap_or_else(MetricSpec::default_cpu);
        let rule = self.hpa.grouping(&metric);
        let pods = read_pods(row, &metric.name)?.unwrap_or_default();
        row.finish()?;
        let named = |group: Group| -> Vec<String> {
            let of_group = pods.iter().filter(|(_, pod)| pod.group(&rule) == group);
            of_group.map(|(name, _)| name.clone()).collect()
        };
        let (unready, missing, ignored) =
            (named(Group::Unready), named(Group::Missing), named(Group::Ignored));
        let ready = named(Group::Ready).len();
        let reason = format!(
            "{ready} ready, {} unready, {} missing, {} ignored",
            unready.len(),
            missing.len(),
            ignored.len()
        );
        let line = line.with("desired", Value::Null).with("reason", reason).with("ready_count", ready);
        Ok(line.with("unready", unready).with("missing", missing).with("ignored", ignored))
    }

    fn stabilize(&mut self, row: &Row<'_>, now: Moment, line: Line) -> Result<Line, RowProblem> {
        let (wanted, current) = (proposal(row)?, self.scale(row)?.spec);
        row.finish()?;
        let stabilized = self.controller.stabilize(&self.hpa, now, current, wanted);
        self.spec = Some(stabilized);
        let reason = match stabilized == wanted {
            true => format!("no recent recommendation limits {wanted}"),
            false => format!("wants {wanted}, held at {stabilized} by the stabilization window"),
        };
        let line = line.with("desired", stabilized).with("reason", reason);
        Ok(line.with("recommendations", self.recommendations(now)))
    }

    fn limit(&mut self, row: &Row<'_>, now: Moment, line: Line) -> Result<Line, RowProblem> {
        let (wanted, current) = (proposal(row)?, self.scale(row)?.spec);
        row.finish()?;
        let limit = self.controller.limit(&self.hpa, now, current, wanted);
        self.spec = Some(limit.replicas);
        let words = self.hpa.limit_words(wanted, &limit);
        let reason = if words.is_empty() { format!("{wanted} is within the limits") } else { words };
        let line = line.with("desired", limit.replicas).with("reason", reason);
        let rate = limit.rate.map(|reach| reach.replicas);
        Ok(line.with("rate_limit", rate).with("scaling_limited", limit.reason.name()))
    }

    fn rate_limit(&mut self, row: &Row<'_>, now: Moment, line: Line) -> Result<Line, RowProblem> {
        let current = self.scale(row)?.spec;
        row.finish()?;
        let changes = &self.controller.changes;
        let (up, down) = match &self.hpa.behavior {
            Some(rules) => (
                Some(changes.most(&rules.up, current, now).replicas),
                Some(changes.fewest(&rules.down, current, now).replicas),
            ),
            None => {
                let limit = without_behavior(current, i32::MAX, self.hpa.bounds);
                (limit.rate.map(|reach| reach.replicas), None)
            }
        };
        let reason = match (up, down) {
            (Some(up), Some(down)) => format!("from {current} up to {up} and down to {down} at once"),
            _ => format!("from {current} up to {} at once, and down without a limit", up.unwrap_or(current)),
        };
        let line = line.with("desired", Value::Null).with("reason", reason);
        Ok(line.with("scale_up_limit", up).with("scale_down_limit", down))
    }

    fn store_scale_event(&mut self, row: &Row<'_>, now: Moment, line: Line) -> Result<Line, RowProblem> {
        let change = count(row, "change")?.ok_or_else(|| row.missing("change"))?;
        let period = age(row, "period")?;
        let up = match row.text("direction")? {
            "up" => true,
            "down" => false,
            _ => return Err(row.wrong("direction", "\"up\" or \"down\"")),
        };
        row.finish()?;
        let changes = &mut self.controller.changes;
        let within = period.map(|period| (if up { &changes.up } else { &changes.down }).within(period, now));
        let (before, after) = if up { (0, change) } else { (change, 0) };
        changes.store(self.hpa.behavior.as_ref(), before, after, now);
        let reason = match self.hpa.behavior {
            Some(_) => format!("a change of {change} is recorded"),
            None => "without a behavior nothing is recorded".to_owned(),
        };
        let line = line.with("desired", Value::Null).with("reason", reason);
        let line = line.with("change_in_period", within);
        let line = line.with("scale_up_events", events(&self.controller.changes.up, now));
        Ok(line.with("scale_down_events", events(&self.controller.changes.down, now)))
    }

    /// The log in the order of its slots.
    fn recommendations(&self, now: Moment) -> Value {
        let one =
            |entry: &Recommendation| json!({"value": entry.replicas, "age": seconds(entry.at.age(now))});
        self.controller.recommendations.0.iter().flatten().map(one).collect()
    }
}

fn seconds(span: Span) -> f64 {
    span.as_secs_f64()
}

fn events(events: &ScaleEvents, now: Moment) -> Value {
    let one = |event: &ScaleEvent| json!({"change": event.change, "age": seconds(event.at.age(now)), "outdated": event.outdated});
    events.0.iter().map(one).collect()
}

/// Replicas: a 32-bit integer with a sign in Kubernetes.
pub(crate) fn count(row: &Row<'_>, name: &'static str) -> Result<Option<i32>, RowProblem> {
    let Some(replicas) = row.find_i64(name)? else { return Ok(None) };
    match i32::try_from(replicas) {
        Ok(replicas) if replicas >= 0 => Ok(Some(replicas)),
        _ => Err(row.wrong(name, "replicas, 0 to 2147483647")),
    }
}

fn proposal(row: &Row<'_>) -> Result<i32, RowProblem> {
    count(row, "proposal")?.ok_or_else(|| row.missing("proposal"))
}

fn read_recommendations(state: &Row<'_>, now: Moment) -> Result<Vec<Recommendation>, RowProblem> {
    let mut entries = Vec::new();
    for entry in state.rows("recommendations")? {
        let replicas = count(&entry, "value")?.ok_or_else(|| entry.missing("value"))?;
        let at = now.before(age(&entry, "age")?.unwrap_or(Span::ZERO));
        entry.finish()?;
        entries.push(Recommendation { replicas, at });
    }
    Ok(entries)
}

fn read_events(state: &Row<'_>, name: &'static str, now: Moment) -> Result<ScaleEvents, RowProblem> {
    let mut known = Vec::new();
    for event in state.rows(name)? {
        let change = count(&event, "change")?.ok_or_else(|| event.missing("change"))?;
        let at = now.before(age(&event, "age")?.unwrap_or(Span::ZERO));
        let outdated = event.find_bool("outdated")?.unwrap_or(false);
        event.finish()?;
        known.push(ScaleEvent { change, at, outdated });
    }
    Ok(ScaleEvents(known))
}

impl Cluster for Recorded {
    fn pods(&self, index: usize, _: &MetricSpec) -> Result<impl Iterator<Item = Pod>, Failure> {
        match self.pods.get(index) {
            Some(Ok(listed)) => Ok(listed.pods.iter().copied()),
            Some(Err(failure)) => Err(*failure),
            None => Err(Failure::Unavailable),
        }
    }

    fn orphans(&self, index: usize) -> &[i64] {
        match self.pods.get(index) {
            Some(Ok(listed)) => &listed.orphans,
            _ => &[],
        }
    }

    fn usage(&self, index: usize, _: &MetricSpec) -> Result<i64, Failure> {
        self.usages.get(index).copied().flatten().ok_or(Failure::Unavailable)
    }

    fn serving(&self) -> Option<u32> {
        self.serving
    }
}

/// The problem of a first row that does not say how many replicas there are.
pub(crate) fn no_replicas(row: &Row<'_>) -> RowProblem {
    let (desired, ready) = (row.path_of("desired"), row.path_of("ready"));
    RowProblem::new(format!(
        "`{desired}` is missing, and so is `{ready}`: the first row has to say how many replicas there are (a recording of queries: \
         ready=FILE){}",
        row.slip_of(&["desired", "ready"])
    ))
}

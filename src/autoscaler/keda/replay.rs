//! KEDA over recorded observations: what a row may hold stands in `docs/replay.md`.

use serde_json::Value;

use super::executor::{Executor, Polled, Triggers};
use super::fallback::{Answer, answer};
use super::policy::{Clocks, tell};
use super::recorded_formula::{InputFailures, Inputs};
use super::{Keda, TriggerValue};
use crate::autoscaler::hpa::controller::{Outcome, Scale};
use crate::autoscaler::hpa::history::Moment;
use crate::autoscaler::hpa::metric::Source;
use crate::autoscaler::hpa::recorded::{Recorded, age};
use crate::autoscaler::hpa::recorded_units::pool_fields;
use crate::autoscaler::hpa::replay::{HpaReplay, count, no_replicas};
use crate::autoscaler::reading::quantity::parse_quantity;
use crate::autoscaler::{Line, PoolFields, Replay, Row, RowProblem};
use crate::time::{Instant, Span};

/// A scaled object driven row by row.
#[derive(Debug)]
pub(crate) struct KedaReplay {
    keda: Keda,
    hpa: HpaReplay,
    clocks: Clocks,
    executor: Executor,
    /// Failures in a row, by trigger.
    failures: Vec<i64>,
    spec: Option<i32>,
    /// The time of the row before.
    last: Instant,
    /// The values of the triggers at the last poll.
    last_polled: Values,
    /// The values that the row gives of the names in formulas, by trigger, and the failures of each name in a row.
    inputs: Vec<Option<Inputs>>,
    input_failures: InputFailures,
}

const PARTS: &str = "\"decide\", \"executor\", \"hpa\" or \"fallback\"";

/// What a row came to.
#[derive(Debug)]
struct Done {
    before: i32,
    polled: Option<Polled>,
    triggers: Triggers,
    synced: Option<Outcome>,
    answers: Vec<Answer>,
}

/// What a row says of the triggers, in their order.
type Values = Vec<Option<f64>>;

impl Replay for KedaReplay {
    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let part = row.find_text("part")?.unwrap_or("decide");
        let time = match part {
            "decide" => row.instant("time")?,
            _ => row.instant_or("time", self.last)?,
        };
        self.last = time;
        let now = Moment::from(time);
        let (polls, syncs) = match part {
            "decide" => self.clocks.due(time),
            "executor" => (true, false),
            "hpa" => (false, true),
            "fallback" => (false, false),
            _ => return Err(row.wrong("part", PARTS)),
        };
        self.recall(row, now)?;
        let line = Line::at(time.as_secs_f64());
        match part {
            "fallback" => self.fall_back(row, line),
            _ => self.decide(row, now, (polls, syncs), line),
        }
    }

    fn metric_field(&self) -> &'static str {
        "value"
    }

    fn pool_fields(&self) -> Option<PoolFields> {
        Some(pool_fields(&self.keda.hpa))
    }
}

impl KedaReplay {
    pub fn new(keda: Keda) -> KedaReplay {
        KedaReplay {
            hpa: HpaReplay::new(keda.hpa.clone()),
            clocks: Clocks::new(&keda, Span::ZERO),
            executor: Executor { last_active: None, created: Moment(0) },
            failures: vec![0; keda.activations.len()],
            spec: None,
            last: Instant::ZERO,
            last_polled: vec![None; keda.values.len()],
            inputs: vec![None; keda.values.len()],
            input_failures: InputFailures::new(),
            keda,
        }
    }

    /// Takes over what the row says KEDA and its HPA remember.
    fn recall(&mut self, row: &Row<'_>, now: Moment) -> Result<(), RowProblem> {
        if let Some(state) = row.find_row("state")? {
            if state.has("last_active_age") {
                self.executor.last_active = age(&state, "last_active_age")?.map(|age| now.before(age));
            }
            if let Some(created) = age(&state, "created_age")? {
                self.executor.created = now.before(created);
            }
            if let Some(failures) = state.find_list("failures")? {
                let counts: Option<Vec<i64>> = failures.iter().map(Value::as_i64).collect();
                self.failures = counts
                    .filter(|counts| counts.len() == self.failures.len())
                    .ok_or_else(|| state.wrong("failures", "a whole number for each trigger"))?;
            }
            if let Some(failures) = state.value("input_failures") {
                let counts = failures.as_object().and_then(|failures| {
                    failures.iter().map(|(name, count)| Some((name.clone(), count.as_i64()?))).collect()
                });
                self.input_failures = counts.ok_or_else(|| {
                    state.wrong("input_failures", "a whole number for each name in the formula")
                })?;
            }
            self.hpa.recall(&state, now)?;
            state.finish()?;
        }
        Ok(())
    }

    fn decide(
        &mut self,
        row: &Row<'_>,
        now: Moment,
        (polls, syncs): (bool, bool),
        line: Line,
    ) -> Result<Line, RowProblem> {
        let spec = match count(row, "desired")? {
            Some(spec) => spec,
            // A recording that begins with nothing but ready pods began at rest.
            None => match self.spec {
                Some(spec) => spec,
                None => count(row, "ready")?.ok_or_else(|| no_replicas(row))?,
            },
        };
        let scale = Scale { spec, status: count(row, "existing")?.unwrap_or(spec) };
        let (active, failed) = (row.find_bool("active")?, row.find_bool("error")?);
        let mut values = self.values(row)?;
        self.fill_from_clock(&mut values);
        let recorded = Recorded::of_pods(row, &self.keda.hpa)?;
        row.finish()?;
        if polls {
            self.fill_from_formulas(&mut values, recorded.serving);
        }
        let heard = Triggers::of(&self.keda, |index, _| values[index]);
        // A row that says whether a trigger is active need not give values.
        let says_so = active.is_some() || failed.is_some();
        let (fails, fallen_back) = match polls && !says_so {
            true => self.fail_at_poll(&values, scale.spec, recorded.serving),
            false => (!says_so && self.fails(&values), false),
        };
        let triggers = Triggers {
            active: active.unwrap_or(fallen_back || heard.is_some_and(|heard| heard.active)),
            failed: failed.unwrap_or(fails),
            fallen_back,
        };
        if polls {
            self.last_polled.clone_from(&values);
        }
        let polled = polls.then(|| self.executor.poll(&self.keda, now, scale.spec, triggers));
        let scale = Scale { spec: polled.map_or(scale.spec, |polled| polled.replicas), ..scale };
        let (synced, answers) = match syncs && !self.keda.pause.is_whole() {
            true => {
                self.fill_from_formulas(&mut values, recorded.serving);
                for (index, value) in values.iter_mut().enumerate() {
                    *value = self.last_polled[index].filter(|_| self.keda.cached[index]).or(*value);
                }
                let (outcome, answers) = self.sync(now, scale, &values, recorded);
                (Some(outcome), answers)
            }
            false => (None, Vec::new()),
        };
        let replicas = synced.map_or(scale.spec, |outcome| outcome.replicas);
        self.spec = Some(replicas);
        let line = line.with("desired", replicas);
        Ok(self.tell(&Done { before: spec, polled, triggers, synced, answers }, now, line))
    }

    /// Gives triggers that go by the clock their values, where the row has none.
    fn fill_from_clock(&self, values: &mut [Option<f64>]) {
        for (value, of) in values.iter_mut().zip(&self.keda.values) {
            if let (None, TriggerValue::Cron(cron)) = (&value, of) {
                *value = Some(cron.value(self.last, &self.keda.clock, self.keda.release));
            }
        }
    }

    /// Gives formulas that failures are left to their values, and counts the failures.
    fn fill_from_formulas(&mut self, values: &mut [Option<f64>], ready: Option<u32>) {
        if self.keda.leaves_to_formula().is_none() {
            return;
        }
        for (index, (value, inputs)) in values.iter_mut().zip(&self.inputs).enumerate() {
            if let Some(inputs) = inputs {
                let counted = (&mut self.input_failures, ready);
                *value = self.keda.composite_with_nil(index, inputs, counted);
            }
        }
    }

    /// Whether an external trigger has no value.
    fn fails(&self, values: &[Option<f64>]) -> bool {
        let external = self.keda.activations.iter().map(|activation| activation.threshold().is_some());
        external.zip(values).any(|(external, value)| external && value.is_none())
    }

    /// Counts the failures of a poll. Returns whether an external trigger failed that has no fallback to count as active by,
    /// and whether one has.
    fn fail_at_poll(&mut self, values: &[Option<f64>], current: i32, ready: Option<u32>) -> (bool, bool) {
        if !self.keda.release.falls_back_at_polls() {
            return (self.fails(values), false);
        }
        let (mut failed, mut fallen_back) = (false, false);
        for index in 0..self.keda.activations.len() {
            if self.keda.activations[index].threshold().is_none() {
                continue;
            }
            match self.answer(index, values, current, ready) {
                Answer::Measured(_) => {}
                Answer::FellBack { .. } => fallen_back = true,
                Answer::Failed => failed = true,
            }
        }
        (failed, fallen_back)
    }

    /// What KEDA makes of the value of one trigger, and of its failures.
    fn answer(&mut self, index: usize, values: &[Option<f64>], current: i32, ready: Option<u32>) -> Answer {
        self.count_inputs(index);
        let Keda { release, fallback, hpa, .. } = &self.keda;
        let measured = values[index].map(|value| self.keda.quantity(index, value));
        let target = (hpa.metrics[index].target, *release);
        answer(fallback.as_ref(), target, measured, &mut self.failures[index], current, ready)
    }

    /// Counts the failures of each trigger of a formula: KEDA falls back by the one that has failed most often in a row.
    fn count_inputs(&mut self, index: usize) {
        let Some(inputs) = self.inputs[index].as_ref() else { return };
        if self.keda.leaves_to_formula().is_some() {
            // Counted where the formula is worked out.
            return;
        }
        let mut most = 0;
        for (name, value) in inputs {
            // What a row says of the formula as a whole holds for each until it is known.
            let count = self.input_failures.entry(name.clone()).or_insert(self.failures[index]);
            *count = if value.is_some() { 0 } else { *count + 1 };
            most = most.max(*count);
        }
        // The last of them is counted with the answer.
        self.failures[index] = (most - 1).max(0);
    }

    /// One sync of the HPA, on what KEDA answers it.
    fn sync(
        &mut self,
        now: Moment,
        scale: Scale,
        values: &[Option<f64>],
        mut recorded: Recorded,
    ) -> (Outcome, Vec<Answer>) {
        let mut answers = Vec::new();
        for index in 0..self.keda.hpa.metrics.len() {
            if self.keda.hpa.metrics[index].source != Source::External {
                continue;
            }
            // At zero the HPA does not ask.
            if scale.spec == 0 {
                continue;
            }
            let told = self.answer(index, values, scale.spec, recorded.serving);
            recorded.usages[index] = told.value();
            answers.push(told);
        }
        let outcome = self.hpa.controller.reconcile(&self.keda.hpa, now, scale, &recorded);
        (outcome, answers)
    }

    fn tell(&self, done: &Done, now: Moment, line: Line) -> Line {
        let Done { before, polled, triggers, synced, answers } = done;
        let told = tell(&self.keda, polled.as_ref(), synced.as_ref(), &self.hpa.controller);
        let reason = match (polled, synced) {
            (None, None) if !self.keda.pause.is_whole() => "neither poll nor sync is due".to_owned(),
            _ => told.reason,
        };
        let mut line = line.with("reason", reason).with("before", *before);
        line.push("metric", told.metric);
        line.push("observed", told.observed);
        if polled.is_some() {
            line.push("active", triggers.active);
            line.push("failed", triggers.failed);
            let last = self.executor.last_active.map(|last| last.age(now).as_secs_f64());
            line.push("last_active_age", last);
        }
        if synced.is_some() {
            let shown = |answer: &Answer| answer.value().map(|value| value as f64 / 1000.0);
            line.push("answers", answers.iter().map(shown).collect::<Vec<_>>());
            line.push("failures", self.failures.clone());
            if !self.input_failures.is_empty() {
                line.push("input_failures", serde_json::json!(self.input_failures));
            }
        }
        told.figures.into_iter().for_each(|(name, value)| line.push(name, value));
        line
    }

    /// What KEDA answers for the first trigger.
    fn fall_back(&mut self, row: &Row<'_>, line: Line) -> Result<Line, RowProblem> {
        let current = count(row, "desired")?.or(self.spec).unwrap_or(0);
        let ready = row.find_u32("ready")?;
        let mut values = self.values(row)?;
        row.finish()?;
        self.fill_from_formulas(&mut values, ready);
        let told = self.answer(0, &values, current, ready);
        let failures = self.failures[0];
        let reason = match told {
            Answer::Measured(_) => "the trigger has a value".to_owned(),
            Answer::FellBack { replicas, .. } => {
                format!("{failures} failures: the load of {replicas} replicas")
            }
            Answer::Failed => format!("{failures} failures, and no fallback for them: no value"),
        };
        let mut line = line.with("desired", Value::Null).with("reason", reason.clone());
        if told == Answer::Failed {
            line.push("error", reason);
        }
        line.push("metric_value", told.value().map(|value| value as f64 / 1000.0));
        let replicas = match told {
            Answer::FellBack { replicas, .. } => Some(replicas),
            Answer::Measured(_) | Answer::Failed => None,
        };
        Ok(line.with("fallback_replicas", replicas).with("failures", self.failures.clone()))
    }

    /// The value of each trigger: `triggers` in their order, or `value` for the only one; of a formula also `values`, by its names.
    fn values(&mut self, row: &Row<'_>) -> Result<Values, RowProblem> {
        let mut values = vec![None; self.failures.len()];
        self.inputs.fill(None);
        if row.value("values").is_some() {
            if values.len() != 1 {
                return Err(
                    row.wrong("values", "to stand for the only trigger; give `triggers`, in their order")
                );
            }
            self.inputs[0] = self.keda.inputs(0, row, self.last)?;
        }
        if let Some(value) = number(row, "value")? {
            if values.len() != 1 {
                return Err(
                    row.wrong("value", "to stand for the only trigger; give `triggers`, in their order")
                );
            }
            values[0] = Some(value);
        }
        let rows = row.rows("triggers")?;
        if rows.len() > values.len() {
            return Err(row.wrong("triggers", "as many as the policy has, in its order"));
        }
        for (index, (slot, trigger)) in values.iter_mut().zip(&rows).enumerate() {
            let value = number(trigger, "value")?;
            if value.is_some() && self.keda.activations[index].threshold().is_none() {
                let expected = "nothing: what the pods use of a resource stands in `pods`, as for an HPA";
                return Err(trigger.wrong("value", expected));
            }
            let available = trigger.find_bool("available")?.unwrap_or(true);
            self.inputs[index] = self.keda.inputs(index, trigger, self.last)?.or(self.inputs[index].take());
            trigger.finish()?;
            *slot = value.filter(|_| available);
        }
        for (index, (value, inputs)) in values.iter_mut().zip(&self.inputs).enumerate() {
            if let (None, Some(inputs)) = (&value, inputs) {
                *value = self.keda.composite(index, inputs);
            }
        }
        Ok(values)
    }
}

/// A number, or a quantity as text.
fn number(row: &Row<'_>, name: &'static str) -> Result<Option<f64>, RowProblem> {
    match row.value(name) {
        Some(Value::String(text)) => match parse_quantity(text) {
            Some(value) => Ok(Some(value as f64 / 1000.0)),
            None => Err(row.wrong(name, "a number, or a quantity as text (\"2k\")")),
        },
        _ => row.find_f64(name),
    }
}

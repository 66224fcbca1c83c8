//! Rows that ask one part of the autoscaler that keeps no state, or a window of its own.

use serde_json::{Value, json};

use super::super::Explanation;
use super::super::replay::{Line, Row, RowProblem};
use super::apply::{Condition, Reachability, Situation, condition_after};
use super::reason::{applied, condition_name};
use super::replay::{Parts, instant, line, seconds, span, time};
use super::{Knative, Rps, activator};
use crate::autoscaler::windows::buckets::{Aggregation, Buckets, MaxWindow, TimeWindow};
use crate::schema::Choice as _;
use crate::time::Span;

/// Longest window a row may ask for.
const LONGEST: Span = Span::from_secs(86_400);

impl Parts {
    pub(super) fn apply_scale(&self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let (time_s, _) = time(row)?;
        let rules = self.settings.rules;
        let now = Situation {
            desired: scale(row, "desired")?,
            current: row.u32("current")?,
            condition: condition(row, "condition")?,
            condition_age: span(row, "condition_age_s")?.unwrap_or(Span::ZERO),
            reachability: match row.find_text("reachability")? {
                None | Some("unknown") => Reachability::Unknown,
                Some("reachable") => Reachability::Reachable,
                Some("unreachable") => Reachability::Unreachable,
                Some(_) => {
                    return Err(row.wrong("reachability", "\"unknown\", \"reachable\" or \"unreachable\""));
                }
            },
            initialized: row.find_bool("initialized")?.unwrap_or(false),
            probe_succeeds: match row.find_text("probe")? {
                None | Some("ok") => true,
                Some("error" | "not-activator") => false,
                Some(_) => return Err(row.wrong("probe", "\"ok\", \"error\" or \"not-activator\"")),
            },
            proxied: match row.find_text("route")? {
                None | Some("serve") => false,
                Some("proxy") => true,
                Some(_) => return Err(row.wrong("route", "\"serve\" or \"proxy\"")),
            },
            proxied_for: span(row, "proxied_for_s")?.unwrap_or(Span::ZERO),
        };
        let step = rules.apply(&now);
        let (min, max) = rules.bounds(now.reachability, now.initialized);
        let words = applied(now.desired, &step).unwrap_or_else(|| format!("as wanted: {}", step.bounded));
        let mut line = line(time_s, step.scale, Explanation::plain(words))
            .with("scale", step.scale.map_or(-1, i64::from))
            .with("replicas", step.replicas)
            .with("written", step.replicas != now.current)
            .with("requeued", step.requeue.is_some())
            .with("requeue_s", step.requeue.map(Span::as_secs_f64))
            .with("probe_started", step.probe_started)
            .with("min", min)
            .with("max", max)
            .with("bounded", step.bounded);
        if let Some(ready) = row.find_u32("ready")? {
            let threshold = rules.active_threshold(now.reachability, now.initialized);
            let after = condition_after(step.scale, ready, threshold, now.condition);
            line.push("condition_after", condition_name(after));
        }
        Ok(line)
    }

    pub(super) fn active_condition(&self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let (time_s, _) = time(row)?;
        let initialized = row.find_bool("initialized")?.unwrap_or(true);
        let threshold = self.settings.rules.active_threshold(Reachability::Reachable, initialized);
        let threshold = row.find_u32("threshold")?.unwrap_or(threshold);
        let (scale, ready) = (scale(row, "scale")?, row.u32("ready")?);
        let after = condition_name(condition_after(scale, ready, threshold, condition(row, "condition")?));
        let reason = format!("{ready} of {threshold} ready: {after}");
        Ok(line(time_s, scale, Explanation::plain(reason))
            .with("condition_after", after)
            .with("threshold", threshold))
    }

    pub(super) fn num_activators(&self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let (time_s, _) = time(row)?;
        let Knative { spec, activator_capacity, .. } = self.settings;
        let ready = row.u32("ready")?;
        let total = row.find_f64("total")?.unwrap_or(spec.total);
        let burst = row.find_f64("target_burst_capacity")?.unwrap_or(spec.target_burst_capacity);
        let capacity = row.find_f64("activator_capacity")?.unwrap_or(activator_capacity);
        if capacity <= 0.0 {
            return Err(row.wrong("activator_capacity", "more than 0"));
        }
        let count = activator::activators(ready, total, burst, capacity);
        let reason =
            format!("{ready} ready pods of {total} and a burst of {burst}: {count} activators of {capacity}");
        Ok(line(time_s, None, Explanation::plain(reason)).with("activators", count))
    }

    pub(super) fn resolve_target(&self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let (time_s, _) = time(row)?;
        let (target, total) = self.settings.load.resolve();
        let unit = Rps::OPTIONS.iter().find(|(_, rps, _)| rps.0 == self.settings.load.rps);
        let metric = unit.map_or("", |(name, _, _)| *name);
        let reason = format!("a pod can take {total} of {metric}, aim at {target}");
        let line = line(time_s, None, Explanation::plain(reason)).with("target", target).with("total", total);
        Ok(line.with("metric", metric))
    }

    pub(super) fn bucket_average(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let (time_s, now) = time(row)?;
        let granularity = row.find_u32("granularity_s")?;
        let window = span(row, "window_s")?;
        let algorithm = match row.find_text("algorithm")? {
            None => self.settings.aggregation,
            Some(name) => Aggregation::OPTIONS
                .iter()
                .find(|(known, _, _)| *known == name)
                .map(|(_, algorithm, _)| *algorithm)
                .ok_or_else(|| row.wrong("algorithm", "\"linear\" or \"weighted-exponential\""))?,
        };
        if self.buckets.is_none() || window.is_some() {
            let window = window.unwrap_or(self.settings.spec.stable_window);
            let seconds = u64::from(granularity.unwrap_or(1));
            if window > LONGEST {
                return Err(row.wrong("window_s", "a day at most"));
            }
            self.buckets = Some(Buckets::new(window, seconds, algorithm));
        }
        let resize = span(row, "resize_s")?;
        let records = records(row)?;
        let Some(buckets) = &mut self.buckets else { return Err(row.missing("window_s")) };
        if let Some(window) = resize {
            if window > LONGEST {
                return Err(row.wrong("resize_s", "a day at most"));
            }
            buckets.resize(window, now);
        }
        for (at, value) in records {
            buckets.record(
                instant(at).ok_or_else(|| row.wrong("records", "times between -1e9 and 1e9"))?,
                value,
            );
        }
        let average = buckets.average(now);
        let values: Vec<Value> = buckets.values(now).map(|(at, value)| json!([seconds(at), value])).collect();
        let sum: f64 = buckets.values(now).map(|(_, value)| value).sum();
        let line = line(time_s, None, Explanation::plain(format!("mean {average}"))).with("average", average);
        let line = line.with("sum", sum).with("empty", buckets.is_empty(now)).with("count", buckets.count());
        Ok(line.with("buckets", values))
    }
}

/// Pairs of numbers.
fn records(row: &Row<'_>) -> Result<Vec<(f64, f64)>, RowProblem> {
    let pair = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([at, value]) => Some((at.as_f64()?, value.as_f64()?)),
        _ => None,
    };
    let pairs = row.find_list("records")?.unwrap_or_default().iter().map(pair).collect::<Option<_>>();
    pairs.ok_or_else(|| row.wrong("records", "a list of [when, value]"))
}

/// A scale that may be unknown: left out, null or -1.
fn scale(row: &Row<'_>, name: &'static str) -> Result<Option<u32>, RowProblem> {
    match row.find_i64(name)? {
        None | Some(-1) => Ok(None),
        Some(scale) => u32::try_from(scale)
            .map(Some)
            .map_err(|_| row.wrong(name, "a count, or -1 while it is not known")),
    }
}

fn condition(row: &Row<'_>, name: &'static str) -> Result<Condition, RowProblem> {
    match row.text(name)? {
        "activating" => Ok(Condition::Activating),
        "active" => Ok(Condition::Active),
        "inactive" => Ok(Condition::Inactive),
        _ => Err(row.wrong(name, "\"activating\", \"active\" or \"inactive\"")),
    }
}

/// The greatest value after each record, and at the end.
fn greatest(time_s: f64, after_each: Vec<u32>) -> Line {
    let last = after_each.last().copied();
    let reason =
        last.map_or_else(|| "nothing recorded".to_owned(), |last| format!("maximum of the window: {last}"));
    line(time_s, last, Explanation::plain(reason)).with("max", last).with("max_after_each", after_each)
}

pub(super) fn window_max(row: &Row<'_>) -> Result<Line, RowProblem> {
    let (time_s, _) = time(row)?;
    let mut window = MaxWindow::new(row.u32("buckets")?.min(100_000) as usize);
    let records = records(row)?;
    let record = |(index, value): (f64, f64)| {
        window.record(index as u64, value as u32);
        window.current()
    };
    Ok(greatest(time_s, records.into_iter().map(record).collect()))
}

pub(super) fn time_window_max(row: &Row<'_>) -> Result<Line, RowProblem> {
    let (time_s, _) = time(row)?;
    let length = span(row, "window_s")?.ok_or_else(|| row.missing("window_s"))?.min(LONGEST);
    let mut window = TimeWindow::new(length, u64::from(row.find_u32("granularity_s")?.unwrap_or(1)));
    let record = |(at, value): (f64, f64)| Some(window.record(instant(at)?, value as u32));
    let after_each: Option<Vec<u32>> = records(row)?.into_iter().map(record).collect();
    after_each
        .map(|after_each| greatest(time_s, after_each))
        .ok_or_else(|| row.wrong("records", "times between -1e9 and 1e9"))
}

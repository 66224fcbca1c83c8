//! Recorded ticks through Ray Serve's rules. The fields are described in `docs/replay.md`.

use serde_json::Value;

use super::RayServe;
use super::decision::{Decision, Inputs};
use super::delay::Delay;
use crate::autoscaler::{Line, PoolFields, Replay, Row, RowProblem};
use crate::time::{Instant, Span};

/// Most ticks one row may stand for.
const MOST_TICKS: u32 = 10_000_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Recorded {
    settings: RayServe,
    delay: Delay,
    /// The target last decided, for rows that leave it out.
    target: u32,
    /// When the next tick is, for rows that leave out their time.
    next: Instant,
}

/// What the ticks of one row came to.
struct Ticks {
    last: Decision,
    least: u32,
    most: u32,
    /// When the decision first was another than the target.
    changed: Option<Instant>,
}

impl Recorded {
    pub fn new(settings: RayServe) -> Recorded {
        let target = settings.limits.min;
        Recorded { settings, delay: Delay::default(), target, next: Instant::ZERO }
    }

    fn time(&self, row: &Row<'_>) -> Result<Instant, RowProblem> {
        row.instant_or("time", self.next)
    }

    fn interval(&self, row: &Row<'_>) -> Result<Span, RowProblem> {
        match row.find_f64("interval")? {
            None => Ok(self.settings.schedule.interval),
            Some(seconds) if (0.0..=1e6).contains(&seconds) => Ok(Span::from_secs_f64(seconds)),
            Some(_) => Err(row.wrong("interval", "seconds, 0 to 1e6")),
        }
    }

    /// Takes over the state a row gives, if it gives one.
    fn restore(&mut self, row: &Row<'_>) -> Result<(), RowProblem> {
        let Some(state) = row.find_row("state")? else { return Ok(()) };
        let ticks = state.find_i64("counter")?.unwrap_or(0);
        let since = if state.value("since").is_some() { Some(state.instant("since")?) } else { None };
        state.finish()?;
        self.delay = Delay { ticks, since };
        Ok(())
    }

    fn tick(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let (first, interval) = (self.time(row)?, self.interval(row)?);
        let repeat = row.find_u32("repeat")?.unwrap_or(1);
        if !(1..=MOST_TICKS).contains(&repeat) {
            return Err(row.wrong("repeat", "a number of ticks, 1 to 10000000"));
        }
        self.restore(row)?;
        let target = row.find_u32("target")?.unwrap_or(self.target);
        let (running, total) = load(row, target)?;
        let silent = row.has("proposal") && row.value("proposal").is_none();
        let inputs = Inputs { running, target, total, proposal: row.find_f64("proposal")? };
        row.finish()?;
        self.next = first + interval * u64::from(repeat);
        if silent {
            let line = Line::at(first.as_secs_f64()).with("desired", Value::Null);
            return Ok(line.with("reason", "the policy leaves this deployment out: no decision"));
        }
        let mut ticks = self.ticks(inputs, first, interval, repeat);
        self.target = ticks.last.desired;
        let last = first + interval * u64::from(repeat - 1);
        let mut line = Line::at(last.as_secs_f64()).with("desired", ticks.last.desired);
        line.push("reason", self.settings.reason(&inputs, &ticks.last));
        for (name, value) in self.settings.figures(&inputs, &ticks.last) {
            line.push(name, value);
        }
        line.push("counter", self.delay.ticks);
        line.push("since", self.delay.since.map(Instant::as_secs_f64));
        line.push("ticks", repeat);
        line.push("decision_least", ticks.least);
        line.push("decision_most", ticks.most);
        line.push("first_change", ticks.changed.take().map(Instant::as_secs_f64));
        Ok(line)
    }

    fn ticks(&mut self, inputs: Inputs, first: Instant, interval: Span, repeat: u32) -> Ticks {
        let last = self.settings.tick(&mut self.delay, first, inputs);
        let differs = |decision: u32| decision != inputs.target;
        let changed = differs(last.decision).then_some(first);
        let mut ticks = Ticks { last, least: last.decision, most: last.decision, changed };
        for tick in 1..repeat {
            let now = first + interval * u64::from(tick);
            ticks.last = self.settings.tick(&mut self.delay, now, inputs);
            ticks.least = ticks.least.min(ticks.last.decision);
            ticks.most = ticks.most.max(ticks.last.decision);
            if ticks.changed.is_none() && differs(ticks.last.decision) {
                ticks.changed = Some(now);
            }
        }
        ticks
    }

    /// The delay alone.
    fn delay(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let now = self.time(row)?;
        let interval = self.interval(row)?;
        self.restore(row)?;
        let wanted = row.i64("wanted")?.clamp(0, i64::from(u32::MAX)) as u32;
        let target = row.find_u32("target")?.unwrap_or(self.target);
        row.finish()?;
        self.next = now + interval;
        let (decision, _) = self.settings.delayed(&mut self.delay, now, wanted, target);
        self.target = decision;
        let line = Line::at(now.as_secs_f64()).with("desired", decision).with("decision", decision);
        let verdict = if decision == target { "stay" } else { "long enough" };
        let line = line.with("reason", format!("{wanted} wanted, {target} asked for: {verdict}"));
        Ok(line.with("counter", self.delay.ticks).with("since", self.delay.since.map(Instant::as_secs_f64)))
    }

    /// The sizing alone: from requests, or from a number that is to be smoothed.
    fn sizing(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let now = self.time(row)?;
        let proposal = row.find_f64("wanted")?;
        let target = row.find_u32("target")?.unwrap_or(self.target);
        let (running, total) =
            if proposal.is_some() { (row.u32("running")?, 0.0) } else { load(row, target)? };
        row.finish()?;
        let line = Line::at(now.as_secs_f64());
        if running == 0 && !self.settings.release.goes_by_the_clock() && proposal.is_none() {
            let error = "no replica runs: there is nothing to calculate from";
            return Ok(line.with("desired", Value::Null).with("reason", error).with("error", error));
        }
        let (raw, mut smoothed) = self.settings.wanted(Inputs { running, target, total, proposal });
        if let Some(proposal) = proposal {
            smoothed = self.settings.smoothed(proposal, running);
        }
        let desired = self.settings.bounded(smoothed);
        let line = line.with("desired", desired);
        let line = line.with("reason", format!("{raw} for {running} running, smoothed {smoothed}"));
        Ok(line.with("raw", raw).with("smoothed", smoothed))
    }

    /// Whole gangs, and the bounds.
    fn bounds(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let now = self.time(row)?;
        let replicas = row.i64("replicas")?;
        row.finish()?;
        let in_gangs = self.settings.in_gangs(replicas.clamp(0, i64::from(u32::MAX)) as u32);
        let desired = self.settings.bounded(i64::from(in_gangs));
        let (least, most) = self.settings.bounds();
        let line = Line::at(now.as_secs_f64()).with("desired", desired);
        let line = line.with("reason", format!("{replicas} in gangs {in_gangs}, within {least} to {most}"));
        Ok(line.with("in_gangs", in_gangs).with("lower_bound", least).with("upper_bound", most))
    }
}

/// Replicas running, and the requests of the deployment: as a total, or of each running replica and queued.
fn load(row: &Row<'_>, target: u32) -> Result<(u32, f64), RowProblem> {
    let running = row.find_u32("running")?;
    if row.value("ongoing_requests").is_none() {
        return Ok((running.unwrap_or(target), row.f64("total_requests")?));
    }
    let ongoing = row.numbers("ongoing_requests")?;
    let queued = row.find_f64("queued_requests")?.unwrap_or(0.0);
    let running = running.unwrap_or(ongoing.len().try_into().unwrap_or(u32::MAX));
    Ok((running, ongoing.iter().sum::<f64>() + queued))
}

impl Replay for Recorded {
    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        match row.find_text("part")? {
            None | Some("decide") => self.tick(row),
            Some("delay") => self.delay(row),
            Some("sizing") => self.sizing(row),
            Some("bounds") => self.bounds(row),
            Some(_) => Err(row.wrong("part", "\"decide\", \"delay\", \"sizing\" or \"bounds\"")),
        }
    }

    fn metric_field(&self) -> &'static str {
        "total_requests"
    }

    fn pool_fields(&self) -> Option<PoolFields> {
        Some(PoolFields { desired: Some("target"), ready: Some("running"), ..PoolFields::default() })
    }
}

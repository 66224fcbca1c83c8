//! Recorded observations through the autoscaler or through one part of it.
//!
//! Documented in `docs/replay.md`.

use super::super::replay::{Line, Replay, Row, RowProblem};
use super::super::{Explanation, Observation, Policy as _, PoolFields};
use super::Knative;
use super::activator;
use super::decider::{Decider, TICK_S, Verdict};
use super::parts::{time_window_max, window_max};
use super::policy::KpaPolicy;
use super::reason::{Means, decided, verdict_figures};
use super::spec::Spec;
use crate::autoscaler::windows::buckets::Buckets;
use crate::time::{Instant, Span};

/// Added to every time of a row, so that what came before the first row has a time too. A multiple of many lengths, so
/// that buckets of whole seconds begin where they would without it.
const EPOCH_S: u64 = 7_207_200_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Parts {
    pub settings: Knative,
    /// With what it goes by, and the scale-down delay it was made with.
    decider: Option<(Decider, Spec, Span)>,
    whole: Option<Whole>,
    pub buckets: Option<Buckets>,
}

/// The whole autoscaler, and what it asked for last.
#[derive(Debug)]
struct Whole {
    policy: KpaPolicy,
    replicas: u32,
    reported: Instant,
}

impl Parts {
    pub fn new(settings: Knative) -> Parts {
        Parts { settings, decider: None, whole: None, buckets: None }
    }
}

impl Replay for Parts {
    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let line = match row.find_text("part")? {
            None | Some("decide") => self.decide(row)?,
            Some("autoscale") => self.autoscale(row)?,
            Some("start_mode") => self.start_mode(row)?,
            Some("apply_scale") => self.apply_scale(row)?,
            Some("active_condition") => self.active_condition(row)?,
            Some("num_activators") => self.num_activators(row)?,
            Some("resolve_target") => self.resolve_target(row)?,
            Some("bucket_average") => self.bucket_average(row)?,
            Some("window_max") => window_max(row)?,
            Some("time_window_max") => time_window_max(row)?,
            Some(_) => {
                let parts = "\"decide\", \"autoscale\", \"start_mode\", \"apply_scale\", \"active_condition\", \
                             \"num_activators\", \"resolve_target\", \"bucket_average\", \"window_max\" or \
                             \"time_window_max\"";
                return Err(row.wrong("part", parts));
            }
        };
        row.finish()?;
        Ok(line)
    }

    fn metric_field(&self) -> &'static str {
        "concurrency"
    }

    fn pool_fields(&self) -> Option<PoolFields> {
        Some(PoolFields { ready: Some("ready"), ..PoolFields::default() })
    }
}

/// Seconds of a row as an instant: negative ones are before the recording.
pub(super) fn instant(seconds: f64) -> Option<Instant> {
    let nanos = seconds * 1e9;
    (nanos.abs() < 1e18)
        .then(|| Instant::from_nanos((EPOCH_S * 1_000_000_000).saturating_add_signed(nanos.round() as i64)))
}

pub(super) fn seconds(at: Instant) -> f64 {
    (at.as_nanos() as i128 - i128::from(EPOCH_S) * 1_000_000_000) as f64 / 1e9
}

pub(super) fn time(row: &Row<'_>) -> Result<(f64, Instant), RowProblem> {
    let seconds = row.find_f64("time")?.unwrap_or(0.0);
    let at = instant(seconds).ok_or_else(|| row.wrong("time", "seconds, between -1e9 and 1e9"))?;
    Ok((seconds, at))
}

pub(super) fn span(row: &Row<'_>, name: &'static str) -> Result<Option<Span>, RowProblem> {
    match row.find_f64(name)? {
        Some(seconds) if !(0.0..=1e9).contains(&seconds) => Err(row.wrong(name, "seconds, 0 or more")),
        seconds => Ok(seconds.map(Span::from_secs_f64)),
    }
}

pub(super) fn line(time_s: f64, desired: Option<u32>, explanation: Explanation) -> Line {
    let mut line = Line::at(time_s).with("desired", desired).with("reason", explanation.reason);
    explanation.figures.into_iter().for_each(|(name, value)| line.push(name, value));
    line
}

/// `spec` of a row over what the decider goes by so far; the delay counts when the decider is made.
fn respecified(row: &Row<'_>, spec: Spec, delay: Span) -> Result<(Spec, Span), RowProblem> {
    let Some(row) = row.find_row("spec")? else { return Ok((spec, delay)) };
    let number = |name, before: f64| Ok(row.find_f64(name)?.unwrap_or(before));
    let new = Spec {
        target: number("target_value", spec.target)?,
        total: number("total_value", spec.total)?,
        target_burst_capacity: number("target_burst_capacity", spec.target_burst_capacity)?,
        panic_threshold: number("panic_threshold", spec.panic_threshold)?,
        max_scale_up_rate: number("max_scale_up_rate", spec.max_scale_up_rate)?,
        max_scale_down_rate: number("max_scale_down_rate", spec.max_scale_down_rate)?,
        stable_window: span(&row, "stable_window_s")?.unwrap_or(spec.stable_window),
        activation_scale: row.find_u32("activation_scale")?.unwrap_or(spec.activation_scale),
        reachable: row.find_bool("reachable")?.unwrap_or(spec.reachable),
    };
    let delay = span(&row, "scale_down_delay_s")?.unwrap_or(delay);
    for (name, value) in [("target_value", new.target), ("max_scale_down_rate", new.max_scale_down_rate)] {
        if value <= 0.0 {
            return Err(row.wrong(name, "more than 0"));
        }
    }
    row.finish()?;
    Ok((new, delay))
}

/// What is known of the decider before the first row.
fn made(row: &Row<'_>, delay: Span, now: Instant) -> Result<Decider, RowProblem> {
    let Some(state) = row.find_row("state")? else { return Ok(Decider::new(None, delay, now)) };
    let mut decider = Decider::new(state.find_u32("ready_pods_at_creation")?, delay, now);
    if let Some(age) = span(&state, "panic_age_s")? {
        decider.panic_since = Some(Instant::ZERO + (now.since(Instant::ZERO) - age));
    }
    if let Some(most) = state.find_u32("max_panic_pods")? {
        decider.max_panic_pods = most;
    }
    state.finish()?;
    Ok(decider)
}

impl Parts {
    fn decide(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let now = row.f64("time").and_then(|_| time(row))?;
        let (time_s, at) = now;
        let (mut decider, spec, delay) = match self.decider.take() {
            Some((decider, spec, delay)) => (Some(decider), spec, delay),
            None => (None, self.settings.spec, self.settings.scale_down_delay),
        };
        let (spec, delay) = respecified(row, spec, delay)?;
        if decider.is_none() || row.has("state") {
            decider = Some(made(row, delay, at)?);
        }
        let mut decider = decider.unwrap_or_else(|| Decider::new(None, delay, at));
        let (ready, stable, panic) =
            (row.find_u32("ready")?, row.find_f64("stable")?, row.find_f64("panic")?);
        let line = match (ready, stable, panic) {
            (Some(ready), Some(stable), Some(panic)) => {
                let verdict = decider.decide(&spec, at, ready, stable, panic);
                self.decided(now, &spec, ready, (stable, panic), &verdict)
                    .with("max_panic_pods", decider.max_panic_pods)
            }
            _ => {
                let reason = if ready.is_none() { "the ready pods cannot be counted" } else { "no metrics" };
                let explanation = Explanation::plain(format!("{reason}: no decision"));
                line(time_s, None, explanation).with("valid", false)
            }
        };
        self.decider = Some((decider, spec, delay));
        Ok(line)
    }

    fn decided(
        &self,
        (time_s, now): (f64, Instant),
        spec: &Spec,
        ready: u32,
        (stable, panic): (f64, f64),
        verdict: &Verdict,
    ) -> Line {
        let means = Means {
            stable: (spec.stable_window, stable),
            panic: (self.settings.panic_window, panic),
            target: spec.target,
            threshold: spec.panic_threshold,
            ready,
            now,
        };
        let mut figures = Vec::new();
        verdict_figures(verdict, now, &mut figures);
        figures.push(("panic_since", verdict.panic_since.map(seconds).into()));
        figures.push(("excess_burst_capacity", verdict.excess_burst_capacity.into()));
        let burst = spec.target_burst_capacity;
        let count = activator::activators(ready, spec.total, burst, self.settings.activator_capacity);
        figures.push(("activators", count.into()));
        let explanation = Explanation { figures, reason: decided(&means, verdict), ..Explanation::default() };
        line(time_s, Some(verdict.desired), explanation).with("valid", true)
    }

    /// The whole: buckets, decider and scale-to-zero machine.
    fn autoscale(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let (time_s, at) = row.f64("time").and_then(|_| time(row))?;
        let ready = row.u32("ready")?;
        let (settings, written) = (self.settings, row.find_u32("replicas")?);
        let whole = self.whole.get_or_insert_with(|| {
            let before = Instant::ZERO + (at.since(Instant::ZERO) - Span::from_secs(TICK_S));
            let replicas = written.unwrap_or(ready);
            Whole { policy: KpaPolicy::new(settings, replicas, before), replicas, reported: before }
        });
        whole.replicas = written.unwrap_or(whole.replicas);
        let unit = if settings.load.rps { "rps" } else { "concurrency" };
        if let Some(load) = row.find_f64(unit)? {
            whole.policy.report(whole.reported, at, load);
        }
        whole.reported = at;
        let observation = Observation {
            desired: whole.replicas,
            existing: row.find_u32("existing")?.unwrap_or(whole.replicas.max(ready)),
            ready,
            held: u64::from(row.find_u32("held")?.unwrap_or(0)),
            metric: None,
            instances: &[],
        };
        let before = whole.replicas;
        whole.replicas = whole.policy.decide(at, &observation);
        let line = line(time_s, Some(whole.replicas), whole.policy.explain());
        Ok(line.with("valid", whole.policy.found.verdict.is_some()).with("before", before))
    }

    fn start_mode(&self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let (time_s, at) = time(row)?;
        let decider = Decider::new(row.find_u32("ready")?, self.settings.scale_down_delay, at);
        let panics = decider.panic_since.is_some();
        let reason = match panics {
            true => format!("made over {} ready pods: starts in panic", decider.max_panic_pods),
            false => "made over one ready pod at most: starts calm".to_owned(),
        };
        let initial = self.settings.rules.initial_scale;
        let excess = activator::initial_excess_burst_capacity(&self.settings.spec, initial);
        let line = line(time_s, None, Explanation::plain(reason)).with("panic", panics);
        Ok(line.with("max_panic_pods", decider.max_panic_pods).with("excess_burst_capacity", excess))
    }
}

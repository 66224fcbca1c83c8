//! The policy that knows the future: what any other is judged against.
//!
//! It is given the arrival rate of the whole run ([`crate::arrivals::Arrivals::future_rates`]), sizes the pool for each
//! stretch of it by an M/M/c queue ([`super::sizing`]), asks for instances a cold start before they are needed, and lets
//! them go as soon as they are not needed for longer than a cold start: to go and come again within one costs as much
//! as to stay, for an instance is paid for while it starts.
//!
//! Its `margin` trades cost for SLO attainment. The curve over the margin is the bound that `compare` draws: see
//! docs/statistics.md.

use std::collections::VecDeque;
use std::sync::Arc;

use super::sizing::Sizing;
use crate::autoscaler::replay_context::Started;
use crate::autoscaler::{
    Explanation, Limits, Observation, Policy, PolicyContext, Replay, Rounded, Schedule, Settings,
};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span};
use crate::units::show_span;

const INTERVAL: Key<Span> =
    Key::or("interval", "\"15s\"", "Time between two evaluations, the first at the start.").at_least(1e-3);
const LEAD: Key<Option<Span>> = Key::optional(
    "lead",
    "How long before it is needed an instance is asked for; left out, a mean cold start.",
);
const MARGIN: Key<f64> = Key::or(
    "margin",
    "1",
    "Factor on the rate the pool is sized for: less saves instances and misses the SLO more often.",
)
.above(0.0);
const MIN: Key<u32> = Key::or("min", "1", "Minimum instances; with 0 there are none while no request comes.");
const MAX: Key<u32> = Key::required("max", "Maximum instances.").at_least(1.0);

/// `kind = "clairvoyant"`.
pub(in crate::autoscaler) const SPEC: TableSpec = TableSpec {
    name: "clairvoyant",
    doc: "Knows the arrival rate of the whole run, and has as many instances ready as an M/M/c queue needs at each moment's rate to meet the SLO (without an SLO, for one request in a hundred to wait). No real policy can; it is the bound that the others are compared with.",
    keys: &[&INTERVAL, &LEAD, &MARGIN, &MIN, &MAX],
};

/// Evaluations a run may have.
const MOST_EVALUATIONS: u64 = 10_000_000;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler) struct Clairvoyant {
    interval: Span,
    lead: Option<Span>,
    /// Multiple of the lead, for the bound.
    leads: f64,
    margin: f64,
    limits: Limits,
}

pub(in crate::autoscaler) fn read(reader: &Reader<'_>) -> Result<Clairvoyant, Problem> {
    Ok(Clairvoyant {
        interval: reader.get(&INTERVAL)?,
        lead: reader.find(&LEAD)?,
        leads: 1.0,
        margin: reader.get(&MARGIN)?,
        limits: Limits::read(reader, &MIN, &MAX)?,
    })
}

/// Margins of the bound, as multiples of that of the scenario: from a pool that is overrun at every peak to one that is
/// half idle.
const MARGINS: [f64; 12] = [0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.08, 1.16, 1.25, 1.4, 1.6, 2.0];

/// Leads of the bound, as multiples of that of the scenario: cold starts vary, and the longer ones are met by asking early.
const LEADS: [f64; 3] = [1.0, 1.5, 2.5];

impl Settings for Clairvoyant {
    fn limits(&self) -> Limits {
        self.limits
    }
    /// At the very start, which needs no observation, and at every interval from then on.
    fn schedule(&self) -> Option<Schedule> {
        Some(Schedule { interval: self.interval, phase: Span::from_nanos(1) })
    }
    fn policy(&self, start: &PolicyContext) -> Box<dyn Policy> {
        Box::new(ClairvoyantPolicy::new(*self, start))
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(Started::new(*self))
    }
    fn bound(&self) -> Vec<Arc<dyn Settings>> {
        let with = |margin: f64, lead: f64| -> Arc<dyn Settings> {
            Arc::new(Clairvoyant { margin: self.margin * margin, leads: lead, ..*self })
        };
        let following = MARGINS.iter().flat_map(|margin| LEADS.iter().map(move |lead| with(*margin, *lead)));
        // Who knows the future may also know that one size serves all of it.
        let constant = |size: u32| -> Arc<dyn Settings> {
            Arc::new(Clairvoyant { limits: Limits { min: size, max: size }, ..*self })
        };
        following.chain(sizes(self.limits).map(constant)).collect()
    }
}

/// Constant sizes of the bound: every one up to so many, then in steps of a seventh.
const EVERY_SIZE: u32 = 12;

/// The sizes between the limits that constant pools of the bound have.
fn sizes(limits: Limits) -> impl Iterator<Item = u32> {
    let next = |size: &u32| Some(if *size < EVERY_SIZE { size + 1 } else { size + size.div_ceil(7) });
    std::iter::successors(Some(limits.min.max(1)), next).take_while(move |size| *size <= limits.max)
}

/// The policy at work.
#[derive(Debug, Clone)]
struct ClairvoyantPolicy {
    settings: Clairvoyant,
    sizing: Sizing,
    lead: Span,
    /// The greatest rate an instance asked for in each interval will meet before the next can be asked for.
    peaks: Vec<f64>,
    /// The instances that takes.
    plan: Vec<u32>,
    index: usize,
}

impl ClairvoyantPolicy {
    fn new(settings: Clairvoyant, start: &PolicyContext) -> ClairvoyantPolicy {
        let Clairvoyant { interval, lead, leads, margin, limits } = settings;
        let lead_s = lead.map_or(start.cold_start_mean_s, Span::as_secs_f64);
        let lead = Span::from_secs_f64(leads * lead_s);
        let intervals =
            |span: Span| span.as_nanos().div_ceil(interval.as_nanos()).min(MOST_EVALUATIONS) as usize;
        let (evaluations, ahead) = (intervals(start.duration).max(1), intervals(lead));
        let rates = start.future_rates(interval, evaluations + ahead);
        let peaks = largest_of_each(&rates, ahead + 1);
        let sizing = Sizing::new(start);
        let mut near = 0;
        let mut size = |rate: &f64| {
            near = sizing.instances(margin * rate, near, limits.max);
            near.clamp(limits.min, limits.max)
        };
        let plan = peaks.iter().map(&mut size).collect();
        ClairvoyantPolicy { settings, sizing, lead, peaks, plan, index: 0 }
    }
}

/// The largest of every `width` values in a row, by a queue of candidates each of which is larger than all after it.
fn largest_of_each(values: &[f64], width: usize) -> Vec<f64> {
    let mut candidates: VecDeque<usize> = VecDeque::with_capacity(width + 1);
    let mut largest = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        while candidates.back().is_some_and(|last| values[*last] <= *value) {
            candidates.pop_back();
        }
        candidates.push_back(index);
        if candidates.front().is_some_and(|first| first + width <= index) {
            candidates.pop_front();
        }
        if index + 1 >= width {
            largest.extend(candidates.front().map(|first| values[*first]));
        }
    }
    largest
}

impl Policy for ClairvoyantPolicy {
    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32 {
        let interval = (now.as_nanos() / self.settings.interval.as_nanos()) as usize;
        self.index = interval.min(self.plan.len().saturating_sub(1));
        self.plan.get(self.index).copied().unwrap_or(observation.desired)
    }

    fn explain(&self) -> Explanation {
        let peak = self.peaks.get(self.index).copied().unwrap_or(0.0);
        let wanted = self.plan.get(self.index).copied().unwrap_or(0);
        let margin = match self.settings.margin {
            1.0 => String::new(),
            margin => format!(" times {margin}"),
        };
        let within = show_span(self.lead + self.settings.interval);
        let promise = self.sizing.promise();
        let reason = format!(
            "the rate peaks at {}/s{margin} in the next {within}: {wanted} keep {promise}",
            Rounded(peak)
        );
        let figures = vec![("peak_rate", peak.into()), ("needed", wanted.into())];
        Explanation { metric: "request_rate", observed: Some(peak), target: None, figures, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrivals::Arrivals;
    use crate::scenario::ScenarioFile;

    #[test]
    fn the_largest_of_a_window_is_that_of_looking_at_all_of_it() {
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0];
        for width in 1..=values.len() {
            let slow: Vec<f64> =
                values.windows(width).map(|all| all.iter().copied().fold(0.0, f64::max)).collect();
            assert_eq!(largest_of_each(&values, width), slow);
        }
    }

    fn arrivals(table: &str) -> Arrivals {
        let text = format!(
            "[arrivals]\n{table}\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nduration = \"1h\""
        );
        ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap().model.arrivals
    }

    /// The instances asked for at each minute of a step from 1 to 20 a second at 10 minutes and back at 20.
    fn plan(margin: f64) -> Vec<u32> {
        let table = "kind = \"piecewise\"\nshape = \"constant\"\npoints = [{ at = \"0s\", rate = 1 }, { at = \"10m\", rate = 20 }, { at = \"20m\", rate = 1 }]";
        let settings = Clairvoyant {
            interval: Span::from_secs(60),
            lead: None,
            leads: 1.0,
            margin,
            limits: Limits { min: 1, max: 50 },
        };
        let start = PolicyContext {
            slots: 1,
            service_mean_s: 0.5,
            cold_start_mean_s: 90.0,
            slo: Some((2.5, 0.99)),
            arrivals: arrivals(table),
            duration: Span::from_secs(1800),
            ..PolicyContext::unknown(1)
        };
        ClairvoyantPolicy::new(settings, &start).plan
    }

    #[test]
    fn instances_are_asked_for_a_cold_start_ahead_and_let_go_at_once() {
        let plan = plan(1.0);
        let large = plan[10];
        // Asked for at minute 8, they are ready at 9:30: one asked for at minute 9 would be late.
        let expected: Vec<u32> =
            (0..30).map(|minute| if (8..20).contains(&minute) { large } else { 2 }).collect();
        assert_eq!(plan, expected);
        // At a load of 10 servers, P(sojourn > 2.5 s) is 2.97 % with 11 and 0.97 % with 12.
        assert_eq!(large, 12);
    }

    #[test]
    fn a_margin_sizes_for_another_rate() {
        assert!(plan(2.0)[10] > plan(1.0)[10] && plan(0.5)[10] < plan(1.0)[10]);
    }
}

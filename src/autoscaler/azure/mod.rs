//! Azure Monitor autoscale, as Azure ML online endpoints use it: rules on metrics, any of which scales out and all of which
//! must agree to scale in.
//!
//! Source: Azure Monitor, "Understand autoscale settings", "Best practices for autoscale" and "Flapping in autoscale"; Azure
//! ML, "Autoscale online endpoints" (documentation of 2024). There is no default profile: every rule is the user's.

mod explain;
mod flapping;
pub(super) mod manifest;
mod replay;
mod rule;

use self::flapping::{Guard, allowed};
use self::rule::{Direction, Rule, Window};
use super::{
    Explanation, Limits, MetricsDefaults, Observation, PHASE, Policy, PolicyContext, Replay, Schedule,
    Scrape, Settings, Watched,
};
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::{Instant, Span};

/// `kind = "azure_monitor"`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Azure {
    schedule: Schedule,
    limits: Limits,
    default: Option<u32>,
    rules: Vec<Rule>,
}

const MIN: Key<u32> = Key::or("min", "1", "Minimum instances (`capacity.minimum`).");
const MAX: Key<u32> = Key::required("max", "Maximum instances (`capacity.maximum`).").at_least(1.0);
const DEFAULT: Key<Option<u32>> = Key::optional(
    "default",
    "Instances to have at least while the metrics cannot be read (`capacity.default`); left out, `min`.",
);
const RULES: Key<Vec<Rule>> = Key::required(
    "rules",
    "The rules. One rule suffices to scale out, and the largest result counts; scale-in needs all rules that scale in.",
);
const INTERVAL: Key<Span> = Key::or(
    "interval",
    "\"60s\"",
    "Time between two evaluations: 30 to 60 s, by what is scaled, says the documentation.",
)
.at_least(1.0);

/// The keys of `kind = "azure_monitor"`.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "azure_monitor",
    doc: "Azure Monitor autoscale rules, as Azure ML online endpoints use them, with flapping avoidance.",
    keys: &[&RULES, &MIN, &MAX, &DEFAULT, &INTERVAL, &PHASE],
};

pub(super) fn read(reader: &Reader<'_>) -> Result<Azure, Problem> {
    let limits = Limits::read(reader, &MIN, &MAX)?;
    let default = reader.find(&DEFAULT)?;
    if let Some(instances) = default.filter(|instances| !(limits.min..=limits.max).contains(instances)) {
        let message = format!("`{}` is {instances}", reader.path_of("default"));
        let label = format!("expected from {} to {}, the limits", limits.min, limits.max);
        return Err(reader.problem("default", message, label));
    }
    let rules = reader.get(&RULES)?;
    if rules.is_empty() {
        let message = format!("`{}` is empty", reader.path_of("rules"));
        return Err(reader.problem("rules", message, "expected one rule or more"));
    }
    let schedule = Schedule { interval: reader.get(&INTERVAL)?, phase: reader.get(&PHASE)? };
    Ok(Azure { schedule, limits, default, rules })
}

impl Settings for Azure {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule)
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        let window = self.rules.iter().map(|rule| rule.duration).max().unwrap_or(Span::from_secs(60));
        // How late metrics are is not published; a minute is assumed.
        MetricsDefaults { scrape_interval: Span::from_secs(10), window, delay: Span::from_secs(60) }
    }
    fn watched(&self) -> Vec<Watched> {
        self.rules.iter().enumerate().filter_map(|(at, rule)| rule.watched(at)).collect()
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(AzurePolicy::new(self.clone()))
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(replay::Recorded::new(self.clone()))
    }
}

/// The autoscale job at work on one resource.
#[derive(Debug, Clone)]
struct AzurePolicy {
    settings: Azure,
    windows: Vec<Window>,
    found: Vec<AzureEvaluation>,
    last_action: Option<Instant>,
    outcome: Outcome,
    /// The instances at the last evaluation.
    current: u32,
}

/// What was found of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct AzureEvaluation {
    metric: Option<f64>,
    triggered: bool,
    /// The instances it asks for.
    wanted: u32,
}

/// What an evaluation came to. Indices are of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Outside the limits, brought inside.
    Limits,
    /// No metric can be read: the default, if that is more.
    NoData,
    /// No rule that could act is triggered.
    Quiet,
    /// Not every rule that scales in is triggered: this one is, this one is not.
    Disagree(usize, usize),
    /// A rule scales out.
    Out(usize),
    /// A rule scales in, to so many.
    In(usize, u32),
    /// A rule is triggered, but the last action is not long enough ago; for so long.
    Cooling(usize, Span),
    /// A rule asks for what is there, or the limits leave nothing to do.
    Nothing(usize),
    /// A scale-in would have to be undone at once, by this rule.
    Flapping(usize, usize),
}

impl AzurePolicy {
    fn new(settings: Azure) -> AzurePolicy {
        let windows = settings.rules.iter().map(Window::new).collect();
        let found = vec![AzureEvaluation::default(); settings.rules.len()];
        AzurePolicy { settings, windows, found, last_action: None, outcome: Outcome::NoData, current: 0 }
    }

    fn evaluate(&mut self, now: Instant, current: u32) -> u32 {
        for ((rule, window), found) in self.settings.rules.iter().zip(&self.windows).zip(&mut self.found) {
            let metric = window.value();
            let triggered = metric.is_some_and(|metric| rule.operator.holds(metric, rule.threshold));
            *found = AzureEvaluation { metric, triggered, wanted: rule.changed(current) };
        }
        let Limits { min, max } = self.settings.limits;
        let (desired, outcome) = if !(min..=max).contains(&current) {
            (current.clamp(min, max), Outcome::Limits)
        } else if self.found.iter().all(|found| found.metric.is_none()) {
            (current.max(self.settings.default.unwrap_or(min)), Outcome::NoData)
        } else if let Some(index) = self.largest(Direction::Out, now) {
            self.scale_out(index, now, current)
        } else {
            self.scale_in(now, current)
        };
        (self.outcome, self.current) = (outcome, current);
        if desired != current {
            self.last_action = Some(now);
        }
        desired
    }

    /// The triggered rule of a direction that asks for most instances, the first of equals; one that rests only if all do.
    fn largest(&self, direction: Direction, now: Instant) -> Option<usize> {
        let triggered = |index: &usize| self.found[*index].triggered;
        let rank = |index: usize| (self.rest(index, now).is_zero(), self.found[index].wanted);
        self.of(direction).filter(triggered).reduce(|a, b| if rank(b) > rank(a) { b } else { a })
    }

    /// The rules of a direction.
    fn of(&self, direction: Direction) -> impl Iterator<Item = usize> + '_ {
        (0..self.found.len()).filter(move |index| self.settings.rules[*index].direction == direction)
    }

    /// How long the rule still has to rest.
    fn rest(&self, index: usize, now: Instant) -> Span {
        let cooldown = self.settings.rules[index].cooldown;
        self.last_action.map_or(Span::ZERO, |last| (last + cooldown).since(now))
    }

    fn scale_out(&self, index: usize, now: Instant, current: u32) -> (u32, Outcome) {
        let wanted = self.found[index].wanted.min(self.settings.limits.max);
        match self.rest(index, now) {
            _ if wanted <= current => (current, Outcome::Nothing(index)),
            left if !left.is_zero() => (current, Outcome::Cooling(index, left)),
            _ => (wanted, Outcome::Out(index)),
        }
    }

    fn scale_in(&self, now: Instant, current: u32) -> (u32, Outcome) {
        let Some(index) = self.largest(Direction::In, now) else { return (current, Outcome::Quiet) };
        if let Some(other) = self.of(Direction::In).find(|other| !self.found[*other].triggered) {
            return (current, Outcome::Disagree(index, other));
        }
        let wanted = self.found[index].wanted.max(self.settings.limits.min);
        if wanted >= current {
            return (current, Outcome::Nothing(index));
        }
        let left = self.rest(index, now);
        if !left.is_zero() {
            return (current, Outcome::Cooling(index, left));
        }
        match allowed(current, wanted, self.guards()) {
            left if left == current => (current, Outcome::Flapping(index, self.undone_by(current, wanted))),
            left => (left, Outcome::In(index, left)),
        }
    }

    /// The rule that would undo a scale-in from `current` to `wanted`.
    fn undone_by(&self, current: u32, wanted: u32) -> usize {
        let undoes = |index: &usize| {
            let rule = &self.settings.rules[*index];
            let guard = self.found[*index].metric.map(|metric| Guard {
                metric,
                operator: rule.operator,
                threshold: rule.threshold,
            });
            guard.is_some_and(|guard| allowed(current, wanted, std::iter::once(guard)) > wanted)
        };
        self.of(Direction::Out).find(undoes).unwrap_or(0)
    }

    /// The rules that scale out, with what their metrics are now.
    fn guards(&self) -> impl Iterator<Item = Guard> + Clone + '_ {
        self.settings.rules.iter().zip(&self.found).filter_map(|(rule, found)| {
            let metric = found.metric.filter(|_| rule.direction == Direction::Out)?;
            Some(Guard { metric, operator: rule.operator, threshold: rule.threshold })
        })
    }
}

impl Policy for AzurePolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        for window in &mut self.windows {
            window.scrape(sample);
        }
    }

    fn decide(&mut self, now: Instant, seen: &Observation<'_>) -> u32 {
        self.evaluate(now, seen.desired)
    }

    fn explain(&self) -> Explanation {
        self.explanation()
    }
}

#[cfg(test)]
mod tests {
    use super::rule::{Aggregation, Change, Metric, Operator};
    use super::*;

    const MINUTE: Span = Span::from_secs(60);

    fn rule(direction: Direction, operator: Operator, threshold: f64) -> Rule {
        Rule {
            metric: Metric::UTILIZATION,
            aggregation: Aggregation::Average,
            duration: MINUTE,
            time_grain: MINUTE,
            operator,
            threshold,
            direction,
            change: Change::Count,
            value: 1.0,
            cooldown: MINUTE * 5,
        }
    }

    fn new_policy(rules: Vec<Rule>) -> AzurePolicy {
        let schedule = Schedule { interval: MINUTE, phase: Span::ZERO };
        AzurePolicy::new(Azure { schedule, limits: Limits { min: 1, max: 5 }, default: None, rules })
    }

    fn at_minute(policy: &mut AzurePolicy, minute: u64, metrics: &[f64], current: u32) -> u32 {
        for (window, metric) in policy.windows.iter_mut().zip(metrics) {
            window.push(Some(*metric));
        }
        policy.evaluate(Instant::ZERO + MINUTE * minute, current)
    }

    #[test]
    fn any_rule_scales_out_and_all_must_scale_in() {
        let mut policy = new_policy(vec![
            rule(Direction::Out, Operator::Above, 70.0),
            rule(Direction::Out, Operator::Above, 100.0),
            rule(Direction::In, Operator::Below, 30.0),
            rule(Direction::In, Operator::Below, 10.0),
        ]);
        assert_eq!(at_minute(&mut policy, 1, &[71.0, 20.0, 71.0, 20.0], 2), 3);
        assert_eq!(at_minute(&mut policy, 7, &[20.0, 20.0, 20.0, 20.0], 3), 3);
        assert_eq!(policy.outcome, Outcome::Disagree(2, 3));
        assert_eq!(at_minute(&mut policy, 8, &[20.0, 5.0, 20.0, 5.0], 3), 2);
    }

    #[test]
    fn a_rule_rests_after_any_action() {
        let mut policy = new_policy(vec![rule(Direction::Out, Operator::Above, 70.0)]);
        let sizes = [1, 2, 5, 6].map(|minute| {
            let current = if minute == 1 { 1 } else { 2 };
            at_minute(&mut policy, minute, &[90.0], current)
        });
        assert_eq!(sizes, [2, 2, 2, 3]);
    }

    #[test]
    fn a_scale_in_that_would_flap_is_skipped() {
        let rules =
            vec![rule(Direction::Out, Operator::AtLeast, 80.0), rule(Direction::In, Operator::AtMost, 60.0)];
        let mut policy = new_policy(rules);
        assert_eq!(at_minute(&mut policy, 1, &[60.0, 60.0], 3), 3);
        assert_eq!(policy.outcome, Outcome::Flapping(1, 0));
        let said = "utilization 60 is at or below 60, but on 2 it would be 90, at or above 80, and scale out again: stay";
        assert_eq!(policy.explain().reason, said);
        assert_eq!(at_minute(&mut policy, 2, &[50.0, 50.0], 3), 2);
    }

    #[test]
    fn without_metrics_the_default_holds() {
        let mut policy = new_policy(vec![rule(Direction::Out, Operator::Above, 70.0)]);
        policy.settings.default = Some(3);
        assert_eq!(policy.evaluate(Instant::ZERO + MINUTE, 2), 3);
        assert_eq!(policy.evaluate(Instant::ZERO + MINUTE, 4), 4);
    }
}

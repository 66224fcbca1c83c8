//! How fast the replicas may change: the rules of `behavior`, and the bounds of an HPA without one.
//!
//! Source: `convertDesiredReplicasWithRules` and `convertDesiredReplicasWithBehaviorRate` of
//! `pkg/controller/podautoscaler/horizontal.go` (Kubernetes, main of 2026); defaults of `pkg/apis/autoscaling/v2/defaults.go`.

use super::history::{Moment, ScaleEvents};
use crate::time::Span;

/// The rules of both directions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Behavior {
    pub up: Rules,
    pub down: Rules,
}

/// The rules of one direction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rules {
    /// How long a recommendation counts.
    pub window: Span,
    pub select: Select,
    pub rates: Vec<Rate>,
}

impl Rules {
    fn longest_period(&self) -> Span {
        self.rates.iter().map(|rate| rate.period).max().unwrap_or(Span::ZERO)
    }
}

/// One limit on the change within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub kind: RateKind,
    pub value: u32,
    pub period: Span,
}

/// What a [`Rate`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateKind {
    Pods,
    Percent,
}

/// Which of several limits counts: the one that allows the largest change, or the smallest; or no change at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Select {
    Max,
    Min,
    Disabled,
}

/// The condition `ScalingLimited` of the HPA's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limited {
    DesiredWithinRange,
    TooFewReplicas,
    TooManyReplicas,
    ScaleUpLimit,
    ScaleDownLimit,
}

impl Limited {
    /// As the status writes it.
    pub fn name(self) -> &'static str {
        match self {
            Limited::DesiredWithinRange => "DesiredWithinRange",
            Limited::TooFewReplicas => "TooFewReplicas",
            Limited::TooManyReplicas => "TooManyReplicas",
            Limited::ScaleUpLimit => "ScaleUpLimit",
            Limited::ScaleDownLimit => "ScaleDownLimit",
        }
    }
}

/// Replica counts are 32-bit integers with a sign.
pub(crate) const MAX_REPLICAS: f64 = i32::MAX as f64;

/// Minimum and maximum replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub min: i32,
    pub max: i32,
}

/// What the limits make of the replicas wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub replicas: i32,
    pub reason: Limited,
    /// How far the rate allowed to go, where one was looked at.
    pub rate: Option<Reach>,
}

/// How far the rules of a direction let the replicas go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    pub replicas: i32,
    /// Which of the policies allows so much.
    pub policy: Option<usize>,
}

/// Without a `behavior` the replicas may double, or become 4, at each sync; nothing limits the way down.
pub(crate) fn without_behavior(current: i32, wanted: i32, bounds: Bounds) -> Limit {
    let rate = current.saturating_mul(2).max(4);
    let (most, reason) = match bounds.max > rate {
        true => (rate, Limited::ScaleUpLimit),
        false => (bounds.max, Limited::TooManyReplicas),
    };
    let (replicas, reason) = if wanted < bounds.min {
        (bounds.min, Limited::TooFewReplicas)
    } else if wanted > most {
        (most, reason)
    } else {
        (wanted, Limited::DesiredWithinRange)
    };
    Limit { replicas, reason, rate: Some(Reach { replicas: rate, policy: None }) }
}

/// How the replicas have changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Changes {
    pub up: ScaleEvents,
    pub down: ScaleEvents,
}

impl Changes {
    /// Records a change; without a `behavior` nothing looks back on it.
    pub fn store(&mut self, behavior: Option<&Behavior>, before: i32, after: i32, now: Moment) {
        let Some(behavior) = behavior else { return };
        match after > before {
            true => self.up.store(after.saturating_sub(before), behavior.up.longest_period(), now),
            false => self.down.store(before.saturating_sub(after), behavior.down.longest_period(), now),
        }
    }

    /// What the replicas were when `period` began, as far as the scaling was the HPA's own.
    fn replicas_at_start(&self, current: i32, period: Span, now: Moment) -> i64 {
        i64::from(current) - self.up.within(period, now) + self.down.within(period, now)
    }

    /// The most replicas `rules` allow now.
    pub fn most(&self, rules: &Rules, current: i32, now: Moment) -> Reach {
        let allowed = |rate: &Rate| {
            let start = self.replicas_at_start(current, rate.period, now);
            match rate.kind {
                RateKind::Pods => clamp(start + i64::from(rate.value)),
                // In f64, where 100 × 1.1 is a little more than 110: the limit is then 111.
                RateKind::Percent => (start as f64 * (1.0 + f64::from(rate.value) / 100.0)).ceil() as i32,
            }
        };
        let (least, most) = (i32::MIN, i32::MAX);
        match rules.select {
            Select::Disabled => Reach { replicas: current, policy: None },
            Select::Max => select(rules, allowed, least, |new, best| new > best),
            Select::Min => select(rules, allowed, most, |new, best| new < best),
        }
    }

    /// The fewest replicas `rules` allow now: `max` selects the largest change, so the lowest number.
    pub fn fewest(&self, rules: &Rules, current: i32, now: Moment) -> Reach {
        let allowed = |rate: &Rate| {
            let start = self.replicas_at_start(current, rate.period, now);
            match rate.kind {
                RateKind::Pods => clamp(start - i64::from(rate.value)),
                RateKind::Percent => (start as f64 * (1.0 - f64::from(rate.value) / 100.0)) as i32,
            }
        };
        let (least, most) = (i32::MIN, i32::MAX);
        match rules.select {
            Select::Disabled => Reach { replicas: current, policy: None },
            Select::Max => select(rules, allowed, most, |new, best| new < best),
            Select::Min => select(rules, allowed, least, |new, best| new > best),
        }
    }

    /// What rates and bounds make of the replicas wanted. The rate of a direction never turns it round.
    pub fn limit(
        &self,
        behavior: &Behavior,
        current: i32,
        wanted: i32,
        bounds: Bounds,
        now: Moment,
    ) -> Limit {
        let within = |rate| Limit { replicas: wanted, reason: Limited::DesiredWithinRange, rate };
        if wanted > current {
            let reach = self.most(&behavior.up, current, now);
            let rate = reach.replicas.max(current);
            let (most, reason) = match bounds.max > rate {
                true => (rate, Limited::ScaleUpLimit),
                false => (bounds.max, Limited::TooManyReplicas),
            };
            match wanted > most {
                true => Limit { replicas: most, reason, rate: Some(reach) },
                false => within(Some(reach)),
            }
        } else if wanted < current {
            let reach = self.fewest(&behavior.down, current, now);
            let rate = reach.replicas.min(current);
            let (fewest, reason) = match bounds.min < rate {
                true => (rate, Limited::ScaleDownLimit),
                false => (bounds.min, Limited::TooFewReplicas),
            };
            match wanted < fewest {
                true => Limit { replicas: fewest, reason, rate: Some(reach) },
                false => within(Some(reach)),
            }
        } else {
            within(None)
        }
    }
}

/// The limit that `better` prefers to all others and to `worst`, the first of equals.
fn select(
    rules: &Rules,
    allowed: impl Fn(&Rate) -> i32,
    worst: i32,
    better: impl Fn(i32, i32) -> bool,
) -> Reach {
    let mut best = Reach { replicas: worst, policy: None };
    for (index, rate) in rules.rates.iter().enumerate() {
        let replicas = allowed(rate);
        if better(replicas, best.replicas) {
            best = Reach { replicas, policy: Some(index) };
        }
    }
    best
}

fn clamp(replicas: i64) -> i32 {
    replicas.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

#[cfg(test)]
mod tests {
    use super::super::history::ScaleEvent;
    use super::*;

    const NOW: Moment = Moment(0);

    fn rules(select: Select, rates: &[(RateKind, u32, u64)]) -> Rules {
        let rates = rates.iter().map(|(kind, value, period)| Rate {
            kind: *kind,
            value: *value,
            period: Span::from_secs(*period),
        });
        Rules { window: Span::ZERO, select, rates: rates.collect() }
    }

    fn events(list: &[(i32, u64)]) -> ScaleEvents {
        let event = |(change, age): &(i32, u64)| ScaleEvent {
            change: *change,
            at: NOW.before(Span::from_secs(*age)),
            outdated: false,
        };
        ScaleEvents(list.iter().map(event).collect())
    }

    #[test]
    fn without_a_behavior_three_become_six_and_one_becomes_four() {
        let bounds = Bounds { min: 1, max: 100 };
        assert_eq!(without_behavior(3, 50, bounds).replicas, 6);
        assert_eq!(without_behavior(1, 50, bounds).replicas, 4);
        assert_eq!(without_behavior(90, 500, bounds).reason, Limited::TooManyReplicas);
        assert_eq!(without_behavior(90, 0, bounds).reason, Limited::TooFewReplicas);
        assert_eq!(without_behavior(i32::MAX, 5, bounds).replicas, 5);
    }

    #[test]
    fn the_periods_start_is_what_the_changes_since_leave() {
        let changes = Changes { up: events(&[(1, 100), (5, 60), (9, 20)]), down: ScaleEvents::default() };
        let pods = |value, period| rules(Select::Max, &[(RateKind::Pods, value, period)]);
        assert_eq!(changes.most(&pods(150, 120), 100, NOW).replicas, 235);
        assert_eq!(changes.most(&pods(5, 120), 100, NOW).replicas, 90, "the raw limit may lie below");
        assert_eq!(changes.most(&pods(5, 60), 100, NOW).replicas, 96, "the end of the period is excluded");
    }

    #[test]
    fn percentages_round_towards_change_upwards_and_away_from_it_downwards() {
        let changes = Changes::default();
        let percent = |value| rules(Select::Max, &[(RateKind::Percent, value, 60)]);
        assert_eq!(changes.most(&percent(10), 100, NOW).replicas, 111, "100 × 1.1 in f64");
        assert_eq!(changes.most(&percent(1), 3, NOW).replicas, 4);
        assert_eq!(changes.fewest(&percent(33), 10, NOW).replicas, 6);
    }

    #[test]
    fn max_selects_the_largest_change_either_way_and_disabled_none() {
        let changes = Changes::default();
        let rates = [(RateKind::Pods, 20, 60), (RateKind::Percent, 1, 60)];
        let at = |select| {
            let rules = rules(select, &rates);
            (changes.most(&rules, 100, NOW).replicas, changes.fewest(&rules, 100, NOW).replicas)
        };
        assert_eq!(at(Select::Max), (120, 80));
        assert_eq!(at(Select::Min), (101, 99));
        assert_eq!(at(Select::Disabled), (100, 100));
    }

    #[test]
    fn a_rate_that_is_used_up_holds_the_replicas() {
        let percent = |value| rules(Select::Max, &[(RateKind::Percent, value, 120)]);
        let behavior = Behavior { up: percent(10), down: percent(10) };
        let changes = Changes { up: events(&[(50, 30)]), down: ScaleEvents::default() };
        let bounds = Bounds { min: 1, max: 1000 };
        let limit = changes.limit(&behavior, 100, 500, bounds, NOW);
        assert_eq!((limit.replicas, limit.reason), (100, Limited::ScaleUpLimit));
        let changes = Changes { up: ScaleEvents::default(), down: events(&[(30, 30)]) };
        let limit = changes.limit(&behavior, 100, 5, bounds, NOW);
        assert_eq!((limit.replicas, limit.reason), (100, Limited::ScaleDownLimit));
    }
}

//! Alarms, policies and cooldowns at work on one scalable target.

use super::alarms::{Alarm, State};
use super::metrics::Feed;
use super::policy::{COOLDOWN, Rule, ScalingPolicy};
use super::{Aws, Service};
use crate::autoscaler::{Explanation, InstanceState, Observation, Policy, Sample};
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct AtWork {
    pub settings: Aws,
    feeds: Vec<Feed>,
    pub tracks: Vec<Track>,
    /// End of the rest after the last scale-in.
    scale_in_rest: Instant,
    pub outcome: Outcome,
}

/// What is remembered of one policy, and what it last found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Track {
    feed: usize,
    /// The alarm for scale-out, or the one of a step policy.
    pub high: State,
    /// The alarm for scale-in; none with step policies.
    pub low: State,
    credit: Option<Credit>,
    pub metric: Option<f64>,
    /// The capacity that what it asks for starts from.
    pub base: u32,
    /// The capacity it asks for.
    pub wanted: Option<i64>,
}

/// A scale-out that still counts towards the next one.
#[derive(Debug, Clone, Copy)]
struct Credit {
    until: Instant,
    /// The capacity before it.
    base: u32,
}

/// What the evaluation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// No alarm is raised.
    Quiet,
    /// No alarm knows enough.
    NoData,
    /// Outside its limits, brought inside.
    Limits,
    /// A policy scales out.
    Out(usize),
    /// A policy asks for more, but not for more than is there or coming.
    Enough(usize),
    /// A policy scales in.
    In(usize),
    /// A policy would scale in, but rests for so long.
    Resting(usize, Span),
    /// A policy would scale in, but so many instances are warming up.
    Warming(usize, u32),
    /// A policy would scale in, but this one does not agree.
    Disagree(usize, usize),
    /// A policy would scale in, but rounding leaves nothing to remove.
    Nothing(usize),
}

impl AtWork {
    pub fn new(settings: Aws) -> AtWork {
        let mut feeds: Vec<Feed> = Vec::with_capacity(settings.policies.len());
        let track = |(feed, policy): (usize, &ScalingPolicy)| {
            let periods = policy.periods() as usize;
            feeds.push(Feed::new(policy.metric, policy.period, periods));
            let (high, low) = (State::default(), State::default());
            Track { feed, high, low, credit: None, metric: None, base: 0, wanted: None }
        };
        let tracks = settings.policies.iter().enumerate().map(track).collect();
        AtWork { settings, feeds, tracks, scale_in_rest: Instant::ZERO, outcome: Outcome::NoData }
    }

    /// The datapoint of a policy's period that has just ended.
    pub fn datapoint(&mut self, policy: usize, datapoint: Option<f64>) {
        self.feeds[policy].series.push(datapoint);
    }

    /// The capacity wanted at `now`, where `capacity` is asked for and `warming` of it warms up.
    pub fn evaluate(&mut self, now: Instant, capacity: u32, warming: u32) -> u32 {
        for index in 0..self.tracks.len() {
            self.look(index, now, capacity, warming);
        }
        let limits = self.settings.limits;
        let clamp = |wanted: i64| wanted.clamp(i64::from(limits.min), i64::from(limits.max)) as u32;
        if clamp(i64::from(capacity)) != capacity {
            self.outcome = Outcome::Limits;
            return clamp(i64::from(capacity));
        }
        let (desired, outcome) = match self.largest(true) {
            Some((index, wanted)) if clamp(wanted) > capacity => {
                self.note_scale_out(index, now);
                (clamp(wanted), Outcome::Out(index))
            }
            Some((index, _)) => (capacity, Outcome::Enough(index)),
            None => match self.largest(false) {
                Some((index, wanted)) => self.scale_in(index, clamp(wanted), now, capacity, warming),
                None if self.tracks.iter().all(|track| track.metric.is_none()) => (capacity, Outcome::NoData),
                None => (capacity, Outcome::Quiet),
            },
        };
        self.outcome = outcome;
        desired
    }

    /// Looks at one policy: its alarms, and the capacity it asks for.
    fn look(&mut self, index: usize, now: Instant, capacity: u32, warming: u32) {
        let (policy, track) = (&self.settings.policies[index], &mut self.tracks[index]);
        let series = &self.feeds[track.feed].series;
        let state = |alarm: Alarm, before| alarm.evaluate(series, before);
        track.metric = series.newest();
        track.base = match (self.settings.service, track.credit) {
            (Service::Ec2, _) => capacity.saturating_sub(warming),
            (Service::Application, Some(credit)) if now < credit.until => credit.base.min(capacity),
            (Service::Application, _) => capacity,
        };
        track.wanted = None;
        match &policy.rule {
            Rule::TargetTracking(tracking) => {
                let low = tracking.low(policy.period, self.settings.service.scale_in_below());
                track.high = state(tracking.high(), track.high);
                track.low = state(low, track.low);
                track.wanted = track.metric.and_then(|metric| match (track.high, track.low) {
                    (State::Alarm, _) => Some(tracking.proportional(track.base, metric)),
                    (_, State::Alarm) if !tracking.disable_scale_in => {
                        Some(tracking.scaled_in(capacity, metric))
                    }
                    _ => None,
                });
            }
            Rule::StepScaling(steps) => {
                track.high = state(steps.alarm, track.high);
                let adjustment = track.metric.and_then(|metric| steps.adjustment(metric));
                track.wanted = adjustment.filter(|_| track.high == State::Alarm).map(|adjustment| {
                    let grown = steps.capacity(track.base, adjustment);
                    // What is still being added counts for more, not for less.
                    if grown > i64::from(track.base) { grown } else { steps.capacity(capacity, adjustment) }
                });
            }
        }
    }

    /// The policy that asks for the largest capacity, of those that ask for more than they start from, or less.
    fn largest(&self, out: bool) -> Option<(usize, i64)> {
        let asks = |(index, track): (usize, &Track)| {
            let wanted = track.wanted?;
            (self.asks_for_more(index, wanted) == out).then_some((index, wanted))
        };
        // The first of equals.
        self.tracks.iter().enumerate().filter_map(asks).reduce(|a, b| if b.1 > a.1 { b } else { a })
    }

    fn asks_for_more(&self, index: usize, wanted: i64) -> bool {
        match &self.settings.policies[index].rule {
            Rule::TargetTracking(_) => self.tracks[index].high == State::Alarm,
            Rule::StepScaling(_) => wanted > i64::from(self.tracks[index].base),
        }
    }

    fn note_scale_out(&mut self, index: usize, now: Instant) {
        let cooldown = self.settings.policies[index].scale_out_cooldown.unwrap_or(COOLDOWN);
        let track = &mut self.tracks[index];
        track.credit = Some(Credit { until: now + cooldown, base: track.base });
        // A scale-out ends the rest after a scale-in.
        self.scale_in_rest = now;
    }

    fn scale_in(
        &mut self,
        index: usize,
        wanted: u32,
        now: Instant,
        capacity: u32,
        warming: u32,
    ) -> (u32, Outcome) {
        if let Some(against) = self.against_scale_in(index) {
            return (capacity, Outcome::Disagree(index, against));
        }
        if wanted >= capacity {
            return (capacity, Outcome::Nothing(index));
        }
        if warming > 0 {
            return (capacity, Outcome::Warming(index, warming));
        }
        let application = self.settings.service == Service::Application;
        if application && now < self.scale_in_rest {
            return (capacity, Outcome::Resting(index, self.scale_in_rest.since(now)));
        }
        let cooldown = self.settings.policies[index].scale_in_cooldown.unwrap_or(COOLDOWN);
        self.scale_in_rest = now + cooldown;
        (wanted, Outcome::In(index))
    }

    /// A target tracking policy that could scale in, but does not ask to, if target tracking asks at all.
    fn against_scale_in(&self, index: usize) -> Option<usize> {
        if let Rule::StepScaling(_) = self.settings.policies[index].rule {
            return None;
        }
        let against = |(other, track): (usize, &Track)| match &self.settings.policies[other].rule {
            Rule::TargetTracking(tracking) => !tracking.disable_scale_in && track.low != State::Alarm,
            Rule::StepScaling(_) => false,
        };
        self.tracks.iter().enumerate().position(against)
    }

    /// Instances that were asked for but are not warm: starting, or ready for less than the warm-up.
    fn warming(&self, now: Instant, seen: &Observation<'_>) -> u32 {
        let warms = |ready: Instant| ready > Instant::ZERO && now < ready + self.settings.instance_warmup;
        let count = seen.instances.iter().filter(|instance| match instance.state {
            InstanceState::Starting => true,
            InstanceState::Ready => instance.ready.is_some_and(warms),
            InstanceState::Draining => false,
        });
        count.count() as u32
    }
}

impl Policy for AtWork {
    fn scrape(&mut self, sample: &Sample<'_>) {
        for feed in &mut self.feeds {
            feed.scrape(sample);
        }
    }

    fn decide(&mut self, now: Instant, seen: &Observation<'_>) -> u32 {
        let warming = self.warming(now, seen);
        self.evaluate(now, seen.desired, warming)
    }

    fn explain(&self) -> Explanation {
        self.explanation()
    }
}

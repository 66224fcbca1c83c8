//! Alarms, policies and cooldowns at work on one scalable target.

use super::alarms::{Alarm, Breaches, State};
use super::metrics::{Feed, LeftOut};
use super::policy::{COOLDOWN, Rule, ScalingPolicy};
use super::{Aws, Service};
use crate::autoscaler::{Explanation, InstanceState, Observation, Policy, Scrape};
use crate::time::{Instant, Span};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct AwsPolicy {
    pub settings: Aws,
    feeds: Vec<Feed>,
    pub tracks: Vec<Track>,
    /// EC2: from when on each instance is warm, by its number, as of the last evaluation.
    warm_from: Vec<(u32, Instant)>,
    /// End of the rest after the last scale-in.
    scale_in_rest: Instant,
    pub outcome: Outcome,
    /// The capacity at the last evaluation.
    pub capacity: u32,
}

/// What is remembered of one policy, and what it last found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Track {
    feed: usize,
    /// The alarm for scale-out, or the one of a step policy.
    pub high: State,
    /// The alarm for scale-in; none with step policies.
    pub low: State,
    /// The datapoints that breach each alarm.
    pub breaches: (Breaches, Breaches),
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

impl AwsPolicy {
    pub fn new(settings: Aws) -> AwsPolicy {
        let mut feeds: Vec<Feed> = Vec::with_capacity(settings.policies.len());
        let track = |(feed, policy): (usize, &ScalingPolicy)| {
            let periods = policy.periods() as usize;
            feeds.push(Feed::new(policy.metric, policy.period, periods));
            let (high, low) = (State::default(), State::default());
            let breaches = Default::default();
            Track { feed, high, low, breaches, credit: None, metric: None, base: 0, wanted: None }
        };
        let tracks = settings.policies.iter().enumerate().map(track).collect();
        AwsPolicy {
            settings,
            feeds,
            tracks,
            warm_from: Vec::new(),
            scale_in_rest: Instant::ZERO,
            outcome: Outcome::NoData,
            capacity: 0,
        }
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
        (self.outcome, self.capacity) = (outcome, capacity);
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
                track.breaches = (tracking.high().breaches(series), low.breaches(series));
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
                track.breaches.0 = steps.alarm.breaches(series);
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

    /// Instances that were asked for but are not warm: starting, or ready for less than the warm-up. Those of the start
    /// of the run are warm.
    fn note_warmth(&mut self, now: Instant, seen: &Observation<'_>) -> u32 {
        let warmup = self.settings.instance_warmup;
        let from = |ready: Instant| if ready == Instant::ZERO { ready } else { ready + warmup };
        self.warm_from.clear();
        for instance in seen.instances.iter().filter(|instance| instance.state != InstanceState::Draining) {
            self.warm_from.push((instance.id, instance.ready.map_or(Instant::MAX, from)));
        }
        self.warm_from.iter().filter(|(_, from)| *from > now).count() as u32
    }

    /// What the instances that warmed up at a scrape contribute to it.
    fn left_out(&self, sample: &Scrape<'_>) -> LeftOut {
        let all: f64 = sample.instances.iter().map(|instance| instance.measured.as_secs_f64()).sum();
        let slots = if all > 0.0 { sample.slots * sample.seconds() / all } else { 0.0 };
        let warms = |id| match self.warm_from.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(index) => self.warm_from[index].1 > sample.at,
            // Ready since the last evaluation.
            Err(_) => !self.warm_from.is_empty(),
        };
        let warming = sample.instances.iter().filter(|instance| warms(instance.id));
        warming.fold(LeftOut::default(), |sum, instance| LeftOut {
            work: sum.work + instance.busy_seconds * slots,
            slots: sum.slots + instance.measured.as_secs_f64() * slots,
        })
    }
}

impl Policy for AwsPolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        let left_out = self.left_out(sample);
        for feed in &mut self.feeds {
            feed.scrape(sample, left_out);
        }
    }

    fn decide(&mut self, now: Instant, seen: &Observation<'_>) -> u32 {
        let warming = self.note_warmth(now, seen);
        self.evaluate(now, seen.desired, warming)
    }

    fn explain(&self) -> Explanation {
        self.explanation()
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::PERIOD;
    use super::*;
    use crate::autoscaler::{InstanceScrape, InstanceView};
    use crate::schema::{Context, Reader, Tree};

    fn ec2() -> AwsPolicy {
        let text = "max = 9\nservice = \"ec2\"\npolicies = [{ type = \"target_tracking\", metric = \"utilization\", target = 50 }]";
        let (tree, context) = (Tree::parse(text).unwrap(), Context::default());
        let reader = Reader::open(tree.root(), "autoscaler", &super::super::SPEC, &context).unwrap();
        AwsPolicy::new(super::super::read(&reader).unwrap())
    }

    #[test]
    fn what_warms_up_is_left_out_of_the_utilization() {
        let mut policy = ec2();
        let ready = |id, at| InstanceView {
            id,
            state: InstanceState::Ready,
            requested: Instant::ZERO,
            ready: Some(Instant::ZERO + at),
        };
        let instances = [ready(0, Span::ZERO), ready(1, PERIOD)];
        let seen =
            Observation { desired: 2, existing: 2, ready: 2, held: 0, metric: None, instances: &instances };
        policy.decide(Instant::ZERO + PERIOD, &seen);
        assert_eq!(policy.tracks[0].base, 1);
        let sampled = |id, in_service: f64| InstanceScrape {
            id,
            measured: PERIOD,
            service_seconds: in_service * PERIOD.as_secs_f64(),
            busy_seconds: in_service / 4.0 * PERIOD.as_secs_f64(),
            in_service_now: 0,
            waiting_now: 0,
            kv_cache: 0.0,
        };
        let sample = Scrape {
            tokens: [0; 2],
            at: Instant::ZERO + PERIOD * 2,
            since: Instant::ZERO + PERIOD,
            arrived: 1,
            in_flight: 4.0,
            waiting: 0.0,
            in_service: 4.0,
            in_flight_now: 0,
            waiting_now: 0,
            held_now: 0,
            in_service_now: 0,
            slots: 8.0,
            work: 4.0,
            ready: 2,
            existing: 2,
            instances: &[sampled(0, 3.0), sampled(1, 1.0)],
            times: None,
        };
        policy.scrape(&sample);
        policy.decide(Instant::ZERO + PERIOD * 2, &seen);
        assert_eq!(policy.tracks[0].metric, Some(75.0), "3 of the 4 slots of the one that is warm");
    }
}

//! Forecast the arrival rate a cold start ahead, and size the pool for it.
//!
//! The baseline of predictive autoscaling: a textbook forecast ([`super::forecast`]) and a textbook queue
//! ([`super::sizing`]), with nothing learnt from latencies. It sizes for the greater of the rate now and the rate forecast,
//! so that what is on its way is there in time and what is here is served.

use super::forecast::{Holt, Season};
use super::sizing::Sizing;
use crate::autoscaler::replay_context::Started;
use crate::autoscaler::windows::trailing::Stabilized;
use crate::autoscaler::{
    Explanation, INTERVAL, Limits, Observation, PHASE, Policy, PolicyContext, Replay, Rounded, Schedule,
    Scrape, Settings,
};
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::{Instant, Span};

const METHOD: Key<Method> = Key::or("method", "\"holt\"", "How the rate is forecast.");
const LEVEL: Key<f64> = Key::or(
    "level",
    "0.2",
    "Weight of the newest evaluation interval in the smoothed rate: less is smoother and slower.",
)
.above(0.0)
.at_most(1.0);
const TREND: Key<f64> = Key::or(
    "trend",
    "0.02",
    "Weight of the newest change of the smoothed rate in its trend. With 0 there is no trend, and the forecast is the \
     smoothed rate.",
)
.at_least(0.0)
.at_most(1.0);
const SEASON: Key<Span> =
    Key::or("season", "\"24h\"", "After how long the traffic repeats itself, for \"seasonal_naive\".")
        .above(0.0);
const LEAD: Key<Option<Span>> = Key::optional(
    "lead",
    "How far ahead the rate is forecast; left out, a mean cold start and one interval, which is when an instance asked for \
     now is the newest there is.",
);
const MARGIN: Key<f64> =
    Key::or("margin", "1", "Factor on the rate the pool is sized for: 1.2 keeps a fifth in hand.").above(0.0);
const DOWN_WINDOW: Key<Span> = Key::or(
    "down_window",
    "\"5m\"",
    "The pool shrinks no further than to the largest size asked for within this time.",
);
const MIN: Key<u32> = Key::or(
    "min",
    "1",
    "Minimum instances. With 0 the pool scales to zero; a buffered request scales it up at once.",
);
const MAX: Key<u32> = Key::required("max", "Maximum instances.").at_least(1.0);

/// `kind = "predictive"`.
pub(in crate::autoscaler) const SPEC: TableSpec = TableSpec {
    name: "predictive",
    doc: "A forecast of the arrival rate a cold start ahead, and as many instances as an M/M/c queue needs at that rate to meet the SLO (without an SLO, for one request in a hundred to wait).",
    keys: &[&METHOD, &LEVEL, &TREND, &SEASON, &LEAD, &MARGIN, &DOWN_WINDOW, &INTERVAL, &PHASE, &MIN, &MAX],
};

/// How the rate is forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Holt,
    SeasonalNaive,
}

impl Choice for Method {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("holt", Method::Holt, "Holt's double exponential smoothing: a level and a trend"),
        (
            "seasonal_naive",
            Method::SeasonalNaive,
            "the smoothed rate of a season earlier; until a season has been seen, Holt's",
        ),
    ];
}

impl Value for Method {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler) struct Predictive {
    schedule: Schedule,
    method: Method,
    level: f64,
    trend: f64,
    season: Span,
    lead: Option<Span>,
    margin: f64,
    down_window: Span,
    limits: Limits,
}

/// Evaluations a season may have.
const LONGEST_SEASON: u64 = 1_000_000;

pub(in crate::autoscaler) fn read(reader: &Reader<'_>) -> Result<Predictive, Problem> {
    let (schedule, season) = (Schedule::read(reader)?, reader.get(&SEASON)?);
    if season.as_nanos() / schedule.interval.as_nanos() > LONGEST_SEASON {
        let message = format!("`{}` has more than {LONGEST_SEASON} intervals", reader.path_of(SEASON.name()));
        return Err(reader.problem(
            SEASON.name(),
            message,
            "expected a shorter season or a longer `interval`",
        ));
    }
    Ok(Predictive {
        schedule,
        season,
        method: reader.get(&METHOD)?,
        level: reader.get(&LEVEL)?,
        trend: reader.get(&TREND)?,
        lead: reader.find(&LEAD)?,
        margin: reader.get(&MARGIN)?,
        down_window: reader.get(&DOWN_WINDOW)?,
        limits: Limits::read(reader, &MIN, &MAX)?,
    })
}

impl Settings for Predictive {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn schedule(&self) -> Option<Schedule> {
        Some(self.schedule)
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn wakes(&self) -> bool {
        self.limits.min == 0
    }
    fn policy(&self, start: &PolicyContext) -> Box<dyn Policy> {
        Box::new(PredictivePolicy::new(*self, start))
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(Started::new(*self))
    }
}

/// The policy at work.
#[derive(Debug, Clone)]
struct PredictivePolicy {
    settings: Predictive,
    sizing: Sizing,
    /// Evaluation intervals from now to the instant the forecast is for.
    steps: f64,
    holt: Holt,
    season: Option<Season>,
    held_size: Stabilized,
    /// Requests counted since the last evaluation, and over how long.
    arrived: u64,
    counted: Span,
    found: PredictiveEvaluation,
}

/// What an evaluation found.
#[derive(Debug, Clone, Copy, Default)]
struct PredictiveEvaluation {
    rate: Option<f64>,
    forecast: f64,
    seasonal: bool,
    needed: u32,
    stabilized: u32,
    held: u64,
}

impl PredictivePolicy {
    fn new(settings: Predictive, start: &PolicyContext) -> PredictivePolicy {
        let Predictive { schedule, method, level, trend, season, lead, down_window, .. } = settings;
        let lead = lead.unwrap_or_else(|| Span::from_secs_f64(start.cold_start_mean_s) + schedule.interval);
        let interval_s = schedule.interval.as_secs_f64();
        let length = (season.as_secs_f64() / interval_s).round() as usize;
        PredictivePolicy {
            settings,
            sizing: Sizing::new(start),
            steps: lead.as_secs_f64() / interval_s,
            holt: Holt::new(level, trend),
            season: (method == Method::SeasonalNaive).then(|| Season::new(length)),
            held_size: Stabilized::largest(down_window),
            arrived: 0,
            counted: Span::ZERO,
            found: PredictiveEvaluation::default(),
        }
    }

    /// Takes in what has been counted, if anything has, and forecasts.
    fn forecast(&mut self) {
        if !self.counted.is_zero() {
            let rate = self.arrived as f64 / self.counted.as_secs_f64();
            (self.arrived, self.counted) = (0, Span::ZERO);
            self.holt.record(rate);
            let smoothed = self.holt.level().unwrap_or(rate);
            self.season.iter_mut().for_each(|season| season.record(smoothed));
            self.found.rate = Some(rate);
        }
        let seasonal = self.season.as_ref().and_then(|season| season.ahead(self.steps.round() as usize));
        self.found.seasonal = seasonal.is_some();
        self.found.forecast = seasonal.or_else(|| self.holt.ahead(self.steps)).unwrap_or(0.0);
    }
}

impl Policy for PredictivePolicy {
    fn scrape(&mut self, sample: &Scrape<'_>) {
        self.arrived += sample.arrived;
        self.counted += sample.at.since(sample.since);
    }

    fn decide(&mut self, now: Instant, observation: &Observation<'_>) -> u32 {
        let Limits { min, max } = self.settings.limits;
        self.forecast();
        self.found.held = observation.held;
        let Some(level) = self.holt.level() else {
            // Nothing has been counted yet: only a request at the door says anything.
            let waking = observation.desired == 0 && observation.held > 0;
            return if waking { min.max(1) } else { observation.desired };
        };
        let rate = self.settings.margin * level.max(self.found.forecast);
        let needed = self.sizing.instances(rate, self.found.needed, max);
        self.found.needed = needed;
        self.found.stabilized = self.held_size.push(now, needed);
        let wanted = self.found.stabilized.max(u32::from(observation.held > 0));
        wanted.clamp(min, max)
    }

    fn explain(&self) -> Explanation {
        let PredictiveEvaluation { rate, forecast, seasonal, needed, stabilized, held } = self.found;
        let Some(level) = self.holt.level() else {
            let reason = match held {
                0 => "no request counted yet: stay".to_owned(),
                held => format!("{held} buffered: at least one"),
            };
            return Explanation { metric: "request_rate", ..Explanation::plain(reason) };
        };
        let ahead = crate::units::show_span(self.settings.schedule.interval * self.steps.round() as u64);
        let how = if seasonal { ", as a season ago" } else { "" };
        let mut reason = format!(
            "{}/s now, {}/s in {ahead}{how}: {needed} keep {}",
            Rounded(level),
            Rounded(forecast),
            self.sizing.promise()
        );
        if stabilized > needed {
            reason += &format!("; {stabilized} were needed within {}", self.settings.down_window);
        }
        reason += &self.settings.limits.words(stabilized.max(u32::from(held > 0)));
        let figures = vec![
            ("rate", rate.into()),
            ("level", level.into()),
            ("trend", self.holt.trend().into()),
            ("forecast", forecast.into()),
            ("needed", needed.into()),
            ("stabilized", stabilized.into()),
        ];
        Explanation { metric: "request_rate", observed: rate, target: None, figures, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_policy(method: Method) -> PredictivePolicy {
        let settings = Predictive {
            schedule: Schedule { interval: Span::from_secs(60), phase: Span::ZERO },
            method,
            level: 0.5,
            trend: 0.5,
            season: Span::from_secs(600),
            lead: None,
            margin: 1.0,
            down_window: Span::ZERO,
            limits: Limits { min: 1, max: 50 },
        };
        let start = PolicyContext {
            slots: 2,
            service_mean_s: 0.5,
            cold_start_mean_s: 240.0,
            slo: Some((2.5, 0.99)),
            ..PolicyContext::unknown(1)
        };
        PredictivePolicy::new(settings, &start)
    }

    /// The instances wanted after each minute, with these requests a second in it.
    fn wanted(policy: &mut PredictivePolicy, rates: impl Iterator<Item = f64>) -> Vec<u32> {
        let at = |minute: u64| Instant::ZERO + Span::from_secs(60 * minute);
        let mut minute = |(index, rate): (u64, f64)| {
            policy.arrived += (60.0 * rate) as u64;
            policy.counted += Span::from_secs(60);
            let observation =
                Observation { desired: 1, existing: 1, ready: 1, held: 0, metric: None, instances: &[] };
            policy.decide(at(index + 1), &observation)
        };
        (0..).zip(rates).map(&mut minute).collect()
    }

    #[test]
    fn a_rising_rate_is_sized_for_as_it_will_be_a_cold_start_from_now() {
        let mut policy = new_policy(Method::Holt);
        let wanted = wanted(&mut policy, (0..60).map(|minute| 2.0 + f64::from(minute)));
        // At minute 60 the rate is 61 and will be 66 in five minutes: four of the cold start, one of the interval.
        assert!((policy.found.forecast - 66.0).abs() < 0.1, "{}", policy.found.forecast);
        assert_eq!(wanted.last(), Some(&policy.sizing.instances(66.0, 0, 50)));
    }

    #[test]
    fn a_falling_rate_is_sized_for_as_it_is() {
        let mut policy = new_policy(Method::Holt);
        let wanted = wanted(&mut policy, (0..60).map(|minute| 62.0 - f64::from(minute)));
        let level = policy.holt.level().unwrap();
        assert!(policy.found.forecast < level);
        assert_eq!(wanted.last(), Some(&policy.sizing.instances(level, 0, 50)));
    }

    #[test]
    fn a_season_knows_what_no_trend_shows() {
        let mut policy = new_policy(Method::SeasonalNaive);
        // Ten minutes a season: busy in the last three of them.
        let season = |minute: u32| if minute % 10 >= 7 { 40.0 } else { 4.0 };
        let wanted = wanted(&mut policy, (0..24).map(season));
        assert!(!new_policy(Method::SeasonalNaive).found.seasonal && policy.found.seasonal);
        // After minute 23 (the 4th of its season), five steps on, is the 9th: busy.
        assert!(wanted[23] > wanted[3] + 5, "{wanted:?}");
        assert!(policy.explain().reason.contains("as a season ago"));
    }

    #[test]
    fn before_anything_is_counted_it_stays() {
        let observation =
            Observation { desired: 3, existing: 3, ready: 3, held: 0, metric: None, instances: &[] };
        let mut policy = new_policy(Method::Holt);
        assert_eq!(policy.decide(Instant::ZERO, &observation), 3);
        assert_eq!(policy.explain().reason, "no request counted yet: stay");
    }
}

//! Diurnal arrivals: a rate that swings with the day, and with the days of the week.

use std::f64::consts::TAU;
use std::sync::Arc;

use rand::RngExt as _;
use rand_distr::{Distribution as _, Exp1};

use super::poisson::MAX_RATE;
use super::process::{Process, Stream};
use crate::random::Rng;
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::{Instant, Span};

const DAY: Span = Span::from_secs(86_400);

const RATE: Key<Option<f64>> =
    Key::optional("rate", "Requests per second, on average over a period; with `amplitude`.")
        .above(0.0)
        .at_most(MAX_RATE);
const AMPLITUDE: Key<Option<f64>> = Key::optional(
    "amplitude",
    "Swing as a share of the mean rate: 0.5 goes from half to one and a half times it.",
)
.at_least(0.0)
.at_most(1.0);
const PEAK: Key<Option<f64>> =
    Key::optional("peak", "Highest rate, with `trough`; instead of `rate` and `amplitude`.")
        .above(0.0)
        .at_most(MAX_RATE);
const TROUGH: Key<Option<f64>> = Key::optional("trough", "Lowest rate, with `peak`.").at_least(0.0);
const PERIOD: Key<Span> = Key::or("period", "\"24h\"", "Time from peak to peak.").above(0.0);
const PEAK_AT: Key<Option<Span>> =
    Key::optional("peak_at", "Time from the start to the first peak; left out, half of the period.");
const WEEK: Key<Option<Vec<f64>>> =
    Key::optional("week", "Seven factors on the rate, from Monday to Sunday; a day is 24 h.").at_least(0.0);
const STARTS_ON: Key<Weekday> =
    Key::or("starts_on", "\"monday\"", "Day of the week the run starts on, at 00:00.");

pub(super) const SPEC: TableSpec = TableSpec {
    name: "diurnal",
    doc: "Poisson arrivals at a rate that follows a sine over the day, and factors over the week.",
    keys: &[&RATE, &AMPLITUDE, &PEAK, &TROUGH, &PERIOD, &PEAK_AT, &WEEK, &STARTS_ON],
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Weekday(usize);

impl Choice for Weekday {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("monday", Weekday(0), "The first factor of `week`."),
        ("tuesday", Weekday(1), "The second."),
        ("wednesday", Weekday(2), "The third."),
        ("thursday", Weekday(3), "The fourth."),
        ("friday", Weekday(4), "The fifth."),
        ("saturday", Weekday(5), "The sixth."),
        ("sunday", Weekday(6), "The seventh."),
    ];
}

impl Value for Weekday {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// λ(t) = rate·(1 + amplitude·cos(2π(t − peak_at)/period))·day(t).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Diurnal {
    rate: f64,
    amplitude: f64,
    period: Span,
    peak_at: Span,
    /// Factor of each day of the week, from the day on which the run starts.
    days: [f64; 7],
}

pub(super) fn read(reader: &Reader) -> Result<Diurnal, Problem> {
    let (rate, amplitude) = swing(reader)?;
    let period = reader.get(&PERIOD)?;
    let peak_at = reader.find(&PEAK_AT)?.unwrap_or(Span::from_nanos(period.as_nanos() / 2));
    let mut days = match reader.find(&WEEK)? {
        None => [1.0; 7],
        Some(factors) => factors.try_into().map_err(|factors: Vec<f64>| {
            let message = format!("`{}` has {} factors", reader.path_of("week"), factors.len());
            reader.problem("week", message, "expected seven, from Monday to Sunday")
        })?,
    };
    days.rotate_left(reader.get(&STARTS_ON)?.0);
    Ok(Diurnal { rate, amplitude, period, peak_at, days })
}

/// Mean rate and amplitude.
fn swing(reader: &Reader) -> Result<(f64, f64), Problem> {
    let mean = (reader.find(&RATE)?, reader.find(&AMPLITUDE)?);
    match (mean, (reader.find(&PEAK)?, reader.find(&TROUGH)?)) {
        ((Some(rate), Some(amplitude)), (None, None)) => Ok((rate, amplitude)),
        ((None, None), (Some(peak), Some(trough))) if trough <= peak => {
            let rate = 0.5 * (peak + trough);
            Ok((rate, 0.5 * (peak - trough) / rate))
        }
        ((None, None), (Some(peak), Some(trough))) => {
            let message = format!("`{}` is {trough}, above `peak` at {peak}", reader.path_of("trough"));
            Err(reader.problem("trough", message, "expected at most `peak`"))
        }
        _ => Err(reader.problem(
            "kind",
            "the rate is not determined",
            "expected either `rate` and `amplitude`, or `peak` and `trough`",
        )),
    }
}

impl Diurnal {
    fn rate_at_nanos(&self, nanos: u64) -> f64 {
        // Integers up to here, so the phase is as exact after a year as on the first day.
        let into_period = nanos % self.period.as_nanos();
        let since_peak =
            (into_period as f64 - self.peak_at.as_nanos() as f64) / self.period.as_nanos() as f64;
        let day = (nanos / DAY.as_nanos() % 7) as usize;
        self.rate * (1.0 + self.amplitude * (TAU * since_peak).cos()) * self.days[day]
    }

    /// Expected requests in the first `seconds` if all days are the same: the integral of the sine.
    fn requests_without_week(&self, seconds: f64) -> f64 {
        let (period, peak_at) = (self.period.as_secs_f64(), self.peak_at.as_secs_f64());
        let swing = (TAU * (seconds - peak_at) / period).sin() + (TAU * peak_at / period).sin();
        self.rate * (seconds + self.amplitude * period / TAU * swing)
    }

    fn requests_before(&self, duration: Span) -> f64 {
        let days = duration.as_nanos().div_ceil(DAY.as_nanos());
        let edge = |day: u64| self.requests_without_week((DAY * day).min(duration).as_secs_f64());
        (0..days).map(|day| self.days[(day % 7) as usize] * (edge(day + 1) - edge(day))).sum()
    }
}

impl Process for Diurnal {
    fn stream(self: Arc<Self>, rng: Rng) -> Box<dyn Stream> {
        Box::new(DiurnalStream::new(self, rng))
    }
    fn mean_rate(&self, duration: Span) -> f64 {
        match duration.is_zero() {
            true => self.rate_at_nanos(0),
            false => self.requests_before(duration) / duration.as_secs_f64(),
        }
    }
    fn rate_at(&self, at: Instant) -> Option<f64> {
        Some(self.rate_at_nanos(at.as_nanos()))
    }
    fn peak_rate(&self) -> f64 {
        self.rate * (1.0 + self.amplitude) * self.days.iter().copied().fold(0.0, f64::max)
    }
}

/// Thinning (Lewis and Shedler, Naval Research Logistics Quarterly 26(3), 1979): candidates arrive at an upper bound of
/// the rate, and each is kept with probability rate / bound at its instant.
///
/// The bound is that of a short part of the period, so nearly all candidates are kept; and nearly all of these are below
/// the minimum rate of the part, so that the cosine need not be computed. At the end of a part the candidates start
/// afresh, which changes nothing, as they are memoryless.
#[derive(Debug)]
struct DiurnalStream {
    config: Arc<Diurnal>,
    /// The cosine in the middle of each part of the period.
    middles: Box<[f64]>,
    now: u64,
    /// End of the part.
    until: u64,
    /// Bounds of the rate in the part, requests per second.
    rate_min: f64,
    rate_max: f64,
    /// Whether the rate of every day is 0.
    silent: bool,
    rng: Rng,
}

impl DiurnalStream {
    fn new(config: Arc<Diurnal>, rng: Rng) -> Self {
        // Long enough to have many requests, so that its end is rare; short enough that the rate hardly changes in it.
        let requests = config.rate * config.period.as_secs_f64();
        let count = ((requests / 64.0).clamp(1.0, 1024.0) as u64).min(config.period.as_nanos());
        let phase = config.peak_at.as_secs_f64() / config.period.as_secs_f64();
        let middle = |index: u64| (TAU * ((index as f64 + 0.5) / count as f64 - phase)).cos();
        let middles = (0..count).map(middle).collect();
        DiurnalStream {
            silent: config.peak_rate() <= 0.0,
            config,
            middles,
            now: 0,
            until: 0,
            rate_min: 0.0,
            rate_max: 0.0,
            rng,
        }
    }

    /// Enters the part that starts `now`; it ends at midnight if that comes first.
    fn enter(&mut self, now: u64) {
        let (period, count) = (self.config.period.as_nanos(), self.middles.len() as u64);
        let (length, into) = (period / count, now % period);
        let index = (into / length).min(count - 1);
        // A single part is the same in every period, so it has no end: requests may be rarer than periods.
        let left = match index + 1 {
            _ if count == 1 => u64::MAX,
            next if next == count => period - into,
            next => next * length - into,
        };
        let midnight = DAY.as_nanos() - now % DAY.as_nanos();
        self.until = now.saturating_add(left.min(midnight));
        // From the middle to the ends the cosine changes by less than π/count; twice that covers the rounding, too.
        let (middle, slack) = (self.middles[index as usize], TAU / count as f64);
        let full = self.config.rate * self.config.days[(now / DAY.as_nanos() % 7) as usize];
        let rate = |cosine: f64| full * (1.0 + self.config.amplitude * cosine.clamp(-1.0, 1.0));
        (self.rate_min, self.rate_max) = (rate(middle - slack), rate(middle + slack));
    }
}

impl Stream for DiurnalStream {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        if self.silent {
            return;
        }
        let full = out.len() + count;
        // A generator of its own can stay in registers, as can the instant.
        let mut rng = self.rng.clone();
        let mut now = self.now;
        while out.len() < full {
            let gap: f64 = if self.rate_max > 0.0 { Exp1.sample(&mut rng) } else { f64::INFINITY };
            let candidate = now.saturating_add((gap * 1e9 / self.rate_max + 0.5) as u64);
            if candidate >= self.until {
                now = self.until;
                if now == u64::MAX {
                    out.push(u64::MAX);
                } else {
                    self.enter(now);
                }
                continue;
            }
            now = candidate;
            let height = rng.random::<f64>() * self.rate_max;
            if height < self.rate_min || height < self.config.rate_at_nanos(candidate) {
                out.push(candidate);
            }
        }
        (self.rng, self.now) = (rng, now);
    }
}

//! The parts of a service model from the levels of a load test.

use serde::Serialize;

use super::level::Level;
use super::level_rows::{LevelsFit, of_levels};
use crate::sorting::Sorting as _;
use crate::traffic::iterations::IterationTimes;

/// The share of its own rows that a fit may miss.
const TOLERANCE: f64 = 0.15;

/// A law of service.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Law {
    /// Tokens: the times of an iteration.
    Llm {
        /// The times.
        #[serde(flatten)]
        times: IterationTimes,
        /// Sequences at a time where requests wait for a place; `None` if none of the levels is as full.
        max_sequences: Option<f64>,
        /// Mean tokens of a prompt, where they are known.
        prompt_tokens: Option<f64>,
        /// Mean tokens of an answer, where they are known.
        output_tokens: Option<f64>,
    },
    /// Requests share the instance: throughput by requests in service.
    Shared {
        /// Concurrency and answers per second.
        points: Vec<(f64, f64)>,
    },
    /// So many places, each with a service time.
    Slots {
        /// Service time.
        time_s: f64,
        /// Places.
        concurrency: u32,
    },
}

/// One level, measured and by the law.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refit {
    /// The level.
    pub level: String,
    /// Requests in flight.
    pub in_flight: f64,
    /// What is compared: latency, time per token, or time to the first token.
    pub quantity: &'static str,
    /// As measured, seconds.
    pub measured_s: f64,
    /// By the law, seconds.
    pub fitted_s: f64,
}

impl Refit {
    /// How far off the law is, as a share.
    pub fn error(&self) -> f64 {
        (self.fitted_s - self.measured_s) / self.measured_s
    }
}

/// A law with its own rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fitted {
    /// The law.
    pub law: Law,
    /// Its rows.
    pub rows: Vec<Refit>,
    /// What was found: bends, a full engine, parts that the levels do not show.
    pub notes: Vec<String>,
    /// Why it is not usable; `None` if it is.
    pub refused: Option<String>,
}

/// Fits a law of the kind `model`: "llm", "shared" or "slots"; without it the one that the levels tell of.
///
/// # Errors
/// The levels do not hold what the model needs, or give a negative part; says which and why.
pub fn fit(levels: &[Level], model: Option<&str>) -> Result<Fitted, String> {
    let mut levels: Vec<&Level> = levels.iter().collect();
    let has_tokens = levels.iter().all(|level| level.tpot_s.is_some() && level.ttft_s.is_some());
    levels.sort_once_by(|one, other| {
        one.in_flight().unwrap_or(0.0).total_cmp(&other.in_flight().unwrap_or(0.0))
    });
    match model {
        Some("llm") => llm(&levels),
        Some("shared") => shared(&levels),
        Some("slots") => slots(&levels),
        Some(other) => Err(format!("the model `{other}` is not fitted: llm, shared and slots are")),
        None if has_tokens => llm(&levels),
        None if levels.len() > 1 => shared(&levels),
        None => slots(&levels),
    }
}

fn in_flight(level: &Level) -> Result<f64, String> {
    level.in_flight().ok_or_else(|| format!("level {} tells neither its users nor its latency", level.name))
}

fn llm(levels: &[&Level]) -> Result<Fitted, String> {
    let LevelsFit { times, rows: found, full, prompt_tokens, output_tokens } = of_levels(levels)?;
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for of in &found {
        let level = levels[of.level];
        if of.left_out {
            notes.push(format!(
                "level {} is left out: requests wait for a place, and its rate is that of the requests, not of the answers",
                level.name
            ));
            continue;
        }
        if of.queued {
            notes.push(format!(
                "level {}: requests wait for a place, so its time to the first token is not fitted",
                level.name
            ));
        }
        let mut compare = |quantity, measured_s: Option<f64>, fitted_s: f64| {
            let Some(measured_s) = measured_s else { return };
            rows.push(Refit {
                level: level.name.clone(),
                in_flight: level.in_flight().unwrap_or(of.decoding()),
                quantity,
                measured_s,
                fitted_s,
            });
        };
        compare("time per token", level.tpot_s, of.token_s(&times));
        if !of.queued {
            compare("time to the first token", level.ttft_s, of.first_token_s(&times));
        }
    }
    // A law with no falling part fits levels that fall as well as a level line does, which is not at all.
    let ends =
        || (levels.first().and_then(|level| level.tpot_s), levels.last().and_then(|level| level.tpot_s));
    if let (Some(first), Some(last)) = ends()
        && times.added_s() <= 0.0
        && last < 0.95 * first
    {
        return Err(format!(
            "gives a negative time per sequence: the time per token falls as concurrency rises, from {:.2} ms to {:.2} ms",
            first * 1e3,
            last * 1e3
        ));
    }
    let bends: Vec<String> = times.bends().iter().map(|(at, _)| format!("{at:.0}")).collect();
    if !bends.is_empty() {
        notes.push(format!(
            "the time of an iteration bends at about {} decoding sequences: `decoding` has points there",
            bends.join(", ")
        ));
    }
    if let Some(full) = full {
        notes.push(format!(
            "requests wait for a place at about {full:.0} decoding sequences: `max_sequences`"
        ));
    }
    if times.per_kv_token_s == 0.0 {
        notes.push(
            "what tokens in the cache add is not told apart from what sequences add: requests of another length are not in the fit".into(),
        );
    }
    if times.per_prefill_token_s == 0.0 {
        notes.push(
            "`per_prefill_token` is 0: what prompts take cannot be told from the rest by these levels; longer prompts than theirs are \
             not in the fit"
                .into(),
        );
    }
    let refused = why_not(&rows).map(|row| {
        format!(
            "level {} is {:+.0} % off its own measurement of the {}: no such law fits these levels; fit those of one engine and \
             about one shape of request, or --up-to fewer requests in flight",
            row.level,
            row.error() * 100.0,
            row.quantity
        )
    });
    let (prompt_tokens, output_tokens) = (Some(prompt_tokens), Some(output_tokens));
    let law = Law::Llm { times, max_sequences: full, prompt_tokens, output_tokens };
    Ok(Fitted { law, rows, notes, refused })
}

pub(super) fn why_not(rows: &[Refit]) -> Option<&Refit> {
    let worst = rows.iter().max_by(|one, other| one.error().abs().total_cmp(&other.error().abs()))?;
    (worst.error().abs() > TOLERANCE).then_some(worst)
}

fn shared(levels: &[&Level]) -> Result<Fitted, String> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut rows = Vec::new();
    for level in levels {
        let (in_flight, latency) = (
            in_flight(level)?.max(1.0),
            level.latency().ok_or_else(|| format!("level {} has no latency", level.name))?,
        );
        if points.last().is_some_and(|(last, _)| (in_flight - last).abs() < 1e-9) {
            return Err(format!("has two levels at {in_flight} requests in flight"));
        }
        points.push((in_flight, in_flight / latency));
        rows.push(Refit {
            level: level.name.clone(),
            in_flight,
            quantity: "latency",
            measured_s: latency,
            fitted_s: latency,
        });
    }
    Ok(Fitted { law: Law::Shared { points }, rows, notes: Vec::new(), refused: None })
}

fn slots(levels: &[&Level]) -> Result<Fitted, String> {
    let first = levels.first().ok_or("has no level")?;
    let time_s = first.latency().ok_or_else(|| format!("level {} has no latency", first.name))?;
    let fastest = levels.iter().map(|level| level.rate).fold(0.0, f64::max);
    let concurrency = (fastest * time_s).round().clamp(1.0, 1e6) as u32;
    let mut rows = Vec::new();
    for level in levels {
        let (in_flight, Some(latency)) = (in_flight(level)?, level.latency()) else { continue };
        rows.push(Refit {
            level: level.name.clone(),
            in_flight,
            quantity: "latency",
            measured_s: latency,
            fitted_s: time_s * (in_flight / f64::from(concurrency)).max(1.0),
        });
    }
    let refused = why_not(&rows).map(|row| {
        format!(
            "level {} is {:+.0} % off its own measurement: the latency rises before all places are taken, so requests slow each other; \
             fit --model shared",
            row.level,
            row.error() * 100.0
        )
    });
    Ok(Fitted { law: Law::Slots { time_s, concurrency }, rows, notes: Vec::new(), refused })
}

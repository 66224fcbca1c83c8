//! The parts of a service model from the levels of a load test: by least squares with an intercept, none negative.

use serde::Serialize;

use super::level::Level;

/// The share of its own rows that a fit may miss.
const TOLERANCE: f64 = 0.15;

/// A law of service.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Law {
    /// Tokens: an iteration takes `fixed_s` and `per_sequence_s` for each sequence in it.
    Llm {
        /// Time of an iteration with nothing in it.
        fixed_s: f64,
        /// Further time for each sequence.
        per_sequence_s: f64,
        /// Time of a token of a prompt.
        per_prefill_token_s: f64,
        /// Mean tokens of a prompt.
        prompt_tokens: f64,
        /// Mean tokens of an answer.
        output_tokens: f64,
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
    /// What is compared: latency, or time per token.
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
    levels.sort_by(|one, other| one.in_flight().unwrap_or(0.0).total_cmp(&other.in_flight().unwrap_or(0.0)));
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
    let of = |value: Option<f64>, level: &Level, what: &str| {
        value.ok_or_else(|| format!("level {} has no {what}", level.name))
    };
    let mut rows = Vec::new();
    for level in levels {
        rows.push((
            in_flight(level)?,
            of(level.tpot_s, level, "time per output token")?,
            of(level.ttft_s, level, "time to the first token")?,
            of(level.prompt_tokens, level, "tokens of prompts")?,
            of(level.output_tokens, level, "tokens of answers")?,
        ));
    }
    let mean =
        |pick: fn(&(f64, f64, f64, f64, f64)) -> f64| rows.iter().map(pick).sum::<f64>() / rows.len() as f64;
    let (prompt_tokens, output_tokens) = (mean(|row| row.3), mean(|row| row.4));
    let points: Vec<(f64, f64)> = rows.iter().map(|row| (row.0, row.1)).collect();
    let Some((fixed_s, slope_s)) = line(&points) else {
        return Err("has one level: times by concurrency need two or more, of different concurrency".into());
    };
    let (lowest, highest) = (points[0].0, points[points.len() - 1].0);
    if slope_s < 0.0 && -slope_s * (highest - lowest) > 0.01 * points[0].1 {
        return Err(format!(
            "gives a negative time per sequence ({:.4} ms): the time per token falls as concurrency rises",
            slope_s * 1e3
        ));
    }
    // The first token of the lowest level has waited least.
    let (_, tpot, ttft, prompt, _) = rows[0];
    let prefill_s = (ttft - tpot) / prompt;
    if prefill_s < 0.0 {
        return Err(format!(
            "gives a negative time per prompt token: at level {} the first token takes {:.2} ms, and a further one {:.2} ms",
            levels[0].name,
            ttft * 1e3,
            tpot * 1e3
        ));
    }
    // Prompts computed beside the tokens are in the slope.
    let beside_s = prefill_s * prompt_tokens / output_tokens;
    let per_sequence_s = slope_s.max(0.0) - beside_s;
    let refits: Vec<Refit> = levels
        .iter()
        .zip(&points)
        .map(|(level, (in_flight, tpot))| Refit {
            level: level.name.clone(),
            in_flight: *in_flight,
            quantity: "time per token",
            measured_s: *tpot,
            fitted_s: fixed_s + slope_s * in_flight,
        })
        .collect();
    let refused = why_not(&refits).map(|row| bend(row, &points)).or_else(|| {
        (fixed_s < 0.0).then(|| {
            format!(
                "the fixed part of an iteration would be negative ({:.4} ms): the times bend upwards",
                fixed_s * 1e3
            )
        })
    });
    let refused = refused.or_else(|| {
        (per_sequence_s < 0.0).then(|| {
            format!(
                "the time to the first token at level {} blames {:.4} ms a sequence on prompts, but the time per token rises by \
                 {:.4} ms: queueing or overhead of the client is in the time to the first token",
                levels[0].name, beside_s * 1e3, slope_s * 1e3
            )
        })
    });
    let law =
        Law::Llm { fixed_s, per_sequence_s, per_prefill_token_s: prefill_s, prompt_tokens, output_tokens };
    Ok(Fitted { law, rows: refits, refused })
}

/// Why a row is off: the line goes through a bend, if levels on both sides of it are on the same side of the line.
fn bend(row: &Refit, points: &[(f64, f64)]) -> String {
    let off = format!("level {} is {:+.0} % off its own measurement", row.level, row.error() * 100.0);
    let slopes: Vec<f64> =
        points.windows(2).map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0).max(1e-9)).collect();
    let steepest = slopes.iter().copied().fold(0.0, f64::max);
    let first = slopes.first().copied().unwrap_or(0.0);
    match slopes.iter().position(|slope| *slope > 1.5 * first.max(1e-12)) {
        Some(at) if steepest > 1.5 * first => format!(
            "{off}: the times bend at about {:.0} requests in flight, where the engine or its cache is full; fit the levels below it \
             (--up-to {:.0})",
            points[at].0, points[at].0
        ),
        _ => format!("{off}: no straight line fits these levels"),
    }
}

fn why_not(rows: &[Refit]) -> Option<&Refit> {
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
    Ok(Fitted { law: Law::Shared { points }, rows, refused: None })
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
    Ok(Fitted { law: Law::Slots { time_s, concurrency }, rows, refused })
}

/// Intercept and slope by least squares of relative errors; `None` if all have one abscissa.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let weight = |y: f64| 1.0 / (y * y);
    let sum = |of: &dyn Fn(f64, f64) -> f64| points.iter().map(|(x, y)| weight(*y) * of(*x, *y)).sum::<f64>();
    let (w, x, y) = (sum(&|_, _| 1.0), sum(&|x, _| x), sum(&|_, y| y));
    let (xx, xy) = (sum(&|x, _| x * x), sum(&|x, y| x * y));
    let spread = w * xx - x * x;
    if spread <= 1e-12 * w * xx {
        return None;
    }
    let slope = (w * xy - x * y) / spread;
    Some(((y - slope * x) / w, slope))
}

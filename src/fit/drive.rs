//! The levels of a load test, driven again.

use serde::Serialize;

use super::{service_table, worst};
use crate::random::Streams;
use crate::scenario::{Scenario, ScenarioFile};
use crate::sim::{Options, Outcome, simulate};
use crate::stats::Digest;
use crate::traffic::{Driven, Fitted, Law, Level};

/// A time of one level, as measured and as the fitted service gives it under the same load.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The level.
    pub level: String,
    /// How it was driven, in words.
    pub driven: String,
    /// What is compared: latency, time to first token, time per token.
    pub quantity: &'static str,
    /// As measured, seconds.
    pub measured_s: f64,
    /// As simulated, seconds.
    pub simulated_s: f64,
}

impl Compared {
    /// How far off the simulation is, as a share of what was measured.
    pub fn error(&self) -> f64 {
        (self.simulated_s - self.measured_s) / self.measured_s
    }
}

/// What is compared of time to first token.
pub(super) const TTFT: &str = "time to the first token";
/// What is compared of time per token.
pub(super) const TPOT: &str = "time per token";
/// What is compared of the whole answer.
pub(super) const LATENCY: &str = "latency";

/// Seed of the simulations: the same fit is compared in the same way each time.
const SEED: u64 = 1;

/// Users whose requests in flight, rate × latency, are fewer by this share have thought, or were still coming.
const IDLE: f64 = 0.1;

/// Simulates a service of this law under the load of each level, and compares the mean times that were measured.
///
/// # Errors
/// The law is no service that can be simulated, or a level cannot be driven; says which and why.
pub fn resimulate(law: &Law, levels: &[Level]) -> Result<Vec<Compared>, String> {
    let mut rows = Vec::new();
    for level in levels {
        let (load, driven) = load(level)?;
        let outcome = run(law, level, &load)
            .map_err(|why| format!("level {} cannot be simulated: {why}", level.name))?;
        let tokens = outcome.tokens.as_ref();
        let mean = |digest: Option<&Digest>| digest.and_then(Digest::mean);
        let compared = [
            (TTFT, level.ttft_s, mean(tokens.map(|tokens| &tokens.ttft))),
            (TPOT, level.tpot_s, mean(tokens.map(|tokens| &tokens.tpot))),
            (LATENCY, level.latency_s, outcome.latency.mean()),
        ];
        let found = compared.into_iter().filter_map(|(quantity, measured_s, simulated_s)| {
            let (measured_s, simulated_s) = (measured_s?, simulated_s?);
            Some(Compared {
                level: level.name.clone(),
                driven: driven.clone(),
                quantity,
                measured_s,
                simulated_s,
            })
        });
        rows.extend(found);
    }
    Ok(rows)
}

/// The law with as many iterations before the first token as bring the simulated times to it closest, and the levels driven
/// again. A fitted law has a request find the iteration in progress half done; a user who sends at once after an answer finds
/// it just begun.
///
/// # Errors
/// As [`resimulate`].
pub fn calibrated(fitted: &Fitted, levels: &[Level]) -> Result<(Law, Vec<Compared>), String> {
    let rows = resimulate(&fitted.law, levels)?;
    let mut law = fitted.law.clone();
    let Law::Llm { times, .. } = &mut law else { return Ok((law, rows)) };
    // Where requests wait for a place their time to the first token is no matter of iterations.
    let is_fitted = |row: &&Compared| {
        row.quantity == TTFT && fitted.rows.iter().any(|of| of.level == row.level && of.quantity == TTFT)
    };
    let (mut gap, mut weight) = (0.0, 0.0);
    for row in rows.iter().filter(is_fitted) {
        let iteration = rows.iter().find(|of| of.level == row.level && of.quantity == TPOT);
        let Some(share) = iteration.map(|of| of.simulated_s / row.measured_s) else { continue };
        gap -= share * row.error();
        weight += share * share;
    }
    if weight <= 0.0 {
        return Ok((law, rows));
    }
    times.overhead_iterations = (times.overhead_iterations + gap / weight).max(0.0);
    let again = resimulate(&law, levels)?;
    if worst(&again) < worst(&rows) { Ok((law, again)) } else { Ok((fitted.law.clone(), rows)) }
}

/// The tables of a scenario that drive a level as it was driven, and how that is, in words.
fn load(level: &Level) -> Result<(String, String), String> {
    let closed = |users: f64, think_s: f64| {
        let think = if think_s > 0.0 {
            format!("think_time = {{ dist = \"exponential\", mean = \"{think_s:.6}s\" }}\n")
        } else {
            String::new()
        };
        format!("[client]\nusers = {}\n{think}", users.round().clamp(1.0, 1e6))
    };
    match level.driven {
        Driven::Rate(rate) => {
            let tables = format!("[arrivals]\nkind = \"poisson\"\nrate = {rate}\n");
            Ok((tables, format!("{} requests/s", short(rate))))
        }
        Driven::Users(users) => {
            // N = X (R + Z): what is left of a user's cycle is not at the server.
            let idle_s = level.latency().map_or(0.0, |latency| users / level.rate - latency);
            let is_idle = level.in_flight().is_some_and(|in_flight| in_flight < (1.0 - IDLE) * users);
            let think_s = if is_idle { idle_s } else { 0.0 };
            let words = match is_idle {
                true => format!("{} users, {} s idle between answers", short(users), short(think_s)),
                false => format!("{} users", short(users)),
            };
            Ok((closed(users, think_s), words))
        }
        Driven::Unknown => {
            let in_flight = level.in_flight().ok_or_else(|| {
                format!("level {} tells neither how it was driven nor its latency", level.name)
            })?;
            let users = in_flight.round().max(1.0);
            Ok((closed(users, 0.0), format!("not told; taken as {} users", short(users))))
        }
    }
}

fn short(value: f64) -> String {
    let places = if value.fract() == 0.0 || value >= 1000.0 { 0 } else { 2 };
    format!("{value:.places$}")
}

fn run(law: &Law, level: &Level, load: &str) -> Result<Outcome, String> {
    let mut law = law.clone();
    if let Law::Llm { prompt_tokens, output_tokens, .. } = &mut law {
        // Of the level itself: levels need not ask for the same.
        *prompt_tokens = level.prompt_tokens.or(*prompt_tokens);
        *output_tokens = level.output_tokens.or(*output_tokens);
    }
    let in_flight = level.in_flight().unwrap_or(1.0).max(1.0);
    let requests = (40.0 * in_flight).clamp(400.0, 20_000.0);
    let warmup_s = (requests / 4.0 / level.rate).max(5.0 * level.latency().unwrap_or(0.0));
    let duration_s = warmup_s + requests / level.rate;
    let text = format!(
        "{load}\n[service]\n{}\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n\n[run]\n\
         duration = \"{duration_s:.6}s\"\nwarmup = \"{warmup_s:.6}s\"\n",
        spread(&service_table(&law), &law)
    );
    let scenario: Scenario = ScenarioFile::parse("fit.toml", &text, ".")
        .and_then(|file| file.scenario())
        .map_err(|error| error.render(false))?;
    let options =
        Options { mark_interval: scenario.run.timeline_interval, timeline: false, decisions: false };
    Ok(simulate(&scenario.model, Streams::new(SEED, 0), &options, ()).0)
}

/// The table, with answers of half to one and a half times the mean length: a load test tells means, and answers all alike
/// would have the users of a closed loop send in step, so that prompts come all at once.
fn spread(table: &str, law: &Law) -> String {
    let Law::Llm { output_tokens: Some(output_tokens), .. } = law else { return table.to_owned() };
    let mean = output_tokens.round().max(1.0);
    let constant = format!("output_tokens = {mean}\n");
    let even = format!(
        "output_tokens = {{ dist = \"uniform\", min = {}, max = {} }}\n",
        (0.5 * mean).max(1.0),
        2.0 * mean - (0.5 * mean).max(1.0)
    );
    if mean < 2.0 { table.to_owned() } else { table.replace(&constant, &even) }
}

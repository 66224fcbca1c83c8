//! A fitted law as a `[service]` table.

use std::fmt::Write as _;

use crate::traffic::{IterationTimes, Law};

/// The keys of `[service]` that say what `law` says, a line each.
pub fn service_table(law: &Law) -> String {
    match law {
        Law::Llm { times, max_sequences, prompt_tokens, output_tokens } => {
            llm(times, *max_sequences, [*prompt_tokens, *output_tokens])
        }
        Law::Shared { points } => {
            let mut text = "model = \"shared\"\n".to_owned();
            // The load test tells the mean at its first level, and nothing of how times vary.
            if let Some((concurrency, throughput)) = points.first() {
                let _ = writeln!(text, "time = {}", millis(concurrency / throughput));
            }
            text += "curve = [\n";
            for (concurrency, throughput) in points {
                let _ = writeln!(
                    text,
                    "  {{ concurrency = {}, throughput = {} }},",
                    digits(*concurrency),
                    digits(*throughput)
                );
            }
            text + "]\n"
        }
        Law::Slots { time_s, concurrency } => {
            format!("model = \"slots\"\ntime = {}\nconcurrency = {concurrency}\n", millis(*time_s))
        }
    }
}

fn millis(seconds: f64) -> String {
    format!("\"{}ms\"", digits(seconds * 1e3))
}

/// The keys of `model = "llm"`; those that are 0 are left out.
fn llm(times: &IterationTimes, max_sequences: Option<f64>, tokens: [Option<f64>; 2]) -> String {
    let mut text = "model = \"llm\"\n".to_owned();
    for (key, value) in ["prompt_tokens", "output_tokens"].iter().zip(tokens) {
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = {}", value.round().max(1.0));
        }
    }
    let _ = writeln!(text, "fixed = {}", millis(times.fixed_s));
    match times.per_sequence_s() {
        Some(each) if each > 0.0 => {
            let _ = writeln!(text, "per_sequence = \"{}us\"", digits(each * 1e6));
        }
        Some(_) => {}
        None => {
            let points = times.decoding.iter().map(|(sequences, time)| {
                format!("  {{ sequences = {sequences}, time = {} }},\n", millis(*time))
            });
            let _ = writeln!(text, "decoding = [\n{}]", points.collect::<String>());
        }
    }
    let micros = |seconds: f64| format!("\"{}us\"", digits(seconds * 1e6));
    let rest = [
        ("per_kv_token", times.per_kv_token_s, format!("\"{}ns\"", (times.per_kv_token_s * 1e9).round())),
        ("per_prefill_token", times.per_prefill_token_s, micros(times.per_prefill_token_s)),
        ("overhead_before", times.overhead_before_s, millis(times.overhead_before_s)),
        ("overhead_iterations", times.overhead_iterations, digits(times.overhead_iterations)),
        ("max_sequences", max_sequences.unwrap_or(0.0), digits(max_sequences.unwrap_or(0.0))),
    ];
    for (key, value, written) in rest {
        if value > 0.0 {
            let _ = writeln!(text, "{key} = {written}");
        }
    }
    text
}

/// Five significant digits, without zeros at the end.
fn digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() || value.fract() == 0.0 {
        return format!("{value}");
    }
    let places = (4.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

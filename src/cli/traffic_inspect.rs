//! `kneepoint traffic inspect FILE…`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::traffic_options::Files;
use super::{Answer, Failure, Global};
use crate::report::chart::{AnyChart, Samples, Size, Timeline};
use crate::report::render::{png, svg};
use crate::traffic::{Measured, PrefixReuse, Reading, Spread, measure, rate_over_time};

/// Show what recorded traffic holds: how much, how bursty, when, and what requests asked for.
///
/// Prints how each file was read (rows used and skipped, the column of the instants, the first and the last), then span, mean
/// and peak rate, CV of the times between requests, index of dispersion by window, daily and weekly profile, gaps, and
/// percentiles of tokens and durations.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kneepoint traffic inspect access.log\n  \
                        kneepoint traffic inspect --series sum --values rates query_range.json\n  \
                        kneepoint traffic inspect --json --chart rate.svg trace.csv.gz")]
pub(super) struct Arguments {
    #[command(flatten)]
    files: Files,
    /// Draw the rate over time into this file, SVG or PNG by its name.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Inspected<'a> {
    files: &'a [Reading],
    traffic: &'a Measured,
    /// What a prefix cache finds, by file that names the blocks of its prompts.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    prefix_reuse: &'a [(String, PrefixReuse)],
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let (readings, recorded) = arguments.files.read()?;
    let measured = measure(&recorded);
    let reuse = arguments.files.prefix_reuse()?;
    if let Some(path) = &arguments.chart {
        let rates = rate_over_time(&recorded, 600);
        draw(path, &arguments.files.names().join(", "), measured.span_s, &rates)?;
    }
    let stdout = match (global.json, global.quiet) {
        (true, _) => {
            let inspected = Inspected { files: &readings, traffic: &measured, prefix_reuse: &reuse };
            serde_json::to_string_pretty(&inspected).map_err(Failure::could_not)? + "\n"
        }
        (false, true) => String::new(),
        (false, false) => text(&readings, &measured) + &reuse_text(&reuse),
    };
    Ok(Answer { stdout, ..Answer::default() })
}

fn draw(path: &Path, title: &str, span_s: f64, rates: &[(f64, f64)]) -> Result<(), Failure> {
    let samples = |spec: &crate::report::chart::LineSpec| match spec.of {
        Samples::Rate("arrived") => rates.to_vec(),
        _ => Vec::new(),
    };
    let chart = Timeline::new(format!("Requests per second: {title}"), span_s, None, samples);
    let is_png = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    let bytes = match is_png {
        true => png::draw(&AnyChart::from(chart), Size::WIDE).map_err(Failure::could_not)?,
        false => svg::draw(&chart, Size::WIDE).map_err(Failure::could_not)?.into_bytes(),
    };
    std::fs::write(path, bytes)
        .map_err(|error| Failure::could_not(format!("cannot write `{}`: {error}", path.display())))
}

fn text(readings: &[Reading], measured: &Measured) -> String {
    let mut text = String::new();
    for reading in readings {
        for line in reading.lines() {
            let _ = writeln!(text, "{line}");
        }
    }
    text.push('\n');
    for (name, value) in figures(measured) {
        let _ = writeln!(text, "{name:<26}{value}");
    }
    text
}

/// What a prefix cache finds of the prompts, by its size.
fn reuse_text(reuse: &[(String, PrefixReuse)]) -> String {
    let mut text = String::new();
    for (name, reuse) in reuse {
        let share = |share: f64| format!("{:.1} %", 100.0 * share);
        let sizes = reuse.by_size.iter().map(|(size, found)| match size {
            Some(tokens) => format!("{} with {} tokens", share(*found), digits(*tokens)),
            None => format!("{} without a limit", share(*found)),
        });
        let _ = writeln!(
            text,
            "{:<26}{} of the prompt tokens of {name}, in blocks of {}; {} of a prompt on average",
            "found in a prefix cache",
            sizes.collect::<Vec<_>>().join(", "),
            digits(reuse.block_tokens),
            share(reuse.mean_of_requests)
        );
    }
    text
}

/// Every figure with its name.
fn figures(measured: &Measured) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: String| rows.push((name.to_owned(), value));
    add("requests", digits(measured.requests));
    add("span", format!("{} ({} to {})", length(measured.span_s), measured.first, measured.last));
    add("mean rate", format!("{} requests/s", digits(measured.mean_rate)));
    for peak in &measured.peaks {
        let name = format!("peak rate over {}", length(peak.window_s));
        add(&name, format!("{} requests/s, at {}", digits(peak.rate), peak.at));
    }
    if let Some(cv) = measured.interarrival_cv {
        add("CV between requests", digits(cv));
    }
    if let Some(same) = measured.same_instant.filter(|same| *same > 0) {
        add("at the same instant", format!("{same} requests as the one before"));
    }
    for one in &measured.dispersion {
        let name = format!("dispersion over {}", length(one.window_s));
        add(&name, format!("{} ({} windows; Poisson: 1)", digits(one.index), one.windows));
    }
    if !measured.profile.hours.is_empty() {
        add("by hour of the day", bars(&measured.profile.hours));
    }
    if !measured.profile.days.is_empty() {
        add("by day, from Monday", bars(&measured.profile.days));
    }
    for gap in &measured.gaps {
        add("gap", format!("{} from {}", length(gap.seconds), gap.from));
    }
    for (name, spread, unit) in [
        ("tokens of prompts", &measured.prompt_tokens, ""),
        ("tokens of answers", &measured.output_tokens, ""),
        ("duration", &measured.duration_s, " s"),
    ] {
        if let Some(spread) = spread {
            add(name, spread_text(spread, unit));
        }
    }
    rows
}

fn spread_text(spread: &Spread, unit: &str) -> String {
    let values = [
        ("mean", spread.mean),
        ("p50", spread.p50),
        ("p90", spread.p90),
        ("p95", spread.p95),
        ("p99", spread.p99),
        ("max", spread.max),
    ];
    let shown: Vec<String> =
        values.iter().map(|(name, value)| format!("{name} {}{unit}", digits(*value))).collect();
    format!("{}, CV {} ({} values)", shown.join(", "), digits(spread.cv), spread.count)
}

/// A block for each value, as high as its share of the largest, and the range.
fn bars(values: &[f64]) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(0.0, f64::max));
    let block = |value: &f64| match value.is_finite() {
        true => BLOCKS[((value / high.max(f64::MIN_POSITIVE) * 7.0).round() as usize).min(7)],
        false => ' ',
    };
    let blocks: String = values.iter().map(block).collect();
    format!("{blocks}  {} to {} requests/s", digits(low), digits(high))
}

/// A length of time in the unit that fits it.
pub(super) fn length(seconds: f64) -> String {
    match seconds {
        s if s >= 2.0 * 86_400.0 => format!("{} days", digits(s / 86_400.0)),
        s if s >= 2.0 * 3600.0 || s == 3600.0 => format!("{} h", digits(s / 3600.0)),
        s if s >= 120.0 || s == 60.0 => format!("{} min", digits(s / 60.0)),
        s => format!("{} s", digits(s)),
    }
}

/// Five significant digits at most, and whole numbers whole.
pub(super) fn digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() || (value.fract() == 0.0 && value.abs() < 1e15) {
        return format!("{value}");
    }
    let places = (4.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_five_digits_and_lengths_their_unit() {
        assert_eq!(digits(1154.7), "1154.7");
        assert_eq!(digits(0.123_456_7), "0.12346");
        assert_eq!(digits(19366.0), "19366");
        assert_eq!(digits(5.5), "5.5");
        assert_eq!(length(60.0), "1 min");
        assert_eq!(length(0.1), "0.1 s");
        assert_eq!(length(3600.0), "1 h");
    }
}

//! `kneepoint traffic fit FILE…`.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::traffic_inspect::{digits, length};
use super::traffic_options::Files;
use super::written::write_whole;
use super::{Answer, Failure, Global};
use crate::traffic::{Reading, Recorded};
use crate::traffic_fit::{RequestLaw, TrafficFit, fit_traffic};

/// Fit a model of arrivals, and laws of durations and tokens, to recorded traffic.
///
/// Prints tables to paste into a scenario, `[arrivals]` and, where the file has durations or tokens, `[service]`; or writes a whole
/// scenario. The model is the one of the lowest Bayesian information criterion among a rate over time times Poisson arrivals,
/// gamma or Weibull times between requests, and a rate that jumps between two states. How well its counts over 1 s, 1 min and
/// 1 h vary as the recorded ones do is printed beside, and whether replaying the file is better.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kneepoint traffic fit access.log\n  \
                        kneepoint traffic fit --what-if 1.3 --scenario out.toml trace.csv\n  \
                        kneepoint traffic fit --service service.toml --scenario out.toml azure.csv")]
pub(super) struct Arguments {
    #[command(flatten)]
    files: Files,
    /// Factor on the number of requests: 1.3 is 30 % more.
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = factor)]
    what_if: f64,
    /// Write a whole scenario to this file.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// A file with the table [service] of the scenario, as `service fit` prints it, instead of what the traffic tells.
    #[arg(long, value_name = "FILE", requires = "scenario")]
    service: Option<PathBuf>,
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (1e-6..=1e6).contains(&factor) => Ok(factor),
        _ => Err("expected a factor above 0, such as 1.3".into()),
    }
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Printed<'a> {
    files: &'a [Reading],
    #[serde(flatten)]
    fit: &'a TrafficFit,
    what_if: f64,
    tables: &'a str,
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let (readings, recorded) = arguments.files.read()?;
    let shown = arguments.files.shown();
    let mut fit = fit_traffic(&recorded, arguments.what_if)
        .map_err(|why| Failure::bad_input(format!("error: no fit to `{}`: {why}", shown.join("`, `"))))?;
    let broken: Vec<String> = readings.iter().filter_map(Reading::skipped_words).collect();
    fit.notes.extend(broken);
    let tables = fit.tables(&replay(&shown, &recorded, arguments));
    let mut answer = Answer::default();
    if let Some(path) = &arguments.scenario {
        let scenario = scenario(&fit, &tables, arguments, &shown)?;
        write_whole(path, |file| file.write_all(scenario.as_bytes()))?;
    }
    if global.json {
        let printed = Printed { files: &readings, fit: &fit, what_if: arguments.what_if, tables: &tables };
        answer.stdout = serde_json::to_string_pretty(&printed).map_err(Failure::could_not)? + "\n";
        return Ok(answer);
    }
    if arguments.scenario.is_none() {
        answer.stdout = tables;
    }
    if !global.quiet {
        answer.stderr = account(&readings, &fit, arguments);
    }
    Ok(answer)
}

/// The lines of a scenario that replay the file.
fn replay(shown: &[String], recorded: &Recorded, arguments: &Arguments) -> String {
    let kind = if matches!(recorded, Recorded::Series(_)) { "counts" } else { "trace" };
    let file =
        shown.first().map(String::as_str).unwrap_or_default().replace('\\', "\\\\").replace('"', "\\\"");
    let scale =
        if arguments.what_if == 1.0 { String::new() } else { format!("scale = {}\n", arguments.what_if) };
    format!("[arrivals]\nkind = \"{kind}\"\nfile = \"{file}\"\n{scale}")
}

fn account(readings: &[Reading], fit: &TrafficFit, arguments: &Arguments) -> String {
    let mut text = String::new();
    for line in readings.iter().flat_map(Reading::lines) {
        let _ = writeln!(text, "{line}");
    }
    let _ = writeln!(text, "\nmodel                     {}", fit.model.words());
    let of = |law: &RequestLaw| {
        format!(
            "{}, mean {}, CV {}, at most {} of its share off",
            law.dist,
            digits(law.mean),
            digits(law.cv),
            digits(law.distance)
        )
    };
    for (name, law) in [
        ("duration, s", &fit.duration_s),
        ("tokens of prompts", &fit.prompt_tokens),
        ("tokens of answers", &fit.output_tokens),
    ] {
        if let Some(law) = law {
            let _ = writeln!(text, "{name:<26}{}", of(law));
        }
    }
    let best = fit.candidates.first().map_or(0.0, |best| best.bic);
    for other in fit.candidates.iter().take(4) {
        let name = format!("{} × {}", other.parts, other.around);
        let _ = writeln!(
            text,
            "BIC of {name:<19}+{} ({} parameters)",
            digits((other.bic - best).round()),
            other.parameters
        );
    }
    for one in &fit.goodness {
        let _ = writeln!(text, "counts over {:<14}{}", length(one.window_s), one.words());
    }
    for note in &fit.notes {
        let _ = writeln!(text, "note                      {note}");
    }
    if arguments.what_if != 1.0 {
        let _ = writeln!(
            text,
            "what if                   {} times as many requests, in the tables",
            arguments.what_if
        );
    }
    if let Some(why) = &fit.replay {
        let _ = writeln!(text, "{why}");
    }
    text
}

/// A whole scenario: the tables, enough instances for a utilization of 70 %, and a run as long as the recording.
fn scenario(
    fit: &TrafficFit,
    tables: &str,
    arguments: &Arguments,
    shown: &[String],
) -> Result<String, Failure> {
    const BUSY: f64 = 0.7;
    let service = match &arguments.service {
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
            Failure::bad_input(format!("error: cannot read `{}`: {error}", path.display()))
        })?),
        None => None,
    };
    let (tables, instances) = match (service, fit.busy_s()) {
        (Some(service), _) => {
            let arrivals = tables.split("\n[service]").next().unwrap_or(tables);
            let arrivals = arrivals.split("\n# The ").next().unwrap_or(arrivals);
            (format!("{}\n\n{}", arrivals.trim_end(), service.trim_end()), 1)
        }
        (None, Some(busy_s)) => {
            (tables.trim_end().to_owned(), (fit.model.rate * busy_s / BUSY).ceil().clamp(1.0, 1e6) as u64)
        }
        (None, None) => {
            let what = format!(
                "error: `{}` does not tell how long a request takes\n  expected a table [service]\n  help: name one with --service \
                 FILE, as `kneepoint service fit` prints it; or paste what `traffic fit` prints without --scenario",
                shown.join("`, `")
            );
            return Err(Failure::bad_input(what));
        }
    };
    let hours = (fit.span_s / 3600.0).clamp(1.0 / 6.0, 24.0 * 7.0);
    let duration =
        if hours >= 1.0 { format!("{}h", hours.ceil()) } else { format!("{}m", (hours * 60.0).ceil()) };
    Ok(format!(
        "{tables}\n\n# Instances for a utilization of about 70 %: put your autoscaler here.\n[autoscaler]\nkind = \"fixed\"\n\
         instances = {instances}\n\n[run]\nduration = \"{duration}\"\n"
    ))
}

//! `kneepoint service fit FILE…`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::traffic_inspect::digits;
use super::traffic_options::refused;
use super::{Answer, BAD_INPUT, Failure, Global};
use crate::files::{Disk, FileKind, Files as _, NamedFile};
use crate::fit::{Compared, calibrated, service_table, why_refused, worst};
use crate::report::render::terminal;
use crate::report::table::Table;
use crate::schema::Choice;
use crate::sorting::Sorting as _;
use crate::traffic::{Fitted, Level, Refit, Unit, fit, fit_recording, read_load_test};

/// Fit a [service] table to load tests, and show how well it fits their own levels.
///
/// Reads results of vllm bench serve, GuideLLM, AIPerf, inference-perf, llm-d-benchmark, k6, vegeta, oha, MLPerf, wrk, hey,
/// Locust, and tables with a row a level; a folder stands for the files in it. Every level is driven again in simulation as it was (so many
/// users, or so many requests a second) and printed as measured and as simulated. Also reads an engine's own metrics, as Prometheus scrapes
/// them from vLLM or SGLang every 1 to 10 s, and logs of the requests of one instance; these are compared with the fitted law. A fit that is
/// more than 15 % off one of its own levels is not usable: it says why, and the exit status is 2.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kneepoint service fit c1.json c4.json c16.json\n  \
                        kneepoint service fit results/ --up-to 64 > service.toml\n  \
                        kneepoint service fit --unit ms levels.csv")]
pub(super) struct Arguments {
    /// Files of load tests, or folders of them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The service model, instead of the one that the levels tell of.
    #[arg(long, value_parser = ["llm", "shared", "slots"])]
    model: Option<String>,
    /// Leave out levels with more requests in flight than this.
    #[arg(long, value_name = "N")]
    up_to: Option<f64>,
    /// Tokens that the KV cache holds, for metrics that tell its use as a share.
    #[arg(long, value_name = "N")]
    kv_tokens: Option<f64>,
    /// Unit of times in a table whose header names none.
    #[arg(long, value_name = "UNIT", value_parser = units())]
    unit: Option<String>,
}

fn units() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Unit::OPTIONS.iter().map(|(name, ..)| *name))
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Fit<'a> {
    levels: &'a [Level],
    #[serde(flatten)]
    fitted: &'a Fitted,
    /// Each level driven again.
    simulated: &'a [Compared],
    service: Option<String>,
    notes: &'a [String],
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let unit = arguments
        .unit
        .as_deref()
        .and_then(|name| Unit::OPTIONS.iter().find(|(option, ..)| *option == name).map(|(_, unit, _)| *unit));
    let (mut levels, mut fitted, mut notes, is_recording) = measured(arguments, unit)?;
    notes.extend(fitted.notes.iter().cloned());
    let simulated = if is_recording {
        compared(&fitted)
    } else {
        let by_load = |level: &Level| level.in_flight().unwrap_or(0.0);
        levels.sort_once_by(|one, other| by_load(one).total_cmp(&by_load(other)));
        // What the law was not fitted to has no steady state to be driven to.
        let is_fitted = |level: &&Level| fitted.rows.iter().any(|row| row.level == level.name);
        let driven: Vec<Level> = levels.iter().filter(is_fitted).cloned().collect();
        let simulated;
        (fitted.law, simulated) = calibrated(&fitted, &driven)
            .map_err(|why| Failure::bad_input(format!("error: no fit: {why}")))?;
        // Where the law by itself is off, why is known; but the simulation has the last word, for it was driven as the test was.
        fitted.refused = why_refused(&simulated).map(|why| fitted.refused.take().unwrap_or(why));
        simulated
    };
    let usable = fitted.refused.is_none();
    let service = usable.then(|| {
        let error = worst(&simulated);
        let of = if is_recording {
            "measurements: at most {} % off its own rows"
        } else {
            "a load test: at most {} % off its own levels, each driven again as it was"
        };
        format!(
            "# Fitted to {}.\n[service]\n{}fit_error = {error:.4}\n",
            of.replace("{}", &format!("{:.1}", error * 100.0)),
            service_table(&fitted.law)
        )
    });
    let mut answer = Answer { status: if usable { 0 } else { BAD_INPUT }, ..Answer::default() };
    if global.json {
        let fit = Fit { levels: &levels, fitted: &fitted, simulated: &simulated, service, notes: &notes };
        answer.stdout = serde_json::to_string_pretty(&fit).map_err(Failure::could_not)? + "\n";
    } else {
        answer.stdout = service.unwrap_or_default();
        if !global.quiet {
            answer.stderr = account(&simulated, &notes);
        }
    }
    if let Some(why) = &fitted.refused {
        let _ = write!(answer.stderr, "error: this fit is not usable: {why}");
    }
    Ok(answer)
}

/// The rows of a fit, as the law has them: what was recorded under a load that came and went is not driven again.
fn compared(fitted: &Fitted) -> Vec<Compared> {
    let row = |row: &Refit| Compared {
        level: row.level.clone(),
        driven: "as recorded".to_owned(),
        quantity: row.quantity,
        measured_s: row.measured_s,
        simulated_s: row.fitted_s,
    };
    fitted.rows.iter().map(row).collect()
}

/// Levels of load tests, none where something else was read; the law fitted, what is to be said, and whether something else was read.
type Measured = (Vec<Level>, Fitted, Vec<String>, bool);

/// What was measured, and the law fitted to it.
fn measured(arguments: &Arguments, unit: Option<Unit>) -> Result<Measured, Failure> {
    let (mut levels, mut notes) = (Vec::new(), Vec::new());
    let paths = expanded(&arguments.files)?;
    let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let named: Vec<NamedFile<'_>> = paths
        .iter()
        .zip(&shown)
        .map(|(path, shown)| NamedFile { files: &Disk, path: path.clone(), shown })
        .collect();
    let recorded = fit_recording(&named, arguments.kv_tokens, unit).map_err(|error| refused(&error))?;
    if let Some((what, fitted)) = recorded {
        let files = format!("{}: {what}, {} file{}", shown.join(", "), shown.len(), plural(shown.len()));
        return Ok((levels, fitted, vec![files], true));
    }
    for (path, shown) in paths.iter().zip(&shown) {
        let test = read_load_test(&NamedFile { files: &Disk, path: path.clone(), shown }, unit)
            .map_err(|error| refused(&error))?;
        notes.push(format!(
            "{shown}: {}, {} level{}",
            test.form,
            test.levels.len(),
            plural(test.levels.len())
        ));
        notes.extend(test.notes);
        levels.extend(test.levels);
    }
    if let Some(most) = arguments.up_to {
        let before = levels.len();
        levels.retain(|level| level.in_flight().is_none_or(|in_flight| in_flight <= most * 1.05));
        notes.push(format!(
            "{} of {before} levels are left out: more than {most} in flight",
            before - levels.len()
        ));
    }
    for level in &levels {
        notes.extend(level.idle_users());
        if level.failed > 0.0 {
            notes.push(format!(
                "level {}: {} requests failed; their latency is not in the means",
                level.name,
                digits(level.failed)
            ));
        }
    }
    let fitted = fit(&levels, arguments.model.as_deref())
        .map_err(|why| Failure::bad_input(format!("error: no fit: the load test {why}")))?;
    Ok((levels, fitted, notes, false))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The files, with those of folders in the order of their names.
fn expanded(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        match Disk.kind(path) {
            Ok(FileKind::Folder) => {
                let names = Disk.names(path).map_err(Failure::could_not)?;
                let inside = names.iter().map(|name| path.join(name));
                files.extend(inside.filter(|path| is_file(path)));
            }
            _ => files.push(path.clone()),
        }
    }
    Ok(files)
}

fn is_file(path: &Path) -> bool {
    matches!(Disk.kind(path), Ok(FileKind::Regular))
}

/// The levels, measured and driven again.
fn account(simulated: &[Compared], notes: &[String]) -> String {
    let mut text = String::new();
    for note in notes {
        let _ = writeln!(text, "{note}");
    }
    let cells = simulated.iter().map(|row| {
        let (measured, again) = (millis(row.measured_s), millis(row.simulated_s));
        let off = format!("{:+.1} %", row.error() * 100.0);
        vec![row.level.clone(), row.driven.clone(), row.quantity.to_owned(), measured, again, off]
    });
    let columns = ["level", "driven by", "compared", "measured", "simulated", "off"];
    let table = Table::of_text("levels", &columns, cells.collect());
    let _ = writeln!(text, "\n{}", terminal::table(&table, None));
    text
}

/// Four digits or so of milliseconds.
fn millis(seconds: f64) -> String {
    let ms = seconds * 1e3;
    let places = (3.0 - ms.abs().max(1e-9).log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{ms:.places$} ms")
}

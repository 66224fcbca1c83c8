//! `kneepoint service fit FILE…`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::traffic_inspect::digits;
use super::traffic_options::refused;
use super::{Answer, BAD_INPUT, Failure, Global};
use crate::files::{Disk, FileKind, Files as _, NamedFile};
use crate::report::render::terminal;
use crate::report::table::Table;
use crate::schema::Choice;
use crate::traffic::{Fitted, IterationTimes, Law, Level, Unit, fit, read_load_test};

/// Fit a [service] table to load tests, and show how well it fits their own levels.
///
/// Reads results of vllm bench serve, GuideLLM, AIPerf, inference-perf, llm-d-benchmark, k6, vegeta, oha, MLPerf, wrk, hey,
/// Locust, and tables with a row a level; a folder stands for the files in it. Every level is printed as measured and by the
/// fitted law. A fit that is more than 15 % off one of its own levels is not usable: it says why, and the exit status is 2.
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
    service: Option<String>,
    notes: &'a [String],
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let unit = arguments
        .unit
        .as_deref()
        .and_then(|name| Unit::OPTIONS.iter().find(|(option, ..)| *option == name).map(|(_, unit, _)| *unit));
    let (mut levels, mut notes) = (Vec::new(), Vec::new());
    for path in expanded(&arguments.files)? {
        let shown = path.display().to_string();
        let test = read_load_test(&NamedFile { files: &Disk, path, shown: &shown }, unit)
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
    notes.extend(fitted.notes.iter().cloned());
    let usable = fitted.refused.is_none();
    let service = usable.then(|| table(&fitted));
    let mut answer = Answer { status: if usable { 0 } else { BAD_INPUT }, ..Answer::default() };
    if global.json {
        let fit = Fit { levels: &levels, fitted: &fitted, service, notes: &notes };
        answer.stdout = serde_json::to_string_pretty(&fit).map_err(Failure::could_not)? + "\n";
    } else {
        answer.stdout = service.unwrap_or_default();
        if !global.quiet {
            answer.stderr = account(&fitted, &notes);
        }
    }
    if let Some(why) = &fitted.refused {
        let _ = write!(answer.stderr, "error: this fit is not usable: {why}");
    }
    Ok(answer)
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

/// The levels, measured and by the law.
fn account(fitted: &Fitted, notes: &[String]) -> String {
    let mut text = String::new();
    for note in notes {
        let _ = writeln!(text, "{note}");
    }
    let columns = ["level", "in flight", "compared", "measured", "fitted", "off"];
    let cells = fitted.rows.iter().map(|row| {
        vec![
            row.level.clone(),
            digits(row.in_flight),
            row.quantity.to_owned(),
            format!("{} ms", digits(row.measured_s * 1e3)),
            format!("{} ms", digits(row.fitted_s * 1e3)),
            format!("{:+.1} %", row.error() * 100.0),
        ]
    });
    let _ =
        writeln!(text, "\n{}", terminal::table(&Table::of_text("levels", &columns, cells.collect()), None));
    text
}

fn millis(seconds: f64) -> String {
    format!("\"{}ms\"", digits(seconds * 1e3))
}

/// The keys of `model = "llm"`; those that are 0 are left out.
fn llm(times: &IterationTimes, max_sequences: Option<f64>, prompt_tokens: f64, output_tokens: f64) -> String {
    let mut text = format!(
        "model = \"llm\"\nprompt_tokens = {}\noutput_tokens = {}\nfixed = {}\n",
        prompt_tokens.round(),
        output_tokens.round(),
        millis(times.fixed_s)
    );
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

/// The `[service]` table.
fn table(fitted: &Fitted) -> String {
    let worst = fitted.rows.iter().map(|row| row.error().abs()).fold(0.0, f64::max);
    let head =
        format!("# Fitted to a load test: at most {:.1} % off its own levels.\n[service]\n", worst * 100.0);
    head + &match &fitted.law {
        Law::Llm { times, max_sequences, prompt_tokens, output_tokens } => {
            llm(times, *max_sequences, *prompt_tokens, *output_tokens)
        }
        Law::Shared { points } => {
            let points: Vec<String> = points
                .iter()
                .map(|(concurrency, throughput)| {
                    format!(
                        "  {{ concurrency = {}, throughput = {} }},\n",
                        digits(*concurrency),
                        digits(*throughput)
                    )
                })
                .collect();
            format!("model = \"shared\"\ncurve = [\n{}]\n", points.concat())
        }
        Law::Slots { time_s, concurrency } => {
            format!("model = \"slots\"\ntime = {}\nconcurrency = {concurrency}\n", millis(*time_s))
        }
    }
}

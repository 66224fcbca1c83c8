//! `kneepoint replay POLICY OBSERVATIONS`.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use super::{Answer, COULD_NOT, DONE, Failure, Global};
use crate::api::{Observations, RecordedFile, ReplayOptions, Replayed};
use crate::document::shown::{PHRASE, shown};
use crate::report::Folder;
use crate::scenario::ScenarioFile;
use crate::time::Span;
use crate::units::parse_span;

/// Give recorded observations to a policy: its decisions and their reasons.
///
/// POLICY is a scenario, a TOML file with an [autoscaler] table, or a manifest (YAML or JSON). OBSERVATIONS is JSON Lines
/// or CSV, a row per evaluation (- reads JSON Lines from standard input), or answers of Prometheus to range queries, one file
/// a metric, each as FIELD=FILE. Prints one JSON line per row, with the desired instances, every intermediate number and the
/// reason in words. A column `expected` says what really happened: what differs is marked and counted.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  kneepoint replay hpa.yaml incident.csv\n  kneepoint replay hpa.yaml incident.csv --check\n  kneepoint replay hpa.yaml value=cpu.json ready=ready.json --follow=90s"
)]
pub(super) struct Arguments {
    /// The policy.
    policy: std::path::PathBuf,
    /// The observations: one file of rows, or a FIELD=FILE for each metric.
    #[arg(required = true, value_name = "OBSERVATIONS")]
    observations: Vec<String>,
    /// Exit with status 1 if a decision differs from the column `expected`.
    #[arg(long)]
    check: bool,
    /// Close the loop: instances follow the decisions after this cold start (the scenario's, if not given), instead of those
    /// recorded.
    #[arg(long, value_name = "COLD_START", num_args = 0..=1, require_equals = true)]
    #[allow(clippy::option_option)]
    follow: Option<Option<String>>,
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let scenario = policy(&arguments.policy, global)?;
    let warnings = scenario.warnings().map_err(super::session::refused)?;
    let autoscaler = scenario.autoscaler_of_recording().map_err(super::session::refused)?;
    let options = ReplayOptions { follow: cold_start(arguments, &scenario)? };
    let texts =
        arguments.observations.iter().map(|argument| read(argument)).collect::<Result<Vec<_>, _>>()?;
    let files: Vec<RecordedFile<'_>> = texts
        .iter()
        .map(|(field, name, text)| RecordedFile { field: field.as_deref(), name, text })
        .collect();
    let observations = Observations::read(&files, &autoscaler)?;
    let replayed = observations.replay(&autoscaler, options)?;
    let summary = &replayed.summary;
    if arguments.check && summary.expected == 0 {
        return Err(Failure::bad_input(
            "error: `--check` has nothing to compare with\n  expected a column `expected`: the instances that there really were",
        ));
    }
    let mut answer = Answer { status: DONE, ..Answer::default() };
    if !global.quiet {
        for warning in &warnings {
            let _ = writeln!(answer.stderr, "warning: {warning}");
        }
        for note in &summary.notes {
            let _ = writeln!(answer.stderr, "note: {note}");
        }
        if let Some(said) = summary.said() {
            let _ = writeln!(answer.stderr, "{said}");
        }
    }
    if let Some(out) = &global.out {
        write(out, &replayed)?;
    }
    match (global.json, global.quiet) {
        (true, _) => answer.stdout = summary_json(&replayed),
        (false, true) => {}
        (false, false) => answer.stdout = lines(&replayed),
    }
    if arguments.check && summary.differences > 0 {
        answer.status = COULD_NOT;
    }
    Ok(answer)
}

fn lines(replayed: &Replayed) -> String {
    replayed.decisions.iter().map(|decision| decision.json() + "\n").collect()
}

fn summary_json(replayed: &Replayed) -> String {
    // Numbers, texts and lists of them can always be written.
    serde_json::to_string_pretty(&replayed.summary).unwrap_or_default() + "\n"
}

/// Writes `decisions.jsonl` and `summary.json`: both appear, or none does.
fn write(out: &Path, replayed: &Replayed) -> Result<(), Failure> {
    let mut folder = Folder::open(out).map_err(Failure::could_not)?;
    for (name, text) in [("decisions.jsonl", lines(replayed)), ("summary.json", summary_json(replayed))] {
        folder.stage(name, |file| file.write_all(text.as_bytes())).map_err(Failure::could_not)?;
    }
    folder.commit().map_err(Failure::could_not)
}

fn policy(file: &Path, global: &Global) -> Result<ScenarioFile, Failure> {
    let manifest = file.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    });
    let mut scenario = match manifest {
        true => {
            let named = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            // As TOML writes a text: with what JSON escapes, of which it takes all.
            let text = format!("[autoscaler]\nfrom = {}\n", Value::String(named));
            let folder = file.parent().unwrap_or(Path::new(""));
            ScenarioFile::parse(&file.display().to_string(), &text, folder)
                .map_err(super::session::refused)?
        }
        false => ScenarioFile::load(file).map_err(super::session::refused)?,
    };
    super::session::override_all(&mut scenario, global)?;
    Ok(scenario)
}

/// The cold start after which instances follow the decisions, if they do.
fn cold_start(arguments: &Arguments, scenario: &ScenarioFile) -> Result<Option<Span>, Failure> {
    match &arguments.follow {
        None => Ok(None),
        Some(Some(text)) => parse_span(text).map(Some).map_err(|why| {
            Failure::bad_input(format!(
                "error: `--follow={text}`: {why}\n  expected a cold start, as in --follow=90s"
            ))
        }),
        Some(None) => match scenario.scenario() {
            Ok(scenario) => {
                let stages = scenario.model.instances.cold_start.iter();
                Ok(Some(Span::from_secs_f64(stages.map(|stage| stage.time.0.mean()).sum())))
            }
            Err(_) => Err(Failure::bad_input(
                "error: `--follow` needs a cold start: the policy is no whole scenario\n  expected one, as in --follow=90s",
            )),
        },
    }
}

/// The field that an argument names, the name of its file in messages, and its text.
fn read(argument: &str) -> Result<(Option<String>, String, String), Failure> {
    let is_field = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.')
    };
    let named = argument.split_once('=').filter(|(name, _)| is_field(name) && !Path::new(argument).exists());
    let (field, file) = named.map_or((None, argument), |(field, file)| (Some(field.to_owned()), file));
    let name = if file == "-" { "standard input" } else { file };
    let text = bounded(file).map_err(|why| {
        let name = shown(name, PHRASE);
        Failure::bad_input(format!("error: the observations cannot be read\n  --> {name}: {why}"))
    })?;
    Ok((field, name.to_owned(), text))
}

/// The text of a file, as far as memory has room for its rows.
fn bounded(file: &str) -> Result<String, String> {
    /// Years of observations. Keeps a device that never ends from filling memory.
    const MOST_BYTES: u64 = 512 << 20;
    /// What a row takes in memory, and each of its bytes.
    const ROW: u64 = 1_000;
    const BYTE: u64 = 8;
    let mut bytes = Vec::new();
    match file {
        "-" => std::io::stdin().take(MOST_BYTES + 1).read_to_end(&mut bytes),
        file => std::fs::File::open(file).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)),
    }
    .map_err(|error| error.to_string())?;
    let size = bytes.len() as u64;
    if size > MOST_BYTES {
        return Err(format!("more than {} MiB; split them", MOST_BYTES >> 20));
    }
    if bytes.contains(&0) {
        return Err("binary, not text".to_owned());
    }
    let rows = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    if rows * ROW + size * BYTE > super::memory::budget(1).bytes {
        return Err(format!("{rows} rows are more than memory has room for; split them"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8 text".to_owned())
}

//! `kneepoint replay POLICY OBSERVATIONS`.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Answer, Failure, Global};
use crate::autoscaler::{Autoscaler, Row};
use crate::scenario::ScenarioFile;

/// Put recorded observations through a policy: what would it have decided, and why?
///
/// POLICY is a scenario, a TOML file with an [autoscaler] table, or a manifest (YAML or JSON). OBSERVATIONS is JSON Lines
/// or CSV, a row an evaluation; - reads JSON Lines from standard input. For each row one JSON line is printed, with the
/// instances wanted, every intermediate number and the reason in words.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint replay hpa.yaml incident.csv")]
pub(super) struct Arguments {
    /// The policy.
    policy: PathBuf,
    /// The observations.
    observations: PathBuf,
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let (autoscaler, warnings) = policy(&arguments.policy, global)?;
    let rows = rows(&arguments.observations)?;
    let mut replay = autoscaler.replay();
    let mut answer = Answer::default();
    for (line, fields) in &rows {
        let refuse = |why: String| refused(&arguments.observations, *line, &why);
        let decision = replay.step(&Row::new(fields)).map_err(|problem| refuse(problem.to_string()))?;
        let text = serde_json::to_string(&decision).map_err(|error| refuse(error.to_string()))?;
        answer.stdout.push_str(&text);
        answer.stdout.push('\n');
    }
    if !global.quiet {
        for warning in warnings {
            let _ = writeln!(answer.stderr, "warning: {warning}");
        }
    }
    Ok(answer)
}

fn policy(file: &Path, global: &Global) -> Result<(Autoscaler, Vec<String>), Failure> {
    let refuse = |error: crate::scenario::ScenarioError| Failure::bad_input(error.render(true));
    let manifest = file.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    });
    let mut scenario = match manifest {
        true => {
            let named = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            // As TOML writes a text: with what JSON escapes, of which it takes all.
            let text = format!("[autoscaler]\nfrom = {}\n", Value::String(named));
            let folder = file.parent().unwrap_or(Path::new(""));
            ScenarioFile::parse(&file.display().to_string(), &text, folder).map_err(refuse)?
        }
        false => ScenarioFile::load(file).map_err(refuse)?,
    };
    super::session::override_all(&mut scenario, global)?;
    let warnings = scenario.warnings().map_err(refuse)?;
    Ok((scenario.autoscaler().map_err(refuse)?, warnings))
}

/// Rows, each with the number of its line.
type Rows = Vec<(usize, Map<String, Value>)>;

/// The rows of a file.
fn rows(file: &Path) -> Result<Rows, Failure> {
    let text = read(file)?;
    match file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
        true => csv_rows(file, &text),
        false => json_rows(file, &text),
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let from_stdin = file == Path::new("-");
    let text = match from_stdin {
        true => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        false => std::fs::read_to_string(file),
    };
    let shown = if from_stdin { "standard input".to_owned() } else { file.display().to_string() };
    text.map_err(|error| {
        Failure::bad_input(format!("error: the observations cannot be read\n  --> {shown}: {error}"))
    })
}

fn json_rows(file: &Path, text: &str) -> Result<Rows, Failure> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| match serde_json::from_str(line) {
            Ok(Value::Object(fields)) => Ok((number, fields)),
            Ok(_) => Err(refused(file, number, "expected one JSON object a line")),
            Err(error) => Err(refused(file, number, &format!("not JSON: {error}"))),
        })
        .collect()
}

fn csv_rows(file: &Path, text: &str) -> Result<Rows, Failure> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| refused(file, 1, &error.to_string()))?.clone();
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| refused(file, index + 2, &error.to_string()))?;
        let line = record.position().map_or(index + 2, |position| position.line() as usize);
        let mut fields = Map::new();
        for (name, cell) in header.iter().zip(&record).filter(|(_, cell)| !cell.is_empty()) {
            set(&mut fields, name, value(cell)).map_err(|why| refused(file, line, &why))?;
        }
        rows.push((line, fields));
    }
    Ok(rows)
}

/// A cell as JSON would have it: a number, true or false, a list or an object, else a text.
fn value(cell: &str) -> Value {
    serde_json::from_str(cell).unwrap_or_else(|_| Value::String(cell.to_owned()))
}

/// Sets a field; dots in its name make objects within objects.
fn set(fields: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), String> {
    let Some((outer, inner)) = name.split_once('.') else {
        fields.insert(name.to_owned(), value);
        return Ok(());
    };
    match fields.entry(outer).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(within) => set(within, inner, value),
        _ => Err(format!("the column `{name}` is within `{outer}`, which is a column of its own")),
    }
}

fn refused(file: &Path, line: usize, why: &str) -> Failure {
    Failure::bad_input(format!("error: {why}\n  --> {}:{line}", file.display()))
}

//! `kneepoint replay POLICY OBSERVATIONS`.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Answer, Failure, Global};
use crate::api::Observations;
use crate::autoscaler::Autoscaler;
use crate::scenario::ScenarioFile;

/// Give recorded observations to a policy: its decisions and their reasons.
///
/// POLICY is a scenario, a TOML file with an [autoscaler] table, or a manifest (YAML or JSON). OBSERVATIONS is JSON Lines
/// or CSV, a row per evaluation; - reads JSON Lines from standard input. Prints one JSON line per row, with the desired
/// instances, every intermediate number and the reason in words.
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
    let observations = observations(&arguments.observations)?;
    let mut answer = Answer::default();
    for decision in observations.replay(&autoscaler)? {
        answer.stdout.push_str(&decision.json());
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

/// The observations of a file.
fn observations(file: &Path) -> Result<Observations, Failure> {
    let (name, text) = (file.display().to_string(), read(file)?);
    match file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
        true => Observations::csv(&name, &text),
        false => Observations::json_lines(&name, &text),
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

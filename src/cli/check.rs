//! `kneepoint check FILE…`.

use std::path::{Path, PathBuf};

use super::{Answer, BAD_INPUT, Failure, Global, format, session};
use crate::scenario::Scenario;

/// Check scenario files without running them: every key, unit and value, the variants and the points of the sweep.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint check scenarios/*.toml")]
pub(super) struct Arguments {
    /// The scenario files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let mut answer = Answer::default();
    for file in &arguments.files {
        match check(file, global) {
            Ok(line) if global.quiet => drop(line),
            Ok(line) => answer.stdout.push_str(&line),
            Err(failure) => {
                answer.status = answer.status.max(failure.status).max(BAD_INPUT);
                answer.stderr.push_str(failure.message.trim_end());
                answer.stderr.push_str("\n\n");
            }
        }
    }
    Ok(answer)
}

fn check(file: &Path, global: &Global) -> Result<String, Failure> {
    let plan = session::plan(file, global)?;
    let mut scenarios: Vec<&Scenario> = plan.alternatives.iter().map(|(_, scenario)| scenario).collect();
    scenarios.extend(plan.points.iter().map(|point| &point.scenario));
    session::check_fits(&scenarios, global)?;
    let scenario = &plan.scenario;
    let what = match (plan.points.len(), plan.alternatives.len()) {
        (0, 1) => "1 setting".to_owned(),
        (0, variants) => format!("{} and {}", "1 setting", format::counted(variants - 1, "variant")),
        (points, 1) => format::counted(points, "point"),
        (points, variants) => {
            format!("{} over {}", format::counted(points, "point"), format::counted(variants - 1, "variant"))
        }
    };
    let run = &scenario.run;
    let requests =
        scenario.model.arrivals.mean_rate(scenario.model.duration) * scenario.model.duration.as_secs_f64();
    Ok(format!(
        "{}: ok: {what}, {} of {} each, about {} requests a run\n",
        file.display(),
        format::counted(run.replications as usize, "replication"),
        scenario.model.duration,
        format::count(requests),
    ))
}

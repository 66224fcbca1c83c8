//! `kneepoint check FILE…`.

use std::path::{Path, PathBuf};

use super::{Answer, BAD_INPUT, Failure, Global, session};
use crate::lint::{Finding, lint};
use crate::report::format;
use crate::scenario::Plan;

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
            Ok((line, warnings)) => {
                answer.stderr.push_str(&warnings);
                if !global.quiet {
                    answer.stdout.push_str(&line);
                }
            }
            Err(failure) => {
                let failed = Answer::from(failure);
                answer.status = answer.status.max(failed.status).max(BAD_INPUT);
                answer.stderr.push_str(failed.stderr.trim_end());
                answer.stderr.push_str("\n\n");
            }
        }
    }
    Ok(answer)
}

/// What there is to say of a file that is right, and what of it is not modelled.
fn check(file: &Path, global: &Global) -> Result<(String, String), Failure> {
    let plan = session::read(file, global)?;
    let alternatives = plan.alternatives.iter().map(|(_, scenario)| scenario);
    let scenarios = alternatives.chain(plan.points.iter().map(|point| &point.scenario));
    session::check_fits(&plan, scenarios, global)?;
    let scenario = &plan.scenario;
    let mut what = format::counted(plan.points.len(), "point");
    if plan.alternatives.len() > 1 {
        what += &format!(" ({})", format::counted(plan.alternatives.len() - 1, "variant"));
    }
    let model = &scenario.model;
    let requests = model.arrivals.mean_rate(model.duration) * model.duration.as_secs_f64();
    let mut lines = format!(
        "{}: ok: {what}, {} of {} each, about {} requests a run\n",
        file.display(),
        format::counted(scenario.run.replications as usize, "replication"),
        model.duration,
        format::count(requests),
    );
    let full = scenario.reading.iter().map(|fact| format!("  {:<12} {}\n", fact.topic, fact.text));
    lines.extend(full);
    let mut warnings = session::warnings(&plan, global);
    if !global.quiet {
        warnings += &traps(&plan)?;
    }
    Ok((lines, warnings))
}

/// The traps in the scenario and its variants, each once.
fn traps(plan: &Plan) -> Result<String, Failure> {
    let mut told: Vec<Finding> = Vec::new();
    let mut text = String::new();
    for (variant, _) in &plan.alternatives {
        for finding in lint(plan.file(), variant.as_deref()).map_err(session::refused)? {
            if told.contains(&finding) {
                continue;
            }
            let within =
                variant.as_ref().map_or_else(String::new, |name| format!(" (in the variant \"{name}\")"));
            let Finding { lint, reason, fix } = &finding;
            text += &format!(
                "warning: {reason}{within}\n  = fix: {fix}\n  = lint: {lint}; to silence it: allow = [\"{lint}\"]\n"
            );
            told.push(finding);
        }
    }
    Ok(text)
}

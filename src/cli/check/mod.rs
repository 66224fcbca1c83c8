//! `kneepoint check FILE…`.

mod finding;
mod junit;
mod sarif;

use std::path::{Path, PathBuf};

use self::finding::{DOUBTFUL, Finding};
use super::outputs::width;
use super::{Answer, BAD_INPUT, Failure, Global, session};
use crate::lint::{self, lint};
use crate::report::format;
use crate::report::render::terminal::wrapped;
use crate::scenario::{Plan, ReadFact};
use crate::units::show_span;

/// Check scenario files without running them: every key, unit and value, the variants and the points of the sweep.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint check scenarios/*.toml")]
pub(super) struct Arguments {
    /// The scenario files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How findings are written on standard output. The exit status is the same: 2 if a file is refused.
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Form::Text)]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// For people.
    Text,
    /// Static analysis results (SARIF 2.1.0), for code hosts.
    Sarif,
    /// Test results in XML, for build servers.
    Junit,
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let files = &arguments.files;
    if arguments.format == Form::Text {
        return Ok(for_people(files, global));
    }
    let mut status = 0;
    let mut findings = Vec::with_capacity(files.len());
    for file in files {
        let found = findings_of(file, global);
        if found.iter().any(|finding| finding.level == finding::Level::Error) {
            status = BAD_INPUT;
        }
        findings.push(found);
    }
    let stdout = match arguments.format {
        Form::Sarif => sarif::render(&findings.concat()),
        _ => {
            let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            junit::render(&names, &findings)
        }
    };
    Ok(Answer { stdout, status, ..Answer::default() })
}

/// What is wrong with a file: why it is refused, or what of it may not be what was meant.
fn findings_of(file: &Path, global: &Global) -> Vec<Finding> {
    let name = file.display().to_string();
    let found = || -> Result<Vec<Finding>, Failure> {
        let plan = read(file, global)?;
        let warnings =
            plan.warnings().into_iter().map(|text| Finding::warning(DOUBTFUL, &name, text.to_owned()));
        let mut found: Vec<Finding> = warnings.collect();
        found.extend(traps(&plan)?.into_iter().map(|(trap, within)| {
            let lint::Finding { lint, reason, fix } = trap;
            Finding::warning(lint, &name, format!("{reason}{within}\nfix: {fix}"))
        }));
        Ok(found)
    };
    found().unwrap_or_else(|failure| vec![Finding::refused(&name, &failure)])
}

fn for_people(files: &[PathBuf], global: &Global) -> Answer {
    let mut answer = Answer::default();
    for file in files {
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
    answer
}

/// Everything that `file` asks for, if the machine can hold it.
fn read(file: &Path, global: &Global) -> Result<Plan, Failure> {
    let plan = session::read(file, global)?;
    let alternatives = plan.alternatives.iter().map(|(_, scenario)| scenario);
    let scenarios = alternatives.chain(plan.points.iter().map(|point| &point.scenario));
    session::check_fits(&plan, scenarios, global)?;
    Ok(plan)
}

/// What there is to say of a file that is right, and what of it is not modelled.
fn check(file: &Path, global: &Global) -> Result<(String, String), Failure> {
    let plan = read(file, global)?;
    let scenario = &plan.scenario;
    let mut what = format::counted(plan.points.len(), "point");
    if plan.alternatives.len() > 1 {
        what += &format!(" ({})", format::counted(plan.alternatives.len() - 1, "variant"));
    }
    let model = &scenario.model;
    let requests = model.expected_requests(model.duration);
    let mut lines = format!(
        "{}: ok: {what}, {} of {} each, about {} requests a run\n",
        file.display(),
        format::counted(scenario.run.replications as usize, "replication"),
        show_span(model.duration),
        format::count(requests),
    );
    let fact = |fact: &ReadFact| wrapped(&format!("  {:<12} {}", fact.topic, fact.text), width(), 15) + "\n";
    let full = scenario.reading.iter().map(fact);
    lines.extend(full);
    let mut warnings = session::warnings(&plan, global);
    if !global.quiet {
        for (lint::Finding { lint, reason, fix }, within) in traps(&plan)? {
            warnings += &format!(
                "warning: {reason}{within}\n  = fix: {fix}\n  = lint: {lint}; to silence it: allow = [\"{lint}\"]\n"
            );
        }
    }
    Ok((lines, warnings))
}

/// The traps in the scenario and its variants, each once, and in which variant it is.
fn traps(plan: &Plan) -> Result<Vec<(lint::Finding, String)>, Failure> {
    let mut found: Vec<(lint::Finding, String)> = Vec::new();
    for (variant, _) in &plan.alternatives {
        for trap in lint(plan.file(), variant.as_deref()).map_err(session::refused)? {
            if found.iter().all(|(known, _)| *known != trap) {
                let within =
                    variant.as_ref().map_or_else(String::new, |name| format!(" (in the variant \"{name}\")"));
                found.push((trap, within));
            }
        }
    }
    Ok(found)
}

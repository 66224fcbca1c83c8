//! `kneepoint run FILE`.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::decision_log::DecisionLogs;
use super::session::Plan;
use super::{Answer, COULD_NOT, DONE, Failure, Global, outputs, progress, steps, table};
use crate::experiment::{self, RunResult};
use crate::report::{Folder, sentences, tables};
use crate::scenario::Scenario;
use crate::schema::nearest;
use crate::sim::DecisionRecord;

/// Simulate a scenario as it stands, and its variants beside it.
///
/// Prints every figure with its 95 % interval over the replications, and writes summary.json, timeline.csv,
/// decisions.csv, replications.csv, charts and report.html.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint run scenarios/walkthrough.toml")]
pub(super) struct Arguments {
    /// The scenario file.
    file: PathBuf,
    /// Simulate this variant alone.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    let mut plan = Plan::read(&arguments.file, global)?;
    let warnings = plan.warnings(global);
    if let Some(name) = &arguments.variant {
        plan.alternatives = vec![pick(plan.alternatives, name)?];
    }
    let scenarios: Vec<&Scenario> = plan.alternatives.iter().map(|(_, scenario)| scenario).collect();
    plan.check_fits(scenarios.iter().copied(), global)?;
    let mut folder = Folder::open(&plan.out(global)).map_err(Failure::could_not)?;
    let places = plan.alternatives.iter().enumerate();
    let places = places.map(|(number, (variant, _))| outputs::place(number, variant.as_deref()));
    let logs = DecisionLogs::begin(&folder, places)?;
    let path = folder.path().display().to_string();
    let alternatives = plan.alternatives.clone();
    let result = progress::watched(global, &scenarios, |control| {
        experiment::run(alternatives, &|case, decisions| logs.write(case, decisions), control)
    })?
    .map_err(|error| Failure::of_run(&error, plan.alternatives[error.case].0.as_deref()))?;
    if result.alternatives.is_empty() {
        return Err(Failure::could_not("stopped before the first run had finished; nothing was written"));
    }
    let kept = |number| {
        result
            .alternatives
            .iter()
            .any(|alternative| alternative.number == number && alternative.first.is_some())
    };
    let decisions = logs.finish(&mut folder, kept)?;
    let scenario = result.procedure.applied(plan.scenario);
    let summary = outputs::run(folder, &scenario, &result)?;
    Ok(answer(&scenario, &result, &decisions, &path, summary, global).warned(&warnings))
}

/// The variant called `name`, else a message with the nearest one.
pub(super) fn pick(
    alternatives: Vec<(Option<String>, Scenario)>,
    name: &str,
) -> Result<(Option<String>, Scenario), Failure> {
    let names: Vec<String> = alternatives.iter().filter_map(|(variant, _)| variant.clone()).collect();
    let found = alternatives.into_iter().find(|(variant, _)| variant.as_deref() == Some(name));
    found.ok_or_else(|| {
        let help = match nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if names.is_empty() => "the scenario has no [[variant]]".to_owned(),
            None => format!("it has: {}", names.join(", ")),
        };
        Failure::bad_input(format!("error: the scenario has no variant \"{name}\"\n  help: {help}"))
    })
}

fn answer(
    scenario: &Scenario,
    result: &RunResult,
    decisions: &[Vec<DecisionRecord>],
    path: &str,
    summary: String,
    global: &Global,
) -> Answer {
    let mut answer = Answer { status: DONE, ..Answer::default() };
    if !result.complete {
        answer.status = COULD_NOT;
        answer.stderr = format!("stopped: what had finished by then is in {path}");
    }
    answer.stdout = match (global.json, global.quiet) {
        (true, _) => summary,
        (false, true) => String::new(),
        (false, false) => text(scenario, result, decisions, path),
    };
    answer
}

fn text(scenario: &Scenario, result: &RunResult, decisions: &[Vec<DecisionRecord>], path: &str) -> String {
    let mut text = format!("{}\n\n", table::bold(&scenario.name));
    for alternative in &result.alternatives {
        if let Some(steps) = decisions.get(alternative.number).and_then(|first| steps::table(first)) {
            if let Some(variant) = &alternative.variant {
                let _ = writeln!(text, "{}", table::bold(variant));
            }
            let _ = writeln!(text, "{steps}\n");
        }
    }
    let _ = writeln!(text, "{}\n", table::plain(&tables::run(scenario, result)));
    if let Some(types) = tables::types_of_run(result) {
        let _ = writeln!(text, "{}\n", table::plain(&types));
    }
    if let Some(fewest) = result.alternatives.iter().map(|alternative| alternative.replications.len()).min() {
        let _ = writeln!(text, "{}", sentences::intervals(fewest));
    }
    sentences::procedure(&result.procedure).iter().for_each(|line| {
        let _ = writeln!(text, "{line}");
    });
    let _ = writeln!(text, "Outputs are in {path}");
    text
}

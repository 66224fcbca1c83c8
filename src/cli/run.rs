//! `kneepoint run FILE`.

use std::path::PathBuf;

use super::outputs::{self, Gate, Printed};
use super::records::Resume;
use super::session::Opened;
use super::{Answer, Failure, Global, Show, progress, session};
use crate::document::shown::{PHRASE, shown};
use crate::experiment;
use crate::report::{DecisionLogs, compose, place};
use crate::scenario::Scenario;
use crate::schema::nearest;

/// Simulate a scenario and its variants.
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
    #[command(flatten)]
    resume: Resume,
    #[command(flatten)]
    gate: Gate,
    #[command(flatten)]
    printed: Printed,
}

pub(super) fn execute(
    arguments: &Arguments,
    global: &Global,
    show: &mut Show<'_>,
) -> Result<Answer, Failure> {
    let mut plan = session::read(&arguments.file, global)?;
    let warnings = session::warnings(&plan, global);
    arguments.gate.check(plan.scenario.model.slo.is_some())?;
    if let Some(name) = &arguments.variant {
        plan.alternatives = vec![pick(plan.alternatives, name)?];
    }
    let scenarios: Vec<&Scenario> = plan.alternatives.iter().map(|(_, scenario)| scenario).collect();
    let out = session::out(&plan, global);
    let Opened { mut folder, records } =
        session::open(("run", &arguments.resume), &[&plan], &scenarios, &out, global)?;
    let places = plan.alternatives.iter().enumerate();
    let places = places.map(|(number, (variant, scenario))| {
        (place(number, variant.as_deref()), scenario.model.decode.is_some())
    });
    let logs =
        DecisionLogs::begin(&folder, places, &arguments.printed.formats()).map_err(Failure::could_not)?;
    let alternatives = plan.alternatives.clone();
    let result = progress::watched(global, &scenarios, Some(records.store()), |evaluator| {
        experiment::run(alternatives, &|case, decisions| logs.write(case, decisions), evaluator)
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
    let decisions = logs.finish(&mut folder, kept).map_err(Failure::could_not)?;
    let scenario = result.procedure.applied(plan.scenario);
    let report = compose::run(&scenario, &result, &decisions);
    let notes = (warnings + &records.warning(), "what had finished by then is");
    let kept = report.verdict.as_ref().map(|verdict| verdict.kept);
    let answer = outputs::deliver(&report, folder, (&arguments.printed, global), notes, show)?;
    records.close(result.complete)?;
    Ok(arguments.gate.apply(answer, kept))
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
        let (name, help) = (shown(name, PHRASE), shown(&help, PHRASE));
        Failure::bad_input(format!("error: the scenario has no variant \"{name}\"\n  help: {help}"))
    })
}

//! `kneepoint compare FILE…`.

use std::path::{Path, PathBuf};

use super::outputs::{self, Printed};
use super::records::Resume;
use super::session::Opened;
use super::{Answer, Failure, Global, Show, progress, run, session};
use crate::api::check_pairs;
use crate::experiment::{self, FIGURES};
use crate::report::{compose, file_name};
use crate::scenario::{Plan, Scenario};
use crate::schema::nearest;

/// Compare settings, with confidence intervals: differences paired replication by replication on common random numbers.
///
/// Compares several scenarios, or one with its variants. Reports for every pair which differences are beyond
/// noise, by intervals that hold together at 95 %, and writes summary.json, comparison.csv, replications.csv, a chart and
/// report.html to output/<name of the first>-compare.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint compare scenarios/bursty-api.toml --variant \"in turn\"")]
pub(super) struct Arguments {
    /// The scenario files; of several, their variants are left out.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Compare this variant of the one file with the base scenario, instead of all variants; may be repeated.
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    /// Compare by this figure, such as latency.p95, instead of cost, latency and SLO attainment; may be repeated.
    #[arg(long, value_name = "NAME")]
    figure: Vec<String>,
    #[command(flatten)]
    resume: Resume,
    #[command(flatten)]
    printed: Printed,
}

pub(super) fn execute(
    arguments: &Arguments,
    global: &Global,
    show: &mut Show<'_>,
) -> Result<Answer, Failure> {
    let plans: Vec<Plan> =
        arguments.files.iter().map(|file| session::read(file, global)).collect::<Result<_, _>>()?;
    let contenders = contenders(arguments, &plans)?;
    let Some(((_, first), others)) = contenders.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(Failure::bad_input(format!(
            "error: there is nothing to compare `{}` with\n  expected a second file, or a [[variant]] in this one",
            arguments.files[0].display()
        )));
    };
    for (name, other) in others {
        check_pairs(first, name, other)?;
    }
    let scenarios: Vec<&Scenario> = contenders.iter().map(|(_, scenario)| scenario).collect();
    let figures = figures(arguments, &scenarios)?;
    let mut out = session::out(&plans[0], global);
    if global.out.is_none() {
        out.set_file_name(file_name(&format!("{}-compare", first.name)));
    }
    let read: Vec<&Plan> = plans.iter().collect();
    let Opened { folder, records } =
        session::open(("compare", &arguments.resume), &read, &scenarios, &out, global)?;
    let result = progress::watched(global, &scenarios, Some(records.store()), |evaluator| {
        experiment::compare(contenders.clone(), &figures, evaluator)
    })?
    .map_err(|error| Failure::of_run(&error, Some(&contenders[error.case].0)))?;
    if result.contenders.iter().any(|contender| contender.replications.is_empty()) {
        return Err(Failure::could_not("stopped before each had finished a run; nothing was written"));
    }
    let scenario = result.procedure.applied(first.clone());
    let report = compose::compare(&scenario, &result);
    let warnings: String = plans.iter().map(|plan| session::warnings(plan, global)).collect();
    let notes = (warnings + &records.warning(), "what had finished by then is");
    let answer = outputs::deliver(&report, folder, (&arguments.printed, global), notes, show)?;
    records.close(result.complete)?;
    Ok(answer)
}

/// What is compared, each with a name of its own.
fn contenders(arguments: &Arguments, plans: &[Plan]) -> Result<Vec<(String, Scenario)>, Failure> {
    if let [plan] = plans {
        let mut alternatives = plan.alternatives.clone();
        if !arguments.variant.is_empty() {
            let picked = arguments.variant.iter().map(|name| run::pick(plan.alternatives.clone(), name));
            alternatives = vec![(None, plan.scenario.clone())];
            alternatives.extend(picked.collect::<Result<Vec<_>, _>>()?);
        }
        let named = |(name, scenario): (Option<String>, Scenario)| {
            (name.unwrap_or_else(|| scenario.label.clone()), scenario)
        };
        return Ok(alternatives.into_iter().map(named).collect());
    }
    if !arguments.variant.is_empty() {
        let message =
            "error: --variant goes with one file only\n  expected one file, or several without --variant";
        return Err(Failure::bad_input(message));
    }
    let scenarios = plans.iter().map(|plan| &plan.scenario);
    let alike = |name: &str| scenarios.clone().filter(|scenario| scenario.name == name).count() > 1;
    let named = |(file, scenario): (&PathBuf, &Scenario)| {
        let name = if alike(&scenario.name) { shown(file) } else { scenario.name.clone() };
        (name, scenario.clone())
    };
    Ok(arguments.files.iter().zip(scenarios.clone()).map(named).collect())
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// The figures to compare by.
fn figures(arguments: &Arguments, scenarios: &[&Scenario]) -> Result<Vec<&'static str>, Failure> {
    if arguments.figure.is_empty() {
        return Ok(experiment::comparable(scenarios.iter().copied()));
    }
    let named = |name: &String| {
        let names = FIGURES.iter().map(|figure| figure.name);
        names.clone().find(|known| known == name).ok_or_else(|| {
            let help = match nearest(name, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", names.collect::<Vec<_>>().join(", ")),
            };
            Failure::bad_input(format!("error: there is no figure `{name}`\n  help: {help}"))
        })
    };
    arguments.figure.iter().map(named).collect()
}

//! `kneepoint recommend FILE`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::outputs::{self, Gate, Printed};
use super::records::{Records, Resume, SharedRecords};
use super::{Answer, COULD_NOT, Failure, Global, Show, backtest, progress, session};
use crate::backtest::{Field, Observed};
use crate::document::diff;
use crate::experiment::{Evaluator, Shard, Store};
use crate::recommend::{self, Budget, PastError, Recommendation};
use crate::report::{Folder, compose, file_name};
use crate::scenario::{Plan, Scenario, Setting, Space};
use crate::time::Span;
use crate::units::parse_span;

/// Find the cheapest settings that keep the SLO, and what they save against those in force.
///
/// Chooses among [sweep.parameters], or without any among the natural settings of the autoscaler, under every condition of
/// [sweep.conditions]. All combinations are tried if they are few, else searched; those that may keep the SLO race, and the
/// cheapest expected to is verified on random numbers that had no part in choosing it. Writes recommendation.json, a chart
/// and report.html to output/<scenario name>-recommend. See docs/recommend.md.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kneepoint recommend scenarios/hpa.toml --budget 2m\n  \
                        kneepoint recommend scenarios/hpa.toml --manifest hpa-new.yaml")]
pub(super) struct Arguments {
    /// The scenario file.
    file: PathBuf,
    /// How much may be spent: a time such as 30s, or a number of requests such as 50M. With the same number of requests and
    /// the same seed the answer is the same on any machine.
    #[arg(long, value_name = "TIME|REQUESTS", value_parser = budget)]
    budget: Option<Budget>,
    /// Keep the promise under this condition of [sweep.conditions] alone, as in --condition traffic=1.2; may be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    condition: Vec<String>,
    /// Write the autoscaler's manifest with the recommended settings to this file: the one that the scenario names, with only
    /// the changed fields changed, else a whole new one in the system's own form.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// First compare the settings in force with what was measured of them, as `kneepoint backtest` does, and state no
    /// confidence if the simulation misses that past. The arrivals are the recorded traffic of that time.
    #[arg(long, value_name = "FILE")]
    observed: Option<PathBuf>,
    /// Do the work together with others, as number I of N, each given the same command with another number and a folder that
    /// all of them see. Each takes what the others have simulated; what one does not deliver, the others do. Number 1 writes the
    /// outputs.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    #[command(flatten)]
    resume: Resume,
    #[command(flatten)]
    gate: Gate,
    #[command(flatten)]
    printed: Printed,
}

/// Reads a budget.
fn budget(text: &str) -> Result<Budget, String> {
    const EXPECTED: &str = "expected a time such as 30s or 5m, or a number of requests such as 50M";
    let number = |digits: &str, times: f64| digits.trim().parse::<f64>().ok().map(|number| number * times);
    let requests = match text.trim_end().char_indices().next_back() {
        Some((_, '0'..='9')) => number(text, 1.0),
        Some((at, 'k')) => number(&text[..at], 1e3),
        Some((at, 'M')) => number(&text[..at], 1e6),
        Some((at, 'G')) => number(&text[..at], 1e9),
        _ => None,
    };
    match (requests, parse_span(text)) {
        (Some(requests), _) if requests >= 1.0 && requests.is_finite() => Ok(Budget::Requests(requests)),
        (None, Ok(span)) if !span.is_zero() => Ok(Budget::Time(span)),
        _ => Err(EXPECTED.to_owned()),
    }
}

pub(super) fn execute(
    arguments: &Arguments,
    global: &Global,
    show: &mut Show<'_>,
) -> Result<Answer, Failure> {
    let plan = session::read(&arguments.file, global)?;
    let warnings = session::warnings(&plan, global);
    let scenario = plan.scenario.clone();
    if scenario.model.slo.is_none() {
        return Err(Failure::bad_input(format!(
            "error: `{}` promises nothing, so that the cheapest settings are those that do nothing\n  expected a promise \
             to keep: [slo] with latency = \"2s\" and percentile = 99",
            arguments.file.display()
        )));
    }
    plan.check_overrides_of_sweep().map_err(session::refused)?;
    let mut space = plan.file().space().map_err(session::refused)?;
    keep_conditions(&mut space, &arguments.condition)?;
    if space.axes.is_empty() {
        return Err(Failure::bad_input(format!(
            "error: `{}` names nothing to choose, and no settings come with its autoscaler\n  expected settings to choose \
             among: [sweep.parameters] with \"autoscaler.up.above\" = {{ from = 0.4, to = 0.9, steps = 6 }}",
            arguments.file.display()
        )));
    }
    if arguments.manifest.is_some() {
        keep_what_a_manifest_holds(&plan, &mut space)?;
    }
    session::check_fits(&plan, std::iter::once(&scenario), global)?;
    let mut out = session::out(&plan, global);
    if global.out.is_none() {
        out.set_file_name(file_name(&format!("{}-recommend", plan.scenario.name)));
    }
    let folder = Folder::open(&out).map_err(Failure::could_not)?;
    // What the records are of: the scenario under every condition, with every value that is tried of each setting.
    let mut cases: Vec<Scenario> = Vec::new();
    for condition in &space.conditions {
        cases.push(plan.file().with(&[], condition).map_err(session::refused)?);
        let one = |path: &str, level: &Setting| [(path.to_owned(), level.clone())];
        let levels =
            space.axes.iter().flat_map(|axis| axis.levels.iter().map(move |level| one(&axis.path, level)));
        cases.extend(levels.filter_map(|settings| plan.file().with(&settings, condition).ok()));
    }
    let cases: Vec<&Scenario> = cases.iter().collect();
    if let Some(shard) = arguments.shard.filter(|_| matches!(arguments.budget, Some(Budget::Time(_)))) {
        return Err(Failure::bad_input(format!(
            "error: --shard {shard} with a budget of time: processes that end at different moments come to different answers\n  \
             expected a budget of requests, as in --budget 50M"
        )));
    }
    let kept = Kept::open(&folder, arguments, &cases)?;
    let observed = arguments.observed.as_deref().map(backtest::read).transpose()?;
    let budget = arguments.budget.unwrap_or(Budget::Unlimited);
    let began = Instant::now();
    let elapsed = || Span::from_secs_f64(began.elapsed().as_secs_f64());
    let (past, result) = progress::watched(global, &[&scenario], Some(kept.store()), |evaluator| {
        let past = match &observed {
            Some(observed) => past(&plan, observed, evaluator)?,
            None => Vec::new(),
        };
        let result = recommend::recommend(plan.file(), space, (budget, &elapsed), evaluator);
        Ok::<_, Failure>((past, result.map_err(|error| Failure::of_run(&error, None))?))
    })??;
    let Some(mut result) = result else {
        return Err(Failure::bad_input("error: a condition has no promise to keep"));
    };
    result.past = past;
    if let Some(shard) = arguments.shard.filter(|shard| shard.index() > 0) {
        return Ok(kept.answer(shard, result.complete, global, warnings));
    }
    let unmodelled = plan.warnings();
    let report = compose::recommend(&scenario, &result, &unmodelled);
    let stopped = "what was found by then is";
    let notes = (warnings + &kept.warning(), stopped);
    let manifest = match &arguments.manifest {
        Some(path) => written(path, &plan, &result, global)?,
        None => String::new(),
    };
    let verdict = report.verdict.as_ref().map(|verdict| verdict.kept);
    let mut answer = outputs::deliver(&report, folder, (&arguments.printed, global), notes, show)?;
    answer.stderr.push_str(&manifest);
    kept.close(result.complete)?;
    Ok(arguments.gate.apply(answer, verdict))
}

/// Where finished runs are kept: in a file beside the outputs, or in one for each of several processes.
enum Kept {
    Alone(Records),
    Together(SharedRecords),
}

impl Kept {
    fn open(folder: &Folder, arguments: &Arguments, cases: &[&Scenario]) -> Result<Kept, Failure> {
        match arguments.shard {
            None => Records::open(folder, &arguments.resume, ("recommend", cases)).map(Kept::Alone),
            Some(shard) => SharedRecords::open(folder.path(), &arguments.resume, ("recommend", cases), shard)
                .map(Kept::Together),
        }
    }

    fn store(&self) -> &dyn Store {
        match self {
            Kept::Alone(records) => records.store(),
            Kept::Together(records) => records.store(),
        }
    }

    fn warning(&self) -> String {
        match self {
            Kept::Alone(records) => records.warning(),
            Kept::Together(records) => records.warning(),
        }
    }

    /// What a process says that does not write the outputs.
    fn answer(&self, shard: Shard, complete: bool, global: &Global, warnings: String) -> Answer {
        let stderr = warnings + &self.warning();
        if !complete {
            let stopped = format!("stopped: shard {shard} goes on with --resume\n");
            return Answer { stderr: stderr + &stopped, status: COULD_NOT, ..Answer::default() };
        }
        let first = format!("Shard {shard} is done; shard 1/{} writes the outputs\n", shard.of());
        let stdout = if global.quiet { String::new() } else { first };
        Answer { stdout, stderr, ..Answer::default() }
    }

    /// Files of several processes stay: others may be reading them.
    fn close(self, complete: bool) -> Result<(), Failure> {
        match self {
            Kept::Alone(records) => records.close(complete),
            Kept::Together(_) => Ok(()),
        }
    }
}

/// How far the settings in force, simulated, are from what was measured.
fn past(plan: &Plan, observed: &Observed, evaluator: &Evaluator<'_>) -> Result<Vec<PastError>, Failure> {
    let result = crate::backtest::backtest(plan.file(), observed, None, evaluator);
    let errors = result.map_err(backtest::failed)?.errors;
    // Single percentiles of windows and lost requests are too noisy to judge a model by.
    let is_judged =
        |field: Field| matches!(field, Field::Ready | Field::LatencyMean | Field::Ttft | Field::Tpot);
    let judged = errors.into_iter().filter(|error| is_judged(error.field));
    Ok(judged.map(|error| PastError { field: error.field.name(), apart: error.apart }).collect())
}

/// Where a manifest comes from, for the service and its first line.
fn origin(plan: &Plan) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "Computed by kneepoint {version}, recommend of {}, seed {}",
        plan.scenario.name, plan.scenario.run.seed
    )
}

/// Takes the values out that the manifest cannot hold: what is recommended has to be what is written.
fn keep_what_a_manifest_holds(plan: &Plan, space: &mut Space) -> Result<(), Failure> {
    let origin = origin(plan);
    let refuse = |why: &str| Failure::bad_input(format!("error: --manifest: {why}"));
    for axis in &mut space.axes {
        let mut last = None;
        axis.levels.retain(|level| {
            let settings = [(axis.path.clone(), level.clone())];
            match plan.file().manifest_with(&settings, (&plan.scenario.name, &origin)) {
                Ok(_) => true,
                Err(why) => {
                    last = Some(why);
                    axis.today.as_ref() == Some(level)
                }
            }
        });
        // Not rounded, and not left out in silence.
        match last {
            Some(why) if axis.levels.len() < 2 => return Err(refuse(&why)),
            Some(_) => axis.widens = false,
            None => {}
        }
    }
    Ok(())
}

/// Writes the manifest and says what changed in it.
fn written(path: &Path, plan: &Plan, result: &Recommendation, global: &Global) -> Result<String, Failure> {
    if result.recommended.is_none() {
        return Ok("no manifest was written: nothing is recommended\n".to_owned());
    }
    let settings: Vec<(String, Setting)> =
        result.changes.iter().map(|change| (change.path.clone(), change.value.clone())).collect();
    let manifest = plan
        .file()
        .manifest_with(&settings, (&plan.scenario.name, &origin(plan)))
        .map_err(|why| Failure::could_not(format!("the manifest cannot be written: {why}")))?;
    std::fs::write(path, &manifest.text)
        .map_err(|error| Failure::could_not(format!("cannot write `{}`: {error}", path.display())))?;
    let (old, text) = manifest.old.unwrap_or_else(|| ("/dev/null".to_owned(), String::new()));
    let mut said = match global.quiet {
        true => String::new(),
        false => diff::unified((&old, &path.display().to_string()), &text, &manifest.text),
    };
    for (key, _) in &manifest.left_out {
        said += &format!("note: autoscaler.{key} has no field in the manifest and stays in the scenario\n");
    }
    Ok(said + &format!("The manifest is in {}\n", path.display()))
}

/// Keeps the conditions that are asked for.
fn keep_conditions(space: &mut Space, asked: &[String]) -> Result<(), Failure> {
    for condition in asked {
        let wrong = |why: &str| Failure::bad_input(format!("error: `--condition {condition}`: {why}"));
        let (path, value) = condition
            .split_once('=')
            .ok_or_else(|| wrong("expected PATH=VALUE, as in --condition traffic=1.2"))?;
        let meets = |of: &Vec<(String, Setting)>| {
            of.iter().any(|(name, setting)| name == path.trim() && setting.to_string() == value.trim())
        };
        if !space.conditions.iter().any(meets) {
            let all = space.conditions.iter().flatten().map(|(path, value)| format!("{path}={value}"));
            let all: Vec<String> = all.collect();
            return Err(wrong(&format!("there is no such condition; there are: {}", all.join(", "))));
        }
        space.conditions.retain(meets);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_time_or_a_number_of_requests() {
        assert_eq!(budget("30s"), Ok(Budget::Time(Span::from_secs_f64(30.0))));
        assert_eq!(budget("50M"), Ok(Budget::Requests(50e6)));
        assert_eq!(budget("1.5k"), Ok(Budget::Requests(1500.0)));
        assert_eq!(budget("2000"), Ok(Budget::Requests(2000.0)));
        for wrong in ["", "0", "-5M", "0s", "fast", "5x", "nanM", "infG"] {
            assert!(budget(wrong).is_err(), "{wrong}");
        }
    }
}

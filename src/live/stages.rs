//! From the text of a scenario to results: first one replication of the setting as it is written, which is there at once, then
//! more, and the sweep about it, each stage sharper than the one before. Runs that a stage has made are not made again.

use serde::Serialize;

use super::{Engine, OpenFile};
use crate::cancel::CancelToken;
use crate::experiment::{self, Evaluator, RunError};
use crate::report::compose;
use crate::report::content::Report;
use crate::report::manifests::manifests;
use crate::report::render::html::{self, PageData};
use crate::report::render::json_layout::Layout;
use crate::report::render::svg;
use crate::scenario::{Plan, Scenario, ScenarioError};

/// What a stage simulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The setting as it is written.
    Run,
    /// Every point of the sweep.
    Sweep,
}

/// What a page is told.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'a> {
    Result {
        of: Kind,
        stage: usize,
        stages: usize,
        replications: u32,
        elapsed_ms: f64,
        warnings: Vec<&'a str>,
        answer: Vec<&'a str>,
        reading: Vec<&'a str>,
        data: Box<PageData<'a>>,
    },
    Error(Fault),
    Done {
        elapsed_ms: f64,
    },
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// As the command says it.
    pub message: String,
    /// Line and column in the text, from 1; none where the fault is in another file, or nowhere in particular.
    pub at: Option<(usize, usize)>,
}

impl Fault {
    fn of(file: &OpenFile, error: &ScenarioError) -> Fault {
        let own = file.path.display().to_string();
        let at = error.location().filter(|(name, ..)| *name == own).map(|(_, line, column)| (line, column));
        Fault { message: error.render(false), at }
    }

    fn of_run(error: &RunError) -> Fault {
        Fault { message: error.to_string(), at: None }
    }
}

/// The stages for so many replications: what is simulated, and how often.
fn stages(replications: u32, sweeps: bool) -> Vec<(Kind, u32)> {
    let all = [
        (Kind::Run, 1),
        (Kind::Run, 5),
        (Kind::Sweep, 1),
        (Kind::Run, replications),
        (Kind::Sweep, 3),
        (Kind::Sweep, replications),
    ];
    let mut stages: Vec<(Kind, u32)> = Vec::new();
    for (kind, wanted) in all.into_iter().filter(|(kind, _)| sweeps || *kind == Kind::Run) {
        let stage = (kind, wanted.min(replications));
        if !stages.contains(&stage) {
            stages.push(stage);
        }
    }
    stages
}

/// The plan of `text` with so many replications, or as many as it writes.
fn plan(engine: &Engine, file: &OpenFile, text: &str, replications: Option<u32>) -> Result<Plan, Fault> {
    let fault = |error: ScenarioError| Fault::of(file, &error);
    let mut parsed = file.parse(text).map_err(fault)?;
    if let Some(replications) = replications {
        parsed.override_path("run.replications", &replications.to_string()).map_err(fault)?;
    }
    let plan = Plan::read(parsed).map_err(fault)?;
    let all = plan.alternatives.iter().map(|(_, scenario)| scenario);
    let all = all.chain(plan.points.iter().map(|point| &point.scenario));
    plan.check_fits(all, engine.budget.bytes, engine.budget.parallel_runs).map_err(fault)?;
    Ok(plan)
}

/// What `check` says of a text.
///
/// # Errors
/// What is wrong with it.
pub fn check(engine: &Engine, file: &OpenFile, text: &str) -> Result<(), Fault> {
    plan(engine, file, text, None).map(drop)
}

/// Simulates `text` stage by stage and hands each result to `send` as a line, until `cancel` or `send` says to stop. `elapsed`
/// tells how many milliseconds the work has taken so far.
pub fn run(
    engine: &Engine,
    file: &OpenFile,
    text: &str,
    cancel: &CancelToken,
    elapsed: &(dyn Fn() -> f64 + Sync),
    send: &mut (dyn FnMut(&str) -> std::io::Result<()> + Send),
) {
    let mut tell = |line: &Line<'_>| {
        let told = send(&Layout::Compact.write(line));
        if told.is_err() {
            cancel.cancel();
        }
    };
    let all = match plan(engine, file, text, None) {
        Ok(plan) => stages(plan.scenario.run.replications, plan.sweeps()),
        Err(fault) => return tell(&Line::Error(fault)),
    };
    for (stage, (kind, replications)) in all.iter().copied().enumerate() {
        let result = plan(engine, file, text, Some(replications)).and_then(|plan| {
            evaluated(engine, plan, kind, cancel, |report| {
                let texts = |statements: &'_ [crate::report::statement::Statement]| -> Vec<String> {
                    statements.iter().map(|statement| statement.text.clone()).collect()
                };
                let (warnings, answer, reading) =
                    (texts(&report.warnings), texts(&report.answer), texts(&report.reading));
                let line = Line::Result {
                    of: kind,
                    stage: stage + 1,
                    stages: all.len(),
                    replications,
                    elapsed_ms: elapsed(),
                    warnings: warnings.iter().map(String::as_str).collect(),
                    answer: answer.iter().map(String::as_str).collect(),
                    reading: reading.iter().map(String::as_str).collect(),
                    data: Box::new(PageData::of(report)),
                };
                tell(&line);
            })
        });
        match result {
            Ok(()) if cancel.is_cancelled() => return,
            Ok(()) => {}
            Err(fault) => return tell(&Line::Error(fault)),
        }
    }
    tell(&Line::Done { elapsed_ms: elapsed() });
}

/// The report of `text`, as `sweep` or `run` write it; `None` if it was cancelled.
///
/// # Errors
/// What is wrong with the text, or with a run.
pub fn report(
    engine: &Engine,
    file: &OpenFile,
    text: &str,
    cancel: &CancelToken,
) -> Result<Option<String>, Fault> {
    let plan = plan(engine, file, text, None)?;
    let kind = if plan.sweeps() { Kind::Sweep } else { Kind::Run };
    let mut page = None;
    evaluated(engine, plan, kind, cancel, |report| {
        let drawings = report.charts.iter().map(|part| svg::draw(&part.chart, part.size).unwrap_or_default());
        page = Some(html::html(report, &drawings.collect::<Vec<_>>()));
    })?;
    Ok(page)
}

/// The manifest of the autoscaler that `text` describes: the one that it names with the fields changed that it overrides, else a
/// whole new one.
///
/// # Errors
/// What is wrong with the text, or why there is no such manifest.
pub fn manifest(engine: &Engine, file: &OpenFile, text: &str) -> Result<String, Fault> {
    let plan = plan(engine, file, text, None)?;
    let origin = crate::report::sentences::origin("serve", &plan.scenario);
    let written = plan.file().manifest_with(&[], (&plan.scenario.name, &origin));
    written.map(|manifest| manifest.text).map_err(|why| Fault { message: why, at: None })
}

/// Simulates a plan on the threads of the desk and hands its report to `told`, unless it was cancelled.
fn evaluated(
    engine: &Engine,
    mut plan: Plan,
    kind: Kind,
    cancel: &CancelToken,
    told: impl FnOnce(&Report<'_>) + Send,
) -> Result<(), Fault> {
    let store = engine.store();
    let scenarios: Vec<&Scenario> = match kind {
        Kind::Run => plan.alternatives.iter().take(1).map(|(_, scenario)| scenario).collect(),
        Kind::Sweep => plan.points.iter().map(|point| &point.scenario).collect(),
    };
    let max_waiting = engine.budget.max_waiting(&scenarios);
    let evaluator = Evaluator {
        store: Some(&*store),
        drawn: Some(&engine.drawn),
        cancel: cancel.clone(),
        max_waiting,
        ..Evaluator::default()
    };
    engine.install(|| {
        let fault = |error: RunError| Fault::of_run(&error);
        match kind {
            Kind::Run => {
                let first = plan.alternatives.into_iter().take(1).collect();
                let result = experiment::run(first, &|_, _| {}, &evaluator).map_err(fault)?;
                if result.complete && !result.alternatives.is_empty() {
                    told(&compose::run(&result.procedure.applied(plan.scenario), &result, &[]));
                }
            }
            Kind::Sweep => {
                let result = experiment::sweep(std::mem::take(&mut plan.points), &|_, _| {}, &evaluator)
                    .map_err(fault)?;
                if result.complete() && !cancel.is_cancelled() {
                    let manifests = manifests(plan.file(), &plan.scenario, &result);
                    let scenario = result.procedure.applied(plan.scenario);
                    told(&Report { manifests, ..compose::sweep(&scenario, &result) });
                }
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn engine() -> (Engine, OpenFile) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let engine = Engine::new(Some(pool), crate::experiment::MemoryBudget::of(1 << 30, 1));
        (engine, OpenFile::new(Arc::new(crate::files::Disk), "folder/small.toml".into(), TEXT.to_owned()))
    }

    const TEXT: &str = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
                        instances = 12\n[cost]\nper_instance_hour = 2\n[slo]\nlatency = \"3s\"\n[run]\nduration = \"5m\"\n\
                        replications = 6\n[sweep.parameters]\n\"autoscaler.instances\" = [10, 12]\n";

    fn lines(text: &str, cancelled: bool) -> Vec<serde_json::Value> {
        let (engine, file) = engine();
        let cancel = CancelToken::default();
        if cancelled {
            cancel.cancel();
        }
        let mut lines = Vec::new();
        run(&engine, &file, text, &cancel, &|| 0.0, &mut |line| {
            lines.push(serde_json::from_str(line).unwrap());
            Ok(())
        });
        lines
    }

    #[test]
    fn results_come_stage_by_stage_with_shrinking_intervals() {
        let lines = lines(TEXT, false);
        let seen: Vec<String> = lines
            .iter()
            .map(|line| {
                format!(
                    "{} {} {}",
                    line["kind"].as_str().unwrap(),
                    line["of"].as_str().unwrap_or(""),
                    line["replications"]
                )
            })
            .collect();
        let expected = [
            "result run 1",
            "result run 5",
            "result sweep 1",
            "result run 6",
            "result sweep 3",
            "result sweep 6",
        ];
        assert_eq!(seen[..6], expected);
        assert_eq!(lines.last().unwrap()["kind"], "done");
        assert_eq!(lines[2]["data"]["points"].as_array().unwrap().len(), 2);
        assert_eq!(lines[2]["data"]["today"], 1, "the setting as it is written is a point");
        assert!(lines[0]["answer"].is_array() && lines[0]["data"]["runs"][0]["windows"]["ready"].is_array());
    }

    #[test]
    fn the_stages_of_few_replications_are_fewer() {
        assert_eq!(stages(1, false), [(Kind::Run, 1)]);
        assert_eq!(stages(3, true), [(Kind::Run, 1), (Kind::Run, 3), (Kind::Sweep, 1), (Kind::Sweep, 3)]);
    }

    #[test]
    fn a_fault_is_told_at_its_place_and_cancelled_work_tells_nothing() {
        let told = lines(&TEXT.replace("rate = 8", "rate = \"x\""), false);
        assert_eq!(
            (&told[0]["kind"], &told[0]["at"]),
            (&"error".into(), &serde_json::json!([3, 8])),
            "{told:?}"
        );
        assert_eq!(told.len(), 1);
        assert!(lines(TEXT, true).is_empty());
    }

    #[test]
    fn a_saved_report_is_the_page_of_the_sweep() {
        let (engine, file) = engine();
        let page = report(&engine, &file, TEXT, &CancelToken::default()).unwrap().unwrap();
        assert!(page.contains("kneepoint-data") && page.contains("autoscaler.instances"));
    }
}

//! The sentences on how far figures can be relied on: overloaded pools, warm-up and precision, what intervals are and cannot
//! tell, what formulas are worth.

use super::format;
use super::statement::Statement;
use crate::experiment::{
    Alternative, CompareResult, Contender, Difference, Overload, Replications, RunPlan, RunResult,
    StopReason, SweepResult,
};
use crate::scenario::{Precision, Scenario};
use crate::service::{Model, Uncertainty};
use crate::sorting::Sorting as _;
use crate::stats::{CONFIDENCE, Estimate};

/// Whether the queue grows until the end of the run, so that latencies are at least what is measured.
pub fn queue_grows(replications: &Replications) -> bool {
    Overload::of(replications).is_some_and(|overload| overload.rejected.is_none())
}

/// What an overloaded pool means for its figures, for each alternative of a run that has one.
pub fn overload_of_run(result: &RunResult) -> Vec<Statement> {
    let alone = result.alternatives.len() == 1;
    let of = |each: &Alternative| Some((each.name().to_owned(), Overload::of(&each.replications)?));
    overloaded(result.alternatives.iter().filter_map(of), alone)
}

/// The same for what was compared.
pub fn overload_of_comparison(result: &CompareResult) -> Vec<Statement> {
    let of = |each: &Contender| Some((each.name.clone(), Overload::of(&each.replications)?));
    overloaded(result.contenders.iter().filter_map(of), false)
}

/// The same for the points of a sweep, in one statement.
pub fn overload_of_sweep(result: &SweepResult) -> Vec<Statement> {
    let overloaded = result.points.iter().filter(|point| queue_grows(&point.replications));
    let numbers: Vec<String> = overloaded.map(|point| point.number.to_string()).collect();
    if numbers.is_empty() {
        return Vec::new();
    }
    let text = format!(
        "{} of {} are overloaded: requests arrive faster than they are answered, and the queue grows until the run ends. Their \
         latencies are at least what is shown: they depend on the length of the run.",
        format::count(numbers.len() as f64),
        format::counted(result.points.len(), "setting"),
    );
    let statement = Statement::plain("warning.overload", text);
    vec![statement.with("settings", numbers.len()).with("points", numbers.join(" ").as_str())]
}

fn overloaded(pools: impl Iterator<Item = (String, Overload)>, alone: bool) -> Vec<Statement> {
    let statement = |(name, overload): (String, Overload)| {
        let (at_end, average) = (overload.in_flight_at_end, overload.mean_in_flight);
        let count = |estimate: &Estimate| format::count(estimate.mean.unwrap_or(f64::NAN));
        let begin = if alone { "The pool is overloaded".to_owned() } else { format!("{name} is overloaded") };
        if let Some(rejected) = overload.rejected {
            let text = format!(
                "{begin}: requests arrive faster than they can be answered; the queue is full, and {:.1} % of them are \
                 rejected. Latencies are those of the others.",
                rejected * 100.0,
            );
            let statement = Statement::plain("warning.overload", text).with("alternative", name.as_str());
            return statement.with("rejected", rejected);
        }
        let text = format!(
            "{begin}: requests arrive faster than they are answered, and the queue grows until the run ends ({} in flight \
             then, {} on average). Latencies, percentiles and maxima are at least what is shown: they depend on the length of \
             the run.",
            count(&at_end),
            count(&average),
        );
        Statement::plain("warning.overload", text)
            .with("alternative", name.as_str())
            .with("in_flight_at_end", at_end)
            .with("mean_in_flight", average)
    };
    pools.map(statement).collect()
}

/// What the runs themselves found of warm-up and precision.
pub fn procedure(procedure: &RunPlan) -> Vec<Statement> {
    let warmup = procedure.warmup.map(|found| {
        let doubt = match found.settled {
            true => "",
            false => " The pilots had not settled by half of the run, so there may be no steady state: choose a time.",
        };
        let changing = match found.traffic_varies {
            true => " The arrival rate changes over the run, so there is no one steady state to settle into: choose a \
                     time, in whole periods of the traffic.",
            false => "",
        };
        let settings = match found.settings {
            1 => String::new(),
            many => format!(" of each of {many} settings, the longest of their warm-ups"),
        };
        let pilots = format::counted(found.pilots as usize, "pilot run");
        let text = format!("Warm-up: {}, found by MSER-5 in {pilots}{settings}.{doubt}{changing}", found.span);
        Statement::plain("note.warmup_found", text)
            .with("warmup_s", found.span.as_secs_f64())
            .with("pilots", found.pilots)
            .with("settled", found.settled)
            .with("traffic_varies", found.traffic_varies)
    });
    let precision = procedure.precision.map(|attained| {
        let Precision { metric, relative, most } = attained.asked;
        let percent = |share: f64| format!("±{} %", format::count(share * 100.0));
        let (asked, runs) = (percent(relative), attained.replications);
        let widest = attained.widest.map_or_else(|| "unknown".to_owned(), percent);
        let text = match attained.end {
            StopReason::Reached => {
                format!("Precision reached: {metric} is within {widest} (asked: {asked}) after {runs} replications.")
            }
            StopReason::Limit => format!(
                "Precision not reached: {metric} is within {widest}, not {asked}, after the limit of {most} replications."
            ),
            StopReason::NoFigure => {
                format!("Precision not reached: {metric} has no finite mean after {runs} replications.")
            }
            StopReason::Stopped => format!("Precision not reached: stopped after {runs} replications."),
        };
        Statement::plain("note.precision", text)
            .with("figure", metric)
            .with("relative", relative)
            .with("reached", attained.end == StopReason::Reached)
            .with("replications", runs)
    });
    warmup.into_iter().chain(precision).collect()
}

/// What the intervals of a comparison are, what pairing gained, and what pairs do not share.
pub fn comparison_notes(result: &CompareResult) -> Vec<Statement> {
    let replications =
        result.contenders.iter().map(|contender| contender.replications.len()).min().unwrap_or(0);
    let mut notes = vec![match replications {
        0..3 => intervals(replications),
        n => {
            let text = format!(
                "Differences are taken within each of {n} replications on common random numbers. Their {} hold together \
                 at {} %: by Bonferroni's inequality each is made at {:.4} %.{} {}",
                format::counted(result.intervals, "interval"),
                CONFIDENCE * 100.0,
                result.each * 100.0,
                if n < 5 {
                    " Differences of anything but a cost need at least 5 replications for one."
                } else {
                    ""
                },
                unseen(n),
            );
            Statement::plain("note.joint_intervals", text)
                .with("replications", n)
                .with("intervals", result.intervals)
                .with("each", result.each)
        }
    }];
    let mut narrowing: Vec<f64> =
        result.pairs.iter().flat_map(|pair| &pair.differences).filter_map(Difference::narrowing).collect();
    narrowing.sort_by(f64::total_cmp);
    if let (Some(least), Some(most)) = (narrowing.first(), narrowing.last()) {
        let times = match narrowing.len() {
            1 => format!("{least:.2} times"),
            _ => format!("{least:.2} to {most:.2} times"),
        };
        let text =
            format!("Paired intervals are {times} as wide as those of the same runs taken as independent.");
        notes.push(Statement::plain("note.pairing", text).with("min", *least).with("max", *most));
    }
    for pair in result.pairs.iter().filter(|pair| !pair.same_requests) {
        let (a, b) = (&result.contenders[pair.a].name, &result.contenders[pair.b].name);
        let text = format!(
            "{b} and {a} do not have the same requests: their arrivals, service times, patience or classes differ. They are paired by their random numbers, which is valid but less precise; the difference includes that of the requests."
        );
        notes.push(Statement::plain("note.other_requests", text).with("a", a.as_str()).with("b", b.as_str()));
    }
    notes
}

/// What the intervals are, what they cannot tell, or why there are none.
pub fn intervals(replications: usize) -> Statement {
    let few = match replications {
        0 | 1 => "One replication: there are no confidence intervals.".to_owned(),
        2 => "Two replications: there are no confidence intervals.".to_owned(),
        n => {
            let tails =
                if n < 5 { " Percentiles and maxima need at least 5 replications for one." } else { "" };
            format!(
                "± and ranges are {} % confidence intervals over {n} replications.{tails} {}",
                CONFIDENCE * 100.0,
                unseen(n)
            )
        }
    };
    Statement::plain("note.intervals", few).with("replications", replications)
}

/// What no interval over so many replications can tell.
fn unseen(replications: usize) -> String {
    let unseen = match replications / 3 {
        1 => "What does not happen in every run may not have been seen".to_owned(),
        often => format!("What happens in fewer than one run in {often} may not have been seen"),
    };
    let covered = lowest_coverage(replications);
    format!(
        "{unseen}: where bursts are that rare, such intervals held the truth in as few as {covered} % of experiments."
    )
}

/// The lowest coverage, in percent, that was measured for intervals of so many replications: of p99.9, over 102 settings
/// of bursty traffic (docs/statistics.md). Of three or four, of the figures that have an interval then.
fn lowest_coverage(replications: usize) -> u32 {
    match replications {
        0..10 => 39,
        10..20 => 43,
        20..40 => 49,
        _ => 67,
    }
}

/// What the scenario says of itself, if it does.
pub fn description(scenario: &Scenario) -> Option<Statement> {
    let text = &scenario.description;
    (!text.is_empty()).then(|| Statement::plain(DESCRIPTION, text.as_str()))
}

/// What is left out of the measurement, if anything is.
pub fn unmeasured(scenario: &Scenario) -> Option<Statement> {
    let warmup = scenario.model.warmup;
    let text = || format!("The first {warmup} of each run are not measured.");
    (!warmup.is_zero()).then(|| Statement::plain(UNMEASURED, text()).with("warmup_s", warmup.as_secs_f64()))
}

/// What the times of services are worth where a formula gives them or they were fitted to a load test: one statement for
/// all machines alike.
pub fn formulas<'a>(scenarios: impl Iterator<Item = &'a Scenario>) -> Vec<Statement> {
    let scenarios: Vec<&Scenario> = scenarios.collect();
    let fitted = scenarios.iter().filter_map(|scenario| scenario.model.service.fit_error);
    let fitted = fitted.max_by(f64::total_cmp).map(fitted_to_load_test);
    let mut uncertain: Vec<&Uncertainty> = scenarios
        .into_iter()
        .filter_map(|scenario| match &scenario.model.service.model {
            Model::Llm(llm) => llm.uncertainty.as_ref(),
            _ => None,
        })
        .collect();
    uncertain.sort_once_by(|a, b| a.basis.cmp(b.basis).then_with(|| a.of.cmp(&b.of)));
    uncertain.dedup();
    uncertain.chunk_by(|a, b| a.basis == b.basis).map(formula).chain(fitted).collect()
}

fn fitted_to_load_test(error: f64) -> Statement {
    let text = format!(
        "The service was fitted to a load test, and is up to {:.1} % off the levels of it. Intervals show the noise of the \
         simulation only: latencies are uncertain by this too, and by more at loads or requests that were not tested.",
        error * 100.0
    );
    Statement::plain(FITTED, text).with("error", error)
}

fn formula(alike: &[&Uncertainty]) -> Statement {
    let Uncertainty { between: (low, high), basis, is_measured, .. } = alike[0];
    let machines: Vec<&str> = alike.iter().map(|uncertainty| uncertainty.of.as_str()).collect();
    let levels = if *is_measured {
        format!("80 % of measured levels take {low} to {high} times as long")
    } else {
        format!("no level of load was measured, and {low} to {high} times as long is supposed")
    };
    let text = format!(
        "The times of iterations are those of a formula for {} ({basis}), not of a load test: {levels}. Intervals show the noise of \
         the simulation only: each latency, and with it the cost of keeping the SLO, is uncertain by this factor too.",
        machines.join("; ")
    );
    Statement::plain(FORMULA, text).with("low", *low).with("high", *high)
}

/// The note on times that a formula gives.
pub const FORMULA: &str = "note.formula";
/// The note on a service that was fitted to a load test.
pub const FITTED: &str = "note.fit";
/// The note that is the scenario's description.
pub const DESCRIPTION: &str = "note.description";
/// The note of the warm-up that is not measured.
pub const UNMEASURED: &str = "note.unmeasured";

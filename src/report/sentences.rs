//! Results in sentences.

use super::format;
use crate::experiment::{
    COST, CompareResult, Contender, Difference, End, Figure, Figures, Pair, PointResult, Procedure,
    RunResult, SLO_ATTAINMENT, SLO_LATENCY, Standing, SweepResult, Unit, Verdict,
};
use crate::scenario::{Point, Precision, Scenario};
use crate::sim::{Promised, Slo};
use crate::stats::CONFIDENCE;
use crate::time::Span;
use crate::units::show_span;

/// What the latency figure of a frontier is called: `p99`, `p99.5`, `p95 TTFT`.
pub fn percentile(scenario: &Scenario) -> String {
    let percentile = at(scenario);
    match promised(scenario) {
        Promised::Latency => percentile,
        Promised::Ttft => format!("{percentile} TTFT"),
        Promised::Tpot => format!("{percentile} TPOT"),
    }
}

/// Which time the latency figure of a frontier is.
pub fn promised(scenario: &Scenario) -> Promised {
    scenario.model.slo.map_or(Promised::Latency, |slo| slo.leading().0)
}

/// The percentile of a promise: `p99`.
fn at(scenario: &Scenario) -> String {
    format!("p{}", scenario.model.slo.map_or(99.0, |slo| slo.percentile))
}

/// A point by its variant and settings: `spot, autoscaler.up.above = 80`.
pub fn settings(point: &Point) -> String {
    let settings = point.settings.iter().map(|(path, setting)| format!("{path} = {setting}"));
    let all: Vec<String> = point.variant.iter().cloned().chain(settings).collect();
    if all.is_empty() { point.scenario.label.clone() } else { all.join(", ") }
}

/// The knee of a sweep, in a sentence.
pub fn knee(scenario: &Scenario, result: &SweepResult) -> String {
    match result.knee {
        Some(index) => format!("The knee is at {}.", point(scenario, &result.points[index])),
        None => {
            let points = format::counted(result.frontier().count(), "point");
            format!("There is no knee: the frontier of {points} nowhere bends.")
        }
    }
}

/// The cheapest point that surely meets the SLO, and a cheaper one that may, in sentences; `None` if nothing is promised.
pub fn within_slo(scenario: &Scenario, result: &SweepResult) -> Option<String> {
    let promise = promise(scenario)?;
    let told = |index: usize| point(scenario, &result.points[index]);
    let confidence = CONFIDENCE * 100.0;
    Some(match (result.cheapest_within_slo, result.perhaps_within_slo) {
        (Some(sure), None) => {
            format!("The cheapest setting that keeps {promise}, sure at {confidence} %, is {}.", told(sure))
        }
        (Some(sure), Some(perhaps)) => format!(
            "The cheapest setting that keeps {promise}, sure at {confidence} %, is {}. A cheaper one may do, but is not \
             certain: {}.",
            told(sure),
            told(perhaps)
        ),
        (None, Some(perhaps)) => format!(
            "No setting keeps {promise} for sure at {confidence} %; more replications may tell. The cheapest that keeps it \
             on average is {}.",
            told(perhaps)
        ),
        (None, None) => format!("No setting keeps {promise}."),
    })
}

/// What the runs themselves found of warm-up and precision, in sentences.
pub fn procedure(procedure: &Procedure) -> Vec<String> {
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
        format!("Warm-up: {}, found by MSER-5 in {pilots}{settings}.{doubt}{changing}", found.span)
    });
    let precision = procedure.precision.map(|attained| {
        let Precision { metric, relative, most } = attained.asked;
        let percent = |share: f64| format!("±{} %", format::count(share * 100.0));
        let (asked, runs) = (percent(relative), attained.replications);
        let widest = attained.widest.map_or_else(|| "unknown".to_owned(), percent);
        match attained.end {
            End::Reached => {
                format!("Precision reached: {metric} is within {widest} (asked: {asked}) after {runs} replications.")
            }
            End::Limit => format!(
                "Precision not reached: {metric} is within {widest}, not {asked}, after the limit of {most} replications."
            ),
            End::NoFigure => {
                format!("Precision not reached: {metric} has no finite mean after {runs} replications.")
            }
            End::Stopped => format!("Precision not reached: stopped after {runs} replications."),
        }
    });
    warmup.into_iter().chain(precision).collect()
}

/// What a run comes to, a sentence for each alternative.
pub fn run(scenario: &Scenario, result: &RunResult) -> Vec<String> {
    let alone = result.alternatives.len() == 1;
    let sentence = |alternative: &crate::experiment::Alternative| {
        let name = alternative.variant.as_deref().unwrap_or(&scenario.label);
        let begin = if alone { String::new() } else { format!("{name}: ") };
        let figures = &alternative.figures;
        let kept = slo_attainment(&alternative.scenario, figures);
        format!("{begin}{}{kept}.", cost_and_latency(scenario, figures))
    };
    result.alternatives.iter().map(sentence).collect()
}

/// What a comparison comes to, a sentence for each pair.
pub fn pairs(result: &CompareResult) -> Vec<String> {
    result.pairs.iter().map(|pair| pair_of(result, pair)).collect()
}

/// The same of the first contender with each of the others.
pub fn pairs_with_first(result: &CompareResult) -> Vec<String> {
    result.pairs.iter().filter(|pair| pair.a == 0).map(|pair| pair_of(result, pair)).collect()
}

/// What the SLO attainment of each contender would cost a pool that knows the future, a sentence for each, dearest last.
pub fn bound(result: &CompareResult) -> Vec<String> {
    let Some(bound) = &result.bound else { return Vec::new() };
    let (Some(promise), base) =
        (promise(&result.contenders[bound.of].scenario), &result.contenders[bound.of])
    else {
        return Vec::new();
    };
    let relative = |index: usize| match bound.standings[index] {
        Standing::Judged { relative, .. } => relative.mean.unwrap_or(f64::INFINITY),
        _ => f64::INFINITY,
    };
    let mut order: Vec<usize> = (0..result.contenders.len()).filter(|index| *index != bound.of).collect();
    order.sort_by(|a, b| relative(*a).total_cmp(&relative(*b)));
    let sentence = |index: usize| {
        let Contender { name, figures, .. } = &result.contenders[index];
        let kept = format::estimate(&figures.get(SLO_ATTAINMENT), Unit::Share, "");
        Some(match bound.standings[index] {
            Standing::Judged { relative, .. } => {
                let (much, range) = format::percent_apart(&relative);
                let range = range.map_or_else(String::new, |range| format!(" ({range})"));
                let more = if relative.mean.is_some_and(|mean| mean < 0.0) { "less" } else { "more" };
                format!(
                    "{name} costs {much} {more}{range} than a pool that knows the future and keeps the SLO as often, {kept}."
                )
            }
            Standing::BetterThanBound => {
                format!("{name} keeps the SLO for {kept}, more than any pool of the bound.")
            }
            Standing::WorseThanBound => {
                format!("{name} keeps the SLO for {kept}, less than any pool of the bound.")
            }
            Standing::Apart => return None,
        })
    };
    let begin = format!(
        "The bound is \"{}\", sized for less and more than it meets: the least cost at which {promise} is kept more or less \
         often.",
        base.name
    );
    std::iter::once(begin).chain(order.into_iter().filter_map(sentence)).collect()
}

/// Two contenders: `B costs 12.4 % less than A (11.9 to 12.9); p99 is 0.31 s higher (0.20 to 0.42).`
fn pair_of(result: &CompareResult, pair: &Pair) -> String {
    let (a, b) = (&result.contenders[pair.a], &result.contenders[pair.b]);
    let is = |difference: &&Difference, verdicts: &[Verdict]| verdicts.contains(&difference.verdict);
    let names = |verdict: Verdict| {
        let alike = pair.differences.iter().filter(|difference| is(difference, &[verdict]));
        alike.map(|difference| figure_name(&a.scenario, difference.figure)).collect::<Vec<_>>()
    };
    let told = pair
        .differences
        .iter()
        .filter(|difference| is(difference, &[Verdict::Lower, Verdict::Higher]))
        .map(|difference| difference_of(a, difference));
    let mut clauses: Vec<String> = told.collect();
    clauses.extend(listed(names(Verdict::WithinNoise)).map(|(names, many)| match many {
        true => format!("the differences in {names} are within noise"),
        false => format!("the difference in {names} is within noise"),
    }));
    clauses.extend(listed(names(Verdict::Same)).map(|(names, many)| match many {
        true => format!("{names} are the same"),
        false => format!("{names} is the same"),
    }));
    clauses.extend(
        listed(names(Verdict::Unknown))
            .map(|(names, _)| format!("nothing can be said of the difference in {names}")),
    );
    format!("{} against {}: {}.", b.name, a.name, clauses.join("; "))
}

/// One difference beyond noise, of the second contender from the first.
fn difference_of(a: &Contender, difference: &Difference) -> String {
    let currency = &a.scenario.model.cost.currency;
    let more = difference.verdict == Verdict::Higher;
    let range = |range: Option<String>| range.map_or_else(String::new, |range| format!(" ({range})"));
    if difference.figure.name == COST && difference.relative.mean.is_some() {
        let (much, ends) = format::percent_apart(&difference.relative);
        return format!("costs {much} {}{}", if more { "more" } else { "less" }, range(ends));
    }
    let (much, ends) = format::apart(&difference.joint, difference.figure.unit, currency);
    let name = figure_name(&a.scenario, difference.figure);
    format!("{name} is {much} {}{}", if more { "higher" } else { "lower" }, range(ends))
}

/// A figure in a sentence.
fn figure_name(scenario: &Scenario, figure: &Figure) -> String {
    match figure.name {
        SLO_LATENCY => percentile(scenario),
        "latency.mean" => "mean latency".to_owned(),
        "slo_attainment" => "SLO attainment".to_owned(),
        name => name.replace("latency.", "").replace(['.', '_'], " "),
    }
}

/// `a, b and c`, and whether they are many; `None` if there are none.
fn listed(names: Vec<String>) -> Option<(String, bool)> {
    let (last, before) = names.split_last()?;
    match before {
        [] => Some((last.clone(), false)),
        before => Some((format!("{} and {last}", before.join(", ")), true)),
    }
}

/// What the intervals of a comparison are, what pairing gained, and what pairs do not share.
pub fn comparison_notes(result: &CompareResult) -> Vec<String> {
    let replications =
        result.contenders.iter().map(|contender| contender.replications.len()).min().unwrap_or(0);
    let mut notes = vec![match replications {
        0 | 1 => intervals(replications),
        n => format!(
            "Differences are taken within each of {n} replications on common random numbers. Their {} hold together at \
             {} %: by Bonferroni's inequality each is made at {:.4} %.",
            format::counted(result.intervals, "interval"),
            CONFIDENCE * 100.0,
            result.each * 100.0,
        ),
    }];
    let mut narrowing: Vec<f64> =
        result.pairs.iter().flat_map(|pair| &pair.differences).filter_map(Difference::narrowing).collect();
    narrowing.sort_by(f64::total_cmp);
    if let (Some(least), Some(most)) = (narrowing.first(), narrowing.last()) {
        notes.push(format!(
            "Paired intervals are {} as wide as those of the same runs taken as independent.",
            match narrowing.len() {
                1 => format!("{least:.2} times"),
                _ => format!("{least:.2} to {most:.2} times"),
            }
        ));
    }
    for pair in result.pairs.iter().filter(|pair| !pair.same_requests) {
        let (a, b) = (&result.contenders[pair.a].name, &result.contenders[pair.b].name);
        notes.push(format!(
            "{b} and {a} do not meet the same requests: their arrivals, service times, patience or classes differ. They are \
             paired by their random numbers, which is right but gains less; the difference includes that of the requests."
        ));
    }
    notes
}

/// What the intervals are, or why there are none.
pub fn intervals(replications: usize) -> String {
    match replications {
        0 | 1 => "One replication: no intervals, since one run says nothing about spread.".to_owned(),
        n => format!("± and ranges are {} % confidence intervals over {n} replications.", CONFIDENCE * 100.0),
    }
}

/// Where a result comes from.
pub fn origin(command: &str, scenario: &Scenario) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("kneepoint {version}, {command} of {}, seed {}", scenario.name, scenario.run.seed)
}

/// The SLO as something to keep: `p99 within 2 s`.
fn promise(scenario: &Scenario) -> Option<String> {
    Some(format!("{} within {}", at(scenario), bounds(&scenario.model.slo?)))
}

/// What a promise says, apart from its percentile: `2 s`, `2 s, 500 ms to the first token`.
fn bounds(slo: &Slo) -> String {
    let seconds = |span: Span| format::seconds(span.as_secs_f64());
    let latency = slo.promised_latency().map(seconds);
    let ttft = slo.ttft.map(|span| format!("{} to the first token", seconds(span)));
    let tpot = slo.tpot.map(|span| format!("{} per token", seconds(span)));
    latency.into_iter().chain(ttft).chain(tpot).collect::<Vec<_>>().join(", ")
}

fn point(scenario: &Scenario, point: &PointResult) -> String {
    format!("{}: {}", settings(&point.point), cost_and_latency(scenario, &point.figures))
}

fn cost_and_latency(scenario: &Scenario, figures: &Figures) -> String {
    let currency = &scenario.model.cost.currency;
    format!(
        "{} for {}, {} {}",
        format::estimate(&figures.get(COST), Unit::Currency, currency),
        show_span(scenario.model.duration),
        percentile(scenario),
        format::estimate(&figures.get(SLO_LATENCY), Unit::Seconds, currency),
    )
}

fn slo_attainment(scenario: &Scenario, figures: &Figures) -> String {
    let Some(slo) = scenario.model.slo else { return String::new() };
    let share = format::estimate(&figures.get("slo_attainment"), Unit::Share, "");
    format!(", {share} of requests within {}", bounds(&slo))
}

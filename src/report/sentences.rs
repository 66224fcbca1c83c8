//! Every sentence of a report: each a [`Statement`] with an identifier, what it rests on, and its words. The words are
//! nowhere else.

use super::format;
use super::promises::{asked, promise};
use super::statement::{PromiseVerdict, Statement};
use super::table::Mark;
use crate::experiment::{
    Alternative, COST, CompareResult, Contender, Difference, Figure, Figures, LoadLimit, Overload, Pair,
    PointResult, PromiseKept, Replications, RunPlan, RunResult, SLO_ATTAINMENT, SLO_LATENCY,
    SLO_LATENCY_OF_RUN, SloVerdict, Standing, StopReason, SweepResult, Unit, Verdict,
};
use crate::scenario::{Point, Precision, ReadFact, Scenario};
use crate::service::{Model, Uncertainty};
use crate::sim::Promised;
use crate::stats::{CONFIDENCE, Estimate, Misses};
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
pub(super) fn at(scenario: &Scenario) -> String {
    format!("p{}", scenario.model.slo.map_or(99.0, |slo| slo.percentile))
}

/// A point by its variant and settings: `spot, autoscaler.up.above = 80`.
pub fn settings(point: &Point) -> String {
    let settings = point.settings.iter().map(|(path, setting)| format!("{path} = {setting}"));
    let all: Vec<String> = point.variant.iter().cloned().chain(settings).collect();
    if all.is_empty() { point.scenario.label.clone() } else { all.join(", ") }
}

/// A point by its variant, settings and condition.
pub fn settings_and_condition(point: &Point) -> String {
    let condition = point.condition.iter().map(|(path, setting)| format!("{path} = {setting}"));
    let condition: Vec<String> = condition.collect();
    match (point.settings.is_empty() && point.variant.is_none(), condition.is_empty()) {
        (_, true) => settings(point),
        (true, false) => condition.join(", "),
        (false, false) => format!("{}; {}", settings(point), condition.join(", ")),
    }
}

/// The knee of a sweep, and that it is no advice where it misses the SLO.
pub fn knee(scenario: &Scenario, result: &SweepResult) -> Statement {
    match result.knee {
        Some(index) => {
            let knee = &result.points[index];
            let misses = result.misses_slo(index);
            let end = match misses {
                true => ". It misses the SLO, so it is no choice.",
                false => ".",
            };
            let text = format!("The knee is at {}{end}", point(scenario, knee));
            about_point(Statement::plain("sweep.knee", text), knee).with("misses_slo", misses)
        }
        None => {
            let frontier = result.frontier().count();
            let points = format::counted(frontier, "point");
            let text =
                format!("There is no knee: the frontier of {points} is nowhere below a straight line.");
            Statement::plain("sweep.no_knee", text).with("frontier", frontier)
        }
    }
}

/// What is at the edge of its range where the answer lies, so that a wider range may hold a better one.
pub fn edges(result: &SweepResult) -> Option<Statement> {
    let index = result.cheapest_within_slo().or(result.cheapest_maybe_within_slo)?;
    let edges = result.at_edges(index);
    let named = |(path, value, greatest): &(String, String, bool)| {
        let end = if *greatest { "greatest" } else { "least" };
        format!("{path} = {value} is the {end} value tried")
    };
    let (all, _) = listed(edges.iter().map(named).collect())?;
    let paths: Vec<&str> = edges.iter().map(|(path, _, _)| path.as_str()).collect();
    let text = format!("At this setting {all}: beyond it there may be a cheaper one.");
    Some(Statement::plain("sweep.edge", text).with("parameters", paths.join(" ").as_str()))
}

/// The greatest load that keeps the SLO, of each alternative of a sweep of the load alone.
pub fn load_limits(scenario: &Scenario, result: &SweepResult) -> Vec<Statement> {
    let Some(promise) = promise(scenario) else { return Vec::new() };
    let statement = |limit: &LoadLimit| {
        let name = limit.variant.as_ref().map_or_else(String::new, |name| format!("{name}: "));
        let number = format::count;
        let text = match (limit.load.mean, limit.beyond) {
            (None, _) => format!("{name}{promise} is missed at every {} tried.", limit.path),
            (Some(load), true) => format!(
                "{name}{promise} is kept up to the greatest {} tried, {}: the limit lies beyond.",
                limit.path,
                number(load)
            ),
            (Some(load), false) => {
                let low = limit.load.low.map_or_else(|| "less than any tried".to_owned(), number);
                let high = match limit.load.high {
                    Some(high) if high.is_finite() => number(high),
                    _ => "more than any tried".to_owned(),
                };
                format!(
                    "{name}the greatest {} that keeps {promise} is {} ({low} to {high}).",
                    limit.path,
                    number(load)
                )
            }
        };
        let busy = limit.utilization.map_or_else(String::new, |busy| {
            format!(" Utilization there is {} %.", format::count(busy * 100.0))
        });
        let text = capitalized(&format!("{text}{busy}"));
        let statement = Statement::plain("sweep.load_limit", text)
            .with("condition", limit.path.as_str())
            .with("load", limit.load)
            .with("beyond", limit.beyond);
        match limit.utilization {
            Some(busy) => statement.with("utilization", busy),
            None => statement,
        }
    };
    result.load_limits.iter().map(statement).collect()
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A statement with the number of a point and the two figures of the frontier there.
fn about_point(statement: Statement, point: &PointResult) -> Statement {
    statement
        .with("point", point.number)
        .with(COST, point.figures.get(COST))
        .with(SLO_LATENCY, point.figures.get(SLO_LATENCY))
}

/// The cheapest point that is confirmed to keep the SLO, and a cheaper one that may; `None` if nothing is promised.
pub fn within_slo(scenario: &Scenario, result: &SweepResult) -> Option<Statement> {
    let mut promise = promise(scenario)?;
    let conditions = result.confirmed.as_ref().map(|confirmed| confirmed.others.len() + 1);
    let perhaps = result.cheapest_maybe_within_slo.map(|index| result.of_setting(index).count());
    if let Some(many) = conditions.or(perhaps).filter(|many| *many > 1) {
        promise = format!("{promise} under all {many} conditions");
    }
    let at = |index: usize| point(scenario, &result.points[index]);
    let number = |index: usize| result.points[index].number;
    Some(match (&result.confirmed, result.cheapest_maybe_within_slo) {
        (Some(confirmed), perhaps) => {
            let mut under: Vec<String> = Vec::new();
            let first = (confirmed.point, &confirmed.figures);
            let others = confirmed.others.iter().map(|(point, figures, _)| (*point, figures));
            for (index, figures) in std::iter::once(first).chain(others) {
                let cost = cost_and_latency(scenario, figures);
                let figures = format!("{cost}{}", slo_attainment(scenario, figures));
                let condition = &result.points[index].point.condition;
                under.push(match condition.is_empty() {
                    true => figures,
                    false => {
                        let all = condition.iter().map(|(path, value)| format!("{path} = {value}"));
                        format!("with {} {figures}", all.collect::<Vec<_>>().join(", "))
                    }
                });
            }
            let text = format!(
                "The cheapest setting that keeps {promise} with {} % confidence is {}: {}, in {} new replications that \
                 confirmed it.",
                CONFIDENCE * 100.0,
                settings(&result.points[confirmed.point].point),
                under.join("; "),
                confirmed.replications.len(),
            );
            let statement = |text| {
                Statement::plain("sweep.cheapest", text)
                    .with("point", number(confirmed.point))
                    .with(COST, confirmed.figures.get(COST))
                    .with(SLO_LATENCY, confirmed.figures.get(SLO_LATENCY))
                    .with("fresh_replications", confirmed.replications.len())
            };
            match perhaps {
                Some(perhaps) => {
                    let cheaper = at(perhaps);
                    statement(format!(
                        "{text} A cheaper one may keep it, but that is not confirmed: {cheaper}."
                    ))
                    .with("uncertain_point", number(perhaps))
                }
                None => statement(text),
            }
        }
        (None, Some(perhaps)) => {
            let text = format!(
                "Estimated: the cheapest setting that keeps {promise} is {}. {}",
                at(perhaps),
                match result.fresh {
                    0 =>
                        "It was not confirmed in new replications: the sweep has too few for that.".to_owned(),
                    _ if result.points[perhaps].replications.promises().iter().all(missed_nothing) => {
                        "It missed nothing, and new replications are too few to tell how rare one is that does: a \
                         stricter promise, or `kneepoint recommend`, decides."
                            .to_owned()
                    }
                    _ => "New replications confirmed no setting; more replications may decide.".to_owned(),
                }
            );
            about_point(Statement::plain("sweep.cheapest_estimated", text), &result.points[perhaps])
                .with("fresh_replications", result.fresh)
        }
        (None, None) => Statement::plain("sweep.none_within_slo", format!("No setting keeps {promise}.")),
    })
}

fn missed_nothing(kept: &PromiseKept) -> bool {
    kept.misses.as_ref().is_some_and(Misses::none)
}

/// Whether some setting of a sweep keeps the SLO; `None` if nothing is promised.
pub fn sweep_verdict(scenario: &Scenario, result: &SweepResult) -> Option<PromiseVerdict> {
    let promise = promise(scenario)?;
    let (kept, text) = match (&result.confirmed, result.cheapest_maybe_within_slo) {
        (Some(_), _) => {
            (SloVerdict::Yes, format!("The SLO can be met: at least one setting keeps {promise}."))
        }
        (None, Some(_)) => (
            SloVerdict::Uncertain,
            format!("It is uncertain whether the SLO can be met: no setting is confirmed to keep {promise}."),
        ),
        (None, None) => (SloVerdict::No, format!("The SLO is missed: no setting keeps {promise}.")),
    };
    Some(PromiseVerdict { kept, statement: Statement::plain("sweep.verdict", text) })
}

/// Whether a contender keeps the SLO; `None` if nothing is promised.
pub fn keeps(contender: &Contender) -> Option<SloVerdict> {
    contender.replications.keeps_slo()
}

/// Which contenders keep the SLO, which do not, and of which it is uncertain; `None` if nothing is promised.
pub fn kept_by(result: &CompareResult) -> Option<Statement> {
    let with = |verdicts: &[SloVerdict]| {
        let alike =
            result.contenders.iter().filter(|each| keeps(each).is_some_and(|it| verdicts.contains(&it)));
        listed(alike.map(|each| each.name.clone()).collect())
    };
    let clauses: Vec<String> = [
        (&[SloVerdict::Yes][..], "keeps", "keep", ""),
        (&[SloVerdict::SoFar], "keeps", "keep", " so far"),
        (&[SloVerdict::No], "misses", "miss", ""),
    ]
    .into_iter()
    .filter_map(|(verdicts, one, many, end)| {
        let (names, several) = with(verdicts)?;
        Some(format!("{names} {} the SLO{end}", if several { many } else { one }))
    })
    .chain(with(&[SloVerdict::Uncertain]).map(|(names, _)| format!("of {names} it is uncertain")))
    .collect();
    let text = || format!("Of the contenders {}.", clauses.join("; "));
    (!clauses.is_empty()).then(|| Statement::plain("compare.slo", text()))
}

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

/// The result of a run, a statement for each alternative.
pub fn run(scenario: &Scenario, result: &RunResult) -> Vec<Statement> {
    let alone = result.alternatives.len() == 1;
    let statement = |alternative: &Alternative| {
        let name = alternative.variant.as_deref().unwrap_or(&scenario.label);
        let begin = if alone { String::new() } else { format!("{name}: ") };
        let figures = &alternative.figures;
        let kept = slo_attainment(&alternative.scenario, figures);
        let text = format!("{begin}{}{kept}.", cost_and_latency(scenario, figures));
        let statement = Statement::plain("run.result", text)
            .with("alternative", name)
            .with(COST, figures.get(COST))
            .with(SLO_LATENCY, figures.get(SLO_LATENCY));
        match alternative.scenario.model.slo {
            Some(_) => statement.with(SLO_ATTAINMENT, figures.get(SLO_ATTAINMENT)),
            None => statement,
        }
    };
    result.alternatives.iter().map(statement).collect()
}

/// The result of a comparison, a statement for each pair.
pub fn pairs<'a>(result: &'a CompareResult, pairs: impl Iterator<Item = &'a Pair>) -> Vec<Statement> {
    let statement = |pair: &Pair| {
        let name = |index: usize| result.contenders[index].name.as_str();
        let statement = Statement::plain("compare.pair", pair_of(result, pair))
            .with("a", name(pair.a))
            .with("b", name(pair.b));
        let differences = pair.differences.iter();
        differences.fold(statement, |statement, each| statement.with(each.figure.name, each.joint))
    };
    pairs.map(statement).collect()
}

/// What the SLO attainment of each contender would cost a pool that knows the future, a statement for each, dearest last.
pub fn bound(result: &CompareResult) -> Vec<Statement> {
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
    let statement = |index: usize| {
        let Contender { name, figures, .. } = &result.contenders[index];
        let attained = figures.get(SLO_ATTAINMENT);
        let kept = format::estimate(&attained, Unit::Share, "");
        let text = match bound.standings[index] {
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
            Standing::NotComparable => return None,
        };
        let statement = Statement::plain("compare.standing", text)
            .with("alternative", name.as_str())
            .with(SLO_ATTAINMENT, attained);
        Some(match bound.standings[index] {
            Standing::Judged { extra_cost, relative } => {
                statement.with("extra_cost", extra_cost).with("relative", relative)
            }
            _ => statement,
        })
    };
    let begin = format!(
        "The bound is \"{}\" at several sizes: the minimum cost of each SLO attainment for {promise}.",
        base.name
    );
    let begin = Statement::plain("compare.bound", begin).with("alternative", base.name.as_str());
    std::iter::once(begin).chain(order.into_iter().filter_map(statement)).collect()
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
        listed(names(Verdict::Unknown)).map(|(names, _)| format!("the difference in {names} is unknown")),
    );
    format!("{} compared with {}: {}.", b.name, a.name, clauses.join("; "))
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
        SLO_LATENCY | SLO_LATENCY_OF_RUN => percentile(scenario),
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

/// What was read of a scenario, as the simulator understands it: a statement a line, each begun with its topic.
pub fn reading(scenario: &Scenario) -> Vec<Statement> {
    let of_fact = |fact: &ReadFact| {
        let numbers = fact.numbers.iter().filter(|(_, number)| number.is_finite());
        let statement = Statement::plain(fact.id, format!("{}: {}", fact.topic, fact.text));
        numbers.fold(statement, |statement, (name, number)| statement.with(name, *number))
    };
    scenario.reading.iter().map(of_fact).collect()
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
    uncertain.sort_by(|a, b| a.basis.cmp(b.basis).then_with(|| a.of.cmp(&b.of)));
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
    let Uncertainty { between: (low, high), basis, .. } = alike[0];
    let machines: Vec<&str> = alike.iter().map(|uncertainty| uncertainty.of.as_str()).collect();
    let text = format!(
        "The times of iterations are those of a formula for {} ({basis}), not of a load test: 80 % of measured levels take {low} to \
         {high} times as long. Intervals show the noise of the simulation only: each latency, and with it the cost of keeping the \
         SLO, is uncertain by this factor too.",
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

/// The statement of the points, replications and length of the runs of a sweep.
pub const SCOPE: &str = "sweep.scope";

/// How to read cost against latency of a sweep.
pub const CURVE_CAPTION: &str = "Each mark is a setting; a cross misses the SLO on average. The line is the frontier. Bars are 95 % confidence intervals.";
/// How to read cost against latency of what a recommendation tried.
pub const TRIED_CAPTION: &str =
    "Each mark is a setting that was tried, as the race estimates it; a cross misses the SLO on average.";
/// How to read cost against latency of a comparison.
pub const COMPARISON_CAPTION: &str =
    "Bars are the intervals of each alternative. The intervals of the differences are in the table.";
/// What the charts of one run are of.
pub const RUN_CAPTION: &str = "Replication 0.";

/// The points, replications and length of the runs of a sweep.
pub fn scope(scenario: &Scenario, points: usize) -> Statement {
    let replications = scenario.run.replications;
    let text = format!(
        "{}, {} of {} each",
        format::counted(points, "point"),
        format::counted(replications as usize, "replication"),
        show_span(scenario.model.duration),
    );
    Statement::plain(SCOPE, text)
        .with("points", points)
        .with("replications", replications)
        .with("duration_s", scenario.model.duration.as_secs_f64())
}

/// What the marks of a row say: `frontier, knee`. A `?` says that noise may have decided it.
pub fn marks(marks: &[Mark]) -> String {
    let word = |mark: &Mark| match mark {
        Mark::Frontier => "frontier",
        Mark::FrontierUncertain => "frontier?",
        Mark::Knee => "knee",
        Mark::CheapestWithinSlo => "cheapest within SLO",
        Mark::MissesSlo => "misses SLO",
        Mark::SloUncertain => "SLO uncertain",
        Mark::Bound => "the bound",
    };
    marks.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// Where a result comes from: version, command, scenario, the inputs by their hash, replications, length and seed. No date: the
/// same command makes the same bytes on any day.
pub fn origin(command: &str, scenario: &Scenario) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let inputs: String = scenario.identity.bytes().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!(
        "kneepoint {version}, {command} of {}, inputs {inputs}, {} of {}, seed {}",
        scenario.name,
        format::counted(scenario.run.replications as usize, "replication"),
        show_span(scenario.model.duration),
        scenario.run.seed
    )
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
    format!(", {share} of requests {}", asked(&slo))
}

//! The sentences of an answer: each a [`Statement`] with an identifier, what it rests on, and its words. What is to be said
//! of the figures themselves is in [`notes`](super::notes).

use super::format;
use super::promises::{asked, promise};
use super::statement::{PromiseVerdict, Statement};
use super::table::Mark;
use crate::experiment::{
    Alternative, COST, CompareResult, Contender, Difference, Figure, Figures, LoadLimit, Pair, PointResult,
    PromiseKept, RunResult, SLO_ATTAINMENT, SLO_LATENCY, SLO_LATENCY_OF_RUN, SloVerdict, Standing,
    SweepResult, Unit, Verdict,
};
use crate::scenario::{Point, ReadFact, Scenario};
use crate::sim::Promised;
use crate::sorting::Sorting as _;
use crate::stats::{CONFIDENCE, Misses};
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
            let text = match frontier {
                0 => "There is no knee: no setting has both a cost and a latency to trade.".to_owned(),
                _ => format!("There is no knee: the frontier of {points} is nowhere below a straight line."),
            };
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
        (None, None) => Statement::plain(
            "sweep.none_within_slo",
            capitalized(&format!("{}.", none_keeps(scenario, result)?)),
        ),
    })
}

/// That no setting keeps what is promised; where it has to be kept under several conditions, under how many it is. `None` if
/// nothing is promised.
fn none_keeps(scenario: &Scenario, result: &SweepResult) -> Option<String> {
    let promise = promise(scenario)?;
    let conditions = if result.points.is_empty() { 0 } else { result.of_setting(0).count() };
    let keeps = |point: &&PointResult| matches!(point.meets_slo, Some(SloVerdict::Yes | SloVerdict::SoFar));
    let kept = result.points.iter().filter(keeps).count();
    if conditions < 2 || kept == 0 {
        return Some(format!("no setting keeps {promise}"));
    }
    let up_to = match result.load_limits.as_slice() {
        [limit] => limit.load.mean.map(|load| format!(", up to {} = {}", limit.path, format::count(load))),
        _ => None,
    };
    let all = result.points.len();
    Some(format!(
        "no setting keeps {promise} under all {conditions} conditions; it is kept at {kept} of {all} points{}",
        up_to.unwrap_or_default()
    ))
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
        (None, None) => (SloVerdict::No, format!("The SLO is missed: {}.", none_keeps(scenario, result)?)),
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
    order.sort_once_by(|a, b| relative(*a).total_cmp(&relative(*b)));
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

/// What was read of a scenario, as the simulator understands it: a statement a line, each begun with its topic.
pub fn reading(scenario: &Scenario) -> Vec<Statement> {
    let of_fact = |fact: &ReadFact| {
        let numbers = fact.numbers.iter().filter(|(_, number)| number.is_finite());
        let statement = Statement::plain(fact.id, format!("{}: {}", fact.topic, fact.text));
        numbers.fold(statement, |statement, (name, number)| statement.with(name, *number))
    };
    scenario.reading.iter().map(of_fact).collect()
}

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
    let latency = figures.get(SLO_LATENCY);
    // There is none where more is lost than may be late.
    let latency = latency.mean.map_or_else(String::new, |_| {
        format!(", {} {}", percentile(scenario), format::estimate(&latency, Unit::Seconds, currency))
    });
    format!(
        "{} for {}{latency}",
        format::estimate(&figures.get(COST), Unit::Currency, currency),
        show_span(scenario.model.duration),
    )
}

fn slo_attainment(scenario: &Scenario, figures: &Figures) -> String {
    let Some(slo) = scenario.model.slo else { return String::new() };
    let share = format::estimate(&figures.get("slo_attainment"), Unit::Share, "");
    format!(", {share} of requests {}", asked(&slo))
}

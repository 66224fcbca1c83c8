//! The tables of results.

use super::data::action;
use super::table::{Cell, Heading, Mark, Row, Table};
use super::{format, notes, sentences};
use crate::experiment::{
    Alternative, Bound, COST, CompareResult, Contender, Difference, FIGURES, Figures, MAX_FOR_ALL_PAIRS,
    OfType, Pair, PointResult, RunResult, SLO_ATTAINMENT, SLO_LATENCY, SLO_LATENCY_OF_RUN, SloVerdict,
    Standing, SweepResult, TYPE_FIGURES, Unit,
};
use crate::scenario::{Scenario, Setting};
use crate::sim::DecisionRecord;
use crate::sorting::Sorting as _;

/// The table of figures, of a run and of a comparison.
pub const FIGURES_TABLE: &str = "figures";
/// The table of the types of instance.
pub const TYPES_TABLE: &str = "types";
/// The table of the points of a sweep.
pub const POINTS_TABLE: &str = "points";
/// The table of the differences of a comparison.
pub const DIFFERENCES_TABLE: &str = "differences";
/// The table of the decisions of a short run.
pub const STEPS_TABLE: &str = "steps";

/// Points of a sweep up to which all of them are shown, else those of the frontier.
const MAX_ROWS: usize = 20;

/// Figures that say nothing when they are zero.
const QUIET_WHEN_ZERO: [&str; 24] = [
    "rejected",
    "timed_out",
    "failed",
    "retried",
    "hedged",
    "wasted",
    "cold.share",
    "in_flight_at_end",
    "mean_pending",
    "mean_draining",
    "mean_warming",
    "mean_warm",
    "warm_starts",
    "warm_hours",
    "warm_cost",
    "node_hours",
    "node_cost",
    "node_failures",
    "refused_starts",
    "failed_starts",
    "instance_failures",
    "interruptions",
    "flaps",
    "below_slo_s",
];

/// Figures that say nothing beside the percentiles where nothing is promised.
const OF_PROMISE: [&str; 2] = [SLO_LATENCY, SLO_LATENCY_OF_RUN];

/// Whether a figure is a time of requests, which a queue that grows makes as long as the run allows.
fn is_latency(name: &str) -> bool {
    const TIMES: [&str; 8] =
        ["latency", "wait", "ttft", "latency_high", "latency_low", "wait_high", "wait_low", "slo_latency"];
    let group = name.split('.').next().unwrap_or(name);
    TIMES.contains(&group) || OF_PROMISE.contains(&name)
}

/// The figures of a run, the alternatives side by side.
pub fn run(scenario: &Scenario, result: &RunResult) -> Table {
    let currency = &scenario.model.cost.currency;
    let told = |each: &Alternative, name: &str| {
        let mean = each.figures.get(name).mean;
        let promises = each.scenario.model.slo.is_some() || !OF_PROMISE.contains(&name);
        mean.is_some() && !(mean == Some(0.0) && QUIET_WHEN_ZERO.contains(&name)) && promises
    };
    let grows: Vec<bool> =
        result.alternatives.iter().map(|each| notes::queue_grows(&each.replications)).collect();
    let rows = FIGURES
        .iter()
        .filter(|figure| result.alternatives.iter().any(|each| told(each, figure.name)))
        .map(|figure| {
            let cell = |(each, grows): (&Alternative, &bool)| {
                let cell = Cell::estimate(&each.figures.get(figure.name), figure.unit, currency);
                if *grows && is_latency(figure.name) { cell.at_least() } else { cell }
            };
            let cells = result.alternatives.iter().zip(&grows).map(cell);
            Row::of(std::iter::once(Cell::text(figure.name)).chain(cells))
        })
        .collect();
    let names = result.alternatives.iter().map(|each| each.name());
    let columns = std::iter::once("figure").chain(names).map(Heading::named).collect();
    Table { id: FIGURES_TABLE, title: "Figures".to_owned(), columns, rows, ..Table::default() }
}

/// The types of instance of each alternative, a row each; `None` where all instances are alike.
fn types<'a>(alternatives: impl Iterator<Item = (&'a str, &'a Scenario, &'a Figures)>) -> Option<Table> {
    let differ = |(_, scenario, figures): &(&str, &Scenario, &Figures)| {
        // Two pools of one type each are told apart in a table of their own.
        !figures.types().is_empty() && !scenario.model.has_pools_of_one_type()
    };
    let alternatives: Vec<_> = alternatives.filter(differ).collect();
    let named = alternatives.len() > 1;
    let says = |index: &usize| {
        let mut all = alternatives.iter().flat_map(|(_, _, figures)| figures.types());
        let quiet = QUIET_WHEN_ZERO.contains(&TYPE_FIGURES[*index].name);
        !quiet || all.any(|of| of.estimates[*index].mean != Some(0.0))
    };
    let told: Vec<usize> = (0..TYPE_FIGURES.len()).filter(says).collect();
    let row = |name: &str, scenario: &Scenario, of: &OfType| {
        let currency = &scenario.model.cost.currency;
        let cell = |index: &usize| Cell::estimate(&of.estimates[*index], TYPE_FIGURES[*index].unit, currency);
        let cells = told.iter().map(cell);
        let name = named.then(|| Cell::text(name));
        Row::of(name.into_iter().chain([Cell::text(of.name.as_str())]).chain(cells))
    };
    let rows: Vec<Row> = alternatives
        .iter()
        .flat_map(|(name, scenario, figures)| figures.types().iter().map(|of| row(name, scenario, of)))
        .collect();
    let figures = told.iter().map(|index| &TYPE_FIGURES[*index]);
    let figures = figures.map(|figure| Heading::of_unit(figure.name, figure.name, figure.unit));
    let names = named.then_some("alternative").into_iter().chain(["type"]);
    let columns = names.map(Heading::named).chain(figures).collect();
    let title = "By type of instance".to_owned();
    (!rows.is_empty()).then(|| Table { id: TYPES_TABLE, title, columns, rows, ..Table::default() })
}

/// The types of instance of a run's alternatives; `None` where all instances are alike.
pub fn types_of_run(result: &RunResult) -> Option<Table> {
    types(result.alternatives.iter().map(|each| (each.name(), &each.scenario, &each.figures)))
}

/// The types of instance of what was compared; `None` where all instances are alike.
pub fn types_of_comparison(result: &CompareResult) -> Option<Table> {
    types(result.contenders.iter().map(|each| (each.name.as_str(), &each.scenario, &each.figures)))
}

/// The types of instance at the point of a sweep that a user would pick; `None` where all instances are alike.
pub fn types_of_pick(result: &SweepResult) -> Option<Table> {
    let point = &result.points[result.pick()?];
    let table = types(std::iter::once(("", &point.point.scenario, &point.figures)))?;
    Some(Table { title: format!("By type of instance at {}", sentences::settings(&point.point)), ..table })
}

/// The figures compared: the contenders side by side, or one a row where they are many or there is a bound.
pub fn contenders(result: &CompareResult) -> Table {
    let figures = result.pairs.first().map(|pair| pair.differences.as_slice()).unwrap_or_default();
    let cell = |difference: &Difference, contender: &Contender| {
        let figure = difference.figure;
        let currency = &contender.scenario.model.cost.currency;
        let cell = Cell::estimate(&contender.figures.get(figure.name), figure.unit, currency);
        let grows = is_latency(figure.name) && notes::queue_grows(&contender.replications);
        if grows { cell.at_least() } else { cell }
    };
    if result.bound.is_some() || result.contenders.len() > MAX_FOR_ALL_PAIRS {
        return ranked(result, figures, cell);
    }
    let order = by_promise(result);
    let ordered = || order.iter().map(|index| &result.contenders[*index]);
    let row = |difference: &Difference| {
        let cells = ordered().map(|contender| cell(difference, contender));
        Row::of(std::iter::once(Cell::text(difference.figure.name)).chain(cells))
    };
    let columns = std::iter::once("figure")
        .chain(ordered().map(|each| each.name.as_str()))
        .map(Heading::named)
        .collect();
    let promised = result.contenders.iter().any(|each| each.scenario.model.slo.is_some());
    let keeps = || Row::of(std::iter::once(Cell::text("keeps the SLO")).chain(ordered().map(keeps)));
    let rows = promised.then(keeps).into_iter().chain(figures.iter().map(row)).collect();
    Table { id: FIGURES_TABLE, title: "Figures".to_owned(), columns, rows, ..Table::default() }
}

/// Whether a contender keeps the SLO, in a word.
fn keeps(contender: &Contender) -> Cell {
    Cell::text(sentences::keeps(contender).map_or("–", SloVerdict::name).replace('_', " "))
}

/// The contenders, those that keep the SLO first, then by rising cost; in the order given where nothing is promised.
fn by_promise(result: &CompareResult) -> Vec<usize> {
    let mut order: Vec<usize> = (0..result.contenders.len()).collect();
    let cost = |index: &usize| result.contenders[*index].figures.get(COST).mean.unwrap_or(f64::INFINITY);
    let rank = |index: &usize| match sentences::keeps(&result.contenders[*index]) {
        Some(SloVerdict::Yes) => 0,
        Some(SloVerdict::SoFar) => 1,
        Some(SloVerdict::Uncertain) => 2,
        Some(SloVerdict::No) => 3,
        None => 4,
    };
    if order.iter().any(|index| rank(index) < 4) {
        order.sort_once_by(|a, b| rank(a).cmp(&rank(b)).then(cost(a).total_cmp(&cost(b))));
    }
    order
}

/// A row a contender, those that keep the SLO first and each by rising cost, with what each costs more than the bound.
fn ranked(
    result: &CompareResult,
    figures: &[Difference],
    cell: impl Fn(&Difference, &Contender) -> Cell,
) -> Table {
    let names = figures.iter().map(|difference| difference.figure);
    let names = names.map(|figure| Heading::of_unit(figure.name, figure.name, figure.unit));
    let extra =
        result.bound.as_ref().map(|_| Heading::of_unit("over_the_bound", "over the bound", Unit::Share));
    let first = ["contender", "keeps the SLO"].map(Heading::named);
    let columns = first.into_iter().chain(names).chain(extra).collect();
    let mut order = by_promise(result);
    if result.contenders.iter().all(|each| sentences::keeps(each).is_none()) {
        let cost = |index: &usize| result.contenders[*index].figures.get(COST).mean.unwrap_or(f64::INFINITY);
        order.sort_once_by(|a, b| cost(a).total_cmp(&cost(b)));
    }
    let row = |index: &usize| {
        let contender = &result.contenders[*index];
        let cells = figures.iter().map(|difference| cell(difference, contender));
        let extra = result.bound.as_ref().map(|bound| over_the_bound(bound, *index));
        let is_bound = result.bound.as_ref().is_some_and(|bound| bound.of == *index);
        Row {
            marks: is_bound.then_some(Mark::Bound).into_iter().collect(),
            ..Row::of(
                [Cell::text(contender.name.as_str()), keeps(contender)].into_iter().chain(cells).chain(extra),
            )
        }
    };
    let rows = order.iter().map(row).collect();
    Table { id: FIGURES_TABLE, title: "Figures".to_owned(), columns, rows, ..Table::default() }
}

fn over_the_bound(bound: &Bound, contender: usize) -> Cell {
    match bound.standings[contender] {
        _ if contender == bound.of => Cell::text(sentences::marks(&[Mark::Bound])),
        Standing::Judged { relative, .. } => Cell::estimate(&relative, Unit::Share, ""),
        Standing::BetterThanBound => Cell::text("above the best of the bound"),
        Standing::WorseThanBound => Cell::text("below the worst of the bound"),
        Standing::NotComparable => Cell::text("–"),
    }
}

/// The differences of every pair, with the share of the unpaired interval that is left.
pub fn differences(result: &CompareResult) -> Table {
    let columns = ["compared", "with", "figure", "difference", "relative", "verdict", "paired/unpaired"];
    let row = |pair: &Pair, difference: &Difference| {
        let (a, b) = (&result.contenders[pair.a], &result.contenders[pair.b]);
        let currency = &a.scenario.model.cost.currency;
        let narrowing = difference.narrowing();
        Row::of([
            Cell::text(b.name.as_str()),
            Cell::text(a.name.as_str()),
            Cell::text(difference.figure.name),
            Cell::estimate(&difference.joint, difference.figure.unit, currency),
            Cell::estimate(&difference.relative, Unit::Share, currency),
            Cell::text(difference.verdict.name()),
            narrowing.map_or_else(|| Cell::text("–"), |share| Cell::number(share, format!("{share:.2}"))),
        ])
    };
    let rows = result
        .pairs
        .iter()
        .flat_map(|pair| pair.differences.iter().map(move |each| row(pair, each)))
        .collect();
    let columns = columns.map(Heading::named).to_vec();
    Table { id: DIFFERENCES_TABLE, title: "Differences".to_owned(), columns, rows, ..Table::default() }
}

/// The points of a sweep: all if they are few, else those of the frontier about the knee.
pub fn sweep(scenario: &Scenario, result: &SweepResult) -> Table {
    let all = result.points.len() <= MAX_ROWS;
    let shown: Vec<&PointResult> = if all { result.points.iter().collect() } else { around_the_knee(result) };
    let variants = result.points.iter().any(|point| point.point.variant.is_some());
    let paths: Vec<String> = result.paths().into_iter().chain(result.condition_paths()).collect();
    let mut columns: Vec<Heading> = variants.then_some("variant").into_iter().map(Heading::named).collect();
    columns.extend(paths.iter().map(|path| Heading::named(path.as_str())));
    columns.extend(point_figures(scenario).map(|(name, title, unit)| Heading::of_unit(name, title, unit)));
    columns.push(Heading::named("standing"));
    let row = |point: &&PointResult| {
        let variant = variants.then(|| Cell::text(point.point.variant.clone().unwrap_or_default()));
        let settings = paths.iter().map(|path| setting(point, path));
        let currency = &scenario.model.cost.currency;
        let grows = notes::queue_grows(&point.replications);
        let figures = point_figures(scenario).map(|(name, _, unit)| {
            let cell = Cell::estimate(&point.figures.get(name), unit, currency);
            if grows && is_latency(name) { cell.at_least() } else { cell }
        });
        let marks = standing(result, point);
        let cells = variant.into_iter().chain(settings).chain(figures);
        Row { cells: cells.chain([Cell::text(sentences::marks(&marks))]).collect(), marks }
    };
    let left_out = result.points.len() - shown.len();
    let title = match left_out {
        0 => "Points".to_owned(),
        more => format!("The frontier ({} in sweep.csv)", format::counted(more, "other point")),
    };
    let rows = shown.iter().map(row).collect();
    Table { id: POINTS_TABLE, title, columns, rows, left_out, ..Table::default() }
}

/// The value of a parameter at a point.
fn setting(point: &PointResult, path: &str) -> Cell {
    let value = point.value(path).and_then(Setting::value);
    Cell { value, ..Cell::text(point.setting(path)) }
}

/// The figures of a point that are shown: name, heading and unit.
fn point_figures(scenario: &Scenario) -> impl Iterator<Item = (&'static str, String, Unit)> {
    let attainment = scenario.model.slo.map(|_| (SLO_ATTAINMENT, "within SLO".to_owned(), Unit::Share));
    [(COST, "cost".to_owned(), Unit::Currency), (SLO_LATENCY, sentences::percentile(scenario), Unit::Seconds)]
        .into_iter()
        .chain(attainment)
        .chain([
            ("utilization", "utilization".to_owned(), Unit::Share),
            ("mean_ready", "instances".to_owned(), Unit::Instances),
        ])
}

/// What is to be said of a point.
fn standing(result: &SweepResult, point: &PointResult) -> Vec<Mark> {
    let is = |index: Option<usize>| index.is_some_and(|index| result.points[index].number == point.number);
    let frontier = match (point.frontier.on, point.frontier.uncertain) {
        // Loads are no settings that could beat each other.
        _ if !result.load_limits.is_empty() => None,
        (true, Some(true)) => Some(Mark::FrontierUncertain),
        (true, _) => Some(Mark::Frontier),
        _ => None,
    };
    let slo = match point.meets_slo {
        Some(SloVerdict::No) => Some(Mark::MissesSlo),
        Some(SloVerdict::Uncertain) => Some(Mark::SloUncertain),
        _ => None,
    };
    let knee = is(result.knee).then_some(Mark::Knee);
    let cheapest = is(result.cheapest_within_slo()).then_some(Mark::CheapestWithinSlo);
    [frontier, knee, cheapest, slo].into_iter().flatten().collect()
}

/// The points of the frontier, cheapest first; of a long one, those nearest to the knee and the cheapest within the SLO.
fn around_the_knee(result: &SweepResult) -> Vec<&PointResult> {
    let frontier: Vec<&PointResult> = result.frontier().collect();
    let centres: Vec<usize> = [result.knee, result.cheapest_within_slo(), result.cheapest_maybe_within_slo]
        .into_iter()
        .flatten()
        .filter_map(|index| frontier.iter().position(|point| point.number == result.points[index].number))
        .collect();
    let away = |rank: usize| centres.iter().map(|centre| centre.abs_diff(rank)).min().unwrap_or(rank);
    let mut ranks: Vec<usize> = (0..frontier.len()).collect();
    ranks.sort_once_by_key(|rank| (away(*rank), *rank));
    ranks.truncate(MAX_ROWS);
    ranks.sort_unstable();
    ranks.into_iter().map(|rank| frontier[rank]).collect()
}

/// Evaluations up to which the decisions of a run are a table; more are no longer read, and `decisions.csv` has them all.
pub const MAX_STEPS: usize = 50;

/// A short run evaluation by evaluation: what the autoscaler saw, what it made of each condition, and why. `None` if the
/// evaluations are too many, or not those of a threshold loop.
pub fn steps(variant: Option<&str>, decisions: &[DecisionRecord]) -> Option<Table> {
    if decisions.is_empty() || decisions.len() > MAX_STEPS {
        return None;
    }
    let rows: Option<Vec<Row>> = (1..).zip(decisions).map(|(number, record)| step(number, record)).collect();
    let name = decisions.first().map_or("load", |record| record.explanation.metric);
    let columns = ["step", name, "add if", "remove if", "action", "instances", "reason"];
    Some(Table {
        id: STEPS_TABLE,
        title: "Steps".to_owned(),
        subject: variant.map(str::to_owned),
        columns: columns.map(Heading::named).to_vec(),
        rows: rows?,
        left_out: 0,
    })
}

fn step(number: u32, record: &DecisionRecord) -> Option<Row> {
    let explanation = &record.explanation;
    // Only a threshold loop has these.
    let (above, below) = (explanation.number("above")?, explanation.number("below")?);
    let observed = explanation.observed;
    let condition = |sign: char, threshold: f64, holds: fn(&f64, &f64) -> bool| match observed {
        Some(value) => {
            let verdict = if holds(&value, &threshold) { "yes" } else { "no" };
            format!("{} {sign} {}: {verdict}", format::count(value), format::count(threshold))
        }
        None => format!("? {sign} {}", format::count(threshold)),
    };
    Some(Row::of([
        Cell::number(number.into(), number.to_string()),
        observed.map_or_else(|| Cell::text("–"), |value| Cell::number(value, format::count(value))),
        Cell::text(condition('>', above, f64::gt)),
        Cell::text(condition('<', below, f64::lt)),
        Cell::text(action(record)),
        Cell::number(record.desired.into(), record.desired.to_string()),
        Cell::text(explanation.reason.as_str()),
    ]))
}

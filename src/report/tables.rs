//! Results as tables for people, on the terminal and in the report.

use super::html::Table;
use super::{format, sentences};
use crate::experiment::{
    Bound, COST, CompareResult, Contender, Difference, FIGURES, Figures, Keeps, MOST_FOR_ALL_PAIRS, OfType,
    Pair, PointResult, RunResult, SLO_LATENCY, Standing, SweepResult, TYPE_FIGURES, Unit,
};
use crate::scenario::Scenario;

/// Points of a sweep up to which all of them are shown, else those of the frontier.
const MOST_ROWS: usize = 20;

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

/// The figures of a run, the alternatives side by side.
pub fn run(scenario: &Scenario, result: &RunResult) -> Table {
    let currency = &scenario.model.cost.currency;
    let told = |figures: &Figures, name: &str| {
        let mean = figures.get(name).mean;
        mean.is_some() && !(mean == Some(0.0) && QUIET_WHEN_ZERO.contains(&name))
    };
    let rows = FIGURES
        .iter()
        .filter(|figure| result.alternatives.iter().any(|each| told(&each.figures, figure.name)))
        .map(|figure| {
            let cell = |figures: &Figures| format::estimate(&figures.get(figure.name), figure.unit, currency);
            let cells = result.alternatives.iter().map(|each| cell(&each.figures));
            std::iter::once(figure.name.to_owned()).chain(cells).collect()
        })
        .collect();
    let names = result.alternatives.iter().map(|each| each.name().to_owned());
    let columns = std::iter::once("figure".to_owned()).chain(names).collect();
    Table { title: "Figures".to_owned(), columns, rows, marked: None }
}

/// The types of instance of each alternative, a row each; `None` where all instances are alike.
fn types<'a>(alternatives: impl Iterator<Item = (&'a str, &'a Scenario, &'a Figures)>) -> Option<Table> {
    let alternatives: Vec<_> = alternatives.filter(|(_, _, figures)| !figures.types().is_empty()).collect();
    let named = alternatives.len() > 1;
    let says = |index: &usize| {
        let mut all = alternatives.iter().flat_map(|(_, _, figures)| figures.types());
        let quiet = QUIET_WHEN_ZERO.contains(&TYPE_FIGURES[*index].name);
        !quiet || all.any(|of| of.estimates[*index].mean != Some(0.0))
    };
    let told: Vec<usize> = (0..TYPE_FIGURES.len()).filter(says).collect();
    let row = |name: &str, scenario: &Scenario, of: &OfType| {
        let currency = &scenario.model.cost.currency;
        let cell =
            |index: &usize| format::estimate(&of.estimates[*index], TYPE_FIGURES[*index].unit, currency);
        let cells = told.iter().map(cell);
        let name = named.then(|| name.to_owned());
        name.into_iter().chain([of.name.clone()]).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = alternatives
        .iter()
        .flat_map(|(name, scenario, figures)| figures.types().iter().map(|of| row(name, scenario, of)))
        .collect();
    let names = told.iter().map(|index| TYPE_FIGURES[*index].name);
    let columns = named.then_some("alternative").into_iter().chain(["type"]).chain(names);
    let columns = columns.map(str::to_owned).collect();
    (!rows.is_empty()).then(|| Table { title: "By type of instance".to_owned(), columns, rows, marked: None })
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
        format::estimate(&contender.figures.get(figure.name), figure.unit, currency)
    };
    if result.bound.is_some() || result.contenders.len() > MOST_FOR_ALL_PAIRS {
        return ranked(result, figures, cell);
    }
    let row = |difference: &Difference| {
        let cells = result.contenders.iter().map(|contender| cell(difference, contender));
        std::iter::once(difference.figure.name.to_owned()).chain(cells).collect()
    };
    let names = result.contenders.iter().map(|contender| contender.name.clone());
    let columns = std::iter::once("figure".to_owned()).chain(names).collect();
    Table { title: "Figures".to_owned(), columns, rows: figures.iter().map(row).collect(), marked: None }
}

/// A row a contender, by rising cost, with what each costs more than the bound.
fn ranked(
    result: &CompareResult,
    figures: &[Difference],
    cell: impl Fn(&Difference, &Contender) -> String,
) -> Table {
    let names = figures.iter().map(|difference| difference.figure.name.to_owned());
    let extra = result.bound.as_ref().map(|_| "over the bound".to_owned());
    let columns = std::iter::once("contender".to_owned()).chain(names).chain(extra).collect();
    let mut order: Vec<usize> = (0..result.contenders.len()).collect();
    let cost = |index: &usize| result.contenders[*index].figures.get(COST).mean.unwrap_or(f64::INFINITY);
    order.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    let row = |index: &usize| {
        let contender = &result.contenders[*index];
        let cells = figures.iter().map(|difference| cell(difference, contender));
        let extra = result.bound.as_ref().map(|bound| over_the_bound(bound, *index));
        std::iter::once(contender.name.clone()).chain(cells).chain(extra).collect()
    };
    let marked = result.bound.as_ref().and_then(|bound| order.iter().position(|index| *index == bound.of));
    Table { title: "Figures".to_owned(), columns, rows: order.iter().map(row).collect(), marked }
}

fn over_the_bound(bound: &Bound, contender: usize) -> String {
    match bound.standings[contender] {
        _ if contender == bound.of => "the bound".to_owned(),
        Standing::Judged { relative, .. } => format::estimate(&relative, Unit::Share, ""),
        Standing::BetterThanBound => "beyond its best".to_owned(),
        Standing::WorseThanBound => "beyond its worst".to_owned(),
        Standing::Apart => "–".to_owned(),
    }
}

/// The differences of every pair, with the share of the unpaired interval that is left.
pub fn differences(result: &CompareResult) -> Table {
    let columns = ["compared", "with", "figure", "difference", "relative", "verdict", "paired/unpaired"];
    let row = |pair: &Pair, difference: &Difference| {
        let (a, b) = (&result.contenders[pair.a], &result.contenders[pair.b]);
        let currency = &a.scenario.model.cost.currency;
        vec![
            b.name.clone(),
            a.name.clone(),
            difference.figure.name.to_owned(),
            format::estimate(&difference.joint, difference.figure.unit, currency),
            format::estimate(&difference.relative, Unit::Share, currency),
            difference.verdict.name().to_owned(),
            difference.narrowing().map_or_else(|| "–".to_owned(), |share| format!("{share:.2}")),
        ]
    };
    let rows = result
        .pairs
        .iter()
        .flat_map(|pair| pair.differences.iter().map(move |each| row(pair, each)))
        .collect();
    Table { title: "Differences".to_owned(), columns: columns.map(str::to_owned).into(), rows, marked: None }
}

/// The points of a sweep: all if they are few, else those of the frontier about the knee.
pub fn sweep(scenario: &Scenario, result: &SweepResult) -> Table {
    let all = result.points.len() <= MOST_ROWS;
    let shown: Vec<&PointResult> = if all { result.points.iter().collect() } else { around_the_knee(result) };
    let variants = result.points.iter().any(|point| point.point.variant.is_some());
    let paths = result.paths();
    let mut columns: Vec<String> = variants.then(|| "variant".to_owned()).into_iter().collect();
    columns.extend(paths.iter().cloned());
    columns.extend(["cost", &sentences::percentile(scenario)].map(str::to_owned));
    columns.extend(scenario.model.slo.map(|_| "within SLO".to_owned()));
    columns.extend(["utilization", "instances", "standing"].map(str::to_owned));
    let row = |point: &&PointResult| {
        let variant = variants.then(|| point.point.variant.clone().unwrap_or_default());
        let settings = paths.iter().map(|path| point.setting(path));
        let mut row: Vec<String> = variant.into_iter().chain(settings).collect();
        row.extend(figures(scenario, &point.figures));
        row.push(standing(result, point));
        row
    };
    let marked = result.knee.and_then(|knee| {
        let knee = result.points[knee].number;
        shown.iter().position(|point| point.number == knee)
    });
    let title = match result.points.len() - shown.len() {
        0 => "Points".to_owned(),
        more => format!("The frontier ({} in sweep.csv)", format::counted(more, "other point")),
    };
    Table { title, columns, rows: shown.iter().map(row).collect(), marked }
}

fn figures(scenario: &Scenario, figures: &Figures) -> impl Iterator<Item = String> {
    let attainment = scenario.model.slo.map(|_| ("slo_attainment", Unit::Share));
    [(COST, Unit::Currency), (SLO_LATENCY, Unit::Seconds)]
        .into_iter()
        .chain(attainment)
        .chain([("utilization", Unit::Share), ("mean_ready", Unit::Instances)])
        .map(|(name, unit)| format::estimate(&figures.get(name), unit, &scenario.model.cost.currency))
}

/// What there is to say of a point: `frontier, knee`. A `?` says that noise may have decided it.
fn standing(result: &SweepResult, point: &PointResult) -> String {
    let is = |index: Option<usize>| index.is_some_and(|index| result.points[index].number == point.number);
    let mut marks = Vec::new();
    match (point.frontier.on, point.frontier.uncertain) {
        (true, Some(true)) => marks.push("frontier?"),
        (true, _) => marks.push("frontier"),
        _ => {}
    }
    marks.extend(is(result.knee).then_some("knee"));
    marks.extend(is(result.cheapest_within_slo).then_some("cheapest within SLO"));
    marks.extend(match point.meets_slo {
        Some(Keeps::No) => Some("misses SLO"),
        Some(Keeps::Uncertain) => Some("SLO uncertain"),
        _ => None,
    });
    marks.join(", ")
}

/// The points of the frontier, cheapest first; of a long one, those nearest to the knee and the cheapest within the SLO.
fn around_the_knee(result: &SweepResult) -> Vec<&PointResult> {
    let frontier: Vec<&PointResult> = result.frontier().collect();
    let centres: Vec<usize> = [result.knee, result.cheapest_within_slo, result.perhaps_within_slo]
        .into_iter()
        .flatten()
        .filter_map(|index| frontier.iter().position(|point| point.number == result.points[index].number))
        .collect();
    let away = |rank: usize| centres.iter().map(|centre| centre.abs_diff(rank)).min().unwrap_or(rank);
    let mut ranks: Vec<usize> = (0..frontier.len()).collect();
    ranks.sort_by_key(|rank| (away(*rank), *rank));
    ranks.truncate(MOST_ROWS);
    ranks.sort_unstable();
    ranks.into_iter().map(|rank| frontier[rank]).collect()
}

//! The charts of results, as data.

use std::collections::BTreeMap;

use super::chart::{
    Bound, Cell, Comparison, Contender, CostLatency, Distribution, Estimate, HeatMap, LatencySeries,
    Parameter, Samples, SweptPoint, Timeline,
};
use super::data::window_column;
use super::format::counted;
use super::{chart, sentences};
use crate::backtest::{Backtest, Field, RowCompared};
use crate::experiment::{
    self, Alternative, COST, CompareResult, Figures, PointResult, RunResult, SLO_LATENCY, SweepResult,
};
use crate::scenario::Scenario;
use crate::sim::{Outcome, Promised, Window};
use crate::stats::{self, Digest};
use crate::units::show_span;

/// Percentiles drawn besides those of every whole percent: the tail, up to p99.99.
const TAIL: [f64; 12] = [99.2, 99.4, 99.5, 99.6, 99.7, 99.8, 99.9, 99.92, 99.95, 99.97, 99.98, 99.99];

/// Cost against latency of a sweep, with the frontier and the knee.
pub fn cost_latency(scenario: &Scenario, result: &SweepResult) -> CostLatency {
    let knee = result.knee.map(|knee| result.of_setting(knee).collect::<Vec<_>>()).unwrap_or_default();
    let point = |(index, point): (usize, &PointResult)| SweptPoint {
        settings: sentences::settings_and_condition(&point.point),
        cost: estimate(point.figures.get(COST)),
        latency: estimate(point.figures.get(SLO_LATENCY)),
        meets_slo: point.meets_slo_on_average(),
        frontier: point.frontier.on,
        uncertain: point.frontier.uncertain.unwrap_or(false),
        knee: knee.contains(&index),
        name: None,
    };
    CostLatency {
        title: format!("{}: cost and latency of {}", scenario.name, counted(result.points.len(), "setting")),
        cost: cost_axis(scenario),
        latency: latency_axis(scenario),
        slo: leading_slo(scenario),
        points: result.points.iter().enumerate().map(point).collect(),
    }
}

/// Cost against latency of the alternatives of a run; `None` if there is one only, or none with a latency to show.
pub fn comparison(scenario: &Scenario, result: &RunResult) -> Option<Comparison> {
    if result.alternatives.len() < 2 {
        return None;
    }
    let named = |each: &Alternative| contender(each.name().to_owned(), &each.figures);
    let contenders = result.alternatives.iter().map(named).collect();
    side_by_side(scenario, format!("{}: cost and latency of its variants", scenario.name), contenders)
}

/// Cost against latency of what `compare` ran; axes and SLO are those of the first, `scenario`. `None` if none has a
/// latency to show.
pub fn compared(scenario: &Scenario, result: &CompareResult) -> Option<Comparison> {
    let contenders: Vec<Contender> =
        result.contenders.iter().map(|each| contender(each.name.clone(), &each.figures)).collect();
    let bound = result.bound.as_ref().map(|bound| bound_within(bound, &contenders));
    let title = format!("Cost and latency of {}", counted(contenders.len(), "alternative"));
    Some(Comparison { bound, ..side_by_side(scenario, title, contenders)? })
}

/// The bound as far as it is no slower than the slowest alternative and no dearer than the dearest: beyond, it would only
/// take room.
fn bound_within(bound: &experiment::Bound, contenders: &[Contender]) -> Bound {
    let most = |of: fn(&Contender) -> f64| {
        contenders.iter().map(of).filter(|mean| mean.is_finite()).fold(0.0, f64::max)
    };
    let (dearest, slowest) = (most(|each| each.cost.mean), most(|each| each.latency.mean));
    let mean = |figures: &Figures, name| estimate(figures.get(name)).mean;
    let points = bound.points.iter().map(|figures| (mean(figures, COST), mean(figures, SLO_LATENCY)));
    let points = points.filter(|(cost, latency)| *cost <= dearest && *latency <= slowest).collect();
    Bound { name: "Bound: minimum cost of a pool that knows the future".to_owned(), points }
}

fn contender(name: String, figures: &Figures) -> Contender {
    Contender { name, cost: estimate(figures.get(COST)), latency: estimate(figures.get(SLO_LATENCY)) }
}

fn side_by_side(scenario: &Scenario, title: String, contenders: Vec<Contender>) -> Option<Comparison> {
    // Where all lose too many requests the chart would be a pile of names at its upper edge.
    let shows = contenders.iter().any(|contender| contender.latency.mean.is_finite());
    shows.then(|| Comparison {
        title,
        cost: cost_axis(scenario),
        latency: latency_axis(scenario),
        slo: leading_slo(scenario),
        contenders,
        bound: None,
    })
}

/// One run over time.
pub fn timeline(scenario: &Scenario, title: &str, outcome: &Outcome) -> Timeline {
    let initial = f64::from(scenario.model.initial_instances());
    Timeline::new(
        format!("{title}: one run over time"),
        scenario.model.duration.as_secs_f64(),
        leading_slo(scenario),
        |line| match line.of {
            // The figure that is promised stands in the place of the p99, against its own line.
            Samples::Mean("latency_p99_s") if !promises_p99(scenario) => Vec::new(),
            Samples::Mean("promised_s") if promises_p99(scenario) => Vec::new(),
            of => samples(of, &outcome.timeline, initial),
        },
    )
}

/// Measured beside simulated over time.
pub fn backtest(result: &Backtest) -> Timeline {
    let samples = |of: Samples| -> Vec<(f64, f64)> {
        let Samples::Mean(column) = of else { return Vec::new() };
        let side = |field: Field| {
            let (name, side) = column.rsplit_once('_')?;
            (name == field.name()).then_some((field, side == "measured"))
        };
        let Some((field, measured)) = Field::ALL.into_iter().find_map(side) else { return Vec::new() };
        let value = |row: &RowCompared| {
            let compared = row.fields.get(&field)?;
            let value = if measured { compared.measured } else { compared.simulated };
            Some((row.time_s - row.length_s, value.unwrap_or(f64::NAN)))
        };
        result.rows.iter().filter_map(value).collect()
    };
    let end_s = result.rows.last().map_or(0.0, |row| row.time_s);
    let title = format!("{}: measured and simulated", result.scenario.name);
    Timeline::of(chart::MEASURED_PANELS, title, (end_s, None), |line| samples(line.of))
}

/// Whether what is promised is the p99 of the latency, which is shown where nothing is, too.
fn promises_p99(scenario: &Scenario) -> bool {
    scenario.model.slo.is_none_or(|slo| slo.leading().0 == Promised::Latency && slo.percentile == 99.0)
}

/// The samples of a line; `initial` is the number of instances that a run begins with.
fn samples(of: Samples, windows: &[Window], initial: f64) -> Vec<(f64, f64)> {
    let values = |name: &'static str| {
        let column = window_column(name);
        windows.iter().map(move |window| column.map_or(f64::NAN, |column| column.of(window).number()))
    };
    let starts = windows.iter().map(|window| window.end_s - window.length_s);
    match of {
        Samples::Mean(column) => starts.zip(values(column)).collect(),
        Samples::Rate(column) => {
            let rates = values(column).zip(windows).map(|(value, window)| value / window.length_s);
            starts.zip(rates).collect()
        }
        Samples::Level { end, min, max } => {
            let before = std::iter::once(initial).chain(values(end));
            let extremes = values(min).zip(values(max));
            let within = windows.iter().zip(before).zip(values(end)).zip(extremes);
            let within = within.flat_map(|(((window, before), after), (min, max))| {
                // What came and went between two marks is drawn between them.
                let max =
                    (max > before.max(after)).then_some((window.end_s - window.length_s * 2.0 / 3.0, max));
                let min = (min < before.min(after)).then_some((window.end_s - window.length_s / 3.0, min));
                max.into_iter().chain(min).chain([(window.end_s, after)])
            });
            std::iter::once((0.0, initial)).chain(within).collect()
        }
    }
}

/// The latency and the wait of one run; before them the time to the first token, where tokens are counted.
pub fn distribution(scenario: &Scenario, title: &str, outcome: &Outcome) -> Distribution {
    let ttft = outcome.tokens.as_ref().map(|tokens| ("Time to the first token", &tokens.ttft));
    let series = ttft.into_iter().chain([("Latency", &outcome.latency), ("Wait", &outcome.wait)]);
    let to_the_first = sentences::promised(scenario) == Promised::Ttft;
    let slo = if to_the_first { leading_slo(scenario) } else { latency_slo(scenario) };
    Distribution {
        title: format!("{title}: distribution of the latency"),
        series: series.map(|(name, digest)| series_of(name, digest)).collect(),
        slo,
    }
}

fn series_of(name: &str, digest: &Digest) -> LatencySeries {
    let percentiles: Vec<f64> = (1..=99).map(f64::from).chain(TAIL).collect();
    let shares: Vec<f64> = percentiles.iter().map(|p| p / 100.0).collect();
    let quantiles = percentiles.into_iter().zip(digest.quantiles(&shares).unwrap_or_default()).collect();
    LatencySeries { name: name.to_owned(), quantiles }
}

/// Cost over the first two swept parameters that are numbers, the others as they are at the point a user would pick; cells
/// outside the SLO are hatched. `None` if there are no two such parameters, or not every cell was run.
pub fn heat_map(scenario: &Scenario, result: &SweepResult) -> Option<HeatMap> {
    let chosen = &result.points[result.pick().unwrap_or(0)];
    let number = |point: &PointResult, path: &str| {
        point.point.settings.iter().find(|(name, _)| name == path).and_then(|(_, setting)| setting.value())
    };
    let paths = result.paths();
    let mut numeric = paths.iter().filter(|path| number(chosen, path).is_some());
    let (across, up) = (numeric.next()?, numeric.next()?);
    let alike = |point: &&PointResult| {
        point.point.variant == chosen.point.variant
            && point.point.condition == chosen.point.condition
            && paths
                .iter()
                .filter(|path| *path != across && *path != up)
                .all(|path| point.setting(path) == chosen.setting(path))
    };
    let points: Vec<&PointResult> = result.points.iter().filter(alike).collect();
    let axis = |path: &str| {
        let mut values: Vec<(f64, String)> =
            points.iter().filter_map(|point| Some((number(point, path)?, point.setting(path)))).collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        values.dedup();
        values
    };
    let (columns, rows) = (axis(across), axis(up));
    if columns.len() < 2 || rows.len() < 2 || columns.len() * rows.len() != points.len() {
        return None;
    }
    // Every value is a number of the scenario: equal ones have equal bits, but for the two zeros.
    let key = |x: f64, y: f64| ((x + 0.0).to_bits(), (y + 0.0).to_bits());
    let mut places: BTreeMap<(u64, u64), &PointResult> = BTreeMap::new();
    for point in &points {
        if let (Some(x), Some(y)) = (number(point, across), number(point, up)) {
            places.entry(key(x, y)).or_insert(point);
        }
    }
    let cell = |y: &(f64, String), x: &(f64, String)| {
        let point = places.get(&key(x.0, y.0))?;
        Some(Cell {
            value: point.figures.get(COST).mean.unwrap_or(f64::NAN),
            meets_slo: point.meets_slo_on_average(),
            knee: result.knee.is_some_and(|knee| result.points[knee].number == point.number),
        })
    };
    let cells: Option<Vec<Cell>> =
        rows.iter().flat_map(|y| columns.iter().map(move |x| cell(y, x))).collect();
    let parameter = |path: &str, values: &[(f64, String)]| Parameter {
        name: path.to_owned(),
        values: values.iter().map(|(_, shown)| shown.clone()).collect(),
    };
    Some(HeatMap {
        title: format!("{}: cost by {across} and {up}", scenario.name),
        x: parameter(across, &columns),
        y: parameter(up, &rows),
        value: cost_axis(scenario),
        cells: cells?,
    })
}

/// What an axis of cost shows.
pub fn cost_axis(scenario: &Scenario) -> String {
    format!("Cost of {}, {}", show_span(scenario.model.duration), scenario.model.cost.currency)
}

/// What the latency axis of a frontier shows.
pub fn latency_axis(scenario: &Scenario) -> String {
    let percentile = sentences::percentile(scenario);
    if sentences::promised(scenario) == Promised::Latency {
        format!("{percentile} latency")
    } else {
        percentile
    }
}

/// What is promised of the time that stands for the promise.
pub fn leading_slo(scenario: &Scenario) -> Option<chart::Slo> {
    let (_, time) = scenario.model.slo?.leading();
    Some(chart::Slo {
        label: format!("SLO: {} ≤ {time}", sentences::percentile(scenario)),
        seconds: time.as_secs_f64(),
    })
}

/// The latency promised.
fn latency_slo(scenario: &Scenario) -> Option<chart::Slo> {
    let slo = scenario.model.slo?;
    let latency = slo.promised_latency()?;
    let label = format!("SLO: p{} ≤ {latency}", slo.percentile);
    Some(chart::Slo { label, seconds: latency.as_secs_f64() })
}

fn estimate(estimate: stats::Estimate) -> Estimate {
    Estimate { mean: estimate.mean.unwrap_or(f64::NAN), interval: estimate.low.zip(estimate.high) }
}

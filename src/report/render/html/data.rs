//! The data of the page: what its script draws and computes from, small enough to travel inside it.

use serde::Serialize;

use crate::experiment::{
    COST, FIGURES, Figure, Figures, PointResult, SLO_ATTAINMENT, SLO_LATENCY, SloVerdict, SweepResult, Unit,
};
use crate::report::content::Report;
use crate::report::looks::{Look, Rounded};
use crate::report::render::json_layout::Layout;
use crate::report::results::Results;
use crate::report::{chart, sentences};
use crate::scenario::{Scenario, Setting};
use crate::sim::Promised;

/// Values of a page: beyond, only the figures that stand in tables are in it.
const MOST_VALUES: usize = 60_000;

/// The share of requests that may be late or lost in a window where nothing is promised.
const MAY_MISS: f64 = 0.01;

/// Figures of a page with many points.
const ESSENTIAL: [&str; 12] = [
    COST,
    SLO_LATENCY,
    SLO_ATTAINMENT,
    "latency.mean",
    "latency.p50",
    "latency.p99",
    "wait.p99",
    "utilization",
    "mean_ready",
    "instance_hours",
    "served",
    "cold.share",
];

/// What the script of the page reads. Lists over points are in their order.
#[derive(Debug, Serialize)]
pub struct PageData<'a> {
    version: &'static str,
    command: &'static str,
    title: &'a str,
    currency: &'a str,
    /// What is promised of the latency figure.
    slo: Option<Promise>,
    /// The time promised, which a timeline draws against its own line.
    promised: Option<PromisedTime>,
    /// The share of requests that may miss the SLO; beyond it a window is an episode.
    may_miss: f64,
    /// Names of the figures of the chart, across and up, and their titles.
    x: &'static str,
    y: &'static str,
    x_title: String,
    y_title: String,
    /// The swept keys, then those of the conditions.
    paths: Vec<String>,
    /// How many of them are conditions.
    conditions: usize,
    points: Vec<Point<'a>>,
    figures: Vec<Values>,
    /// Places of points: the knee, the cheapest confirmed to keep the SLO, the one to choose, the scenario as it is written.
    knee: Option<usize>,
    cheapest: Option<usize>,
    pick: Option<usize>,
    today: Option<usize>,
    /// Whether variants are told apart by colour.
    series: bool,
    runs: &'a [Look],
}

#[derive(Debug, Serialize)]
struct Promise {
    seconds: f64,
}

/// The time that stands for the promises, with the percentile it is promised at.
#[derive(Debug, Serialize)]
struct PromisedTime {
    name: String,
    seconds: f64,
    /// Whether it is the latency, and so of a kind with its median.
    is_latency: bool,
}

#[derive(Debug, Serialize)]
struct Point<'a> {
    variant: Option<&'a str>,
    /// The values of the swept keys as the scenario writes them; null where the variant has no such key.
    settings: Vec<Option<String>>,
    keeps: Option<SloVerdict>,
    keeps_on_average: bool,
    frontier_uncertain: bool,
    /// Whether it is a question about other traffic, and no setting to choose.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    what_if: bool,
    /// Number of its variant.
    series: usize,
    /// Its manifest, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<&'a str>,
}

/// A figure of all points.
#[derive(Debug, Serialize)]
struct Values {
    name: &'static str,
    unit: Unit,
    doc: &'static str,
    higher_is_better: bool,
    mean: Vec<Rounded>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    low: Vec<Rounded>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    high: Vec<Rounded>,
}

impl<'a> PageData<'a> {
    /// The data of `report`.
    pub fn of(report: &'a Report<'a>) -> PageData<'a> {
        let (scenario, paths, mut points, figures) = parts(&report.results);
        for (place, text) in &report.manifests {
            if let Some(point) = points.get_mut(*place) {
                point.manifest = Some(text);
            }
        }
        let mut conditions = 0;
        let (mut knee, mut cheapest, mut pick, mut today) = (None, None, None, None);
        if let Results::Sweep(base, result) = report.results {
            conditions = result.condition_paths().len();
            (knee, cheapest, pick) = (result.knee, result.cheapest_within_slo(), result.pick());
            today = as_written(base, result);
        }
        let essential = points.len() * FIGURES.len() * 3 > MOST_VALUES;
        let told = |figure: &&Figure| !essential || ESSENTIAL.contains(&figure.name);
        let figures: Vec<Values> =
            FIGURES.iter().filter(told).filter_map(|figure| values(figure, &figures)).collect();
        let has = |name: &&&str| figures.iter().any(|values| values.name == **name);
        let choices = [SLO_LATENCY, "latency.p99", SLO_ATTAINMENT, "utilization", COST];
        let y = choices.iter().find(has).copied().unwrap_or(SLO_LATENCY);
        // Where nothing is paid for, instance-hours are what a setting costs.
        let priced =
            figures.iter().any(|values| values.name == COST && values.mean.iter().any(|mean| mean.0 > 0.0));
        let x = if priced { COST } else { "instance_hours" };
        let title = |name: &str, own: String| {
            if name == x && x == COST || name == y && y == SLO_LATENCY { own } else { name.to_owned() }
        };
        PageData {
            version: env!("CARGO_PKG_VERSION"),
            command: report.head.command,
            title: &report.head.title,
            currency: &scenario.model.cost.currency,
            slo: chart::leading_slo(scenario).map(|slo| Promise { seconds: slo.seconds }),
            promised: chart::leading_slo(scenario).map(|slo| PromisedTime {
                name: sentences::percentile(scenario),
                seconds: slo.seconds,
                is_latency: sentences::promised(scenario) == Promised::Latency,
            }),
            may_miss: scenario.model.slo.map_or(MAY_MISS, |slo| slo.first().allowed()),
            x,
            y,
            x_title: title(x, chart::cost_axis(scenario)),
            y_title: title(y, sentences::percentile(scenario)),
            series: points.iter().any(|point| point.series > 0),
            conditions,
            paths,
            points,
            figures,
            knee,
            cheapest,
            pick,
            today,
            runs: &report.looks,
        }
    }

    /// The data as JSON that can stand within an element of the page: nothing in it can end that element.
    pub fn json(&self) -> String {
        within_element(&Layout::Compact.write(self))
    }
}

/// JSON so that nothing in it can end the element it stands in.
pub fn within_element(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// The point of a sweep that is the scenario as it is written, if one is.
pub fn as_written(base: &Scenario, result: &SweepResult) -> Option<usize> {
    let own = |point: &PointResult| point.point.variant.is_none() && point.point.scenario.model == base.model;
    result.points.iter().position(own)
}

type Parts<'a> = (&'a Scenario, Vec<String>, Vec<Point<'a>>, Vec<&'a Figures>);

/// The scenario, the swept keys, the points and their figures.
fn parts<'a>(results: &Results<'a>) -> Parts<'a> {
    let plain = |variant: Option<&'a str>, series: usize, keeps: Option<SloVerdict>| Point {
        variant,
        settings: Vec::new(),
        keeps,
        keeps_on_average: keeps.is_none_or(|keeps| matches!(keeps, SloVerdict::Yes | SloVerdict::SoFar)),
        frontier_uncertain: false,
        what_if: false,
        series,
        manifest: None,
    };
    match *results {
        Results::Run(scenario, result) => {
            let many = result.alternatives.len() > 1;
            let point = |(series, each): (usize, &'a crate::experiment::Alternative)| {
                let keeps = each.replications.keeps_slo();
                plain(many.then(|| each.name()), series, keeps)
            };
            let points = result.alternatives.iter().enumerate().map(point).collect();
            let figures = result.alternatives.iter().map(|each| &each.figures).collect();
            (scenario, Vec::new(), points, figures)
        }
        Results::Explain(result) => (&result.scenario, Vec::new(), Vec::new(), Vec::new()),
        Results::Recommend(scenario, _) => (scenario, Vec::new(), Vec::new(), Vec::new()),
        Results::Backtest(result) => (&result.scenario, Vec::new(), Vec::new(), Vec::new()),
        Results::Compare(scenario, result) => {
            let point = |(series, each): (usize, &'a crate::experiment::Contender)| {
                let keeps_on_average = each.replications.keeps_slo_on_average();
                let keeps = sentences::keeps(each);
                Point { keeps_on_average, ..plain(Some(each.name.as_str()), series, keeps) }
            };
            let points = result.contenders.iter().enumerate().map(point).collect();
            let figures = result.contenders.iter().map(|each| &each.figures).collect();
            (scenario, Vec::new(), points, figures)
        }
        Results::Sweep(scenario, result) => {
            let paths: Vec<String> = result.paths().into_iter().chain(result.condition_paths()).collect();
            let mut variants: Vec<Option<&str>> = Vec::new();
            let mut point = |each: &'a PointResult| {
                let variant = each.point.variant.as_deref();
                let series = variants.iter().position(|known| *known == variant).unwrap_or_else(|| {
                    variants.push(variant);
                    variants.len() - 1
                });
                let value = |path: &String| each.value(path).map(Setting::to_string);
                Point {
                    settings: paths.iter().map(value).collect(),
                    keeps_on_average: each.meets_slo_on_average(),
                    frontier_uncertain: each.frontier.uncertain.unwrap_or(false),
                    what_if: each.point.what_if,
                    ..plain(variant, series, each.meets_slo)
                }
            };
            let points = result.points.iter().map(&mut point).collect();
            let figures = result.points.iter().map(|each| &each.figures).collect();
            (scenario, paths, points, figures)
        }
    }
}

/// A figure of all points; `None` if none has it.
fn values(figure: &'static Figure, all: &[&Figures]) -> Option<Values> {
    let index = FIGURES.iter().position(|known| known.name == figure.name)?;
    let estimates: Vec<_> =
        all.iter().filter_map(|figures| figures.iter().nth(index).map(|(_, each)| each)).collect();
    if estimates.iter().all(|estimate| estimate.mean.is_none()) {
        return None;
    }
    let list = |of: fn(&crate::stats::Estimate) -> Option<f64>| {
        Rounded::all(estimates.iter().map(|estimate| of(estimate).unwrap_or(f64::NAN)))
    };
    let certain = estimates.iter().all(|estimate| estimate.low.is_none());
    Some(Values {
        name: figure.name,
        unit: figure.unit,
        doc: figure.doc,
        higher_is_better: figure.name == SLO_ATTAINMENT,
        mean: list(|estimate| estimate.mean),
        low: if certain { Vec::new() } else { list(|estimate| estimate.low) },
        high: if certain { Vec::new() } else { list(|estimate| estimate.high) },
    })
}

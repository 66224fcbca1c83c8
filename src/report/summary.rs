//! Every figure of a run, a sweep or a comparison, for programs: what `summary.json` holds.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::backtested::Past;
use super::explained::Account;
use super::results::Results;
use super::statement::Statement;
use super::{notes, sentences, warnings};
use crate::experiment::{
    CompareResult, Difference, FIGURES, Figures, LoadLimit, Pair, PointResult, PrecisionResult,
    PromiseSummary, Replications, RunPlan, RunResult, SloVerdict, Standing, StopReason, SweepResult, Unit,
    Verdict, WarmupFound,
};
use crate::recommend::Recommendation;
use crate::scenario::{Scenario, Setting};
use crate::stats::{CONFIDENCE, Estimate};
use crate::time::Span;
use crate::units::show_span;

/// Version of the form of `summary.json`: raised when a script that reads it has to change.
const SCHEMA_VERSION: u32 = 1;

/// The summary of a result.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Summary<'a>(Kind<'a>);

#[derive(Serialize)]
#[serde(untagged)]
enum Kind<'a> {
    /// Of a run of which nothing finished.
    Nothing(Box<Head<'a>>),
    Run(Box<RunSummary<'a>>),
    Sweep(Box<SweepSummary<'a>>),
    Compare(Box<CompareSummary<'a>>),
    Explain(Box<ExplainSummary<'a>>),
    Backtest(Box<BacktestSummary<'a>>),
    Recommend(Box<RecommendSummary<'a>>),
}

impl<'a> Summary<'a> {
    /// The summary of `results`.
    pub fn of(results: &Results<'a>) -> Summary<'a> {
        Summary(match *results {
            Results::Run(scenario, result) => run(scenario, result),
            Results::Sweep(scenario, result) => Kind::Sweep(Box::new(sweep(scenario, result))),
            Results::Compare(scenario, result) => Kind::Compare(Box::new(compare(scenario, result))),
            Results::Backtest(result) => Kind::Backtest(Box::new(BacktestSummary {
                head: Head::of("backtest", &result.scenario, &RunPlan::default(), true, Vec::new()),
                past: Past::of(result),
            })),
            Results::Recommend(scenario, result) => Kind::Recommend(Box::new(recommend(scenario, result))),
            Results::Explain(result) => Kind::Explain(Box::new(ExplainSummary {
                head: Head::of("explain", &result.scenario, &RunPlan::default(), true, Vec::new()),
                account: Account::of(result),
            })),
        })
    }
}

#[derive(Serialize)]
struct Head<'a> {
    schema_version: u32,
    kneepoint: &'static str,
    command: &'static str,
    scenario: &'a str,
    /// Whether all that was asked for finished.
    complete: bool,
    seed: u64,
    confidence: f64,
    currency: &'a str,
    duration_s: f64,
    warmup_s: f64,
    /// How the warm-up was found, if the scenario leaves it open.
    warmup_found: Option<WarmupSummary>,
    /// What became of the precision asked for.
    precision: Option<PrecisionSummary>,
    slo: Option<Promise>,
    /// What has to be known before any figure is read.
    warnings: Vec<Statement>,
    /// What was read, as the simulator understands it.
    reading: Vec<Statement>,
    units: BTreeMap<&'static str, Unit>,
}

#[derive(Serialize)]
struct Promise {
    latency_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttft_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tpot_s: Option<f64>,
    percentile: f64,
    /// The other promises, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<String>,
}

#[derive(Serialize)]
struct WarmupSummary {
    method: &'static str,
    pilots: u32,
    settings: usize,
    settled: bool,
    traffic_varies: bool,
}

#[derive(Serialize)]
struct PrecisionSummary {
    metric: &'static str,
    relative: f64,
    most: u32,
    reached: bool,
    replications: u32,
    widest: Option<f64>,
}

impl<'a> Head<'a> {
    fn of(
        command: &'static str,
        scenario: &'a Scenario,
        procedure: &RunPlan,
        complete: bool,
        warnings: Vec<Statement>,
    ) -> Head<'a> {
        let warmup = |found: WarmupFound| WarmupSummary {
            method: "mser-5",
            pilots: found.pilots,
            settings: found.settings,
            settled: found.settled,
            traffic_varies: found.traffic_varies,
        };
        let precision = |attained: PrecisionResult| PrecisionSummary {
            metric: attained.asked.metric,
            relative: attained.asked.relative,
            most: attained.asked.most,
            reached: attained.end == StopReason::Reached,
            replications: attained.replications,
            widest: attained.widest,
        };
        let model = &scenario.model;
        let promise = |slo: crate::sim::Slo| Promise {
            latency_s: slo.promised_latency().map(Span::as_secs_f64),
            ttft_s: slo.ttft.map(Span::as_secs_f64),
            tpot_s: slo.tpot.map(Span::as_secs_f64),
            percentile: slo.percentile,
            more: slo.more().map(|promise| promise.describe(show_span)).collect(),
        };
        Head {
            schema_version: SCHEMA_VERSION,
            kneepoint: env!("CARGO_PKG_VERSION"),
            command,
            scenario: &scenario.name,
            complete,
            seed: scenario.run.seed,
            confidence: CONFIDENCE,
            currency: &model.cost.currency,
            duration_s: model.duration.as_secs_f64(),
            warmup_s: model.warmup.as_secs_f64(),
            warmup_found: procedure.warmup.map(warmup),
            precision: procedure.precision.map(precision),
            slo: model.slo.map(promise),
            warnings,
            reading: sentences::reading(scenario),
            units: FIGURES.iter().map(|figure| (figure.name, figure.unit)).collect(),
        }
    }

    /// Says besides what times by a formula, or fitted to a load test, of what was simulated are worth.
    fn with_formulas<'s>(mut self, simulated: impl Iterator<Item = &'s Scenario>) -> Head<'a> {
        self.reading.extend(notes::formulas(simulated));
        self
    }
}

/// How each promise is kept, the error budget included; none where nothing is promised.
fn promises(replications: &Replications) -> Vec<PromiseSummary> {
    replications.promises().iter().map(PromiseSummary::of).collect()
}

#[derive(Serialize)]
struct RunSummary<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    /// Of the base scenario, or of the one variant that was asked for.
    variant: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    promises: Vec<PromiseSummary>,
    #[serde(flatten)]
    figures: &'a Figures,
    variants: Vec<VariantSummary<'a>>,
}

#[derive(Serialize)]
struct VariantSummary<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    promises: Vec<PromiseSummary>,
    #[serde(flatten)]
    figures: &'a Figures,
}

fn run<'a>(scenario: &'a Scenario, result: &'a RunResult) -> Kind<'a> {
    let head = Head::of("run", scenario, &result.procedure, result.complete, warnings::of_run(result))
        .with_formulas(result.alternatives.iter().map(|alternative| &alternative.scenario));
    let Some((first, rest)) = result.alternatives.split_first() else {
        return Kind::Nothing(Box::new(head));
    };
    Kind::Run(Box::new(RunSummary {
        head,
        variant: first.variant.as_deref(),
        promises: promises(&first.replications),
        figures: &first.figures,
        variants: rest
            .iter()
            .filter(|alternative| alternative.variant.is_some())
            .map(|alternative| VariantSummary {
                name: alternative.variant.as_deref().unwrap_or_default(),
                promises: promises(&alternative.replications),
                figures: &alternative.figures,
            })
            .collect(),
    }))
}

#[derive(Serialize)]
struct SweepSummary<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    points_planned: usize,
    /// Numbers of points, cheapest first.
    frontier: Vec<usize>,
    /// Number of a point.
    knee: Option<usize>,
    /// Number of a point, confirmed on fresh random numbers.
    cheapest_within_slo: Option<usize>,
    /// The figures of the replications that confirmed it.
    confirmation: Option<ConfirmationSummary<'a>>,
    /// Number of a cheaper point, that meets it on average but is not confirmed.
    perhaps_within_slo: Option<usize>,
    /// Fresh replications that were simulated to confirm a point.
    fresh_replications: u32,
    /// The greatest load that keeps the SLO, of each alternative, where the load is all that is swept.
    #[serde(skip_serializing_if = "<[LoadLimit]>::is_empty")]
    load_limits: &'a [LoadLimit],
    points: Vec<PointSummary<'a>>,
}

#[derive(Serialize)]
struct ConfirmationSummary<'a> {
    point: usize,
    replications: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    promises: Vec<PromiseSummary>,
    #[serde(flatten)]
    figures: &'a Figures,
    /// The same under each other condition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_conditions: Vec<ConfirmationSummary<'a>>,
}

#[derive(Serialize)]
struct PointSummary<'a> {
    point: usize,
    variant: Option<&'a str>,
    parameters: Parameters<'a>,
    #[serde(skip_serializing_if = "Parameters::is_empty")]
    conditions: Parameters<'a>,
    on_frontier: bool,
    frontier_uncertain: Option<bool>,
    meets_slo: Option<SloVerdict>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    promises: Vec<PromiseSummary>,
    #[serde(flatten)]
    figures: &'a Figures,
}

fn sweep<'a>(scenario: &'a Scenario, result: &'a SweepResult) -> SweepSummary<'a> {
    let number = |index: Option<usize>| index.map(|index| result.points[index].number);
    SweepSummary {
        head: Head::of("sweep", scenario, &result.procedure, result.complete(), warnings::of_sweep(result))
            .with_formulas(result.points.iter().map(|point| &point.point.scenario)),
        points_planned: result.planned,
        frontier: result.frontier().map(|point| point.number).collect(),
        knee: number(result.knee),
        cheapest_within_slo: number(result.cheapest_within_slo()),
        confirmation: result.confirmed.as_ref().map(|confirmed| ConfirmationSummary {
            point: result.points[confirmed.point].number,
            replications: confirmed.replications.len(),
            promises: promises(&confirmed.replications),
            figures: &confirmed.figures,
            other_conditions: confirmed
                .others
                .iter()
                .map(|(point, figures, replications)| ConfirmationSummary {
                    point: result.points[*point].number,
                    replications: replications.len(),
                    promises: promises(replications),
                    figures,
                    other_conditions: Vec::new(),
                })
                .collect(),
        }),
        perhaps_within_slo: number(result.cheapest_maybe_within_slo),
        fresh_replications: result.fresh,
        load_limits: &result.load_limits,
        points: result.points.iter().map(PointSummary::of).collect(),
    }
}

#[derive(Serialize)]
struct CompareSummary<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    correction: Correction,
    contenders: Vec<VariantSummary<'a>>,
    /// What each contender's SLO attainment would cost a pool that knows the future, if one of them does.
    bound: Option<BoundSummary<'a>>,
    pairs: Vec<PairSummary<'a>>,
}

#[derive(Serialize)]
struct BoundSummary<'a> {
    /// The contender that knows the future.
    contender: &'a str,
    /// That pool, sized for less and more than it meets, by rising cost.
    points: &'a [Figures],
    standings: BTreeMap<&'a str, &'a Standing>,
}

/// How intervals are made to hold together.
#[derive(Serialize)]
struct Correction {
    method: &'static str,
    intervals: usize,
    /// Confidence of each of them alone.
    each: f64,
}

#[derive(Serialize)]
struct PairSummary<'a> {
    /// The contender compared with.
    a: &'a str,
    /// The contender compared: differences are `b` less `a`.
    b: &'a str,
    same_requests: bool,
    differences: BTreeMap<&'static str, DifferenceSummary>,
}

#[derive(Serialize)]
struct DifferenceSummary {
    verdict: Verdict,
    /// With the joint interval, which the verdict goes by.
    difference: Estimate,
    /// With the interval it would have alone.
    alone: Estimate,
    /// As a share of `a`, with the joint interval.
    relative: Estimate,
    /// With the joint interval of independent runs.
    unpaired: Estimate,
}

fn compare<'a>(scenario: &'a Scenario, result: &'a CompareResult) -> CompareSummary<'a> {
    let name = |index: usize| result.contenders[index].name.as_str();
    let difference = |each: &Difference| DifferenceSummary {
        verdict: each.verdict,
        difference: each.joint,
        alone: each.alone,
        relative: each.relative,
        unpaired: each.unpaired,
    };
    let pair = |pair: &'a Pair| PairSummary {
        a: name(pair.a),
        b: name(pair.b),
        same_requests: pair.same_requests,
        differences: pair.differences.iter().map(|each| (each.figure.name, difference(each))).collect(),
    };
    CompareSummary {
        head: Head::of(
            "compare",
            scenario,
            &result.procedure,
            result.complete,
            warnings::of_comparison(result),
        )
        .with_formulas(result.contenders.iter().map(|contender| &contender.scenario)),
        correction: Correction { method: "bonferroni", intervals: result.intervals, each: result.each },
        contenders: result
            .contenders
            .iter()
            .map(|contender| VariantSummary {
                name: &contender.name,
                promises: promises(&contender.replications),
                figures: &contender.figures,
            })
            .collect(),
        bound: result.bound.as_ref().map(|bound| BoundSummary {
            contender: name(bound.of),
            points: &bound.points,
            standings: bound.standings.iter().enumerate().map(|(index, each)| (name(index), each)).collect(),
        }),
        pairs: result.pairs.iter().map(pair).collect(),
    }
}

impl<'a> PointSummary<'a> {
    fn of(point: &'a PointResult) -> PointSummary<'a> {
        PointSummary {
            point: point.number,
            variant: point.point.variant.as_deref(),
            parameters: Parameters(&point.point.settings),
            conditions: Parameters(&point.point.condition),
            on_frontier: point.frontier.on,
            frontier_uncertain: point.frontier.uncertain,
            meets_slo: point.meets_slo,
            promises: promises(&point.replications),
            figures: &point.figures,
        }
    }
}

#[derive(Serialize)]
struct RecommendSummary<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    recommendation: &'a Recommendation,
}

fn recommend<'a>(scenario: &'a Scenario, result: &'a Recommendation) -> RecommendSummary<'a> {
    let head = Head::of("recommend", scenario, &RunPlan::default(), result.complete, Vec::new())
        .with_formulas(std::iter::once(scenario));
    RecommendSummary { head, recommendation: result }
}

#[derive(Serialize)]
struct BacktestSummary<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    past: Past<'a>,
}

#[derive(Serialize)]
struct ExplainSummary<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    account: Account<'a>,
}

/// Parameters by path, in the order the scenario sweeps them.
struct Parameters<'a>(&'a [(String, Setting)]);

impl Parameters<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (path, setting) in self.0 {
            match setting {
                Setting::Number(number) => map.serialize_entry(path, number)?,
                Setting::Bool(bool) => map.serialize_entry(path, bool)?,
                text => map.serialize_entry(path, &text.to_string())?,
            }
        }
        map.end()
    }
}

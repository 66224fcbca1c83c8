//! An autoscaler that had nothing to decide: its metric never came near its target, or never fell back to it.

use super::format;
use super::statement::Statement;
use crate::autoscaler::Autoscaler;
use crate::experiment::{
    Alternative, CompareResult, Contender, Figures, PointResult, RunResult, SeenMetric, SweepResult,
};
use crate::scenario::Scenario;
use crate::sim::PoolName;

/// A metric that is below this share of its target throughout never came near it.
const FAR_BELOW: f64 = 0.5;
/// One that is above this multiple of it throughout never came back to it.
const FAR_ABOVE: f64 = 2.0;

/// What is to be said of each alternative of a run.
pub fn of_run(result: &RunResult) -> Vec<Statement> {
    let alone = result.alternatives.len() == 1;
    let of = |each: &Alternative| {
        let Some(seen) = &each.first else { return Vec::new() };
        statements((!alone).then(|| each.name()), &each.scenario, &each.figures, &seen.metrics)
    };
    result.alternatives.iter().flat_map(of).collect()
}

/// The same for each contender of a comparison.
pub fn of_comparison(result: &CompareResult) -> Vec<Statement> {
    let of = |each: &Contender| statements(Some(&each.name), &each.scenario, &each.figures, &each.seen);
    result.contenders.iter().flat_map(of).collect()
}

/// The same for the points of a sweep, in one statement: where no setting of it changed anything, or the metric of the point
/// seen in detail stayed far from its target.
pub fn of_sweep(result: &SweepResult) -> Vec<Statement> {
    let is_one = |point: &PointResult| is_still(&point.point.scenario, &point.figures);
    let count = result.points.iter().filter(|point| is_one(point)).count();
    if count == 0 {
        return Vec::new();
    }
    let detail = result.detailed_run.as_ref().and_then(|(index, seen)| {
        result.points.get(*index).filter(|point| is_one(point))?;
        let (words, far) = range(&seen.metrics)?;
        Some((format!(" At the one shown in detail {words}."), far))
    });
    let is_far = matches!(detail, Some((_, Some(_))));
    if count < result.points.len() && !is_far {
        return Vec::new();
    }
    let text = format!(
        "In {count} of {} the autoscaler never changed the number of instances.{}",
        format::counted(result.points.len(), "setting"),
        detail.map_or_else(String::new, |(words, _)| words)
    );
    vec![Statement::plain("warning.still", text).with("settings", count)]
}

/// Whether a pool whose number of instances could change kept it in every run.
fn is_still(scenario: &Scenario, figures: &Figures) -> bool {
    let decode = scenario.model.decode.iter().map(|decode| decode.autoscaler.limits());
    let mut limits = std::iter::once(scenario.model.autoscaler.limits()).chain(decode);
    let never = |name: &str| figures.get(name).mean == Some(0.0);
    limits.any(|limits| limits.min < limits.max) && never("scale_ups") && never("scale_downs")
}

/// What is to be said of the autoscaler of what is called `name`, or of those of its two pools.
fn statements(
    name: Option<&str>,
    scenario: &Scenario,
    figures: &Figures,
    seen: &[SeenMetric],
) -> Vec<Statement> {
    let of = name.map_or_else(String::new, |name| format!(" of {name}"));
    let own = &scenario.model.autoscaler;
    let Some(decode) = &scenario.model.decode else {
        return statement(&format!("The autoscaler{of}"), own, scenario, figures, seen).into_iter().collect();
    };
    let one = |(pool, autoscaler): (PoolName, &Autoscaler)| {
        let seen: Vec<SeenMetric> = seen.iter().filter(|metric| metric.pool == Some(pool)).copied().collect();
        let name = format!("The autoscaler of the {} pool{of}", pool.shown());
        statement(&name, autoscaler, scenario, figures, &seen)
    };
    PoolName::ALL.into_iter().zip([own, &decode.autoscaler]).filter_map(one).collect()
}

fn statement(
    name: &str,
    autoscaler: &Autoscaler,
    scenario: &Scenario,
    figures: &Figures,
    seen: &[SeenMetric],
) -> Option<Statement> {
    let limits = autoscaler.limits();
    let (words, far) = range(seen)?;
    let far = far.filter(|_| limits.min < limits.max)?;
    let (one_way, end) = match far {
        Far::Below => ("could only shrink the pool", "no scale-up was ever possible"),
        Far::Above => ("could only grow the pool", "no scale-down was ever possible"),
    };
    let begin = if is_still(scenario, figures) { "never changed the number of instances" } else { one_way };
    Some(Statement::plain("warning.still", format!("{name} {begin}: {words}: {end}.")))
}

/// On which side of its target a metric stayed far from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Far {
    Below,
    Above,
}

/// What the metrics came to in words, and whether all of them stayed far from their targets on one side.
fn range(seen: &[SeenMetric]) -> Option<(String, Option<Far>)> {
    let words = |metric: &SeenMetric| {
        let SeenMetric { name, low, high, target, ratio, pool } = metric;
        let (low, high, of) = match (ratio, target) {
            (Some((low, high)), Some(target)) => {
                (low, high, format!(" times its target of {}", format::count(*target)))
            }
            // Of a total the target grows with the pool.
            (Some((low, high)), None) => (low, high, " times what the instances are to have".to_owned()),
            (None, _) => (low, high, String::new()),
        };
        let pool = pool.map_or_else(String::new, |pool| format!(" of the {} pool", pool.shown()));
        format!("{name}{pool} stayed between {} and {}{of}", format::count(*low), format::count(*high))
    };
    let far = |metric: &SeenMetric| match metric.ratio? {
        (_, high) if high < FAR_BELOW => Some(Far::Below),
        (low, _) if low > FAR_ABOVE => Some(Far::Above),
        _ => None,
    };
    let side = far(seen.first()?).filter(|side| seen.iter().all(|metric| far(metric) == Some(*side)));
    Some((seen.iter().map(words).collect::<Vec<_>>().join("; "), side))
}

//! An autoscaler that had nothing to decide: its metric never came near its target, or never fell back to it.

use super::format;
use super::statement::Statement;
use crate::experiment::{
    Alternative, CompareResult, Contender, Figures, PointResult, RunResult, SeenMetric, SweepResult,
};
use crate::scenario::Scenario;

/// A metric that is below this share of its target throughout never came near it.
const FAR_BELOW: f64 = 0.5;
/// One that is above this multiple of it throughout never came back to it.
const FAR_ABOVE: f64 = 2.0;

/// What is to be said of each alternative of a run.
pub fn of_run(result: &RunResult) -> Vec<Statement> {
    let alone = result.alternatives.len() == 1;
    let of = |each: &Alternative| {
        let seen = each.first.as_ref()?;
        let name = if alone { "The autoscaler".to_owned() } else { of_one(each.name()) };
        statement(&name, &each.scenario, &each.figures, &seen.metrics)
    };
    result.alternatives.iter().filter_map(of).collect()
}

/// The same for each contender of a comparison.
pub fn of_comparison(result: &CompareResult) -> Vec<Statement> {
    let of = |each: &Contender| statement(&of_one(&each.name), &each.scenario, &each.figures, &each.seen);
    result.contenders.iter().filter_map(of).collect()
}

fn of_one(name: &str) -> String {
    format!("The autoscaler of {name}")
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
    let limits = scenario.model.autoscaler.limits();
    let never = |name: &str| figures.get(name).mean == Some(0.0);
    limits.min < limits.max && never("scale_ups") && never("scale_downs")
}

fn statement(name: &str, scenario: &Scenario, figures: &Figures, seen: &[SeenMetric]) -> Option<Statement> {
    if scenario.model.decode.is_some() {
        // What the metrics of two pools came to is not told apart.
        return None;
    }
    let limits = scenario.model.autoscaler.limits();
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
        let SeenMetric { name, low, high, target, ratio } = metric;
        let (low, high, of) = match (ratio, target) {
            (Some((low, high)), Some(target)) => {
                (low, high, format!(" times its target of {}", format::count(*target)))
            }
            // Of a total the target grows with the pool.
            (Some((low, high)), None) => (low, high, " times what the instances are to have".to_owned()),
            (None, _) => (low, high, String::new()),
        };
        format!("{name} stayed between {} and {}{of}", format::count(*low), format::count(*high))
    };
    let far = |metric: &SeenMetric| match metric.ratio? {
        (_, high) if high < FAR_BELOW => Some(Far::Below),
        (low, _) if low > FAR_ABOVE => Some(Far::Above),
        _ => None,
    };
    let side = far(seen.first()?).filter(|side| seen.iter().all(|metric| far(metric) == Some(*side)));
    Some((seen.iter().map(words).collect::<Vec<_>>().join("; "), side))
}

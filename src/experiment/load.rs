//! The greatest load that keeps the SLO: what a sweep of the load alone asks for.

use super::{LoadLimit, PointResult};
use crate::sorting::Sorting as _;
use crate::stats::{CONFIDENCE, Estimate};

/// The limit of each alternative, if a numeric condition of the load is all that is swept and all points finished.
pub(super) fn limits(points: &[PointResult], complete: bool) -> Vec<LoadLimit> {
    let alone = |point: &PointResult| point.point.settings.is_empty() && point.point.condition.len() == 1;
    if !complete || points.is_empty() || !points.iter().all(alone) {
        return Vec::new();
    }
    let mut limits: Vec<LoadLimit> = Vec::new();
    for point in points {
        let variant = &point.point.variant;
        if !limits.iter().any(|limit| limit.variant == *variant) {
            let of: Vec<&PointResult> =
                points.iter().filter(|other| other.point.variant == *variant).collect();
            limits.extend(limit(&of));
        }
    }
    limits
}

/// One load: its value, and the share of misses with its limits.
struct Level {
    load: f64,
    share: f64,
    low: f64,
    high: f64,
    utilization: Option<f64>,
    replications: u32,
}

/// The least limit of all promises: beyond it one is missed.
fn limit(points: &[&PointResult]) -> Option<LoadLimit> {
    let promises = points.first()?.point.scenario.model.slo?.promises().count();
    let limits: Option<Vec<LoadLimit>> = (0..promises).map(|promise| limit_of(points, promise)).collect();
    let load = |limit: &LoadLimit| match limit.load.mean {
        Some(_) if limit.beyond => f64::INFINITY,
        Some(load) => load,
        None => f64::NEG_INFINITY,
    };
    limits?.into_iter().reduce(|least, next| if load(&next) < load(&least) { next } else { least })
}

fn limit_of(points: &[&PointResult], promise: usize) -> Option<LoadLimit> {
    let first = points.first()?;
    let path = first.point.condition.first()?.0.clone();
    let is_load = path == "traffic" || path.split('.').next() == Some("arrivals");
    let allowed = first.point.scenario.model.slo?.promises().nth(promise)?.allowed();
    let error = (1.0 - CONFIDENCE) / 2.0;
    let mut levels: Vec<Level> = points
        .iter()
        .map(|point| {
            let load = point.point.condition.first()?.1.value()?;
            let misses = point.replications.misses_of(promise)?;
            Some(Level {
                load,
                share: misses.share(),
                low: misses.lower_limit(error).unwrap_or(0.0),
                high: misses.upper_limit(error).unwrap_or(1.0),
                utilization: point.figures.get("utilization").mean,
                replications: misses.replications(),
            })
        })
        .collect::<Option<Vec<Level>>>()?;
    levels.sort_once_by(|a, b| a.load.total_cmp(&b.load));
    if !is_load || levels.len() < 2 {
        return None;
    }
    // A greater load misses no less: what bounds the misses at one bounds them at the lesser ones, where none may be seen.
    let mut high = f64::INFINITY;
    for level in levels.iter_mut().rev() {
        high = high.min(level.high);
        level.high = high;
    }
    let crossing = |share: fn(&Level) -> f64| crossing(&levels, allowed, share);
    let (mean, low, upper) =
        (crossing(|level| level.share), crossing(|level| level.high), crossing(|level| level.low));
    let beyond = matches!(mean, Crossing::Beyond);
    let at = |crossing: Crossing, beyond: f64| match crossing {
        Crossing::At(load) => Some(load),
        Crossing::Before => None,
        Crossing::Beyond => Some(beyond),
    };
    let last = levels.last()?.load;
    let mean = at(mean, last);
    let load = Estimate {
        mean,
        low: at(low, last),
        high: at(upper, f64::INFINITY),
        replications: levels.iter().map(|level| level.replications).min().unwrap_or(0),
    };
    let utilization = mean.and_then(|load| utilization_at(&levels, load));
    Some(LoadLimit { variant: first.point.variant.clone(), path, load, beyond, utilization })
}

/// Where a share exceeds what is allowed.
#[derive(Clone, Copy)]
enum Crossing {
    /// At the least load already.
    Before,
    At(f64),
    /// Beyond the greatest load.
    Beyond,
}

fn crossing(levels: &[Level], allowed: f64, share: fn(&Level) -> f64) -> Crossing {
    let Some(over) = levels.iter().position(|level| share(level) > allowed) else { return Crossing::Beyond };
    if over == 0 {
        return Crossing::Before;
    }
    let (a, b) = (&levels[over - 1], &levels[over]);
    let along = (allowed - share(a)) / (share(b) - share(a));
    Crossing::At(a.load + along * (b.load - a.load))
}

fn utilization_at(levels: &[Level], load: f64) -> Option<f64> {
    let above = levels.iter().position(|level| level.load >= load)?;
    let b = &levels[above];
    if above == 0 || b.load == load {
        return b.utilization;
    }
    let a = &levels[above - 1];
    let along = (load - a.load) / (b.load - a.load);
    Some(a.utilization? + along * (b.utilization? - a.utilization?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(shares: &[f64]) -> Vec<Level> {
        let level = |(index, share): (usize, &f64)| Level {
            load: 10.0 * (index + 1) as f64,
            share: *share,
            low: share / 2.0,
            high: share * 2.0,
            utilization: Some(0.1 * (index + 1) as f64),
            replications: 20,
        };
        shares.iter().enumerate().map(level).collect()
    }

    #[test]
    fn the_limit_lies_where_the_share_of_misses_crosses_what_is_allowed() {
        let levels = levels(&[0.0, 0.02, 0.10, 0.4]);
        let at = |share: fn(&Level) -> f64, allowed: f64| match crossing(&levels, allowed, share) {
            Crossing::At(load) => load,
            Crossing::Before => f64::NEG_INFINITY,
            Crossing::Beyond => f64::INFINITY,
        };
        // 5 % lies 3/8 of the way from 2 to 10 %.
        assert!((at(|level| level.share, 0.05) - 23.75).abs() < 1e-9);
        assert!(at(|level| level.high, 0.05) < 23.75 && at(|level| level.low, 0.05) > 23.75);
        assert_eq!(at(|level| level.share, 0.5), f64::INFINITY);
        assert_eq!(at(|level| level.share + 1.0, 0.5), f64::NEG_INFINITY);
        assert!((utilization_at(&levels, 25.0).unwrap() - 0.25).abs() < 1e-9);
        assert_eq!(utilization_at(&levels, 10.0), Some(0.1));
    }
}

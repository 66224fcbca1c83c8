//! An analysis and what follows from it, in figures and in words.

use serde_json::Value;

use super::saturation::{Analysis, Thresholds};
use super::targets::{Variant, Verdict};
use crate::autoscaler::Rounded;

/// Every number of an analysis, in the order it is worked out.
pub(super) fn figures(analysis: &Analysis) -> [(&'static str, Value); 8] {
    [
        ("total", analysis.total.into()),
        ("non_saturated", analysis.non_saturated.into()),
        ("avg_spare_kv", analysis.avg_spare_kv.into()),
        ("avg_spare_queue", analysis.avg_spare_queue.into()),
        ("scale_up", analysis.scale_up().into()),
        ("remaining_spare_kv", analysis.remaining_spare_kv.into()),
        ("remaining_spare_queue", analysis.remaining_spare_queue.into()),
        ("scale_down_safe", analysis.scale_down_safe.into()),
    ]
}

/// Why the variants get what they get.
pub(super) fn reason(
    verdict: Verdict,
    analysis: &Analysis,
    thresholds: &Thresholds,
    variants: &[Variant<'_>],
) -> String {
    // The pool of a simulation has one variant, whose name says nothing.
    let of = |index: usize| match variants {
        [_] => String::new(),
        all => format!(" of {}", all[index].name),
    };
    let target = |index: usize| verdict.target(index, &variants[index]);
    match verdict {
        Verdict::NoMetrics => "no instance reports: stay".to_owned(),
        Verdict::Transition(index) => {
            let (variant, stays) = (&variants[index], target(index));
            let why = match variant.reporting {
                Some(reporting) if !variant.resizing() => {
                    format!("{} exist but {reporting} report", variant.current)
                }
                _ => format!("{} exist and {} were asked for", variant.current, variant.desired),
            };
            format!("{why}{}: a change is on its way, so stay at {stays}", of(index))
        }
        Verdict::Up(index) => {
            format!("{}: one more{}, to {}", shortage(analysis, thresholds), of(index), target(index))
        }
        Verdict::AllPending => {
            format!("{}, but one is starting already: stay", shortage(analysis, thresholds))
        }
        Verdict::Down(index) => {
            let (kv, queue) = room_without_one(analysis);
            format!(
                "without one there is still room for {kv} of the cache and {queue}: one fewer{}, to {}",
                of(index),
                target(index)
            )
        }
        Verdict::AtOne => "one could go, but the last one stays".to_owned(),
        Verdict::Stay if analysis.non_saturated < 2 => {
            let left = analysis.non_saturated;
            format!("enough room, and {left} not saturated are too few to give one up: stay")
        }
        Verdict::Stay => {
            let (kv, queue) = room_without_one(analysis);
            format!("enough room, but without one there were only {kv} of the cache and {queue}: stay")
        }
    }
}

/// What an analysis says by itself.
pub(super) fn analysed(analysis: &Analysis, thresholds: &Thresholds) -> String {
    match (analysis.total, analysis.scale_up(), analysis.scale_down_safe) {
        (0, ..) => "no instance reports".to_owned(),
        (_, true, _) => format!("{}: one more is needed", shortage(analysis, thresholds)),
        (_, _, true) => "enough room, also with one fewer".to_owned(),
        (_, _, false) => "enough room, but not with one fewer".to_owned(),
    }
}

/// Which room is short.
fn shortage(analysis: &Analysis, thresholds: &Thresholds) -> String {
    if analysis.total == 0 {
        return "room is short".to_owned();
    }
    if analysis.non_saturated == 0 {
        return format!("all {} saturated", analysis.total);
    }
    let kv = || {
        let (spare, trigger) = (Rounded(analysis.avg_spare_kv), thresholds.kv_spare_trigger);
        format!("room for {spare} of the cache on average, less than {trigger}")
    };
    let queue = || {
        let (spare, trigger) = (requests(analysis.avg_spare_queue), thresholds.queue_spare_trigger);
        format!("room for {spare} in the queue on average, less than {trigger}")
    };
    match (analysis.kv_low, analysis.queue_low) {
        (true, true) => format!("{}; {}", kv(), queue()),
        (true, false) => kv(),
        _ => queue(),
    }
}

fn room_without_one(analysis: &Analysis) -> (Rounded, String) {
    let kv = Rounded(analysis.remaining_spare_kv.unwrap_or(0.0));
    (kv, requests(analysis.remaining_spare_queue.unwrap_or(0.0)))
}

fn requests(number: f64) -> String {
    format!("{} request{}", Rounded(number), if number == 1.0 { "" } else { "s" })
}

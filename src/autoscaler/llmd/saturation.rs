//! The analysis of a model: which replicas are saturated, whether more are needed, whether one may go.
//!
//! llm-d workload-variant-autoscaler at b08b1c7, `internal/saturation/analyzer.go`, the percentage-based analyzer (V1).

/// When a replica counts as saturated, and how much room all of them together have to keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Thresholds {
    /// KV-cache use from which on a replica is saturated, 0 to 1.
    pub kv_cache_threshold: f64,
    /// Requests waiting at a replica from which on it is saturated.
    pub queue_length_threshold: f64,
    /// Mean room in the KV cache below which one more replica is asked for, 0 to 1.
    pub kv_spare_trigger: f64,
    /// Mean room in the queue below which one more replica is asked for, requests.
    pub queue_spare_trigger: f64,
}

/// What one replica reports. A value that could not be read counts as saturated, and in no mean: a replica that says
/// nothing is not an idle one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// KV-cache use, 0 to 1.
    pub kv_usage: Option<f64>,
    /// Requests waiting.
    pub queue: Option<f64>,
}

/// Minimum number of replicas with room for one to be taken away.
const FEWEST_TO_SHRINK: u32 = 2;

/// What the replicas of one variant come to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Group {
    /// Replicas that report.
    pub replicas: u32,
    /// Those of them with room.
    pub non_saturated: u32,
    /// Mean room in the KV cache of those with room; 0 if there are none.
    pub avg_spare_kv: f64,
    /// Mean room in the queue of those with room; 0 if there are none.
    pub avg_spare_queue: f64,
    /// Mean KV-cache use of all that report it; 0 if none does.
    pub avg_kv: f64,
    /// Greatest KV-cache use.
    pub max_kv: f64,
    /// Longest queue.
    pub max_queue: f64,
}

impl Group {
    /// Sums up the replicas of one variant.
    pub fn of(loads: impl Iterator<Item = Load>, thresholds: &Thresholds) -> Group {
        let mut group = Group::default();
        let (mut kv_sum, mut kv_count) = (0.0, 0);
        let (mut spare_kv, mut spare_queue) = (0.0, 0.0);
        for load in loads {
            group.replicas += 1;
            if let Some(kv) = load.kv_usage {
                kv_sum += kv;
                kv_count += 1;
                group.max_kv = group.max_kv.max(kv);
            }
            group.max_queue = group.max_queue.max(load.queue.unwrap_or(0.0));
            if let Some((kv, queue)) = thresholds.room(load) {
                group.non_saturated += 1;
                spare_kv += kv;
                spare_queue += queue;
            }
        }
        if group.non_saturated > 0 {
            group.avg_spare_kv = spare_kv / f64::from(group.non_saturated);
            group.avg_spare_queue = spare_queue / f64::from(group.non_saturated);
        }
        if kv_count > 0 {
            group.avg_kv = kv_sum / f64::from(kv_count);
        }
        group
    }
}

impl Thresholds {
    /// Room of a replica in KV cache and queue; `None` if it is saturated.
    pub fn room(&self, load: Load) -> Option<(f64, f64)> {
        let (kv, queue) = (load.kv_usage?, load.queue?);
        let saturated = kv >= self.kv_cache_threshold || queue >= self.queue_length_threshold;
        (!saturated).then_some((self.kv_cache_threshold - kv, self.queue_length_threshold - queue))
    }
}

/// What the replicas of all variants of a model come to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Analysis {
    /// Replicas that report.
    pub total: u32,
    /// Those of them with room.
    pub non_saturated: u32,
    /// Mean room in the KV cache of those with room.
    pub avg_spare_kv: f64,
    /// Mean room in the queue of those with room.
    pub avg_spare_queue: f64,
    /// Whether the room in the KV cache is below its trigger.
    pub kv_low: bool,
    /// Whether the room in the queue is below its trigger.
    pub queue_low: bool,
    /// The room there would be in the KV cache with one replica fewer; `None` below two replicas with room.
    pub remaining_spare_kv: Option<f64>,
    /// The room there would be in the queue with one replica fewer.
    pub remaining_spare_queue: Option<f64>,
    /// Whether one replica may go.
    pub scale_down_safe: bool,
}

impl Analysis {
    /// Whether one more replica is needed.
    pub fn scale_up(&self) -> bool {
        self.kv_low || self.queue_low
    }

    /// Analyses a model by its variants. Without any replica that reports, nothing is known and nothing is asked for.
    pub fn of(groups: impl Iterator<Item = Group>, thresholds: &Thresholds) -> Analysis {
        let mut analysis = Analysis::default();
        for group in groups {
            let weight = f64::from(group.non_saturated);
            analysis.total += group.replicas;
            analysis.non_saturated += group.non_saturated;
            analysis.avg_spare_kv += group.avg_spare_kv * weight;
            analysis.avg_spare_queue += group.avg_spare_queue * weight;
        }
        if analysis.total == 0 {
            return analysis;
        }
        if analysis.non_saturated > 0 {
            analysis.avg_spare_kv /= f64::from(analysis.non_saturated);
            analysis.avg_spare_queue /= f64::from(analysis.non_saturated);
        }
        analysis.kv_low = analysis.avg_spare_kv < thresholds.kv_spare_trigger;
        analysis.queue_low = analysis.avg_spare_queue < thresholds.queue_spare_trigger;
        if analysis.non_saturated >= FEWEST_TO_SHRINK {
            analysis.try_one_fewer(thresholds);
        }
        analysis
    }

    /// Spreads the load of all replicas with room over one fewer.
    fn try_one_fewer(&mut self, thresholds: &Thresholds) {
        let factor = f64::from(self.non_saturated) / f64::from(self.non_saturated - 1);
        let remaining = |threshold: f64, spare: f64| threshold - (threshold - spare) * factor;
        let kv = remaining(thresholds.kv_cache_threshold, self.avg_spare_kv);
        let queue = remaining(thresholds.queue_length_threshold, self.avg_spare_queue);
        self.remaining_spare_kv = Some(kv);
        self.remaining_spare_queue = Some(queue);
        self.scale_down_safe = kv >= thresholds.kv_spare_trigger && queue >= thresholds.queue_spare_trigger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Thresholds = Thresholds {
        kv_cache_threshold: 0.8,
        queue_length_threshold: 5.0,
        kv_spare_trigger: 0.1,
        queue_spare_trigger: 3.0,
    };

    fn analysed(loads: &[(f64, f64)]) -> Analysis {
        let load = |(kv, queue): &(f64, f64)| Load { kv_usage: Some(*kv), queue: Some(*queue) };
        let group = Group::of(loads.iter().map(load), &DEFAULT);
        Analysis::of(std::iter::once(group), &DEFAULT)
    }

    #[test]
    fn little_room_in_either_asks_for_one_more() {
        let kv = analysed(&[(0.75, 1.0), (0.76, 1.0)]);
        assert!((kv.kv_low, kv.queue_low) == (true, false) && kv.scale_up());
        let queue = analysed(&[(0.5, 3.0), (0.5, 3.0)]);
        assert!((queue.kv_low, queue.queue_low) == (false, true) && queue.scale_up());
        assert!(!analysed(&[(0.5, 1.0), (0.5, 1.0)]).scale_up());
    }

    #[test]
    fn one_may_go_if_the_load_on_the_others_leaves_them_room() {
        let safe = analysed(&[(0.2, 1.0), (0.3, 1.0), (0.25, 1.0)]);
        assert!(safe.scale_down_safe);
        // A load of 0.25 and 1 on three is 0.375 and 1.5 on two.
        assert!((safe.remaining_spare_kv.unwrap() - 0.425).abs() < 1e-12);
        assert!((safe.remaining_spare_queue.unwrap() - 3.5).abs() < 1e-12);
        assert!(!analysed(&[(0.7, 2.0), (0.75, 2.0)]).scale_down_safe);
        assert!(!analysed(&[(0.1, 0.0)]).scale_down_safe, "the last one with room stays");
    }

    #[test]
    fn saturated_replicas_have_no_say_in_the_room_that_is_left() {
        let found = analysed(&[(0.85, 2.0), (0.5, 6.0), (0.6, 2.0)]);
        assert_eq!((found.total, found.non_saturated), (3, 1));
        assert!((found.avg_spare_kv - 0.2).abs() < 1e-12 && (found.avg_spare_queue - 3.0).abs() < 1e-12);
        let all = analysed(&[(0.85, 2.0), (0.5, 6.0)]);
        assert_eq!((all.avg_spare_kv, all.avg_spare_queue, all.scale_down_safe), (0.0, 0.0, false));
        assert!(all.scale_up());
    }

    #[test]
    fn no_report_at_all_asks_for_nothing_and_a_missing_one_is_no_room() {
        assert_eq!(analysed(&[]), Analysis::default());
        let silent = Load { kv_usage: None, queue: Some(0.0) };
        let idle = Load { kv_usage: Some(0.3), queue: Some(1.0) };
        let group = Group::of([silent, idle].into_iter(), &DEFAULT);
        assert_eq!((group.replicas, group.non_saturated, group.avg_kv), (2, 1, 0.3));
    }
}

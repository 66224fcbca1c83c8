//! `[instances.warm_pool]`: instances kept started, beside the pool that serves.
//!
//! The rules are those of a warm pool of Amazon EC2 Auto Scaling (its user guide, "Decrease latency for applications with
//! long boot times using warm pools"): its size is the greater of `min_size` and of what `max_prepared` leaves beside the
//! instances asked for; a scale-up takes from it first; it fills up again from instances that start cold; a scale-down
//! returns instances to it if they may be used again, else ends them.

use super::instance_type::{InstanceType, MAX_INSTANCES};
use super::stage::{Stage, StartAttempt};
use crate::distribution::Durations;
use crate::random::{Purpose, Streams};
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::Span;

/// Instances kept started, beside the pool that serves.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmPool {
    /// Minimum number of instances to keep warm.
    pub min_size: u32,
    /// Instances to have in all, warm or asked for by the autoscaler; `None`: no matter.
    pub max_prepared: Option<u32>,
    /// Price of an instance while it is warm, as a share of its price in service, 0 to 1.
    pub price_fraction: f64,
    /// Name of the stage of the cold start that a warm instance has behind it last; `None`: the last.
    pub after: Option<String>,
    /// Time from warm to ready, in seconds; `None`: that of the stages that are left.
    pub start: Option<Durations>,
    /// Whether an instance that is scaled down returns to the warm pool.
    pub reuse_on_scale_in: bool,
}

const MIN_SIZE: Key<u32> = Key::or(
    "min_size",
    "0",
    "Minimum instances to keep warm, whatever the desired number. EC2 Auto Scaling: `MinSize`.",
)
.at_most(MAX_INSTANCES);
const MAX_PREPARED: Key<Option<u32>> = Key::optional(
    "max_prepared",
    "Instances to have in all, warm or asked for by the autoscaler: the warm pool shrinks as more are asked for. EC2 Auto Scaling calls it `MaxGroupPreparedCapacity`, and takes the group's maximum if it is left out. Without it the size is `min_size`.",
)
.at_most(MAX_INSTANCES);
const PRICE_FRACTION: Key<f64> = Key::or(
    "price_fraction",
    "1",
    "Price of an instance while it is warm, as a share of its price in service: 1 where it runs, as good as 0 where it is stopped and only its disk is paid for. The time is billed exactly.",
)
.at_least(0.0)
.at_most(1.0);
const AFTER: Key<Option<String>> = Key::optional(
    "after",
    "Name of the stage of the cold start at whose end an instance is warm. Without it, the last.",
);
const START: Key<Option<Durations>> = Key::optional(
    "start",
    "Time from warm to ready. Without it, that of the stages of the cold start that are left.",
);
const REUSE: Key<bool> = Key::or(
    "reuse_on_scale_in",
    "false",
    "Whether an instance that is scaled down returns to the warm pool when it has drained, as far as there is room, instead of ending.",
);

const SPEC: TableSpec = TableSpec {
    name: "instances.warm_pool",
    doc: "Instances kept started beside the pool that serves, as in EC2 Auto Scaling. A start takes a warm instance if there is one, else it is cold, and one that is refused looks for a warm one again with its next attempt; the warm pool fills up in the background with instances that start cold. It is full at the start of the run. The autoscaler does not see what is in it. A quota counts warm instances, a `base` does not. A warm instance neither fails nor is interrupted, and starts from warm never fail.",
    keys: &[&MIN_SIZE, &MAX_PREPARED, &PRICE_FRACTION, &AFTER, &START, &REUSE],
};

impl Value for WarmPool {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        let pool = WarmPool {
            min_size: reader.get(&MIN_SIZE)?,
            max_prepared: reader.find(&MAX_PREPARED)?,
            price_fraction: reader.get(&PRICE_FRACTION)?,
            after: reader.find(&AFTER)?,
            start: reader.find(&START)?,
            reuse_on_scale_in: reader.get(&REUSE)?,
        };
        if reader.has("min_size") || reader.has("max_prepared") {
            return Ok(pool);
        }
        // A size of 0 that is written is a cold start to compare with, one that is forgotten a mistake.
        Err(reader.missing("min_size").help("or `max_prepared`"))
    }
}

impl WarmPool {
    /// Instances to keep warm while the autoscaler asks for `desired`.
    pub fn target(&self, desired: u32) -> u32 {
        self.min_size.max(self.max_prepared.unwrap_or(0).saturating_sub(desired))
    }

    /// How many of `stages` a warm instance has behind it; `None` if it is to stop after one that is not there.
    pub(in crate::sim) fn behind(&self, stages: &[Stage]) -> Option<usize> {
        match &self.after {
            Some(after) => stages.iter().position(|stage| stage.name == *after).map(|last| last + 1),
            None => Some(stages.len()),
        }
    }

    fn part<'a>(&self, stages: &'a [Stage]) -> (&'a [Stage], &'a [Stage]) {
        stages.split_at(self.behind(stages).unwrap_or(stages.len()))
    }

    /// Attempt number `attempt`, from 0, of instance number `instance`, of type `kind`, to become warm. One that fails
    /// is found out at the latest when it would be warm.
    pub fn draw_warming(
        &self,
        kind: &InstanceType,
        streams: Streams,
        instance: u32,
        attempt: u32,
    ) -> StartAttempt {
        kind.draw_stages(self.part(&kind.cold_start).0, streams, instance, attempt, |_, _, drawn| drawn)
    }

    /// How long instance number `instance`, of type `kind`, takes from warm to ready.
    pub fn draw_start(&self, kind: &InstanceType, streams: Streams, instance: u32) -> Span {
        let mut rng = streams.substream(Purpose::WarmStart, u64::from(instance));
        match &self.start {
            Some(start) => Span::from_secs_f64(start.0.sample(&mut rng)),
            None => {
                let stages = self.part(&kind.cold_start).1.iter();
                stages.fold(Span::ZERO, |all, stage| all + Span::from_secs_f64(stage.time.0.sample(&mut rng)))
            }
        }
    }
}

/// Refuses a warm pool whose instances stop after a stage that the cold start of one of the `types` does not have.
pub(in crate::sim) fn check(
    reader: &Reader<'_>,
    pool: &WarmPool,
    cold_start: &[Stage],
    types: &[InstanceType],
) -> Result<(), Problem> {
    let of_types = types.iter().map(|kind| kind.cold_start.as_slice());
    let mut all = of_types.chain(types.is_empty().then_some(cold_start));
    let Some(stages) = all.find(|stages| pool.behind(stages).is_none()) else { return Ok(()) };
    let after = pool.after.as_deref().unwrap_or_default();
    let message = format!("`{}.after` is \"{after}\"", reader.path_of("warm_pool"));
    let names: Vec<String> = stages.iter().map(|stage| format!("\"{}\"", stage.name)).collect();
    let label = match names.as_slice() {
        [] => "there is no cold start: give `cold_start` stages".to_owned(),
        _ => format!("expected the name of a stage of the cold start: {}", names.join(", ")),
    };
    Err(reader.problem("warm_pool", message, label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(min_size: u32, max_prepared: Option<u32>) -> WarmPool {
        WarmPool {
            min_size,
            max_prepared,
            price_fraction: 1.0,
            after: None,
            start: None,
            reuse_on_scale_in: false,
        }
    }

    #[test]
    fn it_shrinks_as_more_is_asked_for_but_not_below_its_minimum() {
        let sizes = |pool: WarmPool| [0, 3, 8].map(|desired| pool.target(desired));
        assert_eq!(sizes(pool(2, None)), [2, 2, 2]);
        assert_eq!(sizes(pool(0, Some(5))), [5, 2, 0]);
        assert_eq!(sizes(pool(1, Some(5))), [5, 2, 1]);
    }

    #[test]
    fn a_pool_without_a_size_or_that_stops_after_an_unknown_stage_is_refused() {
        use crate::schema::{Reader, Tree};
        use crate::sim::Instances;
        let stages = "[[cold_start]]\nname = \"node\"\ntime = \"9s\"\n[[cold_start]]\nname = \"image\"\ntime = \"5s\"\n";
        let read = |pool: &str| {
            let tree = Tree::parse(&format!("{stages}[warm_pool]\n{pool}")).unwrap();
            let context = Context::default();
            Instances::read(&Reader::open(tree.root(), "instances", &Instances::SPEC, &context).unwrap())
        };
        let refused = |pool: &str| format!("{:?}", read(pool).unwrap_err());
        let without = refused("reuse_on_scale_in = true");
        assert!(without.contains("min_size") && without.contains("or `max_prepared`"), "{without}");
        assert!(read("max_prepared = 0").is_ok(), "as a sweep has it");
        let unknown = refused("min_size = 1\nafter = \"imag\"");
        assert!(unknown.contains("expected the name of a stage") && unknown.contains("image"), "{unknown}");
        let warm = read("min_size = 1\nafter = \"node\"").unwrap();
        let (pool, kind) = (warm.warm_pool.clone().unwrap(), warm.kinds().remove(0));
        let streams = Streams::new(1, 0);
        assert_eq!(pool.draw_warming(&kind, streams, 0, 0).time, Span::from_secs(9));
        assert_eq!(pool.draw_start(&kind, streams, 0), Span::from_secs(5), "the stages that are left");
    }
}

//! `[instances.warm_up]`: what a new instance does for itself while it already serves.

use crate::distribution::Durations;
use crate::random::{Purpose, Streams};
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::service::FULL;
use crate::time::Span;

/// What a new instance does for itself while it already serves.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmUp {
    /// How long it does, from ready on, in seconds.
    pub time: Durations,
    /// Its utilization by that, beside what requests use.
    pub utilization: f64,
}

const TIME: Key<Durations> =
    Key::required("time", "Time from ready to its end: a distribution, drawn for each instance.");
const UTILIZATION: Key<f64> = Key::or(
    "utilization",
    "1",
    "The share of an instance's capacity that it takes meanwhile, on top of what requests take; more than 1 where a pod may use more than it requests.",
)
.at_least(0.0)
.at_most(100.0);

const SPEC: TableSpec = TableSpec {
    name: "instances.warm_up",
    doc: "What a new instance does for itself once it is ready: a JVM compiles its code, caches fill. The autoscaler sees it as utilization that no request causes, so that growth may feed on itself. It slows no request (`first_request` does), no figure of the run counts it, and instances that are ready at the start of the run have it behind them.",
    keys: &[&TIME, &UTILIZATION],
};

impl Value for WarmUp {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        Ok(WarmUp { time: reader.get(&TIME)?, utilization: reader.get(&UTILIZATION)? })
    }
}

impl WarmUp {
    /// How long that of instance number `instance` takes.
    pub fn draw(&self, streams: Streams, instance: u32) -> Span {
        let mut rng = streams.substream(Purpose::WarmUp, u64::from(instance));
        Span::from_secs_f64(self.time.0.sample(&mut rng))
    }

    /// What an instance of so many places takes in so many instance-nanoseconds, as the work of requests is counted.
    pub fn work(&self, places: u32, nanos: u128) -> u128 {
        let share = (self.utilization * FULL as f64).round() as u128;
        nanos * share * u128::from(places)
    }
}

//! The SLA planner of NVIDIA Dynamo: engines for the load of the interval before, or by what each engine has to do now, so that
//! the time to first token and the time per token stay within what is promised.
//!
//! ai-dynamo/dynamo: `planner/core/throughput_scaling.py` @ 0c9050c, `load_scaling.py` @ 0c6da1e and 002a7c3, `budget.py` @ 15a72ce,
//! `planner/utils/planner_core.py` @ 002a7c3. In a simulation the pool is aggregated: each engine computes prompts and answers.
//! `kneepoint replay` takes the rules of prefill and decode pools too.

mod budget;
mod load;
mod policy;
mod replay;
mod throughput;

use policy::DynamoPolicy;

use super::{Limits, MetricsDefaults, PHASE, Policy, PolicyContext, Replay, Schedule, Settings};
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::Span;

const TTFT: Key<Span> =
    Key::or("ttft", "\"500ms\"", "Time to first token that engines are to keep.").above(0.0);
const TPOT: Key<Span> =
    Key::or("tpot", "\"50ms\"", "Time per output token that engines are to keep (Dynamo: ITL).").above(0.0);
const SCALING: Key<Scaling> = Key::or("scaling", "\"throughput\"", "What engines are counted by.");
const INTERVAL: Key<Span> = Key::or(
    "interval",
    "\"180s\"",
    "Time between two evaluations by throughput: the load of one interval sizes the pool for the next.",
)
.at_least(1e-3);
const LOAD_INTERVAL: Key<Span> =
    Key::or("load_interval", "\"5s\"", "Time between two evaluations by the load of each engine.")
        .at_least(1e-3);
const SENSITIVITY: Key<f64> = Key::or(
    "sensitivity",
    "80",
    "Per cent of its target that an engine's load must stay below, with one engine fewer, for that one to go. With 0 none goes.",
)
.at_least(0.0)
.at_most(100.0);
const MIN: Key<u32> = Key::or("min", "1", "Minimum instances (Dynamo: `min_endpoint`).").at_least(1.0);
const MAX: Key<u32> =
    Key::required("max", "Maximum instances: the GPU budget over the GPUs of an engine.").at_least(1.0);

/// `kind = "dynamo"`.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "dynamo",
    doc: "The SLA planner of NVIDIA Dynamo for a pool whose engines compute prompts and answers. By throughput it sizes the pool for \
          the requests and tokens of the interval before; by load it adds an engine when all are beyond what keeps a promise, and \
          removes one when the others could take its load. It needs a service of the model `llm` with a KV cache.",
    keys: &[&TTFT, &TPOT, &SCALING, &INTERVAL, &LOAD_INTERVAL, &SENSITIVITY, &PHASE, &MIN, &MAX],
};

/// What engines are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scaling {
    Throughput,
    Load,
    Both,
}

impl Choice for Scaling {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("throughput", Scaling::Throughput, "the requests and tokens of the last `interval`"),
        ("load", Scaling::Load, "what each engine has to do now, an engine more or fewer at a time"),
        ("both", Scaling::Both, "by load, and never fewer than by throughput"),
    ];
}

impl Value for Scaling {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dynamo {
    ttft: Span,
    tpot: Span,
    scaling: Scaling,
    interval: Span,
    load_interval: Span,
    phase: Span,
    /// A share.
    sensitivity: f64,
    limits: Limits,
}

pub(super) fn read(reader: &Reader<'_>) -> Result<Dynamo, Problem> {
    Ok(Dynamo {
        ttft: reader.get(&TTFT)?,
        tpot: reader.get(&TPOT)?,
        scaling: reader.get(&SCALING)?,
        interval: reader.get(&INTERVAL)?,
        load_interval: reader.get(&LOAD_INTERVAL)?,
        phase: reader.get(&PHASE)?,
        sensitivity: reader.get(&SENSITIVITY)? / 100.0,
        limits: Limits::read(reader, &MIN, &MAX)?,
    })
}

impl Settings for Dynamo {
    fn limits(&self) -> Limits {
        self.limits
    }
    fn schedule(&self) -> Option<Schedule> {
        let interval = match self.scaling {
            Scaling::Throughput => self.interval,
            Scaling::Load | Scaling::Both => self.load_interval,
        };
        Some(Schedule { interval, phase: self.phase })
    }
    fn metrics_defaults(&self) -> MetricsDefaults {
        // Engines publish what they have to do, so it is there when the planner looks.
        let scrape_interval =
            if self.scaling == Scaling::Throughput { Span::from_secs(15) } else { self.load_interval };
        MetricsDefaults { scrape_interval, ..MetricsDefaults::DEFAULT }
    }
    fn aims(&self) -> Vec<String> {
        let Dynamo { ttft, tpot, interval, .. } = *self;
        let kept =
            format!("a time to first token of {ttft} (`ttft`) and {tpot} for each further token (`tpot`)");
        let throughput =
            format!("engines for the requests and tokens of the last {interval} that keep {kept}");
        let load = format!("the load of each engine against what keeps {kept}");
        match self.scaling {
            Scaling::Throughput => vec![throughput],
            Scaling::Load => vec![load],
            Scaling::Both => vec![load, throughput],
        }
    }
    fn scrapes(&self) -> bool {
        true
    }
    fn watches_instances(&self) -> bool {
        self.scaling != Scaling::Throughput
    }
    fn counts_tokens(&self) -> bool {
        true
    }
    fn policy(&self, start: &PolicyContext) -> Box<dyn Policy> {
        Box::new(DynamoPolicy::new(*self, start.tokens))
    }
    fn replay(&self) -> Box<dyn Replay> {
        Box::new(replay::PlannerReplay)
    }
}

//! What a run reports, added up: requests by what became of them, their times, the run window by window, the promise it
//! is judged by, what instance-time costs, and the outcome. The facts all other rooms report are declared here, so this
//! room needs none of them. Nothing else keeps totals; nothing here decides anything, knows an event or a queue.

mod cold_requests;
mod collector;
mod cost;
mod facts;
mod outcome;
mod pools;
mod recorder;
mod slo;
mod tally;
mod timeline;

pub(in crate::sim) use collector::Collector;
pub(in crate::sim) use facts::{Areas, Gauges, InstanceCounts, InstanceTime};
pub(in crate::sim) use recorder::{Recorder, Recording};
pub(in crate::sim) use timeline::{Timeline, WindowCounters, WindowSettings};

pub use cost::{BilledFrom, Cost};
pub use facts::{Answers, Class, Completion, FailureCounts, RequestObserver, TokenCompletion};
pub use outcome::{
    Actions, Counts, DecisionRecord, FLAP_WINDOW_S, HeldTimes, Integrals, Outcome, PoolOutcomes, Sending,
    Times, TokenOutcome, TransferOutcome, TypeShare, Window,
};
pub use pools::PoolName;
pub use slo::{MORE, Promise, Promised, Slo};

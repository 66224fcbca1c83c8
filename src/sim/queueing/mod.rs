//! How requests meet instances: the stations, which are the arrangements of queues before ready instances, and the
//! settings of `[dispatch]`. `lazy` holds those that need no event a request, `event_driven` the others. What an instance
//! does with a request once it has it is a service model; who sends requests, and what follows a loss, is in `clients`.

mod dispatch;
mod event_driven;
mod lazy;
mod station;
mod tournament;

pub(in crate::sim) use event_driven::{SteppedServers, SteppedSlots};
pub(in crate::sim) use lazy::CentralQueue;
pub(in crate::sim) use lazy::Hosted;
pub(in crate::sim) use lazy::Pulled;
pub(in crate::sim) use lazy::{LeastOutstanding, PowerOfD, Random, RoundRobin, Routed};
pub(in crate::sim) use lazy::{SlotStation, Station};
pub(in crate::sim) use station::{Arrival, Ending, Fleet, Load, NO_TICKET};

pub use dispatch::{Dispatch, DispatchPolicy, Idle, MOST_SLOTS};

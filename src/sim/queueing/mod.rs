//! How requests meet instances: the stations, which are the arrangements of queues before ready instances, and the
//! settings of `[dispatch]`. `lazy` holds those that need no event a request, `event_driven` the others. What an instance
//! does with a request once it has it is a service model; who sends requests, and what follows a loss, is in `clients`.

mod dispatch;
mod dispatcher;
mod due_times;
mod event_driven;
mod free_times;
mod gateway;
mod lazy;
mod levels;
mod notify_list;
mod peak;
mod station;
mod tournament;
mod transfer;

pub(in crate::sim) use dispatcher::{Choose, Dispatcher, LeastOutstanding, PowerOfD, Random, RoundRobin};
pub(in crate::sim) use event_driven::{EventDrivenServers, EventDrivenSlots};
pub(in crate::sim) use lazy::{
    CentralServers, CentralSlots, InstanceQueue, ParallelQueues, ServerQueue, SlotQueue, SlotQueueSettings,
};
pub(in crate::sim) use station::{
    Arrival, Arrivals, Attended, CacheUse, Load, NO_TICKET, RequestOutcome, Station,
};
pub(in crate::sim) use transfer::{Transferred, Transfers};

pub use dispatch::{Dispatch, DispatchPolicy, Idle, MAX_SLOTS};
pub use gateway::{DynamoKv, GatewayRule, KnownBy, Picker, RayPrefix, Scorers};
pub use transfer::Transfer;

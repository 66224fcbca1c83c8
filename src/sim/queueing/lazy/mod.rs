//! Stations that need no event a request: once a request has started, its course is settled, and it is reported when
//! somebody looks. For all that this cannot do there is `event_driven`.

mod ascending;
mod central_servers;
mod central_slots;
mod instance_queue;
mod parallel_queues;
mod server_queue;
mod slot_queue;
mod waiting_counts;

pub(in crate::sim) use central_servers::CentralServers;
pub(in crate::sim) use central_slots::CentralSlots;
pub(in crate::sim) use instance_queue::InstanceQueue;
pub(in crate::sim) use parallel_queues::ParallelQueues;
pub(in crate::sim) use server_queue::ServerQueue;
pub(in crate::sim) use slot_queue::{SlotQueue, SlotQueueSettings};

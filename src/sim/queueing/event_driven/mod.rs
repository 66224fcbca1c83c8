//! Stations taken event by event: for what the lazy ones cannot do.
//!
//! Requests that give up waiting or are cancelled, two classes of priority, requests handed back by an instance that
//! is lost, instances of different speeds, clients that try again, and policies that act at every arrival and departure
//! need each completion at its instant. The queue is central or at each instance. Slots are known one by one; under the
//! other service models an instance takes from a queue what it can.

mod connections;
mod gateway;
mod ledger;
mod notices;
mod queue;
mod routing;
mod servers;
mod slots;
mod tickets;

pub(in crate::sim) use servers::EventDrivenServers;
pub(in crate::sim) use slots::EventDrivenSlots;

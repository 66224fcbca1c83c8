//! Pools taken event by event: for what the lazy arrangements cannot do.
//!
//! Requests that give up waiting or are called off, two classes of priority, requests handed back by an instance that
//! is lost, instances of different speeds, clients that try again, and policies that act at every arrival and departure
//! need each completion at its instant. The queue is central or at each instance. Slots are known one by one; under the
//! other service models an instance takes from a queue what it can.

mod queue;
mod route;
mod servers;
mod slots;

use std::collections::VecDeque;

use super::facts::{Generated, Sink};
use super::fleet::{Ending, NO_TICKET};
use crate::service::Request;

pub(super) use servers::SteppedServers;
pub(super) use slots::SteppedSlots;

/// Tells what has become of a request: its client, by way of `ended`, if it has one that listens.
fn tell(
    ended: &mut VecDeque<(u32, Ending)>,
    ticket: u32,
    request: &Request,
    ending: Ending,
    now: u64,
    sink: &mut impl Sink,
) {
    if ticket != NO_TICKET {
        ended.push_back((ticket, ending));
        return;
    }
    let Request { arrival, tokens, .. } = *request;
    match ending {
        Ending::Served(served, first_token) => {
            if let Some(first_token) = first_token {
                sink.generated(Generated { arrival, first_token, finish: served.finish, tokens });
            }
            sink.served(served);
        }
        Ending::Rejected => sink.rejected(arrival),
        Ending::TimedOut => sink.timed_out(arrival, now),
        Ending::Failed => sink.failed(arrival, now),
    }
}

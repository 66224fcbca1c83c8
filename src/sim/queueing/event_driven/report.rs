//! What has become of a request: told to its client, or accounted for.

use crate::service::Request;
use crate::sim::accounting::{RequestObserver, TokenCompletion};
use crate::sim::queueing::station::{Ending, NO_TICKET};
use std::collections::VecDeque;

/// Tells what has become of a request: its client, by way of `ended`, if it has one that listens.
pub fn tell(
    ended: &mut VecDeque<(u32, Ending)>,
    ticket: u32,
    request: &Request,
    ending: Ending,
    now: u64,
    observer: &mut impl RequestObserver,
) {
    if ticket != NO_TICKET {
        ended.push_back((ticket, ending));
        return;
    }
    let Request { arrival, tokens, .. } = *request;
    match ending {
        Ending::Served(served, first_token) => {
            if let Some(first_token) = first_token {
                observer.generated(TokenCompletion { arrival, first_token, finish: served.finish, tokens });
            }
            observer.served(served);
        }
        Ending::Rejected => observer.rejected(arrival),
        Ending::TimedOut => observer.timed_out(arrival, now),
        Ending::Failed => observer.failed(arrival, now),
    }
}

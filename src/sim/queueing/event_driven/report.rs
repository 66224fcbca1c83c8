//! What has become of a request: told to its client, or accounted for.

use crate::service::Request;
use crate::sim::accounting::{RequestObserver, TokenCompletion};
use crate::sim::queueing::station::{NO_TICKET, RequestOutcome};
use std::collections::VecDeque;

/// Tells what has become of a request: its client, by way of `ended`, if it has one that listens.
pub fn report_outcome(
    ended: &mut VecDeque<(u32, RequestOutcome)>,
    ticket: u32,
    request: &Request,
    outcome: RequestOutcome,
    now: u64,
    observer: &mut impl RequestObserver,
) {
    if ticket != NO_TICKET {
        ended.push_back((ticket, outcome));
        return;
    }
    let Request { arrival, tokens, .. } = *request;
    match outcome {
        RequestOutcome::Served(served, first_token) => {
            if let Some(first_token) = first_token {
                observer.generated(TokenCompletion { arrival, first_token, finish: served.finish, tokens });
            }
            observer.served(served);
        }
        RequestOutcome::Rejected => observer.rejected(arrival),
        RequestOutcome::TimedOut => observer.timed_out(arrival, now),
        RequestOutcome::Failed => observer.failed(arrival, now),
    }
}

//! What an event-driven station has to report: instances that have run out of work, and what has become of requests.

use std::collections::VecDeque;

use crate::service::Request;
use crate::sim::accounting::{RequestObserver, TokenCompletion};
use crate::sim::queueing::station::{NO_TICKET, RequestOutcome};

/// What has happened and not been asked for, in the order it happened.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    /// Ready instances that have run out of work, each with the count of its busy spells.
    pub idle: VecDeque<(u32, u64)>,
    /// Draining instances that have run out of work.
    pub drained: VecDeque<u32>,
    /// What has become of requests with a ticket.
    pub outcomes: VecDeque<(u32, RequestOutcome)>,
}

impl Notices {
    /// Reports what has become of a request: to its client, if it has one that listens, else to `observer`.
    #[inline]
    pub fn report(
        &mut self,
        ticket: u32,
        request: &Request,
        outcome: RequestOutcome,
        now: u64,
        observer: &mut impl RequestObserver,
    ) {
        if ticket != NO_TICKET {
            self.outcomes.push_back((ticket, outcome));
            return;
        }
        let Request { arrival, tokens, .. } = *request;
        match outcome {
            RequestOutcome::Served(served, first_token) => {
                if let Some(first_token) = first_token {
                    observer.generated(TokenCompletion {
                        arrival,
                        first_token,
                        finish: served.finish,
                        tokens,
                    });
                }
                observer.served(served);
            }
            RequestOutcome::Rejected => observer.rejected(arrival),
            RequestOutcome::TimedOut => observer.timed_out(arrival, now),
            RequestOutcome::Failed => observer.failed(arrival, now),
        }
    }
}

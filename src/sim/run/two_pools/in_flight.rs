//! Requests between their arrival and their end.

use crate::service::Tokens;
use crate::sim::accounting::Class;
use crate::sim::queueing::NO_TICKET;

/// A request between its arrival and its end; instants in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
    /// What its client knows it by, or [`NO_TICKET`].
    pub client: u32,
    pub arrival: u64,
    pub service: u64,
    pub class: Class,
    pub tokens: Tokens,
    pub content: u32,
    /// When it came to the pool where it is.
    pub entered: u64,
    /// When its prompt was begun.
    pub start: u64,
    pub first_token: u64,
    /// From its first token to when it was begun to be decoded: on its way, and waiting.
    pub paused: u64,
    pub place: Place,
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Its prompt is not computed yet.
    Prefill,
    /// Its cache is on its way, or waits for it.
    Transfer,
    Decode,
}

/// The requests in flight by their tickets, which are used again.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: Vec<Option<InFlight>>,
    vacant: Vec<u32>,
    /// Tickets by those of clients.
    of_clients: Vec<u32>,
    count: u64,
    /// Integral of the count up to `counted_to`, request-nanoseconds.
    area: u128,
    counted_to: u64,
}

impl Table {
    pub fn enter(&mut self, request: InFlight, now: u64) -> u32 {
        self.pass(now);
        self.count += 1;
        let ticket = match self.vacant.pop() {
            Some(ticket) => {
                self.entries[ticket as usize] = Some(request);
                ticket
            }
            None => {
                self.entries.push(Some(request));
                self.entries.len() as u32 - 1
            }
        };
        if request.client != NO_TICKET {
            let client = request.client as usize;
            self.of_clients.resize(self.of_clients.len().max(client + 1), NO_TICKET);
            self.of_clients[client] = ticket;
        }
        ticket
    }

    /// The request that its client knows by this ticket, with its own.
    pub fn of_client(&self, client: u32) -> Option<(u32, &InFlight)> {
        let ticket = *self.of_clients.get(client as usize)?;
        let request = self.entries.get(ticket as usize)?.as_ref()?;
        (request.client == client).then_some((ticket, request))
    }

    pub fn get(&mut self, ticket: u32) -> Option<&mut InFlight> {
        self.entries.get_mut(ticket as usize)?.as_mut()
    }

    pub fn leave(&mut self, ticket: u32, now: u64) {
        self.pass(now);
        self.count -= 1;
        self.entries[ticket as usize] = None;
        self.vacant.push(ticket);
    }

    fn pass(&mut self, now: u64) {
        self.area = self.area(now);
        self.counted_to = now;
    }

    pub fn area(&self, now: u64) -> u128 {
        self.area + u128::from(now - self.counted_to) * u128::from(self.count)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &InFlight)> {
        (0..).zip(&self.entries).filter_map(|(ticket, entry)| Some((ticket, entry.as_ref()?)))
    }
}

//! Requests between their arrival and their end.

use crate::service::Tokens;
use crate::sim::accounting::Class;

/// A request between its arrival and its end; instants in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct InFlight {
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
    /// Whether its prompt is not computed yet.
    pub in_prefill: bool,
}

/// The requests in flight by their tickets, which are used again.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: Vec<Option<InFlight>>,
    vacant: Vec<u32>,
    count: u64,
    /// Integral of the count up to `counted_to`, request-nanoseconds.
    area: u128,
    counted_to: u64,
}

impl Table {
    pub fn enter(&mut self, request: InFlight, now: u64) -> u32 {
        self.pass(now);
        self.count += 1;
        match self.vacant.pop() {
            Some(ticket) => {
                self.entries[ticket as usize] = Some(request);
                ticket
            }
            None => {
                self.entries.push(Some(request));
                self.entries.len() as u32 - 1
            }
        }
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

//! Where each request is, and what is known of it beside what its instance is told.

use crate::service::{Request, RequestQueue, Tokens};
use crate::sim::accounting::Class;
use crate::sim::queueing::event_driven::queue::{Job, Queue};
use crate::sim::queueing::event_driven::tickets::ByTicket;
use crate::sim::queueing::station::Arrival;

/// The requests in the pool by their marks, and by their tickets. Places are used again.
#[derive(Debug, Clone)]
pub struct RequestTable {
    entries: Vec<Entry>,
    vacant: Vec<u32>,
    marks: ByTicket<u32>,
}

/// A request in the pool.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Order of arrival at the pool.
    pub sequence: u64,
    pub ticket: u32,
    pub class: Class,
    /// What it asked for: an instance serves of it what its cache can hold.
    tokens: Tokens,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Nowhere,
    /// In the central queue, or buffered because no instance is ready.
    Queue,
    /// In the queue of an instance.
    Host(u32),
    /// In service on an instance.
    Service(u32),
}

impl Default for RequestTable {
    fn default() -> Self {
        // No mark is that great: there is no request with a ticket that has not been put.
        RequestTable { entries: Vec::new(), vacant: Vec::new(), marks: ByTicket::new(u32::MAX) }
    }
}

impl RequestTable {
    /// Enters a request that arrives.
    #[inline]
    pub fn enter(&mut self, arrival: &Arrival, sequence: u64) -> Job {
        let (ticket, class) = (arrival.ticket, arrival.class);
        let entry = Entry { sequence, ticket, class, tokens: arrival.tokens, place: Place::Nowhere };
        let mark = match self.vacant.pop() {
            Some(mark) => {
                self.entries[mark as usize] = entry;
                mark
            }
            None => {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
        };
        self.marks.put(ticket, mark);
        let job = Job::new(*arrival, sequence);
        Job { request: Request { mark, ..job.request }, ..job }
    }

    /// Takes a request out.
    #[inline]
    pub fn remove(&mut self, mark: u32) -> Entry {
        let entry = self.entries[mark as usize];
        self.entries[mark as usize].place = Place::Nowhere;
        self.vacant.push(mark);
        entry
    }

    #[inline]
    pub fn put(&mut self, mark: u32, place: Place) {
        self.entries[mark as usize].place = place;
    }

    /// The request with a ticket, if it is in the pool: its mark and entry.
    #[inline]
    pub fn find(&self, ticket: u32) -> Option<(u32, Entry)> {
        let mark = self.marks.get(ticket);
        let entry = *self.entries.get(mark as usize)?;
        (entry.ticket == ticket && entry.place != Place::Nowhere).then_some((mark, entry))
    }

    /// A request that was in service, to be begun again from its start.
    pub fn again(&self, request: Request) -> Job {
        let Entry { sequence, ticket, class, tokens, .. } = self.entries[request.mark as usize];
        let request = Request { tokens, ..request };
        Job { sequence, request, ticket, class, remaining: None, had: 0, returned: true, gone: false }
    }
}

/// A queue as an instance draws from it: what it takes is in service there.
pub struct Intake<'a> {
    pub queue: &'a mut Queue,
    pub table: &'a mut RequestTable,
    pub instance: u32,
}

impl RequestQueue for Intake<'_> {
    #[inline]
    fn len(&self) -> u64 {
        self.queue.len()
    }

    #[inline]
    fn front(&self) -> Option<&Request> {
        self.queue.front()
    }

    #[inline]
    fn pop(&mut self, now: u64) -> Option<Request> {
        let request = RequestQueue::pop(self.queue, now)?;
        self.table.put(request.mark, Place::Service(self.instance));
        Some(request)
    }

    #[inline]
    fn oldest(&self) -> Option<u64> {
        self.queue.oldest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_handed_back_asks_for_what_it_asked_for_at_first() {
        let mut table = RequestTable::default();
        let asked = Tokens { prompt: 21, output: 4 };
        let job = table.enter(&Arrival { tokens: asked, ..Arrival::plain(0, 0) }, 7);
        // An instance with little memory serves a part of the prompt.
        let served = Request { tokens: Tokens { prompt: 18, output: 1 }, ..job.request };
        let again = table.again(served);
        assert_eq!((again.request.tokens, again.sequence, again.returned), (asked, 7, true));
    }
}

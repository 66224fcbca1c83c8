//! Something known of each request that has a ticket, by the ticket. Tickets are used again, so the table stays as long as
//! there have ever been requests at a time.

use crate::sim::queueing::station::NO_TICKET;

/// See the module.
#[derive(Debug, Clone)]
pub struct ByTicket<V> {
    values: Vec<V>,
    unknown: V,
}

impl<V: Copy> ByTicket<V> {
    /// An empty table; of a ticket that has not been put, `unknown` is known.
    pub fn new(unknown: V) -> Self {
        ByTicket { values: Vec::new(), unknown }
    }

    /// Takes in what is known of a request from here on, if it has a ticket.
    #[inline]
    pub fn put(&mut self, ticket: u32, value: V) {
        if ticket == NO_TICKET {
            return;
        }
        if self.values.len() <= ticket as usize {
            self.values.resize(ticket as usize + 1, self.unknown);
        }
        self.values[ticket as usize] = value;
    }

    /// What is known of the request with this ticket.
    #[inline]
    pub fn get(&self, ticket: u32) -> V {
        self.values.get(ticket as usize).copied().unwrap_or(self.unknown)
    }
}

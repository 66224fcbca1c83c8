//! `[decode.transfer]`: how the KV cache of a prompt comes from the pool that computed it to the pool that decodes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::time::Span;

/// How caches are transferred: each takes the latency, and its bytes over the bandwidth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transfer {
    /// Bytes of the cache that a token takes.
    pub bytes_per_token: f64,
    /// Bandwidth of a transfer, bytes per second; infinite for none that matters.
    pub bandwidth: f64,
    /// Time of a transfer before its first byte.
    pub latency: Span,
    /// Maximum number of transfers at a time; further ones wait, first come first served. `None`: no limit.
    pub concurrent: Option<u32>,
}

const BYTES_PER_TOKEN: Key<Option<f64>> = Key::optional(
    "bytes_per_token",
    "Bytes of the KV cache that a token takes, on all GPUs of an instance: 2 × layers × key-value heads × head size × bytes of a value. Without it what the formula of `service.hardware` says; required otherwise, unless there is no `bandwidth`.",
)
.above(0.0);
const BANDWIDTH: Key<Option<f64>> = Key::optional(
    "bandwidth_gb_per_s",
    "Bandwidth of a transfer, gigabytes (10⁹ bytes) per second. A link of 400 Gbit/s has 50. Without it the size of a cache does not matter.",
)
.above(0.0);
const LATENCY: Key<Span> = Key::or("latency", "\"0s\"", "Time of a transfer before its first byte.");
const CONCURRENT: Key<Option<u32>> = Key::optional(
    "concurrent",
    "Maximum number of transfers at a time, each with the whole `bandwidth_gb_per_s`; further ones wait, first come first served. Without it there is no limit.",
)
.at_least(1.0);

impl Transfer {
    /// One that takes no time.
    pub const NONE: Transfer =
        Transfer { bytes_per_token: 0.0, bandwidth: f64::INFINITY, latency: Span::ZERO, concurrent: None };

    /// The `[decode.transfer]` table.
    pub const SPEC: TableSpec = TableSpec {
        name: "transfer",
        doc: "How the KV cache of a prompt comes to the decode pool: `latency` + tokens of the prompt × `bytes_per_token` / `bandwidth_gb_per_s`.",
        keys: &[&BYTES_PER_TOKEN, &BANDWIDTH, &LATENCY, &CONCURRENT],
    };

    /// Reads the `[decode.transfer]` table, of a model whose tokens take `formula` bytes each where a formula says so.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(reader: &Reader<'_>, formula: Option<f64>) -> Result<Transfer, Problem> {
        let bandwidth = reader.find(&BANDWIDTH)?;
        let bytes_per_token = match (reader.find(&BYTES_PER_TOKEN)?.or(formula), bandwidth) {
            (Some(bytes), _) => bytes,
            (None, None) => 0.0,
            (None, Some(_)) => {
                let help = "of `service.hardware` a formula knows it; of a preset, a fit or written times nothing does";
                return Err(reader.missing(BYTES_PER_TOKEN.name()).help(help));
            }
        };
        Ok(Transfer {
            bytes_per_token,
            bandwidth: bandwidth.map_or(f64::INFINITY, |gigabytes| gigabytes * 1e9),
            latency: reader.get(&LATENCY)?,
            concurrent: reader.find(&CONCURRENT)?,
        })
    }

    /// Bytes of the cache of a prompt.
    pub fn bytes(&self, tokens: u32) -> f64 {
        f64::from(tokens) * self.bytes_per_token
    }

    /// Time of a transfer of the cache of a prompt, once it has begun.
    pub fn time(&self, tokens: u32) -> Span {
        self.latency + Span::from_secs_f64(self.bytes(tokens) / self.bandwidth)
    }
}

/// A cache that has been transferred; instants in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) struct Transferred {
    pub ticket: u32,
    /// When its prompt was computed.
    pub queued: u64,
    pub begun: u64,
    pub finish: u64,
}

/// The caches on their way and those that wait for it.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Transfers {
    settings: Transfer,
    /// Tickets, tokens and since when they wait, in order.
    waiting: VecDeque<(u32, u32, u64)>,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    begun: u64,
    /// Integrals up to `counted_to`, in transfer-nanoseconds: of those that wait, and of those under way.
    areas: [u128; 2],
    counted_to: u64,
}

/// A transfer under way: the one that finishes first comes first, of several the one begun first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    finish: u64,
    number: u64,
    begun: u64,
    queued: u64,
    ticket: u32,
}

impl Transfers {
    pub fn new(settings: Transfer) -> Transfers {
        Transfers {
            settings,
            waiting: VecDeque::new(),
            under_way: BinaryHeap::new(),
            begun: 0,
            areas: [0; 2],
            counted_to: 0,
        }
    }

    /// The cache of a prompt of so many tokens is ready at `now`.
    pub fn push(&mut self, ticket: u32, tokens: u32, now: u64) {
        self.pass(now);
        self.waiting.push_back((ticket, tokens, now));
        self.begin(now);
    }

    /// When the next transfer finishes.
    pub fn next_change(&self) -> u64 {
        self.under_way.peek().map_or(u64::MAX, |Reverse(first)| first.finish)
    }

    /// The transfer that finishes at [`Transfers::next_change`]; another may begin in its place.
    pub fn step(&mut self) -> Option<Transferred> {
        let Reverse(UnderWay { finish, begun, queued, ticket, .. }) = *self.under_way.peek()?;
        self.pass(finish);
        self.under_way.pop();
        self.begin(finish);
        Some(Transferred { ticket, queued, begun, finish })
    }

    /// Takes away the cache of a request: one that waits, or if asked to one under way, too. Whether it was taken away.
    pub fn cancel(&mut self, ticket: u32, now: u64, under_way_too: bool) -> bool {
        self.pass(now);
        let before = self.waiting.len() + self.under_way.len();
        self.waiting.retain(|(waits, ..)| *waits != ticket);
        if under_way_too {
            self.under_way.retain(|Reverse(transfer)| transfer.ticket != ticket);
        }
        let taken = self.waiting.len() + self.under_way.len() < before;
        self.begin(now);
        taken
    }

    /// Those that wait for one to finish.
    pub fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// Integrals up to `now`: of those that wait, and of those under way.
    pub fn areas(&self, now: u64) -> [u128; 2] {
        let passed = u128::from(now - self.counted_to);
        let counts = [self.waiting.len(), self.under_way.len()];
        [0, 1].map(|index| self.areas[index] + passed * counts[index] as u128)
    }

    fn pass(&mut self, now: u64) {
        debug_assert!(self.counted_to <= now, "time falls from {} to {now}", self.counted_to);
        self.areas = self.areas(now);
        self.counted_to = now;
    }

    /// Begins as many as there is room for.
    fn begin(&mut self, now: u64) {
        let room = self.settings.concurrent.map_or(usize::MAX, |most| most as usize);
        while self.under_way.len() < room
            && let Some((ticket, tokens, queued)) = self.waiting.pop_front()
        {
            let finish = now.saturating_add(self.settings.time(tokens).as_nanos());
            self.under_way.push(Reverse(UnderWay { finish, number: self.begun, begun: now, queued, ticket }));
            self.begun += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 kB a token at 1 GB/s is 1 µs a token, after 10 µs.
    fn transfers(concurrent: Option<u32>) -> Transfers {
        let latency = Span::from_nanos(10_000);
        Transfers::new(Transfer { bytes_per_token: 1000.0, bandwidth: 1e9, latency, concurrent })
    }

    #[test]
    fn a_transfer_takes_its_latency_and_its_bytes_over_the_bandwidth() {
        let mut free = transfers(None);
        free.push(7, 90, 1000);
        free.push(8, 40, 2000);
        assert_eq!(free.next_change(), 52_000);
        assert_eq!(free.step(), Some(Transferred { ticket: 8, queued: 2000, begun: 2000, finish: 52_000 }));
        assert_eq!(free.step(), Some(Transferred { ticket: 7, queued: 1000, begun: 1000, finish: 101_000 }));
        assert_eq!((free.next_change(), free.step()), (u64::MAX, None));
        // The first was under way for 100 µs, the second for 50.
        assert_eq!(free.areas(200_000), [0, 150_000]);
    }

    #[test]
    fn what_is_taken_away_makes_room_for_the_next() {
        let mut one = transfers(Some(1));
        for ticket in 1..=3 {
            one.push(ticket, 90, 0);
        }
        assert!(
            !one.cancel(1, 20_000, false) && one.cancel(2, 20_000, false) && !one.cancel(2, 20_000, true)
        );
        assert!(one.cancel(1, 40_000, true));
        assert_eq!(one.step(), Some(Transferred { ticket: 3, queued: 0, begun: 40_000, finish: 140_000 }));
        assert_eq!(one.areas(140_000), [20_000 + 40_000, 140_000]);
    }

    #[test]
    fn what_comes_while_as_many_as_may_be_are_under_way_waits_in_order() {
        let mut one = transfers(Some(1));
        one.push(1, 90, 0);
        one.push(2, 10, 0);
        one.push(3, 0, 40_000);
        assert_eq!(one.waiting(), 2);
        let all: Vec<Transferred> = std::iter::from_fn(|| one.step()).collect();
        let of = |ticket, queued, begun, finish| Transferred { ticket, queued, begun, finish };
        assert_eq!(all, [of(1, 0, 0, 100_000), of(2, 0, 100_000, 120_000), of(3, 40_000, 120_000, 130_000)]);
        assert_eq!(one.areas(130_000), [100_000 + 80_000, 130_000]);
    }
}

//! Named streams of random numbers.
//!
//! Every purpose draws from a stream of its own, derived from the seed, the replication and the purpose alone.
//! What one part of the model draws can therefore never shift what another part sees, and two settings
//! compared under one seed meet the very same requests (common random numbers; Law, *Simulation Modeling and
//! Analysis*, 5th ed., §11.2).

use rand::{Rng as _, RngExt as _, SeedableRng};

/// The generator behind every stream: xoshiro256++ (Blackman and Vigna, 2019).
pub type Rng = rand_xoshiro::Xoshiro256PlusPlus;

/// What a stream is drawn for. The numbers are part of what a seed means and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Purpose {
    /// Instants at which requests arrive.
    Arrivals = 1,
    /// Service requirement of each request.
    Service = 2,
    /// Length of cold-start stages.
    ColdStart = 3,
    /// Choices of the dispatcher.
    Routing = 4,
    /// Failures and interruptions of instances.
    Failures = 5,
    /// How long a request is willing to wait.
    Patience = 6,
    /// Class (priority) of a request.
    Class = 7,
    /// Choice of the points of a space-filling sweep; the same for all replications.
    Design = 8,
    /// Instants of spikes added to the arrivals.
    Spikes = 9,
    /// Delays a policy draws for itself, such as how long an idle instance is kept.
    Policy = 10,
    /// Which instances are slow.
    Slowness = 21,
    /// Which attempts of an instance to start fail.
    FailedStarts = 22,
    /// Which starts are refused for want of capacity.
    Stock = 23,
    /// Pauses before a client tries again.
    Retries = 24,
    /// Service requirement of a request that is the first of its instance.
    FirstService = 25,
    /// Where in a tick of a coarse clock each request of a trace lies.
    Ticks = 26,
    /// Row of a trace whose requirements a request takes that has none of its own.
    Rows = 27,
    /// How long each user thinks after an answer.
    Thinking = 28,
    /// Turns of each session.
    Turns = 29,
    /// How long the user of a session thinks before the next turn.
    TurnThinking = 30,
    /// Tokens of the prompt of each request.
    PromptTokens = 31,
    /// Tokens of the answer to each request.
    OutputTokens = 32,
    /// Starts from a warm pool.
    WarmStart = 41,
    /// When capacity is to be had and when not.
    StockSpells = 42,
    /// Starts and failures of nodes.
    Nodes = 43,
    /// How long the warm-up of an instance takes.
    WarmUp = 44,
    /// Orders in which an explanation takes causes away.
    Orders = 71,
}

/// All streams of one replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
    replication: u64,
}

impl Streams {
    /// The streams of replication number `replication` (from 0) under `seed`.
    pub const fn new(seed: u64, replication: u64) -> Self {
        Streams { seed, replication }
    }

    /// The streams of the second of two pools, which share nothing with those of the first.
    #[must_use]
    pub const fn of_second_pool(self) -> Self {
        Streams { seed: mix(self.seed ^ 0xa076_1d64_78bd_642f), replication: self.replication }
    }

    /// A fresh generator at the start of the stream for `purpose`.
    #[inline]
    pub fn stream(self, purpose: Purpose) -> Rng {
        self.substream(purpose, 0)
    }

    /// A fresh generator at the start of part `index` of the stream for `purpose`; part 0 is the stream itself.
    /// For things of one kind that must not disturb one another, such as the stages of one instance's start.
    #[inline]
    pub fn substream(self, purpose: Purpose, index: u64) -> Rng {
        let mut key = mix(self.seed);
        key = mix(key ^ mix(self.replication.wrapping_add(0x5851_f42d_4c95_7f2d)));
        key = mix(key ^ mix((purpose as u64).wrapping_mul(0xda94_2042_e4dd_58b5)));
        key = mix(key ^ mix(index.wrapping_add(0x1405_7b7e_f767_814f)));
        Rng::seed_from_u64(key)
    }
}

/// A whole number below `count`, which is at least 1; uniform but for a bias of at most one in 2³². The numbers are those of
/// `random_range`, which asks more of a range.
#[inline]
pub fn below(rng: &mut Rng, count: usize) -> usize {
    let Ok(range) = u32::try_from(count) else { return rng.random_range(0..count) };
    let product = u64::from(rng.next_u32()) * u64::from(range);
    let (whole, rest) = ((product >> 32) as usize, product as u32);
    if rest > range.wrapping_neg() { whole + carry(rng, range, rest) } else { whole }
}

/// Whether a further draw carries over: 1 or 0.
#[cold]
fn carry(rng: &mut Rng, range: u32, rest: u32) -> usize {
    let further = (u64::from(rng.next_u32()) * u64::from(range)) >> 32;
    usize::from(rest.checked_add(further as u32).is_none())
}

/// The output function of SplitMix64 (Steele, Lea and Flood, 2014): a bijection that spreads every input bit.
const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_seed_replication_purpose_and_part() {
        let base = Streams::new(1, 0).stream(Purpose::Arrivals).next_u64();
        assert_ne!(base, Streams::new(2, 0).stream(Purpose::Arrivals).next_u64());
        assert_ne!(base, Streams::new(1, 1).stream(Purpose::Arrivals).next_u64());
        assert_ne!(base, Streams::new(1, 0).stream(Purpose::Service).next_u64());
        assert_ne!(base, Streams::new(1, 0).substream(Purpose::Arrivals, 1).next_u64());
        assert_ne!(base, Streams::new(1, 0).of_second_pool().stream(Purpose::Arrivals).next_u64());
    }

    #[test]
    fn numbers_below_a_count_are_those_of_a_range() {
        // The last ones carry often.
        for count in [1, 2, 3, 16, 1000, 3 << 30, u32::MAX as usize, (1 << 32) + 5] {
            let (mut ours, mut theirs) =
                (Streams::new(7, 3).stream(Purpose::Routing), Streams::new(7, 3).stream(Purpose::Routing));
            for _ in 0..10_000 {
                assert_eq!(below(&mut ours, count), theirs.random_range(0..count), "below {count}");
            }
        }
    }

    #[test]
    fn a_stream_starts_the_same_each_time() {
        let draw = || Streams::new(7, 3).stream(Purpose::Service).next_u64();
        assert_eq!(draw(), draw());
    }
}

//! How tokens lie in the blocks of a paged KV cache.

/// Counts in blocks. The tokens of one are nearly always a power of two, and dividing by them would be felt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    pub tokens: u64,
    /// The binary logarithm of `tokens`, if it is whole.
    shift: Option<u32>,
}

impl Paging {
    pub fn new(tokens: u32) -> Paging {
        Paging { tokens: u64::from(tokens), shift: tokens.is_power_of_two().then(|| tokens.ilog2()) }
    }

    /// Blocks that so many tokens take.
    #[inline]
    pub fn blocks(self, tokens: u64) -> u64 {
        self.split(tokens + self.tokens - 1).0
    }

    /// The full blocks of so many tokens, and the tokens left over.
    #[inline]
    pub fn split(self, tokens: u64) -> (u64, u64) {
        match self.shift {
            Some(shift) => (tokens >> shift, tokens & (self.tokens - 1)),
            None => (tokens / self.tokens, tokens % self.tokens),
        }
    }
}

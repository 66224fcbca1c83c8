//! Blocks of a paged KV cache.

/// Converts tokens to blocks. The tokens of a block are nearly always a power of two, and a division in every iteration
/// would be felt: a shift takes its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    /// Tokens in a block.
    pub block_tokens: u64,
    /// The binary logarithm of `block_tokens`, if it is whole.
    shift: Option<u32>,
}

impl Paging {
    pub fn new(block_tokens: u32) -> Paging {
        let shift = block_tokens.is_power_of_two().then(|| block_tokens.ilog2());
        Paging { block_tokens: u64::from(block_tokens), shift }
    }

    /// Blocks that hold `tokens`, the last one perhaps in part.
    #[inline]
    pub fn blocks(self, tokens: u64) -> u64 {
        self.split(tokens + self.block_tokens - 1).0
    }

    /// Full blocks of `tokens`, and the tokens left over.
    #[inline]
    pub fn split(self, tokens: u64) -> (u64, u64) {
        match self.shift {
            Some(shift) => (tokens >> shift, tokens & (self.block_tokens - 1)),
            None => (tokens / self.block_tokens, tokens % self.block_tokens),
        }
    }
}

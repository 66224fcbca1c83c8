//! The decoding sequences as a whole: their number, their tokens and their blocks.

use super::paging::Paging;

/// Counts of the decoding sequences, from which the blocks that they use follow without visiting any of them.
///
/// In each iteration every sequence stores a token. A sequence whose stored tokens are a multiple of the block size needs a
/// new block for its next one. The iteration modulo the block size at which that happens is the *phase* of the sequence,
/// and it does not change while the sequence decodes. So after any number of iterations the tokens by which the last blocks
/// are not yet full depend only on how many sequences there are of each phase. For blocks of 4 tokens at an iteration ≡ 2
/// (mod 4), after the next token is stored:
///
/// ```text
/// phase 0   [■ ■ ■ ·]   3 tokens in the last block, 1 free     phase 2   [■ · · ·]   a block just begun, 3 free
/// phase 1   [■ ■ · ·]   2 free                                 phase 3   [■ ■ ■ ■]   full, 0 free
/// ```
///
/// Blocks in use = (tokens stored + free tokens of the last blocks) / block size, exactly.
#[derive(Debug, Clone)]
pub(super) struct Decoding {
    paging: Paging,
    /// Number of sequences.
    pub sequences: u64,
    /// Sequences by phase.
    phases: Vec<u32>,
    /// Tokens in the cache of these sequences, at the start of the next iteration.
    pub context: u64,
}

impl Decoding {
    pub fn new(paging: Paging) -> Decoding {
        Decoding { paging, sequences: 0, phases: vec![0; paging.block_tokens as usize], context: 0 }
    }

    /// Adds a sequence with `stored` tokens in the cache before iteration `iteration`; returns its phase.
    #[inline]
    pub fn join(&mut self, stored: u64, iteration: u64) -> u32 {
        let (_, filled) = self.paging.split(stored);
        let (_, at) = self.paging.split(iteration);
        let phase = if filled <= at { at - filled } else { at + self.paging.block_tokens - filled };
        self.phases[phase as usize] += 1;
        self.sequences += 1;
        self.context += stored;
        phase as u32
    }

    /// Removes a sequence of this phase with `stored` tokens in the cache.
    #[inline]
    pub fn leave(&mut self, phase: u32, stored: u64) {
        self.phases[phase as usize] -= 1;
        self.sequences -= 1;
        self.context -= stored;
    }

    /// Stores a token of every sequence, in each of this number of iterations.
    #[inline]
    pub fn advance(&mut self, iterations: u64) {
        self.context += iterations * self.sequences;
    }

    /// Blocks in use after `count` more iterations from `iteration` on.
    pub fn blocks(&self, iteration: u64, count: u64) -> u64 {
        let block_tokens = self.paging.block_tokens;
        let (_, at) = self.paging.split(iteration + count + block_tokens - 1);
        // Of each sequence, the tokens in its last block after the first: block_tokens − 1 less these are free.
        let after_first = |(phase, sequences): (u64, &u32)| {
            let tokens = if phase <= at { at - phase } else { at + block_tokens - phase };
            tokens * u64::from(*sequences)
        };
        let after_first: u64 = (0..).zip(&self.phases).map(after_first).sum();
        self.paging.split(self.context + self.sequences * (count + block_tokens - 1) - after_first).0
    }

    /// An upper bound of [`Self::blocks`] that does not look at the phases.
    #[inline]
    pub fn max_blocks(&self, count: u64) -> u64 {
        self.paging.split(self.context + self.sequences * (count + self.paging.block_tokens - 1)).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_by_phase_are_those_of_each_sequence_rounded_up() {
        for block_tokens in [1, 3, 4, 16] {
            let paging = Paging::new(block_tokens);
            let mut decoding = Decoding::new(paging);
            let mut stored: Vec<(u64, u32)> = Vec::new();
            for iteration in 0..60 {
                let tokens = (iteration * 7) % 23 + 1;
                stored.push((tokens, decoding.join(tokens, iteration)));
                if iteration % 3 == 2 {
                    let (tokens, phase) = stored.remove(0);
                    decoding.leave(phase, tokens);
                }
                for count in 0..40 {
                    let exact = stored.iter().map(|(tokens, _)| paging.blocks(tokens + count)).sum();
                    assert_eq!(decoding.blocks(iteration, count), exact);
                    assert!(decoding.max_blocks(count) >= exact);
                }
                stored.iter_mut().for_each(|(tokens, _)| *tokens += 1);
                decoding.advance(1);
            }
        }
    }
}

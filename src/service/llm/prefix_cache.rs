//! The prefix cache of an engine by content: which blocks of which prompts are there.
//!
//! It shares its memory with the sequences computed: what they need, blocks that no sequence holds give up, the one let go longest ago
//! first; of a sequence the last block before those before it, as nobody finds a block whose predecessors are gone (vLLM,
//! `vllm/v1/core/block_pool.py` and `kv_cache_manager.py`). A block that several sequences hold is there once.

use crate::service::contents::{BlockSet, Contents};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct PrefixCache {
    contents: Contents,
    /// Tokens in a block of the cache.
    block_tokens: u32,
    blocks: BlockSet,
    /// Tokens found of the prompts begun, and their tokens.
    pub hits: [u64; 2],
    /// Blocks about to be let go; kept for its memory.
    leaving: Vec<u64>,
}

impl PrefixCache {
    /// An empty one.
    pub fn new(contents: Contents, block_tokens: u32) -> PrefixCache {
        PrefixCache { contents, block_tokens, blocks: BlockSet::default(), hits: [0; 2], leaving: Vec::new() }
    }

    /// Blocks of the cache that are saved because several sequences hold the same.
    pub fn saved(&self) -> u64 {
        self.blocks.shared_tokens() / u64::from(self.block_tokens)
    }

    /// Tokens found of a prompt: those of its first blocks that are there. The last token of a prompt is always computed.
    pub fn found(&self, content: u32, prompt: u64) -> u64 {
        let blocks = self.contents.blocks(content, prompt, self.block_tokens);
        let tokens: u64 =
            blocks.take_while(|block| self.blocks.has(block.id)).map(|block| u64::from(block.tokens)).sum();
        tokens.min(prompt.saturating_sub(1))
    }

    /// Holds what is found of a prompt for a sequence; how many blocks.
    pub fn hold_found(&mut self, content: u32, prompt: u64) -> u32 {
        let mut held = 0;
        for block in self.contents.blocks(content, prompt, self.block_tokens) {
            if !self.blocks.has(block.id) {
                break;
            }
            self.blocks.hold(block);
            held += 1;
        }
        held
    }

    /// A sequence that holds so many blocks has `tokens` tokens computed, the prompt's first; what it holds from here on.
    pub fn hold_computed(&mut self, content: u32, tokens: u64, held: u32) -> u32 {
        let mut blocks = held;
        for block in self.contents.blocks(content, tokens, self.block_tokens).skip(held as usize) {
            self.blocks.hold(block);
            blocks += 1;
        }
        blocks
    }

    /// Tokens of an answered request whose content goes on after its prompt; else those of its prompt.
    pub fn known(&self, prompt: u64, computed: u64) -> u64 {
        if self.contents.go_on() { computed } else { prompt }
    }

    /// Lets go of the blocks of a sequence.
    pub fn release(&mut self, content: u32, held: u32) {
        let PrefixCache { contents, blocks, leaving, block_tokens, .. } = self;
        leaving.clear();
        leaving.extend(
            contents.blocks(content, u64::MAX, *block_tokens).take(held as usize).map(|block| block.id),
        );
        leaving.iter().rev().for_each(|id| blocks.release(*id));
    }

    /// Gives up blocks until those that nobody holds fit into so many blocks of the cache.
    pub fn trim(&mut self, free: u64) {
        self.blocks.trim(free.saturating_mul(u64::from(self.block_tokens)));
    }
}

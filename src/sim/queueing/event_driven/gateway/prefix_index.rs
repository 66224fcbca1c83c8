//! What a gateway believes engines to have of prompts: what it has sent them, up to a size.

use super::super::tickets::ByTicket;
use crate::service::{BlockSet, Contents};

/// See the module.
#[derive(Debug, Clone)]
pub struct PrefixIndex {
    contents: Contents,
    /// Tokens in a block of the engines' caches.
    block_tokens: u32,
    /// Tokens remembered of each engine.
    limit: u64,
    /// By number.
    engines: Vec<(u32, BlockSet)>,
    /// The engine that the last request of each content went to.
    last: ByTicket<u32>,
    /// When each engine was last sent a prompt of which none had anything, by number; a count.
    cold: Vec<(u32, u64)>,
    sent: u64,
}

/// No engine.
const NONE: u32 = u32::MAX;

impl PrefixIndex {
    /// Nothing sent yet.
    pub fn new(contents: Contents, block_tokens: u32, limit: u64) -> PrefixIndex {
        let (engines, cold) = (Vec::new(), Vec::new());
        PrefixIndex { contents, block_tokens, limit, engines, last: ByTicket::new(NONE), cold, sent: 0 }
    }

    /// Tokens of a prompt that an engine has been sent before.
    pub fn found(&self, engine: u32, content: u32, prompt: u64) -> u64 {
        let Some(blocks) = self.blocks(engine) else { return 0 };
        let known = self.contents.blocks(content, prompt, self.block_tokens);
        known.take_while(|block| blocks.has(block.id)).map(|block| u64::from(block.tokens)).sum()
    }

    /// Tokens that an engine has been sent and are remembered.
    pub fn size(&self, engine: u32) -> u64 {
        self.blocks(engine).map_or(0, BlockSet::idle_tokens)
    }

    /// Whether the last request of this content went to an engine.
    pub fn is_last(&self, engine: u32, content: u32) -> bool {
        self.last.get(content) == engine
    }

    /// When an engine was last sent a prompt of which none had anything; 0: never.
    pub fn cold_use(&self, engine: u32) -> u64 {
        self.cold.iter().find(|(id, _)| *id == engine).map_or(0, |(_, at)| *at)
    }

    /// A prompt goes to an engine; `is_cold` if none had anything of it.
    pub fn send(&mut self, engine: u32, content: u32, prompt: u64, is_cold: bool) {
        self.sent += 1;
        self.last.put(content, engine);
        let place = match self.engines.iter().position(|(id, _)| *id == engine) {
            Some(place) => place,
            None => {
                self.engines.push((engine, BlockSet::default()));
                self.cold.push((engine, 0));
                self.engines.len() - 1
            }
        };
        if is_cold {
            self.cold[place].1 = self.sent;
        }
        let blocks = &mut self.engines[place].1;
        for block in self.contents.blocks(content, prompt, self.block_tokens) {
            blocks.hold(block);
            blocks.release(block.id);
        }
        blocks.trim(self.limit);
    }

    /// An engine is gone.
    pub fn forget(&mut self, engine: u32) {
        self.engines.retain(|(id, _)| *id != engine);
        self.cold.retain(|(id, _)| *id != engine);
    }

    fn blocks(&self, engine: u32) -> Option<&BlockSet> {
        self.engines.iter().find(|(id, _)| *id == engine).map(|(_, blocks)| blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_found_until_it_is_forgotten() {
        let contents = Contents::Sessions { common_tokens: 0 };
        let mut index = PrefixIndex::new(contents, 16, 64);
        assert_eq!(index.found(1, 7, 100), 0);
        index.send(1, 7, 40, true);
        assert_eq!((index.found(1, 7, 100), index.found(2, 7, 100), index.size(1)), (32, 0, 32));
        assert!(index.is_last(1, 7) && !index.is_last(1, 8));
        assert_eq!((index.cold_use(1), index.cold_use(2)), (1, 0));
        index.send(1, 8, 48, false);
        assert_eq!(index.found(1, 7, 100), 0, "its first block was sent longest ago");
        assert_eq!((index.found(1, 8, 48), index.size(1), index.cold_use(1)), (48, 64, 1));
        index.forget(1);
        assert_eq!((index.found(1, 8, 48), index.size(1)), (0, 0));
    }
}

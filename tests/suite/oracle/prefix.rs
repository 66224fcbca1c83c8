//! The prefix cache of a language model, block by block in lists.

use std::collections::BTreeMap;

use kneepoint::internals::service::Contents;

/// What it is that the blocks of a prompt hold, by session.
#[derive(Debug, Clone)]
pub struct Prefixes {
    common: u64,
    block: u64,
    /// Sequences that hold each block.
    held: BTreeMap<(u32, u64), u64>,
    /// Blocks that none holds, the one let go longest ago first.
    idle: Vec<(u32, u64)>,
    /// Tokens found of prompts, and their tokens.
    pub hits: (u64, u64),
}

impl Prefixes {
    pub fn of(contents: &Contents, block_tokens: u32) -> Prefixes {
        let Contents::Sessions { common_tokens } = contents else {
            unreachable!("the models of these tests have sessions")
        };
        let (held, idle) = (BTreeMap::new(), vec![]);
        Prefixes { common: *common_tokens, block: block_tokens.into(), held, idle, hits: (0, 0) }
    }

    /// The full blocks of the first `tokens` tokens of a session.
    fn blocks(&self, session: u32, tokens: u64) -> Vec<(u32, u64)> {
        let count = if session == 0 { 0 } else { tokens / self.block };
        (0..count)
            .map(|index| (if (index + 1) * self.block <= self.common { 0 } else { session }, index))
            .collect()
    }

    fn has(&self, block: &(u32, u64)) -> bool {
        self.held.contains_key(block) || self.idle.contains(block)
    }

    /// Blocks that need no room, as others hold the same.
    pub fn saved(&self) -> u64 {
        self.held.values().map(|holders| holders - 1).sum()
    }

    fn found_blocks(&self, session: u32, prompt: u64) -> Vec<(u32, u64)> {
        self.blocks(session, prompt).into_iter().take_while(|block| self.has(block)).collect()
    }

    pub fn found(&self, session: u32, prompt: u64) -> u64 {
        (self.found_blocks(session, prompt).len() as u64 * self.block).min(prompt - 1)
    }

    fn hold(&mut self, block: (u32, u64)) {
        self.idle.retain(|other| *other != block);
        *self.held.entry(block).or_default() += 1;
    }

    /// Holds what is found; what that is.
    pub fn begin(&mut self, session: u32, prompt: u64) -> Vec<(u32, u64)> {
        let found = self.found_blocks(session, prompt);
        found.iter().for_each(|block| self.hold(*block));
        found
    }

    /// Holds what is computed besides.
    pub fn extend(&mut self, session: u32, tokens: u64, holds: &mut Vec<(u32, u64)>) {
        for block in self.blocks(session, tokens).into_iter().skip(holds.len()) {
            self.hold(block);
            holds.push(block);
        }
    }

    /// Lets go, the last block first.
    pub fn release(&mut self, holds: &mut Vec<(u32, u64)>) {
        while let Some(block) = holds.pop() {
            let holders = self.held.get_mut(&block).unwrap();
            *holders -= 1;
            if *holders == 0 {
                self.held.remove(&block);
                self.idle.push(block);
            }
        }
    }

    /// Keeps at most so many blocks that none holds.
    pub fn keep(&mut self, free: u64) {
        while self.idle.len() as u64 > free {
            self.idle.remove(0);
        }
    }
}

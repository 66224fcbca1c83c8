//! What prompts hold, block by block, so that a cache can tell which of them it has.

use std::sync::Arc;

use hashbrown::HashTable;

/// The content of requests that is not known: no prompt has anything in common with another.
pub const UNKNOWN: u32 = 0;

/// What the prompts of a run hold, by the content that each request names.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Contents {
    /// Nothing is known of any.
    #[default]
    Unknown,
    /// Sessions, whose turns each begin with all before them: the content is the number of the session, from 1.
    Sessions {
        /// Tokens at the start of every session that are the same in all.
        common_tokens: u64,
    },
    /// Rows of a trace, which name their blocks: the content is the number of the row, from 1.
    Rows(Arc<ContentRows>),
}

/// The blocks of each row of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContentRows {
    /// Tokens in a block; the last of a prompt may have fewer.
    pub block_tokens: u32,
    /// Where the blocks of each row begin, and of the last end.
    starts: Vec<usize>,
    blocks: Vec<u32>,
}

impl ContentRows {
    /// No rows yet.
    pub fn new(block_tokens: u32) -> ContentRows {
        ContentRows { block_tokens, starts: vec![0], blocks: Vec::new() }
    }

    /// Adds a row of these blocks.
    pub fn push(&mut self, blocks: impl IntoIterator<Item = u32>) {
        self.blocks.extend(blocks);
        self.starts.push(self.blocks.len());
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn row(&self, content: u32) -> &[u32] {
        let row = content as usize;
        let bounds =
            row.checked_sub(1).and_then(|before| Some(*self.starts.get(before)?..*self.starts.get(row)?));
        bounds.and_then(|bounds| self.blocks.get(bounds)).unwrap_or_default()
    }
}

/// A block of content: what tells it from others, and its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentBlock {
    /// What tells it from others.
    pub id: u64,
    /// Its tokens.
    pub tokens: u32,
}

impl Contents {
    /// Tokens in a block, where those of an engine's cache have `own`.
    pub fn block_tokens(&self, own: u32) -> u32 {
        match self {
            Contents::Rows(rows) => rows.block_tokens,
            Contents::Unknown | Contents::Sessions { .. } => own,
        }
    }

    /// The blocks of the first `tokens` tokens of a content, in order: full ones of a session, all that a row names. Blocks of
    /// sessions have `own` tokens.
    pub fn blocks(&self, content: u32, tokens: u64, own: u32) -> impl Iterator<Item = ContentBlock> {
        let (rows, size) = match self {
            _ if content == UNKNOWN => (&[][..], 0),
            Contents::Unknown => (&[][..], 0),
            Contents::Sessions { .. } => (&[][..], u64::from(own)),
            Contents::Rows(rows) => (rows.row(content), 0),
        };
        let common = match self {
            Contents::Sessions { common_tokens } => *common_tokens,
            _ => 0,
        };
        let block_tokens = u64::from(self.block_tokens(own));
        let of_row = rows.iter().zip(0_u64..).map_while(move |(id, index)| {
            let left = tokens.checked_sub(index * block_tokens).filter(|left| *left > 0)?;
            Some(ContentBlock { id: u64::from(*id), tokens: left.min(block_tokens) as u32 })
        });
        let full = tokens.checked_div(size).unwrap_or(0);
        let of_session = (0..full).map(move |index| {
            let owner = if (index + 1) * size <= common { UNKNOWN } else { content };
            ContentBlock { id: u64::from(owner) << 32 | index, tokens: own }
        });
        of_row.chain(of_session)
    }

    /// Whether what follows a prompt belongs to its content too, as an answer does to its session.
    pub fn go_on(&self) -> bool {
        matches!(self, Contents::Sessions { .. })
    }
}

/// Where the block of each number is kept. Nothing goes by its order.
#[derive(Debug, Clone, Default)]
struct Places(HashTable<(u64, u32)>);

impl Places {
    #[inline]
    fn get(&self, id: u64) -> Option<u32> {
        self.0.find(spread(id), |entry| entry.0 == id).map(|entry| entry.1)
    }

    /// Adds one that is not there.
    fn insert(&mut self, id: u64, place: u32) {
        self.0.insert_unique(spread(id), (id, place), |entry| spread(entry.0));
    }

    fn remove(&mut self, id: u64) {
        if let Ok(entry) = self.0.find_entry(spread(id), |entry| entry.0 == id) {
            entry.remove();
        }
    }
}

/// Spreads the numbers of blocks over the places of a table: they are no one's to choose, so nothing safer is needed.
#[inline]
fn spread(id: u64) -> u64 {
    // SplitMix64 (Steele, Lea and Flood, 2014).
    let mut mixed = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Blocks, those that nobody holds in the order in which they were last let go.
///
/// ```text
///   held        refs > 0: in no order; they stay
///   idle        oldest ⇄ … ⇄ newest, a list through the entries: the oldest goes first
/// ```
#[derive(Debug, Clone)]
pub struct BlockSet {
    entries: Vec<Entry>,
    vacant: Vec<u32>,
    by_id: Places,
    oldest: u32,
    newest: u32,
    /// Tokens of the blocks that nobody holds.
    idle_tokens: u64,
    /// Tokens that are held more than once, counted for each time but the first.
    shared_tokens: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    block: ContentBlock,
    refs: u32,
    older: u32,
    newer: u32,
}

/// No entry.
const NONE: u32 = u32::MAX;

impl Default for BlockSet {
    fn default() -> Self {
        BlockSet {
            entries: Vec::new(),
            vacant: Vec::new(),
            by_id: Places::default(),
            oldest: NONE,
            newest: NONE,
            idle_tokens: 0,
            shared_tokens: 0,
        }
    }
}

impl BlockSet {
    /// Tokens of the blocks that nobody holds.
    pub fn idle_tokens(&self) -> u64 {
        self.idle_tokens
    }

    /// Tokens that are held more than once, counted for each time but the first.
    pub fn shared_tokens(&self) -> u64 {
        self.shared_tokens
    }

    /// Blocks, held or not.
    #[cfg(feature = "internals")]
    pub fn len(&self) -> usize {
        self.by_id.0.len()
    }

    /// Whether there is none.
    #[cfg(feature = "internals")]
    pub fn is_empty(&self) -> bool {
        self.by_id.0.is_empty()
    }

    /// Whether a block is there.
    pub fn has(&self, id: u64) -> bool {
        self.by_id.get(id).is_some()
    }

    /// Holds a block, which comes if it is not there.
    pub fn hold(&mut self, block: ContentBlock) {
        let Some(place) = self.by_id.get(block.id) else {
            let entry = Entry { block, refs: 1, older: NONE, newer: NONE };
            let place = match self.vacant.pop() {
                Some(place) => {
                    self.entries[place as usize] = entry;
                    place
                }
                None => {
                    self.entries.push(entry);
                    self.entries.len() as u32 - 1
                }
            };
            self.by_id.insert(block.id, place);
            return;
        };
        let Entry { refs, block, .. } = self.entries[place as usize];
        if refs == 0 {
            self.unlink(place);
            self.idle_tokens -= u64::from(block.tokens);
        } else {
            self.shared_tokens += u64::from(block.tokens);
        }
        self.entries[place as usize].refs += 1;
    }

    /// Lets go of a block that was held.
    pub fn release(&mut self, id: u64) {
        let Some(place) = self.by_id.get(id) else { return };
        let Entry { refs, block, .. } = self.entries[place as usize];
        self.entries[place as usize].refs = refs.saturating_sub(1);
        match refs {
            0 => {}
            1 => {
                self.idle_tokens += u64::from(block.tokens);
                self.link(place);
            }
            _ => self.shared_tokens -= u64::from(block.tokens),
        }
    }

    /// Gives up the blocks let go longest ago until those that nobody holds have at most so many tokens.
    pub fn trim(&mut self, tokens: u64) {
        while self.idle_tokens > tokens && self.oldest != NONE {
            let place = self.oldest;
            let block = self.entries[place as usize].block;
            self.unlink(place);
            self.idle_tokens -= u64::from(block.tokens);
            self.by_id.remove(block.id);
            self.vacant.push(place);
        }
    }

    fn link(&mut self, place: u32) {
        let newest = std::mem::replace(&mut self.newest, place);
        (self.entries[place as usize].older, self.entries[place as usize].newer) = (newest, NONE);
        match self.entries.get_mut(newest as usize) {
            Some(before) => before.newer = place,
            None => self.oldest = place,
        }
    }

    fn unlink(&mut self, place: u32) {
        let Entry { older, newer, .. } = self.entries[place as usize];
        match self.entries.get_mut(older as usize) {
            Some(before) => before.newer = newer,
            None => self.oldest = newer,
        }
        match self.entries.get_mut(newer as usize) {
            Some(after) => after.older = older,
            None => self.newest = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(id: u64) -> ContentBlock {
        ContentBlock { id, tokens: 16 }
    }

    #[test]
    fn the_block_let_go_longest_ago_goes_first_and_none_that_is_held() {
        let mut set = BlockSet::default();
        for id in [1, 2, 3, 4] {
            set.hold(block(id));
        }
        set.hold(block(4));
        assert_eq!((set.idle_tokens(), set.shared_tokens()), (0, 16));
        for id in [2, 1, 4, 3] {
            set.release(id);
        }
        assert_eq!((set.idle_tokens(), set.shared_tokens()), (48, 0));
        set.hold(block(1));
        set.trim(16);
        assert_eq!([1, 2, 3, 4].map(|id| set.has(id)), [true, false, true, true]);
        set.trim(0);
        assert_eq!([1, 2, 3, 4].map(|id| set.has(id)), [true, false, false, true], "two are held");
        set.release(1);
        set.hold(block(9));
        set.release(9);
        set.trim(16);
        assert_eq!([1, 9].map(|id| set.has(id)), [false, true]);
    }

    #[test]
    fn turns_of_a_session_begin_alike_and_sessions_share_what_is_common() {
        let contents = Contents::Sessions { common_tokens: 40 };
        let ids = |session, tokens| -> Vec<u64> {
            contents.blocks(session, tokens, 16).map(|block| block.id).collect()
        };
        assert_eq!(
            ids(7, 70),
            [0, 1, 7 << 32 | 2, 7 << 32 | 3],
            "full blocks, of which the third is its own"
        );
        assert_eq!(ids(7, 100)[..4], ids(7, 70)[..]);
        assert_eq!(ids(8, 70)[..2], ids(7, 70)[..2]);
        assert_eq!(ids(UNKNOWN, 70), [0; 0]);
    }

    #[test]
    fn a_row_has_the_blocks_it_names_the_last_in_part() {
        let mut rows = ContentRows::new(512);
        rows.push([5, 6]);
        rows.push([]);
        rows.push([5]);
        let contents = Contents::Rows(Arc::new(rows));
        let blocks = |row, tokens| -> Vec<(u64, u32)> {
            contents.blocks(row, tokens, 16).map(|block| (block.id, block.tokens)).collect()
        };
        assert_eq!(blocks(1, 700), [(5, 512), (6, 188)]);
        assert_eq!((blocks(2, 700), blocks(3, 700), blocks(4, 700)), (vec![], vec![(5, 512)], vec![]));
        assert_eq!(contents.block_tokens(16), 512);
    }
}

//! How much of the prompts of a trace a prefix cache finds, by its size: from the blocks of content that the trace names.
//!
//! A block is found if the cache has it and all blocks before it in the prompt. One cache sees all requests in their order and gives up
//! the block used least recently. For such a cache all sizes follow from one pass: a block is there if no more other blocks were used
//! since its last use than there is room for (Mattson, Gecsei, Slutz and Traiger, "Evaluation techniques for storage hierarchies",
//! 1970).

use std::collections::HashMap;
use std::io::{BufRead as _, Read as _};

use serde::{Deserialize, Serialize};

use super::FileError;
use super::error::unreadable;
use super::recording::begins_as_parquet;
use super::records::ROW_BYTES;
use super::table::open;
use crate::files::NamedFile;

/// Sizes of a cache that are shown, tokens.
const SIZES: [f64; 6] = [3e5, 1e6, 3e6, 1e7, 5e7, f64::INFINITY];
/// Tokens that a block may have.
const BLOCKS: [f64; 8] = [8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
/// Blocks of a trace that are followed at most, for memory.
const MOST: usize = 50_000_000;

/// What a prefix cache finds of a trace's prompts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrefixReuse {
    /// Tokens in a block.
    pub block_tokens: f64,
    /// Share of the prompt tokens that are found, by the tokens that the cache holds, the unlimited one last, with `null` as its size.
    pub by_size: Vec<(Option<f64>, f64)>,
    /// Mean over requests of the share of the prompt that an unlimited cache finds.
    pub mean_of_requests: f64,
}

/// The blocks of content that the rows of a trace name.
#[derive(Debug, Clone, PartialEq)]
pub struct RowBlocks {
    /// Tokens in a block.
    pub block_tokens: f64,
    /// Tokens of the prompt of each row, and its blocks.
    pub rows: Vec<(f64, Vec<u64>)>,
}

/// The blocks of the rows of a trace, in their order; `None` if some rows name none (`hash_ids`), or are more than memory is for.
///
/// # Errors
/// The file cannot be read.
pub fn row_blocks(file: &NamedFile<'_>) -> Result<Option<RowBlocks>, FileError> {
    let (mut rows, mut blocks, mut all_have) = (Vec::new(), 0, true);
    each_row(file, |row| {
        blocks += row.as_ref().map_or(0, |row| row.hash_ids.len());
        all_have = row.is_some() && blocks <= MOST;
        rows.extend(row);
        all_have
    })?;
    if !all_have {
        return Ok(None);
    }
    let block_tokens = block_tokens(&rows);
    let rows: Vec<_> = rows.into_iter().map(|row| (row.input_length, row.hash_ids)).collect();
    Ok((blocks > 0).then_some(RowBlocks { block_tokens, rows }))
}

/// Reads one row after the other, `None` in the place of one that names no blocks, for as long as `wants_more`.
fn each_row(file: &NamedFile<'_>, mut wants_more: impl FnMut(Option<Row>) -> bool) -> Result<(), FileError> {
    // Its rows are no lines, and name no blocks.
    if begins_as_parquet(file) {
        return Ok(());
    }
    let mut reader = open(file, "trace")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(ROW_BYTES as u64).read_until(b'\n', &mut line);
        if read.map_err(|error| unreadable(file, &error))? == 0 {
            return Ok(());
        }
        let text = line.trim_ascii();
        if !text.is_empty() && !wants_more(serde_json::from_slice(text).ok()) {
            return Ok(());
        }
    }
}

/// Tokens in a block, by which most rows have as many blocks as they name.
fn block_tokens(rows: &[Row]) -> f64 {
    let fits = |tokens: &f64| {
        let full = |row: &&Row| (row.input_length / tokens).ceil() as usize == row.hash_ids.len();
        rows.iter().filter(full).count()
    };
    BLOCKS.into_iter().max_by_key(fits).unwrap_or(BLOCKS[0])
}

#[derive(Deserialize)]
struct Row {
    input_length: f64,
    hash_ids: Vec<u64>,
}

/// What a prefix cache finds of the prompts of a trace whose rows name the blocks of their content (`hash_ids`), as Mooncake's and
/// Bailian's do; `None` if the file has no such rows.
///
/// # Errors
/// The file cannot be read.
pub fn prefix_reuse(file: &NamedFile<'_>) -> Result<Option<PrefixReuse>, FileError> {
    let (mut rows, mut blocks) = (Vec::new(), 0);
    each_row(file, |row| {
        let row = row.filter(|row| row.input_length >= 1.0 && !row.hash_ids.is_empty());
        blocks += row.as_ref().map_or(0, |row| row.hash_ids.len());
        rows.extend(row);
        // Where the first row names no blocks, it is no such file.
        !rows.is_empty() && blocks <= MOST
    })?;
    Ok((!rows.is_empty()).then(|| of_rows(&rows, blocks)))
}

fn of_rows(rows: &[Row], blocks: usize) -> PrefixReuse {
    let block_tokens = block_tokens(rows);
    let mut recency = Recency::new(blocks);
    let (mut found, mut prompt, mut of_requests) = ([0.0; SIZES.len()], 0.0, 0.0);
    for row in rows {
        // The fewest blocks of room with which the prompt is found up to here.
        let mut needed = 0.0_f64;
        let mut own = [0.0; SIZES.len()];
        for (index, block) in row.hash_ids.iter().enumerate() {
            needed = needed.max(recency.touch(*block));
            let tokens = (row.input_length - index as f64 * block_tokens).clamp(0.0, block_tokens);
            for (own, size) in own.iter_mut().zip(SIZES) {
                if needed.is_finite() && needed * block_tokens <= size {
                    *own += tokens;
                }
            }
        }
        prompt += row.input_length;
        found.iter_mut().zip(own).for_each(|(all, own)| *all += own);
        of_requests += own[SIZES.len() - 1] / row.input_length;
    }
    PrefixReuse {
        block_tokens,
        by_size: SIZES
            .iter()
            .zip(found)
            .map(|(size, found)| (size.is_finite().then_some(*size), found / prompt))
            .collect(),
        mean_of_requests: of_requests / rows.len() as f64,
    }
}

/// How many different blocks were used since a block was: a Fenwick tree with a one at the last use of each.
struct Recency {
    last: HashMap<u64, usize>,
    sums: Vec<u32>,
    used: usize,
}

impl Recency {
    fn new(uses: usize) -> Recency {
        Recency { last: HashMap::new(), sums: vec![0; uses + 1], used: 0 }
    }

    /// Uses a block; returns how many different ones have been used since the use before, itself included; infinite at its first use.
    fn touch(&mut self, block: u64) -> f64 {
        self.used += 1;
        let before = self.last.insert(block, self.used);
        let distance = before.map_or(f64::INFINITY, |at| {
            let since = self.ones(self.used - 1) - self.ones(at - 1);
            self.add(at, false);
            f64::from(since)
        });
        self.add(self.used, true);
        distance
    }

    fn ones(&self, mut to: usize) -> u32 {
        let mut sum = 0;
        while to > 0 {
            sum += self.sums[to];
            to &= to - 1;
        }
        sum
    }

    fn add(&mut self, mut at: usize, one: bool) {
        while at < self.sums.len() {
            self.sums[at] = if one { self.sums[at] + 1 } else { self.sums[at] - 1 };
            at += at & at.wrapping_neg();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_found_up_to_the_first_block_that_has_gone() {
        let row = |input_length: f64, hash_ids: &[u64]| Row { input_length, hash_ids: hash_ids.to_vec() };
        // Second: both blocks again; third: the first block only; fourth: a new first block hides the second.
        let rows =
            [row(1024.0, &[1, 2]), row(1000.0, &[1, 2]), row(1536.0, &[1, 3, 2]), row(1024.0, &[4, 2])];
        let reuse = of_rows(&rows, 9);
        assert_eq!(reuse.block_tokens, 512.0);
        let unlimited = reuse.by_size.last().unwrap();
        assert_eq!(unlimited.0, None);
        assert!((unlimited.1 - (1000.0 + 512.0) / 4584.0).abs() < 1e-12, "{reuse:?}");
        assert!((reuse.mean_of_requests - (1.0 + 1.0 / 3.0) / 4.0).abs() < 1e-12, "{reuse:?}");
    }

    #[test]
    fn the_distance_of_a_block_counts_others_once() {
        let mut recency = Recency::new(6);
        let distances: Vec<f64> = [7, 8, 8, 9, 7, 8].map(|block| recency.touch(block)).to_vec();
        assert_eq!(distances[2..], [1.0, f64::INFINITY, 3.0, 3.0]);
        assert!(distances[0].is_infinite() && distances[1].is_infinite());
    }
}

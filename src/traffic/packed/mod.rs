//! Columns of numbers, packed in blocks and read block by block: what a trace of any length is held as.
//!
//! A column of instants takes one to four bytes a row, as its clock and its gaps need. What is more than a few megabytes lies in
//! a scratch file, where there is a place for one, so that the memory that a trace takes does not grow with it.

mod bits;
mod rows;
mod store;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub(super) use rows::{Rows, merged, reversed, sorted};
use store::{ChunkRead, Place, Store};

/// Values of a block: enough to hide what one costs, few enough for the cache.
const BLOCK: usize = 1024;

/// A column of whole numbers, in the order of its rows; it is not changed once it is packed.
#[derive(Clone, Default)]
pub struct Packed {
    len: usize,
    last: u64,
    blocks: Vec<Block>,
    bytes: Arc<Store>,
}

/// Where a block of rows lies.
#[derive(Debug, Clone, Copy)]
struct Block {
    first: u64,
    place: Place,
}

impl Packed {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of the last row.
    pub fn last(&self) -> Option<u64> {
        (!self.is_empty()).then_some(self.last)
    }

    /// All values.
    pub fn iter(&self) -> Values<'_> {
        self.range(0..self.len)
    }

    /// The values of some rows; rows that there are not are left out.
    pub fn range(&self, rows: Range<usize>) -> Values<'_> {
        Values { column: self, cursor: Cursor::default(), next: rows.start, end: rows.end.min(self.len) }
    }

    /// Each value with the one before it.
    pub fn pairs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut before = self.blocks.first().map_or(0, |block| block.first);
        self.range(1..self.len).map(move |value| (std::mem::replace(&mut before, value), value))
    }

    /// All values, unpacked: eight bytes each.
    pub fn to_vec(&self) -> Vec<u64> {
        let mut values = Vec::with_capacity(self.len);
        values.extend(self.iter());
        values
    }

    /// The number of values for which `is_before` holds; it holds for none after the first for which it does not.
    pub fn partition_point(&self, is_before: impl Fn(u64) -> bool) -> usize {
        let begun = self.blocks.partition_point(|block| is_before(block.first));
        let Some(last) = begun.checked_sub(1) else { return 0 };
        let mut cursor = Cursor::default();
        cursor.load(self, last);
        last * BLOCK + cursor.values.partition_point(|value| is_before(*value))
    }

    fn unpack(&self, block: usize, read: &mut ChunkRead, values: &mut Vec<u64>) {
        let Block { first, place } = self.blocks[block];
        let count = BLOCK.min(self.len - block * BLOCK);
        self.bytes.with(place, read, |packed| bits::unpack(packed, first, count, values));
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} rows)", self.len)
    }
}

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.last == other.last && self.iter().eq(other.iter())
    }
}

impl Eq for Packed {}

impl FromIterator<u64> for Packed {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        let mut packer = Packer::default();
        values.into_iter().for_each(|value| packer.push(value));
        packer.finish()
    }
}

/// Packs a column, value by value.
#[derive(Debug, Default)]
pub(super) struct Packer {
    /// Values of the block that is not full yet.
    open: Vec<u64>,
    blocks: Vec<Block>,
    bytes: Store,
    packed: Vec<u8>,
}

impl Packer {
    pub(super) fn push(&mut self, value: u64) {
        if self.open.len() == BLOCK {
            self.end_block();
        }
        self.open.push(value);
    }

    pub(super) fn extend(&mut self, values: impl ExactSizeIterator<Item = u64>) {
        let mut values = values;
        while values.len() > 0 {
            if self.open.len() == BLOCK {
                self.end_block();
            }
            self.open.extend(values.by_ref().take(BLOCK - self.open.len()));
        }
    }

    /// The last value that was given.
    pub(super) fn last(&self) -> Option<u64> {
        self.open.last().copied()
    }

    fn end_block(&mut self) {
        if let Some(first) = self.open.first().copied() {
            bits::pack(&self.open, &mut self.packed);
            self.blocks.push(Block { first, place: self.bytes.put(&self.packed) });
            self.open.clear();
        }
    }

    pub(super) fn finish(mut self) -> Packed {
        let last = self.last().unwrap_or_default();
        let len = self.blocks.len() * BLOCK + self.open.len();
        self.end_block();
        self.blocks.shrink_to_fit();
        Packed { len, last, blocks: self.blocks, bytes: Arc::new(self.bytes) }
    }
}

/// Reads values of one column, each time the same; rows near each other are read fast.
#[derive(Debug, Clone, Default)]
pub struct Cursor {
    /// The block whose values are here, from 1; 0 is none.
    block: usize,
    values: Vec<u64>,
    read: ChunkRead,
}

impl Cursor {
    /// The value of a row that the column has.
    #[inline]
    pub fn get(&mut self, column: &Packed, row: usize) -> u64 {
        if self.block != row / BLOCK + 1 {
            self.load(column, row / BLOCK);
        }
        self.values[row % BLOCK]
    }

    /// The values of rows that the column has, from `rows.start` on: as many as lie near each other, at least one of those asked for.
    pub fn run(&mut self, column: &Packed, rows: Range<usize>) -> &[u64] {
        let Range { start, end } = rows;
        if start >= end {
            return &[];
        }
        if self.block != start / BLOCK + 1 {
            self.load(column, start / BLOCK);
        }
        let from = start % BLOCK;
        let to = self.values.len().min(from + (end - start));
        &self.values[from..to]
    }

    fn load(&mut self, column: &Packed, block: usize) {
        column.unpack(block, &mut self.read, &mut self.values);
        self.block = block + 1;
    }
}

/// Values of a column.
#[derive(Debug)]
pub struct Values<'a> {
    column: &'a Packed,
    cursor: Cursor,
    next: usize,
    end: usize,
}

impl Iterator for Values<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        if self.next >= self.end {
            return None;
        }
        self.next += 1;
        Some(self.cursor.get(self.column, self.next - 1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end.saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Values<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: u64) -> Vec<u64> {
        (0..count).map(|row| row * 1_000 + row * row % 997).collect()
    }

    #[test]
    fn what_is_packed_comes_out_again_whatever_it_is() {
        let hostile = vec![u64::MAX, 0, 1 << 63, u64::MAX, 7, 7, (1 << 63) - 1, 1];
        let even: Vec<u64> = (0..5000).map(|row| row * 3_000_000).collect();
        for values in
            [vec![], vec![5], vec![9; 3000], hostile, even, values(1024), values(1025), values(5000)]
        {
            let column: Packed = values.iter().copied().collect();
            assert_eq!(column.to_vec(), values);
            let mut packer = Packer::default();
            values.chunks(300).for_each(|part| packer.extend(part.iter().copied()));
            assert_eq!(packer.finish(), column);
            assert_eq!((column.len(), column.last()), (values.len(), values.last().copied()));
            let pairs: Vec<(u64, u64)> = values.windows(2).map(|pair| (pair[0], pair[1])).collect();
            assert_eq!(column.pairs().collect::<Vec<_>>(), pairs);
        }
    }

    #[test]
    fn rows_are_found_in_any_order() {
        let values = values(4000);
        let column: Packed = values.iter().copied().collect();
        let mut cursor = Cursor::default();
        for row in [0, 3999, 1, 1023, 1024, 2047, 5] {
            assert_eq!(cursor.get(&column, row), values[row]);
        }
        assert_eq!(column.range(1000..1030).collect::<Vec<_>>(), values[1000..1030]);
        assert_eq!(column.range(3990..9000).collect::<Vec<_>>(), values[3990..]);
        let even: Packed = (0..4000).map(|row| row * 10).collect();
        for (below, rows) in
            [(0, 0), (1, 1), (10_240, 1024), (10_241, 1025), (39_990, 3999), (u64::MAX, 4000)]
        {
            assert_eq!(even.partition_point(|value| value < below), rows, "{below}");
        }
        assert_eq!(Packed::default().partition_point(|_| true), 0);
        let (mut run, mut next) = (Vec::new(), 1000);
        while next < 2100 {
            let values = cursor.run(&column, next..2100);
            assert!(!values.is_empty() && values.len() <= BLOCK);
            run.extend_from_slice(values);
            next += values.len();
        }
        assert_eq!(run, values[1000..2100]);
        assert!(cursor.run(&column, 7..7).is_empty());
    }

    #[test]
    fn a_long_column_takes_few_bytes_of_memory() {
        // Gaps of 0 to 2 ms by a clock of microseconds: 11 bits.
        let mut now = 0;
        let gaps = (0..3_000_000_u64).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
        let column: Packed = gaps
            .map(|draw| {
                now += draw % 2000 * 1000;
                now
            })
            .collect();
        assert_eq!(column.last(), Some(now));
        let held = column.bytes.held();
        assert!(held <= 3_000_000 * 3 / 2, "{held} bytes");
        #[cfg(feature = "cli")]
        assert!(held <= 2 * store::MOST_HELD, "{held} bytes, though a scratch file could have them");
        let mut again = 0;
        let gaps = (0..3_000_000_u64).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
        assert!(column.iter().eq(gaps.map(|draw| {
            again += draw % 2000 * 1000;
            again
        })));
    }
}

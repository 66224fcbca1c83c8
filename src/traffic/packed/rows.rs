//! Rows of several columns, put in the order of the first: by parts that fit into memory, and then merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Cursor, Packed, Packer};

/// Rows that are sorted at once.
const PART: usize = 1 << 18;

/// Columns of the same rows; those without values stay so. Values of the first are signed.
pub(in crate::traffic) type Rows<const N: usize> = [Packed; N];

/// The rows from the last to the first, with `less` taken off the first column.
pub(in crate::traffic) fn reversed<const N: usize>(rows: &Rows<N>, less: u64) -> Rows<N> {
    let mut cursors: [Cursor; N] = std::array::from_fn(|_| Cursor::default());
    let mut packers: [Packer; N] = std::array::from_fn(|_| Packer::default());
    for row in (0..rows[0].len()).rev() {
        take(rows, &mut cursors, row, less, &mut packers);
    }
    packers.map(Packer::finish)
}

/// The rows in ascending order of the first column, with `less` taken off it; rows of equal values keep their order.
pub(in crate::traffic) fn sorted<const N: usize>(rows: &Rows<N>, less: u64) -> Rows<N> {
    let all = rows[0].len();
    let parts: Vec<Rows<N>> = (0..all.div_ceil(PART))
        .map(|part| part * PART..((part + 1) * PART).min(all))
        .map(|part| {
            let keys: Vec<u64> = rows[0].range(part.clone()).collect();
            let mut order: Vec<u32> = (0..keys.len() as u32).collect();
            order.sort_by_key(|row| keys[*row as usize] as i64);
            std::array::from_fn(|column| {
                let values: Vec<u64> = rows[column].range(part.clone()).collect();
                order.iter().filter_map(|row| values.get(*row as usize).copied()).collect()
            })
        })
        .collect();
    merged(&parts.iter().map(|part| (part, less)).collect::<Vec<_>>())
}

/// Several sets of rows in one, in ascending order of the first column, in which each of them is already; of equal values those
/// of the earlier set come first. The number beside a set is taken off its first column.
pub(in crate::traffic) fn merged<const N: usize>(parts: &[(&Rows<N>, u64)]) -> Rows<N> {
    let mut cursors: Vec<[Cursor; N]> =
        parts.iter().map(|_| std::array::from_fn(|_| Cursor::default())).collect();
    let mut packers: [Packer; N] = std::array::from_fn(|_| Packer::default());
    let key = |cursors: &mut [[Cursor; N]], part: usize, row: usize| {
        let (rows, less) = parts[part];
        let value = (row < rows[0].len()).then(|| cursors[part][0].get(&rows[0], row))?;
        Some(Reverse((value.wrapping_sub(less) as i64, part, row)))
    };
    let mut next: BinaryHeap<_> = (0..parts.len()).filter_map(|part| key(&mut cursors, part, 0)).collect();
    while let Some(mut first) = next.peek_mut() {
        let Reverse((_, part, row)) = *first;
        let (rows, less) = parts[part];
        take(rows, &mut cursors[part], row, less, &mut packers);
        match key(&mut cursors, part, row + 1) {
            Some(later) => *first = later,
            None => drop(std::collections::binary_heap::PeekMut::pop(first)),
        }
    }
    packers.map(Packer::finish)
}

fn take<const N: usize>(
    rows: &Rows<N>,
    cursors: &mut [Cursor; N],
    row: usize,
    less: u64,
    packers: &mut [Packer; N],
) {
    for (at, ((column, cursor), packer)) in rows.iter().zip(cursors).zip(packers).enumerate() {
        if !column.is_empty() {
            let value = cursor.get(column, row);
            packer.push(if at == 0 { value.wrapping_sub(less) } else { value });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(keys: &[u64]) -> Rows<3> {
        [keys.iter().copied().collect(), (0..keys.len() as u64).collect(), Packed::default()]
    }

    #[test]
    fn rows_are_sorted_over_parts_and_equal_ones_keep_their_order() {
        let count = 2 * PART as u64 + 5;
        let keys: Vec<u64> = (0..count).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50).collect();
        let [sorted, numbers, none] = sorted(&columns(&keys), 3);
        let mut expected: Vec<(u64, u64)> = keys.iter().copied().zip(0..).collect();
        expected.sort_by_key(|(key, _)| *key);
        let expected = expected.into_iter().map(|(key, row)| (key.wrapping_sub(3), row));
        assert!(sorted.iter().zip(numbers.iter()).eq(expected));
        assert!(none.is_empty());
    }

    #[test]
    fn rows_are_turned_round_and_merged() {
        let [keys, numbers, _] = reversed(&columns(&[9, 7, 7, 5]), 5);
        assert_eq!((keys.to_vec(), numbers.to_vec()), (vec![0, 2, 2, 4], vec![3, 2, 1, 0]));
        let (one, other) = (columns(&[1, 5, 6]), columns(&[10, 14, 20]));
        let [keys, numbers, _] = merged(&[(&one, 0), (&other, 9)]);
        assert_eq!(keys.to_vec(), [1, 1, 5, 5, 6, 11]);
        assert_eq!(numbers.to_vec(), [0, 0, 1, 1, 2, 2]);
    }

    #[test]
    fn values_before_the_first_are_signed() {
        let [keys, ..] = sorted(&columns(&[3, -2_i64 as u64, 0]), -2_i64 as u64);
        assert_eq!(keys.to_vec(), [0, 2, 5]);
    }
}

//! Several streams as one, in time order.

use super::process::Stream;
use crate::sorting::count_below;

const BLOCK: usize = 256;

#[derive(Debug)]
struct Source {
    stream: Box<dyn Stream>,
    block: Vec<u64>,
    rows: Vec<Option<usize>>,
    next: usize,
}

impl Source {
    /// Draws the next block if this one is used up; without its rows where nobody asks for them.
    fn draw(&mut self, with_rows: bool) {
        if self.next == self.block.len() {
            self.block.clear();
            self.rows.clear();
            self.next = 0;
            match with_rows {
                true => self.stream.fill_with_rows(&mut self.block, &mut self.rows, BLOCK),
                false => self.stream.fill(&mut self.block, BLOCK),
            }
        }
    }

    fn head(&self) -> Option<u64> {
        self.block.get(self.next).copied()
    }

    /// How many of the block, of `count` at most, come no later than `last`.
    fn until(&self, last: u64, count: usize) -> usize {
        let left = &self.block[self.next..];
        let left = &left[..left.len().min(count)];
        match left.last() {
            Some(instant) if *instant > last => count_below(left, last + 1),
            _ => left.len(),
        }
    }
}

/// The union of a few streams. It draws a block of each ahead, into buffers of its own.
#[derive(Debug)]
pub(super) struct Merged {
    sources: Vec<Source>,
}

impl Merged {
    pub(super) fn new(streams: impl IntoIterator<Item = Box<dyn Stream>>) -> Self {
        let source = |stream| Source {
            stream,
            block: Vec::with_capacity(BLOCK),
            rows: Vec::with_capacity(BLOCK),
            next: 0,
        };
        Merged { sources: streams.into_iter().map(source).collect() }
    }

    /// Takes the next `count` instants, with their rows if they are asked for. Of equal ones that of the first stream comes first.
    fn take(&mut self, out: &mut Vec<u64>, mut rows: Option<&mut Vec<Option<usize>>>, mut count: usize) {
        while count > 0 {
            let with_rows = rows.is_some();
            self.sources.iter_mut().for_each(|source| source.draw(with_rows));
            let heads = self.sources.iter().enumerate();
            let heads = heads.filter_map(|(index, source)| Some((source.head()?, index)));
            let Some((_, first)) = heads.clone().min() else { return };
            // All up to the head of another stream follow one another, so that they are copied at once.
            let others = heads.filter(|(_, index)| *index != first);
            let last = others.map(|(head, index)| if index < first { head - 1 } else { head }).min();
            let source = &mut self.sources[first];
            let taken = source.until(last.unwrap_or(u64::MAX), count);
            let part = source.next..source.next + taken;
            out.extend_from_slice(&source.block[part.clone()]);
            if let Some(rows) = &mut rows {
                rows.extend_from_slice(&source.rows[part]);
            }
            source.next += taken;
            count -= taken;
        }
    }
}

impl Stream for Merged {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        self.take(out, None, count);
    }
    fn fill_with_rows(&mut self, out: &mut Vec<u64>, rows: &mut Vec<Option<usize>>, count: usize) {
        self.take(out, Some(rows), count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Instants that are given, each with a row of its own.
    #[derive(Debug)]
    struct Given(std::vec::IntoIter<(u64, usize)>);

    impl Stream for Given {
        fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
            out.extend(self.0.by_ref().take(count).map(|(instant, _)| instant));
        }
        fn fill_with_rows(&mut self, out: &mut Vec<u64>, rows: &mut Vec<Option<usize>>, count: usize) {
            for (instant, row) in self.0.by_ref().take(count) {
                out.push(instant);
                rows.push(Some(row));
            }
        }
    }

    fn merged(streams: &[Vec<(u64, usize)>]) -> Merged {
        Merged::new(streams.iter().map(|each| Box::new(Given(each.clone().into_iter())) as Box<dyn Stream>))
    }

    #[test]
    fn instants_come_in_order_and_equal_ones_in_that_of_the_streams() {
        let mut state = 1_u64;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for count in [0, 1, 5, 255, 256, 257, 2000] {
            // Few instants, so that many are equal.
            let mut stream = |from: u64| {
                let mut instants: Vec<u64> = (0..count).map(|_| from + random(1 + count / 3)).collect();
                instants.sort_unstable();
                instants
            };
            let streams = [stream(0), stream(0), Vec::new(), stream(count / 2)];
            let rows = |(which, instants): (usize, &Vec<u64>)| {
                instants.iter().enumerate().map(|(row, at)| (*at, 10_000 * which + row)).collect::<Vec<_>>()
            };
            let streams: Vec<Vec<(u64, usize)>> = streams.iter().enumerate().map(rows).collect();
            let mut expected: Vec<(u64, usize)> = streams.iter().flatten().copied().collect();
            expected.sort_by_key(|(instant, _)| *instant);
            for at_a_time in [1, 7, 1024] {
                let (mut with, mut without) = (merged(&streams), merged(&streams));
                let (mut instants, mut rows, mut alone) = (Vec::new(), Vec::new(), Vec::new());
                while alone.len() < expected.len() {
                    with.fill_with_rows(&mut instants, &mut rows, at_a_time);
                    without.fill(&mut alone, at_a_time);
                    assert!(alone.len() == expected.len() || alone.len() % at_a_time == 0, "a block is full");
                }
                let found: Vec<(u64, usize)> =
                    instants.iter().copied().zip(rows.into_iter().flatten()).collect();
                assert_eq!(found, expected, "{count} each, {at_a_time} at a time");
                assert_eq!(alone, instants);
            }
        }
    }
}

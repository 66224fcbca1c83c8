//! Several streams as one, in time order.

use super::process::Stream;

const BLOCK: usize = 256;

#[derive(Debug)]
struct Source {
    stream: Box<dyn Stream>,
    block: Vec<u64>,
    rows: Vec<Option<usize>>,
    next: usize,
}

impl Source {
    fn peek(&mut self) -> Option<u64> {
        if self.next == self.block.len() {
            self.block.clear();
            self.rows.clear();
            self.next = 0;
            self.stream.fill_with_rows(&mut self.block, &mut self.rows, BLOCK);
        }
        self.block.get(self.next).copied()
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

    fn next(&mut self) -> Option<(u64, Option<usize>)> {
        let heads = self.sources.iter_mut().filter_map(|source| Some((source.peek()?, source)));
        let (instant, source) = heads.min_by_key(|(instant, _)| *instant)?;
        let row = source.rows[source.next];
        source.next += 1;
        Some((instant, row))
    }
}

impl Stream for Merged {
    fn fill(&mut self, out: &mut Vec<u64>, count: usize) {
        out.extend(std::iter::from_fn(|| self.next()).take(count).map(|(instant, _)| instant));
    }
    fn fill_with_rows(&mut self, out: &mut Vec<u64>, rows: &mut Vec<Option<usize>>, count: usize) {
        for (instant, row) in std::iter::from_fn(|| self.next()).take(count) {
            out.push(instant);
            rows.push(row);
        }
    }
}

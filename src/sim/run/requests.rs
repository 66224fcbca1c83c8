//! The requests of a run, drawn in blocks.

use std::ops::Range;

use rand::RngExt as _;

use super::model::Model;
use crate::arrivals::{ArrivalStream, TraceRows};
use crate::distribution::Distribution;
use crate::random::{Purpose, Rng, Streams};
use crate::service::{FromTrace, Tokens, UNKNOWN};
use crate::sim::accounting::Class;
use crate::sim::queueing::Arrivals;
use crate::time::Span;
use crate::traffic::Cursor;

/// Consecutive requests, column by column. What a request brings is drawn as it arrives, from streams that nothing
/// else draws from, so that every setting under one seed meets the same requests.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// When each arrives, nanoseconds from the start of the run, in order.
    pub arrival: Vec<u64>,
    /// Service requirement of each, nanoseconds.
    pub service: Vec<u64>,
    /// How long each is willing to wait, nanoseconds; empty where all wait as long as it takes.
    pub patience: Vec<u64>,
    /// Class of each; empty where classes are not told apart.
    pub class: Vec<Class>,
    /// Tokens of each; empty where they are not counted.
    pub tokens: Vec<Tokens>,
    /// What the prompt of each holds, by the contents of the run; empty where that is not known.
    pub content: Vec<u32>,
}

impl Block {
    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        let Block { arrival, service, patience, class, tokens, content } = self;
        size_of::<u64>() * (arrival.capacity() + service.capacity() + patience.capacity())
            + size_of::<Class>() * class.capacity()
            + size_of::<Tokens>() * tokens.capacity()
            + size_of::<u32>() * content.capacity()
    }

    /// Makes it hold what `other` holds, in the memory that it has.
    pub fn copy_from(&mut self, other: &Block) {
        let Block { arrival, service, patience, class, tokens, content } = other;
        self.arrival.clone_from(arrival);
        self.service.clone_from(service);
        self.patience.clone_from(patience);
        self.class.clone_from(class);
        self.tokens.clone_from(tokens);
        self.content.clone_from(content);
    }

    /// Some of them, as a station takes them.
    pub(in crate::sim) fn arrivals(&self, part: Range<usize>) -> Arrivals<'_> {
        Arrivals {
            tokens: self.tokens.get(part.clone()).unwrap_or_default(),
            services: &self.service[part.clone()],
            instants: &self.arrival[part],
        }
    }
}

/// Requests drawn at a time: enough to hide what a block costs, few enough to stay in the cache.
pub const BLOCK: usize = 1024;

/// Draws the requests of one replication. Several simulations may be fed from one source.
#[derive(Debug)]
pub struct RequestSource {
    arrivals: ArrivalStream,
    service: Distribution,
    rng: Rng,
    patience: Option<(Distribution, Rng)>,
    class: Option<(f64, Rng)>,
    tokens: Option<[(Distribution, Rng); 2]>,
    replayed: Option<Replayed>,
    seconds: Vec<f64>,
}

/// What requests take from their rows of a trace.
#[derive(Debug)]
struct Replayed {
    rows: TraceRows,
    take: FromTrace,
    /// Whether the row of a request is the content of its prompt.
    names_content: bool,
    cursors: [Cursor; 3],
    /// The row of each request of the block, and the draws of one for those that have none.
    of: Vec<Option<usize>>,
    rng: Rng,
}

impl RequestSource {
    /// The requests that `model` meets under `streams`.
    pub fn new(model: &Model, streams: Streams) -> Self {
        RequestSource {
            arrivals: model.arrivals.stream(streams),
            service: model.service.time.0.clone(),
            rng: streams.stream(Purpose::Service),
            patience: model.dispatch.patience.clone().map(|time| (time.0, streams.stream(Purpose::Patience))),
            class: model.dispatch.high_priority.map(|share| (share, streams.stream(Purpose::Class))),
            tokens: model.service.tokens.clone().map(|laws| {
                [
                    (laws.prompt.0, streams.stream(Purpose::PromptTokens)),
                    (laws.output.0, streams.stream(Purpose::OutputTokens)),
                ]
            }),
            replayed: model.arrivals.rows().filter(|_| model.service.takes_rows()).map(|rows| Replayed {
                names_content: model.service.has_content_of_rows(),
                rows,
                cursors: Default::default(),
                take: model.service.from_trace,
                of: Vec::with_capacity(BLOCK),
                rng: streams.stream(Purpose::Rows),
            }),
            seconds: vec![0.0; BLOCK],
        }
    }

    /// Whether two models meet the same requests under the same streams.
    pub fn same(one: &Model, other: &Model) -> bool {
        one.arrivals == other.arrivals
            && one.service.time == other.service.time
            && one.service.tokens == other.service.tokens
            && one.service.from_trace == other.service.from_trace
            && one.service.has_content_of_rows() == other.service.has_content_of_rows()
            && one.dispatch.patience == other.dispatch.patience
            && one.dispatch.high_priority == other.dispatch.high_priority
            && one.client.users == other.client.users
    }

    /// Replaces what `block` holds by the next [`BLOCK`] requests; by fewer only when no more come.
    pub fn fill(&mut self, block: &mut Block) {
        block.arrival.clear();
        match &mut self.replayed {
            None => self.arrivals.fill(&mut block.arrival, BLOCK),
            Some(replayed) => {
                replayed.of.clear();
                self.arrivals.fill_with_rows(&mut block.arrival, &mut replayed.of, BLOCK);
            }
        }
        let seconds = &mut self.seconds[..block.arrival.len()];
        self.service.fill(&mut self.rng, seconds);
        Span::all_from_secs_f64(seconds, &mut block.service);
        if let Some((patience, rng)) = &mut self.patience {
            patience.fill(rng, seconds);
            Span::all_from_secs_f64(seconds, &mut block.patience);
        }
        if let Some([prompt, output]) = &mut self.tokens {
            block.tokens.clear();
            prompt.0.fill(&mut prompt.1, seconds);
            block
                .tokens
                .extend(seconds.iter().map(|count| Tokens { prompt: Tokens::whole(*count), output: 0 }));
            output.0.fill(&mut output.1, seconds);
            for (tokens, count) in block.tokens.iter_mut().zip(seconds.iter()) {
                tokens.output = Tokens::whole(*count);
            }
        }
        if let Some(replayed) = &mut self.replayed {
            replayed.put(block);
        }
        if let Some((share, rng)) = &mut self.class {
            let draw = |_: &u64| if rng.random::<f64>() < *share { Class::High } else { Class::Low };
            block.class.clear();
            block.class.extend(block.arrival.iter().map(draw));
        }
    }
}

impl Replayed {
    /// Puts what the rows tell in the place of what was drawn.
    fn put(&mut self, block: &mut Block) {
        let tokens = |count: u64| u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let (trace, part) = (self.rows.trace(), self.rows.part());
        let [time, prompt, output] = &mut self.cursors;
        block.content.clear();
        for (index, row) in self.of.iter().enumerate() {
            let row = row.unwrap_or_else(|| self.rng.random_range(part.clone()));
            if self.names_content {
                block.content.push(u32::try_from(row + 1).unwrap_or(UNKNOWN));
            }
            if self.take.time {
                block.service[index] = time.get(&trace.service, row);
            }
            if self.take.prompt_tokens {
                block.tokens[index].prompt = tokens(prompt.get(&trace.prompt_tokens, row));
            }
            if self.take.output_tokens {
                block.tokens[index].output = tokens(output.get(&trace.output_tokens, row));
            }
        }
    }
}

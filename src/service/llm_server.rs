//! `model = "llm"`: continuous batching at iteration granularity, with chunked prefill and a paged KV cache.
//!
//! The scheduler is that of vLLM's engine V1: at every iteration all sequences that decode get a token; what the token
//! budget leaves goes to prompts, first come first served, cut into chunks where it does not suffice; a sequence that
//! finds no block for its next token makes the one begun last give way, which is computed again from its start later
//! (Kwon et al., "Efficient memory management for large language model serving with PagedAttention", 2023; Agrawal et
//! al., "Taming throughput-latency tradeoff in LLM inference with Sarathi-Serve", 2024).
//!
//! While all sequences decode and nothing else can begin, iterations differ only in that each sequence has one token
//! more. Their number until the first sequence ends or the blocks run out is known, and so is the sum of their times:
//! they are taken in one stride, which an arrival may cut short. The parts of an iteration's time are whole nanoseconds,
//! so that the sum is exact and a stride ends where single steps would have.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::llm::Llm;
use super::server::{Active, FULL, Line, Request, Server};

/// An instance of `llm` at work.
#[derive(Debug, Clone)]
pub struct LlmServer {
    settings: Arc<Llm>,
    speed: f64,
    sequences: Vec<Sequence>,
    /// Places in `sequences` that are free.
    free: Vec<usize>,
    /// Sequences that are computed, in the order they were admitted; entries whose number is not their place's are gone.
    order: Vec<(usize, u64)>,
    /// Sequences that decode, by the iteration after which they end.
    ends: BinaryHeap<Reverse<(u64, u64, usize)>>,
    decoding: u64,
    /// Sequences that decode, by the iterations, modulo the tokens of a block, at which they need a block more.
    phases: Vec<u64>,
    /// Tokens in the cache of those that decode, at the start of the next iteration.
    context: u64,
    /// The sequence whose prompt is computed in part, if there is one; it is the last in `order`.
    partial: Option<usize>,
    /// Sequences whose prompt is complete with the iteration under way.
    completing: Vec<usize>,
    /// Sequences that had to give way, the first to be admitted again last.
    preempted: Vec<usize>,
    /// Sequences whose service has been stopped: they leave with the iteration under way.
    leaving: Vec<usize>,
    blocks_used: u64,
    /// Iterations since the start of the run.
    iteration: u64,
    admitted: u64,
    /// The start of the stride, in nanoseconds; since `busy_since` it counts what the iterations take at full speed.
    clock: u64,
    stride: Stride,
    next_change: u64,
    /// When it last began to work, nanoseconds; [`u64::MAX`] while it is idle.
    busy_since: u64,
    worked: u128,
    preemptions: u64,
}

/// Iterations that are taken at once.
#[derive(Debug, Clone, Copy, Default)]
struct Stride {
    /// How many; none at a boundary between two strides.
    iterations: u64,
    /// Time of the first, and what each takes longer than the one before, nanoseconds.
    first: u64,
    growth: u64,
}

impl Stride {
    /// Time of the first `count` iterations.
    #[inline]
    fn time(&self, count: u64) -> u64 {
        let pairs = u128::from(count) * u128::from(count.saturating_sub(1)) / 2;
        let time = u128::from(count) * u128::from(self.first) + pairs * u128::from(self.growth);
        u64::try_from(time).unwrap_or(u64::MAX)
    }
}

/// A request in service.
#[derive(Debug, Clone, Copy)]
struct Sequence {
    active: Active,
    /// Tells the users of one place apart.
    number: u64,
    prompt: u64,
    output: u64,
    /// Output tokens there are, and tokens in the cache; while it decodes, as of iteration `since`.
    generated: u64,
    computed: u64,
    since: u64,
    state: State,
    /// Whether its service has been stopped.
    leaving: bool,
    first_token: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Vacant,
    Prefill,
    Decode,
    Preempted,
}

impl LlmServer {
    fn block_tokens(&self) -> u64 {
        u64::from(self.settings.block_tokens)
    }

    fn blocks_free(&self) -> u64 {
        self.settings.blocks - self.blocks_used
    }

    fn running(&self) -> u64 {
        (self.sequences.len() - self.free.len() - self.preempted.len()) as u64
    }

    /// When the first `count` iterations of the stride are over.
    #[inline]
    fn boundary(&self, count: u64) -> u64 {
        let end = self.clock.saturating_add(self.stride.time(count));
        if self.speed == 1.0 {
            return end;
        }
        // From where it began to work, so that it does not matter how the iterations are taken together.
        let work = (end - self.busy_since) as f64;
        self.busy_since.saturating_add((work / self.speed).round() as u64)
    }

    /// Blocks that the sequences that decode need more for iteration number `iteration`.
    fn demand(&self, iteration: u64) -> u64 {
        self.phases[(iteration % self.block_tokens()) as usize]
    }

    /// How many iterations from the next on, up to `most`, find blocks for all that decode.
    fn sustained(&self, most: u64) -> u64 {
        let tokens = self.block_tokens();
        let mut free = self.blocks_free();
        // A whole turn of as many iterations as a block has tokens needs a block for each.
        let turns = free.checked_div(self.decoding).unwrap_or(u64::MAX);
        if turns.saturating_mul(tokens) >= most {
            return most;
        }
        free -= turns * self.decoding;
        let mut count = turns * tokens;
        while count < most {
            let demand = self.demand(self.iteration + count);
            if demand > free {
                break;
            }
            free -= demand;
            count += 1;
        }
        count
    }

    /// Blocks taken by the first `count` iterations from number `iteration` on.
    fn taken(&self, count: u64) -> u64 {
        let tokens = self.block_tokens();
        let rest = (0..count % tokens).map(|offset| self.demand(self.iteration + offset)).sum::<u64>();
        count / tokens * self.decoding + rest
    }

    /// The last admitted of the sequences that are computed.
    fn last_admitted(&mut self) -> Option<usize> {
        while let Some(&(place, number)) = self.order.last() {
            let sequence = &self.sequences[place];
            if sequence.number == number && matches!(sequence.state, State::Prefill | State::Decode) {
                return Some(place);
            }
            self.order.pop();
        }
        None
    }

    fn push_order(&mut self, place: usize) {
        if self.order.len() > 64 && self.order.len() > 4 * self.sequences.len() {
            let sequences = &self.sequences;
            self.order.retain(|(place, number)| {
                sequences[*place].number == *number
                    && matches!(sequences[*place].state, State::Prefill | State::Decode)
            });
        }
        self.order.push((place, self.sequences[place].number));
    }

    /// Takes a sequence out of those that decode, its counts as of now.
    fn leave_decoding(&mut self, place: usize) {
        let tokens = self.block_tokens();
        let sequence = &mut self.sequences[place];
        let passed = self.iteration - sequence.since;
        let phase = (sequence.since + tokens - sequence.computed % tokens) % tokens;
        self.phases[phase as usize] -= 1;
        sequence.computed += passed;
        sequence.generated += passed;
        sequence.since = self.iteration;
        self.decoding -= 1;
        self.context -= sequence.computed;
    }

    fn join_decoding(&mut self, place: usize) {
        let tokens = self.block_tokens();
        let sequence = &mut self.sequences[place];
        sequence.state = State::Decode;
        sequence.since = self.iteration;
        let phase = (sequence.since + tokens - sequence.computed % tokens) % tokens;
        self.phases[phase as usize] += 1;
        self.decoding += 1;
        self.context += sequence.computed;
        let end = self.iteration + sequence.output - sequence.generated;
        self.ends.push(Reverse((end, sequence.number, place)));
    }

    /// Makes the sequence begun last give way; whether there was one.
    fn preempt(&mut self) -> bool {
        let Some(place) = self.last_admitted() else { return false };
        self.order.pop();
        match self.sequences[place].state {
            State::Decode => {
                self.leave_decoding(place);
                let number = self.sequences[place].number;
                self.ends.retain(|Reverse((_, other, _))| *other != number);
            }
            _ => self.partial = None,
        }
        let tokens = self.block_tokens();
        let sequence = &mut self.sequences[place];
        self.blocks_used -= sequence.computed.div_ceil(tokens);
        sequence.computed = 0;
        sequence.state = State::Preempted;
        self.preempted.push(place);
        self.preemptions += 1;
        true
    }

    /// What a sequence has to compute before its next token, the part of its prompt that is cached apart.
    fn begin_prefill(&mut self, place: usize, budget: u64) -> Option<u64> {
        let tokens = self.block_tokens();
        let sequence = &self.sequences[place];
        let known = sequence.prompt + sequence.generated;
        let cached = self.settings.cached(sequence.prompt);
        let chunk = (known - cached).min(budget);
        let blocks = (cached + chunk).div_ceil(tokens);
        if blocks > self.blocks_free() {
            return None;
        }
        self.blocks_used += blocks;
        self.admitted += 1;
        let sequence = &mut self.sequences[place];
        sequence.state = State::Prefill;
        sequence.computed = cached + chunk;
        sequence.number = self.admitted;
        if sequence.computed == known {
            self.completing.push(place);
        } else {
            self.partial = Some(place);
        }
        self.push_order(place);
        Some(chunk)
    }

    fn place(&mut self, request: Request, now: u64) -> usize {
        let (prompt, output) = self.settings.fitted(request.tokens);
        let sequence = Sequence {
            active: Active { request, start: now },
            number: 0,
            prompt,
            output,
            generated: 0,
            computed: 0,
            since: 0,
            state: State::Prefill,
            leaving: false,
            first_token: 0,
        };
        match self.free.pop() {
            Some(place) => {
                self.sequences[place] = sequence;
                place
            }
            None => {
                self.sequences.push(sequence);
                self.sequences.len() - 1
            }
        }
    }

    /// Plans the iterations from now on.
    fn form(&mut self, queue: &mut impl Line, now: u64) {
        let tokens = self.block_tokens();
        let mut budget = u64::from(self.settings.token_budget);
        let mut prefilled = 0;
        let mut preempted = false;
        // Blocks for those that decode and for the next chunk of the partial one, which is the last in line.
        let chunk = loop {
            let chunk = match self.partial {
                Some(place) => {
                    let sequence = &self.sequences[place];
                    (sequence.prompt + sequence.generated - sequence.computed).min(budget - self.decoding)
                }
                None => 0,
            };
            let computed = self.partial.map_or(0, |place| self.sequences[place].computed);
            let more = (computed + chunk).div_ceil(tokens) - computed.div_ceil(tokens);
            if self.demand(self.iteration) + more <= self.blocks_free() {
                self.blocks_used += more;
                break chunk;
            }
            preempted = true;
            if !self.preempt() {
                break 0;
            }
        };
        budget -= self.decoding;
        if let Some(place) = self.partial.filter(|_| chunk > 0) {
            budget -= chunk;
            prefilled += chunk;
            let sequence = &mut self.sequences[place];
            sequence.computed += chunk;
            if sequence.computed == sequence.prompt + sequence.generated {
                self.completing.push(place);
                self.partial = None;
            }
        }
        // Blocks of those that decode are taken as the stride goes; set aside what its first iteration needs.
        let demand = self.demand(self.iteration);
        self.blocks_used += demand;
        if !preempted && self.partial.is_none() {
            prefilled += self.admit_prompts(queue, budget, now);
        }
        self.blocks_used -= demand;
        if self.decoding == 0 && prefilled == 0 {
            self.stride = Stride::default();
            self.next_change = u64::MAX;
            if self.busy_since != u64::MAX {
                self.worked += u128::from(now - self.busy_since);
                self.busy_since = u64::MAX;
            }
            return;
        }
        let settled = prefilled == 0 && !preempted;
        let until_end = self.ends.peek().map_or(1, |Reverse((end, _, _))| end - self.iteration);
        let iterations = if settled && self.settings.strides { self.sustained(until_end).max(1) } else { 1 };
        self.stride = Stride {
            iterations,
            first: self.settings.iteration_time(prefilled, self.decoding, self.context),
            growth: self.settings.per_kv_token * self.decoding,
        };
        self.next_change = self.boundary(iterations);
    }

    /// Admits prompts while the budget lasts; the tokens of theirs that are computed.
    fn admit_prompts(&mut self, queue: &mut impl Line, mut budget: u64, now: u64) -> u64 {
        let mut prefilled = 0;
        while budget > 0 && self.running() < u64::from(self.settings.max_sequences) {
            let chunk = if let Some(&place) = self.preempted.last() {
                // Its place counts as running again while it is asked for.
                let Some(chunk) = self.begin_prefill(place, budget) else { break };
                self.preempted.pop();
                chunk
            } else {
                let Some(request) = queue.front().copied() else { break };
                if !self.fits(&request, budget) {
                    break;
                }
                let Some(request) = queue.pop(now) else { break };
                let place = self.place(request, now);
                let Some(chunk) = self.begin_prefill(place, budget) else { break };
                chunk
            };
            prefilled += chunk;
            budget -= chunk;
        }
        prefilled
    }

    /// Whether there are blocks for the first chunk of a request's prompt.
    fn fits(&self, request: &Request, budget: u64) -> bool {
        let (prompt, _) = self.settings.fitted(request.tokens);
        let cached = self.settings.cached(prompt);
        (cached + (prompt - cached).min(budget)).div_ceil(self.block_tokens()) <= self.blocks_free()
    }

    /// How many iterations of the stride are over at `now`.
    fn over(&self, now: u64) -> u64 {
        let (mut low, mut high) = (0, self.stride.iterations);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.boundary(middle) <= now { low = middle } else { high = middle - 1 }
        }
        low
    }

    /// Ends the stride with the iteration that is under way at `now`, if a request that waits might begin then.
    fn cut(&mut self, queue: &impl Line, now: u64) {
        let room = self.running() < u64::from(self.settings.max_sequences) && self.preempted.is_empty();
        let budget = u64::from(self.settings.token_budget) - self.decoding;
        if self.stride.iterations > 1
            && room
            && queue.front().is_some_and(|request| budget > 0 && self.fits(request, budget))
        {
            self.shorten(now);
        }
    }

    fn finish(&mut self, place: usize, done: &mut impl FnMut(Active, u64)) {
        let tokens = self.block_tokens();
        let sequence = &mut self.sequences[place];
        sequence.state = State::Vacant;
        self.blocks_used -= sequence.computed.div_ceil(tokens);
        if !sequence.leaving {
            done(sequence.active, sequence.first_token);
        }
        self.free.push(place);
    }

    /// At the end of an iteration, lets those go whose service has been stopped.
    #[cold]
    fn part(&mut self) {
        for index in 0..self.leaving.len() {
            let place = self.leaving[index];
            let Sequence { state, number, .. } = self.sequences[place];
            match state {
                State::Vacant => continue,
                State::Decode => {
                    self.leave_decoding(place);
                    self.ends.retain(|Reverse((_, other, _))| *other != number);
                }
                // Its prompt is complete in part only, or it would decode by now.
                _ => self.partial = None,
            }
            self.finish(place, &mut |_, _| ());
        }
        self.leaving.clear();
    }

    /// Requests that have a place, though they may have been stopped.
    fn present(&self) -> u64 {
        (self.sequences.len() - self.free.len()) as u64
    }

    /// Ends the stride with the iteration that is under way at `now`.
    fn shorten(&mut self, now: u64) {
        self.stride.iterations = (self.over(now) + 1).min(self.stride.iterations);
        self.next_change = self.boundary(self.stride.iterations);
    }
}

impl Server for LlmServer {
    type Settings = Llm;
    const COUNTS_TOKENS: bool = true;
    const TAKES_TURNS: bool = true;

    fn new(settings: &Arc<Llm>, speed: f64) -> Self {
        LlmServer {
            speed,
            sequences: Vec::new(),
            free: Vec::new(),
            order: Vec::new(),
            ends: BinaryHeap::new(),
            decoding: 0,
            phases: vec![0; settings.block_tokens as usize],
            context: 0,
            partial: None,
            completing: Vec::new(),
            preempted: Vec::new(),
            leaving: Vec::new(),
            blocks_used: 0,
            iteration: 0,
            admitted: 0,
            clock: 0,
            stride: Stride::default(),
            next_change: u64::MAX,
            busy_since: u64::MAX,
            worked: 0,
            preemptions: 0,
            settings: Arc::clone(settings),
        }
    }

    fn admit(&mut self, queue: &mut impl Line, now: u64) {
        if self.stride.iterations > 0 {
            return self.cut(queue, now);
        }
        if self.busy_since == u64::MAX {
            if queue.is_empty() {
                return;
            }
            self.busy_since = now;
            self.clock = now;
        }
        self.form(queue, now);
    }

    fn hear(&mut self, queue: &impl Line, over: u64) {
        self.cut(queue, over);
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.next_change
    }

    fn step(&mut self, done: &mut impl FnMut(Active, u64)) {
        let now = self.next_change;
        let iterations = self.stride.iterations;
        self.blocks_used += self.taken(iterations);
        self.clock = self.clock.saturating_add(self.stride.time(iterations));
        self.iteration += iterations;
        self.context += iterations * self.decoding;
        self.stride = Stride::default();
        while let Some(&Reverse((end, _, place))) = self.ends.peek()
            && end == self.iteration
        {
            self.ends.pop();
            self.leave_decoding(place);
            self.finish(place, done);
        }
        for index in 0..self.completing.len() {
            let place = self.completing[index];
            let sequence = &mut self.sequences[place];
            if sequence.generated == 0 {
                sequence.first_token = now;
            }
            sequence.generated += 1;
            if sequence.generated == sequence.output {
                self.finish(place, done);
            } else {
                self.join_decoding(place);
            }
        }
        self.completing.clear();
        if !self.leaving.is_empty() {
            self.part();
        }
    }

    fn cancel(&mut self, mark: u32, _now: u64, over: u64) -> Option<Active> {
        let stopped = |sequence: &Sequence| {
            let here = sequence.state != State::Vacant && !sequence.leaving;
            here && sequence.active.request.mark == mark
        };
        let place = self.sequences.iter().position(stopped)?;
        if self.sequences[place].state == State::Preempted {
            self.preempted.retain(|other| *other != place);
            self.sequences[place].state = State::Vacant;
            self.free.push(place);
        } else {
            self.sequences[place].leaving = true;
            self.leaving.push(place);
        }
        // Others may begin once it has left.
        self.shorten(over);
        Some(self.sequences[place].active)
    }

    fn eagerness(&self) -> Option<u64> {
        (self.running() < u64::from(self.settings.max_sequences)).then_some(self.present())
    }

    fn in_service(&self) -> u64 {
        self.present() - self.leaving.len() as u64
    }

    fn requests(&self) -> impl Iterator<Item = &Active> {
        self.sequences
            .iter()
            .filter(|sequence| sequence.state != State::Vacant && !sequence.leaving)
            .map(|sequence| &sequence.active)
    }

    fn work(&self, now: u64) -> u128 {
        let current = if self.busy_since == u64::MAX { 0 } else { u128::from(now - self.busy_since) };
        (self.worked + current) * u128::from(FULL)
    }

    fn kv_cache(&self, now: u64) -> f64 {
        if self.settings.blocks == u64::MAX {
            return 0.0;
        }
        let under_way =
            if self.stride.iterations == 0 { 0 } else { (self.over(now) + 1).min(self.stride.iterations) };
        (self.blocks_used + self.taken(under_way)) as f64 / self.settings.blocks as f64
    }

    fn preemptions(&self) -> u64 {
        self.preemptions
    }
}

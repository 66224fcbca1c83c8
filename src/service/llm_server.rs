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

use std::sync::Arc;

use super::llm::Llm;
use super::paging::Paging;
use super::server::{Active, FULL, Line, Request, Server, Tokens};
use super::stride::Stride;
use super::wheel::Wheel;

/// An instance of `llm` at work.
#[derive(Debug, Clone)]
pub struct LlmServer {
    settings: Arc<Llm>,
    speed: f64,
    sequences: Vec<Sequence>,
    /// Places in `sequences` that are free.
    free: Vec<usize>,
    paging: Paging,
    /// Sequences that decode, by the iteration after which they end.
    ends: Wheel,
    /// Those that end with the iteration that is over; kept to keep its memory.
    ending: Vec<usize>,
    decoding: u64,
    /// Sequences that decode, by the iterations, modulo the tokens of a block, at which they need a block more.
    phases: Vec<u32>,
    /// Tokens in the cache of those that decode, at the start of the next iteration.
    context: u64,
    /// The sequence whose prompt is computed in part, if there is one; it is the one admitted last.
    partial: Option<usize>,
    /// Sequences whose prompt is complete with the iteration under way.
    completing: Vec<usize>,
    /// Sequences that had to give way, the first to be admitted again last.
    preempted: Vec<usize>,
    /// Sequences whose service has been stopped: they leave with the iteration under way.
    leaving: Vec<usize>,
    /// Blocks of the sequences whose prompts are computed. Those of the sequences that decode follow from `context` and
    /// `phases`.
    prefill_blocks: u64,
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

/// A request in service.
#[derive(Debug, Clone, Copy, Default)]
struct Sequence {
    active: Active,
    /// How many were admitted up to it.
    number: u64,
    prompt: u64,
    output: u64,
    /// Output tokens there are, and tokens in the cache; while it decodes, as of iteration `since`.
    generated: u64,
    computed: u64,
    since: u64,
    /// While it decodes, where it counts in the phases.
    phase: u32,
    state: State,
    /// Whether its service has been stopped.
    leaving: bool,
    first_token: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Vacant,
    Prefill,
    Decode,
    Preempted,
}

impl LlmServer {
    #[inline]
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

    /// Blocks of the sequences that decode after `count` more iterations.
    fn decoding_blocks(&self, count: u64) -> u64 {
        let tokens = self.paging.tokens;
        let (_, at) = self.paging.split(self.iteration + count + tokens - 1);
        // What is left over when each rounds up to whole blocks.
        let rest = |(phase, sequences): (u64, &u32)| {
            let rest = if phase <= at { at - phase } else { at + tokens - phase };
            rest * u64::from(*sequences)
        };
        let rests: u64 = (0..).zip(&self.phases).map(rest).sum();
        self.paging.split(self.context + self.decoding * (count + tokens - 1) - rests).0
    }

    /// Whether there are so many blocks beside those that prompts have and those that decoding takes for `count` more
    /// iterations.
    #[inline]
    fn has_room(&self, blocks: u64, count: u64) -> bool {
        let Some(left) = self.settings.blocks.checked_sub(self.prefill_blocks + blocks) else { return false };
        let most = self.context + self.decoding * (count + self.paging.tokens - 1);
        self.paging.split(most).0 <= left || self.decoding_blocks(count) <= left
    }

    /// How many iterations from the next on, up to `most`, find blocks for all that decode.
    #[inline]
    fn sustained(&self, most: u64) -> u64 {
        if self.has_room(0, most) { most } else { self.sustained_in_part(most) }
    }

    #[cold]
    fn sustained_in_part(&self, most: u64) -> u64 {
        let (mut enough, mut too_many) = (0, most);
        while too_many - enough > 1 {
            let middle = enough + (too_many - enough) / 2;
            if self.has_room(0, middle) { enough = middle } else { too_many = middle }
        }
        enough
    }

    /// The last admitted of the sequences that are computed.
    fn last_admitted(&self) -> Option<usize> {
        let computed = |(place, sequence): (usize, &Sequence)| {
            matches!(sequence.state, State::Prefill | State::Decode).then_some((sequence.number, place))
        };
        let last = self.sequences.iter().enumerate().filter_map(computed).max();
        last.map(|(_, place)| place)
    }

    /// Takes a sequence out of those that decode, its counts as of now.
    #[inline]
    fn leave_decoding(&mut self, place: usize) {
        let sequence = &mut self.sequences[place];
        let passed = self.iteration - sequence.since;
        self.phases[sequence.phase as usize] -= 1;
        sequence.computed += passed;
        sequence.generated += passed;
        sequence.since = self.iteration;
        self.decoding -= 1;
        self.context -= sequence.computed;
    }

    #[inline]
    fn join_decoding(&mut self, place: usize) {
        let sequence = &mut self.sequences[place];
        sequence.state = State::Decode;
        sequence.since = self.iteration;
        // It needs a block more whenever what is computed fills its blocks.
        let (_, filled) = self.paging.split(sequence.computed);
        let (_, at) = self.paging.split(self.iteration);
        let phase = if filled <= at { at - filled } else { at + self.paging.tokens - filled };
        sequence.phase = phase as u32;
        self.phases[phase as usize] += 1;
        self.decoding += 1;
        self.context += sequence.computed;
        self.ends.add(place, self.iteration + sequence.output - sequence.generated);
    }

    /// Makes the sequence begun last give way; whether there was one.
    fn preempt(&mut self) -> bool {
        let Some(place) = self.last_admitted() else { return false };
        match self.sequences[place].state {
            State::Decode => {
                self.leave_decoding(place);
                self.ends.remove(place);
            }
            _ => {
                self.partial = None;
                self.prefill_blocks -= self.paging.blocks(self.sequences[place].computed);
            }
        }
        let sequence = &mut self.sequences[place];
        sequence.computed = 0;
        sequence.state = State::Preempted;
        self.preempted.push(place);
        self.preemptions += 1;
        true
    }

    /// The tokens that are in the cache when a sequence with a prompt of so many tokens, and `generated` ones, begins to be
    /// computed, and those of its first chunk; `None` if there are not blocks for it.
    #[inline]
    fn first_chunk(&self, prompt: u64, generated: u64, budget: u64) -> Option<(u64, u64)> {
        let cached = self.settings.cached(prompt);
        let chunk = (prompt + generated - cached).min(budget);
        // Those that decode take theirs for the next iteration first.
        self.has_room(self.paging.blocks(cached + chunk), 1).then_some((cached, chunk))
    }

    /// Begins to compute a sequence with its first chunk.
    #[inline]
    fn begin_prefill(&mut self, place: usize, (cached, chunk): (u64, u64)) {
        self.prefill_blocks += self.paging.blocks(cached + chunk);
        self.admitted += 1;
        let sequence = &mut self.sequences[place];
        sequence.state = State::Prefill;
        sequence.computed = cached + chunk;
        sequence.number = self.admitted;
        if sequence.computed == sequence.prompt + sequence.generated {
            self.completing.push(place);
        } else {
            self.partial = Some(place);
        }
    }

    #[inline]
    fn place(&mut self, request: Request, (prompt, output): (u64, u64), now: u64) -> usize {
        let place = self.free.pop().unwrap_or(self.sequences.len());
        if place == self.sequences.len() {
            self.sequences.push(Sequence::default());
        }
        // What has been cut counts as it is served.
        let tokens = Tokens { prompt: prompt as u32, output: output as u32 };
        let active = Active { request: Request { tokens, ..request }, start: now };
        self.sequences[place] =
            Sequence { active, prompt, output, state: State::Prefill, ..Sequence::default() };
        place
    }

    /// Finds blocks for those that decode, and goes on with the partial sequence, which is the last in line: the tokens of
    /// it that are computed, and whether any had to give way.
    fn go_on(&mut self) -> (u64, bool) {
        let mut preempted = false;
        loop {
            let (mut computed, mut chunk) = (0, 0);
            if let Some(place) = self.partial {
                let sequence = &self.sequences[place];
                let left = sequence.prompt + sequence.generated - sequence.computed;
                computed = sequence.computed;
                chunk = left.min(u64::from(self.settings.token_budget) - self.decoding);
            }
            let more = self.paging.blocks(computed + chunk) - self.paging.blocks(computed);
            if self.has_room(more, 1) {
                if let Some(place) = self.partial {
                    self.prefill_blocks += more;
                    let sequence = &mut self.sequences[place];
                    sequence.computed += chunk;
                    if sequence.computed == sequence.prompt + sequence.generated {
                        self.completing.push(place);
                        self.partial = None;
                    }
                }
                return (chunk, preempted);
            }
            preempted = true;
            if !self.preempt() {
                return (0, true);
            }
        }
    }

    /// Plans the iterations from now on.
    fn form(&mut self, queue: &mut impl Line, now: u64) {
        let undisturbed = self.partial.is_none() && self.has_room(0, 1);
        let (mut prefilled, preempted) = if undisturbed { (0, false) } else { self.go_on() };
        if !preempted && self.partial.is_none() {
            let budget = u64::from(self.settings.token_budget) - self.decoding - prefilled;
            prefilled += self.admit_prompts(queue, budget, now);
        }
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
        let iterations = if settled && self.settings.strides {
            self.sustained(self.ends.until_next(self.iteration).unwrap_or(1)).max(1)
        } else {
            1
        };
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
                let Sequence { prompt, generated, .. } = self.sequences[place];
                let Some(chunk) = self.first_chunk(prompt, generated, budget) else { break };
                self.preempted.pop();
                self.begin_prefill(place, chunk);
                chunk.1
            } else {
                let Some(tokens) = queue.front().map(|request| request.tokens) else { break };
                let tokens = self.settings.fitted(tokens);
                let Some(chunk) = self.first_chunk(tokens.0, 0, budget) else { break };
                let Some(request) = queue.pop(now) else { break };
                let place = self.place(request, tokens, now);
                self.begin_prefill(place, chunk);
                chunk.1
            };
            prefilled += chunk;
            budget -= chunk;
        }
        prefilled
    }

    /// The iterations of the stride that are over at `now`, and the one under way.
    #[inline]
    fn begun(&self, now: u64) -> u64 {
        let passed = if self.speed == 1.0 {
            now.saturating_sub(self.clock)
        } else {
            let work = (now.saturating_sub(self.busy_since) as f64 * self.speed) as u64;
            work.saturating_sub(self.clock - self.busy_since)
        };
        let mut over = self.stride.over(passed).min(self.stride.iterations);
        while over > 0 && self.boundary(over) > now {
            over -= 1;
        }
        while over < self.stride.iterations && self.boundary(over + 1) <= now {
            over += 1;
        }
        (over + 1).min(self.stride.iterations)
    }

    /// Ends the stride with the iteration that is under way at `now`, if a request that waits might begin then.
    fn cut(&mut self, queue: &impl Line, now: u64) {
        let may_begin = |request: &Request| {
            let budget = u64::from(self.settings.token_budget) - self.decoding;
            let (prompt, _) = self.settings.fitted(request.tokens);
            // Blocks only get fewer while all decode.
            budget > 0 && self.first_chunk(prompt, 0, budget).is_some()
        };
        if self.stride.iterations > 1
            && self.running() < u64::from(self.settings.max_sequences)
            && self.preempted.is_empty()
            && queue.front().is_some_and(may_begin)
        {
            self.shorten(now);
        }
    }

    fn finish(&mut self, place: usize, done: &mut impl FnMut(Active, u64)) {
        let sequence = &mut self.sequences[place];
        sequence.state = State::Vacant;
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
            let Sequence { state, computed, .. } = self.sequences[place];
            match state {
                State::Vacant => continue,
                State::Decode => {
                    self.leave_decoding(place);
                    self.ends.remove(place);
                }
                // Its prompt is complete in part only, or it would decode by now.
                _ => {
                    self.partial = None;
                    self.prefill_blocks -= self.paging.blocks(computed);
                }
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
        self.stride.iterations = self.begun(now);
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
            paging: Paging::new(settings.block_tokens),
            ends: Wheel::new(),
            ending: Vec::new(),
            decoding: 0,
            phases: vec![0; settings.block_tokens as usize],
            context: 0,
            partial: None,
            completing: Vec::new(),
            preempted: Vec::new(),
            leaving: Vec::new(),
            prefill_blocks: 0,
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
        self.clock = self.clock.saturating_add(self.stride.time(iterations));
        self.iteration += iterations;
        self.context += iterations * self.decoding;
        self.stride = Stride::default();
        self.ends.take(self.iteration, &mut self.ending);
        // The one that began to decode first comes first.
        while let Some(place) = self.ending.pop() {
            self.leave_decoding(place);
            self.finish(place, done);
        }
        for index in 0..self.completing.len() {
            let place = self.completing[index];
            let sequence = &mut self.sequences[place];
            self.prefill_blocks -= self.paging.blocks(sequence.computed);
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
        let under_way = if self.stride.iterations == 0 { 0 } else { self.begun(now) };
        (self.prefill_blocks + self.decoding_blocks(under_way)) as f64 / self.settings.blocks as f64
    }

    fn preemptions(&self) -> u64 {
        self.preemptions
    }
}

#[cfg(test)]
mod tests {
    use super::super::server::Queue;
    use super::*;

    #[test]
    fn a_request_longer_than_the_cache_counts_as_it_is_cut() {
        let settings = Arc::new(Llm {
            fixed: 1000,
            per_prefill_token: 10,
            per_sequence: 0,
            per_kv_token: 0,
            max_sequences: 4,
            token_budget: 64,
            block_tokens: 16,
            blocks: 2,
            prefix_hit: 0,
            strides: true,
        });
        let served = |prompt, output| {
            let mut server = LlmServer::new(&settings, 1.0);
            let mut queue = Queue::default();
            queue.push(Request { tokens: Tokens { prompt, output }, ..Request::default() });
            server.admit(&mut queue, 0);
            let mut tokens = Vec::new();
            while server.next_change() < u64::MAX {
                let now = server.next_change();
                server.step(&mut |active, _| {
                    tokens.push((active.request.tokens.prompt, active.request.tokens.output))
                });
                server.admit(&mut queue, now);
            }
            tokens
        };
        // The cache holds 32 tokens; the last one of an answer is never stored.
        assert_eq!((served(8, 3), served(100, 50)), (vec![(8, 3)], vec![(32, 1)]));
        assert_eq!(served(30, 50), [(30, 3)], "the answer is cut first");
    }
}

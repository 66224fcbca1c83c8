//! An instance of `llm`: its state, and what happens at the end of a run of iterations.

use std::sync::Arc;

use super::decoding::Decoding;
use super::iteration_run::IterationRun;
use super::paging::Paging;
use super::prefix_cache::PrefixCache;
use super::sequence::{Sequence, State};
use super::settings::Llm;
use super::timing_wheel::TimingWheel;
use crate::service::queue::RequestQueue;
use crate::service::request::Active;
use crate::service::server::{FULL, Server};

/// An instance of `llm` that computes prompts and answers, or prompts alone.
pub type LlmServer = LlmEngine<false>;

/// An instance of `llm` to which every request comes with its prompt computed and the first token of its answer: it decodes.
pub type DecodeServer = LlmEngine<true>;

/// An instance of `llm`, to which requests come `PREFILLED` or not.
#[derive(Debug, Clone)]
pub struct LlmEngine<const PREFILLED: bool> {
    pub(super) settings: Arc<Llm>,
    speed: f64,
    pub(super) paging: Paging,
    /// The sequences, by place.
    pub(super) sequences: Vec<Sequence>,
    /// Places that are free.
    pub(super) free: Vec<usize>,
    pub(super) decoding: Decoding,
    /// Decoding sequences by the iteration after which they end.
    pub(super) ends: TimingWheel,
    /// Sequences that end with the iteration just completed; a field so that its memory is reused.
    ending: Vec<usize>,
    /// The sequence whose prompt is computed in part, if there is one; it is the one admitted last.
    pub(super) partial: Option<usize>,
    /// Sequences whose prompt is complete with the iteration in progress.
    pub(super) completing: Vec<usize>,
    /// Preempted sequences, the first to be admitted again last.
    pub(super) preempted: Vec<usize>,
    /// Cancelled sequences: they leave with the iteration in progress.
    cancelled: Vec<usize>,
    /// Blocks of the sequences in prefill. Those of the decoding sequences follow from `decoding`.
    pub(super) prefill_blocks: u64,
    /// Iterations completed since the start of the simulation run.
    pub(super) iteration: u64,
    /// Sequences admitted, readmissions included.
    pub(super) admitted: u64,
    /// Start of the run of iterations, nanoseconds, if the instance ran at full speed from `busy_since` on.
    clock: u64,
    pub(super) run: IterationRun,
    pub(super) next_change: u64,
    /// Instant from which it has been busy, nanoseconds; [`u64::MAX`] while it is idle.
    busy_since: u64,
    /// Busy nanoseconds before `busy_since`.
    worked: u128,
    pub(super) preemptions: u64,
    /// Where the prefix cache goes by content.
    pub(super) prefix: Option<Box<PrefixCache>>,
    /// Blocks of the cache, those counted again that several sequences hold.
    pub(super) capacity: u64,
}

impl<const PREFILLED: bool> LlmEngine<PREFILLED> {
    /// Sequences that are computed.
    #[inline]
    pub(super) fn running(&self) -> u64 {
        (self.sequences.len() - self.free.len() - self.preempted.len()) as u64
    }

    /// Sequences that have a place, cancelled ones included.
    fn present(&self) -> u64 {
        (self.sequences.len() - self.free.len()) as u64
    }

    /// Instant at which the first `count` iterations of the run end.
    #[inline]
    pub(super) fn end_of(&self, count: u64) -> u64 {
        let end = self.clock.saturating_add(self.run.time(count));
        if self.speed == 1.0 {
            return end;
        }
        // Scaled from the instant at which it became busy, and rounded once, so that the result does not depend on how
        // iterations are joined into runs.
        let work = (end - self.busy_since) as f64;
        self.busy_since.saturating_add((work / self.speed).round() as u64)
    }

    /// Number of iterations of the run that have begun at `now`: those completed, and the one in progress.
    #[inline]
    fn iterations_begun(&self, now: u64) -> u64 {
        let passed = if self.speed == 1.0 {
            now.saturating_sub(self.clock)
        } else {
            let work = (now.saturating_sub(self.busy_since) as f64 * self.speed) as u64;
            work.saturating_sub(self.clock - self.busy_since)
        };
        let mut completed = self.run.completed(passed).min(self.run.iterations);
        while completed > 0 && self.end_of(completed) > now {
            completed -= 1;
        }
        while completed < self.run.iterations && self.end_of(completed + 1) <= now {
            completed += 1;
        }
        (completed + 1).min(self.run.iterations)
    }

    /// Ends the run with the iteration in progress at `now`.
    pub(super) fn cut(&mut self, now: u64) {
        self.run.iterations = self.iterations_begun(now);
        self.run.is_cut = true;
        self.next_change = self.end_of(self.run.iterations);
    }

    pub(super) fn become_idle(&mut self, now: u64) {
        self.run = IterationRun::default();
        self.next_change = u64::MAX;
        if self.busy_since != u64::MAX {
            self.worked += u128::from(now - self.busy_since);
            self.busy_since = u64::MAX;
        }
    }

    #[inline]
    pub(super) fn join_decoding(&mut self, place: usize) {
        let sequence = &mut self.sequences[place];
        sequence.state = State::Decode;
        sequence.since = self.iteration;
        sequence.phase = self.decoding.join(sequence.computed, self.iteration);
        self.ends.add(place, self.iteration + sequence.output - sequence.generated);
    }

    /// Removes a sequence from the decoding ones, and brings its counts up to date.
    #[inline]
    pub(super) fn leave_decoding(&mut self, place: usize) {
        let sequence = &mut self.sequences[place];
        let passed = self.iteration - sequence.since;
        sequence.computed += passed;
        sequence.generated += passed;
        sequence.since = self.iteration;
        self.decoding.leave(sequence.phase, sequence.computed);
    }

    fn finish(&mut self, place: usize, done: &mut impl FnMut(Active, u64)) {
        if self.prefix.is_some() {
            self.leave_prefix_cache(place);
        }
        let sequence = &mut self.sequences[place];
        sequence.state = State::Vacant;
        if !sequence.cancelled {
            done(sequence.active, sequence.first_token);
        }
        self.free.push(place);
    }

    /// Blocks of the cache in use at `now`, each once.
    fn blocks_in_use(&self, now: u64) -> u64 {
        let begun = if self.run.iterations == 0 { 0 } else { self.iterations_begun(now) };
        let counted = self.prefill_blocks + self.decoding.blocks(self.iteration, begun);
        counted.saturating_sub(self.prefix.as_ref().map_or(0, |prefix| prefix.saved()))
    }

    /// Gives up what the prefix cache holds beyond the memory that the sequences leave after `count` more iterations.
    pub(super) fn trim_prefix_cache(&mut self, count: u64) {
        let used = self.prefill_blocks + self.decoding.blocks(self.iteration, count);
        let free = self.capacity.saturating_sub(used);
        if let Some(prefix) = &mut self.prefix {
            prefix.trim(free);
        }
    }

    /// Counts anew what sequences share.
    pub(super) fn count_shared(&mut self) {
        if let Some(prefix) = &self.prefix {
            self.capacity = self.settings.blocks.saturating_add(prefix.saved());
        }
    }

    /// The prompt of a sequence is computed: others find it from here on.
    fn enter_prefix_cache(&mut self, place: usize) {
        let Some(prefix) = &mut self.prefix else { return };
        let sequence = &mut self.sequences[place];
        let content = sequence.active.request.content;
        sequence.held = prefix.hold_computed(content, sequence.prompt, sequence.held);
        self.count_shared();
    }

    /// A sequence leaves: its blocks stay while nobody needs their room.
    #[cold]
    pub(super) fn leave_prefix_cache(&mut self, place: usize) {
        let Some(prefix) = &mut self.prefix else { return };
        let sequence = &mut self.sequences[place];
        let content = sequence.active.request.content;
        if sequence.state == State::Decode && !sequence.cancelled && sequence.generated == sequence.output {
            let known = prefix.known(sequence.prompt, sequence.computed);
            sequence.held = prefix.hold_computed(content, known, sequence.held);
        }
        prefix.release(content, std::mem::take(&mut sequence.held));
        self.count_shared();
    }

    /// At the end of an iteration, removes the cancelled sequences.
    #[cold]
    fn remove_cancelled(&mut self) {
        for index in 0..self.cancelled.len() {
            let place = self.cancelled[index];
            let Sequence { state, computed, .. } = self.sequences[place];
            match state {
                State::Vacant => continue,
                State::Decode => {
                    self.leave_decoding(place);
                    self.ends.remove(place);
                }
                // Its prompt is complete in part only: otherwise it would decode by now.
                _ => {
                    self.partial = None;
                    self.prefill_blocks -= self.paging.blocks(computed);
                }
            }
            self.finish(place, &mut |_, _| ());
        }
        self.cancelled.clear();
    }
}

impl<const PREFILLED: bool> Server for LlmEngine<PREFILLED> {
    type Settings = Llm;
    const COUNTS_TOKENS: bool = true;
    const TAKES_TURNS: bool = true;

    fn new(settings: &Arc<Llm>, speed: f64) -> Self {
        let paging = Paging::new(settings.block_tokens);
        LlmEngine {
            speed,
            paging,
            sequences: Vec::new(),
            free: Vec::new(),
            decoding: Decoding::new(paging),
            ends: TimingWheel::new(),
            ending: Vec::new(),
            partial: None,
            completing: Vec::new(),
            preempted: Vec::new(),
            cancelled: Vec::new(),
            prefill_blocks: 0,
            iteration: 0,
            admitted: 0,
            clock: 0,
            run: IterationRun::default(),
            next_change: u64::MAX,
            busy_since: u64::MAX,
            worked: 0,
            preemptions: 0,
            prefix: settings
                .prefix_cache
                .as_ref()
                .map(|contents| Box::new(PrefixCache::new(contents.clone(), settings.block_tokens))),
            capacity: settings.blocks,
            settings: Arc::clone(settings),
        }
    }

    fn admit(&mut self, queue: &mut impl RequestQueue, now: u64) {
        if self.run.iterations > 0 {
            return self.cut_for_waiting(queue, now);
        }
        if self.busy_since == u64::MAX {
            if queue.is_empty() {
                return;
            }
            self.busy_since = now;
            self.clock = now;
        }
        self.plan(queue, now);
    }

    fn notify(&mut self, queue: &impl RequestQueue, over: u64) {
        self.cut_for_waiting(queue, over);
    }

    fn may_respond(&self) -> bool {
        self.may_be_cut()
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.next_change
    }

    fn step(&mut self, done: &mut impl FnMut(Active, u64)) {
        let now = self.next_change;
        let iterations = self.run.iterations;
        self.clock =
            if self.speed == 1.0 { now } else { self.clock.saturating_add(self.run.time(iterations)) };
        self.iteration += iterations;
        self.decoding.advance(iterations);
        if self.prefix.is_some() {
            // What the run has needed is at its most now.
            self.trim_prefix_cache(0);
        }
        self.run = IterationRun::default();
        self.ends.take_due(self.iteration, &mut self.ending);
        // In the order in which they began to decode.
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
            let is_over = sequence.generated == sequence.output;
            if self.prefix.is_some() {
                self.enter_prefix_cache(place);
            }
            if is_over {
                self.finish(place, done);
            } else {
                self.join_decoding(place);
            }
        }
        self.completing.clear();
        if !self.cancelled.is_empty() {
            self.remove_cancelled();
        }
    }

    fn cancel(&mut self, mark: u32, _now: u64, over: u64) -> Option<Active> {
        let is_it = |sequence: &Sequence| sequence.is_present() && sequence.active.request.mark == mark;
        let place = self.sequences.iter().position(is_it)?;
        if self.sequences[place].state == State::Preempted {
            self.preempted.retain(|other| *other != place);
            self.sequences[place].state = State::Vacant;
            self.free.push(place);
        } else {
            self.sequences[place].cancelled = true;
            self.cancelled.push(place);
        }
        // Others may begin once it has left.
        self.cut(over);
        Some(self.sequences[place].active)
    }

    fn dispatch_rank(&self) -> Option<u64> {
        (self.running() < u64::from(self.settings.max_sequences)).then_some(self.present())
    }

    fn in_service(&self) -> u64 {
        self.present() - self.cancelled.len() as u64
    }

    fn requests(&self) -> impl Iterator<Item = &Active> {
        self.sequences.iter().filter(|sequence| sequence.is_present()).map(|sequence| &sequence.active)
    }

    fn work(&self, now: u64) -> u128 {
        let current = if self.busy_since == u64::MAX { 0 } else { u128::from(now - self.busy_since) };
        (self.worked + current) * u128::from(FULL)
    }

    fn kv_cache(&self, now: u64) -> f64 {
        if self.settings.blocks == u64::MAX {
            return 0.0;
        }
        self.blocks_in_use(now) as f64 / self.settings.blocks as f64
    }

    fn cache_tokens(&self, now: u64) -> u64 {
        self.blocks_in_use(now) * u64::from(self.settings.block_tokens)
    }

    fn settle_prefix_cache(&mut self, now: u64) {
        if self.prefix.is_some() {
            let begun = if self.run.iterations == 0 { 0 } else { self.iterations_begun(now) };
            self.trim_prefix_cache(begun);
        }
    }

    fn prefix_found(&self, content: u32, prompt: u64) -> u64 {
        self.prefix.as_ref().map_or(0, |prefix| prefix.found(content, prompt))
    }

    fn prefix_hits(&self) -> [u64; 2] {
        self.prefix.as_ref().map_or([0; 2], |prefix| prefix.hits)
    }

    fn has_first_token(&self, mark: u32) -> bool {
        let is_it = |sequence: &&Sequence| sequence.is_present() && sequence.active.request.mark == mark;
        self.sequences.iter().find(is_it).is_some_and(|sequence| sequence.generated > 0)
    }

    fn prompt_tokens(&self) -> u64 {
        let begun = self.sequences.iter().filter(|sequence| sequence.is_present() && sequence.generated == 0);
        begun.map(|sequence| sequence.prompt).sum()
    }

    fn preemptions(&self) -> u64 {
        self.preemptions
    }
}

#[cfg(test)]
mod tests {
    use super::super::iteration::IterationLaw;
    use super::*;
    use crate::service::queue::Queue;
    use crate::service::request::{Request, Tokens};

    #[test]
    fn a_request_longer_than_the_cache_counts_as_it_is_cut() {
        let settings = Arc::new(Llm {
            law: IterationLaw { fixed: 1000, per_prefill_token: 10, ..IterationLaw::default() },
            max_sequences: 4,
            token_budget: 64,
            blocks: 2,
            ..Llm::default()
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

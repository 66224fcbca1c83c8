//! Which tokens the next iterations compute: blocks, preemption, prefill and admission.

use super::iteration::IterationWork;
use super::iteration_run::IterationRun;
use super::sequence::{Sequence, State};
use super::server::LlmEngine;
use crate::service::queue::RequestQueue;
use crate::service::request::{Active, Request, Tokens};

impl<const PREFILLED: bool> LlmEngine<PREFILLED> {
    /// Plans the iterations from `now` on.
    #[inline]
    pub(super) fn plan(&mut self, queue: &mut impl RequestQueue, now: u64) {
        if !queue.is_empty() || !self.go_on(now) {
            self.plan_any(queue, now);
        }
    }

    /// As [`LlmEngine::plan`], where nothing is to begin and all that decode go on to the next end; whether it is so. It is what
    /// every other plan comes to.
    #[inline]
    fn go_on(&mut self, now: u64) -> bool {
        if self.partial.is_some() || !self.preempted.is_empty() || !self.settings.join_iterations {
            return false;
        }
        if self.decoding.sequences == 0 {
            self.become_idle(now);
            return true;
        }
        let iterations = self.ends.until_next(self.iteration).unwrap_or(1);
        let has_room = self.has_room(0, iterations);
        if has_room {
            self.run_for(iterations, IterationWork::default());
        }
        has_room
    }

    /// Any plan. Apart, so that the one of [`LlmEngine::go_on`] is part of what calls it: the compiler takes in this one otherwise.
    #[inline(never)]
    fn plan_any(&mut self, queue: &mut impl RequestQueue, now: u64) {
        let undisturbed = self.partial.is_none() && self.has_room(0, 1);
        let mut work = IterationWork::default();
        let preempted = !undisturbed && self.continue_prefill(&mut work);
        // After a preemption nothing is admitted: it would take the blocks that were just freed.
        if !preempted && self.partial.is_none() {
            let budget = u64::from(self.settings.token_budget) - self.decoding.sequences - work.prefill;
            self.admit_prompts(queue, budget, now, &mut work);
        }
        if self.decoding.sequences == 0 && work.prefill == 0 {
            self.become_idle(now);
            return;
        }
        let nothing_changes = work.prefill == 0 && !preempted && !self.waits_for_a_smaller_chunk(queue);
        let iterations = if nothing_changes && self.settings.join_iterations {
            self.iterations_with_blocks(self.ends.until_next(self.iteration).unwrap_or(1)).max(1)
        } else {
            1
        };
        self.run_for(iterations, work);
    }

    /// Runs so many iterations, of which each computes `work` besides a token of every decoding sequence.
    #[inline(always)]
    fn run_for(&mut self, iterations: u64, mut work: IterationWork) {
        let Self { settings, decoding, .. } = self;
        (work.decoding, work.context) = (decoding.sequences, decoding.context);
        let (first, growth) = (settings.law.time(work), settings.law.growth(work));
        self.run = IterationRun { iterations, first, growth, is_cut: false };
        self.next_change = self.end_of(iterations);
    }

    /// Whether `blocks` more are free beside those of the prompts, and those that the decoding sequences use after `count`
    /// more iterations.
    #[inline]
    pub(super) fn has_room(&self, blocks: u64, count: u64) -> bool {
        let Some(left) = self.capacity.checked_sub(self.prefill_blocks + blocks) else { return false };
        // The bound decides nearly always, and costs no loop over the phases.
        self.decoding.max_blocks(count) <= left || self.decoding.blocks(self.iteration, count) <= left
    }

    /// Number of iterations, up to `max`, for which the decoding sequences find blocks.
    #[inline]
    fn iterations_with_blocks(&self, max: u64) -> u64 {
        if self.has_room(0, max) { max } else { self.search_iterations_with_blocks(max) }
    }

    #[cold]
    fn search_iterations_with_blocks(&self, max: u64) -> u64 {
        let (mut enough, mut too_many) = (0, max);
        while too_many - enough > 1 {
            let middle = enough + (too_many - enough) / 2;
            if self.has_room(0, middle) { enough = middle } else { too_many = middle }
        }
        enough
    }

    /// Finds blocks for the decoding sequences, by preemption if need be, and continues the partial prompt, which is the
    /// last in line, which adds to `work`. Returns whether there was a preemption.
    fn continue_prefill(&mut self, work: &mut IterationWork) -> bool {
        let mut preempted = false;
        loop {
            let (mut computed, mut chunk) = (0, 0);
            if let Some(place) = self.partial {
                let sequence = &self.sequences[place];
                computed = sequence.computed;
                let budget = u64::from(self.settings.token_budget) - self.decoding.sequences;
                chunk = sequence.prefill_left().min(budget);
            }
            let more = self.paging.blocks(computed + chunk) - self.paging.blocks(computed);
            if self.has_room(more, 1) {
                if let Some(place) = self.partial {
                    self.prefill_blocks += more;
                    work.add_chunk(computed, chunk);
                    let sequence = &mut self.sequences[place];
                    sequence.computed += chunk;
                    if sequence.prefill_left() == 0 {
                        self.completing.push(place);
                        self.partial = None;
                    }
                }
                return preempted;
            }
            preempted = true;
            if !self.preempt_last() {
                return true;
            }
        }
    }

    /// Preempts the sequence admitted last; returns whether there was one.
    fn preempt_last(&mut self) -> bool {
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
        if let Some(prefix) = &mut self.prefix {
            // A sequence gives way only once all that nobody holds has.
            prefix.trim(0);
            self.leave_prefix_cache(place);
        }
        let sequence = &mut self.sequences[place];
        sequence.computed = 0;
        sequence.state = State::Preempted;
        self.preempted.push(place);
        self.preemptions += 1;
        true
    }

    /// The sequence admitted last among those that are computed.
    fn last_admitted(&self) -> Option<usize> {
        let computed = |(place, sequence): (usize, &Sequence)| {
            matches!(sequence.state, State::Prefill | State::Decode).then_some((sequence.number, place))
        };
        let last = self.sequences.iter().enumerate().filter_map(computed).max();
        last.map(|(_, place)| place)
    }

    /// Admits prompts while the budget lasts: the preempted sequences first, then the queue. What is computed of them is added
    /// to `work`.
    fn admit_prompts(
        &mut self,
        queue: &mut impl RequestQueue,
        mut budget: u64,
        now: u64,
        work: &mut IterationWork,
    ) {
        while budget > 0 && self.running() < u64::from(self.settings.max_sequences) {
            let chunk = if let Some(&place) = self.preempted.last() {
                let Sequence { active, prompt, generated, .. } = self.sequences[place];
                let content = active.request.content;
                let Some(chunk) = self.first_chunk(content, prompt, generated, budget) else { break };
                self.preempted.pop();
                self.begin_prefill(place, chunk);
                chunk
            } else {
                let Some(&Request { tokens, content, .. }) = queue.front() else { break };
                let tokens = self.settings.fitted(tokens);
                if PREFILLED {
                    if !self.admit_computed(queue, tokens, now) {
                        break;
                    }
                    budget -= 1;
                    continue;
                }
                let Some(chunk) = self.first_chunk(content, tokens.0, 0, budget) else { break };
                let Some(request) = queue.pop(now) else { break };
                let place = self.add_sequence(request, tokens, now);
                if let Some(prefix) = &mut self.prefix {
                    prefix.hits[0] += chunk.0;
                    prefix.hits[1] += tokens.0;
                }
                self.begin_prefill(place, chunk);
                chunk
            };
            work.add_chunk(chunk.0, chunk.1);
            budget -= chunk.1;
        }
    }

    /// Begins a request whose prompt and first token are computed already: it decodes from the next iteration on. `false`
    /// without blocks for it.
    fn admit_computed(&mut self, queue: &mut impl RequestQueue, tokens: (u64, u64), now: u64) -> bool {
        let (prompt, output) = tokens;
        debug_assert!(output > 1, "an answer that is complete with its first token has nothing to decode");
        // The blocks of its prompt, and that of the token which the next iteration stores.
        if !self.has_room(self.paging.blocks(prompt + 1), 1) {
            return false;
        }
        let Some(request) = queue.pop(now) else { return false };
        let place = self.add_sequence(request, tokens, now);
        self.admitted += 1;
        let sequence = &mut self.sequences[place];
        (sequence.number, sequence.computed, sequence.generated) = (self.admitted, prompt, 1);
        sequence.first_token = now;
        self.join_decoding(place);
        true
    }

    /// Tokens found in the prefix cache and tokens of the first chunk, of a sequence of this content with this many prompt
    /// tokens and `generated` output tokens; `None` without blocks for them.
    #[inline(always)]
    fn first_chunk(&self, content: u32, prompt: u64, generated: u64, budget: u64) -> Option<(u64, u64)> {
        let cached = match &self.prefix {
            None => self.settings.cached(prompt),
            Some(prefix) => prefix.found(content, prompt),
        };
        let chunk = (prompt + generated - cached).min(budget);
        // The decoding sequences take their blocks for the next iteration first.
        self.has_room(self.paging.blocks(cached + chunk), 1).then_some((cached, chunk))
    }

    /// Begins the prefill of a sequence with its first chunk.
    #[inline]
    fn begin_prefill(&mut self, place: usize, (cached, chunk): (u64, u64)) {
        if let Some(prefix) = &mut self.prefix {
            // What it finds is not to be given up for it.
            let sequence = &mut self.sequences[place];
            sequence.held = prefix.hold_found(sequence.active.request.content, sequence.prompt);
            self.count_shared();
        }
        self.prefill_blocks += self.paging.blocks(cached + chunk);
        self.admitted += 1;
        let sequence = &mut self.sequences[place];
        sequence.state = State::Prefill;
        sequence.computed = cached + chunk;
        sequence.number = self.admitted;
        if sequence.prefill_left() == 0 {
            self.completing.push(place);
        } else {
            self.partial = Some(place);
        }
        if self.prefix.is_some() {
            self.trim_prefix_cache(1);
        }
    }

    /// Gives a request a place among the sequences.
    #[inline]
    fn add_sequence(&mut self, request: Request, (prompt, output): (u64, u64), now: u64) -> usize {
        let place = self.free.pop().unwrap_or(self.sequences.len());
        if place == self.sequences.len() {
            self.sequences.push(Sequence::default());
        }
        // A request that is cut to the cache is reported as it is served.
        let tokens = Tokens { prompt: prompt as u32, output: output as u32 };
        let active = Active { request: Request { tokens, ..request }, start: now };
        self.sequences[place] =
            Sequence { active, prompt, output, state: State::Prefill, ..Sequence::default() };
        place
    }

    /// Whether the next in line, for whose first chunk there is no room now, may find room as the decoding sequences go on:
    /// they take blocks of its prefix from the cache, and a chunk that begins earlier may end earlier.
    fn waits_for_a_smaller_chunk(&self, queue: &impl RequestQueue) -> bool {
        if self.prefix.is_none() || self.running() >= u64::from(self.settings.max_sequences) {
            return false;
        }
        let tokens = match self.preempted.last() {
            Some(&place) => Some(self.sequences[place].prompt + self.sequences[place].generated),
            None => queue.front().map(|request| self.settings.fitted(request.tokens).0),
        };
        tokens.is_some_and(|tokens| self.has_room_for_least_chunk(tokens))
    }

    /// Whether there is room for the first chunk of a sequence of which a prefix cache has nothing: the least it can need.
    fn has_room_for_least_chunk(&self, tokens: u64) -> bool {
        let budget = u64::from(self.settings.token_budget) - self.decoding.sequences;
        budget > 0 && self.has_room(self.paging.blocks(tokens.min(budget)), 1)
    }

    /// Ends the run with the iteration in progress at `now`, if a waiting request might begin then.
    pub(super) fn cut_for_waiting(&mut self, queue: &impl RequestQueue, now: u64) {
        // Free blocks only become fewer during a run, so what does not fit now does not fit before its end.
        let may_begin = |request: &Request| {
            let budget = u64::from(self.settings.token_budget) - self.decoding.sequences;
            let (prompt, _) = self.settings.fitted(request.tokens);
            if PREFILLED {
                return budget > 0 && self.has_room(self.paging.blocks(prompt + 1), 1);
            }
            match &self.prefix {
                None => budget > 0 && self.first_chunk(request.content, prompt, 0, budget).is_some(),
                Some(_) => self.has_room_for_least_chunk(prompt),
            }
        };
        if self.may_be_cut() && queue.front().is_some_and(may_begin) {
            self.cut(now);
        }
    }

    /// Whether the run may end sooner for a waiting request that finds room.
    pub(super) fn may_be_cut(&self) -> bool {
        self.run.iterations > 1
            && !self.run.is_cut
            && self.running() < u64::from(self.settings.max_sequences)
            && self.preempted.is_empty()
    }
}

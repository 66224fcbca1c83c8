//! One instance under each service model but slots: everybody in a list, everything looked at every time.

use std::collections::VecDeque;

use kneepoint::internals::service::{Batch, EngineRole, FULL, IterationWork, Llm, Model, Shared, Tokens};

use super::prefix::Prefixes;

/// A request at an instance.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// Its index.
    pub request: usize,
    pub arrival: u64,
    pub service: u64,
    pub tokens: Tokens,
    pub content: u32,
}

/// See the module.
#[derive(Debug)]
pub enum Machine {
    Shared(Sharing),
    Batch(Batching),
    Llm(Generating),
}

/// Processor sharing.
#[derive(Debug)]
pub struct Sharing {
    settings: Shared,
    speed: f64,
    /// In the order they began: the request, and the service it still needs, in units of 2⁻³² ns. Below zero if it had
    /// its last unit before the end of the nanosecond.
    present: Vec<(usize, i128)>,
}

/// Dynamic batching.
#[derive(Debug)]
pub struct Batching {
    settings: Batch,
    speed: f64,
    /// Time left and requests of each batch, in the order they began.
    running: Vec<(u64, Vec<usize>)>,
}

/// Continuous batching, one iteration after the other.
#[derive(Debug)]
pub struct Generating {
    settings: Box<Llm>,
    speed: f64,
    /// Sequences that are computed, in the order they were admitted.
    running: Vec<Sequence>,
    /// Those that gave way, the first to be admitted again first.
    preempted: Vec<Sequence>,
    /// What the iteration under way computes: how many tokens of which request.
    scheduled: Vec<(usize, u64)>,
    /// Requests that have been stopped, and leave with it.
    leaving: Vec<usize>,
    /// What is left of it, if there is one.
    left: Option<u64>,
    /// When it last began to work, if it works, and how long all iterations since take at full speed.
    since: u64,
    work: u64,
    /// What it knows of prompts, where it has a prefix cache.
    prefixes: Option<Prefixes>,
}

#[derive(Debug, Clone)]
struct Sequence {
    request: usize,
    prompt: u64,
    output: u64,
    generated: u64,
    computed: u64,
    blocks: u64,
    /// Whether there is more to compute than the last token.
    prefilling: bool,
    content: u32,
    /// Blocks of the prefix cache that it holds.
    holds: Vec<(u32, u64)>,
}

impl Machine {
    /// The machine of a model; `None` for slots.
    pub fn of(model: &Model, speed: f64) -> Option<Machine> {
        Some(match model {
            Model::Slots(_) => return None,
            Model::Shared(shared) => {
                Machine::Shared(Sharing { settings: shared.clone(), speed, present: vec![] })
            }
            Model::Batch(batch) => {
                Machine::Batch(Batching { settings: batch.clone(), speed, running: vec![] })
            }
            Model::Llm(llm) => Machine::Llm(Generating {
                settings: Box::new(llm.clone()),
                speed,
                running: vec![],
                preempted: vec![],
                scheduled: vec![],
                leaving: vec![],
                left: None,
                since: u64::MAX,
                work: 0,
                prefixes: llm.prefix_cache.as_ref().map(|known| Prefixes::of(known, llm.block_tokens)),
            }),
        })
    }

    /// Stops the service of a request; `false` if it goes on.
    pub fn stop(&mut self, request: usize) -> bool {
        match self {
            Machine::Shared(sharing) => sharing.present.retain(|(other, _)| *other != request),
            Machine::Batch(_) => return false,
            Machine::Llm(generating) if generating.running.iter().any(|at| at.request == request) => {
                generating.leaving.push(request);
            }
            Machine::Llm(generating) => generating.preempted.retain(|at| at.request != request),
        }
        true
    }

    /// Whether it draws from a queue only when it comes to it, and is to come to it.
    fn takes_turns(&self) -> bool {
        matches!(self, Machine::Llm(generating) if generating.left.is_some())
    }

    /// When a request in service is next done, or something else changes, if it is now `now`.
    pub fn next(&self, now: u64) -> u64 {
        match self {
            Machine::Shared(sharing) => {
                let each = sharing.each();
                let left = |(_, left): &(usize, i128)| (*left).max(0);
                sharing
                    .present
                    .iter()
                    .map(left)
                    .min()
                    .map_or(u64::MAX, |left| now + (left / each + i128::from(left % each > 0)) as u64)
            }
            Machine::Batch(batching) => {
                batching.running.iter().map(|(left, _)| now + left).min().unwrap_or(u64::MAX)
            }
            Machine::Llm(generating) => generating.left.map_or(u64::MAX, |left| now + left),
        }
    }

    /// Lets `passed` nanoseconds pass in which nothing changes.
    pub fn pass(&mut self, passed: u64) {
        match self {
            Machine::Shared(sharing) => {
                let each = sharing.each();
                sharing.present.iter_mut().for_each(|(_, left)| *left -= each * i128::from(passed));
            }
            Machine::Batch(batching) => batching.running.iter_mut().for_each(|(left, _)| *left -= passed),
            Machine::Llm(generating) => {
                if let Some(left) = &mut generating.left {
                    *left -= passed;
                }
            }
        }
    }

    /// Capacity in use, in parts of a whole.
    pub fn share(&self) -> u64 {
        match self {
            Machine::Shared(sharing) if sharing.present.is_empty() => 0,
            Machine::Shared(sharing) => sharing.settings.pace(sharing.present.len()).share,
            Machine::Batch(batching) => batching.running.len() as u64 * FULL,
            Machine::Llm(generating) => u64::from(generating.left.is_some()) * FULL,
        }
    }

    /// Tokens of a prompt that it serves, cut to the cache of a language model.
    pub fn prompt(&self, tokens: Tokens) -> f64 {
        match self {
            Machine::Llm(generating) => generating.settings.fitted(tokens).0 as f64,
            _ => 0.0,
        }
    }

    /// Whether the answer to a request in service has begun.
    pub fn has_answered_in_part(&self, request: usize) -> bool {
        let Machine::Llm(generating) = self else { return false };
        let mut all = generating.running.iter().chain(&generating.preempted);
        all.any(|sequence| sequence.request == request && sequence.generated > 0)
    }

    /// Tokens of a prompt that its prefix cache has.
    pub fn found(&self, content: u32, prompt: u64) -> f64 {
        match self {
            Machine::Llm(generating) => {
                generating.prefixes.as_ref().map_or(0.0, |known| known.found(content, prompt) as f64)
            }
            _ => 0.0,
        }
    }

    /// Tokens of the prompts in service whose answers have not begun.
    pub fn unanswered(&self) -> f64 {
        let Machine::Llm(generating) = self else { return 0.0 };
        let all = generating.running.iter().chain(&generating.preempted);
        let silent = all.filter(|at| at.generated == 0 && !generating.leaving.contains(&at.request));
        silent.map(|sequence| sequence.prompt as f64).sum()
    }

    /// Tokens of its blocks in use.
    pub fn held_tokens(&self) -> f64 {
        let Machine::Llm(generating) = self else { return 0.0 };
        let blocks = generating.settings.blocks - generating.free();
        blocks as f64 * f64::from(generating.settings.block_tokens)
    }

    /// Share of the memory of a language model that the sequences computed take.
    pub fn cache(&self) -> f64 {
        let Machine::Llm(generating) = self else { return 0.0 };
        if generating.settings.blocks == u64::MAX {
            return 0.0;
        }
        (generating.settings.blocks - generating.free()) as f64 / generating.settings.blocks as f64
    }

    /// Tokens found of the prompts begun, and their tokens.
    pub fn hits(&self) -> (u64, u64) {
        match self {
            Machine::Llm(generating) => generating.prefixes.as_ref().map_or((0, 0), |known| known.hits),
            _ => (0, 0),
        }
    }

    /// What is due now happens: the requests that are done, and those whose first token has come.
    pub fn change(&mut self) -> (Vec<usize>, Vec<usize>) {
        let done = match self {
            Machine::Shared(sharing) => {
                let first = (0..sharing.present.len()).min_by_key(|index| sharing.present[*index].1);
                first.map(|index| sharing.present.remove(index).0).into_iter().collect()
            }
            Machine::Batch(batching) => {
                let done = batching.running.iter().position(|(left, _)| *left == 0).unwrap();
                batching.running.remove(done).1
            }
            Machine::Llm(generating) => return generating.iterate(),
        };
        (done, vec![])
    }

    /// Takes what it can of what waits; the requests that begin.
    pub fn admit(&mut self, waiting: &mut VecDeque<Job>, now: u64, preemptions: &mut u64) -> Vec<usize> {
        match self {
            Machine::Shared(sharing) => {
                let mut begun = vec![];
                while sharing.present.len() < sharing.settings.concurrency as usize
                    && let Some(job) = waiting.pop_front()
                {
                    sharing.present.push((job.request, i128::from(job.service) << 32));
                    begun.push(job.request);
                }
                begun
            }
            Machine::Batch(batching) => {
                let mut begun = vec![];
                while batching.running.len() < batching.settings.copies as usize
                    && let Some(size) = batching.size(waiting, now)
                {
                    let batch: Vec<Job> = waiting.drain(..size).collect();
                    let longest = batch.iter().map(|job| job.service).max().unwrap();
                    let requests: Vec<usize> = batch.iter().map(|job| job.request).collect();
                    begun.extend(&requests);
                    let time = batching.settings.time(size).as_nanos() + longest;
                    batching.running.push(((time as f64 / batching.speed).round() as u64, requests));
                }
                begun
            }
            Machine::Llm(generating) if generating.left.is_some() => vec![],
            Machine::Llm(generating) => generating.form(waiting, now, preemptions),
        }
    }

    /// Until when it lets requests wait that it could take.
    pub fn held(&self, waiting: &VecDeque<Job>) -> u64 {
        match self {
            Machine::Batch(batching) if batching.running.len() < batching.settings.copies as usize => {
                batching.overdue_at(waiting)
            }
            _ => u64::MAX,
        }
    }

    /// Its place in line for what waits before the pool; `None` if it is full.
    pub fn eagerness(&self) -> Option<u64> {
        match self {
            _ if self.takes_turns() => None,
            Machine::Shared(sharing) => {
                let present = sharing.present.len();
                (present < sharing.settings.concurrency as usize).then_some(present as u64)
            }
            Machine::Batch(batching) => {
                let busy = batching.running.len();
                (busy < batching.settings.copies as usize).then_some(busy as u64)
            }
            Machine::Llm(generating) => {
                let room = generating.running.len() < generating.settings.max_sequences as usize;
                room.then_some((generating.running.len() + generating.preempted.len()) as u64)
            }
        }
    }
}

impl Sharing {
    fn each(&self) -> i128 {
        match self.present.len() {
            0 => 1,
            present => {
                let each = self.settings.pace(present).per_request as f64 * self.speed;
                i128::from((each.round() as u64).max(1))
            }
        }
    }
}

impl Batching {
    /// When somebody of those that wait has waited as long as it may.
    fn overdue_at(&self, waiting: &VecDeque<Job>) -> u64 {
        let oldest = waiting.iter().map(|job| job.arrival).min();
        oldest.map_or(u64::MAX, |arrival| arrival + self.settings.max_delay.as_nanos())
    }

    /// How many of those that wait make the next batch, if it is to begin now.
    fn size(&self, waiting: &VecDeque<Job>, now: u64) -> Option<usize> {
        let most = waiting.len().min(self.settings.max_batch() as usize);
        let mut preferred = self.settings.preferred.clone();
        preferred.retain(|size| *size as usize <= most);
        if let Some(size) = preferred.iter().max() {
            return Some(*size as usize);
        }
        let overdue = self.overdue_at(waiting) <= now;
        (overdue || most == self.settings.max_batch() as usize).then_some(most)
    }
}

impl Generating {
    /// The iteration is over.
    fn iterate(&mut self) -> (Vec<usize>, Vec<usize>) {
        let (mut done, mut first) = (vec![], vec![]);
        let leaving = std::mem::take(&mut self.leaving);
        let (mut decoded, mut completed) = (vec![], vec![]);
        for (request, tokens) in std::mem::take(&mut self.scheduled) {
            let index = self.running.iter().position(|sequence| sequence.request == request).unwrap();
            let sequence = &mut self.running[index];
            sequence.computed += tokens;
            if sequence.computed == sequence.prompt + sequence.generated {
                if sequence.prefilling {
                    completed.push(index)
                } else {
                    decoded.push(index)
                }
                sequence.prefilling = false;
                sequence.generated += 1;
                if sequence.generated == 1 {
                    first.push(request);
                }
                if sequence.generated == sequence.output {
                    done.push(request);
                }
            }
        }
        if let Some(known) = &mut self.prefixes {
            let is_over = |sequence: &Sequence| sequence.generated == sequence.output;
            let is_leaving = |sequence: &Sequence| leaving.contains(&sequence.request);
            for index in decoded {
                let sequence = &mut self.running[index];
                if is_over(sequence) {
                    if !is_leaving(sequence) {
                        known.extend(sequence.content, sequence.computed, &mut sequence.holds);
                    }
                    known.release(&mut sequence.holds);
                }
            }
            for index in completed {
                let sequence = &mut self.running[index];
                known.extend(sequence.content, sequence.prompt, &mut sequence.holds);
                if is_over(sequence) {
                    known.release(&mut sequence.holds);
                }
            }
            for request in &leaving {
                let left = self.running.iter_mut().filter(|sequence| sequence.request == *request);
                left.for_each(|sequence| known.release(&mut sequence.holds));
            }
        }
        self.running.retain(|at| at.generated < at.output && !leaving.contains(&at.request));
        done.retain(|request| !leaving.contains(request));
        self.left = None;
        (done, first)
    }

    /// Blocks that the sequences computed leave.
    fn free(&self) -> u64 {
        let held: u64 = self.running.iter().map(|sequence| sequence.blocks).sum();
        self.settings.blocks - (held - self.prefixes.as_ref().map_or(0, Prefixes::saved))
    }

    /// What the prefix cache holds beyond the room that there is goes.
    fn keep(&mut self) {
        let free = self.free();
        self.prefixes.iter_mut().for_each(|known| known.keep(free));
    }

    /// Plans the next iteration, as vLLM's scheduler does: first those that run, in their order, then those that wait.
    fn form(&mut self, waiting: &mut VecDeque<Job>, now: u64, preemptions: &mut u64) -> Vec<usize> {
        let &Llm { block_tokens, token_budget, max_sequences, .. } = &*self.settings;
        let needed = |tokens: u64| tokens.div_ceil(u64::from(block_tokens));
        let mut budget = u64::from(token_budget);
        if self.since == u64::MAX {
            (self.since, self.work) = (now, 0);
        }
        let mut preempted = false;
        let mut work = IterationWork::default();
        let mut index = 0;
        'running: while index < self.running.len() && budget > 0 {
            let Sequence { request, prompt, generated, computed, blocks, prefilling, .. } =
                self.running[index];
            let tokens = (prompt + generated - computed).min(budget);
            let more = needed(computed + tokens) - blocks;
            while more > self.free() {
                let mut last = self.running.pop().unwrap();
                if let Some(known) = &mut self.prefixes {
                    known.keep(0);
                    known.release(&mut last.holds);
                }
                (last.computed, last.blocks, last.prefilling) = (0, 0, true);
                self.preempted.insert(0, last);
                *preemptions += 1;
                preempted = true;
                if self.running.len() == index {
                    break 'running;
                }
            }
            self.running[index].blocks += more;
            if prefilling {
                work.add_chunk(computed, tokens);
            } else {
                work.decoding += 1;
                work.context += computed;
            }
            self.scheduled.push((request, tokens));
            budget -= tokens;
            index += 1;
        }
        let mut begun = vec![];
        while !preempted && budget > 0 && self.running.len() < max_sequences as usize {
            let again = self.preempted.first().cloned();
            let next = again.clone().or_else(|| {
                let job = waiting.front()?;
                let (prompt, output) = self.settings.fitted(job.tokens);
                // What comes with its cache has its first token, and decodes.
                let (generated, computed, blocks, prefilling) = match self.settings.role {
                    EngineRole::Decode => (1, prompt, 0, false),
                    EngineRole::Whole | EngineRole::Prefill => (0, 0, 0, true),
                };
                Some(Sequence {
                    request: job.request,
                    prompt,
                    output,
                    generated,
                    computed,
                    blocks,
                    prefilling,
                    content: job.content,
                    holds: vec![],
                })
            });
            let Some(mut sequence) = next else { break };
            if sequence.prefilling {
                sequence.computed = match &self.prefixes {
                    Some(known) => known.found(sequence.content, sequence.prompt),
                    None => self.settings.cached(sequence.prompt),
                };
            }
            let tokens = (sequence.prompt + sequence.generated - sequence.computed).min(budget);
            sequence.blocks = needed(sequence.computed + tokens);
            if sequence.blocks > self.free() {
                break;
            }
            if let Some(known) = &mut self.prefixes {
                sequence.holds = known.begin(sequence.content, sequence.prompt);
                if again.is_none() {
                    known.hits.0 += sequence.computed;
                    known.hits.1 += sequence.prompt;
                }
            }
            if again.is_some() {
                self.preempted.remove(0);
            } else {
                waiting.pop_front();
                begun.push(sequence.request);
            }
            budget -= tokens;
            if sequence.prefilling {
                work.add_chunk(sequence.computed, tokens);
            } else {
                work.decoding += 1;
                work.context += sequence.computed;
            }
            self.scheduled.push((sequence.request, tokens));
            self.running.push(sequence);
            self.keep();
        }
        self.keep();
        if !self.scheduled.is_empty() {
            self.work += self.settings.law.time(work);
            let end = self.since + (self.work as f64 / self.speed).round() as u64;
            self.left = Some(end - now);
        } else {
            self.since = u64::MAX;
        }
        begun
    }
}

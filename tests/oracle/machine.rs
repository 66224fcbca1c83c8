//! One instance under each service model but slots: everybody in a list, everything looked at every time.

use std::collections::VecDeque;

use kneepoint::service::{Batch, FULL, Model, Shared};

/// A request at an instance.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// Its index.
    pub request: usize,
    pub arrival: u64,
    pub service: u64,
}

/// See the module.
#[derive(Debug)]
pub enum Machine {
    Shared(Sharing),
    Batch(Batching),
}

/// Processor sharing.
#[derive(Debug)]
pub struct Sharing {
    settings: Shared,
    /// In the order they began: the request, and the service it still needs, in units of 2⁻³² ns. Below zero if it had
    /// its last unit before the end of the nanosecond.
    present: Vec<(usize, i128)>,
}

/// Dynamic batching.
#[derive(Debug)]
pub struct Batching {
    settings: Batch,
    /// Time left and requests of each batch, in the order they began.
    running: Vec<(u64, Vec<usize>)>,
}

impl Machine {
    /// The machine of a model; `None` for slots.
    pub fn of(model: &Model) -> Option<Machine> {
        match model {
            Model::Slots(_) => None,
            Model::Shared(shared) => {
                Some(Machine::Shared(Sharing { settings: shared.clone(), present: Vec::new() }))
            }
            Model::Batch(batch) => {
                Some(Machine::Batch(Batching { settings: batch.clone(), running: Vec::new() }))
            }
        }
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
        }
    }

    /// Capacity in use, in parts of a whole.
    pub fn share(&self) -> u64 {
        match self {
            Machine::Shared(sharing) if sharing.present.is_empty() => 0,
            Machine::Shared(sharing) => sharing.settings.pace(sharing.present.len()).share,
            Machine::Batch(batching) => batching.running.len() as u64 * FULL,
        }
    }

    /// What is due now happens: the requests that are done.
    pub fn change(&mut self) -> Vec<usize> {
        match self {
            Machine::Shared(sharing) => {
                let first = (0..sharing.present.len()).min_by_key(|index| sharing.present[*index].1);
                first.map(|index| sharing.present.remove(index).0).into_iter().collect()
            }
            Machine::Batch(batching) => {
                let done = batching.running.iter().position(|(left, _)| *left == 0).unwrap();
                batching.running.remove(done).1
            }
        }
    }

    /// Takes what it can of what waits; the requests that begin.
    pub fn admit(&mut self, waiting: &mut VecDeque<Job>, now: u64) -> Vec<usize> {
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
                    batching.running.push((batching.settings.time(size).as_nanos() + longest, requests));
                }
                begun
            }
        }
    }

    /// Until when it lets requests wait that it could take.
    pub fn held(&self, waiting: &VecDeque<Job>) -> u64 {
        match self {
            Machine::Batch(batching) if batching.running.len() < batching.settings.copies as usize => waiting
                .front()
                .map_or(u64::MAX, |first| first.arrival + batching.settings.max_delay.as_nanos()),
            _ => u64::MAX,
        }
    }

    /// Its place in line for what waits before the pool; `None` if it is full.
    pub fn eagerness(&self) -> Option<u64> {
        match self {
            Machine::Shared(sharing) => {
                let present = sharing.present.len();
                (present < sharing.settings.concurrency as usize).then_some(present as u64)
            }
            Machine::Batch(batching) => {
                let busy = batching.running.len();
                (busy < batching.settings.copies as usize).then_some(busy as u64)
            }
        }
    }
}

impl Sharing {
    fn each(&self) -> i128 {
        match self.present.len() {
            0 => 1,
            present => i128::from(self.settings.pace(present).each),
        }
    }
}

impl Batching {
    /// How many of those that wait make the next batch, if it is to begin now.
    fn size(&self, waiting: &VecDeque<Job>, now: u64) -> Option<usize> {
        let most = waiting.len().min(self.settings.max_batch() as usize);
        let mut preferred = self.settings.preferred.clone();
        preferred.retain(|size| *size as usize <= most);
        if let Some(size) = preferred.iter().max() {
            return Some(*size as usize);
        }
        let overdue = waiting.front()?.arrival + self.settings.max_delay.as_nanos() <= now;
        (overdue || most == self.settings.max_batch() as usize).then_some(most)
    }
}

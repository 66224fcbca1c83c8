//! One instance under each service model but slots: everybody in a list, everything looked at every time.

use std::collections::VecDeque;

use kneepoint::service::{Model, Shared};

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
}

/// Processor sharing.
#[derive(Debug)]
pub struct Sharing {
    settings: Shared,
    /// In the order they began: the request, and the service it still needs, in units of 2⁻³² ns. Below zero if it had
    /// its last unit before the end of the nanosecond.
    present: Vec<(usize, i128)>,
}

impl Machine {
    /// The machine of a model; `None` for slots.
    pub fn of(model: &Model) -> Option<Machine> {
        match model {
            Model::Slots(_) => None,
            Model::Shared(shared) => {
                Some(Machine::Shared(Sharing { settings: shared.clone(), present: Vec::new() }))
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
        }
    }

    /// Lets `passed` nanoseconds pass in which nothing changes.
    pub fn pass(&mut self, passed: u64) {
        match self {
            Machine::Shared(sharing) => {
                let each = sharing.each();
                sharing.present.iter_mut().for_each(|(_, left)| *left -= each * i128::from(passed));
            }
        }
    }

    /// Capacity in use, in parts of a whole.
    pub fn share(&self) -> u64 {
        match self {
            Machine::Shared(sharing) if sharing.present.is_empty() => 0,
            Machine::Shared(sharing) => sharing.settings.pace(sharing.present.len()).share,
        }
    }

    /// What is due now happens: the requests that are done.
    pub fn change(&mut self) -> Vec<usize> {
        match self {
            Machine::Shared(sharing) => {
                let first = (0..sharing.present.len()).min_by_key(|index| sharing.present[*index].1);
                first.map(|index| sharing.present.remove(index).0).into_iter().collect()
            }
        }
    }

    /// Takes what it can of what waits; the requests that begin.
    pub fn admit(&mut self, waiting: &mut VecDeque<Job>) -> Vec<usize> {
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
        }
    }

    /// Until when it lets requests wait that it could take.
    pub fn held(&self, _waiting: &VecDeque<Job>) -> u64 {
        u64::MAX
    }

    /// Its place in line for what waits before the pool; `None` if it is full.
    pub fn eagerness(&self) -> Option<u64> {
        match self {
            Machine::Shared(sharing) => {
                let present = sharing.present.len();
                (present < sharing.settings.concurrency as usize).then_some(present as u64)
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

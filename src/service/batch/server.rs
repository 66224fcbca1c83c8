//! An instance of `batch`.

use std::sync::Arc;

use super::settings::Batch;
use crate::service::queue::RequestQueue;
use crate::service::request::Active;
use crate::service::server::{FULL, Server};

/// An instance of `batch`.
#[derive(Debug, Clone)]
pub struct BatchServer {
    settings: Arc<Batch>,
    speed: f64,
    copies: Vec<ModelCopy>,
    /// Copies that run a batch.
    busy: u32,
    /// Requests in those batches.
    serving: u64,
    batches_begun: u64,
    next_change: u64,
    /// Busy copy-nanoseconds up to `counted_to`.
    worked: u128,
    counted_to: u64,
}

/// A copy of the model and its batch.
#[derive(Debug, Clone)]
struct ModelCopy {
    /// Instant at which its batch ends; [`u64::MAX`] without a batch.
    finish: u64,
    /// Number of its batch, in the order in which they began: it breaks ties.
    number: u64,
    batch: Vec<Active>,
}

impl BatchServer {
    #[inline]
    fn count_work_to(&mut self, now: u64) {
        self.worked += u128::from(now - self.counted_to) * u128::from(self.busy);
        self.counted_to = now;
    }

    #[inline]
    fn schedule_next(&mut self) {
        self.next_change = self.copies.iter().map(|copy| copy.finish).min().unwrap_or(u64::MAX);
    }

    fn overdue_at(&self, queue: &impl RequestQueue) -> u64 {
        queue.oldest().map_or(u64::MAX, |arrival| arrival.saturating_add(self.settings.max_delay.as_nanos()))
    }

    /// Time of what takes `nanos` at full speed.
    #[inline]
    fn time(&self, nanos: u64) -> u64 {
        if self.speed == 1.0 { nanos } else { (nanos as f64 / self.speed).round() as u64 }
    }
}

impl Server for BatchServer {
    type Settings = Batch;

    fn new(settings: &Arc<Batch>, speed: f64) -> Self {
        let idle = ModelCopy { finish: u64::MAX, number: 0, batch: Vec::new() };
        BatchServer {
            copies: vec![idle; settings.copies as usize],
            settings: Arc::clone(settings),
            speed,
            busy: 0,
            serving: 0,
            batches_begun: 0,
            next_change: u64::MAX,
            worked: 0,
            counted_to: 0,
        }
    }

    #[inline]
    fn admit(&mut self, queue: &mut impl RequestQueue, now: u64) {
        while self.busy < self.settings.copies
            && let Some(size) = self.settings.size(queue.len(), self.overdue_at(queue) <= now)
        {
            self.count_work_to(now);
            let Some(index) = self.copies.iter().position(|copy| copy.finish == u64::MAX) else { return };
            let copy = &mut self.copies[index];
            let mut longest = 0;
            queue.take(size, now, |request| {
                longest = longest.max(request.service);
                copy.batch.push(Active { request, start: now });
            });
            // A batch that would end after the last instant never ends; its copy is busy all the same, so its end must
            // differ from that of a free copy.
            let time = self.time(self.settings.times[size - 1].saturating_add(longest));
            let copy = &mut self.copies[index];
            copy.finish = now.saturating_add(time).min(u64::MAX - 1);
            copy.number = self.batches_begun;
            self.batches_begun += 1;
            self.busy += 1;
            self.serving += size as u64;
            self.next_change = self.next_change.min(copy.finish);
        }
    }

    #[inline]
    fn next_change(&self) -> u64 {
        self.next_change
    }

    #[inline]
    fn step(&mut self, done: &mut impl FnMut(Active, u64)) {
        let Some(copy) = self.copies.iter_mut().min_by_key(|copy| (copy.finish, copy.number)) else { return };
        let now = copy.finish;
        self.serving -= copy.batch.len() as u64;
        copy.batch.drain(..).for_each(|active| done(active, 0));
        copy.finish = u64::MAX;
        self.count_work_to(now);
        self.busy -= 1;
        self.schedule_next();
    }

    #[inline]
    fn holds_until(&self, queue: &impl RequestQueue) -> u64 {
        if self.busy < self.settings.copies { self.overdue_at(queue) } else { u64::MAX }
    }

    fn dispatch_rank(&self) -> Option<u64> {
        (self.busy < self.settings.copies).then_some(u64::from(self.busy))
    }

    #[inline]
    fn in_service(&self) -> u64 {
        self.serving
    }

    fn requests(&self) -> impl Iterator<Item = &Active> {
        self.copies.iter().flat_map(|copy| &copy.batch)
    }

    fn work(&self, now: u64) -> u128 {
        (self.worked + u128::from(now - self.counted_to) * u128::from(self.busy)) * u128::from(FULL)
    }
}

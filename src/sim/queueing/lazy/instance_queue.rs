//! One instance with a queue of its own.

use crate::service::Request;
use crate::sim::accounting::{Areas, RequestObserver};
use crate::sim::queueing::station::Load;

/// One instance with a queue of its own. What happens to it depends on nothing but the requests it is offered, so it is
/// brought up to date only when somebody looks. Time only moves forward from call to call.
pub(in crate::sim) trait InstanceQueue: Clone {
    /// Whether it counts tokens.
    const COUNTS_TOKENS: bool = false;
    /// Whether to count what waits changes nothing of it.
    const IS_SETTLED: bool = false;
    /// What the instances of a pool have in common.
    type Settings;

    /// An idle instance, ready at `now`.
    fn new(instance: u32, now: u64, settings: &Self::Settings) -> Self;
    /// Its number.
    fn instance(&self) -> u32;
    /// Requests waiting or in service.
    fn outstanding(&self) -> u64;
    /// Requests waiting.
    fn waiting(&self) -> u64;
    /// Requests in service.
    fn in_service(&self) -> u64;
    /// When the count of its requests next changes by itself; [`u64::MAX`] for never.
    fn next_change(&self) -> u64;
    /// Lets everything happen that is due by `now`.
    fn advance(&mut self, now: u64, observer: &mut impl RequestObserver);
    /// Lets happen what its count of requests depends on.
    #[inline]
    fn catch_up(&mut self, now: u64, observer: &mut impl RequestObserver) {
        self.advance(now, observer);
    }
    /// Takes a request, unless `capacity` requests wait already; it has caught up. Whether the request waits.
    fn offer(
        &mut self,
        request: Request,
        now: u64,
        gate: u64,
        capacity: u64,
        observer: &mut impl RequestObserver,
    ) -> bool;
    /// Requests that wait at `now`, which may be before the gate: lets happen what that depends on.
    fn waiting_at(&mut self, now: u64, observer: &mut impl RequestObserver) -> u64;
    /// After [`InstanceQueue::waiting_at`]: from when on fewer of them may wait, if no more come; [`u64::MAX`] if none does.
    fn next_start(&self) -> u64;
    /// Adds its integrals up to `now`, to which it has advanced.
    fn measure(&self, now: u64, total: &mut Areas);
    /// Its load at `now`, to which it has advanced.
    fn load(&self, now: u64) -> Load;
    /// Sequences that have had to give way, if it counts tokens.
    fn preemptions(&self) -> u64 {
        0
    }
    /// Arrival instants of what waits, if it counts tokens.
    fn queued(&self) -> impl Iterator<Item = u64> {
        std::iter::empty()
    }
    /// Arrival instants of everything it has.
    fn arrivals(&self) -> impl Iterator<Item = u64>;
    /// Hands over everything it has.
    fn lose(self, lost: &mut Vec<Request>);

    /// When it will have finished everything it has, if it gets no more; `now` if it has nothing.
    fn last(&self, now: u64) -> u64 {
        let mut ahead = self.clone();
        let mut last = now;
        while ahead.outstanding() > 0 && ahead.next_change() < u64::MAX {
            last = ahead.next_change();
            ahead.advance(last, &mut ());
        }
        last
    }
}

//! Requests that are drawn once, for all runs that meet them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::random::Streams;
use crate::scenario::Scenario;
use crate::sim::{Block, Model, RequestSource};

/// Requests that several runs meet, at the same time or one after another: to draw them takes a third of a run. Each is drawn
/// when the first of the runs comes to it. The oldest are forgotten when all together take more than a maximum of bytes.
#[derive(Debug)]
pub struct DrawnRequests {
    most_bytes: usize,
    kept: Mutex<VecDeque<Arc<Drawn>>>,
}

/// What may be kept in bytes: the requests of five days at 8 requests a second.
const MOST_BYTES: usize = 64 << 20;

/// What a request takes where nothing but its instant and its time is drawn.
const BYTES_OF_REQUEST: usize = 16;

/// The requests of one replication.
#[derive(Debug)]
struct Drawn {
    /// Of the first who met them.
    model: Model,
    seed: u64,
    replication: u32,
    /// What they are expected to take when all are drawn.
    bytes: usize,
    /// Those that are drawn so far. Held for no longer than it takes to look at them.
    blocks: Mutex<Vec<Arc<Block>>>,
    growing: Mutex<Growing>,
}

/// Where the next ones come from.
#[derive(Debug)]
struct Growing {
    source: RequestSource,
    /// What the next blocks may take.
    bytes_left: usize,
}

/// Blocks that are drawn at a time, once there are as many: those who meet them side by side then seldom wait for one another.
const AHEAD: usize = 8;

/// Nothing panics while it holds such a lock; if anything did, what is kept is whole all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn source(scenario: &Scenario, replication: u32) -> RequestSource {
    RequestSource::new(&scenario.model, Streams::new(scenario.run.seed, u64::from(replication)))
}

impl Drawn {
    /// None are kept if they are expected to take more than `most_bytes`.
    fn begin(scenario: &Scenario, replication: u32, most_bytes: usize) -> Option<Drawn> {
        let (model, mut source) = (scenario.model.clone(), source(scenario, replication));
        let mut first = Block::default();
        source.fill(&mut first);
        let each = first.bytes() as f64 / first.arrival.len().max(1) as f64;
        let bytes = (model.expected_requests(model.duration) * each) as usize;
        let growing = Mutex::new(Growing { source, bytes_left: most_bytes });
        let (seed, blocks) = (scenario.run.seed, Mutex::new(vec![Arc::new(first)]));
        (bytes <= most_bytes).then_some(Drawn { model, seed, replication, bytes, blocks, growing })
    }

    fn is_of(&self, scenario: &Scenario, replication: u32) -> bool {
        self.seed == scenario.run.seed
            && self.replication == replication
            && self.model.duration == scenario.model.duration
            && RequestSource::same(&self.model, &scenario.model)
    }

    /// The block of this index; `None` if they have grown beyond all that may be kept.
    fn block(&self, index: usize) -> Option<Arc<Block>> {
        let drawn = || lock(&self.blocks).get(index).cloned();
        drawn().or_else(|| {
            let mut growing = lock(&self.growing);
            // Another may have drawn it meanwhile.
            if lock(&self.blocks).len() == index {
                self.draw(&mut growing, if index < AHEAD { 1 } else { AHEAD });
            }
            drawn()
        })
    }

    /// Draws so many blocks, as long as they may be kept; fewer if no more requests come.
    fn draw(&self, growing: &mut Growing, count: usize) {
        for _ in 0..count {
            if growing.bytes_left == 0 {
                return;
            }
            let mut block = Block::default();
            growing.source.fill(&mut block);
            growing.bytes_left = growing.bytes_left.saturating_sub(block.bytes());
            let is_last = block.arrival.is_empty();
            lock(&self.blocks).push(Arc::new(block));
            if is_last {
                return;
            }
        }
    }
}

impl Default for DrawnRequests {
    fn default() -> Self {
        DrawnRequests::new(MOST_BYTES)
    }
}

impl DrawnRequests {
    /// Keeps none yet, and never more than about `most_bytes`.
    fn new(most_bytes: usize) -> DrawnRequests {
        DrawnRequests { most_bytes, kept: Mutex::default() }
    }

    /// Whether the requests of so many replications may be kept at a time.
    pub(super) fn may_keep(scenario: &Scenario, replications: usize) -> bool {
        let each = scenario.model.expected_requests(scenario.model.duration) * BYTES_OF_REQUEST as f64;
        each * replications as f64 <= MOST_BYTES as f64
    }

    /// Those that `scenario` meets in a replication; `None` if they are too many to be kept.
    fn of(&self, scenario: &Scenario, replication: u32) -> Option<Arc<Drawn>> {
        let mut kept = lock(&self.kept);
        if let Some(drawn) = kept.iter().find(|drawn| drawn.is_of(scenario, replication)) {
            return Some(drawn.clone());
        }
        let drawn = Arc::new(Drawn::begin(scenario, replication, self.most_bytes)?);
        kept.push_back(drawn.clone());
        let mut bytes: usize = kept.iter().map(|drawn| drawn.bytes).sum();
        while bytes > self.most_bytes {
            bytes -= kept.pop_front().map_or(bytes, |oldest| oldest.bytes);
        }
        Some(drawn)
    }
}

/// The requests of one replication, block by block.
pub(super) struct Requests<'a> {
    scenario: &'a Scenario,
    replication: u32,
    /// Those that others meet too, as far as they are kept.
    drawn: Option<Arc<Drawn>>,
    /// How many blocks have been met.
    met: usize,
    /// That at hand: a copy of the one that is kept, read once from end to end, since the runs that meet it look here and there,
    /// and it comes from another thread or from far away.
    current: Block,
    own: Option<RequestSource>,
}

impl<'a> Requests<'a> {
    /// Those that `scenario` meets in a replication, which others find at `place`, if there is such a place.
    pub fn of(scenario: &'a Scenario, replication: u32, place: Option<&DrawnRequests>) -> Requests<'a> {
        let drawn = place.and_then(|place| place.of(scenario, replication));
        Requests { scenario, replication, drawn, met: 0, current: Block::default(), own: None }
    }

    /// The next block; an empty one when no more requests come.
    pub fn next(&mut self) -> &Block {
        let index = self.met;
        self.met += 1;
        if let Some(drawn) = &self.drawn {
            match drawn.block(index) {
                Some(block) => self.current.copy_from(&block),
                None => self.drawn = None,
            }
        }
        if self.drawn.is_none() {
            let source = self.own.get_or_insert_with(|| {
                let mut source = source(self.scenario, self.replication);
                // What has been met is drawn again, by a source of its own.
                (0..index).for_each(|_| source.fill(&mut self.current));
                source
            });
            source.fill(&mut self.current);
        }
        &self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Case, Evaluator, Replications, task};
    use crate::time::Span;

    fn met(scenario: &Scenario, replication: u32, blocks: usize, place: &DrawnRequests) -> Vec<u64> {
        let mut requests = Requests::of(scenario, replication, Some(place));
        (0..blocks).flat_map(|_| requests.next().arrival.clone()).collect()
    }

    fn kept(place: &DrawnRequests) -> Vec<u32> {
        lock(&place.kept).iter().map(|drawn| drawn.replication).collect()
    }

    fn blocks_of_first(place: &DrawnRequests) -> usize {
        lock(&lock(&place.kept)[0].blocks).len()
    }

    #[test]
    fn requests_are_drawn_once_for_all_and_as_many_as_anyone_wants() {
        let (scenario, place) = (task::tests::scenario(8.0), DrawnRequests::new(1 << 20));
        let none = DrawnRequests::new(0);
        let first = met(&scenario, 0, 3, &place);
        assert_eq!((first.clone(), blocks_of_first(&place)), (met(&scenario, 0, 3, &none), 3));
        assert_eq!(met(&scenario, 0, 2, &place), first[..2048]);
        assert_eq!(blocks_of_first(&place), 3);
        assert_eq!(met(&scenario, 0, 5, &place), met(&scenario, 0, 5, &none));
        assert_eq!((kept(&place), blocks_of_first(&place)), (vec![0], 5));
    }

    #[test]
    fn other_traffic_seeds_replications_and_lengths_are_told_apart() {
        let (scenario, place) = (task::tests::scenario(8.0), DrawnRequests::new(1 << 20));
        let mut longer = scenario.clone();
        longer.model.duration = Span::from_secs(7);
        let mut reseeded = scenario.clone();
        reseeded.run.seed += 1;
        let faster = task::tests::scenario(9.0);
        for (one, replication) in
            [(&scenario, 0), (&faster, 0), (&longer, 0), (&reseeded, 0), (&scenario, 1), (&scenario, 0)]
        {
            met(one, replication, 1, &place);
        }
        assert_eq!(kept(&place), [0, 0, 0, 0, 1]);
    }

    #[test]
    fn the_oldest_are_forgotten_and_what_is_too_long_is_drawn_for_each() {
        let mut scenario = task::tests::scenario(8.0);
        let whole = DrawnRequests::new(1 << 20);
        met(&scenario, 0, 1, &whole);
        let bytes = lock(&whole.kept)[0].bytes;
        let place = DrawnRequests::new(2 * bytes);
        for replication in 0..3 {
            met(&scenario, replication, 1, &place);
        }
        assert_eq!(kept(&place), [1, 2]);
        scenario.model.duration = Span::from_secs(3600);
        met(&scenario, 7, 1, &place);
        assert_eq!(kept(&place), [1, 2]);
        // More come than were expected: what is beyond the bound is drawn for each.
        scenario.model.duration = Span::from_secs(600);
        let place = DrawnRequests::new(bytes);
        assert_eq!(met(&scenario, 0, 40, &place), met(&scenario, 0, 40, &DrawnRequests::new(0)));
        assert!(blocks_of_first(&place) < 20);
    }

    #[test]
    fn runs_come_out_the_same_whether_their_requests_were_drawn_before_or_not() {
        let place = DrawnRequests::new(1 << 24);
        let records = |above: f64, place: Option<&DrawnRequests>| -> Vec<Replications> {
            let mut scenario = task::tests::scenario(8.0);
            scenario.model.cost.per_instance_hour = above;
            let evaluator = Evaluator { drawn: place, ..Evaluator::default() };
            evaluator.replications(&[Case::whole(&scenario)], &()).unwrap()
        };
        for price in [1.0, 2.0, 3.0] {
            assert_eq!(records(price, Some(&place)), records(price, None));
        }
        assert_eq!(kept(&place).len(), 3, "one for each replication");
    }
}

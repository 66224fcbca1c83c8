//! Answers gathered before they are handed on: what all have in common is then done once.

use super::facts::{Answers, Completion, RequestObserver, TokenCompletion};

/// As many as are handed on together.
const ROOM: usize = 32;

/// Passes on what becomes of requests, answers without a class some at a time: at the latest when it goes.
#[derive(Debug)]
pub(in crate::sim) struct Collector<'a, O: RequestObserver> {
    observer: &'a mut O,
    filled: usize,
    arrivals: [u64; ROOM],
    starts: [u64; ROOM],
    finishes: [u64; ROOM],
    instances: [u32; ROOM],
}

impl<'a, O: RequestObserver> Collector<'a, O> {
    pub fn new(observer: &'a mut O) -> Self {
        let times = [0; ROOM];
        Collector {
            observer,
            filled: 0,
            arrivals: times,
            starts: times,
            finishes: times,
            instances: [0; ROOM],
        }
    }

    fn hand_on(&mut self) {
        let filled = self.filled.min(ROOM);
        self.filled = 0;
        self.observer.served_all(&Answers {
            arrivals: &self.arrivals[..filled],
            starts: &self.starts[..filled],
            finishes: &self.finishes[..filled],
            instances: &self.instances[..filled],
        });
    }
}

impl<O: RequestObserver> Drop for Collector<'_, O> {
    fn drop(&mut self) {
        self.hand_on();
    }
}

impl<O: RequestObserver> RequestObserver for Collector<'_, O> {
    fn generated(&mut self, answer: TokenCompletion) {
        // Its own answer follows, before that of any other.
        self.hand_on();
        self.observer.generated(answer);
    }

    #[inline(always)]
    fn served(&mut self, request: Completion) {
        let at = self.filled % ROOM;
        self.arrivals[at] = request.arrival;
        self.starts[at] = request.start;
        self.finishes[at] = request.finish;
        self.instances[at] = request.instance;
        self.filled += 1;
        if self.filled == ROOM {
            self.hand_on();
        }
    }

    fn rejected(&mut self, arrival: u64) {
        self.observer.rejected(arrival);
    }

    fn rejected_at(&mut self, arrival: u64, at: u64) {
        self.observer.rejected_at(arrival, at);
    }

    fn timed_out(&mut self, arrival: u64, at: u64) {
        self.observer.timed_out(arrival, at);
    }

    fn failed(&mut self, arrival: u64, at: u64) {
        self.observer.failed(arrival, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Tokens;
    use crate::sim::Class;

    /// Remembers the instants at which answered requests arrived, and of tokens before their answer.
    #[derive(Default)]
    struct Arrived(Vec<u64>);

    impl RequestObserver for Arrived {
        fn generated(&mut self, answer: TokenCompletion) {
            self.0.push(answer.arrival);
        }
        fn served(&mut self, request: Completion) {
            assert_eq!((request.start, request.finish), (request.arrival + 1, request.arrival + 2));
            assert_eq!(u64::from(request.instance), request.arrival % 7);
            self.0.push(request.arrival);
        }
        fn rejected(&mut self, _: u64) {}
        fn timed_out(&mut self, _: u64, _: u64) {}
        fn failed(&mut self, _: u64, _: u64) {}
    }

    fn answer(arrival: u64) -> Completion {
        let (start, finish, instance) = (arrival + 1, arrival + 2, (arrival % 7) as u32);
        Completion { arrival, start, finish, instance, class: Class::Low, first: false }
    }

    #[test]
    fn an_answer_follows_its_own_tokens() {
        let mut arrived = Arrived::default();
        let mut collector = Collector::new(&mut arrived);
        for answer in (0..5).map(answer) {
            let Completion { arrival, start, finish, .. } = answer;
            let tokens = Tokens::default();
            collector.generated(TokenCompletion { arrival, first_token: start, finish, tokens });
            collector.served(answer);
        }
        drop(collector);
        assert_eq!(arrived.0, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    }

    #[test]
    fn all_are_handed_on_in_order_and_the_last_when_it_goes() {
        for count in [0, 1, ROOM as u64, 3 * ROOM as u64 - 1] {
            let mut arrived = Arrived::default();
            let mut collector = Collector::new(&mut arrived);
            (0..count).for_each(|arrival| collector.served(answer(arrival)));
            drop(collector);
            assert_eq!(arrived.0, (0..count).collect::<Vec<_>>());
        }
    }
}

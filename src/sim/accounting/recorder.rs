//! Accounting of requests: from what became of each to counts and distributions.

use std::ops::Range;

use super::cold_requests::ColdRequests;
use super::facts::{Answers, Class, Completion, RequestObserver, TokenCompletion};
use super::outcome::Times;
use super::slo::{MORE, Promised, Slo};
use super::tally::PromiseTally;
use crate::autoscaler::{ScrapedTimes, Timed};
use crate::stats::Digest;
use crate::time::Span;

/// Requests of the whole run, warm-up included.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::sim) struct Totals {
    pub served: u64,
    pub good: u64,
    pub lost: u64,
    /// Answers that kept each further promise.
    pub more: [u64; MORE],
    /// Times to the first token and times of a further token, where windows are kept.
    pub token_times: [TimeSum; 2],
}

/// Times added up.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::sim) struct TimeSum {
    nanos: u128,
    count: u64,
}

impl TimeSum {
    fn add(&mut self, nanos: u64) {
        self.nanos += u128::from(nanos);
        self.count += 1;
    }

    /// Mean of the times added since `earlier`, seconds; `None` if there are none.
    pub fn mean_since(&self, earlier: &TimeSum) -> Option<f64> {
        let count = self.count - earlier.count;
        (count > 0).then(|| (self.nanos - earlier.nanos) as f64 / count as f64 / 1e9)
    }
}

/// Turns what becomes of requests into counts and distributions.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Recorder {
    /// Requests answered, of which the first `filled` are not accounted for yet: a batch at a time goes faster than one by
    /// one.
    batch: Box<Batch>,
    filled: u8,
    /// Requests that arrive before this are not measured, nanoseconds.
    measured_from: u64,
    slo: Slo,
    outside: Outside,
    /// Time outside the service model of the answer that is reported next, nanoseconds: where it differs from answer to
    /// answer, each is told of before.
    outside_next: u64,
    /// Whether the first request of an instance is told apart.
    tracks_first: bool,
    pub totals: Totals,
    pub good: u64,
    /// Of each promise beside the first.
    pub more: Vec<PromiseTally>,
    pub rejected: u64,
    pub timed_out: u64,
    pub failed: u64,
    /// Latency and wait by class, where classes are told apart.
    pub classes: Option<[Times; 2]>,
    pub latency: Digest,
    pub wait: Digest,
    /// When no instance was ready, and the latency of cold requests.
    pub cold: ColdRequests,
    /// Token by token, where tokens are counted.
    pub tokens: Option<TokenRecord>,
    /// Latencies since the last mark of the timeline.
    pub window: Option<Digest>,
    /// Times promised token by token since the last mark, where such a time stands for the promise.
    pub window_tokens: Option<Digest>,
    /// Times since the last scrape that are watched, in microseconds.
    pub scraped: ScrapedTimes,
}

/// What is kept of the requests that are not accounted for yet, column by column; times in nanoseconds.
#[derive(Debug, Clone)]
struct Batch {
    arrivals: [u64; BATCH],
    latencies: [u64; BATCH],
    waits: [u64; BATCH],
    /// The class of each, and whether it was the first request of its instance.
    kinds: [(Class, bool); BATCH],
}

impl Batch {
    /// Puts some of `answers` at `at` and after it.
    fn take_in(&mut self, at: usize, answers: &Answers<'_>, which: Range<usize>) {
        let (arrivals, starts) = (&answers.arrivals[which.clone()], &answers.starts[which.clone()]);
        let finishes = &answers.finishes[which];
        let many = arrivals.len();
        let (starts, finishes) = (&starts[..many], &finishes[..many]);
        self.arrivals[at..at + many].copy_from_slice(arrivals);
        let (latencies, waits) = (&mut self.latencies[at..at + many], &mut self.waits[at..at + many]);
        for index in 0..many {
            debug_assert!(arrivals[index] <= starts[index] && starts[index] <= finishes[index]);
            latencies[index] = finishes[index] - arrivals[index];
            waits[index] = starts[index] - arrivals[index];
        }
        self.kinds[at..at + many].fill((Class::Low, false));
    }
}

/// Time of a request outside the service model.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::sim) struct Outside {
    /// Before the first token of its answer, nanoseconds.
    before: u64,
    /// In all, nanoseconds.
    whole: u64,
    /// Before the first token besides, in times of a further token of its answer.
    iterations: f64,
    /// Before the first token besides, for each token of its prompt; nanoseconds.
    per_prompt_token: u64,
}

/// Answers token by token.
#[derive(Debug, Clone)]
pub(in crate::sim) struct TokenRecord {
    pub ttft: Digest,
    pub tpot: Digest,
    pub prompt: u64,
    pub output: u64,
    /// Both since the start of the run.
    pub all: [u64; 2],
    /// Requests per second that a ready instance can answer at most.
    pub sustainable_per_s: Option<f64>,
    /// Of each request of the batch, a bit for each promise that its tokens missed, that of the first the lowest; one more
    /// while it is reported.
    missed: Vec<u8>,
    /// Times of the batch that are not recorded yet.
    ttfts: Vec<u64>,
    tpots: Vec<u64>,
}

/// As many as a byte can tell apart, so that no request has to ask whether there is room.
const BATCH: usize = 1 << u8::BITS;

impl Recorder {
    pub fn new(duration: Span, measured_from: Span, slo: Option<Slo>) -> Self {
        Recorder {
            batch: Box::new(Batch {
                arrivals: [0; BATCH],
                latencies: [0; BATCH],
                waits: [0; BATCH],
                kinds: [(Class::Low, false); BATCH],
            }),
            filled: 0,
            measured_from: measured_from.as_nanos(),
            slo: slo.unwrap_or(Slo::NONE),
            outside: Outside::default(),
            outside_next: 0,
            tracks_first: false,
            totals: Totals::default(),
            good: 0,
            more: slo.iter().flat_map(Slo::more).map(PromiseTally::of).collect(),
            rejected: 0,
            timed_out: 0,
            failed: 0,
            classes: None,
            tokens: None,
            latency: Digest::new(duration),
            wait: Digest::new(duration),
            cold: ColdRequests::new(duration),
            window: None,
            window_tokens: None,
            scraped: ScrapedTimes::default(),
        }
    }

    pub fn track_windows(&mut self, duration: Span) {
        self.window = Some(Digest::new(duration));
        let by_token = self.slo.leading().0 != Promised::Latency;
        self.window_tokens = by_token.then(|| Digest::new(duration));
    }

    pub fn track_classes(&mut self, duration: Span) {
        let times = || Times { latency: Digest::new(duration), wait: Digest::new(duration) };
        self.classes = Some([times(), times()]);
    }

    pub fn track_first(&mut self) {
        self.tracks_first = true;
    }

    pub fn track_tokens(&mut self, duration: Span, sustainable_per_s: Option<f64>) {
        let list = || Vec::with_capacity(BATCH + 1);
        self.tokens = Some(TokenRecord {
            ttft: Digest::new(duration),
            tpot: Digest::new(duration),
            prompt: 0,
            output: 0,
            all: [0; 2],
            sustainable_per_s,
            missed: Vec::with_capacity(BATCH + 1),
            ttfts: list(),
            tpots: list(),
        });
    }

    /// Adds to the times of each request what it spends outside the service model, before the first token of its answer and
    /// after its end; and before its first token so many `iterations`, as long as one takes for the rest of its answer, and
    /// so much for each token of its prompt.
    pub fn add_outside(&mut self, [before, after]: [Span; 2], iterations: f64, per_prompt_token: Span) {
        let (before, after) = (before.as_nanos(), after.as_nanos());
        let whole = before.saturating_add(after);
        self.outside = Outside { before, whole, iterations, per_prompt_token: per_prompt_token.as_nanos() };
        self.outside_next = whole;
    }

    pub fn track_scraped(&mut self, duration: Span, timed: Timed) {
        self.scraped.watch(timed, duration);
    }

    /// Accounts for every request reported so far. To be called before anything is read.
    pub fn settle(&mut self) {
        self.settle_first(usize::from(self.filled));
    }

    /// Accounts for the first `count` requests of the batch, which are all.
    #[inline(never)]
    fn settle_first(&mut self, count: usize) {
        self.filled = 0;
        let Batch { arrivals, latencies, waits, kinds } = &*self.batch;
        let (arrivals, latencies, waits) = (&arrivals[..count], &latencies[..count], &waits[..count]);
        let (slo, from) = (self.slo.latency.as_nanos(), self.measured_from);
        self.totals.served += count as u64;
        // Column by column, and without a branch: whether a request waited is as good as random.
        let mut waited = [0; BATCH];
        let (mut good, mut measured, mut after_wait) = (0, 0, 0);
        for latency in latencies {
            good += u64::from(*latency <= slo);
        }
        self.totals.good += good;
        if from == 0 {
            measured = count;
        } else {
            for arrival in arrivals {
                measured += usize::from(*arrival >= from);
            }
        }
        if measured == count {
            self.good += good;
            self.latency.record_all(latencies);
            for wait in waits {
                waited[after_wait % BATCH] = *wait;
                after_wait += usize::from(*wait > 0);
            }
        } else {
            for ((arrival, latency), wait) in arrivals.iter().zip(latencies).zip(waits) {
                if *arrival >= from {
                    self.good += u64::from(*latency <= slo);
                    self.latency.record(*latency);
                    waited[after_wait % BATCH] = *wait;
                    after_wait += usize::from(*wait > 0);
                }
            }
        }
        self.wait.record_all(&waited[..after_wait]);
        self.wait.record_zeros((measured - after_wait) as u64);
        if !self.cold.is_quiet() || self.tracks_first {
            for (index, arrival) in arrivals.iter().enumerate() {
                if *arrival >= from && self.cold.was_cold(*arrival, kinds[index].1) {
                    self.cold.record(latencies[index]);
                }
            }
        }
        if let Some(classes) = &mut self.classes {
            for (index, arrival) in arrivals.iter().enumerate() {
                if *arrival >= from {
                    let times = &mut classes[kinds[index].0 as usize];
                    times.latency.record(latencies[index]);
                    times.wait.record(waits[index]);
                }
            }
        }
        let missed = self.tokens.as_ref().map_or(&[][..], |tokens| &tokens.missed);
        for (index, tally) in self.more.iter_mut().enumerate() {
            let within = tally.promise.latency.as_nanos();
            for (place, (arrival, latency)) in arrivals.iter().zip(latencies).enumerate() {
                let in_tokens = missed.get(place).is_none_or(|missed| missed & (2 << index) == 0);
                let good = in_tokens && *latency <= within;
                self.totals.more[index] += u64::from(good);
                if *arrival >= from {
                    tally.answered(*arrival - from, good);
                }
            }
        }
        if let Some(tokens) = &mut self.tokens {
            for ((arrival, latency), missed) in arrivals.iter().zip(latencies).zip(&tokens.missed) {
                if missed & 1 != 0 && *latency <= slo {
                    self.totals.good -= 1;
                    self.good -= u64::from(*arrival >= from);
                }
            }
            tokens.missed.drain(..count);
            tokens.ttft.record_all(&tokens.ttfts);
            tokens.tpot.record_all(&tokens.tpots);
            tokens.ttfts.clear();
            tokens.tpots.clear();
        }
        if let Some(window) = &mut self.window {
            window.record_all(latencies);
        }
        if let Some(scraped) = self.scraped.of_mut(Timed::Latency) {
            for latency in latencies {
                scraped.record(latency / 1000);
            }
        }
    }

    fn measures(&self, arrival: u64) -> bool {
        arrival >= self.measured_from
    }

    /// Takes in that a request that arrived then is lost; whether it is measured.
    fn lose(&mut self, arrival: u64) -> bool {
        self.totals.lost += 1;
        let measured = self.measures(arrival);
        if measured {
            let since = arrival - self.measured_from;
            self.more.iter_mut().for_each(|tally| tally.lost(since));
        }
        measured
    }
}

impl RequestObserver for Recorder {
    fn generated(&mut self, answer: TokenCompletion) {
        let Outside { mut before, iterations, per_prompt_token, .. } = self.outside;
        if iterations > 0.0 || per_prompt_token > 0 {
            let each = answer.tpot().unwrap_or(0) as f64;
            let of_prompt = per_prompt_token.saturating_mul(u64::from(answer.tokens.prompt));
            let besides = of_prompt.saturating_add((iterations * each).round() as u64);
            before = before.saturating_add(besides);
            self.outside_next = self.outside.whole.saturating_add(besides);
        }
        let later = |instant: u64| instant.saturating_add(before);
        let (first_token, finish) = (later(answer.first_token), later(answer.finish));
        let answer = TokenCompletion { first_token, finish, ..answer };
        let measured = self.measures(answer.arrival);
        if let Some(tokens) = &mut self.tokens {
            let (ttft, tpot) = (answer.ttft(), answer.tpot());
            tokens.all[0] += u64::from(answer.tokens.prompt);
            tokens.all[1] += u64::from(answer.tokens.output);
            if let Some(scraped) = self.scraped.of_mut(Timed::Ttft) {
                scraped.record(ttft / 1000);
            }
            if let (Some(scraped), Some(tpot)) = (self.scraped.of_mut(Timed::Tpot), tpot) {
                scraped.record(tpot / 1000);
            }
            if self.window.is_some() {
                let [first, further] = &mut self.totals.token_times;
                first.add(ttft);
                tpot.into_iter().for_each(|time| further.add(time));
            }
            if let Some(window) = &mut self.window_tokens {
                let promised = if self.slo.ttft.is_some() { Some(ttft) } else { tpot };
                promised.into_iter().for_each(|time| window.record(time));
            }
            let late =
                |promised: Option<Span>, time: u64| promised.is_some_and(|most| time > most.as_nanos());
            let missed =
                |of: [Option<Span>; 2]| late(of[0], ttft) || tpot.is_some_and(|time| late(of[1], time));
            let mut bits = u8::from(missed([self.slo.ttft, self.slo.tpot]));
            for (index, tally) in self.more.iter().enumerate() {
                bits |= u8::from(missed([tally.promise.ttft, tally.promise.tpot])) << (index + 1);
            }
            tokens.missed.push(bits);
            if measured {
                tokens.ttfts.push(ttft);
                tokens.tpots.extend(tpot);
                tokens.prompt += u64::from(answer.tokens.prompt);
                tokens.output += u64::from(answer.tokens.output);
            }
        }
    }

    #[inline]
    fn served(&mut self, request: Completion) {
        debug_assert!(request.arrival <= request.start && request.start <= request.finish, "{request:?}");
        let at = usize::from(self.filled);
        let finish = request.finish.saturating_add(self.outside_next);
        self.batch.arrivals[at] = request.arrival;
        self.batch.latencies[at] = finish - request.arrival;
        self.batch.waits[at] = request.wait();
        self.batch.kinds[at] = (request.class, request.first);
        self.filled = self.filled.wrapping_add(1);
        if self.filled == 0 {
            self.settle_first(BATCH);
        }
    }

    #[inline]
    fn served_all(&mut self, answers: &Answers<'_>) {
        if self.outside_next > 0 {
            return (0..answers.arrivals.len()).for_each(|index| self.served(answers.get(index)));
        }
        let mut from = 0;
        while from < answers.arrivals.len() {
            let at = usize::from(self.filled);
            let to = answers.arrivals.len().min(from + BATCH - at);
            self.batch.take_in(at, answers, from..to);
            self.filled = self.filled.wrapping_add((to - from) as u8);
            if self.filled == 0 {
                self.settle_first(BATCH);
            }
            from = to;
        }
    }

    fn rejected(&mut self, arrival: u64) {
        self.rejected += u64::from(self.lose(arrival));
    }

    fn rejected_at(&mut self, arrival: u64, _at: u64) {
        self.rejected += u64::from(self.lose(arrival));
    }

    fn timed_out(&mut self, arrival: u64, _at: u64) {
        self.timed_out += u64::from(self.lose(arrival));
    }

    fn failed(&mut self, arrival: u64, _at: u64) {
        self.failed += u64::from(self.lose(arrival));
    }
}

/// A recorder, and an observer from outside to which everything is passed on.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Recording<T> {
    pub recorder: Recorder,
    pub observer: T,
}

impl<T: RequestObserver> RequestObserver for Recording<T> {
    #[inline]
    fn generated(&mut self, answer: TokenCompletion) {
        self.recorder.generated(answer);
        self.observer.generated(answer);
    }
    #[inline]
    fn served(&mut self, request: Completion) {
        self.recorder.served(request);
        self.observer.served(request);
    }
    #[inline]
    fn served_all(&mut self, answers: &Answers<'_>) {
        self.recorder.served_all(answers);
        self.observer.served_all(answers);
    }
    fn rejected(&mut self, arrival: u64) {
        self.recorder.rejected(arrival);
        self.observer.rejected(arrival);
    }
    fn rejected_at(&mut self, arrival: u64, at: u64) {
        self.recorder.rejected_at(arrival, at);
        self.observer.rejected_at(arrival, at);
    }
    fn timed_out(&mut self, arrival: u64, at: u64) {
        self.recorder.timed_out(arrival, at);
        self.observer.timed_out(arrival, at);
    }
    fn failed(&mut self, arrival: u64, at: u64) {
        self.recorder.failed(arrival, at);
        self.observer.failed(arrival, at);
    }
}

//! The fast engine against the slow obvious one: the same requests must start and finish at the same instants.

mod common {
    pub mod models;
}
mod oracle;

use common::models::{EXACT_METRICS, models, tenths};
use kneepoint::random::Streams;
use kneepoint::sim::{Block, Options, Served, Simulation, Sink};
use kneepoint::time::Span;
use oracle::{Course, Fate};
use proptest::prelude::*;

/// Hears everything.
#[derive(Debug, Default)]
struct Ear(Vec<(u64, Fate)>);

impl Sink for Ear {
    fn served(&mut self, request: Served) {
        let Served { arrival, start, finish, instance } = request;
        self.0.push((arrival, Fate::Served { start, finish, instance }));
    }
    fn rejected(&mut self, arrival: u64) {
        self.0.push((arrival, Fate::Rejected));
    }
    fn failed(&mut self, arrival: u64, at: u64) {
        self.0.push((arrival, Fate::Failed { at }));
    }
}

const STREAMS: Streams = Streams::new(11, 3);

/// Requests as `(arrival, service)`, often at coinciding instants.
fn requests() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0_u64..8, 0_u64..25), 0..120).prop_map(|gaps| {
        let mut now = Span::ZERO;
        gaps.into_iter()
            .map(|(gap, service)| {
                now += tenths(gap);
                (now.as_nanos(), tenths(service).as_nanos())
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_fast_engine_agrees_with_the_obvious_one(model in models(EXACT_METRICS.to_vec()), requests in requests(), cut in 1_usize..50) {
        let options = Options { mark_interval: tenths(7), timeline: true, decisions: true };
        let mut simulation = Simulation::new(&model, STREAMS, &options, Ear::default());
        for part in requests.chunks(cut) {
            let (arrival, service) = part.iter().copied().unzip();
            simulation.feed(&Block { arrival, service });
        }
        let (outcome, Ear(mut heard)) = simulation.finish();
        let course: Course = oracle::run(&model, STREAMS, &requests);

        let mut expected = course.requests.clone();
        let unfinished = expected.iter().filter(|(_, fate)| *fate == Fate::InFlight).count();
        expected.retain(|(_, fate)| *fate != Fate::InFlight);
        heard.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(heard, expected);
        prop_assert_eq!(outcome.counts.in_flight, unfinished as u64);
        prop_assert!(outcome.counts.conserved());

        let decisions: Vec<_> = outcome
            .decisions
            .iter()
            .map(|record| (record.at.as_nanos(), record.observed, record.decision.desired))
            .collect();
        prop_assert_eq!(decisions, course.decisions);

        let seconds = |nanos: u128| nanos as f64 / 1e9;
        prop_assert_eq!(outcome.integrals.waiting, seconds(course.waiting));
        prop_assert_eq!(outcome.integrals.in_service, seconds(course.in_service));
        prop_assert_eq!(outcome.integrals.busy, seconds(course.busy));
        prop_assert_eq!(outcome.integrals.starting, seconds(course.starting));
        prop_assert_eq!(outcome.integrals.ready, seconds(course.ready));
        prop_assert_eq!(outcome.integrals.draining, seconds(course.draining));
        prop_assert_eq!(outcome.billed_hours, course.billed as f64 / 3.6e12);
    }
}

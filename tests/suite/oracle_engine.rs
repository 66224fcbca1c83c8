//! The fast engine against the slow obvious one: the same requests must start and finish at the same instants.

use kneepoint::internals::arrivals::Arrivals;
use kneepoint::internals::distribution::{Distribution, Numbers};
use kneepoint::internals::random::Streams;
use kneepoint::internals::schema::{Context, Tree};
use kneepoint::internals::service::{self, FULL, FromTrace, TokenLaws, Tokens};
use kneepoint::internals::sim::{
    Block, Class, Completion, DecisionRecord, DispatchPolicy, Model, Options, Outcome, RequestSource,
    Simulation,
};
use kneepoint::internals::time::Span;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::fixtures::requests::Requests;
use crate::generated::models::{EXACT_METRICS, models, tenths};
use crate::generated::wild::wild_models;
use crate::oracle::{self, Course, Demand, Fate};

/// Arrival and fate of every request that has left.
pub fn fates(heard: &Requests) -> Vec<(u64, Fate)> {
    let served = heard.served.iter().map(|request| {
        let Completion { arrival, start, finish, instance, .. } = *request;
        (arrival, Fate::Served { start, finish, instance })
    });
    let rejected = heard.rejected.iter().map(|(arrival, _)| (*arrival, Fate::Rejected));
    let timed_out = heard.timed_out.iter().map(|(arrival, at)| (*arrival, Fate::TimedOut { at: *at }));
    let failed = heard.failed.iter().map(|(arrival, at)| (*arrival, Fate::Failed { at: *at }));
    served.chain(rejected).chain(timed_out).chain(failed).collect()
}

pub const STREAMS: Streams = Streams::new(11, 3);

/// Seed of the pools that are tried; `KNEEPOINT_POOLS` is another.
pub fn seed() -> u64 {
    std::env::var("KNEEPOINT_POOLS").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// Requests, often at coinciding instants, some of which lose patience, some of which go first.
pub fn requests() -> impl Strategy<Value = Vec<Demand>> {
    let patience = prop_oneof![3 => Just(u64::MAX), 1 => (0_u64..20).prop_map(|n| tenths(n).as_nanos())];
    let class = prop_oneof![3 => Just(Class::Low), 1 => Just(Class::High)];
    let tokens = (1_u32..30, 1_u32..25).prop_map(|(prompt, output)| Tokens { prompt, output });
    prop::collection::vec((0_u64..8, 0_u64..25, patience, class, tokens, 0_u32..4), 0..120).prop_map(|gaps| {
        let mut now = Span::ZERO;
        gaps.into_iter()
            .map(|(gap, service, patience, class, tokens, content)| {
                now += tenths(gap);
                Demand {
                    arrival: now.as_nanos(),
                    service: tenths(service).as_nanos(),
                    patience,
                    class,
                    tokens,
                    content,
                }
            })
            .collect()
    })
}

/// The same requests for a station that knows neither patience nor classes.
fn plain(requests: &[Demand]) -> Vec<Demand> {
    requests.iter().map(|demand| Demand { patience: u64::MAX, class: Class::Low, ..*demand }).collect()
}

pub fn block(requests: &[Demand]) -> Block {
    Block {
        arrival: requests.iter().map(|demand| demand.arrival).collect(),
        service: requests.iter().map(|demand| demand.service).collect(),
        patience: requests.iter().map(|demand| demand.patience).collect(),
        class: requests.iter().map(|demand| demand.class).collect(),
        tokens: requests.iter().map(|demand| demand.tokens).collect(),
        content: requests.iter().map(|demand| demand.content).collect(),
    }
}

/// Runs a model on both engines, and holds everything they say against one another.
fn compare(model: &Model, requests: Vec<Demand>, cut: usize) -> Result<(), TestCaseError> {
    let knows_all = model.is_event_driven() && model.dispatch.policy == DispatchPolicy::CentralQueue;
    let requests = if knows_all { requests } else { plain(&requests) };
    let blocks = requests.chunks(cut).map(block);
    compare_fed(model, &requests, blocks)
}

/// Compares a run that is fed `blocks` with one on `requests`.
fn compare_fed(
    model: &Model,
    requests: &[Demand],
    blocks: impl Iterator<Item = Block>,
) -> Result<(), TestCaseError> {
    let options = Options { mark_interval: tenths(7), timeline: true, decisions: true };
    let mut simulation = Simulation::new(model, STREAMS, &options, Requests::default());
    for block in blocks {
        simulation.feed(&block);
    }
    let (outcome, heard) = simulation.finish();
    let (mut fates, mut first_tokens) = (fates(&heard), heard.first_tokens);
    let course: Course = oracle::run(model, STREAMS, requests);

    let mut expected = course.requests.clone();
    let unfinished = expected.iter().filter(|(_, fate)| *fate == Fate::InFlight).count();
    expected.retain(|(_, fate)| *fate != Fate::InFlight);
    fates.sort_unstable();
    expected.sort_unstable();
    prop_assert_eq!(fates, expected);
    if matches!(model.service.model, service::Model::Llm(_)) {
        let mut expected = course.first_tokens.clone();
        expected.sort_unstable();
        first_tokens.sort_unstable();
        prop_assert_eq!(first_tokens, expected);
        prop_assert_eq!(outcome.tokens.as_ref().unwrap().preemptions, course.preemptions);
        prop_assert_eq!(outcome.tokens.as_ref().unwrap().prefix, course.prefix);
    }
    prop_assert_eq!(outcome.counts.in_flight, unfinished as u64);
    agree(&outcome, &outcome.decisions, &course)
}

/// Holds everything that a run comes to, apart from its single requests, against the obvious engine.
pub fn agree(outcome: &Outcome, decisions: &[DecisionRecord], course: &Course) -> Result<(), TestCaseError> {
    prop_assert!(outcome.counts.conserved());
    let decisions: Vec<_> = decisions
        .iter()
        .map(|record| (record.at.as_nanos(), record.explanation.observed, record.desired))
        .collect();
    prop_assert_eq!(&decisions, &course.decisions);

    let seconds = |nanos: u128| nanos as f64 / 1e9;
    prop_assert_eq!(outcome.integrals.waiting, seconds(course.waiting));
    prop_assert_eq!(outcome.peak_waiting, course.peak_waiting);
    prop_assert_eq!(outcome.integrals.in_service, seconds(course.in_service));
    prop_assert_eq!(outcome.integrals.busy, seconds(course.busy));
    prop_assert_eq!(outcome.integrals.work, seconds(course.work) / FULL as f64);
    prop_assert_eq!(outcome.integrals.in_flight, seconds(course.in_flight));
    prop_assert_eq!(outcome.integrals.pending, seconds(course.pending));
    prop_assert_eq!(outcome.integrals.starting, seconds(course.starting));
    prop_assert_eq!(outcome.integrals.ready, seconds(course.ready));
    prop_assert_eq!(outcome.integrals.draining, seconds(course.draining));
    let hours: Vec<f64> = course.billed.iter().map(|nanos| *nanos as f64 / 3.6e12).collect();
    prop_assert_eq!(outcome.by_type.iter().map(|each| each.billed_hours).collect::<Vec<_>>(), hours.clone());
    prop_assert_eq!(outcome.billed_hours, hours.iter().sum::<f64>());
    prop_assert_eq!(outcome.integrals.warming, seconds(course.warming));
    prop_assert_eq!(outcome.integrals.warm, seconds(course.warm.iter().sum()));
    prop_assert_eq!(outcome.warm_starts, course.warm_starts);
    let warm: Vec<f64> = course.warm.iter().map(|nanos| *nanos as f64 / 3.6e12).collect();
    prop_assert_eq!(outcome.by_type.iter().map(|each| each.warm_hours).collect::<Vec<_>>(), warm);
    let nodes: Vec<f64> = course.nodes.iter().map(|nanos| *nanos as f64 / 3.6e12).collect();
    prop_assert_eq!(outcome.by_type.iter().map(|each| each.node_hours).collect::<Vec<_>>(), nodes);
    let ready: Vec<f64> = course.ready_by_type.iter().map(|nanos| seconds(*nanos)).collect();
    prop_assert_eq!(outcome.by_type.iter().map(|each| each.ready).collect::<Vec<_>>(), ready);
    prop_assert_eq!(outcome.failure_counts, course.failure_counts);
    let sending = outcome.sending;
    prop_assert_eq!(
        (sending.sent, sending.retried, sending.hedged),
        (course.sent, course.retried, course.hedged)
    );
    prop_assert_eq!(sending.wasted_s, seconds(course.wasted));
    let cold = outcome.cold.as_ref().map_or((0, 0.0), |cold| (cold.count(), cold.sum_s()));
    let cold_sum: u128 = course.cold.iter().map(|latency| u128::from(*latency)).sum();
    prop_assert_eq!(cold, (course.cold.len() as u64, seconds(cold_sum)));
    Ok(())
}

/// The requests written as a trace, replayed and fed as a run draws them, against the very rows.
fn replayed(mut model: Model, rows: &[Demand]) -> Result<(), TestCaseError> {
    let Some(first) = rows.first().map(|demand| demand.arrival) else { return Ok(()) };
    let file = tempfile::NamedTempFile::new().unwrap();
    let line = |demand: &Demand| {
        let Demand { arrival, service, tokens, .. } = demand;
        format!("{arrival},{service},{},{}\n", tokens.prompt, tokens.output)
    };
    std::fs::write(file.path(), rows.iter().map(line).collect::<String>()).unwrap();
    let text = format!(
        "kind = \"trace\"\nformat = \"csv\"\nfile = '{}'\nunit = \"ns\"\nservice_time = 2\nservice_unit = \"ns\"\nprompt_tokens = 3\noutput_tokens = 4",
        file.path().display()
    );
    model.arrivals =
        Arrivals::read(Tree::parse(&text).unwrap().root(), "arrivals", &Context::default()).unwrap();
    let law = || Numbers(Distribution::constant(1.0));
    model.service.tokens = Some(TokenLaws { prompt: law(), output: law() });
    model.service.from_trace = FromTrace { time: true, prompt_tokens: true, output_tokens: true };
    (model.dispatch.patience, model.dispatch.high_priority) = (None, None);
    let mut source = RequestSource::new(&model, STREAMS);
    let blocks = std::iter::from_fn(|| {
        let mut block = Block::default();
        source.fill(&mut block);
        (!block.arrival.is_empty()).then_some(block)
    });
    let shifted = |demand: &Demand| Demand { arrival: demand.arrival - first, content: 0, ..*demand };
    compare_fed(&model, &rows.iter().map(shifted).collect::<Vec<_>>(), blocks)
}

proptest! {
    // The same pools every time, so that a commit is judged by what it changes.
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed()),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_fast_engine_agrees_with_the_obvious_one(model in models(EXACT_METRICS.to_vec()), requests in requests(), cut in 1_usize..50) {
        compare(&model, requests, cut)?;
    }

    #[test]
    fn it_agrees_on_requests_that_a_trace_tells_all_about(model in models(EXACT_METRICS.to_vec()), requests in requests()) {
        replayed(model, &plain(&requests))?;
    }

    #[test]
    fn it_agrees_on_pools_that_misbehave_and_clients_that_do_not_wait(model in wild_models(EXACT_METRICS.to_vec()), requests in requests(), cut in 1_usize..50) {
        compare(&model, requests, cut)?;
    }
}

proptest! {
    // Among these is one in which a prompt finds room only once less of its prefix is cached.
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(22),
        ..ProptestConfig::default()
    })]

    #[test]
    fn it_agrees_on_pools_that_were_told_differently_once(model in wild_models(EXACT_METRICS.to_vec()), requests in requests(), cut in 1_usize..50) {
        compare(&model, requests, cut)?;
    }
}

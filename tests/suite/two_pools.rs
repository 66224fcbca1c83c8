//! A pool that computes prompts and one that decodes: by hand, against the obvious engine, and by what holds of every run.

use kneepoint::internals::distribution::Distribution;
use kneepoint::internals::lint::lint;
use kneepoint::internals::scenario::{Scenario, ScenarioFile};
use kneepoint::internals::service::{self, EngineRole, IterationLaw, Llm, TokenLaws, Tokens};
use kneepoint::internals::sim::{
    Block, Class, Client, Completion, DecisionRecord, Decode, DispatchPolicy, DrainPolicy, LostRequests,
    Model, Options, Outcome, PoolName, Simulation, Transfer, Window,
};
use kneepoint::internals::time::Span;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use crate::fixtures::cli::Work;
use crate::fixtures::requests::Requests;
use crate::generated::models::{EXACT_METRICS, llms, models, tenths};
use crate::generated::wild::{client, wild_models};
use crate::oracle::{self, Course, Demand, Fate};
use crate::oracle_engine::{STREAMS, agree, block, fates, requests, seed};

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLI;

/// A scenario with a prompt of 100 tokens every ten seconds and answers of 11, whose prompts take a second and whose further
/// tokens take 0.1 s each; caches come in 0.5 s.
const BY_HAND: &str = r#"
[arrivals]
kind = "poisson"
rate = 0.1
[service]
model = "llm"
fixed = "0ms"
per_prefill_token = "10ms"
per_sequence = "100ms"
prompt_tokens = 100
output_tokens = 11
max_sequences = 4
token_budget = 100
[instances]
initial = 1
[autoscaler]
kind = "fixed"
instances = 1
[decode.transfer]
latency = "400ms"
bytes_per_token = 1e6
bandwidth_gb_per_s = 1
[decode.autoscaler]
kind = "fixed"
instances = 1
[run]
duration = "60s"
replications = 1
"#;

/// The part of one pool of a window.
fn of(window: &Window, pool: PoolName) -> &Window {
    window.of_pool(pool).unwrap()
}

fn scenario(text: &str) -> Scenario {
    ScenarioFile::parse("two.toml", text, ".").unwrap().scenario().unwrap_or_else(|error| panic!("{error}"))
}

fn model(changes: &[(&str, &str)]) -> Model {
    let mut file = ScenarioFile::parse("two.toml", BY_HAND, ".").unwrap();
    changes.iter().for_each(|(path, value)| file.override_path(path, value).unwrap());
    file.scenario().unwrap_or_else(|error| panic!("{error}")).model
}

/// Requests of these tokens at these instants, in milliseconds.
fn at(instants: &[u64], prompt: u32, output: u32) -> Block {
    Block {
        arrival: instants.iter().map(|at| at * MILLI).collect(),
        service: vec![0; instants.len()],
        tokens: vec![Tokens { prompt, output }; instants.len()],
        ..Block::default()
    }
}

fn run(model: &Model, block: &Block) -> (Outcome, Requests) {
    let options = Options { mark_interval: tenths(70), timeline: true, decisions: true };
    let mut simulation = Simulation::new(model, STREAMS, &options, Requests::default());
    simulation.feed(block);
    simulation.finish()
}

/// Arrival, start, first token and end of each request answered, in milliseconds, in the order of their ends.
fn courses(heard: &Requests) -> Vec<[u64; 4]> {
    let both = heard.served.iter().zip(&heard.first_tokens);
    let mut all: Vec<[u64; 4]> = both
        .map(|(served, (_, first))| {
            let Completion { arrival, start, finish, .. } = *served;
            [arrival, start, *first, finish].map(|nanos| nanos / MILLI)
        })
        .collect();
    all.sort_unstable_by_key(|course| course[3]);
    all
}

#[test]
fn a_request_goes_through_both_pools_and_its_cache_between_them() {
    let (outcome, heard) = run(&model(&[]), &at(&[0, 10_000], 100, 11));
    // A prompt of 1 s, a transfer of 0.4 s + 100 MB at 1 GB/s, and ten further tokens of 0.1 s each.
    assert_eq!(courses(&heard), [[0, 0, 1000, 2500], [10_000, 10_000, 11_000, 12_500]]);
    let pools = outcome.pools.unwrap();
    assert_eq!(pools.transfer.time.mean(), Some(0.5));
    assert_eq!(pools.transfer.bytes, 2e8);
    assert_eq!((pools.prefill.counts.served, pools.decode.counts.served), (2, 2));
    let tokens = outcome.tokens.unwrap();
    assert_eq!((tokens.ttft.mean(), tokens.tpot.mean()), (Some(1.0), Some(0.15)));
    // The decode pool by itself has neither the transfer nor the first token.
    assert_eq!(pools.decode.tokens.unwrap().tpot.mean(), Some(0.1));
}

#[test]
fn each_pool_has_a_queue_and_so_has_the_transfer() {
    let one = [
        ("service.max_sequences", "1"),
        ("decode.transfer.concurrent", "1"),
        ("decode.transfer.latency", "\"1900ms\""),
    ];
    let (outcome, heard) = run(&model(&one), &at(&[0, 0, 0], 100, 31));
    // Prompts end at 1, 2 and 3 s; transfers take 2 s one after the other, answers 3 s one after the other.
    assert_eq!(courses(&heard), [[0, 0, 1000, 6000], [0, 1000, 2000, 9000], [0, 2000, 3000, 12_000]]);
    let pools = outcome.pools.unwrap();
    assert_eq!(pools.prefill.wait.sum_s(), 3.0);
    assert_eq!((pools.transfer.wait.sum_s(), pools.transfer.waiting), (3.0, 3.0));
    // The caches come at 3, 5 and 7 s, and decoding begins at 3, 6 and 9 s.
    assert_eq!(pools.decode.wait.sum_s(), 3.0);
    assert_eq!(outcome.integrals.waiting, 9.0);
    // Two prompts at first; from 2 s on a prompt and a cache, and from 3 s two caches.
    assert_eq!((outcome.peak_waiting, pools.prefill.peak_waiting, pools.decode.peak_waiting), (2, 2, 1));
    assert_eq!(outcome.integrals.in_flight, 27.0);
}

#[test]
fn an_answer_of_one_token_is_complete_with_its_prompt() {
    let (outcome, heard) = run(&model(&[]), &at(&[0], 100, 1));
    assert_eq!(courses(&heard), [[0, 0, 1000, 1000]]);
    let pools = outcome.pools.unwrap();
    assert_eq!((pools.transfer.time.count(), pools.decode.counts.arrived), (0, 0));
}

#[test]
fn sequences_in_decoding_share_iterations_with_those_that_come_later() {
    let shared = [("service.per_sequence", "\"100ms\""), ("service.fixed", "\"100ms\"")];
    let (_, heard) = run(&model(&shared), &at(&[0, 2000], 90, 4));
    // A prompt takes 1 s, the transfer 0.49 s. The first decodes from 1.49 s at 0.2 s a token, to 2.09 s; the second likewise.
    assert_eq!(courses(&heard), [[0, 0, 1000, 2090], [2000, 2000, 3000, 4090]]);
    let (_, heard) = run(&model(&shared), &at(&[0, 300], 90, 6));
    // The second prompt is computed from 1 s to 2 s, and its cache comes at 2.49 s, at the very end of the first's answer.
    assert_eq!(courses(&heard), [[0, 0, 1000, 2490], [300, 1000, 2000, 3490]]);
    let (_, heard) = run(&model(&shared), &at(&[0, 300], 90, 9));
    // It comes at 2.49 s, when the sixth iteration of one has just begun, and joins the next: those of two take 0.3 s.
    assert_eq!(courses(&heard)[0], [0, 0, 1000, 2690 + 2 * 300]);
}

#[test]
fn a_full_cache_makes_the_one_begun_last_give_way_and_be_computed_again_where_it_decodes() {
    let full = [("decode.service", "{ fixed = \"100ms\", per_prefill_token = \"10ms\", kv_tokens = 224 }")];
    let (outcome, heard) = run(&model(&full), &at(&[0, 0], 100, 21));
    // 14 blocks of 16 tokens: two caches of 100 tokens take 7 each and grow into an eighth at their 113th token, which there
    // is not for either. So the later one gives way, once the first has stored 112 tokens.
    assert_eq!(outcome.pools.unwrap().decode.tokens.unwrap().preemptions, 1);
    let found = courses(&heard);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], [0, 0, 1000, 1500 + 2000]);
    // 100 + 12 or fewer tokens of it are computed again once the first has left, in one iteration, and the rest one by one.
    assert!(found[1][3] > 3500 + 1000, "{found:?}");
}

#[test]
fn what_is_lost_while_it_decodes_is_lost_or_begins_again_with_its_prompt() {
    // It fails 2 s after it was ready, in the midst of the answer, and another is ready a second later.
    let failing = [
        ("decode.instances.failures", "{ after = { dist = \"constant\", value = \"2s\" } }"),
        ("decode.instances.cold_start", "\"1s\""),
    ];
    let block = at(&[0], 100, 11);
    let (outcome, heard) = run(&model(&failing), &block);
    assert_eq!(heard.failed, [(0, 2 * SECOND)]);
    assert_eq!((outcome.counts.failed, outcome.counts.served), (1, 0));
    assert!(outcome.failure_counts.failures > 0);

    let again = [&failing[..], &[("decode.instances.lost", "\"restart\"")]].concat();
    let (outcome, heard) = run(&model(&again), &block);
    // The prompt again from 2 s to 3 s, the cache by 3.5 s, and the answer by 4.5 s: the second instance is there from 3 s to
    // 5 s.
    assert_eq!(courses(&heard), [[0, 2000, 3000, 4500]]);
    let pools = outcome.pools.unwrap();
    assert_eq!((pools.prefill.counts.arrived, pools.decode.counts.arrived), (2, 2));
    assert_eq!((pools.decode.counts.failed, outcome.counts.failed, outcome.counts.served), (1, 0, 1));
    assert!(outcome.counts.conserved());
}

#[test]
fn the_cost_is_that_of_both_pools_each_at_its_own_price() {
    let priced = [
        ("cost.per_instance_hour", "60"),
        ("decode.cost", "{ per_instance_hour = 36 }"),
        ("decode.autoscaler.instances", "2"),
        ("decode.instances.initial", "2"),
    ];
    let (outcome, _) = run(&model(&priced), &at(&[], 1, 1));
    let names: Vec<&str> = outcome.by_type.iter().map(|share| share.name.as_str()).collect();
    assert_eq!(names, ["prefill", "decode"]);
    // A minute of each.
    let close = |found: f64, exact: f64| assert!((found - exact).abs() < 1e-9, "{found} for {exact}");
    close(outcome.by_type[0].cost, 1.0);
    close(outcome.by_type[1].cost, 1.2);
    close(outcome.cost, 2.2);
    close(outcome.billed_hours, 3.0 / 60.0);
    assert_eq!(outcome.integrals.ready, 180.0);
    assert!(outcome.timeline.iter().all(|window| (window.ready, window.desired) == (3, 3)));
    assert!(
        outcome.timeline.iter().all(|window| (window.ready_range, window.desired_range) == ((3, 3), (3, 3)))
    );
}

/// What a run of two pools is made of, and the requests that they meet.
fn two_pools() -> impl Strategy<Value = (Model, Vec<Demand>)> {
    let one = || prop_oneof![1 => models(EXACT_METRICS.to_vec()).boxed(), 1 => wild_models(EXACT_METRICS.to_vec()).boxed()];
    let transfer =
        (0_u64..3, 0_u64..900, prop::option::of(1_u32..4)).prop_map(|(each, latency, concurrent)| Transfer {
            bytes_per_token: each as f64 * 1e6,
            bandwidth: 1e8,
            latency: Span::from_nanos(latency * 1_000_003),
            concurrent,
        });
    (one(), llms(), one(), llms(), transfer, requests()).prop_map(
        |(mut prefill, first, mut decode, second, transfer, mut requests)| {
            for model in [&mut prefill, &mut decode] {
                model.client = Client::default();
                model.instances.first_request = None;
                model.instances.leaving = DrainPolicy::Finish;
                if model.instances.lost == LostRequests::Resume {
                    model.instances.lost = LostRequests::Restart;
                }
            }
            let law = || kneepoint::internals::distribution::Numbers(Distribution::constant(1.0));
            prefill.service.tokens = Some(TokenLaws { prompt: law(), output: law() });
            prefill.service.model = service::Model::Llm(Llm { role: EngineRole::Prefill, ..first });
            (decode.dispatch.patience, decode.dispatch.high_priority) = (None, None);
            if matches!(decode.dispatch.policy, DispatchPolicy::Connections(_)) {
                decode.dispatch.policy = DispatchPolicy::Random;
            }
            if prefill.dispatch.policy != DispatchPolicy::CentralQueue {
                for demand in &mut requests {
                    (demand.patience, demand.class) = (u64::MAX, Class::Low);
                }
            }
            // No two at one instant, so that prompts seldom end at one.
            for (index, demand) in (0_u64..).zip(&mut requests) {
                demand.arrival += index * 7_919;
            }
            prefill.decode = Some(Box::new(Decode {
                engine: second.decoding(),
                instances: decode.instances,
                dispatch: decode.dispatch,
                metrics: decode.metrics,
                autoscaler: decode.autoscaler,
                cost: decode.cost,
                transfer,
            }));
            (prefill, requests)
        },
    )
}

/// Caches on their way, in the plainest way: when each is ready to when it has come, in the order they come.
fn transferred(transfer: &Transfer, ready: &[(u64, u32)]) -> Vec<(usize, u64)> {
    let mut come: Vec<(usize, u64)> = Vec::new();
    for (index, (ready, tokens)) in ready.iter().enumerate() {
        // It begins when fewer than may be are under way of those before it.
        let mut begun = *ready;
        if let Some(most) = transfer.concurrent {
            let mut ends: Vec<u64> = come.iter().map(|(_, finish)| *finish).collect();
            ends.sort_unstable();
            if let Some(at) = ends.len().checked_sub(most as usize) {
                begun = begun.max(ends[at]);
            }
        }
        let bytes = f64::from(*tokens) * transfer.bytes_per_token;
        let time = Span::from_secs_f64(bytes / transfer.bandwidth) + transfer.latency;
        come.push((index, begun + time.as_nanos()));
    }
    come.sort_by_key(|(_, finish)| *finish);
    come
}

/// The tokens of a request as both engines can hold it.
fn fitted(model: &Model, tokens: Tokens) -> Tokens {
    let service::Model::Llm(first) = &model.service.model else { panic!() };
    let second = &model.decode.as_ref().unwrap().engine;
    let prompt = first.fitted(Tokens { output: 1, ..tokens }).0 as u32;
    let (prompt, output) = second.fitted(Tokens { prompt, ..tokens });
    Tokens { prompt: prompt as u32, output: output as u32 }
}

/// Runs two pools on the fast engine, and one after the other on the obvious one.
fn compare(model: &Model, requests: &[Demand], cut: usize) -> Result<(), TestCaseError> {
    let options = Options { mark_interval: tenths(7), timeline: true, decisions: true };
    let mut simulation = Simulation::new(model, STREAMS, &options, Requests::default());
    for part in requests.chunks(cut) {
        simulation.feed(&block(part));
    }
    let (outcome, heard) = simulation.finish();
    let pools = outcome.pools.as_ref().unwrap();
    let of_pool = |pool: PoolName| {
        let is_of = |record: &&DecisionRecord| record.pool == Some(pool);
        outcome.decisions.iter().filter(is_of).cloned().collect::<Vec<_>>()
    };

    let asked: Vec<Demand> = requests
        .iter()
        .map(|demand| Demand { tokens: Tokens { output: 1, ..fitted(model, demand.tokens) }, ..*demand })
        .collect();
    let first: Course = oracle::run(&Model { decode: None, ..model.clone() }, STREAMS, &asked);
    agree(&pools.prefill, &of_pool(PoolName::Prefill), &first)?;

    let mut ready: Vec<(u64, u64, Class, usize)> = Vec::new();
    let mut instances: Vec<(u64, u32)> = Vec::new();
    for (index, (_, fate)) in first.requests.iter().enumerate() {
        if let Fate::Served { start, finish, instance } = *fate
            && fitted(model, requests[index].tokens).output > 1
        {
            ready.push((finish, start, requests[index].class, index));
            instances.push((finish, instance));
        }
    }
    // Of prompts that end at one instant on two instances, or were handed back, the order is another matter.
    instances.sort_unstable();
    instances.dedup();
    prop_assume!(instances.windows(2).all(|pair| pair[0].0 < pair[1].0));
    let restarts = model.instances.lost != LostRequests::Fail;
    // Of those begun at once the high class was first.
    ready.sort_unstable();
    prop_assume!(!restarts || ready.windows(2).all(|pair| pair[0].0 < pair[1].0));

    let tokens = |index: usize| fitted(model, requests[index].tokens);
    let caches: Vec<(u64, u32)> =
        ready.iter().map(|(finish, _, _, index)| (*finish, tokens(*index).prompt)).collect();
    let transfer = &model.decode.as_ref().unwrap().transfer;
    let end = model.duration.as_nanos();
    let come: Vec<(usize, u64)> =
        transferred(transfer, &caches).into_iter().map(|(place, finish)| (ready[place].3, finish)).collect();
    prop_assume!(come.iter().all(|(_, finish)| *finish != end));
    let come: Vec<(usize, u64)> = come.into_iter().filter(|(_, finish)| *finish < end).collect();
    let demand = |(index, finish): &(usize, u64)| Demand {
        arrival: *finish,
        tokens: tokens(*index),
        patience: u64::MAX,
        content: 0,
        ..requests[*index]
    };
    let arriving: Vec<Demand> = come.iter().map(demand).collect();
    let mut pool = model.decode_pool().unwrap();
    pool.instances.lost = LostRequests::Fail;
    let second: Course = oracle::run(&pool, STREAMS.of_second_pool(), &arriving);
    agree(&pools.decode, &of_pool(PoolName::Decode), &second)?;

    let mut expected: Vec<(u64, Fate)> = Vec::new();
    let mut first_tokens: Vec<(u64, u64)> = Vec::new();
    for (index, (arrival, fate)) in first.requests.iter().enumerate() {
        let Fate::Served { start, finish: first_token, .. } = *fate else {
            expected.push((*arrival, *fate));
            continue;
        };
        let last = match tokens(index).output {
            1 => *fate,
            _ => match come.iter().position(|(other, _)| *other == index) {
                None => Fate::InFlight,
                Some(place) => match second.requests[place].1 {
                    Fate::Served { finish, instance, .. } => Fate::Served { start, finish, instance },
                    other => other,
                },
            },
        };
        if matches!(last, Fate::Served { .. }) {
            first_tokens.push((*arrival, first_token));
        }
        expected.push((*arrival, last));
    }
    let unfinished = expected.iter().filter(|(_, fate)| *fate == Fate::InFlight).count() as u64;
    expected.retain(|(_, fate)| *fate != Fate::InFlight);
    let (mut found, mut found_tokens) = (fates(&heard), heard.first_tokens.clone());
    found.sort_unstable();
    expected.sort_unstable();
    found_tokens.sort_unstable();
    first_tokens.sort_unstable();
    prop_assert_eq!(found, expected);
    prop_assert_eq!(found_tokens, first_tokens);
    prop_assert_eq!(outcome.counts.in_flight, unfinished);
    prop_assert!(outcome.counts.conserved());
    Ok(())
}

fn seconds(nanos: impl Iterator<Item = u64>) -> f64 {
    nanos.map(u128::from).sum::<u128>() as f64 / 1e9
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed()),
        ..ProptestConfig::default()
    })]

    #[test]
    fn two_pools_agree_with_two_obvious_ones((mut model, requests) in two_pools(), cut in 1_usize..50) {
        // What begins again in the first pool is no matter of one after the other.
        model.decode.as_mut().unwrap().instances.lost = LostRequests::Fail;
        compare(&model, &requests, cut)?;
    }

    #[test]
    fn requests_are_conserved_and_littles_law_holds_of_both_pools_and_the_way_between((model, requests) in two_pools()) {
        let options = Options { mark_interval: tenths(7), timeline: true, decisions: true };
        let run = || {
            let mut simulation = Simulation::new(&model, STREAMS, &options, Requests::default());
            simulation.feed(&block(&requests));
            simulation.finish()
        };
        let (outcome, heard) = run();
        let pools = outcome.pools.as_ref().unwrap();
        for counts in [outcome.counts, pools.prefill.counts, pools.decode.counts] {
            prop_assert!(counts.conserved(), "{counts:?}");
        }
        // All requests that have arrived, by how long they stayed: those in flight up to the end.
        let end = model.duration.as_nanos();
        let arrived: Vec<(u64, u64)> =
            requests.iter().filter(|demand| demand.arrival < end).map(|demand| (demand.arrival, 0)).collect();
        prop_assert_eq!(outcome.counts.arrived, arrived.len() as u64);
        let stays = seconds(heard.stays().map(|(arrival, left)| left - arrival));
        let remaining = seconds(heard.remaining(&arrived).into_iter().map(|arrival| end - arrival));
        prop_assert!(near(outcome.integrals.in_flight, stays + remaining));
        // In flight is waiting, in service or under way.
        let (whole, transfer) = (&outcome.integrals, &pools.transfer);
        prop_assert!(near(whole.in_flight, whole.waiting + whole.in_service + transfer.under_way));
        let (one, other) = (&pools.prefill.integrals, &pools.decode.integrals);
        prop_assert!(near(whole.waiting, one.waiting + other.waiting + transfer.waiting));
        prop_assert!(near(whole.in_service, one.in_service + other.in_service));
        for pool in [&pools.prefill, &pools.decode] {
            prop_assert!(near(pool.integrals.in_flight, pool.integrals.waiting + pool.integrals.in_service));
        }
        // The cost is the price of the time of instances, of each pool.
        prop_assert!(near(outcome.cost, pools.prefill.cost + pools.decode.cost));
        prop_assert!(near(outcome.cost, outcome.by_type.iter().map(|share| share.cost).sum()));
        prop_assert_eq!(whole.ready, one.ready + other.ready);
        for window in &outcome.timeline {
            let (one, other) = (of(window, PoolName::Prefill), of(window, PoolName::Decode));
            prop_assert_eq!((window.ready, window.desired), (one.ready + other.ready, one.desired + other.desired));
            prop_assert_eq!([one.end_s, other.end_s], [window.end_s; 2]);
            let [waiting, under_way] = window.transfers;
            prop_assert!(near(window.waiting, one.waiting + other.waiting + waiting));
            prop_assert!(near(window.in_flight, one.in_flight + other.in_flight + waiting + under_way));
        }
        prop_assert_eq!(outcome.timeline.iter().map(|window| window.arrived).sum::<u64>(), outcome.counts.arrived);
        prop_assert!(outcome.peak_ready <= pools.prefill.peak_ready + pools.decode.peak_ready);
        prop_assert!(outcome.peak_waiting >= pools.prefill.peak_waiting.max(pools.decode.peak_waiting));
        // Once more, and it is the same.
        prop_assert_eq!(run().1.sorted(), heard.sorted());
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(seed()),
        ..ProptestConfig::default()
    })]

    #[test]
    fn clients_over_two_pools_lose_no_request_and_invent_none((mut model, requests) in two_pools(), client in client(), cap in prop::option::of(1_u32..9)) {
        model.client = Client { max_outstanding: cap, ..client };
        let options = Options { mark_interval: tenths(7), timeline: true, decisions: true };
        let run = || {
            let mut simulation = Simulation::new(&model, STREAMS, &options, Requests::default());
            simulation.feed(&block(&requests));
            simulation.finish()
        };
        let (outcome, heard) = run();
        let pools = outcome.pools.as_ref().unwrap();
        for counts in [outcome.counts, pools.prefill.counts, pools.decode.counts] {
            prop_assert!(counts.conserved(), "{counts:?}");
        }
        // What comes to the pools is what is sent, and what is lost while it decodes once more.
        let sending = outcome.sending;
        let lost = if model.decode.as_ref().unwrap().instances.lost == LostRequests::Fail { 0 } else { pools.decode.counts.failed };
        prop_assert_eq!(pools.prefill.counts.arrived, sending.sent + lost);
        prop_assert_eq!(sending.sent, outcome.counts.arrived + sending.retried + sending.hedged);
        // Nothing is in service in vain that was not in service.
        let served = pools.prefill.integrals.in_service + pools.decode.integrals.in_service;
        prop_assert!(sending.wasted_s <= served + 1e-6, "{} of {served}", sending.wasted_s);
        let end = model.duration.as_nanos();
        if cap.is_none() {
            let arrived: Vec<(u64, u64)> =
                requests.iter().filter(|demand| demand.arrival < end).map(|demand| (demand.arrival, 0)).collect();
            prop_assert_eq!(outcome.counts.arrived, arrived.len() as u64);
            let stays = seconds(heard.stays().map(|(arrival, left)| left - arrival));
            let remaining = seconds(heard.remaining(&arrived).into_iter().map(|arrival| end - arrival));
            prop_assert!(near(outcome.integrals.in_flight, stays + remaining));
        }
        prop_assert_eq!(run().1.sorted(), heard.sorted());
    }
}

/// The same as [`courses`], of a run whose clients send by themselves.
fn sent_by_clients(changes: &[(&str, &str)]) -> (Outcome, Vec<[u64; 4]>) {
    let (outcome, heard) = run(&model(changes), &at(&[], 100, 11));
    let found = courses(&heard);
    (outcome, found)
}

#[test]
fn a_request_that_times_out_is_taken_away_wherever_it_is() {
    let stopped = |timeout: &'static str| [("client.timeout", timeout), ("client.abandoned", "\"stopped\"")];
    // In the midst of its transfer: of its service the second of the prompt was in vain.
    let (outcome, heard) = run(&model(&stopped("\"1200ms\"")), &at(&[0], 100, 11));
    assert_eq!(heard.timed_out, [(0, 1200 * MILLI)]);
    assert_eq!(outcome.sending.wasted_s, 1.0);
    let pools = outcome.pools.unwrap();
    assert_eq!((pools.transfer.time.count(), pools.decode.counts.arrived), (0, 0));
    // In the midst of its answer, after half a second of it.
    let (outcome, heard) = run(&model(&stopped("\"2s\"")), &at(&[0], 100, 11));
    assert_eq!(heard.timed_out, [(0, 2000 * MILLI)]);
    assert_eq!(outcome.sending.wasted_s, 1.5);
    assert_eq!(outcome.pools.unwrap().decode.counts.timed_out, 1);
    // In the queue of the prefill pool, while the one before it goes on in vain: a second, and a second.
    let one = [
        ("service.max_sequences", "1"),
        ("client.timeout", "\"500ms\""),
        ("client.abandoned", "\"dropped\""),
    ];
    let (outcome, heard) = run(&model(&one), &at(&[0, 0], 100, 11));
    assert_eq!((heard.timed_out.len(), outcome.sending.wasted_s), (2, 2.0));
    let pools = outcome.pools.unwrap();
    assert_eq!((pools.prefill.counts.served, pools.prefill.counts.timed_out), (1, 1));
    // An answer that has begun by then is waited for.
    let first = [("client.first_token_timeout", "\"1100ms\""), ("client.abandoned", "\"stopped\"")];
    let (_, heard) = run(&model(&first), &at(&[0], 100, 11));
    assert_eq!(courses(&heard), [[0, 0, 1000, 2500]]);
}

#[test]
fn what_has_timed_out_is_sent_again_to_the_pool_that_computes_prompts() {
    let retried = [
        ("client.timeout", "\"2s\""),
        ("client.abandoned", "\"stopped\""),
        ("client.retries", "1"),
        ("client.backoff", "\"1s\""),
        ("client.jitter", "\"none\""),
        ("decode.instances.failures", "{ after = { dist = \"constant\", value = \"1600ms\" } }"),
    ];
    // The instance fails in the midst of the answer, at 1.6 s; another is there at once. A second later the request is sent again.
    let (outcome, heard) = run(&model(&retried), &at(&[0], 100, 3));
    assert_eq!(outcome.sending.retried, 1);
    assert_eq!(courses(&heard), [[0, 2600, 3600, 4300]]);
}

#[test]
fn users_and_sessions_wait_for_the_answers_of_both_pools() {
    let (outcome, found) = sent_by_clients(&[("client.users", "1"), ("client.think_time", "\"1s\"")]);
    // 2.5 s and the thought.
    assert_eq!(found[..3], [[0, 0, 1000, 2500], [3500, 3500, 4500, 6000], [7000, 7000, 8000, 9500]]);
    assert_eq!(outcome.counts.arrived, 18);
    let session = [("client.users", "1"), ("client.session", "{ turns = 2, think_time = \"1s\" }")];
    let (_, found) = sent_by_clients(&session);
    // The second turn sends 100 + 11 tokens and 100 new ones: 2.11 s, a transfer of 0.4 s + 0.211 s, and the answer.
    assert_eq!(found[..2], [[0, 0, 1000, 2500], [3500, 3500, 5610, 7221]]);
    // Of two at once the second is sent when the first is answered.
    let (_, heard) = run(&model(&[("client.max_outstanding", "1")]), &at(&[0, 0], 100, 11));
    assert_eq!(courses(&heard), [[0, 0, 1000, 2500], [2500, 2500, 3500, 5000]]);
}

#[test]
fn the_shares_of_a_warmup_are_left_out_of_everything() {
    let (whole, _) = run(&model(&[]), &at(&[0, 30_000], 100, 11));
    let (measured, _) = run(&model(&[("run.warmup", "\"20s\"")]), &at(&[0, 30_000], 100, 11));
    let (all, part) = (whole.pools.unwrap(), measured.pools.unwrap());
    assert_eq!((whole.counts.served, measured.counts.served), (2, 1));
    assert_eq!((all.transfer.under_way, part.transfer.under_way), (1.0, 0.5));
    assert_eq!((all.transfer.bytes, part.transfer.bytes), (2e8, 1e8));
    assert_eq!((part.prefill.counts.served, part.decode.counts.served), (1, 1));
    assert_eq!((whole.integrals.ready, measured.integrals.ready), (120.0, 80.0));
    assert_eq!((whole.integrals.in_flight, measured.integrals.in_flight), (5.0, 2.5));
}

#[test]
fn what_ends_between_the_last_window_and_the_end_of_the_warmup_is_of_the_warmup() {
    // Windows end at 7 s, 14 s, 20 s, 21 s, …: the first request is answered at 18.5 s.
    let (outcome, _) = run(&model(&[("run.warmup", "\"20s\"")]), &at(&[16_000, 30_000], 100, 11));
    let parts: [fn(&Window) -> &Window; 3] =
        [|window| window, |window| of(window, PoolName::Prefill), |window| of(window, PoolName::Decode)];
    for part in parts {
        let served = |from: f64, to: f64| {
            let timeline = outcome.timeline.iter().map(part);
            let within = timeline.filter(|window| from < window.end_s && window.end_s <= to);
            within.map(|window| window.served).sum::<u64>()
        };
        assert_eq!((served(14.0, 20.0), served(20.0, 30.0), served(30.0, 60.0)), (1, 0, 1));
    }
}

#[test]
fn pools_draw_from_streams_of_their_own() {
    let failing = "{ after = { dist = \"exponential\", mean = \"5s\" } }";
    let starting = "{ dist = \"exponential\", mean = \"2s\" }";
    let both = [
        ("instances.failures", failing),
        ("decode.instances.failures", failing),
        ("instances.cold_start", starting),
        ("decode.instances.cold_start", starting),
    ];
    let (outcome, _) = run(&model(&both), &at(&[], 1, 1));
    let pools = outcome.pools.unwrap();
    assert!(pools.prefill.integrals.starting > 0.0 && pools.decode.integrals.starting > 0.0);
    assert_ne!(pools.prefill.integrals.starting, pools.decode.integrals.starting);
}

/// What is refused, with what of the message tells which it is.
const REFUSED: [(&[(&str, &str)], &str); 9] = [
    (&[("decode.dispatch.timeout", "\"1s\"")], "`decode.dispatch.timeout` does not go with `decode`"),
    (
        &[("decode.dispatch.high_priority", "0.5")],
        "`decode.dispatch.high_priority` does not go with `decode`",
    ),
    (&[("decode.dispatch.policy", "\"connections\"")], "`decode.dispatch.policy` does not go with `decode`"),
    (&[("decode.instances.lost", "\"resume\"")], "`decode.instances.lost` does not go with `service.model`"),
    (&[("decode.instances.initial", "4")], "`decode.instances.initial` is 4 but the fixed pool has 1"),
    (&[("decode.service", "{ fixed = \"1ms\", prefix_hit = 0.5 }")], "unknown key `prefix_hit`"),
    (
        &[("decode.autoscaler", "{ kind = \"dynamo\", max = 3 }")],
        "the autoscaler counts the tokens of a KV cache, and the service has none",
    ),
    (&[("decode.transfer", "{ bandwidth_gb_per_s = 10 }")], "`decode.transfer.bytes_per_token` is missing"),
    (
        &[("decode.autoscaler", "{ kind = \"clairvoyant\", max = 3 }")],
        "`decode.autoscaler.kind` does not go with `decode`",
    ),
];

#[test]
fn what_two_pools_do_not_model_is_refused_by_name() {
    for (changes, expected) in REFUSED {
        let mut file = ScenarioFile::parse("two.toml", BY_HAND, ".").unwrap();
        changes.iter().for_each(|(path, value)| file.override_path(path, value).unwrap());
        let error = file.scenario().map(|_| ()).expect_err(expected);
        assert!(error.problem().message.starts_with(expected), "{}", error.problem().message);
    }
    let slots = BY_HAND.replace("model = \"llm\"", "time = \"1s\"");
    let without: String = slots
        .lines()
        .filter(|line| {
            !line.contains("token")
                && !line.contains("per_")
                && !line.starts_with("fixed")
                && !line.contains("max_sequences")
        })
        .collect::<Vec<_>>()
        .join("\n");
    let error = ScenarioFile::parse("two.toml", &without, ".").unwrap().scenario().map(|_| ()).unwrap_err();
    assert_eq!(error.problem().message, "`decode` does not go with `service.model`");
}

#[test]
fn the_law_of_an_engine_that_decodes_is_that_of_the_service_unless_it_has_its_own() {
    let plain = scenario(BY_HAND).model;
    let service::Model::Llm(prefill) = &plain.service.model else { panic!() };
    let decode = plain.decode.unwrap();
    assert_eq!((prefill.role, decode.engine.role), (EngineRole::Prefill, EngineRole::Decode));
    assert_eq!(decode.engine.law, prefill.law);
    let own = model(&[("decode.service", "{ fixed = \"20ms\", max_sequences = 9 }")]);
    let engine = own.decode.unwrap().engine;
    assert_eq!(engine.law, IterationLaw { fixed: 20 * MILLI, ..IterationLaw::default() });
    assert_eq!(engine.max_sequences, 9);
}

/// Two pools whose planners follow a day in half an hour, each by its own promise.
const PLANNED: &str = r#"
name = "planned"
[arrivals]
kind = "diurnal"
trough = 4
peak = 50
peak_at = "15m"
period = "30m"
[service]
model = "llm"
preset = "llama-3.1-8b-h100"
prompt_tokens = { dist = "lognormal", mean = 2000, cv = 1 }
output_tokens = { dist = "lognormal", mean = 150, cv = 0.8 }
[instances]
cold_start = "30s"
[autoscaler]
kind = "dynamo"
interval = "1m"
max = 8
[decode.transfer]
bandwidth_gb_per_s = 50
bytes_per_token = 131072
latency = "2ms"
concurrent = 4
[decode.service]
preset = "llama-3.1-8b-h100"
max_sequences = 24
[decode.instances]
cold_start = "20s"
[decode.autoscaler]
kind = "dynamo"
interval = "1m"
tpot = "15ms"
max = 8
[decode.cost]
per_instance_hour = 2
[cost]
per_instance_hour = 4
[slo]
ttft = "2s"
tpot = "50ms"
percentile = 95
[run]
duration = "30m"
replications = 3
"#;

#[test]
fn planners_size_both_pools_for_what_comes_to_each() {
    let work = Work::with(PLANNED);
    let summary: Value = serde_json::from_str(&work.done(&["run", "scenario.toml", "--json"])).unwrap();
    let mean = |path: &str| summary.pointer(&format!("/{path}/mean")).and_then(Value::as_f64).unwrap();
    for pool in ["prefill", "decode"] {
        assert!(mean(&format!("{pool}/peak_ready")) > mean(&format!("{pool}/mean_ready")), "{pool}");
        assert!(mean(&format!("{pool}/mean_ready")) > 1.0, "{pool} has never grown");
    }
    assert!((mean("prefill/cost") + mean("decode/cost") - mean("cost")).abs() < 1e-9);
    assert!((mean("by_type/prefill/cost") - mean("prefill/cost")).abs() < 1e-9);
    // A cache of about 262 MB at 50 GB/s, and 2 ms.
    assert!((mean("transfer/mean") - 0.00724).abs() < 5e-4, "{}", mean("transfer/mean"));
    let pools = work.column("output/planned/decisions.csv", "pool");
    let of = |pool: &str| pools.iter().filter(|each| *each == pool).count();
    assert_eq!((of("prefill"), of("decode"), pools.len()), (30, 30, 60));
    // What is shown of a run is shown of each pool.
    let column = |name: &str| -> Vec<f64> {
        let column = work.column("output/planned/timeline.csv", name);
        column.iter().map(|value| value.parse().unwrap()).collect()
    };
    let (prefill, decode) = (column("prefill_ready"), column("decode_ready"));
    let both: Vec<f64> = prefill.iter().zip(&decode).map(|(one, other)| one + other).collect();
    assert_eq!(both, column("ready"));
    assert!(prefill != decode && column("transfer_under_way").iter().any(|count| *count > 0.0));
    let page = std::fs::read_to_string(work.path().join("output/planned/report.html")).unwrap();
    for part in ["\"prefill_desired\":[", "\"transfer_waiting\":[", "\"decode_in_flight\":[", ",\"decode\"]"]
    {
        assert!(page.contains(part), "{part}");
    }
    let chart = std::fs::read_to_string(work.path().join("output/planned/timeline.svg")).unwrap();
    for part in ["Instances of the prefill pool", "Instances of the decode pool", "caches under transfer"] {
        assert!(chart.contains(part), "{part}");
    }
}

#[test]
fn a_table_shows_the_pools_beside_each_other_and_the_way_between() {
    let work = Work::with(&PLANNED.replace("duration = \"30m\"", "duration = \"2m\""));
    let shown = work.done(&["run", "scenario.toml"]);
    let rows: Vec<&str> = shown
        .lines()
        .skip_while(|line| !line.starts_with("part "))
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!([rows[0], rows[2], rows[3], rows[4]], ["part", "prefill", "transfer", "decode"], "{shown}");
    assert!(!shown.contains("type  "), "pools of one type are no types: {shown}");
}

#[test]
fn results_of_two_pools_are_the_same_on_any_number_of_threads() {
    let sweep = "\n[sweep.parameters]\n\"autoscaler.max\" = [2, 8]\n\"decode.autoscaler.max\" = [1, 8]\n";
    let work = Work::with(&format!("{PLANNED}{sweep}").replace("duration = \"30m\"", "duration = \"10m\""));
    for command in ["run", "sweep"] {
        for threads in ["1", "2"] {
            let out = format!("{command}{threads}");
            work.done(&[command, "scenario.toml", "--quiet", "--threads", threads, "--out", &out]);
        }
        assert_eq!(work.files(&format!("{command}1")), work.files(&format!("{command}2")), "{command}");
    }
    assert_eq!(work.column("sweep1/sweep.csv", "decode.autoscaler.max"), ["1", "8", "1", "8"]);
    assert_eq!(work.column("sweep1/sweep.csv", "by_type.decode.cost").len(), 4);
    assert_eq!(work.column("sweep1/sweep.csv", "transfer.p99").len(), 4);
}

#[test]
fn the_least_pools_that_keep_the_promise_are_recommended_by_keys_of_both() {
    let fixed = PLANNED
        .replace(
            "kind = \"diurnal\"\ntrough = 4\npeak = 50\npeak_at = \"15m\"\nperiod = \"30m\"",
            "kind = \"poisson\"\nrate = 6",
        )
        .replace("kind = \"dynamo\"\ninterval = \"1m\"\nmax = 8\n", "kind = \"fixed\"\ninstances = 6\n")
        .replace(
            "kind = \"dynamo\"\ninterval = \"1m\"\ntpot = \"15ms\"\nmax = 8\n",
            "kind = \"fixed\"\ninstances = 6\n",
        )
        .replace("duration = \"30m\"", "duration = \"5m\"");
    let work = Work::with(&fixed);
    let found: Value =
        serde_json::from_str(&work.done(&["recommend", "scenario.toml", "--json", "--budget", "1M"]))
            .unwrap();
    let changed: Vec<&str> = found["recommendation"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["path"].as_str().unwrap())
        .collect();
    assert_eq!(changed, ["autoscaler.instances", "decode.autoscaler.instances"], "{found:#}");
}

const HPA: &str = r#"
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: decode }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: decode }
  maxReplicas: 3
  metrics:
  - type: Pods
    pods:
      metric: { name: "vllm:num_requests_running" }
      target: { type: AverageValue, averageValue: "12" }
"#;

#[test]
fn the_autoscaler_of_either_pool_is_read_from_a_manifest() {
    let of_decode = "[decode.autoscaler]\nkind = \"dynamo\"\ninterval = \"1m\"\ntpot = \"15ms\"\nmax = 8\n";
    let named = PLANNED.replace(of_decode, "[decode.autoscaler]\nfrom = \"hpa.yaml\"\n");
    assert_ne!(named, PLANNED);
    let work = Work::with(&named);
    work.write("hpa.yaml", HPA);
    let shown = work.done(&["check", "scenario.toml"]);
    assert!(
        shown.contains("decode pool  hpa, from hpa.yaml") && shown.contains("1 to 3 instances"),
        "{shown}"
    );
    let mean = |summary: &str| {
        let summary: Value = serde_json::from_str(summary).unwrap();
        summary.pointer("/decode/peak_ready/mean").and_then(Value::as_f64).unwrap()
    };
    let three = mean(&work.done(&["run", "scenario.toml", "--json"]));
    let two = mean(&work.done(&["run", "scenario.toml", "--json", "--set", "decode.autoscaler.max=2"]));
    assert_eq!((three, two), (3.0, 2.0));
    // What is wrong with it is shown where it is, by the names of the pool.
    work.write("hpa.yaml", &HPA.replace("  maxReplicas: 3\n", ""));
    let refused = work.fails(2, &["check", "scenario.toml"]);
    assert!(
        refused.contains("`decode.autoscaler.max` is missing") && refused.contains("hpa.yaml:"),
        "{refused}"
    );
    assert!(refused.contains("or `max` in `[decode.autoscaler]`"), "{refused}");
}

#[test]
fn traps_are_found_in_both_pools_and_each_is_named() {
    let busy = PLANNED.replace("peak = 50", "peak = 500");
    let found = lint(&ScenarioFile::parse("two.toml", &busy, ".").unwrap(), None).unwrap();
    let of = |pool: &str| {
        let found = found.iter().find(|found| found.reason.starts_with(&format!("in the {pool} pool: ")));
        found.unwrap_or_else(|| panic!("none of the {pool} pool")).reason.clone()
    };
    assert!(found.iter().all(|found| found.lint == "maximum-below-peak"), "{found:?}");
    assert!(of("prefill").ends_with("; `autoscaler.max` allows 8"), "{}", of("prefill"));
    assert!(of("decode").ends_with("; `decode.autoscaler.max` allows 8"), "{}", of("decode"));
    let allowed = format!("allow = [\"maximum-below-peak\"]\n{busy}");
    assert!(lint(&ScenarioFile::parse("two.toml", &allowed, ".").unwrap(), None).unwrap().is_empty());
    assert!(lint(&ScenarioFile::parse("two.toml", PLANNED, ".").unwrap(), None).unwrap().is_empty());
}

#[test]
fn what_knows_one_pool_only_refuses_two() {
    let work = Work::with(PLANNED);
    work.write("past.csv", "time_s,ready\n60,2\n");
    let refused = work.fails(2, &["backtest", "scenario.toml", "--observed", "past.csv"]);
    assert!(
        refused.contains("`backtest` does not take two pools") && refused.contains("[decode"),
        "{refused}"
    );
}

#[test]
fn causes_are_taken_away_from_both_pools_and_episodes_name_the_one_that_requests_waited_in() {
    let short =
        PLANNED.replace("duration = \"30m\"\nreplications = 3", "duration = \"10m\"\nreplications = 1");
    let work = Work::with(&short);
    let account: Value = serde_json::from_str(&work.done(&["explain", "scenario.toml", "--json"])).unwrap();
    let keys: Vec<&str> =
        account["keys"].as_array().unwrap().iter().map(|key| key["key"].as_str().unwrap()).collect();
    for key in ["instances.cold_start", "decode.instances.cold_start", "decode.autoscaler.interval"] {
        assert!(keys.contains(&key), "{key}: {keys:?}");
    }
    let episodes = account["episodes"].as_array().unwrap();
    assert!(!episodes.is_empty());
    for episode in episodes {
        let (pool, text) = (episode["pool"].as_str().unwrap(), episode["text"].as_str().unwrap());
        assert!(text.contains(&format!("in the {pool} pool ")), "{text}");
    }
    let of = |pool: &str| episodes.iter().any(|episode| episode["pool"] == pool);
    assert!(of("prefill") && of("decode"), "{episodes:#?}");
}

#[test]
fn the_digest_shows_both_pools() {
    let work = Work::with(PLANNED);
    let shown = work.done(&["check", "scenario.toml"]);
    for part in [
        "prompts alone, batched continuously",
        "KV transfer  2ms + 131 kB a token at 50 GB/s",
        "at most 4 at a time",
        "answers alone, batched continuously",
        "decode pool  dynamo: 1 to 8 instances",
        "decode start 20s on average",
        "decode price 2 USD an instance-hour",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn as_many_instances_at_one_price_cost_the_same_in_one_pool_as_in_two() {
    let variant = "\n[[variant]]\nname = \"apart\"\nset = { \"autoscaler.instances\" = 5 }\n\
                   [variant.decode.autoscaler]\nkind = \"fixed\"\ninstances = 1\n";
    let one = BY_HAND
        .split("[decode.transfer]")
        .next()
        .unwrap()
        .replace("instances = 1", "instances = 6")
        .replace("initial = 1", "initial = 6");
    let run = "[cost]\nper_instance_hour = 12.7\n[run]\nduration = \"613s\"\nreplications = 3\n";
    let work = Work::with(&format!("{one}{run}{variant}").replace("initial = 6\n", ""));
    let found: Value = serde_json::from_str(&work.done(&["compare", "scenario.toml", "--json"])).unwrap();
    let cost = &found["pairs"][0]["differences"]["cost"];
    assert_eq!((&cost["verdict"], &cost["relative"]["mean"]), (&"same".into(), &0.0.into()), "{cost}");
}

//! Users in a closed loop, and a cap on requests outstanding: each request is sent just when an answer lets it be.
//!
//! The feedback is held against what it must be from the answers alone, to the nanosecond, with every service model,
//! dispatch and autoscaler. Whether the answers are right is the matter of the other tests: the station is the same.

use kneepoint::internals::arrivals::Arrivals;
use kneepoint::internals::distribution::Distribution;
use kneepoint::internals::random::Streams;
use kneepoint::internals::scenario::ScenarioFile;
use kneepoint::internals::sim::{Model, Options, Outcome, UserStage, Users, simulate};
use kneepoint::internals::time::Span;
use proptest::prelude::*;

use crate::fixtures::requests::Requests;
use crate::generated::models::tenths;
use crate::generated::scenarios::{MARK, STREAMS, scenarios};
use crate::generated::{close, config};

const OPTIONS: Options = Options { mark_interval: MARK, timeline: true, decisions: false };

/// Requests that arrived and when they ended, those still in flight at the end of the run left out.
fn ends(heard: &Requests) -> Vec<(u64, u64, bool)> {
    let served = heard.served.iter().map(|request| (request.arrival, request.finish, true));
    let lost = [&heard.rejected, &heard.timed_out, &heard.failed].into_iter().flatten();
    served.chain(lost.map(|(arrival, at)| (*arrival, *at, false))).collect()
}

/// A generated model that is measured from its start.
fn measured(mut model: Model) -> Model {
    model.warmup = Span::ZERO;
    model
}

/// The model, with users in the place of its arrivals.
fn with_users(model: Model, users: Users) -> Model {
    let mut model = measured(model);
    model.arrivals = Arrivals::answered(Vec::new(), users.natural_duration());
    model.client.users = Some(users);
    model
}

/// Users who always think for so long, in tenths of a second.
fn users(count: u32, think: u64, pause: u64) -> Users {
    let think_time = Distribution::constant(think as f64 / 10.0);
    Users { pause_after_failure: tenths(pause), ..Users::constant(count, think_time) }
}

/// What `sent` holds beyond those that have ended, which must all be among them.
fn still_waiting(mut sent: Vec<u64>, ends: &[(u64, u64, bool)]) -> Result<Vec<u64>, TestCaseError> {
    sent.sort_unstable();
    for (arrival, _, _) in ends {
        let found = sent.binary_search(arrival);
        prop_assert!(found.is_ok(), "a request was sent at {arrival}, which no answer explains");
        sent.remove(found.unwrap_or_default());
    }
    Ok(sent)
}

/// Conservation, and Little's law as an identity: in-flight time is the sum of the stays.
fn accounts(
    model: &Model,
    outcome: &Outcome,
    ends: &[(u64, u64, bool)],
    waiting: &[u64],
) -> Result<(), TestCaseError> {
    prop_assert!(outcome.counts.conserved(), "{:?}", outcome.counts);
    prop_assert_eq!(outcome.counts.arrived, (ends.len() + waiting.len()) as u64);
    prop_assert_eq!(outcome.counts.in_flight, waiting.len() as u64);
    let end = model.duration.as_nanos();
    let stays = ends.iter().map(|(from, to, _)| to - from).chain(waiting.iter().map(|from| end - from));
    let stayed: u128 = stays.map(u128::from).sum();
    prop_assert!(close(outcome.integrals.in_flight, stayed as f64 / 1e9));
    Ok(())
}

proptest! {
    #![proptest_config(config(2, 600))]

    /// With a fixed think time, every request but the first of each user follows one that ended, and every one that ended
    /// is followed.
    #[test]
    fn users_send_just_when_they_have_thought(model in scenarios(), count in 1_u32..9, think in 0_u64..30, pause in 1_u64..40) {
        let model = with_users(model, users(count, think, pause));
        let (outcome, heard) = simulate(&model, STREAMS, &OPTIONS, Requests::default());
        let (ends, end) = (ends(&heard), model.duration.as_nanos());
        let thinks = |answered: bool| tenths(if answered { think } else { think.max(pause) }).as_nanos();
        let next = ends.iter().map(|(_, at, answered)| at + thinks(*answered));
        let sent = std::iter::repeat_n(0, count as usize).chain(next).filter(|at| *at < end).collect();
        let waiting = still_waiting(sent, &ends)?;
        accounts(&model, &outcome, &ends, &waiting)?;
        // N T = the time in flight and the time spent thinking, of all users.
        let thought: u64 = ends.iter().map(|(_, at, answered)| thinks(*answered).min(end - at)).sum();
        let users_time = f64::from(count) * model.duration.as_secs_f64();
        prop_assert!(close(outcome.integrals.in_flight + thought as f64 / 1e9, users_time));
    }

    /// The interactive response-time law, N = X (R + Z), but for the cycles that the ends of the run cut off.
    #[test]
    fn throughput_times_cycle_is_the_number_of_users(model in scenarios(), count in 1_u32..9, think in 1_u64..30, pause in 1_u64..40) {
        let model = with_users(model, users(count, think, pause));
        let (outcome, heard) = simulate(&model, STREAMS, &OPTIONS, Requests::default());
        let ends = ends(&heard);
        // Requests that were lost make a cycle of their stay and their pause.
        let cycle = |(from, to, answered): &(u64, u64, bool)| {
            let thinks = tenths(if *answered { think } else { think.max(pause) });
            (to - from) as f64 / 1e9 + thinks.as_secs_f64()
        };
        let cycles: f64 = ends.iter().map(cycle).sum();
        let longest = ends.iter().map(cycle).fold(0.0, f64::max);
        let law = ends.len() as f64 / outcome.measured_s * (cycles / (ends.len() as f64).max(1.0));
        let waiting = outcome.unanswered.max().unwrap_or_default();
        let difference = (f64::from(count) - law).abs() * outcome.measured_s;
        prop_assert!(difference <= f64::from(count) * longest.max(waiting) + 1e-6, "{law} for {count}");
    }

    /// The k-th request is sent when it is meant to be, or else with the answer that is k short of the cap.
    #[test]
    fn no_more_are_outstanding_than_the_cap_and_none_waits_in_vain(model in scenarios(), most in 1_u32..9) {
        let mut model = measured(model);
        model.client.max_outstanding = Some(most);
        let (outcome, heard) = simulate(&model, STREAMS, &OPTIONS, Requests::default());
        let meant = crate::generated::scenarios::requests(&model);
        let ends = ends(&heard);
        let mut at: Vec<u64> = ends.iter().map(|(_, at, _)| *at).collect();
        at.sort_unstable();
        let answer = |k: usize| match k.checked_sub(most as usize) {
            Some(index) => at.get(index).copied().unwrap_or(u64::MAX),
            None => 0,
        };
        let sent: Vec<(u64, u64)> = meant
            .iter()
            .enumerate()
            .map(|(k, (arrival, _))| (*arrival, (*arrival).max(answer(k))))
            .filter(|(_, sent)| *sent < model.duration.as_nanos())
            .collect();
        let waiting = still_waiting(sent.iter().map(|(_, at)| *at).collect(), &ends)?;
        accounts(&model, &outcome, &ends, &waiting)?;
        let held = outcome.held.unwrap();
        prop_assert_eq!(held.delay.count(), outcome.counts.served);
        prop_assert!(close(held.latency.sum_s() - held.delay.sum_s(), outcome.latency.sum_s()));
        if waiting.is_empty() && ends.iter().all(|(_, _, answered)| *answered) {
            let delays: u128 = sent.iter().map(|(meant, at)| u128::from(at - meant)).sum();
            prop_assert!(close(held.delay.sum_s(), delays as f64 / 1e9));
        }
    }

    /// There are never more in flight than users, and none is sent once all are gone.
    #[test]
    fn stages_bring_users_and_send_them_away(model in scenarios(), stages in prop::collection::vec((0_u64..60, 0_u32..7), 1..5)) {
        let stages: Vec<UserStage> =
            stages.into_iter().map(|(length, users)| UserStage { duration: tenths(length), users }).collect();
        let mut users = Users { stages, ..self::users(1, 2, 5) };
        users.stages.push(UserStage { duration: Span::ZERO, users: 0 });
        let gone = users.natural_duration().unwrap_or(Span::ZERO).as_nanos();
        let most = users.most() as usize;
        let model = with_users(model, users);
        let (outcome, heard) = simulate(&model, STREAMS, &OPTIONS, Requests::default());
        prop_assert!(outcome.counts.conserved());
        let ends = ends(&heard);
        for (from, _, _) in &ends {
            prop_assert!(*from <= gone, "sent at {from}, when all have gone at {gone}");
            let there = ends.iter().filter(|(other, to, _)| other <= from && to > from).count();
            prop_assert!(there <= most, "{there} at once");
        }
    }
}

fn model(text: &str) -> Model {
    ScenarioFile::parse("test.toml", text, ".").unwrap().scenario().unwrap().model
}

/// What is left of common random numbers: the n-th request of a user is the same under every setting.
#[test]
fn a_users_requests_do_not_depend_on_the_pool() {
    let services = |instances: u32, users: u32, streams: Streams| {
        let model = model(&format!(
            "[client]\nusers = {users}\nthink_time = {{ dist = \"exponential\", mean = \"1s\" }}\n[service]\n\
             time = {{ dist = \"lognormal\", mean = \"1s\", cv = 2 }}\n[autoscaler]\nkind = \"fixed\"\n\
             instances = {instances}\n[run]\nduration = \"10m\""
        ));
        let (_, heard) = simulate(&model, streams, &OPTIONS, Requests::default());
        let mut served = heard.served;
        served.sort_by_key(|request| (request.arrival, request.start));
        served.iter().map(|request| request.finish - request.start).collect::<Vec<u64>>()
    };
    let (one, other) = (services(1, 1, STREAMS), services(4, 1, STREAMS));
    assert!(one.len() > 100);
    assert_eq!(one, other, "one user alone never waits");
    let first = |instances| {
        let mut firsts = services(instances, 5, STREAMS)[..5].to_vec();
        firsts.sort_unstable();
        firsts
    };
    assert_eq!(first(1), first(5), "the first five are sent at once");
    assert_ne!(one, services(1, 1, Streams::new(24, 5)));
}

#[test]
fn arrivals_of_a_closed_loop_point_to_the_clients() {
    let scenario = "[arrivals]\nkind = \"closed\"\nusers = 100\n[service]\ntime = \"200ms\"\n[autoscaler]\nkind = \"fixed\"\n\
                    instances = 1\n[run]\nduration = \"1m\"\n";
    let mut files = kneepoint::Memory::default();
    files.insert("scenario.toml", scenario);
    let read = kneepoint::Scenario::load_from(files, "scenario.toml");
    let refused = read.and_then(|scenario| kneepoint::check(&scenario)).unwrap_err().to_string();
    assert!(refused.contains("stand in `[client]`, without `[arrivals]`: users = 50"), "{refused}");
}

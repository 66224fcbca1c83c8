//! Small pools whose course can be reckoned by hand.

use crate::random::Streams;
use crate::scenario::ScenarioFile;
use crate::service::Tokens;
use crate::sim::{Block, Class, Completion, Options, Outcome, RequestObserver, Simulation};
use crate::time::Span;

const MS: u64 = 1_000_000;

/// Hears who is answered: arrival, start and finish in milliseconds.
#[derive(Debug, Default)]
struct Answers(Vec<(u64, u64, u64)>);

impl RequestObserver for Answers {
    fn served(&mut self, request: Completion) {
        self.0.push((request.arrival / MS, request.start / MS, request.finish / MS));
    }
    fn rejected(&mut self, _: u64) {}
    fn timed_out(&mut self, _: u64, _: u64) {}
    fn failed(&mut self, _: u64, _: u64) {}
}

/// Ten iterations a second, one sequence at a time.
const LLM: &str = "[service]\nmodel = \"llm\"\nprompt_tokens = 1\noutput_tokens = 1\nfixed = \"100ms\"\nmax_sequences = 1\n";

/// One batch of one after another, a second each.
const BATCH: &str = "[service]\nmodel = \"batch\"\nmax_batch = 1\nconstant = \"1s\"\n";

/// All at once.
const SHARED: &str = "[service]\nmodel = \"shared\"\ntime = \"1s\"\n";

/// A run of `ms` on one instance, on requests by arrival in milliseconds, class, and output tokens or tenths of a
/// second of service.
fn run(ms: u64, scenario: &str, requests: &[(u64, Class, u32)]) -> (Outcome, Vec<(u64, u64, u64)>) {
    let text = format!(
        "[arrivals]\nkind = \"poisson\"\nrate = 1\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n\
         [run]\nduration = \"{ms}ms\"\n{scenario}"
    );
    let read = ScenarioFile::parse("small.toml", &text, ".").and_then(|file| file.scenario());
    let model = read.unwrap_or_else(|error| panic!("{error}")).model;
    let options = Options { mark_interval: Span::from_secs(1), timeline: false, decisions: false };
    let mut simulation = Simulation::new(&model, Streams::new(1, 0), &options, Answers::default());
    let work = if scenario.contains("shared") { 100 * MS } else { 0 };
    simulation.feed(&Block {
        arrival: requests.iter().map(|(arrival, _, _)| arrival * MS).collect(),
        service: requests.iter().map(|(_, _, amount)| u64::from(*amount) * work).collect(),
        class: requests.iter().map(|(_, class, _)| *class).collect(),
        tokens: requests.iter().map(|(_, _, output)| Tokens { prompt: 1, output: *output }).collect(),
        ..Block::default()
    });
    let (outcome, Answers(answers)) = simulation.finish();
    (outcome, answers)
}

fn plain(arrival: u64) -> (u64, Class, u32) {
    (arrival, Class::Low, 1)
}

#[test]
fn a_sequence_whose_client_gives_up_leaves_with_the_iteration_under_way() {
    let client = "[client]\ntimeout = \"390ms\"\nabandoned = \"stopped\"\n";
    let (outcome, answers) = run(2000, &format!("{LLM}{client}"), &[(0, Class::Low, 10), plain(300)]);
    assert_eq!(answers, [(300, 400, 500)]);
    assert_eq!((outcome.counts.timed_out, outcome.sending.wasted_s), (1, 0.39));
    let unnoticed = client.replace("stopped", "served");
    let (outcome, answers) = run(2000, &format!("{LLM}{unnoticed}"), &[(0, Class::Low, 10), plain(300)]);
    assert_eq!(answers, []);
    assert_eq!((outcome.counts.timed_out, outcome.sending.wasted_s), (2, 1.1));
}

#[test]
fn a_batch_that_has_begun_is_not_stopped() {
    let client = "[client]\ntimeout = \"600ms\"\nabandoned = \"stopped\"\n";
    let (outcome, answers) = run(1500, &format!("{BATCH}{client}"), &[plain(0), plain(500)]);
    assert_eq!(answers, []);
    assert_eq!((outcome.counts.timed_out, outcome.sending.wasted_s), (2, 1.0));
    assert_eq!(outcome.integrals.in_service, 1.5);
}

#[test]
fn who_shares_an_instance_with_one_that_is_stopped_has_it_alone_from_then_on() {
    let client = "[client]\ntimeout = \"1200ms\"\nabandoned = \"stopped\"\n";
    // By 1.2 s the second has had half of 700 ms; the other 250 ms it has alone.
    let requests = [(0, Class::Low, 10), (500, Class::Low, 6)];
    let (outcome, answers) = run(3000, &format!("{SHARED}{client}"), &requests);
    assert_eq!(answers, [(500, 500, 1450)]);
    assert_eq!((outcome.counts.timed_out, outcome.sending.wasted_s), (1, 1.2));
}

#[test]
fn the_high_class_goes_first_and_the_impatient_give_up() {
    let dispatch = "[dispatch]\nhigh_priority = 0.5\n";
    let requests = [plain(0), plain(100), (200, Class::High, 1)];
    let (outcome, answers) = run(2500, &format!("{BATCH}{dispatch}"), &requests);
    assert_eq!(answers, [(0, 0, 1000), (200, 1000, 2000)]);
    assert_eq!(outcome.classes.unwrap()[0].latency.count(), 1);
}

#[test]
fn a_server_of_twice_the_speed_does_everything_twice_as_fast() {
    let fast = "[[instances.type]]\nname = \"fast\"\nspeed = 2\n";
    let one = |service: &str| run(2000, &format!("{service}{fast}"), &[(0, Class::Low, 5)]).1;
    assert_eq!(one(LLM), [(0, 0, 250)]);
    assert_eq!(one(BATCH), [(0, 0, 500)]);
    assert_eq!(one(SHARED), [(0, 0, 250)]);
}

#[test]
fn who_waits_beyond_the_time_of_a_first_token_has_missed_what_is_promised_of_it() {
    let slo = "[slo]\nttft = \"300ms\"\npercentile = 90\n";
    let client = "[client]\ntimeout = \"1h\"\n";
    // One generates for a second; of those behind it, two have waited more than 300 ms at the end.
    let requests = [(0, Class::Low, 10), plain(100), plain(200), plain(800)];
    for scenario in [format!("{LLM}{slo}"), format!("{LLM}{slo}{client}")] {
        assert_eq!(run(900, &scenario, &requests).0.overdue, 2);
    }
    let routed = "[dispatch]\npolicy = \"round_robin\"\n";
    assert_eq!(run(900, &format!("{LLM}{slo}{routed}"), &requests).0.overdue, 2);
}

//! Several promises at once: each counted as by hand, judged together, and the SLO kept only if all are.

use kneepoint::internals::experiment::{Record, Replications, SloVerdict};
use kneepoint::internals::random::Streams;
use kneepoint::internals::scenario::{Scenario, ScenarioFile};
use kneepoint::internals::sim::{Completion, Options, RequestObserver, simulate};
use kneepoint::internals::time::Span;

use crate::fixtures::cli::Work;

/// A queue that is full now and then, of clients that give up now and then.
const CROWDED: &str = "[arrivals]\nkind = \"poisson\"\nrate = 9\n[service]\n\
    time = { dist = \"exponential\", mean = \"1s\" }\n[dispatch]\nqueue_capacity = 12\ntimeout = \"6s\"\n[autoscaler]\n\
    kind = \"fixed\"\ninstances = 10\n[run]\nduration = \"30m\"\nwarmup = \"1m\"\n";

fn scenario(slo: &str) -> Scenario {
    ScenarioFile::parse("test.toml", &format!("{CROWDED}{slo}"), ".").unwrap().scenario().unwrap()
}

/// What became of each request, by hand.
#[derive(Default)]
struct Seen {
    /// Arrival, and the latency of an answer.
    requests: Vec<(u64, Option<u64>)>,
}

impl RequestObserver for Seen {
    fn served(&mut self, request: Completion) {
        self.requests.push((request.arrival, Some(request.finish - request.arrival)));
    }
    fn rejected(&mut self, arrival: u64) {
        self.requests.push((arrival, None));
    }
    fn timed_out(&mut self, arrival: u64, _at: u64) {
        self.requests.push((arrival, None));
    }
    fn failed(&mut self, arrival: u64, _at: u64) {
        self.requests.push((arrival, None));
    }
}

const OPTIONS: Options = Options { mark_interval: Span::from_secs(60), timeline: false, decisions: false };

#[test]
fn each_promise_is_counted_as_by_hand() {
    let slo = "[slo]\nlatency = \"2s\"\navailability = 99.9\nwindow = \"90s\"\n[[slo.promise]]\nlatency = \"1s\"\n\
               percentile = 60\nwindow = \"7m\"\n";
    let model = scenario(slo).model;
    for number in 0..5 {
        let (outcome, seen) = simulate(&model, Streams::new(1, number), &OPTIONS, Seen::default());
        let from = 60_000_000_000;
        let measured: Vec<_> = seen.requests.iter().filter(|(arrival, _)| *arrival >= from).collect();
        let within = |seconds: f64| {
            move |latency: Option<u64>| latency.is_some_and(|latency| latency as f64 <= seconds * 1e9)
        };
        // Requests that wait at the end for longer than promised miss it too: clients wait 6 s, so few do.
        let whole = |kept: &dyn Fn(Option<u64>) -> bool| {
            measured.iter().filter(|(_, latency)| !kept(*latency)).count() as u64
        };
        let windows = |length_s: u64, percent: f64, kept: &dyn Fn(Option<u64>) -> bool| {
            let mut counts = std::collections::BTreeMap::<u64, (u32, u32)>::new();
            for (arrival, latency) in &measured {
                let window = counts.entry((arrival - from) / (length_s * 1_000_000_000)).or_default();
                window.0 += 1;
                window.1 += u32::from(!kept(*latency));
            }
            let missed = counts.values().filter(|(all, missed)| {
                f64::from(*missed) * 100.0 > (100.0 - percent) * f64::from(*all) + 1e-6
            });
            (missed.count() as u64, counts.len() as u64)
        };
        let answered = |latency: Option<u64>| latency.is_some();
        let ended = measured.len() as u64;
        let [availability, late_windows, lost_windows, short, short_windows] = outcome.more[..] else {
            panic!("{:?}", outcome.more)
        };
        assert_eq!(availability, (whole(&answered), ended));
        assert_eq!(lost_windows, windows(90, 99.9, &answered));
        assert_eq!(short.0 + ended - short.1, whole(&within(1.0)), "overdue requests are counted apart");
        // The last window may have overdue requests beside those that ended.
        for (counted, by_hand) in [
            (late_windows, windows(90, 99.0, &within(2.0))),
            (short_windows, windows(420, 60.0, &within(1.0))),
        ] {
            assert!(counted.1 == by_hand.1 && counted.0.abs_diff(by_hand.0) <= 1, "{counted:?} {by_hand:?}");
        }
    }
}

fn replications(slo: &str, many: u32) -> Replications {
    let model = scenario(slo).model;
    let run = |number: u32| {
        let (outcome, ()) = simulate(&model, Streams::new(1, number.into()), &OPTIONS, ());
        Record::of(number, &outcome, model.slo)
    };
    Replications::new((0..many).map(run).collect(), model.slo)
}

#[test]
fn the_slo_is_as_good_as_the_promise_kept_worst_and_the_first_is_as_it_would_be_alone() {
    let alone = replications("[slo]\nlatency = \"20s\"\npercentile = 60\n", 20);
    assert_eq!(alone.keeps_slo(), Some(SloVerdict::Yes));
    let with = |more: &str| replications(&format!("[slo]\nlatency = \"20s\"\npercentile = 60\n{more}"), 20);
    let strict = with("availability = 99.99\n");
    assert_eq!(strict.keeps_slo(), Some(SloVerdict::No));
    for figure in ["latency.p99", "slo_latency", "slo_attainment", "cost"] {
        assert_eq!(strict.figures().get(figure), alone.figures().get(figure), "{figure}");
    }
    // The time below the SLO is that in which any of them is missed.
    assert!(strict.figures().get("below_slo_s").mean > alone.figures().get("below_slo_s").mean);
    let worst = strict.worst_promise().unwrap();
    assert_eq!(worst.promise.describe(|span| span.to_string()), "99.99 % of requests answered");
    assert!(worst.budget_used().mean.unwrap() > 10.0, "{:?}", worst.budget_used());
    assert!(!strict.keeps_slo_on_average() && alone.keeps_slo_on_average());
    let lax = with("[[slo.promise]]\nlatency = \"15s\"\npercentile = 55\n");
    assert_eq!(lax.keeps_slo(), Some(SloVerdict::Yes));
}

#[test]
fn run_says_which_promise_is_missed_and_the_gate_fails() {
    let slo = "replications = 20\n[slo]\nlatency = \"20s\"\npercentile = 60\navailability = 0.9999\n";
    let work = Work::with(&format!("{CROWDED}{slo}"));
    let run = work.run(3, &["run", "scenario.toml", "--gate", "--out", "out"], "");
    assert!(run.stdout.contains("99.99 % of requests answered"), "{}", run.stdout);
    let summary = std::fs::read(work.path().join("out/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["promises"][0]["keeps"], "yes");
    assert_eq!(summary["promises"][1]["keeps"], "no");
    assert!(summary["promises"][1]["budget_used"]["mean"].as_f64().unwrap() > 10.0);
}

//! Simulated against exact queueing theory.
//!
//! Each system runs in independent replications of fixed seeds, its warm-up cut off; the exact value must lie in the
//! Student-t interval of their means. The intervals of the file hold together with 99 % confidence: each of the m has
//! confidence 1 − 0.01/m (Bonferroni). An interval too wide to tell fails too.
//!
//! The exact values are closed forms, or Markov chains solved numerically; each entry names which. Mean service time 1 s
//! unless it says otherwise.

use kneepoint::internals::arrivals::Arrivals;
use kneepoint::internals::autoscaler::{Autoscaler, MetricsDefaults};
use kneepoint::internals::scenario::ScenarioFile;
use kneepoint::internals::schema::{Context, Reader, Tree};
use kneepoint::internals::service::Service;
use kneepoint::internals::sim::{Client, Cost, Dispatch, Instances, Metrics, Model, Outcome};
use kneepoint::internals::time::Span;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::fixtures::estimate::mean_and_error;
use crate::fixtures::replications::replications;

/// A system whose answer is known, and what is asked of it.
struct System {
    name: &'static str,
    arrivals: &'static str,
    /// Distribution of the service time.
    service: &'static str,
    dispatch: &'static str,
    instances: u32,
    /// Requests in service on one instance.
    concurrency: u32,
    /// Expected requests of one replication.
    requests: f64,
    figures: &'static [(&'static str, Figure, f64)],
    source: &'static str,
}

/// One figure of one replication.
type Figure = fn(&Outcome) -> f64;

const SOJOURN: Figure = |outcome| outcome.latency.mean().unwrap();
const WAIT: Figure = |outcome| outcome.wait.mean().unwrap();
const SOJOURN_P99: Figure = |outcome| outcome.latency.quantile(0.99).unwrap();
const WAIT_P95: Figure = |outcome| outcome.wait.quantile(0.95).unwrap();
const BLOCKED: Figure = |outcome| outcome.counts.rejected as f64 / outcome.counts.arrived as f64;
const IN_FLIGHT: Figure =
    |outcome| (outcome.integrals.waiting + outcome.integrals.in_service) / outcome.measured_s;
const DELAYED: Figure = |outcome| {
    let at_once =
        outcome.wait.cumulative().first().filter(|(wait, _)| *wait == 0.0).map_or(0.0, |(_, share)| *share);
    1.0 - at_once
};

const EXPONENTIAL: &str = "{ dist = \"exponential\", mean = \"1s\" }";
const CENTRAL: &str = "policy = \"central_queue\"";

/// Erlang's loss system: 10 servers, no queue, 8 Erlang offered; blocking B = aB₋₁/(c + aB₋₁), insensitive to the service
/// distribution (Sevastyanov 1957).
const fn erlang_loss(name: &'static str, service: &'static str) -> System {
    System {
        name,
        arrivals: "kind = \"poisson\"\nrate = 8",
        service,
        dispatch: "policy = \"central_queue\"\nqueue_capacity = 0",
        instances: 10,
        concurrency: 1,
        requests: 2e5,
        figures: &[("blocking", BLOCKED, 0.1216610642529515)],
        source: "Erlang B recursion",
    }
}

const SYSTEMS: [System; 17] = [
    System {
        name: "M/M/1, ρ 0.5",
        arrivals: "kind = \"poisson\"\nrate = 0.5",
        service: EXPONENTIAL,
        dispatch: CENTRAL,
        instances: 1,
        concurrency: 1,
        requests: 2e5,
        figures: &[("W", SOJOURN, 2.0), ("p99 of T", SOJOURN_P99, 9.210340371976184), ("L", IN_FLIGHT, 1.0)],
        source: "closed form, W = 1/(μ − λ), T exponential",
    },
    System {
        name: "M/M/4, ρ 0.7",
        arrivals: "kind = \"poisson\"\nrate = 2.8",
        service: EXPONENTIAL,
        dispatch: CENTRAL,
        instances: 4,
        concurrency: 1,
        requests: 2e5,
        figures: &[
            ("Wq", WAIT, 0.3572119318604477),
            ("P(wait)", DELAYED, 0.4286543182325373),
            ("p95 of the wait", WAIT_P95, 1.790523169729075),
        ],
        source: "Erlang C, C = B/(1 − ρ(1 − B))",
    },
    System {
        name: "M/M/10 as 2 instances of 5 slots, ρ 0.85",
        arrivals: "kind = \"poisson\"\nrate = 8.5",
        service: EXPONENTIAL,
        dispatch: CENTRAL,
        instances: 2,
        concurrency: 5,
        requests: 3e5,
        figures: &[("W", SOJOURN, 1.353240870077269)],
        source: "Erlang C",
    },
    System {
        name: "M/M/4/8, λ 3.6",
        arrivals: "kind = \"poisson\"\nrate = 3.6",
        service: EXPONENTIAL,
        dispatch: "policy = \"central_queue\"\nqueue_capacity = 4",
        instances: 4,
        concurrency: 1,
        requests: 2e5,
        figures: &[
            ("blocking", BLOCKED, 0.09663550359690937),
            ("W of the served", SOJOURN, 1.3320382167551974),
        ],
        source: "birth-death chain",
    },
    erlang_loss("Erlang B, exponential", EXPONENTIAL),
    erlang_loss("Erlang B, constant", "\"1s\""),
    erlang_loss(
        "Erlang B, hyperexponential of cv 3",
        "{ dist = \"hyperexponential\", mean = \"1s\", cv = 3 }",
    ),
    System {
        name: "M/G/1, lognormal of cv² 4, ρ 0.5",
        arrivals: "kind = \"poisson\"\nrate = 0.5",
        service: "{ dist = \"lognormal\", mean = \"1s\", cv = 2 }",
        dispatch: CENTRAL,
        instances: 1,
        concurrency: 1,
        requests: 4e5,
        figures: &[("Wq", WAIT, 2.5), ("P(wait)", DELAYED, 0.5)],
        source: "Pollaczek–Khinchine, Wq = λ E[S²]/(2(1 − ρ))",
    },
    System {
        name: "M/D/4, ρ 0.8",
        arrivals: "kind = \"poisson\"\nrate = 3.2",
        service: "\"1s\"",
        dispatch: CENTRAL,
        instances: 4,
        concurrency: 1,
        requests: 2e5,
        figures: &[("Wq", WAIT, 0.3860949308537174)],
        source: "N(t + D) = max(N(t) − c, 0) + Poisson(λD), solved (Crommelin 1932)",
    },
    System {
        name: "M/H2/4 of cv² 4, ρ 0.8",
        arrivals: "kind = \"poisson\"\nrate = 3.2",
        service: "{ dist = \"hyperexponential\", mean = \"1s\", cv = 2 }",
        dispatch: CENTRAL,
        instances: 4,
        concurrency: 1,
        requests: 3e5,
        figures: &[("Wq", WAIT, 1.7176157386085247)],
        source: "Markov chain, truncated at a mass of 1e-38",
    },
    System {
        name: "GI/M/1, gamma of cv 3.5, ρ 0.5",
        arrivals: "kind = \"renewal\"\nrate = 0.5\ncv = 3.5",
        service: EXPONENTIAL,
        dispatch: CENTRAL,
        instances: 1,
        concurrency: 1,
        requests: 4e5,
        figures: &[("W", SOJOURN, 10.916919199123573), ("p99 of T", SOJOURN_P99, 50.27427081864487)],
        source: "root of σ = A*(μ(1 − σ)), W = 1/(μ(1 − σ))",
    },
    System {
        name: "MMPP/M/1, rates 0.5 and 0.9",
        arrivals: "kind = \"mmpp\"\nstates = [{ rate = 0.5, duration = \"10s\" }, { rate = 0.9, duration = \"10s\" }]",
        service: EXPONENTIAL,
        dispatch: CENTRAL,
        instances: 1,
        concurrency: 1,
        requests: 4e5,
        figures: &[("W", SOJOURN, 3.891814977723432), ("P(wait)", DELAYED, 0.7236339584794513)],
        source: "Markov chain, truncated at a mass of 1e-109",
    },
    System {
        name: "random split over 4, ρ 0.8: M/M/1",
        arrivals: "kind = \"poisson\"\nrate = 3.2",
        service: EXPONENTIAL,
        dispatch: "policy = \"random\"",
        instances: 4,
        concurrency: 1,
        requests: 5e5,
        figures: &[("W", SOJOURN, 5.0)],
        source: "closed form: a random split of Poisson arrivals is Poisson",
    },
    System {
        name: "round robin over 8, ρ 0.8: E8/M/1",
        arrivals: "kind = \"poisson\"\nrate = 6.4",
        service: EXPONENTIAL,
        dispatch: "policy = \"round_robin\"",
        instances: 8,
        concurrency: 1,
        requests: 4e5,
        figures: &[("W", SOJOURN, 2.979728891270807)],
        source: "GI/M/1 with the sum of 8 exponentials between arrivals",
    },
    System {
        name: "join the shortest of 4 queues, ρ 0.8",
        arrivals: "kind = \"poisson\"\nrate = 3.2",
        service: EXPONENTIAL,
        dispatch: "policy = \"least_outstanding\"",
        instances: 4,
        concurrency: 1,
        requests: 3e5,
        figures: &[("W", SOJOURN, 1.9531341926213122)],
        source: "Markov chain of the sorted queues, truncated at a mass of 1.5e-9",
    },
    System {
        name: "the shorter of 2 of 3 queues, ρ 0.8",
        arrivals: "kind = \"poisson\"\nrate = 2.4",
        service: EXPONENTIAL,
        dispatch: "policy = \"power_of_d\"\nchoices = 2",
        instances: 3,
        concurrency: 1,
        requests: 3e5,
        figures: &[("W", SOJOURN, 2.5099997888491195)],
        source: "Markov chain of the sorted queues, truncated at a mass of 5e-12",
    },
    System {
        name: "M(t)/M/∞, λ(t) = 10 + 5 sin(2πt/600 s), service 60 s",
        arrivals: "kind = \"diurnal\"\nrate = 10\namplitude = 0.5\nperiod = \"600s\"\npeak_at = \"150s\"",
        service: "{ dist = \"exponential\", mean = \"60s\" }",
        dispatch: CENTRAL,
        instances: 1,
        concurrency: 1200,
        requests: 132_000.0,
        figures: &[
            ("mean N at a quarter of the period", |outcome| in_flight_at(outcome, 150), 815.0870400974693),
            ("mean N at half the period", |outcome| in_flight_at(outcome, 300), 735.1431730105166),
        ],
        source: "m(t) = λ̄E[S] + β(μ sin γt − γ cos γt)/(μ² + γ²) (Eick, Massey and Whitt 1993)",
    },
];

/// Mean number in flight `offset` seconds into each period of 600 s after the second: the seconds before and after it.
fn in_flight_at(outcome: &Outcome, offset: u64) -> f64 {
    let near = |end_s: f64| {
        let into = (end_s.round() as u64) % 600;
        end_s > 1200.0 && (into == offset || into == offset + 1)
    };
    let seen: Vec<f64> =
        outcome.timeline.iter().filter(|window| near(window.end_s)).map(|window| window.in_flight).collect();
    seen.iter().sum::<f64>() / seen.len() as f64
}

const REPLICATIONS: u64 = 20;
/// Share of a replication that is cut off: at least 1000 s, many times the relaxation time of any of these systems.
const WARMUP: f64 = 0.05;
/// Half of the widest interval that still tells something, relative to the exact value.
const WIDEST: f64 = 0.05;

impl System {
    fn model(&self) -> Model {
        let context = Context::default();
        let tree = |text: &str| Tree::parse(text).unwrap();
        let service =
            format!("model = \"slots\"\ntime = {}\nconcurrency = {}", self.service, self.concurrency);
        let absent = |path| Reader::absent(path, &context);
        let arrivals = Arrivals::read(tree(self.arrivals).root(), "arrivals", &context).unwrap();
        let rate = arrivals.mean_rate(Span::from_secs(600_000));
        let duration = Span::from_secs_f64((self.requests / rate).round());
        Model {
            arrivals,
            service: Service::read(tree(&service).root(), "service", &context).unwrap(),
            instances: Instances::read(&absent("instances")).unwrap(),
            dispatch: Dispatch::read(tree(self.dispatch).root(), "dispatch", &context).unwrap(),
            client: Client::default(),
            metrics: Metrics::read(&absent("metrics"), MetricsDefaults::DEFAULT).unwrap(),
            autoscaler: Autoscaler::fixed(self.instances),
            cost: Cost::read(&absent("cost")).unwrap(),
            slo: None,
            duration,
            warmup: Span::from_secs_f64(duration.as_secs_f64() * WARMUP),
            decode: None,
        }
    }

    /// The outcomes of independent replications.
    fn replications(&self, seed: u64) -> Vec<Outcome> {
        // Only the system that changes with time is looked at window by window.
        let window = self.arrivals.contains("diurnal").then(|| Span::from_secs(1));
        replications(&self.model(), seed, REPLICATIONS, window)
    }
}

/// Mean of `values` and half of its interval of this confidence (Student 1908).
fn interval(values: &[f64], confidence: f64) -> (f64, f64) {
    let (mean, error) = mean_and_error(values.iter().copied());
    let t = StudentsT::new(0.0, 1.0, values.len() as f64 - 1.0).unwrap().inverse_cdf(0.5 + confidence / 2.0);
    (mean, t * error)
}

#[test]
fn simulated_systems_agree_with_their_exact_values() {
    let intervals: usize = SYSTEMS.iter().map(|system| system.figures.len()).sum();
    let confidence = 1.0 - 0.01 / intervals as f64;
    let mut wrong = vec![];
    for (system, seed) in SYSTEMS.iter().zip(1..) {
        let outcomes = system.replications(seed);
        for (figure, of, exact) in system.figures {
            let values: Vec<f64> = outcomes.iter().map(of).collect();
            let (mean, half) = interval(&values, confidence);
            let line = format!(
                "{}: {figure} is {exact:.5} ({}), simulated {mean:.5} ± {half:.5}",
                system.name, system.source
            );
            println!("{line}");
            if (mean - exact).abs() > half || half > WIDEST * exact {
                wrong.push(line);
            }
        }
    }
    assert!(wrong.is_empty(), "at {confidence} confidence each:\n{}", wrong.join("\n"));
}

/// Two pools in tandem: prompts of exponential length on three instances, one at a time, and answers of exponential length on
/// four. What leaves an M/M/c queue is a Poisson process (Burke 1956), and a time that all take in between leaves it one, so each
/// pool is an M/M/c queue by itself and the waits are those of Erlang's C formula (Jackson 1957): at 2.4 requests a second of a mean of
/// 1 s, C(3, 2.4) / (3 − 2.4) and C(4, 2.4) / (4 − 2.4).
const TANDEM: &str = r#"
[arrivals]
kind = "poisson"
rate = 2.4
[service]
model = "llm"
fixed = "0ms"
per_prefill_token = "1ms"
per_sequence = "1ms"
max_sequences = 1
token_budget = 1000000
prompt_tokens = { dist = "exponential", mean = 1000 }
output_tokens = { dist = "exponential", mean = 1001 }
[instances]
initial = 3
[autoscaler]
kind = "fixed"
instances = 3
[decode.transfer]
latency = "300ms"
[decode.instances]
initial = 4
[decode.autoscaler]
kind = "fixed"
instances = 4
[run]
duration = "25000s"
warmup = "1250s"
"#;

#[test]
fn two_pools_in_tandem_wait_as_two_queues_by_themselves() {
    let model = ScenarioFile::parse("tandem.toml", TANDEM, ".").unwrap().scenario().unwrap().model;
    let outcomes = replications(&model, 77, REPLICATIONS, None);
    let erlang_c = |servers: u32, load: f64| {
        let term = |count: u32| (1..=count).fold(1.0, |term, k| term * load / f64::from(k));
        let below: f64 = (0..servers).map(term).sum();
        let all_busy = term(servers) * f64::from(servers) / (f64::from(servers) - load);
        all_busy / (below + all_busy) / (f64::from(servers) - load)
    };
    let (first, second) = (erlang_c(3, 2.4), erlang_c(4, 2.4));
    assert!((first - 1.0787).abs() < 1e-3 && (second - 0.1794).abs() < 1e-3, "{first} {second}");
    let of_pools = |of: fn(&kneepoint::internals::sim::PoolOutcomes) -> f64| {
        outcomes.iter().map(|outcome| of(outcome.pools.as_ref().unwrap())).collect::<Vec<_>>()
    };
    let confidence = 1.0 - 0.01 / 3.0;
    for (what, values, exact) in [
        ("the wait for a prompt", of_pools(|pools| pools.prefill.wait.mean().unwrap()), first),
        ("the wait for decoding", of_pools(|pools| pools.decode.wait.mean().unwrap()), second),
        ("the latency", outcomes.iter().map(SOJOURN).collect(), first + 1.0 + 0.3 + second + 1.0),
    ] {
        let (mean, half) = interval(&values, confidence);
        println!("{what} is {exact:.5}, simulated {mean:.5} ± {half:.5}");
        assert!((mean - exact).abs() <= half && half <= WIDEST * exact, "{what}: {exact} {mean} ± {half}");
    }
}

//! Real runs of the Kubernetes HPA: their very loads, simulated.
//!
//! The runs are those of github.com/nadamdb/k8s-hpa-modeling: Kubernetes 1.13.4, a pod of one single-threaded server that
//! is busy for a drawn time at each request, an HPA on its CPU. Send times and service times are drawn here as its load
//! generator drew them, with the generator of NumPy's `RandomState`.

use std::path::{Path, PathBuf};

use kneepoint::internals::backtest::{Observed, backtest};
use kneepoint::internals::experiment::Evaluator;
use kneepoint::internals::scenario::ScenarioFile;
use kneepoint::internals::time::Span;
use rayon::prelude::*;
use serde_json::Value;

use crate::fixtures::data::{folder_with, unzipped};
use crate::fixtures::estimate::mean_and_error;
use crate::fixtures::replications::replications;
use crate::fixtures::scenario::scenario;
use crate::mersenne::Mersenne;

/// CPUs of a pod: its request, and its limit.
const CORES: f64 = 0.1;

/// What is not in the description of the cluster, nor a default of what it runs on.
#[derive(Debug, Clone, Copy)]
struct Fitted {
    /// What a request takes beside its own time, seconds: HTTP, on a tenth of a CPU. The data say 0.03 to 0.1.
    overhead_s: f64,
    /// Connections that wait for a server to accept them.
    backlog: Option<u32>,
    /// Time between two scrapes of metrics-server, seconds.
    scrape_s: f64,
}

/// Found by trying. The bound on connections is `net.core.somaxconn` of Linux before 5.4.
const FITTED: Fitted = Fitted { overhead_s: 0.05, backlog: Some(128), scrape_s: 60.0 };

/// What a sync takes, seconds: the next one comes a period after it was processed. In the logs changes of `desired` come 0.04 to
/// 0.2 s a sync later than a metronome's.
const SYNC_DELAY_S: f64 = 0.1;

/// Retransmissions of a connection that a full backlog dropped, after 1, 2, 4 s and so on: `net.ipv4.tcp_syn_retries` of Linux, whose
/// first time-out is RFC 6298's.
const SYN_RETRIES: u32 = 6;

/// How long a deleted pod counts until it is gone, seconds: 10 at the median of the logs, which see it every 10 s.
const GONE_AFTER_S: usize = 10;

/// What a client sends: when, and for how long each request keeps a server busy; seconds.
struct Load {
    send: Vec<f64>,
    service: Vec<f64>,
}

/// States of a Markov-modulated load: the rate of each, and the probabilities of the next one.
struct States {
    rates: Vec<f64>,
    next: Vec<Vec<f64>>,
}

/// Draws a load as the generator does: gap by gap until `seconds` are full, looking for the next state at the first
/// request 90 s after it last did, and all service times after that.
fn draw(seconds: f64, states: &States, serve_rate: f64, seed: u32) -> Load {
    let mut random = Mersenne::new(seed);
    let exponential = |random: &mut Mersenne, mean: f64| mean * -(1.0 - random.uniform()).ln();
    let (mut send, mut total, mut changed, mut state) = (vec![0.0], 0.0, 0.0, 0);
    while total < seconds {
        total += exponential(&mut random, 1.0 / states.rates[state]);
        send.push(total);
        if states.rates.len() > 1 && changed <= total - 90.0 {
            changed = total;
            let (u, mut below) = (random.uniform(), 0.0);
            for (next, probability) in states.next[state].iter().enumerate() {
                below += probability;
                if u < below {
                    state = next;
                    break;
                }
            }
        }
    }
    let service = send.iter().map(|_| exponential(&mut random, 1.0 / serve_rate)).collect();
    Load { send, service }
}

/// A measured run.
struct Run {
    load: Load,
    /// Time from its start to the last request, seconds.
    sent: f64,
    /// Pods, and pods asked for, in each second of that.
    pods: Vec<f64>,
    desired: Vec<f64>,
    /// Mean CPU of all pods in the CPUs of one, if it was logged.
    cpu: Option<f64>,
    /// Time between two syncs, seconds.
    period: f64,
}

fn read(path: &Path, period: f64) -> Option<Run> {
    let log: Value = serde_json::from_slice(&unzipped(path)?).expect("a log is JSON");
    let meta = &log["metadata"];
    let number = |name: &str| meta[name].as_f64().unwrap_or_else(|| panic!("{name} of {}", path.display()));
    let rates = match &meta["load_rate"] {
        Value::String(rates) => rates.split('_').map(|rate| rate.parse().unwrap()).collect(),
        rate => vec![rate.as_f64().unwrap()],
    };
    let row = |row: &Value| row.as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
    let next = meta["transition_matrix"].as_array().map(|rows| rows.iter().map(row).collect());
    let states = States { rates, next: next.unwrap_or_default() };
    let mut load = draw(
        number("measurement_length") * 60.0,
        &states,
        number("serve_rate"),
        number("random_seed") as u32,
    );
    let (start, sent) = (number("start_time"), number("requests_sent_time") - number("start_time"));
    // Each send took the client a little longer than planned.
    let over = (sent - load.send[load.send.len() - 1]) / load.send.len() as f64;
    load.send.iter_mut().enumerate().for_each(|(index, send)| *send += index as f64 * over);
    let series = |name: &str| -> Vec<f64> {
        let points = log["data"][name].as_array().map(Vec::as_slice).unwrap_or_default();
        let points: Vec<(f64, f64)> = points
            .iter()
            .map(|point| (point[0].as_f64().unwrap() - start, point[1].as_str().unwrap().parse().unwrap()))
            .collect();
        let held = |second: usize| {
            let index = points.partition_point(|(at, _)| *at <= second as f64 + 1.0);
            points[index.max(1) - 1].1
        };
        (0..sent as usize).map(held).collect()
    };
    let cpu = log["data"]["cpu_hpa"].as_array().map(|_| {
        let cores = series("cpu_hpa");
        cores.iter().sum::<f64>() / cores.len() as f64 / CORES
    });
    Some(Run { sent, pods: series("pod_count"), desired: series("hpa_desired"), cpu, load, period })
}

/// How a simulated run compares: measured and here.
struct Score {
    /// Sum of the differences of pods over the sum of the measured, and that with their signs.
    apart: f64,
    bias: f64,
    peaks: (f64, f64),
    events: (f64, f64),
    cpu: Option<(f64, f64)>,
}

/// Pods in each second of the run simulated, and the mean of busy ones. A pod takes in no more requests than its backlog
/// beside the one it works at; the kernel of the client tries again.
fn simulated(run: &Run, fitted: Fitted) -> (Vec<f64>, f64) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let rows = run.load.send.iter().zip(&run.load.service);
    let text: String = rows.map(|(at, time)| format!("{at:.6},{:.6}\n", time + fitted.overhead_s)).collect();
    std::fs::write(file.path(), text).unwrap();
    let model = scenario(&deployed(run, fitted, file.path()), "").model;
    let outcome = replications(&model, 1, 1, Some(Span::from_secs(1))).remove(0);
    let pods = outcome.timeline.iter().map(|window| f64::from(window.ready + window.starting));
    let pods: Vec<f64> = pods.collect();
    let counted = |second: usize| {
        pods[second.saturating_sub(GONE_AFTER_S)..=second].iter().copied().fold(0.0, f64::max)
    };
    ((0..pods.len()).map(counted).collect(), outcome.integrals.work / outcome.measured_s)
}

/// The scenario of a run, whose requests are in the file at `trace`.
fn deployed(run: &Run, fitted: Fitted, trace: &Path) -> String {
    // The clock of the syncs is not logged, but a change shows when it struck.
    let changed = run.desired.windows(2).position(|pair| pair[0] != pair[1]).map_or(0, |index| index + 1);
    format!(
        r#"
        [arrivals]
        kind = "trace"
        file = '{}'
        service_time = 2
        service_unit = "s"
        [service]
        concurrency = 1
        [instances]
        initial = 1
        cold_start = "6s"
        [dispatch]
        policy = "round_robin"
        {}
        [client]
        retries = {SYN_RETRIES}
        backoff = "1s"
        backoff_max = "32s"
        jitter = "none"
        [autoscaler]
        kind = "hpa"
        max = 20
        metrics = [{{ average_utilization = 75 }}]
        sync_period = "{period}s"
        sync_delay = "{SYNC_DELAY_S}s"
        downscale_stabilization = "{period}s"
        cpu_initialization_period = "{period}s"
        initial_readiness_delay = "{period}s"
        phase = "{:.3}s"
        release = "1.32"
        [metrics]
        scrape_interval = "{}s"
        [run]
        duration = "{}s"
        "#,
        trace.display(),
        fitted.backlog.map_or_else(String::new, |backlog| format!("queue_capacity = {backlog}")),
        (changed as f64).rem_euclid(run.period + SYNC_DELAY_S),
        fitted.scrape_s,
        run.sent.floor(),
        period = run.period,
    )
}

fn score(run: &Run, fitted: Fitted) -> Score {
    let (pods, busy) = simulated(run, fitted);
    let both = || run.pods.iter().zip(&pods);
    let measured: f64 = run.pods.iter().sum();
    let peak = |pods: &[f64]| pods.iter().copied().fold(0.0, f64::max);
    let events = |pods: &[f64]| pods.windows(2).filter(|pair| pair[0] != pair[1]).count() as f64;
    Score {
        apart: both().map(|(measured, here)| (here - measured).abs()).sum::<f64>() / measured,
        bias: both().map(|(measured, here)| here - measured).sum::<f64>() / measured,
        peaks: (peak(&run.pods), peak(&pods)),
        events: (events(&run.pods), events(&pods)),
        cpu: run.cpu.map(|cpu| (cpu, busy)),
    }
}

/// The runs of a set, if they are there.
fn runs(set: &str, period: f64) -> Option<Vec<Run>> {
    let folder = format!("measured/k8s-hpa/logs/{set}");
    let entries = std::fs::read_dir(folder_with(&folder)?.join(&folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.par_iter().map(|path| read(path, period)).collect()
}

/// Mean over the runs and the half width of its 95 % interval (normal, for two dozen runs and more).
fn estimate(scores: &[Score], of: impl Fn(&Score) -> f64) -> (f64, f64) {
    let (mean, error) = mean_and_error(scores.iter().map(of));
    (mean, 1.96 * error)
}

fn report(set: &str, scores: &[Score]) {
    let ((apart, a), (bias, b)) = (estimate(scores, |s| s.apart), estimate(scores, |s| s.bias));
    let mean = |of: fn(&Score) -> f64| estimate(scores, of).0;
    println!(
        "{set}: {} runs, apart {:.1} ± {:.1} %, bias {:+.1} ± {:.1} %, peaks {:.1} measured and {:.1} here, events {:.1} and {:.1}",
        scores.len(),
        100.0 * apart,
        100.0 * a,
        100.0 * bias,
        100.0 * b,
        mean(|s| s.peaks.0),
        mean(|s| s.peaks.1),
        mean(|s| s.events.0),
        mean(|s| s.events.1),
    );
    let cpu: Vec<(f64, f64)> = scores.iter().filter_map(|score| score.cpu).collect();
    if !cpu.is_empty() {
        let total = cpu.iter().fold((0.0, 0.0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
        let count = cpu.len() as f64;
        println!("  busy pods {:.2} measured and {:.2} here, {count} runs", total.0 / count, total.1 / count);
    }
}

/// Two real runs of one load are 6.7 to 10.6 % apart, so no simulator can be much nearer.
#[test]
fn poisson_runs_are_as_near_to_the_simulated_ones_as_to_one_another() {
    for (set, period) in [
        ("measurement_3_60s", 60.0),
        ("measurement_3_90s", 90.0),
        ("measurement_2_90s", 90.0),
        ("measurement_2_15s", 15.0),
    ] {
        let Some(runs) = runs(set, period) else { continue };
        let scores: Vec<Score> = runs.par_iter().map(|run| score(run, FITTED)).collect();
        report(set, &scores);
        let (apart, bias) = (estimate(&scores, |s| s.apart).0, estimate(&scores, |s| s.bias).0);
        assert!(apart < 0.095, "{set}: {apart} apart");
        assert!(bias.abs() < 0.03, "{set}: {bias} too many");
        let peaks = estimate(&scores, |s| s.peaks.1 - s.peaks.0).0;
        assert!(peaks.abs() < 1.0, "{set}: peaks differ by {peaks}");
    }
}

/// With rates that jump, queues of hundreds of requests build up on the pods there are. If all of those were worked off,
/// pods would stay busy, and wanted, long after the rate has fallen; but a socket holds 128 connections and no more. What it
/// drops comes back for up to a minute.
#[test]
fn runs_with_jumping_rates_agree_once_a_pod_takes_in_no_more_than_its_socket_holds() {
    let Some(runs) = runs("measurement_4_90s", 90.0) else { return };
    let all = |fitted| -> Vec<Score> { runs.par_iter().map(|run| score(run, fitted)).collect() };
    let (bounded, boundless) = (all(FITTED), all(Fitted { backlog: None, ..FITTED }));
    report("measurement_4_90s, 128 connections a pod", &bounded);
    report("measurement_4_90s, without a bound", &boundless);
    let bias = |scores: &[Score]| estimate(scores, |score| score.bias).0;
    assert!(bias(&boundless) > 0.12, "{} without a bound", bias(&boundless));
    assert!(bias(&bounded).abs() < 0.05, "{} with it", bias(&bounded));
    let apart = estimate(&bounded, |score| score.apart).0;
    assert!(apart < 0.15, "{apart} apart");
}

/// The deployed settings against the measured pods, as `kneepoint backtest` compares them: near as they are, and with a
/// start that is said to take two minutes, which is found to be the piece that is wrong.
#[test]
fn a_backtest_of_measured_pods_is_near_and_finds_a_start_that_is_wrong() {
    let Some(runs) = runs("measurement_3_60s", 60.0) else { return };
    let mut near = Vec::new();
    for run in runs.iter().take(5) {
        let folder = tempfile::tempdir().unwrap();
        let rows = run.load.send.iter().zip(&run.load.service);
        let trace: String =
            rows.map(|(at, time)| format!("{at:.6},{:.6}\n", time + FITTED.overhead_s)).collect();
        std::fs::write(folder.path().join("trace.csv"), trace).unwrap();
        let text = deployed(run, FITTED, &folder.path().join("trace.csv"));
        let text = text.replace("[run]", "[run]\n        replications = 1");
        let ends = (15..run.pods.len()).step_by(15);
        let observed: String = ends.map(|end| format!("{end},{}\n", run.pods[end - 1])).collect();
        let observed = Observed::read("pods.csv", &format!("time_s,ready\n{observed}")).unwrap();
        let backtest = |text: &str| {
            let file = ScenarioFile::parse("deployed.toml", text, folder.path()).unwrap();
            backtest(&file, &observed, None, &Evaluator::default()).unwrap()
        };
        let as_it_was = backtest(&text);
        near.push(as_it_was.errors[0].apart);
        let slow = backtest(&text.replace("cold_start = \"6s\"", "cold_start = \"120s\""));
        assert!(slow.errors[0].apart > as_it_was.errors[0].apart, "{:?}", slow.errors);
    }
    let mean = near.iter().sum::<f64>() / near.len() as f64;
    println!("measurement_3_60s: {} backtests, ready {:.1} % apart", near.len(), 100.0 * mean);
    assert!(mean < 0.10, "{near:?}");
}

/// The constants by the runs of even number, and how they do on those of odd number, which they were not fitted on:
/// `cargo test --test measured -- --ignored --nocapture every_other_run`.
#[test]
#[ignore = "a search, for a person to read"]
fn the_constants_fit_on_every_other_run() {
    let sets = [
        ("measurement_4_90s", 90.0),
        ("measurement_2_90s", 90.0),
        ("measurement_2_15s", 15.0),
        ("measurement_3_90s", 90.0),
        ("measurement_3_60s", 60.0),
    ];
    let loaded: Option<Vec<Vec<Run>>> = sets.iter().map(|(set, period)| runs(set, *period)).collect();
    let Some(loaded) = loaded else { return };
    let tried = |change: fn(&mut Fitted, f64), values: &[f64]| -> Vec<Fitted> {
        let one = |value: &f64| {
            let mut fitted = FITTED;
            change(&mut fitted, *value);
            fitted
        };
        values.iter().map(one).collect()
    };
    let all = [
        tried(|fitted, value| fitted.overhead_s = value, &[0.05, 0.04, 0.06]),
        tried(|fitted, value| fitted.backlog = Some(value as u32), &[100.0]),
        tried(|fitted, value| fitted.scrape_s = value, &[30.0]),
    ];
    for fitted in all.concat() {
        println!("{fitted:?}");
        for ((set, _), runs) in sets.iter().zip(&loaded) {
            let scores: Vec<Score> = runs.par_iter().map(|run| score(run, fitted)).collect();
            let of = |odd: usize, of: fn(&Score) -> f64| {
                let half = scores.iter().skip(odd).step_by(2).map(of);
                let (mean, error) = mean_and_error(half);
                format!("{:+.1} ± {:.1} %", 100.0 * mean, 196.0 * error)
            };
            println!(
                "  {set}: fitted apart {}, bias {}; held out apart {}, bias {}",
                of(0, |score| score.apart),
                of(0, |score| score.bias),
                of(1, |score| score.apart),
                of(1, |score| score.bias),
            );
        }
    }
}

#[test]
fn the_generator_is_that_of_numpy() {
    // numpy.random.RandomState(5489): its first words are those of the authors' test, by init_genrand(5489).
    let mut random = Mersenne::new(5489);
    let (high, low) = (3_499_211_612_u32 >> 5, 581_869_302_u32 >> 6);
    assert_eq!(random.uniform(), (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0);
}

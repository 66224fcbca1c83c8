//! Measured runs of vLLM: the same requests, simulated.

use std::path::Path;
use std::process::Command;

use kneepoint::internals::backtest::{Observed, backtest};
use kneepoint::internals::experiment::Evaluator;
use kneepoint::internals::scenario::ScenarioFile;
use kneepoint::internals::sim::Outcome;
use kneepoint::internals::time::Span;

use crate::fixtures::data::folder_with;
use crate::fixtures::replications::replications;
use crate::fixtures::scenario::scenario;

/// A column of a CSV text, as numbers.
fn column(text: &[u8], name: &str) -> Vec<f64> {
    let mut reader = csv::Reader::from_reader(text);
    let index = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
    reader.records().map(|row| row.unwrap()[index].parse().unwrap()).collect()
}

fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((q * sorted.len() as f64) as usize).min(sorted.len() - 1)]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn show((least, mean, most): (f64, f64, f64)) -> String {
    format!("{mean:.3} ({least:.3} to {most:.3})")
}

/// Least, mean and greatest of a figure over replications.
fn range(runs: &[Outcome], of: impl Fn(&Outcome) -> Option<f64>) -> (f64, f64, f64) {
    let values: Vec<f64> = runs.iter().filter_map(of).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, mean(&values), values.iter().copied().fold(0.0, f64::max))
}

/// Rates of the load tests, requests a second as their names say.
const RATES: [&str; 11] = ["0.1", "0.5", "0.9", "1.3", "1.7", "2.1", "2.5", "2.9", "3.3", "3.7", "4.1"];

/// The rates at which a replica mostly has one request or none.
const QUIET: [&str; 3] = ["0.1", "0.5", "0.9"];

/// Eight replicas of vLLM 0.7.0 with Llama 3.1 8B on one A100 of 80 GB each, behind a Kubernetes service: prompts of 21,000
/// tokens, answers of 100, no chunked prefill. Times of an iteration are fitted to the three lowest rates, the rest is
/// simulated from the send times and the tokens of each request.
#[test]
fn a_load_test_of_vllm_is_foretold_from_its_lowest_rates() {
    const FILE: &str = "traces/aibrix-vllm-loadtest/benchmark_output_20250323.zip";
    let Some(archive) = folder_with(FILE).map(|folder| folder.join(FILE)) else { return };
    let folder = tempfile::tempdir().unwrap();
    for rate in RATES {
        let name = format!("benchmark_output_20250323/naive_output_{rate}.csv");
        let output = match Command::new("unzip").arg("-p").arg(&archive).arg(&name).output() {
            Ok(output) if output.status.success() => output.stdout,
            _ => {
                eprintln!("skipped: `unzip` is needed to read {}", archive.display());
                return;
            }
        };
        std::fs::write(folder.path().join(format!("{rate}.csv")), output).unwrap();
    }
    let read = |rate: &str| std::fs::read(folder.path().join(format!("{rate}.csv"))).unwrap();
    let mut fit = "concurrency,tpot,ttft,prompt\n".to_owned();
    for rate in QUIET {
        let text = read(rate);
        let (ttft, rest) = (column(&text, "ttft"), column(&text, "generation_time"));
        let tpot: Vec<f64> =
            rest.iter().zip(column(&text, "generation_tokens")).map(|(time, n)| time / (n - 1.0)).collect();
        let latency: Vec<f64> = ttft.iter().zip(&rest).map(|(one, other)| one + other).collect();
        // A request and, on average, so many others on its replica; 100 s of load on eight.
        let others = mean(&latency) * latency.len() as f64 / 100.0 / 8.0;
        fit += &format!(
            "{},{},{},{}\n",
            1.0 + others,
            quantile(&tpot, 0.5),
            quantile(&ttft, 0.5),
            mean(&column(&text, "prompt_tokens"))
        );
    }
    std::fs::write(folder.path().join("fit.csv"), fit).unwrap();
    let mut within = 0;
    for rate in RATES {
        let measured = read(rate);
        let ttft = column(&measured, "ttft");
        let latency: Vec<f64> =
            ttft.iter().zip(column(&measured, "generation_time")).map(|(one, other)| one + other).collect();
        let text = format!(
            "[arrivals]\nkind = \"trace\"\nfile = \"{rate}.csv\"\nformat = \"aibrix\"\n\
             [service]\nmodel = \"llm\"\nmax_sequences = 256\ntoken_budget = 32000\nkv_tokens = 440000\n\
             fit = {{ file = \"fit.csv\", ttft = \"ttft\", prompt_tokens = \"prompt\" }}\n\
             [dispatch]\npolicy = \"random\"\n[autoscaler]\nkind = \"fixed\"\ninstances = 8\n[run]\nduration = \"10m\""
        );
        let runs = replications(&scenario(&text, folder.path()).model, 7, 20, None);
        assert!(runs.iter().all(|run| run.counts.served == ttft.len() as u64));
        let tokens = |run: &Outcome, q| run.tokens.as_ref().and_then(|tokens| tokens.ttft.quantile(q));
        let (first, last) =
            (range(&runs, |run| tokens(run, 0.5)), range(&runs, |run| run.latency.quantile(0.5)));
        // Medians: within a twentieth while a replica mostly has one request or none, else the right size.
        let (first_apart, last_apart) = if QUIET.contains(&rate) { (0.05, 0.05) } else { (0.6, 0.9) };
        assert!((first.1 / quantile(&ttft, 0.5) - 1.0).abs() < first_apart, "TTFT at {rate}: {first:?}");
        assert!((last.1 / quantile(&latency, 0.5) - 1.0).abs() < last_apart, "latency at {rate}: {last:?}");
        println!(
            "{rate}: TTFT p50 {:.2} here {} p99 {:.2} here {}; latency p50 {:.2} here {} p99 {:.2} here {}",
            quantile(&ttft, 0.5),
            show(range(&runs, |run| tokens(run, 0.5))),
            quantile(&ttft, 0.99),
            show(range(&runs, |run| tokens(run, 0.99))),
            quantile(&latency, 0.5),
            show(range(&runs, |run| run.latency.quantile(0.5))),
            quantile(&latency, 0.99),
            show(range(&runs, |run| run.latency.quantile(0.99))),
        );
        if QUIET.contains(&rate) {
            continue;
        }
        // The client keeps its connections alive for 5 s: only a new one draws a replica.
        let kept = text.replace("policy = \"random\"", "policy = \"connections\"");
        let runs = replications(&scenario(&kept, folder.path()).model, 7, 20, None);
        let compared = [
            (quantile(&ttft, 0.5), range(&runs, |run| tokens(run, 0.5))),
            (quantile(&ttft, 0.99), range(&runs, |run| tokens(run, 0.99))),
            (quantile(&latency, 0.5), range(&runs, |run| run.latency.quantile(0.5))),
            (quantile(&latency, 0.99), range(&runs, |run| run.latency.quantile(0.99))),
        ];
        for (measured, here) in compared {
            within += usize::from((here.0..=here.2).contains(&measured));
            println!("{rate}, connections kept: {measured:.2} here {}", show(here));
        }
    }
    println!("{within} of 32 measured percentiles within 20 draws");
    assert!(within >= 19, "{within} of 32 measured percentiles within 20 draws");
}

/// The rows of one run in a table of all, by the names of its columns.
struct Table {
    headers: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    fn of(path: &Path, run: &str) -> Table {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let headers = reader.headers().unwrap().clone();
        let rows = reader.records().map(|row| row.unwrap()).filter(|row| &row[0] == run).collect();
        Table { headers, rows }
    }

    fn column(&self, name: &str) -> Vec<f64> {
        let index = self.headers.iter().position(|header| header == name).unwrap();
        self.rows.iter().map(|row| row[index].parse().unwrap()).collect()
    }
}

/// Share of the measured scale events for which there is one of the same direction here, at most two evaluations apart.
fn matched(targets: &[f64], run: &Outcome) -> f64 {
    let measured = targets.windows(2).enumerate().filter(|(_, pair)| pair[0] != pair[1]);
    let measured: Vec<(f64, bool)> =
        measured.map(|(row, pair)| ((row + 1) as f64 * 60.0, pair[1] > pair[0])).collect();
    let here = run.decisions.iter().filter(|decision| decision.before != decision.desired);
    let here: Vec<(f64, bool)> = here
        .map(|decision| (decision.at.as_nanos() as f64 / 1e9, decision.desired > decision.before))
        .collect();
    let near = |event: &&(f64, bool)| {
        here.iter().any(|other| other.1 == event.1 && (other.0 - event.0).abs() <= 121.0)
    };
    measured.iter().filter(near).count() as f64 / measured.len() as f64
}

/// Tokens of a prompt and of an answer, on average, as the clients counted them.
const PROMPT: f64 = 237.0;
const ANSWER: f64 = 452.0;
/// Answers are cut at 1,024 tokens; how they vary below is not logged.
const ANSWER_CV: f64 = 0.7;

/// The run whose quiet minutes the times of an iteration are fitted to.
const FITTED: &str = "capacity-based-multi-model-parallel-20251209-171134";
/// The runs of Llama 3.1 8B on H100s under llm-d's saturation autoscaler that are simulated.
const SATURATION_RUNS: [&str; 3] = [
    FITTED,
    "capacity-based-moderate-parallel-extended-20251209-203354",
    "capacity-based-high-parallel-20251209-200028",
];

/// Writes the levels that the times of an iteration are fitted to: the minutes that one run had one replica and no queue. The
/// tokens that its KV cache holds.
fn quiet_minutes(path: &Path, folder: &Path) -> f64 {
    let table = Table::of(path, FITTED);
    let [pods, arrived, tpot, ttft, kv, queue] =
        ["pods_with_metrics", "arrival_per_min", "itl_ms", "ttft_ms", "kv_mean", "queue_total"]
            .map(|name| table.column(name));
    let mut fit = "concurrency,tpot,ttft,prompt,answer\n".to_owned();
    // What an answer in the making has so far on average: long ones are met more often, E[X²]/2E[X].
    let so_far = ANSWER * (1.0 + ANSWER_CV * ANSWER_CV) / 2.0;
    let mut held = Vec::new();
    for row in (0..pods.len()).filter(|row| pods[*row] == 1.0 && arrived[*row] > 100.0 && queue[*row] == 0.0)
    {
        // Little's law: so many decode at a time.
        let concurrency = arrived[row] / 60.0 * ANSWER * tpot[row] / 1e3;
        fit += &format!("{concurrency},{},{},{PROMPT},{ANSWER}\n", tpot[row], ttft[row]);
        held.push(concurrency * (PROMPT + so_far) / kv[row]);
    }
    std::fs::write(folder.join("fit.csv"), &fit).unwrap();
    println!("{} minutes fitted", held.len());
    quantile(&held, 0.5).round()
}

/// The scenario of a run, with its arrivals as counted in each minute, since above 512 outstanding requests each client waited
/// for its answers.
fn deployed(table: &Table, kv_tokens: f64, folder: &Path) -> String {
    let counts: String =
        table.column("arrival_per_min")[1..].iter().map(|count| format!("{count}\n")).collect();
    std::fs::write(folder.join("counts.csv"), counts).unwrap();
    format!(
        "[arrivals]\nkind = \"counts\"\nfile = \"counts.csv\"\ninterval = \"1m\"\nscale = 1\n\
         [service]\nmodel = \"llm\"\nkv_tokens = {kv_tokens}\nmax_sequences = 1024\ntoken_budget = 8192\n\
         fit = {{ file = \"fit.csv\", unit = \"ms\", ttft = \"ttft\", prompt_tokens = \"prompt\", output_tokens = \"answer\" }}\n\
         prompt_tokens = {{ dist = \"lognormal\", mean = {PROMPT}, cv = 1.2 }}\n\
         output_tokens = {{ dist = \"lognormal\", mean = {ANSWER}, cv = {ANSWER_CV} }}\n\
         [instances]\ninitial = 1\ncold_start = \"170s\"\n\
         [dispatch]\npolicy = \"least_outstanding\"\n[metrics]\nscrape_interval = \"15s\"\n\
         [autoscaler]\nkind = \"llm_d\"\nrelease = \"0.8\"\nkv_cache_threshold = 0.5\nkv_spare_trigger = 0.2\n\
         queue_length_threshold = 5\nqueue_spare_trigger = 3\nmin = 1\nmax = 10"
    )
}

const TIME_SERIES: &str = "measured/wva-vllm/wva_timeseries.csv";

/// As many replicas at any time, scale events within two evaluations of the measured ones.
#[test]
fn runs_of_vllm_under_the_saturation_autoscaler_have_the_replicas_measured() {
    let Some(path) = folder_with(TIME_SERIES).map(|folder| folder.join(TIME_SERIES)) else { return };
    let jobs = path.with_file_name("wva_jobs.csv");
    let folder = tempfile::tempdir().unwrap();
    let kv_tokens = quiet_minutes(&path, folder.path());
    for run in SATURATION_RUNS {
        let table = Table::of(&path, run);
        let model = scenario(&deployed(&table, kv_tokens, folder.path()), folder.path()).model;
        let runs = replications(&model, 7, 20, Some(Span::from_secs(60)));
        let replicas = table.column("replicas_reported");
        let error = |run: &Outcome| {
            let both = replicas[1..].iter().zip(&run.timeline);
            let apart = both.map(|(measured, window)| (measured - f64::from(window.ready)).abs());
            Some(apart.sum::<f64>() / run.timeline.len() as f64)
        };
        let jobs = Table::of(&jobs, run);
        let sent = jobs.column("ok");
        let measured = |name: &str| {
            let values = jobs.column(name);
            values.iter().zip(&sent).map(|(value, count)| value * count).sum::<f64>()
                / sent.iter().sum::<f64>()
                / 1e3
        };
        let tokens = |of: fn(&kneepoint::internals::sim::TokenOutcome) -> Option<f64>| {
            show(range(&runs, |run| run.tokens.as_ref().and_then(of)))
        };
        let errors = range(&runs, error);
        println!(
            "{run}: replicas {} apart; TTFT p50 {:.3} here {}, p99 {:.3} here {}; TPOT p50 {:.4} here {}, p99 {:.4} here {}",
            show(errors),
            measured("ttft_p50"),
            tokens(|tokens| tokens.ttft.quantile(0.5)),
            measured("ttft_p99"),
            tokens(|tokens| tokens.ttft.quantile(0.99)),
            measured("tpot_p50"),
            tokens(|tokens| tokens.tpot.quantile(0.5)),
            measured("tpot_p99"),
            tokens(|tokens| tokens.tpot.quantile(0.99)),
        );
        let matched = range(&runs, |run| Some(matched(&table.column("target"), run)));
        println!("  share of scale events that come within two evaluations here: {}", show(matched));
        assert!(matched.1 >= 0.7, "{run}: {matched:?}");
        assert!(errors.2 <= 0.5, "{run}: {errors:?}");
    }
}

/// What was measured of a run, as `kneepoint backtest` reads it: a minute a row, nothing where nobody was answered.
fn observed(table: &Table) -> String {
    let [ready, ttft, tpot] = ["replicas_reported", "ttft_ms", "itl_ms"].map(|name| table.column(name));
    let shown = |ms: f64| if ms > 0.0 { format!("{}", ms / 1e3) } else { String::new() };
    let row = |row: usize| format!("{},{},{},{}\n", 60 * row, ready[row], shown(ttft[row]), shown(tpot[row]));
    (1..ready.len())
        .map(row)
        .fold("time_s,ready,ttft_mean_s,tpot_mean_s\n".to_owned(), |text, row| text + &row)
}

/// The deployed settings against replicas, times to the first token and times of a further token, minute by minute, as `kneepoint
/// backtest` compares them. With a start that is said to take 20 s the replicas part.
#[test]
fn a_backtest_of_measured_vllm_replicas_is_near_and_a_quick_start_is_not() {
    let Some(path) = folder_with(TIME_SERIES).map(|folder| folder.join(TIME_SERIES)) else { return };
    let folder = tempfile::tempdir().unwrap();
    let kv_tokens = quiet_minutes(&path, folder.path());
    let (mut near, mut quick) = (Vec::new(), Vec::new());
    // The third is overloaded for minutes, and takes as long to simulate as all else here.
    for run in &SATURATION_RUNS[..2] {
        let table = Table::of(&path, run);
        let text = deployed(&table, kv_tokens, folder.path()) + "\n[run]\nreplications = 2";
        let observed = Observed::read("past.csv", &observed(&table)).unwrap();
        let backtest = |text: &str| {
            let file = ScenarioFile::parse("deployed.toml", text, folder.path()).unwrap();
            backtest(&file, &observed, None, &Evaluator::default()).unwrap()
        };
        let as_it_was = backtest(&text);
        for error in &as_it_was.errors {
            println!(
                "{run}: {} {:.3} measured, {:.3} here, {:.1} % apart",
                error.field.name(),
                error.measured,
                error.simulated,
                100.0 * error.apart
            );
        }
        println!("  missing: {:?}", as_it_was.missing);
        near.push(as_it_was.errors[0].apart);
        let other = backtest(&text.replace("cold_start = \"170s\"", "cold_start = \"20s\""));
        println!("  with a start of 20 s: ready {:.1} % apart", 100.0 * other.errors[0].apart);
        quick.push(other.errors[0].apart);
    }
    assert!(mean(&near) < 0.05, "{near:?}");
    assert!(mean(&quick) > 1.5 * mean(&near), "{quick:?} against {near:?}");
}

/// The overloaded run, driven by its three jobs instead of the requests that were counted: Poisson arrivals of 20, 30 and 15/s that
/// begin two minutes apart, each job with at most 512 requests outstanding, of which two jobs run while the replicas are too few.
#[test]
fn an_overloaded_run_of_vllm_is_nearer_when_its_clients_hold_requests_back() {
    let Some(path) = folder_with(TIME_SERIES).map(|folder| folder.join(TIME_SERIES)) else { return };
    let folder = tempfile::tempdir().unwrap();
    let kv_tokens = quiet_minutes(&path, folder.path());
    let table = Table::of(&path, SATURATION_RUNS[2]);
    let counted = deployed(&table, kv_tokens, folder.path()) + "\n[run]\nreplications = 2";
    let (_, rest) = counted.split_once("[service]").unwrap();
    let jobs = "[arrivals]\nkind = \"piecewise\"\nshape = \"constant\"\npoints = [{ at = \"0s\", rate = 0 }, \
                { at = \"6m\", rate = 20 }, { at = \"8m\", rate = 50 }, { at = \"10m\", rate = 65 }, { at = \"21m\", rate = 45 }, \
                { at = \"23m\", rate = 15 }, { at = \"25m\", rate = 0 }]\n[client]\nmax_outstanding = 1024\n";
    let driven = format!("{jobs}[service]{rest}\nduration = \"34m\"");
    let observed = Observed::read("past.csv", &observed(&table)).unwrap();
    let ttft = |text: &str| {
        let file = ScenarioFile::parse("deployed.toml", text, folder.path()).unwrap();
        let backtest = backtest(&file, &observed, None, &Evaluator::default()).unwrap();
        let error = backtest.errors.iter().find(|error| error.field.name() == "ttft_mean_s").unwrap();
        println!("{:.2} s measured, {:.2} here", error.measured, error.simulated);
        (error.measured, error.simulated)
    };
    let ((measured, counted), (_, driven)) = (ttft(&counted), ttft(&driven));
    assert!(driven < 0.6 * counted && driven < 3.0 * measured, "{driven} and {counted} against {measured}");
}

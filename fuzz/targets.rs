//! Everything that reads: what it is given, and what must come of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use kneepoint::internals::autoscaler::values::{Cron, parse_quantity};
use kneepoint::internals::autoscaler::{Autoscaler, Row};
use kneepoint::internals::document::{Source, json};
use kneepoint::internals::files::Memory;
use kneepoint::internals::random::Streams;
use kneepoint::internals::scenario::{Scenario, ScenarioError, ScenarioFile};
use kneepoint::internals::schema::Context;
use kneepoint::internals::sim::{Options, simulate};
use kneepoint::internals::time::Span;
use kneepoint::internals::traffic::FORMATS;
use kneepoint::internals::units::{format_span, parse_span, show_span};
use kneepoint::{Observations, replay};

use crate::traffic;

/// One reader.
pub struct Target {
    pub name: String,
    pub seeds: Vec<Vec<u8>>,
    /// Bytes of its longest input.
    pub longest: usize,
    /// Inputs of it for each input of the slowest: short texts are read faster than long ones.
    pub share: u64,
    pub read: Box<Reads>,
}

/// Reads an input.
type Reads = dyn Fn(&[u8]) -> Outcome + Sync;

/// What came of an input.
pub enum Outcome {
    Read,
    /// With the message that a user sees.
    Refused(String),
    /// With a phrase, which becomes part of a message.
    NoValue,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder with one of these extensions, in the order of their names.
fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder of examples");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|known| extensions.iter().any(|e| known == *e)));
    paths.sort_unstable();
    paths
}

fn contents(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    paths.iter().map(|path| fs::read(path).expect("an example")).collect()
}

pub fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn refused<E: Into<kneepoint::Error>>(error: E) -> Outcome {
    Outcome::Refused(error.into().to_string())
}

/// The first lines of a text: enough to be read, and fast.
fn head(text: &[u8], lines: usize) -> Vec<u8> {
    text.split_inclusive(|byte| *byte == b'\n').take(lines).flatten().copied().collect()
}

pub fn all() -> Vec<Target> {
    let mut all = vec![durations(), quantities(), crons(), scenarios(), manifests()];
    all.extend(traces());
    all.extend([traffic::recorded(), traffic::load_test_results()]);
    all.extend([counts(), load_test_curves(), load_test_fits(), replay_rows(), replay_csv(), replay_json()]);
    all
}

pub fn target(
    name: &str,
    seeds: Vec<Vec<u8>>,
    share: u64,
    read: impl Fn(&[u8]) -> Outcome + Sync + 'static,
) -> Target {
    Target { name: name.to_owned(), seeds, longest: 4_000, share, read: Box::new(read) }
}

fn durations() -> Target {
    let seeds = texts(&[
        "90s",
        "1h 30m",
        "2.5ms",
        "36500d",
        "1w 2d 3h 4m 5s 6ms 7us 8ns",
        "0s",
        "-5m",
        "1:30:00",
        "PT5M",
    ]);
    Target {
        longest: 60,
        ..target("durations", seeds, 300, |input| {
            let text = String::from_utf8_lossy(input);
            match parse_span(&text) {
                Ok(span) => {
                    assert_eq!(parse_span(&format_span(span)), Ok(span), "{text:?} is written as another");
                    assert!(!show_span(span).is_empty());
                    Outcome::Read
                }
                Err(_) => Outcome::NoValue,
            }
        })
    }
}

fn quantities() -> Target {
    let seeds = texts(&[
        "500m",
        "2k",
        "1.5",
        "8Gi",
        "0.1",
        "100n",
        "3E",
        "1e3",
        "-2",
        "+5Ki",
        "12345678901234567890",
    ]);
    Target {
        longest: 60,
        ..target("quantities", seeds, 300, |input| match parse_quantity(&String::from_utf8_lossy(input)) {
            Some(_) => Outcome::Read,
            None => Outcome::NoValue,
        })
    }
}

fn crons() -> Target {
    let seeds = texts(&[
        "0 6 * * mon-fri",
        "*/15 9-17 1,15 * *",
        "0 0 29 2 *",
        "5 4 * * sun",
        "0-59/7 */3 31 jan-dec/2 7",
    ]);
    let from = "2026-02-27T23:58".parse().expect("a date");
    Target {
        longest: 60,
        ..target("cron", seeds, 200, move |input| match Cron::parse(&String::from_utf8_lossy(input)) {
            Ok(cron) => {
                let (next, last) = (cron.next_from(from), cron.last_until(from));
                assert!(next.is_none_or(|next| next >= from) && last.is_none_or(|last| last <= from));
                Outcome::Read
            }
            Err(_) => Outcome::NoValue,
        })
    }
}

/// The files that shipped scenarios name, cut short.
static DATA: LazyLock<Arc<Memory>> = LazyLock::new(|| {
    let mut memory = Memory::default();
    for folder in ["scenarios/data", "tests/manifests"] {
        for path in files(folder, &["csv", "jsonl", "yaml", "json"]) {
            let name = path.strip_prefix(root().join("scenarios")).unwrap_or(&path).to_owned();
            let bytes = fs::read(&path).expect("an example");
            memory.insert(name, head(&bytes, 120));
        }
    }
    Arc::new(memory)
});

fn scenarios() -> Target {
    let seeds = contents(&files("scenarios", &["toml"]));
    target("scenario", seeds, 1, |input| {
        let context = Context::of(DATA.clone(), "");
        let text = String::from_utf8_lossy(input);
        match ScenarioFile::parse_in("fuzz.toml", &text, context).and_then(|file| whole(&file)) {
            Ok(scenario) => {
                run_a_little(scenario);
                Outcome::Read
            }
            Err(error) => refused(error),
        }
    })
}

/// All that a command reads of a scenario before it simulates.
fn whole(file: &ScenarioFile) -> Result<Scenario, ScenarioError> {
    let scenario = file.scenario()?;
    file.check_fits(&scenario, 1 << 30, 2)?;
    file.variants()?;
    Ok(scenario)
}

/// Runs it for ten seconds of its time, if little happens in them.
fn run_a_little(mut scenario: Scenario) {
    let model = &mut scenario.model;
    model.duration = model.duration.min(Span::from_secs(10));
    model.warmup = Span::ZERO;
    let requests = model.arrivals.mean_rate(model.duration) * model.duration.as_secs_f64();
    if requests > 1e3 || model.initial_instances() > 100 {
        return;
    }
    let options = Options { mark_interval: Span::from_secs(1), timeline: true, decisions: true };
    let (outcome, ()) = simulate(&scenario.model, Streams::new(1, 0), &options, ());
    assert!(outcome.counts.conserved(), "{:?}", outcome.counts);
}

/// Reads a scenario that names the file `input`.
fn named(name: &str, input: &[u8], text: &str) -> Outcome {
    let mut memory = Memory::default();
    memory.insert(name, input);
    let context = Context::of(Arc::new(memory), "");
    match ScenarioFile::parse_in("fuzz.toml", text, context).and_then(|file| file.scenario()) {
        Ok(_) => Outcome::Read,
        Err(error) => refused(error),
    }
}

const SERVICE: &str = "[service]\ntime = \"100ms\"\n";
const POOL: &str = "[autoscaler]\nkind = \"fixed\"\ninstances = 2\n";
const POISSON: &str = "[run]\nduration = \"1m\"\n[arrivals]\nkind = \"poisson\"\nrate = 1\n";

fn manifests() -> Target {
    let seeds = contents(&files("tests/manifests", &["yaml", "json"]));
    let text = format!("{POISSON}{SERVICE}[autoscaler]\nfrom = \"m.yaml\"\n");
    target("manifest", seeds, 4, move |input| named("m.yaml", input, &text))
}

/// One for each format of traces.
fn traces() -> Vec<Target> {
    let examples = [files("tests/traces", &["csv", "jsonl"]), files("tests/bad_input", &["csv"])].concat();
    let mut seeds: Vec<Vec<u8>> = contents(&examples).iter().map(|text| head(text, 12)).collect();
    seeds.extend(texts(&[
        "time,n\n2026-01-02T03:04:05Z,1\n2026-01-02 03:04:06.5,2\n",
        "{\"timestamp\": 0.5}\n",
    ]));
    let of = |(name, ..): &(&str, _, _)| {
        let text =
            format!("[arrivals]\nkind = \"trace\"\nfile = \"t\"\nformat = \"{name}\"\n{SERVICE}{POOL}");
        target(&format!("trace, {name}"), seeds.clone(), 8, move |input| named("t", input, &text))
    };
    FORMATS.iter().map(of).collect()
}

fn counts() -> Target {
    let seeds = texts(&[
        "time,count\n2026-01-02T03:04:00Z,5\n2026-01-02T03:05:00Z,0\n",
        "count\n1\n2\n3\n",
        "time,rate\n1763596800,30\n1763596860,31\n1763596920,28\n",
    ]);
    let text = format!(
        "[arrivals]\nkind = \"counts\"\nfile = \"c.csv\"\ncolumn = 2\ninterval = \"1m\"\n{SERVICE}{POOL}"
    );
    target("counts", seeds, 8, move |input| named("c.csv", input, &text))
}

fn load_tests() -> Vec<Vec<u8>> {
    let mut seeds = contents(&files("tests/bad_input", &["csv"]));
    seeds.extend(texts(&[
        "concurrency,throughput,tpot\n1,16.1,0.012\n2,31.5,0.013\n4,59.0,0.015\n8,88.0,0.02\n",
        "\u{feff}concurrency;throughput;tpot\r\n1;4,1;0,1\r\n",
    ]));
    seeds
}

fn load_test_curves() -> Target {
    let text = format!(
        "{POISSON}[service]\nmodel = \"shared\"\ntime = \"62ms\"\n\
         curve = {{ file = \"l.csv\", throughput = \"throughput\" }}\n{POOL}"
    );
    target("load test, curve", load_tests(), 8, move |input| named("l.csv", input, &text))
}

fn load_test_fits() -> Target {
    let text = format!(
        "{POISSON}[service]\nmodel = \"llm\"\nprompt_tokens = 100\noutput_tokens = 10\n\
         fit = {{ file = \"l.csv\", unit = \"s\" }}\n{POOL}"
    );
    target("load test, fit", load_tests(), 8, move |input| named("l.csv", input, &text))
}

/// Policies with their rows, as the published cases have them: a line for the policy, then a line a row.
fn replay_rows() -> Target {
    let mut seeds = Vec::new();
    for path in files("tests/conformance", &["jsonl"]) {
        let text = fs::read_to_string(path).expect("cases");
        for line in text.lines().step_by(7) {
            let case: serde_json::Value = serde_json::from_str(line).expect("a case");
            let rows = case["rows"].as_array().into_iter().flatten().take(12);
            let lines = std::iter::once(&case["policy"]).chain(rows).map(|value| format!("{value}\n"));
            seeds.push(lines.collect::<String>().into_bytes());
        }
    }
    target("replay, rows of every policy", seeds, 4, |input| {
        let text = String::from_utf8_lossy(input);
        let (policy, rows) = text.split_once('\n').unwrap_or((&text, ""));
        let Ok(documents) = json::parse_all(&Source::new("policy", policy)) else {
            return Outcome::NoValue;
        };
        let Some(Ok(autoscaler)) =
            documents.first().map(|node| Autoscaler::read(node, "autoscaler", &Context::default()))
        else {
            return Outcome::NoValue;
        };
        let mut replay = autoscaler.replay();
        for row in rows.lines() {
            let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(row) else { continue };
            match replay.step(&Row::new(&fields)) {
                Ok(line) => drop(serde_json::to_string(&line)),
                Err(_) => return Outcome::NoValue,
            }
        }
        Outcome::Read
    })
}

static POLICIES: LazyLock<Vec<kneepoint::Scenario>> = LazyLock::new(|| {
    let all = [
        "kind = \"threshold\"\nmetric = \"request_rate\"\nmax = 10\nup = { above = 100 }\ndown = { below = 20 }\n",
        "kind = \"target\"\nmetric = \"request_rate\"\ntarget = 7\nmax = 20\n",
    ];
    let parse = |text: &&str| kneepoint::Scenario::parse(&format!("[autoscaler]\n{text}")).expect("a policy");
    all.iter().map(parse).collect()
});

fn replayed(observations: Result<Observations, kneepoint::Error>) -> Outcome {
    match observations {
        Ok(observations) => {
            for policy in POLICIES.iter() {
                if let Err(error) = replay(policy, &observations) {
                    return refused(error);
                }
            }
            Outcome::Read
        }
        Err(error) => refused(error),
    }
}

fn replay_csv() -> Target {
    let seeds = texts(&[
        "time,request_rate,ready\n60,120,1\n120,5,2\n180,,\n",
        "time,metric\n2026-01-02T03:04:05Z,40\n2026-01-02T03:05:05Z,NaN\n",
        "time,state.failures.0,instances.1.busy\r\n1,2,3\r\n2,\"4\n\",5\r\n",
    ]);
    target("replay, CSV", seeds, 8, |input| {
        replayed(Observations::csv("rows.csv", &String::from_utf8_lossy(input)))
    })
}

fn replay_json() -> Target {
    let seeds = texts(&[
        "{\"time\": 60, \"request_rate\": 120}\n\n{\"time\": 120, \"metric\": 5, \"ready\": 2}\n",
        "{\"time\": \"2026-01-02T03:04:05Z\", \"metric\": NaN}\n{\"time\": \"2026-01-02T03:04:06Z\"}\n",
        "{\"time\": 1, \"part\": \"scrape\", \"arrived\": 5, \"waiting\": 2.5}\n{\"time\": 2, \"desired\": 3}\n",
    ]);
    target("replay, JSON lines", seeds, 8, |input| {
        replayed(Observations::json_lines("rows.jsonl", &String::from_utf8_lossy(input)))
    })
}

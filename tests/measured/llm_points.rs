//! Load tests of vLLM level by level: each level foretold by what `service fit` makes of the others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use kneepoint::internals::backtest::{Observed, backtest};
use kneepoint::internals::experiment::Evaluator;
use kneepoint::internals::scenario::ScenarioFile;
use kneepoint::internals::service::{Llm, LlmServer, Model, Queue, Request, Server, Tokens};
use kneepoint::internals::time::Span;

use crate::fixtures::data::folder_with;
use crate::fixtures::replications::replications;
use crate::fixtures::scenario::scenario;

/// A level: how it was driven, and its means in seconds.
#[derive(Debug, Clone)]
struct Level {
    name: String,
    users: Option<f64>,
    rate: f64,
    latency: f64,
    ttft: f64,
    tpot: f64,
    prompt: f64,
    output: f64,
}

/// Mean TPOT, TTFT and latency, seconds.
type Means = [f64; 3];

impl Level {
    fn measured(&self) -> Means {
        [self.tpot, self.ttft, self.latency]
    }

    /// Whether requests waited for a place: the first token took longer than the rest.
    fn is_saturated(&self) -> bool {
        self.ttft > 0.1 * self.latency
    }
}

/// Four sets: three models on H100s at fixed rates, and a sweep of users.
fn sets(folder: &Path) -> BTreeMap<String, Vec<Level>> {
    let folder = folder.join("measured/llm-points");
    let mut sets: BTreeMap<String, Vec<Level>> = BTreeMap::new();
    let text = std::fs::read_to_string(folder.join("h100_rate_stages.json")).unwrap();
    let stages: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, stage) in stages.as_object().unwrap() {
        let number = |key: &str| stage[key].as_f64().unwrap();
        let (model, level) = name.split_once('/').unwrap();
        sets.entry(model.to_owned()).or_default().push(Level {
            name: level.to_owned(),
            users: None,
            rate: number("rate"),
            latency: number("e2e"),
            ttft: number("ttft"),
            tpot: number("tpot"),
            prompt: number("prompt"),
            output: number("out"),
        });
    }
    let mut reader = csv::Reader::from_path(folder.join("aiperf_concurrency_sweep.csv")).unwrap();
    let sweep = reader.deserialize().map(|row| {
        let row: BTreeMap<String, f64> = row.unwrap();
        Level {
            name: format!("{} users", row["concurrency"]),
            users: Some(row["concurrency"]),
            rate: row["rps"],
            latency: row["latency_ms"] / 1e3,
            ttft: row["ttft_ms"] / 1e3,
            tpot: row["itl_ms"] / 1e3,
            prompt: row["prompt"],
            output: row["output"],
        }
    });
    sets.insert("users".to_owned(), sweep.collect());
    sets
}

/// The `[service]` table that `kneepoint service fit` prints for these levels.
fn fitted(levels: &[&Level], folder: &Path) -> String {
    let users = levels.iter().all(|level| level.users.is_some());
    let mut text =
        format!("{}rate,latency_s,ttft_s,tpot_s,prompt,output\n", if users { "users," } else { "" });
    for level in levels {
        let Level { users, rate, latency, ttft, tpot, prompt, output, .. } = level;
        let users = users.map_or(String::new(), |users| format!("{users},"));
        let _ = writeln!(text, "{users}{rate},{latency},{ttft},{tpot},{prompt},{output}");
    }
    let file = folder.join("levels.csv");
    std::fs::write(&file, text).unwrap();
    let answer =
        Command::new(env!("CARGO_BIN_EXE_kneepoint")).args(["service", "fit"]).arg(&file).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8(answer.stdout).unwrap()
}

/// The scenario of one instance with a fitted service, at a level's rate and tokens: what the fit prints of tokens is of the levels it
/// was fitted to.
fn scenario_text(service: &str, level: &Level) -> String {
    let kept = service
        .lines()
        .filter(|line| !line.starts_with("prompt_tokens") && !line.starts_with("output_tokens"));
    let service = kept.fold(String::new(), |text, line| text + line + "\n");
    format!(
        "[arrivals]\nkind = \"poisson\"\nrate = {}\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nduration = \"10m\"\n\
         {service}prompt_tokens = {}\noutput_tokens = {}",
        level.rate,
        level.prompt.round(),
        level.output.round()
    )
}

/// A level at a fixed rate: Poisson arrivals for as long as was measured, three replications.
fn open(service: &str, level: &Level, folder: &Path) -> Means {
    let text = scenario_text(service, level);
    let runs = replications(&scenario(&text, folder).model, 7, 3, Some(Span::from_secs(600)));
    let mean = |of: fn(&kneepoint::internals::sim::Outcome) -> f64| {
        runs.iter().map(of).sum::<f64>() / runs.len() as f64
    };
    [
        mean(|run| run.tokens.as_ref().and_then(|tokens| tokens.tpot.mean()).unwrap_or(0.0)),
        mean(|run| run.tokens.as_ref().and_then(|tokens| tokens.ttft.mean()).unwrap_or(0.0)),
        mean(|run| run.latency.mean().unwrap_or(0.0)),
    ]
}

/// A level with so many users, each of whom sends a request when the last one is answered; answers vary by what a chat's do.
fn closed(service: &str, level: &Level, folder: &Path) -> Means {
    let Model::Llm(llm) = scenario(&scenario_text(service, level), folder).model.service.model else {
        panic!()
    };
    let users = level.users.unwrap_or_default() as u64;
    let outside =
        |llm: &Llm, tpot_ns: f64| llm.overhead[0].as_nanos() as f64 + llm.overhead_iterations * tpot_ns;
    let mut server = LlmServer::new(&Arc::new(llm.clone()), 1.0);
    let mut queue = Queue::default();
    let (mut sent, mut back) = (0_u64, std::collections::BinaryHeap::new());
    (0..users).for_each(|user| back.push(std::cmp::Reverse(user * 1_000_000)));
    // The first fifth is the way into the steady state.
    let requests = users * 60;
    let (mut sums, mut counted) = ([0.0; 3], 0_u64);
    while sent < requests {
        let arrival = back.peek().map_or(u64::MAX, |next| next.0);
        let now = arrival.min(server.next_change());
        if server.next_change() <= arrival {
            server.step(&mut |active, first_token| {
                let further = (f64::from(active.request.tokens.output) - 1.0).max(1.0);
                let tpot = (now - first_token) as f64 / further;
                let late = outside(&llm, tpot);
                let latency = (now - active.request.arrival) as f64 + late;
                // A client takes up to 20 ms for its next request: without that, requests would come as iterations end.
                let pause = 2e7 * (active.request.arrival as f64 * 1e-6 * 0.618_033_988_75).fract();
                back.push(std::cmp::Reverse(active.request.arrival + (latency + pause) as u64));
                if sent > requests / 5 {
                    let ttft = (first_token - active.request.arrival) as f64 + late;
                    sums = [sums[0] + tpot, sums[1] + ttft, sums[2] + latency];
                    counted += 1;
                }
            });
        } else {
            back.pop();
            // Golden-ratio steps from 0 to twice the mean.
            let share = 2.0 * (sent as f64 * 0.618_033_988_75).fract();
            let tokens =
                Tokens { prompt: level.prompt as u32, output: (level.output * share).max(1.0) as u32 };
            queue.push(Request { arrival: now, tokens, ..Request::default() });
            sent += 1;
        }
        server.admit(&mut queue, now);
    }
    sums.map(|sum| sum / counted as f64 / 1e9)
}

/// Mean TPOT, TTFT and latency of each level, foretold from the other levels of its set that are below saturation or have users:
/// at most 10 % off for TPOT and latency, 5 % in the middle, and 15 % for TTFT below saturation.
#[test]
fn each_level_of_a_load_test_is_foretold_by_the_fit_to_the_others() {
    const FILE: &str = "measured/llm-points/h100_rate_stages.json";
    let Some(data) = folder_with(FILE) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut errors: [Vec<f64>; 3] = Default::default();
    let mut pairs: [Vec<(f64, f64)>; 3] = Default::default();
    for (set, levels) in sets(&data) {
        for (index, level) in levels.iter().enumerate() {
            // Where the rate is fixed, an overloaded level is one of no steady state: its means grow with the test.
            if level.users.is_none() && level.is_saturated() {
                continue;
            }
            let others: Vec<&Level> = levels
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index)
                .map(|(_, level)| level)
                .collect();
            let service = fitted(&others, folder.path());
            let found = match level.users {
                Some(_) => closed(&service, level, folder.path()),
                None => open(&service, level, folder.path()),
            };
            let off: Vec<f64> =
                found.iter().zip(level.measured()).map(|(found, measured)| found / measured - 1.0).collect();
            assert!(off[0].abs() < 0.1 && off[2].abs() < 0.1, "{set}, {}: {off:?}", level.name);
            assert!(off[1].abs() < 0.15 || level.is_saturated(), "{set}, {}: {off:?}", level.name);
            println!(
                "| {set} | {} | {:.2} {:+.1} % | {:.1} {:+.1} % | {:.3} {:+.1} % |",
                level.name,
                level.tpot * 1e3,
                off[0] * 100.0,
                level.ttft * 1e3,
                off[1] * 100.0,
                level.latency,
                off[2] * 100.0
            );
            for (which, off) in off.iter().enumerate() {
                pairs[which].push((level.measured()[which], found[which]));
                if which != 1 || !level.is_saturated() {
                    errors[which].push(off.abs());
                }
            }
        }
    }
    for (errors, name) in errors.iter_mut().zip(["TPOT", "TTFT", "latency"]) {
        errors.sort_by(f64::total_cmp);
        println!(
            "{name}: {} levels, median {:.1} %, at most {:.1} %",
            errors.len(),
            errors[errors.len() / 2] * 100.0,
            errors[errors.len() - 1] * 100.0
        );
    }
    assert!(errors[0][errors[0].len() / 2] < 0.05 && errors[2][errors[2].len() / 2] < 0.05);
    if std::env::var_os("KNEEPOINT_BLESS").is_some() {
        let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images/llm-points.svg");
        std::fs::write(image, chart(&pairs)).unwrap();
    }
}

/// The sweep of users as one day's past: ten minutes of each number of users, driven again by the users of a closed loop, and the
/// measured means of each beside those simulated, as `kneepoint backtest` compares them.
#[test]
fn a_backtest_of_a_measured_sweep_of_users_is_near() {
    const FILE: &str = "measured/llm-points/h100_rate_stages.json";
    const STAGE_S: f64 = 600.0;
    let Some(data) = folder_with(FILE) else { return };
    let folder = tempfile::tempdir().unwrap();
    let levels = &sets(&data)["users"];
    let service = fitted(&levels.iter().collect::<Vec<_>>(), folder.path());
    let mut stages = String::new();
    let mut past = "time_s,latency_mean_s,ttft_mean_s,tpot_mean_s\n".to_owned();
    for (index, level) in levels.iter().enumerate() {
        let Level { latency, ttft, tpot, .. } = level;
        let (from, users) = (index as f64 * STAGE_S, level.users.unwrap_or_default());
        let rest = STAGE_S - 1.0;
        let _ = write!(
            stages,
            "{{ duration = \"1s\", users = {users} }}, {{ duration = \"{rest}s\", users = {users} }}, "
        );
        let _ = writeln!(past, "{},{latency},{ttft},{tpot}", from + STAGE_S);
    }
    let text = format!(
        "[client]\nusers = 0\nstages = [{stages}]\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nduration = \"{}s\"\n\
         replications = 2\n{service}",
        levels.len() as f64 * STAGE_S
    );
    let file = ScenarioFile::parse("deployed.toml", &text, folder.path()).unwrap();
    let observed = Observed::read("past.csv", &past).unwrap();
    let found = backtest(&file, &observed, None, &Evaluator::default()).unwrap();
    for error in &found.errors {
        println!("{}: {:.1} % apart", error.field.name(), 100.0 * error.apart);
    }
    let apart = |name: &str| found.errors.iter().find(|error| error.field.name() == name).unwrap().apart;
    assert!(apart("latency_mean_s") < 0.02 && apart("tpot_mean_s") < 0.02 && apart("ttft_mean_s") < 0.05);
}

/// Measured against simulated, a panel a figure: on the line they are the same, the dashed lines are 10 % off.
fn chart(pairs: &[Vec<(f64, f64)>; 3]) -> String {
    const SIDE: f64 = 260.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} 340\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        3.0 * (SIDE + 70.0)
    );
    let panels = [("TPOT", 0.005, 0.1), ("TTFT", 0.01, 100.0), ("latency", 1.0, 100.0)];
    for (panel, ((name, low, high), pairs)) in panels.into_iter().zip(pairs).enumerate() {
        let (left, top) = (60.0 + panel as f64 * (SIDE + 65.0), 30.0);
        let share = |value: f64| (value / low).ln() / (high / low).ln() * SIDE;
        let (x, y) = (|value: f64| left + share(value), |value: f64| top + SIDE - share(value));
        let _ = writeln!(
            text,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"#999\"/>\
             <text x=\"{}\" y=\"20\" text-anchor=\"middle\" font-weight=\"bold\">Mean {name}</text>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">measured, s</text>\
             <text transform=\"translate({} {}) rotate(-90)\" text-anchor=\"middle\">simulated, s</text>",
            left + SIDE / 2.0,
            left + SIDE / 2.0,
            top + SIDE + 34.0,
            left - 42.0,
            top + SIDE / 2.0
        );
        for (factor, dash) in
            [(1.0, ""), (1.1, " stroke-dasharray=\"4 3\""), (1.0 / 1.1, " stroke-dasharray=\"4 3\"")]
        {
            let (from, to) = (low * f64::max(1.0, 1.0 / factor), high * f64::min(1.0, 1.0 / factor));
            let _ = writeln!(
                text,
                "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#999\"{dash}/>",
                x(from),
                y(from * factor),
                x(to),
                y(to * factor)
            );
        }
        let mut tick = low;
        while tick <= high * 1.001 {
            let _ = writeln!(
                text,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}</text><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{tick}</text>",
                x(tick),
                top + SIDE + 16.0,
                left - 6.0,
                y(tick) + 4.0
            );
            tick = if tick.log10().rem_euclid(1.0) > 0.5 { tick * 2.0 } else { tick * 10.0 };
        }
        for (measured, found) in pairs {
            let _ = writeln!(
                text,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"#2a6fb0\" fill-opacity=\"0.6\"/>",
                x(*measured),
                y(*found)
            );
        }
    }
    text + "</svg>\n"
}

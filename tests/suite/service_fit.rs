//! The times of iterations fitted back from what an instance of a known law shows: a log of its requests, and its metrics.

use std::fmt::Write as _;
use std::sync::Arc;

use kneepoint::internals::service::{
    IterationLaw, IterationWork, Llm, LlmServer, Model, Queue, Request, Server, Tokens,
};

use crate::fixtures::cli::Work;
use crate::fixtures::scenario::scenario;

/// A request as its client sees it; seconds.
struct Seen {
    arrival: f64,
    start: f64,
    first: f64,
    end: f64,
    prompt: f64,
    output: f64,
}

impl Seen {
    /// Tokens of the answer that are there at an instant.
    fn generated(&self, at: f64) -> f64 {
        if at < self.first {
            return 0.0;
        }
        1.0 + (self.output - 1.0) * ((at - self.first) / (self.end - self.first)).min(1.0)
    }

    fn runs(&self, at: f64) -> bool {
        self.start <= at && at < self.end
    }
}

/// 8 ms, 60 µs a sequence, 40 ns a token in the cache, 20 µs a prompt token.
fn truth() -> Llm {
    let law = IterationLaw {
        fixed: 8_000_000,
        per_sequence: 60_000,
        per_kv_token: 40_000,
        per_prefill_token: 20_000,
        ..IterationLaw::default()
    };
    Llm { law, max_sequences: 256, token_budget: 2048, blocks: CACHE / 16, ..Llm::default() }
}

/// Tokens that its cache holds.
const CACHE: u64 = 400_000;

/// An instance under 20 minutes of load that comes and goes: gaps from golden-ratio steps, so that nothing is drawn.
fn served() -> Vec<Seen> {
    let mut server = LlmServer::new(&Arc::new(truth()), 1.0);
    let mut queue = Queue::default();
    let (mut next, mut number, mut seen) = (0.0_f64, 0_u32, Vec::new());
    let share = |number: u32, step: f64| (f64::from(number) * step).fract();
    loop {
        let arrival = if next < 1200.0 { (next * 1e9) as u64 } else { u64::MAX };
        let now = arrival.min(server.next_change());
        if now == u64::MAX {
            return seen;
        }
        if server.next_change() <= arrival {
            server.step(&mut |active, first_token| {
                let seconds = |nanos: u64| nanos as f64 / 1e9;
                seen.push(Seen {
                    arrival: seconds(active.request.arrival),
                    start: seconds(active.start),
                    first: seconds(first_token),
                    end: seconds(now),
                    prompt: f64::from(active.request.tokens.prompt),
                    output: f64::from(active.request.tokens.output),
                });
            });
        } else {
            let tokens = Tokens {
                prompt: 100 + (1400.0 * share(number, 0.618_033_988_75)) as u32,
                output: 50 + (400.0 * share(number, 0.754_877_666_25)) as u32,
            };
            queue.push(Request { arrival: now, tokens, ..Request::default() });
            let rate = 8.0 - 6.5 * (next / 1200.0 * std::f64::consts::TAU).cos();
            next += -(1.0 - share(number, 0.569_840_290_998)).max(1e-9).ln() / rate;
            number += 1;
        }
        server.admit(&mut queue, now);
    }
}

/// That iterations of a printed table take as long as those of the law, where the requests are of the lengths that were seen.
fn holds(printed: &str, within: f64) {
    let tokens =
        if printed.contains("prompt_tokens") { "" } else { "prompt_tokens = 800\noutput_tokens = 250\n" };
    let text = format!(
        "[arrivals]\nkind = \"poisson\"\nrate = 1\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[run]\nduration = \"1m\"\n{printed}{tokens}"
    );
    let Model::Llm(fitted) = scenario(&text, ".").model.service.model else { panic!("{printed}") };
    for decoding in [5_u64, 15, 30, 45] {
        for prefill in [0, 80] {
            // Longer answers are met more often.
            let work =
                IterationWork { decoding, context: decoding * 960, prefill, ..IterationWork::default() };
            let (found, exact) = (fitted.law.time(work) as f64, truth().law.time(work) as f64);
            assert!((found / exact - 1.0).abs() < within, "{work:?}: {found} for {exact}\n{printed}");
        }
    }
}

#[test]
fn a_log_of_requests_gives_back_the_law_that_served_them() {
    let mut log = "arrival_s,first_token_s,end_s,prompt_tokens,output_tokens\n".to_owned();
    for seen in served() {
        let _ = writeln!(log, "{},{},{},{},{}", seen.arrival, seen.first, seen.end, seen.prompt, seen.output);
    }
    let work = Work::with("");
    work.write("log.csv", &log);
    let printed = work.run(0, &["service", "fit", "log.csv"], "");
    assert!(printed.stderr.contains("a log of requests"), "{}", printed.stderr);
    holds(&printed.stdout, 0.03);
    work.write("early.csv", "arrival_s,first_token_s,end_s,prompt_tokens,output_tokens\n5,4,6,10,10\n");
    let refused = work.fails(2, &["service", "fit", "early.csv"]);
    assert!(refused.contains("line 2: expected arrival, first token and end in this order"), "{refused}");
}

#[test]
fn metrics_of_an_engine_give_back_its_law_as_a_table_and_as_answers_of_prometheus() {
    let seen = served();
    let (mut table, mut series) = (String::new(), [const { String::new() }; 4]);
    table += "time,vllm:prompt_tokens_total,vllm:generation_tokens_total,vllm:num_requests_running,vllm:kv_cache_usage_perc\n";
    for second in (0..1200).step_by(2) {
        let at = f64::from(second);
        let started = seen.iter().filter(|one| one.first <= at);
        let prompt: f64 = started.map(|one| one.prompt).sum();
        let generated: f64 = seen.iter().map(|one| one.generated(at)).sum();
        let runs = || seen.iter().filter(|one| one.runs(at));
        let held: f64 = runs().map(|one| one.prompt + one.generated(at)).sum();
        let values = [prompt, generated, runs().count() as f64, held / CACHE as f64];
        let _ = writeln!(table, "{at},{},{},{},{}", values[0], values[1], values[2], values[3]);
        for (points, value) in series.iter_mut().zip(values) {
            let _ = write!(points, "{}[{at},\"{value}\"]", if points.is_empty() { "" } else { "," });
        }
    }
    let work = Work::with("");
    work.write("engine.csv", &table);
    let kv = CACHE.to_string();
    let printed = work.run(0, &["service", "fit", "engine.csv", "--kv-tokens", &kv], "");
    assert!(printed.stderr.contains("metrics of an engine"), "{}", printed.stderr);
    holds(&printed.stdout, 0.05);
    let names =
        ["prompt_tokens_total", "generation_tokens_total", "num_requests_running", "kv_cache_usage_perc"];
    let files: Vec<String> = names.iter().map(|name| format!("{name}.json")).collect();
    for ((name, file), points) in names.iter().zip(&files).zip(&series) {
        let answer = format!(
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{{\"metric\":{{\"__name__\":\"vllm:{name}\",\"pod\":\"a\"}},\"values\":[{points}]}}]}}}}"
        );
        work.write(file, &answer);
    }
    let mut arguments = vec!["service", "fit"];
    arguments.extend(files.iter().map(String::as_str));
    arguments.extend(["--kv-tokens", &kv]);
    let answers = work.run(0, &arguments, "");
    assert_eq!(answers.stdout, printed.stdout);
    let without = work.run(0, &["service", "fit", "engine.csv"], "");
    assert!(without.stderr.contains("--kv-tokens"), "{}", without.stderr);
    holds(&without.stdout, 0.05);
}

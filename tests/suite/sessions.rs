//! Sessions of several turns, prefix caches by content, gateways that go by them, and time-outs to the first token.

use std::fmt::Write as _;

use kneepoint::internals::random::Streams;
use kneepoint::internals::sim::Outcome;
use kneepoint::internals::time::Span;

use crate::fixtures::requests::Requests;
use crate::fixtures::scenario::scenario;
use crate::fixtures::simulation::simulate;

const STREAMS: Streams = Streams::new(5, 0);

fn run(text: &str, folder: &std::path::Path) -> (Outcome, Requests) {
    simulate(&scenario(text, folder).model, STREAMS, Requests::default())
}

fn hits(outcome: &Outcome) -> (u64, u64) {
    outcome.tokens.as_ref().unwrap().prefix
}

/// One engine whose iterations take a millisecond, with blocks of 16 tokens.
const ENGINE: &str = "[service]\nmodel = \"llm\"\nfixed = \"1ms\"\nprompt_tokens = 32\noutput_tokens = 16\n";
const ONE: &str = "[autoscaler]\nkind = \"fixed\"\ninstances = 1\n";

#[test]
fn a_turn_sends_all_before_it_again_and_finds_it() {
    let text = format!(
        "[arrivals]\nkind = \"steps\"\nloads = [1, 0]\nstep = \"1s\"\n\
         [client.session]\nturns = 3\nthink_time = \"2s\"\n{ENGINE}prefix_cache = true\n{ONE}[run]\nduration = \"60s\""
    );
    let (outcome, heard) = run(&text, ".".as_ref());
    assert_eq!((outcome.counts.arrived, outcome.counts.served), (3, 3));
    // 32 new ones; 32 + 16 + 32; and 80 + 16 + 32, of which the full blocks of what was stored before are found: the last
    // token of an answer is never stored, so of 47 tokens 32, of 95 tokens 80.
    assert_eq!(hits(&outcome), (32 + 80, 32 + 80 + 128));
    let tokens = outcome.tokens.as_ref().unwrap();
    assert_eq!((tokens.prompt, tokens.output), (32 + 80 + 128, 3 * 16));
    let mut turns: Vec<(u64, u64)> = heard.stays().collect();
    turns.sort_unstable();
    for pair in turns.windows(2) {
        assert_eq!(
            pair[1].0,
            pair[0].1 + Span::from_secs(2).as_nanos(),
            "a turn follows the answer and the thought"
        );
    }
}

#[test]
fn the_rate_to_come_is_that_of_all_turns_each_when_it_is_due() {
    let of = |turns: &str, loads: &str, max: u32| {
        let text = format!(
            "[arrivals]\nkind = \"steps\"\nloads = {loads}\nstep = \"1s\"\n[client.session]\nturns = {turns}\n\
             think_time = \"2s\"\n{ENGINE}{ONE}[run]\nduration = \"8s\""
        );
        let text = text.replace("instances = 1", &format!("instances = {max}"));
        scenario(&text, std::path::Path::new("."))
    };
    let rates = |turns: &str| {
        let start = of(turns, "[4, 0]", 1).model.start(STREAMS);
        start.future_rates(Span::from_secs(1), 8)
    };
    assert_eq!(rates("1"), [4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(rates("3"), [4.0, 0.0, 4.0, 0.0, 4.0, 0.0, 0.0, 0.0]);
    // Half of the sessions have a second turn, on average.
    let half = "{ dist = \"empirical\", values = [1, 2] }";
    assert_eq!(rates(half), [4.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    // So the instances that the peak takes are those of all turns.
    let needed = |turns: &str| of(turns, "[4, 4]", 1).instances_needed(0);
    assert!(needed("4") > 3.9 * needed("1"), "{} and {}", needed("4"), needed("1"));
}

#[test]
fn sessions_end_at_their_longest_and_share_their_beginning() {
    let sessions = |more: &str| {
        let text = format!(
            "[arrivals]\nkind = \"steps\"\nloads = [4, 0]\nstep = \"1s\"\n[client.session]\nturns = 9\n{more}\n\
             {ENGINE}prefix_cache = true\n{ONE}[run]\nduration = \"60s\""
        );
        run(&text, ".".as_ref()).0
    };
    // Prompts of 32, 80, 128, … and answers of 16: the third turn has 144.
    assert_eq!(sessions("max_context = 144").counts.served, 4 * 3);
    assert_eq!(sessions("max_context = 143").counts.served, 4 * 2);
    let apart = hits(&sessions("max_context = 48"));
    let common = hits(&sessions("max_context = 208\ncommon_tokens = 160"));
    assert_eq!(apart, (0, 4 * 32), "one turn each, with nothing in common");
    assert_eq!(common.1, 4 * 192);
    assert_eq!(common.0, 3 * 160, "all but the first session find what they have in common");
}

#[test]
fn users_hold_one_session_after_the_other() {
    let text = format!(
        "[client]\nusers = 3\nthink_time = \"10s\"\n[client.session]\nturns = 4\nthink_time = \"1s\"\n\
         {ENGINE}prefix_cache = true\n{ONE}[run]\nduration = \"15m\""
    );
    let (outcome, _) = run(&text, ".".as_ref());
    // Four turns with a second between them and 10 s to the next: 13 s, and answers of 17 to 20 ms.
    assert!(
        outcome.counts.conserved() && (800..840).contains(&outcome.counts.arrived),
        "{:?}",
        outcome.counts
    );
    let tokens = outcome.tokens.as_ref().unwrap();
    let mean = tokens.prompt as f64 / outcome.counts.served as f64;
    assert!((mean - (32.0 + 80.0 + 128.0 + 176.0) / 4.0).abs() < 1.5, "{mean}");
}

/// Rows of a trace that share their beginnings as a tree does: name, arrival in seconds, prompt tokens and blocks of each.
fn tree(rows: u64) -> Vec<(u64, u64, Vec<u64>)> {
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..rows)
        .map(|row| {
            let (branch, depth) = (next(12), 1 + next(9));
            let mut blocks: Vec<u64> =
                (0..depth).map(|level| 1 + branch / (1 + level % 2) * 100 + level).collect();
            // What is new in each, so that no prompt is found as a whole.
            blocks.push(10_000 + row);
            (row, 512 * blocks.len() as u64 - next(500), blocks)
        })
        .collect()
}

fn trace_of(rows: &[(u64, u64, Vec<u64>)]) -> String {
    rows.iter().fold(String::new(), |mut text, (second, tokens, blocks)| {
        let timestamp = second * 1000;
        writeln!(
            text,
            "{{\"timestamp\": {timestamp}, \"input_length\": {tokens}, \"output_length\": 5, \"hash_ids\": {blocks:?}}}"
        )
        .unwrap();
        text
    })
}

/// What a cache of so many tokens finds of prompts one after the other, in lists: the blocks of a prompt are let go the last first,
/// and give up their room to what is computed, the one let go longest ago first.
fn found(rows: &[(u64, u64, Vec<u64>)], capacity: u64) -> u64 {
    let size = |tokens: u64, index: usize| tokens.saturating_sub(512 * index as u64).min(512);
    let (mut idle, mut found): (Vec<(u64, u64)>, u64) = (vec![], 0);
    for (_, tokens, blocks) in rows {
        let there = |block: &u64, idle: &[(u64, u64)]| idle.iter().any(|(id, _)| id == block);
        let known = blocks.iter().take_while(|block| there(block, &idle)).count();
        found += (0..known).map(|index| size(*tokens, index)).sum::<u64>();
        idle.retain(|(id, _)| !blocks[..known].contains(id));
        // The answer stores four tokens of five; rooms are whole blocks of 16.
        let used = (tokens + 4).div_ceil(16) * 16;
        while idle.iter().map(|(_, tokens)| tokens).sum::<u64>() > capacity - used {
            idle.remove(0);
        }
        idle.retain(|(id, _)| !blocks.contains(id));
        idle.extend(blocks.iter().enumerate().rev().map(|(index, id)| (*id, size(*tokens, index))));
    }
    found
}

#[test]
fn an_engine_finds_what_a_cache_of_its_size_finds() {
    let rows = tree(400);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tree.jsonl"), trace_of(&rows)).unwrap();
    let run = |more: &str| {
        let text = format!(
            "[arrivals]\nkind = \"trace\"\nfile = \"tree.jsonl\"\n[service]\nmodel = \"llm\"\nfixed = \"1ms\"\n\
             prefix_cache = true\n{more}\n{ONE}[run]\nduration = \"500s\""
        );
        hits(&run(&text, folder.path()).0)
    };
    let prompts: u64 = rows.iter().map(|(_, tokens, _)| tokens).sum();
    let unlimited = run("");
    assert_eq!(unlimited, (found(&rows, u64::MAX), prompts));
    assert!(unlimited.0 * 2 > prompts, "{unlimited:?}");
    let mut before = 0;
    for capacity in [8_192, 20_480, 51_200] {
        let limited = run(&format!("kv_tokens = {capacity}"));
        assert_eq!(limited, (found(&rows, capacity), prompts), "{capacity}");
        assert!(limited.0 > before && limited.0 < unlimited.0, "{capacity}: {limited:?} of {unlimited:?}");
        before = limited.0;
    }
}

#[test]
fn what_prompts_hold_must_be_known() {
    let refused = |text: &str| {
        let text = format!("{text}[run]\nduration = \"60s\"");
        let read = kneepoint::internals::scenario::ScenarioFile::parse("scenario.toml", &text, ".");
        read.and_then(|file| file.scenario()).unwrap_err().render(false)
    };
    let poisson = "[arrivals]\nkind = \"poisson\"\nrate = 1\n";
    let unknown = refused(&format!("{poisson}{ENGINE}prefix_cache = true\n{ONE}"));
    assert!(
        unknown.contains("it is not known what prompts hold") && unknown.contains("client.session"),
        "{unknown}"
    );
    let both = refused(&format!(
        "{poisson}[client.session]\nturns = 2\n{ENGINE}prefix_cache = true\nprefix_hit = 0.5\n{ONE}"
    ));
    assert!(both.contains("`service.prefix_hit` beside `prefix_cache`"), "{both}");
    let capped = refused(&format!(
        "{poisson}[client]\nmax_outstanding = 4\n[client.session]\nturns = 2\n{ENGINE}{ONE}"
    ));
    assert!(capped.contains("`client.max_outstanding` does not go with `client.session`"), "{capped}");
    let slots = refused(&format!("{poisson}[client.session]\nturns = 2\n[service]\ntime = \"1s\"\n{ONE}"));
    assert!(slots.contains("client.session") && slots.contains("only an llm has tokens"), "{slots}");
    let slots =
        refused(&format!("{poisson}[client]\nfirst_token_timeout = \"1s\"\n[service]\ntime = \"1s\"\n{ONE}"));
    assert!(slots.contains("only an llm answers token by token"), "{slots}");
    let gateway = refused(&format!(
        "{poisson}[dispatch]\npolicy = \"least_kv_cache\"\n[service]\ntime = \"1s\"\n{ONE}"
    ));
    assert!(gateway.contains("a gateway looks at the engines of a language model"), "{gateway}");
}

/// A pool whose sessions begin within its first ten minutes.
fn pool(dispatch: &str) -> String {
    format!(
        "[arrivals]\nkind = \"steps\"\nloads = [2, 0]\nstep = \"10m\"\n\
         [client]\ntimeout = \"40s\"\nfirst_token_timeout = \"4s\"\nabandoned = \"stopped\"\nretries = 1\n\
         [client.session]\nturns = {{ dist = \"exponential\", mean = 5 }}\nthink_time = \"8s\"\ncommon_tokens = 400\n\
         [service]\nmodel = \"llm\"\nfixed = \"20ms\"\nper_prefill_token = \"100us\"\nkv_tokens = 20_000\nprefix_cache = true\n\
         prompt_tokens = {{ dist = \"exponential\", mean = 300 }}\noutput_tokens = {{ dist = \"exponential\", mean = 100 }}\n\
         [dispatch]\n{dispatch}\n[instances]\ncold_start = \"30s\"\n\
         [autoscaler]\nkind = \"threshold\"\nmetric = \"in_flight\"\nper = \"instance\"\nmin = 2\nmax = 6\n\
         up = {{ above = 10 }}\ndown = {{ below = 4 }}\n[run]\nduration = \"40m\""
    )
}

const DISPATCHES: [&str; 8] = [
    "policy = \"central_queue\"",
    "policy = \"least_outstanding\"",
    "policy = \"least_kv_cache\"",
    "policy = \"least_waiting\"",
    "policy = \"scorers\"\nsession_weight = 1\nno_hit_weight = 1",
    "policy = \"dynamo_kv\"",
    "policy = \"ray_prefix\"\nimbalance = 8",
    "policy = \"vllm_prefix\"",
];

#[test]
fn whatever_dispatches_sessions_requests_are_conserved_and_littles_law_holds() {
    for dispatch in DISPATCHES {
        let text = pool(dispatch);
        let (outcome, heard) = run(&text, ".".as_ref());
        let counts = outcome.counts;
        assert!(
            counts.conserved() && counts.in_flight == 0 && counts.arrived > 3000,
            "{dispatch}: {counts:?}"
        );
        assert!(counts.timed_out > 0, "{dispatch}: {counts:?}");
        let stays: u64 = heard.stays().map(|(from, to)| to - from).sum();
        let within = stays as f64 / 1e9;
        assert!((outcome.integrals.in_flight - within).abs() < 1e-6 * within, "{dispatch}");
        let (again, _) = run(&text, ".".as_ref());
        assert_eq!((again.counts, hits(&again)), (counts, hits(&outcome)), "{dispatch}");
    }
}

#[test]
fn a_gateway_that_knows_prefixes_finds_more_of_them() {
    let share = |dispatch: &str| {
        let (found, prompts) = hits(
            &run(
                &pool(dispatch)
                    .replace("20_000", "60_000")
                    .replace("common_tokens = 400", "common_tokens = 0"),
                ".".as_ref(),
            )
            .0,
        );
        found as f64 / prompts as f64
    };
    let blind = share("policy = \"round_robin\"");
    for dispatch in &DISPATCHES[4..] {
        let knowing = share(dispatch);
        assert!(knowing > blind + 0.1, "{dispatch}: {knowing:.3} against {blind:.3}");
    }
}

#[test]
fn a_new_instance_has_nothing_in_its_cache() {
    let text = pool("policy = \"round_robin\"")
        .replace(
            "kind = \"threshold\"\nmetric = \"in_flight\"\nper = \"instance\"\nmin = 2\nmax = 6",
            "kind = \"scheduled\"",
        )
        .replace(
            "up = { above = 10 }\ndown = { below = 4 }",
            "entries = [{ at = \"0 0 * * *\", instances = 2 }, { at = \"5 0 * * *\", instances = 6 }]",
        )
        .replace("20_000", "200_000");
    let (outcome, _) = run(&text, ".".as_ref());
    let hit = |minute: usize| outcome.timeline[minute].prefix_hit.unwrap();
    // Ready half a minute after the fifth: four of six instances have computed nothing.
    assert!(hit(5) < hit(4) - 0.1, "{:.3} {:.3}", hit(4), hit(5));
}

#[test]
fn an_answer_that_has_begun_is_waited_for() {
    // An answer of a hundred tokens takes 10 s, one at a time.
    let service = "[service]\nmodel = \"llm\"\nfixed = \"100ms\"\nprompt_tokens = 10\noutput_tokens = 100\nmax_sequences = 1\n";
    let text = |timeout: &str| {
        format!(
            "[arrivals]\nkind = \"steps\"\nloads = [2, 0]\nstep = \"1s\"\n[client]\n{timeout}\nabandoned = \"stopped\"\n\
             {service}{ONE}[run]\nduration = \"60s\""
        )
    };
    let (outcome, heard) = run(&text("first_token_timeout = \"5s\""), ".".as_ref());
    assert_eq!((outcome.counts.served, outcome.counts.timed_out), (1, 1));
    let (from, to) = heard.timed_out[0];
    assert_eq!(to - from, Span::from_secs(5).as_nanos());
    let (outcome, _) = run(&text("timeout = \"5s\""), ".".as_ref());
    assert_eq!(outcome.counts.timed_out, 2, "neither answer is complete by then");
    let (outcome, _) = run(&text("first_token_timeout = \"11s\""), ".".as_ref());
    assert_eq!(outcome.counts.served, 2);
}

#[test]
fn what_is_planned_with_knows_that_prompts_grow_by_turn() {
    let model = |engine: &str, session: &str| {
        let text = format!(
            "[arrivals]\nkind = \"poisson\"\nrate = 0.1\n[run]\nduration = \"1h\"\n{ONE}[service]\nmodel = \"llm\"\nfixed = \"1ms\"\n\
             per_prefill_token = \"1ms\"\nprompt_tokens = 100\noutput_tokens = 50\nkv_tokens = 100000\n{engine}\n[client.session]\n{session}"
        );
        scenario(&text, ".").model
    };
    let tokens = |session: &str| model("", session).service.in_sessions.unwrap();
    // Turns of 100, 250, 400 and 550 tokens; with 40 in common each has 40 more.
    assert_eq!((tokens("turns = 4").prompt, tokens("turns = 4").said_before), (325.0, 225.0));
    assert_eq!(tokens("turns = 4\ncommon_tokens = 40").prompt, 365.0);
    assert_eq!(tokens("turns = 400\nmax_context = 600").prompt, 325.0, "the fifth would have 700 and 50");
    // It costs 1 ms a token: what a run of them takes, and what a prefix cache takes off it.
    let rate = |engine: &str, session: &str| model(engine, session).service.throughput();
    assert!((rate("", "turns = 4") / rate("", "turns = 1") - 0.31).abs() < 0.03);
    assert!((rate("prefix_cache = true", "turns = 4") / rate("", "turns = 1") - 1.0).abs() < 0.03);
    let context = |engine: &str| model(engine, "turns = 4").token_context().unwrap();
    assert_eq!((context("").prompt, context("").prefix_hit), (325.0, 0.0));
    assert_eq!(
        (context("prefix_cache = true").prompt, context("prefix_cache = true").prefix_hit),
        (325.0, 0.692)
    );
    // What a run has is that, but for sessions it cuts off.
    let (outcome, heard) = simulate(&model("", "turns = 4"), STREAMS, Requests::default());
    let measured = outcome.tokens.unwrap().prompt as f64 / heard.served.len() as f64;
    assert!((measured / 325.0 - 1.0).abs() < 0.02, "{measured}");
}

//! Traces that tell what their requests ask for: the formats, and that each request gets what its row says. The excerpts
//! of `tests/traces/` are made up in the form of each format.

use std::path::Path;

use kneepoint::internals::random::Streams;
use kneepoint::internals::sim::{Block, Model, RequestSource};

use crate::fixtures::traces::{LLM, read};

fn excerpt(arrivals: &str, service: &str) -> Model {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    read(arrivals, service, &folder).unwrap_or_else(|error| panic!("{error}"))
}

/// `(arrival, prompt, output)` of the first requests; an arrival in milliseconds.
fn tokens(model: &Model, count: usize) -> Vec<(u64, u32, u32)> {
    let mut block = Block::default();
    RequestSource::new(model, Streams::new(3, 0)).fill(&mut block);
    let rows = block.arrival.iter().zip(&block.tokens);
    rows.map(|(at, tokens)| (at / 1_000_000, tokens.prompt, tokens.output)).take(count).collect()
}

/// `(arrival, service)` of the first requests, in milliseconds.
fn services(model: &Model, count: usize) -> Vec<(u64, u64)> {
    let mut block = Block::default();
    RequestSource::new(model, Streams::new(3, 0)).fill(&mut block);
    let rows = block.arrival.iter().zip(&block.service);
    rows.map(|(at, service)| (at / 1_000_000, service / 1_000_000)).take(count).collect()
}

#[test]
fn each_format_gives_each_request_the_tokens_of_its_row() {
    let read = |file: &str, format: &str| {
        tokens(&excerpt(&format!("file = \"{file}\"\nformat = \"{format}\""), LLM), 9)
    };
    assert_eq!(read("azure_llm.csv", "azure_llm"), [(0, 4808, 10), (52, 3180, 8), (2000, 110, 27)]);
    assert_eq!(read("azure_lmm.csv", "azure_llm"), [(0, 4520, 55), (1000, 13, 1)]);
    // The request that failed has no response tokens, and is served with one.
    assert_eq!(read("burst_gpt.csv", "burst_gpt"), [(0, 472, 18), (40_000, 1087, 1), (40_000, 417, 276)]);
    assert_eq!(
        read("mooncake.jsonl", "mooncake"),
        [(0, 6755, 500), (0, 7319, 490), (2999, 7234, 794), (3000, 2287, 316)]
    );
    assert_eq!(read("bailian.jsonl", "bailian"), [(0, 521, 132), (386, 653, 9)]);
    assert_eq!(read("aibrix.csv", "aibrix"), [(0, 8055, 99), (2000, 21073, 100)]);
    let by_name =
        "file = \"azure_llm.csv\"\ncolumn = 1\nprompt_tokens = 2\noutput_tokens = \"GeneratedTokens\"";
    assert_eq!(tokens(&excerpt(by_name, LLM), 9), read("azure_llm.csv", "azure_llm"));
    let keys = "file = \"bailian.jsonl\"\nformat = \"json_lines\"\nprompt_tokens = \"turn\"\noutput_tokens = \"chat_id\"";
    assert_eq!(tokens(&excerpt(keys, LLM), 9), [(0, 1, 159), (386, 2, 160)]);
}

#[test]
fn a_measured_service_time_is_that_of_its_row_under_slots_and_shared() {
    let trace = "file = \"gentd26.csv\"\nformat = \"gentd26\"";
    for service in ["concurrency = 3", "model = \"shared\"\ncores = 1"] {
        let model = excerpt(trace, service);
        assert_eq!(services(&model, 9), [(0, 32_000), (0, 0), (4_704_000, 43_500)]);
        assert!((model.service.time.0.mean() - 75.5 / 3.0).abs() < 1e-9, "the mean of the rows");
    }
    let other = "file = \"gentd26.csv\"\ncolumn = 1\nservice_time = 4\nservice_unit = \"ms\"";
    assert_eq!(services(&excerpt(other, ""), 1), [(0, 32)]);
    // What `[service]` writes stands before what the trace tells.
    assert_eq!(services(&excerpt(trace, "time = \"2s\""), 9), [(0, 2000), (0, 2000), (4_704_000, 2000)]);
    let half =
        excerpt("file = \"azure_llm.csv\"\nformat = \"azure_llm\"", &format!("{LLM}\noutput_tokens = 5"));
    assert_eq!(tokens(&half, 9), [(0, 4808, 5), (52, 3180, 5), (2000, 110, 5)]);
}

#[test]
fn tokens_stay_with_their_row_when_the_trace_is_cut_looped_sped_up_and_scaled() {
    let read = |keys: &str, count| {
        let trace = format!("file = \"azure_llm.csv\"\nformat = \"azure_llm\"\n{keys}");
        tokens(&excerpt(&trace, LLM), count)
    };
    let looped = read("loop = true\nspeed = 2", 7);
    let turn = [(4808, 10), (3180, 8), (110, 27)];
    assert_eq!(looped.iter().map(|row| (row.1, row.2)).collect::<Vec<_>>(), [turn, turn, turn].concat()[..7]);
    assert_eq!(read("cut = { from = \"10ms\" }", 9), [(42, 3180, 8), (1990, 110, 27)]);
    let mean = excerpt("file = \"azure_llm.csv\"\nformat = \"azure_llm\"\ncut = { from = \"10ms\" }", LLM);
    assert_eq!(mean.service.tokens.unwrap().prompt.0.mean(), (3180.0 + 110.0) / 2.0, "of the rows used");
    let copies = read("scale = 3", 9);
    assert_eq!(copies.len(), 9);
    for (group, (prompt, output)) in copies.chunks(3).zip(turn) {
        assert!(group.iter().all(|row| (row.1, row.2) == (prompt, output)), "{copies:?}");
    }
    let thinned = read("scale = 0.5\nloop = true", 500);
    assert!(thinned.iter().all(|row| turn.contains(&(row.1, row.2))));
    assert!(turn.iter().all(|row| thinned.iter().any(|kept| (kept.1, kept.2) == *row)));
}

#[test]
fn a_request_without_a_row_takes_a_whole_row_at_random_the_same_for_every_setting() {
    let spiked = |keys: &str| {
        let trace = format!(
            "file = \"azure_llm.csv\"\nformat = \"azure_llm\"\n{keys}\nspikes = [{{ at = \"10s\", duration = \"1m\", rate = 15 }}]"
        );
        tokens(&excerpt(&trace, LLM), 10_000)
    };
    let all = spiked("");
    assert_eq!(all[..3], [(0, 4808, 10), (52, 3180, 8), (2000, 110, 27)]);
    assert!(all.len() > 700, "{} requests", all.len());
    for row in [(4808, 10), (3180, 8), (110, 27)] {
        let share =
            all[3..].iter().filter(|each| (each.1, each.2) == row).count() as f64 / (all.len() - 3) as f64;
        // Three standard errors of a third of 850 are 4.9 %.
        assert!((share - 1.0 / 3.0).abs() < 0.05, "{row:?}: {share}");
    }
    assert_eq!(all, spiked("column = \"TIMESTAMP\""));
    // A row that the cut leaves out is never drawn.
    assert!(spiked("cut = { from = \"1s\" }").iter().all(|each| (each.1, each.2) == (110, 27)));
}

#[test]
fn the_ticks_of_a_coarse_clock_are_spread_and_the_rows_keep_their_order() {
    let rows: String = (0..3000).map(|n| format!("{},{n},1\n", n / 10 * 3)).collect();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), rows).unwrap();
    let trace = "file = \"t.csv\"\nprompt_tokens = 2\noutput_tokens = 3\nspread = \"3s\"";
    let model = read(trace, LLM, folder.path()).unwrap();
    let spread = tokens(&model, 1000);
    assert!(spread.iter().map(|row| row.0).is_sorted());
    assert_eq!(spread.iter().map(|row| row.1).collect::<Vec<_>>()[1..4], [1, 2, 3]);
    // The first is at 0, so each lies in its tick less what the first lay after the start of its own.
    let offset = spread.iter().map(|row| row.0 as i64 - i64::from(row.1) / 10 * 3000).min().unwrap();
    assert!((-3000..=0).contains(&offset), "{offset}");
    let within = spread.iter().map(|row| (row.0 as i64 - offset) as f64 % 3000.0);
    let mean = within.sum::<f64>() / 1000.0;
    // Three standard errors of the mean of 1000 uniforms on 3 s are 82 ms.
    assert!((mean - 1500.0).abs() < 90.0, "{mean}");
    let distinct: std::collections::BTreeSet<u64> = spread.iter().map(|row| row.0).collect();
    assert!(distinct.len() > 950, "{} distinct instants", distinct.len());
}

#[test]
fn what_a_trace_does_not_tell_is_asked_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let refused = |arrivals: &str, service: &str| read(arrivals, service, &folder).expect_err(arrivals);
    for (arrivals, service, expected) in [
        ("file = \"azure_llm.csv\"\nformat = \"csv\"", LLM, "`service.prompt_tokens` is missing"),
        (
            "file = \"azure_llm.csv\"\nformat = \"csv\"\nprompt_tokens = 2",
            LLM,
            "a trace that has it, with its column as `arrivals.output_tokens`",
        ),
        ("file = \"azure_llm.csv\"\nformat = \"azure_llm\"", "concurrency = 2", "`service.time` is missing"),
        ("file = \"azure_llm.csv\"\nformat = \"burst_gpt\"", LLM, "has no column `Timestamp`"),
        ("file = \"azure_llm.csv\"\nformat = \"azurellm\"", LLM, "did you mean \"azure_llm\"?"),
        (
            "file = \"azure_llm.csv\"\nformat = \"mooncake\"",
            LLM,
            "line 1 is `TIMESTAMP,ContextTokens,Generate…",
        ),
        ("file = \"bailian.jsonl\"\nformat = \"mooncake\"\ncolumn = 1", LLM, "has no numbered columns"),
        (
            "file = \"bailian.jsonl\"\nformat = \"json_lines\"\nprompt_tokens = \"input_lenght\"",
            LLM,
            "line 1 has no key `input_lenght`",
        ),
        (
            "file = \"gentd26.csv\"\nformat = \"gentd26\"\nservice_time = \"groupId\"",
            "",
            "line 2, column `groupId` is `G0000`",
        ),
        (
            "file = \"burst_gpt.csv\"\nformat = \"burst_gpt\"\nprompt_tokens = \"Model\"",
            LLM,
            "expected a number of tokens",
        ),
    ] {
        let message = refused(arrivals, service);
        assert!(message.contains(expected), "{arrivals}\n{message}\nnot {expected}");
    }
}

//! `[service.hardware]`: what it reads, what it refuses, and what it says of its worth.

use kneepoint::internals::random::Streams;
use kneepoint::internals::scenario::{Scenario, ScenarioFile};
use kneepoint::internals::service::{IterationWork, Llm, Model};
use kneepoint::internals::stats::Digest;

use crate::fixtures::cli::Work;
use crate::fixtures::requests::Requests;
use crate::fixtures::scenario::scenario;
use crate::fixtures::simulation::simulate;

fn read(hardware: &str) -> Result<Scenario, String> {
    let text = format!(
        "[run]\nduration = \"1h\"\n[arrivals]\nkind = \"poisson\"\nrate = 1\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n\
         [service]\nmodel = \"llm\"\nprompt_tokens = 500\noutput_tokens = 100\n{hardware}"
    );
    let file = ScenarioFile::parse("scenario.toml", &text, ".").map_err(|error| error.to_string())?;
    file.scenario().map_err(|error| error.to_string())
}

fn llm(hardware: &str) -> Llm {
    match read(hardware).unwrap_or_else(|error| panic!("{error}")).model.service.model {
        Model::Llm(llm) => llm,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_model_has_several_names_and_weights_of_its_own() {
    let short = llm("hardware = { model = \"llama-3.1-8b\", gpu = \"h100-sxm\" }");
    let published = llm("hardware = { model = \"meta-llama/Llama-3.1-8B\", gpu = \"H100-SXM\" }");
    assert_eq!(short, published);
    // 0.9 × 80 GiB less 16.06 GB of weights and 4 GB, at 131,072 bytes a token.
    let tokens = short.blocks * 16;
    assert!((435_000..440_000).contains(&tokens), "{tokens}");
    let deepseek = llm("hardware = { model = \"deepseek-v3\", gpu = \"h200\", tensor_parallel = 8 }");
    assert!(deepseek.uncertainty.is_some_and(|uncertainty| uncertainty.of.contains("fp8")));
}

#[test]
fn an_answer_takes_the_time_to_its_first_token_and_that_of_the_others() {
    // Time outside the engine differs from answer to answer, and is that of no other.
    let hardware = "hardware = { model = \"llama-3.1-8b\", gpu = \"h100-sxm\" }";
    for dispatch in ["round_robin", "central_queue", "least_outstanding"] {
        let text = format!(
            "[run]\nduration = \"1h\"\n[arrivals]\nkind = \"poisson\"\nrate = 4\n[autoscaler]\nkind = \"fixed\"\ninstances = 2\n\
             [dispatch]\npolicy = \"{dispatch}\"\n[service]\nmodel = \"llm\"\noutput_tokens = 100\n{hardware}\n\
             prompt_tokens = {{ dist = \"exponential\", mean = 500 }}"
        );
        let model = scenario(&text, ".").model;
        let (outcome, ()) = simulate(&model, Streams::new(5, 0), ());
        let tokens = outcome.tokens.expect("tokens");
        let mean = |digest: &Digest| digest.mean().expect("answers");
        let sum = mean(&tokens.ttft) + 99.0 * mean(&tokens.tpot);
        let latency = mean(&outcome.latency);
        // A time per token is rounded down to whole nanoseconds.
        assert!((latency - sum).abs() < 1e-7, "{dispatch}: {latency} s, and {sum} s in parts");
    }
}

#[test]
fn what_is_written_comes_before_the_formula() {
    let work = IterationWork { decoding: 8, context: 8000, ..IterationWork::default() };
    let formula = llm("hardware = { model = \"llama-3.1-8b\", gpu = \"h100-sxm\" }");
    let written = llm(
        "kv_tokens = 1600\nfixed = \"100ms\"\nhardware = { model = \"llama-3.1-8b\", gpu = \"h100-sxm\" }",
    );
    assert_eq!(written.blocks, 100);
    assert_eq!(written.law.time(work) - written.law.fixed, formula.law.time(work) - formula.law.fixed);
    assert_eq!(written.law.fixed, 100_000_000);
}

#[test]
fn what_cannot_be_is_refused_with_what_could() {
    let cases = [
        ("{ model = \"lama-3.1-8b\", gpu = \"h100-sxm\" }", "did you mean \"llama-3.1-8b\"?"),
        ("{ model = \"llama-3.1-8b\", gpu = \"h100\" }", "which one: h100-nvl, h100-pcie, h100-sxm"),
        ("{ model = \"llama-3.1-70b\", gpu = \"h100-sxm\" }", "it fits with `tensor_parallel = 2`"),
        ("{ model = \"llama-3.1-405b\", gpu = \"l4\", tensor_parallel = 8 }", "narrower `weights` take less"),
        ("{ model = \"llama-3.1-8b\", gpu = \"h200\", tensor_parallel = 3 }", "expected 1, 2, 4 or 8"),
        ("{ model = \"llama-3.1-8b\", gpu = \"h200\", weights = \"mxfp4\" }", "has no experts"),
        ("{ model = 8, gpu = \"h200\" }", "expected the name of a model"),
    ];
    for (hardware, expected) in cases {
        let error = read(&format!("hardware = {hardware}")).unwrap_err();
        assert!(error.contains(expected), "{hardware}\n{error}");
    }
    let both = "preset = \"phi-4-h100\"\nhardware = { model = \"phi-4\", gpu = \"h200\" }";
    assert!(read(both).unwrap_err().contains("expected one of `preset` and `hardware`"));
}

#[test]
fn figures_of_a_data_sheet_alone_are_said_to_be_so_and_are_less_certain() {
    let of = |gpu: &str| {
        llm(&format!("hardware = {{ model = \"qwen3-8b\", gpu = \"{gpu}\" }}")).uncertainty.unwrap()
    };
    let (measured, sheet) = (of("h200"), of("mi300x"));
    assert_eq!((measured.basis, sheet.basis), ("kernels and whole engines measured", "data sheet only"));
    assert!(sheet.between.0 < measured.between.0 && sheet.between.1 > measured.between.1);
}

#[test]
fn summaries_too_say_what_the_times_of_each_alternative_are_worth() {
    let work = Work::with(
        "[run]\nduration = \"1m\"\nreplications = 2\n[arrivals]\nkind = \"poisson\"\nrate = 1\n[autoscaler]\nkind = \"fixed\"\n\
         instances = 1\n[service]\nmodel = \"llm\"\nprompt_tokens = 500\noutput_tokens = 100\n[service.hardware]\nmodel = \"qwen3-8b\"\n\
         gpu = \"h200\"\n[[variant]]\nname = \"other\"\nset = { \"service.hardware.gpu\" = \"mi300x\" }\n",
    );
    for command in ["run", "compare"] {
        let shown = work.done(&[command, "scenario.toml", "--json"]);
        let summary: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let reading = summary["reading"].as_array().unwrap();
        let stated: Vec<&str> = reading
            .iter()
            .filter(|statement| statement["id"] == "note.formula")
            .map(|statement| statement["text"].as_str().unwrap())
            .collect();
        assert_eq!(stated.len(), 2, "{command}: {stated:?}");
        assert!(stated.iter().any(|text| text.contains("h200") && text.contains("80 % of measured levels")));
        assert!(stated.iter().any(|text| text.contains("mi300x") && text.contains("is supposed")));
    }
}

#[test]
fn a_bend_in_the_decoding_sequences_is_followed_and_attention_grows_with_the_square() {
    let llm = llm(
        "fixed = \"5ms\"\nattention = \"2ms\"\ndecoding = [{ sequences = 16, time = \"8ms\" }, { sequences = 64, time = \"20ms\" }, \
         { sequences = 128, time = \"52ms\" }]",
    );
    let millis = |work: IterationWork| llm.law.time(work) as f64 / 1e6;
    let decoding = |decoding| millis(IterationWork { decoding, ..IterationWork::default() });
    assert_eq!([16, 40, 96, 160].map(decoding), [13.0, 19.0, 41.0, 73.0]);
    let prompt = |chunks: &[(u64, u64)]| {
        let mut work = IterationWork::default();
        chunks.iter().for_each(|(start, chunk)| work.add_chunk(*start, *chunk));
        millis(work) - decoding(0)
    };
    assert_eq!([prompt(&[(0, 1000)]), prompt(&[(0, 2000)])], [2.0, 8.0]);
    assert_eq!(prompt(&[(0, 500), (500, 1500)]), 8.0, "cut into chunks it is the same work");
}

#[test]
fn tokens_of_a_prompt_take_time_outside_the_engine_too_and_a_user_waits_for_it() {
    // A user sends the next request as the answer arrives: 1,000 tokens of 4 µs, then two iterations of 10 ms.
    let means = |outside: &str| {
        let text = format!(
            "[run]\nduration = \"24s\"\n[client]\nusers = 1\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[service]\nmodel = \"llm\"\n\
             prompt_tokens = 1000\noutput_tokens = 2\nfixed = \"10ms\"\n{outside}"
        );
        let model = scenario(&text, ".").model;
        let (outcome, heard) = simulate(&model, Streams::new(1, 0), Requests::default());
        let tokens = outcome.tokens.unwrap();
        (tokens.ttft.mean().unwrap(), tokens.tpot.mean().unwrap(), heard.served.len())
    };
    let (ttft, tpot, requests) = means("");
    let (later, same, fewer) = means("overhead_per_prompt_token = \"4us\"");
    assert!((later - ttft - 0.004).abs() < 1e-9 && same == tpot, "{ttft} {later}, {tpot} {same}");
    assert!(
        requests.abs_diff(1200) < 2 && fewer.abs_diff(1000) < 2,
        "of 20 ms each, and of 24: {requests}, {fewer}"
    );
}

#[test]
fn iterations_with_prompts_take_longer_than_their_tokens_and_those_of_older_hosts_longer_still() {
    let of = |gpu: &str| llm(&format!("hardware = {{ model = \"llama-3.1-8b\", gpu = \"{gpu}\" }}"));
    let h100 = of("h100-sxm");
    let decoding = |decoding| h100.law.time(IterationWork { decoding, ..IterationWork::default() });
    let mut prompt = IterationWork::default();
    prompt.add_chunk(0, 1);
    // Without recorded graphs: 150 µs for each of 32 layers.
    let more = h100.law.time(prompt) - decoding(1) + h100.law.per_sequence;
    assert!((4_800_000..4_801_000).contains(&more), "{more}");
    assert_eq!(h100.overhead_per_prompt_token.as_nanos(), 4400);
    let sequence = |gpu: &str| of(gpu).law.per_sequence as f64;
    assert!((sequence("a100-80gb-sxm") / sequence("h100-sxm") - 1.4).abs() < 1e-3);
}

#[test]
fn iterations_outside_the_engine_go_by_experts_and_engine() {
    let of = |model: &str, engine: &str| {
        let hardware = format!("model = \"{model}\", gpu = \"b200\", engine = \"{engine}\"");
        llm(&format!("hardware = {{ {hardware} }}"))
    };
    let iterations = |model: &str, engine: &str| of(model, engine).overhead_iterations;
    let (dense, experts) = ("llama-3.1-8b", "gpt-oss-120b");
    assert!(iterations(experts, "vllm") > 2.0 * iterations(dense, "vllm"));
    for model in [dense, experts] {
        assert_eq!(iterations(model, "tensorrt_llm"), iterations(model, "vllm"));
        assert_eq!(iterations(model, "sglang"), iterations(dense, "sglang"));
        assert!(iterations(model, "sglang") > iterations(experts, "vllm"));
    }
    // Batches of 2023 were measured within it.
    let old = of(dense, "vllm_2023");
    assert_eq!((old.overhead_iterations, old.overhead_per_prompt_token.as_nanos()), (0.0, 0));
}

#[test]
fn experts_of_4_bits_compute_at_the_8_bit_peak_where_the_gpu_multiplies_so() {
    let prompts = |gpu: &str| {
        let llm =
            llm(&format!("hardware = {{ model = \"gpt-oss-120b\", gpu = \"{gpu}\", tensor_parallel = 2 }}"));
        let mut work = IterationWork::default();
        work.add_chunk(0, 8192);
        llm.law.time(work) as f64
    };
    // By 16-bit peaks alone a B200 would be 2.3 times as fast.
    assert!(prompts("h100-sxm") / prompts("b200") > 2.5);
}

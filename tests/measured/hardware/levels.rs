//! The measured levels, and how the tests that measured them drove the engines.

use std::path::Path;

use kneepoint::internals::scenario::ScenarioFile;
use kneepoint::internals::service::{Fitted, Llm, Model, Tokens, law_with};
use kneepoint::internals::time::Span;

/// A measured level: of which model, where, and its means.
#[derive(Debug)]
pub struct Level {
    pub source: String,
    pub model: String,
    pub gpu: String,
    pub gpus: u64,
    pub engine: &'static str,
    pub version: String,
    weights: String,
    pub prompt: f64,
    pub output: f64,
    pub outstanding: u64,
    pub ttft_ms: f64,
    pub tpot_ms: f64,
    /// Of InferenceX itself; those that come with its file without a date are of AIConfigurator, which carries it.
    is_dated: bool,
}

/// How an engine was set up and driven, from the scripts that the benchmarks publish (SemiAnalysisAI/InferenceX, `benchmarks/`,
/// kimbochen/bench_serving, and ai-dynamo/aiconfigurator, `src/aiconfigurator/eval/benchmarks/`), where they do.
#[derive(Debug, Clone, Copy)]
pub struct Drive {
    pub requests: u64,
    /// Lengths of prompts are spread evenly between these shares of the nominal one.
    pub prompts: [f64; 2],
    /// The same of answers.
    answers: [f64; 2],
    token_budget: u64,
    sequences: u64,
    /// Iterations that a new prompt is held back for on average, by settings of the test.
    pub held_iterations: f64,
}

pub fn levels(text: &str) -> Vec<Level> {
    let file: serde_json::Value = serde_json::from_str(text).unwrap();
    let columns: Vec<&str> =
        file["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let rows = file["rows"].as_array().unwrap().iter().map(|row| {
        let cell = |name: &str| &row[columns.iter().position(|column| *column == name).unwrap()];
        let text = |name: &str| cell(name).as_str().unwrap_or_default().to_owned();
        let number = |name: &str| cell(name).as_f64().unwrap();
        let source = text("source");
        Level {
            is_dated: source == "inferencex" && !text("date").is_empty(),
            source,
            model: text("model"),
            gpu: text("gpu"),
            gpus: cell("tp").as_u64().unwrap(),
            engine: match text("engine").as_str() {
                "vllm" => "vllm",
                "trtllm" => "tensorrt_llm",
                "sglang" => "sglang",
                "vllm-2023" => "vllm_2023",
                other => panic!("{other}"),
            },
            version: text("version"),
            weights: text("weights"),
            prompt: number("prompt"),
            output: number("output"),
            outstanding: number("concurrency") as u64,
            ttft_ms: number("ttft_ms"),
            tpot_ms: number("tpot_ms"),
        }
    });
    rows.collect()
}

impl Drive {
    /// Tokens of the prompt and of the answer of a request of the level.
    pub fn tokens(&self, level: &Level, request: u64) -> Tokens {
        // Golden-ratio steps spread evenly, whatever the number.
        let length = |nominal: f64, [low, high]: [f64; 2], step: f64| {
            (nominal * (low + (high - low) * (request as f64 * step).fract())).max(1.0) as u32
        };
        Tokens {
            prompt: length(level.prompt, self.prompts, 0.618_033_988_75),
            output: length(level.output, self.answers, 0.754_877_666_25),
        }
    }
}

impl Level {
    fn is_batch(&self) -> bool {
        self.source == "splitwise"
    }

    fn is(&self, model: &str, engine: &str) -> bool {
        self.model == model && self.engine == engine
    }

    /// What the formula does not model: sparse and linear attention, and answers drafted ahead.
    pub fn is_modelled(&self) -> bool {
        !["glm-5", "qwen3.5-397b-a17b"].contains(&self.model.as_str()) && !self.is_speculative()
    }

    /// Whether answers were drafted ahead: the public change log of the benchmark gives this image to its runs with
    /// multi-token prediction (those without had `1.2.0rc6.post2`).
    fn is_speculative(&self) -> bool {
        self.is("deepseek-v3", "tensorrt_llm") && self.version == "1.2.0rc6.post3"
    }

    fn weights(&self) -> &str {
        match self.weights.as_str() {
            "" | "fp16" => "bf16",
            "fp4" if self.model.starts_with("gpt-oss") => "mxfp4",
            other => other,
        }
    }

    /// The cache as the scripts set it: of 8 bits with narrow weights, but not where vLLM ran on H100.
    fn cache(&self) -> &'static str {
        let wide = matches!(self.weights(), "bf16" | "int4");
        if wide || self.is_batch() || (self.gpu == "h100-sxm" && self.engine == "vllm") {
            "bf16"
        } else {
            "fp8"
        }
    }

    pub fn drive(&self) -> Drive {
        let (prompt, outstanding) = (self.prompt as u64, self.outstanding);
        let doubled = self.model == "minimax-m2.5" && self.gpu == "b300"
            || self.model == "kimi-k2" && self.weights() == "fp4";
        let token_budget = match self.engine {
            // A batch is computed at once.
            _ if self.is_batch() => 10_000_000,
            "vllm" if doubled => 2 * prompt,
            "tensorrt_llm" if self.model == "llama-3.1-70b" => 16_384,
            "tensorrt_llm" if self.model == "gpt-oss-120b" => 20_000,
            "tensorrt_llm" if self.model == "deepseek-v3" => {
                let tight = (outstanding + prompt + 127) / 64 * 64;
                let early = ["", "1.1.0rc2.post2"].contains(&self.version.as_str());
                if early { tight } else { tight.max(8192) }
            }
            "sglang" if self.is_dated && self.weights() == "fp4" => 16_384,
            "sglang" if self.is_dated => 32_768,
            _ => 8192,
        };
        // An answer takes a share of the times to first token of this test that shows one place fewer than there were users.
        let padded = self.is("llama-3.1-8b", "tensorrt_llm") && !self.is_dated;
        let sequences = outstanding - u64::from(padded && outstanding > 1);
        let held_iterations = match self.engine {
            // New prompts are looked for every 10 iterations, or 30.
            "sglang" if self.is_dated => {
                if outstanding >= 16 {
                    15.0
                } else {
                    5.0
                }
            }
            // A prompt is held until others fill the budget, for 20 iterations at most; those that come meanwhile wait less.
            "tensorrt_llm"
                if self.model == "llama-3.1-70b"
                    && self.gpus < 8
                    && (self.prompt, self.output) == (1024.0, 1024.0) =>
            {
                let apart = 0.9 * self.output / outstanding as f64;
                20.0 - apart * (20.0 / apart).floor() / 2.0
            }
            _ => 0.0,
        };
        let requests = if self.is_batch() { outstanding } else { 10 * outstanding };
        let (prompts, answers) = match () {
            () if self.is_batch() => ([1.0; 2], [1.0; 2]),
            () if self.is_dated => ([0.8, 1.0], [0.8, 1.0]),
            // All of one length. Answers of one length would keep the requests of a simulation in step for good, which those measured
            // are not.
            () => ([1.0; 2], [0.9, 1.1]),
        };
        let token_budget = token_budget.max(outstanding + 64);
        Drive { requests, prompts, answers, token_budget, sequences, held_iterations }
    }

    /// The instance that served it; `None` where the formula does not cover it.
    pub fn machine(&self) -> Option<Llm> {
        let Drive { token_budget, sequences, .. } = self.drive();
        // Where the weights leave next to nothing, as the scripts say.
        let crowded = self.model == "deepseek-v3" && self.weights() == "fp8" && self.gpus == 4;
        let text = format!(
            "[run]\nduration = \"1h\"\n[arrivals]\nkind = \"poisson\"\nrate = 1\n[autoscaler]\nkind = \"fixed\"\ninstances = 1\n[service]\n\
             model = \"llm\"\nprompt_tokens = 100\noutput_tokens = 100\nmax_sequences = {sequences}\ntoken_budget = {token_budget}\n\
             [service.hardware]\nmodel = \"{}\"\ngpu = \"{}\"\ntensor_parallel = {}\nengine = \"{}\"\nweights = \"{}\"\n\
             kv_cache = \"{}\"\nmemory_share = {}\n",
            self.model,
            self.gpu,
            self.gpus,
            self.engine,
            self.weights(),
            self.cache(),
            if crowded { 0.95 } else { 0.9 }
        );
        // What does not fit is refused.
        let read = ScenarioFile::parse("level.toml", &text, Path::new(".")).and_then(|file| file.scenario());
        match read.ok()?.model.service.model {
            Model::Llm(llm) => Some(llm),
            _ => None,
        }
    }

    /// Its machine with other constants of the formula.
    pub fn with(&self, llm: &Llm, fitted: &Fitted) -> Llm {
        let names = [self.model.as_str(), &self.gpu, self.engine, self.weights()];
        let kv_bytes = if self.cache() == "fp8" { 1.0 } else { 2.0 };
        let (law, outside) = law_with(names, self.gpus as u32, kv_bytes, fitted).unwrap();
        Llm {
            law,
            overhead_iterations: outside.iterations,
            overhead_per_prompt_token: Span::from_secs_f64(outside.per_prompt_token_s),
            ..llm.clone()
        }
    }

    /// What is left out together: whatever is of this model on this GPU.
    pub fn group(&self) -> String {
        format!("{} {} on {}", self.source, self.model, self.gpu)
    }

    /// Everything but version, date and how experts are divided.
    pub fn setting(&self) -> String {
        let Level { model, gpu, gpus, engine, weights, prompt, output, outstanding, .. } = self;
        format!("{model} {gpu} {gpus} {engine} {weights} {prompt} {output} {outstanding}")
    }
}

//! Models on GPUs with published figures.
//!
//! All are the fits to vLLM that the BLIS simulator publishes (github.com/inference-sim/inference-sim, file
//! `coefficients.yaml` at commit 01cddc3 and, for CodeLlama, `defaults.yaml` at 1a6eb35; vLLM 0.8.4, for gpt-oss
//! 0.10.1.1). There an iteration takes β₀ + β₁ × prompt tokens + β₂ × sequences that decode, and each output token α₂ more
//! outside the iteration. Clients see both, so here both stand in the fixed part: it is β₀ + α₂, rounded to nanoseconds.
//! Two overheads of a request there, α₀ and α₁ per prompt token (a few milliseconds together), are left out. The cache is
//! `total_kv_blocks` blocks of 16 tokens.

use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};

/// Figures of a model on a GPU; times in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Fixed time of an iteration.
    pub fixed: u64,
    /// Time per prompt token.
    pub per_prefill_token: u64,
    /// Time per decoding sequence.
    pub per_sequence: u64,
    /// Time per token in the KV cache of the decoding sequences.
    pub per_kv_token: u64,
    /// Tokens that the KV cache holds.
    pub kv_tokens: u64,
}

impl Preset {
    const fn new(fixed: u64, per_prefill_token: u64, per_sequence: u64, blocks: u64) -> Preset {
        Preset { fixed, per_prefill_token, per_sequence, per_kv_token: 0, kv_tokens: 16 * blocks }
    }
}

/// Every preset: its name, its figures and its description.
pub const PRESETS: [(&str, &Preset, &str); 8] = [
    (
        "llama-3.1-8b-h100",
        &Preset::new(9_110_145, 17_251, 5_999, 29_205),
        "Llama 3.1 8B Instruct on one H100, vLLM 0.8.4",
    ),
    (
        "llama-3.1-8b-2xh100",
        &Preset::new(8_715_963, 17_671, 2_838, 132_139),
        "Llama 3.1 8B Instruct on two H100, vLLM 0.8.4",
    ),
    (
        "llama-3.1-8b-a100-80gb",
        &Preset::new(22_717_778, 47_837, 18_206, 29_205),
        "Llama 3.1 8B Instruct on one A100 of 80 GB, vLLM 0.8.4",
    ),
    ("phi-4-h100", &Preset::new(13_468_421, 47_409, 23_357, 14_645), "Phi-4 (14B) on one H100, vLLM 0.8.4"),
    (
        "mistral-small-24b-4xa100-80gb",
        &Preset::new(12_209_366, 54_146, 6_454, 399_921),
        "Mistral Small 24B Instruct 2501 on four A100 of 80 GB, vLLM 0.8.4",
    ),
    (
        "codellama-34b-h100",
        &Preset::new(26_595_278, 96_284, 56_586, 2_537),
        "CodeLlama 34B Instruct on one H100, vLLM 0.8.4",
    ),
    (
        "llama-3.3-70b-4xh100",
        &Preset::new(24_112_714, 76_423, 66_844, 128_273),
        "Llama 3.3 70B Instruct on four H100, vLLM 0.8.4",
    ),
    (
        "gpt-oss-120b-4xh100",
        &Preset::new(5_851_634, 21_069, 7_359, 3_090_344),
        "gpt-oss 120B on four H100, vLLM 0.10.1.1",
    ),
];

impl Choice for &'static Preset {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &PRESETS;
}

impl Value for &'static Preset {
    fn kind() -> Kind {
        <&'static Preset as Choice>::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

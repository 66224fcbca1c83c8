//! Models on GPUs with published figures.
//!
//! All are the fits to vLLM that the BLIS simulator publishes (github.com/inference-sim/inference-sim, file
//! `coefficients.yaml` at commit 01cddc3 and, for CodeLlama, `defaults.yaml` at 1a6eb35; vLLM 0.8.4, for gpt-oss
//! 0.10.1.1). There an iteration takes β₀ + β₁ × prompt tokens + β₂ × sequences that decode, and each output token α₂ more
//! outside the iteration. Clients see both, so here both stand in the fixed part: it is β₀ + α₂, rounded to nanoseconds.
//! Two overheads of a request there, α₀ and α₁ per prompt token (a few milliseconds together), are left out. The cache is
//! `total_kv_blocks` blocks of 16 tokens, where the GPUs can hold them beside the weights in 0.9 of their memory, the share
//! that vLLM takes unless told otherwise. For models on several GPUs the published count appears multiplied by the number of
//! GPUs (the ratio to what they hold is exactly that), and is divided by it here; that of gpt-oss exceeds the memory even so,
//! and is replaced by what fits. A test checks each preset against the memory, from the figures of each model's
//! configuration.

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
        &Preset::new(8_715_963, 17_671, 2_838, 132_139 / 2),
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
        &Preset::new(12_209_366, 54_146, 6_454, 399_921 / 4),
        "Mistral Small 24B Instruct 2501 on four A100 of 80 GB, vLLM 0.8.4",
    ),
    (
        "codellama-34b-h100",
        &Preset::new(26_595_278, 96_284, 56_586, 2_537),
        "CodeLlama 34B Instruct on one H100, vLLM 0.8.4",
    ),
    (
        "llama-3.3-70b-4xh100",
        &Preset::new(24_112_714, 76_423, 66_844, 128_273 / 4),
        "Llama 3.3 70B Instruct on four H100, vLLM 0.8.4",
    ),
    (
        "gpt-oss-120b-4xh100",
        &Preset::new(5_851_634, 21_069, 7_359, 206_899),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A model on GPUs of 80 GiB: GPUs, bytes of its weights, and layers, key-value heads and head size, of 2 bytes a value.
    ///
    /// Layers, heads and parameters are those of each model's `config.json` (Llama 3.1 and 3.3, Phi-4, Mistral Small 24B
    /// 2501, CodeLlama 34B, gpt-oss 120B). Weights have 2 bytes a parameter; those of the experts of gpt-oss
    /// (114.66 × 10⁹ of its 116.79 × 10⁹ parameters) are mxfp4, 4.25 bits each. The layers of gpt-oss that attend to a
    /// window of 128 tokens are counted as the others: its cache is a lower bound.
    const MACHINES: [(&str, f64, f64, [f64; 3]); 8] = [
        ("llama-3.1-8b-h100", 1.0, 2.0 * 8.030e9, [32.0, 8.0, 128.0]),
        ("llama-3.1-8b-2xh100", 2.0, 2.0 * 8.030e9, [32.0, 8.0, 128.0]),
        ("llama-3.1-8b-a100-80gb", 1.0, 2.0 * 8.030e9, [32.0, 8.0, 128.0]),
        ("phi-4-h100", 1.0, 2.0 * 14.659e9, [40.0, 10.0, 128.0]),
        ("mistral-small-24b-4xa100-80gb", 4.0, 2.0 * 23.572e9, [40.0, 8.0, 128.0]),
        ("codellama-34b-h100", 1.0, 2.0 * 33.743e9, [48.0, 8.0, 128.0]),
        ("llama-3.3-70b-4xh100", 4.0, 2.0 * 70.552e9, [80.0, 8.0, 128.0]),
        ("gpt-oss-120b-4xh100", 4.0, 114.662e9 * 4.25 / 8.0 + 2.0 * 2.127e9, [36.0, 8.0, 64.0]),
    ];

    #[test]
    fn the_cache_of_each_preset_fits_its_gpus_beside_the_weights_and_fills_most_of_what_is_left() {
        assert_eq!(PRESETS.map(|(name, _, _)| name), MACHINES.map(|(name, ..)| name));
        for ((name, preset, _), (_, gpus, weights, [layers, heads, head_size])) in
            PRESETS.iter().zip(MACHINES)
        {
            let room = 0.9 * gpus * 80.0 * f64::from(1 << 30) - weights;
            let cache = preset.kv_tokens as f64 * 2.0 * layers * heads * head_size * 2.0;
            let share = cache / room;
            assert!((0.8..=1.0).contains(&share), "{name}: {cache:.4e} of {room:.4e} bytes, {share}");
        }
    }
}

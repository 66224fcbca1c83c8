//! Architectures of open language models.
//!
//! Layers, widths, heads and experts are those of each model's published `config.json`, as carried by AIConfigurator
//! (ai-dynamo/aiconfigurator at 095f58a51c4c), BLIS (inference-sim/inference-sim at f90a1e3a6787) and LitGPT 0.5.13. A test adds up
//! the parameters that follow, which are those that each model's publishers state.

use super::architecture::{Attention, Experts, Model, PLAIN, Sliding, Weights};

/// Every model, by name.
#[rustfmt::skip]
pub(super) const MODELS: &[Model] = &[
    Model {
        name: "codellama-13b", title: "codellama/CodeLlama-13b", layers: 40, hidden: 5120, heads: 40,
        attention: Attention::Grouped { kv_heads: 40, head_size: 128 }, intermediate: 13_824, vocabulary: 32_016,
        ..PLAIN
    },
    Model {
        name: "codellama-34b", title: "codellama/CodeLlama-34b-Instruct", layers: 48, hidden: 8192, heads: 64,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 22_016, vocabulary: 32_000,
        ..PLAIN
    },
    Model {
        name: "deepseek-v2", title: "deepseek-ai/DeepSeek-V2", layers: 60, hidden: 5120, heads: 128,
        attention: Attention::Latent { query_rank: 1536, kv_rank: 512, nope: 128, rope: 64, value: 128 }, intermediate: 12_288, vocabulary: 102_400,
        experts: Some(Experts { count: 160, active: 6, intermediate: 1536, layers: 59, shared_intermediate: 3072 }),
        ..PLAIN
    },
    Model {
        name: "deepseek-v2-lite", title: "deepseek-ai/DeepSeek-V2-Lite", layers: 27, hidden: 2048, heads: 16,
        attention: Attention::Latent { query_rank: 0, kv_rank: 512, nope: 128, rope: 64, value: 128 }, intermediate: 10_944, vocabulary: 102_400,
        experts: Some(Experts { count: 64, active: 6, intermediate: 1408, layers: 26, shared_intermediate: 2816 }),
        ..PLAIN
    },
    Model {
        name: "deepseek-v3", title: "deepseek-ai/DeepSeek-V3", layers: 61, hidden: 7168, heads: 128,
        attention: Attention::Latent { query_rank: 1536, kv_rank: 512, nope: 128, rope: 64, value: 128 }, intermediate: 18_432, vocabulary: 129_280,
        experts: Some(Experts { count: 256, active: 8, intermediate: 2048, layers: 58, shared_intermediate: 2048 }), weights: Weights::Fp8,
        ..PLAIN
    },
    Model {
        name: "gemma-2-27b", title: "google/gemma-2-27b", layers: 46, hidden: 4608, heads: 32,
        attention: Attention::Grouped { kv_heads: 16, head_size: 128 }, intermediate: 36_864, vocabulary: 256_000,
        sliding: Some(Sliding { window: 4096, layers: 23 }), tied_embeddings: true,
        ..PLAIN
    },
    Model {
        name: "gemma-2-9b", title: "google/gemma-2-9b", layers: 42, hidden: 3584, heads: 16,
        attention: Attention::Grouped { kv_heads: 8, head_size: 256 }, intermediate: 14_336, vocabulary: 256_000,
        sliding: Some(Sliding { window: 4096, layers: 21 }), tied_embeddings: true,
        ..PLAIN
    },
    Model {
        name: "gemma-3-12b", title: "google/gemma-3-12b-it", layers: 48, hidden: 3840, heads: 16,
        attention: Attention::Grouped { kv_heads: 8, head_size: 256 }, intermediate: 15_360, vocabulary: 262_144,
        sliding: Some(Sliding { window: 1024, layers: 40 }), tied_embeddings: true,
        ..PLAIN
    },
    Model {
        name: "gemma-3-27b", title: "google/gemma-3-27b-it", layers: 62, hidden: 5376, heads: 32,
        attention: Attention::Grouped { kv_heads: 16, head_size: 128 }, intermediate: 21_504, vocabulary: 262_144,
        sliding: Some(Sliding { window: 1024, layers: 52 }), tied_embeddings: true,
        ..PLAIN
    },
    Model {
        name: "gemma-4-26b-a4b", title: "google/gemma-4-26B-A4B", layers: 30, hidden: 2816, heads: 16,
        attention: Attention::Grouped { kv_heads: 8, head_size: 256 }, intermediate: 2112, vocabulary: 262_144,
        experts: Some(Experts { count: 128, active: 8, intermediate: 704, layers: 30, shared_intermediate: 2112 }), sliding: Some(Sliding { window: 1024, layers: 25 }), tied_embeddings: true,
        ..PLAIN
    },
    Model {
        name: "glm-4.5", title: "zai-org/GLM-4.5", layers: 92, hidden: 5120, heads: 96,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 12_288, vocabulary: 151_552,
        experts: Some(Experts { count: 160, active: 8, intermediate: 1536, layers: 89, shared_intermediate: 1536 }),
        ..PLAIN
    },
    Model {
        name: "glm-4.5-air", title: "zai-org/GLM-4.5-Air", layers: 46, hidden: 4096, heads: 96,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 10_944, vocabulary: 151_552,
        experts: Some(Experts { count: 128, active: 8, intermediate: 1408, layers: 45, shared_intermediate: 1408 }),
        ..PLAIN
    },
    Model {
        name: "glm-5", title: "zai-org/GLM-5", layers: 78, hidden: 6144, heads: 64,
        attention: Attention::Latent { query_rank: 2048, kv_rank: 512, nope: 192, rope: 64, value: 256 }, intermediate: 12_288, vocabulary: 154_880,
        experts: Some(Experts { count: 256, active: 8, intermediate: 2048, layers: 75, shared_intermediate: 2048 }),
        ..PLAIN
    },
    Model {
        name: "gpt-oss-120b", title: "openai/gpt-oss-120b", layers: 36, hidden: 2880, heads: 64,
        attention: Attention::Grouped { kv_heads: 8, head_size: 64 }, intermediate: 0, vocabulary: 201_088,
        experts: Some(Experts { count: 128, active: 4, intermediate: 2880, layers: 36, shared_intermediate: 0 }), sliding: Some(Sliding { window: 128, layers: 18 }), weights: Weights::Mxfp4,
        ..PLAIN
    },
    Model {
        name: "gpt-oss-20b", title: "openai/gpt-oss-20b", layers: 24, hidden: 2880, heads: 64,
        attention: Attention::Grouped { kv_heads: 8, head_size: 64 }, intermediate: 0, vocabulary: 201_088,
        experts: Some(Experts { count: 32, active: 4, intermediate: 2880, layers: 24, shared_intermediate: 0 }), sliding: Some(Sliding { window: 128, layers: 12 }), weights: Weights::Mxfp4,
        ..PLAIN
    },
    Model {
        name: "kimi-k2", title: "moonshotai/Kimi-K2-Instruct", layers: 61, hidden: 7168, heads: 64,
        attention: Attention::Latent { query_rank: 1536, kv_rank: 512, nope: 128, rope: 64, value: 128 }, intermediate: 18_432, vocabulary: 163_840,
        experts: Some(Experts { count: 384, active: 8, intermediate: 2048, layers: 60, shared_intermediate: 2048 }), weights: Weights::Fp8,
        ..PLAIN
    },
    Model {
        name: "llama-2-13b", title: "meta-llama/Llama-2-13b", layers: 40, hidden: 5120, heads: 40,
        attention: Attention::Grouped { kv_heads: 40, head_size: 128 }, intermediate: 13_824, vocabulary: 32_000,
        ..PLAIN
    },
    Model {
        name: "llama-2-70b", title: "meta-llama/Llama-2-70b", layers: 80, hidden: 8192, heads: 64,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 28_672, vocabulary: 32_000,
        ..PLAIN
    },
    Model {
        name: "llama-2-7b", title: "meta-llama/Llama-2-7b", layers: 32, hidden: 4096, heads: 32,
        attention: Attention::Grouped { kv_heads: 32, head_size: 128 }, intermediate: 11_008, vocabulary: 32_000,
        ..PLAIN
    },
    Model {
        name: "llama-3.1-405b", title: "meta-llama/Llama-3.1-405B", layers: 126, hidden: 16_384, heads: 128,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 53_248, vocabulary: 128_256,
        ..PLAIN
    },
    Model {
        name: "llama-3.1-70b", title: "meta-llama/Llama-3.1-70B", layers: 80, hidden: 8192, heads: 64,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 28_672, vocabulary: 128_256,
        ..PLAIN
    },
    Model {
        name: "llama-3.1-8b", title: "meta-llama/Llama-3.1-8B", layers: 32, hidden: 4096, heads: 32,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 14_336, vocabulary: 128_256,
        ..PLAIN
    },
    Model {
        name: "llama-3.2-3b", title: "meta-llama/Llama-3.2-3B", layers: 28, hidden: 3072, heads: 24,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 8192, vocabulary: 128_000,
        tied_embeddings: true,
        ..PLAIN
    },
    Model {
        name: "llama-3.3-70b", title: "meta-llama/Llama-3.3-70B-Instruct", layers: 80, hidden: 8192, heads: 64,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 28_672, vocabulary: 128_000,
        ..PLAIN
    },
    Model {
        name: "llama-4-maverick", title: "meta-llama/Llama-4-Maverick-17B-128E", layers: 48, hidden: 5120, heads: 40,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 16_384, vocabulary: 202_048,
        experts: Some(Experts { count: 128, active: 1, intermediate: 8192, layers: 24, shared_intermediate: 8192 }),
        ..PLAIN
    },
    Model {
        name: "llama-4-scout", title: "meta-llama/Llama-4-Scout-17B-16E", layers: 48, hidden: 5120, heads: 40,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 16_384, vocabulary: 202_048,
        experts: Some(Experts { count: 16, active: 1, intermediate: 8192, layers: 48, shared_intermediate: 8192 }),
        ..PLAIN
    },
    Model {
        name: "minimax-m2.5", title: "MiniMaxAI/MiniMax-M2.5", layers: 62, hidden: 3072, heads: 48,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 0, vocabulary: 200_064,
        experts: Some(Experts { count: 256, active: 8, intermediate: 1536, layers: 62, shared_intermediate: 0 }), weights: Weights::Fp8,
        ..PLAIN
    },
    Model {
        name: "mistral-7b", title: "mistralai/Mistral-7B-Instruct-v0.3", layers: 32, hidden: 4096, heads: 32,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 14_336, vocabulary: 32_768,
        ..PLAIN
    },
    Model {
        name: "mistral-large-123b", title: "mistralai/Mistral-Large-Instruct-2411", layers: 88, hidden: 12_288, heads: 96,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 28_672, vocabulary: 32_768,
        ..PLAIN
    },
    Model {
        name: "mistral-nemo-12b", title: "mistralai/Mistral-Nemo-Instruct-2407", layers: 40, hidden: 5120, heads: 32,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 14_336, vocabulary: 131_072,
        ..PLAIN
    },
    Model {
        name: "mistral-small-24b", title: "mistralai/Mistral-Small-24B-Instruct-2501", layers: 40, hidden: 5120, heads: 32,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 32_768, vocabulary: 131_072,
        ..PLAIN
    },
    Model {
        name: "mixtral-8x22b", title: "mistralai/Mixtral-8x22B-v0.1", layers: 56, hidden: 6144, heads: 48,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 0, vocabulary: 32_000,
        experts: Some(Experts { count: 8, active: 2, intermediate: 16384, layers: 56, shared_intermediate: 0 }),
        ..PLAIN
    },
    Model {
        name: "mixtral-8x7b", title: "mistralai/Mixtral-8x7B-v0.1", layers: 32, hidden: 4096, heads: 32,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 0, vocabulary: 32_000,
        experts: Some(Experts { count: 8, active: 2, intermediate: 14336, layers: 32, shared_intermediate: 0 }),
        ..PLAIN
    },
    Model {
        name: "phi-3.5-mini", title: "microsoft/Phi-3.5-mini-instruct", layers: 32, hidden: 3072, heads: 32,
        attention: Attention::Grouped { kv_heads: 32, head_size: 96 }, intermediate: 8192, vocabulary: 32_000,
        ..PLAIN
    },
    Model {
        name: "phi-4", title: "microsoft/phi-4", layers: 40, hidden: 5120, heads: 40,
        attention: Attention::Grouped { kv_heads: 10, head_size: 128 }, intermediate: 17_920, vocabulary: 100_352,
        ..PLAIN
    },
    Model {
        name: "phi-4-mini", title: "microsoft/Phi-4-mini-instruct", layers: 32, hidden: 3072, heads: 24,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 8192, vocabulary: 200_019,
        tied_embeddings: true,
        ..PLAIN
    },
    Model {
        name: "qwen2.5-14b", title: "Qwen/Qwen2.5-14B", layers: 48, hidden: 5120, heads: 40,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 13_824, vocabulary: 151_643,
        ..PLAIN
    },
    Model {
        name: "qwen2.5-32b", title: "Qwen/Qwen2.5-32B", layers: 64, hidden: 5120, heads: 40,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 27_648, vocabulary: 151_643,
        ..PLAIN
    },
    Model {
        name: "qwen2.5-72b", title: "Qwen/Qwen2.5-72B", layers: 80, hidden: 8192, heads: 64,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 29_568, vocabulary: 151_643,
        ..PLAIN
    },
    Model {
        name: "qwen2.5-7b", title: "Qwen/Qwen2.5-7B", layers: 28, hidden: 3584, heads: 28,
        attention: Attention::Grouped { kv_heads: 4, head_size: 128 }, intermediate: 18_944, vocabulary: 152_064,
        ..PLAIN
    },
    Model {
        name: "qwen3-0.6b", title: "Qwen/Qwen3-0.6B", layers: 28, hidden: 1024, heads: 16,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 3072, vocabulary: 151_936,
        tied_embeddings: true,
        ..PLAIN
    },
    Model {
        name: "qwen3-1.7b", title: "Qwen/Qwen3-1.7B", layers: 28, hidden: 2048, heads: 16,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 6144, vocabulary: 151_936,
        tied_embeddings: true,
        ..PLAIN
    },
    Model {
        name: "qwen3-14b", title: "Qwen/Qwen3-14B", layers: 40, hidden: 5120, heads: 40,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 17_408, vocabulary: 151_936,
        ..PLAIN
    },
    Model {
        name: "qwen3-235b-a22b", title: "Qwen/Qwen3-235B-A22B", layers: 94, hidden: 4096, heads: 64,
        attention: Attention::Grouped { kv_heads: 4, head_size: 128 }, intermediate: 0, vocabulary: 151_936,
        experts: Some(Experts { count: 128, active: 8, intermediate: 1536, layers: 94, shared_intermediate: 0 }),
        ..PLAIN
    },
    Model {
        name: "qwen3-30b-a3b", title: "Qwen/Qwen3-30B-A3B", layers: 48, hidden: 2048, heads: 32,
        attention: Attention::Grouped { kv_heads: 4, head_size: 128 }, intermediate: 0, vocabulary: 151_936,
        experts: Some(Experts { count: 128, active: 8, intermediate: 768, layers: 48, shared_intermediate: 0 }),
        ..PLAIN
    },
    Model {
        name: "qwen3-32b", title: "Qwen/Qwen3-32B", layers: 64, hidden: 5120, heads: 64,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 25_600, vocabulary: 151_936,
        ..PLAIN
    },
    Model {
        name: "qwen3-8b", title: "Qwen/Qwen3-8B", layers: 36, hidden: 4096, heads: 32,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 12_288, vocabulary: 151_936,
        ..PLAIN
    },
    Model {
        name: "qwen3-coder-480b", title: "Qwen/Qwen3-Coder-480B-A35B", layers: 62, hidden: 6144, heads: 96,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 0, vocabulary: 151_936,
        experts: Some(Experts { count: 160, active: 8, intermediate: 2560, layers: 62, shared_intermediate: 0 }),
        ..PLAIN
    },
    Model {
        name: "qwen3.5-27b", title: "Qwen/Qwen3.5-27B", layers: 64, hidden: 5120, heads: 24,
        attention: Attention::Grouped { kv_heads: 4, head_size: 256 }, intermediate: 17_408, vocabulary: 248_320,
        linear_layers: 48,
        ..PLAIN
    },
    Model {
        name: "qwen3.5-397b-a17b", title: "Qwen/Qwen3.5-397B-A17B", layers: 60, hidden: 4096, heads: 32,
        attention: Attention::Grouped { kv_heads: 2, head_size: 256 }, intermediate: 0, vocabulary: 248_320,
        experts: Some(Experts { count: 512, active: 10, intermediate: 1024, layers: 60, shared_intermediate: 1024 }), linear_layers: 45,
        ..PLAIN
    },
    Model {
        name: "yi-34b", title: "01-ai/Yi-34B", layers: 60, hidden: 7168, heads: 56,
        attention: Attention::Grouped { kv_heads: 8, head_size: 128 }, intermediate: 20_480, vocabulary: 64_000,
        ..PLAIN
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Billions of parameters, and of those that a token uses, as the configurations of each model add up to.
    const PARAMETERS: &[(&str, f64, f64)] = &[
        ("codellama-13b", 13.016, 13.016),
        ("codellama-34b", 33.743, 33.743),
        ("deepseek-v2", 235.741, 21.375),
        ("deepseek-v2-lite", 15.706, 2.661),
        ("deepseek-v3", 671.025, 37.551),
        ("gemma-2-27b", 27.226, 27.226),
        ("gemma-2-9b", 9.241, 9.241),
        ("gemma-3-12b", 11.765, 11.765),
        ("gemma-3-27b", 27.008, 27.008),
        ("gemma-4-26b-a4b", 25.16, 3.75),
        ("glm-4.5", 352.796, 33.63),
        ("glm-4.5-air", 106.851, 13.423),
        ("glm-5", 743.179, 41.053),
        ("gpt-oss-120b", 116.789, 5.71),
        ("gpt-oss-20b", 20.908, 4.186),
        ("kimi-k2", 1026.407, 32.86),
        ("llama-2-13b", 13.015, 13.015),
        ("llama-2-70b", 68.975, 68.975),
        ("llama-2-7b", 6.738, 6.738),
        ("llama-3.1-405b", 405.849, 405.849),
        ("llama-3.1-70b", 70.552, 70.552),
        ("llama-3.1-8b", 8.03, 8.03),
        ("llama-3.2-3b", 3.212, 3.212),
        ("llama-3.3-70b", 70.548, 70.548),
        ("llama-4-maverick", 400.711, 17.184),
        ("llama-4-scout", 107.769, 17.172),
        ("minimax-m2.5", 228.689, 11.03),
        ("mistral-7b", 7.248, 7.248),
        ("mistral-large-123b", 122.608, 122.608),
        ("mistral-nemo-12b", 12.247, 12.247),
        ("mistral-small-24b", 23.572, 23.572),
        ("mixtral-8x22b", 140.62, 39.151),
        ("mixtral-8x7b", 46.703, 12.88),
        ("phi-3.5-mini", 3.82, 3.82),
        ("phi-4", 14.659, 14.659),
        ("phi-4-mini", 3.836, 3.836),
        ("qwen2.5-14b", 14.765, 14.765),
        ("qwen2.5-32b", 32.758, 32.758),
        ("qwen2.5-72b", 72.697, 72.697),
        ("qwen2.5-7b", 7.615, 7.615),
        ("qwen3-0.6b", 0.596, 0.596),
        ("qwen3-1.7b", 1.72, 1.72),
        ("qwen3-14b", 14.768, 14.768),
        ("qwen3-235b-a22b", 235.093, 22.19),
        ("qwen3-30b-a3b", 30.532, 3.353),
        ("qwen3-32b", 32.761, 32.761),
        ("qwen3-8b", 8.19, 8.19),
        ("qwen3-coder-480b", 480.154, 35.474),
        ("qwen3.5-27b", 24.353, 24.353),
        ("qwen3.5-397b-a17b", 393.74, 14.743),
        ("yi-34b", 34.388, 34.388),
    ];

    #[test]
    fn parameters_of_each_model_add_up() {
        let names = |name: &str| PARAMETERS.iter().any(|(other, ..)| *other == name);
        assert!(MODELS.iter().all(|model| names(model.name)) && MODELS.len() == PARAMETERS.len());
        for (model, (name, total, active)) in MODELS.iter().zip(PARAMETERS) {
            assert_eq!(model.name, *name);
            let (experts, used) = model.expert_parameters();
            let router = model.experts.map_or(0.0, |experts| {
                f64::from(experts.layers) * f64::from(model.hidden) * f64::from(experts.count)
            });
            let common = model.dense_parameters() + model.embedding_parameters() + router;
            let near = |computed: f64, stated: f64| (computed / 1e9 / stated - 1.0).abs() < 0.004;
            assert!(near(common + experts, *total), "{name}: {} of {total}", (common + experts) / 1e9);
            assert!(near(common + used, *active), "{name}: {} of {active}", (common + used) / 1e9);
        }
    }
}

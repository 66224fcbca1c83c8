//! The engines, and what each adds to its kernels.

use super::fitted::Fitted;
use crate::schema::Choice;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Vllm,
    TensorRtLlm,
    Sglang,
    Vllm2023,
}

/// What a request spends outside an engine before its first token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outside {
    /// For each token of its prompt, seconds: text into tokens, and through the front end.
    pub per_prompt_token_s: f64,
    /// In iterations, besides.
    pub iterations: f64,
}

impl Engine {
    /// Its times of an iteration as multiples of vLLM's.
    pub fn scale(self, fitted: &Fitted) -> f64 {
        match self {
            Engine::Vllm => 1.0,
            Engine::TensorRtLlm => fitted.tensorrt_llm,
            Engine::Sglang => fitted.sglang,
            Engine::Vllm2023 => fitted.vllm_2023,
        }
    }

    /// Time of an iteration for each GPU, seconds.
    pub fn each_gpu_s(self, fitted: &Fitted) -> f64 {
        if self == Engine::Vllm2023 { fitted.vllm_2023_gpu } else { 0.0 }
    }

    /// What requests spend outside it, fitted to measured levels: of models with experts and of others.
    pub fn outside(self, has_experts: bool) -> Outside {
        let (per_prompt_token_s, iterations) = match self {
            Engine::Vllm | Engine::TensorRtLlm => (5e-6, if has_experts { 4.5 } else { 2.5 }),
            Engine::Sglang => (5e-6, 9.0),
            // Its batches were measured within it.
            Engine::Vllm2023 => (0.0, 0.0),
        };
        Outside { per_prompt_token_s, iterations }
    }
}

impl Choice for Engine {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("vllm", Engine::Vllm, "vLLM of 2025 and later"),
        ("tensorrt_llm", Engine::TensorRtLlm, "TensorRT-LLM"),
        ("sglang", Engine::Sglang, "SGLang"),
        ("vllm_2023", Engine::Vllm2023, "vLLM of 2023, before its second engine"),
    ];
}

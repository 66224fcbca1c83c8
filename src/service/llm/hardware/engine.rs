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
pub struct Outside {
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

    /// What requests spend outside it, of models with experts and of others.
    pub fn outside(self, fitted: &Fitted, has_experts: bool) -> Outside {
        let iterations = match self {
            // Its batches were measured within it.
            Engine::Vllm2023 => return Outside { per_prompt_token_s: 0.0, iterations: 0.0 },
            Engine::Sglang => fitted.outside_iterations_sglang,
            Engine::Vllm | Engine::TensorRtLlm if has_experts => fitted.outside_iterations_experts,
            Engine::Vllm | Engine::TensorRtLlm => fitted.outside_iterations,
        };
        Outside { per_prompt_token_s: fitted.outside_prompt_token, iterations }
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

//! What was fitted to measured levels of load, and all that was.

/// Constants of the formula, seconds where nothing else is said. Each holds for all models, GPUs and levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted {
    /// Of every iteration of vLLM.
    pub base: f64,
    /// Of each layer of it: launches of kernels, and kernels too small to fill a GPU.
    pub layer: f64,
    /// Of each layer besides, where its weights have less than 16 bits: numbers are made as narrow first.
    pub narrow_layer: f64,
    /// Of each layer besides, with latent attention.
    pub latent_layer: f64,
    /// Of each layer besides, with experts.
    pub experts_layer: f64,
    /// Of each decoding sequence.
    pub sequence: f64,
    /// Of each layer in an iteration that computes prompts, which runs without the graphs of kernels recorded for decoding.
    pub prompt_layer: f64,
    /// The engine's times above as multiples of vLLM's.
    pub tensorrt_llm: f64,
    /// The same of SGLang.
    pub sglang: f64,
    /// The same of vLLM of 2023.
    pub vllm_2023: f64,
    /// Time for each GPU of an iteration of vLLM of 2023, which called them one after the other.
    pub vllm_2023_gpu: f64,
    /// Of an all-reduce among GPUs with links of their own, times the 0.3rd power of their number: the time that they wait for
    /// one another.
    pub all_reduce: f64,
    /// Time of what an all-reduce sends, as a multiple of that measured alone.
    pub exchange: f64,
    /// Experts are used as by this power of the number of tokens: tokens choose alike.
    pub coverage: f64,
    /// Of each token of a prompt outside the engine before the first token: text into tokens, and through the front end.
    pub outside_prompt_token: f64,
    /// Iterations outside it, besides, of models without experts.
    pub outside_iterations: f64,
    /// The same of models with experts.
    pub outside_iterations_experts: f64,
    /// The same of SGLang, of whatever model.
    pub outside_iterations_sglang: f64,
}

/// Those of the product.
pub const FITTED: Fitted = Fitted {
    base: 0.447e-3,
    layer: 25.7e-6,
    narrow_layer: 9.7e-6,
    latent_layer: 7.3e-6,
    experts_layer: 15.2e-6,
    sequence: 13.3e-6,
    prompt_layer: 150.0e-6,
    tensorrt_llm: 0.751,
    sglang: 1.6,
    vllm_2023: 4.14,
    vllm_2023_gpu: 1.4e-3,
    all_reduce: 7.26e-6,
    exchange: 1.96,
    coverage: 0.918,
    outside_prompt_token: 4.4e-6,
    outside_iterations: 1.9,
    outside_iterations_experts: 4.9,
    outside_iterations_sglang: 9.5,
};

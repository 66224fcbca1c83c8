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
}

/// Those of the product.
pub const FITTED: Fitted = Fitted {
    base: 0.49e-3,
    layer: 29.4e-6,
    narrow_layer: 8.9e-6,
    latent_layer: 6.8e-6,
    experts_layer: 13.4e-6,
    sequence: 15.0e-6,
    prompt_layer: 130.0e-6,
    tensorrt_llm: 0.694,
    sglang: 1.48,
    vllm_2023: 3.83,
    vllm_2023_gpu: 1.34e-3,
    all_reduce: 6.8e-6,
    exchange: 1.64,
    coverage: 0.921,
};

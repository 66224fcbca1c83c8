//! The time of an iteration from a model's architecture and a GPU's data sheet.
//!
//! An iteration with `T` tokens on each of `p` GPUs (tensor parallel), of which `B` decode:
//!
//! ```text
//!   max(2·W·T / (e_c·F), w·W / (e_m·M))                     weights W that every token uses, of w bytes
//! + 2·V·h/p / (0.85·M)                                      output head, read once
//! + experts: max(2·T·k·X / (m_c·F), D(T)·X·x / (m_m·M)), a layer
//! + bytes of the cache read / (a_d·M)
//! + 4·heads·head·L/p · Σ n·(start + n/2) / (a_p·F)          attention of the prompts computed
//! + p > 1: 2·L·(λ + 1.96 · 2·2·(p−1)/p·T·h / β)             all-reduce, twice a layer
//! + g·(0.45 ms + L·(26 µs + 10 µs narrow + 7 µs latent) + 15 µs a layer with experts + 13 µs·B)   the engine
//! + 150 µs·L                                                where it computes prompts
//! ```
//!
//! `F` and `M` are the peaks of the data sheet, the factors before them the shares that measured kernels reach
//! ([`super::gpus`]). `D(T) = E·(1 − (1 − k/E)^(T^0.92))` of `E` experts are used by `T` tokens that choose `k` each: fewer than if
//! each chose by itself. `λ` is 7.3 µs·p^0.3 over NVLink. `g` is 1 for vLLM of 2025, 0.75 for TensorRT-LLM, 1.6 for SGLang and 4.1
//! for vLLM of 2023, which also takes 1.4 ms for each GPU; 1.4 times that on the hosts of Ampere cards. The rooflines are the
//! method of AIConfigurator, Vidur and LLMServingSim, which use tables of measured kernels in the place of the factors.
//! Efficiencies measured on kernels carry over to whole engines; what was fitted is in [`Fitted`] (`docs/validation.md`).

use super::architecture::{Attention, Model, Weights};
use super::engine::Engine;
use super::fitted::Fitted;
use super::gpus::Gpu;
use crate::service::llm::iteration::IterationLaw;
use crate::service::llm::roofline::{ExpertRoofline, Roofline};

/// What serves: a model on GPUs under an engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Machine<'a> {
    pub model: &'a Model,
    pub gpu: &'a Gpu,
    /// GPUs among which each layer is split.
    pub gpus: u32,
    pub weights: Weights,
    /// Bytes of a value in the cache.
    pub kv_bytes: f64,
    pub engine: Engine,
}

/// The times of a machine's iterations; nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::service::llm) struct Times {
    pub fixed: f64,
    pub per_sequence: f64,
    /// For each token in the cache of the decoding sequences.
    pub per_kv_token: f64,
    /// The same in layers that attend to a window, of at most that many tokens a sequence.
    pub per_window_token: f64,
    pub window: u32,
    /// For each pair of a computed prompt token and a token at or before it, half a pair with itself.
    pub per_attended: f64,
    /// Where prompts are computed.
    pub per_prompt_iteration: f64,
    pub roofline: Roofline,
}

impl Times {
    /// As the law of an iteration, in whole nanoseconds and picoseconds.
    pub fn law(&self) -> IterationLaw {
        let picos = |nanos: f64| (1000.0 * nanos).round() as u64;
        IterationLaw {
            fixed: self.fixed.round() as u64,
            per_sequence: self.per_sequence.round() as u64,
            per_kv_token: picos(self.per_kv_token),
            window: (self.per_window_token > 0.0)
                .then(|| (picos(self.per_window_token), u64::from(self.window))),
            per_attended_twice: self.per_attended / 2.0,
            per_prompt_iteration: self.per_prompt_iteration.round() as u64,
            roofline: Some(self.roofline),
            ..IterationLaw::default()
        }
    }
}

const NANOS: f64 = 1e9;

impl Machine<'_> {
    /// Parameters on each GPU that every token uses. Compressed queries, keys and values are on each.
    fn dense_parameters(&self) -> f64 {
        let (model, gpus) = (self.model, f64::from(self.gpus));
        let layers = f64::from(model.layers);
        let hidden = f64::from(model.hidden);
        let split = model.dense_parameters() / gpus;
        let whole = match model.attention {
            // At least one head of keys and values is on each GPU.
            Attention::Grouped { kv_heads, head_size } => {
                let more = (1.0 - f64::from(kv_heads) / gpus).max(0.0);
                layers * 2.0 * hidden * f64::from(head_size) * more
            }
            Attention::Latent { query_rank, kv_rank, rope, .. } => {
                let common = hidden * f64::from(query_rank + kv_rank + rope);
                layers * common * (1.0 - 1.0 / gpus)
            }
        };
        split + whole
    }

    /// Bytes of the weights on each GPU, tables of tokens included, which stay at 16 bits.
    pub fn weight_bytes(&self) -> f64 {
        let gpus = f64::from(self.gpus);
        let (experts, _) = self.model.expert_parameters();
        self.dense_parameters() * self.weights.dense_bytes()
            + experts / gpus * self.weights.expert_bytes()
            + 2.0 * self.model.embedding_parameters() / gpus
    }

    /// Bytes that one layer keeps of one token on each GPU.
    fn kv_layer_bytes(&self) -> f64 {
        let split = match self.model.attention {
            Attention::Grouped { kv_heads, .. } => self.gpus.min(kv_heads),
            Attention::Latent { .. } => 1,
        };
        self.model.kv_values() * self.kv_bytes / f64::from(split)
    }

    fn windowed_layers(&self) -> f64 {
        self.model.sliding.map_or(0.0, |sliding| f64::from(sliding.layers))
    }

    /// Layers whose cache grows with every token.
    fn full_layers(&self) -> f64 {
        f64::from(self.model.layers - self.model.linear_layers) - self.windowed_layers()
    }

    /// Bytes of the cache that each token takes for good on each GPU.
    pub fn kv_bytes(&self) -> f64 {
        self.full_layers() * self.kv_layer_bytes()
    }

    /// Time in which one layer reads one token of the cache, seconds: the memory's, or the arithmetic's where that is slower, as for
    /// a compressed cache that all heads read.
    fn decode_layer_s(&self) -> f64 {
        let read = self.kv_layer_bytes() / (self.gpu.decode_attention() * self.gpu.bandwidth_gb_s * 1e9);
        let compute = match self.model.attention {
            Attention::Grouped { .. } => 0.0,
            Attention::Latent { kv_rank, rope, .. } => {
                let heads = f64::from(self.model.heads) / f64::from(self.gpus);
                2.0 * heads * f64::from(2 * kv_rank + rope) / self.attention_rate()
            }
        };
        read.max(compute)
    }

    /// Operations per second in the attention of prompts.
    fn attention_rate(&self) -> f64 {
        self.gpu.prefill_attention() * self.gpu.bf16_tflops * 1e12
    }

    /// Time that the engine and the launches of kernels take beside the kernels, seconds: whatever is computed, and for each
    /// decoding sequence.
    fn engine_s(&self, fitted: &Fitted) -> [f64; 2] {
        let model = self.model;
        let layers = f64::from(model.layers);
        let narrow = if self.weights.dense() == Weights::Bf16 { 0.0 } else { fitted.narrow_layer };
        let latent = match model.attention {
            Attention::Grouped { .. } => 0.0,
            Attention::Latent { .. } => fitted.latent_layer,
        };
        let experts = model.experts.map_or(0.0, |experts| fitted.experts_layer * f64::from(experts.layers));
        let once = fitted.base + layers * (fitted.layer + narrow + latent) + experts;
        let scale = self.engine.scale(fitted) * self.gpu.host();
        let ranks = self.engine.each_gpu_s(fitted) * self.gpu.host() * f64::from(self.gpus);
        [scale * once + ranks, scale * fitted.sequence]
    }

    /// Time of the all-reduces of an iteration, seconds: whatever is sent, and for each token.
    fn exchange_s(&self, fitted: &Fitted) -> [f64; 2] {
        if self.gpus == 1 {
            return [0.0; 2];
        }
        let gpus = f64::from(self.gpus);
        let count = 2.0 * f64::from(self.model.layers);
        let bytes = 2.0 * f64::from(self.model.hidden) * 2.0 * (gpus - 1.0) / gpus;
        let latency = self.gpu.pcie_all_reduce_s(self.gpus).unwrap_or(fitted.all_reduce * gpus.powf(0.3));
        [count * latency, count * fitted.exchange * bytes / self.gpu.all_reduce_bandwidth(self.gpus)]
    }

    /// The times of its iterations.
    pub fn times(&self, fitted: &Fitted) -> Times {
        let (model, gpu) = (self.model, self.gpu);
        let (gpus, layers) = (f64::from(self.gpus), f64::from(model.layers));
        let (hidden, bandwidth) = (f64::from(model.hidden), gpu.bandwidth_gb_s * 1e9);
        let parameters = self.dense_parameters();
        let (peak, bits) = gpu.peak(self.weights.dense());
        let dense = gpu.dense(bits);
        let [engine, per_sequence] = self.engine_s(fitted);
        let [latency, exchange] = self.exchange_s(fitted);
        let head = 2.0 * hidden * f64::from(model.vocabulary) / gpus / (0.85 * bandwidth);
        let experts = model.experts.map(|experts| {
            let peak = gpu.expert_peak(self.weights);
            let share = gpu.experts(self.weights);
            // One expert of each layer.
            let one = f64::from(experts.layers) * 3.0 * hidden * f64::from(experts.intermediate) / gpus;
            let (count, active) = (f64::from(experts.count), f64::from(experts.active));
            ExpertRoofline {
                compute: NANOS * 2.0 * active * one / (share.compute * peak),
                read: NANOS * one * self.weights.expert_bytes() / (share.memory * bandwidth),
                count,
                unused: 1.0 - active / count,
                coverage: fitted.coverage,
            }
        });
        let pair = match model.attention {
            Attention::Grouped { head_size, .. } => 4.0 * f64::from(head_size),
            Attention::Latent { nope, rope, value, .. } => 2.0 * f64::from(nope + rope + value),
        };
        let attended = pair * f64::from(model.heads) * self.full_layers() / gpus / self.attention_rate();
        Times {
            fixed: NANOS * (engine + latency + head),
            per_sequence: NANOS * per_sequence,
            per_kv_token: NANOS * self.full_layers() * self.decode_layer_s(),
            per_window_token: NANOS * self.windowed_layers() * self.decode_layer_s(),
            window: model.sliding.map_or(0, |sliding| sliding.window),
            per_attended: NANOS * attended,
            per_prompt_iteration: NANOS * fitted.prompt_layer * layers,
            roofline: Roofline {
                compute: NANOS * 2.0 * parameters / (dense.compute * peak),
                read: NANOS * parameters * self.weights.dense_bytes() / (dense.memory * bandwidth),
                exchange: NANOS * exchange,
                experts,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fitted::FITTED;
    use super::super::gpus::GPUS;
    use super::super::models::MODELS;
    use super::*;
    use crate::service::llm::iteration::IterationWork;

    /// The constants of those who published the check values, with this factor of their engine and time of an all-reduce.
    fn published(engine: f64, all_reduce: f64) -> Fitted {
        Fitted {
            base: engine * 1.45e-3,
            layer: engine * 22e-6,
            sequence: engine * 17e-6,
            all_reduce,
            exchange: 1.0,
            prompt_layer: 0.0,
            coverage: 1.0,
            experts_layer: 0.0,
            narrow_layer: 0.0,
            latent_layer: 0.0,
            ..FITTED
        }
    }

    fn law(
        model: &str,
        gpu: &str,
        gpus: u32,
        weights: Weights,
        kv_bytes: f64,
        fitted: &Fitted,
    ) -> IterationLaw {
        let model = MODELS.iter().find(|known| known.name == model).unwrap();
        let gpu = GPUS.iter().find(|known| known.name == gpu).unwrap();
        Machine { model, gpu, gpus, weights, kv_bytes, engine: Engine::Vllm }.times(fitted).law()
    }

    /// Mean time of a token in milliseconds, of a closed loop of `level` requests: that of their iteration, and the share of a
    /// prompt's computation for each of its answer's tokens.
    fn tpot(law: &IterationLaw, (prompt, output): (f64, f64), level: f64) -> f64 {
        let context = (level * (prompt + output / 2.0)) as u64;
        let decode = law.time(IterationWork { decoding: level as u64, context, ..IterationWork::default() });
        let mut work = IterationWork::default();
        work.add_chunk(0, prompt as u64);
        // What the prompt's tokens send to the other GPUs is not in the figures compared with.
        let alone = IterationLaw {
            roofline: law.roofline.map(|roofline| Roofline { exchange: 0.0, ..roofline }),
            ..law.clone()
        };
        let computed = (alone.time(work) - law.fixed) as f64;
        (decode as f64 + level / output * computed) / 1e6
    }

    /// Computed from the same law by those who published the comparison with measured levels, at 0.9 times the nominal lengths.
    #[test]
    fn times_are_those_of_an_independent_computation() {
        let small = law("llama-3.1-8b", "h100-sxm", 1, Weights::Bf16, 2.0, &published(0.77, 0.0));
        let lengths = (0.9 * 1024.0, 0.9 * 512.0);
        for (level, expected) in [(8.0, 7.85), (32.0, 10.63), (64.0, 14.33), (128.0, 21.72)] {
            let found = tpot(&small, lengths, level);
            assert!((found / expected - 1.0).abs() < 0.02, "{level}: {found} for {expected}");
        }
        let all_reduce = 0.87 * 15.5e-6 / 4_f64.powf(0.3);
        let large = law("llama-3.1-70b", "b200", 4, Weights::Fp8, 1.0, &published(1.0, all_reduce));
        let lengths = (0.9 * 1024.0, 0.9 * 1024.0);
        for (level, expected) in [(4.0, 8.56), (8.0, 8.75), (16.0, 9.13), (32.0, 9.89), (64.0, 11.41)] {
            let found = tpot(&large, lengths, level);
            assert!((found / expected - 1.0).abs() < 0.02, "{level}: {found} for {expected}");
        }
    }
}

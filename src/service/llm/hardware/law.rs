//! The time of an iteration from a model's architecture and a GPU's data sheet.
//!
//! An iteration with `T` tokens on each of `p` GPUs (tensor parallel), of which `B` decode:
//!
//! ```text
//!   max(a·2·W·T / (e_c·F), w·W / (e_m·M))                   weights W that every token uses, of w bytes
//! + 2·V·h/p / (0.85·M)                                      output head, read once
//! + experts: max(a·2·T·k·X / (m_c·F), D(T)·X·x / (m_m·M)) + 14 µs, a layer
//! + bytes of the cache read / (a_d·M)
//! + 4·heads·head·L/p · Σ n·(start + n/2) / (a_p·F)          attention of the prompts computed
//! + p > 1: 2·L·(0.87·λ + 2·2·(p−1)/p·T·h / β)               all-reduce, twice a layer
//! + g·(1.45 ms + 22 µs·L + 17 µs·B)                         the engine
//! ```
//!
//! `F` and `M` are the peaks of the data sheet, the factors before them the shares that measured kernels reach
//! ([`super::gpus`]). `D(T) = E·(1 − (1 − k/E)^T)` of `E` experts are used by `T` tokens that choose `k` each. `g` is 1 for vLLM of 2025,
//! 0.77 for TensorRT-LLM, 1.7 for SGLang and 6.2 for vLLM of 2023; `a` is 1.3, and 1 for TensorRT-LLM: prompts run without the graphs
//! that hide the launches of kernels. The rooflines are the method of AIConfigurator, Vidur and
//! LLMServingSim, which use tables of measured kernels in the place of the factors. Efficiencies measured on kernels carry over to
//! whole engines; only `g`, `a` and the time outside the engine were fitted
//! (`docs/validation.md`).

use super::architecture::{Attention, Model, Weights};
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
    /// The engine's overheads, as a multiple of vLLM's.
    pub overhead: f64,
    /// Time of arithmetic in the engine, as a multiple of that of kernels measured alone.
    pub arithmetic: f64,
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

    /// The times of its iterations.
    pub fn times(&self) -> Times {
        let (model, gpu) = (self.model, self.gpu);
        let (gpus, layers) = (f64::from(self.gpus), f64::from(model.layers));
        let (hidden, bandwidth) = (f64::from(model.hidden), gpu.bandwidth_gb_s * 1e9);
        let parameters = self.dense_parameters();
        let (peak, bits) = gpu.peak(self.weights.dense());
        let dense = gpu.dense(bits);
        let mut fixed = self.overhead * (1.45e-3 + 22e-6 * layers)
            + 2.0 * hidden * f64::from(model.vocabulary) / gpus / (0.85 * bandwidth);
        let mut exchange = 0.0;
        if self.gpus > 1 {
            let all_reduce = gpu.all_reduce(self.gpus);
            fixed += 2.0 * layers * 0.87 * all_reduce.latency_s;
            exchange = 2.0 * layers * hidden * 2.0 * 2.0 * (gpus - 1.0) / gpus / all_reduce.bandwidth;
        }
        let experts = model.experts.map(|experts| {
            fixed += 14e-6 * f64::from(experts.layers);
            let (peak, _) = gpu.peak(self.weights);
            let share = gpu.experts(self.weights);
            // One expert of each layer.
            let one = f64::from(experts.layers) * 3.0 * hidden * f64::from(experts.intermediate) / gpus;
            let (count, active) = (f64::from(experts.count), f64::from(experts.active));
            ExpertRoofline {
                compute: NANOS * self.arithmetic * 2.0 * active * one / (share.compute * peak),
                read: NANOS * one * self.weights.expert_bytes() / (share.memory * bandwidth),
                count,
                unused: 1.0 - active / count,
            }
        });
        let pair = match model.attention {
            Attention::Grouped { head_size, .. } => 4.0 * f64::from(head_size),
            Attention::Latent { nope, rope, value, .. } => 2.0 * f64::from(nope + rope + value),
        };
        let attended = pair * f64::from(model.heads) * self.full_layers() / gpus / self.attention_rate();
        Times {
            fixed: NANOS * fixed,
            per_sequence: NANOS * self.overhead * 17e-6,
            per_kv_token: NANOS * self.full_layers() * self.decode_layer_s(),
            per_window_token: NANOS * self.windowed_layers() * self.decode_layer_s(),
            window: model.sliding.map_or(0, |sliding| sliding.window),
            per_attended: NANOS * attended,
            roofline: Roofline {
                compute: NANOS * self.arithmetic * 2.0 * parameters / (dense.compute * peak),
                read: NANOS * parameters * self.weights.dense_bytes() / (dense.memory * bandwidth),
                exchange: NANOS * exchange,
                experts,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gpus::GPUS;
    use super::super::models::MODELS;
    use super::*;
    use crate::service::llm::iteration::IterationWork;

    fn law(
        model: &str,
        gpu: &str,
        gpus: u32,
        weights: Weights,
        kv_bytes: f64,
        overhead: f64,
    ) -> IterationLaw {
        let model = MODELS.iter().find(|known| known.name == model).unwrap();
        let gpu = GPUS.iter().find(|known| known.name == gpu).unwrap();
        Machine { model, gpu, gpus, weights, kv_bytes, overhead, arithmetic: 1.0 }.times().law()
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
        let small = law("llama-3.1-8b", "h100-sxm", 1, Weights::Bf16, 2.0, 0.77);
        let lengths = (0.9 * 1024.0, 0.9 * 512.0);
        for (level, expected) in [(8.0, 7.85), (32.0, 10.63), (64.0, 14.33), (128.0, 21.72)] {
            let found = tpot(&small, lengths, level);
            assert!((found / expected - 1.0).abs() < 0.02, "{level}: {found} for {expected}");
        }
        let large = law("llama-3.1-70b", "b200", 4, Weights::Fp8, 1.0, 1.0);
        let lengths = (0.9 * 1024.0, 0.9 * 1024.0);
        for (level, expected) in [(4.0, 8.56), (8.0, 8.75), (16.0, 9.13), (32.0, 9.89), (64.0, 11.41)] {
            let found = tpot(&large, lengths, level);
            assert!((found / expected - 1.0).abs() < 0.02, "{level}: {found} for {expected}");
        }
    }
}

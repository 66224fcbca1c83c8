//! Accelerators: their data sheets, and how much of it kernels reach.
//!
//! Peaks are dense (without sparsity) and links are one direction of one GPU inside a node. Figures are those of AIConfigurator
//! (ai-dynamo/aiconfigurator at 095f58a51c4c, `systems/*.yaml`) for NVIDIA's data-centre GPUs, of vllm-benchmark-suite at
//! 708a03e37457 for the A10G and the RTX 4090, and of the makers' data sheets for the others. Efficiencies are medians over the kernels
//! that AIConfigurator publishes as measured.

use super::architecture::Weights;

/// An accelerator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gpu {
    /// Its name in a scenario.
    pub name: &'static str,
    /// Its generation, which its kernels' efficiencies go by.
    pub generation: Generation,
    /// Peak of 16-bit arithmetic, 10¹² operations per second.
    pub bf16_tflops: f64,
    /// Peak of 8-bit floating-point arithmetic, where there is any.
    pub fp8_tflops: Option<f64>,
    /// Peak of 4-bit floating-point arithmetic, where there is any.
    pub fp4_tflops: Option<f64>,
    /// Bandwidth of its memory, 10⁹ bytes per second.
    pub bandwidth_gb_s: f64,
    /// Memory, 2³⁰ bytes.
    pub memory_gib: f64,
    /// Bandwidth of its link to others, 10⁹ bytes per second in one direction.
    pub link_gb_s: f64,
    /// What its figures rest on.
    pub evidence: Evidence,
}

/// A generation of accelerators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// A100, A30, A10G.
    Ampere,
    /// L4, L40S, RTX 4090.
    Ada,
    /// H100, H200.
    Hopper,
    /// B200, B300.
    Blackwell,
    /// RTX PRO 6000.
    BlackwellGddr,
    /// AMD Instinct.
    Cdna,
    /// Google's TPU.
    Tpu,
    /// Intel Gaudi.
    Gaudi,
}

/// What the iteration times of an accelerator rest on, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// Kernels measured on it, and levels of load of whole engines.
    Engines,
    /// Kernels measured on it.
    Kernels,
    /// Its data sheet, with the efficiencies of its generation or of similar accelerators.
    DataSheet,
}

/// Shares of the peaks that kernels reach: of arithmetic, and of the bandwidth of the memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Efficiency {
    pub compute: f64,
    pub memory: f64,
}

const fn efficiency(compute: f64, memory: f64) -> Efficiency {
    Efficiency { compute, memory }
}

impl Gpu {
    /// Of matrix products with 16-bit, 8-bit and 4-bit weights.
    pub fn dense(&self, bits: u32) -> Efficiency {
        match (self.generation, bits) {
            (Generation::Ampere, _) => efficiency(0.84, 0.74),
            (Generation::Ada, 16) => efficiency(0.63, 0.77),
            (Generation::Ada, _) => efficiency(0.50, 0.69),
            (Generation::Hopper, 16) => efficiency(0.80, 0.85),
            (Generation::Hopper, _) => efficiency(0.56, 0.77),
            (Generation::Blackwell, 16) => efficiency(0.70, 0.81),
            (Generation::Blackwell, 8) => efficiency(0.53, 0.76),
            (Generation::Blackwell, _) => efficiency(0.45, 0.60),
            (Generation::BlackwellGddr, 16) => efficiency(0.84, 0.81),
            (Generation::BlackwellGddr, 8) => efficiency(0.76, 0.78),
            (Generation::BlackwellGddr, _) => efficiency(0.63, 0.49),
            // Nothing measured: between the generations that are.
            (Generation::Cdna | Generation::Tpu | Generation::Gaudi, _) => efficiency(0.60, 0.75),
        }
    }

    /// Of reading the cache while decoding, as a share of the memory's bandwidth.
    pub fn decode_attention(&self) -> f64 {
        match self.generation {
            Generation::Ampere => 0.59,
            Generation::Ada | Generation::BlackwellGddr => 0.81,
            Generation::Blackwell => 0.79,
            Generation::Hopper | Generation::Cdna | Generation::Tpu | Generation::Gaudi => 0.68,
        }
    }

    /// Of the attention of prompts, as a share of the peak of 16-bit arithmetic.
    pub fn prefill_attention(&self) -> f64 {
        match self.generation {
            Generation::Ampere => 0.51,
            Generation::Ada => 0.43,
            Generation::Hopper => 0.54,
            Generation::BlackwellGddr => 0.55,
            Generation::Blackwell | Generation::Cdna | Generation::Tpu | Generation::Gaudi => 0.50,
        }
    }

    /// Bus bandwidth of a large all-reduce among `gpus`, 2 or more; bytes per second.
    pub fn all_reduce_bandwidth(&self, gpus: u32) -> f64 {
        let gb_s = match (self.generation, gpus) {
            (Generation::Ampere, ..=2) => 184.0,
            (Generation::Ampere, ..=4) => 205.0,
            (Generation::Ampere, _) => 208.0,
            (Generation::Hopper, ..=2) => 296.0,
            (Generation::Hopper, ..=4) => 335.0,
            (Generation::Hopper, _) => 420.0,
            (Generation::Blackwell, ..=2) => 505.0,
            (Generation::Blackwell, ..=4) => 600.0,
            (Generation::Blackwell, _) => 623.0,
            (Generation::BlackwellGddr, ..=2) => 37.0,
            (Generation::BlackwellGddr, ..=4) => 25.0,
            (Generation::BlackwellGddr, _) => 24.0,
            (Generation::Ada, ..=2) => 20.0,
            (Generation::Ada, ..=4) => 5.0,
            (Generation::Ada, _) => 1.5,
            // Nothing measured: the share of the link that Hopper's reach.
            _ => 0.7 * self.link_gb_s,
        };
        // A card that reaches the others by PCIe only has at most what that carries.
        1e9 * gb_s.min(self.link_gb_s)
    }

    /// Time of a small all-reduce among `gpus` over PCIe, seconds; `None` where links of their own join them. Measured on L40S
    /// and RTX PRO 6000: 6.7 to 7.5 µs, 12 to 13 µs and 22 to 26 µs among 2, 4 and 8.
    pub fn pcie_all_reduce_s(&self, gpus: u32) -> Option<f64> {
        const PCIE_GB_S: f64 = 64.0;
        (self.link_gb_s <= PCIE_GB_S).then(|| 3.2e-6 * f64::from(gpus))
    }

    /// How much longer the host of such a GPU takes for its part than those of later ones. Those that Ampere cards came with
    /// (EPYC of the second generation) run a thread at about 0.7 times the speed of those that Hopper came with (Xeon of the
    /// fourth); from what is commonly measured of both, not from levels of load.
    pub fn host(&self) -> f64 {
        if self.generation == Generation::Ampere { 1.4 } else { 1.0 }
    }

    /// Of the products of experts, with weights stored so; balanced among them.
    pub fn experts(&self, weights: Weights) -> Efficiency {
        use Generation::{Ada, Blackwell, BlackwellGddr};
        match (weights, self.generation) {
            (Weights::Bf16, Blackwell) => efficiency(0.32, 0.81),
            (Weights::Bf16, BlackwellGddr) => efficiency(0.31, 0.77),
            (Weights::Bf16, Ada) => efficiency(0.28, 0.73),
            (Weights::Bf16, _) => efficiency(0.35, 0.85),
            (Weights::Fp8, Blackwell | BlackwellGddr) => efficiency(0.15, 0.74),
            (Weights::Fp8, _) => efficiency(0.20, 0.77),
            (Weights::Mxfp4, Blackwell | BlackwellGddr) => efficiency(0.30, 0.73),
            (Weights::Mxfp4, _) => efficiency(0.28, 0.60),
            (Weights::Int4, Blackwell | BlackwellGddr) => efficiency(0.08, 0.37),
            (Weights::Int4, _) => efficiency(0.17, 0.55),
            (Weights::Fp4, _) => efficiency(0.18, 0.73),
        }
    }

    /// Peak of the arithmetic that products with weights stored so use, operations per second, and the bits of its numbers.
    pub fn peak(&self, weights: Weights) -> (f64, u32) {
        let narrow = match weights {
            Weights::Fp8 => self.fp8_tflops.map(|peak| (peak, 8)),
            Weights::Fp4 => self.fp4_tflops.map(|peak| (peak, 4)),
            Weights::Bf16 | Weights::Mxfp4 | Weights::Int4 => None,
        };
        let (tflops, bits) = narrow.unwrap_or((self.bf16_tflops, 16));
        (tflops * 1e12, bits)
    }

    /// Peak of the arithmetic of experts with weights stored so, operations per second. Blackwell multiplies MXFP4 with 8-bit
    /// numbers, at their peak.
    pub fn expert_peak(&self, weights: Weights) -> f64 {
        match (weights, self.generation) {
            (Weights::Mxfp4, Generation::Blackwell | Generation::BlackwellGddr) => self.peak(Weights::Fp8).0,
            _ => self.peak(weights).0,
        }
    }

    /// Bytes of memory.
    pub fn memory(&self) -> f64 {
        self.memory_gib * f64::from(1 << 30)
    }
}

/// Every accelerator, by name.
#[rustfmt::skip]
pub(super) const GPUS: &[Gpu] = &[
    Gpu { name: "a100-40gb-sxm", generation: Generation::Ampere, bf16_tflops: 312.0, fp8_tflops: None, fp4_tflops: None, bandwidth_gb_s: 1555.0, memory_gib: 40.0, link_gb_s: 300.0, evidence: Evidence::Engines },
    Gpu { name: "a100-80gb-pcie", generation: Generation::Ampere, bf16_tflops: 312.0, fp8_tflops: None, fp4_tflops: None, bandwidth_gb_s: 1935.0, memory_gib: 80.0, link_gb_s: 32.0, evidence: Evidence::DataSheet },
    Gpu { name: "a100-80gb-sxm", generation: Generation::Ampere, bf16_tflops: 312.0, fp8_tflops: None, fp4_tflops: None, bandwidth_gb_s: 2039.0, memory_gib: 80.0, link_gb_s: 300.0, evidence: Evidence::Engines },
    Gpu { name: "a10g", generation: Generation::Ampere, bf16_tflops: 70.0, fp8_tflops: None, fp4_tflops: None, bandwidth_gb_s: 600.0, memory_gib: 24.0, link_gb_s: 32.0, evidence: Evidence::DataSheet },
    Gpu { name: "a30", generation: Generation::Ampere, bf16_tflops: 165.0, fp8_tflops: None, fp4_tflops: None, bandwidth_gb_s: 933.0, memory_gib: 24.0, link_gb_s: 32.0, evidence: Evidence::DataSheet },
    Gpu { name: "b200", generation: Generation::Blackwell, bf16_tflops: 2250.0, fp8_tflops: Some(4500.0), fp4_tflops: Some(9000.0), bandwidth_gb_s: 7700.0, memory_gib: 180.0, link_gb_s: 900.0, evidence: Evidence::Engines },
    Gpu { name: "b300", generation: Generation::Blackwell, bf16_tflops: 2250.0, fp8_tflops: Some(4500.0), fp4_tflops: Some(14000.0), bandwidth_gb_s: 7750.0, memory_gib: 268.6, link_gb_s: 900.0, evidence: Evidence::Engines },
    Gpu { name: "gaudi-3", generation: Generation::Gaudi, bf16_tflops: 1835.0, fp8_tflops: Some(1835.0), fp4_tflops: None, bandwidth_gb_s: 3700.0, memory_gib: 128.0, link_gb_s: 525.0, evidence: Evidence::DataSheet },
    Gpu { name: "gb200", generation: Generation::Blackwell, bf16_tflops: 2500.0, fp8_tflops: Some(5000.0), fp4_tflops: Some(10000.0), bandwidth_gb_s: 8000.0, memory_gib: 185.0, link_gb_s: 900.0, evidence: Evidence::DataSheet },
    Gpu { name: "gb300", generation: Generation::Blackwell, bf16_tflops: 2500.0, fp8_tflops: Some(5000.0), fp4_tflops: Some(15000.0), bandwidth_gb_s: 8000.0, memory_gib: 277.5, link_gb_s: 900.0, evidence: Evidence::DataSheet },
    Gpu { name: "h100-nvl", generation: Generation::Hopper, bf16_tflops: 835.0, fp8_tflops: Some(1671.0), fp4_tflops: None, bandwidth_gb_s: 3938.0, memory_gib: 94.0, link_gb_s: 300.0, evidence: Evidence::DataSheet },
    Gpu { name: "h100-pcie", generation: Generation::Hopper, bf16_tflops: 756.5, fp8_tflops: Some(1513.0), fp4_tflops: None, bandwidth_gb_s: 2000.0, memory_gib: 80.0, link_gb_s: 64.0, evidence: Evidence::DataSheet },
    Gpu { name: "h100-sxm", generation: Generation::Hopper, bf16_tflops: 989.0, fp8_tflops: Some(1978.0), fp4_tflops: None, bandwidth_gb_s: 3350.0, memory_gib: 80.0, link_gb_s: 450.0, evidence: Evidence::Engines },
    Gpu { name: "h200", generation: Generation::Hopper, bf16_tflops: 989.0, fp8_tflops: Some(1978.0), fp4_tflops: None, bandwidth_gb_s: 4800.0, memory_gib: 141.0, link_gb_s: 450.0, evidence: Evidence::Engines },
    Gpu { name: "l4", generation: Generation::Ada, bf16_tflops: 121.0, fp8_tflops: Some(242.0), fp4_tflops: None, bandwidth_gb_s: 300.0, memory_gib: 24.0, link_gb_s: 32.0, evidence: Evidence::DataSheet },
    Gpu { name: "l40s", generation: Generation::Ada, bf16_tflops: 362.05, fp8_tflops: Some(733.0), fp4_tflops: None, bandwidth_gb_s: 864.0, memory_gib: 45.0, link_gb_s: 32.0, evidence: Evidence::Kernels },
    Gpu { name: "mi300x", generation: Generation::Cdna, bf16_tflops: 1307.4, fp8_tflops: Some(2614.9), fp4_tflops: None, bandwidth_gb_s: 5300.0, memory_gib: 192.0, link_gb_s: 448.0, evidence: Evidence::DataSheet },
    Gpu { name: "mi325x", generation: Generation::Cdna, bf16_tflops: 1307.4, fp8_tflops: Some(2614.9), fp4_tflops: None, bandwidth_gb_s: 6000.0, memory_gib: 256.0, link_gb_s: 448.0, evidence: Evidence::DataSheet },
    Gpu { name: "mi355x", generation: Generation::Cdna, bf16_tflops: 2516.6, fp8_tflops: Some(5033.2), fp4_tflops: Some(10066.3), bandwidth_gb_s: 8000.0, memory_gib: 288.0, link_gb_s: 537.0, evidence: Evidence::DataSheet },
    Gpu { name: "rtx-4090", generation: Generation::Ada, bf16_tflops: 165.0, fp8_tflops: Some(330.0), fp4_tflops: None, bandwidth_gb_s: 1008.0, memory_gib: 24.0, link_gb_s: 32.0, evidence: Evidence::DataSheet },
    Gpu { name: "rtx-pro-6000-blackwell-server", generation: Generation::BlackwellGddr, bf16_tflops: 467.8, fp8_tflops: Some(935.6), fp4_tflops: Some(1871.2), bandwidth_gb_s: 1792.0, memory_gib: 95.6, link_gb_s: 64.0, evidence: Evidence::Kernels },
    Gpu { name: "tpu-v5e", generation: Generation::Tpu, bf16_tflops: 197.0, fp8_tflops: None, fp4_tflops: None, bandwidth_gb_s: 819.0, memory_gib: 16.0, link_gb_s: 200.0, evidence: Evidence::DataSheet },
    Gpu { name: "tpu-v6e", generation: Generation::Tpu, bf16_tflops: 918.0, fp8_tflops: None, fp4_tflops: None, bandwidth_gb_s: 1638.0, memory_gib: 32.0, link_gb_s: 400.0, evidence: Evidence::DataSheet },
];

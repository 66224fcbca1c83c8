//! What a model is made of: layers, heads, experts, and the parameters and cached values that follow.

/// The architecture of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Model {
    /// Its name in a scenario.
    pub name: &'static str,
    /// Its name where it is published.
    pub title: &'static str,
    /// Layers, of any kind.
    pub layers: u32,
    /// Width of a token between layers.
    pub hidden: u32,
    /// Heads that query.
    pub heads: u32,
    /// How keys and values are kept.
    pub attention: Attention,
    /// Width of the dense feed-forward layers; 0 where all layers have experts.
    pub intermediate: u32,
    /// Different tokens.
    pub vocabulary: u32,
    /// Feed-forward layers of which each token uses a few parts.
    pub experts: Option<Experts>,
    /// Layers that attend to the newest tokens only.
    pub sliding: Option<Sliding>,
    /// Layers with linear attention, which keep no keys and values of each token.
    pub linear_layers: u32,
    /// Whether the first and the last layer share one table of tokens.
    pub tied_embeddings: bool,
    /// How its weights are published.
    pub weights: Weights,
}

/// How keys and values are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Attention {
    /// Heads of keys and values, each used by a group of those that query.
    Grouped {
        /// Heads of keys and values.
        kv_heads: u32,
        /// Values of a head.
        head_size: u32,
    },
    /// Multi-head latent attention: one compressed row a token for all heads.
    Latent {
        /// Rank of the compressed queries; 0 without.
        query_rank: u32,
        /// Rank of the compressed keys and values.
        kv_rank: u32,
        /// Values of a query and key without position.
        nope: u32,
        /// Values of a query and key with position.
        rope: u32,
        /// Values of a value.
        value: u32,
    },
}

/// The experts of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Experts {
    /// Experts of a layer.
    pub count: u32,
    /// Experts that a token uses.
    pub active: u32,
    /// Width of an expert.
    pub intermediate: u32,
    /// Layers that have experts.
    pub layers: u32,
    /// Width of what all tokens use beside them.
    pub shared_intermediate: u32,
}

/// Layers that attend to a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sliding {
    /// Tokens of the window.
    pub window: u32,
    /// Layers that have it.
    pub layers: u32,
}

/// How weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service::llm) enum Weights {
    /// 16 bits, `bfloat16` or `float16`.
    Bf16,
    /// 8 bits, with 8-bit arithmetic where the GPU has it.
    Fp8,
    /// 4 bits in blocks with 8-bit scales (NVFP4), with 4-bit arithmetic where the GPU has it.
    Fp4,
    /// Experts of 4 bits in blocks with a common scale (MXFP4), the rest of 16 bits.
    Mxfp4,
    /// 4-bit integers, with 16-bit arithmetic.
    Int4,
}

/// What most models share.
pub(super) const PLAIN: Model = Model {
    name: "",
    title: "",
    layers: 0,
    hidden: 0,
    heads: 0,
    attention: Attention::Grouped { kv_heads: 0, head_size: 0 },
    intermediate: 0,
    vocabulary: 0,
    experts: None,
    sliding: None,
    linear_layers: 0,
    tied_embeddings: false,
    weights: Weights::Bf16,
};

impl Weights {
    /// Bytes of a parameter that every token uses, scales included.
    pub(super) fn dense_bytes(self) -> f64 {
        match self {
            Weights::Bf16 | Weights::Mxfp4 => 2.0,
            Weights::Fp8 => 1.0,
            Weights::Fp4 => 4.5 / 8.0,
            Weights::Int4 => 4.25 / 8.0,
        }
    }

    /// Bytes of a parameter of an expert, scales included.
    pub(super) fn expert_bytes(self) -> f64 {
        if self == Weights::Mxfp4 { 4.25 / 8.0 } else { self.dense_bytes() }
    }

    /// How parameters that every token uses are stored.
    pub(super) fn dense(self) -> Weights {
        if self == Weights::Mxfp4 { Weights::Bf16 } else { self }
    }
}

impl Model {
    /// Parameters of the attention of one layer.
    pub fn attention_parameters(&self) -> f64 {
        let (hidden, heads) = (f64::from(self.hidden), f64::from(self.heads));
        match self.attention {
            Attention::Grouped { kv_heads, head_size } => {
                2.0 * hidden * (heads + f64::from(kv_heads)) * f64::from(head_size)
            }
            Attention::Latent { query_rank, kv_rank, nope, rope, value } => {
                let [query_rank, kv_rank, nope, rope, value] =
                    [query_rank, kv_rank, nope, rope, value].map(f64::from);
                let keyed = heads * (nope + rope);
                let queries = if query_rank > 0.0 { query_rank * (hidden + keyed) } else { hidden * keyed };
                queries
                    + hidden * (kv_rank + rope)
                    + kv_rank * heads * (nope + value)
                    + heads * value * hidden
            }
        }
    }

    /// Layers whose feed-forward part is dense.
    pub fn dense_layers(&self) -> f64 {
        f64::from(self.layers - self.experts.map_or(0, |experts| experts.layers))
    }

    /// Parameters of all experts, and of those that a token uses.
    pub fn expert_parameters(&self) -> (f64, f64) {
        self.experts.map_or((0.0, 0.0), |experts| {
            let one = 3.0 * f64::from(self.hidden) * f64::from(experts.intermediate);
            let layers = f64::from(experts.layers);
            (layers * f64::from(experts.count) * one, layers * f64::from(experts.active) * one)
        })
    }

    /// Parameters of the layers that every token uses: attention, dense feed-forward and shared experts.
    pub fn dense_parameters(&self) -> f64 {
        let hidden = f64::from(self.hidden);
        let shared = self.experts.map_or(0.0, |experts| {
            3.0 * hidden * f64::from(experts.shared_intermediate) * f64::from(experts.layers)
        });
        f64::from(self.layers) * self.attention_parameters()
            + 3.0 * hidden * f64::from(self.intermediate) * self.dense_layers()
            + shared
    }

    /// Parameters of the tables of tokens.
    pub fn embedding_parameters(&self) -> f64 {
        let tables = if self.tied_embeddings { 1.0 } else { 2.0 };
        tables * f64::from(self.hidden) * f64::from(self.vocabulary)
    }

    /// Values that one layer keeps of one token.
    pub fn kv_values(&self) -> f64 {
        match self.attention {
            Attention::Grouped { kv_heads, head_size } => 2.0 * f64::from(kv_heads) * f64::from(head_size),
            Attention::Latent { kv_rank, rope, .. } => f64::from(kv_rank) + f64::from(rope),
        }
    }
}

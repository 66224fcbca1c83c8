//! The settings of `llm`: times of an iteration and limits of the engine.

use super::fit::Fit;
use super::presets::Preset;
use crate::schema::{Key, Problem, Reader, TableSpec};
use crate::service::request::Tokens;
use crate::service::requirement::{OUTPUT, PROMPT};
use crate::time::Span;

/// An instance that serves a language model with continuous batching. Times are in nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Llm {
    /// Fixed time of an iteration.
    pub fixed: u64,
    /// Time per prompt token computed in the iteration.
    pub per_prefill_token: u64,
    /// Time per decoding sequence.
    pub per_sequence: u64,
    /// Time per token in the KV cache of the decoding sequences.
    pub per_kv_token: u64,
    /// Maximum sequences at a time; at most the token budget.
    pub max_sequences: u32,
    /// Maximum tokens computed in an iteration.
    pub token_budget: u32,
    /// Tokens in a block of the KV cache.
    pub block_tokens: u32,
    /// Blocks of the KV cache; [`u64::MAX`] without a limit.
    pub blocks: u64,
    /// Share of each prompt found in the prefix cache, in thousandths.
    pub prefix_hit: u32,
    /// Whether iterations in which nothing changes are simulated as one run: always, except where tests compare with
    /// single iterations.
    pub join_iterations: bool,
}

const PRESET: Key<Option<&'static Preset>> = Key::optional(
    "preset",
    "A model on a GPU with published figures, in place of the four times of an iteration and of the cache; each can still be written over it.",
);
const FIT: Key<Option<Fit>> = Key::optional(
    "fit",
    "A load test that the times of an iteration are fitted to; before those of a `preset`, after those written.",
);
const FIXED: Key<Option<Span>> =
    Key::optional("fixed", "Fixed time of an iteration; required without `preset` and `fit`.");
const PER_PREFILL_TOKEN: Key<Option<Span>> =
    Key::optional("per_prefill_token", "Time that each computed prompt token adds to its iteration.");
const PER_SEQUENCE: Key<Option<Span>> =
    Key::optional("per_sequence", "Time that each decoding sequence adds to the iteration.");
const PER_KV_TOKEN: Key<Option<Span>> = Key::optional(
    "per_kv_token",
    "Time that each token in the KV cache of the decoding sequences adds to the iteration.",
);
const MAX_SEQUENCES: Key<u32> =
    Key::or("max_sequences", "256", "Maximum sequences computed at a time (vLLM: `max_num_seqs`).")
        .at_least(1.0)
        .at_most(100_000.0);
const TOKEN_BUDGET: Key<u32> = Key::or(
    "token_budget",
    "2048",
    "Maximum tokens computed in an iteration: one for each decoding sequence, the rest for prompts, which are cut into chunks to fit (vLLM: `max_num_batched_tokens`).",
)
.at_least(1.0)
.at_most(10_000_000.0);
const BLOCK_TOKENS: Key<u32> =
    Key::or("block_tokens", "16", "Tokens in a block of the KV cache.").at_least(1.0).at_most(4096.0);
const KV_TOKENS: Key<Option<u64>> = Key::optional(
    "kv_tokens",
    "Tokens that the KV cache holds, in whole blocks. When it is full the sequence begun last is preempted, and computed again later. A request that is longer than the whole cache is cut to it. Without it, and without a preset, there is no limit.",
)
.at_least(2.0);
const PREFIX_HIT: Key<f64> = Key::or(
    "prefix_hit",
    "0",
    "Share of each prompt that is found in the prefix cache and not computed again, in whole thousandths. It takes blocks all the same.",
)
.at_least(0.0)
.at_most(1.0);

impl Llm {
    /// `model = "llm"`.
    pub const SPEC: TableSpec = TableSpec {
        name: "llm",
        doc: "A language model served with continuous batching and chunked prefill, iteration by iteration, as vLLM does: every iteration computes a token of each decoding sequence, and prompts with the rest of the token budget. An iteration takes `fixed` + `per_prefill_token` × prompt tokens + `per_sequence` × decoding sequences + `per_kv_token` × their tokens in the cache. The wait of a request ends when its prompt is begun. The utilization is the share of time in which iterations run. TTFT, TPOT, tokens and use of the cache are reported.",
        keys: &[
            &PROMPT,
            &OUTPUT,
            &PRESET,
            &FIT,
            &FIXED,
            &PER_PREFILL_TOKEN,
            &PER_SEQUENCE,
            &PER_KV_TOKEN,
            &MAX_SEQUENCES,
            &TOKEN_BUDGET,
            &BLOCK_TOKENS,
            &KV_TOKENS,
            &PREFIX_HIT,
        ],
    };

    pub(in crate::service) fn read(reader: &Reader<'_>) -> Result<Llm, Problem> {
        let preset = reader.find(&PRESET)?;
        let fit = reader.find(&FIT)?;
        let fitted = |part: fn(&Fit) -> Option<f64>| fit.as_ref().and_then(part).map(Span::from_secs_f64);
        let nanos = |written: Option<Span>, part: fn(&Preset) -> u64| {
            written.map(Span::as_nanos).or_else(|| preset.map(part)).unwrap_or(0)
        };
        let fixed = reader.find(&FIXED)?.or_else(|| fitted(|fit| Some(fit.fixed_s)));
        if fixed.is_none() && preset.is_none() {
            return Err(reader.missing("fixed").help("or a `preset`, or a `fit`"));
        }
        let (max_sequences, token_budget) = (reader.get(&MAX_SEQUENCES)?, reader.get(&TOKEN_BUDGET)?);
        if token_budget < max_sequences {
            let message = format!("`{}` is {token_budget}", reader.path_of("token_budget"));
            let label = format!("expected at least {max_sequences}, a token for each of `max_sequences`");
            return Err(reader.problem("token_budget", message, label));
        }
        let block_tokens = reader.get(&BLOCK_TOKENS)?;
        let kv_tokens = reader.find(&KV_TOKENS)?.or_else(|| preset.map(|preset| preset.kv_tokens));
        let blocks = kv_tokens.map_or(u64::MAX, |tokens| tokens / u64::from(block_tokens));
        if blocks == 0 {
            let message = format!("`{}` is less than a block", reader.path_of("kv_tokens"));
            return Err(reader.problem("kv_tokens", message, format!("expected at least {block_tokens}")));
        }
        let llm = Llm {
            fixed: nanos(fixed, |preset| preset.fixed),
            per_prefill_token: nanos(
                reader.find(&PER_PREFILL_TOKEN)?.or_else(|| fitted(|fit| fit.per_prefill_token_s)),
                |preset| preset.per_prefill_token,
            ),
            per_sequence: nanos(
                reader.find(&PER_SEQUENCE)?.or_else(|| fitted(|fit| Some(fit.per_sequence_s))),
                |preset| preset.per_sequence,
            ),
            per_kv_token: nanos(reader.find(&PER_KV_TOKEN)?, |preset| preset.per_kv_token),
            max_sequences,
            token_budget,
            block_tokens,
            blocks,
            prefix_hit: (reader.get(&PREFIX_HIT)? * 1000.0).round() as u32,
            join_iterations: true,
        };
        if llm.iteration_time(1, 0, 0) == 0 || llm.iteration_time(0, 1, 1) == 0 {
            let message =
                format!("with these times an iteration of `{}` takes none", reader.path_of("model"));
            return Err(reader.problem("fixed", message, "expected some time for an iteration"));
        }
        Ok(llm)
    }

    /// Time of an iteration, nanoseconds: it computes `prefill` prompt tokens and a token of each of `decoding` sequences,
    /// which have `context` tokens in the KV cache together.
    #[inline]
    pub fn iteration_time(&self, prefill: u64, decoding: u64, context: u64) -> u64 {
        let parts =
            [(self.per_prefill_token, prefill), (self.per_sequence, decoding), (self.per_kv_token, context)];
        parts.iter().fold(self.fixed, |time, (each, count)| time.saturating_add(each.saturating_mul(*count)))
    }

    /// Prompt and output tokens of a request as they are served: each at least 1, and together at most what the KV cache
    /// holds. A request that is too long is cut, its answer first.
    pub fn fitted(&self, tokens: Tokens) -> (u64, u64) {
        // The last token of an answer is never stored, hence the + 1.
        let max = self.blocks.saturating_mul(u64::from(self.block_tokens));
        let prompt = u64::from(tokens.prompt).clamp(1, max);
        (prompt, u64::from(tokens.output).clamp(1, max - prompt + 1))
    }

    /// Tokens of a prompt found in the prefix cache; at least one token is computed.
    pub fn cached(&self, prompt: u64) -> u64 {
        (prompt * u64::from(self.prefix_hit) / 1000).min(prompt - 1)
    }

    /// Approximate maximum throughput of an instance, requests per second, at these mean tokens per request: as many
    /// sequences decode as are allowed, or as the KV cache holds, and prompts take their time besides.
    pub fn throughput(&self, prompt: f64, output: f64) -> f64 {
        let held = prompt + output / 2.0;
        let room = if self.blocks == u64::MAX {
            f64::INFINITY
        } else {
            self.blocks as f64 * f64::from(self.block_tokens)
        };
        let sequences = f64::from(self.max_sequences).min(room / held).max(1.0);
        let decode =
            self.fixed as f64 + sequences * (self.per_sequence as f64 + self.per_kv_token as f64 * held);
        let computed = prompt * (1.0 - f64::from(self.prefix_hit) / 1000.0);
        1e9 / (computed * self.per_prefill_token as f64 + output * decode / sequences)
    }
}

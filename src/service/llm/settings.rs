//! The settings of `llm`: times of an iteration and limits of the engine.

use std::sync::Arc;

use super::decoding_curve::DecodingCurve;
use super::fit::Fit;
use super::hardware::{Hardware, Uncertainty};
use super::iteration::{IterationLaw, IterationWork};
use super::presets::Preset;
use crate::schema::{Context, Key, Node, Problem, Reader, TableSpec};
use crate::service::contents::Contents;
use crate::service::request::{MeanTokens, Tokens};
use crate::service::requirement::{OUTPUT, PROMPT};
use crate::time::Span;

/// An instance that serves a language model with continuous batching.
#[derive(Debug, Clone, PartialEq)]
pub struct Llm {
    /// The time of an iteration.
    pub law: IterationLaw,
    /// Time outside the engine: before the first token of each answer, and after its last.
    pub overhead: [Span; 2],
    /// Time outside the engine before the first token besides, in iterations: as long each as one of the rest of the answer.
    pub overhead_iterations: f64,
    /// Time outside the engine before the first token for each token of the prompt.
    pub overhead_per_prompt_token: Span,
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
    /// What prompts hold, where the prefix cache goes by it; then `prefix_hit` is 0.
    pub prefix_cache: Option<Contents>,
    /// Whether iterations in which nothing changes are simulated as one run: always, except where tests compare with
    /// single iterations.
    pub join_iterations: bool,
    /// What the times are worth, where they are those of a formula.
    pub uncertainty: Option<Uncertainty>,
    /// What of a request an instance computes.
    pub role: EngineRole,
    /// Bytes of the cache that a token takes on all GPUs of an instance, where a formula says so.
    pub kv_bytes_per_token: Option<f64>,
}

/// What of a request an instance computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineRole {
    /// Its prompt and its answer.
    #[default]
    Whole,
    /// Its prompt, with the first token of the answer.
    Prefill,
    /// The further tokens of its answer: it comes with its cache.
    Decode,
}

impl Default for Llm {
    /// An engine of vLLM's limits, without a cache to fill, whose iterations take no time.
    fn default() -> Llm {
        Llm {
            law: IterationLaw::default(),
            overhead: [Span::ZERO; 2],
            overhead_iterations: 0.0,
            overhead_per_prompt_token: Span::ZERO,
            max_sequences: 256,
            token_budget: 2048,
            block_tokens: 16,
            blocks: u64::MAX,
            prefix_hit: 0,
            prefix_cache: None,
            join_iterations: true,
            uncertainty: None,
            role: EngineRole::Whole,
            kv_bytes_per_token: None,
        }
    }
}

/// Iterations of an instance in a steady state: at r requests/s, each takes `fixed_s` / (1 − r (`prefill_s` + `decode_s`)),
/// since in the time of an iteration r requests/s bring so much to compute besides its fixed time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SteadyIterations {
    /// Fixed time of an iteration, seconds.
    pub fixed_s: f64,
    /// Time that the prompt of a request adds, seconds.
    pub prefill_s: f64,
    /// Time that all further tokens of a request add, seconds.
    pub decode_s: f64,
    /// Iterations that a prompt is computed in.
    pub prompt_iterations: f64,
}

impl SteadyIterations {
    /// Time of an iteration at `rate` requests per second, seconds; infinite where they bring more than there is time for.
    pub fn iteration_s(&self, rate: f64) -> f64 {
        let left = 1.0 - rate * (self.prefill_s + self.decode_s);
        if left > 0.0 { self.fixed_s / left } else { f64::INFINITY }
    }
}

const PRESET: Key<Option<&'static Preset>> = Key::optional(
    "preset",
    "A model on a GPU with published figures, in place of the four times of an iteration and of the cache; each can still be written over it.",
);
const FIT: Key<Option<Fit>> = Key::optional(
    "fit",
    "A load test that the times of an iteration are fitted to; before those of a `preset`, after those written.",
);
const HARDWARE: Key<Option<Hardware>> = Key::optional(
    "hardware",
    "A model on GPUs without a load test: a formula gives the times of an iteration and the cache. Instead of a `preset`.",
);
const FIXED: Key<Option<Span>> =
    Key::optional("fixed", "Fixed time of an iteration; required without `preset`, `fit` and `hardware`.");
const PER_PREFILL_TOKEN: Key<Option<Span>> =
    Key::optional("per_prefill_token", "Time that each computed prompt token adds to its iteration.");
const PER_SEQUENCE: Key<Option<Span>> =
    Key::optional("per_sequence", "Time that each decoding sequence adds to the iteration.");
const DECODING: Key<Option<DecodingCurve>> = Key::optional(
    "decoding",
    "Time that the decoding sequences add to the iteration, by their number, in place of `per_sequence`: points as a load test shows them where it bends. Linear between points, and beyond the last as between the last two.",
);
const ATTENTION: Key<Option<Span>> = Key::optional(
    "attention",
    "Time that attention adds to the computation of a prompt of 1,000 tokens. It grows with the square of the length: four times as much for 2,000.",
);
const OVERHEAD_BEFORE: Key<Option<Span>> = Key::optional(
    "overhead_before",
    "Time of a request outside the engine before its first token: client, network, tokens from text. In latencies and in TTFT; it holds no place.",
);
const OVERHEAD_AFTER: Key<Option<Span>> = Key::optional(
    "overhead_after",
    "Time of a request outside the engine after its last token. In latencies; it holds no place.",
);
const OVERHEAD_ITERATIONS: Key<Option<f64>> = Key::optional(
    "overhead_iterations",
    "Iterations that a request spends between the front end and the engine before its first token, besides the one that computes its prompt and the wait for it: the next batch is planned while one runs, and tokens go back through the loop that serves all streams. Measured on vLLM: 1 to 4. Without it none, with `hardware` those of its engine. In latencies and in TTFT; it holds no place.",
)
.at_least(0.0)
.at_most(100.0);
const OVERHEAD_PER_PROMPT_TOKEN: Key<Option<Span>> = Key::optional(
    "overhead_per_prompt_token",
    "Time of a request outside the engine before its first token, for each token of its prompt: text into tokens, and through the front end. Measured: 3 to 8 µs. Without it none, with `hardware` that of its engine. In latencies and in TTFT; it holds no place.",
);
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

const PREFIX_CACHE: Key<bool> = Key::or(
    "prefix_cache",
    "false",
    "Whether each instance finds the blocks of prompts that it has computed before, in place of `prefix_hit`: those of earlier turns with `client.turns`, or of a trace that names its blocks (`hash_ids`, as Mooncake's and Bailian's). Blocks stay while there is room beside the sequences computed; the one let go longest ago goes first. A new instance has none.",
);

impl Llm {
    /// `model = "llm"`.
    pub const SPEC: TableSpec = TableSpec {
        name: "llm",
        doc: "A language model served with continuous batching and chunked prefill, iteration by iteration, as vLLM does: every iteration computes a token of each decoding sequence, and prompts with the rest of the token budget. An iteration takes `fixed` + `per_prefill_token` × prompt tokens + `per_sequence` × decoding sequences (or what `decoding` says of their number) + `per_kv_token` × their tokens in the cache, and for the `attention` of prompts; with `hardware`, what a formula says. The wait of a request ends when its prompt is begun. The utilization is the share of time in which iterations run. TTFT, TPOT, tokens and use of the cache are reported.",
        keys: &[
            &PROMPT,
            &OUTPUT,
            &PRESET,
            &FIT,
            &HARDWARE,
            &FIXED,
            &PER_PREFILL_TOKEN,
            &PER_SEQUENCE,
            &DECODING,
            &PER_KV_TOKEN,
            &ATTENTION,
            &OVERHEAD_BEFORE,
            &OVERHEAD_AFTER,
            &OVERHEAD_ITERATIONS,
            &OVERHEAD_PER_PROMPT_TOKEN,
            &MAX_SEQUENCES,
            &TOKEN_BUDGET,
            &BLOCK_TOKENS,
            &KV_TOKENS,
            &PREFIX_HIT,
            &PREFIX_CACHE,
        ],
    };

    /// The engine of a pool that decodes, by itself: what it shares with that of `[service]`, requests and what they spend
    /// outside the engine, is said there.
    pub const DECODE_SPEC: TableSpec = TableSpec {
        name: "decode.service",
        doc: "The engine of an instance that decodes, with the keys of `[service]` under `model = \"llm\"`. Without the table, the engine of `[service]`.",
        keys: &[
            &PRESET,
            &FIT,
            &HARDWARE,
            &FIXED,
            &PER_PREFILL_TOKEN,
            &PER_SEQUENCE,
            &DECODING,
            &PER_KV_TOKEN,
            &ATTENTION,
            &MAX_SEQUENCES,
            &TOKEN_BUDGET,
            &BLOCK_TOKENS,
            &KV_TOKENS,
        ],
    };

    /// Reads the engine of [`Llm::DECODE_SPEC`].
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read_decode(node: &Node, path: &str, context: &Context) -> Result<Llm, Problem> {
        let llm = Llm::read(&Reader::open(node, path, &Self::DECODE_SPEC, context)?)?;
        Ok(llm.decoding())
    }

    /// The engine as one that decodes what others have begun: without a prefix cache, which prompts are found in where they are
    /// computed, and without what requests spend outside.
    #[must_use]
    pub fn decoding(self) -> Llm {
        Llm {
            role: EngineRole::Decode,
            prefix_hit: 0,
            prefix_cache: None,
            overhead: [Span::ZERO; 2],
            overhead_iterations: 0.0,
            overhead_per_prompt_token: Span::ZERO,
            ..self
        }
    }

    pub(in crate::service) fn read(reader: &Reader<'_>) -> Result<Llm, Problem> {
        let (preset, hardware) = (reader.find(&PRESET)?, reader.find(&HARDWARE)?);
        if preset.is_some() && hardware.is_some() {
            let message = format!("`{}` beside `preset`", reader.path_of("hardware"));
            return Err(reader.problem("hardware", message, "expected one of `preset` and `hardware`"));
        }
        let (max_sequences, token_budget) = (reader.get(&MAX_SEQUENCES)?, reader.get(&TOKEN_BUDGET)?);
        if token_budget < max_sequences {
            let message = format!("`{}` is {token_budget}", reader.path_of("token_budget"));
            let label = format!("expected at least {max_sequences}, a token for each of `max_sequences`");
            return Err(reader.problem("token_budget", message, label));
        }
        let block_tokens = reader.get(&BLOCK_TOKENS)?;
        let by_content = reader.get(&PREFIX_CACHE)?;
        if by_content && reader.has(PREFIX_HIT.name()) {
            let message = format!("`{}` beside `prefix_cache`", reader.path_of(PREFIX_HIT.name()));
            return Err(reader.problem(
                PREFIX_HIT.name(),
                message,
                "expected one of them: a share assumed, or hits found",
            ));
        }
        let default_tokens = preset
            .map(|preset| preset.kv_tokens)
            .or_else(|| hardware.as_ref().map(|hardware| hardware.kv_tokens));
        let kv_tokens = reader.find(&KV_TOKENS)?.or(default_tokens);
        let blocks = kv_tokens.map_or(u64::MAX, |tokens| tokens / u64::from(block_tokens));
        if blocks == 0 {
            let message = format!("`{}` is less than a block", reader.path_of("kv_tokens"));
            return Err(reader.problem("kv_tokens", message, format!("expected at least {block_tokens}")));
        }
        let fit = reader.find(&FIT)?;
        let measured = fit.as_ref().and_then(|fit| fit.times.as_ref());
        let outside_s = measured.map_or(0.0, |times| times.overhead_before_s);
        let per_prompt_token_s =
            hardware.as_ref().map_or(0.0, |hardware| hardware.overhead_per_prompt_token_s);
        // What a load test shows outside the engine holds this too.
        let per_prompt_token_s = measured.map_or(per_prompt_token_s, |_| 0.0);
        let of_engine = hardware.as_ref().map_or(0.0, |hardware| hardware.overhead_iterations);
        let iterations = measured.map_or(of_engine, |times| times.overhead_iterations);
        let overhead = [
            reader.find(&OVERHEAD_BEFORE)?.unwrap_or(Span::from_secs_f64(outside_s)),
            reader.find(&OVERHEAD_AFTER)?.unwrap_or(Span::ZERO),
        ];
        let llm = Llm {
            law: law(reader, preset, hardware.as_ref(), fit.as_ref(), max_sequences)?,
            overhead,
            overhead_iterations: reader.find(&OVERHEAD_ITERATIONS)?.unwrap_or(iterations),
            overhead_per_prompt_token: reader
                .find(&OVERHEAD_PER_PROMPT_TOKEN)?
                .unwrap_or(Span::from_secs_f64(per_prompt_token_s)),
            max_sequences,
            token_budget,
            block_tokens,
            blocks,
            prefix_hit: (reader.get(&PREFIX_HIT)? * 1000.0).round() as u32,
            prefix_cache: by_content.then_some(Contents::Unknown),
            join_iterations: true,
            kv_bytes_per_token: hardware.as_ref().map(|hardware| hardware.kv_bytes_per_token),
            uncertainty: hardware.map(|hardware| hardware.uncertainty),
            role: EngineRole::Whole,
        };
        let alone = IterationWork { prefill: 1, ..IterationWork::default() };
        let decoding = IterationWork { decoding: 1, context: 1, ..IterationWork::default() };
        if llm.law.time(alone) == 0 || llm.law.time(decoding) == 0 {
            let message =
                format!("with these times an iteration of `{}` takes none", reader.path_of("model"));
            return Err(reader.problem("fixed", message, "expected some time for an iteration"));
        }
        Ok(llm)
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
        if self.prefix_hit == 0 {
            return 0;
        }
        (prompt * u64::from(self.prefix_hit) / 1000).min(prompt - 1)
    }

    /// The course of a mean request in a steady state, from which the time of an iteration follows at any rate. A law that
    /// is not linear is taken as the straight line from an iteration without work to one with all the sequences there may be.
    pub fn steady(&self, prompt: f64, output: f64) -> SteadyIterations {
        let held = prompt + output / 2.0;
        let sequences = f64::from(self.max_sequences);
        let computed = (prompt * (1.0 - f64::from(self.prefix_hit) / 1000.0)).round().max(1.0);
        let nothing = IterationWork::default();
        let full = IterationWork {
            decoding: u64::from(self.max_sequences),
            context: (sequences * held) as u64,
            ..IterationWork::default()
        };
        let mut prefill = IterationWork::default();
        if self.role != EngineRole::Decode {
            prefill.add_chunk((prompt.round() - computed).max(0.0) as u64, computed as u64);
        }
        let decoded = if self.role == EngineRole::Prefill { 0.0 } else { output };
        let seconds = |work: IterationWork| self.law.time(work) as f64 * 1e-9;
        let fixed_s = seconds(nothing);
        SteadyIterations {
            fixed_s,
            prefill_s: (seconds(prefill) - fixed_s).max(0.0),
            decode_s: decoded * (seconds(full) - fixed_s).max(0.0) / sequences,
            prompt_iterations: (computed / f64::from(self.token_budget)).ceil().max(1.0),
        }
    }

    /// The engine as it serves sessions on average: one with a prefix cache by content finds what was said before, if instances
    /// keep it and turns come back to them.
    #[must_use]
    pub fn in_sessions(&self, mean: MeanTokens) -> Llm {
        let found = (1000.0 * mean.said_before / mean.prompt.max(1.0)).round() as u32;
        let prefix_hit = if self.prefix_cache.is_some() { found } else { self.prefix_hit };
        Llm { prefix_hit, ..self.clone() }
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
        let decoding = sequences.round() as u64;
        let context = (sequences * held) as u64;
        let decode = self.law.time(IterationWork { decoding, context, ..IterationWork::default() }) as f64;
        // What a prompt adds to the iteration that computes it.
        let computed = (prompt * (1.0 - f64::from(self.prefix_hit) / 1000.0)).round() as u64;
        let found = (prompt.round() as u64).saturating_sub(computed);
        match self.role {
            EngineRole::Whole => {}
            // The first token came with it.
            EngineRole::Decode => return 1e9 / ((output - 1.0).max(1.0) * decode / sequences),
            EngineRole::Prefill => {
                // Its part of iterations that are full of prompts, or have as many as are allowed.
                let fixed = self.law.time(IterationWork::default()) as f64;
                let mut alone = IterationWork::default();
                alone.add_chunk(found, computed);
                let part = computed as f64 / f64::from(self.token_budget);
                let part = part.max(1.0 / f64::from(self.max_sequences));
                return 1e9 / (part * fixed + (self.law.time(alone) as f64 - fixed).max(0.0)).max(1.0);
            }
        }
        let mut mixed = IterationWork { decoding, context, ..IterationWork::default() };
        mixed.add_chunk(found, computed);
        let prefill = (self.law.time(mixed) as f64 - decode).max(0.0);
        1e9 / (prefill + output * decode / sequences)
    }
}

/// The law of an iteration's time: what is written, before what was fitted, before what a preset or a formula says.
fn law(
    reader: &Reader<'_>,
    preset: Option<&Preset>,
    hardware: Option<&Hardware>,
    fit: Option<&Fit>,
    max_sequences: u32,
) -> Result<IterationLaw, Problem> {
    let mut law = match (preset, hardware) {
        (Some(preset), _) => IterationLaw {
            fixed: preset.fixed,
            per_prefill_token: preset.per_prefill_token,
            per_sequence: preset.per_sequence,
            per_kv_token: preset.per_kv_token * 1000,
            ..IterationLaw::default()
        },
        (None, Some(hardware)) => hardware.times.law(),
        (None, None) => IterationLaw::default(),
    };
    let nanos = |seconds: f64| Span::from_secs_f64(seconds).as_nanos();
    if let Some(fit) = fit {
        law.fixed = nanos(fit.fixed_s);
        law.per_sequence = nanos(fit.per_sequence_s);
        law.per_prefill_token = fit.per_prefill_token_s.map_or(law.per_prefill_token, nanos);
        // A load test holds what a formula says of the arithmetic.
        (law.roofline, law.per_attended_twice, law.per_prompt_iteration) = (None, 0.0, 0);
        if let Some(times) = &fit.times {
            law.per_kv_token = nanos(times.per_kv_token_s).saturating_mul(1000);
            law.window = None;
            if times.per_sequence_s().is_none() {
                law.curve = Some(
                    (0..=max_sequences).map(|count| nanos(times.decoding_s(f64::from(count)))).collect(),
                );
            }
        }
    }
    let fixed = reader.find(&FIXED)?;
    if fixed.is_none() && fit.is_none() && preset.is_none() && hardware.is_none() {
        return Err(reader.missing("fixed").help("or a `preset`, a `fit`, or `hardware`"));
    }
    let (per_sequence, curve) = (reader.find(&PER_SEQUENCE)?, reader.find(&DECODING)?);
    if curve.is_some() && per_sequence.is_some() {
        let message = format!("`{}` beside `per_sequence`", reader.path_of("decoding"));
        return Err(reader.problem("decoding", message, "expected one of `per_sequence` and `decoding`"));
    }
    law.fixed = fixed.map_or(law.fixed, Span::as_nanos);
    law.per_prefill_token = reader.find(&PER_PREFILL_TOKEN)?.map_or(law.per_prefill_token, Span::as_nanos);
    if let Some(each) = per_sequence {
        (law.per_sequence, law.curve) = (each.as_nanos(), None);
    }
    if let Some(curve) = curve {
        law.per_sequence = 0;
        law.curve = Some(Arc::from(curve.tabulated(max_sequences)));
    }
    if let Some(each) = reader.find(&PER_KV_TOKEN)? {
        law.per_kv_token = each.as_nanos().saturating_mul(1000);
        law.window = None;
    }
    if let Some(time) = reader.find(&ATTENTION)? {
        let pairs_twice = 1e6;
        law.per_attended_twice = time.as_nanos() as f64 / pairs_twice;
    }
    Ok(law)
}

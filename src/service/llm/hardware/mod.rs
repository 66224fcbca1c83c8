//! `[service.hardware]`: a model on GPUs, without a load test.
//!
//! The architecture of the model and the data sheet of the GPU give the times of an iteration ([`law`]) and the tokens that the cache
//! holds. What such a formula is worth was measured on levels of load of real engines, and is stated with every result.

mod architecture;
mod engine;
mod fitted;
mod gpus;
mod law;
mod models;

use architecture::{Model, Weights};
use engine::{Engine, Outside};
pub use fitted::{FITTED, Fitted};
use gpus::{Evidence, GPUS, Gpu};
use law::Machine;
pub(super) use law::Times;
use models::MODELS;

use super::iteration::IterationLaw;
use crate::schema::{
    Choice, Context, Data, Key, Kind, Node, Problem, Reader, TableSpec, Value, nearest, read_choice,
    wrong_kind,
};

/// What a formula says of a model on GPUs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hardware {
    pub times: Times,
    /// Tokens that the cache holds.
    pub kv_tokens: u64,
    /// Bytes of the cache that a token takes on all GPUs together.
    pub kv_bytes_per_token: f64,
    /// Time outside the engine before the first token for each token of the prompt, seconds.
    pub overhead_per_prompt_token_s: f64,
    /// Time outside it in iterations, besides.
    pub overhead_iterations: f64,
    pub uncertainty: Uncertainty,
}

/// How far measured times of an iteration lie from those of a formula.
#[derive(Debug, Clone, PartialEq)]
pub struct Uncertainty {
    /// What the formula is of: "llama-3.1-8b (bf16) on 1 × h100-sxm with vllm".
    pub of: String,
    /// Measured time by that of the formula: 80 % of the measured levels lie between these two, or are supposed to.
    pub between: (f64, f64),
    /// Whether levels of load were measured on such a GPU.
    pub is_measured: bool,
    /// What that rests on.
    pub basis: &'static str,
}

const MODEL: Key<&'static Model> = Key::required(
    "model",
    "The model: its short name, or its name where it is published, such as \"meta-llama/Llama-3.1-8B\".",
);
const GPU: Key<&'static Gpu> = Key::required("gpu", "The accelerator.");
const TENSOR_PARALLEL: Key<u32> =
    Key::or("tensor_parallel", "1", "GPUs of an instance, among which each layer is split: 1, 2, 4 or 8.")
        .at_least(1.0)
        .at_most(8.0);
const ENGINE: Key<Engine> = Key::or("engine", "\"vllm\"", "The engine, which its overheads go by.");
const WEIGHTS: Key<Option<Weights>> =
    Key::optional("weights", "How the weights are stored. Without it, as the model is published.");
const KV_CACHE: Key<KvCache> = Key::or("kv_cache", "\"bf16\"", "How the cache is stored.");
const MEMORY_SHARE: Key<f64> = Key::or(
    "memory_share",
    "0.9",
    "Share of each GPU's memory that the engine takes (vLLM: `gpu_memory_utilization`). What is left of it beside the weights and 4 GB holds the cache.",
)
.at_least(0.05)
.at_most(1.0);
const SPEC: TableSpec = TableSpec {
    name: "hardware",
    doc: "A model on GPUs, in place of measured times: a formula gives the times of an iteration and the size of the cache from the architecture of the model and the data sheet of the GPU. Each can still be written over it. Measured levels of load of models and GPUs that it was not fitted to lie around it by 8 % at the median, and every result says so: a load test of your own is better.",
    keys: &[&MODEL, &GPU, &TENSOR_PARALLEL, &ENGINE, &WEIGHTS, &KV_CACHE, &MEMORY_SHARE],
};

/// How the cache is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KvCache {
    Bf16,
    Fp8,
}

impl Choice for KvCache {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] =
        &[("bf16", KvCache::Bf16, "16 bits a value"), ("fp8", KvCache::Fp8, "8 bits a value")];
}

impl Choice for Weights {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("bf16", Weights::Bf16, "16 bits"),
        ("fp8", Weights::Fp8, "8 bits, with 8-bit arithmetic where the GPU has it"),
        ("fp4", Weights::Fp4, "4 bits with scales (NVFP4), with 4-bit arithmetic where the GPU has it"),
        ("mxfp4", Weights::Mxfp4, "experts of 4 bits with scales (MXFP4), the rest of 16 bits"),
        ("int4", Weights::Int4, "4-bit integers, with 16-bit arithmetic"),
    ];
}

/// States that a type is read as one of a few names.
macro_rules! chosen_by_name {
    ($($choice:ty),*) => {
        $(impl Value for $choice {
            fn kind() -> Kind {
                <$choice as Choice>::choices()
            }
            fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
                read_choice(node, path)
            }
        })*
    };
}

/// The name of a choice.
fn name_of<T: Choice + PartialEq>(choice: T) -> &'static str {
    T::OPTIONS.iter().find(|(_, value, _)| *value == choice).map_or("", |(name, ..)| name)
}

chosen_by_name!(Engine, KvCache, Weights);

/// The law of an iteration and the time outside the engine by other constants than those of the product, which tests fit anew: of a
/// model, a GPU, an engine and weights by their names, on so many GPUs and with so many bytes a value of the cache. `None` where a
/// name is not known.
#[cfg(feature = "internals")]
pub fn law_with(
    names: [&str; 4],
    gpus: u32,
    kv_bytes: f64,
    fitted: &Fitted,
) -> Option<(IterationLaw, Outside)> {
    let [model, gpu, engine, weights] = names;
    let machine = Machine {
        model: MODELS.iter().find(|known| known.name == model)?,
        gpu: GPUS.iter().find(|known| known.name == gpu)?,
        gpus,
        weights: named(weights)?,
        kv_bytes,
        engine: named(engine)?,
    };
    let outside = machine.engine.outside(fitted, machine.model.experts.is_some());
    Some((machine.times(fitted).law(), outside))
}

/// The choice of this name.
#[cfg(feature = "internals")]
fn named<T: Choice + Copy>(name: &str) -> Option<T> {
    T::OPTIONS.iter().find(|(known, ..)| *known == name).map(|(_, value, _)| *value)
}

/// The entry of a table that `node` names. `names` gives the names of an entry, of which the first is shown.
fn find<T>(
    node: &Node,
    path: &str,
    table: &'static [T],
    what: &str,
    names: fn(&T) -> [&'static str; 2],
) -> Result<&'static T, Problem> {
    let Data::Text(text) = &node.data else {
        return Err(wrong_kind(node, path, &format!("the name of {what}")));
    };
    let published = |name: &str| name.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(text));
    let is_it = |entry: &&T| {
        names(entry)
            .iter()
            .any(|name| !name.is_empty() && (name.eq_ignore_ascii_case(text) || published(name)))
    };
    table.iter().find(is_it).ok_or_else(|| {
        let problem = Problem::new(
            &node.place,
            format!("`{path}` is \"{text}\""),
            format!("expected the name of {what}"),
        );
        // Of several that are called so, the nearest by letters may be quite another.
        let lower = text.to_ascii_lowercase();
        let begins = |name: &&str| name.strip_prefix(&lower).is_some_and(|rest| rest.starts_with('-'));
        let called: Vec<&str> = table.iter().map(|entry| names(entry)[0]).filter(begins).collect();
        if !called.is_empty() {
            return problem.help(format!("which one: {}", called.join(", ")));
        }
        match nearest(&lower, table.iter().map(|entry| names(entry)[0])) {
            Some(name) => problem.help(format!("did you mean \"{name}\"?")),
            None => {
                problem.help("docs/scenario/service.md lists them; other models and GPUs take measured times")
            }
        }
    })
}

impl Value for &'static Model {
    fn kind() -> Kind {
        Kind::Choice(MODELS.iter().map(|model| (model.name, model.title)).collect())
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        find(node, path, MODELS, "a model whose architecture is known", |model| [model.name, model.title])
    }
}

impl Value for &'static Gpu {
    fn kind() -> Kind {
        let basis = |gpu: &'static Gpu| (gpu.name, gpu.evidence.stated());
        Kind::Choice(GPUS.iter().map(basis).collect())
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        find(node, path, GPUS, "a GPU whose data sheet is known", |gpu| [gpu.name, ""])
    }
}

impl Evidence {
    /// In words.
    fn stated(self) -> &'static str {
        match self {
            Evidence::Engines => "kernels and whole engines measured",
            Evidence::Kernels => "kernels measured, no whole engine",
            Evidence::DataSheet => "data sheet only",
        }
    }

    /// Measured time by that of the formula, for 80 % of the levels: measured by leaving one model and GPU out where whole engines
    /// were measured, and supposed elsewhere.
    fn between(self) -> (f64, f64) {
        match self {
            Evidence::Engines => (0.83, 1.2),
            Evidence::Kernels | Evidence::DataSheet => (0.5, 1.5),
        }
    }
}

impl Value for Hardware {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        let (model, gpu) = (reader.get(&MODEL)?, reader.get(&GPU)?);
        let gpus = reader.get(&TENSOR_PARALLEL)?;
        if !gpus.is_power_of_two() {
            let message = format!("`{}` is {gpus}", reader.path_of("tensor_parallel"));
            return Err(reader.problem("tensor_parallel", message, "expected 1, 2, 4 or 8"));
        }
        let engine = reader.get(&ENGINE)?;
        let weights = reader.find(&WEIGHTS)?.unwrap_or(model.weights);
        if weights == Weights::Mxfp4 && model.experts.is_none() {
            let message =
                format!("`{}` is \"mxfp4\", but {} has no experts", reader.path_of("weights"), model.name);
            return Err(reader.problem(
                "weights",
                message,
                "expected \"bf16\", \"fp8\", \"fp4\" or \"int4\"",
            ));
        }
        let outside = engine.outside(&FITTED, model.experts.is_some());
        let kv_bytes = if reader.get(&KV_CACHE)? == KvCache::Fp8 { 1.0 } else { 2.0 };
        let machine = Machine { model, gpu, gpus, weights, kv_bytes, engine };
        let room = |gpus| {
            let machine = Machine { gpus, ..machine };
            let activations = 4e9;
            let left = reader.get(&MEMORY_SHARE)? * gpu.memory() - machine.weight_bytes() - activations;
            Ok::<f64, Problem>(left / machine.kv_bytes())
        };
        // An engine does not start with less than a few requests' worth.
        let enough = 1024.0;
        let kv_tokens = room(gpus)?;
        if kv_tokens < enough {
            let gigabytes = |bytes: f64| format!("{:.0} GB", bytes / 1e9);
            let message = format!(
                "{} does not fit {gpus} × {}: its weights take {} of {} on each GPU",
                model.name,
                gpu.name,
                gigabytes(machine.weight_bytes()),
                gigabytes(gpu.memory())
            );
            let problem = reader.problem("model", message, "expected a model that leaves room for a cache");
            for more in [2, 4, 8].into_iter().filter(|more| *more > gpus) {
                if room(more)? >= enough {
                    return Err(problem.help(format!("it fits with `tensor_parallel = {more}`")));
                }
            }
            return Err(problem.help("narrower `weights` take less"));
        }
        let (weights, engine) = (name_of(weights), name_of(engine));
        Ok(Hardware {
            times: machine.times(&FITTED),
            kv_tokens: kv_tokens as u64,
            kv_bytes_per_token: machine.kv_bytes() * f64::from(gpus),
            overhead_per_prompt_token_s: outside.per_prompt_token_s,
            overhead_iterations: outside.iterations,
            uncertainty: Uncertainty {
                of: format!("{} ({weights}) on {gpus} × {} with {engine}", model.name, gpu.name),
                between: gpu.evidence.between(),
                is_measured: gpu.evidence == Evidence::Engines,
                basis: gpu.evidence.stated(),
            },
        })
    }
}

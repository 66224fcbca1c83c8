//! `[decode]`: the pool that decodes, where another computes the prompts.

use super::decode_tables::{DECODE, problem, tables};
use super::manifest;
use crate::autoscaler::Autoscaler;
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Tree, Value};
use crate::service::{EngineRole, Llm, Model as ServiceModel, Service};
use crate::sim::{Cost, Decode, Dispatch, Instances, Metrics, Model, Transfer};

const ENGINE: Key<Option<EngineTable>> = Key::optional(
    "service",
    "The engine of an instance that decodes. Without the table, the engine of `[service]`.",
);
const INSTANCES: Key<Instances> = Key::or("instances", "{}", "How its instances start and stop.");
const DISPATCH: Key<Dispatch> = Key::or(
    "dispatch",
    "{}",
    "How requests are assigned to its instances. Their patience and class are those of `[dispatch]`.",
);
const METRICS: Key<Option<MetricsTable>> =
    Key::optional("metrics", "What stands between it and its autoscaler.");
const AUTOSCALER: Key<Autoscaler> = Key::required(
    "autoscaler",
    "The autoscaler that watches it, and nothing but it; from a manifest of its own, if it names one.",
);
const COST: Key<Option<CostTable>> = Key::optional(
    "cost",
    "What instance-time costs, in the currency of `[cost]`. Without the table, as there.",
);
const TRANSFER: Key<TransferTable> =
    Key::or("transfer", "{}", "How the KV cache of a prompt comes to it. Without the table, in no time.");

/// The `[decode]` table.
pub(super) const SPEC: TableSpec = TableSpec {
    name: DECODE,
    doc: "Disaggregated serving: a pool of its own decodes. `[service]`, `[instances]`, `[dispatch]`, `[metrics]`, `[autoscaler]` and `[cost]` then are those of the pool that computes prompts, and the tables of the same names here those of the pool that decodes. A request waits for and takes its turn at the one; its KV cache is transferred; it waits for and takes its turn at the other. The first token comes with the prompt, so an answer of one token needs no transfer. For `model = \"llm\"`. Clients (`[client]`) send to the pool that computes prompts.",
    keys: &[&TRANSFER, &ENGINE, &INSTANCES, &DISPATCH, &METRICS, &AUTOSCALER, &COST],
};

/// `[decode]` by itself: its defaults are those of other tables, so [`read`] reads it.
pub(super) struct DecodeTable;

impl Value for DecodeTable {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Reader::open(node, path, &SPEC, context).map(|_| DecodeTable)
    }
}

/// `[decode.service]`.
struct EngineTable(Llm);

impl Value for EngineTable {
    fn kind() -> Kind {
        Kind::Table(const { &Llm::DECODE_SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Llm::read_decode(node, path, context).map(EngineTable)
    }
}

/// `[decode.metrics]` by itself: its defaults are the autoscaler's.
struct MetricsTable;

impl Value for MetricsTable {
    fn kind() -> Kind {
        Kind::Table(const { &Metrics::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Reader::open(node, path, &Metrics::SPEC, context).map(|_| MetricsTable)
    }
}

/// `[decode.cost]`.
struct CostTable(Cost);

impl Value for CostTable {
    fn kind() -> Kind {
        Kind::Table(const { &Cost::SPEC_OF_POOL })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Cost::read(&Reader::open(node, path, &Cost::SPEC_OF_POOL, context)?).map(CostTable)
    }
}

/// `[decode.transfer]` by itself: the size of a cache may be the service's.
struct TransferTable;

impl Value for TransferTable {
    fn kind() -> Kind {
        Kind::Table(const { &Transfer::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Reader::open(node, path, &Transfer::SPEC, context).map(|_| TransferTable)
    }
}

/// Reads `[decode]` if the scenario has it, and makes the engine of `service` one that computes prompts.
///
/// # Errors
/// What is wrong with it, at its place.
pub(super) fn read(
    reader: &Reader<'_>,
    service: &mut Service,
    cost: &Cost,
) -> Result<Option<Box<Decode>>, Problem> {
    let Some(node) = reader.node("decode") else { return Ok(None) };
    let context = reader.context();
    let own = Reader::open(node, "decode", &SPEC, context)?;
    let ServiceModel::Llm(llm) = &mut service.model else {
        let label =
            "expected `service.model = \"llm\"`: only a language model computes prompts and answers apart";
        return Err(reader.problem("decode", "`decode` does not go with `service.model`", label));
    };
    llm.role = EngineRole::Prefill;
    let engine = own.find(&ENGINE)?.map_or_else(|| llm.clone().decoding(), |EngineTable(engine)| engine);
    let tables = Tree::of(node.clone());
    manifest::check_settled(&tables, context).map_err(problem)?;
    let of_manifest = |found: Problem| {
        // The key as it is called in a pool by itself, for which the manifest is asked.
        let message = found.message.replace("`decode.autoscaler.", "`autoscaler.");
        problem(manifest::in_manifest(Problem { message, ..found }, &tables, context))
    };
    let autoscaler = own.get(&AUTOSCALER).map_err(of_manifest)?;
    let metrics = match own.node("metrics") {
        Some(node) => Reader::open(node, "decode.metrics", &Metrics::SPEC, context)?,
        None => Reader::absent("decode.metrics", context),
    };
    let transfer = match own.node("transfer") {
        Some(node) => Reader::open(node, "decode.transfer", &Transfer::SPEC, context)?,
        None => Reader::absent("decode.transfer", context),
    };
    let cost_of_pool = own.find(&COST)?.map(|CostTable(own)| Cost { currency: cost.currency.clone(), ..own });
    Ok(Some(Box::new(Decode {
        transfer: Transfer::read(&transfer, llm.kv_bytes_per_token)?,
        engine,
        instances: own.get(&INSTANCES)?,
        dispatch: own.get(&DISPATCH)?,
        metrics: Metrics::read(
            &metrics,
            manifest::averaged(autoscaler.metrics_defaults(), &tables, context)?,
        )?,
        autoscaler,
        cost: cost_of_pool.unwrap_or_else(|| cost.clone()),
    })))
}

/// The tables of the pool that decodes, as if they were those of a scenario, and the pool as a model of its own.
pub(super) fn as_scenario(tree: &Tree, model: &Model) -> Option<(Tree, Model)> {
    Some((tables(tree)?, model.decode_pool()?))
}

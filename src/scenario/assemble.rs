//! The tables of a scenario, put together.

use super::contents;
use super::decode::DecodeTable;
use super::decode_tables::keys_in_decode;
use super::identity::Identity;
use super::read_fact::ReadFact;
use super::run::Run;
use super::sweep::SweepTable;
use super::variant::VariantTable;
use super::{checks, closed_loop, decode, lint_names, manifest, reading};
use crate::arrivals::Arrivals;
use crate::autoscaler::{Autoscaler, MetricsDefaults};
use crate::schema::{Context, Data, Key, Kind, Node, Place, Problem, Reader, TableSpec, Tree, Value};
use crate::service::{Service, TraceColumnMeans};
use crate::sim::{Client, Cost, Dispatch, Instances, Metrics, Model, Slo};
use crate::time::Span;
use crate::traffic::Reading;

/// One validated setting of a scenario file, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Name of the experiment; fit for the name of a folder.
    pub name: String,
    /// What it is about, in the user's words; may be empty.
    pub description: String,
    /// What it is called beside its variants.
    pub label: String,
    /// What one run is made of.
    pub model: Model,
    /// How long and how often it is run.
    pub run: Run,
    /// What it takes from elsewhere that is not modelled, in words.
    pub warnings: Vec<String>,
    /// What was read, as the simulator understands it.
    pub reading: Vec<ReadFact>,
    /// Names of the lints that it silences.
    pub allow: Vec<String>,
    /// What makes it another scenario than others. Whoever puts another part into `model` has to change it too.
    pub identity: Identity,
}

const NAME: Key<Option<String>> = Key::optional(
    "name",
    "Name of the experiment, and of the folder its results go to. Without it, the file's name without `.toml`.",
);
const DESCRIPTION: Key<String> = Key::or("description", "\"\"", "Description, for the report.");
const LABEL: Key<String> =
    Key::or("label", "\"base\"", "Name of the base scenario beside its variants, in tables and charts.");
const ALLOW: Key<Vec<String>> = Key::or(
    "allow",
    "[]",
    "Lints of `kneepoint check` that are not to warn of this scenario, by their names ([lints](lints.md)).",
);
const ARRIVALS: Key<Option<Arrivals>> = Key::optional(
    "arrivals",
    "When requests arrive. Required, unless `client.users` send them: then it has no effect.",
);
const SERVICE: Key<ServiceTable> =
    Key::required("service", "What a request requires, and how one instance serves it.");
const INSTANCES: Key<Instances> = Key::or("instances", "{}", "How instances start and stop.");
const DISPATCH: Key<Dispatch> = Key::or("dispatch", "{}", "How requests are assigned to instances.");
const CLIENT: Key<Client> = Key::or(
    "client",
    "{}",
    "Who sends the requests, and what clients do without an answer: users in a closed loop, a cap on requests outstanding, time-outs, retries, hedges.",
);
const METRICS: Key<MetricsTable> =
    Key::or("metrics", "{}", "What stands between the pool and the autoscaler.");
const AUTOSCALER: Key<Autoscaler> = Key::required("autoscaler", "The autoscaler that watches the pool.");
const COST: Key<Cost> = Key::or("cost", "{}", "What instance-time costs.");
const SLO: Key<Option<Slo>> =
    Key::optional("slo", "The promises of the service. Without it, there are none.");
const DECODE: Key<Option<DecodeTable>> = Key::optional(
    "decode",
    "The pool that decodes, where another computes the prompts. Without it one pool does both.",
);
const RUN: Key<RunTable> = Key::or("run", "{}", "Length and number of runs.");
const SWEEP: Key<Option<SweepTable>> =
    Key::optional("sweep", "The keys that `kneepoint sweep` varies, and their values.");
const VARIANTS: Key<Vec<VariantTable>> =
    Key::or("variant", "[]", "Named alternatives, run side by side with the base scenario.");

/// The scenario file.
pub(super) const SPEC: TableSpec = TableSpec {
    name: "scenario",
    doc: "One file is one experiment.",
    keys: &[
        &NAME,
        &DESCRIPTION,
        &LABEL,
        &ALLOW,
        &ARRIVALS,
        &SERVICE,
        &INSTANCES,
        &DISPATCH,
        &CLIENT,
        &METRICS,
        &AUTOSCALER,
        &COST,
        &SLO,
        &DECODE,
        &RUN,
        &SWEEP,
        &VARIANTS,
    ],
};

/// The keys of a scenario.
#[cfg(test)]
pub(crate) fn keys() -> impl Iterator<Item = &'static dyn crate::schema::AnyKey> {
    SPEC.keys.iter().copied()
}

/// Reads everything but sweep and variants; `stem` is the name of a scenario that writes none.
pub(super) fn read(tree: &Tree, context: &Context, stem: &str) -> Result<Scenario, Problem> {
    let reader = Reader::open(tree.root(), "", &SPEC, context)?;
    let client = reader.get(&CLIENT)?;
    for (table, example) in [
        ("arrivals", "kind = \"poisson\" and rate = 20"),
        ("service", "time = \"200ms\""),
        ("autoscaler", "kind = \"fixed\" and instances = 4"),
    ] {
        let needed = table != "arrivals" || client.users.is_none();
        if needed && !reader.has(table) {
            let message = format!("the table `[{table}]` is missing");
            let label = "every scenario has `[arrivals]`, `[service]` and `[autoscaler]`";
            let help = format!("add `[{table}]`, for example with {example}");
            let start = "`kneepoint init` writes a commented scenario to start from";
            return Err(reader.problem("", message, label).help(help).help(start));
        }
    }
    manifest::check_settled(tree, context)?;
    let name = checks::name(&reader, reader.find(&NAME)?, stem)?;
    let written = reader.find(&ARRIVALS)?;
    let arrivals = match (&client.users, written) {
        (Some(users), _) => closed_loop::unknown(users),
        (None, written) => written.ok_or_else(|| reader.missing("arrivals"))?,
    };
    let mut service = read_service(&reader, &arrivals)?;
    service.in_sessions = client
        .session
        .as_ref()
        .zip(service.tokens.as_ref())
        .map(|(session, added)| session.mean_tokens(added.prompt.0.mean(), added.output.0.mean()));
    let run = read_run(&reader, arrivals.natural_duration())?;
    let autoscaler =
        reader.get(&AUTOSCALER).map_err(|problem| manifest::in_manifest(problem, tree, context))?;
    let arrivals = match &client.users {
        Some(users) => {
            let before = (&service, autoscaler.limits().max);
            closed_loop::expected(&reader, users, client.session.as_ref(), before)?
        }
        None => arrivals,
    };
    let cost = reader.get(&COST)?;
    let decode = decode::read(&reader, &mut service, &cost)?;
    let mut model = Model {
        arrivals,
        service,
        instances: reader.get(&INSTANCES)?,
        dispatch: reader.get(&DISPATCH)?,
        client,
        metrics: read_metrics(&reader, manifest::averaged(autoscaler.metrics_defaults(), tree, context)?)?,
        autoscaler,
        cost,
        decode,
        slo: reader.find(&SLO)?,
        duration: run.duration,
        warmup: run.warmup.fixed(),
    };
    contents::connect(tree, &mut model, context)?;
    checks::model(tree, &model)?;
    checks::decode_pool(tree, &model)?;
    checks::precision(tree, &model, &run)?;
    let mut warnings = manifest::warnings(tree, context)?;
    warnings.extend(checks::without_effect(tree, &model));
    if let Some((tables, pool)) = decode::as_scenario(tree, &model) {
        warnings.extend(checks::without_effect(&tables, &pool).iter().map(|text| keys_in_decode(text)));
    }
    warnings.extend(model.arrivals.reading().and_then(Reading::skipped_words));
    let allow = reader.get(&ALLOW)?;
    lint_names::known(&reader, &allow)?;
    let (description, label) = (reader.get(&DESCRIPTION)?, reader.shown("label", reader.get(&LABEL)?)?);
    let identity = Identity::of(tree, context).map_err(|error| {
        let message = format!("a file that the scenario names cannot be read: {error}");
        Problem::new(&Place::Nowhere, message, "expected a file that stays while the scenario is read")
    })?;
    let reading = reading::of(tree, &model, context)?;
    Ok(Scenario { name, description, label, model, run, warnings, reading, allow, identity })
}

/// Reads the sweep.
pub(super) fn read_sweep(tree: &Tree, context: &Context) -> Result<Option<SweepTable>, Problem> {
    Reader::open(tree.root(), "", &SPEC, context)?.find(&SWEEP)
}

/// Reads what the scenario is called beside its variants.
pub(super) fn read_label(tree: &Tree, context: &Context) -> Result<String, Problem> {
    Reader::open(tree.root(), "", &SPEC, context)?.get(&LABEL)
}

/// Reads the variants.
pub(super) fn read_variants(tree: &Tree, context: &Context) -> Result<Vec<VariantTable>, Problem> {
    let reader = Reader::open(tree.root(), "", &SPEC, context)?;
    match reader.node("variant") {
        Some(Node { data: Data::Table(_), place }) => {
            let label = "expected `[[variant]]` with two brackets each: there may be many";
            Err(Problem::new(place, "`variant` is a single table", label))
        }
        _ => reader.get(&VARIANTS),
    }
}

fn read_run(reader: &Reader<'_>, natural: Option<Span>) -> Result<Run, Problem> {
    let node = written_or_empty(reader, "run");
    Run::read(&Reader::open(&node, "run", &Run::SPEC, reader.context())?, natural)
}

fn read_service(reader: &Reader<'_>, arrivals: &Arrivals) -> Result<Service, Problem> {
    let columns = arrivals.rows().map_or_else(TraceColumnMeans::default, |rows| rows.column_means());
    Service::read_for(&written_or_empty(reader, "service"), "service", reader.context(), columns)
}

fn read_metrics(reader: &Reader<'_>, defaults: MetricsDefaults) -> Result<Metrics, Problem> {
    let node = written_or_empty(reader, "metrics");
    Metrics::read(&Reader::open(&node, "metrics", &Metrics::SPEC, reader.context())?, defaults)
}

fn written_or_empty(reader: &Reader<'_>, table: &str) -> Node {
    let empty = || Node { data: Data::Table(Default::default()), place: reader.place_of(table) };
    reader.node(table).cloned().unwrap_or_else(empty)
}

/// `[run]` by itself: its meaning depends on the arrivals, so [`read_run`] reads it.
struct RunTable;

impl Value for RunTable {
    fn kind() -> Kind {
        Kind::Table(const { &Run::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Run::read(&Reader::open(node, path, &Run::SPEC, context)?, Some(Span::MAX)).map(|_| RunTable)
    }
}

/// `[service]` by itself: what it may leave out depends on the arrivals, so [`read_service`] reads it.
struct ServiceTable;

impl Value for ServiceTable {
    fn kind() -> Kind {
        Kind::Union(const { &Service::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Service::read_for(node, path, context, TraceColumnMeans::ALL).map(|_| ServiceTable)
    }
}

impl Value for Dispatch {
    fn kind() -> Kind {
        Kind::Union(const { &Dispatch::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Dispatch::read(node, path, context)
    }
}

impl Value for Autoscaler {
    fn kind() -> Kind {
        Kind::Union(const { &Autoscaler::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Autoscaler::read(node, path, context)
    }
}

impl Value for Instances {
    fn kind() -> Kind {
        Kind::Table(const { &Instances::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Instances::read(&Reader::open(node, path, &Instances::SPEC, context)?)
    }
}

/// `[metrics]` by itself: its defaults are the autoscaler's, so [`read_metrics`] reads it.
struct MetricsTable;

impl Value for MetricsTable {
    fn kind() -> Kind {
        Kind::Table(const { &Metrics::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &Metrics::SPEC, context)?;
        Metrics::read(&reader, MetricsDefaults::DEFAULT).map(|_| MetricsTable)
    }
}

impl Value for Client {
    fn kind() -> Kind {
        Kind::Table(const { &Client::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Client::read(&Reader::open(node, path, &Client::SPEC, context)?)
    }
}

impl Value for Cost {
    fn kind() -> Kind {
        Kind::Table(const { &Cost::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Cost::read(&Reader::open(node, path, &Cost::SPEC, context)?)
    }
}

impl Value for Slo {
    fn kind() -> Kind {
        Kind::Table(const { &Slo::SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        Slo::read(&Reader::open(node, path, &Slo::SPEC, context)?)
    }
}

//! One trigger of a ScaledObject: the scaler's own names for its target, and what its value is of the pool.

use super::scalers::{Scaler, ScalerValue, find, names};
use crate::autoscaler::Signal;
use crate::autoscaler::reading::measure::{Factor, Measure, Of, likely, of_name, of_sum};
use crate::autoscaler::reading::{
    Codec, Field, Fields, Manifest, Question, Target, TargetKind, Translation, Watch, manifest_place, promql,
    quantity_of,
};
use crate::schema::{Data, Place, Problem, Table, nearest};

/// How a target is meant.
pub(super) const METRIC_TYPE: Codec =
    Codec::Names(&[("AverageValue", "average_value"), ("Value", "value"), ("Utilization", "utilization")]);

/// Fields of the ScaledObject that are mistaken for ones of a trigger.
const OF_THE_OBJECT: [&str; 5] =
    ["minReplicaCount", "maxReplicaCount", "idleReplicaCount", "pollingInterval", "cooldownPeriod"];

const DATADOG_TYPE: Codec = Codec::Names(&[("average", "average_value"), ("global", "value")]);

/// Reads one of `spec.triggers` as `triggers.INDEX`.
///
/// # Errors
/// A field is not written as it has to be, or the scaler is none that is known.
pub(super) fn trigger(
    part: &Fields<'_>,
    index: usize,
    around: (&Manifest<'_>, Option<&str>),
    into: &mut Translation,
) -> Result<(), Problem> {
    let scaler = part.text("type")?.ok_or_else(|| part.missing("type", "the name of a scaler"))?;
    let key = format!("triggers.{index}");
    into.set(key.clone(), Data::Table(Table::EMPTY), part.place());
    let metadata = part.object("metadata")?;
    let is_own = |name: &str| ["name", "metricType", "authenticationRef", "useCachedMetrics"].contains(&name);
    if metadata.is_absent() && part.rest().iter().any(|(name, _)| !is_own(name)) {
        return Err(part.missing("metadata", "the object that holds the keys of the scaler"));
    }
    let is_resource = matches!(scaler, "cpu" | "memory");
    let kind = if is_resource || scaler == "cron" { scaler } else { "external" };
    into.set(format!("{key}.type"), Data::Text(kind.into()), part.place());
    if is_resource {
        resource(scaler, part, &metadata, (&key, around), into)?;
    } else if scaler == "cron" {
        schedule(part, &metadata, &key, into)?;
    } else {
        external(scaler, part, &metadata, &key, into)?;
    }
    authentication(part, into);
    if is_resource {
        if let Some(cached) = part.get("useCachedMetrics").filter(|cached| cached.data == Data::Bool(true)) {
            let note = "is of no use: the HPA asks for resources itself";
            into.unused(format!("{} {note}", part.path_of("useCachedMetrics")), &cached.place);
        }
    } else {
        part.read(&[Field::new("useCachedMetrics", "use_cached_metrics", Codec::Bool)], &key, into)?;
    }
    part.finish(into);
    Ok(())
}

/// Who may read the metric changes nothing.
fn authentication(part: &Fields<'_>, into: &mut Translation) {
    if let Some(node) = part.get("authenticationRef") {
        into.aside(format!("{} says who may read the value", part.path_of("authenticationRef")), &node.place);
    }
}

/// Replicas by the clock.
fn schedule(
    part: &Fields<'_>,
    metadata: &Fields<'_>,
    key: &str,
    into: &mut Translation,
) -> Result<(), Problem> {
    interval(metadata, key, into)?;
    part.read(&[Field::new("metricType", "metric_type", METRIC_TYPE)], key, into)?;
    part.get("name");
    metadata.finish(into);
    tell_clock(part, into);
    Ok(())
}

/// The interval of a trigger that goes by the clock, as keys beneath `key`.
fn interval(metadata: &Fields<'_>, key: &str, into: &mut Translation) -> Result<(), Problem> {
    const WHEN: [(Field, &str); 4] = [
        (Field::new("start", "start", Codec::Text), "when the interval begins, as in \"0 8 * * 1-5\""),
        (Field::new("end", "end", Codec::Text), "when the interval ends, as in \"0 18 * * 1-5\""),
        (Field::new("timezone", "time_zone", Codec::Text), "an IANA time zone, such as \"Europe/Berlin\""),
        (Field::new("desiredReplicas", "desired", Codec::Count), "the replicas within the interval"),
    ];
    for (field, expected) in WHEN {
        if metadata.get(field.name).is_none() {
            return Err(metadata.missing(field.name, expected));
        }
        metadata.read(&[field], key, into)?;
    }
    Ok(())
}

fn tell_clock(part: &Fields<'_>, into: &mut Translation) {
    into.note(
        format!(
            "{} (cron) goes by the clock: `starts_at` and `time_zone` in `[autoscaler]` say when the run starts, else it is Monday 2026-01-05, 00:00 UTC",
            part.path()
        ),
        part.place(),
    );
}

/// Reads a cron trigger that a formula uses, as `key`, where it is called `name`.
///
/// # Errors
/// A field is not written as it has to be.
pub(super) fn cron_of_formula(
    part: &Fields<'_>,
    name: &str,
    key: &str,
    into: &mut Translation,
) -> Result<(), Problem> {
    let metadata = part.object("metadata")?;
    into.set(key.to_owned(), Data::Table(Table::EMPTY), part.place());
    into.set(format!("{key}.name"), Data::Text(name.to_owned()), part.place());
    interval(&metadata, key, into)?;
    metadata.finish(into);
    tell_clock(part, into);
    Ok(())
}

/// Whether a trigger is one of the pods' resources, which a formula leaves alone.
///
/// # Errors
/// It does not say what it is.
pub(super) fn is_resource(part: &Fields<'_>) -> Result<bool, Problem> {
    let scaler = part.text("type")?.ok_or_else(|| part.missing("type", "the name of a scaler"))?;
    Ok(matches!(scaler, "cpu" | "memory"))
}

/// The name that a formula has for a trigger, and what its value is, or why it has none.
pub(super) type NamedMeasure = (String, Result<Measure, String>);

/// A trigger that a formula may use.
pub(super) struct FormulaTrigger {
    /// Its name with what its value is; `None` without a name.
    pub measure: Option<NamedMeasure>,
    /// Whether the HPA is given its value of the last poll.
    pub is_cached: bool,
}

/// Reads a trigger that a formula may use, and names what of it plays no part beside the formula.
///
/// # Errors
/// A field is not written as it has to be, or the scaler is none that is known.
pub(super) fn formula_trigger(part: &Fields<'_>, into: &mut Translation) -> Result<FormulaTrigger, Problem> {
    let scaler_name = part.text("type")?.unwrap_or_default();
    let metadata = part.object("metadata")?;
    let name = part.text("name")?;
    if name.is_none() {
        into.unused(format!("{} has no name, by which the formula could use it", part.path()), part.place());
    }
    let measure = match scaler_name {
        "cron" => Err("it goes by the clock".into()),
        _ => {
            let scaler = known_scaler(scaler_name, part)?;
            let target = target_of(scaler_name, scaler, &metadata).map_or("", |(target, _)| target);
            let measure = measure_of(scaler_name, scaler, target, &metadata)?;
            let targets = scaler.targets.iter().map(|(name, _)| *name);
            for name in targets.chain(scaler.activations.iter().map(|(name, _)| *name)) {
                if let Some(node) = metadata.get(name) {
                    let path = metadata.path_of(name);
                    into.aside(format!("{path} gives way to that of the formula"), &node.place);
                }
            }
            for (name, place) in metadata.rest() {
                into.aside(format!("{} says where the value comes from", metadata.path_of(name)), place);
            }
            measure
        }
    };
    if let Some(kind) = part.get("metricType") {
        into.aside(format!("{} gives way to that of the formula", part.path_of("metricType")), &kind.place);
    }
    authentication(part, into);
    let is_cached = part.get("useCachedMetrics").is_some_and(|cached| cached.data == Data::Bool(true));
    part.finish(into);
    Ok(FormulaTrigger { measure: name.map(|name| (name.to_owned(), measure)), is_cached })
}

/// The CPU or memory of the pods, which KEDA hands on to the HPA.
fn resource(
    name: &str,
    part: &Fields<'_>,
    metadata: &Fields<'_>,
    (key, (manifest, workload)): (&str, (&Manifest<'_>, Option<&str>)),
    into: &mut Translation,
) -> Result<(), Problem> {
    let watch = Watch {
        key: key.to_owned(),
        path: format!("{} ({name})", part.path()),
        place: part.place(),
        example: None,
    };
    if name == "memory" {
        watch.ask_share(
            "memory does not follow the requests in service: what it stands for has to be said",
            into,
        );
    }
    let container = metadata.text("containerName")?;
    let is_utilization = |text: Option<&str>| text == Some("Utilization");
    let percent = is_utilization(part.text("metricType")?) || is_utilization(metadata.text("type")?);
    if part.get("metricType").is_none() && metadata.get("type").is_none() {
        let expected =
            format!("Utilization or AverageValue: KEDA has no default of a trigger of type {name}");
        return Err(part.missing("metricType", &expected));
    }
    // The older name stands within the metadata.
    if part.get("metricType").is_none() && metadata.get("type").is_some() {
        metadata.read(&[Field::alias("type", "metric_type", METRIC_TYPE)], key, into)?;
    } else {
        part.read(&[Field::new("metricType", "metric_type", METRIC_TYPE)], key, into)?;
    }
    let node =
        metadata.get("value").ok_or_else(|| metadata.missing("value", "the target of the resource"))?;
    let is_whole = || quantity_of(node).is_some_and(|value| value >= 1.0 && value.fract() == 0.0);
    if percent && !into.is_as_written() && !is_whole() {
        return Err(metadata.wrong("value", node, "a whole percentage, 1 or more, as KEDA does"));
    }
    let request = match name {
        "cpu" => manifest.cpu_request(workload, container),
        _ => manifest.memory_request(workload, container),
    };
    match (percent || into.is_as_written(), request) {
        (true, _) => metadata.read(&[Field::new("value", "threshold", Codec::Quantity)], key, into)?,
        (false, Some(request)) if request > 0.0 => {
            let value = quantity_of(node).ok_or_else(|| metadata.wrong("value", node, "a quantity"))?;
            let share = 100.0 * value / request;
            into.set(format!("{key}.metric_type"), Data::Text("utilization".into()), part.place());
            into.set(format!("{key}.threshold"), Data::Integer(share.round().max(1.0) as i64), &node.place);
            if (share - share.round()).abs() > 1e-9 {
                let path = metadata.path_of("value");
                into.note(
                    format!(
                        "{path} is {share:.1} % of what a pod requests: taken for {:.0} %",
                        share.round()
                    ),
                    &node.place,
                );
            }
        }
        (false, _) => {
            let example = if name == "cpu" { "\"2\"" } else { "\"8Gi\"" };
            metadata.read(&[Field::new("value", "threshold", Codec::Quantity)], key, into)?;
            into.ask(Question {
                key: format!("requests.{name}"),
                why: format!(
                    "{} is an amount of {name}, and what a pod requests of it is not known",
                    metadata.path_of("value")
                ),
                label: "expected the workload in the same file, or what its pod requests".into(),
                line: format!("requests.{name} = {example}"),
                place: node.place.clone(),
            });
        }
    }
    metadata.finish(into);
    Ok(())
}

fn external(
    name: &str,
    part: &Fields<'_>,
    metadata: &Fields<'_>,
    key: &str,
    into: &mut Translation,
) -> Result<(), Problem> {
    let scaler = known_scaler(name, part)?;
    let shown = part.text("name")?.unwrap_or(name);
    into.set(format!("{key}.name"), Data::Text(shown.into()), part.place());
    let mut is_value = part.text("metricType")? == Some("Value");
    part.read(&[Field::new("metricType", "metric_type", METRIC_TYPE)], key, into)?;
    if name == "datadog" && part.get("metricType").is_none() {
        // Where the scaler had it before KEDA's triggers did.
        is_value = metadata.text("type")? == Some("global");
        metadata.read(&[Field::alias("type", "metric_type", DATADOG_TYPE)], key, into)?;
    }
    let (target_name, default) = target_of(name, scaler, metadata)?;
    let activation = scaler.activations.iter().find(|(name, _)| metadata.get(name).is_some());
    let example = match scaler.value {
        ScalerValue::PromQl => metadata.text("query")?.and_then(promql::likely),
        ScalerValue::Named(key) => metadata.text(key)?.and_then(likely),
        _ => None,
    };
    // What says which value it is, where it is said.
    let says = match scaler.value {
        ScalerValue::PromQl => metadata.get("query"),
        ScalerValue::Named(key) => metadata.get(key),
        _ => None,
    };
    let watch = Watch {
        key: key.to_owned(),
        path: format!("{} ({name})", part.path()),
        place: says.map_or(part.place(), |node| &node.place),
        example,
    };
    let measure = measure_of(name, scaler, target_name, metadata)?;
    let target = Target {
        kind: if is_value { TargetKind::Value } else { TargetKind::AverageValue },
        fields: metadata,
        name: target_name,
        keys: ["threshold", "threshold"],
        type_key: Some(("metric_type", ["average_value", "value"])),
        activation: activation
            .or(scaler.activations.first())
            .map(|(name, _)| (*name, "activation_threshold")),
    };
    let is_quantile = measure.as_ref().is_ok_and(|measure| measure.quantile.is_some());
    if let Some(node) = metadata.get("ignoreNullValues").filter(|_| is_quantile)
        && [Data::Text("false".into()), Data::Bool(false)].contains(&node.data)
    {
        let path = metadata.path_of("ignoreNullValues");
        let note = format!("{path}: while nothing has been completed the trigger fails; here its value is 0");
        into.note(note, &node.place);
    }
    watch.put(measure, &target, into)?;
    if metadata.get(target_name).is_none() {
        let missing = || {
            let known: Vec<&str> = scaler.targets.iter().map(|(name, _)| *name).collect();
            let rest = metadata.rest();
            let slip =
                rest.iter().find_map(|(name, place)| Some((*name, *place, slip_of(name, scaler, metadata)?)));
            let place = slip.map_or(metadata.place(), |(_, place, _)| place);
            let message = format!("`{}` has no target", metadata.path());
            let problem =
                Problem::new(&manifest_place(place), message, format!("expected {}", known.join(" or ")));
            let stray = known.iter().find(|name| part.get(name).is_some());
            match (slip, stray) {
                (Some((name, _, meant)), _) => {
                    problem.help(format!("`{name}` is no field that is known: did you mean `{meant}`?"))
                }
                (None, Some(name)) => {
                    let (stray, home) = (part.path_of(name), metadata.path_of(name));
                    problem.help(format!("{stray} stands in the wrong place: did you mean `{home}`?"))
                }
                (None, None) => problem,
            }
        };
        let default: i64 = default.ok_or_else(missing)?.parse().map_err(|_| missing())?;
        into.set(format!("{key}.threshold"), Data::Integer(default), metadata.place());
        into.note(
            format!("{} leaves {target_name} out: KEDA's default is {default}", metadata.path()),
            metadata.place(),
        );
    }
    if activation.is_none()
        && let Some((_, default)) = scaler.activations.first().filter(|(_, default)| *default != "0")
    {
        let default = default.parse().unwrap_or(0);
        into.set(format!("{key}.activation_threshold"), Data::Integer(default), metadata.place());
    }
    // Addresses, names, accounts.
    for (name, place) in metadata.rest() {
        match slip_of(name, scaler, metadata) {
            Some(meant) => {
                let path = metadata.path_of(name);
                into.unused(format!("{path} is no field that is known: did you mean `{meant}`?"), place);
            }
            None if OF_THE_OBJECT.contains(&name) => into.quiet_stray(metadata.path_of(name), name, place),
            None => into.aside(format!("{} says where the value comes from", metadata.path_of(name)), place),
        }
    }
    Ok(())
}

/// The target or activation of a scaler that is left out and that the key `name` is most like, if it is like enough.
fn slip_of(name: &str, scaler: &Scaler, metadata: &Fields<'_>) -> Option<&'static str> {
    let targets = scaler.targets.iter().map(|(name, _)| *name);
    let known = targets.chain(scaler.activations.iter().map(|(name, _)| *name));
    nearest(name, known.filter(|known| metadata.get(known).is_none()))
}

/// The scaler called `name`.
fn known_scaler(name: &str, part: &Fields<'_>) -> Result<&'static Scaler, Problem> {
    let Some(scaler) = find(name) else {
        let place = part.get("type").map_or(Place::Nowhere, |node| manifest_place(&node.place));
        let problem =
            Problem::new(&place, format!("KEDA has no scaler \"{name}\""), "expected the name of a scaler");
        return Err(match nearest(name, names()) {
            Some(near) => problem.help(format!("did you mean \"{near}\"?")),
            None => problem,
        });
    };
    Ok(scaler)
}

/// The key of the target that counts, and its default.
fn target_of(
    name: &str,
    scaler: &Scaler,
    metadata: &Fields<'_>,
) -> Result<(&'static str, Option<&'static str>), Problem> {
    let given = scaler.targets.iter().find(|(key, _)| metadata.get(key).is_some());
    if let Some(target) = given.or(scaler.targets.first()) {
        return Ok(*target);
    }
    // A scaler of one's own names its target itself.
    for key in ["targetValue", "threshold", "value", "targetSize"] {
        if metadata.get(key).is_some() {
            return Ok((key, None));
        }
    }
    let message = format!("`{}` has no target", metadata.path());
    let label =
        format!("a trigger of type {name} names its target itself: expected targetValue, threshold or value");
    Err(Problem::new(&manifest_place(metadata.place()), message, label))
}

/// What the value of a trigger is.
fn measure_of(
    name: &str,
    scaler: &Scaler,
    target: &str,
    metadata: &Fields<'_>,
) -> Result<Result<Measure, String>, Problem> {
    let total = |signal: Signal| {
        Ok(Measure {
            signal,
            factor: Factor::ONE,
            scope: Of::Total,
            quantile: None,
            window_s: 0.0,
            warnings: Vec::new(),
        })
    };
    Ok(match scaler.value {
        ScalerValue::Is(signal) => total(signal),
        ScalerValue::PromQl => match metadata.text("query")? {
            Some(query) => promql::read(query),
            None => return Err(metadata.missing("query", "a query of Prometheus")),
        },
        ScalerValue::Named(key) => match metadata.text(key)? {
            Some(name) => {
                sum_of_period(scaler, name, metadata)?.map_or_else(|| of_name(name), Ok).map(|measure| {
                    Measure {
                        scope: if measure.scope == Of::One { Of::Mean } else { measure.scope },
                        ..measure
                    }
                })
            }
            None => Err(format!("`{}` is left out", metadata.path_of(key))),
        },
        ScalerValue::Other(what) => {
            Err(format!("the value is {what}, which says nothing of the endpoint by itself"))
        }
        ScalerValue::Mode => by_mode(name, target, metadata)?.map_or_else(Err, total),
    })
}

/// What a metric of CloudWatch is that is summed over a period; KEDA's is 300 s where none is given.
fn sum_of_period(scaler: &Scaler, name: &str, metadata: &Fields<'_>) -> Result<Option<Measure>, Problem> {
    if !scaler.types.contains(&"aws-cloudwatch") || metadata.text("metricStat")? != Some("Sum") {
        return Ok(None);
    }
    let seconds = match metadata.get("metricStatPeriod") {
        Some(node) => quantity_of(node)
            .filter(|seconds| *seconds > 0.0)
            .ok_or_else(|| metadata.wrong("metricStatPeriod", node, "seconds, above 0"))?,
        None => 300.0,
    };
    Ok(of_sum(name, seconds))
}

/// Modes of the scaler of RabbitMQ, which refuses any other.
const RABBITMQ_MODES: [&str; 4] =
    ["QueueLength", "MessageRate", "DeliverGetRate", "ExpectedQueueConsumptionTime"];

fn wrong_mode(mode: &str, metadata: &Fields<'_>) -> Problem {
    let node = metadata.get("mode").unwrap_or(metadata.node());
    let problem = metadata.wrong("mode", node, &format!("one of {}", RABBITMQ_MODES.join(", ")));
    match nearest(mode, RABBITMQ_MODES) {
        Some(near) => problem.help(format!("did you mean \"{near}\"?")),
        None => problem,
    }
}

/// Scalers whose value depends on other keys of theirs.
fn by_mode(name: &str, target: &str, metadata: &Fields<'_>) -> Result<Result<Signal, String>, Problem> {
    let is = |key: &str, value: &str| {
        metadata.get(key).is_some_and(|node| {
            node.data == Data::Text(value.into()) || node.data == Data::Bool(value == "true")
        })
    };
    let refused = |what: &str| Err(format!("the value is {what}, which is no signal of the simulator"));
    Ok(match name {
        "aws-sqs-queue" if is("scaleOnInFlight", "false") => Ok(Signal::QueueLength),
        "azure-queue" if is("queueLengthStrategy", "visibleonly") => Ok(Signal::QueueLength),
        "aws-sqs-queue" | "azure-queue" => Ok(Signal::InFlight),
        "gcp-pubsub" => match metadata.text("mode")? {
            None | Some("SubscriptionSize" | "NumUndeliveredMessages") => Ok(Signal::InFlight),
            Some(mode) => refused(mode),
        },
        "rabbitmq" => match metadata.text("mode")? {
            None | Some("QueueLength") => {
                let unread = is("excludeUnacknowledged", "true");
                let by_http = metadata.text("protocol")? == Some("http")
                    || metadata.text("host")?.is_some_and(|host| host.starts_with("http"));
                // Over AMQP only messages that nobody works on are counted.
                Ok(if unread || !by_http { Signal::QueueLength } else { Signal::InFlight })
            }
            Some("MessageRate") => Ok(Signal::RequestRate),
            Some("DeliverGetRate") => refused("a rate of completions"),
            Some("ExpectedQueueConsumptionTime") => refused("an expected wait"),
            Some(mode) => return Err(wrong_mode(mode, metadata)),
        },
        "solace-event-queue" => match target {
            "messageCountTarget" => Ok(Signal::InFlight),
            "messageReceiveRateTarget" => Ok(Signal::RequestRate),
            _ => refused("a use of spool"),
        },
        "solace-direct-messaging" if target.contains("MsgRate") => Ok(Signal::RequestRate),
        _ => match target {
            "lagCount" => Ok(Signal::QueueLength),
            "pendingEntriesCount" if metadata.get("consumerGroup").is_some() => Ok(Signal::Concurrency),
            _ => refused("the length of a stream, with all that was ever read"),
        },
    })
}

//! The autoscaler in the digest of what was read: system, bounds, what each metric is compared with, defaults, and what
//! of a manifest is not used.

use super::manifest;
use super::read_fact::{ReadFact, number};
use crate::autoscaler::{Autoscaler, Per, Signal, Watched};
use crate::schema::{Context, Data, Node, Place, Problem, Table, Tree};
use crate::service;
use crate::sim::Model;

/// Lists of the table that hold what is watched, one line each in the digest.
const LISTS: [&str; 4] = ["metrics", "triggers", "policies", "rules"];

/// The lines about the autoscaler.
///
/// # Errors
/// A manifest cannot be read any more.
pub(super) fn of(tree: &Tree, model: &Model, context: &Context) -> Result<Vec<ReadFact>, Problem> {
    let Some(Node { data: Data::Table(table), .. }) = tree.get("autoscaler") else { return Ok(Vec::new()) };
    let kind = match table.get("kind") {
        Some(Node { data: Data::Text(kind), .. }) => kind.as_str(),
        _ => "",
    };
    let limits = model.autoscaler.limits();
    let source = match table.get("from") {
        Some(Node { data: Data::Text(file), .. }) => format!(", from {file}"),
        _ => String::new(),
    };
    let what = match manifest::form(tree, context)? {
        Some(form) => format!("{kind}{source} ({form})"),
        None => format!("{kind}{source}"),
    };
    let bounds = match limits.min == limits.max {
        true if limits.min == 1 => "1 instance".to_owned(),
        true => format!("{} instances", limits.min),
        false => format!("{} to {} instances", limits.min, limits.max),
    };
    let head = ReadFact::new("reading.autoscaler", "autoscaler", format!("{what}: {bounds}")).essential();
    let mut facts = vec![head.with("min", limits.min.into()).with("max", limits.max.into())];
    facts.extend(metrics(table, &model.autoscaler));
    let others = own_keys(table);
    if !others.is_empty() {
        facts.push(ReadFact::new("reading.settings", "settings", others.join(", ")));
    }
    let defaults = defaults(table, kind);
    if !defaults.is_empty() {
        facts.push(ReadFact::new("reading.defaults", "defaults", defaults.join(", ")));
    }
    let unused = manifest::unused(tree, context)?;
    if !unused.is_empty() {
        facts.push(ReadFact::new("reading.unused", "not used", unused.join(", ")).essential());
    }
    Ok(facts)
}

/// Requests per second that one instance serves when it is just at the target; `None` where the target says nothing of it.
pub(super) fn rate_at_target(model: &Model) -> Option<f64> {
    let most = model.service.throughput();
    let of_watched = |watched: &Watched| match watched.signal {
        signal if watched.per == Per::Total && signal.quantity().is_additive() => None,
        Signal::Utilization if watched.target <= 1.0 => Some(most * watched.target),
        Signal::RequestRate => Some(watched.target),
        Signal::Concurrency | Signal::InFlight => match &model.service.model {
            service::Model::Slots(slots) => {
                Some(most * (watched.target / f64::from(slots.concurrency)).min(1.0))
            }
            _ => None,
        },
        _ => None,
    };
    let watched = model.autoscaler.watched();
    watched.iter().filter(|watched| watched.adds()).filter_map(of_watched).min_by(f64::total_cmp)
}

/// A line for each thing that is watched.
fn metrics(table: &Table, autoscaler: &Autoscaler) -> Vec<ReadFact> {
    let watched = autoscaler.watched();
    let mut facts = Vec::new();
    for list in LISTS {
        let Some(Node { data: Data::Array(items), .. }) = table.get(list) else { continue };
        for (index, item) in items.iter().enumerate() {
            let Data::Table(keys) = &item.data else { continue };
            let prefix = format!("{list}.{index}.");
            let parts: Vec<String> = keys.iter().map(|(name, _, node)| shown_key(name, node)).collect();
            let mut text = parts.join(", ");
            let found = watched.iter().find(|watched| watched.key.starts_with(&prefix));
            let is_plain = ["signal", "metric", "formula"].iter().all(|name| keys.get(name).is_none());
            if let Some(watched) = found.filter(|watched| is_plain && watched.signal != Signal::Utilization) {
                text += &format!(", signal {} (not written)", watched.signal.name());
            }
            if let Some(watched) = found {
                text += &format!("; compared as {}", compared(watched));
            }
            let fact = ReadFact::new("reading.metric", "metric", text).essential();
            facts.push(match found {
                Some(watched) => fact.with("target", watched.target),
                None => fact,
            });
        }
    }
    if facts.is_empty() {
        for each in &watched {
            let fact = ReadFact::new("reading.metric", "metric", aim(table, each));
            let fact = if each.adds() { fact.essential() } else { fact };
            facts.push(fact.with("target", each.target));
        }
    }
    let aims = autoscaler.aims().into_iter();
    facts.extend(aims.map(|text| ReadFact::new("reading.metric", "metric", text).essential()));
    facts
}

/// What a signal is compared with, and which key says so.
fn aim(table: &Table, watched: &Watched) -> String {
    let Watched { key, signal, target, .. } = watched;
    let (name, target_text) = (signal.name(), compared(watched));
    let (outer, inner) = key.split_once('.').unwrap_or((key, ""));
    let written = match table.get(outer) {
        Some(Node { data: Data::Table(table), .. }) => table.get(inner),
        other => other.filter(|_| inner.is_empty()),
    };
    match written.map(|node| (node, number_in(node))) {
        // What nobody has written is watched by the rules of the system.
        None if LISTS.contains(&outer) => {
            format!("{name} against {target_text}, the default where no metric is named")
        }
        None => format!("{name} against {target_text}, by the default of `{key}`"),
        Some((_, Some(value))) if value == *target => format!("{name} against `{key}` = {target_text}"),
        Some((node, _)) => {
            format!("{name} against {target_text}, which `{key}` = {} comes to", shown_value(node))
        }
    }
}

fn number_in(node: &Node) -> Option<f64> {
    match node.data {
        Data::Integer(integer) => Some(integer as f64),
        Data::Float(float) => Some(float),
        _ => None,
    }
}

/// The value that a signal is compared with, in its unit.
fn compared(watched: &Watched) -> String {
    let quantity = watched.signal.quantity();
    let whose = match (quantity.is_additive(), watched.per) {
        (false, _) => "",
        (true, Per::Instance) => " an instance",
        (true, Per::Total) => " in all",
    };
    format!("{} {}{whose}", number(watched.target), quantity.unit())
}

/// A key as the scenario has it; where a manifest says it in other words, with these.
fn shown_key(name: &str, node: &Node) -> String {
    let value = shown_value(node);
    match &node.place {
        Place::Manifest(span) => {
            let written = span.text().trim().trim_matches(['"', '\'']);
            let is_scalar = !matches!(node.data, Data::Array(_) | Data::Table(_));
            match is_scalar
                && span.pointed().is_some()
                && !written.is_empty()
                && written.len() < 24
                && written != value
                && (is_numeric(&value) || !is_numeric(written))
            {
                true if !written.contains(['{', '\n', ':']) => format!("{name} {value} (written {written})"),
                _ => format!("{name} {value}"),
            }
        }
        _ => format!("{name} {value}"),
    }
}

/// Whether a text is a number, with a unit or without; what follows from such a field is no other form of it.
fn is_numeric(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.')
}

fn shown_value(node: &Node) -> String {
    match &node.data {
        Data::Text(text) | Data::Datetime(text) => text.clone(),
        Data::Array(items) => format!("[{}]", items.iter().map(shown_value).collect::<Vec<_>>().join(", ")),
        Data::Table(table) => {
            let parts: Vec<String> =
                table.iter().map(|(name, _, node)| format!("{name} {}", shown_value(node))).collect();
            format!("{{{}}}", parts.join(", "))
        }
        _ => node.to_json().to_string(),
    }
}

/// The keys that are set, apart from the lists that have lines of their own.
fn own_keys(table: &Table) -> Vec<String> {
    let apart = |name: &str| ["kind", "from", "name"].contains(&name) || LISTS.contains(&name);
    table.iter().filter(|(name, _, _)| !apart(name)).map(|(name, _, node)| shown_key(name, node)).collect()
}

/// The keys of the kind that nobody set, with their defaults.
fn defaults(table: &Table, kind: &str) -> Vec<String> {
    let spec = Autoscaler::SPEC.variants.iter().find(|variant| variant.name == kind);
    let keys = spec.into_iter().flat_map(|spec| spec.keys.iter());
    let of_key = |key: &&&'static dyn crate::schema::AnyKey| table.get(key.name()).is_none();
    keys.filter(of_key)
        .filter_map(|key| Some(format!("{} {}", key.name(), key.default()?.trim_matches('"'))))
        .collect()
}

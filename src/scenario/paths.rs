//! Paths of keys, such as `autoscaler.up.above`: which there are, and what each takes.

use super::assemble::SPEC;
use crate::schema::{AnyKey, Data, Kind, Node, Place, Problem, Tree, UnionSpec, nearest};

/// What is no setting of the model, and what all settings of an experiment share.
const APART: [&str; 7] = ["allow", "name", "description", "sweep", "variant", "run.seed", "run.replications"];

/// What the key at `path` takes in this scenario.
///
/// # Errors
/// There is no such key, or it may not differ within an experiment; `place` is where the path is written.
pub(super) fn kind_at(tree: &Tree, path: &str, place: &Place) -> Result<Kind, Problem> {
    if let Some(apart) = APART.iter().find(|apart| path == **apart || path.starts_with(&format!("{apart}.")))
    {
        let label = match *apart {
            "run.seed" | "run.replications" => {
                "all settings of one experiment meet the same requests, so that they can be compared"
            }
            _ => "not a setting of the model",
        };
        return Err(Problem::new(place, format!("`{path}` cannot be varied"), label));
    }
    let steps: Vec<&str> = path.split('.').collect();
    descend(&Kind::Table(&SPEC), Some(tree.root()), &steps).ok_or_else(|| unknown(tree, path, place))
}

/// The default of the key at `path`, which the scenario does not write; `None` if it has none.
pub(super) fn default_at(tree: &Tree, path: &str) -> Option<Node> {
    let (table, name) = path.rsplit_once('.')?;
    let steps: Vec<&str> = table.split('.').collect();
    let kind = descend(&Kind::Table(&SPEC), Some(tree.root()), &steps)?;
    let default = default_of(&kind, tree.get(table), name)?;
    Tree::parse_value(default, Place::Nowhere).ok()
}

fn default_of(kind: &Kind, node: Option<&Node>, name: &str) -> Option<&'static str> {
    let among = |keys: &[&dyn AnyKey]| keys.iter().find(|key| key.name() == name)?.default();
    match kind {
        Kind::Table(spec) => among(spec.keys),
        Kind::Union(spec) => among(&keys_of(spec, node)?),
        Kind::Either(kinds) => kinds.iter().find_map(|kind| default_of(kind, node, name)),
        _ => None,
    }
}

/// The [`Problem`] of a path that leads nowhere.
fn unknown(tree: &Tree, path: &str, place: &Place) -> Problem {
    let mut paths = Vec::new();
    collect(&Kind::Table(&SPEC), Some(tree.root()), "", &mut paths);
    let problem = Problem::new(
        place,
        format!("this scenario has no key `{path}`"),
        "expected the path of a key, such as \"instances.initial\"",
    );
    let (table, last) = split(path);
    let siblings: Vec<&str> =
        paths.iter().map(|path| split(path)).filter(|(t, _)| *t == table).map(|(_, last)| last).collect();
    let near = || nearest(last, siblings.iter().copied()).map(|name| format!("{table}.{name}"));
    let moved = || paths.iter().find(|candidate| split(candidate).1 == last).cloned();
    let elsewhere = || nearest(path, paths.iter().map(String::as_str)).map(str::to_owned);
    match (near().or_else(moved), siblings.is_empty()) {
        (Some(close), _) => problem.help(format!("did you mean \"{close}\"?")),
        (None, false) => problem.help(format!("`{table}` has: {}", siblings.join(", "))),
        (None, true) => match elsewhere() {
            Some(close) => problem.help(format!("did you mean \"{close}\"?")),
            None => problem,
        },
    }
}

/// The path of the table, and the name of the key in it.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

fn descend(kind: &Kind, node: Option<&Node>, steps: &[&str]) -> Option<Kind> {
    let Some((first, rest)) = steps.split_first() else { return Some(kind.clone()) };
    let within = |keys: &[&dyn AnyKey]| {
        let key = keys.iter().find(|key| key.name() == *first)?;
        descend(&key.kind(), entry(node, first), rest)
    };
    match kind {
        Kind::Table(spec) => within(spec.keys),
        Kind::Union(spec) if *first == spec.tag && rest.is_empty() => {
            Some(Kind::Choice(spec.variants.iter().map(|variant| (variant.name, variant.doc)).collect()))
        }
        Kind::Union(spec) => within(&keys_of(spec, node)?),
        Kind::List(inner) => descend(inner, Some(item(node, first)?), rest),
        Kind::Either(kinds) => kinds.iter().find_map(|kind| descend(kind, node, steps)),
        _ => None,
    }
}

/// Adds the paths of all keys that hold one value.
fn collect(kind: &Kind, node: Option<&Node>, path: &str, paths: &mut Vec<String>) {
    if APART.contains(&path) {
        return;
    }
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match kind {
        Kind::Table(spec) => {
            for key in spec.keys {
                collect(&key.kind(), entry(node, key.name()), &under(key.name()), paths);
            }
        }
        Kind::Union(spec) => {
            for key in keys_of(spec, node).unwrap_or_default() {
                collect(&key.kind(), entry(node, key.name()), &under(key.name()), paths);
            }
        }
        Kind::List(inner) => {
            let Some(Data::Array(items)) = node.map(|node| &node.data) else { return };
            for (index, item) in items.iter().enumerate() {
                collect(inner, Some(item), &under(&index.to_string()), paths);
            }
        }
        Kind::Either(kinds) => {
            if kinds.iter().any(|kind| !matches!(kind, Kind::Table(_) | Kind::Union(_) | Kind::List(_))) {
                paths.push(path.to_owned());
            }
            kinds.iter().for_each(|kind| {
                if matches!(kind, Kind::Table(_) | Kind::Union(_) | Kind::List(_)) {
                    collect(kind, node, path, paths);
                }
            });
        }
        _ => paths.push(path.to_owned()),
    }
}

/// Keys of the variant that `node` names, or of the default one.
fn keys_of(spec: &'static UnionSpec, node: Option<&Node>) -> Option<Vec<&'static dyn AnyKey>> {
    let named = match entry(node, spec.tag) {
        Some(Node { data: Data::Text(name), .. }) => Some(name.as_str()),
        _ => spec.default,
    };
    let variant = spec.variants.iter().find(|variant| Some(variant.name) == named)?;
    Some(spec.common.iter().chain(variant.keys).copied().collect())
}

fn entry<'a>(node: Option<&'a Node>, name: &str) -> Option<&'a Node> {
    match node.map(|node| &node.data) {
        Some(Data::Table(table)) => table.get(name),
        _ => None,
    }
}

fn item<'a>(node: Option<&'a Node>, index: &str) -> Option<&'a Node> {
    match node.map(|node| &node.data) {
        Some(Data::Array(items)) => items.get(index.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Where `path` is written; else where the nearest table around it is.
pub(super) fn place_of(tree: &Tree, path: &str) -> Place {
    let mut path = path;
    loop {
        if let Some(node) = tree.get(path) {
            return node.place.clone();
        }
        match path.rsplit_once('.') {
            Some((outer, _)) => path = outer,
            None => return tree.root().place.clone(),
        }
    }
}

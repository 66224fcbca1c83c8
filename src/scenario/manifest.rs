//! `[autoscaler] from`: the keys of a manifest, beneath those the scenario writes itself.

use std::sync::Arc;

use super::decode_tables::{self, DECODE};
use crate::autoscaler::MetricsDefaults;
use crate::autoscaler::manifest::{Change, Selection, Translation, translate_selected, write_selected};
use crate::autoscaler::new_manifest::{NewManifest, new_manifest};
use crate::document::{Source, Span as TextSpan};
use crate::files::FileKind;
use crate::schema::{Context, Data, Node, Place, Problem, Table, Tree};
use crate::time::Span;

/// Larger than any manifest written by hand.
const MOST_BYTES: u64 = 4 << 20;

/// Puts what the manifests say beneath what the scenario writes, of its pool and of one that decodes; nothing where it names none.
/// What another manifest has put there is taken out first.
///
/// # Errors
/// A manifest cannot be read or understood, or is of another kind than the scenario writes.
pub(super) fn expand(tree: &mut Tree, context: &Context) -> Result<(), Problem> {
    expand_pool(tree, context)?;
    if let Some(mut tables) = decode_tables::tables(tree) {
        expand_pool(&mut tables, context).map_err(decode_tables::problem)?;
        if let Some(node) = tree.get_mut(DECODE) {
            *node = tables.root().clone();
        }
    }
    Ok(())
}

fn expand_pool(tree: &mut Tree, context: &Context) -> Result<(), Problem> {
    let Some((file, from)) = named(tree)? else { return Ok(()) };
    let manifest = load(tree, &file, &from, context)?;
    let Manifest { source, translation } = &*manifest;
    let place = Place::Manifest(TextSpan::whole(source));
    let Some(Node { data: Data::Table(table), .. }) = tree.get_mut("autoscaler") else { return Ok(()) };
    // What this one has put there stays: a variant or the command line may have changed it since.
    let is_other = |place: &Place| matches!(place, Place::Manifest(other) if other.source != *source);
    take_up(table, &is_other);
    table.remove_at(&is_other);
    let mut beneath = translation.table();
    lay_over(table, &mut beneath);
    match table.get("kind") {
        Some(Node { data: Data::Text(kind), place }) if kind != translation.kind => {
            let message =
                format!("`autoscaler.kind` is \"{kind}\" but \"{file}\" is of kind \"{}\"", translation.kind);
            return Err(Problem::new(place, message, "expected the manifest's kind, or none at all"));
        }
        _ => {}
    }
    table.fill(&beneath);
    let mut kind = Table::EMPTY;
    kind.insert("kind", Node { data: Data::Text(translation.kind.to_owned()), place });
    table.fill(&kind);
    Ok(())
}

/// Where the scenario writes keys of the items of a manifest's list, as in `metrics.0.signal = "queue_length"`: the list,
/// with these keys in it, takes the place of the table that was written.
fn lay_over(written: &mut Table, beneath: &mut Table) {
    let lists: Vec<String> = beneath
        .iter()
        .filter(|(name, _, node)| {
            matches!(node.data, Data::Array(_))
                && matches!(written.get(name), Some(Node { data: Data::Table(_), .. }))
        })
        .map(|(name, _, _)| name.to_owned())
        .collect();
    for name in lists {
        let Some(Node { data: Data::Array(mut items), .. }) = beneath.remove(&name) else { continue };
        let Some(Node { data: Data::Table(over), place }) = written.remove(&name) else { continue };
        let is_item = |at: &str| at.parse::<usize>().is_ok_and(|at| at < items.len());
        if !over.iter().all(|(at, _, node)| is_item(at) && matches!(node.data, Data::Table(_))) {
            // No item of the list: the reader says so at its place.
            written.insert(&name, Node { data: Data::Table(over), place });
            continue;
        }
        for (at, _, node) in over.iter() {
            let item = at.parse::<usize>().ok().and_then(|at| items.get_mut(at));
            if let (Some(Node { data: Data::Table(item), .. }), Data::Table(keys)) = (item, &node.data) {
                keys.iter().for_each(|(key, _, value)| item.insert(key, value.clone()));
            }
        }
        written.insert(&name, Node { data: Data::Array(items), place });
    }
}

/// The way back, before another manifest takes over: of a list with keys of the scenario in it, these keys.
fn take_up(table: &mut Table, is_other: &dyn Fn(&Place) -> bool) {
    let is_laid = |node: &Node| match &node.data {
        Data::Array(items) => !is_other(&node.place) && items.iter().any(|item| is_other(&item.place)),
        _ => false,
    };
    let names: Vec<String> =
        table.iter().filter(|(_, _, node)| is_laid(node)).map(|(name, _, _)| name.to_owned()).collect();
    for name in names {
        let Some(Node { data: Data::Array(items), place }) = table.remove(&name) else { continue };
        let mut over = Table::EMPTY;
        for (at, item) in items.into_iter().enumerate() {
            let Data::Table(mut keys) = item.data else { continue };
            keys.remove_at(is_other);
            if !keys.is_empty() {
                over.insert(&at.to_string(), Node { data: Data::Table(keys), place: place.clone() });
            }
        }
        table.insert(&name, Node { data: Data::Table(over), place });
    }
}

/// Refuses a manifest that leaves something to the scenario which it does not say.
///
/// # Errors
/// The first such thing, at its place in the manifest, with the line to add.
pub(super) fn check_settled(tree: &Tree, context: &Context) -> Result<(), Problem> {
    let Some((file, from)) = named(tree)? else { return Ok(()) };
    let manifest = load(tree, &file, &from, context)?;
    // What the manifest itself has put there is no answer.
    let is_answer = |node: &Node| !matches!(node.place, Place::Manifest(_));
    let is_open = |key: &str| !tree.get(&format!("autoscaler.{key}")).is_some_and(is_answer);
    match manifest.translation.questions().iter().find(|question| is_open(&question.key)) {
        Some(question) => {
            let problem = Problem::new(&question.place, &question.why, &question.label);
            Err(problem.help(format!("add to `[autoscaler]`: {}", question.line)))
        }
        None => Ok(()),
    }
}

/// A problem of a key that neither the scenario nor its manifest sets, shown at the manifest, which has a field for it.
pub(super) fn in_manifest(problem: Problem, tree: &Tree, context: &Context) -> Problem {
    let key = problem.message.strip_prefix("`autoscaler.").and_then(|rest| rest.strip_suffix("` is missing"));
    let manifest = match (key, named(tree)) {
        (Some(_), Ok(Some((file, from)))) => load(tree, &file, &from, context).ok(),
        _ => None,
    };
    let (Some(key), Some(manifest)) = (key, manifest) else { return with_slip(problem, None, tree, context) };
    let Manifest { source, translation } = &*manifest;
    if let Some((field, place)) = translation.empty_field(key) {
        let message = format!("`{field}` has no value");
        let label = format!("expected one, or `{key}` in `[autoscaler]`");
        return Problem { place: place.clone(), message, label, ..problem };
    }
    let (label, line) = match translation.field_of(key) {
        Some(field) => (format!("expected `{field}` in the manifest, or `{key}` in `[autoscaler]`"), None),
        None => {
            let line =
                (key == "max").then_some("add to `[autoscaler]`: max = 10, or what the pool may grow to");
            (format!("expected `{key}` in `[autoscaler]`: the manifest has no field for it"), line)
        }
    };
    let place = translation.place_of(key).unwrap_or_else(|| Place::Manifest(start_of(source)));
    let field = translation.field_of(key);
    let problem = Problem { place, label, ..problem };
    let problem = match field {
        Some(field) => with_slip(problem, Some(&field), tree, context),
        None => problem,
    };
    line.into_iter().fold(problem, |problem, line| problem.help(line))
}

/// The first character of a text that is no white space.
fn start_of(source: &Arc<Source>) -> TextSpan {
    let start = source.text().find(|c: char| !c.is_whitespace() && c != '\u{feff}').unwrap_or(0);
    let length = source.text()[start..].chars().next().map_or(0, char::len_utf8);
    TextSpan::new(source, start..start + length)
}

/// The problem of a manifest that lacks something, shown at the field that may have been meant as that: one whose name is like one
/// that is left out, or that stands in the wrong place; `field` is what is missing, where it is known.
fn with_slip(problem: Problem, field: Option<&str>, tree: &Tree, context: &Context) -> Problem {
    let lacks = problem.message.ends_with(" is missing") || problem.message.ends_with(" has no target");
    if !matches!(problem.place, Place::Manifest(_)) || !problem.help.is_empty() || !lacks {
        return problem;
    }
    let manifest = match named(tree) {
        Ok(Some((file, from))) => load(tree, &file, &from, context).ok(),
        _ => None,
    };
    match manifest.as_ref().and_then(|manifest| manifest.translation.slip(field)) {
        Some(slip) => Problem { place: slip.place.clone(), ..problem.help(slip.text.clone()) },
        None => problem,
    }
}

/// What the scenario says beside the name of the manifest.
fn selection(tree: &Tree) -> Selection {
    let text = |path: &str| match tree.get(path) {
        Some(Node { data: Data::Text(text), .. }) => Some(text.clone()),
        _ => None,
    };
    let quantity = |path: &str| tree.get(path).and_then(Selection::quantity);
    Selection {
        profile: text("autoscaler.name").and_then(|name| Some(name.rsplit_once('/')?.1.to_owned())),
        name: text("autoscaler.name"),
        kind: text("autoscaler.kind").filter(|_| {
            // What a manifest has put there says nothing of what the scenario wants.
            tree.get("autoscaler.kind").is_some_and(|kind| !matches!(kind.place, Place::Manifest(_)))
        }),
        cpu: quantity("autoscaler.requests.cpu"),
        memory: quantity("autoscaler.requests.memory"),
        as_written: false,
    }
}

/// The manifest that the scenario names with `changes`, keys beneath `[autoscaler]`; without one, a whole new one in the
/// system's own form. With what the old text was, if there was one, and the keys that the new one has no field for.
///
/// # Errors
/// It cannot be read, or a change not be expressed, as one sentence.
pub(super) fn written(
    tree: &Tree,
    context: &Context,
    changes: &[Change],
    (name, origin): (&str, &str),
) -> Result<WrittenManifest, String> {
    let said = |problem: Problem| format!("{}: {}", problem.message, problem.label);
    if let Some((file, from)) = named(tree).map_err(said)? {
        let manifest = load(tree, &file, &from, context).map_err(said)?;
        // What the scenario had to answer for has another unit in the manifest, or one that is not known.
        let questions = manifest.translation.questions();
        let asked = |change: &&Change| questions.iter().any(|question| question.key == change.key);
        if let Some(Change { key, .. }) = changes.iter().find(asked) {
            return Err(format!(
                "`autoscaler.{key}` cannot be written into the manifest: what its own value there means is not known, and the scenario \
                 answers for it"
            ));
        }
        let source = write_selected(&manifest.source, &selection(tree), changes)?;
        let old = Some((file, manifest.source.text().to_owned()));
        return Ok(WrittenManifest { text: source.text().to_owned(), old, left_out: Vec::new() });
    }
    let Some(Node { data: Data::Table(table), .. }) = tree.get("autoscaler") else {
        return Err("the scenario has no autoscaler".to_owned());
    };
    let kind = match table.get("kind").map(|node| &node.data) {
        Some(Data::Text(kind)) => kind.as_str(),
        _ => return Err("the autoscaler has no kind".to_owned()),
    };
    let mut changed = tree.clone();
    for change in changes {
        let node = Node { data: change.value.clone(), place: Place::Nowhere };
        changed.set(&format!("autoscaler.{}", change.key), node)?;
    }
    let Some(Node { data: Data::Table(table), .. }) = changed.get("autoscaler") else {
        return Err("the scenario has no autoscaler".to_owned());
    };
    let must: Vec<String> = changes.iter().map(|change| change.key.clone()).collect();
    let NewManifest { source, left_out } = new_manifest((kind, table), (name, origin), &must)?;
    Ok(WrittenManifest { text: source.text().to_owned(), old: None, left_out })
}

/// A manifest that holds settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenManifest {
    /// The text.
    pub text: String,
    /// The name and the text of the one it was made of.
    pub old: Option<(String, String)>,
    /// Keys beneath `[autoscaler]` that it has no field for, each with why: they stay in the scenario.
    pub left_out: Vec<(String, String)>,
}

/// What the manifests set that is not modelled.
///
/// # Errors
/// As [`expand`].
pub(super) fn warnings(tree: &Tree, context: &Context) -> Result<Vec<String>, Problem> {
    let mut all = warnings_of_pool(tree, context)?;
    if let Some(tables) = decode_tables::tables(tree) {
        all.extend(warnings_of_pool(&tables, context)?);
    }
    Ok(all)
}

fn warnings_of_pool(tree: &Tree, context: &Context) -> Result<Vec<String>, Problem> {
    let Some((file, from)) = named(tree)? else { return Ok(Vec::new()) };
    let manifest = load(tree, &file, &from, context)?;
    let loud = manifest.translation.remarks().iter().filter(|remark| !remark.is_quiet);
    Ok(loud.map(|remark| format!("{file}: {}", remark.text)).collect())
}

/// The defaults of `[metrics]` with the window that the queries of the manifest have, if they have one.
///
/// # Errors
/// As [`expand`].
pub(super) fn averaged(
    defaults: MetricsDefaults,
    tree: &Tree,
    context: &Context,
) -> Result<MetricsDefaults, Problem> {
    let Some((file, from)) = named(tree)? else { return Ok(defaults) };
    let window = load(tree, &file, &from, context)?.translation.window_s();
    Ok(window
        .map_or(defaults, |seconds| MetricsDefaults { window: Span::from_secs_f64(seconds), ..defaults }))
}

/// What form of which system the manifest is, and what is chosen of it.
///
/// # Errors
/// As [`expand`].
pub(super) fn form(tree: &Tree, context: &Context) -> Result<Option<String>, Problem> {
    let Some((file, from)) = named(tree)? else { return Ok(None) };
    Ok(load(tree, &file, &from, context)?.translation.form().map(str::to_owned))
}

/// Names of what the manifest sets and nothing uses.
///
/// # Errors
/// As [`expand`].
pub(super) fn unused(tree: &Tree, context: &Context) -> Result<Vec<String>, Problem> {
    let Some((file, from)) = named(tree)? else { return Ok(Vec::new()) };
    let manifest = load(tree, &file, &from, context)?;
    let unused = manifest.translation.remarks().iter().filter(|remark| remark.unused);
    Ok(unused.map(|remark| remark.name().to_owned()).collect())
}

/// The file named, and where.
fn named(tree: &Tree) -> Result<Option<(String, Place)>, Problem> {
    match tree.get("autoscaler.from") {
        None => Ok(None),
        Some(Node { data: Data::Text(file), place }) => Ok(Some((file.clone(), place.clone()))),
        Some(Node { data, place }) => {
            let message = format!("`autoscaler.from` is {}", data.kind());
            Err(Problem::new(place, message, "expected the name of a manifest, such as \"hpa.yaml\""))
        }
    }
}

/// A manifest that has been read.
struct Manifest {
    source: Arc<Source>,
    translation: Translation,
}

fn load(tree: &Tree, file: &str, from: &Place, context: &Context) -> Result<Arc<Manifest>, Problem> {
    let wrong = |message: String, label: String| Problem::new(from, message, label);
    let selection = Selection { as_written: context.is_recorded(), ..selection(tree) };
    context.load_once(&format!("manifest {file} {selection:?}"), || {
        let named = context.file(file);
        let unreadable = |error: std::io::Error| {
            let message = format!("the manifest \"{file}\" cannot be read");
            wrong(message, format!("{error}: {}", named.path.display()))
        };
        if named.kind() == Some(FileKind::Folder) {
            let message = format!("the manifest \"{file}\" is a folder");
            return Err(wrong(message, "expected a YAML or JSON file".into()));
        }
        let bytes = named.read(MOST_BYTES).map_err(unreadable)?;
        let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else {
            let message = format!("the manifest \"{file}\" is no manifest");
            return Err(wrong(message, "expected a few kB of YAML or JSON in UTF-8".into()));
        };
        let source = Source::new(named.path.display().to_string(), text);
        let translation = translate_selected(&source, &selection)?;
        Ok(Manifest { source, translation })
    })
}

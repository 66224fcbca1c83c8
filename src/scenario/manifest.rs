//! `[autoscaler] from`: the keys of a manifest, beneath those the scenario writes itself.

use std::sync::Arc;

use crate::autoscaler::manifest::{Translation, translate};
use crate::document::{Source, Span};
use crate::files::FileKind;
use crate::schema::{Context, Data, Node, Place, Problem, Table, Tree};

/// Larger than any manifest written by hand.
const MOST_BYTES: u64 = 4 << 20;

/// Puts what the manifest says beneath what the scenario writes; nothing where it names none. What another manifest
/// has put there is taken out first.
///
/// # Errors
/// The manifest cannot be read or understood, or is of another kind than the scenario writes.
pub(super) fn expand(tree: &mut Tree, context: &Context) -> Result<(), Problem> {
    let Some((file, from)) = named(tree)? else { return Ok(()) };
    let manifest = load(&file, &from, context)?;
    let Manifest { source, translation } = &*manifest;
    let place = Place::Manifest(Span::whole(source));
    let Some(Node { data: Data::Table(table), .. }) = tree.get_mut("autoscaler") else { return Ok(()) };
    // What this one has put there stays: a variant or the command line may have changed it since.
    table.remove_at(&|place| matches!(place, Place::Manifest(other) if other.source != *source));
    match table.get("kind") {
        Some(Node { data: Data::Text(kind), place }) if kind != translation.kind => {
            let message =
                format!("`autoscaler.kind` is \"{kind}\" but \"{file}\" is of kind \"{}\"", translation.kind);
            return Err(Problem::new(place, message, "expected the manifest's kind, or none at all"));
        }
        _ => {}
    }
    table.fill(&translation.table());
    let mut kind = Table::EMPTY;
    kind.insert("kind", Node { data: Data::Text(translation.kind.to_owned()), place });
    table.fill(&kind);
    Ok(())
}

/// What the manifest sets that is not modelled.
///
/// # Errors
/// As [`expand`].
pub(super) fn warnings(tree: &Tree, context: &Context) -> Result<Vec<String>, Problem> {
    let Some((file, from)) = named(tree)? else { return Ok(Vec::new()) };
    let manifest = load(&file, &from, context)?;
    Ok(manifest.translation.remarks().iter().map(|remark| format!("{file}: {}", remark.text)).collect())
}

/// What form of which system the manifest is, and what is chosen of it.
///
/// # Errors
/// As [`expand`].
pub(super) fn form(tree: &Tree, context: &Context) -> Result<Option<String>, Problem> {
    let Some((file, from)) = named(tree)? else { return Ok(None) };
    Ok(load(&file, &from, context)?.translation.form().map(str::to_owned))
}

/// Names of what the manifest sets and nothing uses.
///
/// # Errors
/// As [`expand`].
pub(super) fn unused(tree: &Tree, context: &Context) -> Result<Vec<String>, Problem> {
    let Some((file, from)) = named(tree)? else { return Ok(Vec::new()) };
    let manifest = load(&file, &from, context)?;
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

fn load(file: &str, from: &Place, context: &Context) -> Result<Arc<Manifest>, Problem> {
    let wrong = |message: String, label: String| Problem::new(from, message, label);
    context.load_once(&format!("manifest {file}"), || {
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
        let translation = translate(&source)?;
        Ok(Manifest { source, translation })
    })
}

//! What a live page asks for, without the page: from the text of a scenario to results that grow sharper, and the values in it
//! that a slider can move. The server of `serve` answers its page with this, and the playground runs it in the
//! browser itself. No clock, no file but through [`Files`], and no thread that it is not given.
//!
//! - [`Engine`]: what simulates, and the runs that it remembers
//! - [`OpenFile`]: a scenario that is open
//! - [`Field`]: a value of it that a slider can move
//! - `stages`: from a text to results, first a quick estimate, then sharper ones
mod fields;
mod stages;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

pub use fields::{Field, fields, moved};
pub use stages::{Fault, check, manifest, report, run};

use crate::experiment::{DrawnRequests, MemoryBudget, MemoryStore};
use crate::files::Files;
use crate::report::file_name;
use crate::report::render::html;
use crate::scenario::{ScenarioError, ScenarioFile};
use crate::schema::Context;

/// Finished runs that are remembered; then all are forgotten. A run takes some ten kilobytes.
const MOST_RECORDS: usize = 4000;

/// What simulates for live pages.
#[derive(Debug)]
pub struct Engine {
    pool: Option<rayon::ThreadPool>,
    budget: MemoryBudget,
    store: Mutex<Arc<MemoryStore>>,
    drawn: DrawnRequests,
}

impl Engine {
    /// On the threads of `pool`; without one on those there are, in a browser the one that calls.
    pub fn new(pool: Option<rayon::ThreadPool>, budget: MemoryBudget) -> Engine {
        Engine { pool, budget, store: Mutex::default(), drawn: DrawnRequests::default() }
    }

    /// For the one thread of a page in a browser, with as much memory as such a page has.
    pub fn of_a_page() -> Engine {
        Engine::new(None, MemoryBudget::of(1 << 30, 1))
    }

    /// The finished runs. Nothing panics while it holds the lock; if anything did, what it guards is whole all the same.
    fn store(&self) -> Arc<MemoryStore> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if store.len() > MOST_RECORDS {
            *store = Arc::default();
        }
        store.clone()
    }

    fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}

/// A scenario file that is open.
#[derive(Debug)]
pub struct OpenFile {
    /// Where it is; files that it names are looked for beside it.
    pub path: PathBuf,
    /// Its text when it was opened.
    pub text: String,
    files: Arc<dyn Files>,
}

impl OpenFile {
    /// The file at `path` of `files`, whose text is known.
    pub fn new(files: Arc<dyn Files>, path: PathBuf, text: String) -> OpenFile {
        OpenFile { path, text, files }
    }

    /// Parses `text` in the place of the file.
    ///
    /// # Errors
    /// It is not TOML.
    fn parse(&self, text: &str) -> Result<ScenarioFile, ScenarioError> {
        let base = self.path.parent().unwrap_or(Path::new(""));
        let context = Context::of(self.files.clone(), base);
        ScenarioFile::parse_in(&self.path.display().to_string(), text, context)
    }
}

/// A scenario as a page is given it.
#[derive(Debug, Serialize)]
struct Opened<'a> {
    name: String,
    file: String,
    text: &'a str,
    fields: Vec<Field>,
}

/// What a page is told of the scenarios that are open: their titles, and all of them as JSON.
fn opened(files: &[OpenFile]) -> (String, String) {
    let opened: Vec<Opened<'_>> = files
        .iter()
        .map(|file| {
            let stem =
                file.path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
            Opened {
                file: format!("{}.toml", file_name(&stem)),
                name: stem,
                text: &file.text,
                fields: fields(&file.text),
            }
        })
        .collect();
    let names: Vec<&str> = opened.iter().map(|each| each.name.as_str()).collect();
    let title = format!("{} – Kneepoint", names.join(", "));
    // Plain data is always written.
    (title, serde_json::to_string(&opened).unwrap_or_default())
}

/// The live page, which asks the server that it came from.
pub fn page(files: &[OpenFile]) -> String {
    let (title, scenarios) = opened(files);
    html::live(&title, &scenarios)
}

/// The playground: the same page, which runs the engine itself, as WebAssembly of the address `module`. It opens with the first
/// of the scenarios and offers the others.
pub fn playground(files: &[OpenFile], module: &str) -> String {
    html::playground(&opened(files).1, module)
}

/// What [`moved`] made of a text, as a page is told of it.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename = "text")]
struct Moved<'a> {
    text: &'a str,
    fields: Vec<Field>,
}

/// Changes values in `text` as sliders ask for it, and hands what has become of it to `send` as the first line of an answer.
/// `None` if a value could not be changed: a line has said so.
pub fn begun(
    text: &str,
    moves: &[(String, f64)],
    send: &mut dyn FnMut(&str) -> std::io::Result<()>,
) -> std::io::Result<Option<String>> {
    let mut text = text.to_owned();
    let mut refused = None;
    for (path, value) in moves {
        match moved(&text, path, *value) {
            Ok(changed) => text = changed,
            Err(why) => refused = Some(format!("`{path}` was not moved: {why}")),
        }
    }
    let line = Moved { text: &text, fields: fields(&text) };
    send(&serde_json::to_string(&line).unwrap_or_default())?;
    if let Some(message) = refused {
        let fault = serde_json::json!({ "kind": "error", "message": message, "at": null });
        send(&fault.to_string())?;
        return Ok(None);
    }
    Ok(Some(text))
}

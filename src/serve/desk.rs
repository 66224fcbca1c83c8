//! The scenarios that are open, what simulates them, and the work that goes on for each page.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Options;
use crate::cancel::CancelToken;
use crate::experiment::{MemoryBudget, MemoryStore};
use crate::scenario::{ScenarioError, ScenarioFile};

/// Finished runs that are remembered; then all are forgotten. A run takes some ten kilobytes.
const MOST_RECORDS: usize = 4000;

/// Pages whose work is told apart.
const MOST_PAGES: usize = 256;

/// A scenario file that was opened.
#[derive(Debug)]
pub struct OpenFile {
    /// Where it is; files that it names are looked for beside it.
    pub path: PathBuf,
    /// Its text when the server was started.
    pub text: String,
}

impl OpenFile {
    /// Parses `text` in the place of the file.
    ///
    /// # Errors
    /// It is not TOML.
    pub fn parse(&self, text: &str) -> Result<ScenarioFile, ScenarioError> {
        let base = self.path.parent().unwrap_or(Path::new(""));
        ScenarioFile::parse(&self.path.display().to_string(), text, base)
    }
}

/// What the server has at hand.
#[derive(Debug)]
pub struct Desk {
    /// The scenarios.
    pub files: Vec<OpenFile>,
    /// Where all simulation runs.
    pub pool: rayon::ThreadPool,
    /// What its runs may take.
    pub budget: MemoryBudget,
    cancel: CancelToken,
    at_work: Mutex<HashMap<String, CancelToken>>,
    store: Mutex<Arc<MemoryStore>>,
}

impl Desk {
    /// With the files of `options`.
    pub fn open(options: Options) -> Desk {
        let file = |(path, text)| OpenFile { path, text };
        Desk {
            files: options.files.into_iter().map(file).collect(),
            pool: options.pool,
            budget: options.budget,
            cancel: options.cancel,
            at_work: Mutex::default(),
            store: Mutex::default(),
        }
    }

    /// A token for new work of `page`, whose old work is cancelled.
    pub fn begin(&self, page: &str) -> CancelToken {
        let token = self.cancel.child();
        let mut at_work = lock(&self.at_work);
        if at_work.len() >= MOST_PAGES {
            at_work.clear();
        }
        if let Some(old) = at_work.insert(page.to_owned(), token.clone()) {
            old.cancel();
        }
        token
    }

    /// The finished runs.
    pub fn store(&self) -> Arc<MemoryStore> {
        let mut store = lock(&self.store);
        if store.len() > MOST_RECORDS {
            *store = Arc::default();
        }
        store.clone()
    }
}

/// Nothing panics while it holds such a lock; if anything did, what it guards is whole all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A desk with one scenario.
    pub fn desk(text: &str) -> Desk {
        Desk::open(Options {
            files: vec![("folder/small.toml".into(), text.to_owned())],
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            port: 0,
            pool: rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap(),
            budget: MemoryBudget::of(1 << 30, 1),
            cancel: CancelToken::default(),
        })
    }

    #[test]
    fn new_work_of_a_page_cancels_its_old_work_and_no_other() {
        let desk = desk("");
        let (one, other) = (desk.begin("a"), desk.begin("b"));
        let newer = desk.begin("a");
        assert!(one.is_cancelled() && !other.is_cancelled() && !newer.is_cancelled());
        desk.cancel.cancel();
        assert!(other.is_cancelled() && newer.is_cancelled());
    }
}

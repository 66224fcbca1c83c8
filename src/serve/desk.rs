//! The scenarios that are open, what simulates them, and the work that goes on for each page.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Options;
use crate::cancel::CancelToken;
use crate::files::Disk;
use crate::live::{Engine, OpenFile};

/// Pages whose work is told apart.
const MOST_PAGES: usize = 256;

/// What the server has at hand.
#[derive(Debug)]
pub struct Desk {
    /// The scenarios.
    pub files: Vec<OpenFile>,
    /// What simulates.
    pub engine: Engine,
    cancel: CancelToken,
    at_work: Mutex<HashMap<String, CancelToken>>,
}

impl Desk {
    /// With the files of `options`.
    pub fn open(options: Options) -> Desk {
        let file = |(path, text)| OpenFile::new(Arc::new(Disk), path, text);
        Desk {
            files: options.files.into_iter().map(file).collect(),
            engine: Engine::new(Some(options.pool), options.budget),
            cancel: options.cancel,
            at_work: Mutex::default(),
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
            budget: crate::experiment::MemoryBudget::of(1 << 30, 1),
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

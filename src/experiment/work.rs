//! A batch on its way: what its tasks look up, keep and report to.

use super::{Case, DrawnRequests, Observer, Progress, Record, RecordKey, Retain, Store};
use crate::cancel::CancelToken;

/// One batch on its way.
pub(super) struct Work<'a> {
    pub store: Option<&'a dyn Store>,
    pub drawn: &'a DrawnRequests,
    /// Whether requests are kept there for those to come, too.
    pub keeps_drawn: bool,
    pub progress: &'a Progress,
    /// Requests that may wait in one run.
    pub max_waiting: u64,
    pub batch: &'a [Case<'a>],
    pub observer: &'a dyn Observer,
    /// Cancelled with the evaluator, and when a run comes to nothing: what the others would come to is of no use then.
    pub stop: CancelToken,
}

impl Work<'_> {
    /// What is retained of a run.
    pub fn retain(&self, case: usize, replication: u32) -> Retain {
        self.observer.retain(case, replication)
    }

    /// The records of a case that the store has, in order, and the numbers of those that have to be simulated.
    pub fn look_up(&self, case: usize) -> (Vec<Record>, Vec<u32>) {
        let replications = self.batch[case].replications.clone();
        let Some(store) = self.store else { return (Vec::new(), replications.collect()) };
        if replications.is_empty() || self.stop.is_cancelled() {
            return (Vec::new(), replications.collect());
        }
        let first = self.batch[case].key(replications.start);
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for replication in replications {
            let key = RecordKey { replication, ..first };
            let record = match self.retain(case, replication) {
                Retain::Nothing => store.get(&key),
                _ => None,
            };
            match record {
                Some(record) => found.push(record),
                None => missing.push(replication),
            }
        }
        self.progress.add_stored(found.len() as u64);
        (found, missing)
    }

    /// Keeps the record of a run that has finished.
    pub fn keep(&self, case: usize, record: &Record) {
        if let Some(store) = self.store {
            store.put(&self.batch[case].key(record.number), record);
        }
    }
}

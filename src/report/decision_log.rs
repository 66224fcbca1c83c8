//! The decision log, written while the run goes on: a long run makes more decisions than memory should hold.

use std::sync::{Mutex, PoisonError};

use super::data::{self, Fields, decision_fields};
use super::render::{DataFormat, RowWriter};
use super::tables::MAX_STEPS;
use super::{Folder, OutputError, Staged};
use crate::sim::DecisionRecord;

/// Decisions remembered for the terminal: one more than it shows, to tell whether they are all.
const REMEMBERED: usize = MAX_STEPS + 1;

/// The logs of all alternatives of a command.
#[derive(Debug)]
pub struct DecisionLogs(Vec<Mutex<Log>>);

#[derive(Debug)]
struct Log {
    fields: Fields<DecisionRecord>,
    /// A file for each form that takes rows as they come.
    files: Vec<(Staged, Box<dyn RowWriter>)>,
    first: Vec<DecisionRecord>,
    error: Option<OutputError>,
}

impl DecisionLogs {
    /// Begins a log in each of `places`, in each of `formats`: folders within `folder`, empty or with a slash at their end, each with
    /// whether its runs have two pools.
    ///
    /// # Errors
    /// One of them cannot be made.
    pub fn begin(
        folder: &Folder,
        places: impl Iterator<Item = (String, bool)>,
        formats: &[&DataFormat],
    ) -> Result<DecisionLogs, OutputError> {
        let begin = |(place, two_pools): (String, bool)| -> Result<_, OutputError> {
            let fields = decision_fields(two_pools);
            let columns = data::columns(fields);
            let mut files = Vec::new();
            for (extension, begin) in formats.iter().filter_map(|form| Some((form.extension, form.begin?))) {
                let mut file = folder.begin(&format!("{place}decisions.{extension}"))?;
                let rows = begin(&columns, &mut file.file).map_err(|why| file.failed(why))?;
                files.push((file, rows));
            }
            Ok(Mutex::new(Log { fields, files, first: Vec::new(), error: None }))
        };
        places.map(begin).collect::<Result<_, _>>().map(DecisionLogs)
    }

    /// Writes what log number `log` has to say. An error is told when the log is finished.
    pub fn write(&self, log: usize, decisions: &[DecisionRecord]) {
        let Some(log) = self.0.get(log).filter(|_| !decisions.is_empty()) else { return };
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        let Log { fields, files, first, error } = &mut *log;
        first.extend(decisions.iter().take(REMEMBERED - first.len().min(REMEMBERED)).cloned());
        for (file, writer) in files {
            if error.is_none() {
                let mut rows = decisions.iter().map(|record| data::row(fields, record));
                *error = writer.rows(&mut rows, &mut file.file).err().map(|why| file.failed(why));
            }
        }
    }

    /// Gives the logs in `finished` to the folder and throws the others away. Returns the first [`REMEMBERED`] decisions
    /// of each.
    ///
    /// # Errors
    /// One of them could not be written.
    pub fn finish(
        self,
        folder: &mut Folder,
        finished: impl Fn(usize) -> bool,
    ) -> Result<Vec<Vec<DecisionRecord>>, OutputError> {
        let mut remembered = Vec::new();
        for (number, log) in self.0.into_iter().enumerate() {
            let log = log.into_inner().unwrap_or_else(PoisonError::into_inner);
            if finished(number) {
                log.error.map_or(Ok(()), Err)?;
                for (mut file, writer) in log.files {
                    writer.finish(&mut file.file).map_err(|why| file.failed(why))?;
                    folder.add(file)?;
                }
            }
            remembered.push(log.first);
        }
        Ok(remembered)
    }
}

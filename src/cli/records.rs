//! Finished runs of a command, kept beside its outputs until it is done: what `--resume` goes on from.

use super::Failure;
use crate::experiment::{CaseId, Condition, FileStore, StoreScope};
use crate::report::Folder;
use crate::scenario::Scenario;

/// Name of the file in the output folder; hidden, since it is none of the outputs.
const FILE: &str = ".records";

/// Whether to go on where an earlier command was stopped.
#[derive(Debug, clap::Args)]
pub(super) struct Resume {
    /// Go on from the finished runs of the same command if it was stopped or killed. Refused if the scenario has changed.
    #[arg(long)]
    resume: bool,
}

/// The finished runs of a command that is at work.
pub(super) struct Records(FileStore);

impl Records {
    /// Opens those in `folder` for a command over these scenarios: what an earlier one has left if it is to be resumed, else
    /// none. As long as they are open, no other command can work in this folder.
    pub fn open(
        folder: &Folder,
        resume: &Resume,
        (command, scenarios): (&str, &[&Scenario]),
    ) -> Result<Records, Failure> {
        let case = |scenario: &&Scenario| (CaseId::of(scenario, Condition::AsWritten), scenario.run.seed);
        let scope = StoreScope { command: command.to_owned(), cases: scenarios.iter().map(case).collect() };
        let path = folder.path().join(FILE);
        let opened = match resume.resume {
            true => FileStore::resume(&path, &scope),
            false => FileStore::create(&path, &scope),
        };
        let store = opened.map_err(Failure::could_not)?;
        folder.remove_temporary();
        Ok(Records(store))
    }

    /// Where they are kept.
    pub fn store(&self) -> &FileStore {
        &self.0
    }

    /// What there is to warn of: a line, or nothing.
    pub fn warning(&self) -> String {
        let failure = self.0.failure();
        failure.map_or_else(String::new, |why| format!("warning: {why}; --resume would run the rest anew\n"))
    }

    /// Removes them once everything is written; those of a command that was stopped stay.
    pub fn close(self, complete: bool) -> Result<(), Failure> {
        if complete { self.0.remove().map_err(Failure::could_not) } else { Ok(()) }
    }
}

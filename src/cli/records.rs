//! Finished runs of a command, kept beside its outputs until it is done: what `--resume` goes on from.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::experiment::{
    BoardStore, CaseId, Condition, FileStore, FolderBoard, Shard, Store, StoreError, StoreScope,
};
use crate::report::Folder;
use crate::scenario::Scenario;

/// Name of the file in the output folder; hidden, since it is none of the outputs.
const FILE: &str = ".records";

/// What a command over these scenarios keeps records of.
fn scope(command: &str, scenarios: &[&Scenario]) -> StoreScope {
    let case = |scenario: &&Scenario| (CaseId::of(scenario, Condition::AsWritten), scenario.run.seed);
    StoreScope { command: command.to_owned(), cases: scenarios.iter().map(case).collect() }
}

/// The command that writes the file of a shard.
fn command_of(shard: Shard) -> String {
    format!("{SHARD_OF}{shard}")
}

const SHARD_OF: &str = "sweep --shard ";

/// Which shard of a sweep the file at `path` is.
pub(super) fn shard_in(path: &Path) -> Result<Shard, Failure> {
    let command = FileStore::command_of(path).map_err(|error| match error {
        StoreError::Io { why, .. } => {
            Failure::bad_input(format!("error: cannot read `{}`: {why}", path.display()))
        }
        other => not_mergeable(other),
    })?;
    let shard = command
        .as_deref()
        .and_then(|command| command.strip_prefix(SHARD_OF))
        .and_then(|text| text.parse().ok());
    shard.ok_or_else(|| {
        Failure::bad_input(format!(
            "error: `{}` is no shard of a sweep by this version of kneepoint\n  expected a file that `kneepoint sweep FILE --shard I/N` has written",
            path.display()
        ))
    })
}

/// Why the file of a shard cannot be merged.
fn not_mergeable(error: StoreError) -> Failure {
    match error {
        StoreError::OtherCases { path, stored, asked, common } => Failure::bad_input(format!(
            "error: `{}` is a shard of another scenario: {common} of its {stored} settings are among the {asked} of this one\n  \
             help: merge with the scenario, the files it names, the seed and the --set of the shards",
            path.display()
        )),
        StoreError::OtherKind(path) | StoreError::OtherCommand { path, .. } => Failure::bad_input(format!(
            "error: `{}` is no shard of this sweep by this version of kneepoint",
            path.display()
        )),
        other => Failure::could_not(other),
    }
}

/// Whether to go on where an earlier command was stopped.
#[derive(Debug, clap::Args)]
pub(super) struct Resume {
    /// Go on from the finished runs of the same command if it was stopped or killed. Refused if the scenario has changed.
    #[arg(long)]
    resume: bool,
}

/// The finished runs of a command that several processes do together, each with a file of its own that the others read.
pub(super) struct SharedRecords(BoardStore<FolderBoard>);

/// Folder of these files, within that of the outputs.
const SHARED: &str = "shards";

impl SharedRecords {
    /// Opens the file of `shard` in `folder` for a command over these scenarios: what it has left if it is to be resumed.
    pub fn open(
        folder: &Path,
        resume: &Resume,
        (command, scenarios): (&str, &[&Scenario]),
        shard: Shard,
    ) -> Result<SharedRecords, Failure> {
        let folder = folder.join(SHARED);
        make(&folder)?;
        let board = FolderBoard::open(&folder, resume.resume, &scope(command, scenarios), shard);
        Ok(SharedRecords(BoardStore::new(board.map_err(Failure::could_not)?, shard)))
    }

    /// Where they are kept.
    pub fn store(&self) -> &dyn Store {
        &self.0
    }

    /// What there is to warn of: a line, or nothing.
    pub fn warning(&self) -> String {
        let failure = self.0.board().failure();
        failure.map_or_else(String::new, |why| format!("warning: {why}; --resume would run the rest anew\n"))
    }
}

fn make(folder: &Path) -> Result<(), Failure> {
    let cannot = |why| Failure::could_not(format!("cannot make the folder `{}`: {why}", folder.display()));
    std::fs::create_dir_all(folder).map_err(cannot)
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
        let scope = scope(command, scenarios);
        let path = folder.path().join(FILE);
        let opened = match resume.resume {
            true => FileStore::resume(&path, &scope),
            false => FileStore::create(&path, &scope),
        };
        let store = opened.map_err(Failure::could_not)?;
        folder.remove_temporary();
        Ok(Records(store))
    }

    /// Those of the sweep of these scenarios that were simulated elsewhere, in the files of its shards.
    pub fn merge(
        folder: &Folder,
        shards: &[(Shard, PathBuf)],
        scenarios: &[&Scenario],
    ) -> Result<Records, Failure> {
        let scope = scope("sweep", scenarios);
        let store = FileStore::create(&folder.path().join(FILE), &scope).map_err(Failure::could_not)?;
        folder.remove_temporary();
        for (shard, path) in shards {
            store.take_in(path, &command_of(*shard), &scope).map_err(not_mergeable)?;
        }
        Ok(Records(store))
    }

    /// Those of one shard of the sweep of these scenarios, in a file of its own: more shards may be at work in the folder.
    pub fn of_shard(
        folder: &Path,
        resume: &Resume,
        shard: Shard,
        scenarios: &[&Scenario],
    ) -> Result<Records, Failure> {
        make(folder)?;
        let (scope, path) = (scope(&command_of(shard), scenarios), folder.join(shard.file_name()));
        let opened =
            if resume.resume { FileStore::resume(&path, &scope) } else { FileStore::create(&path, &scope) };
        opened.map(Records).map_err(Failure::could_not)
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

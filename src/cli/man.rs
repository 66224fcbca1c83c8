//! `kneepoint man DIR`.

use std::path::PathBuf;

use clap::CommandFactory;

use super::{Answer, Cli, Failure};
use crate::document::shown::{PHRASE, shown};

/// Write the manual pages, one for each command, into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint man ~/.local/share/man/man1 && man kneepoint-sweep")]
pub(super) struct Arguments {
    /// The folder; made if it is not there.
    folder: PathBuf,
}

pub(super) fn execute(arguments: &Arguments) -> Result<Answer, Failure> {
    let folder = &arguments.folder;
    let written =
        std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    let name = folder.display().to_string();
    let name = shown(&name, PHRASE);
    written
        .map_err(|error| Failure::could_not(format!("cannot write the manual pages to `{name}`: {error}")))?;
    Ok(Answer { stdout: format!("Wrote the manual pages to {name}.\n"), ..Answer::default() })
}

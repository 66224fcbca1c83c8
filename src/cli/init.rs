//! `kneepoint init [FILE]`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use super::{Answer, Failure};
use crate::scenario::STARTER;

/// Write a commented scenario to start from. Never overwrites a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint init my-endpoint.toml && kneepoint sweep my-endpoint.toml")]
pub(super) struct Arguments {
    /// The file to write.
    #[arg(default_value = "scenario.toml")]
    file: PathBuf,
}

pub(super) fn execute(arguments: &Arguments) -> Result<Answer, Failure> {
    let shown = arguments.file.display();
    let created = OpenOptions::new().write(true).create_new(true).open(&arguments.file);
    let mut file = created.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::could_not(format!("`{shown}` exists already and is left as it is; name another file"))
        }
        _ => Failure::could_not(format!("cannot write `{shown}`: {error}")),
    })?;
    if let Err(error) = file.write_all(STARTER.as_bytes()) {
        drop(file);
        // Half a scenario is worse than none; if it cannot be removed either, the message below still holds.
        let _ = std::fs::remove_file(&arguments.file);
        return Err(Failure::could_not(format!("cannot write `{shown}`: {error}")));
    }
    let stdout = format!("Wrote {shown}. Next:\n  kneepoint sweep {shown}\n");
    Ok(Answer { stdout, ..Answer::default() })
}

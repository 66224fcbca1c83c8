//! `kneepoint completions SHELL`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Answer, Cli};

/// Print a script that completes kneepoint's commands and options in your shell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  kneepoint completions bash > ~/.local/share/bash-completion/completions/kneepoint"
)]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn execute(arguments: &Arguments) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "kneepoint", &mut script);
    Answer { stdout: String::from_utf8_lossy(&script).into_owned(), ..Answer::default() }
}

//! The `kneepoint` command.

#![warn(clippy::unwrap_used)]

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;
use kneepoint::cli::{Answer, BAD_INPUT, COULD_NOT, Cli, DONE};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too. Where they cannot be printed there is no one to tell.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { BAD_INPUT } else { DONE });
        }
    };
    let mut status = DONE;
    let mut show = |answer: &Answer| status = status.max(print(answer));
    let last = cli.execute(&mut show).unwrap_or_else(Answer::from);
    show(&last);
    ExitCode::from(status)
}

/// Prints the answer and returns the exit status. A reader that has gone away (`| head`) is no error.
fn print(answer: &Answer) -> u8 {
    if !answer.stderr.is_empty() {
        // Where standard error is closed there is no one to tell.
        let _ = writeln!(anstream::stderr(), "{}", answer.stderr.trim_end());
    }
    let mut stdout = anstream::stdout();
    match stdout.write_all(answer.stdout.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = writeln!(anstream::stderr(), "error: cannot write to standard output: {error}");
            COULD_NOT
        }
        _ => answer.status,
    }
}

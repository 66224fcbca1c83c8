//! `kneepoint traffic …`: what recorded traffic holds.

use super::{Answer, Failure, Global, traffic_inspect};

/// Read recorded traffic: what is in it, and what it makes of a scenario.
///
/// Files are recognised by their content: access logs, metrics of monitoring systems, public traces, tables.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Inspect(traffic_inspect::Arguments),
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::Inspect(arguments) => traffic_inspect::execute(arguments, global),
    }
}

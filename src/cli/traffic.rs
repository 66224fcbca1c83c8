//! `kneepoint traffic …`: what recorded traffic holds.

#[cfg(feature = "fetch")]
use super::traffic_fetch;
use super::{Answer, Failure, Global, traffic_convert, traffic_fit, traffic_inspect};

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
    Fit(traffic_fit::Arguments),
    Convert(traffic_convert::Arguments),
    #[cfg(feature = "fetch")]
    Fetch(traffic_fetch::Arguments),
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::Inspect(arguments) => traffic_inspect::execute(arguments, global),
        Command::Fit(arguments) => traffic_fit::execute(arguments, global),
        Command::Convert(arguments) => traffic_convert::execute(arguments, global),
        #[cfg(feature = "fetch")]
        Command::Fetch(arguments) => traffic_fetch::execute(arguments, global),
    }
}

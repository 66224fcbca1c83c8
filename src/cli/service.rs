//! `kneepoint service …`: how an instance serves, from load tests.

use super::{Answer, Failure, Global, service_fit};

/// Make the [service] table of a scenario from load tests.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Fit(service_fit::Arguments),
}

pub(super) fn execute(arguments: &Arguments, global: &Global) -> Result<Answer, Failure> {
    match &arguments.command {
        Command::Fit(arguments) => service_fit::execute(arguments, global),
    }
}

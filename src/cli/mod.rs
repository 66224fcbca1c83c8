//! The command line: one file a command. No simulation logic; nothing here prints, `main` alone does.

mod backtest;
mod check;
mod compare;
mod completions;
mod explain;
mod init;
mod man;
mod memory;
mod merge;
mod outputs;
mod progress;
#[cfg(feature = "fetch")]
mod prometheus;
mod recommend;
mod records;
mod replay;
mod run;
mod schema;
#[cfg(feature = "serve")]
mod serve;
mod service;
mod service_fit;
mod session;
mod shard;
mod sweep;
mod traffic;
mod traffic_convert;
#[cfg(feature = "fetch")]
mod traffic_fetch;
mod traffic_fit;
mod traffic_inspect;
mod traffic_options;
#[cfg(feature = "parquet")]
mod traffic_parquet;
mod verify;
mod written;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::api::{Error as Failure, ErrorKind};

/// Exit status of a command that did what was asked.
pub const DONE: u8 = 0;
/// Exit status of a command that could not: output that cannot be written, work that was stopped.
pub const COULD_NOT: u8 = 1;
/// Exit status for bad usage or a bad scenario.
pub const BAD_INPUT: u8 = 2;

/// Exit status with `--gate` if the SLO is missed.
pub const SLO_MISSED: u8 = 3;
/// Exit status with `--gate` if it is uncertain whether the SLO is kept.
pub const SLO_UNCERTAIN: u8 = 4;

/// What a command comes to.
#[derive(Debug, Default)]
pub struct Answer {
    /// For standard output: the result.
    pub stdout: String,
    /// For standard error: what there is to say besides.
    pub stderr: String,
    /// Exit status.
    pub status: u8,
}

impl From<Failure> for Answer {
    fn from(error: Failure) -> Answer {
        let status = match error.kind() {
            ErrorKind::BadInput => BAD_INPUT,
            ErrorKind::CouldNot | ErrorKind::Cancelled => COULD_NOT,
        };
        Answer { stdout: String::new(), stderr: error.in_colour(), status }
    }
}

/// Shows an answer, or a first part of it, while the command goes on.
pub type Show<'a> = dyn FnMut(&Answer) + 'a;

/// Simulate auto-scaled inference endpoints: latency, cost, and the settings to choose.
///
/// Describe traffic, service, cold start, price and autoscaler in one TOML file; `run` simulates it, `sweep` tries many
/// settings and plots cost against latency, with the knee.
#[derive(Debug, Parser)]
#[command(name = "kneepoint", version, max_term_width = 100)]
#[command(after_help = "Start with:\n  kneepoint init my-endpoint.toml\n  kneepoint sweep my-endpoint.toml")]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command that simulates.
#[derive(Debug, Clone, Args)]
struct Global {
    /// Print the summary as JSON on standard output: the same bytes as summary.json.
    #[arg(long, global = true)]
    json: bool,
    /// Print nothing but errors (and the JSON, with --json).
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Number of threads; all cores if not given. Results do not depend on it.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Seed of all random numbers, instead of the scenario's.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Folder to write to, instead of output/<scenario name>.
    #[arg(long, global = true, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Change one value of the scenario, as in --set autoscaler.up.above=120; may be repeated.
    #[arg(long, global = true, value_name = "PATH=VALUE")]
    set: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Sweep(sweep::Arguments),
    Merge(merge::Arguments),
    Shard(shard::Arguments),
    Compare(compare::Arguments),
    Recommend(recommend::Arguments),
    Explain(explain::Arguments),
    Backtest(backtest::Arguments),
    Check(check::Arguments),
    Schema(schema::Arguments),
    Init(init::Arguments),
    Verify(verify::Arguments),
    Replay(replay::Arguments),
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
    Traffic(traffic::Arguments),
    Service(service::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

impl Cli {
    /// Does what the command line asks for. A command that has an answer before it has written its files hands it to
    /// `show` at once, and returns what is left to be shown.
    ///
    /// # Errors
    /// What is wrong with the scenario, or what could not be done.
    pub fn execute(&self, show: &mut Show<'_>) -> Result<Answer, Failure> {
        let global = &self.global;
        match &self.command {
            Command::Run(arguments) => run::execute(arguments, global, show),
            Command::Sweep(arguments) => sweep::execute(arguments, global, show),
            Command::Shard(arguments) => shard::execute(arguments, global),
            Command::Merge(arguments) => merge::execute(arguments, global, show),
            Command::Compare(arguments) => compare::execute(arguments, global, show),
            Command::Recommend(arguments) => recommend::execute(arguments, global, show),
            Command::Explain(arguments) => explain::execute(arguments, global, show),
            Command::Backtest(arguments) => backtest::execute(arguments, global, show),
            Command::Check(arguments) => check::execute(arguments, global),
            Command::Schema(arguments) => Ok(schema::execute(arguments)),
            Command::Init(arguments) => init::execute(arguments),
            Command::Verify(arguments) => verify::execute(arguments, global),
            Command::Replay(arguments) => replay::execute(arguments, global),
            #[cfg(feature = "serve")]
            Command::Serve(arguments) => serve::execute(arguments, global, show),
            Command::Traffic(arguments) => traffic::execute(arguments, global),
            Command::Service(arguments) => service::execute(arguments, global),
            Command::Man(arguments) => man::execute(arguments),
            Command::Completions(arguments) => Ok(completions::execute(arguments)),
        }
    }
}

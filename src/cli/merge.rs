//! `kneepoint merge FILE SHARD…`.

use std::path::PathBuf;

use super::records::{self, Records};
use super::sweep::{self, Shown};
use super::{Answer, Failure, Global, Show, progress, session};
use crate::experiment::{Evaluator, Shard, ShardState, shards};
use crate::report::{Folder, format};

/// Join the shards of a sweep into its outputs: to the byte those of the sweep on one machine.
///
/// Refuses shards of other scenarios, seeds or versions, and names those that are missing or not finished. What depends on all
/// runs together (runs that confirm the answer, the one shown in detail) is simulated here.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  kneepoint sweep scenarios/quickstart.toml --shard 1/2 --out shards\n  kneepoint sweep \
                  scenarios/quickstart.toml --shard 2/2 --out shards\n  kneepoint merge scenarios/quickstart.toml shards/*.records"
)]
pub(super) struct Arguments {
    /// The scenario file that the shards are of.
    file: PathBuf,
    /// The files of the shards, in any order.
    #[arg(required = true)]
    shards: Vec<PathBuf>,
    /// The conditions that the shards were given.
    #[arg(long, value_name = "PATH=VALUE")]
    condition: Vec<String>,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn execute(
    arguments: &Arguments,
    global: &Global,
    show: &mut Show<'_>,
) -> Result<Answer, Failure> {
    let plan = sweep::read(&arguments.file, &arguments.condition, global)?;
    arguments.shown.check(&plan)?;
    let files = arguments.shards.iter().map(|path| Ok((records::shard_in(path)?, path.clone())));
    let files: Vec<(Shard, PathBuf)> = files.collect::<Result<_, Failure>>()?;
    let of = files.first().map_or(1, |(shard, _)| shard.of());
    if let Some((shard, path)) = files.iter().find(|(shard, _)| shard.of() != of) {
        return Err(Failure::bad_input(format!(
            "error: `{}` is shard {shard}, but `{}` is one of {of}: the shards are of two divisions\n  expected the files of one",
            path.display(),
            arguments.shards[0].display(),
        )));
    }
    let warnings = session::warnings(&plan, global);
    let folder = Folder::open(&session::out(&plan, global)).map_err(Failure::could_not)?;
    let scenarios = sweep::scenarios(&plan);
    let merged = Records::merge(&folder, &files, &scenarios)?;
    let points = plan.points.clone();
    let evaluator = Evaluator { store: Some(merged.store()), ..Evaluator::default() };
    let states = progress::in_pool(global, || shards(points, of, &evaluator))?
        .map_err(|error| sweep::of_point(&plan, &error))?;
    let lacking: Vec<&ShardState> = states.iter().filter(|state| state.stored < state.planned).collect();
    if !lacking.is_empty() {
        let given = |shard: Shard| files.iter().any(|(known, _)| *known == shard);
        let lines = lacking.iter().take(NAMED).map(|state| match given(state.shard) {
            true => format!(
                "\n  shard {} is not finished: {} of {} runs",
                state.shard, state.stored, state.planned
            ),
            false => format!("\n  shard {} is missing", state.shard),
        });
        let lines: String = lines.collect();
        let more = match lacking.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("\n  and {}", format::counted(more, "more shard")),
        };
        merged.close(true)?;
        return Err(Failure::could_not(format!(
            "the sweep is not whole: {} of {of} {} lacking{lines}{more}\n  help: `kneepoint sweep FILE --shard I/{of} --resume` finishes one",
            lacking.len(),
            if lacking.len() == 1 { "is" } else { "are" },
        )));
    }
    sweep::carry_out(plan, (folder, merged), &arguments.shown, (global, warnings), show)
}

/// Maximum number of unfinished or missing shards that a message names.
const NAMED: usize = 20;

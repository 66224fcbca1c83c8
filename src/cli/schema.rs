//! `kneepoint schema`.

use super::Answer;
use crate::scenario::json_schema;

/// Print the JSON Schema of the scenario file, for editors that complete and check TOML.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kneepoint schema > kneepoint.schema.json")]
pub(super) struct Arguments {}

pub(super) fn execute() -> Answer {
    // A schema of plain texts and numbers always prints.
    let schema = serde_json::to_string_pretty(&json_schema()).unwrap_or_default();
    Answer { stdout: schema + "\n", ..Answer::default() }
}

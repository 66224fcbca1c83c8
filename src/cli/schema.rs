//! `kneepoint schema`.

use super::Answer;
use crate::report::summary_schema;
use crate::scenario::json_schema;

/// Print the JSON Schema of the scenario file, for editors that complete and check TOML, or of what commands write.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  kneepoint schema > kneepoint.schema.json\n  kneepoint schema --output summary > summary.schema.json"
)]
pub(super) struct Arguments {
    /// The schema of an output instead: of summary.json, which is what --json prints.
    #[arg(long, value_name = "OUTPUT", value_parser = ["summary"])]
    output: Option<String>,
}

pub(super) fn execute(arguments: &Arguments) -> Answer {
    let schema = if arguments.output.is_some() { summary_schema() } else { json_schema() };
    // A schema of plain texts and numbers always prints.
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    Answer { stdout: text + "\n", ..Answer::default() }
}

//! Documents with places: what TOML, YAML and JSON files say, and where each value stands.
//!
//! The ground floor of everything that is read: it knows texts, bytes and values, and nothing of what they mean. Each
//! format has a front end that turns a [`Source`] into [`Node`]s; the lines and columns of messages come from [`Span`].
//! A further format is a further front end.

pub mod diff;
pub mod edit;
pub mod excerpt;
pub mod hcl;
pub mod json;
pub mod shown;
mod source;
pub mod toml;
mod tree;
pub mod yaml;

use std::sync::Arc;

pub use source::{LineColumn, Source, Span};
pub use tree::{Data, Node, Place, Table};

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Where, as far as the reader says.
    pub span: Option<Span>,
    /// What is wrong, as one phrase.
    pub message: String,
}

/// Reads the documents of a file of JSON or YAML, which one it is being told by its content.
///
/// # Errors
/// It is neither, or has a name twice in one object.
pub fn parse_json_or_yaml(source: &Arc<Source>) -> Result<Vec<Node>, Fault> {
    match json::parse_all(source) {
        Ok(documents) => Ok(documents),
        Err(json::Refusal::Duplicate(fault)) => Err(fault),
        Err(json::Refusal::Syntax(fault)) => match source.name().to_lowercase().ends_with(".json") {
            // By its name it is meant to be JSON.
            true => yaml::parse_all(source).map_err(|_| fault),
            false => yaml::parse_all(source),
        },
    }
}

//! The key `cut`: the part of a trace that is used.

use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::Span;

const FROM: Key<Span> = Key::or("from", "\"0s\"", "Where the part starts, from the start of the trace.");
const TO: Key<Option<Span>> =
    Key::optional("to", "Where it ends, itself not included; left out, the end of the trace.");
const SPEC: TableSpec =
    TableSpec { name: "cut", doc: "The part of a trace that is used.", keys: &[&FROM, &TO] };

/// From `from` up to and not including `to`, both counted from the start of the trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    pub(super) from: Span,
    pub(super) to: Option<Span>,
}

impl Value for Cut {
    fn kind() -> Kind {
        Kind::Table(const { &SPEC })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        let (from, to) = (reader.get(&FROM)?, reader.find(&TO)?);
        match to {
            Some(to) if to <= from => {
                let message = format!("`{path}` goes from {from} to {to}");
                Err(reader.problem("to", message, "expected `to` after `from`"))
            }
            _ => Ok(Cut { from, to }),
        }
    }
}

//! How a table of the scenario file is described and read.
//!
//! Each part of the model states its keys once, as constants beside the struct they fill: name, unit, default,
//! bounds, meaning. Reading, checking, error messages, the JSON Schema and `docs/scenario.md` all come from that
//! one statement.
//!
//! ```
//! use kneepoint::internals::schema::{Context, Key, Reader, TableSpec, Tree};
//! use kneepoint::internals::time::Span;
//!
//! const INTERVAL: Key<Span> = Key::or("interval", "\"15s\"", "Time between two evaluations.").above(0.0);
//! const UP: Key<f64> = Key::required("up", "Scale up above this.");
//! const SPEC: TableSpec = TableSpec { name: "autoscaler", doc: "What scales the pool.", keys: &[&INTERVAL, &UP] };
//!
//! let tree = Tree::parse("up = 100").unwrap();
//! let context = Context::default();
//! let reader = Reader::open(tree.root(), "autoscaler", &SPEC, &context).unwrap();
//! assert_eq!(reader.get(&INTERVAL).unwrap(), Span::from_secs(15));
//! assert_eq!(reader.get(&UP).unwrap(), 100.0);
//! ```

mod canonical;
mod context;
mod key;
mod problem;
mod reader;
mod tree;
mod value;

pub use crate::document::{Data, Node, Place, Table};
pub(crate) use canonical::Canonical;
pub use context::Context;
pub use key::{AnyKey, Bounds, Key, TableSpec, UnionSpec};
pub use problem::{Problem, nearest};
pub use reader::Reader;
pub use tree::Tree;
pub(crate) use value::wrong_kind;
pub use value::{Choice, FileName, Kind, Value, read_choice};

//! The table of kinds: one line registers a process.

use std::sync::Arc;

use super::{Process, poisson, renewal};
use crate::schema::{Problem, Reader, TableSpec};

type Read = fn(&Reader) -> Result<Arc<dyn Process>, Problem>;

const KINDS: &[(&TableSpec, Read)] = &[
    (&poisson::SPEC, |reader| Ok(Arc::new(poisson::read(reader)?))),
    (&renewal::SPEC, |reader| Ok(Arc::new(renewal::read(reader)?))),
];

/// The keys of every kind.
pub(super) const SPECS: [&TableSpec; KINDS.len()] = {
    let mut specs = [KINDS[0].0; KINDS.len()];
    let mut index = 0;
    while index < KINDS.len() {
        specs[index] = KINDS[index].0;
        index += 1;
    }
    specs
};

/// Reads a table of the kind `spec`, which is one of [`SPECS`].
pub(super) fn read(spec: &TableSpec, reader: &Reader) -> Result<Arc<dyn Process>, Problem> {
    match KINDS.iter().find(|(known, _)| known.name == spec.name) {
        Some((_, read)) => read(reader),
        None => Err(reader.missing("kind")),
    }
}

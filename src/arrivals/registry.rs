//! The registry of arrival processes: one line registers a process.

use std::sync::Arc;

use super::process::Process;
use super::shape::shaped;
use super::{counts, diurnal, mmpp, piecewise, poisson, renewal, steps, trace};
use crate::schema::{Problem, Reader, TableSpec};

type Read = fn(&Reader) -> Result<Arc<dyn Process>, Problem>;

const KINDS: &[(&TableSpec, Read)] = &[
    (&steps::SPEC, |reader| Ok(Arc::new(steps::read(reader)?))),
    (&poisson::SPEC, |reader| shaped(reader, Arc::new(poisson::read(reader)?))),
    (&renewal::SPEC, |reader| shaped(reader, Arc::new(renewal::read(reader)?))),
    (&piecewise::SPEC, |reader| Ok(Arc::new(piecewise::read(reader)?))),
    (&diurnal::SPEC, |reader| Ok(Arc::new(diurnal::read(reader)?))),
    (&mmpp::SPEC, |reader| shaped(reader, Arc::new(mmpp::read(reader)?))),
    (&trace::SPEC, |reader| Ok(Arc::new(trace::read(reader)?))),
    (&counts::SPEC, |reader| Ok(Arc::new(counts::read(reader)?))),
];

/// The keys of every kind.
pub(super) const SPECS: [&TableSpec; KINDS.len()] = TableSpec::of(KINDS);

/// Reads a table of the kind of `spec`, which is one of [`SPECS`].
pub(super) fn read(spec: &TableSpec, reader: &Reader) -> Result<Arc<dyn Process>, Problem> {
    match KINDS.iter().find(|(known, _)| known.name == spec.name) {
        Some((_, read)) => read(reader),
        None => Err(reader.missing("kind")),
    }
}

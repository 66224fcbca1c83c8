//! The registry of policies: one line registers a policy.

use std::sync::Arc;

use super::general::{
    clairvoyant, fixed, hysteresis, in_flight_target, predictive, scheduled, setup, target, threshold,
};
use super::{Settings, aws, azure, cloud_run, dynamo, hpa, hugging_face, keda, kpa, llmd, ray_serve, vertex};
use crate::schema::{Problem, Reader, TableSpec};

type Read = fn(&Reader) -> Result<Arc<dyn Settings>, Problem>;

const KINDS: &[(&TableSpec, Read)] = &[
    (&fixed::SPEC, |reader| Ok(Arc::new(fixed::read(reader)?))),
    (&threshold::SPEC, |reader| Ok(Arc::new(threshold::read(reader)?))),
    (&target::SPEC, |reader| Ok(Arc::new(target::read(reader)?))),
    (&setup::SPEC, |reader| Ok(Arc::new(setup::read(reader)?))),
    (&hysteresis::SPEC, |reader| Ok(Arc::new(hysteresis::read(reader)?))),
    (&hpa::settings::SPEC, |reader| Ok(Arc::new(hpa::settings::read(reader)?))),
    (&keda::settings::SPEC, |reader| Ok(Arc::new(keda::settings::read(reader)?))),
    (&kpa::SPEC, |reader| Ok(Arc::new(kpa::read(reader)?))),
    (&cloud_run::SPEC, |reader| Ok(Arc::new(cloud_run::read(reader)?))),
    (&vertex::SPEC, |reader| Ok(Arc::new(vertex::read(reader)?))),
    (&ray_serve::SPEC, |reader| Ok(Arc::new(ray_serve::read(reader)?))),
    (&aws::SPEC, |reader| Ok(Arc::new(aws::read(reader)?))),
    (&azure::SPEC, |reader| Ok(Arc::new(azure::read(reader)?))),
    (&hugging_face::SPEC, |reader| Ok(Arc::new(hugging_face::read(reader)?))),
    (&llmd::SPEC, |reader| Ok(Arc::new(llmd::read(reader)?))),
    (&dynamo::SPEC, |reader| Ok(Arc::new(dynamo::read(reader)?))),
    (&in_flight_target::SPEC, |reader| Ok(Arc::new(in_flight_target::read(reader)?))),
    (&scheduled::SPEC, |reader| Ok(Arc::new(scheduled::read(reader)?))),
    (&predictive::SPEC, |reader| Ok(Arc::new(predictive::read(reader)?))),
    (&clairvoyant::SPEC, |reader| Ok(Arc::new(clairvoyant::read(reader)?))),
];

/// The keys of every kind.
pub(super) const SPECS: [&TableSpec; KINDS.len()] = TableSpec::of(KINDS);

/// Reads a table of the kind `spec`, which is one of [`SPECS`].
pub(super) fn read(spec: &TableSpec, reader: &Reader) -> Result<Arc<dyn Settings>, Problem> {
    match KINDS.iter().find(|(known, _)| known.name == spec.name) {
        Some((_, read)) => read(reader),
        None => Err(reader.missing("kind")),
    }
}

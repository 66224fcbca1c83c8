//! The keys of what goes by the clock: a trigger of type "cron", or a schedule that a formula uses by its name.

use super::cron::CronTrigger;
use crate::autoscaler::general::scheduled::{Moment, Zone};
use crate::autoscaler::hpa::behavior::MAX_REPLICAS;
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};

pub(super) const START: Key<Option<Moment>> = Key::optional(
    "start",
    "Of a cron trigger, when its interval begins: minute, hour, day of the month, month, day of the week.",
);
pub(super) const END: Key<Option<Moment>> = Key::optional("end", "When it ends.");
pub(super) const ZONE: Key<Zone> = Key::or("time_zone", "\"UTC\"", "IANA time zone of `start` and `end`.");
pub(super) const DESIRED: Key<Option<u32>> =
    Key::optional("desired", "Replicas within the interval (`desiredReplicas`).")
        .at_least(1.0)
        .at_most(MAX_REPLICAS);
const NAME: Key<String> = Key::required("name", "What the formula calls it.");

const NAMED_SPEC: TableSpec = TableSpec {
    name: "crons",
    doc: "A cron trigger that a formula uses: `desired` within its interval, 0 outside.",
    keys: &[&NAME, &START, &END, &ZONE, &DESIRED],
};

/// Reads the interval of a table that has these keys, and what it asks for.
///
/// # Errors
/// One of them is missing, or it is no interval.
pub(super) fn interval(reader: &Reader<'_>) -> Result<CronTrigger, Problem> {
    let start = reader.find(&START)?.ok_or_else(|| reader.missing(START.name()))?;
    let end = reader.find(&END)?.ok_or_else(|| reader.missing(END.name()))?;
    let desired = reader.find(&DESIRED)?.ok_or_else(|| reader.missing(DESIRED.name()))?;
    if start.text() == end.text() {
        let message = format!("`{}` is the same as `{}`", reader.path_of("end"), reader.path_of("start"));
        return Err(reader.problem(END.name(), message, "expected another time, as KEDA does"));
    }
    Ok(CronTrigger { start, end, zone: reader.get(&ZONE)?, desired })
}

/// A schedule that a formula uses.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NamedCron {
    pub name: String,
    pub cron: CronTrigger,
}

impl Value for NamedCron {
    fn kind() -> Kind {
        Kind::Table(&NAMED_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &NAMED_SPEC, context)?;
        Ok(NamedCron { name: reader.get(&NAME)?, cron: interval(&reader)? })
    }
}

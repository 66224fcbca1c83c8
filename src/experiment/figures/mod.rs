//! The figures a run is reported by: each stated once, with its unit and how it follows from an outcome.

mod catalogue;
mod figure;
mod of_pools;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::types::{ByName, OfType};
use crate::stats::Estimate;
use catalogue::OF_RUNS;
pub(super) use catalogue::samples;
pub use figure::{Figure, Sample, Unit};
pub(super) use figure::{Source, ended, slo_quantile, slo_times};
use of_pools::OF_POOLS;

/// All figures, in the order they are reported.
pub static FIGURES: &[Figure] = &ALL;

static ALL: [Figure; OF_RUNS.len() + OF_POOLS.len()] = {
    let mut all = [OF_RUNS[0]; OF_RUNS.len() + OF_POOLS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < OF_RUNS.len() { OF_RUNS[at] } else { OF_POOLS[at - OF_RUNS.len()] };
        at += 1;
    }
    all
};

/// The figure a frontier is drawn over.
pub const COST: &str = "cost";
/// The latency figure a frontier is drawn against.
pub const SLO_LATENCY: &str = "slo_latency";
/// The time promised at the SLO's percentile in each replication by itself: the one that can be compared replication by
/// replication.
pub const SLO_LATENCY_OF_RUN: &str = "slo_latency_of_run";
/// The share of requests that keeps the promise.
pub const SLO_ATTAINMENT: &str = "slo_attainment";

/// All figures over the replications of a run.
///
/// ```
/// use kneepoint::{Options, Scenario, Unit, run};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[run]\nduration = \"1m\"";
/// let result = run(&Scenario::parse(text)?, &Options::default())?;
/// let figures = result.figures();
/// assert!(figures.get("latency.p95").mean >= figures.get("latency.p50").mean);
/// for (figure, estimate) in figures.iter().filter(|(figure, _)| figure.unit == Unit::Seconds) {
///     println!("{}: {:?} s ({})", figure.name, estimate.mean, figure.doc);
/// }
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// In the order of [`FIGURES`].
    all: Vec<Estimate>,
    types: Vec<OfType>,
}

impl Figures {
    /// Takes an estimate of each figure, in their order, and the figures of each type of instance.
    pub(super) fn new(all: Vec<Estimate>, types: Vec<OfType>) -> Figures {
        Figures { all, types }
    }

    /// The figures of each type of instance; none where all are alike.
    pub fn types(&self) -> &[OfType] {
        &self.types
    }

    /// The figure called `name`; one without a mean if there is none of that name.
    pub fn get(&self, name: &str) -> Estimate {
        self.iter().find(|(figure, _)| figure.name == name).map(|(_, estimate)| estimate).unwrap_or_default()
    }

    /// Every figure with its estimate.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Figure, Estimate)> {
        FIGURES.iter().zip(self.all.iter().copied())
    }
}

/// Tables that are there even where no replication tells anything of them.
const ALWAYS: [&str; 2] = ["latency", "wait"];

/// As tables: `latency.p99` becomes the key `p99` of `latency`; the types of instance, where there are several, under
/// `by_type`. A table of which no replication tells anything, such as that of cold starts where there were none, is left
/// out.
impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let told =
            |(figure, estimate): &(&Figure, Estimate)| !figure.is_of_a_class() || estimate.replications > 0;
        let all: Vec<_> = self.iter().filter(told).collect();
        for group in all.chunk_by(|(one, _), (next, _)| table(one).is_some() && table(one) == table(next)) {
            let (first, estimate) = group[0];
            let is_told = group.iter().any(|(_, estimate)| estimate.replications > 0);
            if table(first).is_some_and(|name| !ALWAYS.contains(&name)) && !is_told {
                continue;
            }
            match table(first) {
                None => map.serialize_entry(first.name, &estimate)?,
                Some(name) => map.serialize_entry(name, &Nested(group))?,
            }
        }
        if !self.types.is_empty() {
            map.serialize_entry("by_type", &ByName(&self.types))?;
        }
        map.end()
    }
}

struct Nested<'a>(&'a [(&'static Figure, Estimate)]);

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = |figure: &Figure| figure.name.split_once('.').map_or(figure.name, |(_, key)| key);
        serializer.collect_map(self.0.iter().map(|(figure, estimate)| (key(figure), estimate)))
    }
}

fn table(figure: &Figure) -> Option<&'static str> {
    figure.name.split_once('.').map(|(table, _)| table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once_and_tables_of_names_stand_together() {
        let names: std::collections::BTreeSet<&str> = FIGURES.iter().map(|figure| figure.name).collect();
        assert_eq!(names.len(), FIGURES.len());
        let json = serde_json::to_value(crate::experiment::Replications::default().figures()).unwrap();
        // Most tables are there only where a replication tells something of them.
        let is_there = |name: &str| name.split_once('.').is_none_or(|(table, _)| ALWAYS.contains(&table));
        assert_eq!(json.pointer("/cold"), None);
        for figure in FIGURES.iter().filter(|figure| !figure.is_of_a_class() && is_there(figure.name)) {
            let pointer = format!("/{}", figure.name.replace('.', "/"));
            assert!(json.pointer(&pointer).is_some_and(|value| value.get("mean").is_some()), "{pointer}");
        }
    }

    #[test]
    fn each_figure_is_described_in_the_page_of_outputs() {
        let page = include_str!("../../../docs/outputs.md");
        let table = page.split("| figure | meaning |").nth(1).and_then(|rest| rest.split("\n\n").next());
        let named: std::collections::BTreeSet<&str> = table
            .unwrap_or_default()
            .lines()
            .filter_map(|row| row.split(" | ").next())
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .collect();
        for figure in FIGURES {
            let (name, group) = (figure.name, super::table(figure).map(|group| format!("{group}.…")));
            let is_named = named.contains(name) || group.is_some_and(|group| named.contains(group.as_str()));
            assert!(is_named, "`{name}` is not in docs/outputs.md");
        }
    }
}

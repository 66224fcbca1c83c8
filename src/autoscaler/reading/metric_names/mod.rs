//! Metrics that are known by their names: what each is of an endpoint, its unit, and what one series of it is of.
//!
//! Names are compared whole, never by a part of them. A further metric is a row of the table of its system.

mod clouds;
mod gateways;
mod llm_servers;
mod serving;
mod table;

pub(crate) use table::{Kind, Meaning, Row, Scope};

use table::Group;

/// What is appended to a name, and changes what the metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suffix {
    /// Nothing, or `_total`.
    None,
    /// Already a rate per second: `_per_second`, or an adapter's `|counter`.
    Rate,
    /// The buckets of a histogram.
    Bucket,
    /// The sum of a histogram.
    Sum,
    /// The count of a histogram.
    Count,
}

/// A metric found by its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Known {
    /// The metric.
    pub row: &'static Row,
    /// Who exports it.
    pub system: &'static str,
    /// What is appended to its name.
    pub suffix: Suffix,
}

/// The metric called `name`, in any of the spellings that adapters give it.
pub(crate) fn find(name: &str) -> Option<Known> {
    let (name, is_rate) = without_adapter(name.trim());
    let wanted = normal(&name);
    let found = |wanted: &str, suffix: Suffix| {
        let same = |row: &&Row| is_spelled(row, wanted);
        let groups = groups();
        let of_group = |group: &'static Group| Some((group, group.rows.iter().find(same)?));
        let (group, row) = groups.into_iter().find_map(of_group)?;
        Some(Known { row, system: group.system, suffix })
    };
    if let Some(known) = found(&wanted, Suffix::None) {
        let counts = known.row.kind == Kind::Counter;
        return Some(Known { suffix: if is_rate && counts { Suffix::Rate } else { Suffix::None }, ..known });
    }
    let ends = [
        ("_per_second", Suffix::Rate, Kind::Counter),
        ("_bucket", Suffix::Bucket, Kind::Histogram),
        ("_sum", Suffix::Sum, Kind::Histogram),
        ("_count", Suffix::Count, Kind::Histogram),
    ];
    ends.iter().find_map(|(end, suffix, kind)| {
        found(wanted.strip_suffix(end)?, *suffix).filter(|known| known.row.kind == *kind)
    })
}

/// ": did you mean …?" of the metric that `name` is a slip of the pen away from; nothing where it is none.
pub(crate) fn meant(name: &str) -> String {
    // Names are long and alike: far fewer letters may differ than in a key.
    let most = if name.len() < 12 { 1 } else { 3 };
    let wanted = normal(&without_adapter(name.trim()).0);
    let near = groups()
        .into_iter()
        .flat_map(|group| group.rows)
        .map(|row| (strsim::damerau_levenshtein(&wanted, &normal(row.name)), row.name))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance);
    near.map_or_else(String::new, |(_, near)| format!(": did you mean `{near}`?"))
}

fn groups() -> impl IntoIterator<Item = &'static Group> {
    let tables = [llm_servers::GROUPS, serving::GROUPS, gateways::GROUPS, clouds::GROUPS];
    tables.into_iter().flatten()
}

/// The name that Google's adapters stand around, and whether they serve it as a rate.
fn without_adapter(name: &str) -> (String, bool) {
    let name = name.replace('|', "/");
    for prefix in ["prometheus.googleapis.com/", "custom.googleapis.com/", "external.googleapis.com/"] {
        let Some(rest) = name.strip_prefix(prefix) else { continue };
        let parts: Vec<&str> = rest.split('/').collect();
        return match parts.as_slice() {
            [name, kind @ ("gauge" | "counter" | "summary" | "unknown" | "histogram")] => {
                ((*name).to_owned(), *kind == "counter")
            }
            [.., last] => ((*last).to_owned(), false),
            [] => (name, false),
        };
    }
    (name, false)
}

/// A name with the separators that exporters and adapters exchange made the same.
fn normal(name: &str) -> String {
    name.replace([':', '.', '/'], "_")
}

/// Whether `wanted`, which is [`normal`], is a spelling of the row's name.
fn is_spelled(row: &Row, wanted: &str) -> bool {
    let name = normal(without_adapter(row.name).0.as_str());
    let stem = |name: &str| name.strip_suffix("_total").unwrap_or(name).to_owned();
    // OpenTelemetry's exporter appends the unit to a dotted name.
    let with_unit = || {
        row.name.contains('.') && ["_requests", "_seconds"].iter().any(|unit| wanted == name.clone() + unit)
    };
    wanted == name || (row.kind == Kind::Counter && stem(wanted) == stem(&name)) || with_unit()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::autoscaler::Signal;

    fn meaning(name: &str) -> Option<(Meaning, Suffix)> {
        find(name).map(|known| (known.row.meaning, known.suffix))
    }

    #[test]
    fn names_are_found_in_every_spelling_and_never_by_a_part() {
        let waiting = Some((Meaning::Is(Signal::QueueLength), Suffix::None));
        for name in [
            "vllm:num_requests_waiting",
            "vllm_num_requests_waiting",
            "prometheus.googleapis.com|vllm:num_requests_waiting|gauge",
            "prometheus.googleapis.com/vllm:num_requests_waiting/gauge",
            "custom.googleapis.com|vllm:num_requests_waiting",
        ] {
            assert_eq!(meaning(name), waiting, "{name}");
        }
        let rate = Some((Meaning::RateIs(Signal::RequestRate), Suffix::Rate));
        assert_eq!(meaning("prometheus.googleapis.com|istio_requests_total|counter"), rate);
        assert_eq!(meaning("istio_requests_per_second"), rate);
        assert_eq!(
            meaning("vllm:e2e_request_latency_seconds_bucket").map(|known| known.1),
            Some(Suffix::Bucket)
        );
        assert_eq!(meaning("kn.revision.concurrency.stable"), meaning("kn_revision_concurrency_stable"));
        for name in ["num_requests_waiting_of_ours", "queue", "cache", "rps", "my_vllm:num_requests_waiting"]
        {
            assert_eq!(meaning(name), None, "{name}");
        }
    }

    #[test]
    fn every_metric_stands_once_in_its_system_and_is_found() {
        let mut names = HashSet::new();
        for group in groups() {
            for row in group.rows {
                assert!(find(row.name).is_some(), "{}", row.name);
                assert!(names.insert((group.system, row.name)), "{} stands twice", row.name);
            }
        }
        assert_eq!(names.len(), 245);
    }
}

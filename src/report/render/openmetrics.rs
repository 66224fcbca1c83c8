//! Timelines as OpenMetrics text, to be laid over a real dashboard.
//!
//! The text format of OpenMetrics 1.0 with timestamps, as `promtool tsdb create-blocks-from openmetrics` reads it: families one after
//! the other, samples in ascending order of time, `# EOF` at the end. Requests are counters, so that `rate()` of them is what it
//! is of a real endpoint's; everything else is a gauge.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::form::{DataFormat, RunOrigin};
use crate::experiment::Unit;
use crate::report::data::{Column, ColumnKind, Dataset, Value, window_column};

/// OpenMetrics, of timelines.
pub const FORMAT: DataFormat = DataFormat {
    name: "openmetrics",
    extension: "om",
    is_always: false,
    takes: |dataset| dataset.name.rsplit('/').next() == Some("timeline"),
    write,
    begin: None,
};

/// What the names of all families begin with.
const PREFIX: &str = "kneepoint_";

/// Columns that say when, and not what.
const TIMES: [&str; 2] = ["time_s", "length_s"];

fn write(dataset: Dataset<'_>, origin: &RunOrigin<'_>, out: &mut dyn Write) -> io::Result<()> {
    let variant = dataset.name.split('/').rev().nth(1).unwrap_or("base").to_owned();
    let labels = format!("{{scenario=\"{}\",variant=\"{}\"}}", escaped(origin.scenario), escaped(&variant));
    let Some(time) = dataset.columns.iter().position(|column| column.name == TIMES[0]) else { return Ok(()) };
    let rows: Vec<Vec<Value<'_>>> = dataset.rows.collect();
    let mut text = String::new();
    for (at, column) in dataset.columns.iter().enumerate() {
        let Some(family) = Family::of(column) else { continue };
        text.clear();
        family.head(&mut text);
        let mut total = 0.0;
        for row in &rows {
            let value = row[at].number();
            if value.is_nan() {
                continue;
            }
            total += value;
            let shown = if family.is_counter { total } else { value };
            // Writing to a text cannot fail.
            let _ =
                writeln!(text, "{}{labels} {shown} {}", family.sample(), instant(origin, row[time].number()));
        }
        out.write_all(text.as_bytes())?;
    }
    out.write_all(b"# EOF\n")
}

/// A family of metrics: a column of the timeline.
struct Family {
    name: String,
    help: &'static str,
    is_counter: bool,
}

impl Family {
    /// That of a column; `None` of those that say when.
    fn of(column: &Column) -> Option<Family> {
        let field = window_column(&column.name).filter(|field| !TIMES.contains(&field.name))?;
        let stem = field.name.strip_suffix("_s").unwrap_or(field.name);
        let unit = match column.unit {
            Some(Unit::Seconds) => "_seconds",
            Some(Unit::Share) => "_ratio",
            _ => "",
        };
        let is_counter = column.kind == ColumnKind::Count && column.unit == Some(Unit::Requests);
        let name = format!("{PREFIX}{stem}{}{unit}", if is_counter { "_requests" } else { "" });
        Some(Family { name, help: field.doc, is_counter })
    }

    fn head(&self, text: &mut String) {
        let kind = if self.is_counter { "counter" } else { "gauge" };
        let _ = writeln!(text, "# TYPE {} {kind}\n# HELP {0} Simulated: {}.", self.name, escaped(self.help));
    }

    /// Name of its samples.
    fn sample(&self) -> String {
        format!("{}{}", self.name, if self.is_counter { "_total" } else { "" })
    }
}

/// Seconds since 1970, to the millisecond.
fn instant(origin: &RunOrigin<'_>, seconds: f64) -> String {
    let millis = origin.start_ms + (seconds * 1000.0).round() as i64;
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}

/// A text within quotes or behind `# HELP`.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::WINDOW_COLUMNS;

    #[test]
    fn requests_are_counters_and_all_else_gauges_one_family_after_the_other() {
        let columns = vec![
            Column { name: "time_s".into(), kind: ColumnKind::Number, unit: Some(Unit::Seconds) },
            Column { name: "arrived".into(), kind: ColumnKind::Count, unit: Some(Unit::Requests) },
            Column { name: "latency_p99_s".into(), kind: ColumnKind::Number, unit: Some(Unit::Seconds) },
        ];
        let rows = [
            vec![Value::Number(60.0), Value::Count(5), Value::Missing],
            vec![Value::Number(120.5), Value::Count(7), Value::Number(0.25)],
        ];
        let name = "variants/quick \"one\"/timeline".into();
        let dataset = Dataset { name, columns, rows: Box::new(rows.into_iter()) };
        let mut out = Vec::new();
        write(dataset, &RunOrigin { scenario: "a\nb", start_ms: 1_000_000 }, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let labels = "{scenario=\"a\\nb\",variant=\"quick \\\"one\\\"\"}";
        assert_eq!(
            samples,
            [
                format!("kneepoint_arrived_requests_total{labels} 5 1060.000"),
                format!("kneepoint_arrived_requests_total{labels} 12 1120.500"),
                format!("kneepoint_latency_p99_seconds{labels} 0.25 1120.500"),
            ]
        );
        assert!(
            text.starts_with("# TYPE kneepoint_arrived_requests counter\n# HELP ")
                && text.ends_with("# EOF\n")
        );
    }

    #[test]
    fn the_dashboard_shows_nothing_that_is_not_written() {
        let dashboard = include_str!("../../../integrations/grafana/kneepoint.json");
        let board: serde_json::Value = serde_json::from_str(dashboard).unwrap();
        assert!(board["panels"].as_array().is_some_and(|panels| panels.len() >= 4));
        let families: Vec<String> = WINDOW_COLUMNS
            .iter()
            .filter_map(|field| Family::of(&field.column()).map(|family| family.sample()))
            .collect();
        let names = dashboard.split(PREFIX).skip(1).map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_');
            format!("{PREFIX}{}", &rest[..end.unwrap_or(rest.len())])
        });
        let mut shown = 0;
        for name in names {
            assert!(families.contains(&name), "{name}");
            shown += 1;
        }
        assert!(shown >= 6);
    }
}

//! Logs in the W3C extended format with a line of fields, as CloudFront writes them.

use super::super::requests::Row;
use super::lines::{Log, read_log, seconds};
use super::{Form, Likeness};
use crate::traffic::moment;

const NAME: &str = "cloudfront";
const DOC: &str = "a CloudFront access log";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let fields = head.lines().find_map(|line| line.strip_prefix("#Fields:"));
        match fields {
            // `time-taken` is in seconds with CloudFront, in milliseconds with IIS.
            Some(fields) if !fields.split_whitespace().any(|field| field.starts_with("x-edge-")) => {
                Likeness::Close(
                    "has none of its fields `x-edge-…`: the unit of `time-taken` is not known".into(),
                )
            }
            Some(fields) if has(fields, "date") && has(fields, "time") => Likeness::Yes,
            Some(_) => Likeness::Close("its line of fields names no `date` and `time`".into()),
            None => Likeness::No,
        }
    },
    read: |file, _, wanted| {
        let log = Log {
            form: (NAME, DOC),
            time: "date and time, in UTC, when the request had been answered, less time-taken",
            waiting: true,
        };
        let mut fields: Vec<String> = Vec::new();
        let row = |line: &str| {
            if let Some(names) = line.strip_prefix("#Fields:") {
                fields = names.split_whitespace().map(str::to_owned).collect();
            }
            if line.starts_with('#') {
                return Ok(None);
            }
            let cells: Vec<&str> = line.split('\t').collect();
            let cells = if cells.len() > 1 { cells } else { line.split(' ').collect() };
            let cell = |name: &str| {
                fields.iter().position(|field| field == name).and_then(|at| cells.get(at).copied())
            };
            let (Some(date), Some(time)) = (cell("date"), cell("time")) else {
                return Err("it has no date and time");
            };
            let end = moment::date(&format!("{date} {time}Z")).ok_or("its date and time cannot be read")?.0;
            let duration = cell("time-taken").and_then(seconds);
            let end = i64::try_from(end).map_err(|_| "its time is out of range")?;
            Ok(Some(Row {
                arrival: end.saturating_sub(duration.unwrap_or(0) as i64),
                duration,
                ..Row::default()
            }))
        };
        read_log(file, wanted, &log, row, |reading| {
            reading.note("time-taken, in seconds, includes waiting at the server and the way to the client");
        })
    },
};

fn has(fields: &str, name: &str) -> bool {
    fields.split_whitespace().any(|field| field == name)
}

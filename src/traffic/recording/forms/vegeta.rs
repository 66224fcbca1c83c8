//! vegeta, `vegeta encode --to csv`: no header; nanoseconds since 1970 when a request was sent, status, nanoseconds of latency.

use super::super::requests::Row;
use super::lines::{Log, read_log};
use super::{Form, Likeness};

const NAME: &str = "vegeta";
const DOC: &str = "results of vegeta as a table";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| Likeness::of(head.share(|line| row(line).is_some()) >= 0.8),
    read: |file, _, wanted| {
        let log = Log {
            form: (NAME, DOC),
            time: "column 1, nanoseconds since 1970, when the request was sent",
            waiting: true,
        };
        let read = |line: &str| row(line).map(Some).ok_or("it has not the columns of vegeta");
        read_log(file, wanted, &log, read, |reading| {
            reading.note("column 3, in nanoseconds, is the latency: it includes waiting at the server");
        })
    },
};

/// A row: instant, status, latency, bytes sent and received, and more.
fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.split(',').collect();
    let [instant, status, latency, sent, received, ..] = cells.as_slice() else { return None };
    let is_row = cells.len() >= 8 && instant.len() == 19 && status.len() <= 3;
    let numbers = [status, sent, received].iter().all(|cell| cell.parse::<u64>().is_ok());
    let arrival = instant.parse().ok()?;
    (is_row && numbers).then_some(Row { arrival, duration: Some(latency.parse().ok()?), ..Row::default() })
}

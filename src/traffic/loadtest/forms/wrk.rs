//! wrk and wrk2, as they print: so many connections at a time.

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::{Fault, printed_seconds};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "the output of wrk",
    read: |content| {
        let is_one = content.text.contains("Thread Stats") && content.text.contains("Requests/sec:");
        is_one.then(|| read(content.text))
    },
};

fn read(text: &str) -> Result<LoadTest, Fault> {
    let line =
        |start: &str| text.lines().map(str::trim).find_map(|line| line.strip_prefix(start)).map(str::trim);
    let rate = line("Requests/sec:").and_then(|rate| rate.parse().ok()).ok_or("has no `Requests/sec`")?;
    let latency = line("Latency").and_then(|rest| printed_seconds(rest.split_whitespace().next()?));
    let users = text.lines().find_map(|line| {
        let (_, rest) = line.split_once(" threads and ")?;
        rest.split_whitespace().next()?.parse::<f64>().ok()
    });
    let refused = line("Non-2xx or 3xx responses:").and_then(|count| count.parse().ok()).unwrap_or(0.0);
    // `Socket errors: connect 0, read 0, write 0, timeout 3`
    let errors = line("Socket errors:").into_iter().flat_map(|errors| errors.split(','));
    let errors = errors.filter_map(|error| error.rsplit(' ').next()?.parse::<f64>().ok());
    let failed: f64 = refused + errors.sum::<f64>();
    // wrk2 sends at a rate of its own, which it does not print.
    let is_open = text.contains("calibration:");
    let driven = users.filter(|_| !is_open).map_or(Driven::Unknown, Driven::Users);
    let name = users.map_or("wrk".to_owned(), |users| format!("{users} connections"));
    Ok(LoadTest::of(vec![Level { latency_s: latency, failed, ..Level::new(name, driven, rate) }]))
}

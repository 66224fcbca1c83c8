//! Locust, `_stats.csv` and `_stats_history.csv`: milliseconds, the row `Aggregated`.

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::{Fault, Table};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "statistics of Locust",
    read: |content| {
        let header = content.text.lines().next()?;
        let is_one = header.contains("Requests/s")
            && header.contains("Failures/s")
            && header.contains("Average Response Time");
        is_one.then(|| read(content.text))
    },
};

fn read(text: &str) -> Result<LoadTest, Fault> {
    let mut table = Table::of(text, b',')?;
    let at = |names: &[&str]| table.header.iter().position(|column| names.contains(&column.as_str()));
    let name = at(&["Name"]).ok_or("has no `Name`")?;
    let latency = at(&["Total Average Response Time", "Average Response Time"]).ok_or("has no average")?;
    let rate = at(&["Requests/s"]).ok_or("has no `Requests/s`")?;
    let (users, failures) = (at(&["User Count"]), at(&["Total Failure Count", "Failure Count"]));
    let mut last = None;
    let is_history = at(&["User Count"]).is_some();
    while let Some(row) = table.next_row()? {
        let number = |at: usize| row.maybe(at);
        if row.text(name) != Some("Aggregated") {
            continue;
        }
        if let (Some(latency), Some(rate)) = (number(latency), number(rate).filter(|rate| *rate > 0.0)) {
            let users = users.and_then(number).filter(|users| *users > 0.0);
            let named = users.map_or(format!("{rate:.3}/s"), |users| format!("{users} users"));
            let driven = users.map_or(Driven::Unknown, Driven::Users);
            let failed = failures.and_then(number).unwrap_or(0.0);
            last = Some(Level { latency_s: Some(latency / 1e3), failed, ..Level::new(named, driven, rate) });
        }
    }
    let level = last.ok_or("has no row `Aggregated` with answers")?;
    let note = match is_history {
        true => "the last row of the history: think time and ramps are not in the file",
        false => "its users, their think time and ramps are not in the file",
    };
    Ok(LoadTest { notes: vec![note.to_owned()], ..LoadTest::of(vec![level]) })
}

//! k6, `--out csv=…`: a row a sample, milliseconds, stamped with the end of the request in whole seconds.

use super::super::level::LoadTest;
use super::super::samples::Samples;
use super::super::text::{Fault, Table};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "samples of k6 in a table",
    read: |content| {
        let header = content.text.lines().next()?;
        header.starts_with("metric_name,timestamp,metric_value").then(|| read(content.text))
    },
};

fn read(text: &str) -> Result<LoadTest, Fault> {
    let mut table = Table::of(text, b',')?;
    let status = table.at("status");
    let mut samples = Samples::new();
    while let Some(row) = table.next_row()? {
        let (end_s, value) = (row.number(1)?, row.number(2)?);
        match row.text(0) {
            Some("vus") => samples.users(value),
            Some("http_req_duration") => {
                let status = status.and_then(|at| row.record.get(at));
                let succeeded = status.is_none_or(|status| status.starts_with('2'));
                samples.add(end_s - value / 1e3, value / 1e3, None, succeeded);
            }
            _ => {}
        }
    }
    let note = "its times are whole seconds, so its length is known to a second: the summary of k6 has the exact rate";
    samples.level().map(|test| LoadTest { notes: vec![note.to_owned()], ..test }).map_err(Fault::from)
}

//! k6, `--out csv=…`: a row a sample, milliseconds, stamped with the end of the request in whole seconds.

use super::super::level::LoadTest;
use super::super::samples::Samples;
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "samples of k6 in a table",
    read: |content| {
        let header = content.text.lines().next()?;
        header.starts_with("metric_name,timestamp,metric_value").then(|| read(content.text))
    },
};

fn read(text: &str) -> Result<LoadTest, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let status = header.iter().position(|name| name == "status");
    let mut samples = Samples::new();
    for (line, record) in (2..).zip(reader.records()) {
        let record = record.map_err(|error| error.to_string())?;
        let number = |at: usize| record.get(at).and_then(|cell| cell.parse::<f64>().ok());
        let (Some(end_s), Some(value)) = (number(1), number(2)) else {
            return Err(format!("line {line} has no time and value"));
        };
        match record.get(0) {
            Some("vus") => samples.users(value),
            Some("http_req_duration") => {
                let succeeded =
                    status.and_then(|at| record.get(at)).is_none_or(|status| status.starts_with('2'));
                samples.add(end_s - value / 1e3, value / 1e3, None, succeeded);
            }
            _ => {}
        }
    }
    let note = "its times are whole seconds, so its length is known to a second: the summary of k6 has the exact rate";
    samples.level().map(|test| LoadTest { notes: vec![note.to_owned()], ..test })
}

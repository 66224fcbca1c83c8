//! hey, `-o csv`: a row a request, seconds from the start of the run.

use super::super::level::{Driven, Level, LoadTest};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a table of hey",
    read: |content| content.text.starts_with("response-time,").then(|| read(content.text)),
};

fn read(text: &str) -> Result<LoadTest, String> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').map(str::trim).collect();
    let at = |name: &str| header.iter().position(|column| *column == name);
    let (status, offset) = (at("status-code").ok_or("has no `status-code`")?, at("offset"));
    let offset = offset.ok_or("has no `offset`, as older releases: its rate is not known")?;
    let (mut sum, mut answered, mut failed, mut end) = (0.0, 0.0, 0.0, 0.0_f64);
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let number = |at: usize| cells.get(at).and_then(|cell| cell.parse::<f64>().ok());
        let (Some(time), Some(start)) = (number(0), number(offset)) else {
            return Err("has a row without numbers".into());
        };
        end = end.max(start + time);
        // Failures have a latency of their own.
        match cells.get(status) {
            Some(code) if code.starts_with('2') => {
                sum += time;
                answered += 1.0;
            }
            _ => failed += 1.0,
        }
    }
    if answered == 0.0 {
        return Err("no request was answered".into());
    }
    let rate = answered / end;
    let level = Level {
        latency_s: Some(sum / answered),
        failed,
        ..Level::new(format!("{rate:.3}/s"), Driven::Unknown, rate)
    };
    let note = "its workers are not in the file: requests in flight are rate × latency".to_owned();
    Ok(LoadTest { notes: vec![note], ..LoadTest::of(vec![level]) })
}

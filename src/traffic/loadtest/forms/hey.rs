//! hey: `-o csv`, a row a request, seconds from the start of the run; and the summary that it prints.

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::{Fault, Table};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a result of hey",
    read: |content| {
        let text = content.text;
        let printed = ["Summary:", "Slowest:", "Requests/sec:"].iter().all(|word| text.contains(word));
        match text.starts_with("response-time,") {
            true => Some(read(text)),
            false => printed.then(|| read_summary(text)),
        }
    },
};

fn read_summary(text: &str) -> Result<LoadTest, Fault> {
    let said = |key: &str| text.lines().find_map(|line| line.trim().strip_prefix(key)).map(str::trim);
    let number = |text: &str| text.split_whitespace().next()?.parse::<f64>().ok();
    let rate = said("Requests/sec:").and_then(number).ok_or("has no `Requests/sec`")?;
    let latency_s = said("Average:").and_then(number).ok_or("has no `Average`")?;
    // `[503] 12 responses`
    let statuses = text.lines().filter_map(|line| {
        let (status, rest) = line.trim().strip_prefix('[')?.split_once(']')?;
        Some((status.to_owned(), number(rest.strip_suffix("responses")?)?))
    });
    // `[5] Post "http://…": context deadline exceeded`
    let errors = text.lines().skip_while(|line| line.trim() != "Error distribution:").filter_map(|line| {
        let (count, _) = line.trim().strip_prefix('[')?.split_once(']')?;
        number(count)
    });
    let errors: f64 = errors.sum();
    let (answered, failed) = statuses.fold((0.0, 0.0), |(answered, failed), (status, count)| {
        if status.starts_with('2') { (answered + count, failed) } else { (answered, failed + count) }
    });
    let failed = failed + errors;
    let rate = if answered > 0.0 { rate * answered / (answered + failed) } else { rate };
    let level = Level {
        latency_s: Some(latency_s),
        failed,
        ..Level::new(format!("{rate:.3}/s"), Driven::Unknown, rate)
    };
    let mut notes = vec!["its workers are not in the file: requests in flight are rate × latency".to_owned()];
    if failed > errors {
        notes.push("the average of hey is of all requests with an answer, those that failed included".into());
    }
    Ok(LoadTest { notes, ..LoadTest::of(vec![level]) })
}

fn read(text: &str) -> Result<LoadTest, Fault> {
    let mut table = Table::of(text, b',')?;
    let status = table.needed("status-code")?;
    let offset = table.at("offset").ok_or("has no `offset`, as older releases: its rate is not known")?;
    let (mut sum, mut answered, mut failed, mut end) = (0.0, 0.0, 0.0, 0.0_f64);
    while let Some(row) = table.next_row()? {
        let (time, start) = (row.number(0)?, row.number(offset)?);
        end = end.max(start + time);
        // Failures have a latency of their own.
        match row.text(status) {
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

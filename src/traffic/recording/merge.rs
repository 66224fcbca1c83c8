//! Several files of one recording, such as the logs of an hour each.

use super::reading::Reading;
use super::{Recorded, Recording, Requests, Wanted, read_recording};
use crate::files::NamedFile;
use crate::traffic::{FileError, Trace};

/// Reads files of requests, and puts them in one order; one file is read as it is.
///
/// # Errors
/// Those of each file, or one of several holds no requests with dates.
pub fn read_recordings(
    files: &[NamedFile<'_>],
    wanted: &Wanted,
) -> Result<(Vec<Reading>, Recorded), FileError> {
    let mut readings = Vec::new();
    let mut parts: Vec<(i64, Requests)> = Vec::new();
    for file in files {
        let Recording { reading, content } = read_recording(file, wanted)?;
        readings.push(reading);
        if files.len() == 1 {
            return Ok((readings, content));
        }
        let Recorded::Requests(requests) = content else {
            let what = "holds numbers per interval, and stands beside other files";
            return Err(FileError::whole(file.shown, what, "expected files of requests, or one file"));
        };
        let Some(origin) = requests.origin else {
            let what = "does not tell the date of its requests, and stands beside other files";
            return Err(FileError::whole(file.shown, what, "expected files with dates, or one file"));
        };
        parts.push((origin, requests));
    }
    Ok((readings, Recorded::Requests(merged(parts))))
}

fn merged(parts: Vec<(i64, Requests)>) -> Requests {
    let origin = parts.iter().map(|(origin, _)| *origin).min().unwrap_or(0);
    let all = |has: fn(&Trace) -> bool| parts.iter().all(|(_, requests)| has(&requests.trace));
    let has_prompt = all(|trace| !trace.prompt_tokens.is_empty());
    let has_output = all(|trace| !trace.output_tokens.is_empty());
    let has_service = all(|trace| !trace.service.is_empty());
    let mut order: Vec<(u64, usize, usize)> = Vec::new();
    for (part, (start, requests)) in parts.iter().enumerate() {
        let offset = (start - origin).unsigned_abs();
        let instants = requests.trace.instants.iter().enumerate();
        order.extend(instants.map(|(row, instant)| (instant.saturating_add(offset), part, row)));
    }
    order.sort_unstable();
    let take = |row: &(u64, usize, usize)| &parts[row.1].1.trace;
    let trace = Trace {
        instants: order.iter().map(|(instant, ..)| *instant).collect(),
        prompt_tokens: if has_prompt {
            order.iter().map(|row| take(row).prompt_tokens[row.2]).collect()
        } else {
            Vec::new()
        },
        output_tokens: if has_output {
            order.iter().map(|row| take(row).output_tokens[row.2]).collect()
        } else {
            Vec::new()
        },
        service: if has_service {
            order.iter().map(|row| take(row).service[row.2]).collect()
        } else {
            Vec::new()
        },
    };
    Requests {
        trace,
        origin: Some(origin),
        some_durations: match has_service {
            true => Vec::new(),
            false => parts.iter().flat_map(|(_, requests)| requests.durations().iter().copied()).collect(),
        },
        durations_include_waiting: parts.iter().any(|(_, requests)| requests.durations_include_waiting),
    }
}

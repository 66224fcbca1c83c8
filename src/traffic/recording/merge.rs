//! Several files of one recording, such as the logs of an hour each.

use super::reading::Reading;
use super::{Recorded, Recording, Requests, Wanted, read_recording};
use crate::files::NamedFile;
use crate::traffic::packed::{self, Rows};
use crate::traffic::{FileError, Packed, Trace};

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
    let all = |column: fn(&Trace) -> &Packed| {
        let is_whole = parts.iter().all(|(_, requests)| !column(&requests.trace).is_empty());
        move |trace: &Trace| if is_whole { column(trace).clone() } else { Packed::default() }
    };
    let prompt = all(|trace| &trace.prompt_tokens);
    let output = all(|trace| &trace.output_tokens);
    let service = all(|trace| &trace.service);
    let rows: Vec<(Rows<4>, u64)> = parts
        .iter()
        .map(|(start, Requests { trace, .. })| {
            let columns = [trace.instants.clone(), prompt(trace), output(trace), service(trace)];
            // What is taken off is less than nothing: files begin after the first of them.
            (columns, origin.wrapping_sub(*start) as u64)
        })
        .collect();
    let [instants, prompt_tokens, output_tokens, service] =
        packed::merged(&rows.iter().map(|(rows, less)| (rows, *less)).collect::<Vec<_>>());
    Requests {
        origin: Some(origin),
        some_durations: match service.is_empty() {
            false => Packed::default(),
            true => parts.iter().flat_map(|(_, requests)| requests.durations().iter()).collect(),
        },
        durations_include_waiting: parts.iter().any(|(_, requests)| requests.durations_include_waiting),
        trace: Trace { instants, prompt_tokens, output_tokens, service },
    }
}

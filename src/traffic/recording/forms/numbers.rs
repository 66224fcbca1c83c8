//! Numbers with blanks between them, on as many lines as may be: counts or rates, one an interval.

use std::io::Read as _;

use super::super::Recorded;
use super::super::reading::Reading;
use super::super::series::{self, Known};
use super::super::series_rows::SeriesRows;
use super::super::wanted::{Wanted, add};
use super::{Form, Head, Likeness, Recording};
use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::error::unreadable;
use crate::traffic::table::open;

const NAME: &str = "numbers";
const DOC: &str = "numbers with blanks between them, one an interval";

/// The longest a number is written.
const NUMBER_BYTES: usize = 64;

/// Numbers of which no one has a file.
const MOST: u64 = 200_000_000;

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let first = head.text.lines().next().unwrap_or_default();
        let several = first.split_ascii_whitespace().nth(2).is_some();
        let whole = first.rfind(' ').map_or(first, |end| &first[..end]);
        let numbers = whole.split_ascii_whitespace().all(|word| word.parse::<f64>().is_ok());
        Likeness::of(several && numbers && !first.contains('\t'))
    },
    read,
};

fn read(file: &NamedFile<'_>, _: &Head, wanted: &Wanted) -> Result<Recording, FileError> {
    let Some(interval) = wanted.interval else {
        let error = FileError::whole(
            file.shown,
            "has numbers without times",
            "expected to be told the interval that each number is of",
        );
        return Err(error.with_help(format!(
            "say both: {}, and {}",
            add("interval", "1s"),
            add("values", "counts")
        )));
    };
    let mut reading = Reading::of(file.shown, NAME, DOC);
    reading.time = "none: the numbers follow each other at the interval that was said".into();
    let mut reader = open(file, "file of numbers")?;
    let mut series = SeriesRows::default();
    let values = series.named("values");
    let (mut count, mut word, mut line) = (0, Vec::new(), 1_u64);
    let mut piece = vec![0_u8; 1 << 16];
    loop {
        let read = reader.read(&mut piece).map_err(|error| unreadable(file, &error))?;
        for byte in piece[..read].iter().chain((read == 0).then_some(&b' ')) {
            if !byte.is_ascii_whitespace() {
                word.push(*byte);
                if word.len() > NUMBER_BYTES {
                    let label = "expected numbers with blanks between them".to_owned();
                    return Err(FileError::at_line(file.shown, line, " has what is no number", label));
                }
                continue;
            }
            if !word.is_empty() {
                match std::str::from_utf8(&word).ok().and_then(|word| word.parse::<f64>().ok()) {
                    Some(value) if count < MOST => {
                        series.push_numbered(values, count, value, line, interval);
                        count += 1;
                    }
                    Some(_) => {
                        let label = "expected at most 200 million";
                        return Err(FileError::whole(file.shown, "has too many numbers", label));
                    }
                    None => reading.skip(|| line, "it is no number", wanted.strict)?,
                }
                word.clear();
            }
            line += u64::from(*byte == b'\n');
        }
        if read == 0 {
            break;
        }
    }
    let known = Known { quantity: None, factor: 1.0, interval: Some(interval), form: series::NUMBERED };
    let (reading, series) = series::build(reading, wanted, series, known)?;
    Ok(Recording { reading, content: Recorded::Series(series) })
}

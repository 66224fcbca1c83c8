//! Envoy's default access log as text: the start of each request, written in the order of their ends.

use super::super::requests::Row;
use super::lines::{Log, read_log, tokens};
use super::{Form, Likeness};
use crate::traffic::moment;

const NAME: &str = "envoy";
const DOC: &str = "an Envoy access log";

/// Tokens from 0: start, request, code, flags, bytes received and sent, duration, upstream service time.
const DURATION: usize = 6;

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let begins = |line: &str| {
            let Some((time, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) else {
                return false;
            };
            time.contains('T') && moment::date(time).is_some() && rest.trim_start().starts_with('"')
        };
        Likeness::of(head.share(begins) >= 0.8)
    },
    read: |file, _, wanted| {
        let log = Log { form: (NAME, DOC), time: "START_TIME, when the request came", waiting: true };
        let row = |line: &str| {
            let fields = tokens(line);
            let start = fields
                .first()
                .and_then(|time| moment::date(time))
                .ok_or("it begins with no time in brackets")?;
            if fields.len() <= DURATION {
                return Err("it has not the fields of the log");
            }
            let millis = fields[DURATION].parse::<u64>().ok();
            let arrival = i64::try_from(start.0).map_err(|_| "its time is out of range")?;
            Ok(Some(Row {
                arrival,
                duration: millis.map(|millis| millis.saturating_mul(1_000_000)),
                ..Row::default()
            }))
        };
        read_log(file, wanted, &log, row, |reading| {
            reading.note(
                "DURATION, in milliseconds, is of the whole request: it includes waiting at the server",
            );
        })
    },
};

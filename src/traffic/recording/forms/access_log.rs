//! Access logs of Apache and nginx, common and combined, with a request time of nginx behind them or without.

use super::super::requests::Row;
use super::super::wanted::add;
use super::lines::{Log, read_log, seconds, tokens};
use super::{Form, Likeness};
use crate::traffic::moment;

const NAME: &str = "access_log";
const DOC: &str = "an access log in common or combined format";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| Likeness::of(head.share(|line| stamp(line).is_some()) >= 0.6),
    read: |file, head, wanted| {
        let timed = head.share(|line| request_time(line).is_some()) >= 0.8;
        let behind = !timed && head.share(|line| number_behind(line).is_some()) >= 0.8;
        let unit = wanted.service_unit.filter(|_| behind);
        let time = match timed {
            true => "the date in brackets, less the request time: when the request came",
            false => {
                "the date in brackets: with Apache when the request came, with nginx when it had been answered"
            }
        };
        let log = Log { form: (NAME, DOC), time, waiting: true };
        let row = |line: &str| {
            let end = stamp(line).ok_or("no date in brackets")?;
            let ended = if timed { request_time(line) } else { None };
            let arrival = end.saturating_sub(ended.unwrap_or(0) as i64);
            let said = unit.and_then(|unit| number_behind(line)?.checked_mul(unit.nanos()));
            Ok(Some(Row { arrival, duration: ended.or(said), ..Row::default() }))
        };
        read_log(file, wanted, &log, row, |reading| {
            reading.note("its clock has whole seconds: `spread = \"1s\"` in `[arrivals]` distributes the requests of one");
            if let Some(unit) = unit {
                reading.note(format!(
                    "the number behind the fields is how long requests took, in {}, as was said; the date is taken as when they \
                     came, as Apache writes it",
                    unit.plural()
                ));
            } else if behind {
                reading.note(format!(
                    "the number behind the fields may be how long requests took, in microseconds (Apache's %D) or seconds (%T): not \
                     used ({})",
                    add("service_unit", "us")
                ));
            }
            if timed {
                reading.note(
                    "the request time of nginx, in seconds, includes waiting at the server and slow clients",
                );
            }
        })
    },
};

/// The date in brackets.
fn stamp(line: &str) -> Option<i64> {
    let (_, rest) = line.split_once('[')?;
    let (date, _) = rest.split_once(']')?;
    if !date.contains('/') {
        return None;
    }
    i64::try_from(moment::date(date)?.0).ok()
}

/// A whole number as the one field behind those of the format.
fn number_behind(line: &str) -> Option<u64> {
    let fields = tokens(line);
    // Seven fields of the common format, two more of the combined one.
    let last = fields.last().filter(|_| matches!(fields.len(), 8 | 10))?;
    last.parse().ok().filter(|_| last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The request time that nginx writes behind the fields of the format: the first number with three decimals, or the one that
/// is named.
fn request_time(line: &str) -> Option<u64> {
    let fields = tokens(line);
    // Host, identity, user, date, request, status, bytes.
    fields.iter().skip(7).find_map(|field| {
        let named = field.split_once('=').filter(|(name, _)| ["rt", "request_time"].contains(name));
        let text = named.map_or(*field, |(_, value)| value.trim_matches('"'));
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        if decimals == 3 { seconds(text) } else { None }
    })
}

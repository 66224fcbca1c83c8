//! Access logs of AWS application load balancers: 29 fields or more, of which field 22 is when the request came.

use super::super::requests::Row;
use super::lines::{Log, read_log, seconds, tokens};
use super::{Form, Likeness};
use crate::traffic::moment;

const NAME: &str = "alb";
const DOC: &str = "an access log of an AWS application load balancer";
const KINDS: [&str; 7] = ["http", "https", "h2", "grpc", "grpcs", "ws", "wss"];

/// Fields from 0: when the request had been answered, three durations, when it came.
const END: usize = 1;
const TARGET_TIME: usize = 6;
const CREATION: usize = 21;

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let share = head.share(|line| {
            let mut words = line.split(' ');
            words.next().is_some_and(|kind| KINDS.contains(&kind))
                && words.next().is_some_and(|time| moment::date(time).is_some())
        });
        let fields = head.lines().next().map_or(0, |line| tokens(line).len());
        match (share >= 0.8, fields > CREATION) {
            (true, true) => Likeness::Yes,
            (true, false) => {
                Likeness::Close(format!("has {fields} fields, and no `request_creation_time` in field 22"))
            }
            (false, _) => Likeness::No,
        }
    },
    read: |file, _, wanted| {
        let log = Log {
            form: (NAME, DOC),
            time: "field 22, request_creation_time: when the request came",
            waiting: true,
        };
        let row = |line: &str| {
            let fields = tokens(line);
            let [kind, ..] = fields.as_slice() else { return Err("it is empty") };
            if !KINDS.contains(kind) || fields.len() <= CREATION {
                return Err("it has not the fields of the log");
            }
            let stamp =
                |at: usize| i64::try_from(moment::date(fields.get(at).copied().unwrap_or_default())?.0).ok();
            let arrival = stamp(CREATION).or_else(|| stamp(END)).ok_or("it has no time")?;
            // −1 where no target answered.
            Ok(Some(Row { arrival, duration: seconds(fields[TARGET_TIME]), ..Row::default() }))
        };
        read_log(file, wanted, &log, row, |reading| {
            reading
                .note("target_processing_time is taken as the duration: it includes waiting at the target");
        })
    },
};

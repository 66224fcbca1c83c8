//! hey, `-o csv`: a row a request, seconds from the start of the run.

use super::known::{self, Known};
use super::{Form, Likeness};
use crate::traffic::Unit;

const NAME: &str = "hey";
const DOC: &str = "a table of hey";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| match head.lines().next() {
        Some(header) if header.starts_with("response-time,") && header.contains(",offset") => Likeness::Yes,
        Some(header) if header.starts_with("response-time,") => Likeness::Close(
            "has no column `offset`, as older releases: when requests were sent is not known".into(),
        ),
        _ => Likeness::No,
    },
    read: |file, head, wanted| {
        let known = Known {
            form: (NAME, DOC),
            time: "offset",
            prompt_tokens: None,
            output_tokens: None,
            duration: Some(("response-time", Unit::Seconds)),
            is_end: false,
            only: None,
            status: Some(("status-code", |status, _| {
                (!status.starts_with('2'))
                    .then_some("have another status than 2xx: their durations are among the others")
            })),
        };
        known::read(file, head, wanted, &known)
    },
};

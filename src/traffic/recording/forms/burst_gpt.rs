//! BurstGPT (HPMLL/BurstGPT): seconds since midnight of the first day, local time; releases from 1.2 add the elapsed time.

use super::Form;
use super::known::{self, Known};
use crate::traffic::Unit;

const NAME: &str = "burst_gpt";
const DOC: &str = "a BurstGPT trace";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| known::likeness(head, &["Timestamp", "Request tokens", "Response tokens"]),
    read: |file, head, wanted| {
        let has_elapsed = head.lines().next().is_some_and(|header| header.contains("Elapsed time"));
        let known = Known {
            form: (NAME, DOC),
            time: "Timestamp",
            prompt_tokens: Some("Request tokens"),
            output_tokens: Some("Response tokens"),
            duration: has_elapsed.then_some(("Elapsed time", Unit::Seconds)),
            is_end: false,
            only: None,
            status: Some(("Response tokens", |tokens, row| {
                (tokens == "0").then(|| {
                    row.duration = None;
                    "have no response tokens, as the request failed: kept as arrivals"
                })
            })),
        };
        known::read(file, head, wanted, &known)
    },
};

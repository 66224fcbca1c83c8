//! JMeter, a JTL file as CSV: a row a sample, milliseconds since 1970 when it was sent.

use super::Form;
use super::known::{self, Known};
use crate::traffic::Unit;

const NAME: &str = "jmeter";
const DOC: &str = "samples of JMeter as a table";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| known::likeness(head, &["timeStamp", "elapsed", "label", "success"]),
    read: |file, head, wanted| {
        let known = Known {
            form: (NAME, DOC),
            time: "timeStamp",
            prompt_tokens: None,
            output_tokens: None,
            duration: Some(("elapsed", Unit::Milliseconds)),
            is_end: false,
            only: None,
            status: Some(("success", |success, _| {
                (success != "true").then_some("failed: their durations are among the others")
            })),
        };
        let mut recording = known::read(file, head, wanted, &known)?;
        recording.reading.note(
            "timeStamp is taken as the start; with `sampleresult.timestamp.start=false` JMeter writes the end",
        );
        Ok(recording)
    },
};

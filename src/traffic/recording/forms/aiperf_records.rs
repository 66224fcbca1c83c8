//! AIPerf, `profile_export.jsonl`: a request a line, nanoseconds since 1970 when it was sent, with its tokens.

use super::super::Recorded;
use super::super::objects::{self, each_row};
use super::super::reading::Reading;
use super::super::requests::{Gathered, Row};
use super::super::values;
use super::{Form, Likeness, Recording};
use crate::traffic::Unit;
use crate::traffic::moment::TimeForm;

const NAME: &str = "aiperf_records";
const DOC: &str = "records of AIPerf in JSON lines";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| Likeness::of(head.has_key_at(1, "metadata") && head.has_key_at(2, "request_start_ns")),
    read: |file, head, wanted| {
        let form = TimeForm::Epoch(Unit::Nanoseconds);
        let mut reading = Reading::of(file.shown, NAME, DOC);
        reading.time = "key `metadata.request_start_ns`, when the request was sent".into();
        let mut gathered = Gathered::new();
        let mut failed = 0_u64;
        each_row(file, head, (&mut reading, wanted.strict), |reading, object, line| {
            let text = |path: &str| objects::cell(objects::at(object, path));
            let Some(arrival) = form.parse(&text("metadata.request_start_ns")) else {
                reading.skip(|| line, "it has no `metadata.request_start_ns`", wanted.strict)?;
                return Ok(());
            };
            let end = form.parse(&text("metadata.request_end_ns"));
            failed += u64::from(object.get("error").is_some_and(|error| !error.is_null()));
            let row = Row {
                arrival,
                duration: end.and_then(|end| u64::try_from(end.saturating_sub(arrival)).ok()),
                prompt_tokens: values::tokens(&text("metrics.input_sequence_length.value")),
                output_tokens: values::tokens(&text("metrics.output_sequence_length.value")),
            };
            gathered.push(row, || line);
            Ok(())
        })?;
        reading.note("durations are from the sending of a request to its last answer: they include waiting at the server");
        if failed > 0 {
            reading.note(format!("{failed} requests failed: their durations are among the others"));
        }
        let (reading, requests) = gathered.finish(reading, wanted, form, true)?;
        Ok(Recording { reading, content: Recorded::Requests(requests) })
    },
};

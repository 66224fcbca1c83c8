//! JMeter, a JTL file as CSV or as XML: a sample each, milliseconds since 1970 when it was sent.

use std::io::BufReader;

use super::super::Recorded;
use super::super::reading::Reading;
use super::super::requests::{Gathered, Row};
use super::super::wanted::Wanted;
use super::known::{self, Known};
use super::{Form, Likeness, Recording};
use crate::files::NamedFile;
use crate::traffic::jtl::{self, JtlSamples};
use crate::traffic::moment::TimeForm;
use crate::traffic::table::open;
use crate::traffic::{FileError, Unit};

const NAME: &str = "jmeter";
const DOC: &str = "samples of JMeter";

/// What is said of samples that failed.
const FAILED: &str = "failed: their durations are among the others";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| match jtl::is_one(&head.text) {
        true => Likeness::Yes,
        false => known::likeness(head, &["timeStamp", "elapsed", "label", "success"]),
    },
    read: |file, head, wanted| {
        let mut recording = match jtl::is_one(&head.text) {
            true => read_xml(file, wanted)?,
            false => {
                let known = Known {
                    form: (NAME, DOC),
                    time: "timeStamp",
                    prompt_tokens: None,
                    output_tokens: None,
                    duration: Some(("elapsed", Unit::Milliseconds)),
                    is_end: false,
                    only: None,
                    status: Some(("success", |success, _| (success != "true").then_some(FAILED))),
                };
                known::read(file, head, wanted, &known)?
            }
        };
        recording.reading.note(
            "timeStamp is taken as the start; with `sampleresult.timestamp.start=false` JMeter writes the end",
        );
        Ok(recording)
    },
};

fn read_xml(file: &NamedFile<'_>, wanted: &Wanted) -> Result<Recording, FileError> {
    let mut samples = JtlSamples::new(BufReader::new(open(file, "JTL file")?));
    let mut reading = Reading::of(file.shown, NAME, format!("{DOC} in XML"));
    let form = TimeForm::Epoch(Unit::Milliseconds);
    reading.time = format!("attribute `ts`, {}", form.words());
    let (mut gathered, mut failed) = (Gathered::new(), 0_u64);
    let wrong = |fault: jtl::JtlFault| {
        let label = "expected samples with `ts` and `t`".to_owned();
        FileError::at_line(file.shown, fault.line, &format!(": {}", fault.what), label)
    };
    while let Some(sample) = samples.next_sample().map_err(wrong)? {
        failed += u64::from(!sample.succeeded);
        let nanos = |millis: u64| millis.checked_mul(1_000_000);
        let (Some(start), duration) = (nanos(sample.start_ms), nanos(sample.elapsed_ms)) else {
            reading.skip(|| sample.line, "its instant is no date of our time", wanted.strict)?;
            continue;
        };
        match i64::try_from(start) {
            Ok(arrival) => gathered.push(Row { arrival, duration, ..Row::default() }, || sample.line),
            Err(_) => reading.skip(|| sample.line, "its instant is no date of our time", wanted.strict)?,
        }
    }
    samples.notes().into_iter().for_each(|note| reading.note(note));
    if failed > 0 {
        reading.note(format!("{failed} rows {FAILED}"));
    }
    let (reading, requests) = gathered.finish(reading, wanted, form, true)?;
    Ok(Recording { reading, content: Recorded::Requests(requests) })
}

//! JMeter, a JTL file as CSV or as XML: a sample each; milliseconds since 1970 when it was sent, milliseconds of latency.

use super::super::level::LoadTest;
use super::super::samples::Samples;
use super::super::text::{Fault, Table};
use super::Form;
use crate::traffic::jtl::{self, JtlSamples};

pub(super) const FORM: Form = Form {
    doc: "samples of JMeter",
    read: |content| {
        if jtl::is_one(content.text) {
            return Some(read_xml(content.text));
        }
        let header = content.text.lines().find(|line| !line.trim().is_empty())?;
        let is_one = ["timeStamp", "elapsed", "success"].iter().all(|name| header.contains(name));
        is_one.then(|| read(content.text))
    },
};

const IS_START: &str =
    "timeStamp is taken as the start; with sampleresult.timestamp.start=false JMeter writes the end";

fn read(text: &str) -> Result<LoadTest, Fault> {
    let mut table = Table::of(text, b',')?;
    let [start, elapsed, success] =
        [table.needed("timeStamp")?, table.needed("elapsed")?, table.needed("success")?];
    let (first, threads) = (table.at("Latency"), table.at("allThreads"));
    let mut samples = Samples::new();
    while let Some(row) = table.next_row()? {
        let (start, elapsed) = (row.number(start)?, row.number(elapsed)?);
        if let Some(threads) = threads.and_then(|at| row.maybe(at)) {
            samples.users(threads);
        }
        let first_s = first.and_then(|at| row.maybe(at)).map(|millis| millis / 1e3);
        samples.add(start / 1e3, elapsed / 1e3, first_s, row.text(success) == Some("true"));
    }
    let notes = [IS_START, "samples of a transaction and of its parts, if both are written, count twice"];
    samples
        .level()
        .map(|test| LoadTest { notes: notes.map(str::to_owned).to_vec(), ..test })
        .map_err(Fault::from)
}

fn read_xml(text: &str) -> Result<LoadTest, Fault> {
    let mut read = JtlSamples::new(text.as_bytes());
    let mut samples = Samples::new();
    let wrong = |fault: jtl::JtlFault| Fault::on(fault.line, format!("line {}: {}", fault.line, fault.what));
    while let Some(sample) = read.next_sample().map_err(wrong)? {
        if let Some(threads) = sample.threads {
            samples.users(threads);
        }
        let seconds = |millis: u64| millis as f64 / 1e3;
        let first_s = sample.first_ms.map(seconds);
        samples.add(seconds(sample.start_ms), seconds(sample.elapsed_ms), first_s, sample.succeeded);
    }
    let mut notes = vec![IS_START.to_owned()];
    notes.extend(read.notes());
    samples.level().map(|test| LoadTest { notes, ..test }).map_err(Fault::from)
}

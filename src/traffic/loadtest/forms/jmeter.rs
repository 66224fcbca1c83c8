//! JMeter, a JTL file as CSV: a row a sample; milliseconds since 1970 when it was sent, milliseconds of latency.

use super::super::level::LoadTest;
use super::super::samples::Samples;
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "samples of JMeter",
    read: |content| {
        let header = content.text.lines().find(|line| !line.trim().is_empty())?;
        if content.text.trim_start().starts_with('<') && content.text.contains("<testResults") {
            let what = "in XML: set jmeter.save.saveservice.output_format=csv";
            return Some(Err(what.to_owned()));
        }
        let is_one = ["timeStamp", "elapsed", "success"].iter().all(|name| header.contains(name));
        is_one.then(|| read(content.text))
    },
};

fn read(text: &str) -> Result<LoadTest, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let at = |name: &str| header.iter().position(|column| column == name);
    let column = |name: &str| at(name).ok_or_else(|| format!("has no column `{name}`"));
    let (start, elapsed, success) = (column("timeStamp")?, column("elapsed")?, column("success")?);
    let (first, threads) = (at("Latency"), at("allThreads"));
    let mut samples = Samples::new();
    for (line, record) in (2..).zip(reader.records()) {
        let record = record.map_err(|error| error.to_string())?;
        let number = |at: usize| record.get(at).and_then(|cell| cell.parse::<f64>().ok());
        let (Some(start), Some(elapsed)) = (number(start), number(elapsed)) else {
            return Err(format!("line {line} has no times in milliseconds"));
        };
        if let Some(threads) = threads.and_then(number) {
            samples.users(threads);
        }
        let first_s = first.and_then(number).map(|millis| millis / 1e3);
        samples.add(start / 1e3, elapsed / 1e3, first_s, record.get(success) == Some("true"));
    }
    let notes = [
        "timeStamp is taken as the start; with sampleresult.timestamp.start=false JMeter writes the end",
        "samples of a transaction and of its parts, if both are written, count twice",
    ];
    samples.level().map(|test| LoadTest { notes: notes.map(str::to_owned).to_vec(), ..test })
}

//! The forms of recorded traffic, a file each, and how one is recognised.

mod access_log;
mod aibrix;
mod aiperf_records;
mod alb;
mod azure_functions;
mod azure_functions_2021;
mod azure_llm;
mod bailian;
mod burst_gpt;
mod cloud_logging;
mod cloud_monitoring;
mod cloudfront;
mod cloudwatch_data;
mod cloudwatch_statistics;
mod csv;
mod datadog;
mod envoy;
mod gentd26;
mod hey;
mod istio;
mod jmeter;
mod json_lines;
mod k6_csv;
mod k6_points;
mod known;
mod lines;
mod mooncake;
mod numbers;
mod prometheus;
mod vegeta;

use std::io::Read as _;

use super::Recording;
use super::head::Head;
use super::wanted::Wanted;
use crate::files::{FileKind, NamedFile};
use crate::traffic::FileError;
use crate::traffic::error::nearest_name;
use crate::traffic::packing::content;
use crate::traffic::table::clip;

/// How like a form a file is.
#[derive(Debug)]
pub(super) enum Likeness {
    /// Not at all.
    No,
    /// Nearly; what differs, in words.
    Close(String),
    /// It is the one.
    Yes,
}

impl Likeness {
    fn of(is_one: bool) -> Likeness {
        if is_one { Likeness::Yes } else { Likeness::No }
    }
}

/// One form.
pub(super) struct Form {
    /// Its name, as `format` takes it.
    pub name: &'static str,
    /// What it is, in words.
    pub doc: &'static str,
    /// How like it a file is by its head.
    pub likeness: fn(&Head) -> Likeness,
    /// Reads a file of it.
    pub read: fn(&NamedFile<'_>, &Head, &Wanted) -> Result<Recording, FileError>,
}

/// Every form; what is recognised by less comes after what is recognised by more.
pub(super) const FORMS: [Form; 28] = [
    prometheus::FORM,
    cloudwatch_data::FORM,
    cloudwatch_statistics::FORM,
    cloud_monitoring::FORM,
    datadog::FORM,
    cloud_logging::FORM,
    istio::FORM,
    bailian::FORM,
    mooncake::FORM,
    azure_functions::FORM,
    azure_functions_2021::FORM,
    azure_llm::FORM,
    burst_gpt::FORM,
    aibrix::FORM,
    gentd26::FORM,
    aiperf_records::FORM,
    k6_points::FORM,
    k6_csv::FORM,
    jmeter::FORM,
    hey::FORM,
    vegeta::FORM,
    cloudfront::FORM,
    alb::FORM,
    envoy::FORM,
    access_log::FORM,
    json_lines::FORM,
    numbers::FORM,
    csv::FORM,
];

/// Reads a file in the form that is wanted, or else the one it has.
pub(super) fn read(file: &NamedFile<'_>, wanted: &Wanted) -> Result<Recording, FileError> {
    if begins_as_parquet(file) {
        return read_parquet(file, wanted);
    }
    let head = Head::read(file)?;
    let form = match &wanted.format {
        Some(name) => by_name(name, file)?,
        None if wanted.names_columns() && head.is_json() => &json_lines::FORM,
        None if wanted.names_columns() => &csv::FORM,
        None => match recognise(&head, file) {
            // The requests of a load test would be taken for rows of anything.
            Ok(form) if is_generic(form) && head.wraps_list() => load_test(file).map_or(Ok(form), Err)?,
            Ok(form) => form,
            Err(error) => return Err(load_test(file).unwrap_or(error)),
        },
    };
    let read = (form.read)(file, &head, wanted);
    match wanted.format {
        None if is_generic(form) => read.map_err(|error| load_test(file).unwrap_or(error)),
        _ => read,
    }
}

/// Whether a file is a table in Parquet; one that cannot be opened is told by who reads it.
pub(in crate::traffic) fn begins_as_parquet(file: &NamedFile<'_>) -> bool {
    let mut start = [0; 4];
    let is_regular = matches!(file.kind(), Some(FileKind::Regular) | None);
    is_regular
        && content(file).is_ok_and(|mut reader| reader.read_exact(&mut start).is_ok())
        && start == *b"PAR1"
}

#[cfg(feature = "parquet")]
fn read_parquet(file: &NamedFile<'_>, wanted: &Wanted) -> Result<Recording, FileError> {
    super::parquet::read(file, &wanted.of_table())
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(file: &NamedFile<'_>, _: &Wanted) -> Result<Recording, FileError> {
    let label = "expected a build with the feature `parquet`, as released binaries have, or a table as text";
    let error = FileError::whole(file.shown, "is a table in Parquet, which this build does not read", label);
    let shown = file.shown;
    Err(error.with_help(format!("write it as text: duckdb -c \"COPY (FROM '{shown}') TO 'traffic.csv'\"")))
}

/// What is to be said of the result of a load test.
fn load_test(file: &NamedFile<'_>) -> Option<FileError> {
    let tool = crate::traffic::loadtest::recognised(file)?;
    let what = format!("is {tool}: it holds levels of load, and not requests");
    let error = FileError::whole(file.shown, &what, "expected recorded traffic");
    Some(error.with_help("`kneepoint service fit` reads it"))
}

fn by_name(name: &str, file: &NamedFile<'_>) -> Result<&'static Form, FileError> {
    let found = FORMS.iter().find(|form| form.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = FORMS.iter().map(|form| form.name).collect();
        let error = FileError::whole(
            file.shown,
            &format!("is to be read as `{}`, which is no form", clip(name)),
            &format!("expected one of {}", names.join(", ")),
        );
        match nearest_name(name, &names) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error,
        }
    })
}

fn recognise(head: &Head, file: &NamedFile<'_>) -> Result<&'static Form, FileError> {
    let mut close: Option<(&Form, String)> = None;
    for form in &FORMS {
        match (form.likeness)(head) {
            // A generic form reads whatever columns there are; what is nearly a known one has likely changed.
            Likeness::Yes => match close {
                Some((near, differs)) if is_generic(form) => return Err(nearly(file, near, &differs)),
                _ => return Ok(form),
            },
            Likeness::Close(differs) if close.is_none() => close = Some((form, differs)),
            Likeness::Close(_) | Likeness::No => {}
        }
    }
    match close {
        Some((near, differs)) => Err(nearly(file, near, &differs)),
        None => Err(unknown(file, head)),
    }
}

fn is_generic(form: &Form) -> bool {
    ["csv", "json_lines"].contains(&form.name)
}

fn nearly(file: &NamedFile<'_>, form: &Form, differs: &str) -> FileError {
    let what = format!("looks like {} (`{}`), but {differs}", form.doc, form.name);
    let error = FileError::whole(file.shown, &what, "expected that form, or to be told another");
    let generic = if form.doc.contains("JSON") { "json_lines" } else { "csv" };
    error.with_help(format!(
        "`format = \"{generic}\"` (`--format {generic}`) reads whatever columns it has; `column` and others name them"
    ))
}

fn unknown(file: &NamedFile<'_>, head: &Head) -> FileError {
    let error = match head.is_json() {
        true => {
            let keys: Vec<String> = head.first_keys().iter().map(|key| format!("`{}`", clip(key))).collect();
            let what = format!("is a JSON document of no known form, with the keys {}", keys.join(", "));
            FileError::whole(file.shown, &what, "expected metrics or logs as a tool exports them")
        }
        false => FileError::whole(
            file.shown,
            "is a page or a document in XML",
            "expected traffic as a tool exports it",
        ),
    };
    let names: Vec<&str> = FORMS.iter().map(|form| form.name).collect();
    error.with_help(format!("known are {}; a load test is read by `kneepoint service fit`", names.join(", ")))
}

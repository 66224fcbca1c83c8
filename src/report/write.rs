//! The files of a report, into a folder.

use std::fmt;

use super::chart::ChartError;
use super::content::{ChartPart, Report};
use super::render::{DataFormat, PICTURE_FORMATS, RunOrigin, html, json, svg};
use super::{Folder, OutputError};
use crate::parallel;

/// Why the files of a report could not be written.
#[derive(Debug)]
pub enum WriteError {
    /// A chart could not be drawn.
    Chart(ChartError),
    /// A file could not be written.
    Output(OutputError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Chart(error) => error.fmt(f),
            WriteError::Output(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<ChartError> for WriteError {
    fn from(error: ChartError) -> WriteError {
        WriteError::Chart(error)
    }
}

impl From<OutputError> for WriteError {
    fn from(error: OutputError) -> WriteError {
        WriteError::Output(error)
    }
}

/// Writes every file of a report: all of them appear together, or none does. Datasets are written in each of `formats`. Charts
/// are drawn on the threads of the current pool.
///
/// # Errors
/// A chart cannot be drawn, or a file not be written.
pub fn write(
    mut folder: Folder,
    report: &Report<'_>,
    (formats, origin): (&[&DataFormat], &RunOrigin<'_>),
) -> Result<(), WriteError> {
    let draw = |part: &ChartPart| -> Result<(String, Vec<Vec<u8>>), ChartError> {
        let picture = |number: usize| (PICTURE_FORMATS[number].draw)(&part.chart, part.size);
        let pictures = || parallel::map(PICTURE_FORMATS.len(), picture).into_iter().collect();
        let (svg, pictures): (_, Result<_, _>) = rayon::join(|| svg::draw(&part.chart, part.size), pictures);
        Ok((svg?, pictures?))
    };
    let (drawn, summary) = rayon::join(
        || parallel::map(report.charts.len(), |number| draw(&report.charts[number])),
        || json::summary(report),
    );
    let drawn: Result<Vec<_>, ChartError> = drawn.into_iter().collect();
    let (drawings, pictures): (Vec<String>, Vec<Vec<Vec<u8>>>) = drawn?.into_iter().unzip();
    for (chart, (svg, pictures)) in report.charts.iter().zip(drawings.iter().zip(&pictures)) {
        put(&mut folder, &format!("{}.svg", chart.name), svg.as_bytes())?;
        for (format, bytes) in PICTURE_FORMATS.iter().zip(pictures) {
            put(&mut folder, &format!("{}.{}", chart.name, format.extension), bytes)?;
        }
    }
    put(&mut folder, "report.html", html::html(report, &drawings).as_bytes())?;
    put(&mut folder, "summary.json", summary.as_bytes())?;
    if let Some(recommendation) = json::recommendation(report) {
        put(&mut folder, "recommendation.json", recommendation.as_bytes())?;
    }
    for DataFormat { extension, takes, write, .. } in formats {
        for dataset in report.datasets().into_iter().filter(takes) {
            folder.stage(&format!("{}.{extension}", dataset.name), |out| write(dataset, origin, out))?;
        }
    }
    Ok(folder.commit()?)
}

fn put(folder: &mut Folder, name: &str, bytes: &[u8]) -> Result<(), OutputError> {
    folder.stage(name, |out| out.write_all(bytes))
}

//! The report as programs reach it.

use crate::api::Error;
use crate::report::content;
use crate::report::render::{csv, html, json, markdown, svg};

/// All there is to say of a result: the answer in sentences, tables, charts, notes and every figure.
///
/// ```
/// use kneepoint::{Options, Scenario, run};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[run]\nduration = \"1m\"";
/// let result = run(&Scenario::parse(text)?, &Options::default())?;
/// let report = result.report();
/// assert!(report.html()?.starts_with("<!DOCTYPE html>"));
/// assert!(report.markdown().contains("latency.p99"));
/// assert!(report.summary_json().contains("\"schema_version\""));
/// assert!(report.charts()?.iter().any(|(name, _)| name == "timeline"));
/// assert!(report.csv_files()?.iter().any(|(name, text)| name == "timeline" && text.lines().count() > 1));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug)]
pub struct Report<'a>(pub(super) content::Report<'a>);

impl Report<'_> {
    /// The answer, in sentences.
    pub fn answer(&self) -> impl Iterator<Item = &str> {
        self.0.answer.iter().map(|statement| statement.text.as_str())
    }

    /// The page: one file that needs nothing else.
    ///
    /// # Errors
    /// A chart cannot be drawn: a defect.
    pub fn html(&self) -> Result<String, Error> {
        let drawings: Vec<String> = self.charts()?.into_iter().map(|(_, svg)| svg).collect();
        Ok(html::html(&self.0, &drawings))
    }

    /// Short, in Markdown: for a comment on a pull request.
    pub fn markdown(&self) -> String {
        markdown::markdown(&self.0)
    }

    /// All of it as JSON.
    pub fn json(&self) -> String {
        json::report(&self.0)
    }

    /// Every figure with its interval as JSON: what the command writes as `summary.json`.
    pub fn summary_json(&self) -> String {
        json::summary(&self.0)
    }

    /// Every chart: its name and its SVG document.
    ///
    /// # Errors
    /// A chart cannot be drawn: a defect.
    pub fn charts(&self) -> Result<Vec<(String, String)>, Error> {
        let draw = |part: &content::ChartPart| {
            let svg = svg::draw(&part.chart, part.size).map_err(Error::could_not)?;
            Ok((part.name.clone(), svg))
        };
        self.0.charts.iter().map(draw).collect()
    }

    /// Every table for programs: its name and its CSV text.
    ///
    /// # Errors
    /// A table cannot be written: a defect.
    pub fn csv_files(&self) -> Result<Vec<(String, String)>, Error> {
        let text = |dataset: crate::report::data::Dataset<'_>| {
            let (name, mut bytes) = (dataset.name.clone(), Vec::new());
            csv::write(dataset, &mut bytes).map_err(Error::could_not)?;
            String::from_utf8(bytes).map(|text| (name, text)).map_err(Error::could_not)
        };
        self.0.datasets().into_iter().map(text).collect()
    }
}

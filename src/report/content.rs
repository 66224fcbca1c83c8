//! The report: everything that is shown or written of a result, as data.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::Serializer;

use super::chart::{AnyChart, Size};
use super::data::{self, Dataset, Records, figures};
use super::looks::Look;
use super::results::Results;
use super::statement::{PromiseVerdict, Statement};
use super::summary::Summary;
use super::table::Table;
use super::{backtested, explained};
use crate::sim::Window;

/// Version of the form of a report: raised when a program that reads it has to change.
pub const REPORT_VERSION: u32 = 1;

/// What there is to say of a result, composed once and rendered in several forms.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// Version of this form: [`REPORT_VERSION`].
    pub schema_version: u32,
    /// What it is about.
    pub head: Head,
    /// Whether the promise is kept; `None` if nothing is promised.
    pub verdict: Option<PromiseVerdict>,
    /// What has to be known before any figure is read: an overloaded pool.
    pub warnings: Vec<Statement>,
    /// The answer, in sentences.
    pub answer: Vec<Statement>,
    /// More sentences, for those who read on: the scope of a sweep, every pair of a comparison.
    pub details: Vec<Statement>,
    /// What was read, as the simulator understood it.
    pub reading: Vec<Statement>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The charts.
    pub charts: Vec<ChartPart>,
    /// The runs that are shown window by window.
    pub runs: Vec<RunPart<'a>>,
    /// Single runs of settings, to be looked at beside their figures.
    pub looks: Vec<Look>,
    /// Manifests of settings, by the place of their points, where the command knows the file that they are written from.
    #[serde(skip)]
    pub manifests: BTreeMap<usize, String>,
    /// What a reader should know: intervals, warm-up, what is not modelled.
    pub notes: Vec<Statement>,
    /// Where it comes from: version, command, seed.
    pub origin: String,
    /// Every figure of every alternative, as in `summary.json`.
    #[serde(rename = "summary", serialize_with = "summary")]
    pub results: Results<'a>,
}

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The headline.
    pub title: String,
    /// What was done: `run`, `sweep`, `compare`, `explain` or `recommend`.
    pub command: &'static str,
    /// Whether all that was asked for finished.
    pub complete: bool,
}

/// A chart with its place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChartPart {
    /// Name of its files, without an extension; may lie in a folder of its own.
    pub name: String,
    /// How to read it, below it; may be empty.
    pub caption: String,
    /// Its size as a picture.
    pub size: Size,
    /// Whether it shows what happened over a run, and not settings side by side.
    #[serde(skip)]
    pub is_of_a_run: bool,
    /// What it shows.
    pub chart: AnyChart,
}

/// A run that is shown window by window.
#[derive(Debug, Clone, Serialize)]
pub struct RunPart<'a> {
    /// The folder of its files: empty, or with a slash at its end.
    pub place: String,
    /// What was run.
    pub title: String,
    /// Its windows.
    pub windows: Records<'a, Window>,
}

impl<'a> Report<'a> {
    /// The tables for programs: timelines, replications, and the points of a sweep or the differences of a comparison.
    pub fn datasets(&self) -> Vec<Dataset<'a>> {
        let timelines = self.runs.iter().map(|run| run.windows.dataset(format!("{}timeline", run.place)));
        let rest = match self.results {
            Results::Run(_, result) => vec![figures::run_replications(result)],
            Results::Sweep(_, result) => vec![figures::points(result), figures::sweep_replications(result)],
            Results::Compare(_, result) => {
                vec![data::differences(result), figures::compare_replications(result)]
            }
            Results::Explain(result) => vec![explained::causes(result)],
            Results::Recommend(..) => Vec::new(),
            Results::Backtest(result) => vec![backtested::windows(result)],
        };
        timelines.chain(rest).collect()
    }

    /// The tables called `id`.
    pub fn tables_called<'r>(&'r self, id: &'r str) -> impl Iterator<Item = &'r Table> {
        self.tables.iter().filter(move |table| table.id == id)
    }
}

fn summary<S: Serializer>(results: &Results<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    Summary::of(results).serialize(serializer)
}

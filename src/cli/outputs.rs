//! What a command shows of its report, and when: the answer as soon as there is one, then, when the files are written,
//! where they are.

use clap::builder::TypedValueParser as _;

use super::{Answer, COULD_NOT, DONE, Failure, Global, SLO_MISSED, SLO_UNCERTAIN, Show, progress};
use crate::experiment::SloVerdict;
use crate::report::content::{ChartPart, Report};
use crate::report::render::{DATA_FORMATS, DataFormat, RunOrigin, TEXT_FORMATS, json, markdown, terminal};
use crate::report::{Folder, write};

/// How a report is printed.
#[derive(Debug, clap::Args)]
pub(super) struct Printed {
    /// Print the summary in another form, such as Markdown for a pull request.
    #[arg(long, value_name = "FORM", value_parser = forms(), conflicts_with = "json")]
    summary: Option<String>,

    /// Write tables in another form besides CSV: all of them as Parquet, or timelines as OpenMetrics text, to be laid over a real
    /// dashboard.
    #[arg(
        long,
        value_name = "FORM",
        value_parser = data_forms(),
        value_delimiter = ',',
        requires_if("openmetrics", "start")
    )]
    format: Vec<String>,

    /// When the run is said to start, for `--format openmetrics`: date and time with zone, as in 2026-11-02T08:00:00Z.
    #[arg(long, value_name = "INSTANT", requires = "format")]
    start: Option<jiff::Timestamp>,
}

/// Whether the exit status says whether the SLO is kept.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Gate {
    /// Exit with 0 if the SLO is kept, 3 if it is missed, and 4 if that is uncertain: for a check of a pull request.
    #[arg(long)]
    gate: bool,
}

impl Gate {
    /// Refuses a scenario that promises nothing.
    pub fn check(self, promises: bool) -> Result<(), Failure> {
        if self.gate && !promises {
            return Err(Failure::bad_input(
                "error: `--gate` needs a promise\n  expected one to keep: [slo] with latency = \"2s\" and percentile = 99",
            ));
        }
        Ok(())
    }

    /// The answer with the exit status that the verdict of the report has.
    pub fn apply(self, mut answer: Answer, kept: Option<SloVerdict>) -> Answer {
        if self.gate && answer.status == DONE {
            answer.status = match kept {
                Some(SloVerdict::Yes) => DONE,
                Some(SloVerdict::No) => SLO_MISSED,
                _ => SLO_UNCERTAIN,
            };
        }
        answer
    }
}

fn forms() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(TEXT_FORMATS.iter().map(|format| format.name))
}

/// Forms that some builds lack.
const OPTIONAL_FORMS: [&str; 1] = ["parquet"];

fn data_forms() -> impl clap::builder::TypedValueParser<Value = String> {
    let asked = DATA_FORMATS.iter().filter(|format| !format.is_always).map(|format| format.name);
    let mut names: Vec<&str> = asked.chain(OPTIONAL_FORMS).collect();
    names.sort_unstable();
    names.dedup();
    clap::builder::PossibleValuesParser::new(names).try_map(|name| {
        match DATA_FORMATS.iter().any(|format| format.name == name) {
            true => Ok(name),
            false => Err(format!(
                "this build does not write it; released binaries do, and a build with \
                 `cargo install kneepoint --features {name}`"
            )),
        }
    })
}

impl Printed {
    /// The forms of the datasets: those always written, and those asked for.
    pub(super) fn formats(&self) -> Vec<&'static DataFormat> {
        let asked =
            |format: &&DataFormat| format.is_always || self.format.iter().any(|name| name == format.name);
        DATA_FORMATS.iter().filter(asked).collect()
    }

    fn text(&self, report: &Report<'_>, global: &Global) -> String {
        let chosen = self.summary.as_deref();
        let format = TEXT_FORMATS.iter().find(|format| Some(format.name) == chosen);
        match (global.json, format, global.quiet) {
            (true, ..) => json::summary(report),
            (false, Some(format), _) => (format.text)(report),
            (false, None, true) => String::new(),
            (false, None, false) => terminal::text(report, width()),
        }
    }

    /// The first chart as an image of Markdown: the file that is written to the folder `path`.
    fn chart(&self, report: &Report<'_>, path: &str) -> String {
        let shown = report.charts.first().filter(|_| self.summary.as_deref() == Some(markdown::FORMAT.name));
        let image = |chart: &ChartPart| format!("\n![{0}](<{path}/{0}.png>)\n", chart.name);
        shown.map_or_else(String::new, image)
    }

    /// Whether the text is one for people at a terminal.
    fn is_plain(&self, global: &Global) -> bool {
        !global.json && !global.quiet && self.summary.is_none()
    }
}

/// Characters of a line: what the environment says, else what the terminal says; `None` where the output is no terminal, and
/// any width will do.
pub(super) fn width() -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let found = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    said.or_else(found).filter(|width| *width >= LEAST_WIDTH)
}

/// Below it nothing fits anyhow.
const LEAST_WIDTH: usize = 40;

/// Shows the answer with the `warnings` before it, then draws the charts and writes the files, which takes longer. What is
/// returned is left to be shown: where the files are, and of work that was stopped what `stopped` says.
pub(super) fn deliver(
    report: &Report<'_>,
    folder: Folder,
    (printed, global): (&Printed, &Global),
    (warnings, stopped): (String, &str),
    show: &mut Show<'_>,
) -> Result<Answer, Failure> {
    let path = folder.path().display().to_string();
    let text = printed.text(report, global) + &printed.chart(report, &path);
    show(&Answer { stdout: text, stderr: warnings, status: DONE });
    let origin = RunOrigin {
        scenario: &report.head.title,
        start_ms: printed.start.map_or(0, jiff::Timestamp::as_millisecond),
    };
    progress::in_pool(global, || write(folder, report, (&printed.formats(), &origin)))?
        .map_err(Failure::could_not)?;
    let mut rest = Answer { status: DONE, ..Answer::default() };
    if printed.is_plain(global) {
        rest.stdout = format!("Outputs are in {path}\n");
    }
    if !report.head.complete {
        rest.status = COULD_NOT;
        rest.stderr = format!("stopped: {stopped} in {path}");
    }
    Ok(rest)
}

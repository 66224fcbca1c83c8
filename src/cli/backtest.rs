//! `kneepoint backtest FILE --observed PAST`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::outputs::{self, Printed};
use super::{Answer, Failure, Global, Show, progress, session};
use crate::backtest::{self, Backtest, BacktestError, Observed};
use crate::report::{Folder, compose, file_name};

/// Compare a simulation with what the endpoint really did.
///
/// Simulates the deployed settings on the recorded traffic and shows, window by window, ready instances, latency and lost
/// requests beside those measured; the error of each, of the cost, where they part, and the likeliest missing piece. Writes
/// summary.json, backtest.csv, a chart and report.html to output/<scenario name>-backtest. See docs/backtest.md.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  kneepoint backtest deployed.toml --observed yesterday.csv --ledger regret.csv --day 2026-11-26"
)]
pub(super) struct Arguments {
    /// The scenario file: the deployed settings, with the recorded traffic as its arrivals.
    file: PathBuf,
    /// What was measured: CSV or JSON with time_s and some of ready, latency_mean_s, latency_p50_s, latency_p99_s, ttft_mean_s,
    /// tpot_mean_s, promised_s (at the percentile of the SLO), lost.
    #[arg(long, value_name = "FILE")]
    observed: PathBuf,
    /// A scenario with recommended settings for the same traffic, for the ledger.
    #[arg(long, value_name = "FILE")]
    recommended: Option<PathBuf>,
    /// Append cost and misses of deployed, recommended and clairvoyant settings to this CSV file, a line a day.
    #[arg(long, value_name = "FILE", requires = "day")]
    ledger: Option<PathBuf>,
    /// What the line of the ledger is called, such as a date.
    #[arg(long, value_name = "TEXT", requires = "ledger")]
    day: Option<String>,
    #[command(flatten)]
    printed: Printed,
}

/// Larger than any file of measurements that is read.
const MOST_BYTES: u64 = 256 << 20;

pub(super) fn execute(
    arguments: &Arguments,
    global: &Global,
    show: &mut Show<'_>,
) -> Result<Answer, Failure> {
    let plan = session::read(&arguments.file, global)?;
    let warnings = session::warnings(&plan, global);
    session::check_fits(&plan, std::iter::once(&plan.scenario), global)?;
    let observed = read(&arguments.observed)?;
    let recommended = arguments.recommended.as_deref().map(|file| session::read(file, global)).transpose()?;
    let mut out = session::out(&plan, global);
    if global.out.is_none() {
        out.set_file_name(file_name(&format!("{}-backtest", plan.scenario.name)));
    }
    let folder = Folder::open(&out).map_err(Failure::could_not)?;
    let recommended = recommended.as_ref().map(|plan| &plan.scenario);
    let result = progress::watched(global, &[&plan.scenario], None, |evaluator| {
        backtest::backtest(plan.file(), &observed, recommended, evaluator)
    })?;
    let result = result.map_err(failed)?;
    let report = compose::backtest(&result);
    let answer = outputs::deliver(
        &report,
        folder,
        (&arguments.printed, global),
        (warnings, "what had finished is"),
        show,
    )?;
    if let (Some(ledger), Some(day)) = (&arguments.ledger, &arguments.day) {
        append(ledger, day, &result)?;
    }
    Ok(answer)
}

/// Why there is no comparison with the past.
pub(super) fn failed(error: BacktestError) -> Failure {
    match error {
        BacktestError::Scenario(error) => session::refused(error),
        BacktestError::Run(error) => Failure::of_run(&error, None),
        BacktestError::Observed(what) => Failure::bad_input(what),
        stopped @ BacktestError::Stopped => Failure::could_not(format!("{stopped}; nothing was written")),
    }
}

/// Reads what was measured.
pub(super) fn read(path: &Path) -> Result<Observed, Failure> {
    let shown = path.display().to_string();
    let refused = |why: String| Failure::bad_input(format!("error: cannot read `{shown}`: {why}"));
    let size = std::fs::metadata(path).map_err(|error| refused(error.to_string()))?.len();
    if size > MOST_BYTES {
        return Err(refused(format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    Observed::read(&shown, &text).map_err(|error| Failure::bad_input(error.to_string()))
}

/// Adds a line to the ledger, with its header where it is new.
fn append(path: &Path, day: &str, result: &Backtest) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::could_not(format!("cannot write `{}`: {error}", path.display()));
    let (header, line) = result.ledger(day);
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    let new = file.metadata().map_err(failed)?.len() == 0;
    let text = if new { format!("{header}\n{line}\n") } else { format!("{line}\n") };
    file.write_all(text.as_bytes()).map_err(failed)
}

//! Long work: a pool of threads, a progress bar on a terminal, and Ctrl-C.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{COULD_NOT, Failure, Global, memory};
use crate::cancel::CancelToken;
use crate::experiment::{Evaluator, Progress, Store};
use crate::report::format;
use crate::scenario::{Scenario, Warmup};
use crate::time::Span;
use crate::units::show_span;

/// How often the bar is drawn.
const REDRAW: Duration = Duration::from_millis(100);

/// Does `work` on as many threads as asked for, watched and interruptible. Its records are kept in `store`.
pub(super) fn watched<T: Send>(
    global: &Global,
    scenarios: &[&Scenario],
    store: Option<&dyn Store>,
    work: impl FnOnce(&Evaluator<'_>) -> T + Send,
) -> Result<T, Failure> {
    let max_waiting = memory::budget(threads(global)).max_waiting(scenarios);
    let evaluator = Evaluator { store, max_waiting, ..Evaluator::default() };
    stop_on_ctrl_c(evaluator.cancel.clone())?;
    let threads = pool(global)?;
    let bar = bar(global, scenarios);
    let done = AtomicBool::new(false);
    let result = std::thread::scope(|scope| {
        if !bar.is_hidden() {
            scope.spawn(|| draw(&bar, &evaluator.progress, scenarios, &done));
        }
        let result = threads.install(|| work(&evaluator));
        done.store(true, Ordering::Relaxed);
        result
    });
    bar.finish_and_clear();
    Ok(result)
}

/// Does `work` on as many threads as asked for.
pub(super) fn in_pool<T: Send>(global: &Global, work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    Ok(pool(global)?.install(work))
}

/// The threads asked for.
pub(super) fn pool(global: &Global) -> Result<rayon::ThreadPool, Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads(global))
        .build()
        .map_err(|error| Failure::could_not(format!("cannot start threads: {error}")))
}

/// Threads to use.
pub(super) fn threads(global: &Global) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    global.threads.map_or_else(all, usize::from)
}

/// The first Ctrl-C asks the work to stop and write what is finished; a second one ends the process there and then.
fn stop_on_ctrl_c(cancel: CancelToken) -> Result<(), Failure> {
    ctrlc::set_handler(move || {
        if cancel.is_cancelled() {
            std::process::exit(i32::from(COULD_NOT));
        }
        cancel.cancel();
    })
    .map_err(|error| Failure::could_not(format!("cannot watch for Ctrl-C: {error}")))
}

fn bar(global: &Global, scenarios: &[&Scenario]) -> ProgressBar {
    if global.quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar =
        ProgressBar::new(scenarios.iter().map(|scenario| expected_requests(scenario)).sum::<f64>() as u64);
    match ProgressStyle::with_template("{bar:24} {percent:>3} %  {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Draws the bar until the work is done. Progress is counted in requests: runs are too few and too uneven.
fn draw(bar: &ProgressBar, progress: &Progress, scenarios: &[&Scenario], done: &AtomicBool) {
    let expected = bar.length().unwrap_or(0);
    let runs: u64 = scenarios.iter().map(|scenario| u64::from(scenario.run.replications)).sum();
    // Pilots and replications until a figure is sure come on top: how many, no one knows beforehand.
    let open = |scenario: &&Scenario| scenario.run.precision.is_some() || scenario.run.warmup == Warmup::Auto;
    let (of_runs, most) = match scenarios.iter().any(open) {
        true => (" runs".to_owned(), u64::MAX),
        // What confirms the answer comes on top of these.
        false => (format!(" of {runs} runs"), runs),
    };
    while !done.load(Ordering::Relaxed) {
        let requests = progress.requests();
        // Runs found in a store took none of this time.
        let found = (progress.stored() as f64 / runs.max(1) as f64 * expected as f64) as u64;
        bar.set_length(expected.saturating_sub(found));
        bar.set_position(requests.min(bar.length().unwrap_or(u64::MAX)));
        let elapsed = bar.elapsed().as_secs_f64();
        let rate = requests as f64 / elapsed.max(1e-3);
        let left = bar.length().unwrap_or(0).saturating_sub(requests) as f64 / rate.max(1.0);
        let note = progress.note();
        bar.set_message(match note.is_empty() {
            true => format!(
                "{}{of_runs}, {} requests/s, {} left",
                progress.runs().min(most),
                format::count(rate),
                show_span(Span::from_secs_f64(left.ceil())),
            ),
            false => format!("{} runs, {} requests/s; {note}", progress.runs(), format::count(rate)),
        });
        std::thread::sleep(REDRAW);
    }
}

fn expected_requests(scenario: &Scenario) -> f64 {
    let model = &scenario.model;
    let each = model.expected_requests(model.duration);
    each * f64::from(scenario.run.replications)
}

//! How work is watched, stopped and bounded.

use crate::api::Error;
use crate::cancel::CancelToken;
use crate::experiment::{Evaluator, MemoryBudget, Progress};
use crate::scenario::{Scenario, ScenarioFile};

/// How work is watched, stopped and bounded. Nothing in it changes a result.
///
/// ```
/// use kneepoint::error::ErrorKind;
/// use kneepoint::{CancelToken, Options, Progress, Scenario, run};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 10\n[run]\nduration = \"1m\"\nreplications = 5";
/// let scenario = Scenario::parse(text)?;
/// let (cancel, progress) = (CancelToken::default(), Progress::default());
/// let options = Options { cancel: cancel.clone(), progress: progress.clone(), ..Options::default() };
/// run(&scenario, &options)?;
/// assert_eq!(progress.runs(), 5);
///
/// // Most often from another thread, while the work goes on.
/// cancel.cancel();
/// assert_eq!(run(&scenario, &options).unwrap_err().kind(), ErrorKind::Cancelled);
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Stops the work within a fraction of a second; what has finished by then is returned.
    pub cancel: CancelToken,
    /// Counts what has been done.
    pub progress: Progress,
    /// Bytes of memory that all runs may take together; unlimited if `None`. What cannot fit is refused before it starts,
    /// and a run whose queue outgrows its share is stopped.
    pub memory_max: Option<u64>,
}

impl Options {
    /// What evaluates `scenarios`, all of which `file` gave, if they fit.
    pub(super) fn evaluator<'a>(
        &self,
        file: &ScenarioFile,
        scenarios: impl Iterator<Item = &'a Scenario>,
    ) -> Result<Evaluator<'static>, Error> {
        let scenarios: Vec<&Scenario> = scenarios.collect();
        let budget = MemoryBudget::of(self.memory_max.unwrap_or(u64::MAX), rayon::current_num_threads());
        for scenario in &scenarios {
            file.check_fits(scenario, budget.bytes, budget.parallel_runs)?;
        }
        Ok(Evaluator {
            cancel: self.cancel.clone(),
            progress: self.progress.clone(),
            max_waiting: budget.max_waiting(&scenarios),
            ..Evaluator::default()
        })
    }
}

//! `recommend` and `explain`, and what they come to.

use crate::api::{Error, Options, Report, Scenario};
use crate::experiment::{Evaluator, SloVerdict};
use crate::explain::{self as explaining, ExplainError, Explained, Measure};
use crate::recommend::{self as recommending, Budget};
use crate::report::{compose, recommendation};
use crate::scenario as inner;
use crate::stats::Estimate;
use crate::time::Span;

/// Finds the cheapest settings that keep the SLO under every condition, as the command `recommend` does: among those of
/// `[sweep.parameters]`, else among the natural ones of the autoscaler. `requests` bounds how many are simulated, roughly; with
/// the same number the answer is the same on any machine.
///
/// # Errors
/// What is wrong with the scenario, or it promises nothing, or has nothing to choose; a run that came to nothing.
///
/// ```
/// use kneepoint::{Options, Scenario, SloVerdict, recommend};
///
/// let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
///     instances = 20\n[slo]\nlatency = \"3s\"\npercentile = 90\n[run]\nduration = \"5m\"\n\
///     [sweep.parameters]\n\"autoscaler.instances\" = [8, 12, 20]";
/// let found = recommend(&Scenario::parse(text)?, None, &Options::default())?;
/// assert_eq!(found.keeps_slo(), Some(SloVerdict::Yes));
/// let changes: Vec<_> = found.changes().map(|(path, old, new)| (path, old, new)).collect();
/// assert_eq!(changes, [("autoscaler.instances", Some("20"), "12")]);
/// assert!(found.saving().and_then(|saving| saving.mean) > Some(0.3));
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn recommend(
    scenario: &Scenario,
    requests: Option<f64>,
    options: &Options,
) -> Result<Recommendation, Error> {
    let base = scenario.file.scenario()?;
    let evaluator = options.evaluator(&scenario.file, std::iter::once(&base))?;
    recommend_by(scenario, base, requests, &evaluator)
}

/// The recommendation for a scenario.
pub(super) fn recommend_by(
    scenario: &Scenario,
    base: inner::Scenario,
    requests: Option<f64>,
    evaluator: &Evaluator<'_>,
) -> Result<Recommendation, Error> {
    let space = scenario.file.space()?;
    if space.axes.is_empty() {
        return Err(Error::could_not("nothing to choose: expected [sweep.parameters]"));
    }
    let budget = requests.map_or(Budget::Unlimited, Budget::Requests);
    let found = recommending::recommend(&scenario.file, space, (budget, &|| Span::ZERO), evaluator)
        .map_err(|error| Error::of_run(&error, None))?;
    let result = found.ok_or_else(|| Error::could_not("nothing is promised: expected [slo]"))?;
    Ok(Recommendation { base, result })
}

/// What [`recommend`] comes to.
///
/// ```
/// use kneepoint::{Options, Scenario, recommend};
///
/// # let text = "[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\nkind = \"fixed\"\n\
/// #     instances = 20\n[slo]\nlatency = \"3s\"\npercentile = 90\n[run]\nduration = \"5m\"\n\
/// #     [sweep.parameters]\n\"autoscaler.instances\" = [8, 12, 20]";
/// let found = recommend(&Scenario::parse(text)?, None, &Options::default())?;
/// assert!(found.complete() && found.report().html()?.contains("</html>"));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug)]
pub struct Recommendation {
    base: inner::Scenario,
    result: recommending::Recommendation,
}

impl Recommendation {
    /// Whether it came to its end: if not, the work was stopped.
    pub fn complete(&self) -> bool {
        self.result.complete
    }

    /// Whether settings are known to keep the SLO.
    pub fn keeps_slo(&self) -> Option<SloVerdict> {
        recommendation::verdict(&self.base, &self.result).map(|verdict| verdict.kept)
    }

    /// What changes: the path of a key, its value in force if it has one, and the value recommended; nothing where nothing is
    /// recommended.
    pub fn changes(&self) -> impl Iterator<Item = (&str, Option<&str>, &str)> {
        let confirmed = self.result.recommended.is_some();
        let changes = self.result.changes.iter().filter(move |_| confirmed);
        changes.map(|change| (change.path.as_str(), change.old.as_deref(), change.new.as_str()))
    }

    /// Cost per hour of the settings recommended, over the fresh replications that confirmed them.
    pub fn cost_per_hour(&self) -> Option<Estimate> {
        self.result.recommended.as_ref().map(|standing| standing.cost_per_hour)
    }

    /// The share of the cost in force that is saved.
    pub fn saving(&self) -> Option<Estimate> {
        self.result.saving
    }

    /// The report.
    pub fn report(&self) -> Report<'_> {
        Report(compose::recommend(&self.base, &self.result, &[]))
    }
}

/// Explains why a scenario is slow when it is slow, and why it costs what it costs: by running it again on the same random
/// numbers with one cause taken away at a time.
///
/// # Errors
/// What is wrong with the scenario; a run that came to nothing; the work was cancelled.
///
/// ```
/// use kneepoint::{Options, Scenario, explain};
///
/// let scenario = Scenario::load("scenarios/walkthrough.toml")?;
/// let explained = explain(&scenario, &Options::default())?;
/// for (cause, share) in explained.of_cost() {
///     println!("{cause}: {:?} of the cost", share.mean);
/// }
/// assert!(explained.report().answer().next().is_some());
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn explain(scenario: &Scenario, options: &Options) -> Result<Explanation, Error> {
    let base = scenario.file.scenario()?;
    let evaluator = options.evaluator(&scenario.file, std::iter::once(&base))?;
    let explained = explaining::explain(&scenario.file, None, None, &evaluator);
    explained.map(Explanation).map_err(|error| match error {
        ExplainError::Scenario(error) => error.into(),
        ExplainError::Run(error) => Error::of_run(&error, None),
        ExplainError::Stopped => Error::cancelled("every counterfactual had been run"),
    })
}

/// What [`explain`] comes to.
///
/// ```
/// use kneepoint::{Options, Scenario, explain};
///
/// let explained = explain(&Scenario::load("scenarios/walkthrough.toml")?, &Options::default())?;
/// assert!(explained.report().html()?.contains("</html>"));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug)]
pub struct Explanation(Explained);

impl Explanation {
    /// The causes of requests that missed the SLO, each with its Shapley share.
    pub fn of_missed_requests(&self) -> impl Iterator<Item = (&'static str, Estimate)> {
        self.of(Measure::MissedRequests)
    }

    /// The causes of the cost, likewise.
    pub fn of_cost(&self) -> impl Iterator<Item = (&'static str, Estimate)> {
        self.of(Measure::Cost)
    }

    fn of(&self, measure: Measure) -> impl Iterator<Item = (&'static str, Estimate)> {
        let effect = move |account: &explaining::CauseAccount| {
            account.effects.get(&measure).map(|effect| (account.cause.name, effect.share))
        };
        self.0.accounts.iter().filter_map(effect)
    }

    /// The report.
    pub fn report(&self) -> Report<'_> {
        Report(compose::explain(&self.0))
    }
}

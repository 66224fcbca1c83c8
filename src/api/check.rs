//! `check`: reading a scenario without running it.

use crate::api::{Error, Scenario};

/// What there is to know of a scenario before it is run.
///
/// ```
/// use kneepoint::{Scenario, check};
///
/// let checked = check(&Scenario::load("scenarios/quickstart.toml")?)?;
/// assert!(checked.requests > 1_000.0 && checked.warnings.is_empty());
/// assert!(checked.reading.iter().any(|line| line.starts_with("service: ")));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Checked {
    /// Points of its sweep; without one, the scenario and its variants.
    pub points: usize,
    /// Its variants by name.
    pub variants: Vec<String>,
    /// Replications of each.
    pub replications: u32,
    /// Requests expected in one run of it.
    pub requests: f64,
    /// What of it, or of a manifest that it names, is not modelled or has no effect.
    pub warnings: Vec<String>,
    /// What was read, as the simulator understands it: a line each for arrivals, service, cold start, price, SLO and
    /// autoscaler, each begun with its topic.
    pub reading: Vec<String>,
}

/// Checks a scenario without running it: every key, unit and value, the variants, and the points of the sweep.
///
/// # Errors
/// The first thing that is wrong with it.
///
/// ```
/// use kneepoint::{Scenario, check};
///
/// let mut scenario = Scenario::load("scenarios/quickstart.toml")?;
/// assert!(check(&scenario)?.points > 1);
/// scenario.set("arrivals.rte", "20")?;
/// let error = check(&scenario).unwrap_err().to_string();
/// assert!(error.contains("unknown key `rte`") && error.contains("did you mean `rate`?"));
/// # Ok::<(), kneepoint::Error>(())
/// ```
pub fn check(scenario: &Scenario) -> Result<Checked, Error> {
    let points = scenario.file.points()?.len();
    let alternatives = scenario.alternatives()?;
    let mut warnings: Vec<String> = Vec::new();
    for warning in alternatives.iter().flat_map(|(_, alternative)| &alternative.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    let base = &alternatives[0].1;
    let duration = base.model.duration;
    Ok(Checked {
        points,
        replications: base.run.replications,
        requests: base.model.expected_requests(duration),
        warnings,
        reading: base.reading.iter().map(|fact| format!("{}: {}", fact.topic, fact.text)).collect(),
        variants: alternatives.into_iter().filter_map(|(variant, _)| variant).collect(),
    })
}

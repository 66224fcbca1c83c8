//! The manifests of the settings of a sweep, so that a page can hand out the one that is chosen in the form in which it is deployed.

use std::collections::BTreeMap;

use super::sentences;
use crate::experiment::{PointResult, SweepResult};
use crate::scenario::{Scenario, ScenarioFile, Setting};

/// Settings whose manifest a page has at most; those of the frontier come first.
const MOST_MANIFESTS: usize = 40;

/// The manifests of the settings of the frontier, of the knee and of the one to choose, by the place of their points. A setting
/// that no manifest of its system can express has none, and neither has a variant, which may change other tables too.
pub fn manifests(file: &ScenarioFile, scenario: &Scenario, result: &SweepResult) -> BTreeMap<usize, String> {
    let origin = format!("Computed by {}", sentences::origin("sweep", scenario));
    let special = [result.pick(), result.knee, result.cheapest_within_slo()];
    let wanted = |(place, point): &(usize, &PointResult)| {
        point.point.variant.is_none() && (point.frontier.on || special.contains(&Some(*place)))
    };
    let written = |(place, point): (usize, &PointResult)| {
        let settings: &[(String, Setting)] = &point.point.settings;
        let manifest = file.manifest_with(settings, (&scenario.name, &origin)).ok()?;
        Some((place, manifest.text))
    };
    result.points.iter().enumerate().filter(wanted).take(MOST_MANIFESTS).filter_map(written).collect()
}

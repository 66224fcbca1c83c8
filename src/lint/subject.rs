//! What lints look at: a pool of a scenario, and the keys of its autoscaler as they are written.

use serde_json::Value as Json;

use crate::autoscaler::Signal;
use crate::scenario::Scenario;
use crate::sim::Model;
use crate::time::Span;
use crate::units::parse_span;

/// Replications whose peaks are looked at.
const LOOKED_AT: u32 = 5;

/// See the module.
pub(super) struct Subject<'a> {
    scenario: &'a Scenario,
    /// The pool that is looked at: the scenario's own, or the one that decodes.
    pub model: &'a Model,
    autoscaler: &'a Json,
}

impl<'a> Subject<'a> {
    pub fn new(scenario: &'a Scenario, model: &'a Model, autoscaler: &'a Json) -> Self {
        Subject { scenario, model, autoscaler }
    }

    /// The kind of the autoscaler.
    pub fn kind(&self) -> &'a str {
        text(self.autoscaler, "kind").unwrap_or("")
    }

    /// The value at a path of the autoscaler's table, with slashes: `up/cooldown`.
    pub fn at(&self, path: &str) -> Option<&'a Json> {
        self.autoscaler.pointer(&format!("/{path}"))
    }

    /// The number at a path.
    pub fn number(&self, path: &str) -> Option<f64> {
        self.at(path)?.as_f64()
    }

    /// The time at a path, in seconds.
    pub fn seconds(&self, path: &str) -> Option<f64> {
        seconds(self.at(path)?)
    }

    /// The items of the list at a path.
    pub fn list(&self, path: &str) -> &'a [Json] {
        self.at(path).and_then(Json::as_array).map_or(&[], Vec::as_slice)
    }

    /// Mean time from the decision to ready, in seconds.
    pub fn start_s(&self) -> f64 {
        self.model.instances.cold_start.iter().map(|stage| stage.time.0.mean()).sum()
    }

    /// Whether the number of instances ever changes.
    pub fn scales(&self) -> bool {
        let limits = self.model.autoscaler.limits();
        limits.min < limits.max
    }

    /// Instances that the arrivals keep busy at their peak.
    pub fn needed(&self) -> f64 {
        let looked_at = 0..self.scenario.run.replications.min(LOOKED_AT);
        looked_at.map(|number| self.scenario.instances_needed_of(self.model, number)).fold(0.0, f64::max)
    }
}

/// The text of a key of a table.
pub(super) fn text<'a>(table: &'a Json, key: &str) -> Option<&'a str> {
    table.get(key)?.as_str()
}

/// A time as JSON, in seconds.
pub(super) fn seconds(value: &Json) -> Option<f64> {
    parse_span(value.as_str()?).ok().map(Span::as_secs_f64)
}

/// The signal that a metric or trigger reads, by its `signal` or its name.
pub(super) fn signal(metric: &Json) -> Option<Signal> {
    let named = |name: &str| Signal::ALL.iter().copied().find(|signal| signal.name() == name);
    text(metric, "signal").and_then(named).or_else(|| text(metric, "name").and_then(named))
}

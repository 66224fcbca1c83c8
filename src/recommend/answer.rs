//! What a recommendation comes to, as plain data: `recommendation.json` and the report are functions of it.

use serde::{Serialize, Serializer};

use crate::experiment::{Figures, PromiseSummary, SloVerdict};
use crate::scenario::Setting;
use crate::sim::Window;
use crate::stats::Estimate;

/// What `recommend` comes to.
#[derive(Debug, Clone, Serialize)]
pub struct Recommendation {
    /// Whether it came to its end: if not, the work was stopped.
    pub complete: bool,
    /// How it ended.
    pub ending: Ending,
    /// What was tried.
    pub tried: Tried,
    /// The settings in force, on the same fresh random numbers as those recommended; `None` if their queue outgrows the
    /// memory, or the work was stopped before.
    pub today: Option<Standing>,
    /// The settings recommended: confirmed, with the figures of the fresh replications that confirmed them.
    pub recommended: Option<Standing>,
    /// Where none is confirmed: the cheapest that seemed to keep the promise, else the one nearest to it. By the race alone.
    pub best_estimate: Option<Alternative>,
    /// The same in full.
    pub estimated: Option<Standing>,
    /// Whether the budget ended before any settings could be confirmed.
    pub budget_spent: bool,
    /// What changes.
    pub changes: Vec<ChangedSetting>,
    /// The share of today's cost that is saved.
    pub saving: Option<Estimate>,
    /// How much more the choice stands.
    pub margins: Vec<Margin>,
    /// The knee, and the next two on the frontier.
    pub alternatives: Vec<Alternative>,
    /// Cheaper settings that could not be decided.
    pub undecided: Vec<Undecided>,
    /// Settings at the end of what was tried: path, value, and whether it is the greatest.
    pub edges: Vec<(String, String, bool)>,
    /// All that were tried, by the race.
    pub points: Vec<Point>,
    /// How far the simulation of the settings in force is from what was measured; empty if nothing was.
    pub past: Vec<PastError>,
}

/// How far simulated and measured are apart in one respect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PastError {
    /// What was measured.
    pub field: &'static str,
    /// Mean of the absolute differences over the mean measured.
    pub apart: f64,
}

/// A mean error above which a model is said to miss the past. Two real runs of one load are 7 to 11 % apart.
pub const MISSES_PAST: f64 = 0.15;

impl Recommendation {
    /// The respect in which the simulation misses the past by most, if it does.
    pub fn misses_past(&self) -> Option<PastError> {
        let missed = self.past.iter().copied().filter(|error| error.apart > MISSES_PAST);
        missed.max_by(|a, b| a.apart.total_cmp(&b.apart))
    }

    /// The settings in force and those of the answer, with what the latter are called: only what is confirmed is recommended.
    pub fn standings(&self) -> Vec<(&'static str, &Standing)> {
        let all = match self.ending {
            Ending::TodayIsCheapest => vec![("today, recommended", &self.recommended)],
            _ => vec![
                ("today", &self.today),
                ("recommended", &self.recommended),
                ("estimated", &self.estimated),
            ],
        };
        let known = all.into_iter().filter_map(|(name, standing)| Some((name, standing.as_ref()?)));
        known.collect()
    }
}

/// How a recommendation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Settings were confirmed on fresh random numbers.
    Confirmed,
    /// Those in force are the cheapest, confirmed likewise.
    TodayIsCheapest,
    /// None could be confirmed.
    Unconfirmed,
    /// Stopped before any was confirmed.
    Stopped,
}

/// What was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tried {
    /// Different settings.
    pub settings: usize,
    /// Combinations of all values at the beginning.
    pub combinations: f64,
    /// Whether all of these were tried, rather than searched.
    pub exhausted: bool,
    /// Combinations that are no scenario.
    pub refused: usize,
    /// Settings whose queue outgrows the memory.
    pub overgrown: usize,
    /// Conditions that each setting met.
    pub conditions: usize,
    /// Whether the settings are those that come with the autoscaler.
    pub shipped: bool,
    /// Runs of search and race.
    pub race_runs: u64,
    /// Runs of verification.
    pub fresh_runs: u32,
    /// Requests of both.
    pub requests: f64,
}

/// How settings stand: by fresh replications, those estimated by the race alone.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    /// Values by path.
    #[serde(serialize_with = "by_path")]
    pub settings: Vec<(String, String)>,
    /// Replications.
    pub replications: u32,
    /// Cost per hour: the mean over the conditions.
    pub cost_per_hour: Estimate,
    /// Under each condition.
    pub by_condition: Vec<UnderCondition>,
}

/// How settings stand under one condition.
#[derive(Debug, Clone, Serialize)]
pub struct UnderCondition {
    /// Values by path; empty if there are no conditions.
    #[serde(serialize_with = "by_path")]
    pub condition: Vec<(String, String)>,
    /// Whether they keep the SLO.
    pub keeps: Option<SloVerdict>,
    /// How each promise is kept.
    pub promises: Vec<PromiseSummary>,
    /// Cost per hour.
    pub cost_per_hour: Estimate,
    /// Share of the time in windows that keep the SLO.
    pub share_of_time: Estimate,
    /// The worst window of one run.
    pub worst_window: Option<WorstWindow>,
    /// How the greatest number of instances allowed binds; `None` if no run reaches it.
    pub maximum: Option<BindingMaximum>,
    /// Every figure.
    pub figures: Figures,
}

/// The greatest number of instances allowed, which some run reaches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BindingMaximum {
    /// It.
    pub instances: u32,
    /// Path of the key that sets it.
    pub key: String,
    /// Share of the runs that reach it.
    pub share_of_runs: f64,
    /// Instances that the arrivals keep busy at their peak, in one run.
    pub needed: f64,
}

/// The window of a run in which the largest share of the requests missed the SLO.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WorstWindow {
    /// Its start, in seconds from that of the run.
    pub start_s: f64,
    /// Its length in seconds.
    pub length_s: f64,
    /// Requests that ended in it.
    pub ended: u64,
    /// The share of them that missed the SLO.
    pub missed: f64,
}

/// Requests of a window below which its share of misses says nothing.
const TOO_FEW: u64 = 20;

impl WorstWindow {
    /// That of a timeline, of the windows with enough requests; `None` if none has, or none misses any.
    pub fn of(timeline: &[Window]) -> Option<WorstWindow> {
        let one = |window: &Window| {
            let ended = window.served + window.lost;
            (ended >= TOO_FEW).then(|| WorstWindow {
                start_s: window.end_s - window.length_s,
                length_s: window.length_s,
                ended,
                missed: 1.0 - window.good as f64 / ended as f64,
            })
        };
        let worst = timeline
            .iter()
            .filter_map(one)
            .reduce(|worst, window| if window.missed > worst.missed { window } else { worst });
        worst.filter(|worst| worst.missed > 0.0)
    }
}

/// A setting that changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangedSetting {
    /// Path of its key.
    pub path: String,
    /// Its value now; `None` if it has none.
    pub old: Option<String>,
    /// Its value recommended, or estimated to be the best where nothing is confirmed.
    pub new: String,
    /// The same as a value.
    #[serde(skip)]
    pub value: Setting,
}

/// How far a promise holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Margin {
    /// Of what.
    pub of: MarginOf,
    /// The greatest factor tried with which the promise is kept on average.
    pub keeps_to: f64,
    /// The least with which it is not; `None` if all tried keep it.
    pub breaks_at: Option<f64>,
    /// The factor at which the promise breaks, between two that were tried, with the interval that follows from that of the
    /// misses; the greatest tried where `beyond`.
    pub factor: Estimate,
    /// Whether it lies beyond the greatest factor tried.
    pub beyond: bool,
    /// Fresh replications of each factor.
    pub replications: u32,
}

/// What a margin is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarginOf {
    /// All rates of the arrivals.
    Traffic,
    /// All times of cold starts.
    ColdStart,
}

/// Other settings, as the race estimates them.
#[derive(Debug, Clone, Serialize)]
pub struct Alternative {
    /// What they are: the knee, or faster.
    pub what: &'static str,
    /// Values by path; empty for those in force.
    #[serde(serialize_with = "by_path")]
    pub settings: Vec<(String, String)>,
    /// Cost per hour.
    pub cost_per_hour: Estimate,
    /// The time promised at its percentile, of a run, under the condition where it is longest.
    pub latency: Estimate,
    /// Whether they miss the SLO on average under some condition.
    pub misses_slo: bool,
    /// By how much of it the cost exceeds that of the choice.
    pub cost_more: Option<f64>,
    /// The same of the latency.
    pub latency_more: Option<f64>,
    /// Replications under each condition.
    pub replications: u32,
}

/// Cheaper settings that could not be decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Undecided {
    /// Values by path.
    #[serde(serialize_with = "by_path")]
    pub settings: Vec<(String, String)>,
    /// Cost per hour, by the race.
    pub cost_per_hour: f64,
    /// The share of the cost of the choice that they would save.
    pub saves: f64,
    /// Replications that deciding is expected to take.
    pub replications: f64,
}

/// Settings that were tried, for a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// "today", "recommended", or "estimated" where nothing is confirmed.
    pub name: Option<&'static str>,
    /// Their values in a line.
    pub settings: String,
    /// Cost per hour.
    pub cost_per_hour: Estimate,
    /// The time promised at its percentile.
    pub latency: Estimate,
    /// Whether they miss the SLO on average.
    pub misses_slo: bool,
}

fn by_path<S: Serializer>(values: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(path, value)| (path, value)))
}

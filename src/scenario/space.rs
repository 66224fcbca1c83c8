//! The settings that a recommendation chooses among: those of `[sweep.parameters]`, else the natural ones of the
//! autoscaler.

use super::file::ScenarioFile;
use super::manifest::{self, WrittenManifest};
use super::paths::{default_at, kind_at};
use super::setting::takes;
use super::{Scenario, ScenarioError, Setting};
use super::{circumstance, design};
use crate::autoscaler::manifest::Change;
use crate::schema::{Data, Kind, Node, Place, Tree};
use crate::sim::Model;
use crate::sorting::Sorting as _;
use crate::time::Span;

/// One setting to choose, with the values that are tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Path of its key.
    pub path: String,
    /// The values, numbers and durations in ascending order.
    pub levels: Vec<Setting>,
    /// Whether values beyond both ends may be tried where they look better.
    pub widens: bool,
    /// The least value that the system takes, where it is one that a reader should not be told to go below.
    pub least: Option<f64>,
    /// The value it has in the base scenario; `None` if it has none.
    pub today: Option<Setting>,
}

/// What a recommendation chooses among.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// The settings.
    pub axes: Vec<Axis>,
    /// Whether they are those that come with the autoscaler, rather than those of the scenario.
    pub shipped: bool,
    /// What may happen: one condition without any value, if the scenario names none.
    pub conditions: Vec<Vec<(String, Setting)>>,
}

/// The values that are tried of a setting that comes with an autoscaler.
#[derive(Debug, Clone, Copy)]
enum Levels {
    /// Targets in percent: 30 to 90.
    Percent,
    /// Targets as a share: 0.3 to 0.9.
    Share,
    /// Multiples of the value in force.
    Around,
    /// Instances always kept: none (where that is allowed), 1, 2, and up to the mean need.
    Min,
    /// The same of a system that keeps one always, unless it is told otherwise.
    MinOfOne,
    /// The size of a pool: about and above the mean need.
    Pool,
    /// Seconds.
    Times(&'static [u64]),
}

/// Multiples of the value in force that are tried.
const AROUND: [f64; 7] = [0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0];
/// The same of a second threshold.
const POOL: [f64; 9] = [0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0];

const COOLDOWNS: Levels = Levels::Times(&[60, 300, 900]);
const DELAYS: Levels = Levels::Times(&[0, 60, 300]);

/// The natural settings of each autoscaler, by its kind: fields that the real system has, in the ranges that it accepts (the
/// documentation of each; `docs/autoscalers.md`). `*` stands for each place of a list. A key that the scenario does not have
/// is left out.
const SPACES: &[(&str, &[(&str, Levels)])] = &[
    ("fixed", &[("instances", Levels::Pool)]),
    ("threshold", &[("up.above", Levels::Around), ("down.below", Levels::Around), ("min", Levels::Min)]),
    ("target", &[("target", Levels::Around), ("min", Levels::Min)]),
    ("setup", &[("keep_alive", Levels::Times(&[0, 60, 300, 900, 1800])), ("min", Levels::Min)]),
    (
        "hpa",
        &[
            ("metrics.*.average_utilization", Levels::Percent),
            ("metrics.*.average_value", Levels::Around),
            ("metrics.*.value", Levels::Around),
            ("behavior.scale_down.stabilization_window", COOLDOWNS),
            ("min", Levels::MinOfOne),
        ],
    ),
    (
        "keda",
        &[("triggers.*.threshold", Levels::Around), ("cooldown_period", COOLDOWNS), ("min", Levels::Min)],
    ),
    (
        "knative",
        &[
            ("target_utilization_percentage", Levels::Percent),
            ("scale_down_delay", DELAYS),
            ("min_scale", Levels::Min),
        ],
    ),
    ("cloud_run", &[("concurrency_target", Levels::Share), ("min_instances", Levels::Min)]),
    (
        "vertex",
        &[
            ("cpu_target", Levels::Percent),
            ("accelerator_target", Levels::Percent),
            ("request_count_target", Levels::Around),
            ("min_replica_count", Levels::MinOfOne),
        ],
    ),
    (
        "ray_serve",
        &[
            ("target_ongoing_requests", Levels::Around),
            ("upscale_delay", Levels::Times(&[0, 10, 30])),
            ("downscale_delay", Levels::Times(&[60, 300, 600])),
            ("min", Levels::Min),
        ],
    ),
    (
        "aws",
        &[
            ("policies.*.target", Levels::Around),
            ("policies.*.threshold", Levels::Around),
            ("policies.*.scale_in_cooldown", COOLDOWNS),
            ("min", Levels::MinOfOne),
        ],
    ),
    ("azure_monitor", &[("rules.*.threshold", Levels::Around), ("min", Levels::Min)]),
    (
        "hugging_face",
        &[("threshold", Levels::Around), ("stabilization_window", COOLDOWNS), ("min", Levels::Min)],
    ),
    (
        "llm_d",
        &[
            ("kv_cache_threshold", Levels::Share),
            ("queue_length_threshold", Levels::Around),
            ("min", Levels::MinOfOne),
        ],
    ),
    ("dynamo", &[("min", Levels::MinOfOne)]),
    ("in_flight_target", &[("utilization", Levels::Share), ("down_delay", COOLDOWNS), ("min", Levels::Min)]),
    ("scheduled", &[("entries.*.instances", Levels::Around)]),
    ("predictive", &[("margin", Levels::Around), ("lead", DELAYS), ("min", Levels::Min)]),
    ("clairvoyant", &[("margin", Levels::Around), ("min", Levels::Min)]),
];

impl Axis {
    /// The value beyond one end, as far as the last two lie apart; `None` where that is no value of the kind.
    pub fn beyond(&self, greatest: bool) -> Option<Setting> {
        let values: Vec<f64> = self.levels.iter().filter_map(Setting::value).collect();
        if !self.widens || values.len() != self.levels.len() || values.len() < 2 {
            return None;
        }
        let (edge, next) = match greatest {
            true => (values[values.len() - 1], values[values.len() - 2]),
            false => (values[0], values[1]),
        };
        // A step of the same size, or of the same factor where the values go by factors; towards zero by halves once a step
        // would come nearer to it than half the way.
        let mut beyond = if by_factors(&values) { edge * edge / next } else { 2.0 * edge - next };
        if !greatest {
            beyond = beyond.max(0.5 * edge);
        }
        let whole = values.iter().all(|value| value.fract() == 0.0);
        if whole {
            beyond = if greatest { beyond.round().max(edge + 1.0) } else { beyond.floor().min(edge - 1.0) };
        }
        let beyond = significant(beyond);
        (beyond >= self.least.unwrap_or(0.0) && beyond != edge).then(|| self.levels[0].like(beyond))
    }
}

impl Space {
    /// Places that fill the space evenly, as levels of each axis: a Latin hypercube.
    pub fn filling(&self, points: usize) -> Vec<Vec<usize>> {
        let place = |ranks: Vec<usize>| {
            let levels = ranks.iter().zip(&self.axes);
            levels.map(|(rank, axis)| rank * axis.levels.len() / points.max(1)).collect()
        };
        design::latin_hypercube(points, self.axes.len()).into_iter().map(place).collect()
    }
}

impl Setting {
    /// A number or a duration, as this is.
    fn like(&self, value: f64) -> Setting {
        match self {
            Setting::Duration(_) => Setting::Duration(Span::from_secs_f64(value)),
            _ => Setting::Number(value),
        }
    }
}

impl ScenarioFile {
    /// What a recommendation chooses among: the parameters of the sweep, else what comes with the autoscaler.
    ///
    /// # Errors
    /// What is wrong with the scenario or its sweep.
    pub fn space(&self) -> Result<Space, ScenarioError> {
        let tree = self.model_tree();
        let scenario = self.scenario()?;
        let sweep = self.sweep()?;
        let plain = |settings: Vec<(String, Setting, Node)>| {
            settings.into_iter().map(|(path, setting, _)| (path, setting)).collect()
        };
        let mut conditions = vec![Vec::new()];
        let mut axes: Vec<Axis> = Vec::new();
        if let Some(sweep) = &sweep {
            let wrong = |problem| self.error(problem);
            conditions = sweep.conditions(&tree).map_err(wrong)?.into_iter().map(plain).collect();
            for (path, mut levels, widens) in sweep.axes(&tree).map_err(wrong)? {
                ascending(&mut levels);
                let today = value_at(&tree, &path);
                axes.push(Axis { path, levels, widens, least: Some(0.0), today });
            }
        }
        let shipped = axes.is_empty();
        if shipped {
            axes = self.shipped(&tree, &scenario);
        }
        Ok(Space { axes, shipped, conditions })
    }

    /// The scenario with these settings under this condition.
    ///
    /// # Errors
    /// What is wrong with it then.
    pub fn with(
        &self,
        settings: &[(String, Setting)],
        condition: &[(String, Setting)],
    ) -> Result<Scenario, ScenarioError> {
        self.read(&self.tree_with(settings, condition)?)
    }

    /// The same with `traffic` times the requests, and instances that take `cold_start` times as long to start; `None` if the
    /// scenario does not write them so that they can be multiplied.
    pub fn with_factors(
        &self,
        settings: &[(String, Setting)],
        condition: &[(String, Setting)],
        (traffic, cold_start): (f64, f64),
    ) -> Option<Scenario> {
        let mut tree = self.tree_with(settings, condition).ok()?;
        if traffic != 1.0 {
            tree = circumstance::with_traffic(&tree, traffic)?;
        }
        if cold_start != 1.0 {
            tree = circumstance::with_cold_starts(&tree, cold_start)?;
        }
        self.read(&tree).ok()
    }

    fn tree_with(
        &self,
        settings: &[(String, Setting)],
        condition: &[(String, Setting)],
    ) -> Result<Tree, ScenarioError> {
        let node = |(path, setting): &(String, Setting)| (path.clone(), setting.node(&Place::Nowhere));
        let changes: Vec<(String, Node)> = settings.iter().chain(condition).map(node).collect();
        self.tree_of(&self.model_tree(), changes.iter().map(|(path, node)| (path.as_str(), node)))
    }

    /// The manifest with these settings in the place of those in force: the one that the scenario names, with only their fields
    /// changed, else a whole new one that says its `origin`.
    ///
    /// # Errors
    /// Why it cannot be written, as one sentence: a setting that is none of the autoscaler, or that the system cannot express.
    pub fn manifest_with(
        &self,
        settings: &[(String, Setting)],
        origin: (&str, &str),
    ) -> Result<WrittenManifest, String> {
        let change = |(path, setting): &(String, Setting)| {
            let key = path.strip_prefix("autoscaler.").ok_or_else(|| {
                format!("`{path}` is no setting of the autoscaler, so no manifest of one holds it")
            })?;
            let value = match setting.node(&Place::Nowhere).data {
                Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                    Data::Integer(number as i64)
                }
                data => data,
            };
            Ok(Change { key: key.to_owned(), value })
        };
        let changes: Vec<Change> = settings.iter().map(change).collect::<Result<_, String>>()?;
        manifest::written(&self.model_tree(), self.context(), &changes, origin)
    }

    /// The spaces of the autoscalers: of the pool, and of the one that decodes if it is another.
    fn shipped(&self, tree: &Tree, scenario: &Scenario) -> Vec<Axis> {
        let mut axes = self.shipped_of(tree, "", &scenario.model);
        if let Some(pool) = scenario.model.decode_pool() {
            axes.extend(self.shipped_of(tree, "decode.", &pool));
        }
        axes
    }

    /// The space of the autoscaler of a pool whose tables have this prefix.
    fn shipped_of(&self, tree: &Tree, prefix: &str, model: &Model) -> Vec<Axis> {
        let kind = match tree.get(&format!("{prefix}autoscaler.kind")).map(|node| &node.data) {
            Some(Data::Text(kind)) => kind.as_str(),
            _ => return Vec::new(),
        };
        let keys = SPACES.iter().find(|(name, _)| *name == kind).map_or(&[][..], |(_, keys)| *keys);
        let rate = model.expected_requests(model.duration) / model.duration.as_secs_f64();
        let need = rate / model.service.throughput();
        let paths = keys.iter().flat_map(|(key, levels)| {
            let path = format!("{prefix}autoscaler.{key}");
            places(tree, &path).into_iter().map(move |path| (path, *levels))
        });
        let axis = |(path, levels): (String, Levels)| {
            let kind = kind_at(tree, &path, &Place::Nowhere).ok()?;
            let today = value_at(tree, &path);
            let none = today.as_ref().is_some_and(|today| today.value() == Some(0.0));
            let least = Some(if matches!(levels, Levels::MinOfOne) && !none { 1.0 } else { 0.0 });
            let mut levels = levels_of(levels, today.as_ref(), &kind, need)?;
            // A value that the system refuses is not tried: a minimum of none where one is kept always.
            levels.retain(|level| {
                today.as_ref() == Some(level) || self.with(&[(path.clone(), level.clone())], &[]).is_ok()
            });
            (levels.len() > 1).then_some(Axis { path, levels, widens: true, least, today })
        };
        paths.filter_map(axis).collect()
    }
}

/// Whether values follow one another by about the same factor, as 1, 2, 5, 10 do, and by steps that grow.
fn by_factors(values: &[f64]) -> bool {
    let factors: Vec<f64> = values.windows(2).map(|pair| pair[1] / pair[0]).collect();
    let (least, most) = factors
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(least, most), each| (least.min(*each), most.max(*each)));
    let step = |at: usize| values[at + 1] - values[at];
    let grows = factors.len() >= 2 && step(factors.len() - 1) >= 1.5 * step(0);
    grows && values[0] > 0.0 && least >= 1.5 && most <= 1.7 * least
}

/// The paths that a path with `*` stands for in this scenario: those that it writes.
fn places(tree: &Tree, path: &str) -> Vec<String> {
    let Some((before, after)) = path.split_once(".*.") else { return vec![path.to_owned()] };
    let items = match tree.get(before).map(|node| &node.data) {
        Some(Data::Array(items)) => items.len(),
        _ => 0,
    };
    let paths = (0..items).map(|index| format!("{before}.{index}.{after}"));
    paths.filter(|path| tree.get(path).is_some()).collect()
}

/// The values to be tried, ascending, the one in force among them; `None` if there is nothing to go by.
fn levels_of(levels: Levels, today: Option<&Setting>, kind: &Kind, need: f64) -> Option<Vec<Setting>> {
    let fractions = takes(kind, |kind| matches!(kind, Kind::Number));
    let round = |value: f64| if fractions { significant(value) } else { value.round() };
    let numbers = |values: &mut dyn Iterator<Item = f64>| -> Vec<Setting> {
        values.map(|value| Setting::Number(round(value))).collect()
    };
    let now = today.and_then(Setting::value);
    let mut all = match levels {
        Levels::Percent => numbers(&mut (3..=9).map(|ten| f64::from(ten) * 10.0)),
        Levels::Share => numbers(&mut (3..=9).map(|tenth| f64::from(tenth) / 10.0)),
        Levels::Around => {
            let now = now.filter(|now| *now > 0.0)?;
            let setting = today?;
            AROUND
                .iter()
                .map(|factor| setting.like(round(now * factor)))
                .filter(|level| level.value() > Some(0.0))
                .collect()
        }
        Levels::Min | Levels::MinOfOne => {
            let up_to = need.ceil().clamp(2.0, 10_000.0);
            let first = if matches!(levels, Levels::Min) { 0.0 } else { 1.0 };
            numbers(&mut [first, 1.0, 2.0, (up_to / 2.0).ceil(), up_to].into_iter())
        }
        Levels::Pool => numbers(&mut POOL.iter().map(|times| (need * times).ceil().max(1.0))),
        Levels::Times(seconds) => {
            seconds.iter().map(|seconds| Setting::Duration(Span::from_secs(*seconds))).collect()
        }
    };
    all.extend(today.cloned());
    ascending(&mut all);
    Some(all)
}

/// Numbers and durations in ascending order, each once; names as they are.
fn ascending(levels: &mut Vec<Setting>) {
    if levels.iter().all(|level| level.value().is_some()) {
        levels.sort_once_by(|a, b| a.value().unwrap_or(0.0).total_cmp(&b.value().unwrap_or(0.0)));
    }
    levels.dedup();
}

/// The value in force at a path: what the scenario writes, else the default.
fn value_at(tree: &Tree, path: &str) -> Option<Setting> {
    let kind = kind_at(tree, path, &Place::Nowhere).ok()?;
    match tree.get(path) {
        Some(node) => Setting::of(node, &kind),
        None => Setting::of(&default_at(tree, path)?, &kind),
    }
}

/// With three significant digits, so that 0.7 × 0.85 reads 0.595.
fn significant(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped_files() -> Vec<std::path::PathBuf> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
        files.sort();
        files
    }

    #[test]
    fn every_autoscaler_but_one_of_lists_comes_with_a_space_whose_values_it_takes() {
        let mut kinds = std::collections::BTreeSet::new();
        for path in shipped_files() {
            let Ok(file) = ScenarioFile::load(&path) else { continue };
            let Ok(scenario) = file.scenario() else { continue };
            let tree = file.model_tree();
            let axes = file.shipped(&tree, &scenario);
            let Some(Node { data: Data::Text(kind), .. }) = tree.get("autoscaler.kind") else { continue };
            assert!(!axes.is_empty() || kind == "hysteresis", "{}: {kind} has no space", path.display());
            for axis in &axes {
                assert!(axis.levels.len() > 1 && axis.levels.len() <= 9, "{}: {axis:?}", path.display());
                assert!(axis.today.as_ref().is_none_or(|today| axis.levels.contains(today)), "{axis:?}");
                for level in &axis.levels {
                    let set = [(axis.path.clone(), level.clone())];
                    assert!(file.with(&set, &[]).is_ok() || axis.today.as_ref() == Some(level), "{axis:?}");
                }
            }
            kinds.insert(kind.to_owned());
        }
        assert!(kinds.len() >= 14, "{kinds:?}");
        let known = |kind: &&String| SPACES.iter().any(|(name, _)| name == kind);
        assert!(kinds.iter().filter(|kind| *kind != "hysteresis").all(|kind| known(&kind)), "{kinds:?}");
    }

    #[test]
    fn a_range_goes_on_beyond_its_ends_by_its_own_step() {
        let axis = |levels: &[f64], widens: bool| Axis {
            path: "a".into(),
            levels: levels.iter().map(|level| Setting::Number(*level)).collect(),
            widens,
            least: None,
            today: None,
        };
        let fractions = axis(&[0.5, 0.6, 0.7], true);
        assert_eq!(fractions.beyond(true), Some(Setting::Number(0.8)));
        assert_eq!(fractions.beyond(false), Some(Setting::Number(0.4)));
        assert_eq!(axis(&[0.2, 0.5], true).beyond(false), Some(Setting::Number(0.1)));
        let times = Axis {
            levels: [60, 300, 900].map(|seconds| Setting::Duration(Span::from_secs(seconds))).into(),
            ..axis(&[], true)
        };
        assert_eq!(times.beyond(false), Some(Setting::Duration(Span::from_secs(30))));
        assert_eq!(times.beyond(true), Some(Setting::Duration(Span::from_secs(2700))));
        let factors = axis(&[1.0, 2.0, 4.0, 8.0], true);
        assert_eq!(factors.beyond(true), Some(Setting::Number(16.0)));
        assert_eq!(axis(&[0.25, 0.5, 1.0], true).beyond(false), Some(Setting::Number(0.125)));
        let whole = axis(&[1.0, 2.0, 3.0], true);
        assert_eq!(
            (whole.beyond(true), whole.beyond(false)),
            (Some(Setting::Number(4.0)), Some(Setting::Number(0.0)))
        );
        assert_eq!(axis(&[0.0, 1.0], true).beyond(false), None);
        assert_eq!(axis(&[1.0, 2.0], false).beyond(true), None);
    }
}

//! The causes that can be taken away from a scenario, and the keys that do it.

use std::collections::BTreeMap;

use crate::autoscaler::Limits;
use crate::scenario::{Change, Scenario, ScenarioError, ScenarioFile};
use crate::sim::Model;
use crate::time::Span;
use crate::units::{parse_span, show_span};

/// A mechanism that can be taken away, by other values of some keys.
#[derive(Debug)]
pub struct Cause {
    /// Name for programs.
    pub id: &'static str,
    /// Name for readers.
    pub name: &'static str,
    /// What the run is without it.
    pub without: &'static str,
    /// Whether it protects from misses rather than causing them: then it has no share, and is told by itself.
    pub protects: bool,
    /// Whether it can play a part in a pool of the scenario at all.
    applies: fn(&Scenario, &Model) -> bool,
    /// Paths of keys, `*` standing for every item of a list, each with the values to try in their order, as TOML; none:
    /// the key is left out.
    keys: &'static [(&'static str, &'static [&'static str])],
    /// Paths of times between changes that go along, so that changes come no more often than before: each is at least the
    /// interval between two evaluations as the scenario has it.
    pace: &'static [&'static str],
}

impl Cause {
    /// Whether times between changes go along with it.
    pub(super) fn keeps_pace(&self) -> bool {
        !self.pace.is_empty()
    }
}

/// Every cause, in the order reported.
pub static CAUSES: &[Cause] = &[
    Cause {
        id: "cold_start",
        name: "cold start",
        without: "instances are ready at once",
        protects: false,
        applies: scales,
        keys: &[
            ("instances.cold_start", &["\"0s\""]),
            ("instances.first_request", &[]),
            ("instances.warm_up.time", &["\"0s\""]),
            ("instances.node.start", &["\"0s\""]),
            ("instances.warm_pool.start", &["\"0s\""]),
            ("instances.type.*.cold_start", &["\"0s\""]),
        ],
        pace: &[],
    },
    Cause {
        id: "metrics_delay",
        name: "metrics delay",
        without: "metrics are scraped every second, not averaged, and seen at once",
        protects: false,
        applies: observes,
        keys: &[
            ("metrics.scrape_interval", &["\"1s\""]),
            ("metrics.window", &["\"0s\""]),
            ("metrics.delay", &["\"0s\""]),
            ("autoscaler.stable_window", &["\"1s\"", "\"6s\""]),
            ("autoscaler.look_back_period", &["\"1s\""]),
            ("autoscaler.metrics_interval", &["\"1s\""]),
            ("autoscaler.window", &["\"0s\"", "\"1s\"", "\"15s\"", "\"1m\""]),
            ("autoscaler.metrics_window", &["\"0s\"", "\"1s\"", "\"15s\""]),
            ("autoscaler.up_window", &["\"0s\"", "\"1s\""]),
            ("autoscaler.cpu_initialization_period", &["\"0s\""]),
            ("autoscaler.initial_readiness_delay", &["\"0s\""]),
            ("autoscaler.policies.*.period", &["\"1s\"", "\"10s\"", "\"60s\""]),
            ("autoscaler.rules.*.time_grain", &["\"1s\"", "\"1m\""]),
            ("autoscaler.rules.*.duration", &["\"1s\"", "\"1m\"", "\"5m\""]),
        ],
        pace: &[],
    },
    Cause {
        id: "evaluation_interval",
        name: "evaluation interval",
        without: "the autoscaler is evaluated every second",
        protects: false,
        applies: evaluated_rarely,
        keys: &[
            ("autoscaler.interval", &["\"1s\"", "\"60s\""]),
            ("autoscaler.sync_period", &["\"1s\""]),
            ("autoscaler.polling_interval", &["\"1s\""]),
        ],
        // Where a step at each evaluation, which becomes one every second, does harm.
        pace: &["autoscaler.up.cooldown", "autoscaler.down.cooldown"],
    },
    Cause {
        id: "scale_up_limits",
        name: "limits of scale-up",
        without: "no cooldown, stabilization, breaches or rate limit holds a scale-up back",
        protects: false,
        applies: scales,
        keys: &[
            ("autoscaler.up.step", &["{max}"]),
            ("autoscaler.up.cooldown", &["\"0s\""]),
            ("autoscaler.up.breaches", &["1"]),
            ("autoscaler.behavior.scale_up.stabilization_window", &["\"0s\""]),
            (
                "autoscaler.behavior.scale_up.policies",
                &["[{ type = \"pods\", value = 100000, period = \"1s\" }]"],
            ),
            ("autoscaler.up_delay", &["\"0s\""]),
            ("autoscaler.upscale_delay", &["\"0s\""]),
            ("autoscaler.upscaling_factor", &["1"]),
            ("autoscaler.max_scale_up_rate", &["100000"]),
            ("autoscaler.instance_warmup", &["\"0s\""]),
            ("autoscaler.policies.*.scale_out_cooldown", &["\"0s\""]),
            ("autoscaler.policies.*.scale_out_periods", &["1"]),
            ("autoscaler.policies.*.evaluation_periods", &["1"]),
            ("autoscaler.policies.*.datapoints_to_alarm", &["1"]),
            ("autoscaler.policies.*.cooldown", &["\"0s\""]),
            ("autoscaler.rules.*.cooldown", &["\"0s\"", "\"1m\""]),
        ],
        pace: &[],
    },
    Cause {
        id: "scale_down_delays",
        name: "delays of scale-down",
        without: "instances go as soon as the rule asks for fewer",
        protects: true,
        applies: scales,
        keys: &[
            ("autoscaler.down.cooldown", &["\"0s\""]),
            ("autoscaler.down.breaches", &["1"]),
            ("autoscaler.downscale_stabilization", &["\"0s\""]),
            ("autoscaler.behavior.scale_down.stabilization_window", &["\"0s\""]),
            ("autoscaler.cooldown_period", &["\"0s\""]),
            ("autoscaler.scale_down_delay", &["\"0s\""]),
            ("autoscaler.downscale_delay", &["\"0s\""]),
            ("autoscaler.stabilization_window", &["\"0s\""]),
            ("autoscaler.down_delay", &["\"0s\""]),
            ("autoscaler.down_window", &["\"0s\"", "\"1s\"", "\"15s\""]),
            ("autoscaler.idle_timeout", &["\"0s\"", "\"1s\""]),
            ("autoscaler.idle_scaledown_period", &["\"0s\"", "\"1m\""]),
            ("autoscaler.keep_alive", &["\"0s\""]),
            ("autoscaler.retention_period", &["\"1s\"", "\"1m\""]),
            ("autoscaler.policies.*.scale_in_cooldown", &["\"0s\""]),
            ("autoscaler.policies.*.scale_in_periods", &["1"]),
        ],
        pace: &[],
    },
    Cause {
        id: "maximum",
        name: "maximum",
        without: "ten times as many instances are allowed",
        protects: false,
        applies: reaches_maximum,
        keys: &[
            ("{maximum}", &["{10 max}", "{4 max}", "{2 max}"]),
            ("instances.stock.quota", &[]),
            ("instances.type.*.stock.quota", &[]),
        ],
        pace: &[],
    },
    Cause {
        id: "failures",
        name: "failures and stock-outs",
        without: "no instance fails, is interrupted, refused, slow or rolled out",
        protects: false,
        applies: |_, _| true,
        keys: &[
            ("instances.failures", &[]),
            ("instances.interruptions", &[]),
            ("instances.start_failures", &[]),
            ("instances.slow", &[]),
            ("instances.rollout", &[]),
            ("instances.stock.refused", &["0"]),
            ("instances.stock.outages", &[]),
            ("instances.stock.available", &[]),
            ("instances.stock.unavailable", &[]),
            ("instances.node.failure_after", &[]),
            ("instances.type.*.failures", &[]),
            ("instances.type.*.interruptions", &[]),
            ("instances.type.*.start_failures", &[]),
            ("instances.type.*.slow", &[]),
            ("instances.type.*.stock", &[]),
        ],
        pace: &[],
    },
    Cause {
        id: "retries",
        name: "retries and hedges",
        without: "no request is sent twice",
        protects: false,
        applies: |_, _| true,
        keys: &[("client.retries", &["0"]), ("client.hedge_after", &[])],
        pace: &[],
    },
    Cause {
        id: "dispatch",
        name: "dispatch",
        without: "requests wait in one queue, from which free instances take them",
        protects: false,
        applies: |_, _| true,
        keys: &[("dispatch.policy", &["\"central_queue\""]), ("dispatch.choices", &[])],
        pace: &[],
    },
];

/// Utilization from which on a pool at its maximum is too small.
const FULL: f64 = 0.85;

/// Whether the autoscaler ever changes the number of instances.
fn scales(_: &Scenario, model: &Model) -> bool {
    let Limits { min, max } = model.autoscaler.limits();
    min < max
}

/// Whether the arrivals take more than the maximum of an autoscaler, or a quota stands below it.
fn reaches_maximum(scenario: &Scenario, model: &Model) -> bool {
    let kinds = model.instances.kinds();
    let limited =
        kinds.iter().any(|kind| kind.hazards.stock.as_ref().is_some_and(|stock| stock.quota.is_some()));
    let max = f64::from(model.autoscaler.limits().max);
    let needed = |number| scenario.instances_needed_of(model, number);
    (scales(scenario, model) || model.autoscaler.schedule().is_some())
        && (limited || (0..scenario.run.replications).any(|number| needed(number) > FULL * max))
}

/// Whether the autoscaler looks at metrics.
fn observes(scenario: &Scenario, model: &Model) -> bool {
    let autoscaler = &model.autoscaler;
    scales(scenario, model) && (autoscaler.query().is_some() || autoscaler.scrapes())
}

/// Whether the autoscaler is evaluated less often than every second.
fn evaluated_rarely(scenario: &Scenario, model: &Model) -> bool {
    let schedule = model.autoscaler.schedule();
    scales(scenario, model) && schedule.is_some_and(|schedule| schedule.interval > Span::from_secs(1))
}

/// A cause that plays a part in a scenario, with the changes that take it away.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The cause.
    pub cause: &'static Cause,
    /// The keys that have another value than without it.
    pub changes: Vec<Change>,
    /// What goes along with them: times between changes, which are no causes of their own.
    pub along: Vec<Change>,
}

impl Applied {
    /// All that is changed.
    pub fn all(&self) -> Vec<Change> {
        self.changes.iter().chain(&self.along).cloned().collect()
    }
}

/// The causes that play a part in the base scenario, or the variant called `variant`: those that change the model.
///
/// # Errors
/// There is no such variant.
pub fn applied(
    file: &ScenarioFile,
    variant: Option<&str>,
) -> Result<(Scenario, Vec<Applied>), ScenarioError> {
    let base = file.changed(variant, &[])?;
    let pools = pools(&base);
    let mut all = Vec::new();
    for cause in CAUSES {
        let of_cause: Vec<&Pool> = pools.iter().filter(|pool| (cause.applies)(&base, &pool.model)).collect();
        let mut changes = Vec::new();
        for pool in &of_cause {
            changes.extend(changes_of(file, variant, (&base, pool, cause))?);
        }
        // Two keys may not do together what each does alone: then the first that do are taken.
        while !changes.is_empty() && file.changed(variant, &changes).is_err() {
            changes.pop();
        }
        if !changes.is_empty() {
            let along = paced(file, variant, (&of_cause, cause, &changes))?;
            all.push(Applied { cause, changes, along });
        }
    }
    give_way(&mut all);
    Ok((base, all))
}

/// What takes a cause away from one pool.
fn changes_of(
    file: &ScenarioFile,
    variant: Option<&str>,
    (base, pool, cause): (&Scenario, &Pool, &Cause),
) -> Result<Vec<Change>, ScenarioError> {
    let mut changes = Vec::new();
    // Clients are those of the whole.
    let keys = cause.keys.iter().filter(|(path, _)| pool.prefix.is_empty() || !path.starts_with("client."));
    for (path, values) in keys {
        let path = path.replace("{maximum}", &pool.model.autoscaler.limiting_path());
        for path in spread(file, variant, &format!("{}{path}", pool.prefix))? {
            // A table that is not written does nothing, whatever its keys would be.
            let of_instances = format!("{}instances.", pool.prefix);
            let table = path.rsplit_once('.').filter(|(table, _)| table.starts_with(&of_instances));
            if let Some((table, _)) = table
                && file.written(variant, table)?.is_none()
            {
                continue;
            }
            changes.extend(effective(file, variant, (base, pool), &path, values));
        }
    }
    Ok(changes)
}

/// A pool of a scenario, and what the paths of its keys begin with.
struct Pool {
    prefix: &'static str,
    model: Model,
}

/// What the paths of keys of a pool begin with: of the scenario's own, and of one that decodes.
const PREFIXES: [&str; 2] = ["", "decode."];

/// The pools of a scenario: its own, and one that decodes if there is one.
fn pools(base: &Scenario) -> Vec<Pool> {
    let models = std::iter::once(base.model.clone()).chain(base.model.decode_pool());
    PREFIXES.into_iter().zip(models).map(|(prefix, model)| Pool { prefix, model }).collect()
}

/// The times between changes that go along with a cause: those of its pace that are shorter than the interval.
fn paced(
    file: &ScenarioFile,
    variant: Option<&str>,
    (pools, cause, changes): (&[&Pool], &Cause, &[Change]),
) -> Result<Vec<Change>, ScenarioError> {
    let mut along: Vec<Change> = Vec::new();
    let scheduled = pools.iter().filter_map(|pool| Some((pool.prefix, pool.model.autoscaler.schedule()?)));
    let paths = scheduled.flat_map(|(prefix, schedule)| {
        cause.pace.iter().map(move |path| (format!("{prefix}{path}"), schedule))
    });
    for (path, schedule) in paths {
        let written = file.written(variant, &path)?;
        let written =
            written.as_ref().and_then(|written| written.as_str()).and_then(|text| parse_span(text).ok());
        if written.is_some_and(|written| written >= schedule.interval) {
            continue;
        }
        let value = Some(format!("\"{}\"", show_span(schedule.interval)));
        along.push(Change { path, value });
        let with: Vec<Change> = changes.iter().chain(&along).cloned().collect();
        if file.changed(variant, &with).is_err() {
            along.pop();
        }
    }
    Ok(along)
}

/// Lets the causes that take a time between changes away do so too where another brings one along: then it goes with both.
fn give_way(all: &mut [Applied]) {
    let brought: Vec<String> =
        all.iter().flat_map(|applied| &applied.along).map(|change| change.path.clone()).collect();
    for applied in all.iter_mut().filter(|applied| applied.cause.pace.is_empty()) {
        for prefix in PREFIXES {
            for (path, values) in applied.cause.keys {
                let path = format!("{prefix}{path}");
                if brought.contains(&path) && applied.changes.iter().all(|change| change.path != path) {
                    let value = values.first().map(|value| (*value).to_owned());
                    applied.along.push(Change { path, value });
                }
            }
        }
    }
}

/// The paths that a pattern stands for: one for every item of the list at its `*`.
fn spread(file: &ScenarioFile, variant: Option<&str>, path: &str) -> Result<Vec<String>, ScenarioError> {
    let Some((list, rest)) = path.split_once(".*.") else { return Ok(vec![path.to_owned()]) };
    let written = file.written(variant, list)?;
    let items = written.as_ref().and_then(|list| list.as_array()).map_or(0, Vec::len);
    Ok((0..items).map(|index| format!("{list}.{index}.{rest}")).collect())
}

/// The change at `path` to the first of `values` that the scenario takes, if that makes another model of it.
fn effective(
    file: &ScenarioFile,
    variant: Option<&str>,
    (base, pool): (&Scenario, &Pool),
    path: &str,
    values: &[&str],
) -> Option<Change> {
    let max = u64::from(pool.model.autoscaler.limits().max);
    let filled = |value: &&str| {
        let of_max = |factor: u64| (max * factor).to_string();
        let value = value.replace("{max}", &of_max(1)).replace("{10 max}", &of_max(10));
        Some(value.replace("{4 max}", &of_max(4)).replace("{2 max}", &of_max(2)))
    };
    let candidates: Vec<Option<String>> =
        if values.is_empty() { vec![None] } else { values.iter().map(filled).collect() };
    let change = |value: Option<String>| Change { path: path.to_owned(), value };
    let mut taken = candidates.into_iter().map(change).filter_map(|change| {
        let scenario = file.changed(variant, std::slice::from_ref(&change)).ok()?;
        Some((change, scenario))
    });
    let (change, scenario) = taken.next()?;
    (scenario.model != base.model).then_some(change)
}

/// The changes of all `causes` together, each path once.
pub fn together<'a>(causes: impl IntoIterator<Item = &'a Applied>) -> Vec<Change> {
    let all = causes.into_iter().flat_map(|applied| applied.changes.iter().chain(&applied.along));
    let by_path: BTreeMap<&str, &Change> = all.map(|change| (change.path.as_str(), change)).collect();
    by_path.into_values().cloned().collect()
}

/// The policy that knows the future in the place of the scenario's, within its limits.
pub fn oracle(scenario: &Scenario) -> Change {
    let Limits { min, max } = scenario.model.autoscaler.limits();
    let value = format!("{{ kind = \"clairvoyant\", min = {min}, max = {} }}", max.max(1));
    Change { path: "autoscaler".to_owned(), value: Some(value) }
}

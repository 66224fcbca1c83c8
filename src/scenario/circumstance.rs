//! What happens to a service, as against what its owner chooses: traffic, cold starts, failures, the run.

use crate::schema::{Data, Node, Tree};
use crate::time::Span;
use crate::units::parse_span;

/// The path of a condition that is no key: a factor on the whole traffic.
pub(super) const TRAFFIC: &str = "traffic";

/// Keys of the arrivals that are rates, and those of recordings that are factors on their requests.
const RATES: [&str; 3] = ["rate", "peak", "trough"];
const RECORDINGS: [&str; 2] = ["trace", "counts"];

/// Keys of `[instances]` that say what may happen to instances.
const HAZARDS: [&str; 5] = ["start_failures", "stock", "failures", "interruptions", "slow"];

/// What a key is about, if it is no choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Circumstance {
    /// How many requests there are, and when.
    Traffic,
    /// How long an instance takes to start.
    ColdStart,
    /// What goes wrong.
    Hazard,
    /// How the simulation is run.
    Run,
}

/// What the key at `path` is about; `None` for what can be chosen.
pub(super) fn of(path: &str) -> Option<Circumstance> {
    // What may happen to instances may happen to those of a second pool.
    let steps: Vec<&str> = match path.strip_prefix("decode.") {
        Some(rest) if rest.starts_with("instances.") => rest.split('.').collect(),
        _ => path.split('.').collect(),
    };
    match steps.as_slice() {
        ["arrivals", ..] | [TRAFFIC] | ["client", "users" | "stages" | "think_time", ..] => {
            Some(Circumstance::Traffic)
        }
        ["run", ..] => Some(Circumstance::Run),
        ["instances", "cold_start", ..]
        | ["instances", "type", _, "cold_start", ..]
        | ["instances", "node", "start", ..] => Some(Circumstance::ColdStart),
        ["instances", "node", "failures", ..] => Some(Circumstance::Hazard),
        ["instances", hazard, ..] | ["instances", "type", _, hazard, ..] if HAZARDS.contains(hazard) => {
            Some(Circumstance::Hazard)
        }
        _ => None,
    }
}

impl Circumstance {
    /// In words.
    pub fn what(self) -> &'static str {
        match self {
            Circumstance::Traffic => "traffic happens",
            Circumstance::ColdStart => "a cold start takes as long as it takes",
            Circumstance::Hazard => "what goes wrong happens",
            Circumstance::Run => "the run is how it is simulated",
        }
    }

    /// How else it can be written.
    pub fn other_ways(self) -> &'static [&'static str] {
        match self {
            Circumstance::ColdStart | Circumstance::Hazard => &[
                "to choose among hardware, each with a cold start and failures of its own, write it as a [[variant]]",
            ],
            Circumstance::Traffic | Circumstance::Run => &[],
        }
    }
}

/// The scenario in `tree` with `factor` times the traffic: the rates of its arrivals, or its users in whole numbers; `None`
/// if its arrivals are not written as rates or a recording.
pub(super) fn with_traffic(tree: &Tree, factor: f64) -> Option<Tree> {
    let mut changed = tree.clone();
    if tree.get("client.users").is_some() {
        scale_users(&mut changed.get_mut("client")?.data, factor)?;
        return Some(changed);
    }
    let kind = match &tree.get("arrivals.kind")?.data {
        Data::Text(kind) => kind.as_str(),
        _ => return None,
    };
    let recorded = RECORDINGS.contains(&kind);
    let mut found = false;
    if recorded {
        let place = &tree.get("arrivals")?.place;
        let scale = tree.get("arrivals.scale").map_or(Some(1.0), |node| number(&node.data))?;
        let node = Node { data: Data::Float(scale * factor), place: place.clone() };
        changed.set("arrivals.scale", node).ok()?;
        found = true;
    }
    let arrivals = changed.get_mut("arrivals")?;
    scale_rates(arrivals, factor, &mut found)?;
    found.then_some(changed)
}

/// Multiplies the numbers of users in a table, and in its stages; `None` if one is not written as a number.
fn scale_users(data: &mut Data, factor: f64) -> Option<()> {
    let Data::Table(table) = data else { return None };
    if let Some(users) = table.get_mut("users") {
        users.data = Data::Integer((number(&users.data)? * factor).round() as i64);
    }
    if let Some(Node { data: Data::Array(stages), .. }) = table.get_mut("stages") {
        stages.iter_mut().try_for_each(|stage| scale_users(&mut stage.data, factor))?;
    }
    Some(())
}

/// Multiplies every rate in `node`; `None` if one is not written as a number.
fn scale_rates(node: &mut Node, factor: f64, found: &mut bool) -> Option<()> {
    match &mut node.data {
        Data::Table(table) => {
            let names: Vec<String> = table.iter().map(|(name, _, _)| name.to_owned()).collect();
            for name in names {
                let Some(inner) = table.get_mut(&name) else { continue };
                if RATES.contains(&name.as_str()) {
                    inner.data = Data::Float(number(&inner.data)? * factor);
                    *found = true;
                } else {
                    scale_rates(inner, factor, found)?;
                }
            }
        }
        Data::Array(items) => items.iter_mut().try_for_each(|item| scale_rates(item, factor, found))?,
        _ => {}
    }
    Some(())
}

/// The scenario in `tree` whose instances take `factor` times as long to start; `None` if none is written, or one that is
/// not made of durations and means.
pub(super) fn with_cold_starts(tree: &Tree, factor: f64) -> Option<Tree> {
    let mut changed = tree.clone();
    let mut found = false;
    if let Some(instances) = changed.get_mut("instances") {
        scale_cold_starts(&mut instances.data, factor, &mut found)?;
    }
    if let Some(Node { data: Data::Table(decode), .. }) = changed.get_mut("decode")
        && let Some(instances) = decode.get_mut("instances")
    {
        scale_cold_starts(&mut instances.data, factor, &mut found)?;
    }
    found.then_some(changed)
}

/// Multiplies the cold starts of a table of instances, and notes whether there was one.
fn scale_cold_starts(data: &mut Data, factor: f64, found: &mut bool) -> Option<()> {
    let Data::Table(instances) = data else { return None };
    if let Some(node) = instances.get_mut("cold_start") {
        scale_times(node, factor)?;
        *found = true;
    }
    if let Some(Node { data: Data::Array(types), .. }) = instances.get_mut("type") {
        for kind in types {
            let Data::Table(kind) = &mut kind.data else { continue };
            let Some(node) = kind.get_mut("cold_start") else { continue };
            scale_times(node, factor)?;
            *found = true;
        }
    }
    Some(())
}

/// Multiplies a duration, those of a distribution, or those of stages.
fn scale_times(node: &mut Node, factor: f64) -> Option<()> {
    const SHAPES: [&str; 8] = ["dist", "cv", "shape", "name", "cached_on_node", "k", "p", "alpha"];
    const TIMES: [&str; 8] = ["time", "value", "values", "mean", "mean1", "mean2", "min", "max"];
    let percentile = |name: &str| name.strip_prefix('p').is_some_and(|rank| rank.parse::<u32>().is_ok());
    match &mut node.data {
        Data::Text(text) => {
            let span = parse_span(text).ok()?;
            *text = Span::from_secs_f64(span.as_secs_f64() * factor).to_string();
            Some(())
        }
        Data::Array(stages) => stages.iter_mut().try_for_each(|stage| scale_times(stage, factor)),
        Data::Table(table) => {
            let names: Vec<String> = table.iter().map(|(name, _, _)| name.to_owned()).collect();
            names.iter().try_for_each(|name| match name.as_str() {
                shape if SHAPES.contains(&shape) => Some(()),
                time if TIMES.contains(&time) || percentile(time) => {
                    scale_times(table.get_mut(name)?, factor)
                }
                _ => None,
            })
        }
        _ => None,
    }
}

fn number(data: &Data) -> Option<f64> {
    match data {
        Data::Integer(number) => Some(*number as f64),
        Data::Float(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(tree: &Tree, path: &str) -> f64 {
        number(&tree.get(path).unwrap().data).unwrap()
    }

    #[test]
    fn traffic_cold_starts_hazards_and_the_run_are_no_choice_and_all_else_is() {
        for (path, what) in [
            ("arrivals.rate", Circumstance::Traffic),
            ("arrivals", Circumstance::Traffic),
            ("traffic", Circumstance::Traffic),
            ("instances.cold_start.1.time", Circumstance::ColdStart),
            ("instances.type.0.cold_start", Circumstance::ColdStart),
            ("decode.instances.cold_start", Circumstance::ColdStart),
            ("decode.instances.failures.after", Circumstance::Hazard),
            ("instances.type.0.interruptions.notice", Circumstance::Hazard),
            ("instances.failures.after", Circumstance::Hazard),
            ("run.duration", Circumstance::Run),
        ] {
            assert_eq!(of(path), Some(what), "{path}");
        }
        for path in
            ["instances.initial", "autoscaler.max", "service.concurrency", "instances.warm_pool.min_size"]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn every_rate_is_multiplied_and_a_recording_by_its_scale() {
        let rates = "[arrivals]\nkind = \"diurnal\"\ntrough = 2\npeak = 10\n[[arrivals.spikes]]\nat = \"1h\"\nrate = 4";
        let tree = with_traffic(&Tree::parse(rates).unwrap(), 1.5).unwrap();
        let found =
            ["arrivals.trough", "arrivals.peak", "arrivals.spikes.0.rate"].map(|path| float(&tree, path));
        assert_eq!(found, [3.0, 15.0, 6.0]);
        let trace = Tree::parse("[arrivals]\nkind = \"trace\"\nfile = \"a.csv\"\nscale = 2").unwrap();
        assert_eq!(float(&with_traffic(&trace, 1.5).unwrap(), "arrivals.scale"), 3.0);
        let gaps = Tree::parse("[arrivals]\nkind = \"renewal\"\ninterarrival = \"1s\"").unwrap();
        assert!(with_traffic(&gaps, 1.5).is_none());
    }

    #[test]
    fn a_cold_start_is_slower_in_all_its_stages() {
        let stages = "[instances]\n[[instances.cold_start]]\ntime = \"40s\"\n[[instances.cold_start]]\n\
                      time = { dist = \"lognormal\", mean = \"10s\", cv = 0.5 }";
        let tree = with_cold_starts(&Tree::parse(stages).unwrap(), 2.0).unwrap();
        let text = |path: &str| tree.get(path).unwrap().data.clone();
        assert_eq!(text("instances.cold_start.0.time"), Data::Text("1m 20s".into()));
        assert_eq!(text("instances.cold_start.1.time.mean"), Data::Text("20s".into()));
        assert_eq!(float(&tree, "instances.cold_start.1.time.cv"), 0.5);
        assert!(with_cold_starts(&Tree::parse("[instances]\ninitial = 1").unwrap(), 2.0).is_none());
    }
}

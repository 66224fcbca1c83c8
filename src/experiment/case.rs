//! What is evaluated: a scenario under a condition, and its identity.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use super::FIGURES;
use crate::scenario::{Scenario, defaults};
use crate::sim::Metrics;

/// Raised whenever the same scenario comes to other results than before: by another order of random draws, a corrected
/// policy, or a figure with another meaning. Records of other versions are not found in a store, and so computed anew.
pub const RESULTS_VERSION: u32 = 5;

/// Under what circumstances a scenario is evaluated: what may happen, as against what the user chooses. Cases under one
/// condition share their requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// As the scenario is written.
    #[default]
    AsWritten,
}

/// Some replications of one scenario under one condition.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// What is run.
    pub scenario: &'a Scenario,
    /// Under what circumstances.
    pub condition: Condition,
    /// Numbers of the replications.
    pub replications: Range<u32>,
}

impl Case<'_> {
    /// Every replication that `scenario` asks for, as it is written.
    pub fn whole(scenario: &Scenario) -> Case<'_> {
        Case::some(scenario, 0..scenario.run.replications)
    }

    /// These replications of `scenario`, as it is written.
    pub fn some(scenario: &Scenario, replications: Range<u32>) -> Case<'_> {
        Case { scenario, condition: Condition::AsWritten, replications }
    }

    /// What a record of it is stored under.
    pub fn key(&self, replication: u32) -> RecordKey {
        let case = CaseId::of(self.scenario, self.condition);
        RecordKey { case, seed: self.scenario.run.seed, replication }
    }
}

/// Identity of a scenario under a condition: equal if every seed gives the same records. The same scenario written in
/// another way has the same identity; anything that can change a result gives another one.
///
/// A part of a hash (SHA-256) of the scenario's tables with their defaults, of the bytes of every file they name, and of
/// [`RESULTS_VERSION`]. Seed and replication are not part of it: see [`RecordKey`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseId([u8; 16]);

impl CaseId {
    /// That of `scenario` as it would run now: with the warm-up it has, found or given.
    pub fn of(scenario: &Scenario, condition: Condition) -> CaseId {
        let Metrics { scrape_interval, phase, window, delay } = scenario.model.metrics;
        let (model, run) = (&scenario.model, &scenario.run);
        let mut hash = Sha256::new().chain_update(version()).chain_update(scenario.identity.bytes());
        for span in
            [model.duration, model.warmup, run.timeline_interval, scrape_interval, phase, window, delay]
        {
            hash.update(span.as_nanos().to_le_bytes());
        }
        if let Some(decode) = &model.decode {
            let Metrics { scrape_interval, phase, window, delay } = decode.metrics;
            for span in [scrape_interval, phase, window, delay] {
                hash.update(span.as_nanos().to_le_bytes());
            }
        }
        hash.update(match condition {
            Condition::AsWritten => [0],
        });
        CaseId::first_of(hash)
    }

    /// That of an identity's bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> CaseId {
        CaseId(bytes)
    }

    /// Its bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    fn first_of(hash: Sha256) -> CaseId {
        let mut first = [0; 16];
        first.copy_from_slice(&hash.finalize()[..16]);
        CaseId(first)
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CaseId({self})")
    }
}

/// What every identity rests on beside the scenario: [`RESULTS_VERSION`], the defaults of the schema, and the figures that
/// a record has.
pub fn version() -> [u8; 16] {
    static VERSION: OnceLock<CaseId> = OnceLock::new();
    let of_version = || {
        let mut hash = Sha256::new().chain_update(RESULTS_VERSION.to_le_bytes()).chain_update(defaults());
        FIGURES.iter().for_each(|figure| hash.update(figure.name));
        CaseId::first_of(hash)
    };
    VERSION.get_or_init(of_version).0
}

/// What one record is stored under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey {
    /// The scenario and its condition.
    pub case: CaseId,
    /// The seed.
    pub seed: u64,
    /// Number of the replication.
    pub replication: u32,
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::ScenarioFile;
    use crate::schema::{AnyKey, Data, Kind, Node, Tree};
    use crate::units::parse_span;

    fn id(scenario: &Scenario) -> CaseId {
        CaseId::of(scenario, Condition::AsWritten)
    }

    /// Whether two scenarios come to the same results, by what they were read as.
    fn same(a: &Scenario, b: &Scenario) -> bool {
        a.model == b.model && a.run.timeline_interval == b.run.timeline_interval
    }

    /// Every value that is written, by its path.
    fn leaves(node: &Node, path: &str, found: &mut Vec<(String, Data)>) {
        let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match &node.data {
            // Such a name is the path of a key, which cannot be followed further.
            Data::Table(table) => table
                .iter()
                .filter(|(name, _, _)| !name.contains('.'))
                .for_each(|(name, _, node)| leaves(node, &within(name), found)),
            Data::Array(items) => {
                (0..)
                    .zip(items)
                    .for_each(|(index, item): (u32, _)| leaves(item, &within(&index.to_string()), found));
            }
            other => found.push((path.to_owned(), other.clone())),
        }
    }

    /// A value as TOML.
    fn toml(data: &Data) -> String {
        match data {
            Data::Text(text) | Data::Datetime(text) => format!("{text:?}"),
            Data::Integer(integer) => integer.to_string(),
            Data::Float(float) => format!("{float:?}"),
            Data::Bool(bool) => bool.to_string(),
            Data::Null | Data::Array(_) | Data::Table(_) => unreachable!("no leaf that TOML can write"),
        }
    }

    /// Other values in its place, and the same one in other words.
    fn others(data: &Data) -> Vec<String> {
        match data {
            Data::Bool(bool) => vec![(!bool).to_string()],
            Data::Integer(integer) => {
                vec![format!("{integer}.0"), (integer + 1).to_string(), (integer * 2).to_string()]
            }
            Data::Float(float) => vec![format!("{:?}", float * 0.5), format!("{:?}", float * 1.25)],
            Data::Text(text) => match parse_span(text) {
                Ok(span) => {
                    let nanos = span.as_nanos();
                    vec![
                        format!("\"{nanos}ns\""),
                        format!("\"{}ns\"", nanos + 1_000_000_000),
                        format!("\"{}ns\"", nanos / 2),
                    ]
                }
                Err(_) => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Keys that are not written and have a default, by their path.
    fn unwritten(kind: &Kind, node: &Node, path: &str, found: &mut Vec<(String, &'static str)>) {
        let Data::Table(table) = &node.data else { return };
        let mut keys = |keys: &[&'static dyn AnyKey]| {
            for key in keys {
                let path =
                    if path.is_empty() { key.name().to_owned() } else { format!("{path}.{}", key.name()) };
                match (table.get(key.name()), key.default()) {
                    (Some(node), _) => unwritten(&key.kind(), node, &path, found),
                    (None, Some(default)) => found.push((path, default)),
                    (None, None) => {}
                }
            }
        };
        match kind {
            Kind::Table(spec) => keys(spec.keys),
            Kind::Union(spec) => {
                let named = match table.get(spec.tag).map(|node| &node.data) {
                    Some(Data::Text(name)) => Some(name.as_str()),
                    _ => spec.default,
                };
                let variant = spec.variants.iter().find(|variant| Some(variant.name) == named);
                keys(spec.common);
                variant.iter().for_each(|variant| keys(variant.keys));
            }
            Kind::Either(kinds) => kinds.iter().for_each(|kind| unwritten(kind, node, path, found)),
            _ => {}
        }
    }

    fn shipped() -> Vec<std::path::PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
        files.sort();
        files
    }

    #[test]
    fn a_value_changes_the_identity_exactly_if_it_changes_what_is_run() {
        let (mut tried, mut differed) = (0, 0);
        for path in shipped() {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut written = Vec::new();
            leaves(Tree::parse(&text).unwrap().root(), "", &mut written);
            let Ok(mut file) = ScenarioFile::load(&path) else { continue };
            let Ok(base) = file.scenario() else { continue };
            for (key, data) in written {
                // What the currency is called is part of the model and changes no figure; a cache is rounded to whole blocks.
                if ["sweep.", "variant."].iter().any(|apart| key.starts_with(apart))
                    || ["cost.currency", "service.kv_tokens"].contains(&key.as_str())
                {
                    continue;
                }
                for other in others(&data) {
                    if file.override_path(&key, &other).is_ok()
                        && let Ok(changed) = file.scenario()
                    {
                        let (is_same, same_id) = (same(&base, &changed), id(&base) == id(&changed));
                        assert_eq!(is_same, same_id, "{}: {key} = {other}", path.display());
                        tried += 1;
                        differed += usize::from(!same_id);
                    }
                    file.override_path(&key, &toml(&data)).unwrap();
                }
            }
        }
        assert!(tried > 500 && differed > 300 && differed < tried, "{differed} of {tried}");
    }

    #[test]
    fn a_default_that_is_written_does_not_change_the_identity() {
        let mut tried = 0;
        for path in shipped() {
            let text = std::fs::read_to_string(&path).unwrap();
            let tree = Tree::parse(&text).unwrap();
            let Ok(base) = ScenarioFile::load(&path).and_then(|file| file.scenario()) else { continue };
            let mut defaults = Vec::new();
            for key in crate::scenario::keys().filter(|key| !["sweep", "variant"].contains(&key.name())) {
                match tree.get(key.name()) {
                    Some(node) => unwritten(&key.kind(), node, key.name(), &mut defaults),
                    None => defaults.extend(key.default().map(|default| (key.name().to_owned(), default))),
                }
            }
            for (key, default) in defaults {
                let mut file = ScenarioFile::load(&path).unwrap();
                if file.override_path(&key, default).is_ok()
                    && let Ok(written) = file.scenario()
                {
                    let (is_same, same_id) = (same(&base, &written), id(&base) == id(&written));
                    assert_eq!(is_same, same_id, "{}: {key} = {default}", path.display());
                    tried += usize::from(is_same);
                }
            }
        }
        assert!(tried > 300, "{tried}");
    }

    #[test]
    fn a_file_counts_by_its_bytes_and_not_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let read = |name: &str| {
            let text = format!(
                "[arrivals]\nkind = \"counts\"\nfile = \"{name}\"\ninterval = \"1m\"\n[service]\ntime = \"1s\"\n\
                 [autoscaler]\nkind = \"fixed\"\ninstances = 2"
            );
            id(&ScenarioFile::parse("test.toml", &text, folder.path()).unwrap().scenario().unwrap())
        };
        write("one.csv", "3\n5\n");
        write("two.csv", "3\n5\n");
        let one = read("one.csv");
        assert_eq!(read("two.csv"), one);
        write("one.csv", "3\n6\n");
        assert_ne!(read("one.csv"), one);
    }

    #[test]
    fn names_seed_and_replications_are_no_part_of_an_identity_and_a_changed_part_is() {
        let with = |more: &str| {
            let text = format!(
                "{more}\n[arrivals]\nkind = \"poisson\"\nrate = 8\n[service]\ntime = \"1s\"\n[autoscaler]\n\
                 kind = \"fixed\"\ninstances = 2"
            );
            ScenarioFile::parse("test.toml", &text, ".").unwrap().scenario().unwrap()
        };
        let base = with("[run]\nduration = \"1h\"");
        let named = "name = \"other\"\ndescription = \"Another one.\"\nlabel = \"it\"\n[cost]\ncurrency = \"EUR\"\n\
                     [run]\nduration = \"60m\"\nseed = 9\nreplications = 40";
        assert_eq!(id(&with(named)), id(&base));
        assert_ne!(id(&with("[run]\nduration = \"61m\"")), id(&base));
        assert_ne!(id(&with("[run]\nduration = \"1h\"\nwarmup = \"1s\"")), id(&base));
        let mut changed = base.clone();
        changed.identity = changed.identity.changed("bound 0");
        assert_ne!(id(&changed), id(&base));
        assert_ne!(changed.identity, base.identity.changed("bound 1"));
    }
}

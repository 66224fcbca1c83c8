//! A scenario file: read, changed from the command line, and turned into what is run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use super::assemble::{self, Scenario};
use super::circumstance;
use super::sweep::{Combination, SweepTable};
use super::variant::{self, VariantTable, impossible};
use super::{ScenarioError, Setting, fits, manifest};
use crate::autoscaler::Autoscaler;
use crate::document::Source;
use crate::files::{Disk, FileKind, Files, NamedFile};
use crate::parallel;
use crate::schema::{Context, Data, Node, Place, Problem, Tree, nearest};

/// Larger than any scenario written by hand; keeps a trace given by mistake from being parsed as TOML.
const MOST_BYTES: u64 = 4 << 20;

/// A scenario file, parsed; nothing in it has been checked yet.
#[derive(Debug)]
pub struct ScenarioFile {
    /// Name of the scenario, if it writes none.
    stem: String,
    source: Arc<Source>,
    tree: Tree,
    context: Context,
    /// What the command line has set, as it was written there.
    overrides: Vec<String>,
    /// The same by path.
    changed: Vec<(String, Node)>,
}

/// Another value at a path, or none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Path of the key, such as `instances.cold_start`.
    pub path: String,
    /// The value as TOML; `None` leaves the key out.
    pub value: Option<String>,
}

/// One setting of a sweep or a variant, ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The variant it belongs to; `None` for the base scenario.
    pub variant: Option<String>,
    /// The settings by their path, with the values they have here, in the order the file writes them.
    pub settings: Vec<(String, Setting)>,
    /// What the sweep says of what happens, likewise: the condition under which the setting is run.
    pub condition: Vec<(String, Setting)>,
    /// Whether its variant is about other traffic: what may happen, and nothing to choose.
    pub what_if: bool,
    /// The scenario with these settings.
    pub scenario: Scenario,
}

impl ScenarioFile {
    /// Reads and parses the file at `path`. What it names is looked for from its own folder.
    ///
    /// # Errors
    /// The file cannot be read, is too large, is not UTF-8, or is not TOML.
    pub fn load(path: &Path) -> Result<ScenarioFile, ScenarioError> {
        Self::load_from(Arc::new(Disk), path)
    }

    /// Reads and parses the file at `path` of `files`, where all that it names is looked for too.
    ///
    /// # Errors
    /// Those of [`ScenarioFile::load`].
    pub fn load_from(files: Arc<dyn Files>, path: &Path) -> Result<ScenarioFile, ScenarioError> {
        let shown = path.display().to_string();
        let named = NamedFile { files: &*files, path: path.to_owned(), shown: &shown };
        let bytes = read(&named).map_err(|problem| ScenarioError::new(&Source::new(&*shown, ""), problem))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
            let message = format!("the file is not UTF-8 text: line {line} has a byte that cannot be");
            let problem = Problem::new(&Place::Nowhere, message, "expected a TOML file, which is UTF-8 text");
            ScenarioError::new(&Source::new(&*shown, ""), problem)
        })?;
        let context = Context::of(files, path.parent().unwrap_or(Path::new("")));
        Self::parse_in(&shown, &text, context)
    }

    /// Parses `text`, shown in messages as `name`; what it names is looked for from the folder `base`.
    ///
    /// # Errors
    /// The text is not TOML.
    pub fn parse(name: &str, text: &str, base: impl Into<PathBuf>) -> Result<ScenarioFile, ScenarioError> {
        Self::parse_in(name, text, Context::new(base))
    }

    /// Parses `text`, shown in messages as `name`; what it names is looked for in `context`.
    ///
    /// # Errors
    /// The text is not TOML, or a manifest that it names cannot be read.
    pub fn parse_in(name: &str, text: &str, context: Context) -> Result<ScenarioFile, ScenarioError> {
        let stem = Path::new(name).file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let source = Source::new(name, text);
        let wrong = |problem| ScenarioError::new(&source, problem);
        let mut tree = Tree::read(&source).map_err(wrong)?;
        manifest::expand(&mut tree, &context).map_err(wrong)?;
        Ok(ScenarioFile { stem, source, tree, context, overrides: Vec::new(), changed: Vec::new() })
    }

    /// Sets the key at `path`, as `--set path=value` does. `value` is TOML; a text needs no quotes.
    ///
    /// # Errors
    /// The path leads through something that is not a table. Whether there is such a key, and whether it takes the
    /// value, shows when the scenario is read.
    pub fn override_path(&mut self, path: &str, value: &str) -> Result<(), ScenarioError> {
        self.set(path, value, format!("--set {path}={value}"))
    }

    /// Sets the seed, as `--seed` does.
    ///
    /// # Errors
    /// `run` is not a table.
    pub fn override_seed(&mut self, seed: u64) -> Result<(), ScenarioError> {
        self.set("run.seed", &seed.to_string(), format!("--seed {seed}"))
    }

    fn set(&mut self, path: &str, value: &str, by: String) -> Result<(), ScenarioError> {
        let place = Place::Override(by.clone());
        let text = || Node { data: Data::Text(value.to_owned()), place: place.clone() };
        let node = Tree::parse_value(value, place.clone()).unwrap_or_else(|_| text());
        let done = changed(&mut self.tree, &self.context, (path, node.clone()));
        done.map_err(|problem| self.error(problem))?;
        self.changed.push((path.to_owned(), node));
        self.overrides.push(by);
        Ok(())
    }

    /// The base scenario, without sweep and variants.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn scenario(&self) -> Result<Scenario, ScenarioError> {
        self.read(&self.tree)
    }

    /// The autoscaler alone, for recorded values: of a scenario, or of a file with nothing but the table `[autoscaler]`. What a
    /// manifest says stays in the units of its own metrics, as recordings have them.
    ///
    /// # Errors
    /// There is none, or what is wrong with it.
    pub fn autoscaler_of_recording(&self) -> Result<Autoscaler, ScenarioError> {
        let context = self.context.recorded();
        let tree = self.tree_in(&context).map_err(|problem| self.error(problem))?;
        let Some(node) = tree.get("autoscaler") else {
            let label = "expected a scenario, or a file with an `[autoscaler]` table";
            return Err(self.error(Problem::new(
                &Place::Nowhere,
                "the table `[autoscaler]` is missing",
                label,
            )));
        };
        Autoscaler::read(node, "autoscaler", &context).map_err(|problem| self.error(problem))
    }

    /// The file once more, with all that was set since.
    fn tree_in(&self, context: &Context) -> Result<Tree, Problem> {
        let mut tree = Tree::read(&self.source)?;
        manifest::expand(&mut tree, context)?;
        self.changed
            .iter()
            .try_for_each(|change| changed(&mut tree, context, (&change.0, change.1.clone())))?;
        Ok(tree)
    }

    /// Refuses a scenario of this file with a pool of its own that decodes, for what knows one pool only.
    ///
    /// # Errors
    /// It has one; `what` says what is not done with it.
    pub fn refuse_pools(&self, scenario: &Scenario, what: &str) -> Result<(), ScenarioError> {
        if scenario.model.decode.is_none() {
            return Ok(());
        }
        let place = self.tree.get("decode").map_or(Place::Nowhere, |node| node.place.clone());
        let message = format!("{what} does not take two pools");
        let label = "expected a scenario without `[decode]`";
        Err(self.error(Problem::new(&place, message, label)))
    }

    /// What a manifest it names sets that is not modelled, for the base scenario.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub fn warnings(&self) -> Result<Vec<String>, ScenarioError> {
        manifest::warnings(&self.tree, &self.context).map_err(|problem| self.error(problem))
    }

    /// Every variant by its name, in the order of the file.
    ///
    /// # Errors
    /// The first thing that is wrong with one of them.
    pub fn variants(&self) -> Result<Vec<(String, Scenario)>, ScenarioError> {
        let base = self.model_tree();
        self.variant_tables()?
            .into_iter()
            .map(|variant| {
                let tree = self.apply(&variant, &base)?;
                let scenario = self.read(&tree).map_err(|error| error.met(in_variant(&variant.name)))?;
                Ok((variant.name, scenario))
            })
            .collect()
    }

    /// The base scenario, or the variant called `variant`, with other values at some paths: what it would be without a
    /// cause of trouble, for example.
    ///
    /// # Errors
    /// There is no such variant, no such key, or the scenario does not take the values together.
    pub fn changed(&self, variant: Option<&str>, changes: &[Change]) -> Result<Scenario, ScenarioError> {
        let mut tree = self.alternative(variant)?;
        for Change { path, value } in changes {
            let place = Place::Override(format!("{path} = {}", value.as_deref().unwrap_or("nothing")));
            match value {
                Some(value) => {
                    let node =
                        Tree::parse_value(value, place.clone()).map_err(|problem| self.error(problem))?;
                    tree.set(path, node).map_err(|why| self.error(impossible(&place, path, why)))?;
                }
                None => tree.remove_at(path),
            }
        }
        self.read(&tree)
    }

    /// What the file, or its variant called `variant`, writes at `path`, as JSON; `None` if it writes nothing there.
    ///
    /// # Errors
    /// There is no such variant.
    pub fn written(&self, variant: Option<&str>, path: &str) -> Result<Option<Json>, ScenarioError> {
        Ok(self.alternative(variant)?.get(path).map(Node::to_json))
    }

    /// The tree of the base scenario, or of a variant.
    fn alternative(&self, variant: Option<&str>) -> Result<Tree, ScenarioError> {
        let base = self.model_tree();
        let Some(name) = variant else { return Ok(base) };
        let tables = self.variant_tables()?;
        match tables.iter().find(|table| table.name == name) {
            Some(table) => self.apply(table, &base),
            None => {
                let message = format!("the scenario has no variant \"{name}\"");
                Err(self.error(Problem::new(&Place::Nowhere, message, "expected the name of a [[variant]]")))
            }
        }
    }

    /// Whether the file has a sweep.
    pub fn has_sweep(&self) -> bool {
        self.tree.get("sweep").is_some()
    }

    /// Refuses what the command line sets in vain, because the sweep varies it.
    ///
    /// # Errors
    /// Names the path that is both set and varied.
    pub fn check_overrides_of_sweep(&self) -> Result<(), ScenarioError> {
        let Some(sweep) = self.sweep()? else { return Ok(()) };
        sweep.check_unset(&self.tree).map_err(|problem| self.error(problem))
    }

    /// Every point of the sweep: of the base scenario, then of each variant, which is swept over those of the
    /// parameters that it has. Without a sweep, one point for each of them.
    ///
    /// # Errors
    /// The first thing that is wrong with the sweep, a variant or a point.
    pub fn points(&self) -> Result<Vec<Point>, ScenarioError> {
        self.scenario()?;
        let base = self.model_tree();
        let mut points = self.expand(&base, (None, false), self.sweep()?)?;
        for variant in self.variant_tables()? {
            let tree = self.apply(&variant, &base)?;
            let sweep = self.sweep()?.and_then(|sweep| sweep.applied_to(&tree));
            points.extend(self.expand(&tree, (Some(&variant.name), variant.is_what_if()), sweep)?);
        }
        Ok(points)
    }

    /// Whether `scenario`, which this file gave, fits a machine with `memory` bytes, `parallel_runs` at a time.
    ///
    /// # Errors
    /// It does not; says what takes how much.
    pub fn check_fits(
        &self,
        scenario: &Scenario,
        memory: u64,
        parallel_runs: usize,
    ) -> Result<(), ScenarioError> {
        fits::check(scenario, memory, parallel_runs).map_err(|message| {
            let place = self.tree.get("arrivals").map_or(Place::Nowhere, |node| node.place.clone());
            let label = "these arrivals are more than the instances can ever serve";
            self.error(Problem::new(&place, message, label).help(fits::HELP))
        })
    }

    fn expand(
        &self,
        base: &Tree,
        (variant, what_if): (Option<&str>, bool),
        sweep: Option<SweepTable>,
    ) -> Result<Vec<Point>, ScenarioError> {
        let all = match sweep {
            Some(sweep) => sweep.expand(base).map_err(|problem| self.error(problem))?,
            None => vec![Combination { settings: Vec::new(), condition: Vec::new() }],
        };
        let plain = |settings: &[(String, Setting, Node)]| -> Vec<(String, Setting)> {
            settings.iter().map(|(path, setting, _)| (path.clone(), setting.clone())).collect()
        };
        let point = |number: usize| {
            let Combination { settings, condition } = &all[number];
            let changes = || settings.iter().chain(condition).map(|(path, _, node)| (path.as_str(), node));
            let tree = self.tree_of(base, changes())?;
            let (settings, condition) = (plain(settings), plain(condition));
            let met = |error: ScenarioError| error.met(in_point(variant, settings.iter().chain(&condition)));
            let scenario = self.read(&tree).map_err(met)?;
            Ok(Point { variant: variant.map(str::to_owned), settings, condition, what_if, scenario })
        };
        // Each by itself; of several errors the first is told.
        parallel::map(all.len(), point).into_iter().collect()
    }

    /// `base` with the values of some paths changed, factors on the traffic last.
    pub(super) fn tree_of<'a>(
        &self,
        base: &Tree,
        changes: impl Iterator<Item = (&'a str, &'a Node)> + Clone,
    ) -> Result<Tree, ScenarioError> {
        let mut tree = base.clone();
        for (path, node) in changes.clone().filter(|(path, _)| *path != circumstance::TRAFFIC) {
            let set = tree.set(path, node.clone());
            set.map_err(|why| self.error(impossible(&node.place, path, why)))?;
        }
        for (path, node) in changes.filter(|(path, _)| *path == circumstance::TRAFFIC) {
            let factor = match node.data {
                Data::Integer(factor) => Some(factor as f64),
                Data::Float(factor) => Some(factor),
                _ => None,
            };
            let factor = factor.filter(|factor| *factor > 0.0 && factor.is_finite()).ok_or_else(|| {
                let message = format!("`{path}` is {}", node.data.kind());
                self.error(Problem::new(&node.place, message, "expected a factor above zero, such as 1.2"))
            })?;
            tree = circumstance::with_traffic(&tree, factor).ok_or_else(|| {
                let message = "the traffic of these arrivals has no factor";
                let label = "expected arrivals with rates, or a recording with `scale`";
                self.error(Problem::new(&node.place, message, label))
            })?;
        }
        Ok(tree)
    }

    fn apply(&self, variant: &VariantTable, base: &Tree) -> Result<Tree, ScenarioError> {
        let mut tree = variant.apply(base).map_err(|problem| self.error(problem))?;
        manifest::expand(&mut tree, &self.context)
            .map_err(|problem| self.error(problem).met(in_variant(&variant.name)))?;
        Ok(tree)
    }

    pub(super) fn sweep(&self) -> Result<Option<SweepTable>, ScenarioError> {
        assemble::read_sweep(&self.tree, &self.context).map_err(|problem| self.error(problem))
    }

    fn variant_tables(&self) -> Result<Vec<VariantTable>, ScenarioError> {
        let variants = assemble::read_variants(&self.tree, &self.context);
        let label = assemble::read_label(&self.tree, &self.context);
        let checked =
            variants.and_then(|variants| variant::check_names(&variants, &label?).map(|()| variants));
        checked.map_err(|problem| self.error(problem))
    }

    /// The tree without sweep and variants, which are copied for every point.
    pub(super) fn model_tree(&self) -> Tree {
        let mut tree = self.tree.clone();
        tree.remove("sweep");
        tree.remove("variant");
        tree
    }

    pub(super) fn read(&self, tree: &Tree) -> Result<Scenario, ScenarioError> {
        assemble::read(tree, &self.context, &self.stem).map_err(|problem| {
            let elsewhere = !matches!(problem.place, Place::Override(_));
            let with = || format!("with `{}`", self.overrides.join(" "));
            self.error(problem).met((elsewhere && !self.overrides.is_empty()).then(with))
        })
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn error(&self, problem: Problem) -> ScenarioError {
        ScenarioError::new(&self.source, problem)
    }
}

/// Sets the value at a path, and reads the manifest that the scenario then names.
fn changed(tree: &mut Tree, context: &Context, (path, node): (&str, Node)) -> Result<(), Problem> {
    let place = node.place.clone();
    tree.set(path, node).map_err(|why| impossible(&place, path, why))?;
    manifest::expand(tree, context)
}

fn in_variant(name: &str) -> Option<String> {
    Some(format!("in the variant \"{name}\""))
}

/// Names the point, for messages: nothing for the base scenario.
fn in_point<'a>(
    variant: Option<&str>,
    settings: impl Iterator<Item = &'a (String, Setting)>,
) -> Option<String> {
    let shown: Vec<String> = settings.map(|(path, setting)| format!("{path} = {setting}")).collect();
    if shown.is_empty() {
        return variant.and_then(in_variant);
    }
    let within = variant.map_or_else(String::new, |name| format!(" of the variant \"{name}\""));
    Some(format!("in the sweep point{within} with {}", shown.join(", ")))
}

/// The bytes of the file.
fn read(file: &NamedFile<'_>) -> Result<Vec<u8>, Problem> {
    let refuse = |message: String, label: &str| Problem::new(&Place::Nowhere, message, label);
    if file.kind() == Some(FileKind::Folder) {
        return Err(refuse("this is a folder".into(), "expected a scenario file, such as scenario.toml"));
    }
    let bytes = file.read(MOST_BYTES).map_err(|error| unreadable(file, &error))?;
    bytes.ok_or_else(|| {
        let message = format!("the file is larger than {} MiB", MOST_BYTES >> 20);
        let problem = refuse(message, "expected a scenario file, which is a few kB of TOML");
        problem.help("a trace is named by its scenario: [arrivals] kind = \"trace\", file = …")
    })
}

fn unreadable(file: &NamedFile<'_>, error: &std::io::Error) -> Problem {
    let refuse = |message: &str, label: &str| Problem::new(&Place::Nowhere, message, label);
    match error.kind() {
        std::io::ErrorKind::NotFound => missing(file),
        std::io::ErrorKind::PermissionDenied => {
            refuse("the file may not be read", "expected a file that you have the right to read")
        }
        _ => refuse(&format!("the file cannot be read: {error}"), "expected a scenario file"),
    }
}

fn missing(file: &NamedFile<'_>) -> Problem {
    let problem = Problem::new(&Place::Nowhere, "the file does not exist", "expected a scenario file");
    let folder = match file.path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return problem,
    };
    let Some(names) = file.siblings() else {
        return problem.help("its folder does not exist either");
    };
    let wanted = file.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(close) => problem.help(format!("did you mean `{}`?", folder.join(close).display())),
        None => problem,
    }
}

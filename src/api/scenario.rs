//! A scenario as programs hold it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::api::Error;
use crate::files::Files;
use crate::scenario as inner;
use crate::scenario::ScenarioFile;
use crate::schema::Context;

/// A scenario: traffic, service, instances, autoscaler and price, with its variants and the parameters of its sweep.
///
/// Its keys are those of `docs/scenario.md`. A scenario is read in full, with every message that there may be, when
/// something is done with it: so a key that the text lacks can be [set](Scenario::set) before.
///
/// ```
/// use kneepoint::{Options, Scenario, run};
///
/// let mut scenario = Scenario::parse(r#"
///     [arrivals]
///     kind = "poisson"
///     rate = 8
///     [service]
///     time = { dist = "exponential", mean = "1s" }
///     [autoscaler]
///     kind = "fixed"
///     instances = 10
///     [run]
///     duration = "1m"
/// "#)?;
/// let slow = run(&scenario, &Options::default())?;
/// scenario.set("autoscaler.instances", "20")?;
/// let fast = run(&scenario, &Options::default())?;
/// let wait = |result: &kneepoint::RunResult| result.figures().get("wait.mean").mean;
/// assert!(wait(&fast) < wait(&slow));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug)]
pub struct Scenario {
    pub(super) file: ScenarioFile,
}

impl Scenario {
    /// Reads the file at `path`. Files that it names are looked for from its folder.
    ///
    /// # Errors
    /// The file cannot be read, or is not TOML.
    ///
    /// ```
    /// let scenario = kneepoint::Scenario::load("scenarios/walkthrough.toml")?;
    /// assert_eq!(scenario.name()?, "walkthrough");
    /// # Ok::<(), kneepoint::Error>(())
    /// ```
    pub fn load(path: impl AsRef<Path>) -> Result<Scenario, Error> {
        Ok(Scenario { file: ScenarioFile::load(path.as_ref())? })
    }

    /// Reads the file at `path` of `files`; those that it names are looked for there too.
    ///
    /// # Errors
    /// Those of [`Scenario::load`].
    ///
    /// ```
    /// use kneepoint::{Memory, Options, Scenario, run};
    ///
    /// let mut files = Memory::default();
    /// files.insert("monday.csv", "at\n0.5\n1.25\n2\n");
    /// files.insert("monday.toml", r#"
    ///     [arrivals]
    ///     kind = "trace"
    ///     file = "monday.csv"
    ///     [service]
    ///     time = "200ms"
    ///     [autoscaler]
    ///     kind = "fixed"
    ///     instances = 1
    ///     [run]
    ///     duration = "10s"
    /// "#);
    /// let result = run(&Scenario::load_from(files, "monday.toml")?, &Options::default())?;
    /// assert_eq!(result.figures().get("served").mean, Some(3.0));
    /// # Ok::<(), kneepoint::Error>(())
    /// ```
    pub fn load_from(files: impl Files + 'static, path: impl AsRef<Path>) -> Result<Scenario, Error> {
        Ok(Scenario { file: ScenarioFile::load_from(Arc::new(files), path.as_ref())? })
    }

    /// Parses `text`, shown in messages as `scenario.toml`. Files that it names are looked for from the working directory.
    ///
    /// # Errors
    /// The text is not TOML.
    pub fn parse(text: &str) -> Result<Scenario, Error> {
        Ok(Scenario { file: ScenarioFile::parse_in("scenario.toml", text, Context::default())? })
    }

    /// Sets the key at `path`, such as `autoscaler.up.above`, as `--set` of the command does. `value` is TOML; a text needs
    /// no quotes.
    ///
    /// # Errors
    /// The path leads through something that is not a table. Whether there is such a key, and whether it takes the value,
    /// shows when something is done with the scenario.
    ///
    /// ```
    /// # let mut scenario = kneepoint::Scenario::load("scenarios/walkthrough.toml")?;
    /// scenario.set("run.seed", "7")?.set("run.replications", "3")?;
    /// assert_eq!(kneepoint::check(&scenario)?.replications, 3);
    /// # Ok::<(), kneepoint::Error>(())
    /// ```
    pub fn set(&mut self, path: &str, value: &str) -> Result<&mut Scenario, Error> {
        self.file.override_path(path, value)?;
        Ok(self)
    }

    /// Its name: what it writes itself, else the name of its file.
    ///
    /// # Errors
    /// What is wrong with the scenario.
    pub fn name(&self) -> Result<String, Error> {
        Ok(self.file.scenario()?.name)
    }

    /// Every point of its sweep, in order: of the scenario without its variants, then of each variant. Without a sweep, one
    /// point for each of them.
    ///
    /// # Errors
    /// What is wrong with the scenario, its sweep, or a point of it.
    ///
    /// ```
    /// let scenario = kneepoint::Scenario::load("scenarios/quickstart.toml")?;
    /// let points = scenario.points()?;
    /// assert!(points.len() > 1 && points[0].to_string().starts_with("autoscaler."));
    /// # Ok::<(), kneepoint::Error>(())
    /// ```
    pub fn points(&self) -> Result<Vec<Setting>, Error> {
        Ok(self.file.points()?.iter().map(Setting::of).collect())
    }

    /// The scenario, then its variants by name.
    pub(super) fn alternatives(&self) -> Result<Vec<(Option<String>, inner::Scenario)>, Error> {
        let variants = self.file.variants()?.into_iter().map(|(name, variant)| (Some(name), variant));
        Ok(std::iter::once((None, self.file.scenario()?)).chain(variants).collect())
    }
}

/// A setting of a sweep: the variant and the value of each swept key. Displays as `key = value, …`.
///
/// ```
/// use kneepoint::Scenario;
///
/// let mut scenario = Scenario::load("scenarios/walkthrough.toml")?;
/// scenario.set("sweep.parameters", "{ 'autoscaler.max' = [8, 9] }")?;
/// let settings = scenario.points()?;
/// assert_eq!(settings[0].values, [("autoscaler.max".to_owned(), "8".to_owned())]);
/// assert_eq!(settings[1].to_string(), "autoscaler.max = 9");
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting {
    /// The variant; `None` for the scenario without its variants.
    pub variant: Option<String>,
    /// The swept keys by their path, with the values they have here, in the order of the file.
    pub values: Vec<(String, String)>,
}

impl Setting {
    pub(super) fn of(point: &inner::Point) -> Setting {
        let values = point.settings.iter().map(|(path, value)| (path.clone(), value.to_string()));
        Setting { variant: point.variant.clone(), values: values.collect() }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if let Some(variant) = &self.variant {
            write!(f, "{variant}")?;
            separator = ", ";
        }
        for (path, value) in &self.values {
            write!(f, "{separator}{path} = {value}")?;
            separator = ", ";
        }
        Ok(())
    }
}

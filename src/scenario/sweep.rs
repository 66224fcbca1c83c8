//! `[sweep]`: which keys are varied, and over what: settings, which are chosen among, and conditions, which are not.

use super::circumstance::{self, TRAFFIC};
use super::design;
use super::paths::kind_at;
use super::setting::{Setting, takes};
use crate::schema::{
    Choice, Context, Data, Key, Kind, Node, Place, Problem, Reader, TableSpec, Tree, Value, read_choice,
};
use crate::sorting::Sorting as _;
use crate::time::Span;

/// More points than anyone waits for; keeps a slip of the hand from expanding a grid that fills the memory.
const MOST_POINTS: u64 = 100_000;

/// The most points of a sample: choosing them takes time in the square of their number.
const MOST_SAMPLED: f64 = 10_000.0;

/// The settings of one point, each with its path and the value the scenario is given there.
pub(super) type Settings = Vec<(String, Setting, Node)>;

/// One value of a parameter, and how the scenario writes it.
type Level = (Setting, Node);

/// One point: its settings, and the condition it meets.
pub(super) struct Combination {
    pub settings: Settings,
    pub condition: Settings,
}

/// `[sweep]` as it is written.
pub(super) struct SweepTable {
    parameters: Vec<Parameter>,
    conditions: Vec<Parameter>,
    place: Place,
    /// Points of a sample; `None` for a grid.
    points: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Design {
    Grid,
    Sample,
}

impl Choice for Design {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("grid", Design::Grid, "every combination of the values of all parameters"),
        (
            "sample",
            Design::Sample,
            "`points` combinations that fill the space evenly: a Latin hypercube whose points keep apart",
        ),
    ];
}

impl Value for Design {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    Log,
}

impl Choice for Scale {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("linear", Scale::Linear, "values the same difference apart"),
        ("log", Scale::Log, "values the same factor apart; both ends above zero"),
    ];
}

impl Value for Scale {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// One end of a range.
#[derive(Clone, Copy)]
enum End {
    Number(f64),
    Duration(Span),
}

impl End {
    /// In seconds, or plain.
    fn base(self) -> f64 {
        match self {
            End::Number(number) => number,
            End::Duration(span) => span.as_secs_f64(),
        }
    }
}

impl Value for End {
    fn kind() -> Kind {
        Kind::Either(vec![Kind::Number, Kind::Duration])
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        match node.data {
            Data::Text(_) => Span::read(node, path, context).map(End::Duration),
            _ => f64::read(node, path, context).map(End::Number),
        }
    }
}

const PARAMETERS: Key<Option<Parameters>> = Key::optional(
    "parameters",
    "Settings: paths of the keys to choose among, in quotes, each with a list of values or a range `{ from, to, steps }`.",
);
const CONDITIONS: Key<Option<Parameters>> = Key::optional(
    "conditions",
    "What may happen, written in the same way: traffic, cold starts, failures. Each setting meets every combination of them, and no answer chooses one. `\"traffic\"` is a factor on all rates of the arrivals, or on the requests of a recording. Names of files, such as those of other days, may be listed.",
);
const DESIGN: Key<Design> = Key::or("design", "\"grid\"", "Which combinations are run.");
const POINTS: Key<Option<u32>> =
    Key::optional("points", "Number of combinations of a sample.").at_least(1.0).at_most(MOST_SAMPLED);

pub(super) const SPEC: TableSpec = TableSpec {
    name: "sweep",
    doc: "The keys that `kneepoint sweep` varies, and their values.",
    keys: &[&PARAMETERS, &CONDITIONS, &DESIGN, &POINTS],
};

const FROM: Key<End> = Key::required("from", "First value.");
const TO: Key<End> = Key::required("to", "Last value.");
const STEPS: Key<Option<u32>> = Key::optional(
    "steps",
    "Number of values, the first and the last included. A sample needs none: it spreads its points over the range.",
)
.at_least(2.0)
.at_most(MOST_POINTS as f64);
const SCALE: Key<Scale> = Key::or("scale", "\"linear\"", "How the values are spaced.");

const RANGE_SPEC: TableSpec = TableSpec {
    name: "range",
    doc: "Values from one end to the other, both included. A key that takes whole numbers takes the nearest ones, each once.",
    keys: &[&FROM, &TO, &STEPS, &SCALE],
};

struct Parameters(Vec<Parameter>);

/// One key that is varied.
struct Parameter {
    path: String,
    /// Where the path is written.
    place: Place,
    values: Values,
    /// The values as they are written; empty if they come from the command line.
    written: String,
}

/// What the values of a key are: to be chosen among, or to be met.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Setting,
    Condition,
}

enum Values {
    List(Vec<Node>),
    Range { from: End, to: End, steps: Option<u32>, scale: Scale, place: Place },
}

impl Value for Parameters {
    fn kind() -> Kind {
        let list =
            Kind::List(Box::new(Kind::Either(vec![Kind::Number, Kind::Duration, Kind::Bool, Kind::Text])));
        Kind::Map(Box::new(Kind::Either(vec![list, Kind::Table(&RANGE_SPEC)])))
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let expected = "expected a table such as { \"autoscaler.up.above\" = [0.6, 0.7, 0.8] }";
        let Data::Table(table) = &node.data else {
            return Err(Problem::new(&node.place, format!("`{path}` is {}", node.data.kind()), expected));
        };
        let mut parameters = table
            .iter()
            .map(|(name, place, node)| {
                let values = Values::read(node, (path, name), context)?;
                let written = node.place.span().map_or("", |span| span.text()).to_owned();
                Ok(Parameter { path: name.to_owned(), place: place.clone(), values, written })
            })
            .collect::<Result<Vec<_>, Problem>>()?;
        if parameters.is_empty() {
            return Err(Problem::new(&node.place, format!("`{path}` is empty"), expected));
        }
        parameters.sort_once_by_key(|parameter| written_at(&parameter.place));
        Ok(Parameters(parameters))
    }
}

/// Sorts what a table holds in the order it is written.
pub(super) fn written_at(place: &Place) -> usize {
    match place {
        Place::File(span) => span.bytes.start,
        _ => usize::MAX,
    }
}

impl Values {
    fn read(node: &Node, (within, path): (&str, &str), context: &Context) -> Result<Self, Problem> {
        const EXPECTED: &str =
            "expected a list such as [1, 2, 3], or a range such as { from = 1, to = 9, steps = 5 }";
        match &node.data {
            Data::Array(items) if items.is_empty() => {
                Err(Problem::new(&node.place, format!("the values of `{path}` are an empty list"), EXPECTED))
            }
            Data::Array(items) => Ok(Values::List(items.clone())),
            Data::Table(table) if table.iter().any(|(_, _, node)| matches!(node.data, Data::Table(_))) => {
                let message = format!("the path that begins with `{path}` is not in quotes");
                let problem = Problem::new(&node.place, message, "expected the whole path as one key");
                Err(problem.help("write it in quotes: \"autoscaler.up.above\" = [0.6, 0.7]"))
            }
            Data::Table(_) => {
                let reader = Reader::open(node, &format!("{within}.\"{path}\""), &RANGE_SPEC, context)?;
                Ok(Values::Range {
                    from: reader.get(&FROM)?,
                    to: reader.get(&TO)?,
                    steps: reader.find(&STEPS)?,
                    scale: reader.get(&SCALE)?,
                    place: node.place.clone(),
                })
            }
            other => Err(Problem::new(
                &node.place,
                format!("the values of `{path}` are {}", other.kind()),
                EXPECTED,
            )),
        }
    }
}

impl Value for SweepTable {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        let (design, points) = (reader.get(&DESIGN)?, reader.find(&POINTS)?);
        match (design, points) {
            (Design::Grid, Some(_)) => {
                let message = format!("`{}` belongs to a sample", reader.path_of("points"));
                let label = "a grid has every combination of the values";
                return Err(reader.problem("points", message, label).help("add: design = \"sample\""));
            }
            (Design::Sample, None) => return Err(reader.missing("points").help("for example: points = 50")),
            _ => {}
        }
        let parameters = reader.find(&PARAMETERS)?.map_or_else(Vec::new, |parameters| parameters.0);
        let conditions = reader.find(&CONDITIONS)?.map_or_else(Vec::new, |conditions| conditions.0);
        if parameters.is_empty() && (conditions.is_empty() || points.is_some()) {
            let example =
                "settings to choose among: [sweep.parameters] with \"autoscaler.up.above\" = [0.6, 0.7]";
            let other = "what may happen: [sweep.conditions] with \"traffic\" = [0.8, 1, 1.2]";
            return Err(reader.missing("parameters").help(example).help(other));
        }
        let twice =
            |condition: &&Parameter| parameters.iter().any(|parameter| parameter.path == condition.path);
        if let Some(condition) = conditions.iter().find(twice) {
            let message = format!("`{}` is both a setting and a condition", condition.path);
            return Err(Problem::new(&condition.place, message, "expected it in one of the two tables"));
        }
        let varied = if parameters.is_empty() { "conditions" } else { "parameters" };
        Ok(SweepTable { parameters, conditions, place: reader.place_of(varied), points })
    }
}

impl SweepTable {
    /// The settings of every point, for the scenario in `tree`; the last parameter changes fastest.
    ///
    /// # Errors
    /// A path that leads nowhere, values that cannot be, or too many of them.
    pub fn expand(&self, tree: &Tree) -> Result<Vec<Combination>, Problem> {
        let checked = self.checked(tree)?;
        let conditions = self.conditions(tree)?;
        let settings = match self.points {
            Some(points) => sampled(&checked, points as usize),
            None => self.grid(&checked, conditions.len() as u64)?,
        };
        let meets = |settings: Settings| {
            let all = conditions.iter();
            all.map(move |condition| Combination { settings: settings.clone(), condition: condition.clone() })
        };
        Ok(settings.into_iter().flat_map(meets).collect())
    }

    /// Every combination of the conditions: one without any, if there are none.
    ///
    /// # Errors
    /// A path that leads nowhere, values that cannot be, or too many of them.
    pub fn conditions(&self, tree: &Tree) -> Result<Vec<Settings>, Problem> {
        let checked = self.conditions.iter().map(|condition| condition.check(tree, Role::Condition));
        self.grid(&checked.collect::<Result<Vec<_>, Problem>>()?, 1)
    }

    /// The values of each setting, in the order they are written, and whether they are a range that may go on beyond its
    /// ends.
    ///
    /// # Errors
    /// A path that leads nowhere, or values that cannot be.
    pub fn axes(&self, tree: &Tree) -> Result<Vec<(String, Vec<Setting>, bool)>, Problem> {
        let axis = |parameter: Checked<'_>| {
            let range = matches!(parameter.parameter.values, Values::Range { .. });
            let levels = parameter.levels_of_a_search()?;
            let settings = levels.into_iter().map(|(setting, _)| setting).collect();
            Ok((parameter.parameter.path.clone(), settings, range))
        };
        self.checked(tree)?.into_iter().map(axis).collect()
    }

    fn checked(&self, tree: &Tree) -> Result<Vec<Checked<'_>>, Problem> {
        self.parameters.iter().map(|parameter| parameter.check(tree, Role::Setting)).collect()
    }

    /// The sweep over those parameters that the scenario in `tree` has: a variant may replace an autoscaler whose
    /// thresholds are swept by one that has none.
    pub fn applied_to(mut self, tree: &Tree) -> Option<SweepTable> {
        let has = |parameter: &Parameter| {
            parameter.path == TRAFFIC || kind_at(tree, &parameter.path, &parameter.place).is_ok()
        };
        self.parameters.retain(has);
        self.conditions.retain(has);
        (!self.parameters.is_empty() || !self.conditions.is_empty()).then_some(self)
    }

    /// Refuses what the command line sets and the sweep sets again at every point.
    ///
    /// # Errors
    /// The value in `tree` of a swept key comes from the command line.
    pub fn check_unset(&self, tree: &Tree) -> Result<(), Problem> {
        for Parameter { path, .. } in self.parameters.iter().chain(&self.conditions) {
            if let Some(Node { place: place @ Place::Override(_), .. }) = tree.get(path) {
                let message = format!("`{path}` is set, but the sweep varies it");
                let problem =
                    Problem::new(place, message, "every point has the value that the sweep gives it");
                return Err(problem.help("to simulate this one value: kneepoint run"));
            }
        }
        Ok(())
    }

    /// Every combination; as many `times` over must not be too many.
    fn grid(&self, parameters: &[Checked<'_>], times: u64) -> Result<Vec<Settings>, Problem> {
        let levels: Vec<Vec<Level>> = parameters.iter().map(Checked::levels).collect::<Result<_, _>>()?;
        let count = levels.iter().try_fold(1u64, |count, levels| count.checked_mul(levels.len() as u64));
        let few = |count: &u64| count.checked_mul(times).is_some_and(|all| all <= MOST_POINTS);
        let Some(count) = count.filter(few) else {
            let sizes = levels.iter().map(Vec::len).chain((times > 1).then_some(times as usize));
            let sizes: Vec<String> = sizes.map(|size| size.to_string()).collect();
            let message = format!("the grid has {} points", sizes.join(" × "));
            let label = format!("expected at most {MOST_POINTS}");
            let problem = Problem::new(&self.place, message, label);
            return Err(problem
                .help("a sample covers many parameters with few points: design = \"sample\", points = 200"));
        };
        let mut points = Vec::with_capacity(count as usize);
        for number in 0..count as usize {
            let mut rest = number;
            let mut point: Settings = Vec::with_capacity(parameters.len());
            for (parameter, levels) in parameters.iter().zip(&levels).rev() {
                point.push(parameter.settle(levels[rest % levels.len()].clone()));
                rest /= levels.len();
            }
            point.reverse();
            points.push(point);
        }
        Ok(points)
    }
}

/// A parameter whose path and values are known to suit the scenario.
struct Checked<'a> {
    parameter: &'a Parameter,
    kind: Kind,
}

impl Parameter {
    fn check(&self, tree: &Tree, role: Role) -> Result<Checked<'_>, Problem> {
        if self.path.split('.').next() == Some("slo") {
            let message = format!("`{}` cannot be swept", self.path);
            let label = "the points of a sweep share their SLO, so that they can be compared";
            let help = "write another SLO in a `[[variant]]`, or in a scenario file of its own";
            return Err(Problem::new(&self.place, message, label).help(help));
        }
        let kind = match self.path.as_str() {
            TRAFFIC => Kind::Number,
            path => kind_at(tree, path, &self.place)?,
        };
        if let (Role::Setting, Some(circumstance)) = (role, circumstance::of(&self.path)) {
            let message = format!("`{}` is no setting to choose: {}", self.path, circumstance.what());
            let problem = Problem::new(&self.place, message, "an answer would choose what only happens");
            let values = if self.written.is_empty() { "…" } else { &self.written };
            let problem =
                problem.help(format!("write it under [sweep.conditions]: \"{}\" = {values}", self.path));
            return Err(circumstance.other_ways().iter().fold(problem, |problem, way| problem.help(*way)));
        }
        let named = role == Role::Condition && matches!(self.values, Values::List(_));
        let refuse = |what: &str| {
            let message = format!("`{}` is {what}, which cannot be swept", self.path);
            let label = "expected a number, a duration, true or false, or a choice of names";
            Err(Problem::new(&self.place, message, label).help("write the alternatives as `[[variant]]`"))
        };
        match kind {
            Kind::Text | Kind::File if !named => return refuse("a text"),
            Kind::List(_) => return refuse("a list"),
            Kind::Table(_) | Kind::Union(_) | Kind::Map(_) => return refuse("a table"),
            _ => {}
        }
        match &self.values {
            Values::List(items) => {
                if let Some(item) = items.iter().find(|item| Setting::of(item, &kind).is_none()) {
                    let message = format!("a value of `{}` is {}", self.path, item.data.kind());
                    return Err(Problem::new(&item.place, message, "expected a single value"));
                }
            }
            Values::Range { from, to, scale, place, .. } => {
                self.check_range(&kind, [*from, *to], *scale, place)?;
            }
        }
        Ok(Checked { parameter: self, kind })
    }

    fn check_range(&self, kind: &Kind, ends: [End; 2], scale: Scale, place: &Place) -> Result<(), Problem> {
        let number = takes(kind, |kind| matches!(kind, Kind::Number | Kind::Integer));
        let duration = takes(kind, |kind| matches!(kind, Kind::Duration));
        let refuse = |what: String, expected: &str| Err(Problem::new(place, what, expected));
        let path = &self.path;
        let (from, to) = match ends {
            [End::Number(from), End::Number(to)] if number => (from, to),
            [End::Duration(from), End::Duration(to)] if duration => (from.as_secs_f64(), to.as_secs_f64()),
            _ if duration => {
                return refuse(
                    format!("`{path}` is a duration"),
                    "expected durations as both ends, such as from = \"10s\", to = \"2m\"",
                );
            }
            _ if number => return refuse(format!("`{path}` is a number"), "expected numbers as both ends"),
            _ => return refuse(format!("`{path}` has no range of values"), "expected a list of values"),
        };
        if from == to {
            return refuse(format!("the range of `{path}` has no length"), "expected two different ends");
        }
        if scale == Scale::Log && !(from > 0.0 && to > 0.0) {
            return refuse(
                format!("a logarithmic range of `{path}` cannot reach zero or less"),
                "expected both ends above zero",
            );
        }
        Ok(())
    }
}

impl Checked<'_> {
    /// The values that a search tries: those of the grid; of a range without `steps`, nine.
    fn levels_of_a_search(&self) -> Result<Vec<Level>, Problem> {
        const LEVELS: u32 = 9;
        if !matches!(self.parameter.values, Values::Range { steps: None, .. }) {
            return self.levels();
        }
        let share = |level: u32| f64::from(level) / f64::from(LEVELS - 1);
        let mut levels: Vec<Level> = (0..LEVELS).map(|level| self.along(share(level), 4)).collect();
        levels.dedup();
        Ok(levels)
    }

    /// The values of a grid, each once.
    fn levels(&self) -> Result<Vec<Level>, Problem> {
        match &self.parameter.values {
            Values::List(items) => Ok(items.iter().map(|item| self.level(item)).collect()),
            Values::Range { steps: Some(steps), .. } => {
                let last = f64::from(*steps - 1);
                let mut levels: Vec<Level> =
                    (0..*steps).map(|step| self.along(f64::from(step) / last, 12)).collect();
                levels.dedup();
                Ok(levels)
            }
            Values::Range { place, .. } => {
                let message = format!("the range of `{}` has no `steps`", self.parameter.path);
                Err(Problem::new(place, message, "expected the number of values, such as steps = 5"))
            }
        }
    }

    /// The value at a share (0 to 1) of the way along the values, with so many significant digits if it is a linear
    /// range; a logarithmic one has four.
    fn along(&self, share: f64, digits: usize) -> Level {
        match &self.parameter.values {
            Values::List(items) => {
                let index = (share * items.len() as f64) as usize;
                self.level(&items[index.min(items.len() - 1)])
            }
            Values::Range { from, to, scale, place, .. } => {
                let between = |from: f64, to: f64| match (share, scale) {
                    (share, _) if share <= 0.0 => from,
                    (share, _) if share >= 1.0 => to,
                    (share, Scale::Linear) => rounded(from + share * (to - from), digits),
                    (share, Scale::Log) => rounded(from * (to / from).powf(share), 4),
                };
                let value = between(from.base(), to.base());
                let setting = match from {
                    End::Duration(_) => Setting::Duration(Span::from_secs_f64(value)),
                    End::Number(_) => Setting::Number(self.whole(value)),
                };
                (setting.clone(), setting.node(place))
            }
        }
    }

    fn level(&self, item: &Node) -> Level {
        // `check` has seen that every item is a setting.
        (Setting::of(item, &self.kind).unwrap_or(Setting::Text(String::new())), item.clone())
    }

    /// The nearest number that the key takes.
    fn whole(&self, number: f64) -> f64 {
        let fractions = takes(&self.kind, |kind| matches!(kind, Kind::Number));
        if fractions { number } else { number.round() }
    }

    fn settle(&self, (setting, node): Level) -> (String, Setting, Node) {
        (self.parameter.path.clone(), setting, node)
    }
}

/// Points that fill the space; each parameter takes so many values, evenly spread, each once.
fn sampled(parameters: &[Checked<'_>], points: usize) -> Vec<Settings> {
    let share = |rank: usize| if points > 1 { rank as f64 / (points - 1) as f64 } else { 0.5 };
    design::latin_hypercube(points, parameters.len())
        .into_iter()
        .map(|ranks| {
            let settled = parameters.iter().zip(ranks);
            settled.map(|(parameter, rank)| parameter.settle(parameter.along(share(rank), 4))).collect()
        })
        .collect()
}

/// `value` with so many significant digits, so that 0.1 + 0.2 reads 0.3.
fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

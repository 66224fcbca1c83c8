//! How a scenario writes a distribution.

use std::sync::Arc;

use super::empirical::Between;
use super::law::Distribution;
use super::percentiles::Percentiles;
use crate::schema::{
    AnyKey, Choice, Context, Data, FileName, Key, Kind, Node, Problem, Reader, TableSpec, UnionSpec, Value,
    read_choice,
};
use crate::time::Span;
use crate::traffic::{Column, Order, Unit, read_column};

/// A distribution of durations, in seconds: `"350ms"`, or `{ dist = "lognormal", mean = "350ms", cv = 0.6 }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Durations(pub Distribution);

/// A distribution of plain numbers: `128`, or `{ dist = "gamma", p50 = 100, p95 = 800 }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers(pub Distribution);

impl Value for Durations {
    fn kind() -> Kind {
        Kind::Either(vec![Kind::Duration, Kind::Union(Keys::<Span>::UNION)])
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        read::<Span>(node, path, context).map(Durations)
    }
    /// The mean: bounds of a key apply to it.
    fn extent(&self) -> Option<(f64, f64)> {
        Some((self.0.mean(), self.0.mean()))
    }
}

impl Value for Numbers {
    fn kind() -> Kind {
        Kind::Either(vec![Kind::Number, Kind::Union(Keys::<f64>::UNION)])
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        read::<f64>(node, path, context).map(Numbers)
    }
    /// The mean: bounds of a key apply to it.
    fn extent(&self) -> Option<(f64, f64)> {
        Some((self.0.mean(), self.0.mean()))
    }
}

/// A type in which the parameters of a distribution are written.
trait Quantity: Value + Copy + 'static {
    /// In base units: seconds, or plain.
    fn base(self) -> f64;
    /// Keys that say what the numbers of a file mean; none for plain numbers.
    const EMPIRICAL: &'static [&'static dyn AnyKey];
    /// Base units per number of a file.
    fn file_unit(reader: &Reader) -> Result<f64, Problem>;
}

impl Quantity for Span {
    fn base(self) -> f64 {
        self.as_secs_f64()
    }
    const EMPIRICAL: &'static [&'static dyn AnyKey] =
        &[&Keys::<Span>::VALUES, &FILE, &COLUMN, &UNIT, &INTERPOLATION];
    fn file_unit(reader: &Reader) -> Result<f64, Problem> {
        reader.get(&UNIT).map(Unit::seconds)
    }
}

impl Quantity for f64 {
    fn base(self) -> f64 {
        self
    }
    const EMPIRICAL: &'static [&'static dyn AnyKey] = &[&Keys::<f64>::VALUES, &FILE, &COLUMN, &INTERPOLATION];
    fn file_unit(_: &Reader) -> Result<f64, Problem> {
        Ok(1.0)
    }
}

impl Choice for Between {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("none", Between::Nothing, "Every draw is one of the values, with equal probability."),
        ("linear", Between::Line, "Draws fall also between neighbouring values, never outside them all."),
    ];
}

impl Value for Between {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

const FILE: Key<Option<FileName>> =
    Key::optional("file", "CSV file of measured values; instead of `values`.");
const COLUMN: Key<Column> = Key::or("column", "1", "Column of `file`: its name, or its number from 1.");
const UNIT: Key<Unit> = Key::or("unit", "\"s\"", "Unit of the numbers in `file`.");
const INTERPOLATION: Key<Between> =
    Key::or("interpolation", "\"none\"", "What lies between two measured values.");
const CV: Key<Option<f64>> = Key::optional("cv", "Coefficient of variation: standard deviation over mean.")
    .at_least(1e-3)
    .at_most(1e3);
const ALPHA: Key<Option<f64>> =
    Key::optional("alpha", "Exponent of the tail; smaller is heavier.").at_least(1e-3).at_most(1e3);
const STAGES: Key<u32> =
    Key::required("k", "How many exponential stages are summed; the cv is 1/√k.").at_least(1.0);
const BRANCH: Key<Option<f64>> =
    Key::optional("p", "Probability of the first branch; with `mean1` and `mean2`.")
        .at_least(0.0)
        .at_most(1.0);

/// Names of the percentile keys and what share lies below each.
const PERCENTILES: [(&str, f64); 10] = [
    ("p1", 0.01),
    ("p5", 0.05),
    ("p10", 0.10),
    ("p25", 0.25),
    ("p50", 0.50),
    ("p75", 0.75),
    ("p90", 0.90),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p999", 0.999),
];

/// The keys whose values are written as a `T`.
struct Keys<T>(std::marker::PhantomData<T>);

impl<T: Quantity> Keys<T> {
    const VALUE: Key<T> = Key::required("value", "The value, always the same.").at_least(0.0);
    const VALUES: Key<Option<Vec<T>>> =
        Key::optional("values", "Measured values; instead of `file`.").at_least(0.0);
    const MEAN: Key<Option<T>> = Key::optional("mean", "Mean.").above(0.0);
    const STAGES_MEAN: Key<T> = Key::required("mean", "Mean of the whole sum.").above(0.0);
    const MIN: Key<Option<T>> = Key::optional("min", "Minimum.").at_least(0.0);
    const MAX: Key<Option<T>> = Key::optional("max", "Maximum.").above(0.0);
    const MEAN1: Key<Option<T>> = Key::optional("mean1", "Mean of the first branch.").above(0.0);
    const MEAN2: Key<Option<T>> = Key::optional("mean2", "Mean of the second branch.").above(0.0);

    const P: &'static [Key<Option<T>>; 10] = &{
        let mut keys = [Self::percentile(PERCENTILES[0].0); 10];
        let mut index = 1;
        while index < PERCENTILES.len() {
            keys[index] = Self::percentile(PERCENTILES[index].0);
            index += 1;
        }
        keys
    };

    const fn percentile(name: &'static str) -> Key<Option<T>> {
        Key::optional(name, "The percentile of this name: `p99` is the value that 99 % lie below.").above(0.0)
    }

    const MEAN_CV_OR_PERCENTILES: &'static [&'static dyn AnyKey] = &[
        &Self::MEAN,
        &CV,
        &Self::P[0],
        &Self::P[1],
        &Self::P[2],
        &Self::P[3],
        &Self::P[4],
        &Self::P[5],
        &Self::P[6],
        &Self::P[7],
        &Self::P[8],
        &Self::P[9],
    ];

    const UNION: &'static UnionSpec = &UnionSpec {
        name: "distribution",
        doc: "A distribution, by mean and cv or by two percentiles.",
        tag: "dist",
        default: None,
        common: &[],
        variants: &[
            &TableSpec { name: "constant", doc: "Always the same.", keys: &[&Self::VALUE] },
            &TableSpec {
                name: "exponential",
                doc: "Exponential: memoryless, cv 1. By its mean or by one percentile.",
                keys: &[
                    &Self::MEAN,
                    &Self::P[0],
                    &Self::P[1],
                    &Self::P[2],
                    &Self::P[3],
                    &Self::P[4],
                    &Self::P[5],
                    &Self::P[6],
                    &Self::P[7],
                    &Self::P[8],
                    &Self::P[9],
                ],
            },
            &TableSpec {
                name: "lognormal",
                doc: "Lognormal: its logarithm is normal. By mean and cv or by two percentiles.",
                keys: Self::MEAN_CV_OR_PERCENTILES,
            },
            &TableSpec {
                name: "gamma",
                doc: "Gamma. By mean and cv or by two percentiles.",
                keys: Self::MEAN_CV_OR_PERCENTILES,
            },
            &TableSpec {
                name: "erlang",
                doc: "Erlang: the sum of k exponential stages.",
                keys: &[&Self::STAGES_MEAN, &STAGES],
            },
            &TableSpec {
                name: "weibull",
                doc: "Weibull: a power of an exponential. By mean and cv or by two percentiles.",
                keys: Self::MEAN_CV_OR_PERCENTILES,
            },
            &TableSpec {
                name: "uniform",
                doc: "Uniform. By `min` and `max`, by mean and cv, or by two percentiles.",
                keys: &[
                    &Self::MIN,
                    &Self::MAX,
                    &Self::MEAN,
                    &CV,
                    &Self::P[0],
                    &Self::P[1],
                    &Self::P[2],
                    &Self::P[3],
                    &Self::P[4],
                    &Self::P[5],
                    &Self::P[6],
                    &Self::P[7],
                    &Self::P[8],
                    &Self::P[9],
                ],
            },
            &TableSpec {
                name: "pareto",
                doc: "Pareto between two bounds. By any three of `alpha`, `min`, `max` and `mean`.",
                keys: &[&ALPHA, &Self::MIN, &Self::MAX, &Self::MEAN],
            },
            &TableSpec {
                name: "hyperexponential",
                doc: "One of two exponentials. By mean and cv (balanced means), or by `p`, `mean1` and `mean2`.",
                keys: &[&Self::MEAN, &CV, &BRANCH, &Self::MEAN1, &Self::MEAN2],
            },
            &TableSpec {
                name: "empirical",
                doc: "Drawn from measured values: a list, or a column of a CSV file.",
                keys: T::EMPIRICAL,
            },
        ],
    };
}

fn read<T: Quantity>(node: &Node, path: &str, context: &Context) -> Result<Distribution, Problem> {
    if !matches!(node.data, Data::Table(_)) {
        let value = T::read(node, path, context)?.base();
        if value < 0.0 {
            let message = format!("`{path}` is {value}");
            return Err(Problem::new(&node.place, message, "expected at least 0"));
        }
        return Ok(Distribution::constant(value));
    }
    let (variant, reader) = Keys::<T>::UNION.open(node, path, context)?;
    let fitted = match variant.name {
        "constant" => Ok(Distribution::constant(reader.get(&Keys::<T>::VALUE)?.base())),
        "exponential" => Ok(exponential::<T>(&reader)?),
        "lognormal" => match parameters::<T>(&reader)? {
            Parameters::MeanCv(mean, cv) => Distribution::lognormal(mean, cv),
            Parameters::Percentiles(two) => Distribution::lognormal_from_percentiles(two),
        },
        "gamma" => match parameters::<T>(&reader)? {
            Parameters::MeanCv(mean, cv) => Distribution::gamma(mean, cv),
            Parameters::Percentiles(two) => Distribution::gamma_from_percentiles(two),
        },
        "weibull" => match parameters::<T>(&reader)? {
            Parameters::MeanCv(mean, cv) => Distribution::weibull(mean, cv),
            Parameters::Percentiles(two) => Distribution::weibull_from_percentiles(two),
        },
        "erlang" => Distribution::erlang(reader.get(&Keys::<T>::STAGES_MEAN)?.base(), reader.get(&STAGES)?),
        "uniform" => uniform::<T>(&reader)?,
        "pareto" => pareto::<T>(&reader)?,
        "hyperexponential" => hyperexponential::<T>(&reader)?,
        _ => empirical::<T>(&reader)?,
    };
    fitted.map_err(|why| reader.problem("dist", format!("`{path}`: {why}"), "no such distribution"))
}

/// The two ways to write a distribution of two parameters.
enum Parameters {
    MeanCv(f64, f64),
    Percentiles(Percentiles),
}

fn find<T: Quantity>(reader: &Reader, key: &Key<Option<T>>) -> Result<Option<f64>, Problem> {
    Ok(reader.find(key)?.map(T::base))
}

/// The percentiles that are written, ascending in probability, each above the one before.
fn percentiles<T: Quantity>(reader: &Reader) -> Result<Vec<(f64, f64)>, Problem> {
    let mut found: Vec<(&str, f64, f64)> = Vec::new();
    for ((name, share), key) in PERCENTILES.iter().zip(Keys::<T>::P) {
        let Some(value) = find(reader, key)? else { continue };
        if let Some((below, _, lower)) = found.last().filter(|(_, _, lower)| *lower >= value) {
            let relation = if *lower > value { "below" } else { "the same as" };
            let message = format!("`{}` is {relation} `{below}`", reader.path_of(name));
            return Err(reader.problem(name, message, format!("expected more than `{below}`")));
        }
        found.push((name, *share, value));
    }
    Ok(found.into_iter().map(|(_, share, value)| (share, value)).collect())
}

fn parameters<T: Quantity>(reader: &Reader) -> Result<Parameters, Problem> {
    const EXPECTED: &str = "expected either `mean` and `cv`, or two percentiles such as `p50` and `p99`";
    let given = percentiles::<T>(reader)?;
    let here = |what: &str| Err(reader.problem("dist", what, EXPECTED));
    match (find(reader, &Keys::<T>::MEAN)?, reader.find(&CV)?, given.as_slice()) {
        (Some(mean), Some(cv), []) => Ok(Parameters::MeanCv(mean, cv)),
        (None, None, [first, second]) => Ok(Parameters::Percentiles([*first, *second])),
        (Some(_), None, []) => Err(reader.missing("cv")),
        (None, Some(_), []) => Err(reader.missing("mean")),
        (None, None, []) => here("nothing says how large the values are"),
        (None, None, [_]) => here("one percentile does not determine the distribution"),
        (None, None, _) => here("more than two percentiles are given"),
        _ => here("both percentiles and a mean or cv are given"),
    }
}

fn exponential<T: Quantity>(reader: &Reader) -> Result<Distribution, Problem> {
    const EXPECTED: &str = "expected either `mean` or one percentile such as `p50`";
    let given = percentiles::<T>(reader)?;
    match (find(reader, &Keys::<T>::MEAN)?, given.as_slice()) {
        (Some(mean), []) => Ok(Distribution::exponential(mean)),
        (None, [(share, value)]) => Ok(Distribution::exponential(-value / (-share).ln_1p())),
        (None, []) => Err(reader.problem("dist", "nothing says how large the values are", EXPECTED)),
        _ => Err(reader.problem("dist", "one parameter determines an exponential; more are given", EXPECTED)),
    }
}

type Fitted = Result<Distribution, String>;

fn uniform<T: Quantity>(reader: &Reader) -> Result<Fitted, Problem> {
    let range = (find(reader, &Keys::<T>::MIN)?, find(reader, &Keys::<T>::MAX)?);
    let others = PERCENTILES.iter().map(|(name, _)| *name).chain(["mean", "cv"]).any(|name| reader.has(name));
    match range {
        (Some(min), Some(max)) if !others => Ok(Distribution::uniform(min, max)),
        (None, None) => Ok(match parameters::<T>(reader)? {
            Parameters::MeanCv(mean, cv) => Distribution::uniform_from_mean_cv(mean, cv),
            Parameters::Percentiles(two) => Distribution::uniform_from_percentiles(two),
        }),
        _ if others => Err(reader.problem(
            "dist",
            "both a range and other parameters are given",
            "expected `min` and `max`, or `mean` and `cv`, or two percentiles",
        )),
        (Some(_), None) => Err(reader.missing("max")),
        _ => Err(reader.missing("min")),
    }
}

fn pareto<T: Quantity>(reader: &Reader) -> Result<Fitted, Problem> {
    let (min, max) = (find(reader, &Keys::<T>::MIN)?, find(reader, &Keys::<T>::MAX)?);
    if min == Some(0.0) {
        return Err(reader.problem("min", "a Pareto starts above 0", "expected more than 0"));
    }
    match (reader.find(&ALPHA)?, min, max, find(reader, &Keys::<T>::MEAN)?) {
        (Some(alpha), Some(min), Some(max), None) => Ok(Distribution::pareto(alpha, min, max)),
        (None, Some(min), Some(max), Some(mean)) => {
            Ok(Distribution::pareto_from_mean_and_range(mean, min, max))
        }
        (Some(alpha), None, Some(max), Some(mean)) => {
            Ok(Distribution::pareto_from_mean_and_max(mean, alpha, max))
        }
        (Some(alpha), Some(min), None, Some(mean)) => {
            Ok(Distribution::pareto_from_mean_and_min(mean, alpha, min))
        }
        _ => Err(reader.problem(
            "dist",
            "a bounded Pareto has three parameters",
            "expected exactly three of `alpha`, `min`, `max` and `mean`",
        )),
    }
}

fn hyperexponential<T: Quantity>(reader: &Reader) -> Result<Fitted, Problem> {
    let whole = (find(reader, &Keys::<T>::MEAN)?, reader.find(&CV)?);
    let branches =
        (reader.find(&BRANCH)?, find(reader, &Keys::<T>::MEAN1)?, find(reader, &Keys::<T>::MEAN2)?);
    match (whole, branches) {
        ((Some(mean), Some(cv)), (None, None, None)) => {
            Distribution::hyperexponential(mean, cv).map(Ok).map_err(|why| {
                let problem = reader.problem("cv", why, "expected a cv of at least 1");
                problem.help("for a cv below 1 use \"gamma\", \"erlang\" or \"lognormal\"")
            })
        }
        ((None, None), (Some(p), Some(mean1), Some(mean2))) => {
            Ok(Distribution::hyperexponential_branches(p, mean1, mean2))
        }
        _ => Err(reader.problem(
            "dist",
            "the parameters do not determine a hyperexponential",
            "expected either `mean` and `cv`, or `p`, `mean1` and `mean2`",
        )),
    }
}

fn empirical<T: Quantity>(reader: &Reader) -> Result<Fitted, Problem> {
    let between = reader.get(&INTERPOLATION)?;
    match (reader.find(&Keys::<T>::VALUES)?, reader.find(&FILE)?) {
        (Some(values), None) => {
            Ok(Distribution::empirical(values.into_iter().map(T::base).collect(), between))
        }
        (None, Some(file)) => {
            let sorted = measured(reader, &file, T::file_unit(reader)?)?;
            Ok(Distribution::empirical_sorted(sorted, between))
        }
        (Some(_), Some(_)) => {
            Err(reader.problem("file", "both `values` and `file` are given", "expected one"))
        }
        (None, None) => Err(reader.missing("values").help("or name a CSV file with `file`")),
    }
}

/// The values of a file in ascending order, times `unit`.
fn measured(reader: &Reader, file: &str, unit: f64) -> Result<Arc<Vec<f64>>, Problem> {
    let column = reader.get(&COLUMN)?;
    let context = reader.context();
    let named = context.file(file);
    let key = format!("values of {} {column:?} {unit}", named.path.display());
    let parse = |cell: &str| cell.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    let loaded = context.load_once(&key, || {
        let mut values = read_column(&named, &column, Order::Any, "a number of 0 or more", parse)?;
        values.iter_mut().for_each(|value| *value *= unit);
        values.sort_unstable_by(f64::total_cmp);
        Ok(values)
    });
    loaded.map_err(|error: crate::traffic::FileError| error.at(&reader.place_of("file")))
}

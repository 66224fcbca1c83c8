//! What a PromQL query is of the simulated pool: read as Prometheus would evaluate it, with metrics known by their names.
//!
//! A query comes to a signal in a unit, of the pool, of the mean of its instances, or of one instance; or to a sentence that
//! says why it is none, so that a user is asked.

mod syntax;
#[cfg(test)]
mod tests;
mod tokens;

use self::syntax::{Expr, Grouping, Matcher, parse};
use super::measure::{COMPLETIONS, Factor, Measure, Of, unknown, why_not};
use super::metric_names::{Kind, Known, Meaning, Scope, Suffix, find};
use crate::autoscaler::Signal;

/// What a part of a query is.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    /// A number of the query's own.
    Number(f64),
    /// Series of a metric, or what has become of them.
    Of(Series),
    /// How many instances there are.
    Instances,
}

/// A known metric, and what the query has done to it.
#[derive(Debug, Clone, PartialEq)]
struct Series {
    name: String,
    known: Known,
    /// What it is by now; a counter has none until it is a rate.
    signal: Option<Signal>,
    factor: Factor,
    scope: Of,
    /// The samples over so many seconds rather than one value.
    range: Option<f64>,
    quantile: Option<f64>,
    window_s: f64,
    warnings: Vec<String>,
}

/// What a query is.
///
/// # Errors
/// Why that is not settled: a phrase that begins with what it is of.
pub(crate) fn read(query: &str) -> Result<Measure, String> {
    let expr = parse(query).map_err(|why| format!("the query is not understood: {why}"))?;
    match evaluate(&expr)? {
        Value::Number(_) => Err("the query is a constant, whatever the load".into()),
        Value::Instances => Err("the query counts instances".into()),
        Value::Of(series) => series.measure(),
    }
}

/// The signal that a query has most to do with: that of the first metric in it which is known.
pub(crate) fn likely(query: &str) -> Option<Signal> {
    fn of(expr: &Expr) -> Option<Signal> {
        match expr {
            Expr::Series { name, .. } => super::measure::likely(name),
            Expr::Subquery { of: inner, .. }
            | Expr::Offset { of: inner, .. }
            | Expr::Negative(inner)
            | Expr::Aggregate { of: inner, .. } => of(inner),
            Expr::Call { arguments, .. } => arguments.iter().find_map(of),
            Expr::Binary { left, right, .. } => of(left).or_else(|| of(right)),
            Expr::Number(_) | Expr::Text => None,
        }
    }
    of(&parse(query).ok()?)
}

impl Series {
    fn measure(self) -> Result<Measure, String> {
        if self.range.is_some() {
            return Err(format!("`{}` over a range is no single value", self.name));
        }
        let Some(signal) = self.signal else { return Err(why_not(&self.name, &self.known)) };
        if self.known.row.scope == Scope::Everything {
            return Err(format!("`{}` counts for every host of its controller", self.name));
        }
        let Series { factor, scope, quantile, window_s, warnings, .. } = self;
        Ok(Measure { signal, factor, scope, quantile, window_s, warnings })
    }

    fn scaled(mut self, times: f64, divided: f64) -> Series {
        // The value grows by it, so what turns it back into the unit shrinks.
        self.factor = Factor { num: self.factor.num * divided, den: self.factor.den * times };
        self
    }

    fn at(self, scope: Of) -> Series {
        Series { scope, ..self }
    }
}

fn evaluate(expr: &Expr) -> Result<Value, String> {
    match expr {
        Expr::Number(number) => Ok(Value::Number(*number)),
        Expr::Text => Err("the query is a text".into()),
        Expr::Series { name, matchers, range } => series(name, matchers, *range).map(Value::Of),
        Expr::Subquery { of, range } => match evaluate(of)? {
            Value::Of(series) => Ok(Value::Of(Series { range: Some(*range), ..series })),
            other => Ok(other),
        },
        Expr::Offset { of, seconds } => Ok(match evaluate(of)? {
            Value::Of(mut series) => {
                series.warnings.push(match *seconds {
                    ago if ago >= 0.0 => {
                        format!("it is the value of {ago} s ago: `metrics.delay` is what it sets")
                    }
                    later => format!("it is the value of {} s later, which no scaler has", -later),
                });
                Value::Of(series)
            }
            other => other,
        }),
        Expr::Negative(_) => Err("the query falls while the load rises".into()),
        Expr::Call { name, arguments } => call(name, arguments),
        Expr::Aggregate { name, of, grouping } => aggregate(name, of, grouping),
        Expr::Binary { operator, bool, left, right } => binary(operator, *bool, left, right),
    }
}

fn series(name: &str, matchers: &[Matcher], range: Option<f64>) -> Result<Series, String> {
    let known = find(name).ok_or_else(|| unknown(name))?;
    let signal = match (known.row.meaning, known.suffix) {
        (Meaning::Is(signal), Suffix::None) => Some(signal),
        (Meaning::RateIs(signal), Suffix::Rate) => Some(signal),
        _ => None,
    };
    let mut warnings: Vec<String> = Vec::new();
    let note = known.row.note;
    if known.row.name == "istio_requests_total" {
        warnings.push(match matchers.iter().find(|matcher| matcher.label == "reporter") {
            None => "without a `reporter` in its braces both proxies count each request: up to twice the rate".into(),
            Some(Matcher { value, .. }) if value == "destination" => {
                "counted at the pods: there is no series while there is no pod, so it cannot wake the pool from zero".into()
            }
            Some(_) => return Ok(Series::of(name, known, signal, range, Vec::new())),
        });
    } else if !note.is_empty() {
        warnings.push(note.to_owned());
    }
    Ok(Series::of(name, known, signal, range, warnings))
}

impl Series {
    fn of(
        name: &str,
        known: Known,
        signal: Option<Signal>,
        range: Option<f64>,
        warnings: Vec<String>,
    ) -> Series {
        let scope = if known.row.scope == Scope::Mean { Of::Mean } else { Of::One };
        let factor = Factor { num: 1.0, den: known.row.divisor() };
        let name = name.to_owned();
        Series { name, known, signal, factor, scope, range, quantile: None, window_s: 0.0, warnings }
    }
}

fn call(name: &str, arguments: &[Expr]) -> Result<Value, String> {
    let first = || arguments.first().ok_or_else(|| format!("`{name}` is of nothing"));
    match name {
        "rate" | "irate" | "increase" => rate(name, first()?).map(Value::Of),
        "avg_over_time" => match evaluate(first()?)? {
            Value::Of(Series { range: Some(range), signal: Some(signal), .. }) if arguments.len() == 1 => {
                let Value::Of(series) = evaluate(first()?)? else { return Err(refused(name)) };
                let window_s = series.window_s + range;
                Ok(Value::Of(Series { range: None, window_s, signal: Some(signal), ..series }))
            }
            Value::Of(series) => series.measure().and(Err(refused(name))),
            _ => Err(refused(name)),
        },
        // An HPA rounds up itself.
        "ceil" | "round" | "sort" | "sort_desc" | "scalar" | "last_over_time" | "label_replace"
        | "label_join" => match evaluate(first()?)? {
            Value::Of(series) => Ok(Value::Of(Series { range: None, ..series })),
            other => Ok(other),
        },
        "vector" => evaluate(first()?),
        "clamp_min" => match (evaluate(first()?)?, arguments.get(1)) {
            (value, Some(Expr::Number(least))) if *least <= 0.0 => Ok(value),
            _ => Err("the query is cut off from below".into()),
        },
        "clamp_max" | "clamp" => Err("the query is cut off: a maximum of instances says the same".into()),
        "histogram_quantile" => quantile(arguments).map(Value::Of),
        "predict_linear" | "deriv" | "holt_winters" | "double_exponential_smoothing" => {
            Err(format!("`{name}` is a forecast"))
        }
        _ => Err(refused(name)),
    }
}

fn refused(name: &str) -> String {
    format!("`{name}` makes no signal of the simulator")
}

/// A quantile of the times of requests, of which histograms are known.
fn quantile(arguments: &[Expr]) -> Result<Series, String> {
    let [Expr::Number(share), of] = arguments else {
        return Err("`histogram_quantile` is of a number and a histogram".into());
    };
    if !(*share > 0.0 && *share <= 1.0) {
        return Err(format!("a quantile of {share} is none: they are from 0 to 1"));
    }
    let series = buckets(of)?;
    let Meaning::QuantileIs(signal) = series.known.row.meaning else {
        let what = match series.known.row.meaning {
            Meaning::Other(what) => format!(" ({what})"),
            _ => String::new(),
        };
        return Err(format!("a quantile of `{}`{what} is no signal of the simulator", series.name));
    };
    Ok(Series { signal: Some(signal), quantile: Some(*share), ..series })
}

/// The growth of the buckets of a histogram, of each instance or of all; of a native histogram, of itself.
fn buckets(of: &Expr) -> Result<Series, String> {
    match of {
        Expr::Aggregate { name, of, grouping } if name == "sum" || name == "avg" => {
            let inner = buckets(of)?;
            let keeps_le = match grouping {
                Grouping::By(labels) => labels.iter().any(|label| label == "le"),
                Grouping::Without(labels) => !labels.iter().any(|label| label == "le"),
                Grouping::All => false,
            };
            if inner.known.suffix == Suffix::Bucket && !keeps_le {
                return Err(format!(
                    "the buckets of `{}` are added up without `by (le)`, so that the query has no value",
                    inner.name
                ));
            }
            let scope = if is_of_each(grouping) { Of::One } else { Of::Mean };
            Ok(inner.at(scope))
        }
        Expr::Call { name, arguments } if ["rate", "irate", "increase"].contains(&name.as_str()) => {
            let [Expr::Series { name: metric, matchers, range: Some(range) }] = arguments.as_slice() else {
                return Err(format!("`{name}` is of samples over a range"));
            };
            let series = series(metric, matchers, None)?;
            let is_histogram = series.known.row.kind == Kind::Histogram;
            if !is_histogram || !matches!(series.known.suffix, Suffix::Bucket | Suffix::None) {
                return Err(format!("`{metric}` is no histogram"));
            }
            let scope = if series.known.row.scope == Scope::Pod { Of::One } else { Of::Mean };
            let window_s = if name == "irate" { 0.0 } else { *range };
            Ok(Series { window_s, scope, ..series })
        }
        Expr::Series { name, .. } => {
            Err(format!("a quantile of `{name}` over all time hardly moves: `rate` of it is missing"))
        }
        _ => Err("`histogram_quantile` is of something else than the growth of a histogram".into()),
    }
}

/// The metric of which a query is the mean: the sum of a histogram by its count.
fn mean_of<'a>(left: &'a Expr, right: &'a Expr) -> Option<&'a str> {
    fn name_of(expr: &Expr) -> Option<&str> {
        match expr {
            Expr::Series { name, .. } => Some(name),
            Expr::Aggregate { of, .. } | Expr::Subquery { of, .. } | Expr::Offset { of, .. } => name_of(of),
            Expr::Call { arguments, .. } => arguments.iter().find_map(name_of),
            Expr::Binary { left, .. } => name_of(left),
            Expr::Negative(_) | Expr::Number(_) | Expr::Text => None,
        }
    }
    let (sum, count) = (name_of(left)?.strip_suffix("_sum")?, name_of(right)?.strip_suffix("_count")?);
    (sum == count).then_some(sum)
}

/// What a counter grows by a second, or over its range.
fn rate(function: &str, of: &Expr) -> Result<Series, String> {
    let Value::Of(series) = evaluate(of)? else { return Err(refused(function)) };
    let range = series.range.ok_or_else(|| format!("`{function}` is of samples over a range"))?;
    let name = &series.name;
    let (signal, completions) = match (series.known.row.meaning, series.known.suffix) {
        (Meaning::RateIs(signal), Suffix::None) => (signal, false),
        (Meaning::Completions, Suffix::None) => (Signal::RequestRate, true),
        // Each request is counted once, when it ends.
        (Meaning::QuantileIs(Signal::Latency), Suffix::Count) => (Signal::RequestRate, true),
        (Meaning::Other("service time"), Suffix::Count) if series.known.row.kind == Kind::Histogram => {
            (Signal::RequestRate, true)
        }
        (Meaning::Is(_), _) => {
            return Err(format!("`{name}` is no counter, so `{function}` of it means nothing"));
        }
        _ => return Err(why_not(name, &series.known)),
    };
    // The last two samples alone: the range is how far back they are looked for.
    let window_s = if function == "irate" { 0.0 } else { range };
    let mut series = Series { signal: Some(signal), range: None, window_s, ..series };
    if completions && series.warnings.is_empty() {
        series.warnings.push(COMPLETIONS.to_owned());
    }
    Ok(if function == "increase" { series.scaled(range, 1.0) } else { series })
}

fn aggregate(name: &str, of: &Expr, grouping: &Grouping) -> Result<Value, String> {
    if name == "count" {
        return match of {
            Expr::Series { name, .. } if is_listing_pods(name) => Ok(Value::Instances),
            _ => match evaluate(of) {
                Ok(Value::Of(series)) if matches!(series.known.row.scope, Scope::Pod) => Ok(Value::Instances),
                Ok(Value::Instances) => Ok(Value::Instances),
                _ => Err("the query counts series".into()),
            },
        };
    }
    let series = match evaluate(of)? {
        Value::Of(series) => series,
        Value::Number(number) => return Ok(Value::Number(number)),
        Value::Instances => return Ok(Value::Instances),
    };
    if matches!(series.known.row.meaning, Meaning::Replicas) && series.known.row.name.starts_with("kube_") {
        return Ok(Value::Instances);
    }
    let is_each = is_of_each(grouping);
    let one_series = matches!(series.known.row.scope, Scope::Total | Scope::Mean | Scope::Everything);
    match name {
        _ if is_each && matches!(name, "sum" | "avg") => Ok(Value::Of(series)),
        "sum" if series.scope == Of::Mean => Ok(Value::Of(series)),
        "sum" if series.quantile.is_some() => {
            Err(format!("quantiles of `{}` added up are none", series.name))
        }
        "sum" if series.known.row.scope == Scope::Gpu => {
            Err(format!("`{}` summed over accelerators is no share", series.name))
        }
        "sum" => Ok(Value::Of(series.at(Of::Total))),
        "avg" if series.known.row.scope == Scope::Parts => {
            Err(format!("the mean of `{}` over its parts", series.name))
        }
        "avg" if series.scope == Of::Total || one_series => Ok(Value::Of(series)),
        "avg" => Ok(Value::Of(series.at(Of::Mean))),
        "max" | "min" if series.scope != Of::One => Ok(Value::Of(series)),
        "max" | "min" if one_series => Ok(Value::Of(series.at(Of::Total))),
        "max" => Err(format!("the fullest instance by `{}` is no signal of the simulator", series.name)),
        _ => Err(refused(name)),
    }
}

/// Whether a grouping keeps instances apart.
fn is_of_each(grouping: &Grouping) -> bool {
    let each = ["pod", "pod_name", "kubernetes_pod_name", "instance", "replica", "endpoint"];
    match grouping {
        Grouping::By(labels) => labels.iter().any(|label| each.contains(&label.as_str())),
        Grouping::Without(labels) => {
            !labels.is_empty() && !labels.iter().any(|label| each.contains(&label.as_str()))
        }
        Grouping::All => false,
    }
}

/// Metrics of which there is a series for each pod.
fn is_listing_pods(name: &str) -> bool {
    ["kube_pod_info", "kube_pod_status_ready", "up"].contains(&name)
}

fn binary(operator: &str, bool: bool, left: &Expr, right: &Expr) -> Result<Value, String> {
    if bool {
        return Err("the query is 0 or 1: a comparison".into());
    }
    let is_comparison = ["==", "!=", "<=", ">=", "<", ">"].contains(&operator);
    if is_comparison {
        // Without `bool` a comparison lets values through or drops them, which a scaler takes for 0.
        return match (evaluate(left)?, evaluate(right)?, operator) {
            (Value::Of(series), Value::Number(least), ">" | ">=") if least <= 0.0 => Ok(Value::Of(series)),
            (Value::Of(series), Value::Number(_), ">" | ">=") => {
                Err(format!("`{}` counts only while it is above a number", series.name))
            }
            (Value::Instances, _, _) => Ok(Value::Instances),
            _ => Err("the query is a comparison".into()),
        };
    }
    if operator == "or" {
        return match (evaluate(left)?, evaluate(right)) {
            (value, Ok(Value::Number(0.0))) => Ok(value),
            _ => Err("the query takes one value or another".into()),
        };
    }
    if let Some(name) = mean_of(left, right).filter(|_| operator == "/") {
        return Err(format!(
            "the query is the mean of `{name}`, which is no signal of the simulator: quantiles are (`histogram_quantile`)"
        ));
    }
    match (operator, evaluate(left)?, evaluate(right)?) {
        (_, Value::Number(a), Value::Number(b)) => numbers(operator, a, b).map(Value::Number),
        ("*", Value::Of(series), Value::Number(by)) | ("*", Value::Number(by), Value::Of(series))
            if by > 0.0 =>
        {
            Ok(Value::Of(series.scaled(by, 1.0)))
        }
        ("/", Value::Of(series), Value::Number(by)) if by > 0.0 => Ok(Value::Of(series.scaled(1.0, by))),
        ("+" | "-", Value::Of(series), Value::Number(0.0)) => Ok(Value::Of(series)),
        ("/", Value::Of(series), Value::Instances) => match series.scope {
            // A gauge of the endpoint divided by its instances; so is a sum of theirs.
            Of::Total => Ok(Value::Of(series.at(Of::Mean))),
            _ => Err(format!("`{}` of each instance is divided by their number", series.name)),
        },
        ("+", Value::Of(a), Value::Of(b)) => together(a, b).map(Value::Of),
        ("-", Value::Number(_), Value::Of(_)) => Err("the query falls while the load rises".into()),
        ("/", Value::Of(a), Value::Of(b)) => {
            Err(format!("the query is the ratio of `{}` to `{}`", a.name, b.name))
        }
        _ => Err(format!("the query calculates with `{operator}` what no signal of the simulator is")),
    }
}

fn numbers(operator: &str, a: f64, b: f64) -> Result<f64, String> {
    match operator {
        "+" => Ok(a + b),
        "-" => Ok(a - b),
        "*" => Ok(a * b),
        "/" => Ok(a / b),
        "^" => Ok(a.powf(b)),
        _ => Err(format!("`{operator}` of numbers")),
    }
}

/// Requests in service and requests that wait, of one server: those in flight.
fn together(a: Series, b: Series) -> Result<Series, String> {
    let both = [a.signal, b.signal];
    let is_all = both.contains(&Some(Signal::Concurrency)) && both.contains(&Some(Signal::QueueLength));
    let same = a.known.system == b.known.system && a.scope == b.scope && a.factor == b.factor;
    if !is_all || !same || a.range.is_some() || b.range.is_some() {
        return Err(format!("the query adds `{}` and `{}`", a.name, b.name));
    }
    let window_s = a.window_s.max(b.window_s);
    Ok(Series { signal: Some(Signal::InFlight), window_s, ..a })
}

//! The formula of KEDA's `scalingModifiers`, as far as it is a multiple of one signal: sums, differences, products and
//! quotients with numbers, brackets and `float`; it then is a trigger with a target in that signal's unit. Any other is taken
//! over as a formula over signals and cron triggers.

use super::expression::Expression;
use super::settings::INSTANCES;
use crate::autoscaler::Signal;
use crate::autoscaler::reading::measure::{Factor, Measure, Of};
use crate::schema::nearest;

/// Deeper than any formula that a person reads.
const DEEPEST: usize = 50;

/// A number plus triggers by name, each times a number.
#[derive(Debug, Clone, PartialEq, Default)]
struct Linear {
    constant: f64,
    terms: Vec<(String, f64)>,
}

/// What a formula over the triggers is of the pool.
///
/// # Errors
/// Why it is no signal, as a phrase.
pub(super) fn composite(
    formula: &str,
    triggers: &[(String, Result<Measure, String>)],
) -> Result<Measure, String> {
    let mut parser = Parser { rest: formula.trim(), depth: 0 };
    let linear = parser.sum()?;
    if !parser.rest.is_empty() {
        return Err(format!("`{}` is not simulated in a formula", parser.word()));
    }
    if linear.constant != 0.0 && !linear.terms.is_empty() {
        return Err("the formula adds a number to what it measures".into());
    }
    let mut measures: Vec<(Measure, f64)> = Vec::new();
    for (name, weight) in linear.terms.iter().filter(|(_, weight)| *weight != 0.0) {
        let (_, measure) =
            triggers.iter().find(|(known, _)| known == name).ok_or_else(|| no_trigger(name, triggers))?;
        measures.push((measure.clone().map_err(|why| format!("`{name}`: {why}"))?, *weight));
    }
    match measures.as_slice() {
        [(one, weight)] if *weight > 0.0 => {
            let factor = Factor { num: one.factor.num, den: one.factor.den * weight };
            Ok(Measure { factor, ..one.clone() })
        }
        [(a, v), (b, w)] if a.scope == Of::Total && b.scope == Of::Total => {
            let signals = [a.signal, b.signal];
            let is_all = signals.contains(&Signal::Concurrency) && signals.contains(&Signal::QueueLength);
            // What a unit of each signal adds to the formula.
            let (v, w) = (a.factor.undo(*v), b.factor.undo(*w));
            match is_all && v == w && v > 0.0 {
                true => {
                    Ok(Measure { signal: Signal::InFlight, factor: Factor { num: 1.0, den: v }, ..a.clone() })
                }
                false => Err("the formula weighs several signals against each other".into()),
            }
        }
        [] => Err("the formula is a constant".into()),
        _ => Err("the formula is of several signals".into()),
    }
}

/// Why a name of a formula stands for nothing.
fn no_trigger(name: &str, triggers: &[(String, Result<Measure, String>)]) -> String {
    let near = nearest(name, triggers.iter().map(|(known, _)| known.as_str()));
    let meant = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
    format!("no trigger is called `{name}`{meant}")
}

/// A formula over signals.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OverSignals {
    pub text: String,
    /// Which quantile of times it is of, if it has any.
    pub quantile: Option<f64>,
    /// What must be known of the triggers in whose place the signals stand.
    pub notes: Vec<String>,
}

/// The formula over signals in the place of triggers, each in the unit that its query has, and what must be known of them.
/// `crons` are the triggers that go by the clock: their names in the file, and in the formula made of it.
///
/// # Errors
/// What of it is not understood, or which trigger is no signal, as a phrase.
pub(super) fn over_signals(
    formula: &str,
    triggers: &[(String, Result<Measure, String>)],
    crons: &[(String, String)],
) -> Result<OverSignals, String> {
    let expression = Expression::parse(formula)?;
    if expression.names().next().is_none() {
        return Err("the formula is a constant".into());
    }
    let mut notes: Vec<String> = Vec::new();
    let mut quantile: Option<f64> = None;
    let text = expression.with_names(|name| {
        if let Some((_, written)) = crons.iter().find(|(known, _)| known == name) {
            return Ok(written.clone());
        }
        let (_, measure) =
            triggers.iter().find(|(known, _)| known == name).ok_or_else(|| no_trigger(name, triggers))?;
        let measure = measure.as_ref().map_err(|why| format!("`{name}`: {why}"))?;
        let averaged = (measure.window_s > 0.0)
            .then(|| format!("averages over {} s: set `metrics.window`", measure.window_s));
        for note in measure.warnings.iter().cloned().chain(averaged) {
            let note = format!("`{name}`: {note}");
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        match (quantile, measure.quantile) {
            (Some(known), Some(other)) if known != other => {
                return Err(format!(
                    "the formula has the quantiles {known} and {other}, and one is simulated"
                ));
            }
            (known, new) => quantile = known.or(new),
        }
        Ok(in_signals(measure))
    })?;
    Ok(OverSignals { text, quantile, notes })
}

/// A measure as a formula over signals has it.
fn in_signals(measure: &Measure) -> String {
    let Measure { signal, factor, scope, .. } = measure;
    let name = signal.name();
    let of_pool = match (scope, signal.quantity().is_additive()) {
        (Of::Total, true) | (Of::Mean | Of::One, false) => name.to_owned(),
        (Of::Total, false) => format!("{name} * {INSTANCES}"),
        (Of::Mean | Of::One, true) => format!("{name} / {INSTANCES}"),
    };
    let in_unit = match factor {
        factor if factor.is_one() => of_pool,
        Factor { num, den } if *num == 1.0 => format!("{of_pool} * {den}"),
        Factor { num, den } => format!("{of_pool} * {den} / {num}"),
    };
    if in_unit == name { in_unit } else { format!("({in_unit})") }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn take(&mut self, mark: &str) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    /// What stands next, for messages.
    fn word(&self) -> &'a str {
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        &self.rest[..end]
    }

    fn sum(&mut self) -> Result<Linear, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the formula is nested too deeply".into());
        }
        let mut left = self.product()?;
        loop {
            let sign = match (self.take("+"), self.rest.starts_with('-')) {
                (true, _) => 1.0,
                (false, true) => {
                    self.take("-");
                    -1.0
                }
                (false, false) => break,
            };
            let right = self.product()?;
            left = left.plus(right, sign);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn product(&mut self) -> Result<Linear, String> {
        let mut left = self.factor()?;
        loop {
            if self.take("*") {
                let right = self.factor()?;
                left = match (left.terms.is_empty(), right.terms.is_empty()) {
                    (_, true) => left.times(right.constant),
                    (true, _) => right.times(left.constant),
                    _ => return Err("the formula multiplies one value by another".into()),
                };
            } else if self.take("/") {
                let right = self.factor()?;
                if !right.terms.is_empty() || right.constant == 0.0 {
                    return Err("the formula is a ratio of values".into());
                }
                left = left.times(1.0 / right.constant);
            } else {
                return Ok(left);
            }
        }
    }

    fn factor(&mut self) -> Result<Linear, String> {
        if self.take("-") {
            return Ok(self.factor_inner()?.times(-1.0));
        }
        self.factor_inner()
    }

    fn factor_inner(&mut self) -> Result<Linear, String> {
        if self.take("(") {
            let inner = self.sum()?;
            return if self.take(")") {
                Ok(inner)
            } else {
                Err(format!("`{}` is not simulated in a formula", self.word()))
            };
        }
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() {
            return Err(match self.word() {
                "" => "the formula ends where a value is expected".into(),
                other => format!("`{other}` is not simulated in a formula"),
            });
        }
        self.rest = rest.trim_start();
        if let Ok(number) = word.parse::<f64>() {
            return Ok(Linear { constant: number, terms: Vec::new() });
        }
        if self.rest.starts_with('(') {
            return match word {
                "float" => self.factor_inner(),
                _ => Err(format!("`{word}` is not simulated in a formula")),
            };
        }
        Ok(Linear { constant: 0.0, terms: vec![(word.to_owned(), 1.0)] })
    }
}

impl Linear {
    fn times(mut self, by: f64) -> Linear {
        self.constant *= by;
        self.terms.iter_mut().for_each(|(_, weight)| *weight *= by);
        self
    }

    fn plus(mut self, other: Linear, sign: f64) -> Linear {
        self.constant += sign * other.constant;
        for (name, weight) in other.terms {
            match self.terms.iter_mut().find(|(known, _)| *known == name) {
                Some((_, mine)) => *mine += sign * weight,
                None => self.terms.push((name, sign * weight)),
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(formula: &str) -> Result<(Signal, f64), String> {
        let measure = |signal| {
            Ok(Measure {
                signal,
                factor: Factor::ONE,
                scope: Of::Total,
                quantile: None,
                window_s: 0.0,
                warnings: Vec::new(),
            })
        };
        let triggers = [
            ("running".to_owned(), measure(Signal::Concurrency)),
            ("waiting".to_owned(), measure(Signal::QueueLength)),
            ("late".to_owned(), Err("a latency".to_owned())),
        ];
        composite(formula, &triggers).map(|measure| (measure.signal, measure.factor.apply(10.0)))
    }

    #[test]
    fn a_multiple_of_one_signal_is_read() {
        assert_eq!(read("waiting * 2"), Ok((Signal::QueueLength, 5.0)));
        assert_eq!(read("(waiting)/4"), Ok((Signal::QueueLength, 40.0)));
        assert_eq!(read("float(running + waiting)"), Ok((Signal::InFlight, 10.0)));
        assert_eq!(read("running*2 + 2*waiting"), Ok((Signal::InFlight, 5.0)));
        assert_eq!(read("running + waiting - running"), Ok((Signal::QueueLength, 10.0)));
    }

    #[test]
    fn other_formulas_are_written_over_signals_in_the_units_of_their_queries() {
        let measure = |signal, den, scope| {
            let factor = Factor { num: 1.0, den };
            Ok(Measure { signal, factor, scope, quantile: None, window_s: 0.0, warnings: vec!["w".into()] })
        };
        let triggers = [
            ("q".to_owned(), measure(Signal::QueueLength, 1.0, Of::Total)),
            ("mean".to_owned(), measure(Signal::Concurrency, 1.0, Of::Mean)),
            ("gpu".to_owned(), measure(Signal::Utilization, 100.0, Of::Mean)),
            ("late".to_owned(), Err("a latency".to_owned())),
        ];
        assert_eq!(
            over_signals("gpu > 80 ? q * 2 : max(q, mean)", &triggers, &[]),
            Ok(OverSignals {
                text:
                    "(utilization * 100) > 80 ? queue_length * 2 : max(queue_length, (concurrency / instances))"
                        .into(),
                quantile: None,
                notes: vec!["`gpu`: w".into(), "`q`: w".into(), "`mean`: w".into()]
            })
        );
        assert_eq!(over_signals("late + 1", &triggers, &[]), Err("`late`: a latency".into()));
        assert_eq!(over_signals("other", &triggers, &[]), Err("no trigger is called `other`".into()));
        assert_eq!(over_signals("2 + 3", &triggers, &[]), Err("the formula is a constant".into()));
        let crons =
            [("day".to_owned(), "day".to_owned()), ("instances".to_owned(), "instances_cron".to_owned())];
        let of_clock = over_signals("max(q, day * 2 + instances)", &triggers, &crons).unwrap();
        assert_eq!(of_clock.text, "max(queue_length, day * 2 + instances_cron)");
    }

    #[test]
    fn what_is_no_single_signal_is_said() {
        let deep = "(".repeat(5000);
        for (formula, why) in [
            ("running + (waiting * 10)", "weighs several"),
            ("waiting > 2 ? waiting : 1", "`>` is not simulated"),
            ("max(running, waiting)", "`max` is not simulated"),
            ("waiting / running", "ratio"),
            ("waiting + 3", "adds a number"),
            ("late * 2", "a latency"),
            ("other", "no trigger is called `other`"),
            ("waiting *", "ends where"),
            ("5", "constant"),
            ("", "ends where"),
            (&deep, "too deeply"),
        ] {
            let refused = read(formula).unwrap_err();
            assert!(refused.contains(why), "{formula}: {refused}");
        }
    }
}

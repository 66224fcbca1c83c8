//! How a field of a manifest is written, both ways: to the value of a scenario's key, and back.

use super::measure::Factor;
use crate::autoscaler::reading::quantity::parse_quantity;
use crate::document::edit::Scalar;
use crate::schema::{Data, Node, nearest};
use crate::time::Span;
use crate::units::{format_span, parse_span};

/// See the module. `read` and `write` of each variant stand side by side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Codec {
    /// A whole number, 0 or more; as a text too, as annotations have it.
    Count,
    /// A whole percentage.
    Percent,
    /// A number.
    Number,
    /// A number, as a text too.
    NumberText,
    /// A percentage that is one even where it is 1 or less; as a text too.
    PercentText,
    /// `true` or `false`.
    Bool,
    /// `true` or `false`, as a text too.
    BoolText,
    /// A whole number of seconds, as Kubernetes writes durations; as a text too.
    WholeSeconds,
    /// A number of seconds, with a fraction where the system takes one.
    Seconds {
        /// Whether it does.
        fractions: bool,
    },
    /// A duration with its unit, as Go writes it.
    Duration,
    /// A duration as ISO 8601 has it: `PT5M`.
    IsoDuration,
    /// A quantity of Kubernetes: a number, or a text such as `500m`.
    Quantity,
    /// A quantity that is a plain number in the scenario.
    QuantityNumber,
    /// A quantity in another unit than the scenario's: a plain number there.
    Converted(Factor),
    /// A text.
    Text,
    /// One of a few names of the system, and what the scenario calls each.
    Names(&'static [(&'static str, &'static str)]),
    /// The same, in any case of letters.
    AnyCase(&'static [(&'static str, &'static str)]),
}

impl Codec {
    /// The value of the scenario's key.
    ///
    /// # Errors
    /// What was expected instead, without "expected".
    pub fn read(self, node: &Node) -> Result<Data, String> {
        let text = plain_text(node);
        let number = || number(node).ok_or("a number".to_owned());
        match self {
            Codec::Count | Codec::Percent => count(node).map(Data::Integer),
            Codec::Number => match &node.data {
                Data::Integer(_) | Data::Float(_) => Ok(node.data.clone()),
                _ => Err("a number".into()),
            },
            Codec::NumberText => Ok(whole(text_number(&text)?)),
            Codec::PercentText => match text_number(&text)? {
                1.0 => Ok(whole(0.01)),
                percent if percent > 1.0 && percent <= 100.0 => Ok(whole(percent)),
                _ => Err("a percentage, 1 to 100".into()),
            },
            Codec::Bool => match node.data {
                Data::Bool(_) => Ok(node.data.clone()),
                _ => Err("true or false".into()),
            },
            Codec::BoolText => match text.as_deref() {
                Some("true") => Ok(Data::Bool(true)),
                Some("false") => Ok(Data::Bool(false)),
                _ => Err("true or false".into()),
            },
            Codec::WholeSeconds => count(node).map(|seconds| Data::Text(format!("{seconds}s"))),
            Codec::Seconds { .. } => match number() {
                Ok(seconds) if (0.0..1e9).contains(&seconds) => {
                    Ok(Data::Text(format_span(Span::from_secs_f64(seconds))))
                }
                _ => Err("seconds, 0 to 1e9".into()),
            },
            Codec::Duration => match text {
                // Go writes a zero duration without a unit.
                Some(text) if text == "0" => Ok(Data::Text("0s".into())),
                Some(text) => Ok(Data::Text(text)),
                None => Err("a duration such as \"90s\"".into()),
            },
            Codec::IsoDuration => text
                .as_deref()
                .and_then(iso_seconds)
                .map(|seconds| Data::Text(format!("{seconds}s")))
                .ok_or_else(|| "a duration such as \"PT5M\"".into()),
            Codec::Quantity => match &node.data {
                Data::Text(text) if parse_quantity(text.trim()).is_some() => {
                    Ok(Data::Text(text.trim().to_owned()))
                }
                Data::Integer(_) | Data::Float(_) => Ok(node.data.clone()),
                _ => Err("a number, or a quantity such as \"500m\" or \"2k\"".into()),
            },
            Codec::QuantityNumber => match &node.data {
                Data::Text(text) => parse_quantity(text).map(|thousandths| thousandths as f64 / 1000.0),
                _ => number().ok(),
            }
            .map(Data::Float)
            .ok_or_else(|| "a quantity".into()),
            Codec::Converted(factor) => match &node.data {
                Data::Text(text) => parse_quantity(text).map(|thousandths| thousandths as f64 / 1000.0),
                _ => number().ok(),
            }
            .map(|written| whole(rounded(factor.apply(written))))
            .ok_or_else(|| "a quantity".into()),
            Codec::Text => match (&node.data, text) {
                (Data::Text(text), _) => Ok(Data::Text(text.trim().to_owned())),
                (_, Some(text)) => Ok(Data::Text(text)),
                _ => Err("a text".into()),
            },
            Codec::Names(names) => name(names, text.as_deref(), |known, text| known == text),
            Codec::AnyCase(names) => name(names, text.as_deref(), str::eq_ignore_ascii_case),
        }
    }

    /// The name of the system that is most like what a field holds, if one is like enough to be what was meant.
    pub fn meant(self, node: &Node) -> Option<&'static str> {
        let (Codec::Names(names) | Codec::AnyCase(names)) = self else { return None };
        let lower: Vec<String> = names.iter().map(|(known, _)| known.to_lowercase()).collect();
        let near = nearest(&plain_text(node)?, lower.iter().map(String::as_str))?;
        names.iter().zip(&lower).find(|(_, lower)| *lower == near).map(|((known, _), _)| *known)
    }

    /// The field that reads back as `value`.
    ///
    /// # Errors
    /// Why there is none: a phrase.
    pub fn write(self, value: &Data) -> Result<Scalar, String> {
        let number = || match value {
            Data::Integer(integer) => Ok(*integer as f64),
            Data::Float(float) if float.is_finite() => Ok(*float),
            _ => Err("it takes a number".to_owned()),
        };
        let whole_number = |what: &str| match number()? {
            number if number >= 0.0 && number.fract() == 0.0 && number < 9e15 => {
                Ok(Scalar::Plain(format!("{number}")))
            }
            number => Err(format!("it takes {what}, 0 or more, not {number}")),
        };
        let span = || match value {
            Data::Text(text) => parse_span(text).map_err(|why| why.to_string()),
            _ => Err("it takes a duration".to_owned()),
        };
        match self {
            Codec::Count => whole_number("a whole number"),
            Codec::Percent => whole_number("a whole percentage"),
            Codec::Number => Ok(Scalar::Plain(show(number()?))),
            Codec::NumberText => Ok(Scalar::Text(show(number()?))),
            // In the scenario 1 and less is a fraction; in the field it is a percentage.
            Codec::PercentText => match number()? {
                percent if percent > 1.0 => Ok(Scalar::Text(show(percent))),
                fraction => Err(format!("it takes a percentage: {}", show(fraction * 100.0))),
            },
            Codec::Bool => bool(value).map(|bool| Scalar::Plain(bool.to_string())),
            Codec::BoolText => bool(value).map(|bool| Scalar::Text(bool.to_string())),
            Codec::WholeSeconds | Codec::Seconds { fractions: false } => {
                let seconds = span()?.as_secs_f64();
                match seconds.fract() == 0.0 {
                    true => Ok(Scalar::Plain(format!("{seconds}"))),
                    false => Err(format!("it takes whole seconds, not {seconds}")),
                }
            }
            Codec::Seconds { fractions: true } => Ok(Scalar::Plain(show(span()?.as_secs_f64()))),
            Codec::Duration => Ok(Scalar::Text(go_duration(span()?))),
            Codec::IsoDuration => {
                let seconds = span()?.as_secs_f64();
                match seconds.fract() == 0.0 {
                    true if seconds % 60.0 == 0.0 => Ok(Scalar::Text(format!("PT{}M", seconds / 60.0))),
                    true => Ok(Scalar::Text(format!("PT{seconds}S"))),
                    false => Err(format!("it takes whole seconds, not {seconds}")),
                }
            }
            Codec::Quantity => match value {
                Data::Text(text) if parse_quantity(text).is_some() => Ok(Scalar::Text(text.clone())),
                _ => quantity(number()?),
            },
            Codec::QuantityNumber => quantity(number()?),
            Codec::Converted(factor) => quantity(rounded(factor.undo(number()?))),
            Codec::Text => match value {
                Data::Text(text) => Ok(Scalar::Text(text.clone())),
                _ => Err("it takes a text".into()),
            },
            Codec::Names(names) | Codec::AnyCase(names) => {
                let found = names.iter().find(|(_, ours)| *value == Data::Text((*ours).to_owned()));
                let known = || names.iter().map(|(_, ours)| *ours).collect::<Vec<_>>().join(", ");
                found
                    .map(|(theirs, _)| Scalar::Text((*theirs).to_owned()))
                    .ok_or_else(|| format!("it takes one of {}", known()))
            }
        }
    }
}

/// A scalar as a text, the way annotations hold it.
fn plain_text(node: &Node) -> Option<String> {
    match &node.data {
        Data::Text(text) => Some(text.trim().to_owned()),
        Data::Integer(_) | Data::Float(_) | Data::Bool(_) => Some(node.to_json().to_string()),
        _ => None,
    }
}

fn number(node: &Node) -> Option<f64> {
    match node.data {
        Data::Integer(integer) => Some(integer as f64),
        Data::Float(float) => Some(float),
        _ => None,
    }
}

/// Seconds of a duration of days, hours, minutes and seconds.
fn iso_seconds(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (days, times) = rest.split_once('T').unwrap_or((rest, ""));
    let mut seconds: u64 = 0;
    for (part, units) in [(days, &[('D', 86_400)][..]), (times, &[('H', 3600), ('M', 60), ('S', 1)][..])] {
        let mut part = part;
        while !part.is_empty() {
            let end = part.find(|c: char| !c.is_ascii_digit())?;
            let count: u64 = part[..end].parse().ok()?;
            let (letter, factor) = units.iter().find(|(letter, _)| part[end..].starts_with(*letter))?;
            seconds = seconds.checked_add(count.checked_mul(*factor)?)?;
            part = &part[end + letter.len_utf8()..];
        }
    }
    (text.len() > 1 && !text.ends_with('T')).then_some(seconds)
}

/// Without the last digits, which a conversion leaves behind.
pub(super) fn rounded(number: f64) -> f64 {
    format!("{number:.12e}").parse().unwrap_or(number)
}

fn text_number(text: &Option<String>) -> Result<f64, String> {
    text.as_ref().and_then(|text| text.parse().ok()).ok_or_else(|| "a number".into())
}

/// Whole numbers stay whole, for keys that count.
fn whole(number: f64) -> Data {
    match number.fract() == 0.0 && number.abs() < 9e15 {
        true => Data::Integer(number as i64),
        false => Data::Float(number),
    }
}

fn count(node: &Node) -> Result<i64, String> {
    let count = match &node.data {
        Data::Integer(integer) => u64::try_from(*integer).ok(),
        Data::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    count.and_then(|count| i64::try_from(count).ok()).ok_or_else(|| "a whole number, 0 or more".into())
}

fn bool(value: &Data) -> Result<bool, String> {
    match value {
        Data::Bool(bool) => Ok(*bool),
        _ => Err("it takes true or false".into()),
    }
}

fn name(
    names: &[(&str, &'static str)],
    text: Option<&str>,
    same: impl Fn(&str, &str) -> bool,
) -> Result<Data, String> {
    let found = text.and_then(|text| names.iter().find(|(known, _)| same(known, text)));
    let known = || names.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
    found.map(|(_, ours)| Data::Text((*ours).to_owned())).ok_or_else(|| format!("one of {}", known()))
}

/// A number that reads back as the same one.
fn show(number: f64) -> String {
    format!("{number}")
}

/// A quantity to the thousandth, which is as fine as Kubernetes keeps one.
fn quantity(number: f64) -> Result<Scalar, String> {
    let thousandths = number * 1000.0;
    match (thousandths - thousandths.round()).abs() <= 1e-9 * thousandths.abs().max(1.0) {
        true if number.fract() == 0.0 => Ok(Scalar::Plain(format!("{number}"))),
        true => Ok(Scalar::Text(format!("{}m", thousandths.round()))),
        false => Err(format!("it takes thousandths, not {number}")),
    }
}

fn go_duration(span: Span) -> String {
    let nanos = span.as_nanos();
    match (nanos % 1_000_000_000, nanos % 1_000_000) {
        (0, _) => format!("{}s", nanos / 1_000_000_000),
        (_, 0) => format!("{}ms", nanos / 1_000_000),
        _ => format!("{nanos}ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Place;

    fn node(data: Data) -> Node {
        Node { data, place: Place::Nowhere }
    }

    /// The node that a reader of the manifest would find.
    fn written(scalar: Scalar) -> Node {
        match scalar {
            Scalar::Text(text) => node(Data::Text(text)),
            Scalar::Plain(text) => match (text.parse::<i64>(), text.parse::<f64>(), text.as_str()) {
                (Ok(integer), _, _) => node(Data::Integer(integer)),
                (_, Ok(float), _) => node(Data::Float(float)),
                (_, _, bool) => node(Data::Bool(bool == "true")),
            },
        }
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_value() {
        const NAMES: &[(&str, &str)] = &[("Max", "max"), ("Min", "min")];
        let text = |text: &str| Data::Text(text.into());
        for (codec, value) in [
            (Codec::Count, Data::Integer(7)),
            (Codec::Percent, Data::Integer(70)),
            (Codec::Number, Data::Float(0.25)),
            (Codec::NumberText, Data::Float(7.5)),
            (Codec::NumberText, Data::Integer(-1)),
            (Codec::PercentText, Data::Integer(70)),
            (Codec::Bool, Data::Bool(true)),
            (Codec::BoolText, Data::Bool(false)),
            (Codec::WholeSeconds, text("90s")),
            (Codec::Seconds { fractions: true }, text("500ms")),
            (Codec::Seconds { fractions: false }, text("5m")),
            (Codec::Duration, text("1500ms")),
            (Codec::IsoDuration, text("300s")),
            (Codec::IsoDuration, text("90s")),
            (Codec::Quantity, text("2500m")),
            (Codec::Quantity, Data::Integer(30)),
            (Codec::QuantityNumber, Data::Float(0.05)),
            (Codec::Converted(Factor { num: 1.0, den: 100.0 }), Data::Float(0.07)),
            (Codec::Converted(Factor { num: 1.0, den: 60.0 }), Data::Integer(10)),
            (Codec::Text, text("concurrency")),
            (Codec::Names(NAMES), text("min")),
            (Codec::AnyCase(NAMES), text("max")),
        ] {
            let scalar = codec.write(&value).unwrap();
            assert_eq!(codec.read(&written(scalar.clone())), Ok(value.clone()), "{codec:?} {scalar:?}");
        }
    }

    #[test]
    fn what_a_field_cannot_express_is_refused_not_rounded() {
        for (codec, value) in [
            (Codec::Percent, Data::Float(62.5)),
            (Codec::Count, Data::Integer(-1)),
            (Codec::PercentText, Data::Float(0.5)),
            (Codec::WholeSeconds, Data::Text("1500ms".into())),
            (Codec::Seconds { fractions: false }, Data::Text("500ms".into())),
            (Codec::Quantity, Data::Float(0.0005)),
            (Codec::Bool, Data::Text("true".into())),
            (Codec::Names(&[("Max", "max")]), Data::Text("most".into())),
        ] {
            assert!(codec.write(&value).is_err(), "{codec:?} {value:?}");
        }
    }
}

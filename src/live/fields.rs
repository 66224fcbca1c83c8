//! The values of a scenario that a slider can move: numbers and durations, where they stand in its text.

use std::sync::Arc;

use serde::Serialize;

use crate::document::edit::{self, Scalar};
use crate::document::{Data, Node, Source, toml};
use crate::sorting::Sorting as _;
use crate::time::Span;
use crate::units::{parse_span, show_span};

/// Values that a page shows at most; what is beyond is changed in the text.
const MOST_FIELDS: usize = 80;

/// Longest duration that a slider can ask for: a hundred years.
const MOST_SECONDS: f64 = 100.0 * 365.0 * 86400.0;

/// Tables without anything to move: which runs are made is decided by the page, and texts are texts.
const LEFT_OUT: [&str; 3] = ["run", "sweep", "variant"];

/// A value that a slider can move.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Its path: `autoscaler.up.above`.
    pub path: String,
    /// Its value as a number; seconds where it is a duration.
    pub value: f64,
    /// Ends of the slider.
    pub low: f64,
    /// Ends of the slider.
    pub high: f64,
    /// How far it moves at a time.
    pub step: f64,
    /// Whether it is a duration.
    pub duration: bool,
    /// Whether the scenario sweeps it.
    pub swept: bool,
}

/// The fields of a scenario, those that it sweeps first; none of a text that is not TOML.
pub fn fields(text: &str) -> Vec<Field> {
    let Ok(root) = toml::parse(&Source::new("scenario", text)) else { return Vec::new() };
    let Data::Table(table) = &root.data else { return Vec::new() };
    let mut swept: Vec<(String, Vec<f64>)> = Vec::new();
    if let Some(Node { data: Data::Table(parameters), .. }) = at(&root, "sweep.parameters") {
        for (path, _, node) in parameters.iter() {
            let Data::Array(values) = &node.data else { continue };
            swept.push((
                path.to_owned(),
                values.iter().filter_map(|value| number(value).map(|(value, _)| value)).collect(),
            ));
        }
    }
    let mut found = Vec::new();
    for (name, _, node) in table.iter().filter(|(name, ..)| !LEFT_OUT.contains(name)) {
        collect(name, node, &mut found);
    }
    for field in &mut found {
        if let Some((_, values)) = swept.iter().find(|(path, _)| *path == field.path) {
            field.swept = true;
            field.low = values.iter().copied().fold(field.value, f64::min);
            field.high = values.iter().copied().fold(field.value, f64::max);
        }
    }
    // Stable: within both groups in the order of the text.
    found.sort_once_by_key(|field| !field.swept);
    found.truncate(MOST_FIELDS);
    found
}

fn collect(path: &str, node: &Node, found: &mut Vec<Field>) {
    match &node.data {
        Data::Table(table) => {
            for (name, _, child) in table.iter().filter(|(name, ..)| !name.contains('.')) {
                collect(&format!("{path}.{name}"), child, found);
            }
        }
        Data::Array(items) => {
            // A long list is data, not settings.
            for (index, child) in items.iter().enumerate().take(8) {
                collect(&format!("{path}.{index}"), child, found);
            }
        }
        _ => {
            let Some((value, duration)) = number(node) else { return };
            let whole = matches!(node.data, Data::Integer(_)) || duration && value.fract() == 0.0;
            let (low, high) = reach(value, whole, matches!(node.data, Data::Float(_)));
            let span = high - low;
            let step = if whole { (span / 200.0).round().max(1.0) } else { nice(span / 200.0) };
            found.push(Field { path: path.to_owned(), value, low, high, step, duration, swept: false });
        }
    }
}

/// How far a value can be moved: from nothing to four times as much; a share up to 1.
fn reach(value: f64, whole: bool, fraction: bool) -> (f64, f64) {
    if fraction && value > 0.0 && value <= 1.0 {
        return (0.0, 1.0);
    }
    match value {
        0.0 => (0.0, if whole { 10.0 } else { 1.0 }),
        value if value < 0.0 => (4.0 * value, 0.0),
        value if whole => (0.0, (4.0 * value).max(4.0)),
        value => (0.0, 4.0 * value),
    }
}

/// The power of ten, or its half or fifth, at or below `step`.
fn nice(step: f64) -> f64 {
    let unit = 10_f64.powf(step.log10().floor());
    [5.0, 2.0, 1.0]
        .into_iter()
        .map(|times| times * unit)
        .find(|nice| *nice <= step * 1.000_001)
        .unwrap_or(unit)
}

/// A number, or a duration in seconds and `true`.
fn number(node: &Node) -> Option<(f64, bool)> {
    match &node.data {
        Data::Integer(integer) => Some((*integer as f64, false)),
        Data::Float(float) if float.is_finite() => Some((*float, false)),
        Data::Text(text) => parse_span(text).ok().map(|span| (span.as_secs_f64(), true)),
        _ => None,
    }
}

fn at<'n>(root: &'n Node, path: &str) -> Option<&'n Node> {
    path.split('.').try_fold(root, |node, step| match &node.data {
        Data::Table(table) => table.get(step),
        Data::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The text with the value at `path` replaced, every other byte as it was.
///
/// # Errors
/// There is no such value, or it cannot be replaced where it stands.
pub fn moved(text: &str, path: &str, value: f64) -> Result<String, String> {
    let source: Arc<Source> = Source::new("scenario", text);
    let root = toml::parse(&source).map_err(|fault| fault.message)?;
    let node = at(&root, path).ok_or_else(|| format!("there is no `{path}`"))?;
    let (_, duration) = number(node).ok_or_else(|| format!("`{path}` is no number"))?;
    if !value.is_finite() {
        return Err(format!("`{path}` has to be a number"));
    }
    let scalar = if duration {
        if !(0.0..MOST_SECONDS).contains(&value) {
            return Err(format!("`{path}` has to be a duration of less than 100 years"));
        }
        Scalar::Text(show_span(Span::from_secs_f64(value)))
    } else {
        Scalar::Plain(plain(value, matches!(node.data, Data::Float(_))))
    };
    edit::replace(node, &scalar).map(|edit| edit.apply())
}

/// A number as TOML has it: without noise of its binary form, with a point where there was one.
fn plain(value: f64, fraction: bool) -> String {
    let rounded: f64 = format!("{value:.9e}").parse().unwrap_or(value);
    match fraction && rounded.fract() == 0.0 {
        true => format!("{rounded:.1}"),
        false => format!("{rounded}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[arrivals]\nrate = 8 # a second\n[instances]\ncold_start = \"90s\"\n[autoscaler]\nup = { above = 0.7 }\n\
                        kind = 'threshold'\n[run]\nseed = 1\n[sweep.parameters]\n\"autoscaler.up.above\" = [0.5, 0.9]\n";

    #[test]
    fn numbers_and_durations_have_sliders_and_swept_ones_come_first() {
        let all = fields(TEXT);
        let names: Vec<&str> = all.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(names, ["autoscaler.up.above", "arrivals.rate", "instances.cold_start"]);
        assert_eq!((all[0].low, all[0].value, all[0].high, all[0].swept), (0.5, 0.7, 0.9, true));
        assert_eq!((all[2].value, all[2].duration, all[2].high), (90.0, true, 360.0));
        assert!(fields("a = ").is_empty());
    }

    #[test]
    fn a_value_is_moved_where_it_stands() {
        let text = moved(TEXT, "arrivals.rate", 12.0).unwrap();
        assert_eq!(text, TEXT.replace("rate = 8 #", "rate = 12 #"));
        let text = moved(TEXT, "instances.cold_start", 150.0).unwrap();
        assert_eq!(text, TEXT.replace("\"90s\"", "\"2m 30s\""));
        let text = moved(TEXT, "autoscaler.up.above", 0.1 + 0.2).unwrap();
        assert_eq!(text, TEXT.replace("above = 0.7", "above = 0.3"));
        for (path, value) in [("autoscaler.kind", 1.0), ("nowhere", 1.0), ("arrivals.rate", f64::NAN)] {
            assert!(moved(TEXT, path, value).is_err(), "{path}");
        }
        assert!(moved(TEXT, "instances.cold_start", -1.0).is_err());
    }
}

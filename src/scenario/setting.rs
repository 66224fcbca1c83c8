//! One value of a swept key.

use std::fmt;

use crate::schema::{Data, Kind, Node, Place};
use crate::time::Span;
use crate::units::parse_span;

/// One value of a swept key. Displays as a user writes it in a table or on the command line.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// A number.
    Number(f64),
    /// A duration.
    Duration(Span),
    /// `true` or `false`.
    Bool(bool),
    /// A name, or another text.
    Text(String),
}

impl Setting {
    /// What stands in `node`, for a key of this `kind`; `None` for lists, tables and dates.
    pub(super) fn of(node: &Node, kind: &Kind) -> Option<Setting> {
        match &node.data {
            Data::Integer(integer) => Some(Setting::Number(*integer as f64)),
            Data::Float(float) => Some(Setting::Number(*float)),
            Data::Bool(bool) => Some(Setting::Bool(*bool)),
            Data::Text(text) => match parse_span(text) {
                Ok(span) if takes(kind, |kind| matches!(kind, Kind::Duration)) => {
                    Some(Setting::Duration(span))
                }
                _ => Some(Setting::Text(text.clone())),
            },
            Data::Null | Data::Datetime(_) | Data::Array(_) | Data::Table(_) => None,
        }
    }

    /// The value as a number: seconds for durations, 0 or 1 for booleans; `None` for texts.
    pub fn value(&self) -> Option<f64> {
        match self {
            Setting::Number(number) => Some(*number),
            Setting::Duration(span) => Some(span.as_secs_f64()),
            Setting::Bool(bool) => Some(f64::from(u8::from(*bool))),
            Setting::Text(_) => None,
        }
    }

    /// Whether [`value`](Self::value) is in seconds.
    #[cfg(feature = "internals")]
    pub fn is_duration(&self) -> bool {
        matches!(self, Setting::Duration(_))
    }

    /// The setting as a value of the scenario, at `place`.
    pub(super) fn node(&self, place: &Place) -> Node {
        let data = match self {
            Setting::Number(number) => Data::Float(*number),
            Setting::Duration(span) => Data::Text(span.to_string()),
            Setting::Bool(bool) => Data::Bool(*bool),
            Setting::Text(text) => Data::Text(text.clone()),
        };
        Node { data, place: place.clone() }
    }
}

/// Whether `kind`, or one of the forms it allows, is `wanted`.
pub(super) fn takes(kind: &Kind, wanted: fn(&Kind) -> bool) -> bool {
    match kind {
        Kind::Either(kinds) => kinds.iter().any(|kind| takes(kind, wanted)),
        kind => wanted(kind),
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Number(number) => number.fmt(f),
            Setting::Duration(span) => span.fmt(f),
            Setting::Bool(bool) => bool.fmt(f),
            Setting::Text(text) => text.fmt(f),
        }
    }
}

//! Unit of the numbers in a file.

use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};

/// Unit of the numbers in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

impl Unit {
    /// Nanoseconds in one of the unit.
    pub const fn nanos(self) -> u64 {
        match self {
            Unit::Seconds => 1_000_000_000,
            Unit::Milliseconds => 1_000_000,
            Unit::Microseconds => 1_000,
            Unit::Nanoseconds => 1,
        }
    }

    /// The unit in words.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Unit::Seconds => "seconds",
            Unit::Milliseconds => "milliseconds",
            Unit::Microseconds => "microseconds",
            Unit::Nanoseconds => "nanoseconds",
        }
    }

    /// Seconds in one of the unit.
    pub fn seconds(self) -> f64 {
        self.nanos() as f64 / 1e9
    }
}

impl Choice for Unit {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("s", Unit::Seconds, "Seconds."),
        ("ms", Unit::Milliseconds, "Milliseconds."),
        ("us", Unit::Microseconds, "Microseconds."),
        ("ns", Unit::Nanoseconds, "Nanoseconds."),
    ];
}

impl Value for Unit {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

//! How a decision came about, for logs and replays.

use std::fmt;

use serde_json::Value;

/// How a decision came about. Costs text and lists, so it is built only when somebody will read it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explanation {
    /// The metric the decision rests on, as a scenario names it; empty if on none.
    pub metric: &'static str,
    /// Its value, if there was one.
    pub observed: Option<f64>,
    /// What the value is compared with, where it is a single number: the value above which instances are added.
    pub target: Option<f64>,
    /// Every intermediate number, in the order it was worked out.
    pub figures: Vec<(&'static str, Value)>,
    /// Why, in words and with the figures it rests on.
    pub reason: String,
}

impl Explanation {
    /// A reason that rests on no metric.
    pub fn plain(reason: impl Into<String>) -> Explanation {
        Explanation { reason: reason.into(), ..Explanation::default() }
    }

    /// The figure called `name`, if it is a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(known, _)| *known == name)?.1.as_f64()
    }
}

/// A number with as many digits as a reader can use: four decimals, without the zeros they may end in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounded(pub f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.4}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

//! The language of KEDA's formulas, as far as it makes a number of numbers: arithmetic, comparison, conditions, and functions
//! over lists. It is that of expr (expr-lang.org), which KEDA evaluates formulas with; what of it is read is in
//! `docs/manifests.md`.
//!
//! Written here rather than taken from a crate: `expr-lang` agrees on the formulas tried, and brings a parser generator and a
//! calendar of its own for a line of arithmetic.

mod parser;
#[cfg(test)]
mod tests;
mod tree;

use std::ops::Range;

pub(crate) use tree::NoNumber;
use tree::{Expr, Type};

/// A formula that comes to a number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expression {
    text: String,
    root: Expr,
    /// The names in it, each with the bytes where it stands.
    names: Vec<(String, Range<usize>)>,
}

impl Expression {
    /// Reads a formula.
    ///
    /// # Errors
    /// What is not understood, or is no number, as a phrase.
    pub fn parse(text: &str) -> Result<Expression, String> {
        let (root, names) = parser::parse(text)?;
        match root.kind(None)? {
            Type::Number => Ok(Expression { text: text.to_owned(), root, names }),
            Type::Truth => Err("the formula is true or false, not a number".into()),
            Type::List => Err("the formula is a list, not a number".into()),
        }
    }

    /// The names in it, in the order they are met; each as often as it stands there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str())
    }

    /// The text with every name replaced by what `replaced` makes of it.
    ///
    /// # Errors
    /// The first that `replaced` refuses.
    pub fn with_names(
        &self,
        mut replaced: impl FnMut(&str) -> Result<String, String>,
    ) -> Result<String, String> {
        let mut text = String::new();
        let mut from = 0;
        for (name, bytes) in &self.names {
            text += &self.text[from..bytes.start];
            text += &replaced(name)?;
            from = bytes.end;
        }
        Ok(text + &self.text[from..])
    }

    /// Its value, where `value` gives those of the names; `None` where one of them has none. Not finite after a division by
    /// zero.
    pub fn value(&self, mut value: impl FnMut(&str) -> Option<f64>) -> Option<f64> {
        let values: Vec<Option<f64>> = self.names().map(&mut value).collect();
        if values.contains(&None) { None } else { self.root.number(&values, 0.0).ok() }
    }

    /// Its value where a name that has none is nil.
    ///
    /// # Errors
    /// It comes to no number for a nil.
    pub fn value_with_nil(&self, value: impl FnMut(&str) -> Option<f64>) -> Result<f64, NoNumber> {
        let values: Vec<Option<f64>> = self.names().map(value).collect();
        self.root.number(&values, 0.0)
    }
}

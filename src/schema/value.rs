//! The kinds of value a key can have, and how each is read.

use super::{Context, Data, Node, Place, Problem, TableSpec, UnionSpec, nearest};
use crate::time::Span;
use crate::units::parse_span;

/// What kind of value a key takes: drives the JSON Schema and the reference page.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A duration as text: `"90s"`.
    Duration,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// Free text.
    Text,
    /// The name of a file, relative to the scenario's folder.
    File,
    /// One of a few names, each with its meaning.
    Choice(Vec<(&'static str, &'static str)>),
    /// A list of values of one kind.
    List(Box<Kind>),
    /// A table with keys of its own.
    Table(&'static TableSpec),
    /// A table whose keys depend on a tag.
    Union(&'static UnionSpec),
    /// One of several forms.
    Either(Vec<Kind>),
    /// A table from names of the user's choosing to values of one kind.
    Map(Box<Kind>),
    /// Anything; its own reader decides.
    Any,
}

/// A type that a key of the scenario can have.
pub trait Value: Sized {
    /// What a user may write.
    fn kind() -> Kind;

    /// Reads the value. `path` is the full path of the key, for messages.
    ///
    /// # Errors
    /// What is wrong with the value, at its place.
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem>;

    /// Least and greatest number in the value, in base units (seconds, plain numbers), where bounds can apply to it.
    fn extent(&self) -> Option<(f64, f64)> {
        None
    }
}

/// A number as people write it: powers of ten where that is shorter.
pub(crate) fn show_number(number: f64) -> String {
    let (plain, scientific) = (number.to_string(), format!("{number:e}"));
    let large_or_small = !(1e-6..1e6).contains(&number.abs());
    if large_or_small && scientific.len() < plain.len() { scientific } else { plain }
}

/// The [`Problem`] of finding something else than what `path` takes.
pub(crate) fn wrong_kind(node: &Node, path: &str, expected: &str) -> Problem {
    let found = match &node.data {
        Data::Text(text) => format!("the text \"{text}\""),
        Data::Integer(integer) => format!("the number {integer}"),
        Data::Float(float) => format!("the number {}", show_number(*float)),
        Data::Bool(bool) => format!("{bool}"),
        other => other.kind().to_owned(),
    };
    Problem::new(&node.place, format!("`{path}` is {found}"), format!("expected {expected}"))
}

impl Value for Span {
    fn kind() -> Kind {
        Kind::Duration
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        const EXPECTED: &str = "a duration such as \"90s\" or \"1h 30m\"";
        match &node.data {
            Data::Text(text) => parse_span(text).map_err(|why| {
                Problem::new(&node.place, format!("`{path}`: {why}"), format!("expected {EXPECTED}"))
            }),
            Data::Integer(n) => {
                Err(wrong_kind(node, path, EXPECTED).help(format!("write the unit: \"{n}s\"")))
            }
            _ => Err(wrong_kind(node, path, EXPECTED)),
        }
    }
    fn extent(&self) -> Option<(f64, f64)> {
        Some((self.as_secs_f64(), self.as_secs_f64()))
    }
}

impl Value for f64 {
    fn kind() -> Kind {
        Kind::Number
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        match node.data {
            Data::Integer(integer) => Ok(integer as f64),
            Data::Float(float) if float.is_finite() => Ok(float),
            Data::Float(_) => Err(wrong_kind(node, path, "a finite number")),
            _ => Err(wrong_kind(node, path, "a number")),
        }
    }
    fn extent(&self) -> Option<(f64, f64)> {
        Some((*self, *self))
    }
}

fn read_integer(node: &Node, path: &str, largest: u64) -> Result<u64, Problem> {
    let expected = format!("a whole number from 0 to {largest}");
    match node.data {
        Data::Integer(integer) => u64::try_from(integer)
            .ok()
            .filter(|n| *n <= largest)
            .ok_or_else(|| wrong_kind(node, path, &expected)),
        // A linear or logarithmic sweep may well reach a whole number as 4.0.
        Data::Float(float) if float.fract() == 0.0 && (0.0..=largest as f64).contains(&float) => {
            Ok(float as u64)
        }
        _ => Err(wrong_kind(node, path, &expected)),
    }
}

impl Value for u32 {
    fn kind() -> Kind {
        Kind::Integer
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_integer(node, path, u32::MAX as u64).map(|n| n as u32)
    }
    fn extent(&self) -> Option<(f64, f64)> {
        Some((*self as f64, *self as f64))
    }
}

impl Value for u64 {
    fn kind() -> Kind {
        Kind::Integer
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_integer(node, path, i64::MAX as u64)
    }
    fn extent(&self) -> Option<(f64, f64)> {
        Some((*self as f64, *self as f64))
    }
}

impl Value for bool {
    fn kind() -> Kind {
        Kind::Bool
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        match node.data {
            Data::Bool(bool) => Ok(bool),
            _ => Err(wrong_kind(node, path, "true or false")),
        }
    }
}

impl Value for String {
    fn kind() -> Kind {
        Kind::Text
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        match &node.data {
            Data::Text(text) => Ok(text.clone()),
            _ => Err(wrong_kind(node, path, "a text in quotes")),
        }
    }
}

/// The name of a file, relative to the scenario's folder: what stands in the file belongs to the scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(pub String);

impl std::ops::Deref for FileName {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Value for FileName {
    fn kind() -> Kind {
        Kind::File
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        String::read(node, path, context).map(FileName)
    }
}

/// Absent unless written; for keys without a default.
impl<T: Value> Value for Option<T> {
    fn kind() -> Kind {
        T::kind()
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        T::read(node, path, context).map(Some)
    }
    fn extent(&self) -> Option<(f64, f64)> {
        self.as_ref().and_then(Value::extent)
    }
}

impl<T: Value> Value for Vec<T> {
    fn kind() -> Kind {
        Kind::List(Box::new(T::kind()))
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        match &node.data {
            Data::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| T::read(item, &format!("{path}.{index}"), context))
                .collect(),
            _ => Err(wrong_kind(node, path, "a list in square brackets")),
        }
    }
    fn extent(&self) -> Option<(f64, f64)> {
        self.iter().filter_map(Value::extent).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }
}

/// The raw node, for keys whose reader needs more than one key to make sense of it.
impl Value for Node {
    fn kind() -> Kind {
        Kind::Any
    }
    fn read(node: &Node, _: &str, _: &Context) -> Result<Self, Problem> {
        Ok(node.clone())
    }
}

/// An enum whose variants a user picks by name.
pub trait Choice: Sized + Copy + 'static {
    /// Name, value and meaning of each variant.
    const OPTIONS: &'static [(&'static str, Self, &'static str)];

    /// The [`Kind`] of the choice; for `Value::kind`.
    fn choices() -> Kind {
        Kind::Choice(Self::OPTIONS.iter().map(|(name, _, doc)| (*name, *doc)).collect())
    }
}

/// Reads one of the names of a [`Choice`]; for `Value::read`.
///
/// # Errors
/// The name is not one of them; the nearest one that is stands in the help.
pub fn read_choice<T: Choice>(node: &Node, path: &str) -> Result<T, Problem> {
    if let Data::Text(text) = &node.data
        && let Some((_, value, _)) = T::OPTIONS.iter().find(|(name, _, _)| name == text)
    {
        return Ok(*value);
    }
    let mut names = Vec::new();
    T::OPTIONS.iter().for_each(|(name, _, _)| names.push(*name));
    Err(no_choice(node, path, &names))
}

/// The [`Problem`] of a node that is none of `names`.
fn no_choice(node: &Node, path: &str, names: &[&str]) -> Problem {
    match &node.data {
        Data::Text(text) => unknown_name(&node.place, path, text, names),
        _ => wrong_kind(node, path, &one_of(names)),
    }
}

/// The [`Problem`] of a name that is none of `names`.
pub(crate) fn unknown_name(place: &Place, path: &str, found: &str, names: &[&str]) -> Problem {
    let problem =
        Problem::new(place, format!("`{path}` is \"{found}\""), format!("expected {}", one_of(names)));
    match nearest(found, names.iter().copied()) {
        Some(name) => problem.help(format!("did you mean \"{name}\"?")),
        None => problem,
    }
}

fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        _ => format!("one of {}", quoted.join(", ")),
    }
}

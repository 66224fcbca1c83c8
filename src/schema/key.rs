//! One key of a table, and tables of keys.

use super::reader::Reader;
use super::value::show_number;
use super::{Context, Kind, Node, Place, Problem, Tree, Value};

/// Bounds of a numeric key, in base units (seconds for durations).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Least value.
    pub least: f64,
    /// Whether `least` itself is refused.
    pub above: bool,
    /// Greatest value, itself allowed.
    pub most: f64,
}

impl Bounds {
    const NONE: Bounds = Bounds { least: f64::NEG_INFINITY, above: false, most: f64::INFINITY };

    fn allow(&self, value: f64) -> bool {
        let low = if self.above { value > self.least } else { value >= self.least };
        low && value <= self.most
    }

    /// Whether a value that extends from one number to another is allowed. `kind` says what it is.
    ///
    /// Not generic, as all else that keys of every type share: each would be compiled once for every type there is.
    fn check(
        &self,
        (least, most): (f64, f64),
        kind: fn() -> Kind,
        node: &Node,
        path: &str,
    ) -> Result<(), Problem> {
        let Some(size) = [least, most].into_iter().find(|size| !self.allow(*size)) else { return Ok(()) };
        let duration = is_duration(&kind());
        let shown = match duration {
            true => crate::units::format_span(crate::time::Span::from_secs_f64(size)),
            false => show_number(size),
        };
        let expected = self.describe(duration);
        Err(Problem::new(&node.place, format!("`{path}` is {shown}"), format!("expected {expected}")))
    }

    /// The bounds in words, durations as such: "more than 0 and at most 1"; empty if there are none.
    pub fn describe(&self, duration: bool) -> String {
        let show = |value: f64| match duration {
            true => crate::units::format_span(crate::time::Span::from_secs_f64(value)),
            false => show_number(value),
        };
        let low = match (self.least, self.above) {
            (f64::NEG_INFINITY, _) => None,
            (least, true) => Some(format!("more than {}", show(least))),
            (least, false) => Some(format!("at least {}", show(least))),
        };
        let high = (self.most != f64::INFINITY).then(|| format!("at most {}", show(self.most)));
        [low, high].into_iter().flatten().collect::<Vec<_>>().join(" and ")
    }
}

/// A key: its name, what it means, its default and its bounds.
#[derive(Debug, Clone, Copy)]
pub struct Key<T> {
    name: &'static str,
    doc: &'static str,
    default: Option<&'static str>,
    optional: bool,
    bounds: Bounds,
    read: fn(&Node, &str, &Context) -> Result<T, Problem>,
}

impl<T: Value> Key<T> {
    /// A key that must be written.
    pub const fn required(name: &'static str, doc: &'static str) -> Self {
        Key { name, doc, default: None, optional: false, bounds: Bounds::NONE, read: T::read }
    }

    /// A key with a default, written as the TOML value it stands for (`"\"60s\""`, `"1"`).
    pub const fn or(name: &'static str, default: &'static str, doc: &'static str) -> Self {
        Key { name, doc, default: Some(default), optional: true, bounds: Bounds::NONE, read: T::read }
    }

    /// The same key, allowing `least` and more (base units).
    #[must_use]
    pub const fn at_least(mut self, least: f64) -> Self {
        self.bounds.least = least;
        self.bounds.above = false;
        self
    }

    /// The same key, allowing only more than `least` (base units).
    #[must_use]
    pub const fn above(mut self, least: f64) -> Self {
        self.bounds.least = least;
        self.bounds.above = true;
        self
    }

    /// The same key, allowing `most` and less (base units).
    #[must_use]
    pub const fn at_most(mut self, most: f64) -> Self {
        self.bounds.most = most;
        self
    }

    /// Name of the key.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn check(&self, value: &T, node: &Node, path: &str) -> Result<(), Problem> {
        match value.extent() {
            Some(extent) => self.bounds.check(extent, T::kind, node, path),
            None => Ok(()),
        }
    }

    pub(super) fn read(&self, node: &Node, path: &str, context: &Context) -> Result<T, Problem> {
        let value = (self.read)(node, path, context)?;
        self.check(&value, node, path)?;
        Ok(value)
    }

    pub(super) fn default_node(&self) -> Option<Node> {
        self.default.and_then(parsed_default)
    }
}

fn parsed_default(text: &str) -> Option<Node> {
    // A default that is no TOML is caught by the test that reads every default of the schema.
    Tree::parse_value(text, Place::Nowhere).ok()
}

impl<T: Value> Key<Option<T>> {
    /// A key that may be left out and has no default; what that means stands in its `doc`.
    pub const fn optional(name: &'static str, doc: &'static str) -> Self {
        Key {
            name,
            doc,
            default: None,
            optional: true,
            bounds: Bounds::NONE,
            read: <Option<T> as Value>::read,
        }
    }
}

fn is_duration(kind: &Kind) -> bool {
    match kind {
        Kind::Duration => true,
        Kind::List(inner) => is_duration(inner),
        // Or a distribution of durations.
        Kind::Either(kinds) => kinds.iter().any(is_duration),
        _ => false,
    }
}

/// A key whatever its type: what the schema and the reference page show.
pub trait AnyKey: Sync {
    /// Name of the key.
    fn name(&self) -> &'static str;
    /// What the key means, in sentences.
    fn doc(&self) -> &'static str;
    /// The default as TOML, if there is one.
    fn default(&self) -> Option<&'static str>;
    /// Whether a scenario without the key is refused.
    fn is_required(&self) -> bool;
    /// Bounds in base units.
    fn bounds(&self) -> Bounds;
    /// What a user may write.
    fn kind(&self) -> Kind;
    /// Reads a node as this key's value and forgets it: whether it would be accepted.
    ///
    /// # Errors
    /// Why it would not.
    fn accepts(&self, node: &Node, path: &str, context: &Context) -> Result<(), Problem>;
}

impl<T: Value> AnyKey for Key<T> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn doc(&self) -> &'static str {
        self.doc
    }
    fn default(&self) -> Option<&'static str> {
        self.default
    }
    fn is_required(&self) -> bool {
        !self.optional
    }
    fn bounds(&self) -> Bounds {
        self.bounds
    }
    fn kind(&self) -> Kind {
        T::kind()
    }
    fn accepts(&self, node: &Node, path: &str, context: &Context) -> Result<(), Problem> {
        self.read(node, path, context).map(drop)
    }
}

/// A table and its keys.
#[derive(Clone, Copy)]
pub struct TableSpec {
    /// Name: of the table, or of the variant of a [`UnionSpec`].
    pub name: &'static str,
    /// What it is, in sentences.
    pub doc: &'static str,
    /// Its keys, in the order they are shown.
    pub keys: &'static [&'static dyn AnyKey],
}

impl TableSpec {
    /// The tables of a registry of kinds, which has `N` of them, at least one.
    pub(crate) const fn of<T, const N: usize>(
        kinds: &'static [(&'static TableSpec, T)],
    ) -> [&'static TableSpec; N] {
        let mut specs = [kinds[0].0; N];
        let mut index = 0;
        while index < N {
            specs[index] = kinds[index].0;
            index += 1;
        }
        specs
    }
}

/// A table whose keys depend on the name its tag holds: `kind = "poisson"`.
#[derive(Clone, Copy)]
pub struct UnionSpec {
    /// Name of the table.
    pub name: &'static str,
    /// What it is, in sentences.
    pub doc: &'static str,
    /// Key that holds the variant's name.
    pub tag: &'static str,
    /// The variant meant when the tag is left out; without one the tag must be written.
    pub default: Option<&'static str>,
    /// Keys every variant has.
    pub common: &'static [&'static dyn AnyKey],
    /// The variants.
    pub variants: &'static [&'static TableSpec],
}

impl UnionSpec {
    /// The variant `node` names, open for reading.
    ///
    /// # Errors
    /// Not a table, the tag missing or unknown, or a key that neither the variant nor the union has.
    pub fn open<'a>(
        &'static self,
        node: &'a Node,
        path: &str,
        context: &'a Context,
    ) -> Result<(&'static TableSpec, Reader<'a>), Problem> {
        Reader::open_union(node, path, self, context)
    }
}

impl std::fmt::Debug for TableSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableSpec").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UnionSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnionSpec").field("name", &self.name).finish_non_exhaustive()
    }
}

//! Reading one table against its keys.

use super::value::{unknown_name, wrong_kind};
use super::{AnyKey, Context, Data, Key, Node, Place, Problem, Table, TableSpec, UnionSpec, Value, nearest};
use crate::document::shown::controls_display;

static EMPTY: Table = Table::EMPTY;

/// One table of the scenario, known to hold only keys it may hold.
#[derive(Debug)]
pub struct Reader<'a> {
    table: &'a Table,
    place: Place,
    path: String,
    context: &'a Context,
}

/// Characters of an unknown key that a message shows.
const LONGEST_NAME: usize = 60;

impl<'a> Reader<'a> {
    /// Opens a table for reading.
    ///
    /// # Errors
    /// `node` is not a table, or holds a key that `spec` does not have.
    pub fn open(node: &'a Node, path: &str, spec: &TableSpec, context: &'a Context) -> Result<Self, Problem> {
        let reader = Self::unchecked(node, path, context)?;
        reader.refuse_unknown(&[spec.keys], None)?;
        Ok(reader)
    }

    /// A table that the file leaves out: every key has its default.
    pub fn absent(path: &str, context: &'a Context) -> Self {
        Reader { table: &EMPTY, place: Place::Nowhere, path: path.to_owned(), context }
    }

    pub(super) fn open_union(
        node: &'a Node,
        path: &str,
        spec: &'static UnionSpec,
        context: &'a Context,
    ) -> Result<(&'static TableSpec, Self), Problem> {
        let reader = Self::unchecked(node, path, context)?;
        let names: Vec<&str> = spec.variants.iter().map(|variant| variant.name).collect();
        let tag_path = reader.path_of(spec.tag);
        let named = |name: &str| spec.variants.iter().copied().find(|variant| variant.name == name);
        let variant = match reader.table.get(spec.tag) {
            None => spec.default.and_then(named).ok_or_else(|| {
                let expected = unknown_name(&Place::Nowhere, "", "", &names).label;
                let message = format!("`{tag_path}` is missing");
                Problem::new(&reader.place, message, format!("{expected} as `{}`", spec.tag))
            })?,
            Some(Node { data: Data::Text(name), place }) => {
                named(name).ok_or_else(|| unknown_name(place, &tag_path, name, &names))?
            }
            Some(other) => return Err(wrong_kind(other, &tag_path, "a name in quotes")),
        };
        reader.refuse_unknown(&[spec.common, variant.keys], Some((spec.tag, variant.name)))?;
        Ok((variant, reader))
    }

    fn unchecked(node: &'a Node, path: &str, context: &'a Context) -> Result<Self, Problem> {
        match &node.data {
            Data::Table(table) => {
                Ok(Reader { table, place: node.place.clone(), path: path.to_owned(), context })
            }
            _ => Err(wrong_kind(node, path, "a table")),
        }
    }

    fn refuse_unknown(
        &self,
        groups: &[&[&'static dyn AnyKey]],
        tag: Option<(&'static str, &'static str)>,
    ) -> Result<(), Problem> {
        let mut names: Vec<&str> = tag.iter().map(|(name, _)| *name).collect();
        names.extend(groups.iter().flat_map(|keys| keys.iter().map(|key| key.name())));
        let unknown = |(name, _, _): &(&str, &Place, &Node)| !names.contains(name);
        let Some((name, place, _)) = self.table.iter().find(unknown) else { return Ok(()) };
        let within = match (self.path.as_str(), tag) {
            ("", _) => "the scenario".to_owned(),
            (path, Some((tag, variant))) => format!("`{path}` with {tag} = \"{variant}\""),
            (path, None) => format!("`{path}`"),
        };
        let shown: String = name.chars().take(LONGEST_NAME).collect();
        let cut = if shown.len() < name.len() { "…" } else { "" };
        let message = format!("unknown key `{shown}{cut}` in {within}");
        let problem = Problem::new(place, message, "not a key of this table");
        Err(match nearest(name, names.iter().copied()) {
            Some(close) => problem.help(format!("did you mean `{close}`?")),
            None => problem.help(format!("it takes: {}", names.join(", "))),
        })
    }

    /// The value of `key`: as written, else its default.
    ///
    /// # Errors
    /// The key is required and missing, or its value is of the wrong kind or out of bounds.
    pub fn get<T: Value>(&self, key: &Key<T>) -> Result<T, Problem> {
        match self.table.get(key.name()).cloned().or_else(|| key.default_node()) {
            Some(node) => key.read(&node, &self.path_of(key.name()), self.context),
            None => Err(self.missing(key.name())),
        }
    }

    /// The value of a key that may be left out.
    ///
    /// # Errors
    /// Its value is of the wrong kind or out of bounds.
    pub fn find<T: Value>(&self, key: &Key<Option<T>>) -> Result<Option<T>, Problem> {
        match self.table.get(key.name()) {
            Some(node) => key.read(node, &self.path_of(key.name()), self.context),
            None => Ok(None),
        }
    }

    /// The [`Problem`] of `name` being left out.
    pub fn missing(&self, name: &str) -> Problem {
        Problem::new(
            &self.place,
            format!("`{}` is missing", self.path_of(name)),
            format!("expected the key `{name}` here"),
        )
    }

    /// A [`Problem`] at the value of `name` if it is written, else at the table.
    pub fn problem(&self, name: &str, message: impl Into<String>, label: impl Into<String>) -> Problem {
        Problem::new(&self.place_of(name), message, label)
    }

    /// A text that is shown on one line, in tables, charts and terminals: without characters that control how it is shown.
    ///
    /// # Errors
    /// It has one; the message says which.
    pub fn shown(&self, name: &str, text: String) -> Result<String, Problem> {
        match text.chars().find(|c| controls_display(*c)) {
            None => Ok(text),
            Some(c) => {
                let path = self.path_of(name);
                let message = format!("`{path}` has the control character U+{:04X}", u32::from(c));
                Err(self.problem(name, message, "expected a text on one line, without control characters"))
            }
        }
    }

    /// Where `name` is written; the table's place if it is not.
    pub fn place_of(&self, name: &str) -> Place {
        self.table.get(name).map_or_else(|| self.place.clone(), |node| node.place.clone())
    }

    /// Whether the scenario writes `name` in this table.
    pub fn has(&self, name: &str) -> bool {
        self.table.get(name).is_some()
    }

    /// The node of `name`, if the scenario writes it.
    pub fn node(&self, name: &str) -> Option<&'a Node> {
        self.table.get(name)
    }

    /// Full path of the key `name` of this table.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// What the scenario's paths are relative to.
    pub fn context(&self) -> &'a Context {
        self.context
    }
}

//! A document as a tree whose every value knows its place.

use super::Span;
use crate::sorting::Sorting as _;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Bytes of a file: of the scenario, or of data it names.
    File(Span),
    /// Bytes of the manifest from which the scenario takes settings.
    Manifest(Span),
    /// Not in a file: set by a sweep, a variant or the command line; says by which.
    Override(String),
    /// Nowhere in particular: a default.
    Nowhere,
}

impl Place {
    /// The bytes of a file, if it is in one.
    pub fn span(&self) -> Option<&Span> {
        match self {
            Place::File(span) | Place::Manifest(span) => Some(span),
            Place::Override(_) | Place::Nowhere => None,
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What stands there.
    pub data: Data,
    /// Where it stands.
    pub place: Place,
}

/// The kinds of value that TOML, YAML and JSON know.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Nothing, written as such; not in TOML.
    Null,
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction; in TOML it may be NaN or infinite.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A date or time of TOML, as written.
    Datetime(String),
    /// A list.
    Array(Vec<Node>),
    /// A table: an object of JSON, a mapping of YAML.
    Table(Table),
}

/// A table: its entries in the order of their names, so that nothing depends on the order in a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    name: String,
    name_place: Place,
    node: Node,
}

impl Node {
    /// The value as JSON writes it, for messages.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.data {
            Data::Null => Value::Null,
            Data::Text(text) | Data::Datetime(text) => text.as_str().into(),
            Data::Integer(integer) => (*integer).into(),
            Data::Float(float) => (*float).into(),
            Data::Bool(bool) => (*bool).into(),
            Data::Array(items) => items.iter().map(Node::to_json).collect(),
            Data::Table(table) => {
                Value::Object(table.iter().map(|(name, _, node)| (name.to_owned(), node.to_json())).collect())
            }
        }
    }

    /// Moves every place in a file to where `to` says.
    pub(super) fn move_places(&mut self, to: &dyn Fn(&Span) -> Place) {
        let moved = |place: &Place| place.span().map_or_else(|| place.clone(), to);
        self.place = moved(&self.place);
        match &mut self.data {
            Data::Array(items) => items.iter_mut().for_each(|item| item.move_places(to)),
            Data::Table(table) => {
                for entry in &mut table.entries {
                    entry.name_place = moved(&entry.name_place);
                    entry.node.move_places(to);
                }
            }
            _ => {}
        }
    }

    /// Puts the value, and all that is in it, at `place`.
    pub fn set_place(&mut self, place: &Place) {
        self.place = place.clone();
        match &mut self.data {
            Data::Array(items) => items.iter_mut().for_each(|item| item.set_place(place)),
            Data::Table(table) => {
                for entry in &mut table.entries {
                    entry.name_place = place.clone();
                    entry.node.set_place(place);
                }
            }
            _ => {}
        }
    }
}

impl Data {
    /// What it is, for messages: "a number", "a table".
    pub fn kind(&self) -> &'static str {
        match self {
            Data::Null => "nothing",
            Data::Text(_) => "a text",
            Data::Integer(_) => "a whole number",
            Data::Float(_) => "a number",
            Data::Bool(_) => "true or false",
            Data::Datetime(_) => "a date",
            Data::Array(_) => "a list",
            Data::Table(_) => "a table",
        }
    }
}

impl Table {
    /// A table without entries.
    pub const EMPTY: Table = Table { entries: Vec::new() };

    /// A table of entries `(name, place of the name, value)`, whose names all differ.
    pub(super) fn of(entries: impl IntoIterator<Item = (String, Place, Node)>) -> Table {
        let entry = |(name, name_place, node)| Entry { name, name_place, node };
        let mut entries: Vec<Entry> = entries.into_iter().map(entry).collect();
        entries.sort_once_by(|a, b| a.name.cmp(&b.name));
        Table { entries }
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| &entry.node)
    }

    /// The value of `name`, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|entry| entry.name == name).map(|entry| &mut entry.node)
    }

    /// Every name with its place and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Place, &Node)> {
        self.entries.iter().map(|entry| (entry.name.as_str(), &entry.name_place, &entry.node))
    }

    /// Sets the value of `name`.
    pub fn insert(&mut self, name: &str, node: Node) {
        let place = node.place.clone();
        *self.entry(name, &place) = node;
    }

    /// Adds what `beneath` has and this table has not, within tables that both have too.
    pub fn fill(&mut self, beneath: &Table) {
        for entry in &beneath.entries {
            match self.entries.iter_mut().find(|mine| mine.name == entry.name) {
                None => self.entries.push(entry.clone()),
                Some(mine) => {
                    if let (Data::Table(mine), Data::Table(beneath)) = (&mut mine.node.data, &entry.node.data)
                    {
                        mine.fill(beneath);
                    }
                }
            }
        }
    }

    /// Removes every entry whose name stands in such a place, within tables too.
    pub fn remove_at(&mut self, there: &dyn Fn(&Place) -> bool) {
        self.entries.retain(|entry| !there(&entry.name_place));
        for entry in &mut self.entries {
            if let Data::Table(table) = &mut entry.node.data {
                table.remove_at(there);
            }
        }
    }

    /// Removes and returns the value of `name`.
    pub fn remove(&mut self, name: &str) -> Option<Node> {
        let index = self.entries.iter().position(|entry| entry.name == name)?;
        Some(self.entries.remove(index).node)
    }

    /// A name that a manifest has put there belongs to `place` from now on, and stays when the manifest goes.
    pub fn take_over(&mut self, name: &str, place: &Place) {
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.name == name)
            && matches!(entry.name_place, Place::Manifest(_))
        {
            entry.name_place = place.clone();
        }
    }

    /// The value of `name`; where there is none, a table put at `place`.
    pub fn entry(&mut self, name: &str, place: &Place) -> &mut Node {
        let index = match self.entries.iter().position(|entry| entry.name == name) {
            Some(index) => index,
            None => {
                let node = Node { data: Data::Table(Table::default()), place: place.clone() };
                self.entries.push(Entry { name: name.into(), name_place: place.clone(), node });
                self.entries.len() - 1
            }
        };
        &mut self.entries[index].node
    }
}

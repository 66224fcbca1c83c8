//! The scenario file as a tree whose every value knows its place in the text.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::Problem;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Bytes of the scenario file.
    File(Range<usize>),
    /// Not in the file: set by a sweep, a variant or the command line; says by which.
    Override(String),
    /// In the manifest of this name, from which the scenario takes settings.
    Manifest(String),
    /// Nowhere in particular: a default, or the whole file.
    Nowhere,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What stands there.
    pub data: Data,
    /// Where it stands.
    pub place: Place,
}

/// The kinds of value TOML knows.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction; may be NaN or infinite.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A date or time, as written.
    Datetime(String),
    /// A list.
    Array(Vec<Node>),
    /// A table.
    Table(Table),
}

/// A table: its entries in the order of their names.
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

/// A whole scenario file.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    root: Node,
}

impl Tree {
    /// Parses TOML.
    ///
    /// # Errors
    /// The first syntax error, with its place.
    pub fn parse(text: &str) -> Result<Tree, Problem> {
        match DeTable::parse(text) {
            Ok(table) => {
                let whole = 0..text.len();
                let root =
                    Node { data: Data::Table(convert_table(table.get_ref())), place: Place::File(whole) };
                Ok(Tree { root })
            }
            Err(error) => {
                let place = error.span().map_or(Place::Nowhere, Place::File);
                Err(Problem::new(&place, "the file is not valid TOML", error.message().replace('\n', "; ")))
            }
        }
    }

    /// Parses one TOML value, such as a default (`"60s"`, `[1, 2]`).
    ///
    /// # Errors
    /// The syntax error.
    pub fn parse_value(text: &str, place: Place) -> Result<Node, Problem> {
        match DeValue::parse(text) {
            Ok(value) => {
                let mut node = convert(&value);
                node.set_place(&place);
                Ok(node)
            }
            Err(error) => Err(Problem::new(&place, format!("`{text}` is not a TOML value"), error.message())),
        }
    }

    /// The top-level table.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The value at `path` (`"autoscaler.up"`, `"instances.cold_start.0.time"`), if the file sets it.
    pub fn get(&self, path: &str) -> Option<&Node> {
        path.split('.').try_fold(&self.root, |node, step| match &node.data {
            Data::Table(table) => table.get(step),
            Data::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The top-level entry `name`, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        match &mut self.root.data {
            Data::Table(table) => {
                table.entries.iter_mut().find(|entry| entry.name == name).map(|entry| &mut entry.node)
            }
            _ => None,
        }
    }

    /// Takes the top-level entry `name` out.
    pub fn remove(&mut self, name: &str) -> Option<Node> {
        match &mut self.root.data {
            Data::Table(table) => table.remove(name),
            _ => None,
        }
    }

    /// Sets the value at `path`, making the tables on the way where they are missing.
    ///
    /// # Errors
    /// A phrase, when the path leads through something that is not a table, or past the end of a list.
    pub fn set(&mut self, path: &str, node: Node) -> Result<(), String> {
        let mut current = &mut self.root;
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            if step.is_empty() {
                return Err(format!("`{path}` has an empty part"));
            }
            let shown = current.data.kind();
            current = match &mut current.data {
                Data::Table(table) => {
                    if steps.peek().is_none() {
                        table.take_over(step, &node.place);
                    }
                    table.entry(step, &node.place)
                }
                Data::Array(items) => {
                    let length = items.len();
                    let index = step.parse::<usize>().ok();
                    match index.and_then(|index| items.get_mut(index)) {
                        Some(item) => item,
                        None => {
                            return Err(format!("`{step}` is not an index of a list of {length} (from 0)"));
                        }
                    }
                }
                _ => return Err(format!("`{step}` cannot be looked up in {shown}")),
            };
        }
        *current = node;
        Ok(())
    }
}

impl Node {
    /// A JSON value, all of it at one place. What is null is left out of its table or list.
    pub fn from_json(value: &serde_json::Value, place: &Place) -> Node {
        use serde_json::Value;
        let data = match value {
            Value::Null => Data::Table(Table::EMPTY),
            Value::Bool(value) => Data::Bool(*value),
            Value::Number(number) => number
                .as_i64()
                .map_or_else(|| Data::Float(number.as_f64().unwrap_or(f64::INFINITY)), Data::Integer),
            Value::String(text) => Data::Text(text.clone()),
            Value::Array(items) => {
                let items = items.iter().filter(|item| !item.is_null());
                Data::Array(items.map(|item| Node::from_json(item, place)).collect())
            }
            Value::Object(fields) => {
                let entry = |(name, value): (&String, &Value)| Entry {
                    name: name.clone(),
                    name_place: place.clone(),
                    node: Node::from_json(value, place),
                };
                let entries = fields.iter().filter(|(_, value)| !value.is_null()).map(entry).collect();
                Data::Table(Table { entries })
            }
        };
        Node { data, place: place.clone() }
    }

    fn set_place(&mut self, place: &Place) {
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

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| &entry.node)
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

    /// Takes out every entry whose name stands in such a place, within tables too.
    pub fn forget(&mut self, there: &dyn Fn(&Place) -> bool) {
        self.entries.retain(|entry| !there(&entry.name_place));
        for entry in &mut self.entries {
            if let Data::Table(table) = &mut entry.node.data {
                table.forget(there);
            }
        }
    }

    /// Removes and returns the value of `name`.
    pub fn remove(&mut self, name: &str) -> Option<Node> {
        let index = self.entries.iter().position(|entry| entry.name == name)?;
        Some(self.entries.remove(index).node)
    }

    /// What a manifest has put there belongs to `place` from now on, and stays when the manifest goes.
    fn take_over(&mut self, name: &str, place: &Place) {
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.name == name)
            && matches!(entry.name_place, Place::Manifest(_))
        {
            entry.name_place = place.clone();
        }
    }

    fn entry(&mut self, name: &str, place: &Place) -> &mut Node {
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

fn convert(value: &Spanned<DeValue<'_>>) -> Node {
    let data = match value.get_ref() {
        DeValue::String(text) => Data::Text(text.to_string()),
        // Too large for 64 bits: keep it as a number, so that the bounds of its key speak, not the parser.
        DeValue::Integer(integer) => i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix())
            .map_or_else(|_| Data::Float(integer.as_str().parse().unwrap_or(f64::INFINITY)), Data::Integer),
        DeValue::Float(float) => Data::Float(float.as_str().replace('_', "").parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(bool) => Data::Bool(*bool),
        DeValue::Datetime(datetime) => Data::Datetime(datetime.to_string()),
        DeValue::Array(array) => Data::Array(convert_array(array)),
        DeValue::Table(table) => Data::Table(convert_table(table)),
    };
    Node { data, place: Place::File(value.span()) }
}

fn convert_array(array: &DeArray<'_>) -> Vec<Node> {
    array.iter().map(convert).collect()
}

fn convert_table(table: &DeTable<'_>) -> Table {
    let entries = table
        .iter()
        .map(|(name, value)| Entry {
            name: name.get_ref().to_string(),
            name_place: Place::File(name.span()),
            node: convert(value),
        })
        .collect();
    Table { entries }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_place() {
        let text = "[run]\nseed = 7\n";
        let tree = Tree::parse(text).unwrap();
        let node = tree.get("run.seed").unwrap();
        assert_eq!(node.data, Data::Integer(7));
        assert_eq!(node.place, Place::File(13..14));
    }

    #[test]
    fn a_path_sets_what_the_file_leaves_out() {
        let mut tree = Tree::parse("[run]\nseed = 7\nlist = [{ a = 1 }]").unwrap();
        let value = Tree::parse_value("\"3s\"", Place::Override("sweep".into())).unwrap();
        tree.set("metrics.window", value.clone()).unwrap();
        tree.set("run.list.0.a", value.clone()).unwrap();
        assert_eq!(tree.get("metrics.window"), Some(&value));
        assert_eq!(tree.get("run.list.0.a"), Some(&value));
        assert!(tree.set("run.list.1.a", value.clone()).is_err());
        assert!(tree.set("run.seed.deeper", value).is_err());
    }
}

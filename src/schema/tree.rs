//! The scenario file as a tree whose every value knows its place in the text.

use std::sync::Arc;

use super::{Data, Node, Place, Problem};
use crate::document::{Source, toml};

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
        Tree::read(&Source::new("scenario.toml", text))
    }

    /// Parses the TOML of a source.
    ///
    /// # Errors
    /// The first syntax error, with its place.
    pub fn read(source: &Arc<Source>) -> Result<Tree, Problem> {
        let root = toml::parse(source).map_err(|fault| {
            let place = fault.span.map_or(Place::Nowhere, Place::File);
            Problem::new(&place, "the file is not valid TOML", fault.message)
        })?;
        Ok(Tree { root })
    }

    /// A table as a file of its own; its values keep their places.
    pub fn of(root: Node) -> Tree {
        Tree { root }
    }

    /// Parses one TOML value, such as a default (`"60s"`, `[1, 2]`).
    ///
    /// # Errors
    /// The syntax error.
    pub fn parse_value(text: &str, place: Place) -> Result<Node, Problem> {
        toml::parse_value(text, place.clone())
            .map_err(|why| Problem::new(&place, format!("`{text}` is not a TOML value"), why))
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
            Data::Table(table) => table.get_mut(name),
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

    /// Takes the value at `path` out, if there is one; items of a list stay.
    pub fn remove_at(&mut self, path: &str) {
        let (tables, last) =
            path.rsplit_once('.').map_or((None, path), |(tables, last)| (Some(tables), last));
        let steps = tables.into_iter().flat_map(|tables| tables.split('.'));
        let holder = steps.into_iter().try_fold(&mut self.root, |node, step| match &mut node.data {
            Data::Table(table) => table.get_mut(step),
            Data::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
            _ => None,
        });
        if let Some(Node { data: Data::Table(table), .. }) = holder {
            table.remove(last);
        }
    }

    /// Sets the value at `path`, making the tables on the way where they are missing.
    ///
    /// # Errors
    /// A phrase, when the path leads through something that is not a table, or past the end of a list, or is deeper than
    /// any key.
    pub fn set(&mut self, path: &str, node: Node) -> Result<(), String> {
        // Each part becomes a table within the one before.
        const DEEPEST: usize = 64;
        let parts = path.split('.').count();
        if parts > DEEPEST {
            return Err(format!("the path has {parts} parts; at most {DEEPEST} are read"));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_place() {
        let text = "[run]\nseed = 7\n";
        let tree = Tree::parse(text).unwrap();
        let node = tree.get("run.seed").unwrap();
        assert_eq!(node.data, Data::Integer(7));
        assert_eq!(node.place.span().map(|span| span.bytes.clone()), Some(13..14));
    }

    #[test]
    fn a_path_deeper_than_any_key_is_refused_at_once() {
        let mut tree = Tree::parse("seed = 7").unwrap();
        let seven = tree.get("seed").unwrap().clone();
        assert_eq!(tree.set(&format!("{}b", "a.".repeat(63)), seven.clone()), Ok(()));
        let refused = tree.set(&format!("{}b", "a.".repeat(64)), seven).unwrap_err();
        assert_eq!(refused, "the path has 65 parts; at most 64 are read");
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

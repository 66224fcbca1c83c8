//! An object of a manifest, read field by field: each field stated once, and what nobody asked for can be named.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use super::codec::Codec;
use super::translation::Translation;
use super::unresolved::unresolved;
use crate::document::edit::Slot;
use crate::schema::{Data, Node, Place, Problem, Table, nearest};

/// A field of a manifest: its name, the key of `[autoscaler]` it sets, and how it is written.
///
/// A later field of a table overrides an earlier one of the same key; a new field is written under the last name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Field {
    /// Name within its object.
    pub name: &'static str,
    /// Key within the table of the scenario that stands for the object.
    pub key: &'static str,
    /// How it is written.
    pub codec: Codec,
    /// Whether it is an older name, or another way to say it: read, but never added.
    is_alias: bool,
}

impl Field {
    /// A field.
    pub const fn new(name: &'static str, key: &'static str, codec: Codec) -> Field {
        Field { name, key, codec, is_alias: false }
    }

    /// A further name of a field.
    pub const fn alias(name: &'static str, key: &'static str, codec: Codec) -> Field {
        Field { name, key, codec, is_alias: true }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    table: Option<&'a Table>,
    /// The object; where it is left out, the one around it.
    node: &'a Node,
    /// Names of the objects left out between `node` and this one.
    missing: Vec<&'static str>,
    /// Whether a missing object can be added: its name is not there with nothing behind it.
    is_open: bool,
    path: String,
    prefix: &'static str,
    quotes: bool,
    asked: RefCell<Vec<String>>,
    slot: OnceCell<Option<Arc<Slot>>>,
}

impl<'a> Fields<'a> {
    /// The object `node`, shown as `path`, in remarks with `quotes` or without.
    ///
    /// # Errors
    /// It is something else.
    pub fn of(node: &'a Node, path: impl Into<String>, quotes: bool) -> Result<Fields<'a>, Problem> {
        let path = path.into();
        let Data::Table(table) = &node.data else {
            let shown = if path.is_empty() { "the document".to_owned() } else { format!("`{path}`") };
            let message = format!("{shown} is {}", shown_value(node));
            return Err(Problem::new(&manifest_place(&node.place), message, "expected an object"));
        };
        Ok(Fields { table: Some(table), ..Fields::around(node, path, quotes) })
    }

    fn around(node: &'a Node, path: String, quotes: bool) -> Fields<'a> {
        Fields {
            table: None,
            node,
            missing: Vec::new(),
            is_open: true,
            path,
            prefix: "",
            quotes,
            asked: RefCell::default(),
            slot: OnceCell::new(),
        }
    }

    /// The same object, of whose fields only those count whose name starts with `prefix`; it is left out of their names.
    pub fn beneath(self, prefix: &'static str) -> Fields<'a> {
        Fields { prefix, ..self }
    }

    /// Path of the object.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Full path of a field.
    pub fn path_of(&self, name: &str) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("{}{dot}{}{name}", self.path, self.prefix)
    }

    /// A path as remarks show it.
    pub fn shown(&self, path: &str) -> String {
        if self.quotes { format!("`{path}`") } else { path.to_owned() }
    }

    /// Where the object stands; where it is left out, the one around it.
    pub fn place(&self) -> &'a Place {
        &self.node.place
    }

    /// The object; where it is left out, the one around it.
    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// Whether there is no such object.
    pub fn is_absent(&self) -> bool {
        self.table.is_none()
    }

    /// A field; `None` where it is left out or null.
    pub fn get(&self, name: &str) -> Option<&'a Node> {
        let name = format!("{}{name}", self.prefix);
        let node = self.table.and_then(|table| table.get(&name)).filter(|node| node.data != Data::Null);
        self.asked.borrow_mut().push(name);
        node
    }

    /// The fields of an object within; of an empty one where it is left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn object(&self, name: &'static str) -> Result<Fields<'a>, Problem> {
        let path = self.path_of(name);
        if let Some(node) = self.get(name) {
            return Fields::of(node, path, self.quotes);
        }
        let is_null = self.table.is_some_and(|table| table.get(name).is_some());
        let missing = self.missing.iter().copied().chain([name]).collect();
        Ok(Fields {
            missing,
            is_open: self.is_open && !is_null,
            ..Fields::around(self.node, path, self.quotes)
        })
    }

    /// The items of a list within; none where it is left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn list(&self, name: &str) -> Result<&'a [Node], Problem> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Node { data: Data::Array(items), .. }) => Ok(items),
            Some(node) => Err(self.wrong(name, node, "a list")),
        }
    }

    /// The objects of a list within.
    ///
    /// # Errors
    /// It is something else, or holds something else.
    pub fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, Problem> {
        let path = self.path_of(name);
        let item = |(index, item)| Fields::of(item, format!("{path}[{index}]"), self.quotes);
        self.list(name)?.iter().enumerate().map(item).collect()
    }

    /// A text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(Node { data: Data::Text(text), .. }) => Ok(Some(text)),
            Some(node) => Err(self.wrong(name, node, "a text")),
        }
    }

    /// Reads these fields into the settings, their keys beneath `table` ("" for `[autoscaler]` itself).
    ///
    /// # Errors
    /// One of them is not written as it has to be.
    pub fn read(&self, fields: &[Field], table: &str, into: &mut Translation) -> Result<(), Problem> {
        for field in fields {
            let dot = if table.is_empty() { "" } else { "." };
            let key = format!("{table}{dot}{}", field.key);
            if let Some(node) = self.get(field.name) {
                let value = field.codec.read(node).map_err(|expected| {
                    let problem = self.wrong(field.name, node, &expected);
                    match field.codec.meant(node) {
                        Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                        None => problem,
                    }
                })?;
                into.set_field(key, value, node, field.codec);
            } else if let Some(node) = self.null(field.name) {
                into.leave_empty(key, self.path_of(field.name), &node.place);
            } else if let Some(slot) = self.slot().filter(|_| !field.is_alias) {
                let names = self.missing.iter().map(|name| (*name).to_owned());
                let names = names.chain([format!("{}{}", self.prefix, field.name)]).collect();
                into.open(key, slot.clone(), names, field.codec);
            }
        }
        Ok(())
    }

    /// A field that is written without a value; [`Fields::get`] has given those that have one.
    fn null(&self, name: &str) -> Option<&'a Node> {
        self.table?.get(&format!("{}{name}", self.prefix))
    }

    fn slot(&self) -> Option<&Arc<Slot>> {
        let find = || Slot::of(self.node).filter(|_| self.is_open).map(Arc::new);
        self.slot.get_or_init(find).as_ref()
    }

    /// Takes note of fields that need no remark.
    pub fn pass_over(&self, names: &[&str]) {
        self.asked.borrow_mut().extend(names.iter().map(|name| format!("{}{name}", self.prefix)));
    }

    /// Names and places of the fields that nobody asked for.
    pub fn rest(&self) -> Vec<(&'a str, &'a Place)> {
        let asked = self.asked.borrow();
        let fields = self.table.into_iter().flat_map(Table::iter).map(|(name, place, _)| (name, place));
        fields
            .filter(|(name, _)| name.starts_with(self.prefix) && !asked.iter().any(|known| known == name))
            .collect()
    }

    /// A remark for each field that nobody asked for.
    pub fn finish(&self, into: &mut Translation) {
        for (name, place) in self.rest() {
            let own = name.strip_prefix(self.prefix).unwrap_or(name);
            let path = self.shown(&self.path_of(own));
            let said = match self.meant(name) {
                Some(near) => format!("{path} is no field that is known: did you mean `{near}`?"),
                None => format!("{path} is not modelled"),
            };
            into.stray(path, own, said, place);
        }
        // Of annotations only their own system knows which there can be.
        if self.prefix.is_empty() {
            into.knows(&self.path, self.asked.borrow().clone());
        }
    }

    /// The same of an object of Kubernetes whose `spec` has been read: what else stands beside that or in the metadata is
    /// named where it belongs into another object.
    pub fn finish_object(&self, into: &mut Translation) {
        self.pass_over(&["apiVersion", "kind", "metadata", "spec", "status"]);
        self.finish(into);
        if let Ok(metadata) = self.object("metadata") {
            metadata.finish_known(&["name", "namespace", "labels", "annotations"], into);
        }
    }

    /// Names of the fields that nobody asked for those that belong into another object; `expected` are its own.
    pub fn finish_known(&self, expected: &[&str], into: &mut Translation) {
        self.pass_over(expected);
        for (name, place) in self.rest() {
            into.quiet_stray(self.shown(&self.path_of(name)), name, place);
        }
    }

    /// The field that is left out whose name is most like `name`, if one is like enough to be what was meant.
    pub fn meant(&self, name: &str) -> Option<String> {
        let asked = self.asked.borrow();
        let is_free = |known: &&String| self.table.is_some_and(|table| table.get(known).is_none());
        let own = |name: &'_ str| name.strip_prefix(self.prefix).unwrap_or(name).to_owned();
        let free: Vec<String> = asked.iter().filter(is_free).map(|name| own(name)).collect();
        nearest(&own(name), free.iter().map(String::as_str)).map(str::to_owned)
    }

    /// The problem of a field that is something else than what is expected.
    pub fn wrong(&self, name: &str, node: &Node, expected: &str) -> Problem {
        let message = format!("`{}` is {}", self.path_of(name), shown_value(node));
        let problem = Problem::new(&manifest_place(&node.place), message, format!("expected {expected}"));
        match unresolved(node) {
            Some(why) => problem.help(why),
            None => problem,
        }
    }

    /// The problem of a field that is left out.
    pub fn missing(&self, name: &str, expected: &str) -> Problem {
        let message = format!("`{}` is missing", self.path_of(name));
        let problem = Problem::new(&manifest_place(self.place()), message, format!("expected {expected}"));
        let rest = self.rest();
        match nearest(name, rest.iter().map(|(name, _)| *name)) {
            Some(near) => problem.help(format!("`{near}` is no field that is known: did you mean `{name}`?")),
            None => problem,
        }
    }
}

/// The value as a message shows it: not the whole of an object or list.
fn shown_value(node: &Node) -> String {
    match &node.data {
        Data::Array(_) | Data::Table(_) => node.data.kind().to_owned(),
        _ => node.to_json().to_string(),
    }
}

/// A place in a document, as one of a manifest.
pub(crate) fn manifest_place(place: &Place) -> Place {
    place.span().map_or(Place::Nowhere, |span| Place::Manifest(span.clone()))
}

//! What a tree says, as bytes that do not depend on how it is written.

use std::io;

use super::{AnyKey, Context, Data, Kind, Node, Place, Table, TableSpec, Tree, UnionSpec};
use crate::sorting::Sorting as _;
use crate::units::parse_span;

/// Writes values as bytes: two values are written alike if the schema gives them the same meaning. Durations count in
/// nanoseconds, whole numbers and fractions as one kind of number, keys in the order of their names; a key that says what
/// its default says is left out, and a file stands for its bytes.
///
/// Values that come to the same by a calculation of their reader (a distribution by its percentiles, and by the parameters
/// that follow from them) are told apart.
pub(crate) struct Canonical<'a> {
    context: &'a Context,
    bytes: Vec<u8>,
}

impl<'a> Canonical<'a> {
    /// Nothing yet; `context` knows the files that values name.
    pub fn new(context: &'a Context) -> Self {
        Canonical { context, bytes: Vec::new() }
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes the value of `key`; `node` is what the tree says of it. Of the table it holds, the keys `except` are left out.
    ///
    /// # Errors
    /// A file it names cannot be read.
    pub fn key(&mut self, key: &dyn AnyKey, node: Option<&Node>, except: &[&str]) -> io::Result<()> {
        let Some(node) = node else { return Ok(()) };
        let start = self.bytes.len();
        self.text(key.name());
        let value = self.bytes.len();
        let kind = key.kind();
        self.value(&kind, node, except)?;
        if let Some(default) = key.default().and_then(|text| Tree::parse_value(text, Place::Nowhere).ok()) {
            let end = self.bytes.len();
            self.value(&kind, &default, except)?;
            let is_default = self.bytes[value..end] == self.bytes[end..];
            self.bytes.truncate(if is_default { start } else { end });
        }
        Ok(())
    }

    fn value(&mut self, kind: &Kind, node: &Node, except: &[&str]) -> io::Result<()> {
        match (kind, &node.data) {
            (Kind::Duration, Data::Text(text)) => match parse_span(text) {
                Ok(span) => self.tagged(b'd', &span.as_nanos().to_le_bytes()),
                Err(_) => self.plain(node),
            },
            (Kind::File, Data::Text(file)) => {
                let digest = self.context.file_digest(file)?;
                self.tagged(b'f', &digest);
            }
            (Kind::List(inner), Data::Array(items)) => {
                self.tagged(b'[', &(items.len() as u64).to_le_bytes());
                for item in items {
                    self.value(inner, item, &[])?;
                }
            }
            (Kind::Table(spec), Data::Table(table)) => {
                self.table(spec.keys.iter().copied(), table, except)?
            }
            (Kind::Union(spec), Data::Table(table)) => match variant_of(spec, table) {
                Some(variant) => {
                    self.text(variant.name);
                    self.table(spec.common.iter().chain(variant.keys).copied(), table, except)?;
                }
                None => self.plain(node),
            },
            (Kind::Map(inner), Data::Table(table)) => {
                let mut entries: Vec<(&str, &Node)> =
                    table.iter().map(|(name, _, node)| (name, node)).collect();
                entries.sort_once_by_key(|(name, _)| *name);
                self.tagged(b'{', &[]);
                for (name, node) in entries {
                    self.text(name);
                    self.value(inner, node, &[])?;
                }
                self.tagged(b'}', &[]);
            }
            (Kind::Either(kinds), _) => match kinds.iter().find(|kind| takes(kind, node)) {
                Some(kind) => self.value(kind, node, except)?,
                None => self.plain(node),
            },
            _ => self.plain(node),
        }
        Ok(())
    }

    fn table<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k dyn AnyKey>,
        table: &Table,
        except: &[&str],
    ) -> io::Result<()> {
        let mut keys: Vec<&dyn AnyKey> = keys.filter(|key| !except.contains(&key.name())).collect();
        keys.sort_once_by_key(|key| key.name());
        self.tagged(b'{', &[]);
        for key in keys {
            self.key(key, table.get(key.name()), &[])?;
        }
        self.tagged(b'}', &[]);
        Ok(())
    }

    /// A value by itself, whatever it is for.
    fn plain(&mut self, node: &Node) {
        match &node.data {
            Data::Null => self.tagged(b'0', &[]),
            Data::Text(text) | Data::Datetime(text) => self.text(text),
            Data::Bool(bool) => self.tagged(b'b', &[u8::from(*bool)]),
            Data::Float(float) => self.tagged(b'n', &float.to_bits().to_le_bytes()),
            Data::Integer(integer) if (*integer as f64) as i64 == *integer => {
                self.tagged(b'n', &(*integer as f64).to_bits().to_le_bytes());
            }
            Data::Integer(integer) => self.tagged(b'i', &integer.to_le_bytes()),
            Data::Array(items) => {
                self.tagged(b'[', &(items.len() as u64).to_le_bytes());
                items.iter().for_each(|item| self.plain(item));
            }
            Data::Table(table) => {
                let mut entries: Vec<(&str, &Node)> =
                    table.iter().map(|(name, _, node)| (name, node)).collect();
                entries.sort_once_by_key(|(name, _)| *name);
                self.tagged(b'{', &[]);
                for (name, node) in entries {
                    self.text(name);
                    self.plain(node);
                }
                self.tagged(b'}', &[]);
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.tagged(b't', &(text.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn tagged(&mut self, tag: u8, bytes: &[u8]) {
        self.bytes.push(tag);
        self.bytes.extend_from_slice(bytes);
    }
}

/// The variant that a table names, or the default one.
fn variant_of(spec: &UnionSpec, table: &Table) -> Option<&'static TableSpec> {
    let named = match table.get(spec.tag) {
        Some(Node { data: Data::Text(name), .. }) => Some(name.as_str()),
        Some(_) => None,
        None => spec.default,
    };
    spec.variants.iter().copied().find(|variant| Some(variant.name) == named)
}

/// Whether `node` has the form of a value of this kind.
fn takes(kind: &Kind, node: &Node) -> bool {
    match (kind, &node.data) {
        (Kind::Duration, Data::Text(text)) => parse_span(text).is_ok(),
        (Kind::Number | Kind::Integer, Data::Integer(_) | Data::Float(_))
        | (Kind::Bool, Data::Bool(_))
        | (Kind::Text | Kind::File, Data::Text(_))
        | (Kind::Map(_), Data::Table(_))
        | (Kind::Any, _) => true,
        (Kind::Choice(options), Data::Text(text)) => options.iter().any(|(name, _)| name == text),
        (Kind::List(inner), Data::Array(items)) => items.iter().all(|item| takes(inner, item)),
        (Kind::Table(spec), Data::Table(table)) => {
            table.iter().all(|(name, _, _)| spec.keys.iter().any(|key| key.name() == name))
        }
        (Kind::Union(spec), Data::Table(table)) => variant_of(spec, table).is_some(),
        (Kind::Either(kinds), _) => kinds.iter().any(|kind| takes(kind, node)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Key, Value};
    use crate::time::Span;

    const INTERVAL: Key<Span> = Key::or("interval", "\"15s\"", "");
    const LIMIT: Key<Option<u32>> = Key::optional("limit", "");
    const NAME: Key<String> = Key::or("name", "\"\"", "");
    const SPEC: TableSpec = TableSpec { name: "table", doc: "", keys: &[&NAME, &LIMIT, &INTERVAL] };

    struct Whole;

    impl Value for Whole {
        fn kind() -> Kind {
            Kind::Table(&SPEC)
        }
        fn read(_: &Node, _: &str, _: &Context) -> Result<Self, crate::schema::Problem> {
            Ok(Whole)
        }
    }

    const TABLE: Key<Whole> = Key::or("table", "{}", "");

    fn bytes(text: &str) -> Vec<u8> {
        let (tree, context) = (Tree::parse(text).unwrap(), Context::default());
        let mut canonical = Canonical::new(&context);
        canonical.key(&TABLE, tree.get("table"), &["name"]).unwrap();
        canonical.into_bytes()
    }

    #[test]
    fn what_means_the_same_is_written_alike() {
        assert_eq!(bytes(""), Vec::<u8>::new());
        for same in [
            "table = {}",
            "table = { interval = \"15s\" }",
            "table = { name = \"mine\", interval = \"15000ms\" }",
        ] {
            assert_eq!(bytes(same), bytes(""), "{same}");
        }
        let minute = bytes("table = { interval = \"1m\", limit = 4 }");
        assert_eq!(bytes("table = { limit = 4.0, interval = \"60s\" }"), minute);
    }

    #[test]
    fn what_means_something_else_is_written_otherwise() {
        let all: Vec<Vec<u8>> =
            ["", "interval = \"16s\"", "limit = 15", "limit = 16", "interval = \"16s\", limit = 15"]
                .map(|keys| bytes(&format!("table = {{ {keys} }}")))
                .into();
        for (index, one) in all.iter().enumerate() {
            assert!(all[index + 1..].iter().all(|other| other != one), "{index}");
        }
    }
}

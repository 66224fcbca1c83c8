//! `[[variant]]`: a named alternative to the base scenario.

use std::collections::BTreeSet;

use super::circumstance::{self, Circumstance};
use super::paths::kind_at;
use super::sweep::written_at;
use crate::schema::{Context, Data, Key, Kind, Node, Place, Problem, Reader, TableSpec, Tree, Value};
use crate::sorting::Sorting as _;

/// One `[[variant]]`.
#[derive(Clone)]
pub(super) struct VariantTable {
    pub name: String,
    /// Where its name is written.
    pub place: Place,
    /// Tables that take the place of the scenario's.
    tables: Vec<(&'static str, Node)>,
    /// Single values by path.
    set: Vec<(String, Place, Node)>,
}

const NAME: Key<String> = Key::required("name", "Name of the variant, for tables and charts.");
const SET: Key<Changes> = Key::or(
    "set",
    "{}",
    "Values that differ, by the path of their key in quotes: `set = { \"autoscaler.up.above\" = 0.8 }`.",
);

const fn replacing(table: &'static str) -> Key<Option<Node>> {
    Key::optional(table, "Takes the place of the scenario's whole table of this name.")
}

const TABLES: [Key<Option<Node>>; 10] = [
    replacing("arrivals"),
    replacing("service"),
    replacing("instances"),
    replacing("dispatch"),
    replacing("client"),
    replacing("metrics"),
    replacing("autoscaler"),
    replacing("cost"),
    replacing("slo"),
    replacing("decode"),
];

pub(super) const SPEC: TableSpec = TableSpec {
    name: "variant",
    doc: "A named alternative to the base scenario: what it does not mention stays the same. A sweep covers each variant too, over those of its parameters that the variant has.",
    keys: &[
        &NAME, &SET, &TABLES[0], &TABLES[1], &TABLES[2], &TABLES[3], &TABLES[4], &TABLES[5], &TABLES[6],
        &TABLES[7], &TABLES[8], &TABLES[9],
    ],
};

/// Values by path, in the order they are written.
struct Changes(Vec<(String, Place, Node)>);

impl Value for Changes {
    fn kind() -> Kind {
        Kind::Map(Box::new(Kind::Any))
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        let Data::Table(table) = &node.data else {
            let label = "expected a table such as { \"autoscaler.up.above\" = 0.8 }";
            return Err(Problem::new(&node.place, format!("`{path}` is {}", node.data.kind()), label));
        };
        let mut changes: Vec<(String, Place, Node)> =
            table.iter().map(|(name, place, node)| (name.to_owned(), place.clone(), node.clone())).collect();
        changes.sort_once_by_key(|(_, place, _)| written_at(place));
        let whole = |name: &str| TABLES.iter().any(|key| key.name() == name);
        match changes.iter().find(|(name, _, _)| whole(name)) {
            Some((name, place, _)) => {
                let message = format!("`{path}` sets `{name}`, which is a whole table");
                let problem = Problem::new(place, message, "expected the path of one key");
                Err(problem
                    .help(format!("for one value, write the path in quotes: \"{name}.…\" = …"))
                    .help(format!("for another table, write it as `[variant.{name}]`")))
            }
            None => Ok(Changes(changes)),
        }
    }
}

impl Value for VariantTable {
    fn kind() -> Kind {
        Kind::Table(&SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &SPEC, context)?;
        let name = reader.shown("name", reader.get(&NAME)?)?;
        if name.trim().is_empty() {
            let message = format!("`{}` is empty", reader.path_of("name"));
            return Err(reader.problem("name", message, "expected a name for tables and charts"));
        }
        let mut tables = Vec::new();
        for key in &TABLES {
            if let Some(node) = reader.find(key)? {
                tables.push((key.name(), node));
            }
        }
        Ok(VariantTable { name, place: reader.place_of("name"), tables, set: reader.get(&SET)?.0 })
    }
}

impl VariantTable {
    /// Whether it is about other traffic: what may happen, and nothing to choose.
    pub fn is_what_if(&self) -> bool {
        let tables = self.tables.iter().map(|(table, _)| *table);
        let mut all = tables.chain(self.set.iter().map(|(path, _, _)| path.as_str()));
        all.any(|path| circumstance::of(path) == Some(Circumstance::Traffic))
    }

    /// The scenario in `base` with this variant's changes.
    ///
    /// # Errors
    /// A path that leads nowhere.
    pub fn apply(&self, base: &Tree) -> Result<Tree, Problem> {
        let mut tree = base.clone();
        for (table, node) in &self.tables {
            tree.set(table, node.clone()).map_err(|why| impossible(&node.place, table, why))?;
        }
        for (path, place, node) in &self.set {
            kind_at(&tree, path, place)?;
            tree.set(path, node.clone()).map_err(|why| impossible(place, path, why))?;
        }
        Ok(tree)
    }
}

/// The [`Problem`] of a path that the tree cannot follow.
pub(super) fn impossible(place: &Place, path: &str, why: String) -> Problem {
    Problem::new(place, format!("`{path}` cannot be set"), why)
}

/// Refuses two variants of one name, and one with the `label` of the base scenario.
pub(super) fn check_names(variants: &[VariantTable], label: &str) -> Result<(), Problem> {
    if let Some(variant) = variants.iter().find(|variant| variant.name == label) {
        let message = format!("a variant has the name \"{label}\", as the base scenario does");
        return Err(Problem::new(&variant.place, message, "expected a name of its own, or another `label`"));
    }
    let mut names = BTreeSet::new();
    match variants.iter().find(|variant| !names.insert(&variant.name)) {
        Some(variant) => {
            let message = format!("two variants have the name \"{}\"", variant.name);
            Err(Problem::new(&variant.place, message, "expected a name of its own"))
        }
        None => Ok(()),
    }
}

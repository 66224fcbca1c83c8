//! What makes a scenario another one: all that its tables say which can change a result.

use std::io;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use super::assemble::SPEC;
use crate::schema::{AnyKey, Canonical, Context, Kind, TableSpec, Tree};

/// A hash of what the tables of a scenario say, in whatever way they are written; of the files they name, the bytes.
///
/// Left out is what changes no result: names, descriptions, the currency, and where a manifest's settings came from. So are
/// `[run]` and `[metrics]`, whose defaults depend on other tables: who identifies a run adds the values they came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity([u8; 32]);

/// What is no part of the model, or is added by its values.
const APART: [&str; 8] = ["allow", "name", "description", "label", "run", "metrics", "sweep", "variant"];

/// Keys that change no result, by their table.
const WITHOUT_EFFECT: [(&str, &[&str]); 3] =
    [("autoscaler", &["from", "name", "requests"]), ("cost", &["currency"]), ("decode", &["metrics"])];

impl Identity {
    /// That of the scenario in `tree`.
    ///
    /// # Errors
    /// A file it names cannot be read.
    pub(super) fn of(tree: &Tree, context: &Context) -> io::Result<Identity> {
        let mut canonical = Canonical::new(context);
        for key in SPEC.keys.iter().filter(|key| !APART.contains(&key.name())) {
            let except = WITHOUT_EFFECT.iter().find(|(table, _)| *table == key.name());
            canonical.key(*key, tree.get(key.name()), except.map_or(&[], |(_, keys)| keys))?;
        }
        Ok(Identity(Sha256::digest(canonical.into_bytes()).into()))
    }

    /// That of the same scenario with something else in the place of a part, which `change` names.
    #[must_use]
    pub fn changed(self, change: &str) -> Identity {
        let hash = Sha256::new().chain_update(self.0).chain_update(change);
        Identity(hash.finalize().into())
    }

    /// The hash.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A hash of every default of the schema: they are left out of an [`Identity`], so that another default must make another
/// one.
pub fn defaults() -> [u8; 32] {
    static DEFAULTS: OnceLock<[u8; 32]> = OnceLock::new();
    *DEFAULTS.get_or_init(|| {
        let mut hash = Sha256::new();
        of_table(&SPEC, &mut hash, &mut Vec::new());
        hash.finalize().into()
    })
}

/// Names and docs of the tables around a key: a table within itself would have no end.
type Above = Vec<(&'static str, &'static str)>;

fn of_table(spec: &TableSpec, hash: &mut Sha256, above: &mut Above) {
    hash.update(spec.name);
    spec.keys.iter().for_each(|key| of_key(*key, hash, above));
}

fn of_key(key: &dyn AnyKey, hash: &mut Sha256, above: &mut Above) {
    hash.update(key.name());
    hash.update([0]);
    hash.update(key.default().unwrap_or_default());
    hash.update([0]);
    of_kind(&key.kind(), hash, above);
}

fn of_kind(kind: &Kind, hash: &mut Sha256, above: &mut Above) {
    match kind {
        Kind::Table(spec) if !above.contains(&(spec.name, spec.doc)) => {
            above.push((spec.name, spec.doc));
            of_table(spec, hash, above);
            above.pop();
        }
        Kind::Union(spec) if !above.contains(&(spec.name, spec.doc)) => {
            above.push((spec.name, spec.doc));
            hash.update(spec.default.unwrap_or_default());
            spec.common.iter().for_each(|key| of_key(*key, hash, above));
            spec.variants.iter().for_each(|variant| of_table(variant, hash, above));
            above.pop();
        }
        Kind::List(inner) | Kind::Map(inner) => of_kind(inner, hash, above),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| of_kind(kind, hash, above)),
        _ => {}
    }
}

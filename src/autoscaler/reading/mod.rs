//! How manifests are read and written: what all systems share, below the systems.
//!
//! A system states the fields of its manifest once, as tables of [`Field`]: name, key of `[autoscaler]`, [`Codec`].
//! Reading ([`Fields::read`]), messages with places, remarks on what is not used, and the way back
//! ([`Translation::edit`]) all follow from them. The table of forms stands above the systems, in
//! `autoscaler/manifest.rs`.

pub(crate) mod behavior;
mod codec;
mod documents;
mod manifest_fields;
pub(crate) mod measure;
pub(crate) mod metric_names;
pub(crate) mod promql;
pub(crate) mod quantity;
pub(crate) mod refused;
pub(crate) mod templates;
pub(in crate::autoscaler) mod terraform_names;
mod translation;
mod unresolved;
mod watched;

pub(crate) use codec::Codec;
pub use documents::Selection;
pub(crate) use documents::{Candidate, Form, Manifest, metadata_name, of_kind, quantity as quantity_of};
pub(crate) use manifest_fields::{Field, Fields, manifest_place};
pub use translation::{Change, Question, Remark, Translation};
pub(crate) use watched::{Target, TargetKind, Watch, doubt_share};

use crate::schema::Node;

/// The field of a document that is a text, such as `kind`.
pub(crate) fn text_of<'a>(document: &'a Node, name: &str) -> Option<&'a str> {
    match &field_of(document, name)?.data {
        crate::schema::Data::Text(text) => Some(text),
        _ => None,
    }
}

/// A field of a document that may be anything.
pub(crate) fn field_of<'a>(document: &'a Node, name: &str) -> Option<&'a Node> {
    match &document.data {
        crate::schema::Data::Table(table) => {
            table.get(name).filter(|node| node.data != crate::schema::Data::Null)
        }
        _ => None,
    }
}

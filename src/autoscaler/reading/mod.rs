//! How manifests are read and written: what all systems share, below the systems.
//!
//! A system states the fields of its manifest once, as tables of [`Field`]: name, key of `[autoscaler]`, [`Codec`].
//! Reading ([`Fields::read`]), messages with places, remarks on what is not used, and the way back
//! ([`Translation::edit`]) all follow from them. The table of forms stands above the systems, in
//! `autoscaler/manifest.rs`.

pub(crate) mod behavior;
mod codec;
mod manifest_fields;
pub(crate) mod quantity;
mod signals;
mod translation;

pub(crate) use codec::Codec;
pub(crate) use manifest_fields::{Field, Fields, manifest_place};
pub(crate) use signals::likely_signal;
pub use translation::{Change, Remark, Translation};

use crate::schema::{Node, Problem};

/// Turns the documents of a file into settings; `None` if none of them is of the form it knows. Ignores the others.
pub(crate) type Translate = fn(&[Node]) -> Option<Result<Translation, Problem>>;

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

//! An explanation as a person or a program reads it: its sentences, tables and data.
mod data;
mod episodes;
mod sentences;
mod tables;

pub use data::{Account, causes};
pub use episodes::episode;
pub use sentences::{answer, notes};
pub use tables::{keys, measures};

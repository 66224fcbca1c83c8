//! The report and its parts in each of their forms: one file a form.
pub mod csv;

//! What a person or a script reads afterwards. A function of results; nothing here simulates.

pub mod csv_files;
mod folder;
pub mod summary;

pub use folder::{Folder, OutputError, Staged, file_name};

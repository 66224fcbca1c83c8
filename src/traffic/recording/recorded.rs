//! What a file of traffic holds.

use super::reading::Reading;
use super::requests::Requests;
use super::series::Series;

/// What a file of traffic holds, and how it was read.
#[derive(Debug, Clone)]
pub struct Recording {
    /// How it was read.
    pub reading: Reading,
    /// What it holds.
    pub content: Recorded,
}

/// What a file of traffic holds.
#[derive(Debug, Clone)]
// There is one of a file, and never a list of them.
#[allow(clippy::large_enum_variant)]
pub enum Recorded {
    /// Requests, a row each.
    Requests(Requests),
    /// Numbers of requests, a value an interval.
    Series(Series),
}

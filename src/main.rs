//! The `kneepoint` command.

#![warn(clippy::unwrap_used)]

fn main() {}

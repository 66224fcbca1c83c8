//! The tables beneath `[decode]` as those of a pool by itself, and back.

use crate::schema::{Data, Node, Problem, Tree};

/// The table that they are in.
pub(super) const DECODE: &str = "decode";

/// The tables of the pool that decodes, as if they were those of a scenario, if it has any.
pub(super) fn tables(tree: &Tree) -> Option<Tree> {
    match tree.get(DECODE) {
        Some(node @ Node { data: Data::Table(_), .. }) => Some(Tree::of(node.clone())),
        _ => None,
    }
}

/// A problem of the tables of the pool, with the paths that its keys have in the whole scenario.
pub(super) fn problem(Problem { place, message, label, help }: Problem) -> Problem {
    Problem {
        place,
        message: keys_in_decode(&message),
        label: keys_in_decode(&label),
        help: help.iter().map(|line| keys_in_decode(line)).collect(),
    }
}

/// A text about keys of the pool, with the paths that they have in the whole scenario.
pub fn keys_in_decode(text: &str) -> String {
    ["autoscaler", "instances", "dispatch", "metrics", "cost"].iter().fold(text.to_owned(), |text, table| {
        text.replace(&format!("`{table}."), &format!("`decode.{table}."))
            .replace(&format!("`{table}`"), &format!("`decode.{table}`"))
            .replace(&format!("`[{table}]`"), &format!("`[decode.{table}]`"))
    })
}

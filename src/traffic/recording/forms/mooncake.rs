//! Mooncake's traces (FAST'25): milliseconds from the start, lengths in tokens. Bailian's have the same keys in seconds, and
//! a chat of their own.

use super::{Form, Likeness, json_lines};

const NAME: &str = "mooncake";
const DOC: &str = "a Mooncake trace in JSON lines";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let has = |key: &str| head.has_key_at(1, key);
        match (has("timestamp") && has("output_length"), has("input_length"), has("hash_ids")) {
            (true, true, true) => Likeness::Yes,
            (true, true, false) => Likeness::Close(
                "has no `hash_ids`: its timestamps may be milliseconds, as Mooncake's, or seconds, as Bailian's".into(),
            ),
            (true, false, true) => Likeness::Close("has no `input_length`".into()),
            _ => Likeness::No,
        }
    },
    read: |file, head, wanted| {
        json_lines::read_keys(file, head, wanted, (NAME, DOC), crate::traffic::Unit::Milliseconds)
    },
};

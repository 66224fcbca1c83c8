//! Qwen-Bailian's traces: the keys of Mooncake's, in seconds, and the chat that a request belongs to.

use super::{Form, Likeness, json_lines};

const NAME: &str = "bailian";
const DOC: &str = "a Qwen-Bailian trace in JSON lines";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        let keys = ["chat_id", "timestamp", "input_length", "output_length"];
        Likeness::of(keys.iter().all(|key| head.has_key_at(1, key)))
    },
    read: |file, head, wanted| {
        json_lines::read_keys(file, head, wanted, (NAME, DOC), crate::traffic::Unit::Seconds)
    },
};

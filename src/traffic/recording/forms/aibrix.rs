//! Records of AIBrix's benchmark client: a row a request, written as it ends.

use super::Form;
use super::known::{self, Known};

const NAME: &str = "aibrix";
const DOC: &str = "records of AIBrix's benchmark client";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        known::likeness(
            head,
            &["prompt_tokens", "generation_tokens", "ttft", "generation_time", "launch_time", "finish_time"],
        )
    },
    read: |file, head, wanted| {
        let known = Known {
            form: (NAME, DOC),
            time: "launch_time",
            prompt_tokens: Some("prompt_tokens"),
            output_tokens: Some("generation_tokens"),
            duration: None,
            is_end: false,
            only: None,
            status: None,
        };
        known::read(file, head, wanted, &known)
    },
};

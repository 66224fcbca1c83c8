//! Azure Functions invocations of 2021: the end of each and how long it took.

use super::Form;
use super::known::{self, Known};
use crate::traffic::Unit;

const NAME: &str = "azure_functions_2021";
const DOC: &str = "an Azure Functions invocation trace of 2021";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| known::likeness(head, &["app", "func", "end_timestamp", "duration"]),
    read: |file, head, wanted| {
        let known = Known {
            form: (NAME, DOC),
            time: "end_timestamp",
            prompt_tokens: None,
            output_tokens: None,
            duration: Some(("duration", Unit::Seconds)),
            is_end: true,
            only: None,
            status: None,
        };
        known::read(file, head, wanted, &known)
    },
};

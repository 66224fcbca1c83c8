//! k6, `--out csv=…`: a row a sample of each metric; the time of one is its end, in whole seconds by default.

use super::Form;
use super::known::{self, Known};
use crate::traffic::Unit;

const NAME: &str = "k6_csv";
const DOC: &str = "samples of k6 as a table";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| known::likeness(head, &["metric_name", "timestamp", "metric_value"]),
    read: |file, head, wanted| {
        let known = Known {
            form: (NAME, DOC),
            time: "timestamp",
            prompt_tokens: None,
            output_tokens: None,
            duration: Some(("metric_value", Unit::Milliseconds)),
            is_end: true,
            only: Some(("metric_name", "http_req_duration")),
            status: None,
        };
        known::read(file, head, wanted, &known)
    },
};

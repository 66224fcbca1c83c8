//! Alibaba's GenTD26 of image generation (cluster-trace-v2026-GenAI).

use super::Form;
use super::known::{self, Known};
use crate::traffic::Unit;

const NAME: &str = "gentd26";
const DOC: &str = "an Alibaba GenTD26 request trace";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| {
        known::likeness(head, &["gmt_create", "predict_type", "predict_status", "exec_time_seconds"])
    },
    read: |file, head, wanted| {
        let known = Known {
            form: (NAME, DOC),
            time: "gmt_create",
            prompt_tokens: None,
            output_tokens: None,
            duration: Some(("exec_time_seconds", Unit::Seconds)),
            is_end: false,
            only: None,
            status: Some(("predict_status", |status, _| {
                (status != "SUCCEED").then_some("did not succeed: their execution times are among the others")
            })),
        };
        known::read(file, head, wanted, &known)
    },
};

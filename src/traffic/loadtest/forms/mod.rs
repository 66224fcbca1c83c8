//! The load-test tools whose results are read, a file each.

mod aiperf;
mod aiperf_records;
mod artillery;
mod bombardier;
mod csv;
mod genai_perf;
mod guidellm;
mod guidellm_csv;
mod hey;
mod inference_perf;
mod jmeter;
mod k6;
mod k6_csv;
mod k6_points;
mod llmd;
mod locust;
mod mlperf;
mod oha;
mod vegeta;
mod vegeta_results;
mod vllm;
mod wrk;

use serde_json::Value;

use super::level::{Level, LoadTest};
use super::text::{Content, Fault};

/// One tool.
pub(super) struct Form {
    /// What it is, in words.
    pub doc: &'static str,
    /// Reads it; `None` for what is of another tool, an error for what is of this one and cannot be used.
    pub read: fn(&Content<'_>) -> Option<Result<LoadTest, Fault>>,
}

/// Every tool; tables of any columns come last.
pub(super) const FORMS: [Form; 22] = [
    vllm::FORM,
    guidellm::FORM,
    guidellm_csv::FORM,
    aiperf::FORM,
    aiperf_records::FORM,
    genai_perf::FORM,
    inference_perf::FORM,
    llmd::FORM,
    k6::FORM,
    vegeta::FORM,
    oha::FORM,
    artillery::FORM,
    bombardier::FORM,
    k6_points::FORM,
    k6_csv::FORM,
    vegeta_results::FORM,
    jmeter::FORM,
    mlperf::FORM,
    wrk::FORM,
    hey::FORM,
    locust::FORM,
    csv::FORM,
];

/// The load test of the documents that are one level each; `None` if none is.
fn from_documents(
    content: &Content<'_>,
    is_one: impl Fn(&Value) -> bool,
    level: fn(&Value) -> Result<Level, String>,
) -> Option<Result<LoadTest, Fault>> {
    let levels = content.documents.iter().filter(|value| is_one(value)).map(level);
    let levels: Result<Vec<Level>, String> = levels.collect();
    match levels {
        Ok(levels) if levels.is_empty() => None,
        levels => Some(levels.map(LoadTest::of).map_err(Fault::from)),
    }
}

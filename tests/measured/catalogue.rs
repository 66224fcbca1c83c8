//! Public traces with known statistics, inspected: every figure that their catalogue states, to its digits. They are found
//! through `KNEEPOINT_DATA`, and skipped where they are not.

use kneepoint::internals::files::{Disk, NamedFile};
use kneepoint::internals::traffic::{Wanted, measure, read_recordings};
use serde_json::{Value, json};

use crate::fixtures::data::folder_with;

/// What `traffic inspect --json` prints of a file.
fn inspected(path: &str) -> Option<Value> {
    let file = NamedFile { files: &Disk, path: folder_with(path)?.join(path), shown: path };
    let (readings, recorded) =
        read_recordings(&[file], &Wanted::default()).unwrap_or_else(|error| panic!("{error:?}"));
    Some(json!({ "files": readings, "traffic": measure(&recorded) }))
}

/// The figure at a pointer, with as many decimals as the catalogue states.
fn states(json: &Value, figures: &[(&str, &str)]) {
    for (pointer, stated) in figures {
        let decimals = stated.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let found = json.pointer(pointer).unwrap_or_else(|| panic!("{pointer}: {json}")).as_f64().unwrap();
        assert_eq!(format!("{found:.decimals$}"), *stated, "{pointer}");
    }
}

/// Azure LLM inference, conversations, 2023 (Azure/AzurePublicDataset, CC-BY 4.0).
#[test]
fn azure_conversations_match_their_catalogue_to_the_digit() {
    let Some(json) = inspected("traces/azure-llm-2023/AzureLLMInferenceTrace_conv.csv") else { return };
    states(
        &json,
        &[
            ("/files/0/used", "19366"),
            ("/traffic/prompt_tokens/mean", "1154.7"),
            ("/traffic/prompt_tokens/p50", "1020"),
            ("/traffic/prompt_tokens/p90", "2734.5"),
            ("/traffic/prompt_tokens/p95", "4083"),
            ("/traffic/prompt_tokens/p99", "4142"),
            ("/traffic/prompt_tokens/max", "14050"),
            ("/traffic/prompt_tokens/cv", "0.96"),
            ("/traffic/output_tokens/mean", "211.1"),
            ("/traffic/output_tokens/p50", "129"),
            ("/traffic/output_tokens/p90", "424"),
            ("/traffic/output_tokens/p95", "451"),
            ("/traffic/output_tokens/p99", "601"),
            ("/traffic/output_tokens/max", "1000"),
            ("/traffic/output_tokens/cv", "0.77"),
            ("/traffic/same_instant", "0"),
        ],
    );
    assert_eq!(json["traffic"]["first"], "2023-11-16T18:15:46.68059Z");
    // No gap is longer than 4.4 s.
    let longest = json["traffic"]["gaps"][0]["seconds"].as_f64().unwrap();
    assert!((4.3..4.4).contains(&longest), "{longest}");
}

/// The synthetic trace of Mooncake (FAST'25, Apache-2.0).
#[test]
fn the_synthetic_trace_of_mooncake_matches_its_catalogue_to_the_digit() {
    let Some(json) = inspected("traces/mooncake/synthetic_trace.jsonl") else { return };
    states(
        &json,
        &[
            ("/traffic/interarrival_cv", "1.01"),
            ("/traffic/prompt_tokens/mean", "15325"),
            ("/traffic/prompt_tokens/p50", "11587"),
            ("/traffic/prompt_tokens/p99", "66456"),
            ("/traffic/prompt_tokens/max", "191378"),
            ("/traffic/output_tokens/mean", "149"),
            ("/traffic/output_tokens/p50", "69"),
            ("/traffic/output_tokens/p99", "768"),
        ],
    );
}

/// GenTD26 of Alibaba (alibaba/clusterdata): times of image generation.
#[test]
fn times_of_image_generation_match_their_catalogue_to_the_digit() {
    let Some(json) = inspected("traces/alibaba-gentd26/lora_request_trace.csv") else { return };
    states(
        &json,
        &[
            ("/files/0/used", "26823"),
            ("/traffic/same_instant", "876"),
            ("/traffic/duration_s/mean", "28.67"),
            ("/traffic/duration_s/p50", "23"),
            ("/traffic/duration_s/p90", "53"),
            ("/traffic/duration_s/p95", "69"),
            ("/traffic/duration_s/p99", "106"),
            ("/traffic/duration_s/max", "567"),
            ("/traffic/duration_s/cv", "0.73"),
        ],
    );
    let busiest = json["traffic"]["peaks"][2]["rate"].as_f64().unwrap();
    assert_eq!(format!("{busiest:.3}"), "0.124", "the busiest hour");
    let silence_h = json["traffic"]["gaps"][0]["seconds"].as_f64().unwrap() / 3600.0;
    assert_eq!(format!("{silence_h:.1}"), "13.3", "the longest silence");
}

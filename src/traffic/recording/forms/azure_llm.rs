//! Azure's traces of LLM inference (Azure/AzurePublicDataset, 2023 and 2024; 2025 with a column of images).

use super::Form;
use super::known::{self, Known};

const NAME: &str = "azure_llm";
const DOC: &str = "an Azure LLM inference trace";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| known::likeness(head, &["TIMESTAMP", "ContextTokens", "GeneratedTokens"]),
    read: |file, head, wanted| {
        let known = Known {
            form: (NAME, DOC),
            time: "TIMESTAMP",
            prompt_tokens: Some("ContextTokens"),
            output_tokens: Some("GeneratedTokens"),
            duration: None,
            is_end: false,
            only: None,
            status: None,
        };
        known::read(file, head, wanted, &known)
    },
};

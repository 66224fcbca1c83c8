//! Enough of a file to tell of what tool it is, whatever its size.

use std::io::Read as _;

use serde_json::Value;

use super::text::Content;
use crate::files::NamedFile;
use crate::traffic::metered::{ENTRY_BYTES, Meter, Metered};
use crate::traffic::table::open;
use crate::traffic::tree::{Lists, tree};

/// Bytes of a text by which its tool is known; a file of fewer is looked at as it is.
const HEAD_BYTES: u64 = 4 << 20;

/// What is kept of a larger JSON document: of each list and each object, and in all.
const ENTRIES: usize = 100;
const VALUES: usize = 100_000;

/// Passes the content of a file, or what stands for it, to `take`; `None` if the file cannot be read.
pub(super) fn glimpse<T>(file: &NamedFile<'_>, take: impl FnOnce(&Content<'_>) -> T) -> Option<T> {
    let mut bytes = Vec::new();
    open(file, "load test").ok()?.take(HEAD_BYTES).read_to_end(&mut bytes).ok()?;
    let is_whole = (bytes.len() as u64) < HEAD_BYTES;
    if !is_whole {
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    let mut content = Content::of(text, None);
    if !is_whole && text.trim_start().starts_with('{') {
        content.documents = shortened(file).map_or(content.documents, |document| vec![document]);
    }
    Some(take(&content))
}

/// A JSON document with the first few entries of each list and object; `None` for what is none.
fn shortened(file: &NamedFile<'_>) -> Option<Value> {
    let meter = Meter::new(ENTRY_BYTES);
    tree(Metered::open(file, &meter).ok()?, &mut Few { meter: &meter, values: 0 }).ok()
}

struct Few<'a> {
    meter: &'a Meter,
    values: usize,
}

impl Lists for Few<'_> {
    fn keeps(&mut self, so_many: usize) -> bool {
        let keeps = so_many < ENTRIES && self.values < VALUES;
        self.values += usize::from(keeps);
        // What is not kept may be of any length.
        self.meter.allow(if keeps { ENTRY_BYTES } else { u64::MAX });
        keeps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    #[test]
    fn a_large_document_is_known_by_its_keys_behind_long_lists() {
        let requests = "{\"latency\": 1.5, \"itl\": [1, 2, 3]},".repeat(200_000);
        let text =
            format!("{{\"requests\": [{requests} {{}}], \"completed\": 5, \"request_throughput\": 2.5}}");
        let mut files = Memory::default();
        files.insert("t", text.as_str());
        let file = NamedFile { files: &files, path: "t".into(), shown: "t" };
        assert!(text.len() as u64 > HEAD_BYTES);
        let document = glimpse(&file, |content| content.document().cloned()).flatten().unwrap();
        assert_eq!(document["requests"].as_array().map(Vec::len), Some(ENTRIES));
        assert_eq!(document["completed"], 5);
        assert_eq!(crate::traffic::loadtest::recognised(&file), Some("a result of vllm bench serve"));
    }
}

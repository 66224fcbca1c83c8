//! Findings in the Static Analysis Results Interchange Format (OASIS SARIF 2.1.0), which code hosts show beside the lines of a
//! change.

use serde_json::{Value, json};

use super::finding::{DOUBTFUL, Finding, INVALID, Level};
use crate::scenario::LINT_NAMES;

/// The page of the documentation that explains the lints, each in a section of its own.
const LINTS_PAGE: &str = "https://kneepoint.github.io/kneepoint/lints.html";

/// The log of one run of `check`.
pub(super) fn render(findings: &[Finding]) -> String {
    let general = |name: &str, text: &str| json!({ "id": name, "shortDescription": { "text": text } });
    let mut rules = vec![
        general(INVALID, "A scenario, or a file that it names, is refused."),
        general(DOUBTFUL, "A scenario is taken, and part of it may not be what was meant."),
    ];
    rules.extend(LINT_NAMES.iter().map(|name| {
        let text = name.replace('-', " ");
        json!({ "id": name, "shortDescription": { "text": text }, "helpUri": format!("{LINTS_PAGE}#{name}") })
    }));
    let results: Vec<Value> = findings.iter().map(result).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "kneepoint",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(finding: &Finding) -> Value {
    let (line, column) = finding.place.unwrap_or((1, 1));
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    json!({
        "ruleId": finding.rule,
        "level": level,
        "message": { "text": finding.message },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&finding.file) },
            "region": { "startLine": line, "startColumn": column },
        } }],
    })
}

/// A path as a reference of RFC 3986: separators stay, everything that is not unreserved is written in percent.
fn uri(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(byte.into())
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_reference() {
        assert_eq!(uri("a b/ü#1.toml"), "a%20b/%C3%BC%231.toml");
        assert_eq!(uri(r"ci\hpa.yaml"), "ci/hpa.yaml");
    }
}

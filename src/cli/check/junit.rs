//! Findings as JUnit's XML of test results, which most build servers show: a case for each file and, of each file, for each
//! finding.

use std::fmt::Write as _;

use super::finding::{Finding, Level};

/// The results of `files`, in which `findings` were found.
pub(super) fn render(files: &[String], findings: &[Vec<Finding>]) -> String {
    let all = || findings.iter().flatten();
    let failures = all().count();
    let cases: usize = findings.iter().map(|found| found.len().max(1)).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{cases}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\"");
    // Writing to a text cannot fail.
    _ = writeln!(
        xml,
        "<testsuites name=\"kneepoint check\" {counts}>\n  <testsuite name=\"kneepoint check\" {counts}>"
    );
    for (file, found) in files.iter().zip(findings) {
        let name = escape(file);
        if found.is_empty() {
            _ = writeln!(xml, "    <testcase classname=\"{name}\" name=\"check\" file=\"{name}\"/>");
        }
        for finding in found {
            let Finding { rule, level, message, file, place } = finding;
            let kind = match level {
                Level::Error => "error",
                Level::Warning => "warning",
            };
            let line = place.map_or_else(String::new, |(line, _)| format!(" line=\"{line}\""));
            let first = escape(message.lines().next().unwrap_or_default());
            _ = writeln!(
                xml,
                "    <testcase classname=\"{name}\" name=\"{rule}\" file=\"{}\"{line}>\n      <failure type=\"{kind}\" \
                 message=\"{first}\">{}</failure>\n    </testcase>",
                escape(file),
                escape(message),
            );
        }
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

/// Text for XML, in elements and attributes. Characters that XML 1.0 has no way to write are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | '\r' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => {}
            character if character < ' ' => {}
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_say_is_escaped_or_left_out() {
        assert_eq!(escape("a<b> & \"c\"\u{1}\n"), "a&lt;b&gt; &amp; &quot;c&quot;\n");
    }
}

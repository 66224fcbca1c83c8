//! Results and reports as JSON.

use serde::Serialize;

use super::form::TextFormat;
use crate::report::content::Report;
use crate::report::summary::Summary;

/// `summary.json`: every figure of a result.
pub fn summary(report: &Report<'_>) -> String {
    text(&Summary::of(&report.results))
}

/// The whole report as one JSON document.
pub const FORMAT: TextFormat = TextFormat { name: "report-json", text: report };

/// The whole report, as a page or a program reads it.
pub fn report(report: &Report<'_>) -> String {
    text(report)
}

fn text(content: &impl Serialize) -> String {
    // Writing plain data to memory cannot fail: keys are text, and a number that is not finite is written as null.
    let mut text = serde_json::to_string_pretty(content).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::report::example;

    #[test]
    fn a_report_is_whole_as_json() {
        let text = example::report("day", super::report);
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["head"]["title"], "day");
        assert_eq!(json["answer"][0]["text"], "day");
        assert_eq!(json["tables"][0]["rows"][0]["cells"][1]["text"], "12.5");
        assert_eq!(json["charts"][0]["chart"]["kind"], "comparison");
        assert_eq!(json["runs"][0]["windows"]["arrived"], serde_json::json!([3]));
        assert_eq!(json["summary"]["command"], "run");
    }
}

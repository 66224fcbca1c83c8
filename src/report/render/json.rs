//! Results and reports as JSON.

use super::form::TextFormat;
use super::json_layout::Layout;
use crate::report::content::Report;
use crate::report::results::Results;
use crate::report::summary::Summary;

/// `summary.json`: every figure of a result.
pub fn summary(report: &Report<'_>) -> String {
    Layout::Values.write(&Summary::of(&report.results)) + "\n"
}

/// `recommendation.json`: all that a recommendation came to; `None` for other results.
pub fn recommendation(report: &Report<'_>) -> Option<String> {
    matches!(report.results, Results::Recommend(..)).then(|| summary(report))
}

/// The whole report as one JSON document.
pub const FORMAT: TextFormat = TextFormat { name: "report-json", text: report };

/// The whole report, as a page or a program reads it.
pub fn report(report: &Report<'_>) -> String {
    Layout::Lines.write(report) + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::report::example;

    #[test]
    fn a_summary_has_a_line_for_each_figure() {
        let text = example::report("day", super::summary);
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["command"], "run");
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines.contains(&"{") && lines.contains(&"}") && lines.contains(&"  \"complete\": true,"),
            "{text}"
        );
        assert!(lines.contains(&"    \"arrived\": \"requests\","), "{text}");
        assert!(lines.contains(&"  \"warnings\": [],"), "an empty list takes no lines: {text}");
    }

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

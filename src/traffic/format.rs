//! Formats of traces: the layout of the rows, and the columns. One line of [`FORMATS`] registers a format; a new layout is
//! one file, and a variant of [`Layout`].

use super::Unit;
use super::error::FileError;
use super::json_lines::read_json_rows;
use super::table::{Asked, Order, read_csv_rows};
use crate::files::NamedFile;
use crate::schema::{Choice, Context, Kind, Node, Problem, Value, read_choice};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Comma-separated, with a header or without.
    Csv,
    /// A JSON object a line.
    JsonLines,
}

impl Layout {
    /// Passes the values `asked` of each row of the file to `take`.
    pub(super) fn read_rows(
        self,
        file: &NamedFile<'_>,
        asked: &[Asked<'_, i128>],
        order: Order,
        take: &mut dyn FnMut(&[i128]),
    ) -> Result<(), FileError> {
        match self {
            Layout::Csv => read_csv_rows(file, asked, order, take),
            Layout::JsonLines => read_json_rows(file, asked, order, take),
        }
    }
}

/// Columns and units of a format, where the scenario gives none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// How rows are written.
    pub layout: Layout,
    /// Column of the timestamps; the first if none is named.
    pub column: Option<&'static str>,
    /// Unit of timestamps that are numbers.
    pub unit: Unit,
    /// Whether rows may come in another order than their requests.
    pub unordered: bool,
    /// Column of the tokens of the prompt.
    pub prompt_tokens: Option<&'static str>,
    /// Column of the tokens of the answer.
    pub output_tokens: Option<&'static str>,
    /// Column of the service time, in seconds.
    pub service_time: Option<&'static str>,
}

const CSV: Format = Format {
    layout: Layout::Csv,
    column: None,
    unit: Unit::Seconds,
    unordered: false,
    prompt_tokens: None,
    output_tokens: None,
    service_time: None,
};

const JSON_LINES: Format = Format { layout: Layout::JsonLines, column: Some("timestamp"), ..CSV };

const fn with_tokens(format: Format, prompt: &'static str, output: &'static str) -> Format {
    Format { prompt_tokens: Some(prompt), output_tokens: Some(output), ..format }
}

/// Every format: its name, its columns and what it is.
pub const FORMATS: [(&str, &Format, &str); 8] = [
    ("csv", &CSV, "A CSV file of any columns; the timestamps are in the first."),
    ("json_lines", &JSON_LINES, "A JSON object a line, of any keys; `column` is \"timestamp\"."),
    (
        "azure_llm",
        &with_tokens(Format { column: Some("TIMESTAMP"), ..CSV }, "ContextTokens", "GeneratedTokens"),
        "Azure's LLM inference traces of 2023 and 2024, and those of 2025 with images, which are not counted.",
    ),
    (
        "burst_gpt",
        &with_tokens(Format { column: Some("Timestamp"), ..CSV }, "Request tokens", "Response tokens"),
        "BurstGPT. A request that failed has no response tokens; it is served with one.",
    ),
    (
        "mooncake",
        &with_tokens(Format { unit: Unit::Milliseconds, ..JSON_LINES }, "input_length", "output_length"),
        "Mooncake's traces (FAST'25), in milliseconds. The clock of those of conversations ticks every 3 s: `spread`.",
    ),
    (
        "bailian",
        &with_tokens(JSON_LINES, "input_length", "output_length"),
        "Qwen-Bailian's traces: the keys of Mooncake's, in seconds.",
    ),
    (
        "aibrix",
        &with_tokens(
            Format { column: Some("launch_time"), unordered: true, ..CSV },
            "prompt_tokens",
            "generation_tokens",
        ),
        "Records of AIBrix's benchmark client, a row a request as it ends; sorted by when they were sent.",
    ),
    (
        "gentd26",
        &Format { column: Some("gmt_create"), service_time: Some("exec_time_seconds"), ..CSV },
        "Alibaba's GenTD26 of image generation, with the time that each request took.",
    ),
];

/// How a trace is read: by columns that are stated, or by a reader of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceForm {
    /// The columns and units of this format, or those that a scenario names.
    Columns(&'static Format),
    /// The form of this name among those that are recognised by content.
    Recorded(&'static str),
}

const fn columns(at: usize) -> (&'static str, TraceForm, &'static str) {
    let (name, format, doc) = FORMATS[at];
    (name, TraceForm::Columns(format), doc)
}

const fn recorded(name: &'static str, doc: &'static str) -> (&'static str, TraceForm, &'static str) {
    (name, TraceForm::Recorded(name), doc)
}

impl Choice for TraceForm {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        columns(0),
        columns(1),
        columns(2),
        columns(3),
        columns(4),
        columns(5),
        columns(6),
        columns(7),
        recorded("access_log", "An access log in common or combined format, of Apache or nginx."),
        recorded("alb", "An access log of an AWS application load balancer."),
        recorded("cloudfront", "An access log of CloudFront."),
        recorded("envoy", "Envoy's access log as text."),
        recorded("istio", "Envoy's or Istio's access log as JSON."),
        recorded("cloud_logging", "Request logs of Google Cloud Logging as JSON."),
        recorded("azure_functions_2021", "Azure Functions invocations of 2021."),
        recorded("aiperf_records", "AIPerf's records as JSON lines: requests as they were sent."),
        recorded("k6_points", "k6's points as JSON lines: requests as they were sent."),
        recorded("k6_csv", "k6's samples as CSV."),
        recorded("jmeter", "JMeter's samples as CSV."),
        recorded("hey", "hey's requests as CSV."),
        recorded("vegeta", "vegeta's results as CSV."),
    ];
}

impl Value for TraceForm {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

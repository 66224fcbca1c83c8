//! GuideLLM, `benchmarks.csv`: a row a benchmark, under a header of three rows (group, figure, statistic) or, up to 0.3, of one.

use serde_json::Value;

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::{Fault, Row, Table, number};
use super::Form;

pub(super) const FORM: Form = Form {
    doc: "a table of GuideLLM",
    read: |content| {
        let text = content.text;
        let first = text.lines().next()?;
        let in_groups =
            ["Run Info", "Request Latency", "Server Throughput"].iter().all(|group| first.contains(group));
        let in_one = first.contains("Successful Requests per second mean");
        (in_groups || in_one).then(|| read(text, in_groups))
    },
};

/// The columns that a level is of: each under its names in a header of three rows, and its name in one of one row.
const RATE: Named =
    Named("Server Throughput", "Successful Requests/Sec", "Successful Requests per second mean");
const LATENCY: Named = Named("Request Latency", "Successful Sec", "Successful Request latency mean");
const FIRST: Named = Named("Time to First Token", "Successful ms", "Successful Time to first token ms mean");
// `time_per_output_token_ms` is the whole latency over the tokens, and so holds the first.
const TOKEN: Named = Named("Inter Token Latency", "Successful ms", "Successful Inter token latency ms mean");
const PROMPT: Named = Named("Token Metrics", "Successful Input Tokens", "Successful Prompt token count mean");
const OUTPUT: Named =
    Named("Token Metrics", "Successful Output Tokens", "Successful Output token count mean");
const ERRORED: Named = Named("Request Counts", "Errored", "Errored Requests");
const STRATEGY: Named = Named("Benchmark", "Strategy", "Name");
const PROFILE: Named = Named("Run Info", "Profile", "Profile");

struct Named(&'static str, &'static str, &'static str);

fn read(text: &str, in_groups: bool) -> Result<LoadTest, Fault> {
    let mut table = Table::of(text, b',')?;
    let groups = table.header.clone();
    let mut rest = || -> Result<Vec<String>, Fault> {
        let row = table.next_row()?;
        Ok(row.map_or_else(Vec::new, |row| row.record.iter().map(str::to_owned).collect()))
    };
    let (figures, statistics) = if in_groups { (rest()?, rest()?) } else { (Vec::new(), Vec::new()) };
    let at = |Named(group, figure, one): &Named| {
        let cell = |row: &[String], at: usize| row.get(at).cloned().unwrap_or_default();
        (0..groups.len()).find(|column| match in_groups {
            true => {
                let is_mean = matches!(cell(&statistics, *column).as_str(), "Mean" | "");
                groups[*column] == *group && cell(&figures, *column) == *figure && is_mean
            }
            false => groups[*column] == *one,
        })
    };
    let rate = at(&RATE).ok_or("has no rate of successful requests")?;
    let times = [at(&LATENCY), at(&FIRST), at(&TOKEN)];
    let (tokens, errored) = ([at(&PROMPT), at(&OUTPUT)], at(&ERRORED));
    let (strategy, profile) = (at(&STRATEGY), at(&PROFILE));
    let mut found: Vec<(Level, String, Value)> = Vec::new();
    while let Some(row) = table.next_row()? {
        let rate = row.number(rate)?;
        let seconds = |at: Option<usize>, parts: f64| known(&row, at).map(|value| value / parts);
        let text = |at: Option<usize>| at.and_then(|at| row.text(at)).unwrap_or_default().to_owned();
        let level = Level {
            latency_s: seconds(times[0], 1.0),
            ttft_s: seconds(times[1], 1e3),
            tpot_s: seconds(times[2], 1e3),
            prompt_tokens: known(&row, tokens[0]),
            output_tokens: known(&row, tokens[1]),
            failed: errored.and_then(|at| row.maybe(at)).unwrap_or(0.0),
            ..Level::new(format!("{rate:.3}/s"), Driven::Unknown, rate)
        };
        found.push((level, text(strategy), serde_json::from_str(&text(profile)).unwrap_or_default()));
    }
    let count = found.len();
    let levels = found.into_iter().enumerate().map(|(index, (level, strategy, profile))| Level {
        driven: driven(&strategy, &profile, (index, count)),
        ..level
    });
    let levels: Vec<Level> = levels.collect();
    let is_unknown = levels.iter().any(|level| level.driven == Driven::Unknown);
    let note = "the table does not say how each level was driven: requests in flight are rate × latency; \
                benchmarks.json says it";
    Ok(LoadTest { notes: is_unknown.then(|| note.to_owned()).into_iter().collect(), ..LoadTest::of(levels) })
}

/// A figure above 0: what was not measured is 0 or empty.
fn known(row: &Row<'_>, at: Option<usize>) -> Option<f64> {
    row.maybe(at?).filter(|value| *value > 0.0)
}

/// How the level of this number of so many was driven: its strategy is `concurrent@8`, or has its streams in a profile of all levels.
fn driven(strategy: &str, profile: &Value, (index, count): (usize, usize)) -> Driven {
    let (kind, own) =
        strategy.split_once('@').map_or((strategy, None), |(kind, own)| (kind, own.parse().ok()));
    let of_profile = |key: &str| {
        let pointer = format!("/{key}");
        match profile.get(key).and_then(Value::as_array) {
            Some(list) if list.len() == count => list.get(index).and_then(Value::as_f64),
            Some(list) if list.len() == 1 => list.first().and_then(Value::as_f64),
            Some(_) => None,
            None => number(profile, &pointer),
        }
    };
    match kind {
        "synchronous" => Driven::Users(1.0),
        "concurrent" => own.or_else(|| of_profile("streams")).map_or(Driven::Unknown, Driven::Users),
        "constant" | "poisson" => own.or_else(|| of_profile("rate")).map_or(Driven::Unknown, Driven::Rate),
        _ => Driven::Unknown,
    }
}

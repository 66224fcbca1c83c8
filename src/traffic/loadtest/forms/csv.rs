//! Tables with a row a level, units from their headers.

use super::super::level::{Driven, Level, LoadTest};
use super::Form;
use crate::traffic::Unit;
use crate::traffic::doubt::unit_in_name;

pub(super) const FORM: Form = Form {
    doc: "a table with a row a level",
    read: |content| {
        let header = content.text.lines().next()?.to_lowercase();
        let is_one = content.documents.is_empty()
            && ["concurrency", "users", "rate", "rps", "qps"].iter().any(|word| header.contains(word));
        is_one.then(|| read(content.text, content.unit))
    },
};

/// Names of a column without its unit.
const USERS: &[&str] = &["concurrency", "max_concurrency", "users", "vus", "connections", "in_flight"];
const RATE: &[&str] = &["request_throughput", "throughput", "rps", "qps", "rate", "requests_per_second"];
const LATENCY: &[&str] =
    &["latency", "mean_latency", "mean_e2el", "e2el", "avg_latency", "latency_mean", "request_latency"];
const TTFT: &[&str] = &["ttft", "mean_ttft", "time_to_first_token"];
const TPOT: &[&str] =
    &["tpot", "mean_tpot", "itl", "mean_itl", "inter_token_latency", "time_per_output_token"];
const PROMPT: &[&str] = &["input_len", "prompt", "prompt_tokens", "input_tokens", "prompt_len"];
const OUTPUT: &[&str] = &["output_len", "output", "output_tokens", "answer_tokens", "completion_tokens"];

fn read(text: &str, said: Option<Unit>) -> Result<LoadTest, String> {
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|mark| {
        text.lines().next().unwrap_or_default().bytes().filter(|byte| byte == mark).count()
    });
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(delimiter.unwrap_or(b','))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let plain = |name: &str| {
        let lower = name.to_lowercase().replace([' ', '-'], "_");
        let cut = ["_ms", "_(ms)", "_us", "_(us)", "_s", "_(s)", "_ns"]
            .iter()
            .find_map(|unit| lower.strip_suffix(unit));
        cut.unwrap_or(&lower).to_owned()
    };
    let at = |names: &[&str]| header.iter().position(|name| names.contains(&plain(name).as_str()));
    let time = |names: &[&str]| -> Result<Option<(usize, f64)>, String> {
        let Some(column) = at(names) else { return Ok(None) };
        let name = header.get(column).unwrap_or_default();
        let unit = unit_in_name(name).or(said).ok_or_else(|| {
            format!("the times of column `{name}` have no unit: name it in the header, as `{name}_ms`, or say --unit ms")
        })?;
        Ok(Some((column, unit.seconds())))
    };
    let (latency, ttft, tpot) = (time(LATENCY)?, time(TTFT)?, time(TPOT)?);
    let (users, rate) = (at(USERS), at(RATE));
    let (prompt, output) = (at(PROMPT), at(OUTPUT));
    let mut levels = Vec::new();
    for (line, record) in (2..).zip(reader.records()) {
        let record = record.map_err(|error| error.to_string())?;
        // With semicolons between the cells a comma is the point of a number.
        let number = |at: usize| {
            let cell = record.get(at)?;
            let written = if delimiter == Some(b';') { cell.replace(',', ".") } else { cell.to_owned() };
            written.parse::<f64>().ok()
        };
        let seconds = |column: Option<(usize, f64)>| column.and_then(|(at, unit)| Some(number(at)? * unit));
        let users = users.and_then(number);
        let mut level = Level {
            latency_s: seconds(latency),
            ttft_s: seconds(ttft),
            tpot_s: seconds(tpot),
            prompt_tokens: prompt.and_then(number),
            output_tokens: output.and_then(number),
            ..Level::new(
                users.map_or(format!("line {line}"), |users| format!("{users} users")),
                users.map_or(Driven::Unknown, Driven::Users),
                0.0,
            )
        };
        let by_little = || Some(users? / level.latency()?);
        level.rate = rate
            .and_then(number)
            .or_else(by_little)
            .ok_or_else(|| format!("line {line} has neither a rate nor users and a latency"))?;
        levels.push(level);
    }
    Ok(LoadTest::of(levels))
}

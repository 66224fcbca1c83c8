//! Tables with a row a level, units from their headers.

use super::super::level::{Driven, Level, LoadTest};
use super::super::text::{Fault, Table};
use super::Form;
use crate::traffic::Unit;
use crate::traffic::doubt::unit_in_name;
use crate::traffic::table::clip;

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

fn read(text: &str, said: Option<Unit>) -> Result<LoadTest, Fault> {
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|mark| {
        text.lines().next().unwrap_or_default().bytes().filter(|byte| byte == mark).count()
    });
    let delimiter = delimiter.unwrap_or(b',');
    let mut table = Table::of(text, delimiter)?;
    let plain = |name: &str| {
        let lower = name.to_lowercase().replace([' ', '-'], "_");
        let cut = ["_ms", "_(ms)", "_us", "_(us)", "_s", "_(s)", "_ns"]
            .iter()
            .find_map(|unit| lower.strip_suffix(unit));
        cut.unwrap_or(&lower).to_owned()
    };
    let at = |names: &[&str]| table.header.iter().position(|name| names.contains(&plain(name).as_str()));
    let time = |names: &[&str]| -> Result<Option<(usize, f64)>, String> {
        let Some(column) = at(names) else { return Ok(None) };
        let name = table.header.get(column).map_or("", String::as_str);
        let unit = unit_in_name(name).or(said).ok_or_else(|| {
            format!("the times of column `{name}` have no unit: name it in the header, as `{name}_ms`, or say --unit ms")
        })?;
        Ok(Some((column, unit.seconds())))
    };
    let (latency, ttft, tpot) = (time(LATENCY)?, time(TTFT)?, time(TPOT)?);
    let (users, rate) = (at(USERS), at(RATE));
    let (prompt, output) = (at(PROMPT), at(OUTPUT));
    let mut levels = Vec::new();
    while let Some(row) = table.next_row()? {
        // A cell that is empty is not measured; one that holds anything else has to be a number. With semicolons between the
        // cells a comma is the point of a number.
        let number = |at: usize| -> Result<Option<f64>, Fault> {
            let Some(cell) = row.text(at) else { return Ok(None) };
            if delimiter == b';' && cell.contains(',') {
                let number = cell.replace(',', ".").parse::<f64>().ok().filter(|number| number.is_finite());
                return number
                    .map(Some)
                    .ok_or_else(|| row.fault(at, &format!("`{}` is no number", clip(cell))));
            }
            row.number(at).map(Some)
        };
        let maybe = |column: Option<usize>| column.map_or(Ok(None), number);
        let seconds = |column: Option<(usize, f64)>| match column {
            Some((at, unit)) => Ok::<_, Fault>(number(at)?.map(|value| value * unit)),
            None => Ok(None),
        };
        let line = row.record.line();
        let users = maybe(users)?;
        let mut level = Level {
            latency_s: seconds(latency)?,
            ttft_s: seconds(ttft)?,
            tpot_s: seconds(tpot)?,
            prompt_tokens: maybe(prompt)?,
            output_tokens: maybe(output)?,
            ..Level::new(
                users.map_or(format!("line {line}"), |users| format!("{users} users")),
                users.map_or(Driven::Unknown, Driven::Users),
                0.0,
            )
        };
        let by_little = || Some(users? / level.latency()?);
        level.rate = maybe(rate)?.or_else(by_little).ok_or_else(|| {
            Fault::on(line, format!("line {line} has neither a rate nor users and a latency"))
        })?;
        levels.push(level);
    }
    Ok(LoadTest::of(levels))
}

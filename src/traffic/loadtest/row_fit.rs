//! The times of a language model's iterations from an engine's metrics or a log of requests.

use std::collections::BTreeMap;

use serde_json::Value;

use super::engine_metrics::{self, Scrape};
use super::law::{Fitted, Law, Refit, why_not};
use super::request_log::{self, Logged};
use super::text::Fault;
use crate::traffic::Unit;
use crate::traffic::doubt::unit_in_name;
use crate::traffic::iterations::{IterationTimes, Row, fit};
use crate::traffic::records::Records;
use crate::traffic::table::clip;

/// Names of what an engine shows, without its own name before them: of vLLM and of SGLang.
const PROMPT: &[&str] = &["prompt_tokens_total", "prompt_tokens"];
const GENERATED: &[&str] =
    &["generation_tokens_total", "generation_tokens", "generated_tokens", "generated_tokens_total"];
const RUNNING: &[&str] = &["num_requests_running", "num_running_reqs", "running"];
const CACHE: &[&str] =
    &["kv_cache_usage_perc", "gpu_cache_usage_perc", "token_usage", "kv_cache_usage", "kv_cache"];
const TIME: &[&str] = &["time", "timestamp", "ts"];
const INSTANCE: &[&str] = &["instance", "pod"];

/// Names of the columns of a log of requests.
const ARRIVAL: &[&str] = &["arrival", "arrived", "arrival_time", "start", "start_time", "sent"];
const FIRST: &[&str] = &["first_token", "first_token_time", "first_token_at"];
const TTFT: &[&str] = &["ttft", "time_to_first_token"];
const END: &[&str] = &["end", "end_time", "finish", "finished", "last_token", "completed"];
const LATENCY: &[&str] = &["latency", "e2e", "e2e_latency", "request_latency"];
const IN: &[&str] = &["prompt_tokens", "input_tokens", "prompt", "input_len", "prompt_len"];
const OUT: &[&str] = &["output_tokens", "completion_tokens", "generation_tokens", "output", "output_len"];

/// What a measurement is, in words.
const ENGINE: &str = "metrics of an engine";
const LOG: &str = "a log of requests";

/// A fit with what its source is, in words.
pub type Source = (&'static str, Fitted);

/// Fits the times of iterations to the content of files that hold an engine's own metrics, or to a log of requests; `None` if the first
/// file is neither. A cache of `kv_tokens` is needed for what tokens in it add.
///
/// # Errors
/// What does not hold in the files, or what they do not tell.
pub fn fit_recorded(
    files: &[String],
    kv_tokens: Option<f64>,
    unit: Option<Unit>,
) -> Option<Result<Source, Fault>> {
    let mut instances: BTreeMap<String, Vec<Scrape>> = BTreeMap::new();
    let first = files.first()?;
    if first.trim_start().starts_with('{') {
        let documents: Option<Vec<Value>> =
            files.iter().map(|text| serde_json::from_str(text).ok()).collect();
        let answers = documents.filter(|documents| documents.iter().all(|one| !series(one).is_empty()))?;
        let read = from_answers(&answers).and_then(|mut found| {
            instances.append(&mut found);
            engine(&instances, kv_tokens)
        });
        return Some(read.map_err(Fault::from));
    }
    let header = first.lines().next()?;
    let names: Vec<String> = header.split([',', ';', '\t']).map(plain).collect();
    let has = |any: &[&str]| names.iter().any(|name| any.contains(&name.as_str()));
    if has(GENERATED) && has(RUNNING) {
        let read = files.iter().enumerate().try_for_each(|(file, text)| {
            scrapes(text, file, &mut instances).map_err(|fault| Fault { file, ..fault })
        });
        return Some(read.and_then(|()| engine(&instances, kv_tokens).map_err(Fault::from)));
    }
    let is_log = has(ARRIVAL) && (has(FIRST) || has(TTFT)) && (has(END) || has(LATENCY)) && has(OUT);
    if !is_log {
        return None;
    }
    let requests: Result<Vec<Logged>, Fault> = files
        .iter()
        .enumerate()
        .map(|(file, text)| logged(text, unit).map_err(|fault| Fault { file, ..fault }))
        .collect::<Result<Vec<_>, _>>()
        .map(|files| files.concat());
    Some(requests.and_then(|requests| log(&requests).map_err(Fault::from)))
}

/// The name of a column or metric without its unit, its labels and the engine's name.
fn plain(name: &str) -> String {
    let lower = name.trim().trim_matches('"').to_lowercase().replace([' ', '-'], "_");
    let bare = lower.split('{').next().unwrap_or_default();
    let own = ["vllm:", "vllm_", "sglang:", "sglang_"].iter().find_map(|engine| bare.strip_prefix(engine));
    let own = own.unwrap_or(bare);
    let cut = ["_ms", "_us", "_ns", "_seconds", "_s"].iter().find_map(|unit| own.strip_suffix(unit));
    cut.unwrap_or(own).to_owned()
}

/// The cells of a table by column and row.
struct Cells {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The line of each row.
    lines: Vec<u64>,
    delimiter: u8,
}

impl Cells {
    fn of(text: &str) -> Result<Cells, Fault> {
        let first = text.lines().next().unwrap_or_default();
        let count = |mark: &u8| first.bytes().filter(|byte| byte == mark).count();
        let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(count).unwrap_or(b',');
        let mut records = Records::new(text.as_bytes(), delimiter);
        let (mut header, mut rows, mut lines) = (None, Vec::new(), Vec::new());
        while let Some(record) = records.next_row()? {
            let cells: Vec<String> = record.iter().map(str::to_owned).collect();
            if header.is_none() {
                header = Some(cells);
            } else {
                rows.push(cells);
                lines.push(record.line());
            }
        }
        Ok(Cells { header: header.unwrap_or_default(), rows, lines, delimiter })
    }

    fn at(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.header.iter().position(|column| plain(column) == *name))
    }

    fn needed(&self, names: &[&str]) -> Result<usize, String> {
        self.at(names).ok_or_else(|| format!("has no column of these: {}", names.join(", ")))
    }

    fn number(&self, row: usize, column: usize) -> Result<f64, Fault> {
        let cell = self.rows[row].get(column).map_or("", String::as_str);
        let number = cell.parse().ok().filter(|value: &f64| value.is_finite());
        number.ok_or_else(|| {
            let name = self.header.get(column).map_or("", String::as_str);
            let at = (self.lines[row], self.delimiter, column);
            Fault::in_cell(at, name, &format!("`{}` is no number", clip(cell)))
        })
    }
}

/// The scrapes in a table with a row each.
fn scrapes(text: &str, file: usize, instances: &mut BTreeMap<String, Vec<Scrape>>) -> Result<(), Fault> {
    let cells = Cells::of(text)?;
    let [at, prompt, generated, running] =
        [cells.needed(TIME)?, cells.needed(PROMPT)?, cells.needed(GENERATED)?, cells.needed(RUNNING)?];
    let (cache, instance) = (cells.at(CACHE), cells.at(INSTANCE));
    let mut own: BTreeMap<String, Vec<Scrape>> = BTreeMap::new();
    for row in 0..cells.rows.len() {
        let name = instance.and_then(|column| cells.rows[row].get(column)).map_or("", String::as_str);
        let seconds = cells.number(row, at)?;
        own.entry(format!("{file} {name}")).or_default().push(Scrape {
            // Since 1970 in milliseconds.
            at_s: if seconds > 1e11 { seconds / 1e3 } else { seconds },
            prompt: cells.number(row, prompt)?,
            generated: cells.number(row, generated)?,
            running: cells.number(row, running)?,
            cache: cache.map(|column| cells.number(row, column)).transpose()?,
        });
    }
    // Where tokens fall as often as not, they are those of the interval that ends there, not counters.
    for scrapes in own.values_mut() {
        let falls = scrapes.windows(2).filter(|pair| pair[1].generated < pair[0].generated).count();
        if 10 * falls > scrapes.len() {
            let (mut prompt, mut generated) = (0.0, 0.0);
            for scrape in scrapes.iter_mut() {
                (prompt, generated) = (prompt + scrape.prompt, generated + scrape.generated);
                (scrape.prompt, scrape.generated) = (prompt, generated);
            }
        }
    }
    instances.append(&mut own);
    Ok(())
}

/// A series of an engine: which, of what instance, its points.
type Series = (&'static str, String, Vec<(f64, f64)>);

/// The series of an answer of Prometheus that are of an engine.
fn series(document: &Value) -> Vec<Series> {
    let data = document.get("data").unwrap_or(document);
    let results = data.get("result").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let one = |result: &Value| {
        let labels = result.get("metric")?.as_object()?;
        let name = plain(labels.get("__name__")?.as_str()?);
        let kinds = [("prompt", PROMPT), ("generated", GENERATED), ("running", RUNNING), ("cache", CACHE)];
        let kind = kinds.iter().find(|(_, names)| names.contains(&name.as_str()))?.0;
        let label = |of: &str| labels.get(of).and_then(Value::as_str);
        let instance = label("pod").or(label("instance")).unwrap_or_default().to_owned();
        let points = result.get("values")?.as_array()?.iter();
        let point = |point: &Value| {
            let value = point.get(1)?;
            Some((point.get(0)?.as_f64()?, value.as_f64().or_else(|| value.as_str()?.parse().ok())?))
        };
        Some((kind, instance, points.filter_map(point).collect()))
    };
    results.iter().filter_map(one).collect()
}

/// The scrapes of answers of Prometheus, at the instants at which an instance has all that is needed.
fn from_answers(documents: &[Value]) -> Result<BTreeMap<String, Vec<Scrape>>, String> {
    let mut instances: BTreeMap<String, BTreeMap<&str, BTreeMap<u64, f64>>> = BTreeMap::new();
    for (kind, instance, points) in documents.iter().flat_map(series) {
        let millis = points.into_iter().map(|(at, value)| ((at * 1e3).round() as u64, value));
        instances.entry(instance).or_default().entry(kind).or_default().extend(millis);
    }
    let mut found = BTreeMap::new();
    for (instance, kinds) in instances {
        let of = |kind: &str| {
            kinds.get(kind).ok_or_else(|| format!("has no series of {kind} tokens or sequences"))
        };
        let (prompt, generated, running) = (of("prompt")?, of("generated")?, of("running")?);
        let cache = kinds.get("cache");
        let scrape = |(millis, generated): (&u64, &f64)| {
            Some(Scrape {
                at_s: *millis as f64 / 1e3,
                prompt: *prompt.get(millis)?,
                generated: *generated,
                running: *running.get(millis)?,
                cache: cache.and_then(|shares| shares.get(millis).copied()),
            })
        };
        found.insert(instance, generated.iter().filter_map(scrape).collect());
    }
    Ok(found)
}

fn engine(instances: &BTreeMap<String, Vec<Scrape>>, kv_tokens: Option<f64>) -> Result<Source, String> {
    let (rows, intervals) = engine_metrics::rows(instances, kv_tokens);
    let mut notes = vec![format!(
        "{} intervals are fitted; set apart are {} with no sequence at an end, {} with a full cache, {} at a restart",
        intervals.used, intervals.idle, intervals.full, intervals.restarted
    )];
    let has_cache = instances.values().flatten().any(|scrape| scrape.cache.is_some());
    if has_cache && kv_tokens.is_none() {
        notes.push(
            "what tokens in the cache add is not fitted: say how many it holds with --kv-tokens".into(),
        );
    }
    notes.push(
        "an engine does not show the tokens of a request, nor what is outside of it: add `prompt_tokens`, `output_tokens`, \
         `overhead_before`"
            .into(),
    );
    let (times, rows) = fitted(&rows, "intervals")?;
    Ok((ENGINE, of_rows(times, rows, [None; 2], notes)))
}

fn log(requests: &[Logged]) -> Result<Source, String> {
    let (rows, queued) = request_log::rows(requests);
    let mut notes = vec![format!("{} requests are fitted, as those of one instance", requests.len())];
    if queued > 0 {
        notes.push(format!(
            "{queued} requests waited for a place: their times to the first token are not fitted"
        ));
    }
    let (times, rows) = fitted(&rows, "requests")?;
    let mean = |of: fn(&Logged) -> f64| Some(requests.iter().map(of).sum::<f64>() / requests.len() as f64);
    let tokens = [mean(|request| request.prompt), mean(|request| request.output)];
    Ok((LOG, of_rows(times, rows, tokens, notes)))
}

/// The law of the rows.
fn fitted<'a>(rows: &'a [Row], of: &str) -> Result<(IterationTimes, &'a [Row]), String> {
    let most = rows.iter().map(|row| row.decoding).fold(0.0, f64::max);
    let least = rows.iter().map(|row| row.decoding).fold(f64::INFINITY, f64::min);
    if rows.len() < 4 || most < 1.2 * least {
        return Err(format!(
            "tells too little: the {of} have {least:.1} to {most:.1} decoding sequences, and a law needs different numbers of them"
        ));
    }
    Ok((fit(rows), rows))
}

fn of_rows(times: IterationTimes, rows: &[Row], tokens: [Option<f64>; 2], mut notes: Vec<String>) -> Fitted {
    let mut refits = Vec::new();
    for row in rows {
        let mut compare = |quantity, measured_s: f64, fitted_s: f64| {
            let level = format!("{:.1} decoding", row.decoding);
            refits.push(Refit { level, in_flight: row.decoding, quantity, measured_s, fitted_s });
        };
        compare("time per token", row.time_s, times.time_s(row));
        if let Some(first) = row.first {
            compare("time to the first token", first.time_s, times.first_token_s(row, first.prompt));
        }
    }
    let bends: Vec<String> = times.bends().iter().map(|(at, _)| format!("{at:.0}")).collect();
    if !bends.is_empty() {
        notes
            .push(format!("the time of an iteration bends at about {} decoding sequences", bends.join(", ")));
    }
    let refused = why_not(&refits).map(|row| {
        format!(
            "the {} at {} is {:+.0} % off what was measured: no such law fits",
            row.quantity,
            row.level,
            row.error() * 100.0
        )
    });
    let [prompt_tokens, output_tokens] = tokens;
    let law = Law::Llm { times, max_sequences: None, prompt_tokens, output_tokens };
    Fitted { law, rows: refits, notes, refused }
}

/// The requests in a table with a row each.
fn logged(text: &str, said: Option<Unit>) -> Result<Vec<Logged>, Fault> {
    let cells = Cells::of(text)?;
    let time = |names: &[&str]| -> Result<Option<(usize, f64)>, String> {
        let Some(column) = cells.at(names) else { return Ok(None) };
        let name = &cells.header[column];
        let unit = unit_in_name(name).or(said).ok_or_else(|| {
            format!("the times of column `{name}` have no unit: name it in the header, as `{name}_s`, or say --unit s")
        })?;
        Ok(Some((column, unit.seconds())))
    };
    let arrival = time(ARRIVAL)?.ok_or("has no column of arrivals")?;
    let (first, ttft, end, latency) = (time(FIRST)?, time(TTFT)?, time(END)?, time(LATENCY)?);
    let (prompt, output) = (cells.needed(IN)?, cells.needed(OUT)?);
    let seconds =
        |row: usize, (column, unit): (usize, f64)| cells.number(row, column).map(|value| value * unit);
    let instant =
        |row: usize, at: Option<(usize, f64)>, after: Option<(usize, f64)>, arrival_s: f64| match (at, after)
        {
            (Some(at), _) => seconds(row, at),
            (None, Some(after)) => seconds(row, after).map(|passed| arrival_s + passed),
            (None, None) => Err("has no column of first tokens or ends".into()),
        };
    let mut requests = Vec::with_capacity(cells.rows.len());
    for row in 0..cells.rows.len() {
        let arrival_s = seconds(row, arrival)?;
        let request = Logged {
            arrival_s,
            first_s: instant(row, first, ttft, arrival_s)?,
            end_s: instant(row, end, latency, arrival_s)?,
            prompt: cells.number(row, prompt)?,
            output: cells.number(row, output)?,
        };
        if !(request.arrival_s <= request.first_s && request.first_s <= request.end_s) {
            let line = cells.lines[row];
            let what = format!(
                "line {line}: expected arrival, first token and end in this order, found {}, {} and {} s",
                request.arrival_s, request.first_s, request.end_s
            );
            return Err(Fault::on(line, what));
        }
        requests.push(request);
    }
    Ok(requests)
}

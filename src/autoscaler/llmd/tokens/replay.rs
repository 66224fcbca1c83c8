//! Recorded replicas and variants through the token-capacity analyzer and what follows it. The fields stand in
//! `docs/replay.md`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::analysis::{Learned, Memory, Record, Rules, SchedulerQueue, Variant};
use super::capacity::{Bucket, Engine, Replica, Rolling, median, token_budget};
use super::pipeline::{Change, SizedVariant, enforce, least, limit, optimize, used};
use super::words::{figures, reason};
use crate::autoscaler::replay::{Line, Replay, Row, RowProblem};
use crate::autoscaler::{Limits, PoolFields};
use crate::time::Instant;

/// What a variant is called where a row names none, as in a simulation.
const POOL: &str = "pool";
const COST: f64 = 10.0;
/// What engines must agree in for their records to stand for one another, beside the accelerator.
const PARAMETERS: [&str; 8] = [
    "model",
    "gpus",
    "gpu_memory_utilization",
    "block_size",
    "kv_cache_dtype",
    "tensor_parallel",
    "blocks_override",
    "token_budget",
];
const PARTS: &str = "\"decide\", \"optimize\", \"limit\", \"constraints\", \"enforce\", \"compatible\", \"computed\", \
                     \"median\", \"rolling_average\", \"token_budget\" or \"bucket\"";

/// See the module.
#[derive(Debug)]
pub(in crate::autoscaler::llmd) struct TokenReplay {
    rules: Rules,
    limits: Limits,
    memory: Memory,
    last: Instant,
}

impl Replay for TokenReplay {
    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let now = row.instant_or("time", self.last)?;
        self.last = now;
        if let Some(state) = row.find_row("state")? {
            self.memory = Memory::default();
            for record in state.rows("records")? {
                self.memory.records.push(read_record(&record, now)?);
            }
            state.finish()?;
        }
        let line = Line::at(now.as_secs_f64());
        match row.find_text("part")?.unwrap_or("decide") {
            "decide" => self.decide(row, now, line),
            "optimize" => optimized(row, line),
            "limit" => limited(row, line),
            "constraints" => constrained(row, line),
            "enforce" => enforced(row, line),
            "compatible" => {
                let variant = read_variant(row)?;
                row.finish()?;
                let found = self.memory.compatible(&variant).map(|record| record.effective);
                let said = if found.is_some() { "a record stands for it" } else { "no record stands for it" };
                Ok(line.with("desired", Value::Null).with("reason", said).with("effective", found))
            }
            "computed" => {
                let (engine, prompt) = (read_engine(row)?, row.f64("avg_input")?);
                let tokens = engine.computed(prompt, row.f64("avg_output")?).unwrap_or(0);
                row.finish()?;
                let said = format!("the engine can compute {tokens} tokens");
                Ok(line.with("desired", Value::Null).with("reason", said).with("tokens", tokens))
            }
            "median" => {
                let values = row.numbers("values")?.into_iter().map(|value| value as i64).collect();
                row.finish()?;
                let found = median(values);
                Ok(line.with("desired", Value::Null).with("reason", "median").with("median", found))
            }
            "rolling_average" => {
                let (size, mut rolling) = (row.u32("size")?.max(1), Rolling::default());
                row.numbers("values")?.into_iter().for_each(|value| rolling.add(value, size as usize, now));
                row.finish()?;
                let line = line.with("desired", Value::Null).with("reason", "mean of the last observations");
                Ok(line.with("average", rolling.mean()).with("count", rolling.len()))
            }
            "token_budget" => {
                let given = row.find_u32("max_num_batched_tokens")?;
                let chunked = row.find_bool("chunked_prefill")?.unwrap_or(true);
                let is_v1 = row.find_u32("engine_version")?.unwrap_or(1) == 1;
                let budget = token_budget(given, chunked, is_v1, row.find_u32("max_model_len")?.unwrap_or(0));
                row.finish()?;
                let line =
                    line.with("desired", Value::Null).with("reason", format!("{budget} tokens an iteration"));
                Ok(line.with("token_budget", budget))
            }
            "bucket" => {
                let bucket = Bucket::of(row.f64("avg_output")?).name();
                row.finish()?;
                Ok(line.with("desired", Value::Null).with("reason", bucket).with("bucket", bucket))
            }
            _ => Err(row.wrong("part", PARTS)),
        }
    }

    fn pool_fields(&self) -> Option<PoolFields> {
        None
    }
}

impl TokenReplay {
    pub fn new(rules: Rules, limits: Limits) -> TokenReplay {
        TokenReplay { rules, limits, memory: Memory::default(), last: Instant::ZERO }
    }

    fn decide(&mut self, row: &Row<'_>, now: Instant, line: Line) -> Result<Line, RowProblem> {
        let rows = row.rows("replicas")?;
        let replicas: Vec<Replica<'_>> = rows.iter().map(read_replica).collect::<Result<_, _>>()?;
        let variants = read_variants(row, &replicas)?;
        let queue = match row.find_row("scheduler_queue")? {
            Some(queue) => {
                let size = queue.f64("size")?;
                let read = SchedulerQueue { size, bytes: queue.find_f64("bytes")?.unwrap_or(0.0) };
                queue.finish()?;
                Some(read)
            }
            None => None,
        };
        let has_requests = row.has("requests");
        let requests = row.find_u32("requests")?.map(u64::from);
        row.finish()?;
        let found = self.memory.analyse(&self.rules, &variants, &replicas, queue, now);
        let choices: Vec<SizedVariant> = variants
            .iter()
            .zip(&found.capacities)
            .map(|(variant, capacity)| SizedVariant {
                cost: variant.cost,
                current: variant.current,
                capacity: *capacity,
            })
            .collect();
        let mut targets = optimize(&choices, found.required, found.spare);
        let mut words = reason(&self.rules, &found, &variants, &targets);
        if has_requests {
            let named: Vec<(&str, Option<f64>)> =
                variants.iter().map(|variant| (variant.name.as_str(), Some(variant.cost))).collect();
            if enforce(&named, &mut targets, self.limits.min == 0, requests) {
                words += "; no request in the retention period";
            }
        }
        // Only a pool by itself has the limits of the settings; the controller leaves those of variants to the HPA.
        let total: u32 = targets.iter().sum();
        let bounded = match &variants[..] {
            [variant] if variant.name == POOL => {
                words += &self.limits.words(total);
                total.clamp(self.limits.min, self.limits.max)
            }
            _ => total,
        };
        let mut line = line.with("desired", (!variants.is_empty()).then_some(bounded)).with("reason", words);
        figures(&found).into_iter().for_each(|(name, value)| line.push(name, value));
        let by_name = |values: Vec<Value>| -> Map<String, Value> {
            variants.iter().map(|variant| variant.name.clone()).zip(values).collect()
        };
        line.push("targets", by_name(targets.iter().map(|target| json!(target)).collect()));
        line.push("capacities", by_name(found.capacities.iter().map(|capacity| json!(capacity)).collect()));
        let history = self.memory.history.0.iter();
        let history = history.map(|((accelerator, bucket), rolling)| {
            (format!("{accelerator}|{}", bucket.name()), json!(rolling.mean()))
        });
        line.push("history", history.collect::<Map<_, _>>());
        Ok(line)
    }
}

fn read_replica<'a>(row: &Row<'a>) -> Result<Replica<'a>, RowProblem> {
    row.find_text("name")?;
    row.find_f64("cost")?;
    let number = |name| Ok::<f64, RowProblem>(row.find_f64(name)?.unwrap_or(0.0));
    let cache = row.f64("kv_capacity_tokens")?;
    let in_use = match row.find_f64("tokens_in_use")? {
        Some(tokens) => tokens,
        None => row.f64("kv_usage")? * cache,
    };
    let replica = Replica {
        variant: row.find_text("variant")?.unwrap_or(POOL),
        in_use,
        cache,
        waiting: number("queue")?,
        prompt: number("avg_input")?,
        output: number("avg_output")?,
        prefix_hit: number("prefix_hit")?,
    };
    row.finish()?;
    Ok(replica)
}

/// The variants of a row: as listed, or the one pool that `current` is about.
fn read_variants(row: &Row<'_>, replicas: &[Replica<'_>]) -> Result<Vec<Variant>, RowProblem> {
    let rows = row.rows("variants")?;
    let mut variants: Vec<Variant> = rows.iter().map(read_variant).collect::<Result<_, _>>()?;
    rows.iter().try_for_each(Row::finish)?;
    if variants.is_empty() && (row.has("current") || !replicas.is_empty()) {
        let mut pool = read_variant(row)?;
        pool.current = row.find_u32("current")?.unwrap_or(replicas.len() as u32);
        variants.push(pool);
    }
    match replicas.iter().find(|replica| variants.iter().all(|variant| variant.name != replica.variant)) {
        Some(Replica { variant, .. }) => Err(RowProblem::new(format!(
            "a replica is of the variant \"{variant}\", which is not in `variants`"
        ))),
        None => Ok(variants),
    }
}

fn read_engine(row: &Row<'_>) -> Result<Engine, RowProblem> {
    let number = |name| Ok::<f64, RowProblem>(row.find_f64(name)?.unwrap_or(0.0));
    Ok(Engine { token_budget: number("token_budget")?, max_sequences: number("max_sequences")? })
}

fn read_variant(row: &Row<'_>) -> Result<Variant, RowProblem> {
    let engine = read_engine(row)?;
    Ok(Variant {
        name: row.find_text("name")?.unwrap_or(POOL).to_owned(),
        cost: row.find_f64("cost")?.unwrap_or(COST),
        current: row.find_u32("current")?.unwrap_or(0),
        pending: row.find_u32("pending")?.unwrap_or(0),
        accelerator: row.find_text("accelerator")?.unwrap_or_default().to_owned(),
        engine,
        cache: row.find_f64("kv_capacity_tokens")?.unwrap_or(0.0),
        parameters: read_parameters(row),
    })
}

fn read_parameters(row: &Row<'_>) -> String {
    PARAMETERS.iter().map(|name| row.value(name).map_or_else(String::new, Value::to_string) + "|").collect()
}

fn read_record(row: &Row<'_>, now: Instant) -> Result<Record, RowProblem> {
    let learned = match row.find_text("learned")?.unwrap_or("live") {
        "live" => Learned::Live,
        "deployment" => Learned::Deployment,
        _ => return Err(row.wrong("learned", "\"live\" or \"deployment\"")),
    };
    let record = Record {
        variant: row.find_text("variant")?.unwrap_or_default().to_owned(),
        effective: row.i64("effective")?,
        learned,
        accelerator: row.find_text("accelerator")?.unwrap_or_default().to_owned(),
        parameters: read_parameters(row),
        at: now,
    };
    row.finish()?;
    Ok(record)
}

fn by_name(names: &[&str], values: &[u32]) -> Map<String, Value> {
    names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
}

/// The optimizer alone.
fn optimized(row: &Row<'_>, line: Line) -> Result<Line, RowProblem> {
    let number = |name| Ok::<f64, RowProblem>(row.find_f64(name)?.unwrap_or(0.0));
    let (required, spare) = (number("required")?, number("spare")?);
    let (mut names, mut choices) = (Vec::new(), Vec::new());
    for variant in row.rows("variants")? {
        names.push(variant.text("name")?);
        variant.find_u32("pending")?;
        choices.push(SizedVariant {
            cost: variant.find_f64("cost")?.unwrap_or(COST),
            current: variant.u32("current")?,
            capacity: variant.i64("capacity")?,
        });
        variant.finish()?;
    }
    row.finish()?;
    let targets = optimize(&choices, required, spare);
    let line = line.with("desired", targets.iter().sum::<u32>());
    let line = line.with("reason", format!("{required} tokens are lacking and {spare} are spare"));
    Ok(line.with("targets", by_name(&names, &targets)))
}

fn counts(row: &Row<'_>, name: &'static str, value: &Value) -> Result<BTreeMap<String, u32>, RowProblem> {
    let wrong = || row.wrong(name, "an object from types of GPUs to their numbers");
    let fields = value.as_object().ok_or_else(wrong)?;
    let count = |(name, count): (&String, &Value)| {
        let count = count.as_u64().and_then(|count| u32::try_from(count).ok()).ok_or_else(wrong)?;
        Ok((name.clone(), count))
    };
    fields.iter().map(count).collect()
}

fn shown(counts: &BTreeMap<String, u32>) -> Map<String, Value> {
    counts.iter().map(|(name, count)| (name.clone(), json!(count))).collect()
}

/// The limiter alone: of the GPUs that are `free`, or that are left of a `limit`.
fn limited(row: &Row<'_>, line: Line) -> Result<Line, RowProblem> {
    let rows = row.rows("variants")?;
    let (mut names, mut changes) = (Vec::new(), Vec::new());
    for change in &rows {
        names.push(change.find_text("name")?.unwrap_or(POOL));
        changes.push(Change {
            accelerator: change.find_text("accelerator")?.unwrap_or_default(),
            current: change.u32("current")?,
            target: change.u32("target")?,
            gpus_per_replica: change.find_u32("gpus_per_replica")?.unwrap_or(1),
            spare: change.find_f64("spare")?.unwrap_or(0.0),
            cost: change.find_f64("cost")?.unwrap_or(COST),
        });
        change.finish()?;
    }
    let in_use = used(&changes);
    let free = match (row.value("free"), row.value("limit")) {
        (Some(free), None) => counts(row, "free", free)?,
        (None, Some(limit)) => {
            let mut free = counts(row, "limit", limit)?;
            free.iter_mut().for_each(|(name, count)| {
                *count = count.saturating_sub(in_use.get(name).copied().unwrap_or(0))
            });
            free
        }
        _ => return Err(RowProblem::new("expected `free` or `limit`: GPUs by their type")),
    };
    row.finish()?;
    let found = limit(&changes, &free);
    let changes = changes.iter().zip(&found.targets);
    let short: Vec<&str> = names
        .iter()
        .zip(changes)
        .filter(|(_, (change, target))| change.target > **target)
        .map(|(name, _)| *name)
        .collect();
    let said = if short.is_empty() {
        "there are GPUs for all".to_owned()
    } else {
        format!("GPUs are lacking for {}", short.join(", "))
    };
    let line = line.with("desired", found.targets.iter().sum::<u32>()).with("reason", said);
    let line =
        line.with("targets", by_name(&names, &found.targets)).with("gpus", by_name(&names, &found.gpus));
    let line = line.with("limited", short.iter().map(|name| json!(name)).collect::<Vec<_>>());
    let line = line.with("used", shown(&in_use)).with("free", shown(&found.free));
    Ok(line.with("order", found.order.iter().map(|index| names[*index]).collect::<Vec<_>>()))
}

/// The least that several sources say is available.
fn constrained(row: &Row<'_>, line: Line) -> Result<Line, RowProblem> {
    let list = row.find_list("available")?.unwrap_or_default();
    let sources = list.iter().map(|one| counts(row, "available", one)).collect::<Result<Vec<_>, _>>()?;
    row.finish()?;
    let line = line.with("desired", Value::Null).with("reason", "the least of each type");
    Ok(line.with("available", shown(&least(&sources))))
}

/// The enforcer alone.
fn enforced(row: &Row<'_>, line: Line) -> Result<Line, RowProblem> {
    let scale_to_zero = row.find_bool("scale_to_zero")?.unwrap_or(false);
    let requests = row.find_u32("requests")?.map(u64::from);
    let (mut named, mut targets) = (Vec::new(), Vec::new());
    for variant in row.rows("variants")? {
        named.push((variant.text("name")?, variant.find_f64("cost")?));
        targets.push(variant.u32("target")?);
        variant.finish()?;
    }
    row.finish()?;
    let applied = enforce(&named, &mut targets, scale_to_zero, requests);
    let said = match (applied, scale_to_zero) {
        (true, true) => "no request in the retention period: all to zero",
        (true, false) => "zero is not allowed: one of the cheapest stays",
        (false, _) => "nothing to change",
    };
    let names: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
    let line = line.with("desired", targets.iter().sum::<u32>()).with("reason", said);
    Ok(line.with("targets", by_name(&names, &targets)).with("applied", applied))
}

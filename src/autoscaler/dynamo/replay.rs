//! The planner's rules for prefill and decode pools, one row at a time. The fields stand in `docs/replay.md`.

use serde_json::{Value, json};

use super::budget::{Budget, Engines};
use super::load::{LEAST_OBSERVATIONS, Line, changed, verdict};
use super::throughput::{Demand, best_decode, engines};
use crate::autoscaler::PoolFields;
use crate::autoscaler::replay::{Line as ReplayLine, Replay, Row, RowProblem};
use crate::time::Instant;

const PARTS: &str = "\"plan\", \"load\", \"inverse\", \"clamp\", \"fit\" or \"guard\"";

/// See the module: nothing is kept from row to row.
#[derive(Debug)]
pub(super) struct PlannerReplay;

impl Replay for PlannerReplay {
    fn step(&mut self, row: &Row<'_>) -> Result<ReplayLine, RowProblem> {
        let line = ReplayLine::at(row.instant_or("time", Instant::ZERO)?.as_secs_f64());
        match row.find_text("part")?.unwrap_or("plan") {
            "plan" => planned(row, line),
            "load" => loaded(row, line),
            "inverse" => {
                let target = read_line(row)?.inverse(row.f64("time_promised")?);
                row.finish()?;
                let said = match target {
                    Some(_) => "the load at which the line is at the promise",
                    None => "more load takes no more time",
                };
                Ok(line.with("desired", Value::Null).with("reason", said).with("load", target))
            }
            "clamp" => {
                let budget = read_budget(row)?;
                let proposed = [row.u32("prefill")?, row.u32("decode")?];
                let min =
                    [row.find_u32("min_prefill")?.unwrap_or(1), row.find_u32("min_decode")?.unwrap_or(1)];
                row.finish()?;
                Ok(shared(line, &budget, proposed, budget.clamp(proposed, min)))
            }
            part @ ("fit" | "guard") => {
                let budget = read_budget(row)?;
                let (current, proposed) = (read_pair(row, "current")?, read_pair(row, "proposed")?);
                row.finish()?;
                let found = if part == "fit" {
                    budget.fit(current, proposed)
                } else {
                    budget.guard(current, proposed)
                };
                let line = shared(line, &budget, proposed, found);
                Ok(line.with("holds", found == current))
            }
            _ => Err(row.wrong("part", PARTS)),
        }
    }

    fn pool_fields(&self) -> Option<PoolFields> {
        None
    }
}

/// Both pools for the load of an interval.
fn planned(row: &Row<'_>, line: ReplayLine) -> Result<ReplayLine, RowProblem> {
    let positive = |name| match row.f64(name)? {
        number if number > 0.0 => Ok(number),
        _ => Err(row.wrong(name, "a number above 0")),
    };
    let demand = Demand {
        requests: row.f64("requests")?,
        prompt: row.f64("isl")?,
        output: row.f64("osl")?,
        seconds: positive("interval")?,
    };
    let budget = read_budget(row)?;
    let min = row.find_u32("min_endpoint")?.unwrap_or(1);
    let correction = |name| Ok::<f64, RowProblem>(row.find_f64(name)?.unwrap_or(1.0));
    let (prefill_correction, decode_correction) = (correction("p_correction")?, correction("d_correction")?);
    let prefill_rate = positive("prefill_tokens_per_s_gpu")?;
    let mut points = Vec::new();
    for point in row.rows("decode_profile")? {
        points.push((point.f64("itl")?, point.f64("tokens_per_s_gpu")?));
        point.finish()?;
    }
    let decode_rate = match best_decode(&points, row.find_f64("itl")?.unwrap_or(0.05), decode_correction) {
        Some(rate) => rate,
        None => positive("decode_tokens_per_s_gpu")?,
    };
    row.finish()?;
    let per_s = |tokens: f64| demand.requests * tokens / demand.seconds;
    let [prefill_gpus, decode_gpus] = budget.per_engine;
    let proposed = [
        engines(per_s(demand.prompt), prefill_correction, prefill_rate, prefill_gpus, min),
        engines(per_s(demand.output), 1.0, decode_rate, decode_gpus, min),
    ];
    Ok(shared(line, &budget, proposed, budget.clamp(proposed, [min; 2])))
}

/// One pool by what each of its engines has to do.
fn loaded(row: &Row<'_>, line: ReplayLine) -> Result<ReplayLine, RowProblem> {
    let fitted = read_line(row)?;
    let promised = row.f64("time_promised")?;
    let own = row.find_f64("own")?.unwrap_or(0.0);
    let sensitivity = row.find_f64("sensitivity")?.unwrap_or(80.0) / 100.0;
    let active = row.numbers("active")?;
    let workers = row.find_u32("workers")?.unwrap_or(active.len() as u32);
    let observations = row.find_u32("observations")?.unwrap_or(LEAST_OBSERVATIONS);
    let bound = row.find_u32("lower_bound")?;
    row.finish()?;
    let target = fitted.inverse(promised).map(|load| (load - own).max(0.0));
    let (change, said) = if observations < LEAST_OBSERVATIONS {
        (workers, format!("fewer than {LEAST_OBSERVATIONS} observations of a load"))
    } else if active.len() != workers as usize {
        (workers, format!("{} of {workers} report: a change is on its way", active.len()))
    } else {
        let change = changed(workers, verdict(&active, target, sensitivity));
        (change, format!("{workers} to {change} by what each has to do"))
    };
    let wanted = bound.map_or(change, |bound| change.max(bound));
    let line = line.with("desired", wanted).with("reason", said);
    Ok(line.with("changed", wanted != workers).with("target", target))
}

/// What is left of a proposal within the budget.
fn shared(line: ReplayLine, budget: &Budget, proposed: Engines, found: Engines) -> ReplayLine {
    let said = match found == proposed {
        true => "the proposal fits".to_owned(),
        false => format!("{} prefill and {} decode engines do not fit", proposed[0], proposed[1]),
    };
    let line = line.with("desired", u64::from(found[0]) + u64::from(found[1])).with("reason", said);
    let line = line.with("prefill", found[0]).with("decode", found[1]);
    line.with("engines", json!(found)).with("total_gpus", budget.total(found))
}

fn read_line(row: &Row<'_>) -> Result<Line, RowProblem> {
    Ok(Line { slope: row.f64("slope")?, intercept: row.f64("intercept")? })
}

fn read_budget(row: &Row<'_>) -> Result<Budget, RowProblem> {
    let bound =
        |name| Ok::<Option<u32>, RowProblem>(row.find_i64(name)?.and_then(|gpus| u32::try_from(gpus).ok()));
    let gpus = |name| Ok::<u32, RowProblem>(row.find_u32(name)?.unwrap_or(1));
    Ok(Budget {
        per_engine: [gpus("prefill_gpus")?, gpus("decode_gpus")?],
        floor: bound("min_gpus")?,
        ceiling: bound("max_gpus")?,
    })
}

fn read_pair(row: &Row<'_>, name: &'static str) -> Result<Engines, RowProblem> {
    let wrong = || row.wrong(name, "a list of two counts: prefill and decode engines");
    let count = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok());
    match row.find_list(name)? {
        Some([prefill, decode]) => Ok([count(prefill).ok_or_else(wrong)?, count(decode).ok_or_else(wrong)?]),
        _ => Err(wrong()),
    }
}

//! Recorded replicas and variants through the analyzer, every number of it written out. The fields stand in
//! `docs/replay.md`.

use serde_json::{Map, Value, json};

use super::saturation::{Analysis, Group, Load, Thresholds};
use super::targets::{Variant, Verdict};
use super::{Llmd, explain};
use crate::autoscaler::replay::{Line, Replay, Row, RowProblem};
use crate::autoscaler::{Limits, PoolFields};

/// What a variant is called where a row names none, as in a simulation.
const POOL: &str = "pool";

/// Price of a replica where a row gives none: that of the controller.
const COST: f64 = 10.0;

/// Keeps nothing from row to row: nor does the analyzer.
#[derive(Debug)]
pub(super) struct Replayed(pub Llmd);

struct Replica<'a> {
    name: &'a str,
    variant: &'a str,
    load: Load,
    cost: Option<f64>,
}

impl<'a> Replica<'a> {
    fn read(row: &Row<'a>) -> Result<Replica<'a>, RowProblem> {
        let replica = Replica {
            name: row.find_text("name")?.unwrap_or_default(),
            variant: row.find_text("variant")?.unwrap_or(POOL),
            load: Load { kv_usage: row.find_f64("kv_usage")?, queue: row.find_f64("queue")? },
            cost: row.find_f64("cost")?,
        };
        row.finish()?;
        Ok(replica)
    }
}

impl Replay for Replayed {
    fn pool_fields(&self) -> Option<PoolFields> {
        None
    }

    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let thresholds = &self.0.thresholds;
        let time = row.find_f64("time")?.unwrap_or(0.0);
        let replicas: Vec<Replica<'_>> =
            row.rows("replicas")?.iter().map(Replica::read).collect::<Result<_, _>>()?;
        let variants = variants(row, &replicas)?;
        let groups = grouped(&replicas, &variants, thresholds);
        let mut analysis = Analysis::of(groups.iter().map(|(_, group)| *group), thresholds);
        let given = (row.find_bool("scale_up")?, row.find_bool("scale_down_safe")?);
        row.finish()?;
        if let Some(up) = given.0 {
            (analysis.kv_low, analysis.queue_low) = (up, up);
        }
        analysis.scale_down_safe = given.1.unwrap_or(analysis.scale_down_safe);
        let verdict = Verdict::of(&variants, analysis.scale_up(), analysis.scale_down_safe);
        let targets: Vec<u32> =
            variants.iter().enumerate().map(|(index, variant)| verdict.target(index, variant)).collect();
        // Only a pool by itself has the limits of the settings; the controller leaves those of variants to the HPA.
        let Limits { min, max } = match variants[..] {
            [Variant { name: POOL, .. }] => self.0.limits,
            _ => Limits { min: 0, max: u32::MAX },
        };
        let desired = (!targets.is_empty()).then(|| targets.iter().sum::<u32>().clamp(min, max));

        let mut line = Line::at(time);
        line.push("desired", desired);
        line.push("reason", reason(verdict, &analysis, thresholds, &variants));
        explain::figures(&analysis).into_iter().for_each(|(name, value)| line.push(name, value));
        let saturated = replicas.iter().filter(|replica| thresholds.room(replica.load).is_none());
        line.push("saturated", saturated.map(|replica| replica.name).collect::<Vec<_>>());
        line.push("in_transition", variants.iter().any(Variant::in_transition));
        let target = |(variant, target): (&Variant<'_>, &u32)| (variant.name.to_owned(), json!(target));
        line.push("targets", variants.iter().zip(&targets).map(target).collect::<Map<_, _>>());
        let group = |(name, group): &(&str, Group)| ((*name).to_owned(), shown(group));
        line.push("variants", groups.iter().map(group).collect::<Map<_, _>>());
        Ok(line)
    }
}

fn reason(
    verdict: Verdict,
    analysis: &Analysis,
    thresholds: &Thresholds,
    variants: &[Variant<'_>],
) -> String {
    match variants {
        [] => explain::analysed(analysis, thresholds),
        variants => explain::reason(verdict, analysis, thresholds, variants),
    }
}

/// The variants of a row: as listed, or the one pool that `current` is about.
fn variants<'a>(row: &Row<'a>, replicas: &[Replica<'a>]) -> Result<Vec<Variant<'a>>, RowProblem> {
    let rows = row.rows("variants")?;
    let mut variants: Vec<Variant<'a>> =
        rows.iter().map(|row| variant(row, replicas)).collect::<Result<_, _>>()?;
    rows.iter().try_for_each(Row::finish)?;
    if row.has("current") || row.has("replicas_with_metrics") {
        if !variants.is_empty() {
            return Err(RowProblem::new(
                "`current` is of one pool, and `variants` of several: expected one of them",
            ));
        }
        variants.push(variant(row, replicas)?);
    }
    let listed = |name: &str| variants.iter().any(|variant| variant.name == name);
    match replicas.iter().find(|replica| !variants.is_empty() && !listed(replica.variant)) {
        Some(Replica { variant, .. }) => Err(RowProblem::new(format!(
            "a replica is of the variant \"{variant}\", which is not in `variants`"
        ))),
        None => Ok(variants),
    }
}

fn variant<'a>(row: &Row<'a>, replicas: &[Replica<'a>]) -> Result<Variant<'a>, RowProblem> {
    let name = row.find_text("name")?.unwrap_or(POOL);
    let own = || replicas.iter().filter(|replica| replica.variant == name);
    let counted = Some(own().count() as u32).filter(|count| *count > 0);
    Ok(Variant {
        name,
        cost: row.find_f64("cost")?.or_else(|| own().find_map(|replica| replica.cost)).unwrap_or(COST),
        reporting: row.find_u32("replicas_with_metrics")?.or(counted),
        current: row.u32("current")?,
        desired: row.find_u32("desired")?.unwrap_or(0),
        pending: row.find_u32("pending")?.unwrap_or(0),
    })
}

/// What the replicas of each variant come to, in the order of the variants, else in that of the replicas.
fn grouped<'a>(
    replicas: &[Replica<'a>],
    variants: &[Variant<'a>],
    thresholds: &Thresholds,
) -> Vec<(&'a str, Group)> {
    let mut names: Vec<&str> = variants.iter().map(|variant| variant.name).collect();
    for replica in replicas {
        if !names.contains(&replica.variant) {
            names.push(replica.variant);
        }
    }
    let group = |name: &'a str| {
        let own = replicas.iter().filter(move |replica| replica.variant == name);
        (name, Group::of(own.map(|replica| replica.load), thresholds))
    };
    names.into_iter().map(group).collect()
}

fn shown(group: &Group) -> Value {
    json!({
        "replicas": group.replicas,
        "non_saturated": group.non_saturated,
        "avg_spare_kv": group.avg_spare_kv,
        "avg_spare_queue": group.avg_spare_queue,
        "avg_kv": group.avg_kv,
        "max_kv": group.max_kv,
        "max_queue": group.max_queue,
    })
}

//! Recorded datapoints through AWS policies. The fields are described in `docs/replay.md`.

use serde_json::Value;

use super::Aws;
use super::aws_policy::AwsPolicy;
use super::policy::Rule;
use super::step_scaling::{AdjustmentType, StepScaling, adjusted, whole_change};
use crate::autoscaler::{Line, Policy, Replay, Row, RowProblem};
use crate::schema::Choice;

/// See the module.
#[derive(Debug)]
pub(super) struct Recorded {
    work: AwsPolicy,
    /// The capacity last decided, for rows that leave it out.
    desired: u32,
}

impl Recorded {
    pub fn new(settings: Aws) -> Recorded {
        let desired = settings.limits.min.max(1);
        Recorded { work: AwsPolicy::new(settings), desired }
    }

    fn decide(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let now = row.instant("time")?;
        let desired = row.find_u32("desired")?.unwrap_or(self.desired);
        let warming = row.find_u32("warming")?.unwrap_or(0);
        let datapoints = row.measured(self.work.tracks.len(), "a number or null for each policy")?;
        row.finish()?;
        for (policy, datapoint) in datapoints.into_iter().flatten().enumerate() {
            self.work.datapoint(policy, datapoint);
        }
        self.desired = self.work.evaluate(now, desired, warming);
        let explanation = self.work.explain();
        let mut line = Line::at(now.as_secs_f64()).with("desired", self.desired);
        line.push("reason", explanation.reason);
        line.push("before", desired);
        line.push("metric", explanation.metric);
        line.push("observed", explanation.observed);
        explanation.figures.into_iter().for_each(|(name, value)| line.push(name, value));
        Ok(line)
    }

    fn rule(&self, row: &Row<'_>) -> Result<&Rule, RowProblem> {
        let index = row.find_u32("policy")?.unwrap_or(0) as usize;
        let policy = self.work.settings.policies.get(index).map(|policy| &policy.rule);
        policy.ok_or_else(|| row.wrong("policy", "the place of a policy, from 0 on"))
    }

    fn steps(&self, row: &Row<'_>) -> Result<Option<&StepScaling>, RowProblem> {
        match self.rule(row)? {
            Rule::StepScaling(steps) => Ok(Some(steps)),
            Rule::TargetTracking(_) => Ok(None),
        }
    }

    fn limited(&self, wanted: i64) -> u32 {
        let limits = self.work.settings.limits;
        wanted.clamp(i64::from(limits.min), i64::from(limits.max)) as u32
    }

    /// What one policy makes of a capacity while its alarm is raised.
    fn size(&self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let time = row.find_f64("time")?.unwrap_or(0.0);
        let (capacity, metric) = (row.u32("capacity")?, row.f64("metric")?);
        let (wanted, adjustment) = match self.rule(row)? {
            Rule::TargetTracking(tracking) if metric >= tracking.target => {
                (tracking.proportional(capacity, metric), None)
            }
            Rule::TargetTracking(tracking) => (tracking.scaled_in(capacity, metric), None),
            Rule::StepScaling(steps) => match steps.adjustment(metric) {
                Some(adjustment) => (steps.capacity(capacity, adjustment), Some(adjustment)),
                None => (i64::from(capacity), None),
            },
        };
        row.finish()?;
        let line = Line::at(time).with("desired", self.limited(wanted));
        let line = line.with("reason", format!("{metric} on {capacity} asks for {wanted}"));
        Ok(line.with("adjustment", adjustment).with("wanted", wanted))
    }

    /// One adjustment of a capacity.
    fn adjustment(&self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let time = row.find_f64("time")?.unwrap_or(0.0);
        let (capacity, adjustment) = (row.u32("capacity")?, row.i64("adjustment")?);
        let steps = self.steps(row)?;
        let named = |name: &str| {
            let option = AdjustmentType::OPTIONS.iter().find(|(known, _, _)| *known == name);
            option.map(|(_, kind, _)| *kind).ok_or_else(|| {
                let expected = "\"change_in_capacity\", \"exact_capacity\" or \"percent_change_in_capacity\"";
                row.wrong("adjustment_type", expected)
            })
        };
        let kind = match row.find_text("adjustment_type")? {
            Some(name) => named(name)?,
            None => steps.map_or(AdjustmentType::Change, |steps| steps.adjustment_type),
        };
        let least = row.find_u32("min_adjustment_magnitude")?;
        let least = least.unwrap_or(steps.map_or(0, |steps| steps.min_adjustment_magnitude));
        row.finish()?;
        let wanted = adjusted(kind, capacity, adjustment, least);
        let line = Line::at(time).with("desired", self.limited(wanted));
        let line = line.with("reason", format!("{adjustment} on {capacity} asks for {wanted}"));
        Ok(line.with("wanted", wanted))
    }

    /// A percentage's change before and after rounding.
    fn rounding(row: &Row<'_>) -> Result<Line, RowProblem> {
        let time = row.find_f64("time")?.unwrap_or(0.0);
        let raw = row.f64("raw_change")?;
        row.finish()?;
        let change = whole_change(raw);
        let line = Line::at(time).with("desired", Value::Null);
        Ok(line.with("reason", format!("{raw} instances are {change}")).with("change", change))
    }

    /// What a further step adds while what an earlier one added still counts.
    fn cooldown_credit(row: &Row<'_>) -> Result<Line, RowProblem> {
        let time = row.find_f64("time")?.unwrap_or(0.0);
        let (added, adjustment) = (row.u32("added")?, row.i64("adjustment")?);
        let before = row.find_u32("capacity")?.unwrap_or(0);
        row.finish()?;
        let coming = i64::from(before) + i64::from(added);
        let wanted = adjusted(AdjustmentType::Change, before, adjustment, 0);
        let additional = (wanted - coming).max(0);
        let line = Line::at(time).with("desired", coming + additional);
        let reason = format!("{adjustment} more, of which {added} were added before: {additional}");
        Ok(line.with("reason", reason).with("additional", additional))
    }
}

impl Replay for Recorded {
    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        match row.find_text("part")? {
            None | Some("decide") => self.decide(row),
            Some("size") => self.size(row),
            Some("adjustment") => self.adjustment(row),
            Some("percent_rounding") => Self::rounding(row),
            Some("cooldown_credit") => Self::cooldown_credit(row),
            Some(_) => Err(row.wrong(
                "part",
                "\"decide\", \"size\", \"adjustment\", \"percent_rounding\" or \"cooldown_credit\"",
            )),
        }
    }
}

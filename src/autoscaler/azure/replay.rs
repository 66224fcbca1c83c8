//! Recorded metrics through Azure rules. The fields are described in `docs/replay.md`.

use super::flapping::{Guard, allowed};
use super::rule::Operator;
use super::{Azure, AzurePolicy};
use crate::autoscaler::{Line, Policy, Replay, Row, RowProblem};
use crate::schema::Choice;

/// See the module.
#[derive(Debug)]
pub(super) struct Recorded {
    work: AzurePolicy,
    /// The instances last decided, for rows that leave them out.
    desired: u32,
}

impl Recorded {
    pub fn new(settings: Azure) -> Recorded {
        let desired = settings.default.unwrap_or(settings.limits.min);
        Recorded { work: AzurePolicy::new(settings), desired }
    }

    fn decide(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        let now = row.instant("time")?;
        let desired = row.find_u32("desired")?.unwrap_or(self.desired);
        let values = row.measured(self.work.windows.len(), "a number or null for each rule")?;
        row.finish()?;
        for (window, value) in self.work.windows.iter_mut().zip(values.into_iter().flatten()) {
            window.push(value);
        }
        self.desired = self.work.evaluate(now, desired);
        let explanation = self.work.explain();
        let mut line = Line::at(now.as_secs_f64()).with("desired", self.desired);
        line.push("reason", explanation.reason);
        line.push("before", desired);
        line.push("metric", explanation.metric);
        line.push("observed", explanation.observed);
        explanation.figures.into_iter().for_each(|(name, value)| line.push(name, value));
        Ok(line)
    }

    /// Whether a scale-in would have to be undone, and how far it may go.
    fn flapping(row: &Row<'_>) -> Result<Line, RowProblem> {
        let time = row.find_f64("time")?.unwrap_or(0.0);
        let (metric, current) = (row.f64("metric")?, row.u32("instances")?);
        let wanted = row.u32("to_instances")?;
        let operator = match row.find_text("operator")? {
            None => Operator::AtLeast,
            Some(name) => {
                let option = Operator::OPTIONS.iter().find(|(known, _, _)| *known == name);
                let operator = option.map(|(_, operator, _)| *operator);
                operator.ok_or_else(|| row.wrong("operator", "the operator of a rule"))?
            }
        };
        let guard = Guard { metric, operator, threshold: row.f64("scale_out_threshold")? };
        row.finish()?;
        let (left, projected) =
            (allowed(current, wanted, [guard].into_iter()), guard.projected(current, wanted));
        let line = Line::at(time).with("desired", left);
        let line = line.with("reason", format!("{metric} on {current} is {projected} on {wanted}"));
        Ok(line.with("projected", projected).with("scale_in", left < current))
    }
}

impl Replay for Recorded {
    fn step(&mut self, row: &Row<'_>) -> Result<Line, RowProblem> {
        match row.find_text("part")? {
            None | Some("decide") => self.decide(row),
            Some("flapping") => Self::flapping(row),
            Some(_) => Err(row.wrong("part", "\"decide\" or \"flapping\"")),
        }
    }
}

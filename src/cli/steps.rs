//! A short run evaluation by evaluation: what the autoscaler saw, what it made of each condition, and why.

use super::decision_log::REMEMBERED;
use super::table;
use crate::report::data::action;
use crate::report::format;
use crate::report::html::Table;
use crate::sim::DecisionRecord;

/// Evaluations beyond which a table of them is no longer read; `decisions.csv` has them all.
const MOST: usize = REMEMBERED - 1;

/// The table of `decisions`; `None` if they are too many, or not those of a threshold loop.
pub(super) fn table(decisions: &[DecisionRecord]) -> Option<String> {
    if decisions.is_empty() || decisions.len() > MOST {
        return None;
    }
    let rows: Option<Vec<Vec<String>>> =
        (1..).zip(decisions).map(|(step, record)| row(step, record)).collect();
    let name = decisions.first().map_or("load", |record| record.explanation.metric);
    let columns = ["step", name, "add if", "remove if", "action", "instances", "reason"].map(str::to_owned);
    let steps = Table { title: "Steps".to_owned(), columns: columns.into(), rows: rows?, marked: None };
    Some(table::plain(&steps))
}

fn row(step: usize, record: &DecisionRecord) -> Option<Vec<String>> {
    let explanation = &record.explanation;
    // Only a threshold loop has these.
    let (above, below) = (explanation.number("above")?, explanation.number("below")?);
    let observed = explanation.observed;
    let condition = |sign: char, threshold: f64, holds: fn(&f64, &f64) -> bool| match observed {
        Some(value) => {
            let verdict = if holds(&value, &threshold) { "yes" } else { "no" };
            format!("{} {sign} {}: {verdict}", format::count(value), format::count(threshold))
        }
        None => format!("? {sign} {}", format::count(threshold)),
    };
    Some(vec![
        step.to_string(),
        observed.map_or_else(|| "–".to_owned(), format::count),
        condition('>', above, f64::gt),
        condition('<', below, f64::lt),
        action(record).into_owned(),
        record.desired.to_string(),
        explanation.reason.clone(),
    ])
}

//! The tables of an explanation.

use super::super::table::{Cell, Heading, Row, Table};
use super::sentences::percent;
use crate::experiment::Unit;
use crate::explain::{Effect, Explained, Measure};
use crate::stats::Estimate;

/// The table of causes, one a measure.
pub const CAUSES_TABLE: &str = "causes";

/// The table of keys.
pub const KEYS_TABLE: &str = "keys";

/// What goes with each cause, a table a measure.
pub fn measures(explained: &Explained) -> Vec<Table> {
    let table = |measure: &Measure| {
        let total = &explained.totals[measure];
        let of_cause = |account: &crate::explain::CauseAccount| {
            let effect = account.effects.get(measure)?;
            Some(row(account.cause.name, *effect))
        };
        let whole = |name: &str, share: Estimate| {
            Row::of([Cell::text(name), Cell::text(""), Cell::text(""), cell(share)])
        };
        let (apart, sharing): (Vec<_>, Vec<_>) =
            explained.accounts.iter().partition(|account| account.cause.protects);
        let causes = sharing.into_iter().filter_map(of_cause);
        let rest = (*measure != Measure::Cost).then(|| whole("not explained", total.remainder));
        let whole = std::iter::once(whole("all together", total.all)).chain(rest);
        let apart = apart.into_iter().filter_map(of_cause);
        let oracle = total.oracle.map(|effect| row("the future not known", effect));
        let rows = causes.chain(whole).chain(apart).chain(oracle).collect();
        let columns = ["cause", "alone", "last", "share"].map(|name| match name {
            "cause" => Heading::named(name),
            _ => Heading::of_unit(name, name, Unit::Share),
        });
        let title = match measure {
            Measure::Cost => "Cost saved without".to_owned(),
            _ => format!("{} taken away", capitalised(measure.name())),
        };
        Table { id: CAUSES_TABLE, title, columns: columns.into(), rows, ..Table::default() }
    };
    explained.totals.keys().map(table).collect()
}

/// What each key alone takes away.
pub fn keys(explained: &Explained) -> Option<Table> {
    let measures: Vec<Measure> = explained.totals.keys().copied().collect();
    let row = |key: &crate::explain::KeyEffect| {
        let value = key.instead();
        let was = key.was.as_deref().unwrap_or("default");
        let texts = [key.change.path.as_str(), was, &value].map(Cell::text);
        let share = |measure: &Measure| cell(key.effects.get(measure).copied().unwrap_or_default());
        Row::of(texts.into_iter().chain(measures.iter().map(share)))
    };
    let shares = measures.iter().map(|measure| Heading::of_unit(measure.name(), measure.name(), Unit::Share));
    let columns = ["key", "is", "instead"].map(Heading::named).into_iter().chain(shares).collect();
    let rows: Vec<Row> = explained.keys.iter().map(row).collect();
    let title = "What one key alone takes away".to_owned();
    (!rows.is_empty()).then(|| Table { id: KEYS_TABLE, title, columns, rows, ..Table::default() })
}

fn row(name: &str, effect: Effect) -> Row {
    Row::of([Cell::text(name), cell(effect.alone), cell(effect.last), cell(effect.share)])
}

fn cell(share: Estimate) -> Cell {
    if share.mean.is_none() {
        return Cell::text("");
    }
    Cell {
        text: percent(share),
        value: share.mean,
        low: share.low,
        high: share.high,
        unit: Some(Unit::Share),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

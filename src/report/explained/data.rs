//! An explanation for programs: what `summary.json` and `causes.csv` hold.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::data::{Column, ColumnKind, Dataset, Value};
use super::episodes::episode;
use crate::experiment::Unit;
use crate::explain::{Effect, Episode, Explained, Measure, Total};
use crate::report::clock::RunClock;
use crate::sim::PoolName;
use crate::stats::Estimate;

/// The account of an explanation.
#[derive(Serialize)]
pub struct Account<'a> {
    variant: Option<&'a str>,
    replications: u32,
    /// Orders of the causes that each replication drew; `null` if every set of them was run.
    orders: Option<usize>,
    totals: BTreeMap<Measure, Totals>,
    causes: Vec<CauseData<'a>>,
    without_effect: Vec<&'static str>,
    keys: Vec<KeyData<'a>>,
    /// The replication that the episodes are of.
    replication: u32,
    episodes: Vec<EpisodeData>,
}

#[derive(Serialize)]
struct Totals {
    amount: Estimate,
    all_causes: Estimate,
    oracle: Option<Effect>,
    not_explained: Estimate,
    overlap: bool,
}

#[derive(Serialize)]
struct CauseData<'a> {
    cause: &'static str,
    without: &'static str,
    changes: BTreeMap<&'a str, Option<&'a str>>,
    effects: &'a BTreeMap<Measure, Effect>,
}

#[derive(Serialize)]
struct KeyData<'a> {
    key: &'a str,
    cause: &'static str,
    was: Option<&'a str>,
    value: Option<&'a str>,
    along: BTreeMap<&'a str, Option<&'a str>>,
    taken_away: &'a BTreeMap<Measure, Estimate>,
}

#[derive(Serialize)]
struct EpisodeData {
    from_s: f64,
    until_s: f64,
    from: String,
    until: String,
    late: u64,
    ended: u64,
    crossed_s: Option<f64>,
    queued_s: Option<f64>,
    seen_s: Option<f64>,
    ready_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<PoolName>,
    text: String,
}

impl EpisodeData {
    fn of(told: &Episode, clock: RunClock) -> EpisodeData {
        let seen = told.seen.as_ref();
        EpisodeData {
            from_s: told.from_s,
            until_s: told.until_s,
            from: clock.show(told.from_s),
            until: clock.show(told.until_s),
            late: told.late,
            ended: told.ended,
            crossed_s: told.crossed.as_ref().map(|(at, _)| *at),
            queued_s: told.queued_s,
            seen_s: seen.map(|seen| seen.at_s),
            ready_s: seen.and_then(|seen| seen.ready_s),
            pool: told.pool,
            text: episode(told, clock),
        }
    }
}

impl<'a> Account<'a> {
    /// The account of `explained`.
    pub fn of(explained: &'a Explained) -> Account<'a> {
        let total = |(measure, total): (&Measure, &Total)| {
            let totals = Totals {
                amount: total.amount,
                all_causes: total.all,
                oracle: total.oracle,
                not_explained: total.remainder,
                overlap: total.overlap,
            };
            (*measure, totals)
        };
        let clock = RunClock::of(&explained.scenario);
        let causes = explained.accounts.iter().map(|account| CauseData {
            cause: account.cause.id,
            without: account.cause.without,
            changes: account
                .changes
                .iter()
                .map(|change| (change.path.as_str(), change.value.as_deref()))
                .collect(),
            effects: &account.effects,
        });
        let keys = explained.keys.iter().map(|key| KeyData {
            key: &key.change.path,
            cause: key.cause.id,
            was: key.was.as_deref(),
            value: key.change.value.as_deref(),
            along: key.along.iter().map(|change| (change.path.as_str(), change.value.as_deref())).collect(),
            taken_away: &key.effects,
        });
        Account {
            variant: explained.variant.as_deref(),
            replications: explained.replications,
            orders: explained.orders,
            totals: explained.totals.iter().map(total).collect(),
            causes: causes.collect(),
            without_effect: explained.without_effect.iter().map(|cause| cause.id).collect(),
            keys: keys.collect(),
            replication: explained.episodes.replication,
            episodes: explained.episodes.all.iter().map(|told| EpisodeData::of(told, clock)).collect(),
        }
    }
}

/// The table of causes, a row a measure and cause.
pub fn causes(explained: &Explained) -> Dataset<'_> {
    let shares = ["alone", "last", "share"];
    let ends = shares.iter().flat_map(|name| ["", "_low", "_high"].map(|end| format!("{name}{end}")));
    let share = |name| Column { name, kind: ColumnKind::Number, unit: Some(Unit::Share) };
    let texts = ["measure", "cause"].map(|name| Column::plain(name, ColumnKind::Text));
    let columns = texts.into_iter().chain(ends.map(share)).collect();
    let row = |measure: Measure, cause: &'static str, effect: Effect| {
        let numbers = [effect.alone, effect.last, effect.share];
        let numbers = numbers.into_iter().flat_map(|share| [share.mean, share.low, share.high]);
        let texts = [Value::text(measure.name()), Value::text(cause)];
        texts.into_iter().chain(numbers.map(Value::from)).collect::<Vec<_>>()
    };
    let rows = explained.totals.iter().flat_map(move |(measure, total)| {
        let of_causes = explained
            .accounts
            .iter()
            .filter_map(move |account| Some(row(*measure, account.cause.id, *account.effects.get(measure)?)));
        let whole = |share| Effect { share, ..Effect::default() };
        let ends = [("all", whole(total.all)), ("not_explained", whole(total.remainder))];
        let oracle = total.oracle.map(|effect| row(*measure, "oracle", effect));
        of_causes.chain(oracle).chain(ends.map(|(name, effect)| row(*measure, name, effect)))
    });
    Dataset { name: "causes".to_owned(), columns, rows: Box::new(rows) }
}

//! What is said of a recommendation: sentences and tables.

use super::format;
use super::promises::promise;
use super::sentences::percentile;
use super::statement::{PromiseVerdict, Statement};
use super::table::{Cell, Heading, Row, Table};
use crate::experiment::{SLO_ATTAINMENT, SLO_LATENCY, SloVerdict, Unit};
use crate::recommend::{
    Alternative, Ending, Margin, MarginOf, PastError, Recommendation, Standing, UnderCondition, shown,
};
use crate::scenario::Scenario;
use crate::sim::PoolName;
use crate::stats::{CONFIDENCE, Estimate};
use crate::time::Span;
use crate::units::show_span;

/// The settings in force against those recommended.
pub const RECOMMENDATION_TABLE: &str = "recommendation";
/// What changes.
pub const CHANGES_TABLE: &str = "changes";
/// The knee and other settings on the frontier.
pub const ALTERNATIVES_TABLE: &str = "alternatives";

/// Hours that a cost is shown for, with what they are called.
const PERIODS: [(&str, &str, f64); 3] = [
    ("cost_per_hour", "cost an hour", 1.0),
    ("cost_per_day", "cost a day", 24.0),
    ("cost_per_month", "cost a month", 730.0),
];

/// Whether some settings are confirmed to keep the promise; `None` if nothing is promised.
pub fn verdict(scenario: &Scenario, result: &Recommendation) -> Option<PromiseVerdict> {
    let promise = promise(scenario)?;
    let (kept, text) = match result.ending {
        Ending::Confirmed | Ending::TodayIsCheapest if result.misses_past().is_some() => (
            SloVerdict::Uncertain,
            format!(
                "It is uncertain whether the SLO can be met: the simulation keeps {promise}, but it misses the measured past."
            ),
        ),
        Ending::Confirmed => {
            (SloVerdict::Yes, format!("The SLO can be met: the recommended settings keep {promise}."))
        }
        Ending::TodayIsCheapest => {
            (SloVerdict::Yes, format!("The SLO is met: the settings in force keep {promise}."))
        }
        Ending::Unconfirmed if today_keeps(result) => (
            SloVerdict::Yes,
            format!(
                "The SLO can be met: the settings in force keep {promise}; {}.",
                match result.budget_spent {
                    true => "the budget ended before any settings were verified to be cheaper",
                    false => "none are verified to be cheaper",
                }
            ),
        ),
        Ending::Stopped => (
            SloVerdict::Uncertain,
            format!(
                "It is uncertain whether the SLO can be met: stopped before any settings were verified to keep {promise}."
            ),
        ),
        Ending::Unconfirmed if result.budget_spent => (
            SloVerdict::Uncertain,
            format!(
                "It is uncertain whether the SLO can be met: the budget ended before any settings were verified to keep {promise}."
            ),
        ),
        Ending::Unconfirmed => match result.best_estimate.as_ref().is_some_and(|best| !best.misses_slo) {
            true => (
                SloVerdict::Uncertain,
                format!(
                    "It is uncertain whether the SLO can be met: no settings are confirmed to keep {promise}."
                ),
            ),
            false => {
                (SloVerdict::No, format!("The SLO is missed: none of the settings tried keeps {promise}."))
            }
        },
    };
    Some(PromiseVerdict { kept, statement: Statement::plain("recommend.verdict", text) })
}

/// Whether the settings in force are verified to keep the promise under every condition.
fn today_keeps(result: &Recommendation) -> bool {
    let keeps =
        |today: &Standing| today.by_condition.iter().all(|under| under.keeps == Some(SloVerdict::Yes));
    result.misses_past().is_none() && result.today.as_ref().is_some_and(keeps)
}

/// That the work was stopped, and what of it holds nevertheless.
pub fn incomplete(result: &Recommendation) -> Option<Statement> {
    let what = match result.recommended {
        Some(_) => "the settings recommended were verified before; what is missing was not measured",
        None => "nothing was verified, and what is shown is estimated by the race as far as it went",
    };
    let text = format!("incomplete, since the work was stopped: {what}");
    (!result.complete).then(|| Statement::plain("recommend.incomplete", text))
}

/// The answer: what to do, what it saves, and how far it stands.
pub fn answer(scenario: &Scenario, result: &Recommendation) -> Vec<Statement> {
    let promise = promise(scenario).unwrap_or_default();
    let under = match result.tried.conditions {
        0 | 1 => String::new(),
        many => format!(" under all {many} conditions"),
    };
    let sure = match result.misses_past() {
        Some(error) => format!(
            "no stated confidence, since the simulation is {} % off the {} measured,",
            format::count((error.apart * 100.0).round()),
            error.field
        ),
        None => format!("{} % confidence", CONFIDENCE * 100.0),
    };
    let mut answer = Vec::new();
    answer.extend(past(result));
    if let Some(chosen) = &result.recommended {
        let text = match result.ending {
            Ending::TodayIsCheapest => format!(
                "Keep the settings in force: of {} none cheaper keeps {promise}{under} with {sure}.",
                format::counted(result.tried.settings, "setting")
            ),
            _ => format!(
                "Recommended: {}. It keeps {promise}{under} with {sure}, in {} new replications that confirmed it, and {}.",
                shown(&chosen.settings),
                chosen.replications,
                saves(result),
            ),
        };
        let statement = Statement::plain("recommend.choice", text)
            .with("cost_per_hour", chosen.cost_per_hour)
            .with("fresh_replications", chosen.replications);
        answer.push(match result.saving {
            Some(saving) => statement.with("saving", saving),
            None => statement,
        });
    } else if let Some(best) = &result.best_estimate {
        let why = match (result.ending, result.budget_spent) {
            (Ending::Stopped, _) => "Nothing is verified, since the work was stopped".to_owned(),
            (_, true) => "Nothing is verified, since the budget ended before".to_owned(),
            _ => format!("No settings could be confirmed to keep {promise}{under}"),
        };
        let text = format!(
            "{why}. Estimated: {}, the {}, at {}; it {} on average in {}.",
            named(&best.settings),
            if best.misses_slo { "nearest to it" } else { "cheapest that seemed to keep it" },
            format::estimate(&best.cost_per_hour, Unit::Currency, &scenario.model.cost.currency) + " an hour",
            if best.misses_slo { "misses the SLO" } else { "keeps the SLO" },
            format::counted(best.replications as usize, "replication"),
        );
        answer
            .push(Statement::plain("recommend.unconfirmed", text).with("cost_per_hour", best.cost_per_hour));
    }
    if let Some(today) = &result.today {
        answer.extend(today_statement(today, &promise, result.ending));
    } else if result.complete {
        let text = "The settings in force cannot be run: requests arrive faster than they are answered.";
        answer.push(Statement::plain("recommend.today_overloaded", text));
    }
    answer.extend(result.margins.iter().map(margin));
    answer.extend(result.recommended.iter().flat_map(|chosen| &chosen.by_condition).filter_map(binding));
    answer.extend(result.alternatives.iter().filter(|each| each.what == "knee").map(|knee| {
        let text = format!(
            "The knee is at {}{}.",
            if knee.settings == chosen_settings(result) {
                match result.recommended {
                    Some(_) => "the recommended settings".to_owned(),
                    None => "the estimated settings".to_owned(),
                }
            } else {
                named(&knee.settings)
            },
            if knee.misses_slo { ": it misses the SLO, so it is no choice" } else { "" }
        );
        Statement::plain("recommend.knee", text).with("misses_slo", knee.misses_slo)
    }));
    answer
}

/// Settings by their values; without any they are those in force.
fn named(settings: &[(String, String)]) -> String {
    if settings.is_empty() { "the settings in force".to_owned() } else { shown(settings) }
}

/// The values of the settings recommended, else of those estimated.
fn chosen_settings(result: &Recommendation) -> &[(String, String)] {
    let recommended = result.recommended.as_ref().map(|standing| &standing.settings[..]);
    recommended.or(result.best_estimate.as_ref().map(|best| &best.settings[..])).unwrap_or_default()
}

/// How far the simulation is from what was measured.
fn past(result: &Recommendation) -> Option<Statement> {
    let one =
        |error: &PastError| format!("{} {} %", error.field, format::count((error.apart * 100.0).round()));
    let all: Vec<String> = result.past.iter().map(one).collect();
    let verdict = if result.misses_past().is_some() { "misses" } else { "follows" };
    let text = format!(
        "On the recorded past the simulation of the settings in force {verdict} what was measured, window by window off by: {}.",
        all.join(", ")
    );
    (!all.is_empty()).then(|| {
        let statement = Statement::plain("recommend.past", text);
        result.past.iter().fold(statement, |statement, error| statement.with(error.field, error.apart))
    })
}

fn saves(result: &Recommendation) -> String {
    let Some(saving) = result.saving else { return "its saving is not known".to_owned() };
    let (much, range) = format::percent_apart(&saving);
    let range = range.map_or_else(String::new, |range| format!(" ({range})"));
    match saving.mean {
        Some(mean) if mean < 0.0 => format!("costs {much} more{range} than the settings in force"),
        _ => format!("saves {much}{range} of the cost of the settings in force"),
    }
}

fn today_statement(today: &Standing, promise: &str, ending: Ending) -> Option<Statement> {
    if ending == Ending::TodayIsCheapest {
        return None;
    }
    let all = today.by_condition.iter().filter_map(|under| under.keeps);
    let worst = all.max_by_key(|keeps| match keeps {
        SloVerdict::Yes => 0,
        SloVerdict::SoFar => 1,
        SloVerdict::Uncertain => 2,
        SloVerdict::No => 3,
    })?;
    let what = match worst {
        SloVerdict::Yes => "keep",
        SloVerdict::SoFar => "keep so far, in too few replications to be sure,",
        SloVerdict::Uncertain => "may or may not keep",
        SloVerdict::No => "miss",
    };
    let text = format!("The settings in force {what} {promise}.");
    Some(Statement::plain("recommend.today", text).with("keeps", worst.name()))
}

/// Why the greatest number of instances allowed is reached.
fn binding(under: &UnderCondition) -> Option<Statement> {
    let maximum = under.maximum.as_ref()?;
    let with = match under.condition.is_empty() {
        true => String::new(),
        false => format!(" with {}", shown(&under.condition)),
    };
    let why = match maximum.needed > f64::from(maximum.instances) {
        true => format!(
            "the arrivals alone keep {} instances busy at their peak, and what is more waits",
            format::count(maximum.needed)
        ),
        false => format!(
            "the arrivals keep {} busy at their peak, and what waited for starts asks for the rest",
            format::count(maximum.needed)
        ),
    };
    let text = format!(
        "The maximum binds{with}: {} = {} is reached in {} % of the runs; {why}.",
        maximum.key,
        maximum.instances,
        format::count(maximum.share_of_runs * 100.0),
    );
    Some(
        Statement::plain("recommend.maximum", text)
            .with("maximum", f64::from(maximum.instances))
            .with("share_of_runs", maximum.share_of_runs)
            .with("needed", maximum.needed),
    )
}

fn margin(margin: &Margin) -> Statement {
    let (id, what) = match margin.of {
        MarginOf::Traffic => ("recommend.margin_traffic", "traffic"),
        MarginOf::ColdStart => ("recommend.margin_cold_start", "cold starts"),
    };
    let times = format::count;
    let Estimate { mean, low, high, .. } = margin.factor;
    let (low, high) = (low.unwrap_or(1.0), high.unwrap_or(f64::INFINITY));
    let text = match (mean, margin.beyond) {
        (Some(factor), false) => format!(
            "Margin: the promise is kept up to {} times the {what} (95 %: {}).",
            times(factor),
            match high.is_finite() {
                true => format!("{} to {}", times(low), times(high)),
                false => format!("at least {}", times(low)),
            }
        ),
        (factor, _) => format!(
            "Margin: with {} times the {what} the promise is still kept (surely up to {} times).",
            times(factor.unwrap_or(margin.keeps_to)),
            times(low)
        ),
    };
    let statement =
        Statement::plain(id, text).with("factor", margin.factor).with("keeps_to", margin.keeps_to);
    match margin.breaks_at {
        Some(breaks) => statement.with("breaks_at", breaks),
        None => statement,
    }
}

/// What bounds the answer: candidates not decided, ends of ranges, how much was tried, and what is not modelled.
pub fn details(scenario: &Scenario, result: &Recommendation, not_modelled: &[&str]) -> Vec<Statement> {
    let currency = &scenario.model.cost.currency;
    let mut details = Vec::new();
    for each in &result.undecided {
        let cost = format::estimate(
            &Estimate { mean: Some(each.cost_per_hour), ..Estimate::default() },
            Unit::Currency,
            currency,
        );
        let takes = match each.replications {
            many if many.is_finite() => format!("about {} replications", format::count(many.ceil())),
            _ => "more replications than can be told".to_owned(),
        };
        let text = format!(
            "Not decided: {} would cost {cost} an hour, {} % less, and keeps the promise on average; deciding takes {takes}.",
            shown(&each.settings),
            format::count(each.saves * 100.0),
        );
        details.push(
            Statement::plain("recommend.undecided", text)
                .with("cost_per_hour", each.cost_per_hour)
                .with("replications", each.replications),
        );
    }
    for (path, value, greatest) in &result.edges {
        let end = if *greatest { "greatest" } else { "least" };
        let text =
            format!("{path} = {value} is the {end} value tried: beyond it there may be a cheaper one.");
        details.push(Statement::plain("recommend.edge", text).with("parameter", path.as_str()));
    }
    let tried = &result.tried;
    let space = match (tried.shipped, tried.exhausted) {
        (true, true) => "of those that come with the autoscaler, all",
        (true, false) => "of those that come with the autoscaler, searched and not all",
        (false, true) => "all of the sweep",
        (false, false) => "of the sweep, searched and not all",
    };
    let text = format!(
        "Tried: {} ({space}), in {} runs of {}, and {} new ones to confirm.",
        format::counted(tried.settings, "setting"),
        format::count(tried.race_runs as f64),
        show_span(scenario.model.duration),
        format::count(f64::from(tried.fresh_runs)),
    );
    details.push(
        Statement::plain("recommend.tried", text)
            .with("settings", tried.settings)
            .with("combinations", tried.combinations)
            .with("exhausted", tried.exhausted)
            .with("requests", tried.requests),
    );
    let unmodelled = not_modelled
        .iter()
        .map(|what| Statement::plain("recommend.not_modelled", format!("Not modelled: {what}.")));
    details.extend(unmodelled);
    details
}

/// The settings in force against those recommended, a row a figure; under several conditions a row a figure and condition.
pub fn comparison(scenario: &Scenario, result: &Recommendation) -> Option<Table> {
    let both = result.standings();
    let first = both.first()?.1;
    let currency = &scenario.model.cost.currency;
    let mut rows = Vec::new();
    for (_, title, hours) in PERIODS {
        let cell = |standing: &Standing| {
            Cell::estimate(&times(&standing.cost_per_hour, hours), Unit::Currency, currency)
        };
        rows.push(Row::of(
            std::iter::once(Cell::text(title)).chain(both.iter().map(|(_, standing)| cell(standing))),
        ));
    }
    if let Some(saving) = result.saving.as_ref().filter(|_| both.len() > 1) {
        rows.push(Row::of([
            Cell::text("saving"),
            Cell::text("–"),
            Cell::estimate(saving, Unit::Share, currency),
        ]));
    }
    let several = first.by_condition.len() > 1;
    for (index, under) in first.by_condition.iter().enumerate() {
        let with = match several {
            true => format!(" with {}", shown(&under.condition)),
            false => String::new(),
        };
        let mut row = |title: String, cell: &dyn Fn(&UnderCondition) -> Cell| {
            let cells = both.iter().filter_map(|(_, standing)| standing.by_condition.get(index)).map(cell);
            rows.push(Row::of(std::iter::once(Cell::text(title)).chain(cells)));
        };
        if several {
            row(format!("cost an hour{with}"), &|under| {
                Cell::estimate(&under.cost_per_hour, Unit::Currency, currency)
            });
        }
        row(format!("{}{with}", percentile(scenario)), &|under| {
            Cell::estimate(&under.figures.get(SLO_LATENCY), Unit::Seconds, currency)
        });
        row(format!("requests within SLO{with}"), &|under| {
            Cell::estimate(&under.figures.get(SLO_ATTAINMENT), Unit::Share, currency)
        });
        row(format!("time within SLO{with}"), &|under| {
            Cell::estimate(&under.share_of_time, Unit::Share, currency)
        });
        row(format!("worst window{with}"), &|under| match under.worst_window {
            Some(worst) => Cell::number(
                worst.missed,
                format!(
                    "{} % late, {} from {}",
                    format::count(worst.missed * 100.0),
                    show_span(Span::from_secs_f64(worst.length_s)),
                    show_span(Span::from_secs_f64(worst.start_s))
                ),
            ),
            // What is estimated was not looked at so closely.
            None if under.figures.get(SLO_ATTAINMENT).mean.is_some_and(|kept| kept < 1.0) => Cell::text("–"),
            None => Cell::text("none late"),
        });
        for pool in PoolName::ALL.into_iter().filter(|_| scenario.model.decode.is_some()) {
            let name = pool.shown();
            row(format!("instances of the {name} pool{with}"), &|under| {
                Cell::estimate(&under.figures.get(&format!("{name}.mean_ready")), Unit::Instances, currency)
            });
        }
        row(format!("keeps the SLO{with}"), &|under| {
            Cell::text(under.keeps.map_or("–", |keeps| keeps.name()).replace('_', " "))
        });
    }
    let columns =
        std::iter::once("figure").chain(both.iter().map(|(name, _)| *name)).map(Heading::named).collect();
    let names: Vec<&str> = both.iter().map(|(name, _)| *name).collect();
    let title = sentence_case(&names.join(" and "));
    Some(Table { id: RECOMMENDATION_TABLE, title, columns, rows, ..Table::default() })
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What changes, a row a key; `None` if nothing does.
pub fn changes(result: &Recommendation) -> Option<Table> {
    let row = |change: &crate::recommend::ChangedSetting| {
        Row::of([
            Cell::text(change.path.as_str()),
            Cell::text(change.old.as_deref().unwrap_or("not set")),
            Cell::text(change.new.as_str()),
        ])
    };
    let rows: Vec<Row> = result.changes.iter().map(row).collect();
    let sure = result.recommended.is_some();
    let columns = ["key", "today", if sure { "recommended" } else { "estimated" }];
    let columns = columns.map(Heading::named).to_vec();
    (!rows.is_empty()).then(|| Table {
        id: CHANGES_TABLE,
        title: if sure { "What changes" } else { "What would change, not verified" }.to_owned(),
        columns,
        rows,
        ..Table::default()
    })
}

/// The knee and faster settings, with what they trade.
pub fn alternatives(scenario: &Scenario, result: &Recommendation) -> Option<Table> {
    let currency = &scenario.model.cost.currency;
    let more = |share: Option<f64>| match share {
        Some(share) => Cell::number(share, format!("{:+.1} %", share * 100.0)),
        None => Cell::text("–"),
    };
    let row = |each: &Alternative| {
        Row::of([
            Cell::text(each.what),
            Cell::text(named(&each.settings)),
            Cell::estimate(&each.cost_per_hour, Unit::Currency, currency),
            more(each.cost_more),
            Cell::estimate(&each.latency, Unit::Seconds, currency),
            more(each.latency_more),
            Cell::text(if each.misses_slo { "misses SLO" } else { "" }),
        ])
    };
    let rows: Vec<Row> = result.alternatives.iter().map(row).collect();
    let latency = percentile(scenario);
    let titles = ["alternative", "settings", "cost an hour", "cost", &latency, "latency", "standing"];
    let columns = titles.map(Heading::named).to_vec();
    let title = "Other settings on the frontier, as the race estimates them".to_owned();
    (!rows.is_empty()).then(|| Table { id: ALTERNATIVES_TABLE, title, columns, rows, ..Table::default() })
}

fn times(estimate: &Estimate, factor: f64) -> Estimate {
    let times = |end: Option<f64>| end.map(|end| end * factor);
    Estimate { mean: times(estimate.mean), low: times(estimate.low), high: times(estimate.high), ..*estimate }
}

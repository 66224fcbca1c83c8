//! The sentences of an explanation.

use super::super::clock::RunClock;
use super::super::format;
use super::super::statement::Statement;
use super::episodes::episode;
use crate::explain::{CauseAccount, Effect, Episode, Explained, KeyEffect, Measure, Total};
use crate::stats::Estimate;
use crate::units::show_span;

/// Episodes told in sentences.
const TOLD: usize = 3;

/// A share below this is not worth a sentence.
const NOTICED: f64 = 0.005;

/// The answer: what goes with which cause, the key that helps most, and the episodes.
pub fn answer(explained: &Explained) -> Vec<Statement> {
    let mut said = Vec::new();
    let missed = [Measure::MissedRequests, Measure::MissedTime];
    let late = missed.into_iter().find(|measure| explained.totals.contains_key(measure));
    match late {
        Some(measure) => said.extend(of_measure(explained, measure)),
        None => said.push(Statement::plain("explain.nothing_missed", "No request missed the SLO.")),
    }
    said.extend(of_cost(explained));
    said.extend(late.and_then(|measure| best_key(explained, measure)));
    said.extend(episodes(explained));
    said
}

/// The main cause of a measure, and what is left.
fn of_measure(explained: &Explained, measure: Measure) -> Vec<Statement> {
    let Some(total) = explained.totals.get(&measure) else { return Vec::new() };
    let currency = &explained.scenario.model.cost.currency;
    let amount = format::estimate(&total.amount, measure.unit(), currency);
    let mut said = Vec::new();
    let main = effects(explained, measure).max_by(|(_, a), (_, b)| mean(a.share).total_cmp(&mean(b.share)));
    match main.filter(|(_, effect)| mean(effect.share) > NOTICED) {
        Some((account, effect)) => {
            let text = format!(
                "Of the {} of a replication ({amount}), {} goes with the {}, more than with any other cause; all causes \
                 together take away {}.",
                measure.name(),
                percent(effect.share),
                account.cause.name,
                percent(total.all),
            );
            said.push(
                Statement::plain("explain.main_cause", text)
                    .with("measure", measure.name())
                    .with("cause", account.cause.id)
                    .with("share", effect.share)
                    .with("all", total.all),
            );
        }
        None => {
            let text = format!(
                "None of the causes takes away any of the {} of a replication ({amount}): what is left is the service \
                 time itself, or a pool too small at its start.",
                measure.name()
            );
            said.push(Statement::plain("explain.no_cause", text).with("measure", measure.name()));
        }
    }
    said.extend(overlap(explained, measure, total));
    let against = effects(explained, measure).filter(|(account, _)| !account.cause.protects);
    let against: Vec<&str> = against
        .filter(|(_, effect)| mean(effect.share) < -NOTICED)
        .map(|(account, _)| account.cause.name)
        .collect();
    if !against.is_empty() {
        let text =
            format!("A negative share helps: without it more would be missed ({}).", against.join(", "));
        said.push(Statement::plain("explain.helps", text));
    }
    said
}

/// That causes overlap, where they do.
fn overlap(explained: &Explained, measure: Measure, total: &Total) -> Option<Statement> {
    let sharing = || effects(explained, measure).filter(|(account, _)| !account.cause.protects);
    let alone: f64 = sharing().map(|(_, effect)| mean(effect.alone)).sum();
    let last: f64 = sharing().map(|(_, effect)| mean(effect.last)).sum();
    let text = format!(
        "The causes overlap: what each takes away alone adds up to {:.0} %, after all others to {:.0} %; only the shares \
         add up.",
        100.0 * alone,
        100.0 * last
    );
    total.overlap.then(|| Statement::plain("explain.overlap", text).with("alone", alone).with("last", last))
}

/// The cause that costs most, with its sign.
fn of_cost(explained: &Explained) -> Option<Statement> {
    let total = explained.totals.get(&Measure::Cost)?;
    let currency = &explained.scenario.model.cost.currency;
    let amount = format::estimate(&total.amount, Measure::Cost.unit(), currency);
    let main =
        effects(explained, Measure::Cost).max_by(|(_, a), (_, b)| mean(a.alone).total_cmp(&mean(b.alone)));
    let cost = match main.filter(|(_, effect)| mean(effect.alone) > NOTICED) {
        Some((account, effect)) => format!(
            "A replication costs {amount}: without the {} alone it would cost {} less.",
            account.cause.name,
            percent(effect.alone)
        ),
        None => format!("A replication costs {amount}; without any of the causes it would cost no less."),
    };
    let bound = total.oracle.map(|oracle| match mean(oracle.alone) {
        saved if saved >= 0.0 => {
            format!(" A policy that knows the future would cost {} less.", percent(oracle.alone))
        }
        _ => " A policy that knows the future would cost more, to miss less.".to_owned(),
    });
    let text = cost + &bound.unwrap_or_default();
    Some(Statement::plain("explain.cost", text).with("cost", total.amount))
}

/// The one key whose change takes away most.
fn best_key(explained: &Explained, measure: Measure) -> Option<Statement> {
    let share = |key: &KeyEffect| key.effects.get(&measure).copied().unwrap_or_default();
    let best = explained.keys.iter().max_by(|a, b| mean(share(a)).total_cmp(&mean(share(b))))?;
    if mean(share(best)) <= NOTICED {
        return None;
    }
    let was = best.was.as_deref().unwrap_or("its default");
    let value = best.instead();
    let cost = best.effects.get(&Measure::Cost).map(|cost| {
        let saved = mean(*cost);
        let way = if saved < 0.0 { "more" } else { "less" };
        format!(", at {:.1} % {way} cost", 100.0 * saved.abs())
    });
    let text = format!(
        "The one key that would have helped most is {}: from {was} to {value} it takes away {} of the {}{}.",
        best.change.path,
        percent(share(best)),
        measure.name(),
        cost.unwrap_or_default(),
    );
    Some(
        Statement::plain("explain.key", text)
            .with("key", best.change.path.as_str())
            .with("cause", best.cause.id)
            .with("share", share(best)),
    )
}

/// The worst episodes, or the one at the moment asked for.
fn episodes(explained: &Explained) -> Vec<Statement> {
    let clock = RunClock::of(&explained.scenario);
    let told_of = |told: &Episode| told_of(told, clock);
    let told = match explained.at {
        Some(moment) => {
            let found = explained.episodes.at(moment.0).into_iter().collect::<Vec<_>>();
            let within =
                found.iter().any(|episode| (episode.from_s..=episode.until_s + 60.0).contains(&moment.0));
            if !within {
                let text = format!(
                    "At {} no more requests were late or lost than promised{}",
                    clock.show(moment.0),
                    if found.is_empty() { "." } else { "; the nearest episode:" }
                );
                let none = Statement::plain("explain.calm", text).with("at_s", moment.0);
                let nearest = found.into_iter().map(told_of);
                return std::iter::once(none).chain(nearest).collect();
            }
            found
        }
        None => explained.episodes.worst(TOLD),
    };
    told.into_iter().map(told_of).collect()
}

fn told_of(told: &Episode, clock: RunClock) -> Statement {
    Statement::plain("explain.episode", episode(told, clock))
        .with("from_s", told.from_s)
        .with("until_s", told.until_s)
        .with("late", told.late as f64)
}

/// What a reader should know.
pub fn notes(explained: &Explained) -> Vec<Statement> {
    let mut notes = Vec::new();
    let episodes = explained.episodes.all.len();
    if episodes > 0 {
        let counted = format::counted(episodes, "episode");
        let number = explained.episodes.replication;
        let text = match RunClock::of(&explained.scenario).words() {
            Some(words) => {
                format!("{words} The episodes are those of replication {number}, which has {counted}.")
            }
            None => format!(
                "Times are hours, minutes and seconds from the start of replication {number}, which has {counted}."
            ),
        };
        notes.push(Statement::plain("explain.replication", text));
    }
    if let Some(promise) = explained.promise {
        let text = format!(
            "Of several promises the one explained is that which uses most of its error budget: {}.",
            promise.describe(show_span)
        );
        notes.push(Statement::plain("explain.promise", text));
    }
    let text = "Alone: taken away by itself. Last: taken away after all others. Share: the mean over all orders (Shapley), \
                which adds up. Each is what the simulation does on the same random numbers with the other settings kept; a \
                policy tuned anew would do otherwise.";
    notes.push(Statement::plain("explain.terms", text));
    if let Some(orders) = explained.orders {
        let text = format!(
            "The causes are too many for every set of them: shares are means over {orders} orders drawn for each \
             replication, and their intervals hold that error too."
        );
        notes.push(Statement::plain("explain.orders", text));
    }
    if !explained.without_effect.is_empty() {
        let names: Vec<&str> = explained.without_effect.iter().map(|cause| cause.name).collect();
        notes.push(Statement::plain(
            "explain.without_effect",
            format!("Without effect: {}.", names.join(", ")),
        ));
    }
    notes
}

fn effects(explained: &Explained, measure: Measure) -> impl Iterator<Item = (&CauseAccount, &Effect)> {
    explained.accounts.iter().filter_map(move |account| Some((account, account.effects.get(&measure)?)))
}

fn mean(estimate: Estimate) -> f64 {
    estimate.mean.unwrap_or(0.0)
}

/// A share with its interval: `34.9 % (28.4 to 41.1)`.
pub(super) fn percent(share: Estimate) -> String {
    let Some(mean) = share.mean else { return "–".to_owned() };
    // What rounds to nothing has no sign.
    let percent = |value: f64| format!("{:.1}", (1000.0 * value).round() / 10.0 + 0.0);
    match share.low.zip(share.high) {
        Some((low, high)) if percent(low) != percent(high) => {
            format!("{} % ({} to {})", percent(mean), percent(low), percent(high))
        }
        _ => format!("{} %", percent(mean)),
    }
}

//! What must hold between the tables of a scenario.

use super::paths::place_of;
use super::precision::Precision;
use super::run::Run;
use super::{decode, decode_tables};
use crate::autoscaler::{Per, Quantity, Rounded, Signal, Watched};
use crate::document::shown::controls_display;
use crate::schema::{Place, Problem, Reader, Tree};
use crate::service;
use crate::sim::{Conflict, MAX_SLOTS, Model};
use crate::time::Span;

/// More requests in one run than anyone waits for.
const MOST_REQUESTS: f64 = 1e12;

/// More evaluations or scrapes in one run than anyone waits for.
const MOST_TICKS: u64 = 1_000_000_000;

/// Requests a second that one core simulates, about; for estimates of patience.
const SIMULATED_PER_S: f64 = 2e7;

/// Bytes that the latencies of one scrape take, when a quantile of them is watched.
const LATENCY_SCRAPE_BYTES: u64 = 16_384;

/// Bytes that scrapes may take.
const MOST_SCRAPE_BYTES: u64 = 1 << 30;

/// The name of the scenario: as written, else `stem`.
pub(super) fn name(reader: &Reader<'_>, written: Option<String>, stem: &str) -> Result<String, Problem> {
    let (shown, name) = match &written {
        Some(name) => ("`name`", name.as_str()),
        None => ("the name of the file", stem),
    };
    let fault = if name.trim().is_empty() {
        "is empty"
    } else if name.chars().count() > 100 {
        "is longer than 100 characters"
    } else if name.chars().any(|c| controls_display(c) || "/\\:*?\"<>|".contains(c)) {
        "has a character that some systems do not allow in names of files"
    } else if name.starts_with(['.', '-', ' ']) || name.ends_with(['.', ' ']) {
        "starts or ends with a character that is trouble in file names"
    } else {
        return Ok(name.to_owned());
    };
    let label = "expected the name of a folder: letters, digits, `_`, `-` and spaces are fine";
    let problem = reader.problem("name", format!("{shown} {fault}"), label);
    Err(match written {
        Some(_) => problem,
        None => problem.help("give the scenario a name of its own: name = \"my-endpoint\""),
    })
}

/// Everything that the tables' own readers cannot know.
pub(super) fn model(tree: &Tree, model: &Model) -> Result<(), Problem> {
    if let Some(Conflict { key, other, reason }) = model.conflict() {
        let message = format!("`{key}` does not go with `{other}`");
        return Err(Problem::new(&place_of(tree, key), message, reason));
    }
    future(tree, model)?;
    tokens(tree, model)?;
    initial(tree, model)?;
    shares(tree, model)?;
    reach(tree, model)?;
    slots(tree, model)?;
    scrapes(tree, model)?;
    times(tree, model)?;
    ticks(tree, model)?;
    requests(tree, model)
}

/// What must hold between the tables of a pool that decodes, by the paths that they have in the whole scenario.
pub(super) fn decode_pool(tree: &Tree, model: &Model) -> Result<(), Problem> {
    let Some((tables, decode)) = decode::as_scenario(tree, model) else { return Ok(()) };
    let checked = match decode.conflict() {
        Some(Conflict { key, other, reason }) => {
            let message = format!("`{key}` does not go with `{other}`");
            Err(Problem::new(&place_of(&tables, key), message, reason))
        }
        None => pool(&tables, &decode),
    };
    checked.map_err(decode_tables::problem)
}

/// What must hold of a pool whose requests another sends.
fn pool(tree: &Tree, model: &Model) -> Result<(), Problem> {
    tokens(tree, model)?;
    initial(tree, model)?;
    shares(tree, model)?;
    reach(tree, model)?;
    scrapes(tree, model)?;
    ticks(tree, model)
}

/// What users will ask for depends on the answers: nobody can be given it in advance.
fn future(tree: &Tree, model: &Model) -> Result<(), Problem> {
    if model.client.users.is_none() || model.autoscaler.bound().is_empty() {
        return Ok(());
    }
    let message = "`autoscaler.kind` does not go with `client.users`";
    let label = "this autoscaler is given the requests to come, and those of users depend on the answers";
    Err(Problem::new(&place_of(tree, "autoscaler.kind"), message, label))
}

/// A policy that goes by tokens needs a cache that holds them.
fn tokens(tree: &Tree, model: &Model) -> Result<(), Problem> {
    if !model.autoscaler.counts_tokens() || model.token_context().is_some() {
        return Ok(());
    }
    let message = "the autoscaler counts the tokens of a KV cache, and the service has none";
    let label = "expected `service.model = \"llm\"` with `kv_tokens` or a preset";
    let help = "llm-d before 0.9 goes by shares and queues: release = \"0.8\"";
    Err(Problem::new(&place_of(tree, "autoscaler.kind"), message, label).help(help))
}

/// A share of capacity is 0 to 1: what waits for more never adds an instance.
fn shares(tree: &Tree, model: &Model) -> Result<(), Problem> {
    let is_beyond = |watched: &Watched| watched.signal.quantity() == Quantity::Share && watched.target > 1.0;
    let Some(watched) = model.autoscaler.watched().into_iter().find(is_beyond) else {
        return Ok(());
    };
    let what_comes = if watched.adds() { "it never gets there" } else { "it is always below that" };
    let Watched { key, signal, target, is_percent, .. } = watched;
    let (path, name) = (format!("autoscaler.{key}"), signal.name());
    if is_percent {
        let message = format!(
            "`{path}` is {} %, but an instance is never busier than 100 %: {what_comes}",
            Rounded(100.0 * target)
        );
        let help = "instances that may use more than they request are not modelled: give the target as a percentage of the most \
                    that one can use";
        return Err(Problem::new(&place_of_target(tree, &path), message, "expected at most 100").help(help));
    }
    let message = format!("`{path}` is {target}, but `{name}` is a share, 0 to 1: {what_comes}");
    let (label, help) = match target <= 100.0 {
        true => (format!("expected at most 1: write {} for {target} %", target / 100.0), None),
        false => ("expected at most 1".to_owned(), Some("choose another signal if it is no share")),
    };
    let place = place_of_target(tree, &path);
    let problem = Problem::new(&place, message, label);
    Err(match help {
        Some(line) => problem.help(line),
        None => problem,
    })
}

/// A value that a signal cannot reach in this model is never compared with what is meant.
fn reach(tree: &Tree, model: &Model) -> Result<(), Problem> {
    let places = f64::from(model.service.model.most_at_once());
    let has_cache = matches!(&model.service.model, service::Model::Llm(llm) if llm.blocks < u64::MAX);
    let named = model.autoscaler.watched().into_iter().filter(|watched| !watched.is_of_system);
    for Watched { key, signal, target, per, .. } in named {
        let path = format!("autoscaler.{key}");
        let (message, label) = match signal {
            Signal::KvCache if !has_cache => (
                format!(
                    "`{path}` is never reached: the service has no KV cache of limited size, so \"kv_cache\" is always 0"
                ),
                "expected a service of model \"llm\" with the size of its cache, or another signal",
            ),
            Signal::PromptTokenRate | Signal::OutputTokenRate | Signal::Ttft | Signal::Tpot
                if !matches!(model.service.model, service::Model::Llm(_)) =>
            {
                (
                    format!("`{path}` is never reached: the service counts no tokens"),
                    "expected a service of model \"llm\", or another signal",
                )
            }
            Signal::Concurrency if target > places && per == Per::Instance => (
                format!(
                    "`{path}` is never reached: it is {target}, but an instance serves at most {places} requests at a time"
                ),
                "expected no more than that, or \"in_flight\", which counts requests that wait too",
            ),
            _ => continue,
        };
        return Err(Problem::new(&place_of_target(tree, &path), message, label));
    }
    Ok(())
}

/// Where a target stands; in a manifest or not.
fn place_of_target(tree: &Tree, path: &str) -> Place {
    const FROM: &str = "autoscaler.from";
    match tree.get(path) {
        None if tree.get(FROM).is_some() => place_of(tree, FROM),
        _ => place_of(tree, path),
    }
}

/// What is written and changes nothing, in words.
pub(super) fn without_effect(tree: &Tree, model: &Model) -> Vec<String> {
    let autoscaler = &model.autoscaler;
    let from = model.service.from_trace;
    let pool = model.instances.warm_pool.as_ref();
    // Both at zero are a cold start that is written down, to compare with.
    let is_below = pool
        .is_some_and(|pool| pool.min_size > 0 && pool.max_prepared.is_some_and(|most| most <= pool.min_size));
    const DRAWN: &str = "requests take what `[service]` says";
    let is_open = model.client.users.is_none();
    const USERS: &str = "the users of `[client]` send the requests";
    let candidates = [
        ("arrivals", !is_open, USERS),
        (
            "metrics.window",
            autoscaler.scrapes() && !autoscaler.uses_metrics_window(),
            "the autoscaler averages over windows of its own",
        ),
        ("arrivals.prompt_tokens", is_open && !from.prompt_tokens, DRAWN),
        ("arrivals.output_tokens", is_open && !from.output_tokens, DRAWN),
        ("arrivals.service_time", is_open && !from.time, DRAWN),
        ("arrivals.service_unit", is_open && !from.time, DRAWN),
        (
            "instances.warm_pool.max_prepared",
            is_below,
            "it is no more than `min_size`, which is kept warm anyway",
        ),
    ];
    let idle = candidates.into_iter().filter(|(key, is_idle, _)| *is_idle && tree.get(key).is_some());
    idle.map(|(key, _, reason)| format!("`{key}` has no effect: {reason}")).collect()
}

/// A share of a promise that nobody made is never known.
pub(super) fn precision(tree: &Tree, model: &Model, run: &Run) -> Result<(), Problem> {
    const PATH: &str = "run.precision.metric";
    match run.precision {
        Some(Precision { metric: metric @ "slo_attainment", .. }) if model.slo.is_none() => {
            let message = format!("`{PATH}` is \"{metric}\" but the scenario has no `[slo]`");
            let label = "expected another metric, or an [slo] table to attain";
            Err(Problem::new(&place_of(tree, PATH), message, label))
        }
        _ => Ok(()),
    }
}

/// What is written stands: an initial size that the autoscaler would not allow is a contradiction.
fn initial(tree: &Tree, model: &Model) -> Result<(), Problem> {
    const PATH: &str = "instances.initial";
    if tree.get(PATH).is_none() {
        return Ok(());
    }
    let (initial, limits) = (model.instances.initial, model.autoscaler.limits());
    let (bound, side) = match () {
        () if initial < limits.min => (limits.min, "minimum"),
        () if initial > limits.max => (limits.max, "maximum"),
        () => return Ok(()),
    };
    if model.autoscaler.schedule().is_none() && limits.min == limits.max {
        let message = format!("`{PATH}` is {initial} but the fixed pool has {bound}");
        let problem = Problem::new(&place_of(tree, PATH), message, format!("expected {bound}"));
        return Err(problem.help("leave it out: a fixed pool starts with `autoscaler.instances`"));
    }
    let message = format!("`{PATH}` is {initial} but the autoscaler's {side} is {bound}");
    let label = match limits.min == limits.max {
        true => format!("expected {}", limits.min),
        false => format!("expected {} to {}", limits.min, limits.max),
    };
    Err(Problem::new(&place_of(tree, PATH), message, label))
}

fn slots(tree: &Tree, model: &Model) -> Result<(), Problem> {
    let service::Model::Slots(slots) = &model.service.model else { return Ok(()) };
    let most = model.autoscaler.limits().max;
    let all = u64::from(most) * u64::from(slots.concurrency);
    if all <= MAX_SLOTS {
        return Ok(());
    }
    let message = format!("{most} instances of {} slots are {all} slots", slots.concurrency);
    let path = model.autoscaler.limiting_path();
    let label = format!("expected at most {MAX_SLOTS} slots in all");
    Err(Problem::new(&place_of(tree, &path), message, label))
}

fn scrapes(tree: &Tree, model: &Model) -> Result<(), Problem> {
    let Some(query) = model.autoscaler.query() else { return Ok(()) };
    let is_of_tokens = matches!(
        query.metric,
        Signal::Ttft | Signal::Tpot | Signal::PromptTokenRate | Signal::OutputTokenRate | Signal::KvCache
    );
    if is_of_tokens && !matches!(model.service.model, service::Model::Llm(_)) {
        let message =
            format!("`autoscaler.metric` is \"{}\", but the service counts no tokens", query.name());
        let label = "expected another metric, or a service of model \"llm\"";
        return Err(Problem::new(&place_of(tree, "autoscaler.metric"), message, label));
    }
    let metrics = &model.metrics;
    if !metrics.window.is_zero() && metrics.window < metrics.scrape_interval {
        let message = format!(
            "`metrics.window` is {}, shorter than the {} between two scrapes",
            metrics.window, metrics.scrape_interval
        );
        let label = "expected at least `metrics.scrape_interval`, or \"0s\" for the last scrape alone";
        return Err(Problem::new(&place_of(tree, "metrics.window"), message, label));
    }
    Ok(())
}

/// Quantiles are taken of all times within a window, which have to be kept.
fn times(tree: &Tree, model: &Model) -> Result<(), Problem> {
    let metrics = &model.metrics;
    let is_of_query = model.autoscaler.query().is_some_and(|query| query.metric.timed().is_some());
    let kinds = model.autoscaler.times().len() + usize::from(is_of_query);
    let bytes = metrics.scrapes_kept().saturating_mul(LATENCY_SCRAPE_BYTES * kinds as u64);
    if bytes > MOST_SCRAPE_BYTES {
        let message = format!(
            "the latencies of {} scrapes would take {} of memory",
            metrics.scrapes_kept(),
            super::fits::show_bytes(bytes as f64)
        );
        let most = MOST_SCRAPE_BYTES / LATENCY_SCRAPE_BYTES / kinds.max(1) as u64;
        let label = format!("expected at most {most} scrapes");
        let problem = Problem::new(&place_of(tree, "metrics.window"), message, label);
        return Err(problem.help("take a shorter `window` or `delay`, or a longer `scrape_interval`"));
    }
    Ok(())
}

fn ticks(tree: &Tree, model: &Model) -> Result<(), Problem> {
    let Some(schedule) = model.autoscaler.schedule() else { return Ok(()) };
    let periods = [
        ("autoscaler.interval", schedule.interval, "evaluations"),
        ("metrics.scrape_interval", model.metrics.scrape_interval, "scrapes"),
    ];
    for (path, period, what) in periods {
        let count = model.duration.as_nanos() / period.as_nanos().max(1);
        if count > MOST_TICKS {
            let message = format!("`{path}` is {period}, which makes {count} {what} in a run");
            let label = format!("expected at most {MOST_TICKS}");
            return Err(Problem::new(&place_of(tree, path), message, label));
        }
    }
    Ok(())
}

fn requests(tree: &Tree, model: &Model) -> Result<(), Problem> {
    let requests = model.expected_requests(model.duration);
    if requests <= MOST_REQUESTS {
        return Ok(());
    }
    let time = Span::from_secs_f64((requests / SIMULATED_PER_S / 3600.0).ceil() * 3600.0);
    let message = format!("these arrivals are about {requests:.1e} requests in a run of {}", model.duration);
    let label =
        format!("expected at most {MOST_REQUESTS:.0e}; this many would take about {time} to simulate");
    Err(Problem::new(&place_of(tree, "arrivals"), message, label))
}

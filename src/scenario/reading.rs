//! What was read, as the simulator understands it: a digest that a person verifies at a glance, before any figure.
//!
//! It says nothing that the model does not hold: the words are made of the assembled [`Model`], and of the keys as they
//! are written where a unit or a default has to be told.

use super::read_fact::{ReadFact, grouped, number, per_second};
use super::{autoscaler_reading, closed_loop, decode};
use crate::arrivals::Arrivals;
use crate::schema::{Context, Data, Node, Problem, Tree};
use crate::sim::{BilledFrom, Instances, Model, Stage, Transfer};
use crate::time::Span;
use crate::units::show_span;

/// The digest of the scenario in `tree`, which came to `model`.
///
/// # Errors
/// A manifest cannot be read any more.
pub(super) fn of(tree: &Tree, model: &Model, context: &Context) -> Result<Vec<ReadFact>, Problem> {
    let mut facts = vec![arrivals(tree, model), service(model), cold_start(&model.instances), price(model)];
    facts.extend(recording(model));
    facts.push(slo(model));
    facts.extend(autoscaler_reading::of(tree, model, context)?);
    if let (Some((tables, pool)), Some(own)) = (decode::as_scenario(tree, model), &model.decode) {
        facts.push(transfer(&own.transfer));
        let mut of_pool = vec![service(&pool), cold_start(&pool.instances), price(&pool)];
        of_pool.extend(autoscaler_reading::of(&tables, &pool, context)?);
        facts.extend(of_pool.into_iter().filter_map(in_decode));
    }
    Ok(facts)
}

/// Lines of the pool that decodes, by those of a pool.
const IN_DECODE: [(&str, &str, &str); 8] = [
    ("reading.service", "reading.decode_service", "decode"),
    ("reading.cold_start", "reading.decode_cold_start", "decode start"),
    ("reading.price", "reading.decode_price", "decode price"),
    ("reading.autoscaler", "reading.decode_autoscaler", "decode pool"),
    ("reading.metric", "reading.decode_metric", "decode watch"),
    ("reading.settings", "reading.decode_settings", "decode keys"),
    ("reading.defaults", "reading.decode_defaults", "decode unset"),
    ("reading.unused", "reading.decode_unused", "decode unused"),
];

/// The line of a pool as that of the pool that decodes.
fn in_decode(fact: ReadFact) -> Option<ReadFact> {
    let (_, id, topic) = *IN_DECODE.iter().find(|(id, ..)| *id == fact.id)?;
    Some(ReadFact { id, topic, ..fact })
}

fn transfer(transfer: &Transfer) -> ReadFact {
    let Transfer { bytes_per_token, bandwidth, latency, concurrent } = *transfer;
    let mut text = show_span(latency);
    if bandwidth.is_finite() {
        let (kilobytes, gigabytes) = (bytes_per_token / 1e3, bandwidth / 1e9);
        text += &format!(
            " + {} kB a token at {} GB/s: {} for 1,000 tokens",
            grouped(kilobytes),
            grouped(gigabytes),
            seconds(transfer.time(1000).as_secs_f64())
        );
    }
    if let Some(most) = concurrent {
        text += &format!(", at most {most} at a time");
    }
    ReadFact::new("reading.transfer", "KV transfer", text)
        .essential()
        .with("bytes_per_token", bytes_per_token)
        .with("latency_s", latency.as_secs_f64())
}

fn arrivals(tree: &Tree, model: &Model) -> ReadFact {
    let Model { arrivals, duration, .. } = model;
    let text = |path: &str| match tree.get(path) {
        Some(Node { data: Data::Text(text), .. }) => Some(text.as_str()),
        _ => None,
    };
    let mut what = text("arrivals.kind").unwrap_or_default().to_owned();
    if let Some(file) = text("arrivals.file") {
        what += &format!(" of {file}");
    }
    let fact = ReadFact::new("reading.arrivals", "arrivals", String::new()).essential();
    if let Some(users) = &model.client.users {
        let (users_shown, most) = (closed_loop::in_words(users), arrivals.peak_rate());
        let text = format!("{users_shown}; at most about {}", per_second(most));
        return ReadFact { text, ..fact.with("users", users.most().into()).with("peak_rate", most) };
    }
    let (mean, peak) = (arrivals.mean_rate(*duration), arrivals.peak_rate());
    let mut fact = fact.with("mean_rate", mean).with("peak_rate", peak);
    if let Some((used, all)) = rows(arrivals) {
        what += &match used == all {
            true => format!(", all {} rows", grouped(all as f64)),
            false => format!(", {} of {} rows", grouped(used as f64), grouped(all as f64)),
        };
        fact = fact.with("rows_used", used as f64).with("rows", all as f64);
    }
    if let Some(natural) = arrivals.natural_duration() {
        what += &format!(", which span {}", show_span(natural));
        fact = fact.with("span_s", natural.as_secs_f64());
    }
    let mut text = format!("{what}: mean {}, peak {}", per_second(mean), per_second(peak));
    if let Some(session) = &model.client.session {
        let turns = session.turns.0.mean();
        text += &format!(", each the first of a session of {turns} turns on average");
        fact = fact.with("turns", turns);
        if let Some(mean) = model.service.in_sessions {
            text += &format!(" with prompts of {} tokens", grouped(mean.prompt.round()));
            fact = fact.with("mean_prompt_tokens", mean.prompt);
        }
    }
    if let Some(most) = model.client.max_outstanding {
        text += &format!(", at most {most} outstanding");
        fact = fact.with("max_outstanding", most.into());
    }
    ReadFact { text, ..fact }
}

/// How the file of the traffic was read, if it was recognised by its content.
fn recording(model: &Model) -> Vec<ReadFact> {
    let Some(reading) = model.arrivals.reading() else { return Vec::new() };
    let text = format!(
        "{}: {}, {} of {} rows used; instants: {}; {} to {}",
        reading.file, reading.form, reading.used, reading.rows, reading.time, reading.first, reading.last
    );
    let whole = ReadFact::new("reading.recording", "recording", text)
        .with("rows", reading.rows as f64)
        .with("rows_used", reading.used as f64);
    let note = |note: &String| ReadFact::new("reading.recording_note", "recording", note.clone());
    std::iter::once(whole).chain(reading.notes.iter().map(note)).collect()
}

/// Rows replayed and rows of the file, of a trace.
fn rows(arrivals: &Arrivals) -> Option<(usize, usize)> {
    let rows = arrivals.rows()?;
    Some((rows.part().len(), rows.trace().instants.len()))
}

fn service(model: &Model) -> ReadFact {
    let service = &model.service;
    let most = service.throughput();
    let how = service.model.in_words(&seconds(service.time.0.mean()));
    let approximately = if service.model.is_approximate() { "about " } else { "" };
    let mut text = format!("{how}: one instance serves {approximately}{} at saturation", per_second(most));
    let mut fact =
        ReadFact::new("reading.service", "service", String::new()).essential().with("saturation_rate", most);
    if let Some(at_target) = autoscaler_reading::rate_at_target(model) {
        text += &format!(", {} at the autoscaler's target", per_second(at_target));
        fact = fact.with("target_rate", at_target);
    }
    ReadFact { text, ..fact }
}

fn cold_start(instances: &Instances) -> ReadFact {
    let mean = |stages: &[Stage]| stages.iter().map(|stage| stage.time.0.mean()).sum::<f64>();
    let kinds = instances.kinds();
    let of_kind = |kind: &crate::sim::InstanceType| {
        let named = if kind.name.is_empty() { String::new() } else { format!("{}: ", kind.name) };
        let stages = match kind.cold_start.len() {
            0 | 1 => String::new(),
            many => format!(" in {many} stages"),
        };
        match mean(&kind.cold_start) {
            0.0 => format!("{named}none"),
            time => format!("{named}{} on average{stages}", seconds(time)),
        }
    };
    let mut texts: Vec<String> = kinds.iter().map(of_kind).collect();
    texts.extend(instances.warm_up.as_ref().map(|warm_up| {
        let time = seconds(warm_up.time.0.mean());
        format!("then busy with itself to {:.0} % for {time}", 100.0 * warm_up.utilization)
    }));
    texts.extend(instances.rollouts.iter().map(|rollout| format!("rolled out at {}", rollout.at)));
    let fact = ReadFact::new("reading.cold_start", "cold start", texts.join("; ")).essential();
    kinds.iter().take(1).fold(fact, |fact, kind| fact.with("mean_s", mean(&kind.cold_start)))
}

fn price(model: &Model) -> ReadFact {
    let cost = &model.cost;
    let from = match cost.billed_from {
        BilledFrom::Requested => "from the scale-up decision on",
        BilledFrom::Ready => "from ready on",
    };
    let of_kind = |kind: &crate::sim::InstanceType| {
        let named = if kind.name.is_empty() { String::new() } else { format!("{} ", kind.name) };
        format!("{named}{}", kind.per_instance_hour.unwrap_or(cost.per_instance_hour))
    };
    let prices = model.instances.kinds().iter().map(of_kind).collect::<Vec<_>>().join(", ");
    let text = format!("{prices} {} an instance-hour, billed {from}", cost.currency);
    ReadFact::new("reading.price", "price", text)
        .essential()
        .with("per_instance_hour", cost.per_instance_hour)
}

fn slo(model: &Model) -> ReadFact {
    let fact = |text: String| ReadFact::new("reading.slo", "SLO", text).essential();
    let Some(slo) = model.slo else { return fact("none: nothing is promised".into()) };
    let promises: Vec<String> = slo.promises().map(|promise| promise.describe(show_span)).collect();
    fact(promises.join("; ")).with("percentile", slo.percentile)
}

/// A time to three significant digits.
fn seconds(seconds: f64) -> String {
    let rounded = if seconds >= 1000.0 { Some(seconds.round()) } else { number(seconds).parse().ok() };
    show_span(Span::from_secs_f64(rounded.unwrap_or(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ScenarioFile;

    fn digest(text: &str) -> Vec<ReadFact> {
        ScenarioFile::parse("a.toml", text, ".").unwrap().scenario().unwrap().reading
    }

    const BASE: &str = "[arrivals]\nkind = \"poisson\"\nrate = 20\n[service]\ntime = \"200ms\"\nconcurrency = 4\n\
                        [instances]\ncold_start = \"90s\"\n[slo]\nlatency = \"2s\"\n[run]\nduration = \"1h\"\n";

    #[test]
    fn the_digest_says_what_arrives_what_is_served_and_what_is_promised() {
        let facts = digest(&format!("{BASE}[autoscaler]\nkind = \"fixed\"\ninstances = 3\n"));
        let text = |id: &str| facts.iter().find(|fact| fact.id == id).map_or("", |fact| fact.text.as_str());
        assert_eq!(text("reading.arrivals"), "poisson: mean 20 requests/s, peak 20 requests/s");
        assert_eq!(
            text("reading.service"),
            "4 at a time, 200ms each: one instance serves 20 requests/s at saturation"
        );
        assert_eq!(text("reading.cold_start"), "1m 30s on average");
        assert_eq!(text("reading.price"), "1 USD an instance-hour, billed from the scale-up decision on");
        assert_eq!(text("reading.slo"), "99 % of requests within 2s");
        assert!(text("reading.autoscaler").starts_with("fixed"), "{facts:?}");
    }
}

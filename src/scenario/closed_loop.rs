//! What is to be expected of users in a closed loop, whose requests depend on the answers.

use crate::arrivals::Arrivals;
use crate::schema::{Problem, Reader};
use crate::service::{Model, Service};
use crate::sim::{Session, Users};
use crate::time::Span;
use crate::units::show_span;

/// Their arrivals, of which nothing is known but when they end.
pub(super) fn unknown(users: &Users) -> Arrivals {
    Arrivals::answered(Vec::new(), users.natural_duration())
}

/// Their arrivals before at most so many instances: no more than if nobody ever waited, and no more than these answer
/// (the asymptotic bounds of a closed system; Denning and Buzen, "The operational analysis of queueing network models",
/// 1978).
///
/// # Errors
/// Users who neither think nor wait send without end.
pub(super) fn expected(
    reader: &Reader<'_>,
    users: &Users,
    session: Option<&Session>,
    (service, most): (&Service, u32),
) -> Result<Arrivals, Problem> {
    // Between two requests of a user, on average: of so many in a session one is followed by the user's own think time.
    let think_s = users.think_time.0.mean();
    let think_s = session.map_or(think_s, |session| {
        let turns = session.turns.0.mean().max(1.0);
        (think_s + (turns - 1.0) * session.think_time.0.mean()) / turns
    });
    let cycle_s = think_s + least_latency_s(service);
    let capacity = f64::from(most) * service.throughput();
    let rate = |count: f64| if count > 0.0 { (count / cycle_s).min(capacity) } else { 0.0 };
    let points: Vec<(f64, f64)> =
        users.profile().into_iter().map(|(at_s, count)| (at_s, rate(count))).collect();
    if points.iter().any(|(_, rate)| !rate.is_finite()) {
        let message = "the users of `[client]` do not think, and their requests take no time: they would send without end at one instant";
        let label = "expected a `think_time`, or a service that takes time";
        return Err(reader.problem("client", message, label));
    }
    Ok(Arrivals::answered(points, users.natural_duration()))
}

/// About how long a request takes that does not wait.
fn least_latency_s(service: &Service) -> f64 {
    match &service.model {
        Model::Slots(_) => service.time.0.mean(),
        Model::Llm(llm) => 1.0 / service.throughput() + (llm.overhead[0] + llm.overhead[1]).as_secs_f64(),
        model => f64::from(model.places()) / service.throughput(),
    }
}

/// The users in words.
pub(super) fn in_words(users: &Users) -> String {
    let think = match users.think_time.0.mean() {
        0.0 => "no think time".to_owned(),
        mean => format!("think time {} on average", show_span(Span::from_secs_f64(mean))),
    };
    let most = match users.most() {
        1 => "1 user".to_owned(),
        many => format!("{many} users"),
    };
    let count = match users.stages.len() {
        0 => most,
        1 => format!("up to {most} in 1 stage"),
        many => format!("up to {most} in {many} stages"),
    };
    format!("closed loop: {count}, {think}")
}

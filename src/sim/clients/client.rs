//! `[client]`: whoever sends the requests, and what they do when no answer comes.

use rand::RngExt as _;

use super::session::{SESSION, Session};
use super::users::{MAX_OUTSTANDING, PAUSE_AFTER_FAILURE, STAGES, THINK_TIME, USERS, Users};
use crate::distribution::{Distribution, Durations};
use crate::random::{Purpose, Streams};
use crate::schema::{Choice, Context, Key, Kind, Node, Problem, Reader, TableSpec, Value, read_choice};
use crate::time::Span;

/// Who sends requests, and what a client does when no answer comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// Users in a closed loop, who send the requests; `None`: they arrive from outside.
    pub users: Option<Users>,
    /// Sessions of several turns, each of which sends all before it again; `None`: each request stands by itself.
    pub session: Option<Session>,
    /// Maximum number of requests sent and not yet answered; `None`: no limit.
    pub max_outstanding: Option<u32>,
    /// How long an attempt may take before the client gives it up; `None`: as long as it takes.
    pub timeout: Option<Span>,
    /// How long an attempt may take to the first token of its answer before the client gives it up; `None`: as long as it takes.
    pub first_token_timeout: Option<Span>,
    /// What becomes of an attempt that is given up.
    pub abandoned: Abandoned,
    /// Maximum number of times a request is sent again.
    pub retries: u32,
    /// What it is sent again after.
    pub retry_on: RetryOn,
    /// Pause before it is sent again.
    pub backoff: Backoff,
    /// After how long without an answer a second copy is sent; `None`: never.
    pub hedge_after: Option<Span>,
    /// Whether the copy that is not needed is cancelled.
    pub hedge_cancel: bool,
}

/// What becomes, in the pool, of an attempt its client has given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Abandoned {
    /// Nobody notices: it is served all the same, and in vain.
    #[default]
    Served,
    /// It is dropped if it still waits; service that has begun continues in vain.
    Dropped,
    /// It is dropped, its service stopped if it has begun.
    Stopped,
}

impl Choice for Abandoned {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("served", Abandoned::Served, "nobody notices: it is served all the same, and in vain"),
        (
            "dropped",
            Abandoned::Dropped,
            "it is dropped if it still waits; service that has begun continues in vain",
        ),
        (
            "stopped",
            Abandoned::Stopped,
            "it is dropped, and its service stopped if it has begun: a slot or a share is free at once, an `llm` frees its place and its cache with the iteration in progress; a batch that has begun cannot be stopped",
        ),
    ];
}

impl Value for Abandoned {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// How an attempt can come to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Turned away by a full queue.
    Rejected,
    /// Given up by the client, or by the queue.
    TimedOut,
    /// Lost with its instance.
    Failed,
}

impl Choice for Fault {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("rejected", Fault::Rejected, "rejected by a full queue"),
        ("timed_out", Fault::TimedOut, "timed out at the client, or in the queue"),
        ("failed", Fault::Failed, "lost with its instance"),
    ];
}

impl Value for Fault {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

/// The faults a request is sent again after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOn {
    /// After [`Fault::Rejected`].
    pub rejected: bool,
    /// After [`Fault::TimedOut`].
    pub timed_out: bool,
    /// After [`Fault::Failed`].
    pub failed: bool,
}

impl RetryOn {
    /// After any.
    pub const ANY: RetryOn = RetryOn { rejected: true, timed_out: true, failed: true };

    /// Whether after `fault`.
    pub fn includes(self, fault: Fault) -> bool {
        match fault {
            Fault::Rejected => self.rejected,
            Fault::TimedOut => self.timed_out,
            Fault::Failed => self.failed,
        }
    }
}

/// The pause before a retry.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    /// The pause before the first retry, in seconds, drawn for each.
    pub first: Durations,
    /// What it is multiplied by with every further retry; 1 or more.
    pub factor: f64,
    /// The longest pause, before jitter.
    pub longest: Span,
    /// What chance makes of it.
    pub jitter: Jitter,
}

/// What chance makes of a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Jitter {
    /// Nothing.
    None,
    /// Anything from half of it to the whole.
    Equal,
    /// Anything from nothing to the whole.
    #[default]
    Full,
}

impl Choice for Jitter {
    const OPTIONS: &'static [(&'static str, Self, &'static str)] = &[
        ("none", Jitter::None, "the pause as it is"),
        ("equal", Jitter::Equal, "uniform from half of the pause to the whole"),
        ("full", Jitter::Full, "uniform from nothing to the whole pause"),
    ];
}

impl Value for Jitter {
    fn kind() -> Kind {
        Self::choices()
    }
    fn read(node: &Node, path: &str, _: &Context) -> Result<Self, Problem> {
        read_choice(node, path)
    }
}

const TIMEOUT: Key<Option<Span>> = Key::optional(
    "timeout",
    "Time-out of an attempt: how long the client waits for its answer, service included. Without it there is none.",
)
.above(0.0);
const FIRST_TOKEN_TIMEOUT: Key<Option<Span>> = Key::optional(
    "first_token_timeout",
    "Time-out of an attempt to the first token of its answer, for an `llm`: how long the client waits for an answer to begin. As with `timeout`, what `abandoned` says becomes of it, and it counts as timed out. Without it there is none.",
)
.above(0.0);
const ABANDONED: Key<Abandoned> = Key::or(
    "abandoned",
    "\"served\"",
    "What happens to an attempt that has timed out at the client. Most servers do not notice.",
);
const RETRIES: Key<u32> = Key::or("retries", "0", "Maximum retries of a request.");
const RETRY_ON: Key<Vec<Fault>> =
    Key::or("retry_on", "[\"rejected\", \"timed_out\", \"failed\"]", "What a request is sent again after.");
const BACKOFF: Key<Durations> = Key::or(
    "backoff",
    "\"100ms\"",
    "Pause before the first retry: a duration, or a distribution from which every pause is drawn.",
);
const BACKOFF_FACTOR: Key<f64> =
    Key::or("backoff_factor", "2", "What the pause is multiplied by with every further retry.")
        .at_least(1.0)
        .at_most(100.0);
const BACKOFF_MAX: Key<Span> = Key::or("backoff_max", "\"20s\"", "The longest pause, before jitter.");
const JITTER: Key<Jitter> = Key::or(
    "jitter",
    "\"full\"",
    "What chance makes of the pause, so that clients that failed together do not come back together.",
);
const HEDGE_AFTER: Key<Option<Span>> = Key::optional(
    "hedge_after",
    "After how long without an answer a second copy of the request is sent; the first answer counts. Without it never.",
);
const HEDGE_CANCEL: Key<bool> = Key::or(
    "hedge_cancel",
    "true",
    "Whether the copy that is not needed is cancelled, waiting or in service; otherwise it is served in vain.",
);

impl Client {
    /// The `[client]` table.
    pub const SPEC: TableSpec = TableSpec {
        name: "client",
        doc: "Who sends the requests and how, and what the clients do when no answer comes: users in a closed loop, a cap on requests outstanding, time-outs, retries and hedges. A request arrives once, however often it is sent, and its latency is from its arrival to its answer, pauses included. The autoscaler sees every attempt.",
        keys: &[
            &USERS,
            &STAGES,
            &THINK_TIME,
            &PAUSE_AFTER_FAILURE,
            &SESSION,
            &MAX_OUTSTANDING,
            &TIMEOUT,
            &FIRST_TOKEN_TIMEOUT,
            &ABANDONED,
            &RETRIES,
            &RETRY_ON,
            &BACKOFF,
            &BACKOFF_FACTOR,
            &BACKOFF_MAX,
            &JITTER,
            &HEDGE_AFTER,
            &HEDGE_CANCEL,
        ],
    };

    /// Reads the `[client]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(reader: &Reader<'_>) -> Result<Client, Problem> {
        let faults = reader.get(&RETRY_ON)?;
        let (users, max_outstanding) = (Users::read(reader)?, reader.find(&MAX_OUTSTANDING)?);
        if users.is_some() && max_outstanding.is_some() {
            let message = "`client.max_outstanding` does not go with `client.users`";
            let label =
                "users who wait for their answers are never more outstanding than they are: leave it out";
            return Err(reader.problem(MAX_OUTSTANDING.name(), message, label));
        }
        let session = reader.find(&SESSION)?;
        if session.is_some() && max_outstanding.is_some() {
            let message = "`client.max_outstanding` does not go with `client.session`";
            let label = "a turn follows the answer to the one before it: leave it out";
            return Err(reader.problem(MAX_OUTSTANDING.name(), message, label));
        }
        Ok(Client {
            users,
            session,
            max_outstanding,
            timeout: reader.find(&TIMEOUT)?,
            first_token_timeout: reader.find(&FIRST_TOKEN_TIMEOUT)?,
            abandoned: reader.get(&ABANDONED)?,
            retries: reader.get(&RETRIES)?,
            retry_on: RetryOn {
                rejected: faults.contains(&Fault::Rejected),
                timed_out: faults.contains(&Fault::TimedOut),
                failed: faults.contains(&Fault::Failed),
            },
            backoff: Backoff {
                first: reader.get(&BACKOFF)?,
                factor: reader.get(&BACKOFF_FACTOR)?,
                longest: reader.get(&BACKOFF_MAX)?,
                jitter: reader.get(&JITTER)?,
            },
            hedge_after: reader.find(&HEDGE_AFTER)?,
            hedge_cancel: reader.get(&HEDGE_CANCEL)?,
        })
    }

    /// Whether it does anything but send a request that arrives and wait for the one answer to the one attempt.
    pub fn is_active(&self) -> bool {
        let gives_up = self.timeout.is_some() || self.first_token_timeout.is_some();
        self.has_feedback() || gives_up || self.retries > 0 || self.hedge_after.is_some()
    }

    /// Whether requests are sent when answers come.
    pub fn has_feedback(&self) -> bool {
        self.users.is_some() || self.session.is_some() || self.max_outstanding.is_some()
    }

    /// Pause before request number `request` of the run is sent again for the `retry`-th time, from 1: drawn from a part
    /// of the stream that is its own, so that one request's pauses never depend on another's.
    pub fn draw_pause(&self, streams: Streams, request: u64, retry: u32) -> Span {
        let Backoff { first, factor, longest, jitter } = &self.backoff;
        let part = request << 16 | u64::from(retry & 0xffff);
        let mut rng = streams.substream(Purpose::Retries, part);
        let grown = first.0.sample(&mut rng) * factor.powi(i32::try_from(retry - 1).unwrap_or(i32::MAX));
        let pause = grown.min(longest.as_secs_f64());
        let share = match jitter {
            Jitter::None => 1.0,
            Jitter::Equal => 0.5 + 0.5 * rng.random::<f64>(),
            Jitter::Full => rng.random::<f64>(),
        };
        Span::from_secs_f64(pause * share)
    }
}

impl Default for Client {
    /// One that waits as long as it takes.
    fn default() -> Self {
        Client {
            users: None,
            session: None,
            max_outstanding: None,
            timeout: None,
            first_token_timeout: None,
            abandoned: Abandoned::Served,
            retries: 0,
            retry_on: RetryOn::ANY,
            backoff: Backoff {
                first: Durations(Distribution::constant(0.1)),
                factor: 2.0,
                longest: Span::from_secs(20),
                jitter: Jitter::Full,
            },
            hedge_after: None,
            hedge_cancel: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(jitter: Jitter) -> Vec<f64> {
        let backoff = Backoff { jitter, longest: Span::from_secs(1), ..Client::default().backoff };
        let client = Client { backoff, ..Client::default() };
        (1..=6).map(|retry| client.draw_pause(Streams::new(1, 0), 7, retry).as_secs_f64()).collect()
    }

    #[test]
    fn pauses_grow_by_the_factor_up_to_the_longest() {
        assert_eq!(pauses(Jitter::None), [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]);
    }

    #[test]
    fn jitter_takes_away_up_to_half_or_all_of_a_pause() {
        let whole = pauses(Jitter::None);
        for (jitter, least) in [(Jitter::Equal, 0.5), (Jitter::Full, 0.0)] {
            let drawn = pauses(jitter);
            assert!(drawn.iter().zip(&whole).all(|(pause, whole)| (least * whole..=*whole).contains(pause)));
            assert!(drawn.iter().zip(&whole).all(|(pause, whole)| pause < whole), "{drawn:?}");
        }
    }
}

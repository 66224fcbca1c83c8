//! What the requests of users and the turns of sessions are drawn from.

use rand::RngExt as _;

use crate::distribution::{Distribution, Durations};
use crate::random::{Purpose, Streams};
use crate::service::{TokenLaws, Tokens, UNKNOWN};
use crate::sim::accounting::Class;
use crate::sim::queueing::{Arrival, NO_TICKET};
use crate::time::Span;

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct RequestLaws {
    /// Service requirement, seconds.
    pub service: Durations,
    /// How long it is willing to wait, seconds; `None`: as long as it takes.
    pub patience: Option<Durations>,
    /// Share of the high class; `None`: classes are not told apart.
    pub high_priority: Option<f64>,
    pub tokens: Option<TokenLaws>,
}

impl RequestLaws {
    /// A request sent at `now`, drawn from this part of the streams.
    pub fn draw(&self, streams: Streams, part: u64, now: u64) -> Arrival {
        let draw = |law: &Distribution, purpose| match law.as_constant() {
            Some(value) => value,
            None => law.sample(&mut streams.substream(purpose, part)),
        };
        let nanos = |law: &Durations, purpose| Span::from_secs_f64(draw(&law.0, purpose)).as_nanos();
        let RequestLaws { service, patience, high_priority, tokens } = self;
        let is_high = |share: f64| streams.substream(Purpose::Class, part).random::<f64>() < share;
        Arrival {
            now,
            service: nanos(service, Purpose::Service),
            patience: patience.as_ref().map_or(u64::MAX, |law| nanos(law, Purpose::Patience)),
            class: if high_priority.is_some_and(is_high) { Class::High } else { Class::Low },
            ticket: NO_TICKET,
            tokens: tokens.as_ref().map_or_else(Tokens::default, |laws| Tokens {
                prompt: Tokens::whole(draw(&laws.prompt.0, Purpose::PromptTokens)),
                output: Tokens::whole(draw(&laws.output.0, Purpose::OutputTokens)),
            }),
            content: UNKNOWN,
        }
    }
}

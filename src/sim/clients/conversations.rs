//! The sessions of a run: what has been said in each, and what its next turn asks for.

use super::request_laws::RequestLaws;
use super::session::Session;
use crate::random::{Purpose, Streams};
use crate::service::Tokens;
use crate::sim::queueing::Arrival;
use crate::time::Span;

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Conversations {
    settings: Session,
    laws: RequestLaws,
    streams: Streams,
    /// By place; places are used again.
    open: Vec<Conversation>,
    vacant: Vec<u32>,
    begun: u32,
}

#[derive(Debug, Clone, Copy)]
struct Conversation {
    /// Its number, from 1.
    content: u32,
    turn: u32,
    turns: u32,
    /// Tokens said so far, those in common included.
    said: u64,
}

/// Numbers of sessions, which are a run's memory many times over.
const MOST_SESSIONS: u32 = u32::MAX >> 1;

/// The next turn of a session.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Turn {
    /// The place of the session.
    pub place: u32,
    /// What it asks for.
    pub arrival: Arrival,
}

impl Conversations {
    /// The sessions before the run.
    pub fn new(settings: Session, laws: RequestLaws, streams: Streams) -> Self {
        Conversations { settings, laws, streams, open: Vec::new(), vacant: Vec::new(), begun: 0 }
    }

    /// A session begins with the turn that `first` asks for.
    pub fn begin(&mut self, first: Arrival) -> Turn {
        self.begun = (self.begun + 1) & MOST_SESSIONS;
        let mut rng = self.streams.substream(Purpose::Turns, u64::from(self.begun));
        let turns = Tokens::whole(self.settings.turns.0.sample(&mut rng));
        let said = self.settings.common_tokens;
        let conversation = Conversation { content: self.begun, turn: 0, turns, said };
        let place = match self.vacant.pop() {
            Some(place) => {
                self.open[place as usize] = conversation;
                place
            }
            None => {
                self.open.push(conversation);
                self.open.len() as u32 - 1
            }
        };
        self.with_all_said(place, first)
    }

    /// A turn has been answered; how long its user thinks before the next one, if there is to be one.
    pub fn answered(&mut self, place: u32, tokens: Tokens) -> Option<Span> {
        let conversation = &mut self.open[place as usize];
        conversation.said = u64::from(tokens.prompt) + u64::from(tokens.output);
        conversation.turn += 1;
        if conversation.turn >= conversation.turns {
            return None;
        }
        let part = part(*conversation);
        let mut rng = self.streams.substream(Purpose::TurnThinking, part);
        Some(Span::from_secs_f64(self.settings.think_time.0.sample(&mut rng)))
    }

    /// The next turn of a session, sent at `now`; `None` if it would be too long.
    pub fn next(&mut self, place: u32, now: u64) -> Option<Turn> {
        let arrival = self.laws.draw(self.streams, part(self.open[place as usize]), now);
        let turn = self.with_all_said(place, arrival);
        let Tokens { prompt, output } = turn.arrival.tokens;
        let total = u64::from(prompt) + u64::from(output);
        self.settings.max_context.is_none_or(|most| total <= most).then_some(turn)
    }

    /// A session is over.
    pub fn end(&mut self, place: u32) {
        self.vacant.push(place);
    }

    fn with_all_said(&self, place: u32, arrival: Arrival) -> Turn {
        let Conversation { content, said, .. } = self.open[place as usize];
        let Tokens { prompt, output } = arrival.tokens;
        let prompt = u32::try_from(said + u64::from(prompt)).unwrap_or(u32::MAX);
        Turn { place, arrival: Arrival { content, tokens: Tokens { prompt, output }, ..arrival } }
    }
}

/// The part of a stream that the draws for a turn come from: those of a session's n-th turn are the same under every setting
/// in which the session has the same number. The highest bit tells them from those of users.
fn part(conversation: Conversation) -> u64 {
    1 << 63 | u64::from(conversation.content) << 32 | u64::from(conversation.turn)
}

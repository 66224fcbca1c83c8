//! The users of a closed loop in a run: who thinks and who waits, and what each asks for next.

use super::request_laws::RequestLaws;
use super::users::Users;
use crate::random::{Purpose, Streams};
use crate::sim::queueing::Arrival;
use crate::time::Span;

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Crowd {
    settings: Users,
    laws: RequestLaws,
    streams: Streams,
    users: Vec<User>,
}

#[derive(Debug, Clone, Copy, Default)]
struct User {
    /// Requests sent so far.
    sent: u32,
    /// Whether it is to be there.
    wanted: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Away,
    Thinking,
    Waiting,
}

impl Crowd {
    /// The users before the run.
    pub fn new(settings: Users, laws: RequestLaws, streams: Streams) -> Self {
        let users = vec![User::default(); settings.most() as usize];
        Crowd { settings, laws, streams, users }
    }

    /// When each user comes and goes; see [`Users::changes`].
    pub fn changes(&self) -> Vec<(u64, u32, bool)> {
        self.settings.changes()
    }

    /// A user comes; whether it sends at once. One that is still there stays as it is.
    pub fn join(&mut self, user: u32) -> bool {
        let user = &mut self.users[user as usize];
        user.wanted = true;
        user.state == State::Away
    }

    /// A user is to go: now if away or thinking, else once it has its answer.
    pub fn leave(&mut self, user: u32) {
        self.users[user as usize].wanted = false;
    }

    /// Whether a user is to stay.
    pub fn stays(&self, user: u32) -> bool {
        self.users[user as usize].wanted
    }

    /// A user has thought; whether it sends.
    pub fn has_thought(&mut self, user: u32) -> bool {
        let user = &mut self.users[user as usize];
        if !user.wanted {
            user.state = State::Away;
        }
        user.wanted
    }

    /// A request of a user has ended; how long the user thinks, unless it goes.
    pub fn ended(&mut self, number: u32, answered: bool) -> Option<Span> {
        let user = &mut self.users[number as usize];
        if !user.wanted {
            user.state = State::Away;
            return None;
        }
        user.state = State::Thinking;
        let mut rng = self.streams.substream(Purpose::Thinking, part(number, user.sent));
        let thought = Span::from_secs_f64(self.settings.think_time.0.sample(&mut rng));
        Some(if answered { thought } else { thought.max(self.settings.pause_after_failure) })
    }

    /// The next request of a user, sent at `now`. What it asks for is drawn from parts of the streams that are its own: the
    /// n-th request of a user is the same under every setting.
    pub fn request(&mut self, number: u32, now: u64) -> Arrival {
        let user = &mut self.users[number as usize];
        user.state = State::Waiting;
        let part = part(number, user.sent);
        user.sent = user.sent.wrapping_add(1);
        self.laws.draw(self.streams, part, now)
    }
}

/// The part of a stream that the draws for one request of a user come from; none is part 0, which is the stream itself.
fn part(user: u32, request: u32) -> u64 {
    (u64::from(user) + 1) << 32 | u64::from(request)
}

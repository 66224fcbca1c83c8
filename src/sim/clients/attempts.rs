//! The state of the clients in a run: what each request that has arrived waits for, and its attempts in the pool.
//!
//! A request arrives once and ends once; in between it may be sent several times. An attempt whose answer nobody waits
//! for any more may go on in the pool, in vain. Places are used again, so memory is that of what is in flight.

use super::client::{Abandoned, Client, Fault};
use super::conversations::{Conversations, Turn};
use super::crowd::Crowd;
use super::gate::Gate;
use super::timers::{Timer, Timers};
use crate::random::Streams;
use crate::service::Tokens;
use crate::sim::accounting::{Class, Completion, HeldTimes, RequestObserver, TokenCompletion};
use crate::sim::queueing::{Arrival, Attended, NO_TICKET, RequestOutcome};
use crate::time::Span;

/// See the module.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Attempts {
    client: Client,
    streams: Streams,
    /// Who sends the requests, in a closed loop.
    crowd: Option<Crowd>,
    /// The sessions that requests are turns of.
    conversations: Option<Conversations>,
    /// Where requests wait to be sent, if only so many may be outstanding.
    gate: Option<Gate>,
    /// What an answer takes on its way outside the pool before its client has it, nanoseconds.
    outside: u64,
    /// What it takes besides, in times of a further token of the answer.
    outside_iterations: f64,
    /// The same for each token of its prompt, nanoseconds.
    outside_per_prompt_token: u64,
    /// Nobody sends from here on, nanoseconds.
    end: u64,
    requests: Vec<Request>,
    vacant_requests: Vec<usize>,
    /// By ticket.
    attempts: Vec<Attempt>,
    vacant_tickets: Vec<u32>,
    timers: Timers,
    arrived: u64,
    open: u64,
    /// Integral of the requests in flight up to `counted_to`.
    area: u128,
    counted_to: u64,
    pub attempt_counts: AttemptCounts,
}

/// Attempts since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AttemptCounts {
    /// Attempts sent, first ones included.
    pub sent: u64,
    /// Times a request was sent again after a fault.
    pub retried: u64,
    /// Second copies sent.
    pub hedged: u64,
    /// Request-nanoseconds of service that nobody waited for at its end.
    pub wasted: u128,
}

/// A request in flight.
#[derive(Debug, Clone, Copy)]
struct Request {
    /// Which of the run, from 0; tells it from others that have its place before or after it.
    number: u64,
    arrival: u64,
    /// When it would have been sent if any number might be outstanding.
    intended: u64,
    sender: Sender,
    service: u64,
    patience: u64,
    class: Class,
    tokens: Tokens,
    content: u32,
    retries: u32,
    /// Its attempts in the pool.
    tickets: [u32; 2],
    open: bool,
}

/// Who sends a request.
#[derive(Debug, Clone, Copy)]
struct Sender {
    /// Its user in a closed loop, or [`NOBODY`].
    user: u32,
    /// The place of the session that it is a turn of, or [`NOBODY`].
    session: u32,
}

/// No user, and no session.
const NOBODY: u32 = u32::MAX;

impl Sender {
    /// A client outside.
    const OUTSIDE: Sender = Sender { user: NOBODY, session: NOBODY };
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    /// Place of its request.
    request: usize,
    /// Which of the run; tells it from others with its ticket before or after it.
    serial: u64,
    /// Whether its request waits for it.
    awaited: bool,
}

impl Attempts {
    /// The clients of a run, before any request.
    pub fn new(client: Client, streams: Streams) -> Self {
        Attempts {
            client,
            streams,
            crowd: None,
            conversations: None,
            gate: None,
            outside: 0,
            outside_iterations: 0.0,
            outside_per_prompt_token: 0,
            end: u64::MAX,
            requests: Vec::new(),
            vacant_requests: Vec::new(),
            attempts: Vec::new(),
            vacant_tickets: Vec::new(),
            timers: Timers::default(),
            arrived: 0,
            open: 0,
            area: 0,
            counted_to: 0,
            attempt_counts: AttemptCounts::default(),
        }
    }

    /// Has nobody send from `end` on.
    #[must_use]
    pub fn bounded(mut self, end: u64) -> Self {
        self.end = end;
        self
    }

    /// Has each client get its answer so much later than the pool has given it.
    #[must_use]
    pub fn far_away(mut self, outside: Span, iterations: f64, per_prompt_token: Span) -> Self {
        (self.outside, self.outside_iterations) = (outside.as_nanos(), iterations);
        self.outside_per_prompt_token = per_prompt_token.as_nanos();
        self
    }

    /// Has the requests sent by users in a closed loop.
    #[must_use]
    pub fn with_users(mut self, crowd: Crowd) -> Self {
        for (at, user, joins) in crowd.changes() {
            self.timers.set(at, if joins { Timer::Join(user) } else { Timer::Leave(user) });
        }
        self.crowd = Some(crowd);
        self
    }

    /// Has each request begin a session, whose turns follow.
    #[must_use]
    pub fn with_sessions(mut self, conversations: Conversations) -> Self {
        self.conversations = Some(conversations);
        self
    }

    /// Has requests wait before they are sent, where only so many may be outstanding.
    #[must_use]
    pub fn with_gate(mut self, gate: Gate) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Requests that have arrived: those sent, however often.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Requests that wait to be sent.
    pub fn held_back(&self) -> u64 {
        self.gate.as_ref().map_or(0, Gate::held)
    }

    /// How long requests have waited to be sent, where only so many may be outstanding.
    pub fn held(&self) -> Option<&HeldTimes> {
        self.gate.as_ref().map(Gate::times)
    }

    /// Integral of the requests in flight up to `now`.
    pub fn area(&self, now: u64) -> u128 {
        self.area + u128::from(now - self.counted_to) * u128::from(self.open)
    }

    fn pass(&mut self, now: u64) {
        self.area = self.area(now);
        self.counted_to = now;
    }

    /// Arrival instants of the requests in flight.
    pub fn in_flight(&self) -> impl Iterator<Item = u64> {
        self.requests.iter().filter(|request| request.open).map(|request| request.arrival)
    }

    /// Arrival instants of the requests in flight of which nothing is in service: all their attempts wait, or they pause.
    pub fn waiting(&self, station: &impl Attended) -> impl Iterator<Item = u64> {
        let waits = |ticket: &u32| *ticket == NO_TICKET || station.waits(*ticket);
        let silent = move |request: &&Request| request.open && request.tickets.iter().all(waits);
        self.requests.iter().filter(silent).map(|request| request.arrival)
    }

    /// When the next timer goes off.
    pub fn next_timer(&self) -> u64 {
        self.timers.next_at()
    }

    /// A request arrives from outside, and is sent unless too many are outstanding.
    pub fn arrive(
        &mut self,
        arrival: Arrival,
        station: &mut impl Attended,
        observer: &mut impl RequestObserver,
    ) {
        if let Some(gate) = &mut self.gate
            && !gate.pass(arrival)
        {
            return;
        }
        self.begin(arrival, NOBODY, station, observer);
    }

    /// Sends a request for the first time, which may be the first turn of a session.
    fn begin(
        &mut self,
        arrival: Arrival,
        user: u32,
        station: &mut impl Attended,
        observer: &mut impl RequestObserver,
    ) {
        let first = self.conversations.as_mut().map(|conversations| conversations.begin(arrival));
        let Turn { place: session, arrival } = first.unwrap_or(Turn { place: NOBODY, arrival });
        self.admit(arrival, arrival.now, Sender { user, session }, station, observer);
    }

    /// Sends a request for the first time.
    fn admit(
        &mut self,
        arrival: Arrival,
        intended: u64,
        sender: Sender,
        station: &mut impl Attended,
        observer: &mut impl RequestObserver,
    ) {
        let Arrival { now, service, patience, class, tokens, content, .. } = arrival;
        self.pass(now);
        let request = Request {
            number: self.arrived,
            arrival: now,
            intended,
            sender,
            service,
            patience,
            class,
            tokens,
            content,
            retries: 0,
            tickets: [NO_TICKET; 2],
            open: true,
        };
        self.arrived += 1;
        self.open += 1;
        let place = match self.vacant_requests.pop() {
            Some(place) => {
                self.requests[place] = request;
                place
            }
            None => {
                self.requests.push(request);
                self.requests.len() - 1
            }
        };
        self.send(place, now, station, observer);
    }

    /// Sends a request, and a second copy later if no answer comes.
    fn send(
        &mut self,
        place: usize,
        now: u64,
        station: &mut impl Attended,
        observer: &mut impl RequestObserver,
    ) {
        if let Some(after) = self.client.hedge_after {
            let Request { number, retries, .. } = self.requests[place];
            self.timers.set(now.saturating_add(after.as_nanos()), Timer::Hedge(place, number, retries));
        }
        self.attempt(place, 0, now, station, observer);
    }

    /// Puts an attempt into the pool, as the first or second at a time of its request.
    fn attempt(
        &mut self,
        place: usize,
        copy: usize,
        now: u64,
        station: &mut impl Attended,
        observer: &mut impl RequestObserver,
    ) {
        let attempt = Attempt { request: place, serial: self.attempt_counts.sent, awaited: true };
        self.attempt_counts.sent += 1;
        let ticket = match self.vacant_tickets.pop() {
            Some(ticket) => {
                self.attempts[ticket as usize] = attempt;
                ticket
            }
            None => {
                self.attempts.push(attempt);
                self.attempts.len() as u32 - 1
            }
        };
        self.requests[place].tickets[copy] = ticket;
        if let Some(timeout) = self.client.timeout {
            self.timers.set(now.saturating_add(timeout.as_nanos()), Timer::GiveUp(ticket, attempt.serial));
        }
        if let Some(timeout) = self.client.first_token_timeout {
            self.timers
                .set(now.saturating_add(timeout.as_nanos()), Timer::FirstToken(ticket, attempt.serial));
        }
        let Request { service, patience, class, tokens, content, .. } = self.requests[place];
        let arrival = Arrival { now, service, patience, class, ticket, tokens, content };
        station.arrive(arrival, now + 1, observer);
        self.take_outcomes(now, station, observer);
    }

    /// Takes in what has become of attempts in the pool.
    pub fn take_outcomes(
        &mut self,
        now: u64,
        station: &mut impl Attended,
        observer: &mut impl RequestObserver,
    ) {
        while let Some((ticket, outcome)) = station.next_outcome() {
            self.pass(now);
            self.ended(ticket, outcome, now, station, observer);
        }
    }

    fn ended(
        &mut self,
        ticket: u32,
        outcome: RequestOutcome,
        now: u64,
        station: &mut impl Attended,
        observer: &mut impl RequestObserver,
    ) {
        let Attempt { request: place, awaited, .. } = self.attempts[ticket as usize];
        self.vacant_tickets.push(ticket);
        self.attempts[ticket as usize].awaited = false;
        let fault = match outcome {
            RequestOutcome::Served(served, first_token) if awaited => {
                self.part(place, ticket);
                return self.answered(place, served, first_token, now, station, observer);
            }
            RequestOutcome::Served(served, _) => {
                self.attempt_counts.wasted += u128::from(served.finish - served.start - station.paused());
                return;
            }
            RequestOutcome::Rejected => Fault::Rejected,
            RequestOutcome::TimedOut => Fault::TimedOut,
            RequestOutcome::Failed => Fault::Failed,
        };
        if awaited {
            self.part(place, ticket);
            self.fail(place, fault, now, observer);
        }
    }

    /// A request no longer waits for one of its attempts.
    fn part(&mut self, place: usize, ticket: u32) {
        let tickets = &mut self.requests[place].tickets;
        tickets.iter_mut().filter(|one| **one == ticket).for_each(|one| *one = NO_TICKET);
    }

    /// The first answer has come.
    fn answered(
        &mut self,
        place: usize,
        served: Completion,
        first_token: Option<u64>,
        now: u64,
        station: &mut impl Attended,
        observer: &mut impl RequestObserver,
    ) {
        let Request { number, arrival, intended, tickets, tokens, .. } = self.requests[place];
        let of_prompt = self.outside_per_prompt_token.saturating_mul(u64::from(tokens.prompt));
        let mut outside = self.outside.saturating_add(of_prompt);
        let answer = first_token.map(|first_token| TokenCompletion {
            arrival,
            first_token,
            finish: served.finish,
            tokens,
        });
        if let Some(each) = answer.as_ref().and_then(TokenCompletion::tpot) {
            outside = outside.saturating_add((self.iterations_of(number) * each as f64).round() as u64);
        }
        if let Some(gate) = &mut self.gate {
            gate.answered(intended, arrival, served.finish.saturating_add(outside));
        }
        if let Some(answer) = answer {
            observer.generated(answer);
        }
        observer.served(Completion { arrival, ..served });
        for ticket in tickets.into_iter().filter(|ticket| *ticket != NO_TICKET) {
            let abandoned = if self.client.hedge_cancel { Abandoned::Stopped } else { Abandoned::Served };
            self.abandon(ticket, abandoned, now, station);
        }
        self.close(place, now.saturating_add(outside), true);
    }

    /// Iterations that an answer is on its way: spread evenly over one of them, request by request, as clients keep no step with an engine.
    /// All alike would have each user's next request come at one point of an iteration.
    fn iterations_of(&self, number: u64) -> f64 {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        if self.outside_iterations == 0.0 {
            return 0.0;
        }
        (self.outside_iterations - 0.5 + (number as f64 * GOLDEN).fract()).max(0.0)
    }

    /// Nobody waits for an attempt any more.
    fn abandon(&mut self, ticket: u32, abandoned: Abandoned, now: u64, station: &mut impl Attended) {
        self.attempts[ticket as usize].awaited = false;
        let had = match abandoned {
            Abandoned::Served => None,
            Abandoned::Dropped => station.cancel(ticket, now, false),
            Abandoned::Stopped => station.cancel(ticket, now, true),
        };
        if let Some(had) = had {
            self.attempt_counts.wasted += u128::from(had);
            self.vacant_tickets.push(ticket);
        }
    }

    /// An attempt has come to nothing: with the last one out, the request is sent again or ends.
    fn fail(&mut self, place: usize, fault: Fault, now: u64, observer: &mut impl RequestObserver) {
        let Request { number, arrival, retries, tickets, .. } = self.requests[place];
        if tickets != [NO_TICKET; 2] {
            return;
        }
        if retries < self.client.retries && self.client.retry_on.includes(fault) {
            self.requests[place].retries += 1;
            let pause = self.client.draw_pause(self.streams, number, retries + 1);
            return self.timers.set(now.saturating_add(pause.as_nanos()), Timer::Retry(place, number));
        }
        match fault {
            Fault::Rejected => observer.rejected_at(arrival, now),
            Fault::TimedOut => observer.timed_out(arrival, now),
            Fault::Failed => observer.failed(arrival, now),
        }
        self.close(place, now, false);
    }

    /// A request is over; its client knows at `known`.
    fn close(&mut self, place: usize, known: u64, answered: bool) {
        self.requests[place].open = false;
        self.vacant_requests.push(place);
        self.open -= 1;
        let Request { sender: Sender { user, session }, tokens, .. } = self.requests[place];
        if self.goes_on(session, user, answered.then_some(tokens), known) {
            return;
        }
        self.rest(user, answered, known);
        if self.gate.is_some() {
            self.timers.set(known, Timer::Release);
        }
    }

    /// A user of a closed loop has no request at `known` and thinks, unless it goes.
    fn rest(&mut self, user: u32, answered: bool, known: u64) {
        if let Some(crowd) = self.crowd.as_mut().filter(|_| user != NOBODY)
            && let Some(thinks) = crowd.ended(user, answered)
        {
            self.timers.set(known.saturating_add(thinks.as_nanos()), Timer::Thought(user));
        }
    }

    /// Has a session go on after a turn that was answered with all these tokens; `false` if it ends, or there is none.
    fn goes_on(&mut self, session: u32, user: u32, answered: Option<Tokens>, known: u64) -> bool {
        let Some(conversations) = self.conversations.as_mut().filter(|_| session != NOBODY) else {
            return false;
        };
        let stays = self.crowd.as_ref().is_none_or(|crowd| user == NOBODY || crowd.stays(user));
        let thinks = answered.filter(|_| stays).and_then(|tokens| conversations.answered(session, tokens));
        match thinks {
            Some(thinks) => {
                self.timers.set(known.saturating_add(thinks.as_nanos()), Timer::Turn(session, user))
            }
            None => conversations.end(session),
        }
        thinks.is_some()
    }

    /// The next turn of a session is sent, unless it would be too long.
    fn turn(
        &mut self,
        (session, user): (u32, u32),
        now: u64,
        station: &mut impl Attended,
        observer: &mut impl RequestObserver,
    ) -> bool {
        let Some(conversations) = self.conversations.as_mut().filter(|_| now < self.end) else {
            return false;
        };
        let stays = self.crowd.as_ref().is_none_or(|crowd| user == NOBODY || crowd.stays(user));
        match conversations.next(session, now).filter(|_| stays) {
            Some(Turn { arrival, .. }) => {
                self.admit(arrival, now, Sender { user, session }, station, observer);
                true
            }
            None => {
                conversations.end(session);
                self.rest(user, true, now);
                false
            }
        }
    }

    /// A user sends its next request.
    fn ask(
        &mut self,
        user: u32,
        now: u64,
        station: &mut impl Attended,
        observer: &mut impl RequestObserver,
    ) -> bool {
        let Some(crowd) = self.crowd.as_mut().filter(|_| now < self.end) else { return false };
        let arrival = crowd.request(user, now);
        self.begin(arrival, user, station, observer);
        true
    }

    /// Lets the next timer go off; whether it put an attempt into the pool.
    pub fn step(&mut self, station: &mut impl Attended, observer: &mut impl RequestObserver) -> bool {
        let Some((now, timer)) = self.timers.pop() else { return false };
        self.pass(now);
        let is = |requests: &[Request], place: usize, number: u64| {
            requests[place].open && requests[place].number == number
        };
        match timer {
            Timer::GiveUp(ticket, serial) | Timer::FirstToken(ticket, serial) => {
                let Attempt { request: place, serial: current, awaited } = self.attempts[ticket as usize];
                let answer_begins = matches!(timer, Timer::FirstToken(..)) && station.has_first_token(ticket);
                if awaited && current == serial && !answer_begins {
                    self.part(place, ticket);
                    self.abandon(ticket, self.client.abandoned, now, station);
                    self.fail(place, Fault::TimedOut, now, observer);
                }
                false
            }
            Timer::Hedge(place, number, retries) => {
                let Request { retries: current, tickets, .. } = self.requests[place];
                let lone = tickets.iter().filter(|ticket| **ticket != NO_TICKET).count() == 1;
                let due = is(&self.requests, place, number) && current == retries && lone;
                if due {
                    self.attempt_counts.hedged += 1;
                    let copy = usize::from(tickets[0] != NO_TICKET);
                    self.attempt(place, copy, now, station, observer);
                }
                due
            }
            Timer::Retry(place, number) => {
                let due = is(&self.requests, place, number);
                if due {
                    self.attempt_counts.retried += 1;
                    self.send(place, now, station, observer);
                }
                due
            }
            Timer::Join(user) => {
                self.crowd.as_mut().is_some_and(|crowd| crowd.join(user))
                    && self.ask(user, now, station, observer)
            }
            Timer::Leave(user) => {
                self.crowd.iter_mut().for_each(|crowd| crowd.leave(user));
                false
            }
            Timer::Thought(user) => {
                self.crowd.as_mut().is_some_and(|crowd| crowd.has_thought(user))
                    && self.ask(user, now, station, observer)
            }
            Timer::Turn(session, user) => self.turn((session, user), now, station, observer),
            Timer::Release => {
                let next = self.gate.as_mut().and_then(Gate::release).filter(|_| now < self.end);
                let Some(arrival) = next else { return false };
                self.admit(Arrival { now, ..arrival }, arrival.now, Sender::OUTSIDE, station, observer);
                true
            }
        }
    }
}

//! What clients do: send, give up, try again and hedge.

use super::*;

impl Oracle<'_> {
    /// A client sends a request, for the first time or again.
    pub(super) fn send(&mut self, call: usize) {
        if let Some(after) = self.model.client.hedge_after {
            let retries = self.calls[call].retries;
            self.schedule(self.now + after.as_nanos(), Event::Hedge { call, retries });
        }
        self.attempt(call);
    }

    pub(super) fn attempt(&mut self, call: usize) {
        let request = self.requests.len();
        let Demand { service, patience, class, tokens, content, .. } = self.calls[call].demand;
        self.requests.push(Request {
            call,
            arrival: self.now,
            service,
            patience,
            class,
            tokens,
            content,
            first_token: 0,
            had: 0,
            returns: 0,
            remaining: None,
            runs: 0,
            start: 0,
            finish: 0,
            first: false,
            instance: 0,
            over: None,
        });
        self.calls[call].out.push(request);
        if let Some(timeout) = self.model.client.timeout {
            self.schedule(self.now + timeout.as_nanos(), Event::ClientGivesUp { request });
        }
        if let Some(timeout) = self.model.client.first_token_timeout {
            self.schedule(self.now + timeout.as_nanos(), Event::NoFirstToken { request });
        }
        self.arrive(request);
        self.hear();
    }

    pub(super) fn hedge(&mut self, call: usize, retries: u32) {
        let Call { retries: now, out, fate, .. } = &self.calls[call];
        if *fate == Fate::InFlight && *now == retries && out.len() == 1 {
            self.course.hedged += 1;
            self.attempt(call);
        }
    }

    pub(super) fn client_gives_up(&mut self, request: usize) {
        let call = self.requests[request].call;
        if self.calls[call].out.contains(&request) {
            self.calls[call].out.retain(|other| *other != request);
            self.abandon(request, self.model.client.abandoned);
            self.come_to_nothing(call, Fault::TimedOut);
        }
    }

    /// Nobody waits for an attempt any more.
    pub(super) fn abandon(&mut self, request: usize, abandoned: Abandoned) {
        let Request { instance, .. } = self.requests[request];
        if abandoned == Abandoned::Served || self.requests[request].over.is_some() {
            return;
        }
        let waits_here = self.queue.iter().position(|other| *other == request);
        let waits_there = self.instances.iter().position(|at| at.queue.contains(&request));
        if let Some(index) = waits_here {
            self.queue.remove(index);
        } else if let Some(index) = waits_there {
            self.instances[index].queue.retain(|other| *other != request);
            if self.slots == 0 {
                self.settle(index as u32);
            }
        } else if abandoned == Abandoned::Stopped {
            if let Some(machine) = &mut self.instances[instance as usize].machine
                && !machine.stop(request)
            {
                return;
            }
            self.requests[request].had += self.now - self.requests[request].start;
            self.instances[instance as usize].serving.retain(|other| *other != request);
            self.requests[request].over = Some(Fate::InFlight);
            self.fall_free(instance);
        } else {
            return;
        }
        self.requests[request].over = Some(Fate::InFlight);
        self.course.wasted += u128::from(self.requests[request].had);
    }

    /// The clients learn what has become of their attempts.
    pub(super) fn hear(&mut self) {
        while let Some(request) = self.inbox.pop_front() {
            let Request { call, over, first, first_token, .. } = self.requests[request];
            let awaited = self.calls[call].out.contains(&request);
            self.calls[call].out.retain(|other| *other != request);
            match (over, awaited) {
                (Some(fate @ Fate::Served { finish, .. }), true) => {
                    self.calls[call].fate = fate;
                    self.course.first_tokens.push((self.calls[call].demand.arrival, first_token));
                    let latency = finish - self.calls[call].demand.arrival;
                    self.latencies.push(latency);
                    if self.calls[call].cold || first {
                        self.course.cold.push(latency);
                    }
                    let cancel = self.model.client.hedge_cancel;
                    for other in std::mem::take(&mut self.calls[call].out) {
                        self.abandon(other, if cancel { Abandoned::Stopped } else { Abandoned::Served });
                    }
                }
                (Some(Fate::Served { start, finish, .. }), false) => {
                    self.course.wasted += u128::from(finish - start);
                }
                (Some(Fate::Rejected), true) => self.come_to_nothing(call, Fault::Rejected),
                (Some(Fate::TimedOut { .. }), true) => self.come_to_nothing(call, Fault::TimedOut),
                (Some(Fate::Failed { .. }), true) => self.come_to_nothing(call, Fault::Failed),
                _ => {}
            }
        }
    }

    /// An attempt has come to nothing: with the last one out, the request is sent again or ends.
    pub(super) fn come_to_nothing(&mut self, call: usize, fault: Fault) {
        let client = &self.model.client;
        if !self.calls[call].out.is_empty() {
            return;
        }
        if self.calls[call].retries < client.retries && client.retry_on.includes(fault) {
            self.calls[call].retries += 1;
            let pause = client.draw_pause(self.streams, call as u64, self.calls[call].retries);
            self.schedule(self.now + pause.as_nanos(), Event::Retry { call });
            return;
        }
        self.calls[call].fate = match fault {
            Fault::Rejected => Fate::Rejected,
            Fault::TimedOut => Fate::TimedOut { at: self.now },
            Fault::Failed => Fate::Failed { at: self.now },
        };
    }

    pub(super) fn end(&mut self, request: usize, fate: Fate) {
        self.requests[request].over = Some(fate);
        self.inbox.push_back(request);
    }
}

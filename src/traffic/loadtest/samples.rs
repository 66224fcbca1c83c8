//! A level from its requests one by one.

use super::level::{Driven, Level, LoadTest};

/// Requests of one level, added up.
#[derive(Debug)]
pub(super) struct Samples {
    answered: f64,
    failed: f64,
    latency_s: f64,
    /// Times to the first token or byte, and how many are known.
    first_s: (f64, f64),
    /// When the first was sent, and the last answered.
    span_s: (f64, f64),
    users: Option<f64>,
}

impl Samples {
    pub(super) fn new() -> Samples {
        Samples {
            answered: 0.0,
            failed: 0.0,
            latency_s: 0.0,
            first_s: (0.0, 0.0),
            span_s: (f64::INFINITY, f64::NEG_INFINITY),
            users: None,
        }
    }

    /// A request that was sent at `start_s`. The latency of one that failed is its own, and often short: it is left out.
    pub(super) fn add(&mut self, start_s: f64, latency_s: f64, first_s: Option<f64>, succeeded: bool) {
        self.span_s = (self.span_s.0.min(start_s), self.span_s.1.max(start_s + latency_s));
        if !succeeded {
            self.failed += 1.0;
            return;
        }
        self.answered += 1.0;
        self.latency_s += latency_s;
        if let Some(first_s) = first_s {
            self.first_s = (self.first_s.0 + first_s, self.first_s.1 + 1.0);
        }
    }

    /// So many users at some time; the most count.
    pub(super) fn users(&mut self, users: f64) {
        self.users = Some(self.users.unwrap_or(0.0).max(users));
    }

    /// The level that they are: answers over the time from the first request to the last answer.
    ///
    /// # Errors
    /// None was answered.
    pub(super) fn level(self) -> Result<LoadTest, String> {
        if self.answered == 0.0 {
            return Err("no request was answered".into());
        }
        let rate = self.answered / (self.span_s.1 - self.span_s.0).max(1e-9);
        let users = self.users.filter(|users| *users > 0.0);
        let name = users.map_or(format!("{rate:.3}/s"), |users| format!("{users} users"));
        let (sum, known) = self.first_s;
        Ok(LoadTest::of(vec![Level {
            latency_s: Some(self.latency_s / self.answered),
            ttft_s: (known > 0.0).then_some(sum / known),
            failed: self.failed,
            ..Level::new(name, users.map_or(Driven::Unknown, Driven::Users), rate)
        }]))
    }
}

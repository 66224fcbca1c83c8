//! One level of a load test.

use serde::Serialize;

/// How load was driven.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Driven {
    /// So many requests at a time: each user sends the next when the last is answered.
    Users(f64),
    /// So many requests a second, whatever the answers.
    Rate(f64),
    /// The file does not say.
    Unknown,
}

/// One level of a load test: seconds, and requests per second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    /// How messages call it.
    pub name: String,
    /// How it was driven.
    pub driven: Driven,
    /// Requests answered per second.
    pub rate: f64,
    /// Mean latency, waiting at the server included.
    pub latency_s: Option<f64>,
    /// Mean time to the first token.
    pub ttft_s: Option<f64>,
    /// Mean time per output token after the first.
    pub tpot_s: Option<f64>,
    /// Mean tokens of a prompt.
    pub prompt_tokens: Option<f64>,
    /// Mean tokens of an answer.
    pub output_tokens: Option<f64>,
    /// Requests that failed.
    pub failed: f64,
}

impl Level {
    /// A level with nothing but its rate.
    pub(super) fn new(name: impl Into<String>, driven: Driven, rate: f64) -> Level {
        Level {
            name: name.into(),
            driven,
            rate,
            latency_s: None,
            ttft_s: None,
            tpot_s: None,
            prompt_tokens: None,
            output_tokens: None,
            failed: 0.0,
        }
    }

    /// Mean latency: as measured, else from the tokens.
    pub fn latency(&self) -> Option<f64> {
        let of_tokens = || Some(self.ttft_s? + (self.output_tokens? - 1.0).max(0.0) * self.tpot_s?);
        self.latency_s.or_else(of_tokens)
    }

    /// Mean requests in flight, by Little's law; the users where the latency is not known.
    pub fn in_flight(&self) -> Option<f64> {
        match (self.latency(), self.driven) {
            (Some(latency), _) => Some(self.rate * latency),
            (None, Driven::Users(users)) => Some(users),
            (None, _) => None,
        }
    }

    /// What is to be said of a level whose users were not all waiting for an answer.
    pub fn idle_users(&self) -> Option<String> {
        let (Driven::Users(users), Some(in_flight)) = (self.driven, self.in_flight()) else { return None };
        let apart = (in_flight - users).abs() / users;
        (apart > 0.1).then(|| {
            format!(
                "level {}: rate × latency is {in_flight:.1} requests in flight, but there were {users} users: think time, \
                 a ramp or failures are in it",
                self.name
            )
        })
    }

    /// Whether its numbers could be a level's.
    pub(super) fn check(&self) -> Result<(), String> {
        let times = [self.latency_s, self.ttft_s, self.tpot_s];
        if !(self.rate.is_finite() && self.rate > 0.0) {
            return Err(format!("has a rate of {} answers per second", self.rate));
        }
        match times.into_iter().flatten().find(|time| !(time.is_finite() && *time > 0.0)) {
            Some(time) => Err(format!("has a time of {time} s")),
            None if times.iter().all(Option::is_none) => {
                Err("has neither latency nor times of tokens".into())
            }
            None => Ok(()),
        }
    }
}

/// A load test.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LoadTest {
    /// What it is, in words.
    pub form: String,
    /// Its levels.
    pub levels: Vec<Level>,
    /// What was assumed or noticed.
    pub notes: Vec<String>,
}

impl LoadTest {
    pub(super) fn of(levels: Vec<Level>) -> LoadTest {
        LoadTest { levels, ..LoadTest::default() }
    }
}

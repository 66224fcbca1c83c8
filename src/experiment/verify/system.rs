//! A system whose answer is known: the scenario a user would write for it, and what must come out.

use super::reading::Reading;

/// One system of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct System {
    /// Its number in the catalogue, from 0; its random streams are derived from it.
    pub number: u64,
    /// The family it belongs to.
    pub family: &'static str,
    /// What sets it apart within the family.
    pub case: String,
    /// The scenario, as a user would write it.
    pub scenario: String,
    /// What is known of it; never empty.
    pub quantities: Vec<Quantity>,
}

/// One quantity whose value is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// What it is.
    pub name: String,
    /// Its exact value.
    pub exact: f64,
    /// How it is read from a run.
    pub reading: Reading,
    /// Most that a single run may be off where nothing is random; else the value is held against an interval.
    pub within: Option<f64>,
    /// Whether `exact` is no more than a bound, which the value may be below.
    pub bound: bool,
}

impl System {
    /// Family and case: what a filter looks into.
    pub fn name(&self) -> String {
        format!("{}, {}", self.family, self.case)
    }

    /// A system of the catalogue; it gets its number there.
    pub(super) fn new(family: &'static str, case: impl Into<String>, scenario: Text) -> System {
        System { number: 0, family, case: case.into(), scenario: scenario.toml(), quantities: Vec::new() }
    }

    /// The same system with a quantity more.
    #[must_use]
    pub(super) fn with(mut self, name: &str, reading: Reading, exact: f64) -> System {
        self.quantities.push(Quantity { name: name.to_owned(), exact, reading, within: None, bound: false });
        self
    }

    /// The same system with a quantity more that is only known to be no more than `bound`.
    #[must_use]
    pub(super) fn at_most(mut self, name: &str, reading: Reading, bound: f64) -> System {
        let quantity = Quantity { name: name.to_owned(), exact: bound, reading, within: None, bound: true };
        self.quantities.push(quantity);
        self
    }

    /// The same system with a quantity more that is not random.
    #[must_use]
    pub(super) fn within(mut self, name: &str, reading: Reading, exact: f64, most: f64) -> System {
        self.quantities.push(Quantity {
            name: name.to_owned(),
            exact,
            reading,
            within: Some(most),
            bound: false,
        });
        self
    }
}

/// A scenario in the making: its tables as text.
pub(super) struct Text {
    /// `[arrivals]`; empty where users send the requests.
    pub arrivals: String,
    /// `[service]`: its time, and further lines.
    pub service: String,
    /// Further tables, the autoscaler's among them.
    pub tables: String,
    /// Requests a second; what the run's length is reckoned by.
    pub rate: f64,
    /// Expected requests of one replication, warm-up apart.
    pub requests: f64,
    /// Seconds simulated before measuring.
    pub warmup_s: f64,
}

/// Replications of a system where it does not say otherwise.
pub(super) const REPLICATIONS: u32 = 20;

/// Service of mean 1 s, exponential: the unit of time of most of the catalogue.
pub(super) const EXPONENTIAL: &str = "time = { dist = \"exponential\", mean = \"1s\" }";

impl Text {
    /// Poisson arrivals, exponential service of mean 1 s, and `tables`; 300,000 requests or more after 2,000 s.
    ///
    /// Requests still in the system at the end have no latency to count, and they are the long ones: a share of about
    /// latency/length of the mean is missing. A length that grows with the rate keeps that a small part of the interval.
    pub fn markovian(rate: f64, tables: impl Into<String>) -> Text {
        Text {
            arrivals: poisson(rate),
            service: EXPONENTIAL.to_owned(),
            tables: tables.into(),
            rate,
            requests: (2000.0 * rate * rate).max(3e5),
            warmup_s: 2000.0,
        }
    }

    /// The scenario as TOML.
    fn toml(&self) -> String {
        let Text { arrivals, service, tables, rate, requests, warmup_s } = self;
        let duration_s = (warmup_s + requests / rate).ceil();
        let arrivals = match arrivals.as_str() {
            "" => String::new(),
            table => format!("[arrivals]\n{table}\n\n"),
        };
        format!(
            "{arrivals}[service]\n{service}\n\n{tables}\n\n[run]\nduration = \"{duration_s}s\"\n\
             warmup = \"{warmup_s}s\"\nreplications = {REPLICATIONS}\n"
        )
    }
}

/// Poisson arrivals.
pub(super) fn poisson(rate: f64) -> String {
    format!("kind = \"poisson\"\nrate = {rate}")
}

/// So many servers, in words.
pub(super) fn servers(count: usize) -> String {
    if count == 1 { "1 server".to_owned() } else { format!("{count} servers") }
}

/// A fixed pool.
pub(super) fn fixed(instances: usize) -> String {
    format!("[autoscaler]\nkind = \"fixed\"\ninstances = {instances}")
}

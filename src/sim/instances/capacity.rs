//! `[instances.stock]`: capacity that may be lacking.

use rand::RngExt as _;

use super::stage::Backoff;
use crate::distribution::Durations;
use crate::random::{Purpose, Rng, Streams};
use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::{Instant, Span};

/// Capacity that may be lacking.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityLimits {
    /// Maximum number of instances starting or ready at a time; `None`: no limit.
    pub quota: Option<u32>,
    /// Probability that a start is refused.
    pub refused: f64,
    /// Times in which every start is refused, in order.
    pub outages: Vec<Outage>,
    /// Times in which every start is refused, at random.
    pub spells: Option<OnOffPeriods>,
    /// Pause before a refused start is tried again.
    pub backoff: Backoff,
}

/// A time without capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// When it begins.
    pub from: Span,
    /// When it ends.
    pub until: Span,
}

/// Capacity that comes and goes by turns.
#[derive(Debug, Clone, PartialEq)]
pub struct OnOffPeriods {
    /// How long it is to be had, in seconds.
    pub available: Durations,
    /// How long it is not, in seconds.
    pub unavailable: Durations,
}

/// The spells of one type of instance in a run: those with capacity and those without take turns, one with it first.
#[derive(Debug, Clone)]
pub(in crate::sim) struct CapacityProcess {
    spells: OnOffPeriods,
    rng: Rng,
    available: bool,
    /// When the spell at hand ends.
    until: Instant,
}

impl CapacityProcess {
    /// That of type number `kind`, from the start of the run.
    pub fn new(spells: &OnOffPeriods, streams: Streams, kind: usize) -> CapacityProcess {
        let rng = streams.substream(Purpose::StockSpells, kind as u64);
        let mut market =
            CapacityProcess { spells: spells.clone(), rng, available: false, until: Instant::ZERO };
        market.turn();
        market
    }

    fn turn(&mut self) {
        self.available = !self.available;
        let time = if self.available { &self.spells.available } else { &self.spells.unavailable };
        self.until += Span::from_secs_f64(time.0.sample(&mut self.rng));
    }

    /// Whether no capacity is to be had at `now`, which is no earlier than when it was last asked.
    pub fn is_out(&mut self, now: Instant) -> bool {
        while self.until <= now {
            self.turn();
        }
        !self.available
    }
}

const QUOTA: Key<Option<u32>> = Key::optional(
    "quota",
    "Maximum instances starting or ready at a time (nodes, if there are nodes); a further start waits. Without it there is no limit.",
);
const REFUSED: Key<f64> =
    Key::or("refused", "0", "Probability that a start is refused, each attempt for itself.")
        .at_least(0.0)
        .at_most(1.0);
const OUTAGES: Key<Vec<Outage>> = Key::or(
    "outages",
    "[]",
    "Times in which every start is refused, in order: `{ from = \"2h\", until = \"3h\" }`.",
);
const AVAILABLE: Key<Option<Durations>> = Key::optional(
    "available",
    "How long capacity is available before it runs out, a distribution; in turns with `unavailable`, beginning with this one, and independently for each instance type. Exponential means memoryless. Without both it never runs out.",
);
const UNAVAILABLE: Key<Option<Durations>> =
    Key::optional("unavailable", "How long it is then unavailable: every start is refused.");
const STOCK_BACKOFF: Key<Span> =
    Key::or("backoff", "\"30s\"", "Pause before a refused start is retried; it doubles with every refusal.")
        .above(0.0);
const STOCK_BACKOFF_MAX: Key<Span> = Key::or("backoff_max", "\"10m\"", "The longest such pause.").above(0.0);

const FROM: Key<Span> = Key::required("from", "When it begins.");
const UNTIL: Key<Span> = Key::required("until", "When it ends.");
const OUTAGE_SPEC: TableSpec =
    TableSpec { name: "instances.stock.outages", doc: "A time without capacity.", keys: &[&FROM, &UNTIL] };

impl Value for Outage {
    fn kind() -> Kind {
        Kind::Table(&OUTAGE_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &OUTAGE_SPEC, context)?;
        let outage = Outage { from: reader.get(&FROM)?, until: reader.get(&UNTIL)? };
        if outage.from < outage.until {
            return Ok(outage);
        }
        let message = format!("`{}` is {}", reader.path_of("until"), outage.until);
        Err(reader.problem("until", message, format!("expected more than `from`, which is {}", outage.from)))
    }
}

const STOCK_SPEC: TableSpec = TableSpec {
    name: "instances.stock",
    doc: "Capacity that may be unavailable. A refused start waits, at no cost, and is retried after a pause.",
    keys: &[&QUOTA, &REFUSED, &OUTAGES, &AVAILABLE, &UNAVAILABLE, &STOCK_BACKOFF, &STOCK_BACKOFF_MAX],
};

impl Value for CapacityLimits {
    fn kind() -> Kind {
        Kind::Table(&STOCK_SPEC)
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &STOCK_SPEC, context)?;
        Ok(CapacityLimits {
            quota: reader.find(&QUOTA)?,
            refused: reader.get(&REFUSED)?,
            outages: reader.get(&OUTAGES)?,
            spells: OnOffPeriods::read(&reader)?,
            backoff: Backoff::read(&reader, &STOCK_BACKOFF, &STOCK_BACKOFF_MAX)?,
        })
    }
}

impl CapacityLimits {
    /// Whether a start at `now` of one more beside `held` instances is refused; `rng` is that of the attempt.
    pub fn refuses(&self, now: Instant, held: u32, rng: &mut Rng) -> bool {
        let since = now.since(Instant::ZERO);
        let out = self.outages.iter().any(|outage| (outage.from..outage.until).contains(&since));
        out || self.quota.is_some_and(|quota| held >= quota)
            || (self.refused > 0.0 && rng.random::<f64>() < self.refused)
    }
}

impl OnOffPeriods {
    /// Minimum mean of both together that a run can step through, in seconds.
    const LEAST_S: f64 = 0.1;

    fn read(reader: &Reader<'_>) -> Result<Option<OnOffPeriods>, Problem> {
        let (available, unavailable) = match (reader.find(&AVAILABLE)?, reader.find(&UNAVAILABLE)?) {
            (Some(available), Some(unavailable)) => (available, unavailable),
            (None, None) => return Ok(None),
            (found, _) => {
                let (there, other) = if found.is_some() {
                    (AVAILABLE.name(), "unavailable")
                } else {
                    ("unavailable", "available")
                };
                let message = format!("`{}` stands alone", reader.path_of(there));
                return Err(reader.problem(
                    there,
                    message,
                    format!("expected `{other}` beside it: they take turns"),
                ));
            }
        };
        let mean = available.0.mean() + unavailable.0.mean();
        if mean >= OnOffPeriods::LEAST_S {
            return Ok(Some(OnOffPeriods { available, unavailable }));
        }
        let message =
            format!("a turn of `available` and `unavailable` takes {} on average", Span::from_secs_f64(mean));
        let label = format!("expected at least {}", Span::from_secs_f64(OnOffPeriods::LEAST_S));
        Err(reader.problem("available", message, label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock() -> CapacityLimits {
        let backoff = Backoff { first: Span::from_secs(30), longest: Span::from_secs(100) };
        CapacityLimits { quota: None, refused: 0.0, outages: Vec::new(), spells: None, backoff }
    }

    fn refuses(stock: &CapacityLimits, seconds: u64, held: u32) -> bool {
        let mut rng = Streams::new(1, 0).stream(Purpose::Stock);
        stock.refuses(Instant::ZERO + Span::from_secs(seconds), held, &mut rng)
    }

    #[test]
    fn an_outage_refuses_from_its_first_instant_to_before_its_last() {
        let outage = Outage { from: Span::from_secs(10), until: Span::from_secs(20) };
        let stock = CapacityLimits { outages: vec![outage], ..stock() };
        let found: Vec<bool> = [9, 10, 19, 20].into_iter().map(|at| refuses(&stock, at, 0)).collect();
        assert_eq!(found, [false, true, true, false]);
    }

    #[test]
    fn a_quota_refuses_one_more_than_itself() {
        let stock = CapacityLimits { quota: Some(3), ..stock() };
        assert_eq!((refuses(&stock, 0, 2), refuses(&stock, 0, 3)), (false, true));
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<u64> = (0..4).map(|n| stock().backoff.pause(n).as_nanos() / 1_000_000_000).collect();
        assert_eq!(pauses, [30, 60, 100, 100]);
        assert_eq!(stock().backoff.pause(u32::MAX), Span::from_secs(100));
    }

    #[test]
    fn spells_take_turns_and_begin_with_capacity() {
        let constant = |seconds: f64| Durations(crate::distribution::Distribution::constant(seconds));
        let spells = OnOffPeriods { available: constant(10.0), unavailable: constant(5.0) };
        let mut market = CapacityProcess::new(&spells, Streams::new(1, 0), 0);
        let found: Vec<bool> = [0, 9, 10, 14, 15, 24, 25, 400]
            .map(|at| market.is_out(Instant::ZERO + Span::from_secs(at)))
            .into();
        assert_eq!(found, [false, false, true, true, false, false, true, true]);
    }

    #[test]
    fn a_spell_without_the_other_is_refused() {
        let read = |text: &str| {
            let tree = crate::schema::Tree::parse(text).unwrap();
            CapacityLimits::read(tree.root(), "instances.stock", &Context::default())
                .map_err(|problem| format!("{problem:?}"))
        };
        assert!(read("unavailable = \"5m\"").unwrap_err().contains("expected `available` beside it"));
        assert!(read("available = \"5m\"").unwrap_err().contains("expected `unavailable` beside it"));
        assert!(read("available = \"0s\"\nunavailable = \"1ms\"").unwrap_err().contains("on average"));
        assert!(read("available = \"5m\"\nunavailable = \"1m\"").unwrap().spells.is_some());
    }
}

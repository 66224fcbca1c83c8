//! `[slo]`: what the service promises.

use crate::schema::{Context, Key, Kind, Node, Problem, Reader, TableSpec, Value};
use crate::time::Span;

/// The promises of a service. The first stands for all where there is room for one: figures, axes and charts of the SLO are
/// its.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slo {
    /// The latency promised first; [`Span::MAX`] if it is not.
    pub latency: Span,
    /// The time to the first token promised with it.
    pub ttft: Option<Span>,
    /// The mean time of each further token promised with it.
    pub tpot: Option<Span>,
    /// The share of requests it is promised for, in percent: 99 for a p99.
    pub percentile: f64,
    /// The other promises, in the order they are written.
    more: [Option<Promise>; MORE],
}

/// Maximum number of promises beside the first.
pub const MORE: usize = 7;

/// One promise: such a share of the requests is answered within such times, over the whole run or in most windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promise {
    /// The latency; [`Span::MAX`] if none is promised. With no time at all it is promised that requests are answered.
    pub latency: Span,
    /// The time to the first token.
    pub ttft: Option<Span>,
    /// The mean time of each further token.
    pub tpot: Option<Span>,
    /// The share of requests, in percent.
    pub percentile: f64,
    /// In which windows; `None` for the whole run.
    pub windows: Option<PerWindow>,
}

/// A promise of windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerWindow {
    /// Length of a window.
    pub length: Span,
    /// The share of the windows that keep the promise, in percent.
    pub percent: f64,
}

/// Which time of a request a promise is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promised {
    /// From arrival to the end of the answer.
    Latency,
    /// To the first token.
    Ttft,
    /// Of each further token.
    Tpot,
}

const LATENCY: Key<Option<Span>> = Key::optional(
    "latency",
    "The latency promised: from the arrival of a request to the end of its answer. May be left out with `ttft`, `tpot`, `availability` or `promise`.",
)
.above(0.0);
const TTFT: Key<Option<Span>> =
    Key::optional("ttft", "The time to the first token promised. For `service.model = \"llm\"`.").above(0.0);
const TPOT: Key<Option<Span>> = Key::optional(
    "tpot",
    "The mean time of each further token of an answer promised. For `service.model = \"llm\"`.",
)
.above(0.0);
const PERCENTILE: Key<f64> = Key::or(
    "percentile",
    "99",
    "The share of requests the promise is for, in percent; 0.5 to below 1 is read as a share (0.99 is 99). Requests rejected, timed out or failed miss it, and so do those that have not been answered in the time promised, or begun in that of the first token, when the run ends.",
)
.above(0.0)
.at_most(99.999);
const AVAILABILITY: Key<Option<f64>> = Key::optional(
    "availability",
    "A promise of its own: the share of requests that are answered, however late, in percent (99.9, or 0.999). Requests rejected, timed out or failed miss it.",
)
.above(0.0)
.at_most(99.999);
const WINDOW: Key<Option<Span>> = Key::optional(
    "window",
    "Promises the same of windows of this length too: in `share_of_windows` of them the share of the requests that arrived in the window is kept. Windows without a request do not count, and the last may be shorter.",
)
.at_least(1.0);
const SHARE_OF_WINDOWS: Key<Option<f64>> = Key::optional(
    "share_of_windows",
    "The share of the windows that keep the promise, in percent (99, or 0.99). Without it 99.",
)
.above(0.0)
.at_most(99.999);
const PROMISE: Key<Vec<Written>> = Key::or(
    "promise",
    "[]",
    "Further promises, each kept by itself: the SLO is kept if all are. With the first at most eight, of which `availability` and a `window` each are one.",
);

/// The table `[[slo.promise]]`.
const ENTRY: TableSpec = TableSpec {
    name: "slo.promise",
    doc: "One more promise. A request keeps it if it keeps all times that are written here.",
    keys: &[&LATENCY, &TTFT, &TPOT, &PERCENTILE, &AVAILABILITY, &WINDOW, &SHARE_OF_WINDOWS],
};

/// What one table promises.
#[derive(Debug)]
struct Written(Vec<Promise>);

impl Value for Written {
    fn kind() -> Kind {
        Kind::Table(const { &ENTRY })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &ENTRY, context)?;
        let promises = written(&reader)?;
        if promises.is_empty() { Err(reader.missing("latency")) } else { Ok(Written(promises)) }
    }
}

/// What the keys of a table promise: its times and its availability, of the whole run, then the same of windows.
fn written(reader: &Reader<'_>) -> Result<Vec<Promise>, Problem> {
    let (latency, ttft, tpot) = (reader.find(&LATENCY)?, reader.find(&TTFT)?, reader.find(&TPOT)?);
    let percentile = in_percent("percentile", reader.get(&PERCENTILE)?, reader)?;
    let percent = |key: &Key<Option<f64>>| {
        reader.find(key)?.map(|share| in_percent(key.name(), share, reader)).transpose()
    };
    let (availability, share) = (percent(&AVAILABILITY)?, percent(&SHARE_OF_WINDOWS)?);
    let any_time = latency.is_some() || ttft.is_some() || tpot.is_some();
    if !any_time && reader.has("percentile") {
        return Err(reader.missing("latency"));
    }
    let times = any_time.then_some(Promise {
        latency: latency.unwrap_or(Span::MAX),
        ttft,
        tpot,
        percentile,
        windows: None,
    });
    let answered = availability.map(|percentile| Promise { percentile, ..Promise::ANSWERED });
    let whole: Vec<Promise> = times.into_iter().chain(answered).collect();
    let windows = match (reader.find(&WINDOW)?, share) {
        (Some(length), share) => Some(PerWindow { length, percent: share.unwrap_or(99.0) }),
        (None, Some(_)) => return Err(reader.missing("window")),
        (None, None) => None,
    };
    let of_windows: Vec<Promise> = match windows {
        Some(_) => whole.iter().map(|promise| Promise { windows, ..*promise }).collect(),
        None => Vec::new(),
    };
    if windows.is_some() && whole.is_empty() {
        return Err(reader.missing("latency"));
    }
    Ok(whole.into_iter().chain(of_windows).collect())
}

impl Promise {
    /// That all requests are answered, however late.
    const ANSWERED: Promise =
        Promise { latency: Span::MAX, ttft: None, tpot: None, percentile: 100.0, windows: None };

    /// The latency promised, if one is.
    pub fn promised_latency(&self) -> Option<Span> {
        Some(self.latency).filter(|latency| *latency < Span::MAX)
    }

    /// The share of what counts that may miss it: of the windows where it is one of windows, else of the requests.
    pub fn allowed(&self) -> f64 {
        1.0 - self.windows.map_or(self.percentile, |windows| windows.percent) / 100.0
    }

    /// Whether a window in which so many requests of those that arrived missed it is itself one that misses.
    pub(in crate::sim) fn misses_window(&self, missed: u64, arrived: u64) -> bool {
        // Rounding must not decide where misses are exactly what is allowed.
        missed as f64 > (1.0 - self.percentile / 100.0) * arrived as f64 * (1.0 + 1e-9)
    }

    /// It in words, with times as `show` writes them: "99 % of requests within 2 s", "99.9 % of requests answered", each
    /// with "in 99 % of the windows of 5m" where it is one of windows.
    pub fn describe(&self, show: impl Fn(Span) -> String) -> String {
        let times = self.times(&show);
        let within = if times.is_empty() { "answered".to_owned() } else { format!("within {times}") };
        let windows = self.windows.map_or_else(String::new, |windows| {
            format!(", in {} % of the windows of {}", windows.percent, show(windows.length))
        });
        format!("{} % of requests {within}{windows}", self.percentile)
    }

    /// The times promised: "2 s, 500 ms to the first token"; empty if none is.
    pub fn times(&self, show: impl Fn(Span) -> String) -> String {
        let latency = self.promised_latency().map(&show);
        let ttft = self.ttft.map(|span| format!("{} to the first token", show(span)));
        let tpot = self.tpot.map(|span| format!("{} per token", show(span)));
        latency.into_iter().chain(ttft).chain(tpot).collect::<Vec<_>>().join(", ")
    }
}

impl Slo {
    /// A promise that every answer keeps.
    pub const NONE: Slo =
        Slo { latency: Span::MAX, ttft: None, tpot: None, percentile: 0.0, more: [None; MORE] };

    /// A latency promised for such a share of the requests, in percent.
    pub const fn latency(latency: Span, percentile: f64) -> Slo {
        Slo { latency, ttft: None, tpot: None, percentile, more: [None; MORE] }
    }

    /// The `[slo]` table.
    pub const SPEC: TableSpec = TableSpec {
        name: "slo",
        doc: "The promises of the service: a share of the requests is answered within a time. A request keeps the promise if it keeps all times that are written. Tables and charts with room for one time show that to the first token if it is promised, else that per token, else the latency. Of several promises (`availability`, `window`, `[[slo.promise]]`) each is kept by itself, and the first with a time is the one that such tables and charts show; the SLO is kept if all are.",
        keys: &[&LATENCY, &TTFT, &TPOT, &PERCENTILE, &AVAILABILITY, &WINDOW, &SHARE_OF_WINDOWS, &PROMISE],
    };

    /// Reads the `[slo]` table.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn read(reader: &Reader<'_>) -> Result<Slo, Problem> {
        let mut all = written(reader)?;
        all.extend(reader.get(&PROMISE)?.into_iter().flat_map(|Written(promises)| promises));
        let leads =
            |promise: &Promise| promise.windows.is_none() && !promise.times(|_| "t".into()).is_empty();
        if let Some(first) = all.iter().position(leads) {
            all[..=first].rotate_right(1);
        }
        if all.len() > MORE + 1 {
            let message = format!("`{}` has {} promises", reader.path_of("promise"), all.len());
            return Err(reader.problem("promise", message, format!("expected at most {}", MORE + 1)));
        }
        let Some((first, others)) = all.split_first() else { return Err(reader.missing("latency")) };
        let mut more = [None; MORE];
        more.iter_mut().zip(others).for_each(|(place, promise)| *place = Some(*promise));
        let Promise { latency, ttft, tpot, percentile, .. } = *first;
        Ok(Slo { latency, ttft, tpot, percentile, more })
    }

    /// The first promise.
    pub fn first(&self) -> Promise {
        let Slo { latency, ttft, tpot, percentile, .. } = *self;
        Promise { latency, ttft, tpot, percentile, windows: None }
    }

    /// The promises beside the first.
    pub fn more(&self) -> impl Iterator<Item = Promise> + '_ {
        self.more.iter().flatten().copied()
    }

    /// All promises, the first at the beginning.
    pub fn promises(&self) -> impl Iterator<Item = Promise> + '_ {
        std::iter::once(self.first()).chain(self.more())
    }

    /// The latency promised first, if one is.
    pub fn promised_latency(&self) -> Option<Span> {
        self.first().promised_latency()
    }

    /// The time that stands for the promises where there is room for one, and which it is: that to the first token if it is
    /// promised first, else that of each further token, else the latency. No time where none is promised.
    pub fn leading(&self) -> (Promised, Option<Span>) {
        match (self.ttft, self.tpot) {
            (Some(ttft), _) => (Promised::Ttft, Some(ttft)),
            (None, Some(tpot)) => (Promised::Tpot, Some(tpot)),
            (None, None) => (Promised::Latency, self.promised_latency()),
        }
    }

    /// The percentile of the first promise as a fraction.
    pub fn quantile(&self) -> f64 {
        self.percentile / 100.0
    }
}

/// A percentile as it is written. From a half to below one it can only be a share: nobody promises that 0.99 % of the
/// requests are fast. Below, and at one, it may be either, and is asked for.
fn in_percent(key: &str, written: f64, reader: &Reader<'_>) -> Result<f64, Problem> {
    match written {
        share if (0.5..1.0).contains(&share) => Ok(to_percent(share)),
        unclear if unclear <= 1.0 => {
            let message = format!("`{}` is {unclear}, which may be percent or a share", reader.path_of(key));
            let label =
                format!("expected percent, such as 99; as a share it would be {}", to_percent(unclear));
            Err(reader.problem(key, message, label))
        }
        percent => Ok(percent),
    }
}

/// A share in percent, without the digits that a product of floats adds.
fn to_percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Tree;

    #[test]
    fn a_percentile_written_as_a_share_is_taken_where_it_is_sure_and_refused_where_not() {
        let read = |percentile: &str| {
            let tree = Tree::parse(&format!("latency = \"2s\"\npercentile = {percentile}")).unwrap();
            let context = Context::new(".");
            Slo::read(&Reader::open(tree.root(), "slo", &Slo::SPEC, &context).unwrap())
        };
        for (share, percent) in [("0.99", 99.0), ("0.999", 99.9), ("0.57", 57.0), ("0.5", 50.0)] {
            assert_eq!(read(share).unwrap().percentile, percent);
        }
        for unclear in ["1", "0.3", "0.01"] {
            let problem = read(unclear).unwrap_err();
            assert!(
                problem.message.contains(&format!("is {unclear}, which may be percent or a share")),
                "{problem:?}"
            );
        }
        assert_eq!(read("1.5").unwrap().percentile, 1.5);
        assert_eq!(read("99.9").unwrap().percentile, 99.9);
    }

    #[test]
    fn several_promises_are_read_and_the_first_with_a_time_leads() {
        let read = |text: &str| {
            let tree = Tree::parse(text).unwrap();
            Slo::read(&Reader::open(tree.root(), "slo", &Slo::SPEC, &Context::new(".")).unwrap())
        };
        let words = |text: &str| {
            let slo = read(text).unwrap();
            slo.promises().map(|promise| promise.describe(|span| span.to_string())).collect::<Vec<_>>()
        };
        let all = words(
            "availability = 0.999\nwindow = \"5m\"\n[[promise]]\nlatency = \"2s\"\npercentile = 95\n[[promise]]\n\
             ttft = \"500ms\"\nwindow = \"1h\"\nshare_of_windows = 0.9",
        );
        assert_eq!(
            all,
            [
                "95 % of requests within 2s",
                "99.9 % of requests answered",
                "99.9 % of requests answered, in 99 % of the windows of 5m",
                "99 % of requests within 500ms to the first token",
                "99 % of requests within 500ms to the first token, in 90 % of the windows of 1h",
            ]
        );
        assert_eq!(read("availability = 99.9").unwrap().leading(), (Promised::Latency, None));
        let missing = |text: &str| read(text).unwrap_err().message;
        assert_eq!(missing("percentile = 95"), "`slo.latency` is missing");
        assert_eq!(missing("window = \"5m\""), "`slo.latency` is missing");
        assert_eq!(missing("latency = \"1s\"\nshare_of_windows = 0.9"), "`slo.window` is missing");
        let nine = "[[promise]]\nlatency = \"2s\"\n".repeat(9);
        assert_eq!(missing(&nine), "`slo.promise` has 9 promises");
    }
}

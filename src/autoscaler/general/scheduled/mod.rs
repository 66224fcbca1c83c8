//! Capacity by the clock: cron-like entries, each with the instances there are to be from then on.
//!
//! What Kubernetes CronJobs that scale, scheduled actions of AWS Application Auto Scaling and KEDA's cron trigger come to:
//! no metric, only the time of day in a place of the world, daylight saving included. The zones are those of the IANA time
//! zone database as jiff bundles it, so that a run is the same on every machine.

mod cron;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::autoscaler::{Explanation, Limits, Observation, Policy, PolicyContext, Schedule, Settings};
use crate::schema::{Context, Data, Key, Kind, Node, Problem, Reader, TableSpec, Value, nearest};
use crate::time::{Instant, Span};
pub use cron::Cron;

const ENTRIES: Key<Vec<Entry>> = Key::required(
    "entries",
    "Times at which the number of instances changes, and the numbers. At the start the last entry before it holds; of two entries at the same minute, the later one in the list.",
);
const TIME_ZONE: Key<Zone> = Key::or(
    "time_zone",
    "\"UTC\"",
    "IANA time zone of the entries and of `starts_at`, such as \"Europe/Berlin\". A time that the clocks skip in spring \
     comes an hour later, one that they show twice in autumn comes once, the first time.",
);
pub(in crate::autoscaler) const STARTS_AT: Key<LocalTime> = Key::or(
    "starts_at",
    "\"2026-01-05T00:00\"",
    "Date and time of day at which the run starts, as the clock in the time zone shows it; the default is a Monday.",
);
const LEAD: Key<Span> = Key::or(
    "lead",
    "\"0s\"",
    "How long before each entry its change is made: with the length of a cold start the instances are ready on time.",
);

const AT: Key<Moment> = Key::required(
    "at",
    "A cron expression: minute, hour, day of the month, month, day of the week; `*`, lists, ranges, steps and English \
     names of three letters. \"0 8 * * mon-fri\" is 08:00 on working days.",
);
const INSTANCES: Key<u32> = Key::required("instances", "Instances from then on.");
const ENTRY: TableSpec = TableSpec {
    name: "entry",
    doc: "A time that comes again, and the instances from then on.",
    keys: &[&AT, &INSTANCES],
};

/// `kind = "scheduled"`.
pub(in crate::autoscaler) const SPEC: TableSpec = TableSpec {
    name: "scheduled",
    doc: "Capacity by schedule: entries of a crontab, each with the number of instances from then on. It uses no metric.",
    keys: &[&ENTRIES, &TIME_ZONE, &STARTS_AT, &LEAD],
};

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::autoscaler) struct Scheduled {
    entries: Vec<Entry>,
    zone: Zone,
    starts_at: LocalTime,
    lead: Span,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    at: Moment,
    instances: u32,
}

/// A cron expression, and how the user writes it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::autoscaler) struct Moment {
    cron: Cron,
    text: String,
}

/// A time zone, and its name.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::autoscaler) struct Zone {
    zone: TimeZone,
    name: String,
}

/// What a clock on the wall shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::autoscaler) struct LocalTime(DateTime);

impl Moment {
    /// When it matches.
    pub fn cron(&self) -> &Cron {
        &self.cron
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Zone {
    /// The instant, on the time line of the world, that a clock on the wall shows so; `None` where the calendar ends.
    pub fn timestamp(&self, local: LocalTime) -> Option<Timestamp> {
        self.zone.to_ambiguous_timestamp(local.0).compatible().ok()
    }

    /// What a clock on the wall shows at an instant.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }
}

impl Value for Entry {
    fn kind() -> Kind {
        Kind::Table(const { &ENTRY })
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let reader = Reader::open(node, path, &ENTRY, context)?;
        Ok(Entry { at: reader.get(&AT)?, instances: reader.get(&INSTANCES)? })
    }
}

impl Value for Moment {
    fn kind() -> Kind {
        Kind::Text
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let text = String::read(node, path, context)?;
        let cron = Cron::parse(&text).map_err(|why| {
            let expected =
                "expected minute, hour, day of the month, month and day of the week: \"0 8 * * mon-fri\"";
            Problem::new(&node.place, format!("`{path}`: {why}"), expected)
        })?;
        Ok(Moment { cron, text })
    }
}

impl Value for Zone {
    fn kind() -> Kind {
        Kind::Text
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        let name = String::read(node, path, context)?;
        let database = TimeZoneDatabase::bundled();
        if let Ok(zone) = database.get(&name) {
            return Ok(Zone { zone, name });
        }
        let message = format!("`{path}` is \"{name}\", which is no time zone");
        let problem = Problem::new(&node.place, message, "expected an IANA name such as \"Europe/Berlin\"");
        let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
        Err(match nearest(&name, names.iter().map(String::as_str)) {
            Some(close) => problem.help(format!("did you mean \"{close}\"?")),
            None => problem,
        })
    }
}

impl Value for LocalTime {
    fn kind() -> Kind {
        Kind::Text
    }
    fn read(node: &Node, path: &str, context: &Context) -> Result<Self, Problem> {
        const EXPECTED: &str = "expected a date and time of day such as \"2026-01-05T08:00\"";
        match &node.data {
            Data::Text(text) => text.parse().map(LocalTime).map_err(|_| {
                Problem::new(&node.place, format!("`{path}` is \"{text}\", which is no time"), EXPECTED)
            }),
            // Whatever else it is, it is no text, and that is what is said of it.
            _ => String::read(node, path, context).map(|_| LocalTime(DateTime::default())),
        }
    }
}

pub(in crate::autoscaler) fn read(reader: &Reader<'_>) -> Result<Scheduled, Problem> {
    let entries = reader.get(&ENTRIES)?;
    if entries.is_empty() {
        let path = reader.path_of(ENTRIES.name());
        return Err(reader.problem(
            ENTRIES.name(),
            format!("`{path}` is empty"),
            "expected at least one entry",
        ));
    }
    Ok(Scheduled {
        entries,
        zone: reader.get(&TIME_ZONE)?,
        starts_at: reader.get(&STARTS_AT)?,
        lead: reader.get(&LEAD)?,
    })
}

impl Scheduled {
    /// When `local` comes in the run, less the lead; the start if before it, never if the calendar ends first.
    fn instant(&self, local: DateTime) -> Instant {
        let (Some(at), Some(start)) =
            (self.zone.timestamp(LocalTime(local)), self.zone.timestamp(self.starts_at))
        else {
            return Instant::MAX;
        };
        let nanos = at.as_nanosecond() - start.as_nanosecond() - i128::from(self.lead.as_nanos());
        Instant::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
    }

    /// What the clock on the wall shows at the start of the run, the lead on.
    fn first_look(&self) -> DateTime {
        let ahead = || {
            let nanos = i64::try_from(self.lead.as_nanos()).ok()?;
            let start = self.zone.timestamp(self.starts_at)?;
            let ahead = start.checked_add(jiff::SignedDuration::from_nanos(nanos)).ok()?;
            Some(self.zone.local(ahead))
        };
        ahead().unwrap_or(self.starts_at.0)
    }

    /// The entry that holds at `local`, and since when.
    fn holding(&self, local: DateTime) -> (usize, DateTime) {
        let since = |entry: &Entry| entry.at.cron.last_until(local).unwrap_or(local);
        let all = self.entries.iter().enumerate().map(|(index, entry)| (index, since(entry)));
        // `max_by_key` gives the last of those that are equal.
        all.max_by_key(|(_, since)| *since).unwrap_or((0, local))
    }

    /// When entry `index` comes first after `local`.
    fn upcoming(&self, index: usize, local: DateTime) -> Upcoming {
        let later = local.checked_add(jiff::Span::new().minutes(1)).ok();
        let next = later.and_then(|later| self.entries[index].at.cron.next_from(later));
        let at = next.map_or(Instant::MAX, |local| self.instant(local));
        Upcoming { at, local: next.unwrap_or(local) }
    }
}

impl Settings for Scheduled {
    fn limits(&self) -> Limits {
        let instances = || self.entries.iter().map(|entry| entry.instances);
        Limits { min: instances().min().unwrap_or(0), max: instances().max().unwrap_or(0) }
    }
    fn limiting_key(&self) -> &'static str {
        ENTRIES.name()
    }
    /// At the very start, which needs no observation; from then on at the entries.
    fn schedule(&self) -> Option<Schedule> {
        Some(Schedule { interval: Span::MAX, phase: Span::from_nanos(1) })
    }
    fn policy(&self, _: &PolicyContext) -> Box<dyn Policy> {
        Box::new(ScheduledPolicy::new(self.clone()))
    }
}

/// The policy at work.
#[derive(Debug, Clone)]
struct ScheduledPolicy {
    settings: Scheduled,
    /// The entry that holds, and since when.
    entry: usize,
    since: DateTime,
    /// When each entry comes next.
    upcoming: Vec<Upcoming>,
}

#[derive(Debug, Clone, Copy)]
struct Upcoming {
    at: Instant,
    local: DateTime,
}

impl ScheduledPolicy {
    fn new(settings: Scheduled) -> ScheduledPolicy {
        let local = settings.first_look();
        let (entry, since) = settings.holding(local);
        let upcoming = (0..settings.entries.len()).map(|index| settings.upcoming(index, local)).collect();
        ScheduledPolicy { settings, entry, since, upcoming }
    }

    /// The entry that comes next; of those that come at once, the first in the list.
    fn next_entry(&self) -> Option<(usize, Upcoming)> {
        self.upcoming.iter().copied().enumerate().min_by_key(|(_, upcoming)| upcoming.at)
    }
}

impl Policy for ScheduledPolicy {
    fn decide(&mut self, now: Instant, _: &Observation<'_>) -> u32 {
        while let Some((index, due)) =
            self.next_entry().filter(|(_, due)| due.at <= now && due.at != Instant::MAX)
        {
            (self.entry, self.since) = (index, due.local);
            self.upcoming[index] = self.settings.upcoming(index, due.local);
        }
        self.settings.entries[self.entry].instances
    }

    fn explain(&self) -> Explanation {
        let (Entry { at, instances }, zone) = (&self.settings.entries[self.entry], &self.settings.zone.name);
        let since = self.since.strftime("%Y-%m-%d %H:%M").to_string();
        let reason = format!("\"{}\" holds since {since} ({zone}): {instances}", at.text);
        let figures = vec![("entry", self.entry.into()), ("since", since.into())];
        Explanation { figures, ..Explanation::plain(reason) }
    }

    fn next(&self, _: Instant) -> Option<Instant> {
        self.next_entry().map(|(_, upcoming)| upcoming.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(zone: &str, starts_at: &str, lead_s: u64, entries: &[(&str, u32)]) -> Scheduled {
        let entry = |(text, instances): &(&str, u32)| Entry {
            at: Moment { cron: Cron::parse(text).unwrap(), text: (*text).to_owned() },
            instances: *instances,
        };
        Scheduled {
            entries: entries.iter().map(entry).collect(),
            zone: Zone { zone: TimeZoneDatabase::bundled().get(zone).unwrap(), name: zone.to_owned() },
            starts_at: LocalTime(starts_at.parse().unwrap()),
            lead: Span::from_secs(lead_s),
        }
    }

    /// The hours of the run at which the number changes up to `hours`, with the number.
    fn changes(settings: Scheduled, hours: u64) -> Vec<(f64, u32)> {
        let (mut policy, mut now, mut found) =
            (ScheduledPolicy::new(settings), Instant::from_nanos(1), Vec::new());
        let observation =
            Observation { desired: 1, existing: 1, ready: 1, held: 0, metric: None, instances: &[] };
        while now < Instant::ZERO + Span::from_secs(3600 * hours) {
            let wanted = policy.decide(now, &observation);
            found.push(((now.as_secs_f64() / 36.0).round() / 100.0, wanted));
            now = policy.next(now).unwrap();
        }
        found
    }

    const OFFICE: [(&str, u32); 2] = [("0 8 * * mon-fri", 10), ("0 18 * * *", 2)];

    #[test]
    fn each_entry_holds_until_the_next_one_comes() {
        let week = settings("UTC", "2026-01-09T00:00", 0, &OFFICE);
        // Friday, then a weekend whose mornings have no entry, then Monday.
        let expected = [(0.0, 2), (8.0, 10), (18.0, 2), (42.0, 2), (66.0, 2), (80.0, 10)];
        assert_eq!(changes(week, 81), expected);
    }

    #[test]
    fn a_run_that_starts_in_the_middle_of_the_day_starts_with_what_holds_then() {
        assert_eq!(changes(settings("UTC", "2026-01-05T12:00", 0, &OFFICE), 7), [(0.0, 10), (6.0, 2)]);
    }

    #[test]
    fn the_lead_brings_every_change_forward() {
        let early = settings("UTC", "2026-01-05T06:00", 1800, &OFFICE);
        assert_eq!(changes(early, 12), [(0.0, 2), (1.5, 10), (11.5, 2)]);
        let begun = settings("UTC", "2026-01-05T07:45", 1800, &OFFICE);
        assert_eq!(changes(begun, 1), [(0.0, 10)]);
    }

    #[test]
    fn clocks_that_change_shift_the_entries() {
        // On 29 March 2026 Berlin goes from 02:00 to 03:00, so that 08:00 comes after seven hours.
        let every_day = [("0 8 * * *", 10), ("30 2 * * *", 3)];
        let spring = settings("Europe/Berlin", "2026-03-29T00:00", 0, &every_day);
        assert_eq!(changes(spring, 20), [(0.0, 10), (2.5, 3), (7.0, 10)]);
        // On 25 October it shows 02:30 twice; the entry comes at the first.
        let autumn = settings("Europe/Berlin", "2026-10-25T00:00", 0, &every_day);
        assert_eq!(changes(autumn, 20), [(0.0, 10), (2.5, 3), (9.0, 10)]);
    }

    #[test]
    fn the_reason_names_the_entry_and_the_place() {
        let policy = ScheduledPolicy::new(settings("Asia/Tokyo", "2026-01-05T09:30", 0, &OFFICE));
        let expected = "\"0 8 * * mon-fri\" holds since 2026-01-05 08:00 (Asia/Tokyo): 10";
        assert_eq!(policy.explain().reason, expected);
    }
}

//! Files that can be read, but not as what they are: other units, other columns.

use super::packing::content;
use super::records::Records;
use super::table::clip;
use super::timestamps::parse_timestamp;
use super::{Column, FileError, Layout, Packed, Unit};
use crate::files::NamedFile;

/// Rows from which on a pattern is no coincidence.
const MANY: usize = 10;

/// The first two rows of a CSV file.
#[derive(Debug)]
struct Head {
    first: Vec<String>,
    second: Vec<String>,
}

impl Head {
    /// `None` for what is no CSV file, or has been read a moment ago and cannot be now.
    fn of(file: &NamedFile<'_>) -> Option<Head> {
        let reader = content(file).ok()?;
        let mut records = Records::new(reader, b',');
        let mut row =
            || -> Option<Vec<String>> { Some(records.next_row().ok()??.iter().map(str::to_owned).collect()) };
        Some(Head { first: row()?, second: row().unwrap_or_default() })
    }

    /// Whether the first row names the columns: no cell of it is a time.
    fn has_names(&self) -> bool {
        self.first.iter().all(|cell| parse_timestamp(cell, Unit::Seconds).is_none())
    }

    fn name(&self, at: usize) -> Option<&str> {
        self.first.get(at).filter(|_| self.has_names()).map(String::as_str)
    }

    fn position(&self, column: &Column) -> Option<usize> {
        match column {
            Column::Number(number) => number.checked_sub(1),
            Column::Name(name) => self.first.iter().position(|cell| cell == name),
        }
    }

    /// Columns beside the one at `at` that hold dates, or have the name of a time and hold numbers: as a message shows them.
    fn other_times(&self, at: usize) -> Vec<String> {
        let others = (0..self.second.len()).filter(|index| *index != at && self.is_time(*index));
        others.map(|index| self.shown(index)).collect()
    }

    /// Whether the column at `at` holds dates, or has the name of an instant and holds numbers.
    fn is_time(&self, at: usize) -> bool {
        let Some(cell) = self.second.get(at) else { return false };
        let is_number = cell.parse::<f64>().is_ok();
        let is_named = self.name(at).is_some_and(names_an_instant);
        (!is_number || is_named) && parse_timestamp(cell, Unit::Seconds).is_some()
    }

    fn shown(&self, at: usize) -> String {
        match self.name(at) {
            Some(name) if !name.is_empty() => format!("`{}`", clip(name)),
            _ => format!("{}", at + 1),
        }
    }
}

/// Whether a column of this name holds instants, and not lengths of time.
fn names_an_instant(name: &str) -> bool {
    let name = name.to_lowercase();
    [
        "timestamp",
        "datetime",
        "date",
        "time",
        "ts",
        "arrival",
        "arrived_at",
        "created_at",
        "start_time",
        "epoch",
    ]
    .contains(&name.as_str())
        || name.contains("timestamp")
}

/// The unit that the name of a column ends in: `latency_ms`, `took (us)`.
pub(super) fn unit_in_name(name: &str) -> Option<Unit> {
    let mut spaced = String::new();
    let mut after_small = false;
    for c in name.chars() {
        if c.is_uppercase() && after_small {
            spaced.push(' ');
        }
        spaced.extend(c.to_lowercase());
        after_small = c.is_lowercase();
    }
    let mut words = spaced.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    // One word alone is a name: `ms` may stand for anything.
    let last = words.next_back().filter(|_| words.next().is_some())?;
    match last {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(Unit::Seconds),
        "ms" | "msec" | "millis" | "milliseconds" => Some(Unit::Milliseconds),
        "us" | "usec" | "micros" | "microseconds" => Some(Unit::Microseconds),
        "ns" | "nsec" | "nano" | "nanos" | "nanoseconds" => Some(Unit::Nanoseconds),
        _ => None,
    }
}

/// Whether the unit in a column's name speaks against the one it is read in. Seconds are what is read if nothing is said; any
/// other unit was chosen.
fn contradicts(named: Unit, read: Unit) -> bool {
    read == Unit::Seconds && named != read
}

const fn symbol(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::Milliseconds => "ms",
        Unit::Microseconds => "us",
        Unit::Nanoseconds => "ns",
    }
}

/// The unit that makes `first`, nanoseconds by `unit`, an instant since 1970 that could be of a trace.
fn epoch_unit(first: i128, unit: Unit) -> Option<Unit> {
    // 10¹¹ s is the year 5138; in milliseconds it is 1973.
    const LEAST_S: i128 = 100_000_000_000;
    let factor = match first / 1_000_000_000 {
        seconds if seconds < LEAST_S => return None,
        seconds if seconds < LEAST_S * 1_000 => 1_000,
        seconds if seconds < LEAST_S * 1_000_000 => 1_000_000,
        _ => 1_000_000_000,
    };
    let [ms, us, ns] = [Unit::Milliseconds, Unit::Microseconds, Unit::Nanoseconds];
    [ms, us, ns].into_iter().find(|finer| finer.nanos() * factor == unit.nanos())
}

/// A trace as it was read, and how.
pub(super) struct AsRead<'a> {
    pub layout: Layout,
    /// Column and unit of the timestamps.
    pub time: &'a (Column, Unit),
    /// Column and unit of the service times.
    /// Whether the scenario says that unit itself.
    pub unit_given: bool,
    pub service: Option<&'a (Column, Unit)>,
    /// The first timestamp, nanoseconds.
    pub first: i128,
    /// All timestamps, nanoseconds from the first.
    pub instants: &'a Packed,
}

/// What speaks against a trace as it was read.
///
/// # Errors
/// Numbers that are an epoch in another unit, or row numbers, or so far apart that they are no seconds; or the name of a
/// column says another unit than the one that is read.
pub(super) fn check_trace(file: &NamedFile<'_>, read: &AsRead<'_>) -> Result<(), FileError> {
    let AsRead { layout, time: (time, unit), unit_given, service, first, instants } = *read;
    let unit = *unit;
    let head = match layout {
        Layout::Csv => Head::of(file),
        Layout::JsonLines => None,
    };
    let position = head.as_ref().and_then(|head| head.position(time));
    let shown = match (&head, position, time) {
        (Some(head), Some(at), _) => format!("column {}", head.shown(at)),
        (_, _, Column::Name(name)) => format!("column `{}`", clip(name)),
        (_, _, Column::Number(number)) => format!("column {number}"),
    };
    let doubt = |what: String, label: String, help: String| {
        Err(FileError::whole(file.shown, &what, &label).with_help(help))
    };
    if let Some(finer) = epoch_unit(first, unit) {
        let what = format!("has {} since 1970 in {shown}, read as {}", finer.plural(), unit.plural());
        let label = format!("expected {}, as `unit` is \"{}\"", unit.plural(), symbol(unit));
        return doubt(what, label, format!("set `unit = \"{}\"`", symbol(finer)));
    }
    let Some((head, at)) = head.as_ref().zip(position) else { return Ok(()) };
    let is_number = head.second.get(at).is_some_and(|cell| cell.parse::<f64>().is_ok());
    if is_number {
        let named = head.name(at).and_then(unit_in_name).filter(|named| contradicts(*named, unit));
        if let Some(named) = named {
            return doubt(
                format!("has {} in {shown} by its name, read as {}", named.plural(), unit.plural()),
                format!("expected {}, as `unit` is \"{}\"", unit.plural(), symbol(unit)),
                format!("set `unit = \"{}\"`", symbol(named)),
            );
        }
        row_numbers(file, (head, at), (unit, unit_given), first, instants)?;
        too_rare(file, unit, &shown, instants)?;
    }
    let Some((column, unit)) = service else { return Ok(()) };
    let named = head.position(column).and_then(|at| Some((at, head.name(at)?)));
    match named.and_then(|(at, name)| Some((at, unit_in_name(name)?))) {
        Some((at, named)) if contradicts(named, *unit) => doubt(
            format!(
                "has {} in column {} by its name, read as {}",
                named.plural(),
                head.shown(at),
                unit.plural()
            ),
            format!("expected {}, as `service_unit` is \"{}\"", unit.plural(), symbol(*unit)),
            format!("set `service_unit = \"{}\"`", symbol(named)),
        ),
        _ => Ok(()),
    }
}

/// 0, 1, 2, … beside a column of times, under a name that is no time's, or in a unit that nobody has said, counts rows.
fn row_numbers(
    file: &NamedFile<'_>,
    (head, at): (&Head, usize),
    (unit, unit_given): (Unit, bool),
    first: i128,
    instants: &Packed,
) -> Result<(), FileError> {
    let one = unit.nanos();
    let starts = first == 0 || first == i128::from(one);
    let counts = (0_u64..).zip(instants.iter()).all(|(row, instant)| row.checked_mul(one) == Some(instant));
    if !starts || !counts || instants.len() < 3 {
        return Ok(());
    }
    let others = head.other_times(at);
    let name = head.name(at).map(str::to_lowercase);
    let is_index = name.as_deref().is_some_and(|name| {
        ["", "index", "id", "row", "#", "no", "n", "nr", "number", "unnamed: 0"].contains(&name)
    });
    if others.is_empty() && !((is_index || !unit_given) && instants.len() >= MANY) {
        return Ok(());
    }
    let what = format!("has row numbers in column {}, read as timestamps", head.shown(at));
    let help = match others.as_slice() {
        [] if is_index => "name the column of the timestamps with `column`".to_owned(),
        [] => format!(
            "name the column of the timestamps with `column`; if a request came at each of these, set `unit = \"{}\"`",
            symbol(unit)
        ),
        _ => format!("name the column of the timestamps with `column`: {}", others.join(" or ")),
    };
    Err(FileError::whole(file.shown, &what, "expected a column of timestamps").with_help(help))
}

/// Less than a request a day, over months: no seconds.
fn too_rare(file: &NamedFile<'_>, unit: Unit, shown: &str, instants: &Packed) -> Result<(), FileError> {
    const DAY: u64 = 86_400_000_000_000;
    let length = instants.last().unwrap_or(0);
    if instants.len() < MANY || length < 90 * DAY || length / DAY < instants.len() as u64 {
        return Ok(());
    }
    let what = format!(
        "has {} requests over {} days: {shown} is read as {}",
        instants.len(),
        length / DAY,
        unit.plural()
    );
    let help = "check the unit of the timestamps: `unit` is \"s\", \"ms\", \"us\" or \"ns\"";
    Err(FileError::whole(file.shown, &what, "expected a request a day or more").with_help(help))
}

/// The column of the timestamps of rows that are counted by another column, where there is one that holds dates, or
/// numbers under the name of a time.
pub(super) fn times_beside(file: &NamedFile<'_>, counts: &Column) -> Option<(Column, String)> {
    let head = Head::of(file)?;
    let at = head.position(counts)?;
    let index = (0..head.second.len()).find(|index| *index != at && head.is_time(*index))?;
    Some((Column::Number(index + 1), head.shown(index)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;
    use crate::traffic::{Trace, TraceColumns, read_trace};

    fn read(text: &str, columns: &TraceColumns) -> Result<Trace, String> {
        let mut files = Memory::default();
        files.insert("t.csv", text);
        let file = NamedFile { files: &files, path: "t.csv".into(), shown: "t.csv" };
        read_trace(&file, columns).map_err(|error| {
            format!("{} | {} | {}", error.message, error.label, error.help.unwrap_or_default())
        })
    }

    fn plain(unit: Unit) -> TraceColumns {
        TraceColumns::timestamps(Column::Number(1), unit, false)
    }

    #[test]
    fn an_epoch_in_another_unit_is_refused_with_the_unit() {
        let text = "timestamp,n\n1730797200624,1\n1730797200643,2\n";
        let expected = "`t.csv` has milliseconds since 1970 in column `timestamp`, read as seconds | \
                        expected seconds, as `unit` is \"s\" | set `unit = \"ms\"`";
        assert_eq!(read(text, &plain(Unit::Seconds)).unwrap_err(), expected);
        assert_eq!(read(text, &plain(Unit::Milliseconds)).unwrap().instants.to_vec(), [0, 19_000_000]);
        let nanos = "1759813207532900363\n1759813207532900364\n";
        assert!(read(nanos, &plain(Unit::Seconds)).unwrap_err().ends_with("set `unit = \"ns\"`"));
        assert!(read(nanos, &plain(Unit::Microseconds)).unwrap_err().ends_with("set `unit = \"ns\"`"));
        assert_eq!(read(nanos, &plain(Unit::Nanoseconds)).unwrap().instants.to_vec(), [0, 1]);
        assert_eq!(read("1730797200.5\n1730797201\n", &plain(Unit::Seconds)).unwrap().instants.len(), 2);
    }

    #[test]
    fn row_numbers_are_refused_beside_times_or_under_the_name_of_an_index() {
        let beside =
            ",timestamp,latency\n0,2024-11-05T09:00:00,1\n1,2024-11-05T09:00:01,1\n2,2024-11-05T09:00:02,1\n";
        let expected = "`t.csv` has row numbers in column 1, read as timestamps | expected a column of timestamps | \
                        name the column of the timestamps with `column`: `timestamp`";
        assert_eq!(read(beside, &plain(Unit::Seconds)).unwrap_err(), expected);
        let rows = |name: &str| (0..20).fold(format!("{name}\n"), |text, row| format!("{text}{row}\n"));
        assert!(read(&rows("id"), &plain(Unit::Seconds)).unwrap_err().contains("row numbers"));
        // A second a row is a trace, too, where the unit is said or there are few.
        let refused = read(&rows("time"), &plain(Unit::Seconds)).unwrap_err();
        assert!(refused.ends_with("if a request came at each of these, set `unit = \"s\"`"), "{refused}");
        let said = TraceColumns { unit_given: true, ..plain(Unit::Seconds) };
        assert!(read(&rows("time"), &said).is_ok() && read(&rows("id"), &said).is_err());
        for text in ["0\n1\n2\n3\n", "when,n\n0,5\n1,6\n2,7\n"] {
            assert!(read(text, &plain(Unit::Seconds)).is_ok(), "{text}");
        }
    }

    #[test]
    fn less_than_a_request_a_day_over_months_is_refused() {
        let rows = |gap: u64| (0..12).map(|row| format!("{}\n", row * row * gap)).collect::<String>();
        let error = read(&rows(86_400), &plain(Unit::Seconds)).unwrap_err();
        assert!(error.contains("has 12 requests over 121 days: column 1 is read as seconds"), "{error}");
        assert!(read(&rows(86_400), &plain(Unit::Milliseconds)).is_ok());
        assert!(read(&rows(60), &plain(Unit::Seconds)).is_ok());
    }

    #[test]
    fn a_unit_in_the_name_of_a_column_must_be_the_one_it_is_read_in() {
        let text = "at,latency_ms\n0.5,128\n0.7,284\n";
        let with = |service: Unit| TraceColumns {
            service: Some((Column::Name("latency_ms".into()), service)),
            ..plain(Unit::Seconds)
        };
        let error = read(text, &with(Unit::Seconds)).unwrap_err();
        assert!(
            error.contains("milliseconds in column `latency_ms` by its name, read as seconds"),
            "{error}"
        );
        assert!(error.ends_with("set `service_unit = \"ms\"`"), "{error}");
        assert!(read(text, &with(Unit::Milliseconds)).is_ok());
        assert!(
            read("time_ms\n5\n70\n", &plain(Unit::Seconds)).unwrap_err().ends_with("set `unit = \"ms\"`")
        );
        let words = ["latency_ms", "exec_time_seconds", "took (us)", "ms", "arms", "items", "start-ns"];
        let units =
            [Some(Unit::Milliseconds), Some(Unit::Seconds), Some(Unit::Microseconds), None, None, None];
        assert_eq!(words.map(unit_in_name)[..6], units);
        assert_eq!(unit_in_name("start-ns"), Some(Unit::Nanoseconds));
        assert_eq!(unit_in_name("durationMs"), Some(Unit::Milliseconds));
        assert_eq!(unit_in_name("start_time_unix_nano"), Some(Unit::Nanoseconds));
        assert_eq!(unit_in_name("items"), None);
    }
}

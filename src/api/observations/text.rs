//! Observations as text: JSON Lines and CSV.

use std::ops::Range;

use serde_json::{Map, Value};

use super::{Fields, Place, RecordedRow};
use crate::api::Error;
use crate::traffic::{Broken, ROW_BYTES, Records, excerpt_of_line};

/// Names of what is measured: a cell of such a column that is empty is a missing sample, not a field left out.
const MEASURED: [&str; 3] = ["value", "metric", "utilization"];

/// Whether a field, whose name may be within others, holds a measured value.
pub(super) fn is_measured(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    MEASURED.contains(&last)
}

/// Objects of JSON, one a line.
pub(super) fn json_lines(name: &str, text: &str) -> Result<Vec<RecordedRow>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            if line.len() > ROW_BYTES {
                return Err(Error::at_line(name, number, &Broken::TooLong(number as u64).to_string()));
            }
            // The text of what does not even begin as an object may be anything, and is not shown.
            let at = |byte: usize, why: &str| match line.trim_start().starts_with('{') {
                true => {
                    let bytes = byte.min(line.len())..line.len().min(byte + 1);
                    let place = excerpt_of_line(name, number as u64, line, on_characters(line, bytes));
                    Error::at_place(&place, why, "expected one JSON object a line")
                }
                false => Error::at_line(name, number, &format!("{why}: expected one JSON object a line")),
            };
            let value = serde_json::from_str(line).or_else(|why| match without_bare_nan(line) {
                Some(line) => serde_json::from_str(&line).map_err(|_| why),
                None => Err(why),
            });
            match value {
                Ok(Value::Object(mut fields)) => {
                    fields.iter_mut().for_each(|(name, value)| clear_nan(name, value));
                    Ok(RecordedRow { place: Place::Line(number), fields })
                }
                Ok(_) => Err(at(0, "a line is no JSON object")),
                Err(error) => {
                    let said = error.to_string();
                    let why = said.split(" at line ").next().unwrap_or_default();
                    Err(at(error.column().max(1) - 1, &format!("not JSON: {why}")))
                }
            }
        })
        .collect()
}

/// The bytes of the characters that hold these.
fn on_characters(text: &str, bytes: Range<usize>) -> Range<usize> {
    let start = (0..=bytes.start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let end = (bytes.end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    start..end
}

/// Rows of CSV with a header. A dot in a column's name makes objects within objects, and numbers between dots make lists.
pub(super) fn csv(name: &str, text: &str) -> Result<Vec<RecordedRow>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let delimiter = delimiter(text);
    let mut records = Records::new(text.as_bytes(), delimiter);
    let broken = |error: Broken| Error::at_line(name, line_of(&error), &error.to_string());
    let Some(first) = records.next_row().map_err(broken)? else { return Ok(Vec::new()) };
    let at = |cell: usize, why: &str| Error::at_place(&first.place(cell, name), why, "in the header");
    // Each row becomes an object with as many fields, and each header is compared with all.
    const MOST_COLUMNS: usize = 10_000;
    if first.len() > MOST_COLUMNS {
        let why = format!("the header has {} columns; at most {MOST_COLUMNS} are read", first.len());
        return Err(at(MOST_COLUMNS, &why));
    }
    // Each dot is an object within an object.
    const DEEPEST: usize = 64;
    let dots = |column: &str| column.matches('.').count();
    if let Some((cell, column)) = first.iter().enumerate().find(|(_, column)| dots(column) > DEEPEST) {
        let why = format!("the name of a column has {} dots; at most {DEEPEST} are read", dots(column));
        return Err(at(cell, &why));
    }
    for (cell, column) in first.iter().enumerate() {
        if first.iter().take(cell).any(|other| other == column) {
            return Err(at(cell, &format!("two columns are called `{column}`")));
        }
    }
    let header: Vec<String> = first.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    while let Some(record) = records.next_row().map_err(broken)? {
        let refuse = |cell: usize, why: &str| Error::at_place(&record.place(cell, name), why, "in this row");
        if record.len() != header.len() {
            let why = format!("the line has {} cells, and the header {}", record.len(), header.len());
            return Err(refuse(header.len().min(record.len() - 1), &why));
        }
        let mut fields = Map::new();
        for (at, (column, cell)) in header.iter().zip(record.iter()).enumerate() {
            let value = match cell {
                "" if is_measured(column) => Value::Null,
                "" => continue,
                cell if delimiter == b';' => value(&with_point(cell)),
                cell => value(cell),
            };
            set(&mut fields, column, value).map_err(|why| refuse(at, &why))?;
        }
        let fields = with_lists(fields).map_err(|why| refuse(0, &why))?;
        let line = usize::try_from(record.line()).unwrap_or(usize::MAX);
        rows.push(RecordedRow { place: Place::Line(line), fields });
    }
    Ok(rows)
}

/// What stands between the cells of a header: of commas, semicolons and tabs what there is most of.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |mark: &u8| header.bytes().filter(|byte| byte == mark).count();
    // The last of several that are as many.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// A number with a decimal comma, as spreadsheets write it where they separate cells by semicolons, with a point.
fn with_point(cell: &str) -> String {
    let is_number = cell.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    match is_number && cell.matches(',').count() == 1 {
        true => cell.replace(',', "."),
        false => cell.to_owned(),
    }
}

fn line_of(error: &Broken) -> usize {
    error.line().and_then(|line| usize::try_from(line).ok()).unwrap_or(1)
}

/// A cell as JSON would have it: a number, true or false, a list or an object, null where it says that there is no value,
/// else a text.
fn value(cell: &str) -> Value {
    if is_nan(cell) {
        return Value::Null;
    }
    serde_json::from_str(cell).unwrap_or_else(|_| Value::String(cell.to_owned()))
}

/// How programs write that there is no number.
fn is_nan(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-']);
    ["nan", "na", "n/a", "null", "none", "inf", "infinity"]
        .iter()
        .any(|known| text.eq_ignore_ascii_case(known))
}

/// Makes null of what is no number, as in exports of Prometheus, where it has to be one.
fn clear_nan(name: &str, value: &mut Value) {
    match value {
        Value::String(text) if name != "name" && is_nan(text) => *value = Value::Null,
        Value::Array(items) => items.iter_mut().for_each(|item| clear_nan(name, item)),
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| clear_nan(name, value)),
        _ => {}
    }
}

/// The line with null for each bare `NaN` or infinity, which are no JSON and are written all the same; `None` if there is
/// none.
fn without_bare_nan(line: &str) -> Option<String> {
    let (mut cleared, mut found, mut in_text, mut rest) = (String::new(), false, false, line);
    while let Some(first) = rest.chars().next() {
        let token = ["NaN", "-Infinity", "Infinity", "nan", "-inf", "inf"]
            .into_iter()
            .find(|token| !in_text && rest.starts_with(token));
        let taken = match (token, first) {
            (Some(token), _) => {
                found = true;
                cleared.push_str("null");
                token.len()
            }
            (None, '\\') if in_text => {
                let escaped = rest.chars().take(2).map(char::len_utf8).sum();
                cleared.push_str(&rest[..escaped]);
                escaped
            }
            (None, first) => {
                in_text ^= first == '"';
                cleared.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    found.then_some(cleared)
}

/// Sets a field; dots in its name make objects within objects.
pub(super) fn set(fields: &mut Fields, name: &str, value: Value) -> Result<(), String> {
    let Some((outer, inner)) = name.split_once('.') else {
        fields.insert(name.to_owned(), value);
        return Ok(());
    };
    match fields.entry(outer).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(within) => set(within, inner, value),
        _ => Err(format!("the column `{name}` is within `{outer}`, which is a column of its own")),
    }
}

/// The fields with a list for each object whose names are all numbers, which are places from 0 on.
pub(super) fn with_lists(fields: Fields) -> Result<Fields, String> {
    fields.into_iter().map(|(name, value)| Ok((name, listed(value)?))).collect()
}

fn listed(value: Value) -> Result<Value, String> {
    let Value::Object(fields) = value else { return Ok(value) };
    let places: Option<Vec<usize>> = fields.keys().map(|name| name.parse().ok()).collect();
    let Some(places) = places.filter(|places| !places.is_empty()) else {
        return Ok(Value::Object(with_lists(fields)?));
    };
    let last = places.iter().copied().max().unwrap_or(0);
    // Some places may be left out, but not so many that a short row becomes a list that fills memory.
    if last >= 16 * (places.len() + 4) {
        return Err(format!(
            "place {last} is given of a list, but of those before it only {}",
            places.len() - 1
        ));
    }
    let objects = fields.values().any(Value::is_object);
    let empty = || if objects { Value::Object(Map::new()) } else { Value::Null };
    let mut items: Vec<Value> = (0..=last).map(|_| empty()).collect();
    for (place, (_, value)) in places.into_iter().zip(fields) {
        items[place] = listed(value)?;
    }
    Ok(Value::Array(items))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(rows: &[RecordedRow]) -> Vec<String> {
        rows.iter().map(|row| row.place.to_string()).collect()
    }

    #[test]
    fn a_header_of_nothing_but_dots_is_refused_at_once() {
        let rows = |dots: usize| csv("rows.csv", &format!("time,{}b\n1,2\n", "a.".repeat(dots)));
        assert!(rows(64).is_ok());
        let error = rows(200_000).unwrap_err().to_string();
        assert!(error.contains("has 200000 dots; at most 64 are read"), "{error}");
    }

    #[test]
    fn lines_are_counted_over_a_byte_order_mark_crlf_blank_lines_and_cells_of_several_lines() {
        let rows = csv("rows.csv", "\u{feff}time,why\r\n0,a\r\n\r\n\r\n15,\"b\r\nb\"\r\n30,c\r\n").unwrap();
        assert_eq!(lines(&rows), ["line 2", "line 5", "line 7"]);
        assert_eq!(rows[0].fields["time"], json!(0));
        let error = csv("rows.csv", "time,why\r\n0,a\r\n15\r\n").unwrap_err();
        assert_eq!(error.location().map(|place| place.line), Some(3), "{error}");
        assert!(error.to_string().contains("the line has 1 cells, and the header 2"), "{error}");
    }

    #[test]
    fn numbers_between_dots_are_places_of_a_list() {
        let rows = csv("rows.csv", "triggers.0.value,triggers.2.value,state.failures.0\n1,NaN,2\n").unwrap();
        let expected = json!({"triggers": [{"value": 1}, {}, {"value": null}], "state": {"failures": [2]}});
        assert_eq!(Value::Object(rows[0].fields.clone()), expected);
        let error = csv("rows.csv", "a.99999999.b\n1\n").unwrap_err().to_string();
        assert!(error.contains("place 99999999 is given of a list"), "{error}");
    }

    #[test]
    fn a_measured_value_that_is_none_is_null_and_another_empty_cell_is_left_out() {
        let rows = csv("rows.csv", "value,ready\n,\nnan,3\n").unwrap();
        assert_eq!(Value::Object(rows[0].fields.clone()), json!({"value": null}));
        assert_eq!(Value::Object(rows[1].fields.clone()), json!({"value": null, "ready": 3}));
        let rows =
            json_lines("rows.jsonl", r#"{"value": NaN, "note": "NaN \" NaN x", "of": [-Infinity, "+Inf"]}"#);
        let expected = json!({"value": null, "note": "NaN \" NaN x", "of": [null, null]});
        assert_eq!(Value::Object(rows.unwrap()[0].fields.clone()), expected);
    }
}

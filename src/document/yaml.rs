//! YAML with places: one or more documents.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::{Data, Fault, Node, Place, Source, Span, Table};

/// Reads every document of a text.
///
/// A value that an alias repeats stands where it is defined.
///
/// # Errors
/// The first thing that is wrong: a syntax error, a name given twice, too deep or too large a document.
pub fn parse_all(source: &Arc<Source>) -> Result<Vec<Node>, Fault> {
    let documents: Vec<Spanned<Raw>> = serde_saphyr::from_multiple(source.text()).map_err(|error| {
        let span = error.location().map(|location| Span::new(source, bytes(source.text(), &location)));
        let text = error.to_string();
        let message = without_position(text.lines().next().unwrap_or_default());
        // What an option of the reader would change is nothing that a user can.
        let message = message.split_once(", set ").map_or(message, |(message, _)| message);
        Fault { span, message: message.to_owned() }
    })?;
    Ok(documents.into_iter().map(|document| convert(document, source)).collect())
}

/// The reader's message without the line and column it starts with: they are said by the place.
fn without_position(message: &str) -> &str {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    match message.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        Some((position, rest)) if position.contains(" column ") => rest,
        _ => message,
    }
}

fn convert(value: Spanned<Raw>, source: &Arc<Source>) -> Node {
    let place = place_of(source, &value.defined);
    let data = match value.value {
        Raw::Scalar(data) => data,
        Raw::Array(items) => Data::Array(items.into_iter().map(|item| convert(item, source)).collect()),
        Raw::Table(entries) => Data::Table(Table::of(
            entries
                .into_iter()
                // What an alias brings in has the alias as its name's place: an edit can tell.
                .map(|(name, value)| {
                    (name.value, place_of(source, &name.referenced), convert(value, source))
                }),
        )),
    };
    Node { data, place }
}

fn place_of(source: &Arc<Source>, location: &Location) -> Place {
    Place::File(Span::new(source, bytes(source.text(), location)))
}

/// The bytes of a location; the reader knows some of them only in characters.
fn bytes(text: &str, location: &Location) -> Range<usize> {
    let span = location.span();
    let known = span.byte_offset().zip(span.byte_len());
    let (start, length) = known.map_or_else(
        || {
            let byte = |character: usize| text.char_indices().nth(character).map_or(text.len(), |(at, _)| at);
            let start = byte(span.offset() as usize);
            (start, byte(span.offset() as usize + span.len() as usize) - start)
        },
        |(start, length)| (start as usize, length as usize),
    );
    start.min(text.len())..(start + length).min(text.len())
}

/// A value as the reader hands it over.
enum Raw {
    Scalar(Data),
    Array(Vec<Spanned<Raw>>),
    Table(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Data::Null))
    }
    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(Data::Null))
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Data::Bool(value)))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Data::Integer(value)))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(i64::try_from(value).map_or(Data::Float(value as f64), Data::Integer)))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Data::Float(value)))
    }
    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(Data::Text(value.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            table.push(entry);
        }
        Ok(Raw::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Node>, Fault> {
        parse_all(&Source::new("test.yaml", text))
    }

    /// Text, line and column of the value at a path.
    fn at<'a>(node: &'a Node, path: &[&str]) -> (&'a str, usize, usize) {
        let node = path.iter().fold(node, |node, step| match &node.data {
            Data::Table(table) => table.get(step).unwrap(),
            Data::Array(items) => &items[step.parse::<usize>().unwrap()],
            other => panic!("{other:?}"),
        });
        let span = node.place.span().unwrap();
        let at = span.line_column();
        (span.text(), at.line, at.column)
    }

    #[test]
    fn crlf_comments_and_characters_beyond_ascii_do_not_shift_places() {
        for end in ["\n", "\r\n"] {
            let text = "# größer\nä: 1 # eins\nb:\n- x: 'zwei drei'\n  y: {z: 0x10}\n---\nc: true\n";
            let documents = parse(&text.replace('\n', end)).unwrap();
            assert_eq!(at(&documents[0], &["ä"]), ("1", 2, 4), "{end:?}");
            assert_eq!(at(&documents[0], &["b", "0", "x"]), ("'zwei drei'", 4, 6), "{end:?}");
            assert_eq!(at(&documents[0], &["b", "0", "y", "z"]), ("0x10", 5, 10), "{end:?}");
            assert_eq!(at(&documents[1], &["c"]), ("true", 7, 4), "{end:?}");
        }
    }

    #[test]
    fn an_alias_stands_where_it_is_defined() {
        let documents = parse("a: &one 1\nb: *one\n").unwrap();
        assert_eq!(at(&documents[0], &["b"]), ("1", 1, 9));
    }

    #[test]
    fn a_fault_is_shown_at_its_line() {
        for (text, line) in [("a: 1\r\nb: [c\r\n", 2), ("a: 1\r\na: 2\r\n", 2), ("ä:\r\n\r\n\t- b", 3)] {
            let fault = parse(text).unwrap_err();
            assert_eq!(fault.span.unwrap().line_column().line, line, "{text:?}: {}", fault.message);
            assert!(!fault.message.contains("line"), "{}", fault.message);
        }
    }
}

//! A JSON document with long lists of numbers in it, gone through as it is read: the lists as packed columns, the rest as a tree.

use std::ops::Range;

use serde::de::SeqAccess;
use serde_json::Value;

use crate::files::NamedFile;
use crate::traffic::FileError;
use crate::traffic::metered::{Meter, Metered};
use crate::traffic::packed::{Packed, Packer};
use crate::traffic::tree::{Lists, tree};

/// The largest document that is read, its long lists not counted.
const DOCUMENT_BYTES: u64 = 256 << 20;

/// An instant that cannot be read.
const NO_INSTANT: i64 = i64::MIN;

/// What is kept of a document.
pub(super) struct Document<const N: usize> {
    /// All but the long lists, in whose place their numbers stand.
    pub tree: Value,
    lists: Vec<Range<usize>>,
    columns: [Packed; N],
}

/// Which lists of a document are long, and what is kept of them.
#[derive(Clone, Copy)]
pub(super) struct Long<const N: usize> {
    /// Whether the list at this key is one; it may lie in a list that is at the key.
    pub is_one: fn(&str, bool) -> bool,
    /// What of an entry is kept.
    pub keep: fn(&Value) -> [u64; N],
}

impl<const N: usize> Document<N> {
    /// Reads it.
    ///
    /// # Errors
    /// It cannot be read, holds more than 256 MiB unpacked beside the long lists, or is not JSON: with line and column.
    pub(super) fn read(file: &NamedFile<'_>, long: Long<N>) -> Result<Document<N>, FileError> {
        let meter = Meter::new(DOCUMENT_BYTES);
        let content = Metered::open(file, &meter)?;
        let packers = std::array::from_fn(|_| Packer::default());
        let mut sieve = Sieve { long, meter: &meter, rows: 0, lists: Vec::new(), packers };
        let tree = tree(content, &mut sieve).map_err(|error| meter.fault(file, error))?;
        Ok(Document { tree, lists: sieve.lists, columns: sieve.packers.map(Packer::finish) })
    }

    /// The entries of the list in whose place this value stands; `None` if it is none.
    pub(super) fn entries(
        &self,
        value: Option<&Value>,
    ) -> Option<impl ExactSizeIterator<Item = [u64; N]> + use<'_, N>> {
        let number = value?.as_array()?.first()?.as_u64()?;
        let rows = self.lists.get(usize::try_from(number).ok()?)?.clone();
        let mut columns = self.columns.each_ref().map(|column| column.range(rows.clone()));
        Some(rows.map(move |_| columns.each_mut().map(|column| column.next().unwrap_or_default())))
    }
}

/// An instant, as columns hold it.
pub(super) fn of_instant(at: Option<i64>) -> u64 {
    at.unwrap_or(NO_INSTANT) as u64
}

/// A number, as columns hold it.
pub(super) fn of_number(value: Option<f64>) -> u64 {
    value.unwrap_or(f64::NAN).to_bits()
}

/// The instant of [`of_instant`].
pub(super) fn instant(held: u64) -> Option<i64> {
    (held as i64 != NO_INSTANT).then_some(held as i64)
}

/// The number of [`of_number`].
pub(super) fn number(held: u64) -> Option<f64> {
    let value = f64::from_bits(held);
    (!value.is_nan()).then_some(value)
}

struct Sieve<'a, const N: usize> {
    long: Long<N>,
    meter: &'a Meter,
    rows: usize,
    lists: Vec<Range<usize>>,
    packers: [Packer; N],
}

impl<const N: usize> Lists for Sieve<'_, N> {
    fn take<'de, A: SeqAccess<'de>>(
        &mut self,
        key: &str,
        in_list: bool,
        list: &mut A,
    ) -> Result<Option<Value>, A::Error> {
        if !(self.long.is_one)(key, in_list) {
            return Ok(None);
        }
        let start = self.rows;
        while let Some(entry) = self.meter.entry(|| list.next_element::<Value>())? {
            let kept = (self.long.keep)(&entry);
            self.packers.iter_mut().zip(kept).for_each(|(packer, value)| packer.push(value));
            self.rows += 1;
        }
        self.lists.push(start..self.rows);
        Ok(Some(Value::Array(vec![Value::from(self.lists.len() - 1)])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    const LONG: Long<1> =
        Long { is_one: |key, in_list| key == "v" && !in_list, keep: |entry| [of_number(entry.as_f64())] };

    fn read(text: &str) -> Result<Document<1>, String> {
        let mut files = Memory::default();
        files.insert("t", text);
        let file = NamedFile { files: &files, path: "t".into(), shown: "t" };
        Document::read(&file, LONG).map_err(|error| error.message)
    }

    fn entries(document: &Document<1>, pointer: &str) -> Option<Vec<Option<f64>>> {
        let entries = document.entries(document.tree.pointer(pointer))?;
        Some(entries.map(|[held]| number(held)).collect())
    }

    #[test]
    fn long_lists_become_columns_and_the_rest_stays_as_it_is() {
        let text =
            r#"{"a": [{"v": [1, "x", 2.5]}, {"v": 7}, {"v": []}], "w": [[1], {"x": null}], "b": true}"#;
        let document = read(text).unwrap();
        assert_eq!(entries(&document, "/a/0/v"), Some(vec![Some(1.0), None, Some(2.5)]));
        assert_eq!(entries(&document, "/a/1/v"), None, "a number is no list, whatever list has this number");
        assert_eq!(entries(&document, "/a/2/v"), Some(vec![]));
        assert_eq!(document.tree["w"], serde_json::json!([[1], {"x": null}]));
        assert_eq!(document.tree["b"], Value::Bool(true));
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        for (text, expected) in [
            ("{\"v\": [1,\n 2,, 3]}", "`t`, line 2, column 4: expected value"),
            ("{\"v\": [1]} x", "`t`, line 1, column 12: trailing characters"),
            ("{\"v\": [1", "`t`, line 1, column 8: EOF while parsing a list"),
        ] {
            assert_eq!(read(text).map(|_| ()), Err(expected.to_owned()));
        }
        let deep = format!("{{\"a\": {}", "[".repeat(200));
        assert!(read(&deep).is_err_and(|message| message.ends_with("recursion limit exceeded")));
        let long = format!("{{\n\"v\": [1,\n\"{}\"]}}", "x".repeat(17 << 20));
        assert_eq!(read(&long).map(|_| ()), Err("`t`, line 3 begins an entry that is too long".to_owned()));
    }
}

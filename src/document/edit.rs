//! Changes of a document that keep every other byte: comments, order, quotes and ends of lines.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{Data, Node, Place, Source, Span, Table, json, yaml};
use crate::sorting::Sorting as _;

/// Bytes to be replaced, and what takes their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty where something is added.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// A value to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A number, `true` or `false`.
    Plain(String),
    /// A text.
    Text(String),
}

impl Edit {
    /// The text of the document after the change.
    pub fn apply(&self) -> String {
        let text = self.span.source.text();
        let (before, after) = (&text[..self.span.bytes.start], &text[self.span.bytes.end..]);
        format!("{before}{}{after}", self.text)
    }
}

/// Puts another value in the place of a scalar, in the quotes that the old one has.
///
/// # Errors
/// The value does not stand there as such: it is repeated by an alias, folded over lines, or part of a text.
pub fn replace(node: &Node, scalar: &Scalar) -> Result<Edit, String> {
    let span = node.place.span().ok_or("it does not stand in a file")?;
    let written = span.text();
    let alone = Source::new("", written);
    let read = json::parse_all(&alone).ok().or_else(|| yaml::parse_all(&alone).ok());
    let same = match read.as_deref() {
        Some([one]) => one.data == node.data,
        _ => false,
    };
    if !same || written.contains('\n') || is_anchored(span) {
        return Err("it is repeated by an alias, or written over several lines".into());
    }
    let text = match (scalar, written.as_bytes().first()) {
        (Scalar::Plain(text) | Scalar::Text(text), Some(b'"')) => quoted(text),
        (Scalar::Plain(text) | Scalar::Text(text), Some(b'\'')) => format!("'{}'", text.replace('\'', "''")),
        _ => show(scalar, is_json(&span.source)),
    };
    Ok(Edit { span: span.clone(), text })
}

/// Whether an anchor stands right before the value, so that aliases may repeat it.
fn is_anchored(span: &Span) -> bool {
    let before = &span.source.text()[..span.bytes.start];
    before.trim_end().rsplit(char::is_whitespace).next().is_some_and(|word| word.starts_with('&'))
}

/// Where a new entry of a table can stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    span: Span,
    before: String,
    after: String,
    layout: Layout,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Layout {
    /// Between braces, names in quotes or not.
    Braces { quotes: bool },
    /// A line an entry, after so many spaces.
    Lines { indent: usize, end: &'static str },
}

impl Slot {
    /// Where it is.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// A place for a new entry of the table `node`; `None` where there is none that leaves the rest as it is.
    ///
    /// In lines, below the last entry that is a single line; else above the first. In braces, likewise.
    pub fn of(node: &Node) -> Option<Slot> {
        let Data::Table(table) = &node.data else { return None };
        let source = &node.place.span()?.source;
        let text = source.text();
        let start = node.place.span()?.bytes.start;
        let braces = text.get(start..)?.starts_with('{');
        let entries = own_entries(table);
        let last = entries.iter().rev().find(|(name, node)| is_single_line(name, node)).copied();
        let first = entries.first().copied();
        let layout = match braces {
            true => Layout::Braces {
                // Quotes are right in YAML too.
                quotes: first.is_none_or(|(name, _)| name.text().starts_with('"')),
            },
            false => Layout::Lines { indent: column(first?.0), end: line_end(text) },
        };
        let (at, before, after) = match (&layout, last, first) {
            (Layout::Braces { .. }, Some((name, value)), _) => {
                let own_line = text[line_start(text, name.bytes.start)..name.bytes.start].trim().is_empty();
                let before = match own_line {
                    true => format!(",{}{}", line_end(text), " ".repeat(column(name))),
                    false => ", ".to_owned(),
                };
                (value.place.span()?.bytes.end, before, String::new())
            }
            (Layout::Braces { .. }, None, Some((name, _))) => {
                (name.bytes.start, String::new(), ", ".to_owned())
            }
            (Layout::Braces { .. }, None, None) => (start + 1, String::new(), String::new()),
            (Layout::Lines { indent, end }, Some((_, value)), _) => {
                let bytes = &value.place.span()?.bytes;
                let rest = &text[bytes.end..];
                let line =
                    rest.find('\n').map_or(rest.len(), |at| at - usize::from(rest[..at].ends_with('\r')));
                (bytes.end + line, format!("{end}{}", " ".repeat(*indent)), String::new())
            }
            (Layout::Lines { indent, end }, None, Some((name, _))) => {
                (name.bytes.start, String::new(), format!("{end}{}", " ".repeat(*indent)))
            }
            (Layout::Lines { .. }, None, None) => return None,
        };
        Some(Slot { span: Span::new(source, at..at), before, after, layout })
    }

    /// Adds the entry at the path `names` beneath the table; only the last of them holds the value, the others are tables.
    pub fn insert(&self, names: &[&str], scalar: &Scalar) -> Edit {
        let mut text = self.before.clone();
        match self.layout {
            Layout::Braces { quotes } => {
                let name = |name: &&str| if quotes { quoted(name) } else { show_name(name) };
                text += &names.iter().map(name).collect::<Vec<_>>().join(": {");
                let _ =
                    write!(text, ": {}{}", show(scalar, quotes), "}".repeat(names.len().saturating_sub(1)));
            }
            Layout::Lines { indent, end } => {
                for (level, name) in names.iter().enumerate() {
                    if level > 0 {
                        let _ = write!(text, "{end}{}", " ".repeat(indent + 2 * level));
                    }
                    let _ = write!(text, "{}:", show_name(name));
                }
                let _ = write!(text, " {}", show(scalar, false));
            }
        }
        text += &self.after;
        Edit { span: self.span.clone(), text }
    }
}

/// The entries that stand in the table itself, not in what an alias brings in; in the order of the text.
fn own_entries(table: &Table) -> Vec<(&Span, &Node)> {
    let mut entries: Vec<(&Span, &Node)> = table
        .iter()
        .filter_map(|(_, place, node)| Some((place.span()?, node)))
        .filter(|(name, _)| !name.text().starts_with('*'))
        .collect();
    entries.sort_once_by_key(|(name, _)| name.bytes.start);
    entries
}

fn is_single_line(name: &Span, node: &Node) -> bool {
    let Some(span) = node.place.span() else { return false };
    let scalar = !matches!(node.data, Data::Array(_) | Data::Table(_) | Data::Null);
    let text = name.source.text();
    scalar
        && span.bytes.start >= name.bytes.end
        && text.get(name.bytes.start..span.bytes.end).is_some_and(|line| !line.contains('\n'))
}

fn is_json(source: &Arc<Source>) -> bool {
    json::parse_all(source).is_ok()
}

fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn line_start(text: &str, byte: usize) -> usize {
    text[..byte].rfind('\n').map_or(0, |end| end + 1)
}

/// Characters before a name in its line.
fn column(name: &Span) -> usize {
    let text = name.source.text();
    text[line_start(text, name.bytes.start)..name.bytes.start].chars().count()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn show_name(name: &str) -> String {
    show(&Scalar::Text(name.to_owned()), false)
}

/// A text without quotes only where YAML reads it back as that text.
fn show(scalar: &Scalar, json: bool) -> String {
    match scalar {
        Scalar::Plain(text) => text.clone(),
        Scalar::Text(text) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
            let reads_back = || {
                matches!(yaml::parse_all(&Source::new("", text.as_str())).as_deref(),
                    Ok([Node { data: Data::Text(read), .. }]) if read == text)
            };
            let bare =
                !json && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(plain);
            if bare && reads_back() { text.clone() } else { quoted(text) }
        }
    }
}

/// Reads a text within a document as documents of their own (YAML), with places in the outer document.
///
/// Line by line where the text stands in the outer document as it is, indented; else all at the text's place.
///
/// # Errors
/// The text is not YAML.
pub fn parse_embedded(node: &Node, text: &str) -> Result<Vec<Node>, super::Fault> {
    let outer = node.place.span();
    let inner = Source::new(outer.map_or("", |span| span.source.name()), text);
    let lines = outer.and_then(|span| line_offsets(span, text));
    let moved = |span: &Span| match (outer, &lines) {
        (Some(outer), Some(lines)) => {
            let at = |byte: usize| {
                let line = text[..byte].matches('\n').count();
                lines.get(line).map_or(outer.bytes.end, |start| start + byte - line_start(text, byte))
            };
            Some(Span::new(&outer.source, at(span.bytes.start)..at(span.bytes.end)))
        }
        _ => outer.cloned(),
    };
    let mut documents = yaml::parse_all(&inner).map_err(|fault| super::Fault {
        span: fault.span.as_ref().and_then(moved),
        message: fault.message,
    })?;
    let place = |span: &Span| moved(span).map_or(Place::Nowhere, Place::File);
    documents.iter_mut().for_each(|document| document.move_places(&place));
    Ok(documents)
}

/// Where each line of a text starts in the outer document.
fn line_offsets(outer: &Span, text: &str) -> Option<Vec<usize>> {
    let mut at = outer.bytes.start;
    let mut offsets = Vec::new();
    let mut written = outer.text().split_inclusive('\n');
    for line in text.split('\n') {
        let raw = written.next().unwrap_or_default();
        let shown = raw.trim_end_matches('\n').trim_end_matches('\r');
        let indent = shown.len().checked_sub(line.len())?;
        if !shown.ends_with(line) || !shown[..indent].trim().is_empty() {
            return None;
        }
        offsets.push(at + indent);
        at += raw.len();
    }
    Some(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse_json_or_yaml;

    fn node(text: &str, path: &[&str]) -> Node {
        let documents = parse_json_or_yaml(&Source::new("test", text)).unwrap();
        let step = |node: Node, step: &&str| match node.data {
            Data::Table(table) => table.get(step).unwrap().clone(),
            Data::Array(items) => items[step.parse::<usize>().unwrap()].clone(),
            other => panic!("{other:?}"),
        };
        path.iter().fold(documents[0].clone(), step)
    }

    fn replaced(text: &str, path: &[&str], scalar: Scalar) -> Result<String, String> {
        replace(&node(text, path), &scalar).map(|edit| edit.apply())
    }

    fn inserted(text: &str, path: &[&str], names: &[&str], scalar: Scalar) -> String {
        Slot::of(&node(text, path)).unwrap().insert(names, &scalar).apply()
    }

    #[test]
    fn a_value_is_replaced_in_its_own_quotes_and_all_else_stays() {
        let text = "# größe\r\na: '12' # twelve\r\nb: {c: 1, d: \"x\"}\r\n";
        let plain = |text: &str| Scalar::Plain(text.into());
        assert_eq!(replaced(text, &["a"], plain("14")).unwrap(), text.replace("'12'", "'14'"));
        assert_eq!(replaced(text, &["b", "c"], plain("2")).unwrap(), text.replace("c: 1", "c: 2"));
        assert_eq!(
            replaced(text, &["b", "d"], Scalar::Text("y".into())).unwrap(),
            text.replace("\"x\"", "\"y\"")
        );
    }

    #[test]
    fn what_is_repeated_or_folded_is_not_replaced() {
        let plain = || Scalar::Plain("2".into());
        assert!(replaced("a: &one 1\nb: *one\n", &["b"], plain()).is_err());
        assert!(replaced("a: &one 1\nb: *one\n", &["a"], plain()).is_err());
        assert!(replaced("a: >\n  one\n  two\n", &["a"], plain()).is_err());
    }

    #[test]
    fn an_entry_is_added_at_its_parents_indentation() {
        let text = "spec:\n  # least\n  min: 1 # one\n  list:\n  - type: a\n    deep:\n      x: {y: 1}\n";
        let two = || Scalar::Plain("2".into());
        assert_eq!(inserted(text, &["spec"], &["max"], two()), text.replace("# one\n", "# one\n  max: 2\n"));
        assert_eq!(
            inserted(text, &["spec", "list", "0"], &["a", "b"], two()),
            text.replace("type: a\n", "type: a\n    a:\n      b: 2\n")
        );
        assert_eq!(
            inserted(text, &["spec", "list", "0", "deep"], &["w"], two()),
            text.replace("x: {", "w: 2\n      x: {")
        );
        assert_eq!(
            inserted(text, &["spec", "list", "0", "deep", "x"], &["z", "a"], Scalar::Text("3".into())),
            text.replace("y: 1", "y: 1, z: {a: \"3\"}")
        );
    }

    #[test]
    fn json_keeps_its_lines_and_quotes() {
        let text = "{\r\n  \"a\": 1,\r\n  \"b\": {}\r\n}\r\n";
        let two = || Scalar::Plain("2".into());
        assert_eq!(inserted(text, &[], &["c"], two()), text.replace("1,", "1,\r\n  \"c\": 2,"));
        assert_eq!(inserted(text, &["b"], &["c", "d"], two()), text.replace("{}", "{\"c\": {\"d\": 2}}"));
    }

    #[test]
    fn a_text_within_a_document_has_its_places_in_it() {
        for end in ["\n", "\r\n"] {
            let text = "a: 1\ninner: |\n  # comment\n  b:\n    c: ö\n\n    d: 5\n".replace('\n', end);
            let outer = node(&text, &["inner"]);
            let Data::Text(inner) = &outer.data else { panic!("{outer:?}") };
            let documents = parse_embedded(&outer, inner).unwrap();
            let Data::Table(table) = &documents[0].data else { panic!("{documents:?}") };
            let Data::Table(table) = &table.get("b").unwrap().data else { panic!("{documents:?}") };
            let span = table.get("d").unwrap().place.span().unwrap();
            assert_eq!((span.text(), span.line_column().line), ("5", 7), "{end:?}");
        }
        let outer = node("inner: \"a: 1\\nb: 2\"\n", &["inner"]);
        let documents = parse_embedded(&outer, "a: 1\nb: 2").unwrap();
        let Data::Table(table) = &documents[0].data else { panic!("{documents:?}") };
        assert_eq!(table.get("b").unwrap().place, outer.place);
    }
}

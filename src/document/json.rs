//! JSON with places: one or more values, one after the other, as the answers of a command line are put into a file.

use std::sync::Arc;

use super::{Data, Fault, Node, Place, Source, Span, Table};

/// Levels of lists and objects within each other.
const MAX_DEPTH: usize = 128;

/// Why a text was refused: what is no JSON may still be YAML, of which JSON is nearly a part.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// The text is not JSON.
    Syntax(Fault),
    /// The text is JSON, but two entries of an object have the same name.
    Duplicate(Fault),
}

/// Reads every value of a text.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse_all(source: &Arc<Source>) -> Result<Vec<Node>, Refusal> {
    let mut parser = Parser { source, at: 0, depth: 0 };
    let mut values = Vec::new();
    while parser.peek().is_some() {
        values.push(parser.value()?);
    }
    Ok(values)
}

struct Parser<'a> {
    source: &'a Arc<Source>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn text(&self) -> &'a str {
        self.source.text()
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text().as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn span_from(&self, start: usize) -> Span {
        Span::new(self.source, start..self.at)
    }

    fn syntax(&self, message: impl Into<String>) -> Refusal {
        let end = (self.at + 1).min(self.text().len());
        let bytes = if self.text().is_char_boundary(end) { self.at..end } else { self.at..self.at };
        Refusal::Syntax(Fault { span: Some(Span::new(self.source, bytes)), message: message.into() })
    }

    fn expect(&mut self, byte: u8, expected: &str) -> Result<(), Refusal> {
        if self.peek() != Some(byte) {
            return Err(self.syntax(format!("expected {expected}")));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<Node, Refusal> {
        let first = self.peek();
        let start = self.at;
        let data = match first {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Data::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't' | b'f' | b'n') => self.word()?,
            _ => return Err(self.syntax("expected a value")),
        };
        Ok(Node { data, place: Place::File(self.span_from(start)) })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Data, Refusal>) -> Result<Data, Refusal> {
        if self.depth == MAX_DEPTH {
            return Err(self.syntax(format!("lists and objects are nested more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        self.at += 1;
        let data = read(self)?;
        self.depth -= 1;
        Ok(data)
    }

    fn list(&mut self) -> Result<Data, Refusal> {
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Data::Array(items));
        }
        loop {
            items.push(self.value()?);
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => break,
            }
        }
        self.expect(b']', "`,` or `]`")?;
        Ok(Data::Array(items))
    }

    fn object(&mut self) -> Result<Data, Refusal> {
        let mut entries = Vec::new();
        let mut names = std::collections::HashSet::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Data::Table(Table::EMPTY));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("expected a name in quotes"));
            }
            let start = self.at;
            let name = self.string()?;
            let span = self.span_from(start);
            if !names.insert(name.clone()) {
                let message = format!("the object has two entries with the name {}", span.text());
                return Err(Refusal::Duplicate(Fault { span: Some(span), message }));
            }
            self.expect(b':', "`:`")?;
            entries.push((name, Place::File(span), self.value()?));
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => break,
            }
        }
        self.expect(b'}', "`,` or `}`")?;
        Ok(Data::Table(Table::of(entries)))
    }

    fn string(&mut self) -> Result<String, Refusal> {
        let bytes = self.text().as_bytes();
        let mut end = self.at + 1;
        loop {
            match bytes.get(end) {
                None => return Err(self.syntax("the text is not closed")),
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
            }
        }
        // The quotes are ASCII, so both ends are those of characters.
        let text = serde_json::from_str(&self.text()[self.at..=end]);
        let text = text.map_err(|error| self.syntax(format!("not a text of JSON: {error}")))?;
        self.at = end + 1;
        Ok(text)
    }

    fn number(&mut self) -> Result<Data, Refusal> {
        let rest = &self.text()[self.at..];
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let number: serde_json::Number = serde_json::from_str(&rest[..length])
            .map_err(|_| self.syntax(format!("`{}` is not a number of JSON", &rest[..length])))?;
        self.at += length;
        Ok(number
            .as_i64()
            .map_or_else(|| Data::Float(number.as_f64().unwrap_or(f64::INFINITY)), Data::Integer))
    }

    fn word(&mut self) -> Result<Data, Refusal> {
        let words = [("true", Data::Bool(true)), ("false", Data::Bool(false)), ("null", Data::Null)];
        let rest = &self.text()[self.at..];
        for (word, data) in words {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(data);
            }
        }
        Err(self.syntax("expected a value"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Node>, Refusal> {
        parse_all(&Source::new("test.json", text))
    }

    #[test]
    fn values_and_names_know_their_bytes() {
        let values = parse("{\"a\": [1, \"ö\\n\", -2.5e1, null]}\r\n{\"b\":{}} true").unwrap();
        assert_eq!(values.len(), 3);
        let Data::Table(table) = &values[0].data else { panic!("{values:?}") };
        let (name, place, list) = table.iter().next().unwrap();
        assert_eq!((name, place.span().unwrap().text()), ("a", "\"a\""));
        let Data::Array(items) = &list.data else { panic!("{list:?}") };
        let shown: Vec<&str> = items.iter().map(|item| item.place.span().unwrap().text()).collect();
        assert_eq!(shown, ["1", "\"ö\\n\"", "-2.5e1", "null"]);
        assert_eq!(items[1].data, Data::Text("ö\n".into()));
        assert_eq!((&items[2].data, &items[3].data), (&Data::Float(-25.0), &Data::Null));
        assert_eq!(values[1].place.span().unwrap().line_column().line, 2);
    }

    #[test]
    fn a_name_given_twice_is_refused_at_the_second() {
        let Err(Refusal::Duplicate(fault)) = parse("{\"a\": 1,\n \"a\": 2}") else { panic!("accepted") };
        assert_eq!(fault.span.unwrap().line_column().line, 2);
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_ends() {
        let deep = format!("{}1{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
        for text in ["{\"a\" 1}", "[1, ]", "{,}", "\"open", "01", "1e", "nul", "a: 1", "\"\u{1}\"", &deep] {
            assert!(matches!(parse(text), Err(Refusal::Syntax(_))), "{text}");
        }
        let Err(Refusal::Syntax(fault)) = parse("[1,\r\n  ö]") else { panic!("accepted") };
        let at = fault.span.unwrap().line_column();
        assert_eq!((at.line, at.column), (2, 3));
        assert!(parse(&format!("{}1{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH))).is_ok());
        assert_eq!(parse(" \r\n"), Ok(vec![]));
    }
}

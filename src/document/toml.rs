//! TOML with places.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Data, Fault, Node, Place, Source, Span, Table};

/// Reads a file of TOML as one table.
///
/// # Errors
/// The first syntax error.
pub fn parse(source: &Arc<Source>) -> Result<Node, Fault> {
    let at = |bytes| Place::File(Span::new(source, bytes));
    match DeTable::parse(source.text()) {
        Ok(table) => {
            let data = Data::Table(convert_table(table.get_ref(), &at));
            Ok(Node { data, place: Place::File(Span::whole(source)) })
        }
        Err(error) => Err(Fault {
            span: error.span().map(|bytes| Span::new(source, bytes)),
            message: error.message().replace('\n', "; "),
        }),
    }
}

/// Reads one value, such as a default (`"60s"`, `[1, 2]`); all of it stands at `place`.
///
/// # Errors
/// The syntax error, as TOML's reader words it.
pub fn parse_value(text: &str, place: Place) -> Result<Node, String> {
    let value = DeValue::parse(text).map_err(|error| error.message().to_owned())?;
    Ok(convert(&value, &|_| place.clone()))
}

fn convert(value: &Spanned<DeValue<'_>>, at: &dyn Fn(std::ops::Range<usize>) -> Place) -> Node {
    let data = match value.get_ref() {
        DeValue::String(text) => Data::Text(text.to_string()),
        // Too large for 64 bits: keep it as a number, so that the bounds of its key speak, not the parser.
        DeValue::Integer(integer) => i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix())
            .map_or_else(|_| Data::Float(integer.as_str().parse().unwrap_or(f64::INFINITY)), Data::Integer),
        DeValue::Float(float) => Data::Float(float.as_str().replace('_', "").parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(bool) => Data::Bool(*bool),
        DeValue::Datetime(datetime) => Data::Datetime(datetime.to_string()),
        DeValue::Array(array) => Data::Array(array.iter().map(|item| convert(item, at)).collect()),
        DeValue::Table(table) => Data::Table(convert_table(table, at)),
    };
    Node { data, place: at(value.span()) }
}

fn convert_table(table: &DeTable<'_>, at: &dyn Fn(std::ops::Range<usize>) -> Place) -> Table {
    let entry = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let shown: &std::borrow::Cow<'_, str> = name.get_ref();
        (shown.to_string(), at(name.span()), convert(value, at))
    };
    Table::of(table.iter().map(entry))
}

//! HCL with places, in the shape that Terraform's JSON has: blocks as tables by their labels, a list of them where they have
//! none, and what is no literal as a text `${…}`.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Block, Body, Structure};

use super::{Data, Fault, Node, Place, Source, Span, Table};

/// Reads a file of HCL as one table.
///
/// # Errors
/// The first syntax error.
pub fn parse(source: &Arc<Source>) -> Result<Node, Fault> {
    let body = hcl_edit::parser::parse_body(source.text()).map_err(|error| {
        let start = error.location().offset().min(source.text().len());
        Fault { span: Some(Span::new(source, start..start)), message: error.message().replace('\n', "; ") }
    })?;
    let data = Data::Table(table_of(&body, source));
    Ok(Node { data, place: Place::File(Span::whole(source)) })
}

fn at(source: &Arc<Source>, bytes: Option<Range<usize>>) -> Place {
    bytes.map_or(Place::Nowhere, |bytes| Place::File(Span::new(source, bytes)))
}

fn table_of(body: &Body, source: &Arc<Source>) -> Table {
    let mut table = Table::EMPTY;
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                table.insert(attribute.key.as_str(), node_of(&attribute.value, source));
            }
            Structure::Block(block) => put(&mut table, block, source),
        }
    }
    table
}

/// Puts a block into the table around it.
fn put(table: &mut Table, block: &Block, source: &Arc<Source>) {
    let place = at(source, block.span());
    let node = Node { data: Data::Table(table_of(&block.body, source)), place: place.clone() };
    let name = block.ident.as_str();
    let Some((last, before)) = block.labels.split_last() else {
        let list = table.entry(name, &place);
        match &mut list.data {
            Data::Array(items) => items.push(node),
            _ => *list = Node { data: Data::Array(vec![node]), place },
        }
        return;
    };
    let mut around = table.entry(name, &place);
    for label in before {
        let Data::Table(inner) = &mut around.data else { return };
        around = inner.entry(label.as_str(), &place);
    }
    if let Data::Table(inner) = &mut around.data {
        inner.insert(last.as_str(), node);
    }
}

fn node_of(expression: &Expression, source: &Arc<Source>) -> Node {
    let place = at(source, expression.span());
    let data = match expression {
        Expression::Null(_) => Data::Null,
        Expression::Bool(bool) => Data::Bool(*bool.value()),
        Expression::Number(number) => {
            let number = number.value();
            number.as_i64().map(Data::Integer).or(number.as_f64().map(Data::Float)).unwrap_or(Data::Null)
        }
        Expression::String(text) => Data::Text(text.value().clone()),
        Expression::Array(items) => Data::Array(items.iter().map(|item| node_of(item, source)).collect()),
        Expression::Object(object) => {
            let mut table = Table::EMPTY;
            for (key, value) in object {
                let name = match key {
                    ObjectKey::Ident(name) => name.as_str().to_owned(),
                    ObjectKey::Expression(Expression::String(text)) => text.value().clone(),
                    ObjectKey::Expression(other) => written(other, source),
                };
                table.insert(&name, node_of(value.expr(), source));
            }
            Data::Table(table)
        }
        Expression::Parenthesis(inner) => return node_of(inner.inner(), source),
        other => Data::Text(format!(
            "${{{}}}",
            written(other, source).trim_matches('"').trim_start_matches("${").trim_end_matches('}')
        )),
    };
    Node { data, place }
}

/// An expression as it is written.
fn written(expression: &Expression, source: &Arc<Source>) -> String {
    let bytes = expression.span().unwrap_or(0..0);
    source.text().get(bytes).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stand_by_their_labels_and_values_at_their_places() {
        for end in ["\n", "\r\n"] {
            let text = "# größe\nresource \"a\" \"b\" {\n  min = 2\n  max = var.max\n  step { at = \"0\" }\n  step { at = \"1\" }\n}\n";
            let source = Source::new("main.tf", text.replace('\n', end));
            let node = parse(&source).unwrap();
            let json = node.to_json();
            let resource = &json["resource"]["a"]["b"];
            assert_eq!((&resource["min"], &resource["max"]), (&2.into(), &"${var.max}".into()), "{json}");
            assert_eq!(resource["step"].as_array().map(Vec::len), Some(2));
            let steps = ["resource", "a", "b", "min"];
            let min = steps.iter().try_fold(&node, |node, step| match &node.data {
                Data::Table(table) => table.get(step),
                _ => None,
            });
            let span = min.unwrap().place.span().unwrap();
            assert_eq!((span.text().trim(), span.line_column().line), ("2", 3));
        }
    }

    #[test]
    fn what_is_no_hcl_is_refused_at_its_line() {
        let fault = parse(&Source::new("a.tf", "resource \"a\" {\n  b = = 2\n}\n")).unwrap_err();
        assert_eq!(fault.span.unwrap().line_column().line, 2);
    }
}

//! What stands in a file where a value is expected, and is filled in elsewhere.

use crate::schema::{Data, Node};

/// Why a value that is filled in elsewhere is none yet, as a line of help; `None` for any other.
pub(crate) fn unresolved(node: &Node) -> Option<String> {
    if let Some(tag) = tag_of(node).filter(|tag| !["!Ref", "!Sub", "!GetAtt"].contains(tag)) {
        return Some(format!("`{tag}` is worked out when the stack is made: write its value in its place"));
    }
    if let Data::Table(table) = &node.data
        && let Some((name, ..)) = table.iter().next().filter(|(name, ..)| name.starts_with("Fn::"))
    {
        return Some(format!("`{name}` is worked out when the stack is made: write its value in its place"));
    }
    let Data::Text(text) = &node.data else { return None };
    if let Some(name) = text.strip_prefix("!Ref ") {
        return Some(format!("the parameter {name} has no default: write its value in its place"));
    }
    if text.starts_with('[') && text.ends_with(']') {
        return Some(format!("`{text}` has no value in the file: write it in its place"));
    }
    let is_variable = text.contains("${")
        || text.contains("{{")
        || (text.starts_with('$') && text.len() > 1)
        || text.contains("__");
    is_variable.then(|| format!("`{text}` is filled in before it is deployed: give the file as it is then"))
}

/// The tag before a value of YAML.
pub(super) fn tag_of(node: &Node) -> Option<&str> {
    let span = node.place.span()?;
    let text = span.source.text();
    let own = text.get(span.bytes.clone())?.trim_start();
    let word = match own.starts_with('!') {
        true => own.split_whitespace().next()?,
        false => {
            text.get(..span.bytes.start)?.trim_end().rsplit([' ', '\n', '\t', ',', '[', '{', ':']).next()?
        }
    };
    word.starts_with('!').then_some(word)
}

//! ARM templates of Azure: resources with `parameters` and `variables`.

use super::super::{field_of, text_of};
use super::{Expanded, changed, table_of};
use crate::schema::{Data, Node, Problem};

const SETTINGS: &str = "Microsoft.Insights/autoscaleSettings";

/// The autoscale settings of a template.
pub(super) fn expand(document: &Node) -> Result<Option<Expanded>, Problem> {
    let resources: Vec<&Node> = match field_of(document, "resources").map(|resources| &resources.data) {
        Some(Data::Array(items)) => items.iter().collect(),
        Some(Data::Table(table)) => table.iter().map(|(_, _, node)| node).collect(),
        _ => return Ok(None),
    };
    let is_settings =
        |node: &&&Node| text_of(node, "type").is_some_and(|kind| kind.eq_ignore_ascii_case(SETTINGS));
    if !resources.iter().any(|node| text_of(node, "type").is_some_and(|kind| kind.contains('/'))) {
        return Ok(None);
    }
    let mut expanded = Expanded::default();
    for settings in resources.iter().filter(is_settings) {
        let notes = &mut expanded.notes;
        let resolved = changed(settings, &mut |node| {
            let Data::Text(expression) = &node.data else { return node };
            let Some((kind, name)) = named(expression) else { return node };
            let value = match kind {
                "parameters" => field_of(document, kind)
                    .and_then(|all| field_of(all, name))
                    .and_then(|one| field_of(one, "defaultValue")),
                _ => field_of(document, kind).and_then(|all| field_of(all, name)),
            };
            match value {
                Some(value) if table_of(value).is_none() => {
                    let what =
                        if kind == "parameters" { "the default of the parameter" } else { "the variable" };
                    notes.push((format!("{} is {what} {name}", value.to_json()), node.place.clone()));
                    value.clone()
                }
                _ => node,
            }
        });
        expanded.documents.push(resolved);
    }
    Ok(Some(expanded))
}

/// The parameter or variable that an expression is of: `[parameters('max')]`, `[string(variables('n'))]`.
fn named(expression: &str) -> Option<(&'static str, &str)> {
    let mut inner = expression.strip_prefix('[')?.strip_suffix(']')?.trim();
    for function in ["string(", "int("] {
        if let Some(rest) = inner.strip_prefix(function) {
            inner = rest.strip_suffix(')')?.trim();
        }
    }
    for kind in ["parameters", "variables"] {
        if let Some(rest) = inner.strip_prefix(kind) {
            let name = rest.trim().strip_prefix("('")?.strip_suffix("')")?;
            return (!name.contains('\'')).then_some((kind, name));
        }
    }
    None
}

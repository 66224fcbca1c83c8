//! CloudFormation, and what SAM and the CDK make of it: `Resources` with their `Properties`.

use super::super::unresolved::tag_of;
use super::super::{field_of, manifest_place, text_of};
use super::{Expanded, changed, table_of, text};
use crate::schema::{Data, Node, Problem, Table, nearest};

const APPLICATION: &str = "AWS::ApplicationAutoScaling::";
const EC2: &str = "AWS::AutoScaling::";

/// Targets, policies and alarms of a template.
pub(super) fn expand(document: &Node) -> Result<Option<Expanded>, Problem> {
    let Some(resources) = field_of(document, "Resources").and_then(table_of) else { return Ok(None) };
    let is_template =
        resources.iter().any(|(_, _, node)| text_of(node, "Type").is_some_and(|kind| kind.contains("::")));
    if !is_template {
        return Ok(None);
    }
    let mut expanded = Expanded::default();
    let of_type = |suffix: &str| {
        let types = [format!("{APPLICATION}{suffix}"), format!("{EC2}{suffix}")];
        let is =
            |node: &Node| text_of(node, "Type").is_some_and(|kind| types.iter().any(|known| known == kind));
        resources.iter().filter(move |(_, _, node)| is(node)).map(|(name, _, _)| name).collect::<Vec<_>>()
    };
    let targets = [of_type("ScalableTarget"), of_type("AutoScalingGroup")].concat();
    for (id, _, resource) in resources.iter() {
        let kind = text_of(resource, "Type").unwrap_or_default();
        let is_read =
            kind.starts_with(APPLICATION) || kind.starts_with(EC2) || kind == "AWS::CloudWatch::Alarm";
        let Some(properties) = field_of(resource, "Properties").filter(|_| is_read) else { continue };
        let resolved = resolve(properties, document, resources, &mut expanded)?;
        let Data::Table(table) = &resolved.data else { continue };
        let place = &resolved.place;
        let document = match kind.strip_prefix(APPLICATION).or_else(|| kind.strip_prefix(EC2)) {
            Some("ScalableTarget") => with(table, "ResourceId", id, &resolved),
            Some("AutoScalingGroup") => group(table, id, &resolved),
            Some("ScalingPolicy") => {
                let is_of_group = kind.starts_with(EC2);
                let named = ["ScalingTargetId", "AutoScalingGroupName"]
                    .iter()
                    .find_map(|name| text_of(&resolved, name));
                let target = named
                    .filter(|name| targets.contains(name))
                    .or(targets.first().copied().filter(|_| targets.len() == 1));
                let mut made = table.clone();
                made.remove("ScalingTargetId");
                if let Some(target) = target {
                    let key = if is_of_group { "AutoScalingGroupName" } else { "ResourceId" };
                    made.insert(key, text(target, place));
                }
                made.insert("PolicyARN", text(id, place));
                if made.get("PolicyName").is_none() {
                    made.insert("PolicyName", text(id, place));
                }
                Node { data: Data::Table(made), place: place.clone() }
            }
            _ if kind == "AWS::CloudWatch::Alarm" => with(table, "AlarmName", id, &resolved),
            _ => continue,
        };
        expanded.documents.push(document);
    }
    if expanded.documents.is_empty() {
        let place = field_of(document, "Resources").map_or(&document.place, |node| &node.place);
        let label = "expected a ScalableTarget and a ScalingPolicy of Application Auto Scaling, or those of EC2 Auto Scaling";
        return Err(Problem::new(&manifest_place(place), "the template scales nothing", label));
    }
    Ok(Some(expanded))
}

fn with(table: &Table, key: &str, value: &str, around: &Node) -> Node {
    let mut made = table.clone();
    made.insert(key, text(value, &around.place));
    Node { data: Data::Table(made), place: around.place.clone() }
}

/// A group's bounds under the names that targets have; the rest says what its instances are.
pub(super) fn group(table: &Table, id: &str, around: &Node) -> Node {
    let mut made = Table::EMPTY;
    for (theirs, ours) in [("MinSize", "MinCapacity"), ("MaxSize", "MaxCapacity")] {
        if let Some(node) = table.get(theirs) {
            made.insert(ours, number(node));
        }
    }
    made.insert("AutoScalingGroupName", text(id, &around.place));
    Node { data: Data::Table(made), place: around.place.clone() }
}

/// A number that is written as a text.
pub(super) fn number(node: &Node) -> Node {
    let data = match &node.data {
        Data::Text(text) => match (text.trim().parse(), text.trim().parse()) {
            (Ok(integer), _) => Data::Integer(integer),
            (_, Ok(float)) => Data::Float(float),
            _ => node.data.clone(),
        },
        other => other.clone(),
    };
    Node { data, place: node.place.clone() }
}

/// References taken for what they refer to: the default of a parameter, the id of a resource.
///
/// # Errors
/// One refers to nothing that the template has, and is called like something that it has.
fn resolve(
    properties: &Node,
    document: &Node,
    resources: &Table,
    expanded: &mut Expanded,
) -> Result<Node, Problem> {
    let mut unknown = None;
    let resolved = changed(properties, &mut |node| {
        let Some(name) = referred(&node) else { return node };
        if resources.get(&name).is_some() {
            return text(&name, &node.place);
        }
        let parameter = field_of(document, "Parameters").and_then(|all| field_of(all, &name));
        match parameter.and_then(|parameter| field_of(parameter, "Default")) {
            Some(default) => {
                let shown = default.to_json();
                expanded
                    .notes
                    .push((format!("{shown} is the default of the parameter {name}"), node.place.clone()));
                number(default)
            }
            None => {
                // A part of a template may leave out what it refers to, but not misspell it.
                if parameter.is_none() && is_parameter(&node) && unknown.is_none() {
                    unknown = misspelt(&name, &node, document, resources);
                }
                text(&format!("!Ref {name}"), &node.place)
            }
        }
    });
    unknown.map_or(Ok(resolved), Err)
}

/// Whether a node refers to something as a whole, as to a parameter, and not to an attribute of it.
fn is_parameter(node: &Node) -> bool {
    match &node.data {
        Data::Table(table) => table.get("Ref").is_some(),
        _ => tag_of(node) == Some("!Ref"),
    }
}

/// The problem of a reference to what the template does not have, if it has something that is called like it.
fn misspelt(name: &str, node: &Node, document: &Node, resources: &Table) -> Option<Problem> {
    let parameters = field_of(document, "Parameters").and_then(table_of);
    let names = parameters.into_iter().chain([resources]).flat_map(Table::iter).map(|(name, ..)| name);
    let near = nearest(name, names)?;
    let message = format!("the template has no parameter or resource called \"{name}\"");
    let problem = Problem::new(&manifest_place(&node.place), message, "expected the name of one");
    Some(problem.help(format!("did you mean \"{near}\"?")))
}

/// What a node refers to: `{"Ref": "A"}` in JSON, `!Ref A` in YAML; of `Fn::GetAtt` the resource.
fn referred(node: &Node) -> Option<String> {
    if let Data::Table(table) = &node.data {
        let mut entries = table.iter();
        let (name, _, value) = entries.next().filter(|_| table.iter().count() == 1)?;
        return match (name, &value.data) {
            ("Ref", Data::Text(text)) => Some(text.clone()),
            ("Fn::GetAtt", Data::Array(items)) => match &items.first()?.data {
                Data::Text(text) => Some(text.clone()),
                _ => None,
            },
            ("Fn::GetAtt", Data::Text(text)) => text.split('.').next().map(str::to_owned),
            _ => None,
        };
    }
    let Data::Text(text) = &node.data else { return None };
    match tag_of(node)? {
        "!Ref" => Some(text.clone()),
        "!GetAtt" => text.split('.').next().map(str::to_owned),
        _ => None,
    }
}

//! Terraform: HCL, its JSON, and a plan as JSON, in which every variable has its value.

use super::super::{field_of, manifest_place, text_of};
use super::cloud_formation::{group, number};
use super::{Expanded, changed, table_of, text};
use crate::schema::{Data, Node, Problem, Table};

/// Resources that scale, and what CloudFormation calls them.
const TYPES: [&str; 5] = [
    "aws_appautoscaling_target",
    "aws_appautoscaling_policy",
    "aws_autoscaling_group",
    "aws_autoscaling_policy",
    "aws_cloudwatch_metric_alarm",
];
/// Blocks of which there may be several.
const LISTS: [(&str, &str); 2] = [("StepAdjustment", "StepAdjustments"), ("Metrics", "Metrics")];

/// A resource: type, label, values.
type Resource<'a> = (&'a str, &'a str, &'a Node);

/// Targets, policies and alarms of a configuration or a plan.
pub(super) fn expand(document: &Node) -> Result<Option<Expanded>, Problem> {
    let mut resources: Vec<Resource<'_>> = Vec::new();
    let plan = field_of(document, "planned_values").or_else(|| field_of(document, "values"));
    if let Some(module) = plan.and_then(|plan| field_of(plan, "root_module")) {
        of_module(module, &mut resources);
    } else if let Some(types) = field_of(document, "resource").and_then(table_of) {
        for (kind, _, labels) in types.iter() {
            let labels = table_of(labels).into_iter().flat_map(Table::iter);
            resources.extend(labels.map(|(label, _, node)| (kind, label, node)));
        }
    } else {
        return Ok(None);
    }
    let mut expanded = Expanded::default();
    let count = |kind: &str| resources.iter().filter(|(known, ..)| *known == kind).count();
    let is_single = count("aws_appautoscaling_target") + count("aws_autoscaling_group") == 1;
    for (kind, label, node) in resources.iter().filter(|(kind, ..)| TYPES.contains(kind)) {
        for many in ["count", "for_each"] {
            if let Some(node) = field_of(node, many) {
                let message = format!("`{kind}.{label}` is made by `{many}`");
                let label = "expected a resource as it is: give the plan, `terraform plan -out p` and `terraform show -json p`";
                return Err(Problem::new(&manifest_place(&node.place), message, label));
            }
        }
        let resolved = resolve(node, document, &mut expanded);
        let camel = camel_case(&resolved);
        let Data::Table(table) = &camel.data else { continue };
        let mut made = table.clone();
        let place = &camel.place;
        let target = resources
            .iter()
            .find(|(kind, ..)| matches!(*kind, "aws_appautoscaling_target" | "aws_autoscaling_group"));
        match *kind {
            "aws_autoscaling_group" => {
                expanded.documents.push(group(table, label, &camel));
                continue;
            }
            "aws_appautoscaling_target" if made.get("ResourceId").is_none() => {
                made.insert("ResourceId", text(label, place));
            }
            "aws_appautoscaling_policy" | "aws_autoscaling_policy" => {
                // As the letters of its own name come out.
                made.remove("AutoscalingGroupName");
                let key =
                    if *kind == "aws_autoscaling_policy" { "AutoScalingGroupName" } else { "ResourceId" };
                // What one target alone can have needs no name that is made elsewhere.
                if let Some((target_kind, target_label, target)) = target.filter(|_| is_single) {
                    let id = match *target_kind {
                        "aws_appautoscaling_target" => literal(target, "resource_id").unwrap_or(target_label),
                        _ => target_label,
                    };
                    made.insert(key, text(id, place));
                }
                made.insert("PolicyARN", text(label, place));
                if made.get("PolicyName").is_none() {
                    let name = made.remove("Name").unwrap_or_else(|| text(label, place));
                    made.insert("PolicyName", name);
                }
            }
            "aws_cloudwatch_metric_alarm" if made.get("AlarmName").is_none() => {
                made.insert("AlarmName", text(label, place));
            }
            _ => {}
        }
        if *kind == "aws_appautoscaling_target" && is_single && literal(node, "resource_id").is_none() {
            made.insert("ResourceId", text(label, place));
        }
        expanded.documents.push(Node { data: Data::Table(made), place: place.clone() });
    }
    match other_resources(document).filter(|_| expanded.documents.is_empty()) {
        Some(problem) => Err(problem),
        None => Ok(Some(expanded)),
    }
}

/// The problem of a configuration that has none of the resources that are read; of the nearest thing to them, with what to give
/// instead.
fn other_resources(document: &Node) -> Option<Problem> {
    /// Beginnings of the names of other resources, and what to give in their place.
    const INSTEAD: [(&str, &str); 7] = [
        ("google_cloud_run", "give `gcloud run services describe NAME --format=json`"),
        ("google_vertex", "give `gcloud ai endpoints describe ID --format=json`"),
        ("azurerm_monitor_autoscale", "give `az monitor autoscale show -n NAME -g GROUP`"),
        ("kubernetes_horizontal_pod", "give `kubectl get hpa NAME -o yaml`"),
        ("kubernetes_manifest", "give the manifest itself: `kubectl get KIND NAME -o yaml`"),
        ("kubectl_manifest", "give the manifest itself: `kubectl get KIND NAME -o yaml`"),
        ("helm_release", "give what the chart renders: `helm template CHART`"),
    ];
    let types = field_of(document, "resource").and_then(table_of)?;
    let near = types.iter().find_map(|(kind, _, node)| {
        let (_, instead) = INSTEAD.iter().find(|(known, _)| kind.starts_with(known))?;
        Some((kind, node, *instead))
    });
    let (kind, node, instead) = match (near, types.iter().next()) {
        (Some(near), _) => near,
        (None, Some((kind, _, node))) => (kind, node, "give its manifest in the system's own form"),
        (None, None) => return None,
    };
    let message = format!("the Terraform resource `{kind}` is none that is read");
    let label =
        format!("expected a target and a policy of Application Auto Scaling; of another system {instead}");
    Some(Problem::new(&manifest_place(&node.place), message, label))
}

fn of_module<'a>(module: &'a Node, into: &mut Vec<Resource<'a>>) {
    let items = |name: &str| match field_of(module, name) {
        Some(Node { data: Data::Array(items), .. }) => items.as_slice(),
        _ => &[],
    };
    for resource in items("resources") {
        if let (Some(kind), Some(name), Some(values)) =
            (text_of(resource, "type"), text_of(resource, "name"), field_of(resource, "values"))
        {
            into.push((kind, name, values));
        }
    }
    items("child_modules").iter().for_each(|child| of_module(child, into));
}

/// A text that is written out.
fn literal<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    text_of(node, name).filter(|text| !text.contains("${"))
}

/// Variables and local values taken for what they are; references to resources for their labels.
fn resolve(node: &Node, document: &Node, expanded: &mut Expanded) -> Node {
    changed(node, &mut |node| {
        let Data::Text(written) = &node.data else { return node };
        let Some(inner) = written.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
            return node;
        };
        let steps: Vec<&str> = inner.trim().split('.').collect();
        match steps.as_slice() {
            ["var", name] => {
                let variable =
                    field_of(document, "variable").and_then(|all| field_of(all, name)).map(unlisted);
                match variable.and_then(|variable| field_of(variable, "default")) {
                    Some(default) => {
                        let note = format!("{} is the default of var.{name}", default.to_json());
                        expanded.notes.push((note, node.place.clone()));
                        default.clone()
                    }
                    None => node,
                }
            }
            ["local", name] => {
                let locals = field_of(document, "locals").map(unlisted);
                locals.and_then(|locals| field_of(locals, name)).cloned().unwrap_or(node)
            }
            [kind, label, _] if TYPES.contains(kind) => text(label, &node.place),
            _ => node,
        }
    })
}

/// The only item of a list, as blocks come.
fn unlisted(node: &Node) -> &Node {
    match &node.data {
        Data::Array(items) if items.len() == 1 => &items[0],
        _ => node,
    }
}

/// The names as the interface has them, and blocks of which there is one as objects.
fn camel_case(node: &Node) -> Node {
    let data = match &node.data {
        Data::Array(items) => Data::Array(items.iter().map(camel_case).collect()),
        Data::Table(table) => {
            let mut made = Table::EMPTY;
            for (name, _, value) in table.iter() {
                let camel: String = name.split('_').map(capital).collect();
                let value = camel_case(value);
                match LISTS.iter().find(|(theirs, _)| *theirs == camel) {
                    Some((_, ours)) => made.insert(ours, value),
                    // The bounds of steps are texts.
                    None if camel.starts_with("MetricInterval")
                        && value.data != Data::Text(String::new()) =>
                    {
                        made.insert(&camel, number(&value));
                    }
                    None if camel.starts_with("MetricInterval") => {}
                    None => {
                        let is_block = matches!(&value.data, Data::Array(items) if items.len() == 1 && table_of(&items[0]).is_some());
                        let is_empty = matches!(&value.data, Data::Array(items) if items.is_empty());
                        match (is_block, is_empty) {
                            (true, _) => made.insert(&camel, unlisted(&value).clone()),
                            // A plan writes what is not there.
                            (_, true) => {}
                            _ => made.insert(&camel, value),
                        }
                    }
                }
            }
            Data::Table(made)
        }
        other => other.clone(),
    };
    Node { data, place: node.place.clone() }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

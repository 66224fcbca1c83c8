//! Autoscale settings of Azure Monitor: a resource of an ARM template, or what `az monitor autoscale show` prints.

use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Translation, doubt_share, field_of, manifest_place,
    text_of,
};
use crate::schema::{Data, Node, Problem, Table, nearest};

/// Autoscale settings of Azure Monitor.
pub(in crate::autoscaler) const FORM: Form = Form { name: "autoscale settings of Azure Monitor", find, read };

const CAPACITY: &[Field] = &[
    Field::new("minimum", "min", Codec::Count),
    Field::new("maximum", "max", Codec::Count),
    Field::new("default", "default", Codec::Count),
];
/// Metrics that are the same in the model, an instance each.
const METRICS: [(&str, &str); 7] = [
    ("CpuUtilizationPercentage", "utilization"),
    ("GpuUtilizationPercentage", "utilization"),
    ("CpuPercentage", "utilization"),
    ("Percentage CPU", "utilization"),
    ("RequestsPerMinute", "requests_per_minute"),
    ("HttpQueueLength", "queue_length"),
    ("ConnectionsActive", "in_flight"),
];
const TRIGGER: &[Field] = &[
    Field::new(
        "timeAggregation",
        "aggregation",
        Codec::AnyCase(&[
            ("Average", "average"),
            ("Minimum", "minimum"),
            ("Maximum", "maximum"),
            ("Total", "total"),
            ("Last", "last"),
        ]),
    ),
    Field::new(
        "operator",
        "operator",
        Codec::AnyCase(&[
            ("GreaterThan", "greater_than"),
            ("GreaterThanOrEqual", "greater_than_or_equal"),
            ("LessThan", "less_than"),
            ("LessThanOrEqual", "less_than_or_equal"),
            ("Equals", "equals"),
            ("NotEquals", "not_equals"),
        ]),
    ),
    Field::new("threshold", "threshold", Codec::NumberText),
    Field::new("timeWindow", "duration", Codec::IsoDuration),
    Field::new("timeGrain", "time_grain", Codec::IsoDuration),
];
const ACTION: &[Field] = &[
    Field::new("direction", "direction", Codec::AnyCase(&[("Increase", "out"), ("Decrease", "in")])),
    Field::new(
        "type",
        "change",
        Codec::AnyCase(&[
            ("ChangeCount", "count"),
            ("PercentChangeCount", "percent"),
            ("ExactCount", "exact"),
        ]),
    ),
    Field::new("value", "value", Codec::NumberText),
    Field::new("cooldown", "cooldown", Codec::IsoDuration),
];

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let is_settings = |node: &&Node| {
        let kind = text_of(node, "type").unwrap_or_default();
        kind.eq_ignore_ascii_case("Microsoft.Insights/autoscaleSettings") || profiles_of(node).is_some()
    };
    let candidate = |node| {
        let name = text_of(node, "name").unwrap_or_default().to_owned();
        Candidate { kind: "autoscaleSettings", name, node }
    };
    documents.iter().filter(is_settings).map(candidate).collect()
}

/// The profiles, with or without the level of properties around them.
fn profiles_of(node: &Node) -> Option<&Node> {
    let within = field_of(node, "properties").unwrap_or(node);
    field_of(within, "profiles").filter(|profiles| match &profiles.data {
        Data::Array(items) => items.iter().any(|profile| field_of(profile, "capacity").is_some()),
        _ => false,
    })
}

fn read(candidate: &Candidate<'_>, manifest: &Manifest<'_>) -> Result<Translation, Problem> {
    let mut translation = Translation::new("azure_monitor");
    let into = &mut translation;
    let root = Fields::of(candidate.node, "", false)?;
    let properties = match root.object("properties")? {
        properties if properties.is_absent() => root.clone(),
        properties => properties,
    };
    if let Some(enabled) = properties.get("enabled").filter(|enabled| enabled.data == Data::Bool(false)) {
        return Err(properties.wrong("enabled", enabled, "settings that are in force"));
    }
    let profiles = properties.objects("profiles")?;
    let profile = pick(&profiles, candidate.node, manifest)?;
    let capacity = profile.object("capacity")?;
    capacity.read(CAPACITY, "", into)?;
    capacity.finish(into);
    into.set("rules".into(), Data::Array(Vec::new()), profile.place());
    for (index, part) in profile.objects("rules")?.iter().enumerate() {
        rule(part, index, into)?;
        part.finish(into);
    }
    profile.pass_over(&["name"]);
    profile.finish(into);
    properties.pass_over(&[
        "name",
        "enabled",
        "targetResourceUri",
        "targetResourceLocation",
        "notifications",
    ]);
    properties.pass_over(&[
        "type",
        "apiVersion",
        "location",
        "tags",
        "dependsOn",
        "id",
        "resourceGroup",
        "systemData",
    ]);
    if let Some(predictive) = properties.get("predictiveAutoscalePolicy") {
        let path = properties.path_of("predictiveAutoscalePolicy");
        into.unused(format!("{path} is not simulated"), &predictive.place);
    }
    properties.finish(into);
    Ok(translation)
}

/// The profile that is meant: the only one. Profiles of a schedule or a date take turns, which is not simulated.
fn pick<'a, 'n>(
    profiles: &'a [Fields<'n>],
    node: &Node,
    manifest: &Manifest<'_>,
) -> Result<&'a Fields<'n>, Problem> {
    match profiles {
        [only] => Ok(only),
        [] => Err(Problem::new(
            &manifest_place(&node.place),
            "the settings have no profile",
            "expected one in `profiles`",
        )),
        _ => {
            let named = |profile: &&Fields<'n>| {
                profile
                    .text("name")
                    .ok()
                    .flatten()
                    .is_some_and(|name| Some(name) == manifest.selection.profile.as_deref())
            };
            let names: Vec<&str> =
                profiles.iter().filter_map(|profile| profile.text("name").ok().flatten()).collect();
            profiles.iter().find(named).ok_or_else(|| {
                let message =
                    format!("the settings have {} profiles, which take turns by schedule", profiles.len());
                let label = format!("expected which one is simulated: {}", names.join(", "));
                let problem = Problem::new(&manifest_place(profiles[0].place()), message, label);
                problem.help(format!(
                    "add to `[autoscaler]`: name = \"NAME/PROFILE\", as in name = \"{}/{}\"",
                    text_of(node, "name").unwrap_or("settings"),
                    names.first().unwrap_or(&"default")
                ))
            })
        }
    }
}

fn rule(part: &Fields<'_>, index: usize, into: &mut Translation) -> Result<(), Problem> {
    let key = format!("rules.{index}");
    into.set(key.clone(), Data::Table(Table::EMPTY), part.place());
    let trigger = part.object("metricTrigger")?;
    let name = trigger.text("metricName")?.ok_or_else(|| trigger.missing("metricName", "the metric"))?;
    let node = trigger.get("metricName").unwrap_or(trigger.node());
    let known = METRICS.iter().find(|(theirs, _)| *theirs == name);
    let Some((_, metric)) = known else {
        let known: Vec<&str> = METRICS.iter().map(|(theirs, _)| *theirs).collect();
        let expected = format!("a metric that is simulated: {}", known.join(", "));
        let problem = trigger.wrong("metricName", node, &expected);
        return Err(match nearest(name, known) {
            Some(near) => problem.help(format!("did you mean \"{near}\"?")),
            None => problem,
        });
    };
    into.set(format!("{key}.metric"), Data::Text((*metric).into()), &node.place);
    let divides = trigger.get("dividePerInstance").is_some_and(|node| node.data == Data::Bool(true));
    if name == "RequestsPerMinute" && !divides {
        let expected = "`dividePerInstance` with it: without that it is the rate of the whole endpoint, which no rule here watches";
        return Err(trigger.wrong("metricName", node, expected));
    }
    trigger.read(TRIGGER, &key, into)?;
    if *metric == "utilization" {
        doubt_share(&trigger, "threshold", into);
    }
    if let Some(statistic) = trigger.text("statistic")?.filter(|statistic| *statistic != "Average") {
        into.note(
            format!("{} is {statistic}: instances are averaged all the same", trigger.path_of("statistic")),
            trigger.place(),
        );
    }
    trigger.pass_over(&["metricNamespace", "metricResourceUri", "metricResourceLocation"]);
    trigger.finish(into);
    let action = part.object("scaleAction")?;
    action.read(ACTION, &key, into)?;
    action.finish(into);
    Ok(())
}

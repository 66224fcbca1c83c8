//! Deployments of BentoCloud: `scaling` of a service, whose concurrency is its target.

use crate::autoscaler::reading::{
    Candidate, Codec, Field, Fields, Form, Manifest, Question, Translation, field_of, text_of,
};
use crate::schema::{Data, Node, Problem};

/// A deployment of BentoCloud.
pub(super) const FORM: Form = Form { name: "a BentoCloud deployment", find, read };

const SECONDS: Codec = Codec::Seconds { fractions: false };
const SCALING: [Field; 2] =
    [Field::new("min_replicas", "min", Codec::Count), Field::new("max_replicas", "max", Codec::Count)];
const POLICY: [Field; 2] = [
    Field::new("scale_up_stabilization_window", "up_delay", SECONDS),
    Field::new("scale_down_stabilization_window", "down_delay", SECONDS),
];

fn find(documents: &[Node]) -> Vec<Candidate<'_>> {
    let mut found = Vec::new();
    for document in documents.iter().filter(|document| text_of(document, "kind").is_none()) {
        let bounds = |node: &Node| {
            // Either bound: the other may be misspelt.
            field_of(node, "scaling")
                .is_some_and(|scaling| SCALING.iter().any(|field| field_of(scaling, field.name).is_some()))
        };
        if let Some(Node { data: Data::Table(services), .. }) = field_of(document, "services") {
            let scaling = services.iter().filter(|(_, _, service)| bounds(service));
            found.extend(scaling.map(|(name, _, node)| Candidate {
                kind: "service",
                name: name.to_owned(),
                node,
            }));
        } else if bounds(document) {
            let name = text_of(document, "name").unwrap_or_default().to_owned();
            found.push(Candidate { kind: "deployment", name, node: document });
        }
    }
    found
}

fn read(candidate: &Candidate<'_>, _: &Manifest<'_>) -> Result<Translation, Problem> {
    let mut translation = Translation::new("in_flight_target");
    let into = &mut translation;
    let service = Fields::of(candidate.node, format!("services.{}", candidate.name), false)?;
    let scaling = service.object("scaling")?;
    scaling.read(&SCALING, "", into)?;
    let policy = scaling.object("policy")?;
    policy.read(&POLICY, "", into)?;
    policy.finish(into);
    scaling.finish(into);
    // The target is aimed at as it is, without room.
    into.set("utilization".into(), Data::Integer(1), scaling.place());
    let config = service.object("config_overrides")?;
    let traffic = match config.object("traffic")? {
        traffic if traffic.get("concurrency").is_some() => traffic,
        _ => service.object("traffic")?,
    };
    traffic.read(&[Field::new("concurrency", "target", Codec::Number)], "", into)?;
    if !into.sets("target") {
        into.ask(Question {
            key: "target".into(),
            why: "the concurrency of the service is not in the file: it most often stands in the decorator `@bentoml.service`".into(),
            label: "expected `config_overrides.traffic.concurrency`, or the target in the scenario".into(),
            line: "target = 32".into(),
            place: service.place().clone(),
        });
    }
    for (name, place) in traffic.rest() {
        into.unused(format!("{} is not part of the autoscaler", traffic.path_of(name)), place);
    }
    for (name, place) in service.rest().into_iter().filter(|(name, _)| *name != "instance_type") {
        into.aside(format!("{} is not part of the autoscaler", service.path_of(name)), place);
    }
    Ok(translation)
}

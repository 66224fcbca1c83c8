//! `[autoscaler] from = "hpa.yaml"`: settings in the form a system is deployed with.
//!
//! A manifest is turned into keys of `[autoscaler]`, which stand beneath what the scenario writes itself: a sweep or
//! `--set` overrides them like any other key. What a system has and the model has not is named, never left out in
//! silence; what the file leaves open is asked for. Adding a form: a [`Form`] in its system's folder, and one line of the
//! table here.

use std::sync::Arc;

use super::reading::quantity::parse_quantity;
use super::reading::refused::{refused_object, refused_text};
use super::reading::templates::{self, Expanded};
use super::reading::terraform_names::own_names;
use super::reading::{Candidate, Form, Manifest, metadata_name, text_of};
pub use super::reading::{Change, Question, Remark, Selection, Translation};
use super::{aws, azure, hpa, keda, kpa, llmd, platforms, ray_serve};
use crate::document::edit::parse_embedded;
use crate::document::{Source, Span, hcl, parse_json_or_yaml};
use crate::schema::{Data, Node, Place, Problem, nearest};
use crate::units::parse_span;

/// Each form. A file is looked through for all of them.
const FORMS: [&Form; 7] = [
    &hpa::manifest::FORM,
    &keda::manifest::FORM,
    &kpa::manifest::FORM,
    &ray_serve::manifest::FORM,
    &aws::manifest::FORM,
    &azure::manifest::FORM,
    &llmd::manifest::FORM,
];

/// Kinds of the objects of Kubernetes that are read.
const KINDS: [&str; 8] = [
    "HorizontalPodAutoscaler",
    "ScaledObject",
    "Service",
    "InferenceService",
    "LLMInferenceService",
    "SeldonDeployment",
    "RayService",
    "ConfigMap",
];

fn forms() -> impl Iterator<Item = &'static Form> {
    FORMS.into_iter().chain(platforms::FORMS)
}

/// Reads a manifest that has one object to read: YAML or JSON, of one or more documents.
///
/// # Errors
/// It is not YAML, of no known form, or a field of it is not what it has to be. Says what is wrong, and where.
pub fn translate(source: &Arc<Source>) -> Result<Translation, Problem> {
    translate_selected(source, &Selection::default())
}

/// Reads the object of a manifest that is meant.
///
/// # Errors
/// Those of [`translate`]; or it is not said which of several objects is meant.
pub fn translate_selected(source: &Arc<Source>, selection: &Selection) -> Result<Translation, Problem> {
    if !(is_hcl(source) || source.name().ends_with(".tf.json")) {
        return translate_named(source, selection);
    }
    translate_named(source, selection).map(Translation::of_terraform).map_err(|problem| Problem {
        message: own_names(&problem.message),
        label: own_names(&problem.label),
        help: problem.help.iter().map(|line| own_names(line)).collect(),
        ..problem
    })
}

fn translate_named(source: &Arc<Source>, selection: &Selection) -> Result<Translation, Problem> {
    let whole = Place::Manifest(Span::whole(source));
    let Expanded { documents, notes } = documents(source, &whole)?;
    let found: Vec<(&Form, Candidate<'_>)> =
        forms().flat_map(|form| (form.find)(&documents).into_iter().map(move |each| (form, each))).collect();
    if found.is_empty() {
        if let Some(problem) = documents.iter().find_map(refused_object) {
            return Err(problem);
        }
        return Err(not_understood(&documents, &whole));
    }
    let (form, candidate) = pick(&found, selection, &whole)?;
    let manifest = Manifest::new(&documents, selection);
    let mut translation = (form.read)(candidate, &manifest)?.tell_strays().tell_windows();
    for (_, other) in found.iter().filter(|(_, other)| !std::ptr::eq(other.node, candidate.node)) {
        translation.aside(format!("{} is not the object that is read", shown(other)), &other.node.place);
    }
    let is_found = |node: &&Node| found.iter().all(|(_, each)| !std::ptr::eq(each.node, *node));
    // What holds the object is no other one.
    let holds = |node: &&Node| {
        text_of(node, "kind") == Some("RayService") || text_of(node, "kind") == Some(candidate.kind)
    };
    let used = manifest.used.into_inner();
    let is_unused = |node: &&Node| !used.iter().any(|each| std::ptr::eq(*each, *node));
    for other in documents.iter().filter(is_found).filter(|node| !holds(node)).filter(is_unused) {
        if let (Some(kind), Some(name)) = (text_of(other, "kind"), metadata_name(other)) {
            translation.aside(format!("{kind}/{name} is no autoscaler"), &other.place);
        }
    }
    for (note, place) in notes {
        translation.note(note, &place);
    }
    let name = if candidate.name.is_empty() { String::new() } else { format!(" \"{}\"", candidate.name) };
    let version =
        text_of(candidate.node, "apiVersion").map_or(String::new(), |version| format!(", {version}"));
    let kind = if candidate.kind.is_empty() { form.name } else { candidate.kind };
    Ok(translation.of_form(format!("{kind}{name}{version}")))
}

/// The problem of a file in which nothing is known: what it has instead, where it has anything.
fn not_understood(documents: &[Node], whole: &Place) -> Problem {
    let filled: Vec<&Node> = documents.iter().filter(|document| document.data != Data::Null).collect();
    if filled.is_empty() {
        return Problem::new(whole, "the manifest is empty", "expected the object that scales");
    }
    let kinds = filled.iter().map(|document| (*document, text_of(document, "kind")));
    if let Some((document, kind)) = kinds.filter_map(|(document, kind)| Some((document, kind?))).next() {
        let group = text_of(document, "apiVersion").map_or(String::new(), |api| format!(" of {api}"));
        let place = super::reading::field_of(document, "kind").map_or(whole, |node| &node.place);
        let label = "expected an object that scales: docs/manifests.md lists the forms that are read";
        let place = super::reading::manifest_place(place);
        let problem = Problem::new(&place, format!("the kind \"{kind}\"{group} is none that is read"), label);
        return match nearest(kind, KINDS) {
            Some(near) if near != kind => problem.help(format!("did you mean \"{near}\"?")),
            _ => problem,
        };
    }
    let known: Vec<&str> = forms().map(|form| form.name).collect();
    let label = "expected the object that scales: docs/manifests.md lists the forms that are read";
    let problem = Problem::new(&place_of(filled[0]), "the manifest is not understood", label);
    // As few on a line as a message holds.
    known.chunks(6).fold(problem, |problem, some| problem.help(format!("read: {}", some.join(", "))))
}

/// The object that is meant: the only one, else the one that the scenario names.
fn pick<'a, 'd>(
    found: &'a [(&'a Form, Candidate<'d>)],
    selection: &Selection,
    whole: &Place,
) -> Result<&'a (&'a Form, Candidate<'d>), Problem> {
    let names = names_of(found);
    // The thresholds that llm-d has for all models, unless one is chosen.
    let is_default =
        |(_, each): &&(&Form, Candidate<'d>)| each.kind == "thresholds" && each.name == "default";
    if let (None, Some(default)) = (&selection.name, found.iter().find(is_default)) {
        return Ok(default);
    }
    match (&selection.name, found) {
        (None, [only]) => Ok(only),
        (None, _) => {
            let message = format!("the file has {} objects that can be read", found.len());
            // The first that is one too many.
            let place = found.get(1).map_or_else(|| whole.clone(), |(_, each)| place_of(each.node));
            let problem = Problem::new(&place, message, format!("expected which one: {}", names.join(", ")));
            Err(problem.help(format!("add to `[autoscaler]`: name = \"{}\"", names[0])))
        }
        (Some(name), _) => {
            // A name may go on to a part of the object.
            let object = name.rsplit_once('/').map_or(name.as_str(), |(object, _)| object);
            let is_meant = |(_, each): &&(&Form, Candidate<'d>)| each.name == *name || shown(each) == *name;
            if found.len() == 1 && found[0].1.name == object {
                return Ok(&found[0]);
            }
            let mut meant = found.iter().filter(is_meant);
            match (meant.next(), meant.next()) {
                (Some(one), None) => Ok(one),
                (Some(_), Some(_)) => {
                    let label = format!("expected one of {}", names.join(", "));
                    Err(Problem::new(whole, format!("the file has several objects called \"{name}\""), label))
                }
                (None, _) => {
                    let label = format!("it has {}", names.join(", "));
                    let problem =
                        Problem::new(whole, format!("the file has no object called \"{name}\""), label);
                    Err(match nearest(name, names.iter().map(String::as_str)) {
                        Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                        None => problem,
                    })
                }
            }
        }
    }
}

/// Where an object stands: at what says its kind, or at its first field.
fn place_of(object: &Node) -> Place {
    let first = match &object.data {
        Data::Table(table) => table.iter().next().map(|(_, _, node)| node),
        _ => None,
    };
    let node = super::reading::field_of(object, "kind").or(first).unwrap_or(object);
    super::reading::manifest_place(&node.place)
}

/// The objects by name; with their kinds where names alone do not tell them apart.
fn names_of(found: &[(&Form, Candidate<'_>)]) -> Vec<String> {
    let is_alone = |name: &str| found.iter().filter(|(_, each)| each.name == name).count() == 1;
    let tell = found.iter().all(|(_, each)| !each.name.is_empty() && is_alone(&each.name));
    found.iter().map(|(_, each)| if tell { each.name.clone() } else { shown(each) }).collect()
}

/// An object as messages name it, and as a scenario may.
fn shown(candidate: &Candidate<'_>) -> String {
    match (candidate.kind, candidate.name.as_str()) {
        ("", name) => name.to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, name) => format!("{kind}/{name}"),
    }
}

/// Whether a file is Terraform's HCL.
fn is_hcl(source: &Source) -> bool {
    source.name().ends_with(".tf") || source.text().lines().any(|line| line.starts_with("resource \""))
}

/// The documents of a file: lists taken apart, and the config that a RayService holds as a text beside it.
fn documents(source: &Arc<Source>, whole: &Place) -> Result<Expanded, Problem> {
    if let Some(problem) = refused_text(source) {
        return Err(problem);
    }
    let (parsed, form) = match is_hcl(source) {
        true => (hcl::parse(source).map(|document| vec![document]), "no Terraform (HCL)"),
        false => (parse_json_or_yaml(source), "neither YAML nor JSON"),
    };
    let parsed = parsed.map_err(|fault| {
        let place = fault.span.map_or_else(|| whole.clone(), Place::Manifest);
        match source.text().find("{{") {
            // With what is to be filled in it is no YAML.
            Some(start) => {
                let place = Place::Manifest(Span::new(source, start..start + 2));
                let label = "expected a manifest: give what the template is filled in to";
                Problem::new(&place, "the file is a template", label)
            }
            _ => Problem::new(&place, format!("the manifest is {form}"), fault.message),
        }
    })?;
    let mut apart = Vec::new();
    parsed.into_iter().for_each(|document| take_apart(document, &mut apart));
    let (mut documents, mut notes) = (Vec::new(), Vec::new());
    for document in apart {
        match templates::expand(&document)? {
            Some(expanded) => {
                documents.extend(expanded.documents);
                notes.extend(expanded.notes);
            }
            None => documents.push(document),
        }
    }
    let mut configs = Vec::new();
    for service in documents.iter().filter(|document| text_of(document, "kind") == Some("RayService")) {
        configs.extend(serve_config(service)?);
    }
    documents.extend(configs);
    Ok(Expanded { documents, notes })
}

/// Lists of Kubernetes, and lists of documents as JSON has them.
fn take_apart(document: Node, into: &mut Vec<Node>) {
    let is_list = text_of(&document, "kind").is_some_and(|kind| kind.ends_with("List"));
    // The items of a list of one kind, as the server gives it, leave out what the list says.
    let of_items: Vec<(&str, Node)> = match is_list.then_some(&document.data) {
        Some(Data::Table(table)) => {
            let kind = table.get("kind").and_then(|node| match &node.data {
                Data::Text(kind) => Some((kind.strip_suffix("List")?, &node.place)),
                _ => None,
            });
            let kind = kind.filter(|(kind, _)| !kind.is_empty()).map(|(kind, place)| {
                ("kind", Node { data: Data::Text(kind.to_owned()), place: place.clone() })
            });
            let version = table.get("apiVersion").map(|node| ("apiVersion", node.clone()));
            if kind.is_some() { kind.into_iter().chain(version).collect() } else { Vec::new() }
        }
        _ => Vec::new(),
    };
    match document.data {
        Data::Array(items) => items.into_iter().for_each(|item| take_apart(item, into)),
        Data::Table(mut table) if is_list => match table.remove("items") {
            Some(Node { data: Data::Array(items), .. }) => {
                for mut item in items {
                    if let Data::Table(fields) = &mut item.data {
                        let is_left_out = |name: &str| fields.get(name).is_none();
                        let missing: Vec<_> =
                            of_items.iter().filter(|(name, _)| is_left_out(name)).cloned().collect();
                        missing.into_iter().for_each(|(name, node)| fields.insert(name, node));
                    }
                    take_apart(item, into);
                }
            }
            _ => into.push(Node { data: Data::Table(table), place: document.place }),
        },
        data => into.push(Node { data, place: document.place }),
    }
}

/// The Serve config within a KubeRay RayService is a text of YAML.
fn serve_config(service: &Node) -> Result<Vec<Node>, Problem> {
    let spec = super::reading::field_of(service, "spec");
    let Some(config) = spec.and_then(|spec| super::reading::field_of(spec, "serveConfigV2")) else {
        return Ok(Vec::new());
    };
    let Data::Text(text) = &config.data else { return Ok(Vec::new()) };
    parse_embedded(config, text).map_err(|fault| {
        let place = fault.span.map_or_else(|| config.place.clone(), Place::File);
        let place = super::reading::manifest_place(&place);
        Problem::new(&place, "`spec.serveConfigV2` is not YAML", fault.message)
    })
}

/// The manifest with some settings changed: only the bytes of their fields change. What is written reads back as just
/// these settings.
///
/// # Errors
/// The manifest cannot express a setting, as one sentence: another than the field takes, or one without a field.
pub fn write(source: &Arc<Source>, changes: &[Change]) -> Result<Arc<Source>, String> {
    write_selected(source, &Selection::default(), changes)
}

/// The same of the object that is meant.
///
/// # Errors
/// Those of [`write`].
pub fn write_selected(
    source: &Arc<Source>,
    selection: &Selection,
    changes: &[Change],
) -> Result<Arc<Source>, String> {
    let read = |source: &Arc<Source>| {
        translate_selected(source, selection)
            .map_err(|problem| format!("{}: {}", problem.message, problem.label))
    };
    let before = read(source)?;
    let mut written = source.clone();
    for change in changes {
        let translation = read(&written)?;
        if same_value(translation.value(&change.key), Some(&change.value)) {
            continue;
        }
        let edit = translation.edit(change)?;
        written = Source::new(written.name(), edit.apply());
    }
    let after = read(&written)?;
    let asked = |key: &str| changes.iter().rev().find(|change| change.key == key);
    for key in before.settings().keys().chain(after.settings().keys()) {
        let expected = asked(key).map(|change| &change.value).or(before.value(key));
        if !same_value(after.value(key), expected) {
            return Err(format!("`autoscaler.{key}` would become another than what was asked for"));
        }
    }
    Ok(written)
}

/// Whether two values mean the same: 5 and 5.0, "60s" and "1m", an empty list and one that has been filled.
fn same_value(a: Option<&Data>, b: Option<&Data>) -> bool {
    let number = |data: &Data| match data {
        Data::Integer(integer) => Some(*integer as f64),
        Data::Float(float) => Some(*float),
        Data::Text(text) => parse_quantity(text).map(|thousandths| thousandths as f64 / 1000.0),
        _ => None,
    };
    let span = |data: &Data| match data {
        Data::Text(text) => parse_span(text).ok(),
        _ => None,
    };
    match (a, b) {
        (Some(a), Some(b)) => {
            a == b
                || number(a).is_some_and(|a| number(b) == Some(a))
                || span(a).is_some_and(|a| span(b) == Some(a))
        }
        // A table that holds a new setting is new too.
        (Some(Data::Table(table)), None) => table.is_empty(),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// [`translate`] of a text without a name; what is wrong alone.
#[cfg(test)]
pub(super) fn translate_text(text: &str) -> Result<Translation, String> {
    translate(&Source::new("manifest.yaml", text))
        .map_err(|problem| format!("{}: {}", problem.message, problem.label))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::edit::Scalar;

    const MANIFESTS: [(&str, &str); 6] = [
        ("hpa.yaml", include_str!("../../tests/manifests/hpa.yaml")),
        ("keda.yaml", include_str!("../../tests/manifests/keda.yaml")),
        ("knative.yaml", include_str!("../../tests/manifests/knative.yaml")),
        ("ray-serve.yaml", include_str!("../../tests/manifests/ray-serve.yaml")),
        ("aws-target.json", include_str!("../../tests/manifests/aws-target.json")),
        ("aws-steps.json", include_str!("../../tests/manifests/aws-steps.json")),
    ];

    /// Every manifest, with either end of line.
    fn manifests() -> impl Iterator<Item = Arc<Source>> {
        let both = |(name, text): (&str, &str)| {
            let lf = text.replace("\r\n", "\n");
            let crlf = lf.replace('\n', "\r\n");
            [Source::new(name, lf), Source::new(name, crlf)]
        };
        MANIFESTS.into_iter().flat_map(both)
    }

    #[test]
    fn every_setting_stands_at_the_place_of_its_field() {
        for source in manifests() {
            let translation = translate(&source).unwrap();
            for (key, setting) in translation.settings() {
                let Some((field, codec)) = &setting.field else { continue };
                let span = field.place.span().unwrap();
                assert_eq!(span.source, source, "{key}");
                assert_eq!(codec.read(field).unwrap(), setting.value.data, "{key}: {}", span.text());
                let line = source.text().lines().nth(span.line_column().line - 1).unwrap();
                assert!(line.contains(span.text().trim_end()), "{key}: {line}");
            }
        }
    }

    #[test]
    fn without_a_change_or_with_the_same_values_no_byte_changes() {
        for source in manifests() {
            assert_eq!(write(&source, &[]).unwrap(), source);
            let translation = translate(&source).unwrap();
            for (key, setting) in translation.settings().iter().filter(|(_, setting)| setting.field.is_some())
            {
                let change = Change { key: key.clone(), value: setting.value.data.clone() };
                assert_eq!(write(&source, &[change]).unwrap(), source, "{key}");
            }
        }
    }

    #[test]
    fn what_is_left_out_is_added_and_reads_back() {
        let mut added = 0;
        for source in manifests() {
            let translation = translate(&source).unwrap();
            for (key, codec) in translation.open_keys() {
                let value = [
                    Data::Integer(3),
                    Data::Bool(true),
                    Data::Text("90s".into()),
                    Data::Text("max".into()),
                    Data::Text("concurrency".into()),
                ];
                let fits = |value: &Data| match codec.write(value) {
                    Ok(Scalar::Text(text)) => codec.read(&plain(Data::Text(text))).as_ref() == Ok(value),
                    Ok(Scalar::Plain(_)) => true,
                    Err(_) => false,
                };
                let Some(value) = value.into_iter().find(fits) else { continue };
                let change = Change { key: key.to_owned(), value };
                // Rules need more than one field before they mean something: what is refused is refused in words.
                match write(&source, std::slice::from_ref(&change)) {
                    Ok(written) => {
                        added += 1;
                        let again = translate(&written).unwrap();
                        assert!(same_value(again.value(key), Some(&change.value)), "{key}");
                        let lines: Vec<&str> = written.text().lines().collect();
                        let kept = source.text().lines().filter(|line| lines.contains(line)).count();
                        assert!(kept + 1 >= source.text().lines().count(), "{key}: {}", written.text());
                    }
                    Err(why) => panic!("{} {key}: {why}", source.name()),
                }
            }
        }
        assert!(added > 40, "{added}");
    }

    fn plain(data: Data) -> crate::schema::Node {
        crate::schema::Node { data, place: Place::Nowhere }
    }

    #[test]
    fn a_change_keeps_comments_order_and_every_other_byte() {
        let text = "# ours\r\nkind: HorizontalPodAutoscaler\r\napiVersion: autoscaling/v2\r\nspec:\r\n  \
                    maxReplicas: 8 # enough\r\n  minReplicas: 2\r\n  metrics:\r\n  - {type: Resource, \
                    resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}\r\n";
        let source = Source::new("hpa.yaml", text);
        let change = |key: &str, value: Data| Change { key: key.into(), value };
        let changes = [
            change("max", Data::Integer(12)),
            change("metrics.0.average_utilization", Data::Float(60.0)),
            change("behavior.scale_down.stabilization_window", Data::Text("5m".into())),
        ];
        let expected = text.replace("maxReplicas: 8", "maxReplicas: 12").replace(": 70", ": 60").replace(
            "minReplicas: 2\r\n",
            "minReplicas: 2\r\n  behavior:\r\n    scaleDown:\r\n      stabilizationWindowSeconds: 300\r\n",
        );
        assert_eq!(write(&source, &changes).unwrap().text(), expected);
        for (key, value, why) in [
            ("metrics.0.average_utilization", Data::Float(62.5), "whole percentage"),
            ("behavior.scale_up.stabilization_window", Data::Text("500ms".into()), "whole seconds"),
            ("metrics.0.name", Data::Text("gpu".into()), "follows from other fields"),
            ("sync_period", Data::Text("15s".into()), "no field"),
        ] {
            let refused = write(&source, &[change(key, value)]).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn a_fault_of_a_field_stands_at_its_line() {
        for (from, to, line, column) in [
            ("maxReplicas: 8", "maxReplicas: many", 5, 16),
            ("averageUtilization: 70", "averageUtilization: [1]", 8, 92),
        ] {
            let text = "# größer\nkind: HorizontalPodAutoscaler\napiVersion: autoscaling/v2\nspec:\n  \
                        maxReplicas: 8\n\n  metrics:\n  - {type: Resource, resource: {name: cpu, target: \
                        {type: Utilization, averageUtilization: 70}}}\n";
            for text in [text.replace(from, to), text.replace(from, to).replace('\n', "\r\n")] {
                let problem = translate(&Source::new("hpa.yaml", text)).unwrap_err();
                let at = problem.place.span().unwrap().line_column();
                assert_eq!((at.line, at.column), (line, column), "{}", problem.message);
            }
        }
    }

    proptest! {
        /// Whatever numbers a change has: it is refused, or reads back as them.
        #[test]
        fn what_is_written_reads_back(which in 0..MANIFESTS.len(), index in 0_usize..40, number in -3.0..5000.0_f64) {
            let (name, text) = MANIFESTS[which];
            let source = Source::new(name, text);
            let translation = translate(&source).unwrap();
            let fields: Vec<&String> =
                translation.settings().iter().filter(|(_, set)| set.field.is_some()).map(|(key, _)| key).collect();
            let key = fields[index % fields.len()].clone();
            for value in [
                Data::Float(number),
                Data::Integer(number as i64),
                Data::Text(format!("{}s", number.abs().floor())),
                Data::Text(format!("{}ms", number.abs().floor())),
            ] {
                if let Ok(written) = write(&source, &[Change { key: key.clone(), value: value.clone() }]) {
                    prop_assert!(same_value(translate(&written).unwrap().value(&key), Some(&value)), "{} {:?}", key, value);
                }
            }
        }
    }
}

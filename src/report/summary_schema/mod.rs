//! The JSON Schema of `summary.json`, from a table of its objects and the figures that there are.

mod objects;

use serde_json::{Map, Value, json};

use crate::experiment::{FIGURES, Unit};

use objects::{OBJECTS, Object, ROOTS};

/// Where the documentation site has it.
const ID: &str = "https://kneepoint.github.io/kneepoint/schema/summary.json";

/// The JSON Schema (2020-12) of `summary.json`, which is what `--json` prints.
pub fn summary_schema() -> Value {
    let definitions: Map<String, Value> =
        OBJECTS.iter().map(|object| (object.name.to_owned(), schema(object))).collect();
    let roots: Vec<Value> = ROOTS.iter().map(|name| reference(name)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Kneepoint summary",
        "description": "What summary.json holds and --json prints, by command.",
        "oneOf": roots,
        "$defs": definitions,
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn schema(object: &Object) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    add(object, &mut properties, &mut required);
    json!({
        "type": "object",
        "description": object.doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Adds the keys of `object`, those of what it takes in first.
fn add(object: &Object, properties: &mut Map<String, Value>, required: &mut Vec<Value>) {
    for name in object.takes_in {
        match OBJECTS.iter().find(|other| other.name == *name) {
            Some(other) => add(other, properties, required),
            None => figures(properties, required),
        }
    }
    for (name, kind, doc) in object.keys {
        let (kind, is_optional) = match kind.strip_prefix('~') {
            Some(kind) => (kind, true),
            None => (*kind, false),
        };
        let mut value = of_kind(kind);
        if let Some(map) = value.as_object_mut().filter(|_| !doc.is_empty()) {
            map.insert("description".into(), (*doc).into());
        }
        properties.insert((*name).into(), value);
        if !is_optional {
            required.push((*name).into());
        }
    }
}

/// The schema of a kind as [`OBJECTS`] writes it: `number`, `integer`, `text`, `flag`, an object's name, names separated by `|`,
/// `[kind]` for a list, `{kind}` for a table by name, and `?` behind what may be null.
fn of_kind(kind: &str) -> Value {
    if let Some(kind) = kind.strip_suffix('?') {
        return json!({ "anyOf": [of_kind(kind), { "type": "null" }] });
    }
    if let Some(inner) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return json!({ "type": "array", "items": of_kind(inner) });
    }
    if let Some(inner) = kind.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return json!({ "type": "object", "additionalProperties": of_kind(inner) });
    }
    match kind {
        "number" | "integer" => json!({ "type": kind }),
        "text" => json!({ "type": "string" }),
        "flag" => json!({ "type": "boolean" }),
        "value" => json!({ "type": ["number", "boolean", "string"] }),
        "fact" => {
            json!({ "anyOf": [{ "type": ["number", "boolean", "string", "null"] }, reference("estimate")] })
        }
        "edge" => {
            json!({ "type": "array", "prefixItems": [of_kind("text"), of_kind("text"), of_kind("flag")] })
        }
        names if names.contains('|') => json!({ "enum": names.split('|').collect::<Vec<_>>() }),
        name => reference(name),
    }
}

/// Every figure there is, those of a group in a table. Some are there only where they say something.
fn figures(properties: &mut Map<String, Value>, required: &mut Vec<Value>) {
    for figure in FIGURES {
        let told = format!("{}, in {}", figure.doc, unit(figure.unit));
        let value = json!({ "description": told, "$ref": "#/$defs/estimate" });
        match figure.name.split_once('.') {
            None => {
                properties.insert(figure.name.into(), value);
                if !figure.is_of_a_class() {
                    required.push(figure.name.into());
                }
            }
            Some((group, name)) => {
                let empty = || json!({ "type": "object", "properties": {}, "additionalProperties": false });
                let group = properties.entry(group).or_insert_with(empty);
                group["properties"][name] = value;
            }
        }
    }
    properties.insert(
        "by_type".into(),
        json!({
            "description": "Figures of each instance type, by its name.",
            "type": "object",
            "additionalProperties": { "type": "object", "additionalProperties": reference("estimate") },
        }),
    );
}

fn unit(unit: Unit) -> String {
    serde_json::to_value(unit)
        .ok()
        .and_then(|name| name.as_str().map(|name| name.replace('_', " ")))
        .unwrap_or_default()
}

//! The scenario file as a JSON Schema, from the same statements that read it.

use serde_json::{Map, Value as Json, json};

use super::assemble::SPEC;
use crate::schema::{AnyKey, Bounds, Kind, Place, TableSpec, Tree, UnionSpec};

/// Where the documentation site has the schema: its `$id`, and what the `#:schema` line of a scenario names. The file is
/// `docs/schema/scenario.json`.
pub const SCHEMA_URL: &str = "https://kneepoint.github.io/kneepoint/schema/scenario.json";

/// The JSON Schema (draft 2020-12) of the scenario file, for editors and generators. TOML tables are its objects.
///
/// It says less than [`ScenarioFile`](super::ScenarioFile) checks: what spans several keys is not in it.
pub fn json_schema() -> Json {
    let mut definitions = Definitions::default();
    let Json::Object(mut root) = definitions.table(&SPEC) else { return Json::Null };
    root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("$id".into(), SCHEMA_URL.into());
    root.insert("title".into(), "Kneepoint scenario".into());
    root.insert("$defs".into(), Json::Object(definitions.0));
    Json::Object(root)
}

/// Schemas that several keys share, by name.
#[derive(Default)]
struct Definitions(Map<String, Json>);

impl Definitions {
    /// A reference to `schema` under `name`, or a name like it if that one is taken by another schema.
    fn refer(&mut self, name: &str, schema: Json) -> Json {
        let free = |name: &String| self.0.get(name).is_none_or(|known| *known == schema);
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let name = std::iter::once(name.to_owned()).chain(numbered).find(free).unwrap_or_default();
        let reference = json!({ "$ref": format!("#/$defs/{name}") });
        self.0.insert(name, schema);
        reference
    }

    fn table(&mut self, spec: &TableSpec) -> Json {
        let mut schema = object(spec.doc);
        let keys = spec.keys.iter().map(|key| (key.name().to_owned(), self.key(*key))).collect();
        schema.insert("properties".into(), Json::Object(keys));
        schema.insert("required".into(), required(spec.keys));
        Json::Object(schema)
    }

    fn union(&mut self, spec: &UnionSpec) -> Json {
        let variants: Vec<Json> = spec
            .variants
            .iter()
            .map(|variant| {
                let mut schema = object(variant.doc);
                let keys = spec.common.iter().chain(variant.keys).copied();
                let mut properties: Map<String, Json> =
                    keys.clone().map(|key| (key.name().to_owned(), self.key(key))).collect();
                properties.insert(spec.tag.into(), json!({ "const": variant.name }));
                schema.insert("properties".into(), Json::Object(properties));
                let Json::Array(mut names) = required(&keys.collect::<Vec<_>>()) else { return Json::Null };
                if spec.default != Some(variant.name) {
                    names.insert(0, spec.tag.into());
                }
                schema.insert("required".into(), Json::Array(names));
                Json::Object(schema)
            })
            .collect();
        json!({ "description": spec.doc, "oneOf": variants })
    }

    fn key(&mut self, key: &dyn AnyKey) -> Json {
        let Json::Object(mut schema) = self.kind(&key.kind(), key.bounds()) else { return Json::Null };
        schema.insert("description".into(), key.doc().into());
        if let Some(default) = key.default().and_then(|text| Tree::parse_value(text, Place::Nowhere).ok()) {
            schema.insert("default".into(), default.to_json());
        }
        Json::Object(schema)
    }

    fn kind(&mut self, kind: &Kind, bounds: Bounds) -> Json {
        match kind {
            Kind::Duration => json!({ "type": "string", "examples": ["90s", "1h 30m"] }),
            Kind::Number => number("number", bounds),
            Kind::Integer => number("integer", bounds),
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Text | Kind::File => json!({ "type": "string" }),
            Kind::Choice(options) => {
                let options: Vec<Json> =
                    options.iter().map(|(name, doc)| json!({ "const": name, "description": doc })).collect();
                json!({ "oneOf": options })
            }
            Kind::List(inner) => json!({ "type": "array", "items": self.kind(inner, bounds) }),
            Kind::Table(spec) => {
                let schema = self.table(spec);
                self.refer(spec.name, schema)
            }
            Kind::Union(spec) => {
                let schema = self.union(spec);
                self.refer(spec.name, schema)
            }
            Kind::Either(kinds) => {
                let forms: Vec<Json> = kinds.iter().map(|kind| self.kind(kind, bounds)).collect();
                json!({ "anyOf": forms })
            }
            Kind::Map(inner) => json!({ "type": "object", "additionalProperties": self.kind(inner, bounds) }),
            Kind::Any => json!({}),
        }
    }
}

fn object(doc: &str) -> Map<String, Json> {
    let mut schema = Map::new();
    schema.insert("description".into(), doc.into());
    schema.insert("type".into(), "object".into());
    schema.insert("additionalProperties".into(), false.into());
    schema
}

fn required(keys: &[&dyn AnyKey]) -> Json {
    keys.iter().filter(|key| key.is_required()).map(|key| Json::from(key.name())).collect()
}

fn number(kind: &str, bounds: Bounds) -> Json {
    let mut schema = Map::new();
    schema.insert("type".into(), kind.into());
    // A key of whole numbers takes none below zero.
    let least = if kind == "integer" { bounds.least.max(0.0) } else { bounds.least };
    let above = bounds.above && bounds.least >= least;
    if least.is_finite() {
        schema.insert(if above { "exclusiveMinimum" } else { "minimum" }.into(), least.into());
    }
    if bounds.most.is_finite() {
        schema.insert("maximum".into(), bounds.most.into());
    }
    Json::Object(schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Context;

    #[test]
    fn every_default_is_taken_by_its_own_key() {
        let mut seen = 0;
        check_defaults(&Kind::Table(&SPEC), "", &mut seen);
        assert!(seen > 50, "only {seen} defaults were found");
    }

    #[test]
    fn the_tables_are_closed_and_a_default_tag_is_not_required() {
        let schema = json_schema();
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], json!(["service", "autoscaler"]));
        assert_eq!(schema["$defs"]["service"]["oneOf"][0]["required"], json!([]));
        assert_eq!(schema["$defs"]["service"]["oneOf"][2]["required"], json!(["model"]));
        assert_eq!(schema["$defs"]["autoscaler"]["oneOf"][1]["properties"]["min"]["default"], 1);
        assert_eq!(schema["$defs"]["slo"]["properties"]["percentile"]["exclusiveMinimum"], 0.0);
    }

    #[test]
    fn every_reference_of_the_schema_leads_somewhere() {
        let schema = json_schema();
        let text = schema.to_string();
        let references = text
            .match_indices("#/$defs/")
            .map(|(start, prefix)| text[start + prefix.len()..].split('"').next().unwrap_or_default());
        for name in references {
            assert!(schema["$defs"].get(name).is_some(), "{name}");
        }
    }

    fn check_defaults(kind: &Kind, path: &str, seen: &mut u32) {
        match kind {
            Kind::Table(spec) => check_keys(spec.keys, path, seen),
            Kind::Union(spec) => {
                check_keys(spec.common, path, seen);
                spec.variants.iter().for_each(|variant| check_keys(variant.keys, path, seen));
            }
            Kind::List(inner) | Kind::Map(inner) => check_defaults(inner, path, seen),
            Kind::Either(kinds) => kinds.iter().for_each(|kind| check_defaults(kind, path, seen)),
            _ => {}
        }
    }

    fn check_keys(keys: &[&dyn AnyKey], path: &str, seen: &mut u32) {
        for key in keys {
            let path = format!("{path}.{}", key.name());
            if let Some(default) = key.default() {
                *seen += 1;
                let node = Tree::parse_value(default, Place::Nowhere).unwrap();
                key.accepts(&node, &path, &Context::default()).unwrap();
            }
            check_defaults(&key.kind(), &path, seen);
        }
    }
}

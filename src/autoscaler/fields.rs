//! An object of a manifest, read field by field: what nobody asked for can be named.

use serde_json::{Map, Value};

use crate::time::Span;
use crate::units::format_span;

/// See the module.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The fields of the object at `path`; `None` if `value` is no object.
    pub fn of(value: &'a Value, path: impl Into<String>) -> Option<Fields<'a>> {
        Some(Fields { path: path.into(), map: value.as_object()?, asked: Vec::new() })
    }

    /// Path of the object.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Full path of a field.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The field; `None` where it is left out or null.
    pub fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// The fields of an object within; `None` where it is left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn object(&mut self, name: &'static str) -> Result<Option<Fields<'a>>, String> {
        let path = self.path_of(name);
        let Some(value) = self.get(name) else { return Ok(None) };
        Fields::of(value, path.clone())
            .map(Some)
            .ok_or_else(|| format!("`{path}` is {value}: expected an object"))
    }

    /// The items of a list within; none where it is left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn list(&mut self, name: &'static str) -> Result<&'a [Value], String> {
        let path = self.path_of(name);
        let Some(value) = self.get(name) else { return Ok(&[]) };
        value.as_array().map(Vec::as_slice).ok_or_else(|| format!("`{path}` is {value}: expected a list"))
    }

    /// A number of seconds as a duration of a scenario.
    ///
    /// # Errors
    /// It is something else.
    pub fn seconds(&mut self, name: &'static str) -> Result<Option<Value>, String> {
        let path = self.path_of(name);
        let Some(value) = self.get(name) else { return Ok(None) };
        let seconds = value.as_f64().filter(|seconds| (0.0..1e9).contains(seconds));
        let seconds = seconds.ok_or_else(|| format!("`{path}` is {value}: expected seconds, 0 to 1e9"))?;
        Ok(Some(format_span(Span::from_secs_f64(seconds)).into()))
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Option<&'a str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Takes note of fields that need no warning.
    pub fn pass_over(&mut self, names: &[&'static str]) {
        self.asked.extend(names);
    }

    /// One phrase for each field that nobody asked for.
    pub fn warn_of_rest(&self, warnings: &mut Vec<String>) {
        let unknown = self.map.keys().filter(|name| !self.asked.contains(&name.as_str()));
        warnings.extend(unknown.map(|name| format!("`{}` is not modelled", self.path_of(name))));
    }
}

//! A part of a Kubernetes manifest that remembers which of its fields were asked for.

use std::cell::RefCell;

use serde_json::{Map, Value};

/// An object of a manifest and its path.
pub(crate) struct Part<'a> {
    fields: Option<&'a Map<String, Value>>,
    pub path: String,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Part<'a> {
    /// The object at `path`; an empty one where there is none.
    ///
    /// # Errors
    /// There is something else.
    pub fn new(value: Option<&'a Value>, path: String) -> Result<Part<'a>, String> {
        let fields = match value {
            None | Some(Value::Null) => None,
            Some(Value::Object(fields)) => Some(fields),
            Some(_) => return Err(format!("{path} is no object")),
        };
        Ok(Part { fields, path, asked: RefCell::default() })
    }

    /// A field; `None` where it is left out or null.
    pub fn get(&self, name: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(name);
        self.fields?.get(name).filter(|value| !value.is_null())
    }

    /// A field that is an object; an empty one where it is left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn part(&self, name: &'static str) -> Result<Part<'a>, String> {
        Part::new(self.get(name), format!("{}.{name}", self.path))
    }

    /// Whether there is such an object at all.
    pub fn is_absent(&self) -> bool {
        self.fields.is_none()
    }

    /// The objects of a list; none where it is left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn parts(&self, name: &'static str) -> Result<Vec<Part<'a>>, String> {
        let path = format!("{}.{name}", self.path);
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                let part = |(index, item)| Part::new(Some(item), format!("{path}[{index}]"));
                items.iter().enumerate().map(part).collect()
            }
            Some(_) => Err(format!("{path} is no list")),
        }
    }

    /// A whole number, 0 or more; as text too, as annotations have it.
    ///
    /// # Errors
    /// It is something else.
    pub fn count(&self, name: &'static str) -> Result<Option<u64>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let count = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
        count
            .map(Some)
            .ok_or_else(|| format!("{}.{name} is {value}: expected a whole number, 0 or more", self.path))
    }

    /// A text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self, name: &'static str) -> Result<Option<&'a str>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| format!("{}.{name} is {value}: expected a text", self.path))
    }

    /// A quantity, as a key of the scenario takes it.
    ///
    /// # Errors
    /// It is neither a text nor a number.
    pub fn quantity(&self, name: &'static str) -> Result<Option<Value>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(value) if value.is_string() || value.is_number() => Ok(Some(value.clone())),
            Some(value) => Err(format!("{}.{name} is {value}: expected a quantity", self.path)),
        }
    }

    /// Fields not asked for.
    pub fn rest(&self) -> Vec<&'a str> {
        let asked = self.asked.borrow();
        let names = self.fields.into_iter().flatten().map(|(name, _)| name.as_str());
        names.filter(|name| !asked.contains(name)).collect()
    }

    /// Names the fields that were not asked for.
    pub fn finish(&self, warnings: &mut Vec<String>) {
        for name in self.rest() {
            warnings.push(format!("{}.{name} is not modelled", self.path));
        }
    }
}

/// Puts a value under its key, if there is one.
pub(crate) fn put(table: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        table.insert(key.to_owned(), value.into());
    }
}

//! A JSON document as a tree, but for those of its lists that are too long for one.

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What becomes of lists that are long.
pub(super) trait Lists {
    /// What stands in the place of the list at this key, or in the list at this key, if it is taken and not to be in the tree.
    ///
    /// # Errors
    /// Those of reading its entries.
    fn take<'de, A: SeqAccess<'de>>(
        &mut self,
        key: &str,
        in_list: bool,
        list: &mut A,
    ) -> Result<Option<Value>, A::Error> {
        let _ = (key, in_list, list);
        Ok(None)
    }

    /// Whether the next entry of a list or an object, of which the tree has so many, is to be in it as well. Asked before each is read.
    fn keeps(&mut self, so_many: usize) -> bool {
        let _ = so_many;
        true
    }
}

/// Reads a document.
///
/// # Errors
/// It cannot be read, or is no JSON.
pub(super) fn tree(content: impl Read, lists: &mut impl Lists) -> serde_json::Result<Value> {
    let mut json = serde_json::Deserializer::from_reader(content);
    let tree = Part { lists, key: "", in_list: false }.deserialize(&mut json)?;
    json.end()?;
    Ok(tree)
}

/// The value at a key, or in the list that is at it.
struct Part<'a, L> {
    lists: &'a mut L,
    key: &'a str,
    in_list: bool,
}

impl<'de, L: Lists> DeserializeSeed<'de> for Part<'_, L> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, L: Lists> Visitor<'de> for Part<'_, L> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let Part { lists, key, in_list } = self;
        if let Some(instead) = lists.take(key, in_list, &mut list)? {
            return Ok(instead);
        }
        let mut all = Vec::new();
        loop {
            if !lists.keeps(all.len()) {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(Value::Array(all));
            }
            let part = Part { lists: &mut *lists, key, in_list: true };
            let Some(value) = list.next_element_seed(part)? else { return Ok(Value::Array(all)) };
            all.push(value);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let Part { lists, .. } = self;
        let mut all = Map::new();
        loop {
            if !lists.keeps(all.len()) {
                while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Value::Object(all));
            }
            let Some(key) = object.next_key::<String>()? else { return Ok(Value::Object(all)) };
            let part = Part { lists: &mut *lists, key: &key, in_list: false };
            let value = object.next_value_seed(part)?;
            all.insert(key, value);
        }
    }
}

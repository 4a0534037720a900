//! Attributes of spans and of what they come from, in either encoding of OTLP.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::protobuf::{Fields, NoMessage};

/// How deep a value may be.
const DEEPEST: usize = 16;

/// Attributes by name. The first of a name counts: a second one is an error of whoever sends it, and changes nothing.
pub(super) type Attributes = BTreeMap<String, Value>;

/// A text among the attributes.
pub(super) fn text<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// An attribute in JSON.
#[derive(Debug, Deserialize)]
pub(super) struct KeyValue {
    key: String,
    #[serde(default)]
    value: AnyValue,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyValue {
    #[serde(default)]
    string_value: Option<String>,
    #[serde(default)]
    bool_value: Option<bool>,
    /// A number, or, as 64 bits are written in JSON, a text.
    #[serde(default)]
    int_value: Option<Value>,
    #[serde(default)]
    double_value: Option<f64>,
    #[serde(default)]
    array_value: Option<ArrayValue>,
    #[serde(default)]
    kvlist_value: Option<KeyValueList>,
}

#[derive(Debug, Default, Deserialize)]
struct ArrayValue {
    #[serde(default)]
    values: Vec<AnyValue>,
}

#[derive(Debug, Default, Deserialize)]
struct KeyValueList {
    #[serde(default)]
    values: Vec<KeyValue>,
}

impl AnyValue {
    /// The reader has bounded how deep it is.
    fn value(self) -> Value {
        if let Some(text) = self.string_value {
            return Value::String(text);
        }
        if let Some(yes) = self.bool_value {
            return Value::Bool(yes);
        }
        if let Some(number) = self.int_value {
            let integer = number.as_i64().or_else(|| number.as_str()?.parse().ok());
            return integer.map_or(Value::Null, Value::from);
        }
        if let Some(number) = self.double_value {
            return Value::from(number);
        }
        if let Some(array) = self.array_value {
            return array.values.into_iter().map(Self::value).collect();
        }
        match self.kvlist_value {
            Some(list) => Value::Object(list.values.into_iter().map(|one| (one.key, one.value.value())).collect()),
            None => Value::Null,
        }
    }
}

/// Attributes as JSON has them.
pub(super) fn of_json(list: Vec<KeyValue>) -> Attributes {
    let mut attributes = Attributes::new();
    for one in list {
        attributes.entry(one.key).or_insert_with(|| one.value.value());
    }
    attributes
}

/// One attribute as protocol buffers have it: `KeyValue`, key 1 and value 2.
pub(super) fn of_protobuf(bytes: &[u8], attributes: &mut Attributes) -> Result<(), NoMessage> {
    let (key, value) = pair(bytes, 0)?;
    attributes.entry(key).or_insert(value);
    Ok(())
}

fn pair(bytes: &[u8], depth: usize) -> Result<(String, Value), NoMessage> {
    let (mut key, mut value) = (String::new(), Value::Null);
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => field.text()?.clone_into(&mut key),
            2 => value = any(field.bytes()?, depth)?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// `AnyValue`: text 1, bool 2, int 3, double 4, array 5, list of pairs 6, bytes 7.
fn any(bytes: &[u8], depth: usize) -> Result<Value, NoMessage> {
    if depth > DEEPEST {
        return Err(NoMessage);
    }
    let mut value = Value::Null;
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        value = match number {
            1 => Value::String(field.text()?.to_owned()),
            2 => Value::Bool(field.number()? != 0),
            3 => Value::from(field.number()?.cast_signed()),
            4 => Value::from(f64::from_bits(field.number()?)),
            5 => {
                let mut items = Vec::new();
                let mut fields = Fields(field.bytes()?);
                while let Some((number, field)) = fields.next()? {
                    if number == 1 {
                        items.push(any(field.bytes()?, depth.saturating_add(1))?);
                    }
                }
                Value::Array(items)
            }
            6 => {
                let mut members = Map::new();
                let mut fields = Fields(field.bytes()?);
                while let Some((number, field)) = fields.next()? {
                    if number == 1 {
                        let (key, value) = pair(field.bytes()?, depth.saturating_add(1))?;
                        members.insert(key, value);
                    }
                }
                Value::Object(members)
            }
            _ => value,
        };
    }
    Ok(value)
}

//! Objects where objects are expected: the JSON library would take an array for one, its elements for members.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::strict::misfit;
use super::{Limits, ReadError, read};

/// Reads a JSON object as `T`, strictly: these members of it are objects, too, where they are there at all.
///
/// # Errors
/// See [`ReadError`].
pub fn read_object_as<T: DeserializeOwned>(bytes: &[u8], limits: Limits, members: &[&str]) -> Result<T, ReadError> {
    object_as(read(bytes, limits)?, members)
}

/// Takes a value that was read as an object `T`; these members of it are objects, too.
///
/// # Errors
/// [`ReadError::BadShape`].
pub fn object_as<T: DeserializeOwned>(value: Value, members: &[&str]) -> Result<T, ReadError> {
    hold_objects(&value, members)?;
    serde_json::from_value(value).map_err(|error| misfit(&error))
}

fn hold_objects(value: &Value, members: &[&str]) -> Result<(), ReadError> {
    let refuse = |message: String| Err(ReadError::BadShape { message });
    let Value::Object(top) = value else { return refuse("it is not an object".to_owned()) };
    match members.iter().find(|name| top.get(**name).is_some_and(|member| !member.is_object())) {
        Some(name) => refuse(format!("`{name}` is not an object")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_no_object() {
        let table = [
            (r#"[]"#, false),
            (r#"{"subject": ["Agent", "a"]}"#, false),
            (r#"{"subject": null}"#, false),
            (r#"{"subject": {}, "more": []}"#, true),
            (r#"{}"#, true),
        ];
        for (text, expected) in table {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(hold_objects(&value, &["subject"]).is_ok(), expected, "{text}");
        }
    }
}

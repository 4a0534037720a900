//! `_meta` members under our prefix: only the gate and this proxy write them (R11).

use policy_core::sabotaged;
use serde_json::Value;

/// The prefix of our members.
pub const PREFIX: &str = "proviso.dev/";

/// Where a refused call's result holds the gate's context: ARAP's, with `access_request` where it may be asked for.
pub const CONTEXT: &str = "proviso.dev/context";

/// Removes our members from every `_meta` in the value, at any depth. Answers whether there were any.
///
/// Whoever is on the other side did not write them honestly: a server that says `proviso.dev/context` would put words
/// into the gate's mouth.
pub fn strip(value: &mut Value) -> bool {
    match value {
        Value::Array(items) => items.iter_mut().map(strip).filter(|found| *found).count() > 0,
        Value::Object(members) => {
            let mut found = false;
            for (name, member) in members.iter_mut() {
                if name == "_meta"
                    && let Value::Object(meta) = member
                {
                    let before = meta.len();
                    meta.retain(|name, _| !is_ours(name) || sabotaged!("r11_meta_kept"));
                    found |= meta.len() != before;
                }
                found |= strip(member);
            }
            found
        }
        _ => false,
    }
}

/// Whether a member's name is under our prefix, in any case and with anything odd around it.
fn is_ours(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_graphic).collect::<String>().to_ascii_lowercase();
    plain.starts_with(PREFIX)
        || plain.split('/').next().is_some_and(|host| host == "proviso.dev" || host.ends_with(".proviso.dev"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ours_goes_and_the_rest_stays() {
        for (mut value, stripped, rest) in [
            (json!({"_meta": {"proviso.dev/context": {}, "a/b": 1}}), true, json!({"_meta": {"a/b": 1}})),
            (json!({"content": [{"_meta": {"Proviso.dev/x": 1}}]}), true, json!({"content": [{"_meta": {}}]})),
            (json!({"_meta": {"x": {"_meta": {"proviso.dev/y": 1}}}}), true, json!({"_meta": {"x": {"_meta": {}}}})),
            (json!({"_meta": {" proviso.dev/x": 1, "tools.proviso.dev/x": 1}}), true, json!({"_meta": {}})),
            (json!({"proviso.dev/x": 1, "_meta": [1]}), false, json!({"proviso.dev/x": 1, "_meta": [1]})),
        ] {
            assert_eq!(strip(&mut value), stripped);
            assert_eq!(value, rest);
        }
    }
}

//! Who plays which role in the demo: the groups that the presets of `console/` name, and who is in them.

use serde_json::{Value, json};

/// The administrators: both come in when a demo starts, so that what takes two approvers can be granted.
pub(super) const ADMINISTRATORS: [&str; 2] = ["jun", "kit"];
/// Everybody else whom a preset is for, besides the sample bundle's approvers.
const MEMBERS: [(&str, &str); 3] = [("mara", "auditors"), ("vera", "auditors"), ("sol", "operators")];

/// The sample bundle's entities with these groups. Absent: they cannot be read.
pub(super) fn with_roles(entities: &str) -> Option<String> {
    let mut entities: Vec<Value> = serde_json::from_str(entities).ok()?;
    let group = |name: &str| json!({"type": "Group", "id": name});
    for name in ["auditors", "operators", "administrators"] {
        entities.push(json!({"uid": group(name), "attrs": {}, "parents": []}));
    }
    let administrators = ADMINISTRATORS.into_iter().map(|user| (user, "administrators"));
    for (user, of) in administrators.chain(MEMBERS) {
        let is_user = |entity: &&mut Value| entity.get("uid") == Some(&json!({"type": "User", "id": user}));
        let person = entities.iter_mut().find(is_user)?;
        person.get_mut("parents")?.as_array_mut()?.push(group(of));
    }
    serde_json::to_string_pretty(&entities).ok()
}

#[cfg(test)]
mod tests {
    use policy_core::console::Act;
    use policy_core::entity::EntityRef;
    use policy_core::time::Timestamp;
    use policy_evaluator::Bundle;

    use super::*;
    use crate::demo::Place;

    #[test]
    fn everybody_of_the_demo_has_a_role_and_two_look_after_people() {
        let folder = tempfile::tempdir().unwrap();
        let bundle = Place::open(folder.path()).unwrap().bundle();
        let bundle = Bundle::accept(&bundle).unwrap();
        assert!(bundle.has_console());
        let names: Vec<_> =
            bundle.who_may(Act::Administer, Timestamp::from_millis(0)).into_iter().map(|person| person.id).collect();
        assert_eq!(names, ADMINISTRATORS);
        for (user, act, may) in [
            ("mara", Act::Vote, true),
            ("vera", Act::Vote, true),
            ("jun", Act::Vote, true),
            ("sol", Act::Operate, true),
            ("mara", Act::Operate, false),
            ("ines", Act::Vote, false),
        ] {
            assert_eq!(bundle.may_ever(&EntityRef::new("User", user), &[act]), may, "{user} {act:?}");
        }
    }
}

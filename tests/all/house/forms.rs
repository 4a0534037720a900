//! What is believed has a form, and nothing is left out of it unsaid: a member that a snapshot of the record forgets is
//! believed by no start that goes on from one.

use super::{read, root, rust_files};

#[test]
fn what_a_form_leaves_out_says_beside_it_why_no_start_needs_it() {
    let (mut left_out, mut unsaid) = (0, Vec::new());
    for path in ["host/src/app", "host/src/identity", "host/src/reconcile"].into_iter().flat_map(rust_files) {
        let text = read(&root().join(&path));
        let lines: Vec<&str> = text.lines().collect();
        for (number, pair) in lines.windows(2).enumerate() {
            let [before, line] = pair else { continue };
            let line = line.trim();
            let skips =
                line.starts_with("#[serde(") && (line.contains("(skip)") || line.contains("skip_deserializing"));
            if skips {
                left_out += 1;
                if !before.trim().starts_with("//") {
                    unsaid.push(format!("{path}:{}: {line}", number + 2));
                }
            }
        }
    }
    assert!(unsaid.is_empty(), "{unsaid:#?}");
    assert!(left_out >= 2, "the versions of a start stand in no form");
}

#[test]
fn the_form_of_the_state_is_that_of_all_its_members() {
    let text = read(&root().join("host/src/app/state.rs"));
    let (before, _) = text.split_once("pub struct State {").expect("the state");
    let derived = before.rsplit_once("#[derive(").expect("what it derives").1;
    assert!(derived.starts_with("Debug, Clone, Default, Serialize, Deserialize)]"), "{derived}");
    assert!(!derived.contains("serde(default"), "a member that is not there is none of this build's");
}

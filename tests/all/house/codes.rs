//! Whatever the gate refuses with stands in API.md.

use std::collections::BTreeMap;

use super::{read, root, rust_files};

/// Where refusals are made.
const MADE: [&str; 3] = ["host/src/app", "host/src/http", "host/src/trust"];
/// How.
const BY: [&str; 5] = ["new(", "bad(", "forbidden(", "conflict(", "not_found("];

fn is_code(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|one| one == '_' || one.is_ascii_lowercase())
}

#[test]
fn every_code_of_a_refusal_stands_in_api_md() {
    let api = read(&root().join("API.md"));
    let mut codes: BTreeMap<String, String> = BTreeMap::new();
    for path in MADE.into_iter().flat_map(rust_files).filter(|path| !path.contains("/tests")) {
        let text = read(&root().join(&path));
        let made = text.split("Refusal::").skip(1).chain(text.split("Refused::").skip(1));
        for call in made.filter(|call| BY.iter().any(|name| call.starts_with(name))) {
            // The first text of the call, before anything else is made or said.
            let Some((before, rest)) = call.split_once('"') else { continue };
            let code = rest.split('"').next().unwrap_or_default();
            if is_code(code) && !before.contains([')', ';']) {
                codes.insert(code.to_owned(), path.clone());
            }
        }
    }
    let lifecycle = "policy-core/src/lifecycle/rejection.rs".to_owned();
    let text = read(&root().join(&lifecycle));
    let words = text.split(" => \"").skip(1).filter_map(|rest| rest.split_once("\",\n")).map(|(code, _)| code);
    codes.extend(words.filter(|word| is_code(word)).map(|code| (code.to_owned(), lifecycle.clone())));
    let missing: Vec<_> = codes.iter().filter(|(code, _)| !api.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(codes.len() > 200, "only {} were found", codes.len());
}

//! What `cargo xtask screenshots` takes pictures of: every page that a browser test looks at.

use std::collections::BTreeSet;

use super::{read, root};

/// The words by which the command finds the tests that look.
fn words() -> Vec<String> {
    let text = read(&root().join("xtask/src/screenshots.rs"));
    let (_, rest) = text.split_once("const LOOKS: [&str; ").expect("the words");
    let (list, _) = rest.split_once("];").expect("their end");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The specs of the dashboard, by name.
fn specs() -> Vec<(String, String)> {
    let folder = root().join("tests/e2e");
    let files = std::fs::read_dir(&folder).expect("the specs").map(|entry| entry.expect("an entry").path());
    let specs = files.filter(|path| path.to_string_lossy().ends_with(".spec.ts"));
    specs.map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), read(&path))).collect()
}

/// The titles of a spec's tests that look at a page, by themselves or by a function of the spec.
fn titles(spec: &str) -> Vec<String> {
    let is_look = |line: &str| line.contains("look(page, ");
    let (mut looking, mut function, mut title) = (BTreeSet::new(), None::<String>, None::<String>);
    let mut titles = Vec::new();
    // First which functions look, then which tests call one.
    for line in spec.lines() {
        if let Some((_, rest)) = line.split_once("function ").filter(|_| !line.starts_with(' ')) {
            function = rest.split('(').next().map(str::to_owned);
        }
        if line == "}" {
            function = None;
        }
        looking.extend(function.clone().filter(|_| is_look(line)));
    }
    for line in spec.lines() {
        let begins = line.trim_start();
        if let Some(rest) = begins.strip_prefix("test(\"").or_else(|| begins.strip_prefix("test(`")) {
            title = rest.split(['"', '`']).next().map(str::to_owned);
        }
        if line == "}" || line.starts_with("async function ") || line.starts_with("function ") {
            title = None;
        }
        let calls = looking.iter().any(|name| line.contains(&format!("{name}(")));
        if let Some(title) = title.clone().filter(|_| is_look(line) || calls) {
            titles.push(title);
        }
    }
    titles.dedup();
    titles
}

/// A title as the test is called for one look.
fn played(title: &str) -> String {
    let mut rest = title;
    let mut whole = String::new();
    while let Some((before, after)) = rest.split_once("${") {
        let (value, behind) = after.split_once('}').expect("a template");
        whole.push_str(before);
        whole.push_str(if value.ends_with(".scheme") { "light" } else { "wide" });
        rest = behind;
    }
    whole + rest
}

#[test]
fn every_page_that_a_test_looks_at_is_taken_by_the_command_for_pictures() {
    let (words, specs) = (words(), specs());
    assert!(words.len() > 5 && specs.len() > 10, "{words:?}");
    assert!(words.iter().all(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || " ,'".contains(c))), "{words:?}");
    let titles: Vec<(String, String)> = specs
        .iter()
        .flat_map(|(name, spec)| titles(spec).into_iter().map(|title| (name.clone(), played(&title))))
        .collect();
    assert!(titles.len() > 15, "{titles:#?}");
    let missed: Vec<_> = titles.iter().filter(|(_, title)| !words.iter().any(|word| title.contains(word))).collect();
    assert!(missed.is_empty(), "the words in xtask/src/screenshots.rs find none of {missed:#?}");
    let idle: Vec<_> = words
        .iter()
        .filter(|word| !["light, narrow", "dark, wide", "dark, narrow"].contains(&word.as_str()))
        .filter(|word| !titles.iter().any(|(_, title)| title.contains(*word)))
        .collect();
    assert!(idle.is_empty(), "no test that looks is called by {idle:?}");
}

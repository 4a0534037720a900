//! Who may name what, read from the code without its comments.

use super::{read, root, rust_files};

/// A folder, words that its code must not hold, and why.
struct Absent {
    folder: &'static str,
    words: &'static [&'static str],
    why: &'static str,
}

const ABSENT: [Absent; 12] = [
    Absent {
        folder: "host/src/reconcile",
        words: &[
            "async fn",
            "tokio",
            "std::fs",
            "SystemTime",
            "HashMap",
            "crate::store",
            "crate::clock",
            "crate::http",
        ],
        why: "what ran is compared by pure functions",
    },
    Absent {
        folder: "policy-core/src",
        words: &[
            "std::time",
            "SystemTime",
            "std::env",
            "std::fs",
            "std::net",
            "HashMap",
            "HashSet",
            "async fn",
            "cedar_policy",
        ],
        why: "the core is pure, and what it hashes is sorted",
    },
    Absent {
        folder: "policy-core/evaluator/src",
        words: &["std::time", "SystemTime", "std::env", "std::fs", "std::net", "async fn"],
        why: "the evaluator is pure",
    },
    Absent {
        folder: "host/src/app",
        words: &[
            "axum",
            "rusqlite",
            "StatusCode",
            "wasmtime",
            "crate::http",
            "crate::gate",
            "crate::cli",
            "crate::mcp",
            "status: 4",
            "status: 5",
        ],
        why: "use cases know neither HTTP nor SQL nor the sandbox",
    },
    Absent {
        folder: "host/src/store",
        words: &["axum", "StatusCode", "wasmtime", "crate::http", "crate::gate", "crate::cli"],
        why: "only host::http knows status codes, only host::gate the sandbox",
    },
    Absent {
        folder: "host/src/gate",
        words: &["axum", "StatusCode", "rusqlite", "crate::http", "crate::cli"],
        why: "the gate evaluates; it neither serves nor stores",
    },
    Absent {
        folder: "host/src/http",
        words: &["rusqlite", "wasmtime", "cedar_policy"],
        why: "HTTP stands on the use cases",
    },
    Absent {
        folder: "host/src/mcp",
        words: &["rusqlite", "wasmtime", "crate::app", "crate::store", "crate::gate", "crate::http", "crate::{"],
        why: "the proxy knows the gate by HTTP only",
    },
    Absent {
        folder: "host/src/demo",
        words: &["crate::app", "crate::store", "crate::gate", "crate::http", "crate::{", "super::super", "rusqlite"],
        why: "the demo uses the public interfaces only, with credentials of its own",
    },
    Absent {
        folder: "dashboard/src/view_model",
        words: &["leptos", "web_sys", "js_sys", "gloo", "wasm_bindgen"],
        why: "the view model is tested natively",
    },
    Absent {
        folder: "dashboard/src",
        words: &["inner_html", "insert_adjacent_html", "outer_html", "document().write"],
        why: "text from outside is never markup",
    },
    Absent {
        folder: "api/src",
        words: &["impl From", "std::time", "std::env", "async fn"],
        why: "wire types hold no logic",
    },
];

/// A word, and the only files or folders whose code may hold it, among these roots.
struct Only {
    word: &'static str,
    roots: &'static [&'static str],
    places: &'static [&'static str],
}

const PRODUCT: &[&str] = &["policy-core", "api/src", "host/src", "dashboard/src"];

const ONLY: [Only; 6] = [
    Only { word: "wasmtime", roots: PRODUCT, places: &["host/src/gate"] },
    Only { word: "cedar_policy", roots: PRODUCT, places: &["policy-core/evaluator"] },
    Only { word: "rusqlite", roots: PRODUCT, places: &["host/src/store"] },
    Only { word: "gloo_net", roots: PRODUCT, places: &["dashboard/src/api"] },
    Only {
        word: "clippy::disallowed_methods",
        roots: &["policy-core", "api/src", "host/src", "dashboard/src", "xtask/src"],
        places: &["host/src/clock.rs", "host/src/random.rs", "xtask/src/stage.rs"],
    },
    Only {
        word: "unsafe_code",
        roots: PRODUCT,
        places: &["policy-core/module/src", "host/src/gate", "host/src/heap.rs"],
    },
];

/// The code of a file: whole-line comments left out, and what follows ` // ` on a line.
fn code(path: &str) -> Vec<(usize, String)> {
    read(&root().join(path))
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line.split(" // ").next().unwrap_or(line).to_owned()))
        .collect()
}

/// Unit tests may read golden files and make fixtures.
fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

#[test]
fn layers_do_not_name_what_is_none_of_their_business() {
    let mut found = Vec::new();
    for Absent { folder, words, why } in ABSENT {
        for path in rust_files(folder).into_iter().filter(|path| !is_test(path)) {
            for (number, line) in code(&path) {
                for word in words.iter().filter(|word| line.contains(**word)) {
                    found.push(format!("{path}:{number} names `{word}`: {why}"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn some_words_have_one_home() {
    let mut found = Vec::new();
    for Only { word, roots, places } in ONLY {
        let mut at_home = false;
        for path in roots.iter().flat_map(|folder| rust_files(folder)).filter(|path| !is_test(path)) {
            let home = places.iter().any(|place| path.starts_with(place));
            for (number, line) in code(&path) {
                if line.contains(word) {
                    at_home |= home;
                    if !home {
                        found.push(format!("{path}:{number} names `{word}`, which only {places:?} may"));
                    }
                }
            }
        }
        assert!(at_home, "nobody names `{word}`: is this rule still about anything?");
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_outgrows_a_reader() {
    let long: Vec<_> = ["policy-core", "api/src", "host/src", "dashboard/src", "xtask/src", "tests/all", "tests/src"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .map(|path| (read(&root().join(&path)).lines().count(), path))
        .filter(|(lines, _)| *lines > 450)
        .collect();
    assert!(long.is_empty(), "over 450 lines, find the seam: {long:?}");
}

#[test]
fn nothing_is_switched_off_or_left_open() {
    let mut found = Vec::new();
    for folder in ["policy-core", "api/src", "host/src", "dashboard/src", "xtask/src", "tests/all", "tests/src"] {
        // Put together here, so that this file does not find itself.
        let words =
            [["#[", "ignore"].concat(), ["#[", "allow("].concat(), ["#!", "[allow("].concat(), ["todo", "!("].concat()];
        for path in rust_files(folder) {
            for (number, line) in code(&path) {
                found.extend(
                    words.iter().filter(|word| line.contains(*word)).map(|word| format!("{path}:{number} {word}")),
                );
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_test_sleeps() {
    // Product code has its pauses. Of the tests one place waits, by looking again.
    let home = "tests/src/until.rs";
    let (mut found, mut at_home) = (Vec::new(), false);
    for folder in ["policy-core", "api/src", "host/src", "dashboard", "xtask/src", "tests/all", "tests/src"] {
        let word = ["sleep", "("].concat();
        for path in rust_files(folder) {
            let whole = path.starts_with("tests/") || is_test(&path) || path.ends_with("/testing.rs");
            let inside = |line: &str| line.starts_with("mod tests {");
            let lines = code(&path).into_iter().skip_while(|(_, line)| !whole && !inside(line));
            for (number, _) in lines.filter(|(_, line)| line.contains(&word)) {
                at_home |= path == home;
                if path != home {
                    found.push(format!("{path}:{number} sleeps: a test that waits calls `until`"));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(at_home, "nobody waits: is this rule still about anything?");
}

//! Trusted Types: the page's content security policy takes no text where a browser expects markup or code, and names one
//! policy that may hand such values out.
//!
//! The generated files need that in three places: Leptos fills templates with markup that was written when it was compiled,
//! the page starts its worker, and the worker loads its code. Each place is given a policy that lives inside its own
//! module, where nothing else on the page can reach it; the name is taken with it, so that nobody makes another. A place
//! that is not where it was, or one more of its kind, fails the build: then somebody has to look.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The policy's name, as the content security policy has it.
const NAME: &str = "proviso";

/// What is put behind the page's glue. Markup is for what is not on the page yet, and the one script is the worker's.
const PAGE: &str = r#"
const trusted = globalThis.trustedTypes?.createPolicy("proviso", {
    createHTML: (markup) => markup,
    createScriptURL: (address) => {
        if (address === "/preview_worker_loader.js") return address;
        throw new TypeError("no script of the dashboard");
    },
});
function trustedMarkup(element, markup) {
    if (element.isConnected) throw new TypeError("markup is for what is not on the page yet");
    return trusted === undefined ? markup : trusted.createHTML(markup);
}
function trustedScript(address) {
    return trusted === undefined ? address : trusted.createScriptURL(address);
}
"#;

/// The worker's loader: the same two calls that Trunk writes.
const LOADER: &str = r#"((trusted) => {
    const file = "./preview_worker.js";
    importScripts(trusted === undefined ? file : trusted.createScriptURL(file));
})(globalThis.trustedTypes?.createPolicy("proviso", {
    createScriptURL: (address) => {
        if (address === "./preview_worker.js") return address;
        throw new TypeError("no script of the worker");
    },
}));
wasm_bindgen("./preview_worker_bg.wasm");
"#;

/// What Trunk writes as the worker's loader.
const PLAIN_LOADER: &str = r#"importScripts("./preview_worker.js");wasm_bindgen("./preview_worker_bg.wasm");"#;

/// A place in the page's glue: what stands there, and what has to.
const PLACES: [(&str, &str); 2] = [
    (
        "arg0.innerHTML = getStringFromWasm0(arg1, arg2)",
        "arg0.innerHTML = trustedMarkup(arg0, getStringFromWasm0(arg1, arg2))",
    ),
    ("new Worker(getStringFromWasm0(arg0, arg1))", "new Worker(trustedScript(getStringFromWasm0(arg0, arg1)))"),
];

/// Words of the glue that stand for such a place, and how often each may.
const KINDS: [(&str, usize); 8] = [
    (".innerHTML =", 1),
    ("new Worker(", 1),
    ("new SharedWorker(", 0),
    (".outerHTML =", 0),
    ("insertAdjacentHTML(", 0),
    ("document.write", 0),
    ("eval(", 0),
    ("new Function(", 0),
];

/// All that decides about what becomes of the files: whoever keeps them makes them anew when it is another.
pub fn text() -> String {
    format!("{NAME}{PAGE}{LOADER}{PLACES:?}")
}

/// Gives the three places of a built dashboard their policy.
pub fn seal(folder: &Path) -> Result<()> {
    let glue = glue(folder)?;
    rewrite(&glue, page)?;
    rewrite(&folder.join("preview_worker_loader.js"), loader)
}

/// The page's glue: the builder puts a digest into its name.
pub fn glue(folder: &Path) -> Result<PathBuf> {
    let is_glue = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("dashboard-") && name.ends_with(".js")
    };
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut found = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(is_glue);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        _ => bail!("`{}` does not hold exactly one `dashboard-….js`", folder.display()),
    }
}

fn rewrite(path: &Path, with: impl FnOnce(&str) -> Result<String>) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let sealed = with(&text).with_context(|| format!("`{}`", path.display()))?;
    fs::write(path, sealed).with_context(|| format!("cannot write `{}`", path.display()))
}

fn page(glue: &str) -> Result<String> {
    for (word, most) in KINDS {
        let count = glue.matches(word).count();
        if count > most {
            bail!(
                "`{word}` stands there {count} times: each is a place that Trusted Types are about, and {most} is known"
            );
        }
    }
    let mut sealed = glue.to_owned();
    for (plain, trusted) in PLACES {
        if sealed.matches(plain).count() != 1 {
            bail!("`{plain}` does not stand there once: is `wasm-bindgen` another?");
        }
        sealed = sealed.replacen(plain, trusted, 1);
    }
    sealed.push_str(PAGE);
    Ok(sealed)
}

fn loader(plain: &str) -> Result<String> {
    if plain.trim() != PLAIN_LOADER {
        bail!("the worker's loader is not what Trunk wrote before: is `trunk` another?");
    }
    Ok(LOADER.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = "\
        __wbg_set_innerHTML_1: function(arg0, arg1, arg2) {\n    arg0.innerHTML = getStringFromWasm0(arg1, arg2);\n},\n\
        __wbg_new_2: function(arg0, arg1) {\n    const ret = new Worker(getStringFromWasm0(arg0, arg1));\n},\n";

    #[test]
    fn both_places_of_the_glue_go_by_the_policy_and_it_is_made_once() {
        let sealed = page(GLUE).unwrap();
        assert!(sealed.contains("arg0.innerHTML = trustedMarkup(arg0, getStringFromWasm0(arg1, arg2));"), "{sealed}");
        assert!(sealed.contains("new Worker(trustedScript(getStringFromWasm0(arg0, arg1)));"), "{sealed}");
        assert_eq!(sealed.matches("createPolicy(\"proviso\"").count(), 1);
        assert!(
            LOADER.contains("createPolicy(\"proviso\"")
                && LOADER.contains("wasm_bindgen(\"./preview_worker_bg.wasm\")")
        );
    }

    #[test]
    fn a_glue_that_is_another_fails_the_build() {
        for (what, glue) in [
            ("a place has moved", GLUE.replace("arg1, arg2)", "arg2, arg3)")),
            ("a place is gone", GLUE.replace("new Worker(", "start(")),
            ("one more of a kind", format!("{GLUE}arg7.innerHTML = x;")),
            ("another kind", format!("{GLUE}arg0.insertAdjacentHTML(a, b);")),
            ("it was sealed already", page(GLUE).unwrap()),
        ] {
            assert!(page(&glue).is_err(), "{what}");
        }
        assert!(loader(&format!("{PLAIN_LOADER}\n")).is_ok());
        assert!(loader("importScripts(\"./another.js\");").is_err());
    }

    #[test]
    fn what_lies_in_the_folder_is_sealed_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let (glue, worker) =
            (folder.path().join("dashboard-0123456789abcdef.js"), folder.path().join("preview_worker_loader.js"));
        fs::write(&glue, GLUE).unwrap();
        fs::write(&worker, PLAIN_LOADER).unwrap();
        seal(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(&glue).unwrap(), page(GLUE).unwrap());
        assert_eq!(fs::read_to_string(&worker).unwrap(), LOADER);
        fs::write(folder.path().join("dashboard-fedcba9876543210.js"), GLUE).unwrap();
        assert!(seal(folder.path()).is_err(), "which one would it be?");
    }
}

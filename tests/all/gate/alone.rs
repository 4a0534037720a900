//! The binary alone in an empty folder: the module and the dashboard are inside, so one file is what one deploys.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use policy_core::digest::Digest;
use proviso_tests::{Binary, Client, assets};
use reqwest::Method;
use serde_json::Value;

/// A copy of the binary and of nothing else, that runs until it is dropped.
struct Alone(Child);

impl Alone {
    /// Starts the copy in `folder` with nothing in its environment but a home of its own; its URL.
    fn start(folder: &Path) -> (Self, Client) {
        let (copy, home) = (folder.join("proviso"), folder.join("home"));
        fs::copy(Binary::path(), &copy).unwrap();
        fs::create_dir(&home).unwrap();
        let mut command = Command::new(copy);
        command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--data", "played"]);
        command.current_dir(folder).env_clear().env("HOME", home);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        (Self(child), Client::new(ready["url"].as_str().unwrap()))
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn bytes(client: &Client, path: &str) -> Vec<u8> {
    let response = client.request(Method::GET, path).send().await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.bytes().await.unwrap().to_vec()
}

/// The same as a browser asks for it: what it makes of what came, and how many bytes those were.
async fn in_a_browser(client: &Client, path: &str) -> (Vec<u8>, usize) {
    let request = client.request(Method::GET, path).header("accept-encoding", "gzip, deflate, br, zstd");
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    let encoding = response.headers().get("content-encoding").cloned();
    let came = response.bytes().await.unwrap();
    let Some(encoding) = encoding else { return (came.to_vec(), came.len()) };
    assert_eq!(encoding, "br", "{path}");
    let mut made = Vec::new();
    brotli::BrotliDecompress(&mut &*came, &mut made).unwrap();
    (made, came.len())
}

/// How many bytes of a file go to a browser: of its compressed form where that was built, else all.
fn size_of(file: &Path) -> usize {
    let compressed = format!("{}.br", file.display());
    let known = fs::metadata(compressed).or_else(|_| fs::metadata(file)).unwrap();
    usize::try_from(known.len()).unwrap()
}

/// The files that a page or a script names in quotes, by their endings.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(['"', '\'', '`']);
    let files = words.filter(|word| [".js", ".wasm", ".css"].iter().any(|ending| word.ends_with(ending)));
    let bare = files.map(|word| word.trim_start_matches("./").trim_start_matches('/').to_owned());
    bare.filter(|word| !word.is_empty() && !word.contains(char::is_whitespace)).collect()
}

#[tokio::test]
async fn the_binary_alone_serves_the_module_and_the_dashboard() {
    let folder = tempfile::tempdir().unwrap();
    let (_alone, client) = Alone::start(folder.path());
    // No other file was brought along.
    let mut held: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    held.sort();
    assert_eq!(held, ["home", "played", "proviso"]);

    let page = String::from_utf8(bytes(&client, "/").await).unwrap();
    let built = fs::read_to_string(assets().join("dashboard/index.html")).unwrap();
    let marked = built.replacen("</head>", "<meta name=\"proviso-demo\" content=\"yes\"></head>", 1);
    assert_eq!(page, marked, "the page as it was built, with the mark of a demo");
    // The page that was compressed is the one without.
    assert_eq!(in_a_browser(&client, "/").await.0, marked.as_bytes(), "what a browser makes of it");
    let mut files = named(&page);
    for ending in [".js", ".wasm", ".css"] {
        assert!(files.iter().any(|file| file.ends_with(ending)), "the page names no {ending}: {files:?}");
    }
    // And what those load: the worker that runs the module.
    let built = fs::read_dir(assets().join("dashboard")).unwrap();
    files.extend(built.map(|entry| entry.unwrap().file_name().into_string().unwrap()));
    files.retain(|file| file != "index.html" && !file.ends_with(".br"));
    for file in files {
        let place = assets().join("dashboard").join(&file);
        let (built, path) = (fs::read(&place).unwrap(), format!("/{file}"));
        assert!(bytes(&client, &path).await == built, "`{file}` is not as it was built");
        let (made, came) = in_a_browser(&client, &path).await;
        assert!(made == built, "`{file}` is not as it was built when it comes to a browser");
        assert_eq!(came, size_of(&place), "`{file}`");
    }

    let module = fs::read(assets().join("policy.wasm")).unwrap();
    let digest = Digest::of(&module);
    let path = format!("/policy/{digest}.wasm");
    assert!(bytes(&client, &path).await == module, "the module is not as it was built");
    let (made, came) = in_a_browser(&client, &path).await;
    assert!(made == module, "the module is not as it was built when it comes to a browser");
    assert_eq!(came, size_of(&assets().join("policy").join(format!("{digest}.wasm"))));
}

#[test]
fn the_binary_names_no_folder_to_read_its_assets_from() {
    let binary = fs::read(Binary::path()).unwrap();
    let text = String::from_utf8_lossy(&binary);
    assert!(text.contains("run `cargo xtask build`"), "what it says without assets is no text of this binary");
    let folders = [assets(), assets().canonicalize().unwrap()].map(|folder| folder.display().to_string());
    for folder in folders.iter().map(String::as_str).chain(["PROVISO_ASSETS"]) {
        assert!(!text.contains(folder), "it names `{folder}`");
    }
}

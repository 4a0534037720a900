//! Copies in an S3-compatible store and at a collector, played by a server of the test's own.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::RwLock;

use super::*;

const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "collector-token";

/// A store of files by their paths, which lets nobody in who does not sign, or bears no token.
#[derive(Clone, Default)]
pub(super) struct Shop {
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    refused: Arc<Mutex<Vec<String>>>,
    broken: Arc<Mutex<bool>>,
    /// What stands below a path with this in it is written over by nothing.
    frozen: Arc<Mutex<Option<(&'static str, Refusal)>>>,
    /// Whoever holds it for writing keeps every request waiting.
    pub(super) held: Arc<RwLock<()>>,
}

/// How a store does not write over what it holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It says so.
    Told,
    /// It says nothing, and keeps what it has.
    Kept,
}

impl Shop {
    /// Lets nothing be written over whose path has this in it.
    pub(super) fn freeze(&self, path: Option<(&'static str, Refusal)>) {
        *self.frozen.lock().expect("nobody panicked") = path;
    }

    /// Whether any file holds these words.
    pub(super) fn holds(&self, words: &str) -> bool {
        let files = self.files.lock().expect("nobody panicked");
        files.values().any(|bytes| bytes.windows(words.len()).any(|window| window == words.as_bytes()))
    }

    pub(super) async fn open(self) -> String {
        let router = Router::new().fallback(serve).with_state(self);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        drop(tokio::spawn(async move { axum::serve(listener, router).await }));
        url
    }

    /// Lays what stands below a prefix into a folder.
    pub(super) fn lay(&self, prefix: &str, folder: &Path) {
        for (path, bytes) in self.files.lock().expect("nobody panicked").iter() {
            if let Some(path) = path.strip_prefix(prefix) {
                let path = folder.join(path.trim_start_matches('/'));
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, bytes).expect("a file");
            }
        }
    }
}

async fn serve(
    State(shop): State<Shop>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Vec<u8>) {
    drop(shop.held.read().await);
    if *shop.broken.lock().expect("nobody panicked") {
        return (StatusCode::SERVICE_UNAVAILABLE, Vec::new());
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = header("authorization") == format!("Bearer {TOKEN}")
        || header("authorization") == signed(method.as_str(), uri.path(), &header, &body);
    if !known {
        shop.refused.lock().expect("nobody panicked").push(uri.path().to_owned());
        return (StatusCode::FORBIDDEN, Vec::new());
    }
    let mut files = shop.files.lock().expect("nobody panicked");
    let frozen = shop.frozen.lock().expect("nobody panicked").filter(|(path, _)| uri.path().contains(path));
    if let Some((_, refusal)) = frozen.filter(|_| method == Method::PUT) {
        let status = if refusal == Refusal::Told { StatusCode::CONFLICT } else { StatusCode::OK };
        return (status, Vec::new());
    }
    match method {
        Method::PUT => {
            files.insert(uri.path().to_owned(), body.to_vec());
            (StatusCode::OK, Vec::new())
        }
        Method::DELETE => {
            files.remove(uri.path());
            (StatusCode::NO_CONTENT, Vec::new())
        }
        _ => files.get(uri.path()).map_or((StatusCode::NOT_FOUND, Vec::new()), |bytes| (StatusCode::OK, bytes.clone())),
    }
}

/// The authorization that a request with these headers must carry: AWS Signature Version 4, worked out once more.
fn signed<'a>(method: &str, path: &str, header: &impl Fn(&str) -> &'a str, body: &[u8]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sha = |bytes: &[u8]| hex(&Sha256::digest(bytes));
    let code = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let (date, content) = (header("x-amz-date"), sha(body));
    let day = date.split('T').next().unwrap_or_default();
    let names = "host;x-amz-content-sha256;x-amz-date";
    let lines = format!("host:{}\nx-amz-content-sha256:{content}\nx-amz-date:{date}\n", header("host"));
    let canonical = sha(format!("{method}\n{path}\n\n{lines}\n{names}\n{content}").as_bytes());
    let scope = format!("{day}/eu-1/s3/aws4_request");
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in [day, "eu-1", "s3", "aws4_request"] {
        key = code(&key, part);
    }
    let signature = hex(&code(&key, &format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{canonical}")));
    format!("AWS4-HMAC-SHA256 Credential={KEY}/{scope},SignedHeaders={names},Signature={signature}")
}

fn bucket(url: &str, secrets: &Path, secret: &str) -> Record {
    let file = secrets.join("s3");
    fs::write(&file, format!("[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {secret}\n"))
        .expect("a file");
    let table = format!(
        "[[copy]]\nname = \"bucket\"\ns3 = {{ endpoint = \"{url}\", bucket = \"record\", prefix = \"gates/one\", region = \"eu-1\", credentials = {{ file = \"{}\" }}, allow = [\"127.0.0.1/32\"] }}\n",
        file.display()
    );
    Record::parse(&table).expect("a file")
}

/// The file of one copy at a collector.
pub(super) fn collector(url: &str, secrets: &Path) -> Record {
    let token = secrets.join("token");
    fs::write(&token, TOKEN).expect("a file");
    let table = format!(
        "[[copy]]\nname = \"collector\"\nhttps = {{ url = \"{url}/in/box/\", token = {{ file = \"{}\" }}, allow = [\"127.0.0.1/32\"] }}\n",
        token.display()
    );
    Record::parse(&table).expect("a file")
}

#[tokio::test]
async fn a_bucket_holds_a_copy_that_is_checked_alone_and_every_request_is_signed() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::default();
    let url = shop.clone().open().await;
    let story = gate_with(bucket(&url, folder.path(), SECRET)).await;
    decide(&story, 270, "a").await;
    holds_all(&story, "bucket").await;
    assert_eq!(*shop.refused.lock().expect("nobody panicked"), Vec::<String>::new());
    let laid = folder.path().join("laid");
    shop.lay("/record/gates/one", &laid);
    assert_eq!(checked(&laid), (Some(0), sizes(&story)));
    assert_eq!(line(&story, "bucket").await["kind"], json!("s3"));
    let files = shop.files.lock().expect("nobody panicked").clone();
    let part = files.keys().find(|path| path.contains("main/tile/entries/000.p/"));
    assert_eq!(part, None, "what is no longer needed is taken away");
}

#[tokio::test]
async fn a_bucket_that_refuses_or_breaks_is_told_and_is_caught_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::default();
    let url = shop.clone().open().await;
    let wrong = gate_with(bucket(&url, folder.path(), "another-secret")).await;
    let told = until("it is refused", async || {
        let line = line(&wrong, "bucket").await;
        (line["state"] == "failing").then_some(line)
    })
    .await;
    assert_eq!(told["error"], json!("the receiver answered 403"), "neither address nor secret");
    assert!(shop.files.lock().expect("nobody panicked").is_empty());

    *shop.broken.lock().expect("nobody panicked") = true;
    let story = gate_with(bucket(&url, folder.path(), SECRET)).await;
    decide(&story, 3, "a").await;
    until("it is told", async || (line(&story, "bucket").await["state"] == "failing").then_some(())).await;
    *shop.broken.lock().expect("nobody panicked") = false;
    holds_all(&story, "bucket").await;
    let laid = folder.path().join("laid");
    shop.lay("/record/gates/one", &laid);
    assert_eq!(checked(&laid), (Some(0), sizes(&story)));
}

#[tokio::test]
async fn a_collector_gets_the_same_by_its_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::default();
    let url = shop.clone().open().await;
    let story = gate_with(collector(&url, folder.path())).await;
    decide(&story, 5, "a").await;
    holds_all(&story, "collector").await;
    let laid = folder.path().join("laid");
    shop.lay("/in/box", &laid);
    assert_eq!(checked(&laid), (Some(0), sizes(&story)));
}

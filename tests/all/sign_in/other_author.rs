//! The same with a provider of other authors than the one of the browser tests: npm's `oauth2-mock-server`, without a client
//! secret and without what only some providers have.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use proviso::clock::{Clock as _, SystemClock};
use proviso::sign_in::SignInFile;
use proviso_tests::{Setup, TestClock, TestGate};
use serde_json::{Value, json};

use super::browser::{Browser, person, refused};
use super::provider::{Back, query};

struct Other {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    issuer: String,
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Other {
    fn start() -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/node_modules");
        let modules = std::env::var_os("PROVISO_NODE_MODULES").unwrap_or_else(|| folder.into());
        let mut command = Command::new("node");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/mock_provider.mjs"));
        command.env("PROVISO_NODE_MODULES", modules).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Node");
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut other = Self { child, to, from, issuer: String::new() };
        other.issuer = other.hear()["issuer"].as_str().expect("an issuer").to_owned();
        other
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the provider says `{line}`"))
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.to, "{question}").unwrap();
        self.hear()
    }

    /// A browser goes where the gate sent it, and is sent back.
    async fn visit(&self, location: &str) -> Back {
        let browser =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = browser.get(location).send().await.unwrap();
        let back = query(answer.headers()["location"].to_str().unwrap());
        Back {
            state: back["state"].clone(),
            code: back.get("code").cloned(),
            iss: back.get("iss").cloned(),
            error: None,
        }
    }
}

/// A gate whose time is the provider's, which is the machine's.
async fn gate(other: &Other) -> TestGate {
    let clock = Arc::new(TestClock::new());
    clock.set_back((clock.now().millis() - SystemClock.now().millis()) / 1_000);
    let file = format!(
        "[[provider]]\nname = \"other\"\nlabel = \"Other\"\nissuer = \"{}\"\nclient_id = \"proviso-gate\"\n\
         algorithms = [\"RS256\"]\nallow = [\"127.0.0.1/32\"]\nstep_up = {{ phr = \"oidc_step_up\" }}\n\
         group_claim = \"roles\"\n[provider.people]\n\"sub-mara\" = \"mara\"\n\
         [provider.groups]\n\"role-approver\" = \"Group::approvers\"\n",
        other.issuer
    );
    let ways = SignInFile::parse(&file).unwrap();
    TestGate::with(Setup { clock, ways, ..Setup::default() }).await
}

#[tokio::test]
async fn a_person_signs_in_by_it_and_its_keys_rotate() {
    let mut other = Other::start();
    let gate = gate(&other).await;
    let mut browser = Browser::default();
    other.ask(&json!({"op": "says", "claims": {"sub": "sub-mara", "roles": ["role-approver"]}}));
    let location = browser.begin(&gate.client, "other").await;
    let asked = query(&location);
    assert_eq!((asked["code_challenge_method"].as_str(), asked["response_type"].as_str()), ("S256", "code"));
    let back = other.visit(&location).await;
    let answer = browser.end(&gate.client, "other", &back).await;
    let mara = person(&answer);
    let session = gate.client.get("/api/v1/session", Some(&mara)).await.json();
    assert_eq!((&session["person"]["id"], &session["assurance"]), (&json!("mara"), &json!("oidc")), "{session}");
    assert_eq!(session["groups"][0]["id"], "approvers", "{session}");
    // The same answer again, and in another browser, is worth nothing.
    assert_eq!(browser.end(&gate.client, "other", &back).await.code(), "sign_in_not_begun_here");
    assert_eq!(Browser::default().end(&gate.client, "other", &back).await.code(), "sign_in_not_begun_here");
    // A new key signs the next one: the gate looks again, and not twice in ten seconds.
    let keys = other.ask(&json!({"op": "rotate"}));
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "{keys}");
    gate.clock.advance(11);
    for _ in 0..3 {
        let mut browser = Browser::default();
        let location = browser.begin(&gate.client, "other").await;
        let back = other.visit(&location).await;
        let answer = browser.end(&gate.client, "other", &back).await;
        assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    }
}

#[tokio::test]
async fn what_it_says_of_others_signs_nobody_in() {
    let mut other = Other::start();
    let gate = gate(&other).await;
    for (what, claims, expected) in [
        ("nobody's account", json!({"sub": "sub-stranger", "email": "mara@acme.example"}), (403, "unknown_account")),
        ("another audience", json!({"sub": "sub-mara", "aud": "another-client"}), (401, "bad_id_token")),
        ("another issuer", json!({"sub": "sub-mara", "iss": "https://another.example"}), (401, "bad_id_token")),
        ("another nonce", json!({"sub": "sub-mara", "nonce": "another"}), (401, "bad_id_token")),
        ("over", json!({"sub": "sub-mara", "exp": 1}), (401, "bad_id_token")),
        ("given to another client", json!({"sub": "sub-mara", "azp": "another-client"}), (401, "bad_id_token")),
    ] {
        other.ask(&json!({"op": "says", "claims": claims}));
        let mut browser = Browser::default();
        let location = browser.begin(&gate.client, "other").await;
        let back = other.visit(&location).await;
        let answer = browser.end(&gate.client, "other", &back).await;
        assert_eq!(refused(&answer), (expected.0, expected.1.to_owned()), "{what}: {answer:?}");
        assert!(!answer.header("set-cookie").contains("proviso_session="), "{what}");
    }
    // A step-up that it does not speak of is none, whatever it was asked for.
    other.ask(&json!({"op": "says", "claims": {"sub": "sub-mara"}}));
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "other").await;
    let mara = person(&browser.end(&gate.client, "other", &other.visit(&location).await).await);
    let session = gate.client.get("/api/v1/session", Some(&mara)).await.json();
    assert_eq!(session["assurance"], "oidc", "{session}");
}

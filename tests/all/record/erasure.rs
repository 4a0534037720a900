//! Erasure, retention and legal hold, by the command line at a gate whose clock is the test's: what goes is in no file any
//! more, what is needed or held stays, and all of it is told in numbers.

use std::path::Path;

use proviso::app::{Class, Retention};
use proviso_tests::{Answer, Binary, Client, Setup, Story, TestGate, write_file};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

pub(super) const FILE: &str = "/srv/files/reports/a.md";
pub(super) const WRITER: &str = "Agent::spiffe://acme.example/agent/report-writer";
pub(super) const DAY: u32 = 86_400;

/// A gate whose operators' socket is open, for as long as the sender lives.
pub(super) struct Open {
    story: Story,
    _stop: watch::Sender<bool>,
}

impl std::ops::Deref for Open {
    type Target = Story;

    fn deref(&self) -> &Story {
        &self.story
    }
}

impl Open {
    pub(super) async fn begin(setup: Setup) -> Self {
        Self::on(Story::on(TestGate::with(setup).await).await)
    }

    pub(super) fn on(story: Story) -> Self {
        let (stop, stopping) = watch::channel(false);
        proviso::socket::listen(story.gate.data(), story.gate.app.clone(), stopping).expect("a socket");
        Self { story, _stop: stop }
    }

    /// The gate as after a restart.
    async fn again(self) -> TestGate {
        self.again_of(Setup::default()).await
    }

    /// The same of a gate that is another than the usual one.
    pub(super) async fn again_of(self, setup: Setup) -> TestGate {
        let Self { story, _stop } = self;
        // A socket is nothing that could be copied.
        std::fs::remove_file(story.gate.data().join("proviso.sock")).expect("the socket is there");
        let clock = std::sync::Arc::clone(&story.gate.clock);
        story.gate.again(Setup { clock, ..setup }).await
    }

    /// Runs a command at this gate: its exit code, and what it says.
    pub(super) async fn run(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let data = self.gate.data().display().to_string();
        let all = [arguments, &["--json", "--data", &data]].concat();
        let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
        let done =
            tokio::task::spawn_blocking(move || Binary::run(&all.iter().map(String::as_str).collect::<Vec<_>>()));
        let done = done.await.expect("it ran");
        (done.status.code(), serde_json::from_slice(&done.stdout).unwrap_or_default())
    }

    async fn erase(&self, arguments: &[&str]) -> Value {
        let (exit, told) = self.run(&[&["erase", "--reason", "they asked us to"], arguments].concat()).await;
        assert_eq!(exit, Some(0), "{told}");
        told
    }

    pub(super) async fn verified(&self) -> Value {
        let (exit, told) = self.run(&["audit", "verify"]).await;
        assert_eq!(exit, Some(0), "{told}");
        told
    }

    async fn report(&self, evaluated: &Answer, call: &str) {
        let evaluation = evaluated.json()["context"]["evaluation_id"].clone();
        let body = json!({"evaluation_id": evaluation, "call": call, "phase": "executed"});
        let request = self.client.request(Method::POST, "/api/v1/executions").bearer_auth(&self.point);
        let answer = Client::send(request.json(&body)).await;
        assert!(answer.status.is_success(), "{answer:?}");
    }

    /// A request, a vote, a use and its report, and a call of another agent; then ten days pass.
    pub(super) async fn played(&self) -> String {
        let (_, id) = super::played(&self.story).await;
        let used = self.evaluate(&write_file("report-writer", FILE, "reported")).await;
        assert_eq!(used.json()["decision"], json!(true), "{used:?}");
        self.report(&used, "reported").await;
        let other = self.gate.agent("intern-bot", "archive", Some("jun")).await;
        let call = write_file("intern-bot", "/srv/files/drafts/other.md", "c");
        self.client.post_for("/access/v1/evaluation", &self.point, &other, &call).await;
        self.gate.clock.advance(10 * DAY);
        id
    }
}

/// Whether any file of a folder holds these words.
pub(super) fn somewhere(folder: &Path, words: &str) -> bool {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries.into_iter().any(|entry| match entry.file_type().expect("a type") {
        kind if kind.is_dir() => somewhere(&entry.path(), words),
        kind if kind.is_file() => {
            let bytes = std::fs::read(entry.path()).expect("a file");
            bytes.windows(words.len()).any(|window| window == words.as_bytes())
        }
        _ => false,
    })
}

#[tokio::test]
async fn what_is_about_an_agent_goes_out_of_every_file_and_the_rest_still_verifies() {
    let gate = Open::begin(Setup::default()).await;
    let id = gate.played().await;
    let data = gate.gate.data().to_owned();
    let before = gate.verified().await;
    assert_eq!((&before["grants"], &before["erased"]["payloads"]), (&json!(1), &json!(0)), "{before}");
    // Said first, in numbers, and nothing is done.
    let would = gate.erase(&["--agent", WRITER, "--dry-run"]).await;
    assert_eq!((&would["dry_run"], &would["run"]), (&json!(true), &Value::Null), "{would}");
    assert_eq!(gate.verified().await["logs"], before["logs"], "a dry run writes nothing");
    assert!(somewhere(&data, FILE) && somewhere(&data, "the weekly report is due"));
    let done = gate.erase(&["--agent", WRITER]).await;
    for (member, value) in [("erased", &would["erased"]), ("lost", &would["lost"]), ("kept", &would["kept"])] {
        assert_eq!(&done[member], value, "what was said first is what was done: {done}");
    }
    assert_eq!(done["lost"]["exceptions"], json!(1), "{done}");
    assert!(done["erased"]["arguments"].as_u64() > Some(3) && done["erased"]["executions"] == json!(1), "{done}");
    assert!(done["lost"]["findings"].as_u64() > Some(1) && done["lost"]["replays"].as_u64() > Some(3), "{done}");
    // Nowhere any more, but for the tokens of another kind that the agent does not own.
    for words in [FILE, "the weekly report is due", "looked at it", "weekly-report", "agent/report-writer"] {
        let held = words == "agent/report-writer";
        // The bundle's entities name the agent for as long as the bundle is kept.
        assert_eq!(somewhere(&data, words), held, "`{words}`");
    }
    assert!(somewhere(&data, "/srv/files/drafts/other.md"), "another agent's stays");
    let after = gate.verified().await;
    let erased = &after["erased"];
    assert_eq!((&erased["grants"], &erased["votes"], &after["grants"]), (&json!(1), &json!(1), &json!(0)), "{after}");
    let told: u64 = done["erased"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(erased["payloads"], json!(told), "what is told is what is gone");
    let mara = gate.gate.person("mara").await;
    let gone = gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await;
    assert_eq!((gone.status.as_u16(), gone.code().as_str()), (404, "unknown_exception"));
    // What the task was permitted is forgotten, so that nothing is permitted in it again.
    let (exit, told) = gate.run(&["token", "agent", "--subject", WRITER, "--task", "weekly-report"]).await;
    assert_eq!((exit, &told["error"]["code"]), (Some(65), &json!("task_ended")), "{told}");
    let (exit, _) = gate.run(&["token", "agent", "--subject", WRITER, "--task", "another"]).await;
    assert_eq!(exit, Some(0));
    // A second time nothing is left, and nothing is written.
    let again = gate.erase(&["--agent", WRITER]).await;
    assert_eq!((&again["erased"], &again["run"]), (&json!({}), &Value::Null), "{again}");
    // The next start finds the same.
    let gate = gate.again().await;
    assert_eq!(gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.code(), "unknown_exception");
    assert!(gate.app.mint(minted("weekly-report"), &operator()).await.is_err_and(|r| r.code == "task_ended"));
}

fn minted(task: &str) -> proviso::identity::MintRequest {
    let subject = policy_core::entity::EntityRef::new("Agent", "spiffe://acme.example/agent/report-writer");
    proviso::identity::MintRequest::Agent {
        subject,
        task: task.to_owned(),
        via: Vec::new(),
        on_behalf: None,
        resource: None,
    }
}

fn operator() -> proviso::app::Operator {
    proviso::app::Operator { uid: 4242, name: "tester".to_owned() }
}

#[tokio::test]
async fn what_the_gate_still_needs_stays_and_is_told_with_its_reason() {
    let gate = Open::begin(Setup::default()).await;
    let (mara, id) = super::played(&gate.story).await;
    // All of it is younger than the gate looks back, and the exception is open.
    let told = gate.erase(&["--person", "ines"]).await;
    assert_eq!(told["erased"], json!({}), "{told}");
    let kept = &told["kept"];
    assert!(kept["too_new"].as_u64() > Some(1) && kept["exception_open"].as_u64() >= Some(1), "{told}");
    assert!(kept["credential_live"].as_u64() >= Some(1), "{told}");
    // What mara did was for others.
    let told = gate.erase(&["--person", "mara"]).await;
    assert_eq!((&told["erased"], &told["kept"]["acted_for_others"]), (&json!({}), &json!(1)), "{told}");
    assert!(gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.status.is_success());
    // What scope permitted counts for as long as somebody can act in the task, however old it is; a denial counts for
    // nobody after eight days.
    for path in ["/srv/files/drafts/a.md", "/srv/files/elsewhere/b.md"] {
        gate.evaluate(&write_file("report-writer", path, "c")).await;
    }
    gate.gate.clock.advance(8 * DAY + 3600);
    let told = gate.erase(&["--person", "ines", "--class", "decisions"]).await;
    assert_eq!((&told["erased"]["decisions"], &told["kept"]["task_open"]), (&json!(3), &json!(2)), "{told}");
    gate.gate.clock.advance(DAY);
    let told = gate.erase(&["--person", "ines"]).await;
    assert!(told["erased"]["decisions"] == json!(2) && told["lost"]["exceptions"] == json!(1), "{told}");
    gate.verified().await;
}

#[tokio::test]
async fn a_legal_hold_beats_whoever_wants_it_erased_and_every_age() {
    let keep = [(Class::Decisions, "8d".parse().expect("a span")), (Class::Exceptions, "8d".parse().expect("a span"))];
    let retention = Retention { keep: keep.into_iter().collect() };
    let gate = Open::begin(Setup { retention, ..Setup::default() }).await;
    let id = gate.played().await;
    let (exit, placed) = gate.run(&["hold", "place", "--exception", &id, "--reason", "the court asks"]).await;
    assert_eq!(exit, Some(0), "{placed}");
    let (_, person) = gate.run(&["hold", "place", "--of", "User::mara", "--reason", "the court asks"]).await;
    let (_, listed) = gate.run(&["hold", "list"]).await;
    assert_eq!(listed["holds"].as_array().map(Vec::len), Some(2), "{listed}");
    let told = gate.erase(&["--agent", WRITER]).await;
    assert!(told["kept"]["on_hold"].as_u64() >= Some(3), "{told}");
    assert_eq!(told["erased"]["exceptions"], Value::Null, "{told}");
    let retained = gate.gate.app.retain_due().await.expect("it looked").expect("it was time");
    assert_eq!(retained.erased.get(&Class::Exceptions), None, "{retained:?}");
    let mara = gate.gate.person("mara").await;
    assert!(gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.status.is_success());
    // Its exception's hold is gone, and mara's, who voted on it, still covers it.
    let hold = |told: &Value| told["holds"][0]["id"].as_str().unwrap_or_default().to_owned();
    let (exit, _) = gate.run(&["hold", "lift", &hold(&placed), "--reason", "it is settled"]).await;
    assert_eq!(exit, Some(0));
    let told = gate.erase(&["--agent", WRITER, "--class", "exceptions"]).await;
    assert_eq!((&told["erased"], &told["kept"]["on_hold"]), (&json!({}), &json!(1)), "{told}");
    let (exit, _) = gate.run(&["hold", "lift", &hold(&person), "--reason", "it is settled"]).await;
    assert_eq!(exit, Some(0));
    let told = gate.erase(&["--agent", WRITER, "--class", "exceptions"]).await;
    assert_eq!(told["lost"]["exceptions"], json!(1), "{told}");
    gate.verified().await;
}

#[tokio::test]
async fn retention_erases_once_a_day_what_is_older_and_leaves_a_record_of_each_day() {
    let retention = Retention { keep: [(Class::Arguments, "9d".parse().expect("a span"))].into_iter().collect() };
    let setup = Setup { retention, ..Setup::default() };
    let gate = Open::begin(setup).await;
    let app = &gate.gate.app;
    let first = app.retain_due().await.expect("it looked").expect("it was time");
    assert!(first.erased.is_empty() && first.records.is_empty(), "{first:?}");
    assert_eq!(app.retain_due().await.expect("it looked"), None, "once a day");
    let id = gate.played().await;
    let done = app.retain_due().await.expect("it looked").expect("ten days have passed");
    assert!(done.erased[&Class::Arguments] > 3 && done.erased.len() == 1, "{done:?}");
    assert_eq!(app.retain_due().await.expect("it looked"), None);
    // The arguments are gone where they were asked, and stay where they were asked for.
    let mara = gate.gate.person("mara").await;
    let detail = gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    assert_eq!(detail["exception"]["request"]["id"], json!(id), "{detail}");
    gate.gate.clock.advance(DAY);
    let next = app.retain_due().await.expect("it looked").expect("a day has passed");
    assert!(next.erased.is_empty(), "{next:?}");
    let report = gate.verified().await;
    assert_eq!(report["erased"]["payloads"], json!(done.erased[&Class::Arguments]), "{report}");
}

#[tokio::test]
async fn a_credential_that_was_erased_opens_nothing_before_and_after_the_next_start() {
    let gate = Open::begin(Setup::default()).await;
    let (_, minted) = gate
        .run(&["token", "enforcement-point", "--name", "old", "--subjects", "Agent::*", "--servers", "files"])
        .await;
    let (id, secret) = (minted["id"].as_str().expect("an id"), minted["secret"].as_str().expect("a secret"));
    let ask = async |story: &Story| {
        let call = write_file("report-writer", "/srv/files/drafts/a.md", "c");
        let agent = story.gate.agent("report-writer", "fresh", None).await;
        story.client.post_for("/access/v1/evaluation", secret, &agent, &call).await.status.as_u16()
    };
    assert_eq!(ask(&gate).await, 200);
    let told = gate.erase(&["--older-than", "8d", "--class", "credentials"]).await;
    assert_eq!(told["erased"], json!({}), "{told}");
    assert_eq!(gate.run(&["token", "revoke", id]).await.0, Some(0));
    gate.gate.clock.advance(9 * DAY);
    // It would have lived for months: minting and revoking go together, or it would live again.
    let told = gate.erase(&["--older-than", "8d", "--class", "credentials"]).await;
    assert!(told["erased"]["credentials"].as_u64() >= Some(2), "{told}");
    let (_, listed) = gate.run(&["token", "list"]).await;
    assert!(!listed.to_string().contains(id), "{listed}");
    assert_eq!(ask(&gate).await, 401);
    gate.verified().await;
    let story = Story::on(gate.again().await).await;
    assert_eq!(ask(&story).await, 401);
}

#[tokio::test]
async fn one_record_is_erased_by_its_place_and_of_the_ledger_all_that_hangs_together() {
    let gate = Open::begin(Setup::default()).await;
    let id = gate.played().await;
    let mara = gate.gate.person("mara").await;
    let told = gate.erase(&["--record", "decisions/main/0"]).await;
    assert_eq!(told["erased"], json!({"arguments": 1, "decisions": 1}), "{told}");
    // Its receipt still proves that the record was there, and shows nothing of it.
    let receipt = gate.client.get("/api/v1/logs/decisions-main/records/0/proof", Some(&mara)).await;
    assert!(receipt.text.starts_with("c2sp.org/tlog-proof@v1"), "{receipt:?}");
    let detail = gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    let lines = detail["history"].as_array().expect("a history");
    assert!(lines.iter().any(|line| line["sentence"] == json!("what stood here was erased")), "{detail}");
    let vote = lines.iter().find(|line| line["kind"] == json!("vote_cast")).expect("a vote")["seq"].clone();
    let told = gate.erase(&["--record", &format!("ledger/{vote}")]).await;
    assert_eq!((&told["lost"]["exceptions"], &told["erased"]["decisions"]), (&json!(1), &Value::Null), "{told}");
    gate.verified().await;
}

#[tokio::test]
async fn what_cannot_be_erased_is_refused_with_what_to_do() {
    let gate = Open::begin(Setup::default()).await;
    let why = ["erase", "--reason", "r"];
    for (arguments, exit, code) in [
        (vec![], 65, "nothing_selected"),
        (vec!["--record", "ledger/0"], 65, "never_erased"),
        (vec!["--record", "ledger/99999"], 65, "unknown_record"),
        (vec!["--record", "other/1"], 65, "unknown_log"),
        (vec!["--record", "ledger"], 64, "usage"),
        (vec!["--class", "everything", "--older-than", "9d"], 64, "usage"),
        (vec!["--person", "ines", "--agent", WRITER], 64, "usage"),
        (vec!["--older-than", "soon"], 64, "usage"),
    ] {
        let (got, told) = gate.run(&[&why[..], &arguments].concat()).await;
        assert_eq!((got, &told["error"]["code"]), (Some(exit), &json!(code)), "{arguments:?}: {told}");
        assert!(told["error"]["help"].is_string(), "{told}");
    }
    for (arguments, code) in [
        (vec!["erase", "--older-than", "9d", "--reason", " "], "reason_needed"),
        (vec!["hold", "place", "--exception", "exc_none", "--reason", "r"], "unknown_exception"),
        (vec!["hold", "place", "--of", "User::ines", "--reason", ""], "reason_needed"),
        (vec!["hold", "lift", "hold_none", "--reason", "r"], "unknown_hold"),
    ] {
        let (got, told) = gate.run(&arguments).await;
        assert_eq!((got, &told["error"]["code"]), (Some(65), &json!(code)), "{arguments:?}: {told}");
    }
}

#[test]
fn a_file_of_retention_says_what_is_kept_or_the_gate_does_not_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("retention.toml");
    for (text, good) in [
        ("[keep]\narguments = \"90d\"\ndecisions = \"1095d\"\n", true),
        ("", true),
        ("[keep]\narguments = \"7d\"\n", false),
        ("[keep]\neverything = \"90d\"\n", false),
        ("[keep]\narguments = \"soon\"\n", false),
        ("[keeps]\narguments = \"90d\"\n", false),
    ] {
        std::fs::write(&file, text).expect("written");
        let read = Retention::read(&file);
        assert_eq!(read.is_ok(), good, "{text}: {read:?}");
        if let Err(error) = read {
            assert_eq!(error.code(), "bad_retention", "{text}");
        }
    }
    assert!(Retention::read(&folder.path().join("none")).is_err_and(|error| error.code() == "file_unusable"));
}

#[tokio::test]
async fn what_is_held_and_what_was_erased_is_told_in_numbers_and_never_about_whom() {
    let decisions = std::collections::BTreeMap::from([(Class::Decisions, "400d".parse().expect("a length"))]);
    let gate = Open::begin(Setup { retention: Retention { keep: decisions }, ..Setup::default() }).await;
    let id = gate.played().await;
    let told = async |gate: &TestGate| {
        let cookie = gate.person("mara").await;
        gate.client.get("/api/v1/retention", Some(&cookie)).await.json()
    };
    let before = told(&gate.gate).await;
    assert_eq!(before["keep"], json!([{"class": "decisions", "age": "400d"}]), "{before}");
    assert_eq!((&before["holds"], &before["erasures"]), (&json!([]), &json!([])), "{before}");
    // A hold is told with its reason; odd characters in it are visible.
    let (exit, hold) = gate.run(&["hold", "place", "--exception", &id, "--reason", "case 12 \u{202e}<b>"]).await;
    assert_eq!(exit, Some(0), "{hold}");
    let held = told(&gate.gate).await;
    assert_eq!((&held["holds"][0]["exception"], &held["holds"][0]["of"]), (&json!(id), &Value::Null), "{held}");
    assert!(held["holds"][0]["reason"].as_str().is_some_and(|reason| !reason.contains('\u{202e}')), "{held}");
    let hold = held["holds"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(gate.run(&["hold", "lift", &hold, "--reason", "settled"]).await.0, Some(0));

    let done = gate.erase(&["--agent", WRITER]).await;
    let after = told(&gate.gate).await;
    assert_eq!(after["holds"], json!([]), "{after}");
    let line = &after["erasures"][0];
    assert_eq!(
        (&line["run"], &line["what"], &line["reason"]),
        (&done["run"], &json!("agent"), &json!("they asked us to"))
    );
    for class in line["erased"]["payloads"].as_array().expect("a list") {
        let word = class["class"].as_str().expect("a word");
        assert_eq!(class["count"], done["erased"][word], "{after} {done}");
    }
    assert_eq!(line["erased"]["replays"], done["lost"]["replays"], "{after} {done}");
    assert_eq!(line["erased"], after["erased"], "one erasure is all");
    assert!(!after.to_string().contains("report-writer"), "{after}");
    // The next start tells the same.
    let again = told(&gate.again().await).await;
    assert_eq!((&again["erasures"], &again["erased"]), (&after["erasures"], &after["erased"]));
}

#[tokio::test]
async fn a_list_of_the_log_names_what_was_erased_and_tells_nothing_of_it() {
    let gate = Open::begin(Setup::default()).await;
    let id = gate.played().await;
    let list = |person: String, query: String| {
        let client = gate.client.clone();
        async move { client.get(&format!("/api/v1/record/lines?limit=200&{query}"), Some(&person)).await }
    };
    let mara = gate.gate.person("mara").await;
    let before = list(mara.clone(), format!("exception={id}")).await.json();
    let seen = before["lines"].as_array().expect("lines").len();
    gate.erase(&["--agent", WRITER]).await;
    let mara = gate.gate.person("mara").await;
    let after = list(mara.clone(), format!("exception={id}&log=ledger")).await.json();
    let lines = after["lines"].as_array().expect("lines").clone();
    assert!(!lines.is_empty() && lines.len() <= seen, "{after:#}");
    for line in &lines {
        assert_eq!(
            (&line["exception"], &line["by"], &line["said"]),
            (&json!(id), &Value::Null, &Value::Null),
            "{line:#}"
        );
        assert!(line["erased"].as_array().is_some_and(|names| names.contains(&json!("event"))), "{line:#}");
    }
    let whole = list(mara, String::new()).await;
    for words in [FILE, "the weekly report is due", "looked at it"] {
        assert!(!whole.text.contains(words), "`{words}`");
    }
    assert!(whole.text.contains("payloads_erased"), "what was done is told");
}

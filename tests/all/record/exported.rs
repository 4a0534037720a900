//! The record as others read it: OCSF, CSV, JSON with proofs; by the command line and over HTTP, whole and in part.

mod findings;
mod schema;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use audit_verify::proved::{ProvedHead, ProvedRecord};
use futures::StreamExt as _;
use proviso_tests::contract::answered;
use proviso_tests::{AGENTS, Answer, Binary, Client, Story, as_person, until, write_file};
use reqwest::Method;
use serde_json::{Value, json};
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::tlog::{Hash, check_record, record_hash};
use tokio::time::timeout;

use super::{keys, played};

/// What the gate exports to a person.
async fn export(story: &Story, person: &str, query: &str) -> Answer {
    let answer = story.client.get(&format!("/api/v1/record/export?{query}"), Some(person)).await;
    assert!(answer.status.is_success(), "{query}: {answer:?}");
    answer
}

/// What the command line exports, on standard output.
fn printed(data: &Path, arguments: &[&str]) -> String {
    let data = data.display().to_string();
    let done = Binary::run(&[&["audit", "export", "--data", data.as_str()], arguments].concat());
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

/// The records that were told, by log and number.
fn places(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["metadata"]["uid"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn every_record_is_an_event_that_the_released_schema_knows() {
    let story = Story::begin().await;
    let (mara, id) = played(&story).await;
    let subject = json!({"type": "Agent", "id": format!("{AGENTS}report-writer")});
    let body = json!({"target": {"subject": subject}, "reason": "looking into it"});
    let ola = story.gate.person("ola").await;
    assert!(story.client.post("/api/v1/locks", &ola, &body).await.status.is_success());
    assert!(as_person(story.client.request(Method::DELETE, "/api/v1/session"), &ola).send().await.is_ok());
    let context = json!({"input": {"path": "/srv/files/a.md"}, "proviso.dev/server": "files"});
    let mut search = json!({"subject": subject, "action": {"name": "read_file"}, "resource": {"type": "Volume"}});
    search["context"] = context;
    let request = story.client.request(Method::POST, "/access/v1/search/resource").bearer_auth(&story.point);
    assert!(
        Client::send(request.header("proviso-subject-token", &story.agent).json(&search)).await.status.is_success()
    );
    let told = events(&export(&story, &mara, "format=ocsf").await.text);
    assert_eq!(told, events(&printed(story.gate.data(), &["--format", "ocsf"])), "both tell the same");
    let sizes: u64 = story.gate.app.record().logs.iter().map(|log| log.size).sum();
    assert_eq!(told.len() as u64, sizes, "each record is told");
    for event in &told {
        let faults = schema::faults(event);
        assert!(faults.is_empty(), "{faults:?}: {event:#}");
    }
    let of = |code: &str| told.iter().filter(|event| event["metadata"]["event_code"] == code).collect::<Vec<_>>();
    let allowed: Vec<_> = of("evaluation").iter().map(|event| event["disposition_id"].clone()).collect();
    // Refused and requestable, approved by exception, refused and requestable, and then the lock.
    assert_eq!(allowed, [json!(26), json!(8), json!(26)]);
    let used = of("evaluation")[1];
    assert_eq!((&used["class_uid"], &used["action_id"], &used["status_id"]), (&json!(6003), &json!(1), &json!(1)));
    assert_eq!(used["metadata"]["correlation_uid"], json!(id));
    assert_eq!(used["actor"]["app_uid"], subject["id"]);
    assert_eq!(
        (&used["actor"]["user"]["uid"], &used["api"]["operation"]),
        (&json!("User::ines"), &json!("write_file"))
    );
    assert_eq!(used["authorizations"][0]["policy"]["is_applied"], json!(true));
    let granted = of("exception_granted")[0];
    assert_eq!((&granted["type_uid"], &granted["entity"]["uid"]), (&json!(300_410), &json!(id)));
    assert_eq!(of("vote_cast")[0]["actor"]["user"]["uid"], "User::mara");
    assert_eq!(of("vote_cast")[0]["comment"], "looked at it");
    assert_eq!((of("signed_in").len(), of("signed_out").len(), of("search").len()), (2, 1, 1));
    assert_eq!(of("locked")[0]["comment"], "looking into it");
}

#[tokio::test]
async fn an_export_is_of_what_was_asked_for_by_time_agent_approver_and_exception() {
    let story = Story::begin().await;
    let (mara, id) = played(&story).await;
    // Another agent, whose request another person refuses.
    let other = story.gate.agent("close-planner", "close", Some("ines")).await;
    let ask =
        |body: Value| story.client.post_for("/access/v1/evaluation", &story.point, &other, Box::leak(Box::new(body)));
    let denied = ask(write_file("close-planner", "/srv/files/reports/z.md", "z1")).await.json();
    let request = story.request_body(&write_file("close-planner", "/srv/files/reports/z.md", "z1"), &denied, None);
    let asked = story.client.post_for("/access/v1/requests", &story.point, &other, &request).await.json();
    let second = asked["task"]["id"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
    let ola = story.gate.person("ola").await;
    assert_eq!(story.vote(&ola, &second, "refuse", None).await.json()["state"], "denied");
    story.gate.clock.advance(3_600);
    story.evaluate(&write_file("report-writer", "/srv/files/drafts/late.md", "late")).await;

    let whole = events(&export(&story, &mara, "format=ocsf").await.text);
    let late = whole.iter().map(|event| event["time"].as_i64().unwrap()).max().unwrap();
    let newest = json!(late);
    let late = policy_core::time::Timestamp::from_millis(late).to_string();
    let (agent, planner) = (format!("Agent::{AGENTS}report-writer"), format!("{AGENTS}close-planner"));
    let of = |event: &Value, exception: &str| event["metadata"]["correlation_uid"] == exception;
    let kind = |event: &Value| event["metadata"]["event_code"].as_str().unwrap_or_default().to_owned();
    for (what, query) in [
        ("since", vec![("since", late.as_str())]),
        ("until", vec![("until", late.as_str())]),
        ("agent", vec![("agent", agent.as_str())]),
        ("agent by its id", vec![("agent", planner.as_str())]),
        ("approver", vec![("approver", "mara")]),
        ("the other approver", vec![("approver", "User::ola")]),
        ("exception", vec![("exception", id.as_str())]),
        ("two of them", vec![("exception", second.as_str()), ("agent", agent.as_str())]),
        ("nobody", vec![("approver", "User::nobody")]),
    ] {
        let parameters: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let found = events(&export(&story, &mara, &format!("format=ocsf&{}", parameters.join("&"))).await.text);
        let flags: Vec<String> =
            query.iter().flat_map(|(name, value)| [format!("--{name}"), (*value).to_owned()]).collect();
        let flags: Vec<&str> = ["--format", "ocsf"].into_iter().chain(flags.iter().map(String::as_str)).collect();
        assert_eq!(places(&found), places(&events(&printed(story.gate.data(), &flags))), "{what}: both tell the same");
        let outside: Vec<&Value> = whole.iter().filter(|event| !found.contains(event)).collect();
        match what {
            "since" => assert!(!found.is_empty() && found.iter().all(|event| event["time"] == newest)),
            "until" => assert!(!outside.is_empty() && outside.iter().all(|event| event["time"] == newest)),
            "agent" => {
                assert!(
                    found.iter().all(|event| !of(event, &second))
                        && whole.iter().filter(|e| of(e, &id)).all(|e| found.contains(e))
                );
                assert_eq!(found.iter().filter(|event| kind(event) == "evaluation").count(), 4, "{:?}", places(&found));
                assert!(found.iter().any(|event| kind(event) == "token_minted"));
            }
            "agent by its id" => {
                assert!(whole.iter().filter(|event| of(event, &second)).all(|event| found.contains(event)));
                assert!(found.iter().all(|event| !of(event, &id)));
            }
            "approver" => {
                assert!(
                    whole.iter().filter(|event| of(event, &id)).all(|event| found.contains(event)),
                    "with its uses"
                );
                assert!(found.iter().all(|event| of(event, &id) || kind(event) == "signed_in"), "{:?}", places(&found));
            }
            "the other approver" => {
                assert!(found.iter().any(|event| kind(event) == "exception_denied"));
                assert!(found.iter().all(|event| !of(event, &id)));
            }
            "exception" => assert!(!found.is_empty() && found.iter().all(|event| of(event, &id))),
            _ => assert!(found.is_empty(), "{what}: {:?}", places(&found)),
        }
    }
}

#[tokio::test]
async fn a_table_calculates_nothing_whatever_an_agent_wrote() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "=HYPERLINK(1)");
    // An id of a call has no spaces, and may begin as it likes; a reason may hold anything.
    let denied = story.evaluate(&call).await.json();
    let mut body = story.request_body(&call, &denied, None);
    body["context"]["business_justification"] = json!("=cmd|' /C calc'!A0\n\u{202e}\"quoted\", and more");
    assert!(story.request(&body).await.status.is_success());
    let mut strange = write_file("report-writer", "/srv/files/drafts/a.md", "c2");
    strange["resource"] = json!({"type": "Volume", "id": "@SUM(A1:A9)"});
    story.evaluate(&strange).await;
    let answer = export(&story, &mara, "format=csv").await;
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"proviso-record.csv\"");
    assert_eq!(answer.text, printed(story.gate.data(), &["--format", "csv"]));
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("as wide as the header")).collect();
    let sizes: u64 = story.gate.app.record().logs.iter().map(|log| log.size).sum();
    assert_eq!(rows.len() as u64, sizes);
    for cell in rows.iter().flat_map(|row| row.iter()) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        assert!(!cell.chars().any(|c| c.is_control() || c == '\u{202e}'), "{cell}");
    }
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let said: Vec<&str> = rows.iter().map(|row| &row[column("said")]).filter(|said| said.contains("cmd")).collect();
    assert_eq!(said, ["'=cmd|' /C calc'!A0⟨U+000A⟩⟨U+202E⟩\"quoted\", and more"]);
    let seen = rows.iter().any(|row| row[column("resources")].starts_with("Volume::@SUM"));
    assert!(seen, "what it is on is told, behind its type");
}

#[tokio::test]
async fn json_proves_each_record_to_who_knows_the_key_and_to_another_author() {
    let story = Story::begin().await;
    let (mara, id) = played(&story).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.json").display().to_string();
    let data = story.gate.data().display().to_string();
    let written = ["audit", "export", "--data", &data, "--format", "json", "--to", &file, "--json"];
    let done = Binary::run(&written);
    assert!(done.status.success(), "{done:?}");
    let again = Binary::run(&written);
    assert_eq!(again.status.code(), Some(64), "a file that is there stays: {again:?}");
    let key = keys(&story, &mara).await.remove(0);
    let verify = |file: &str| Binary::run(&["audit", "verify", "--proofs", file, "--key", &key, "--json"]);
    let said: Value = serde_json::from_slice(&verify(&file).stdout).unwrap();
    let sizes: u64 = story.gate.app.record().logs.iter().map(|log| log.size).sum();
    assert_eq!((&said["verified"], &said["records"]), (&json!(true), &json!(sizes)), "{said}");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("looked at it", "never saw it", 1)).unwrap();
    let altered = verify(&file);
    let told: Value = serde_json::from_slice(&altered.stdout).unwrap();
    assert_eq!((altered.status.code(), &told["error"]["code"]), (Some(65), &json!("bad_proofs")), "{told}");
    let keyless = Binary::run(&["audit", "verify", "--proofs", &file, "--json"]);
    let told: Value = serde_json::from_slice(&keyless.stdout).unwrap();
    assert_eq!((keyless.status.code(), &told["error"]["code"]), (Some(64), &json!("key_needed")));

    // A part of it over HTTP, for somebody who has nothing of ours.
    let document: Value = export(&story, &mara, &format!("format=json&exception={id}")).await.json();
    let heads: Vec<ProvedHead> = serde_json::from_value(document["heads"].clone()).unwrap();
    let records: Vec<ProvedRecord> = serde_json::from_value(document["records"].clone()).unwrap();
    assert!(records.len() > 4, "asked, voted, granted, used: {document:#}");
    let verifier = |key: &String| Box::new(StandardVerifier::new(key).expect("a key")) as Box<_>;
    let known = VerifierList::new(keys(&story, &mara).await.iter().map(verifier).collect());
    for record in records {
        let head = heads.iter().find(|head| head.log == record.log).unwrap();
        let note = Note::from_bytes(head.note.as_bytes()).expect("a note");
        note.verify(&known).expect("signed");
        let checkpoint = tlog_tiles::checkpoint::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
        let proof: Vec<Hash> = record.proof.iter().map(|hash| Hash::parse_hash(hash).expect("a hash")).collect();
        let leaf = record_hash(record.opened.leaf.as_bytes());
        check_record(&proof, checkpoint.size(), *checkpoint.hash(), record.index, leaf).expect("it is in the log");
        let altered = record_hash(record.opened.leaf.replace("ledger", "ledges").replace("main", "mayn").as_bytes());
        assert!(check_record(&proof, checkpoint.size(), *checkpoint.hash(), record.index, altered).is_err());
    }
}

#[tokio::test]
async fn a_stream_goes_on_with_what_is_recorded_and_ends_with_the_session() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let request = story.client.request(Method::GET, "/api/v1/record/export?format=ocsf&follow=true");
    let response = as_person(request, &mara).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/jsonl");
    answered("export_record");
    let (mut stream, mut text) = (response.bytes_stream(), String::new());
    let mut ended = false;
    let mut read_to = async |what: &str, text: &mut String| {
        while !text.contains(what) {
            match timeout(Duration::from_secs(60), stream.next()).await.expect("something in a minute") {
                Some(Ok(bytes)) => text.push_str(&String::from_utf8_lossy(&bytes)),
                _ => return true,
            }
        }
        false
    };
    assert!(!read_to("signed_in", &mut text).await, "what was there");
    for call in ["s1", "s2"] {
        let answer = story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", call)).await.json();
        let evaluation = answer["context"]["evaluation_id"].as_str().unwrap_or_default().to_owned();
        assert!(!evaluation.is_empty() && !text.contains(&evaluation));
        assert!(!read_to(&evaluation, &mut text).await, "what came");
    }
    let out = as_person(story.client.request(Method::DELETE, "/api/v1/session"), &mara);
    assert!(Client::send(out).await.status.is_success());
    until("the end of the stream", async || {
        ended = ended || read_to("nothing says this", &mut text).await;
        ended.then_some(())
    })
    .await;
    let told = places(&events(&text));
    let distinct: std::collections::BTreeSet<&String> = told.iter().collect();
    assert_eq!(distinct.len(), told.len(), "each record once");
}

#[tokio::test]
async fn an_export_is_for_people_and_says_what_it_does_not_understand() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    for (query, code) in [
        ("format=xml", "bad_format"),
        ("format=csv&follow=true", "bad_format"),
        ("format=json&follow=true", "bad_format"),
        ("format=csv&since=yesterday", "bad_time"),
        ("format=csv&until=12", "bad_time"),
        ("format=ocsf&follow=maybe", "bad_request"),
    ] {
        let answer = story.client.get(&format!("/api/v1/record/export?{query}"), Some(&mara)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, code), "{query}: {answer:?}");
    }
    for token in [&story.point, &story.agent] {
        let request = story.client.request(Method::GET, "/api/v1/record/export?format=csv").bearer_auth(token);
        assert_eq!(Client::send(request).await.code(), "not_a_person");
    }
    // The cookie alone reaches every port of the host.
    let request = story.client.request(Method::GET, "/api/v1/record/export?format=csv");
    let cookie = proviso_tests::cookie_of(&mara).to_owned();
    assert_eq!(Client::send(request.header("cookie", cookie)).await.code(), "session_key_missing");
    let data = story.gate.data().display().to_string();
    for (arguments, code) in [
        (vec!["--format", "tiles"], "usage"),
        (vec!["--format", "tiles", "--to", "x", "--agent", "a"], "usage"),
        (vec!["--format", "csv", "--follow"], "usage"),
        (vec!["--format", "xml"], "usage"),
        (vec!["--format", "csv", "--since", "yesterday"], "usage"),
        (vec!["--format", "csv", "--to", "/nowhere/at/all.csv"], "file_not_new"),
    ] {
        let done = Binary::run(&[&["audit", "export", "--json", "--data", data.as_str()], &arguments[..]].concat());
        let told: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        assert_eq!((done.status.code(), &told["error"]["code"]), (Some(64), &json!(code)), "{arguments:?}: {told}");
    }
}

#[tokio::test]
async fn the_command_line_goes_on_with_what_is_recorded_until_it_is_stopped() {
    let story = Story::begin().await;
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (story.gate.data().display().to_string(), folder.path().join("events.jsonl"));
    let mut command = Command::new(Binary::path());
    command.args(["audit", "export", "--data", &data, "--format", "ocsf", "--follow", "--agent"]);
    command.arg(format!("Agent::{AGENTS}report-writer")).stdout(fs::File::create(&out).unwrap()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let told = |what: &str| fs::read_to_string(&out).unwrap_or_default().contains(what).then_some(());
    until("what was there", async || told("token_minted")).await;
    for call in ["f1", "f2"] {
        let answer = story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", call)).await.json();
        let evaluation = answer["context"]["evaluation_id"].as_str().unwrap_or_default().to_owned();
        assert!(!evaluation.is_empty() && told(&evaluation).is_none(), "{answer}");
        until("what came", async || told(&evaluation)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let events = events(&fs::read_to_string(&out).unwrap());
    assert!(events.iter().all(|event| schema::faults(event).is_empty()));
    // The gate's own start is no agent's, and nothing is told twice.
    let kinds: Vec<&Value> = events.iter().map(|event| &event["metadata"]["event_code"]).collect();
    assert_eq!(kinds, ["token_minted", "evaluation", "evaluation"]);
}

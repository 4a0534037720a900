//! What was granted before a restore, and who gets in after it.

use std::fs;

use proviso_tests::{Story, cookie_of, post_rows, write_file};
use serde_json::{Value, json};

use super::*;
use crate::own_tokens;

/// A gate with a grant, and the same gate on a backup of before some more happened. The heads of what was lost lie in the
/// folder `lost`.
async fn restored_story(folder: &std::path::Path) -> (Story, Story, String, String) {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    assert_eq!(written(&story, "u1").await, (true, String::new()));
    back_up(story.gate.data(), &folder.join("backup"));
    assert_eq!(written(&story, "u2").await, (true, String::new()), "it goes on meanwhile");
    fs::create_dir(folder.join("lost")).expect("a folder");
    for name in ["ledger", "decisions-main"] {
        fs::copy(story.gate.data().join("heads").join(name), folder.join("lost").join(name)).expect("a head");
    }
    let (ledger, decisions) = (folder.join("lost/ledger"), folder.join("lost/decisions-main"));
    restored(&folder.join("backup"), &folder.join("data"), &[&ledger, &decisions]);
    let after = opened(&story, &folder.join("data"), Vec::new()).await;
    (story, after, id, mara)
}

#[tokio::test]
async fn r9_a_grant_of_before_a_restore_permits_nothing_until_somebody_confirms_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_before, after, id, _) = restored_story(folder.path()).await;
    let story = minted(after).await;
    assert_eq!(written(&story, "u3").await, (false, "unconfirmed".to_owned()));
    let mara = story.gate.person("mara").await;
    let detail = exception(&story, &mara, &id).await;
    assert_eq!((&detail["state"], &detail["allowed"]["confirm"]), (&json!("unconfirmed"), &json!("yes")));
    let line =
        detail["history"].as_array().and_then(|lines| lines.iter().find(|l| l["kind"] == "exception_unconfirmed"));
    assert!(
        line.is_some_and(|line| line["sentence"].as_str().is_some_and(|said| said.contains("epoch 2"))),
        "{detail}"
    );
    let list = story.client.get("/api/v1/exceptions?state=unconfirmed", Some(&mara)).await.json();
    assert_eq!((&list["exceptions"][0]["id"], &list["exceptions"][0]["needs_me"]), (&json!(id), &json!(true)));

    // The gap is told in numbers: at least the decision and the use that were lost.
    let epoch = story.client.get("/api/v1/record", Some(&mara)).await.json()["epoch"].clone();
    assert_eq!((&epoch["epoch"], &epoch["cause"], &epoch["unconfirmed"]), (&json!(2), &json!("restored"), &json!(1)));
    assert_eq!(epoch["reason"], json!("the disk broke"));
    let missing = |log: usize| epoch["gaps"][log]["missing"].as_u64().expect("a number");
    assert_eq!((missing(0), missing(1)), (1, 1), "{epoch}");

    let silent = confirm(&story, &mara, &id, " ").await;
    assert_eq!((silent.status.as_u16(), silent.code().as_str()), (400, "reason_needed"));
    let done = confirm(&story, &mara, &id, "the report is still due").await;
    assert_eq!((done.status.as_u16(), &done.json()["state"]), (200, &json!("granted")), "{done:?}");
    assert_eq!(written(&story, "u4").await, (true, String::new()));
    let again = confirm(&story, &mara, &id, "the report is still due").await;
    assert_eq!(again.status.as_u16(), 200, "done already is done");
    assert_eq!(story.client.get("/api/v1/record", Some(&mara)).await.json()["epoch"]["unconfirmed"], json!(0));
    assert_eq!(run(&["audit", "verify", "--data", &text(&folder.path().join("data"))]).0, Some(0));
}

#[tokio::test]
async fn r7_no_credential_of_before_a_restore_opens_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let (before, story, _, mara) = restored_story(folder.path()).await;
    let call = write_file("report-writer", "/srv/files/drafts/a.md", "c");
    assert_eq!(before.evaluate(&call).await.json()["decision"], json!(true), "at the gate that goes on it is good");
    let earlier = (401, "credential_of_earlier_epoch".to_owned());
    let refused = |answer: proviso_tests::Answer| {
        assert!(answer.json()["help"].as_str().is_some_and(|help| help.contains("proviso token")), "{answer:?}");
        (answer.status.as_u16(), answer.code())
    };
    // Enforcement point, agent, session, and the session's stream.
    assert_eq!(refused(story.evaluate(&call).await), earlier);
    let point = story.gate.point("proxy", &["files"]).await;
    let mixed = story.client.post_for("/access/v1/evaluation", &point, &story.agent, &call).await;
    assert_eq!(refused(mixed), earlier);
    assert_eq!(refused(story.client.get("/api/v1/exceptions", Some(&mara)).await), earlier);
    let stream = story.client.request(reqwest::Method::GET, "/api/v1/events").header("cookie", cookie_of(&mara));
    assert_eq!(refused(proviso_tests::Client::send(stream).await), earlier);
    // A secret that is only like one of before is a wrong one, as ever; and the key that signed before signs no more, also
    // for whoever has a copy of it and reads what is minted now.
    let thief = own_tokens::stolen(before.gate.data(), "credentials.json");
    let header = own_tokens::part(&story.agent, 0);
    let mut other = own_tokens::part(&story.agent, 1);
    other[own_tokens::SECRET] = json!("0".repeat(64));
    let now = own_tokens::part(&story.gate.agent("report-writer", "weekly-report", Some("ines")).await, 1);
    for claims in [other, now] {
        let forged = own_tokens::signed(&thief, &header, &claims);
        let answer = story.client.post_for("/access/v1/evaluation", &point, &forged, &call).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "token_key"));
    }
    let listed = story.gate.app.tokens();
    assert!(listed.iter().any(|token| token.state == "earlier_epoch"), "{listed:?}");
    // A denial of before is answered by nobody: what it was signed with is gone.
    assert_ne!(
        before.client.get("/access/v1/jwks", None).await.json(),
        story.client.get("/access/v1/jwks", None).await.json()
    );
    assert_eq!(minted(story).await.evaluate(&call).await.json()["decision"], json!(true));
}

#[tokio::test]
async fn who_asked_owns_or_is_nobody_confirms_nothing_and_two_person_tiers_need_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let story = Story::begin().await;
    let bot = story.gate.agent("ledger-bot", "close", Some("ines")).await;
    let parties = proviso_tests::Parties { client: story.client.clone(), point: story.point.clone(), agent: bot };
    let post = |call: &str| post_rows("ledger-bot", "finance/sandbox", 50, call);
    let id = parties.ask(&post("ask"), None).await;
    for who in ["mara", "jun"] {
        let person = story.gate.person(who).await;
        assert!(story.vote(&person, &id, "approve", None).await.status.is_success());
    }
    back_up(story.gate.data(), &folder.path().join("backup"));
    restored(&folder.path().join("backup"), &folder.path().join("data"), &[]);
    let story = minted(opened(&story, &folder.path().join("data"), Vec::new()).await).await;
    let bot = story.gate.agent("ledger-bot", "close", Some("ines")).await;
    let parties = proviso_tests::Parties { client: story.client.clone(), point: story.point.clone(), agent: bot };
    let decision = async |call: &str| parties.evaluate(&post(call)).await.json()["decision"].clone();
    assert_eq!(decision("u1").await, json!(false));
    for (who, code) in [("ines", "is_requester"), ("tom", "is_owner"), ("kit", "not_eligible")] {
        let person = story.gate.person(who).await;
        let answer = confirm(&story, &person, &id, "mine").await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, code), "{who}");
    }
    let mara = story.gate.person("mara").await;
    assert_eq!(confirm(&story, &mara, &id, "needed").await.json()["state"], json!("granted"), "the phase as it is");
    assert_eq!(decision("u2").await, json!(false), "one is not enough");
    let twice = confirm(&story, &mara, &id, "really").await;
    assert_eq!((twice.status.as_u16(), twice.code().as_str()), (409, "voted_already"));
    let session = story.gate.person("mara").await;
    let twice = confirm(&story, &session, &id, "from another session").await;
    assert_eq!(twice.code(), "voted_already", "one person, however many sessions");
    let jun = story.gate.person("jun").await;
    assert!(confirm(&story, &jun, &id, "needed").await.status.is_success());
    assert_eq!(decision("u3").await, json!(true));
    assert_eq!(run(&["audit", "verify", "--data", &text(&folder.path().join("data"))]).0, Some(0));
}

#[tokio::test]
async fn an_open_request_of_before_gathers_no_approval_until_it_is_confirmed_and_locks_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", FILE, "ask"), Some(FOLDER)).await;
    let mara = story.gate.person("mara").await;
    let lock = json!({"target": {"task": "other"}, "reason": "stop it"});
    assert_eq!(story.client.post("/api/v1/locks", &mara, &lock).await.status.as_u16(), 201);
    back_up(story.gate.data(), &folder.path().join("backup"));
    restored(&folder.path().join("backup"), &folder.path().join("data"), &[]);
    let story = minted(opened(&story, &folder.path().join("data"), Vec::new()).await).await;
    let mara = story.gate.person("mara").await;
    let locks = story.client.get("/api/v1/locks", Some(&mara)).await.json();
    assert_eq!(locks["locks"].as_array().map(Vec::len), Some(1), "{locks}");
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "unconfirmed"), "{answer:?}");
    assert!(confirm(&story, &mara, &id, "still wanted").await.status.is_success());
    let answer = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(answer.json()["state"], json!("granted"), "{answer:?}");
    assert_eq!(written(&story, "u1").await, (true, String::new()));
}

#[tokio::test]
async fn a_restore_begins_one_epoch_however_often_the_gate_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_before, after, id, _) = restored_story(folder.path()).await;
    let story = minted(after).await;
    let mara = story.gate.person("mara").await;
    assert!(confirm(&story, &mara, &id, "still due").await.status.is_success());
    let copy = |from: &std::path::Path, name: &str| {
        let to = folder.path().join(name);
        proviso_tests::copy_folder(from, &to).expect("a copy");
        to
    };
    let again = copy(story.gate.data(), "again");
    let once_more = opened(&story, &again, Vec::new()).await;
    assert_eq!(written(&once_more, "u9").await, (true, String::new()), "what was confirmed and minted since stands");
    let epoch = |value: Value| value["epoch"]["epoch"].clone();
    assert_eq!(epoch(once_more.client.get("/api/v1/record", Some(&mara)).await.json()), json!(2));
    // A mark that cannot be read is no reason to start as if nothing had been.
    let broken = copy(story.gate.data(), "broken");
    fs::write(broken.join("restored.json"), "{").expect("a mark");
    let setup = Setup { clock: Arc::clone(&story.gate.clock), ..Setup::default() };
    let error = TestGate::open(setup, &broken).await.map(drop).expect_err("a doubt");
    assert_eq!(error.code(), "file_unusable");
}

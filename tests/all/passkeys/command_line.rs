//! Links that people make on their own page for the command line: what one opens, what it is not, and how it ends.

use std::process::Command;
use std::sync::Arc;

use policy_core::time::Span;
use proviso::app::{Ending, Operator, SessionLimits, Ways};
use proviso_tests::{Answer, Binary, Client, Setup, Story, TestGate, as_person, signed_in, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::authenticator::Authenticator;
use super::door::{link, open as open_link};
use super::{GATE, add, cast, demanding_of, holder, open, refusal, refused, setup, sign_in};
use crate::activation;

/// A link that this person makes on their page.
async fn make(story: &Story, person: &str) -> Value {
    let answer = Client::send(as_person(story.client.request(Method::POST, "/api/v1/sessions/links"), person)).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    answer.json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The session that a link of this person's opens.
async fn opened(story: &Story, person: &str) -> String {
    let answer = open_link(story, &text(&make(story, person).await["link"])).await;
    signed_in(&answer).unwrap_or_else(|| panic!("{answer:?}"))
}

async fn sessions(story: &Story, person: &str) -> Value {
    story.client.get("/api/v1/sessions", Some(person)).await.json()
}

async fn delete(story: &Story, person: &str, path: &str) -> Answer {
    Client::send(as_person(story.client.request(Method::DELETE, path), person)).await
}

/// What a session is told of itself, or why it is none.
async fn stands(story: &Story, person: &str) -> String {
    let answer = story.client.get("/api/v1/session", Some(person)).await;
    if answer.status.is_success() { String::new() } else { answer.code() }
}

/// Runs `proviso bundle` by a link: exit code and JSON. The gate's name leads nowhere here, so its address is put in.
async fn bundle(story: &Story, link: &str, words: &[&str]) -> (Option<i32>, Value) {
    let link = link.replace(GATE, &story.client.url);
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let done = tokio::task::spawn_blocking(move || {
        Command::new(Binary::path()).arg("bundle").args(words).arg("--json").env("PROVISO_LINK", link).output().unwrap()
    });
    let output = done.await.unwrap();
    let said = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), said)
}

/// Somebody whom root let in once, with a passkey of their own.
async fn enrolled(story: &Story, user: &str, seed: u8) -> Authenticator {
    let first = open_link(story, &link(story, user).await.unwrap()).await;
    let mut authenticator = Authenticator::new(seed);
    let added = add(story, &signed_in(&first).unwrap(), &mut authenticator, "laptop").await;
    assert_eq!(added.status.as_u16(), 201, "{added:?}");
    authenticator
}

#[tokio::test]
async fn whoever_comes_in_by_a_passkey_proposes_a_bundle_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in activation::wider() {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let files = demanding_of(activation::files(), None);
    let story = Story::on(TestGate::with(Setup { bundle: files.clone(), ..setup() }).await).await;
    let (mut authenticator, mut others) = (enrolled(&story, "kit", 1).await, enrolled(&story, "jun", 2).await);
    // Without `--single-user` the operator makes no links for whoever has a passkey.
    let clock = Arc::clone(&story.gate.clock);
    let gate = story.gate.again(Setup { bundle: files, single_user: false, clock, ..setup() }).await;
    let story = Story::on(gate).await;
    assert_eq!(link(&story, "kit").await.map_err(|refusal| refusal.code), Err("own_way_in"));
    let kit = signed_in(&sign_in(&story, &mut authenticator).await).unwrap();
    let made = make(&story, &kit).await;
    let own = text(&made["link"]);
    assert!(own.starts_with(&format!("{GATE}/sign-in#pvl_")), "{own}");
    let propose = ["propose", &folder.path().display().to_string(), "--reason", "the report is due"];
    let (_, proposed) = bundle(&story, &own, &propose).await;
    assert_eq!(proposed["proposal"]["by"]["id"], "kit", "{proposed:#}");
    let (digest, list) = (text(&proposed["proposal"]["bundle"]), text(&proposed["proposal"]["list"]));
    // Once is once; and the command has signed out behind itself.
    let (exit, again) = bundle(&story, &own, &["show"]).await;
    assert_eq!((exit, again["error"]["code"].as_str()), (Some(2), Some("bad_link")), "{again}");
    let listed = sessions(&story, &kit).await;
    assert_eq!(listed["links"], json!([]));
    assert!(listed["sessions"].as_array().unwrap().iter().all(|line| line["for_command_line"] == false), "{listed}");
    // What must be signed asks for the page, and what widens nothing does not.
    let jun = signed_in(&sign_in(&story, &mut others).await).unwrap();
    let own = text(&make(&story, &jun).await["link"]);
    let vote = |act: &'static str| [act, &digest, "--list", &list, "--reason", "looked at"].map(str::to_owned);
    let words = vote("activate");
    let (exit, refused) = bundle(&story, &own, &words.each_ref().map(String::as_str)).await;
    assert_eq!((exit, refused["error"]["code"].as_str()), (Some(2), Some("presence_needed")), "{refused}");
    assert!(refused["error"]["help"].as_str().is_some_and(|help| help.contains("/policies")), "{refused}");
    let own = text(&make(&story, &jun).await["link"]);
    let words = vote("refuse");
    let (exit, said) = bundle(&story, &own, &words.each_ref().map(String::as_str)).await;
    assert_eq!((exit, said["state"].as_str()), (Some(0), Some("refused")), "{said}");
}

#[tokio::test]
async fn such_a_session_is_nobodys_presence_and_makes_nothing_that_lasts() {
    let story = Story::on(TestGate::with(setup()).await).await;
    let (_, mut authenticator) = holder(&story, "mara", 1).await;
    let page = signed_in(&sign_in(&story, &mut authenticator).await).unwrap();
    let told = story.client.get("/api/v1/session", Some(&page)).await.json();
    assert_eq!(told["assurance"], "webauthn");
    let answer = open_link(&story, &text(&make(&story, &page).await["link"])).await;
    let command = signed_in(&answer).unwrap();
    let told = answer.json();
    assert_eq!((&told["person"]["id"], &told["assurance"]), (&json!("mara"), &json!("link")), "{told}");
    // A vote that must be signed is none by it, and no command makes a signature.
    let id = open(&story, "c1").await;
    let ballot = story.ballot(&command, &id, "approve", None).await;
    assert_eq!(refused(&cast(&story, &command, &id, &ballot).await), refusal(403, "presence_needed"));
    // Nothing comes of it that outlives it.
    let post = async |path: &str| Client::send(as_person(story.client.request(Method::POST, path), &command)).await;
    assert_eq!(refused(&post("/api/v1/sessions/links").await), refusal(403, "own_page_needed"));
    assert_eq!(refused(&post("/api/v1/passkeys/challenge").await), refusal(403, "own_page_needed"));
    let passkey = story.client.get("/api/v1/passkeys", Some(&command)).await.json()["passkeys"][0]["id"].clone();
    let ended = delete(&story, &command, &format!("/api/v1/passkeys/{}", text(&passkey))).await;
    assert_eq!(refused(&ended), refusal(403, "own_page_needed"));
    assert_eq!(stands(&story, &page).await, "", "nor does it touch the page's");
}

#[tokio::test]
async fn it_ends_with_the_session_in_whose_page_it_was_made() {
    let story = Story::on(TestGate::with(setup()).await).await;
    let (first, mut authenticator) = holder(&story, "mara", 1).await;
    let root = Operator { uid: 0, name: "root".to_owned() };
    for (what, code) in [
        ("signed out", "signed_out"),
        ("ended from elsewhere", "signed_out"),
        ("ended by the operator", "signed_out"),
        ("authenticated anew in its browser", "signed_out"),
        ("its passkey ended", "signed_out"),
        ("all of the person's", "signed_out"),
    ] {
        let page = match what {
            "all of the person's" => story.gate.person("mara").await,
            _ => signed_in(&sign_in(&story, &mut authenticator).await).unwrap(),
        };
        let id = {
            let listed = sessions(&story, &page).await;
            let own = listed["sessions"].as_array().unwrap().iter().find(|line| line["current"] == true).cloned();
            text(&own.unwrap()["id"])
        };
        let command = opened(&story, &page).await;
        let waiting = text(&make(&story, &page).await["link"]);
        assert_eq!(stands(&story, &command).await, "", "{what}");
        match what {
            "signed out" => drop(delete(&story, &page, "/api/v1/session").await),
            "ended from elsewhere" => drop(delete(&story, &first, &format!("/api/v1/sessions/{id}")).await),
            "ended by the operator" => {
                assert_eq!(story.gate.app.end_sessions_as(&root, &Ending::One(id)).await.unwrap().ended, 1);
            }
            "authenticated anew in its browser" => {
                let begun = story.client.post("/api/v1/passkeys/sign_in/challenge", "", &json!(null)).await.json();
                let request = as_person(story.client.request(Method::POST, "/api/v1/passkeys/sign_in"), &page);
                let answer = Client::send(request.json(&authenticator.sign_in(&begun))).await;
                assert!(answer.status.is_success(), "{answer:?}");
            }
            "its passkey ended" => {
                let list = story.client.get("/api/v1/passkeys", Some(&first)).await.json();
                let passkey = text(&list["passkeys"][0]["id"]);
                assert_eq!(delete(&story, &first, &format!("/api/v1/passkeys/{passkey}")).await.status.as_u16(), 204);
            }
            _ => {
                let all = Ending::AllOf("mara".to_owned());
                assert!(story.gate.app.end_sessions_as(&root, &all).await.unwrap().ended >= 1);
            }
        }
        assert_eq!(stands(&story, &command).await, code, "{what}");
        assert_eq!(refused(&open_link(&story, &waiting).await), refusal(401, "bad_link"), "{what}");
    }
}

#[tokio::test]
async fn it_ends_by_itself_after_an_hour_and_when_nobody_is_at_the_page() {
    let sessions = SessionLimits { idle: Span::from_seconds(7_200), absolute: Span::from_seconds(8 * 3_600) };
    let ways = Ways { sessions, ..Ways::default() };
    let story = Story::on(TestGate::with(Setup { ways, ..setup() }).await).await;
    let page = story.gate.person("mara").await;
    let waiting = text(&make(&story, &page).await["link"]);
    let command = opened(&story, &page).await;
    story.gate.clock.advance(15 * 60);
    assert_eq!(refused(&open_link(&story, &waiting).await), refusal(401, "bad_link"), "a quarter of an hour is over");
    story.gate.clock.advance(45 * 60 - 1);
    assert_eq!((stands(&story, &command).await, stands(&story, &page).await), (String::new(), String::new()));
    story.gate.clock.advance(1);
    assert_eq!((stands(&story, &command).await.as_str(), stands(&story, &page).await.as_str()), ("signed_out", ""));
    // Whoever works on the command line keeps no page open that they have left.
    let sessions = SessionLimits { idle: Span::from_seconds(1_800), absolute: Span::from_seconds(8 * 3_600) };
    let ways = Ways { sessions, ..Ways::default() };
    let story = Story::on(TestGate::with(Setup { ways, ..setup() }).await).await;
    let page = story.gate.person("mara").await;
    let command = opened(&story, &page).await;
    let waiting = text(&make(&story, &page).await["link"]);
    story.gate.clock.advance(14 * 60);
    let late = open_link(&story, &waiting).await;
    let late = signed_in(&late).unwrap();
    story.gate.clock.advance(16 * 60 - 1);
    assert_eq!(stands(&story, &command).await, "");
    story.gate.clock.advance(1);
    for session in [&command, &late, &page] {
        assert_eq!(stands(&story, session).await, "session_idle");
    }
}

#[tokio::test]
async fn it_is_listed_shown_once_and_ended_alone_by_its_person() {
    let story = Story::on(TestGate::with(setup()).await).await;
    let (mara, jun) = (story.gate.person("mara").await, story.gate.person("jun").await);
    let made = make(&story, &mara).await;
    let (id, link) = (text(&made["id"]), text(&made["link"]));
    let secret = link.rsplit('_').next().unwrap();
    let listed = sessions(&story, &mara).await;
    assert_eq!((&listed["links"][0]["id"], &listed["links"][0]["here"]), (&json!(id), &json!(true)), "{listed}");
    assert!(!listed.to_string().contains(secret), "{listed}");
    assert_eq!(crate::http::credentials::files_with(story.gate.data(), secret), [""; 0], "it is kept nowhere");
    assert_eq!(sessions(&story, &jun).await["links"], json!([]), "nobody else's");
    let line = story.gate.app.tokens().into_iter().find(|line| line.id == id).unwrap();
    assert_eq!((line.kind.as_str(), line.state.as_str(), line.by.as_str()), ("approver", "live", "User::mara"));
    assert!(line.what.contains("command line"), "{line:?}");
    // In the browser that it was made in it opens nothing, and is still good elsewhere.
    let body = json!({"link": link.rsplit('#').next().unwrap()});
    let request = as_person(story.client.request(Method::POST, "/api/v1/session"), &mara).json(&body);
    assert_eq!(refused(&Client::send(request).await), refusal(409, "link_for_command_line"));
    assert_eq!(stands(&story, &mara).await, "");
    // Nobody else ends it, and its person does.
    assert_eq!(delete(&story, &jun, &format!("/api/v1/sessions/{id}")).await.code(), "unknown_session");
    assert_eq!(delete(&story, &mara, &format!("/api/v1/sessions/{id}")).await.status.as_u16(), 204);
    assert_eq!(refused(&open_link(&story, &link).await), refusal(401, "bad_link"));
    assert_eq!(delete(&story, &mara, &format!("/api/v1/sessions/{id}")).await.code(), "unknown_session");
    // One that was used is a session among the others, and ends alone.
    let command = opened(&story, &mara).await;
    let listed = sessions(&story, &mara).await;
    let of_commands = listed["sessions"].as_array().unwrap().iter().find(|line| line["for_command_line"] == true);
    let id = text(&of_commands.unwrap()["id"]);
    assert_eq!(delete(&story, &mara, &format!("/api/v1/sessions/{id}")).await.status.as_u16(), 204);
    assert_eq!((stands(&story, &command).await.as_str(), stands(&story, &mara).await.as_str()), ("signed_out", ""));
    // So many wait and no more, and all go with the others.
    let waiting: Vec<String> = {
        let mut links = Vec::new();
        for _ in 0..8 {
            links.push(text(&make(&story, &mara).await["link"]));
        }
        links
    };
    let ninth = Client::send(as_person(story.client.request(Method::POST, "/api/v1/sessions/links"), &mara)).await;
    assert_eq!(refused(&ninth), refusal(409, "too_many_links"));
    assert!(delete(&story, &mara, "/api/v1/sessions").await.status.is_success());
    for link in &waiting {
        assert_eq!(refused(&open_link(&story, link).await), refusal(401, "bad_link"));
    }
    // Without the page's key none is made.
    let cookie = proviso_tests::cookie_of(&mara);
    let keyless = story.client.request(Method::POST, "/api/v1/sessions/links").header("cookie", cookie);
    assert_eq!(Client::send(keyless).await.code(), "session_key_missing");
    // The record holds all of it, and a start later it is as it was.
    let clock = Arc::clone(&story.gate.clock);
    let kept = text(&make(&story, &mara).await["link"]);
    let gate = story.gate.again(Setup { clock, ..setup() }).await;
    let story = Story::on(gate).await;
    assert!(open_link(&story, &kept).await.status.is_success(), "it waits over a restart");
    assert_eq!(refused(&open_link(&story, &waiting[0]).await), refusal(401, "bad_link"));
}

#[tokio::test]
async fn a_vote_by_it_and_the_end_of_its_page_never_both_come_first() {
    let story = Story::begin().await;
    for round in 0..5 {
        let call = write_file("report-writer", &format!("/srv/files/reports/{round}.md"), &format!("c{round}"));
        let id = story.ask(&call, None).await;
        let page = story.gate.person("mara").await;
        let command = opened(&story, &page).await;
        let (address, ballot) =
            (format!("/api/v1/exceptions/{id}/votes"), story.ballot(&command, &id, "approve", None).await);
        let vote = async || story.client.post(&address, &command, &ballot).await;
        let (voted, ended) = tokio::join!(vote(), delete(&story, &page, "/api/v1/session"));
        assert_eq!(ended.status.as_u16(), 204);
        let jun = story.gate.person("jun").await;
        let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&jun)).await.json();
        let counted = detail["exception"]["votes"].as_array().unwrap().len();
        assert_eq!(counted, usize::from(voted.status.is_success()), "what was refused does not count: {voted:?}");
        assert_eq!(vote().await.code(), "signed_out");
    }
}

/// What a session is told of what was minted in its person's name: when and by whom, in the order that it is told.
async fn minted(story: &Story, person: &str) -> Vec<(String, String)> {
    let session = story.client.get("/api/v1/session", Some(person)).await.json();
    let minted = session["minted"].as_array().unwrap_or_else(|| panic!("{session}"));
    minted.iter().map(|line| (text(&line["at"]), text(&line["by"]))).collect()
}

#[tokio::test]
async fn however_many_somebody_makes_for_themselves_what_others_minted_is_told() {
    let story = Story::on(TestGate::with(setup()).await).await;
    let by_others = |told: &[(String, String)]| told.iter().filter(|(_, by)| by != "User::mara").count();
    let mara = story.gate.person("mara").await;
    story.gate.clock.advance(1);
    story.gate.agent("report-writer", "in-her-name", Some("mara")).await;
    // Another's is never told here.
    story.gate.agent("report-writer", "in-his-name", Some("jun")).await;
    let before = minted(&story, &mara).await;
    assert_eq!((before.len(), by_others(&before)), (2, 2), "her link, and the agent's token: {before:?}");
    for _ in 0..55 {
        story.gate.clock.advance(1);
        let id = text(&make(&story, &mara).await["id"]);
        assert_eq!(delete(&story, &mara, &format!("/api/v1/sessions/{id}")).await.status.as_u16(), 204);
    }
    story.gate.clock.advance(1);
    story.gate.agent("report-writer", "later-in-her-name", Some("mara")).await;
    let told = minted(&story, &mara).await;
    assert_eq!((told.len(), by_others(&told)), (50, 3), "{told:?}");
    assert!(told.is_sorted_by(|a, b| a.0 >= b.0), "the newest first: {told:?}");
    assert_ne!(told[0].1, "User::mara", "{told:?}");
    // Whoever signs in again is told what was minted since they signed in before, and no more.
    story.gate.clock.advance(1);
    let again = story.gate.person("mara").await;
    let since = minted(&story, &again).await;
    assert!(before.last().is_some_and(|link| told.contains(link) && !since.contains(link)), "{since:?}");
    assert_eq!(by_others(&since), 3, "the agent's two tokens since, and the link that she came by: {since:?}");
}

//! The first administrator comes in by a link in a file, once and soon, and never again without a wait.

use std::os::unix::fs::PermissionsExt as _;

use proviso_tests::{Binary, Setup, TestGate, signed_in};
use serde_json::{Value, json};

use super::{again, come, open, operator, people, said, setup};

#[tokio::test]
async fn the_first_administrator_comes_in_by_a_link_in_a_file_once() {
    let gate = TestGate::with(setup()).await;
    let laid = gate.app.offer_first_enrolment().await.unwrap().expect("nobody was ever here");
    assert_eq!(laid.person.id, "jun", "the first whom the bundle lets look after people");
    let mode = std::fs::metadata(&laid.file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let link = std::fs::read_to_string(&laid.file).unwrap();
    assert_eq!(gate.app.offer_first_enrolment().await.unwrap(), None, "once, at the first start");
    let jun = come(&gate, &link).await;
    let session = gate.client.get("/api/v1/session", Some(&jun)).await.json();
    assert_eq!(session["person"]["id"], "jun");
    assert!(session["may"].as_array().unwrap().contains(&"administer".into()), "{session:#}");
    assert!(!std::path::Path::new(&laid.file).exists(), "what was used lies nowhere");
    assert_eq!(said(&open(&gate, &link, "").await), (401, "bad_link".to_owned()));
    let again = gate.app.offer_enrolment(&operator(), None).await.unwrap_err();
    assert_eq!(again.code, "administrator_exists");
    // Also where that one has left: the wait cannot be gone round.
    gate.app.departed(&operator(), "jun", "left the company").await.unwrap();
    let again = gate.app.offer_enrolment(&operator(), Some("kit")).await.unwrap_err();
    assert_eq!(again.code, "recover_instead");
}

#[tokio::test]
async fn its_link_works_for_a_quarter_of_an_hour_and_the_next_one_ends_it() {
    let gate = TestGate::with(setup()).await;
    let laid = gate.app.offer_first_enrolment().await.unwrap().unwrap();
    let late = std::fs::read_to_string(&laid.file).unwrap();
    gate.clock.advance(15 * 60);
    assert_eq!(said(&open(&gate, &late, "").await), (401, "bad_link".to_owned()));
    let laid = gate.app.offer_enrolment(&operator(), Some("kit")).await.unwrap();
    let stolen = std::fs::read_to_string(&laid.file).unwrap();
    let laid = gate.app.offer_enrolment(&operator(), Some("kit")).await.unwrap();
    let good = std::fs::read_to_string(&laid.file).unwrap();
    assert_eq!(said(&open(&gate, &stolen, "").await), (401, "bad_link".to_owned()), "another was made since");
    // A restart in the middle takes nothing away and gives nothing.
    let gate = again(gate).await;
    assert_eq!(gate.app.offer_first_enrolment().await.unwrap(), None);
    come(&gate, &good).await;
    let mara = gate.app.offer_enrolment(&operator(), Some("mara")).await.unwrap_err();
    assert_eq!(mara.code, "not_an_administrator");
}

#[tokio::test]
async fn two_who_open_it_at_once_are_one_session() {
    let gate = TestGate::with(setup()).await;
    let laid = gate.app.offer_first_enrolment().await.unwrap().unwrap();
    let link = std::fs::read_to_string(&laid.file).unwrap();
    let (a, b) = tokio::join!(open(&gate, &link, ""), open(&gate, &link, ""));
    let mut answers = [said(&a), said(&b)];
    answers.sort();
    assert_eq!(answers, [(200, String::new()), (401, "bad_link".to_owned())]);
}

#[tokio::test]
async fn a_bundle_that_lets_nobody_look_after_people_has_no_first_administrator() {
    let gate = TestGate::with(Setup::default()).await;
    assert_eq!(gate.app.offer_first_enrolment().await.unwrap(), None);
    let refused = gate.app.offer_enrolment(&operator(), None).await.unwrap_err();
    assert_eq!(refused.code, "no_administrators");
}

/// What `proviso admin …` says at this gate, and its exit code.
fn admin(gate: &Binary, arguments: &[&str]) -> (Option<i32>, Value) {
    let data = gate.data().display().to_string();
    let output = Binary::run(&[&["admin"], arguments, &["--json", "--data", &data]].concat());
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}")))
}

#[tokio::test]
async fn the_binary_lays_the_link_and_makes_it_anew() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    for (path, text) in people() {
        let file = bundle.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let data = folder.path().join("data");
    let gate = Binary::serve_bundle(&data, &bundle, &[]);
    let file = data.join("enrolment-link");
    let first = std::fs::read_to_string(&file).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(first.contains("/sign-in#pvl_"), "{first}");
    let (exit, said) = admin(&gate, &["enrol", "--user", "kit"]);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said["file"].as_str().unwrap().ends_with("enrolment-link"), "{said}");
    assert!(!said.to_string().contains("pvl_"), "the secret lies in the file alone: {said}");
    let second = std::fs::read_to_string(&file).unwrap();
    assert_ne!(second, first);
    let refused = |said: &Value| said["error"]["code"].as_str().unwrap_or_default().to_owned();
    let (exit, said) = admin(&gate, &["enrol", "--user", "mara"]);
    assert_eq!((exit, refused(&said)), (Some(65), "not_an_administrator".to_owned()), "{said}");
    let (exit, said) = admin(&gate, &["recover", "--reason", "lost"]);
    assert_eq!((exit, refused(&said)), (Some(65), "enrol_instead".to_owned()), "{said}");
    // The first comes in, and invites the second; the operator is the second yes until there is one.
    let sign_in = async |link: &str| {
        let secret = link.trim().rsplit('#').next().unwrap().to_owned();
        gate.client.post("/api/v1/session", "", &json!({"link": secret})).await
    };
    let kit = signed_in(&sign_in(&second).await).unwrap();
    let body = json!({"user": "jun", "reason": "a second one"});
    let invited = gate.client.post("/api/v1/people/invitations", &kit, &body).await.json();
    let id = invited["proposal"]["id"].as_str().unwrap_or_else(|| panic!("{invited:#}")).to_owned();
    let (exit, said) = admin(&gate, &["confirm", &id]);
    assert_eq!(exit, Some(0), "{said}");
    let jun = sign_in(said["secret"].as_str().unwrap()).await;
    assert_eq!(jun.json()["person"]["id"], "jun", "{jun:?}");
    // From here on the yes is theirs, though not today.
    let jun = signed_in(&jun).unwrap();
    let body = json!({"user": "lea", "reason": "a third one"});
    let new = gate.client.post("/api/v1/people/invitations", &jun, &body).await;
    assert_eq!(new.code(), "new_person", "{new:?}");
    let invited = gate.client.post("/api/v1/people/invitations", &kit, &body).await.json();
    let (exit, said) = admin(&gate, &["confirm", invited["proposal"]["id"].as_str().unwrap()]);
    assert_eq!((exit, refused(&said)), (Some(65), "second_administrator_exists".to_owned()), "{said}");
    // Whoever checks the record knows all of these kinds.
    let verified = Binary::run(&["audit", "verify", "--json", "--data", &data.display().to_string()]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

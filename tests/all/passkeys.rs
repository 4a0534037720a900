//! Passkeys and signed votes, over HTTP, by an authenticator of this process that can be wrong in exactly one thing.

mod acts;
mod authenticator;
mod command_line;
mod door;
mod often;
mod people;
mod record;
mod refusals;
mod votes;

use std::collections::BTreeMap;

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::presence::{Statement, challenge};
use policy_core::sheet::Ballot;
use proviso_tests::{Answer, Setup, Story, TestGate, sample_bundle, write_file};
use serde_json::{Value, json};

use authenticator::Authenticator;

/// Where the gate of these tests says that it is.
const GATE: &str = "https://gate.example";
/// The permit that lets somebody ask for a file's writing.
const WRITING: &str = "@id(\"writing-a-file-needs-one\")\n";

/// The sample bundle, where writing a file needs a vote that is shown so; nothing said: signed.
fn demanding(presence: Option<&str>) -> BTreeMap<String, String> {
    demanding_of(sample_bundle(), presence)
}

/// The same of this bundle.
fn demanding_of(mut bundle: BTreeMap<String, String>, presence: Option<&str>) -> BTreeMap<String, String> {
    let policies = bundle.get_mut("approval/request/files.cedar").unwrap();
    let (before, behind) = policies.split_once(WRITING).unwrap();
    let said = presence.map(|word| format!("@presence(\"{word}\")\n")).unwrap_or_default();
    let behind = behind.replacen("@presence(\"session\")\n", &said, 1);
    *policies = format!("{before}{WRITING}{behind}");
    bundle
}

fn setup() -> Setup {
    Setup { bundle: demanding(None), public_url: Some(GATE.to_owned()), ..Setup::default() }
}

/// A gate that has a name, and where writing a file needs a signed vote.
async fn story() -> Story {
    Story::on(TestGate::with(setup()).await).await
}

/// An open request to write a file.
async fn open(story: &Story, call: &str) -> String {
    story.ask(&write_file("report-writer", "/srv/files/reports/a.md", call), None).await
}

/// Adds a passkey of this authenticator.
async fn add(story: &Story, person: &str, authenticator: &mut Authenticator, label: &str) -> Answer {
    let challenge = story.client.post("/api/v1/passkeys/challenge", person, &json!(null)).await.json();
    add_with(story, person, authenticator, label, &challenge).await
}

async fn add_with(
    story: &Story,
    person: &str,
    authenticator: &mut Authenticator,
    label: &str,
    challenge: &Value,
) -> Answer {
    let mut body = authenticator.create(challenge);
    body["held"] = challenge["held"].clone();
    body["label"] = json!(label);
    story.client.post("/api/v1/passkeys", person, &body).await
}

/// Somebody signed in by a link, with a first passkey.
async fn holder(story: &Story, user: &str, seed: u8) -> (String, Authenticator) {
    let person = story.gate.person(user).await;
    let mut authenticator = Authenticator::new(seed);
    let added = add(story, &person, &mut authenticator, "laptop").await;
    assert_eq!(added.status.as_u16(), 201, "{added:?}");
    (person, authenticator)
}

/// What a vote's page gets the challenge from.
async fn vote_challenge(story: &Story, person: &str, id: &str) -> Value {
    let answer = story.client.post(&format!("/api/v1/exceptions/{id}/votes/challenge"), person, &json!(null)).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    answer.json()
}

/// The challenge of this ballot of this user, as their page makes it.
fn challenge_of(begun: &Value, user: &str, id: &str, ballot: &Value) -> Digest {
    let ballot: Ballot = serde_json::from_value(ballot.clone()).unwrap();
    let statement = Statement::of(id, &EntityRef::new("User", user), &ballot).text().unwrap();
    challenge(&begun["nonce"].as_str().unwrap().parse().unwrap(), &statement)
}

/// The ballot with its signature.
fn signed(begun: &Value, user: &str, id: &str, ballot: &Value, authenticator: &mut Authenticator) -> Value {
    let assertion = authenticator.get(&challenge_of(begun, user, id, ballot));
    let mut signed = ballot.clone();
    signed["signature"] = json!({"held": begun["held"], "assertion": assertion});
    signed
}

/// Casts a ballot.
async fn cast(story: &Story, person: &str, id: &str, ballot: &Value) -> Answer {
    story.client.post(&format!("/api/v1/exceptions/{id}/votes"), person, ballot).await
}

/// Votes, signed, as the page does.
async fn vote(story: &Story, (person, user): (&str, &str), id: &str, authenticator: &mut Authenticator) -> Answer {
    let ballot = story.ballot(person, id, "approve", None).await;
    let begun = vote_challenge(story, person, id).await;
    cast(story, person, id, &signed(&begun, user, id, &ballot, authenticator)).await
}

/// Signs in by this authenticator.
async fn sign_in(story: &Story, authenticator: &mut Authenticator) -> Answer {
    let begun = story.client.post("/api/v1/passkeys/sign_in/challenge", "", &json!(null)).await.json();
    let body = authenticator.sign_in(&begun);
    story.client.post("/api/v1/passkeys/sign_in", "", &body).await
}

/// Status and code.
fn refused(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

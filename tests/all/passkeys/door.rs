//! What the operator's sign-in links open, at a gate that agents and gate share no user with: nothing for whoever comes
//! in by themselves, or is to be invited.

use proviso::app::{Operator, Refusal};
use proviso::identity::MintRequest;
use proviso_tests::{Answer, Setup, Story, TestGate, as_person, signed_in};
use reqwest::Method;
use serde_json::json;

use super::authenticator::Authenticator;
use super::{add, refusal, refused, setup};
use crate::console;

/// A link by root.
pub(super) async fn link(story: &Story, user: &str) -> Result<String, Refusal> {
    let root = Operator { uid: 0, name: "root".to_owned() };
    let minted = story.gate.app.mint(MintRequest::Approver { user: user.to_owned() }, &root).await;
    minted.map(|minted| minted.secret)
}

pub(super) async fn open(story: &Story, link: &str) -> Answer {
    let secret = link.rsplit('#').next().unwrap();
    story.client.post("/api/v1/session", "", &json!({"link": secret})).await
}

async fn come(story: &Story, user: &str) -> String {
    let link = link(story, user).await.unwrap();
    let answer = open(story, &link).await;
    signed_in(&answer).unwrap_or_else(|| panic!("{answer:?}"))
}

#[tokio::test]
async fn a_link_is_no_way_in_for_who_has_one_of_their_own() {
    let bundle = console::bundle(console::presets());
    let story = Story::on(TestGate::with(Setup { bundle, single_user: false, ..setup() }).await).await;
    let code = async |user: &str| link(&story, user).await.map(drop).map_err(|refusal| refusal.code);
    // The small set-up: whoever has no other way in comes by a link, again and again.
    let mara = come(&story, "mara").await;
    assert_eq!(code("mara").await, Ok(()));
    let early = link(&story, "mara").await.unwrap();
    let mut authenticator = Authenticator::new(1);
    let added = add(&story, &mara, &mut authenticator, "laptop").await;
    assert_eq!(added.status.as_u16(), 201, "{added:?}");
    // From then on none is made, and one of before opens nothing.
    assert_eq!(code("mara").await, Err("own_way_in"));
    assert_eq!(refused(&open(&story, &early).await), refusal(409, "own_way_in"));
    assert_eq!(code("ola").await, Ok(()), "another's passkey is no way in of hers");
    // Ending it opens the door a day later, and not at once: its person sees that first.
    let passkey = added.json()["passkeys"][0]["id"].as_str().unwrap().to_owned();
    let request = as_person(story.client.request(Method::DELETE, &format!("/api/v1/passkeys/{passkey}")), &mara);
    assert_eq!(proviso_tests::Client::send(request).await.status.as_u16(), 204);
    assert_eq!(code("mara").await, Err("own_way_in"));
    story.gate.clock.advance(86_399);
    assert_eq!(code("mara").await, Err("own_way_in"));
    story.gate.clock.advance(1);
    assert_eq!(code("mara").await, Ok(()));
    // Whoever was never here is invited, once there are those who invite.
    assert_eq!(code("zoe").await, Ok(()));
    let early = link(&story, "zoe").await.unwrap();
    come(&story, "kit").await;
    assert_eq!(code("zoe").await, Err("invitation_needed"));
    assert_eq!(refused(&open(&story, &early).await), refusal(409, "invitation_needed"));
    assert_eq!(code("mara").await, Ok(()), "who was here comes again");
}

#[tokio::test]
async fn where_all_is_one_users_a_link_opens_as_ever() {
    let story = Story::on(TestGate::with(setup()).await).await;
    let (mara, _) = super::holder(&story, "mara", 1).await;
    assert!(!mara.is_empty());
    assert_eq!(link(&story, "mara").await.map(drop).map_err(|refusal| refusal.code), Ok(()));
}

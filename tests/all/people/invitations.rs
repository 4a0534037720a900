//! Invitations: whom one administrator lets in alone, whom two, and nobody themselves.

use proviso_tests::{Setup, Story, TestGate};
use serde_json::json;

use super::newcomers::folder;
use super::{again, agree, come, invite, invited, open, operator, said, setup, two, waiting, withdraw};

#[tokio::test]
async fn who_can_never_vote_is_let_in_by_one_and_everybody_else_by_two() {
    let (gate, jun, kit) = two(setup()).await;
    let bo = invite(&gate, &jun, "bo").await;
    assert_eq!(bo.status.as_u16(), 201, "{bo:?}");
    let link = bo.json()["link"].as_str().unwrap_or_else(|| panic!("{bo:?}")).to_owned();
    come(&gate, &link).await;
    // Who may vote, and who may say who else does.
    for user in ["nia", "lea"] {
        let id = waiting(&gate, &jun, user).await;
        assert_eq!(said(&agree(&gate, &jun, &id).await), (403, "same_person".to_owned()));
        // By another session it is the same person.
        let again = gate.person("jun").await;
        assert_eq!(said(&agree(&gate, &again, &id).await), (403, "same_person".to_owned()));
        let agreed = agree(&gate, &kit, &id).await;
        assert_eq!(agreed.json()["proposal"]["agreed_by"]["id"], "kit", "{agreed:?}");
        assert_eq!(said(&agree(&gate, &kit, &id).await), (409, "proposal_over".to_owned()), "once");
        let came = come(&gate, agreed.json()["link"].as_str().unwrap()).await;
        let session = gate.client.get("/api/v1/session", Some(&came)).await.json();
        assert_eq!(session["person"]["id"], user);
        assert_eq!(said(&invite(&gate, &jun, user).await), (409, "enrolled_already".to_owned()));
    }
}

#[tokio::test]
async fn a_link_is_good_once_for_a_day_and_not_in_the_browser_of_who_invited() {
    let (gate, jun, kit) = two(setup()).await;
    let link = invited(&gate, (&jun, &kit), "nia").await;
    // Whoever said yes does not come in as a second person.
    for who in [&jun, &kit] {
        assert_eq!(said(&open(&gate, &link, who).await), (403, "own_invitation".to_owned()));
    }
    let (a, b) = tokio::join!(open(&gate, &link, ""), open(&gate, &link, ""));
    let mut answers = [said(&a), said(&b)];
    answers.sort();
    assert_eq!(answers, [(200, String::new()), (401, "bad_link".to_owned())], "raced");
    assert_eq!(said(&open(&gate, &link, "").await), (401, "bad_link".to_owned()), "used");
    let link = invited(&gate, (&kit, &jun), "lea").await;
    gate.clock.advance(86_400);
    assert_eq!(said(&open(&gate, &link, "").await), (401, "bad_link".to_owned()), "too late");
    // It has lapsed, and can be made anew.
    let (jun, kit) = (gate.person("jun").await, gate.person("kit").await);
    let link = invited(&gate, (&kit, &jun), "lea").await;
    come(&gate, &link).await;
}

#[tokio::test]
async fn an_invitation_stands_only_with_those_who_made_it() {
    let (gate, jun, kit) = two(setup()).await;
    let id = waiting(&gate, &jun, "nia").await;
    assert_eq!(said(&invite(&gate, &kit, "nia").await), (409, "proposed_already".to_owned()));
    assert_eq!(withdraw(&gate, &kit, &id).await.status.as_u16(), 204);
    assert_eq!(said(&agree(&gate, &kit, &id).await), (409, "proposal_over".to_owned()));
    // Taken back after its link was made.
    let id = waiting(&gate, &jun, "nia").await;
    let link = agree(&gate, &kit, &id).await.json()["link"].as_str().unwrap().to_owned();
    assert_eq!(withdraw(&gate, &jun, &id).await.status.as_u16(), 204);
    assert_eq!(said(&open(&gate, &link, "").await), (401, "bad_link".to_owned()));
    // Whoever proposed it leaves before the second yes.
    let lea = gate.person("lea").await;
    let before = waiting(&gate, &lea, "nia").await;
    gate.app.departed(&operator(), "lea", "left the company").await.unwrap();
    assert_eq!(said(&agree(&gate, &kit, &before).await), (409, "proposer_gone".to_owned()));
    assert_eq!(withdraw(&gate, &kit, &before).await.status.as_u16(), 204);
    // And after it: the link opens nothing.
    let link = invited(&gate, (&jun, &kit), "nia").await;
    gate.app.departed(&operator(), "kit", "left the company").await.unwrap();
    assert_eq!(said(&open(&gate, &link, "").await), (401, "link_void".to_owned()));
}

#[tokio::test]
async fn who_is_new_lets_in_nobody_and_is_nobodys_second_yes() {
    let (gate, jun, kit) = two(setup()).await;
    let lea = come(&gate, &invited(&gate, (&jun, &kit), "lea").await).await;
    assert_eq!(said(&invite(&gate, &lea, "bo").await), (403, "new_person".to_owned()));
    let id = waiting(&gate, &jun, "nia").await;
    assert_eq!(said(&agree(&gate, &lea, &id).await), (403, "new_person".to_owned()));
    gate.clock.advance(86_400);
    let lea = gate.person("lea").await;
    assert_eq!(agree(&gate, &lea, &id).await.status.as_u16(), 200);
}

#[tokio::test]
async fn an_administrator_who_just_left_makes_the_operator_no_second_yes() {
    let (gate, jun, _) = two(setup()).await;
    let body = json!({"reason": "left the company"});
    assert_eq!(gate.client.post("/api/v1/people/kit/end", &jun, &body).await.status.as_u16(), 204);
    let id = waiting(&gate, &jun, "nia").await;
    let refused = gate.app.agree_as(&operator(), &id).await.unwrap_err();
    assert_eq!(refused.code, "second_administrator_exists");
}

#[tokio::test]
async fn nobody_invites_themselves_or_whom_nobody_knows_or_without_the_right() {
    let (gate, jun, _) = two(setup()).await;
    let mara = gate.person("mara").await;
    assert_eq!(said(&invite(&gate, &mara, "nia").await), (403, "not_permitted_here".to_owned()));
    assert_eq!(said(&invite(&gate, &jun, "jun").await), (403, "own_person".to_owned()));
    assert_eq!(said(&invite(&gate, &jun, "nobody").await), (400, "unknown_person".to_owned()));
    assert_eq!(said(&invite(&gate, &jun, "mara").await), (409, "enrolled_already".to_owned()));
    let body = json!({"user": "nia", "reason": " "});
    let answer = gate.client.post("/api/v1/people/invitations", &jun, &body).await;
    assert_eq!(said(&answer), (400, "reason_needed".to_owned()));
    gate.app.departed(&operator(), "nia", "never came").await.unwrap();
    assert_eq!(said(&invite(&gate, &jun, "nia").await), (409, "departed_person".to_owned()));
    assert_eq!(said(&agree(&gate, &jun, "prp_none").await), (404, "unknown_member_proposal".to_owned()));
    assert_eq!(said(&withdraw(&gate, &jun, "prp_none").await), (404, "unknown_member_proposal".to_owned()));
}

#[tokio::test]
async fn invitations_made_and_taken_back_in_a_loop_come_to_an_end_for_an_hour() {
    let (gate, jun, kit) = two(setup()).await;
    for _ in 0..240 {
        let id = waiting(&gate, &jun, "nia").await;
        assert_eq!(withdraw(&gate, &jun, &id).await.status.as_u16(), 204);
    }
    assert_eq!(said(&invite(&gate, &jun, "nia").await), (429, "too_often".to_owned()));
    let id = waiting(&gate, &kit, "nia").await;
    assert_eq!(agree(&gate, &jun, &id).await.status.as_u16(), 200, "a second yes is no flood");
    gate.clock.advance(3_601);
    let jun = gate.person("jun").await;
    assert_eq!(invite(&gate, &jun, "bo").await.status.as_u16(), 201);
}

#[tokio::test]
async fn a_restart_in_the_middle_changes_nothing() {
    let (gate, jun, kit) = two(setup()).await;
    let waits = waiting(&gate, &jun, "nia").await;
    let link = invited(&gate, (&kit, &jun), "lea").await;
    let gate = again(gate).await;
    let (jun, kit) = (gate.person("jun").await, gate.person("kit").await);
    assert_eq!(said(&agree(&gate, &jun, &waits).await), (403, "same_person".to_owned()));
    let agreed = agree(&gate, &kit, &waits).await.json();
    come(&gate, agreed["link"].as_str().unwrap()).await;
    come(&gate, &link).await;
    assert_eq!(said(&open(&gate, &link, "").await), (401, "bad_link".to_owned()));
    let people = gate.client.get("/api/v1/people", Some(&kit)).await.json();
    let states: Vec<&str> =
        people["proposals"].as_array().unwrap().iter().map(|line| line["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["used", "used"], "{people:#}");
}

#[tokio::test]
async fn what_an_agent_could_have_begun_itself_votes_for_nobody() {
    // Gate and agents may share an operating-system user, and nobody told the gate that they do.
    let gate = TestGate::with(Setup { single_user: false, ..setup() }).await;
    let laid = gate.app.offer_first_enrolment().await.unwrap().unwrap();
    let jun = come(&gate, &std::fs::read_to_string(&laid.file).unwrap()).await;
    let id = waiting(&gate, &jun, "nia").await;
    let (link, _) = gate.app.agree_as(&operator(), &id).await.unwrap();
    let nia = come(&gate, &link).await;
    // Of the lowest tier, on which who is new decides.
    let story = Story::on(gate).await;
    let low = story.ask(&folder("/srv/files/new", "a1"), None).await;
    let voted = story.vote(&nia, &low, "approve", None).await;
    assert_eq!(said(&voted), (403, "single_user_required".to_owned()), "{voted:?}");
}

//! Renewals, by whoever asks for them and under whatever name: judged afresh, one at a time, never wider (R5).

use std::collections::BTreeMap;

use proviso_tests::{Answer, Parties, Setup, Story, sample_bundle, write_file};
use serde_json::{Value, json};

use super::{allowed, exception, refusal, refused, verdict};

const FILE: &str = "/srv/files/reports/a.md";
const WEEK: u32 = 7 * 86_400;

/// An exception for exactly one write, granted by mara. Its id.
async fn granted_once(story: &Story) -> String {
    let id = story.ask(&write_file("report-writer", FILE, "ask"), None).await;
    approve(story, "mara", &id, "granted").await;
    id
}

async fn approve(story: &Story, user: &str, id: &str, state: &str) {
    let cookie = story.gate.person(user).await;
    let answer = story.vote(&cookie, id, "approve", None).await;
    assert_eq!(answer.json()["state"], state, "{user}: {answer:?}");
}

async fn use_once(story: &Story, call: &str) {
    assert_eq!(verdict(&story.evaluate(&write_file("report-writer", FILE, call)).await), allowed("exception"));
}

/// Asks for the same write anew, so many times, without a word of what it renews.
async fn ask_again(parties: &Parties, uses: u32) -> Answer {
    let call = write_file("report-writer", FILE, "again");
    let denied = parties.evaluate(&call).await.json();
    let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
    scope["max_uses"] = json!(uses);
    parties.request(&parties.request_body(&call, &denied, Some(scope))).await
}

/// The same with a declaration, and perhaps for so long.
async fn declare(parties: &Parties, renews: &str, valid_for: Option<&str>) -> Answer {
    let call = write_file("report-writer", FILE, "again");
    let denied = parties.evaluate(&call).await.json();
    let mut body = parties.request_body(&call, &denied, None);
    let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
    body["requested_access"] = json!({"proviso.dev/renews": renews});
    if let Some(valid_for) = valid_for {
        scope["valid_for"] = json!(valid_for);
        body["requested_access"]["proviso.dev/scope"] = scope;
    }
    parties.request(&body).await
}

async fn renew(story: &Story, id: &str) -> Answer {
    let (path, why) = (format!("/api/v1/exceptions/{id}/renew"), json!({"justification": "once more"}));
    story.client.post_for(&path, &story.point, &story.agent, &why).await
}

fn task(answer: &Answer) -> String {
    let id = answer.json()["task"]["id"].as_str().map(str::to_owned);
    id.unwrap_or_else(|| panic!("no request was made: {answer:?}"))
}

/// The request of an exception, as mara sees it.
async fn request_of(story: &Story, id: &str) -> Value {
    let mara = story.gate.person("mara").await;
    exception(story, &mara, id).await["exception"]["request"].clone()
}

/// The same gate under another bundle, with new credentials for the same parties.
async fn under(story: Story, bundle: BTreeMap<String, String>) -> Story {
    let setup = Setup { bundle, clock: story.gate.clock.clone(), activate: true, ..Setup::default() };
    Story::on(story.gate.again(setup).await).await
}

/// The sample bundle with one thing said otherwise.
fn changed(file: &str, from: &str, to: &str) -> BTreeMap<String, String> {
    let mut bundle = sample_bundle();
    let text = bundle.get_mut(file).unwrap();
    assert!(text.contains(from), "{file}: {from}");
    *text = text.replacen(from, to, 1);
    bundle
}

#[tokio::test]
async fn r5_requests_that_overlap_a_grant_are_renewed_one_at_a_time() {
    let story = Story::begin().await;
    let first = granted_once(&story).await;
    use_once(&story, "u0").await;
    // Policy lets it be renewed twice. Each of these overlaps the grant, and none is the same request as another.
    for number in 1..=2 {
        let id = task(&ask_again(&story, 1).await);
        for uses in 2..=4 {
            assert_eq!(refusal(&ask_again(&story, uses).await), refused(409, "renewal_pending"), "{number} {uses}");
        }
        assert_eq!(refusal(&renew(&story, &first).await), refused(409, "renewal_pending"), "nor a declared one");
        let renews = request_of(&story, &id).await["renews"].clone();
        assert_eq!((&renews["number"], &renews["declared"]), (&json!(number), &json!(false)));
        approve(&story, "mara", &id, "granted").await;
        use_once(&story, &format!("u{number}")).await;
    }
    for uses in 1..=4 {
        assert_eq!(refusal(&ask_again(&story, uses).await), refused(409, "renewal_cap"), "{uses}");
    }
    assert_eq!(refusal(&renew(&story, &first).await), refused(409, "renewal_cap"));
}

#[tokio::test]
async fn r5_a_declared_renewal_that_waits_holds_every_other_back_until_it_is_decided() {
    let story = Story::begin().await;
    let first = granted_once(&story).await;
    use_once(&story, "u0").await;
    let waiting = task(&renew(&story, &first).await);
    assert_eq!(task(&renew(&story, &first).await), waiting, "the same again is the same");
    assert_eq!(refusal(&declare(&story, &first, Some("5m")).await), refused(409, "renewal_pending"));
    assert_eq!(refusal(&ask_again(&story, 2).await), refused(409, "renewal_pending"));
    let other = write_file("report-writer", "/srv/files/reports/b.md", "b");
    story.ask(&other, None).await;
    let cancel = format!("/access/v1/requests/{waiting}/cancel");
    assert!(story.client.post_for(&cancel, &story.point, &story.agent, &json!({})).await.status.is_success());
    assert_eq!(ask_again(&story, 2).await.status.as_u16(), 201);
}

#[tokio::test]
async fn r5_a_renewal_is_judged_by_the_bundle_that_is_active_now() {
    let story = Story::begin().await;
    let first = granted_once(&story).await;
    use_once(&story, "u0").await;
    let stricter = changed(
        "approval/request/files.cedar",
        "@id(\"writing-a-file-needs-one\")\n@tier(\"medium\")\n@approvals(\"1\")\n@groups(\"approvers\")\n@max_duration(\"4h\")",
        "@id(\"writing-a-file-needs-one\")\n@tier(\"medium\")\n@approvals(\"2\")\n@groups(\"approvers\")\n@max_duration(\"30m\")",
    );
    let story = under(story, stricter).await;
    let id = task(&renew(&story, &first).await);
    assert_eq!(request_of(&story, &id).await["scope"]["valid_for"], "30m");
    approve(&story, "mara", &id, "requested").await;
    approve(&story, "ola", &id, "granted").await;
    use_once(&story, "u1").await;
    // What scope permits by now needs no approval at all.
    let wider = changed("scope/files.cedar", "/srv/files/drafts/*", "/srv/files/*");
    let story = under(story, wider).await;
    assert_eq!(refusal(&renew(&story, &id).await), refused(409, "not_needed"));
}

#[tokio::test]
async fn r5_a_request_that_says_what_it_renews_is_for_no_longer() {
    let story = Story::begin().await;
    let first = story.ask(&write_file("report-writer", FILE, "ask"), None).await;
    let mara = story.gate.person("mara").await;
    let mut short = story.ballot(&mara, &first, "approve", None).await["grant"].clone();
    short["valid_for"] = json!("10m");
    let answer = story.vote(&mara, &first, "approve", Some(short)).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    use_once(&story, "u0").await;
    // Policy gives four hours, and the grant that is renewed had ten minutes.
    for longer in ["10m1s", "4h"] {
        assert_eq!(refusal(&declare(&story, &first, Some(longer)).await), refused(400, "widens"), "{longer}");
    }
    let id = task(&declare(&story, &first, None).await);
    let request = request_of(&story, &id).await;
    assert_eq!(request["renews"], json!({"of": first, "number": 1, "declared": true}));
    assert_eq!(request["scope"]["valid_for"], "10m", "without a word of it, as long as before");
    approve(&story, "mara", &id, "granted").await;
    use_once(&story, "u1").await;
    // Longer is a new request, which counts as a renewal all the same.
    let wider = task(&ask_again(&story, 3).await);
    let renews = request_of(&story, &wider).await["renews"].clone();
    assert_eq!(renews, json!({"of": id, "number": 2, "declared": false}));
}

#[tokio::test]
async fn who_asked_and_who_owns_the_agent_renew_in_person_and_vote_on_it_as_little() {
    for (user, code) in [("ines", "is_requester"), ("tom", "is_requester")] {
        let story = Story::begin().await;
        let first = granted_once(&story).await;
        use_once(&story, "u0").await;
        let cookie = story.gate.person(user).await;
        let path = format!("/api/v1/exceptions/{first}/renew");
        let answer = story.client.post(&path, &cookie, &json!({"justification": "it is due again"})).await;
        let id = task(&answer);
        let request = request_of(&story, &id).await;
        assert_eq!(request["requester"]["id"], user);
        assert_eq!(request["renews"], json!({"of": first, "number": 1, "declared": true}));
        assert_eq!(refusal(&story.vote(&cookie, &id, "approve", None).await), refused(403, code), "{user}");
        approve(&story, "mara", &id, "granted").await;
        use_once(&story, "u1").await;
    }
}

#[tokio::test]
async fn r5_another_task_renews_it_too_until_the_period_has_passed() {
    for (seconds, renews) in [(WEEK - 1, true), (WEEK, false)] {
        let story = Story::begin().await;
        let first = granted_once(&story).await;
        use_once(&story, "u0").await;
        story.gate.clock.advance(seconds);
        let agent = story.gate.agent("report-writer", "another-task", Some("ines")).await;
        let point = story.gate.point("proxy", &["files"]).await;
        let other = Parties { client: story.gate.client.clone(), point, agent };
        let id = task(&ask_again(&other, 1).await);
        let expected = if renews { json!({"of": first, "number": 1, "declared": false}) } else { Value::Null };
        assert_eq!(request_of(&story, &id).await["renews"], expected, "{seconds} s after the last use");
    }
}

//! What became of the like, and pictures of it: of what one may see, and nobody's times but one's own.

use proviso_tests::{Story, post_rows, write_file};
use serde_json::{Value, json};

use super::{refusal, refused};

async fn past(story: &Story, person: &str, id: &str) -> Value {
    story.client.get(&format!("/api/v1/exceptions/{id}/past"), Some(person)).await.json()
}

async fn pictures(story: &Story, person: &str) -> Value {
    story.client.get("/api/v1/pictures", Some(person)).await.json()
}

/// Writes a file that was asked for, is granted, and is used after so many seconds.
async fn used(story: &Story, name: &str, seconds: u32) -> String {
    let mara = story.gate.person("mara").await;
    let call = |call: &str| write_file("report-writer", &format!("/srv/files/reports/{name}.md"), call);
    let id = story.ask(&call(&format!("{name}-1")), None).await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    story.gate.clock.advance(seconds);
    assert_eq!(story.evaluate(&call(&format!("{name}-2"))).await.json()["decision"], true);
    id
}

#[tokio::test]
async fn what_became_of_the_like_is_counted_and_what_differs_most_comes_first() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let refused_one = story.ask(&write_file("report-writer", "/srv/files/reports/no.md", "p0"), None).await;
    story.vote(&mara, &refused_one, "refuse", None).await;
    for (name, seconds) in [("a", 30), ("b", 61), ("c", 70)] {
        used(&story, name, seconds).await;
    }
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/d.md", "p9"), None).await;
    let told = past(&story, &mara, &id).await;
    let counts = &told["counts"];
    let got = ["asked", "granted", "refused", "used", "unused"].map(|name| counts[name].as_u64().unwrap());
    assert_eq!(got, [4, 3, 1, 3, 0], "{told:#}");
    assert_eq!(told["refusals"][0]["exception"], refused_one.as_str());
    assert_eq!(told["refusals"][0]["reason"], "looked at it");
    assert_eq!(told["differs"][0]["at"], "path", "{told:#}");
    assert_eq!(told["needed"], "2m", "nine of ten were used within two minutes: {told:#}");
    assert_eq!(told["yours"].as_array().unwrap().len(), 4);
    assert_eq!(told["yours"][0]["state"], "exhausted", "{told:#}");
    // The page opens with no more than that.
    let sheet = story.client.get(&format!("/api/v1/exceptions/{id}/sheet"), Some(&mara)).await.json();
    assert_eq!(sheet["smallest"]["valid_for"], "2m", "{:#}", sheet["smallest"]);
    // Of another shape nothing is known.
    let rows = story.ask(&post_rows("report-writer", "finance/ledger-eu", 5, "p10"), None).await;
    assert_eq!(past(&story, &mara, &rows).await["counts"]["asked"], 0);
    let none = story.client.get("/api/v1/exceptions/exc_none/past", Some(&mara)).await;
    assert_eq!(refusal(&none), refused(404, "unknown_exception"));
}

#[tokio::test]
async fn pictures_count_what_was_asked_and_tell_nobody_elses_times() {
    let story = Story::begin().await;
    used(&story, "a", 5).await;
    used(&story, "b", 5).await;
    let (mara, ola) = (story.gate.person("mara").await, story.gate.person("ola").await);
    let told = pictures(&story, &mara).await;
    assert_eq!(told["days"], 30);
    let granted: u64 = told["requests"].as_array().unwrap().iter().map(|day| day["count"].as_u64().unwrap()).sum();
    assert_eq!(granted, 2, "{told:#}");
    assert_eq!(told["requests"][0]["outcome"], "granted");
    assert_eq!(told["yours"]["decided"], 2, "{told:#}");
    assert_eq!(told["teams"], json!([]), "one person is no team");
    assert_eq!(told["recurring"][0]["asked"], 2);
    assert_eq!(told["narrowed"]["grants"], 2);
    let others = pictures(&story, &ola).await;
    assert_eq!(others.get("yours"), None, "{others:#}");
    assert!(!others.to_string().contains("mara"), "{others:#}");
    for days in ["0", "91"] {
        let answer = story.client.get(&format!("/api/v1/pictures?days={days}"), Some(&mara)).await;
        assert_eq!(refusal(&answer), refused(400, "bad_request"), "{days}");
    }
}

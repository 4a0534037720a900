//! What is erased at the gate is erased in its copies: continuously, after an outage and after a restart; and what a copy
//! does not let go is told.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use policy_core::entity::EntityRef;
use proviso::app::{Class, ErasureReport, ErasureRequest, Operator};

use super::folders::walk;
use super::stores::{Refusal, Shop, collector};
use super::*;

const DAY: u32 = 86_400;

/// So many calls of the agent that is forgotten later, each on a file with these words in its name.
async fn calls(story: &Story, words: &str, count: usize) {
    for number in 0..count {
        let call =
            write_file("report-writer", &format!("/srv/files/drafts/{words}-{number}.md"), &format!("c{number}"));
        assert_eq!(story.evaluate(&call).await.json()["decision"], json!(true));
    }
}

/// A call of another agent, which stays.
async fn another(story: &Story, words: &str) {
    another_with(story, words, "hello").await;
}

/// The same, with this content.
async fn another_with(story: &Story, words: &str, content: &str) {
    let agent = story.gate.agent("intern-bot", "archive", Some("jun")).await;
    let point = story.gate.point("proxy", &["files"]).await;
    let mut call = write_file("intern-bot", &format!("/srv/files/drafts/{words}.md"), "c");
    call["context"]["input"]["content"] = json!(content);
    story.client.post_for("/access/v1/evaluation", &point, &agent, &call).await;
}

/// Erases what is about the agent, of these classes or all.
async fn erase(story: &Story, classes: &[Class]) -> ErasureReport {
    let agent = EntityRef::new("Agent", "spiffe://acme.example/agent/report-writer");
    let reason = "they asked us to".to_owned();
    let request = ErasureRequest { agent: Some(agent), classes: classes.to_vec(), reason, ..ErasureRequest::default() };
    let operator = Operator { uid: 4242, name: "tester".to_owned() };
    let report = story.gate.app.erase(&operator, &request).await.expect("erased");
    assert!(report.run.is_some(), "nothing was erased: {report:?}");
    report
}

/// How many payloads a copy may hold that are erased, and why they are there.
fn pending(story: &Story, name: &str) -> (Option<u64>, Option<String>) {
    let line = story.gate.app.copy_lines().into_iter().find(|line| line.name == name).expect("a receiver");
    (line.erasures_pending, line.erasure_error)
}

async fn nothing_pending(story: &Story, name: &str) {
    until("all is erased in the copy", async || (pending(story, name) == (Some(0), None)).then_some(())).await;
}

/// Whether any file of a copy holds these words.
fn somewhere(copy: &Path, words: &str) -> bool {
    let holds = |bytes: Vec<u8>| bytes.windows(words.len()).any(|window| window == words.as_bytes());
    walk(copy).iter().any(|path| fs::read(copy.join(path)).is_ok_and(holds))
}

/// What `audit verify` says of what was erased of a copy.
fn erased(copy: &Path) -> Value {
    let done = Binary::run(&["audit", "verify", "--json", "--export", &text(copy)]);
    assert!(done.status.success(), "{done:?}");
    serde_json::from_slice::<Value>(&done.stdout).expect("a report")["erased"].clone()
}

/// The gate as after a restart, for the same parties: in the agent's task nothing is permitted any more.
async fn again(story: Story, record: Record) -> Story {
    let (point, agent) = (story.point.clone(), story.agent.clone());
    let setup = Setup { clock: Arc::clone(&story.gate.clock), record, ..Setup::default() };
    let gate = story.gate.again(setup).await;
    let parties = proviso_tests::Parties { client: gate.client.clone(), point, agent };
    Story::of(gate, parties)
}

#[tokio::test]
async fn what_is_erased_goes_out_of_a_copy_that_is_checked_alone_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy");
    let story = Arc::new(gate_with(folder_copy(&copy)).await);
    calls(&story, "plan", 280).await;
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/plan.md", "ask"), None).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "refuse", None).await.json()["state"], "denied");
    another(&story, "stays").await;
    story.gate.clock.advance(10 * DAY);
    holds_all(&story, "nas").await;
    assert!(somewhere(&copy, "drafts/plan-0.md") && somewhere(&copy, "the weekly report is due"));
    assert_eq!(pending(&story, "nas"), (Some(0), None));
    // What an end in the middle of a write leaves beside a file holds texts, too.
    fs::write(copy.join("decisions/main/payloads/000.jsonl.new"), "drafts/plan-0.md").expect("half a file");

    // It is looked at all the time, and more comes meanwhile.
    let over = Arc::new(AtomicBool::new(false));
    let looks = {
        let (copy, over) = (copy.clone(), Arc::clone(&over));
        tokio::task::spawn_blocking(move || {
            let mut looks = 0;
            while !over.load(Ordering::SeqCst) {
                let (exit, told) = checked(&copy);
                assert_eq!(exit, Some(0), "{told}");
                looks += 1;
            }
            looks
        })
    };
    let mut told = 0;
    for classes in [&[Class::Arguments][..], &[Class::Decisions], &[]] {
        let report = erase(&story, classes).await;
        told += report.erased.values().sum::<u64>();
        another(&story, "later").await;
    }
    nothing_pending(&story, "nas").await;
    holds_all(&story, "nas").await;
    over.store(true, Ordering::SeqCst);
    assert!(looks.await.expect("the looks") > 0);
    for words in ["drafts/plan-", "reports/plan.md", "the weekly report is due"] {
        assert!(!somewhere(&copy, words), "`{words}`");
    }
    assert!(somewhere(&copy, "drafts/stays.md") && somewhere(&copy, "drafts/later.md"), "another agent's stays");
    assert_eq!(checked(&copy), (Some(0), sizes(&story)));
    let erased = erased(&copy);
    assert_eq!((&erased["payloads"], &erased["returned"]), (&json!(told), &Value::Null), "{erased}");
    assert_eq!(metric(&story, "proviso_copy_erasures_pending", "nas").await, Some(0));
}

#[tokio::test]
async fn a_copy_that_was_away_and_a_gate_that_was_started_again_forget_no_erasure() {
    let folder = tempfile::tempdir().expect("a folder");
    let (copy, away) = (folder.path().join("copy"), folder.path().join("away"));
    let story = gate_with(folder_copy(&copy)).await;
    calls(&story, "plan", 3).await;
    story.gate.clock.advance(10 * DAY);
    holds_all(&story, "nas").await;
    fs::rename(&copy, &away).expect("unmounted");
    fs::write(&copy, "not mounted").expect("a file");
    let told: u64 = erase(&story, &[]).await.erased.values().sum();
    assert_eq!(pending(&story, "nas").0, Some(told));
    assert_eq!(metric(&story, "proviso_copy_erasures_pending", "nas").await, Some(told));
    let story = again(story, folder_copy(&copy)).await;
    until("it fails", async || (line(&story, "nas").await["state"] == "failing").then_some(())).await;
    assert_eq!(
        line(&story, "nas").await["erasures_pending"],
        json!(told),
        "also where it was not reached since the start"
    );
    fs::remove_file(&copy).expect("mounted");
    fs::rename(&away, &copy).expect("mounted");
    assert!(somewhere(&copy, "drafts/plan-0.md"));
    assert_eq!(erased(&copy)["payloads"], json!(0));
    nothing_pending(&story, "nas").await;
    assert!(!somewhere(&copy, "drafts/plan-"));
    let erased = erased(&copy);
    assert_eq!((&erased["payloads"], &erased["returned"]), (&json!(told), &Value::Null), "{erased}");
    // A copy that is made after an erasure never holds what was erased.
    let fresh = folder.path().join("fresh");
    let story = again(story, folder_copy(&fresh)).await;
    holds_all(&story, "nas").await;
    nothing_pending(&story, "nas").await;
    assert!(!somewhere(&fresh, "drafts/plan-"));
    assert_eq!(checked(&fresh), (Some(0), sizes(&story)));
}

#[tokio::test]
async fn what_a_collector_does_not_let_go_is_told_tried_again_and_holds_up_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::default();
    let url = shop.clone().open().await;
    let story = gate_with(collector(&url, folder.path())).await;
    calls(&story, "plan", 260).await;
    story.gate.clock.advance(10 * DAY);
    holds_all(&story, "collector").await;
    shop.freeze(Some(("main/payloads/000", Refusal::Told)));
    erase(&story, &[]).await;
    let refused = Some("the receiver answered 409".to_owned());
    // Two payloads of each of the 256 calls in the file; the file behind it was written. An erasure is a record for each
    // log, and the copier may have met the first alone.
    until("it is told", async || (pending(&story, "collector") == (Some(512), refused.clone())).then_some(())).await;
    assert_eq!(metric(&story, "proviso_copy_erasures_pending", "collector").await, Some(512));
    assert!(shop.holds("drafts/plan-255.md") && !shop.holds("drafts/plan-256.md"));
    another(&story, "later").await;
    holds_all(&story, "collector").await;
    assert!(shop.holds("drafts/later.md"), "what is new is copied all the same");
    // One that takes what is sent and keeps what it has is found out.
    shop.freeze(Some(("main/payloads/000", Refusal::Kept)));
    let kept = Some("it took what was sent, and holds what it held before".to_owned());
    until("it is told", async || (pending(&story, "collector").1 == kept).then_some(())).await;
    let laid = folder.path().join("laid");
    shop.lay("/in/box", &laid);
    assert_eq!(erased(&laid)["returned"]["payloads"], json!(512), "the copy itself tells what should not be there");

    // The gate ends in the middle; the next one takes it up, since the copy does not say that it was done.
    let story = again(story, collector(&url, folder.path())).await;
    shop.freeze(None);
    nothing_pending(&story, "collector").await;
    holds_all(&story, "collector").await;
    assert!(!shop.holds("drafts/plan-"));
    let laid = folder.path().join("laid-again");
    shop.lay("/in/box", &laid);
    assert_eq!(checked(&laid), (Some(0), sizes(&story)));
    assert_eq!(erased(&laid)["returned"], Value::Null);
}

#[tokio::test]
async fn a_file_of_long_calls_is_read_back_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = Shop::default();
    let url = shop.clone().open().await;
    let story = gate_with(collector(&url, folder.path())).await;
    calls(&story, "plan", 1).await;
    story.gate.clock.advance(10 * DAY);
    // With these the file that the call lies in has more than a megabyte, with or without it.
    for number in 0..3 {
        another_with(&story, &format!("long-{number}"), &"words ".repeat(66_000)).await;
    }
    holds_all(&story, "collector").await;
    erase(&story, &[]).await;
    nothing_pending(&story, "collector").await;
    assert!(!shop.holds("drafts/plan-") && shop.holds("drafts/long-2.md"));
}

#[tokio::test]
async fn a_copy_that_boasts_of_more_than_it_holds_is_not_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy");
    let mut story = gate_with(folder_copy(&copy)).await;
    calls(&story, "plan", 3).await;
    story.gate.clock.advance(10 * DAY);
    holds_all(&story, "nas").await;
    for mark in ["-1", "many", "", "999999\n"] {
        fs::write(copy.join("erased"), mark).expect("a mark");
        story = again(story, folder_copy(&copy)).await;
        holds_all(&story, "nas").await;
        assert_eq!(pending(&story, "nas"), (Some(0), None), "`{mark}`");
    }
    erase(&story, &[]).await;
    nothing_pending(&story, "nas").await;
    assert!(!somewhere(&copy, "drafts/plan-"));
}

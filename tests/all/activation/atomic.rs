//! One moment: every outcome is of one bundle or of the other, and of two bundles one becomes active.

use std::sync::Arc;

use futures::future::join_all;
use proviso::store::Log;
use serde_json::Value;

use super::{activate, became, bundles, narrower, of, propose, story, wider, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_outcome_is_of_the_bundle_that_was_active_where_it_is_recorded() {
    let story = Arc::new(story().await);
    let it = of(&propose(&story, "kit", &wider()).await);
    assert_eq!(became(&activate(&story, "jun", &it).await), "waiting");
    let asks = (0..8).map(|worker| {
        let story = Arc::clone(&story);
        tokio::spawn(async move {
            let (mut answers, mut after) = (Vec::new(), 0);
            // Until some have come after it.
            while after < 5 {
                let answer = story.evaluate(&write(&format!("call-{worker}-{}", answers.len()))).await;
                answers.push((answer.status.as_u16(), answer.json()["decision"].clone()));
                after += u32::from(answer.json()["decision"] == true);
            }
            answers
        })
    });
    let asks: Vec<_> = asks.collect();
    assert_eq!(became(&activate(&story, "ola", &it).await), "active");
    let answers: Vec<(u16, Value)> = join_all(asks).await.into_iter().flat_map(Result::unwrap).collect();
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");

    let active = bundles(&story).await;
    let (activated, new) = (active["history"][0]["seq"].as_u64().unwrap(), active["active"].as_str().unwrap());
    let old = active["history"][1]["bundle"].as_str().unwrap();
    let (mut seq, mut seen) = (0, [0u32; 2]);
    while let Some(record) = story.gate.app.stored_record(Log::Decisions, seq).unwrap() {
        let leaf: Value = serde_json::from_slice(&record.bytes).unwrap();
        let later = leaf["after"].as_u64().unwrap() > activated;
        let permitted = leaf["outcome"] == "permitted_by_scope";
        assert_eq!(leaf["bundle"].as_str(), Some(if later { new } else { old }), "{leaf}");
        assert_eq!(permitted, later, "{leaf}");
        seen[usize::from(later)] += 1;
        seq += 1;
    }
    assert!(seen[0] > 1 && seen[1] >= 40, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_bundles_that_are_activated_at_once_one_becomes_active() {
    let story = story().await;
    let mut other = wider();
    other.insert("README.md".to_owned(), "another one".to_owned());
    let (first, second) = (of(&propose(&story, "kit", &wider()).await), of(&propose(&story, "kit", &other).await));
    for it in [&first, &second] {
        assert_eq!(became(&activate(&story, "jun", it).await), "waiting");
    }
    let (one, two) = tokio::join!(activate(&story, "ola", &first), activate(&story, "ola", &second));
    let mut came = [became(&one), became(&two)];
    came.sort();
    assert_eq!(came, ["409 stale_list", "active"]);
    let list = bundles(&story).await;
    assert_eq!(list["history"].as_array().map(Vec::len), Some(2), "{list:#}");
    let winner = if one.status.is_success() { &first.0 } else { &second.0 };
    assert_eq!(list["active"].as_str(), Some(winner.as_str()));
}

#[tokio::test]
async fn a_sheet_of_the_bundle_before_is_voted_on_no_more() {
    let story = story().await;
    let id = story.ask(&write("asked"), None).await;
    let mara = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    let mut other = narrower();
    let forbid = "@id(\"nobody-deletes\") forbid (principal, action == Action::\"delete_journal\", resource);\n";
    other.insert("guardrails/writing.cedar".to_owned(), forbid.to_owned());
    let it = of(&propose(&story, "kit", &other).await);
    assert_eq!(became(&activate(&story, "kit", &it).await), "active");
    let cast = story.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &ballot).await;
    assert_eq!((cast.status.as_u16(), cast.code().as_str()), (409, "stale_sheet"), "{cast:?}");
    // On the sheet of now it counts.
    assert!(story.vote(&mara, &id, "approve", None).await.status.is_success());
    assert_eq!(story.evaluate(&write("asked")).await.json()["decision"], true);
}

//! Many at once: uses never exceed what was granted, and one link makes one session.

use proviso_tests::{Story, write_file};
use serde_json::json;

use super::{exception, granted, verdict};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_calls_at_once_use_no_more_than_was_granted() {
    proviso_tests::clauses!("c4-2-spent-twice");
    let story = std::sync::Arc::new(Story::begin().await);
    let (id, mara) = granted(&story).await;
    let calls = (0..16).map(|number| {
        let story = std::sync::Arc::clone(&story);
        tokio::spawn(async move {
            let call = write_file("report-writer", "/srv/files/reports/b.md", &format!("c{number}"));
            verdict(&story.evaluate(&call).await)
        })
    });
    let mut allowed = 0;
    for call in calls.collect::<Vec<_>>() {
        let (decision, reason) = call.await.unwrap();
        let expected = if decision { vec!["exception"] } else { vec!["approval_required", "contended"] };
        assert!(expected.contains(&reason.as_str()), "{reason}");
        allowed += u32::from(decision);
    }
    let used = proviso_tests::uses(&exception(&story, &mara, &id).await);
    assert_eq!(Some(u64::from(allowed)), used, "each allow is a use, each use an allow");
    assert!((1..=3).contains(&allowed), "{allowed} of 3 uses");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_link_at_two_browsers_makes_one_session() {
    let story = std::sync::Arc::new(Story::begin().await);
    let request = proviso::identity::MintRequest::Approver { user: "mara".to_owned() };
    let root = proviso::app::Operator { uid: 0, name: "root".to_owned() };
    let link = story.gate.app.mint(request, &root).await.unwrap().secret;
    let link = link.rsplit('#').next().unwrap_or_default().to_owned();
    let tries = (0..8).map(|_| {
        let (story, link) = (std::sync::Arc::clone(&story), link.clone());
        tokio::spawn(async move {
            story.gate.client.post("/api/v1/session", "", &json!({"link": link})).await.status.as_u16()
        })
    });
    let mut statuses = Vec::new();
    for attempt in tries.collect::<Vec<_>>() {
        statuses.push(attempt.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 401, 503].contains(status)), "{statuses:?}");
}

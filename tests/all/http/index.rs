//! An index of live grants that is wrong: too few or too many ids never allow (R3).

use std::sync::{Arc, Mutex};

use policy_core::entity::EntityRef;
use policy_core::grant::Grant;
use policy_core::shared::Shared;
use proviso::app::GrantIndex;
use proviso_tests::{Setup, Story, TestGate, write_file};

use super::{allowed, denied, verdict};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finds {
    Nothing,
    Everything,
    OnlyOthers,
    Unheard,
}

/// An index that says what a test wants.
struct WrongIndex {
    finds: Mutex<Finds>,
    grants: Mutex<Vec<(EntityRef, String, String)>>,
}

impl WrongIndex {
    fn say(&self, finds: Finds) {
        *self.finds.lock().expect("nobody panicked") = finds;
    }
}

impl GrantIndex for WrongIndex {
    fn insert(&self, grant: &Shared<Grant>) {
        let held = (grant.subject.clone(), grant.task.to_string(), grant.id.to_string());
        self.grants.lock().expect("nobody panicked").push(held);
    }

    // It never forgets, either: a grant that is over is still named.
    fn remove(&self, _: &Shared<Grant>) {}

    fn clear(&self) {}

    fn find(&self, subject: &EntityRef, task: &str) -> Vec<String> {
        let grants = self.grants.lock().expect("nobody panicked");
        let finds = *self.finds.lock().expect("nobody panicked");
        let found = grants.iter().filter(|(holder, held_in, _)| match finds {
            Finds::Nothing | Finds::Unheard => false,
            Finds::Everything => true,
            Finds::OnlyOthers => holder != subject || held_in != task,
        });
        let mut ids: Vec<_> = found.map(|(_, _, id)| id.clone()).collect();
        if finds == Finds::Unheard {
            ids.extend(["grant_0".to_owned(), String::new()]);
        }
        ids
    }
}

#[tokio::test]
async fn a_wrong_index_never_allows() {
    let index = Arc::new(WrongIndex { finds: Mutex::new(Finds::Everything), grants: Mutex::default() });
    let setup = Setup { index: Arc::<WrongIndex>::clone(&index), ..Setup::default() };
    let story = Story::on(TestGate::with(setup).await).await;
    let (id, mara) = super::granted(&story).await;
    let planner = story.gate.agent("close-planner", "weekly-report", Some("ines")).await;
    let other_task = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let ask = async |agent: &str, name: &str, call: &str| {
        let body = write_file(name, "/srv/files/reports/b.md", call);
        verdict(&story.gate.client.post_for("/access/v1/evaluation", &story.point, agent, &body).await)
    };
    for (number, finds) in
        [Finds::Everything, Finds::Nothing, Finds::OnlyOthers, Finds::Unheard].into_iter().enumerate()
    {
        index.say(finds);
        let call = format!("c{number}");
        assert_eq!(ask(&planner, "close-planner", &call).await, denied("approval_required"), "{finds:?}");
        assert_eq!(ask(&other_task, "report-writer", &call).await, denied("approval_required"), "{finds:?}");
        let own = ask(&story.agent, "report-writer", &call).await;
        let expected = if finds == Finds::Everything { allowed("exception") } else { denied("approval_required") };
        assert_eq!(own, expected, "{finds:?}");
    }
    // One that still names a grant which is over changes nothing.
    index.say(Finds::Everything);
    let grant = super::exception(&story, &mara, &id).await["exception"]["phase"]["grant"]["id"].clone();
    let path = format!("/api/v1/grants/{}/revoke", grant.as_str().expect("a grant"));
    let reason = serde_json::json!({"reason": "the task is over"});
    assert_eq!(story.gate.client.post(&path, &mara, &reason).await.json()["state"], "revoked");
    assert_eq!(ask(&story.agent, "report-writer", "c9").await, denied("approval_required"));
}

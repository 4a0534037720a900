//! Another policy module: tried on what was asked, agreed to by two people, and run by no start before that.

use std::path::Path;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy_core::digest::Digest;
use proviso::gate::PolicyModule;
use proviso_tests::{Answer, Setup, Story, TestGate, copy_folder, module};
use serde_json::{Value, json};

use super::{activate, became, bundles, files, of, story};

/// A module that answers as the built one does and is another: a section without meaning stands behind it.
fn other() -> &'static PolicyModule {
    static OTHER: OnceLock<PolicyModule> = OnceLock::new();
    OTHER.get_or_init(|| {
        let bytes = [&*module().bytes(), &[0, 2, 1, b'x']].concat();
        PolicyModule::load(&bytes, Digest::of(&bytes), None).unwrap()
    })
}

async fn propose(story: &Story, bytes: &[u8]) -> Answer {
    let kit = story.gate.person("kit").await;
    let body = json!({"module": STANDARD.encode(bytes), "reason": "a release"});
    story.client.post("/api/v1/modules", &kit, &body).await
}

/// A start with this module, where agents and gate do not share a user.
async fn start(data: &Path, module: &PolicyModule) -> Result<(), String> {
    let setup = Setup { bundle: files(), single_user: false, module: Some(module.clone()), ..Setup::default() };
    TestGate::open(setup, data).await.map(drop).map_err(|error| error.code().to_owned())
}

fn copy(of: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(of, &folder.path().join("data")).unwrap();
    folder
}

#[tokio::test]
async fn another_module_runs_when_two_people_have_activated_it_and_not_before() {
    let story = story().await;
    let before = copy(story.gate.data());
    assert_eq!(start(&before.path().join("data"), other()).await, Err("other_module".to_owned()));
    assert_eq!(start(&before.path().join("data"), module()).await, Ok(()), "the one that ran before runs");

    let proposed = propose(&story, &other().bytes()).await;
    let reply = proposed.json();
    assert_eq!((&reply["proposal"]["is_module"], &reply["proposal"]["needs"]), (&json!(true), &json!(2)), "{reply:#}");
    let (list, digest) = (&reply["list"], json!(other().digest()));
    assert_eq!((&list["other_module"], &list["narrower"]), (&digest, &json!(false)), "{list:#}");
    assert_eq!((&list["asked"]["questions"], &list["counts"], &reply["files"]), (&json!(1), &json!({}), &json!([])));
    let it = of(&proposed);
    assert_eq!(became(&activate(&story, "kit", &it).await), "403 not_the_proposer");
    assert_eq!(became(&activate(&story, "jun", &it).await), "waiting");
    let waiting = copy(story.gate.data());
    assert_eq!(start(&waiting.path().join("data"), other()).await, Err("other_module".to_owned()));
    assert_eq!(became(&activate(&story, "ola", &it).await), "active");
    let told = bundles(&story).await;
    assert_eq!((&told["next_module"], &told["module"]), (&digest, &json!(module().digest())), "{told:#}");

    let after = copy(story.gate.data());
    assert_eq!(start(&after.path().join("data"), module()).await, Ok(()), "the program of before still starts");
    let after = copy(story.gate.data());
    assert_eq!(start(&after.path().join("data"), other()).await, Ok(()));
    let again = copy(&after.path().join("data"));
    assert_eq!(start(&again.path().join("data"), other()).await, Ok(()), "and again");
    // Back is another module, too.
    let back = copy(&after.path().join("data"));
    assert_eq!(start(&back.path().join("data"), module()).await, Err("other_module".to_owned()));
}

#[tokio::test]
async fn what_was_agreed_to_for_the_next_start_is_taken_back_by_the_same_rule() {
    let story = story().await;
    let it = of(&propose(&story, &other().bytes()).await);
    for person in ["jun", "ola"] {
        activate(&story, person, &it).await;
    }
    assert_eq!(bundles(&story).await["next_module"], json!(other().digest()));
    let back = of(&propose(&story, &module().bytes()).await);
    assert_eq!(became(&activate(&story, "jun", &back).await), "waiting");
    assert_eq!(became(&activate(&story, "ola", &back).await), "active");
    assert_eq!(bundles(&story).await.get("next_module"), None);
    let after = copy(story.gate.data());
    assert_eq!(start(&after.path().join("data"), other()).await, Err("other_module".to_owned()));
    // With a flag of the start neither, once people have decided.
    let setup = Setup { bundle: files(), module: Some(other().clone()), ..Setup::default() };
    let refused = TestGate::open(setup, &copy(story.gate.data()).path().join("data")).await;
    assert_eq!(refused.map(drop).map_err(|error| error.code().to_owned()), Err("other_module".to_owned()));
}

#[tokio::test]
async fn what_is_no_policy_module_is_not_proposed() {
    let story = story().await;
    let running = propose(&story, &module().bytes()).await;
    assert_eq!(became(&running), "409 already_active");
    let import = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x07\x01\x01a\x01b\0\0";
    for bytes in [&b"none"[..], b"", b"\0asm\x01\0\0\0", import] {
        assert_eq!(became(&propose(&story, bytes).await), "400 module_unusable");
    }
    let kit = story.gate.person("kit").await;
    let body = json!({"module": "***", "reason": "no base64"});
    assert_eq!(became(&story.client.post("/api/v1/modules", &kit, &body).await), "400 module_unusable");
    let told: Value = bundles(&story).await;
    assert_eq!((&told["proposals"], told.get("next_module")), (&json!([]), None), "{told:#}");
}

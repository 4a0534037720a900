//! What an operator's start does to the active bundle, where people activate bundles and where nobody else could.

use std::collections::BTreeMap;
use std::path::Path;

use proviso_tests::{Setup, TestGate, copy_folder};

use super::{files, parents, wider, with_entities};

/// A start over a copy of a record, as after a restart. Agents and gate do not share a user.
async fn start(record: &Path, bundle: BTreeMap<String, String>, activate: bool) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    copy_folder(record, &data).unwrap();
    let setup = Setup { bundle, activate, single_user: false, ..Setup::default() };
    TestGate::open(setup, &data).await.map(drop).map_err(|error| error.code().to_owned())
}

#[tokio::test]
async fn where_two_people_may_activate_whoever_restarts_the_gate_may_not() {
    let first = TestGate::with(Setup { bundle: files(), ..Setup::default() }).await;
    assert_eq!(start(first.data(), wider(), true).await, Err("people_activate".to_owned()));
    assert_eq!(start(first.data(), wider(), false).await, Err("bundle_not_activated".to_owned()));
    assert_eq!(start(first.data(), files(), false).await, Ok(()));
    // On a gate that everything may be done at by one user, and at which people never activated anything, this may be.
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    copy_folder(first.data(), &data).unwrap();
    TestGate::open(Setup { bundle: wider(), activate: true, ..Setup::default() }, &data).await.unwrap();
}

#[tokio::test]
async fn where_fewer_than_two_may_the_operator_does() {
    let one = |files| {
        with_entities(files, |entities| {
            for id in ["jun", "ola"] {
                parents(entities, id).retain(|parent| parent["id"] != "administrators");
            }
        })
    };
    let mut nobody = files();
    nobody.retain(|path, _| !path.starts_with("console/"));
    for before in [one(files()), nobody] {
        let first = TestGate::with(Setup { bundle: before, ..Setup::default() }).await;
        assert_eq!(start(first.data(), wider(), true).await, Ok(()));
        assert_eq!(start(first.data(), wider(), false).await, Err("bundle_not_activated".to_owned()));
    }
}

#[tokio::test]
async fn where_people_have_activated_a_flag_takes_nothing_away_from_them() {
    let story = super::story().await;
    let it = super::of(&super::propose(&story, "kit", &super::narrower()).await);
    assert_eq!(super::became(&super::activate(&story, "kit", &it).await), "active");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    copy_folder(story.gate.data(), &data).unwrap();
    let refused = TestGate::open(Setup { bundle: wider(), activate: true, ..Setup::default() }, &data).await;
    assert_eq!(refused.map(drop).map_err(|error| error.code().to_owned()), Err("people_activate".to_owned()));
}

#[tokio::test]
async fn where_nobody_can_tell_who_may_it_is_not_the_operator() {
    let mut later = files();
    let text = later.get_mut("console/administrator.cedar").unwrap();
    let when = "resource is Proviso::ThisGate\n) when { context.now >= datetime(\"2040-01-01\") };";
    *text = text.replacen(
        "action == Proviso::Action::\"activate\",\n  resource is Proviso::ThisGate\n);",
        &format!("action == Proviso::Action::\"activate\",\n  {when}"),
        1,
    );
    assert!(text.contains("2040"));
    // Nobody of that bundle may activate in any week that is tried, so that another permit makes it load.
    text.push_str("@id(\"one-activates\") permit (principal == User::\"kit\", action == Proviso::Action::\"activate\", resource);");
    let first = TestGate::with(Setup { bundle: later, ..Setup::default() }).await;
    assert_eq!(start(first.data(), wider(), true).await, Err("people_activate".to_owned()));
}

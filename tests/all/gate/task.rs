//! `proviso task end`: an operator ends what an agent works on.

use proviso_tests::{Binary, write_file};

use super::{failure, parties};

#[tokio::test]
async fn an_operator_ends_a_task_and_what_hangs_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let parties = parties(&gate);
    let draft = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    assert_eq!(parties.evaluate(&draft).await.json()["decision"], true);
    let data = data.display().to_string();
    let end = |task: &str| Binary::run(&["task", "end", task, "--reason", "done", "--json", "--data", &data]);
    assert_eq!(failure(&end("unheard-of")), (Some(65), "no_such_task".to_owned()));
    let ended = end("weekly-report");
    assert!(ended.status.success(), "{ended:?}");
    let reply = parties.evaluate(&draft).await.json();
    assert_eq!(reply["context"]["reason"], "locked", "{reply}");
}

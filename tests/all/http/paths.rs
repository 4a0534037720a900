//! Paths that try to leave the folder that was approved, and text that tries to be more than text.

use proviso_tests::{Story, write_file};
use serde_json::json;

use super::{allowed, denied, granted, verdict};

#[tokio::test]
async fn no_spelling_of_a_path_leaves_the_approved_folder() {
    proviso_tests::clauses!("c4-6-paths", "c4-6-invisible");
    let story = Story::begin().await;
    granted(&story).await;
    for (number, path) in [
        "/srv/files/reports/../secrets/x",
        "/srv/files/reports/..",
        "/srv/files/reports/./x",
        "/srv/files/reports//x",
        "/srv/files//reports/x",
        "/srv/files/reports/",
        "//srv/files/reports/x",
        "~/x",
        "/srv/files/reports/~/x",
        " /srv/files/reports/x",
        "/srv/files/reports/x ",
        "/srv/files/ reports/x",
        "reports/x",
        "./reports/x",
        "",
        "/srv/files/reports\\..\\x",
        "/srv/files/reports/x\u{0}",
        "/srv/files/reports/x\n",
        "/srv/files/reports/\u{202e}x",
        "file:///srv/files/reports/x",
    ]
    .into_iter()
    .enumerate()
    {
        let answer = story.evaluate(&write_file("report-writer", path, &format!("c{number}"))).await;
        assert_eq!(verdict(&answer), denied("bad_input"), "{path:?}");
    }
    for path in [
        "/srv/files/reportsx/a.md",
        "/srv/files/report",
        "/srv/files/other.md",
        "/srv/files/*",
        "/srv/files/Reports/a.md",
    ] {
        let answer = story.evaluate(&write_file("report-writer", path, "beside")).await;
        assert_eq!(verdict(&answer), denied("approval_required"), "{path}");
    }
    for path in ["/srv/files/reports/.hidden", "/srv/files/reports/../../../etc/passwd", "/etc/passwd"] {
        let answer = story.evaluate(&write_file("report-writer", path, "guarded")).await;
        assert!(!verdict(&answer).0, "{path}");
    }
    let answer = story.evaluate(&write_file("report-writer", "/srv/files/reports/deep/b.md", "good")).await;
    assert_eq!(verdict(&answer), allowed("exception"));
}

#[tokio::test]
async fn a_star_or_a_quote_in_a_path_is_a_character_like_others() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    for (folder, own, others) in [
        ("/srv/files/re*", "/srv/files/re*/x.md", ["/srv/files/reports/x.md", "/srv/files/re/x.md"]),
        ("/srv/files/a\"b", "/srv/files/a\"b/x.md", ["/srv/files/a/x.md", "/srv/files/ab/x.md"]),
        ("/srv/files/*", "/srv/files/*/x.md", ["/srv/files/reports/x.md", "/srv/files/x.md"]),
    ] {
        let id = story.ask(&write_file("report-writer", own, "ask"), Some(folder)).await;
        let answer = story.vote(&mara, &id, "approve", None).await;
        assert_eq!(answer.json()["state"], "granted", "{answer:?}");
        let answer = story.evaluate(&write_file("report-writer", own, &format!("own-{}", folder.len()))).await;
        assert_eq!(verdict(&answer), allowed("exception"), "{own}");
        for other in others {
            let answer = story.evaluate(&write_file("report-writer", other, "other")).await;
            assert_eq!(verdict(&answer), denied("approval_required"), "{other} under {folder}");
        }
    }
}

#[tokio::test]
async fn a_folder_that_is_no_normal_path_cannot_be_asked_for() {
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let body = story.evaluate(&call).await.json();
    let offered = &body["context"]["access_request"]["display"]["scope"];
    for folder in ["/srv/files/reports/", "/srv/files/reports/..", "reports", "~", "", "/srv/files/reports/../reports"]
    {
        let scope = proviso_tests::inside(offered, folder, 1);
        let answer = story.request(&story.request_body(&call, &body, Some(scope))).await;
        assert_eq!(super::refusal(&answer), super::refused(400, "bad_scope"), "{folder}");
    }
    let mut scope = offered.clone();
    scope["arguments"] = json!([{"at": ["path"], "op": "inside", "path": "/srv/files/elsewhere"}]);
    let answer = story.request(&story.request_body(&call, &body, Some(scope))).await;
    assert_eq!(answer.status.as_u16(), 400, "a scope that does not cover the refused call: {answer:?}");
}

//! What each role is shown: the arguments of others are told to nobody who may not see them, in no reply, no stream and
//! no file; and who may not see them decides on nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use proviso_tests::{Story, as_person, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{CANARY, folder, story, tells, write};

/// A grant, an open request that somebody asked about, and a review's worth of words, each quoting the arguments.
async fn played(story: &Story) -> (String, String) {
    let granted = story.ask(&write("a.md", "s1"), Some(&folder())).await;
    let mara = story.gate.person("mara").await;
    let voted = story.vote(&mara, &granted, "approve", None).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    let used = story.evaluate(&write("b.md", "s2")).await;
    assert_eq!(used.json()["decision"], true, "{used:?}");
    let body = write_file("report-writer", &format!("/srv/files/other/{CANARY}.md"), "s3");
    let open = story.ask(&body, None).await;
    let mut ballot = story.ballot(&mara, &open, "ask", None).await;
    ballot["reason"] = json!(format!("why {CANARY}?"));
    let asked = story.client.post(&format!("/api/v1/exceptions/{open}/votes"), &mara, &ballot).await;
    assert!(asked.status.is_success(), "{asked:?}");
    (granted, open)
}

/// Every address that a person reads, of these two exceptions.
fn addresses(granted: &str, open: &str) -> Vec<String> {
    let mut all = vec!["/api/v1/exceptions".to_owned(), "/api/v1/locks".to_owned()];
    for of in ["/api/v1/reviews", "/api/v1/findings", "/api/v1/record", "/api/v1/session", "/api/v1/deputies"] {
        all.push(of.to_owned());
    }
    all.extend(["", "?log=ledger", "?limit=200"].map(|query| format!("/api/v1/record/lines{query}")));
    for id in [granted, open] {
        for of in ["", "/sheet", "/questions"] {
            all.push(format!("/api/v1/exceptions/{id}{of}"));
        }
    }
    for format in ["json", "csv", "ocsf"] {
        all.push(format!("/api/v1/record/export?format={format}"));
    }
    all.extend(
        (0..40)
            .flat_map(|seq| ["ledger", "decisions-main"].map(|log| format!("/api/v1/logs/{log}/records/{seq}/proof"))),
    );
    all
}

/// Which addresses tell somebody the arguments.
async fn telling(story: &Story, user: &str, addresses: &[String]) -> Vec<String> {
    let person = story.gate.person(user).await;
    let mut found = Vec::new();
    for address in addresses {
        let answer = story.client.get(address, Some(&person)).await;
        // A receipt holds what it discloses in base64.
        let decoded = answer.text.split_whitespace().filter_map(|word| STANDARD.decode(word).ok());
        let decoded: Vec<u8> = decoded.flatten().collect();
        if tells(&answer.text) || tells(&String::from_utf8_lossy(&decoded)) {
            found.push(address.clone());
        }
    }
    found
}

#[tokio::test]
async fn arguments_are_told_to_those_alone_who_may_see_them() {
    let story = story().await;
    let (granted, open) = played(&story).await;
    let addresses = addresses(&granted, &open);
    for (user, role) in [("vera", "auditor"), ("sol", "operator"), ("kit", "administrator"), ("zoe", "stranger")] {
        assert_eq!(telling(&story, user, &addresses).await, [] as [String; 0], "{role}");
    }
    // The same addresses tell them to those who may: else nothing was looked for above.
    let of_mara = telling(&story, "mara", &addresses).await;
    for of in ["/api/v1/exceptions".to_owned(), format!("/api/v1/exceptions/{open}/sheet")] {
        assert!(of_mara.contains(&of), "{of}: {of_mara:?}");
    }
    assert!(of_mara.iter().any(|address| address.contains("/proof")), "{of_mara:?}");
    // Who asks sees the own request; tom owns the agent and is an approver besides.
    assert!(!telling(&story, "ines", &addresses).await.is_empty());
}

#[tokio::test]
async fn who_may_export_takes_arguments_along_only_where_they_may_see_them() {
    let mut console = super::presets();
    let more = "@id(\"vera-sees\") permit (principal == User::\"vera\", action == Proviso::Action::\"view_arguments\", \
                resource is Agent) when { context has action && context.action == \"write_file\" };";
    console.insert("console/more.cedar".to_owned(), more.to_owned());
    let setup = proviso_tests::Setup { bundle: super::bundle(console), ..proviso_tests::Setup::default() };
    let story = Story::on(proviso_tests::TestGate::with(setup).await).await;
    played(&story).await;
    let other = proviso_tests::post_rows("report-writer", "finance/ledger-eu", 777_123, "s9");
    let denied = story.evaluate(&other).await;
    assert_eq!(denied.json()["decision"], false, "{denied:?}");
    let vera = story.gate.person("vera").await;
    let export = story.client.get("/api/v1/record/export?format=json", Some(&vera)).await;
    assert!(tells(&export.text));
    // Of another action she takes the record along, and not what it was made with.
    assert!(!export.text.contains("777123"), "arguments of an action that nobody lets her see");
    assert!(export.text.lines().filter(|line| line.contains("\"log\"")).count() > 5, "{}", export.text);
    let check = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(check.path(), &export.text).unwrap();
    let csv = story.client.get("/api/v1/record/export?format=csv", Some(&vera)).await;
    assert!(csv.text.contains("post_journal"), "the record itself is told: {}", csv.text);
}

#[tokio::test]
async fn what_is_hidden_is_said_to_be_and_nothing_else_is_lost() {
    let story = story().await;
    let (granted, open) = played(&story).await;
    let vera = story.gate.person("vera").await;
    let detail = story.client.get(&format!("/api/v1/exceptions/{granted}"), Some(&vera)).await.json();
    assert_eq!(detail["hidden"], json!(["view_arguments"]), "{detail:#}");
    assert_eq!(detail["state"], "granted");
    assert!(detail["history"].as_array().unwrap().len() > 3, "an auditor reads what happened: {detail:#}");
    assert_eq!(detail["says"], "write_file on Volume::files; what with is not shown to you");
    assert_eq!(detail["allowed"]["revoke"], json!({"no": "not_permitted_here"}));
    let sol = story.gate.person("sol").await;
    let detail = story.client.get(&format!("/api/v1/exceptions/{open}"), Some(&sol)).await.json();
    assert_eq!(detail["hidden"], json!(["view_arguments", "view_record"]));
    assert_eq!(detail["history"], json!([]));
    let mara = story.gate.person("mara").await;
    let detail = story.client.get(&format!("/api/v1/exceptions/{open}"), Some(&mara)).await.json();
    assert_eq!(detail.get("hidden"), None);
    for (user, expected) in [("zoe", vec![]), ("vera", vec!["view", "view_record", "export", "investigate"])] {
        let person = story.gate.person(user).await;
        let session = story.client.get("/api/v1/session", Some(&person)).await.json();
        assert_eq!(session["may"], json!(expected), "{user}");
    }
}

#[tokio::test]
async fn lists_hold_what_one_may_see() {
    let story = story().await;
    played(&story).await;
    let count = async |user: &str| {
        let person = story.gate.person(user).await;
        story.client.get("/api/v1/exceptions", Some(&person)).await.json()["exceptions"].as_array().unwrap().len()
    };
    for (user, expected) in [("mara", 2), ("vera", 2), ("ines", 2), ("sol", 2), ("kit", 0), ("zoe", 0)] {
        assert_eq!(count(user).await, expected, "{user}");
    }
}

/// The exceptions that a stream names to somebody, until it has told of everything up to a position.
async fn hears(story: &Story, user: &str, act: impl AsyncFnOnce() -> String) -> bool {
    let person = story.gate.person(user).await;
    let stream = as_person(story.client.request(Method::GET, "/api/v1/events"), &person).send().await.unwrap();
    let mut stream = stream.bytes_stream();
    let first = stream.next().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("missed"));
    let id = act().await;
    // Of nobody's exception, and for everybody: what came before it has been told.
    let end = story.client.get("/api/v1/session", Some(&person)).await;
    assert!(end.status.is_success());
    let other = story.gate.person("ola").await;
    drop(other);
    let mut heard = String::new();
    while let Some(Ok(bytes)) = stream.next().await {
        heard.push_str(&String::from_utf8_lossy(&bytes));
        let last = story.gate.app.record().logs.iter().find(|log| log.log == "ledger").unwrap().size;
        if heard.contains(&format!("\"position\":{last}")) {
            break;
        }
    }
    heard.contains(&id)
}

#[tokio::test]
async fn a_stream_tells_of_an_exception_to_those_who_may_see_it() {
    let story = story().await;
    let ask = async |name: &str| story.ask(&write(name, name), None).await;
    assert!(hears(&story, "mara", async || ask("e1.md").await).await);
    assert!(!hears(&story, "zoe", async || ask("e2.md").await).await);
    assert!(!hears(&story, "kit", async || ask("e3.md").await).await);
    assert!(hears(&story, "sol", async || ask("e4.md").await).await);
}

#[tokio::test]
async fn who_may_not_see_the_arguments_does_not_vote_on_them() {
    // Jun decides on the ledger by `approval/approve/`, and here by `console/`, but sees nothing of it.
    let mut console = super::presets();
    let more = "@id(\"jun-votes-blind\") permit (principal == User::\"jun\", \
                action in [Proviso::Action::\"view\", Proviso::Action::\"vote\"], resource);";
    console.insert("console/more.cedar".to_owned(), more.to_owned());
    let setup = proviso_tests::Setup { bundle: super::bundle(console), ..proviso_tests::Setup::default() };
    let gate = proviso_tests::TestGate::with(setup).await;
    let story = Story::on(gate).await;
    let id = story.ask(&proviso_tests::post_rows("report-writer", "finance/ledger-eu", 9, "v1"), None).await;
    let (mara, jun) = (story.gate.person("mara").await, story.gate.person("jun").await);
    // What takes two approvers waits for two administrators.
    story.gate.person("kit").await;
    // The ballot that mara's page would send, with everything right but whose it is.
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    let votes = format!("/api/v1/exceptions/{id}/votes");
    let answer = story.client.post(&votes, &jun, &ballot).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "not_permitted_here"), "{answer:?}");
    assert!(answer.json()["detail"].as_str().unwrap().contains("see the arguments"), "{answer:?}");
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&jun)).await.json();
    assert_eq!(detail["allowed"]["approve"], json!({"no": "not_permitted_here"}), "{detail:#}");
    assert_eq!(list_needs(&story, &jun).await, json!([false]));
    let answer = story.client.post(&votes, &mara, &ballot).await;
    assert!(answer.status.is_success(), "{answer:?}");
}

async fn list_needs(story: &Story, person: &str) -> Value {
    let list = story.client.get("/api/v1/exceptions", Some(person)).await.json();
    list["exceptions"].as_array().unwrap().iter().map(|line| line["needs_me"].clone()).collect()
}

#[tokio::test]
async fn a_sheet_tries_the_denials_of_those_alone_whose_arguments_one_may_see() {
    let mut console = super::presets();
    // A team that sees one agent, and decides on it.
    let more = "@id(\"team\") permit (principal == User::\"mara\", \
                action in [Proviso::Action::\"view\", Proviso::Action::\"view_arguments\", Proviso::Action::\"vote\"], \
                resource == Agent::\"spiffe://acme.example/agent/report-writer\");";
    console.remove("console/approver.cedar");
    console.insert("console/more.cedar".to_owned(), more.to_owned());
    let setup = proviso_tests::Setup { bundle: super::bundle(console), ..proviso_tests::Setup::default() };
    let gate = proviso_tests::TestGate::with(setup).await;
    let story = Story::on(gate).await;
    // Another team's agent is refused the like, with arguments of its own.
    let other = story.gate.agent("close-planner", "close", Some("ines")).await;
    let call = write_file("close-planner", "/srv/files/others/secret.md", "t1");
    let refused = story.client.post_for("/access/v1/evaluation", &story.point, &other, &call).await;
    assert_eq!(refused.json()["decision"], false, "{refused:?}");
    let id = story.ask(&write("mine.md", "t2"), None).await;
    let mara = story.gate.person("mara").await;
    let questions = story.client.get(&format!("/api/v1/exceptions/{id}/questions"), Some(&mara)).await;
    assert!(tells(&questions.text) && !questions.text.contains("secret.md"), "{questions:?}");
    // What she was shown is what her vote is held against.
    let voted = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
}

#[tokio::test]
async fn what_is_said_of_another_teams_agent_is_not_read_by_its_record() {
    let mut console = super::presets();
    // Vera reads the record of the gate as a whole, and of no agent but one.
    console.insert(
        "console/auditor.cedar".to_owned(),
        "@id(\"gate\") permit (principal == User::\"vera\", action in [Proviso::Action::\"view_record\", \
         Proviso::Action::\"export\"], resource) when { !(resource is Agent) || resource.owner != User::\"tom\" };"
            .to_owned(),
    );
    let setup = proviso_tests::Setup { bundle: super::bundle(console), ..proviso_tests::Setup::default() };
    let story = Story::on(proviso_tests::TestGate::with(setup).await).await;
    let (tom, vera) = (story.gate.person("tom").await, story.gate.person("vera").await);
    let agent = format!("{}report-writer", proviso_tests::AGENTS);
    let lock = json!({"target": {"subject": {"type": "Agent", "id": agent}}, "reason": format!("it read {CANARY}")});
    let locked = story.client.post("/api/v1/locks", &tom, &lock).await;
    assert!(locked.status.is_success(), "{locked:?}");
    let addresses = addresses("none", "none");
    assert_eq!(telling(&story, "vera", &addresses).await, [] as [String; 0]);
    assert!(telling(&story, "tom", &addresses).await.contains(&"/api/v1/locks".to_owned()), "it is there to be told");
    let export = story.client.get("/api/v1/record/export?format=json", Some(&vera)).await;
    assert!(export.status.is_success(), "{export:?}");
}

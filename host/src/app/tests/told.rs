//! Who is told: whom policy names for the request, and nobody twice.

use super::super::Settings;
use super::super::testing::FakeClock;
use super::notify::{Telling, deliveries, open, to_sink, webhook};
use super::*;
use crate::notify::Notify;
use crate::notify::testing::HttpSink;
use crate::until::until;

const RELEASE: &str = "spiffe://acme.example/agent/release-bot";

fn restart() -> EvaluationRequest {
    let context = json!({"input": {"service": "storefront"}, "proviso.dev/server": "deploy"});
    let Value::Object(context) = context else { unreachable!() };
    EvaluationRequest {
        subject: Entity { kind: "Agent".into(), id: RELEASE.into(), properties: Map::new() },
        action: Action { name: "restart_service".into(), properties: Map::new() },
        resource: Entity { kind: "Service".into(), id: "storefront".into(), properties: Map::new() },
        context,
    }
}

/// Release-bot behind an enforcement point for what runs.
async fn releaser(app: &App) -> Caller {
    let minted =
        async |request: MintRequest| app.authenticate(&app.mint(request, &ROOT).await.unwrap().secret).unwrap();
    let agent = MintRequest::Agent {
        subject: EntityRef::new("Agent", RELEASE),
        task: "release".to_owned(),
        via: Vec::new(),
        on_behalf: Some("ines".to_owned()),
        resource: None,
    };
    let point = MintRequest::EnforcementPoint {
        name: "deploys".to_owned(),
        subjects: "Agent::spiffe://acme.example/*".to_owned(),
        servers: vec!["deploy".to_owned()],
        vouches: false,
        resource: None,
    };
    Caller { agent: minted(agent).await, point: minted(point).await }
}

/// Opens a gate whose policy for restarts is changed in these words.
async fn changed(notify: &Notify, words: &[(&str, &str)]) -> Gate {
    let clock = FakeClock::new("2026-11-22T12:00:00Z");
    let change = |settings: &mut Settings| {
        settings.channels = notify.channels();
        let policy = settings.bundle.get_mut("approval/request/services.cedar").unwrap();
        for (from, to) in words {
            assert!(policy.contains(from), "{from}");
            *policy = policy.replace(from, to);
        }
    };
    Gate::open(Arc::new(tempfile::tempdir().unwrap()), clock, change).await.unwrap()
}

/// Whom a restart of production is told to: the groups of the message, and which of these receivers hear of it.
async fn told_of_a_restart(words: &[(&str, &str)]) -> (Value, [usize; 3]) {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [
        HttpSink::start(Some("200 OK")).await,
        HttpSink::start(Some("200 OK")).await,
        HttpSink::start(Some("200 OK")).await,
    ];
    let of = |sink: &HttpSink, group: &str| {
        let groups = format!("groups = [\"{group}\"]\nallow = [\"127.0.0.0/8\"]");
        webhook(&folder, group, &format!("http://{}/", sink.address), &groups)
    };
    let all = HttpSink::start(Some("200 OK")).await;
    let [first, second, third] = &sinks;
    let file = [of(first, "operations"), of(second, "security"), of(third, "finance"), to_sink(&folder, "all", &all)];
    let notify = Notify::parse(&file.concat()).unwrap();
    let telling = Telling::on(changed(&notify, words).await, &notify).await;
    let caller = releaser(&telling.gate.app).await;
    caller.ask(&telling.gate.app, &restart(), None).await.unwrap();
    let whole = until("the one that hears all", async || all.heard().into_iter().next()).await;
    // Everybody has been told once nothing waits any more.
    let told = async || deliveries(&telling.gate, "waiting").await.is_empty().then_some(());
    until("the others have heard", told).await;
    // Those whom only eligibility names are told by a notice of its own, once it is due.
    telling.gate.app.tell_due().await;
    until("the others have heard", told).await;
    let event: Value = serde_json::from_slice(&whole.body).unwrap();
    (event["data"]["groups"].clone(), sinks.map(|sink| sink.heard().len()))
}

#[tokio::test]
async fn who_is_told_comes_from_policy_and_from_nothing_else() {
    // As it is: those of `@notify`.
    assert_eq!(told_of_a_restart(&[]).await, (json!(["operations"]), [1, 0, 0]));
    // `@notify` before `@groups`, where the two differ.
    let other = [("@notify(\"operations\")\n@escalate(\"security,approvers\")", "@notify(\"security\")")];
    assert_eq!(told_of_a_restart(&other).await, (json!(["security"]), [0, 1, 0]));
    // Without it those of `@groups`.
    let groups = [("@notify(\"operations\")\n@escalate(\"security,approvers\")\n", "")];
    assert_eq!(told_of_a_restart(&groups).await, (json!(["operations"]), [1, 0, 0]));
    // Without either whoever may approve: operations, and security for its high tier.
    let nobody = [
        ("@notify(\"operations\")\n@escalate(\"security,approvers\")\n", ""),
        (
            "@approvals(\"2\")\n@groups(\"operations\")\n@max_duration(\"30m\")",
            "@approvals(\"2\")\n@max_duration(\"30m\")",
        ),
    ];
    assert_eq!(told_of_a_restart(&nobody).await, (Value::Null, [1, 1, 0]));
}

#[tokio::test]
async fn a_repeat_that_folds_is_told_to_nobody() {
    let (folder, sink) = (tempfile::tempdir().unwrap(), HttpSink::start(Some("200 OK")).await);
    let notify = Notify::parse(&to_sink(&folder, "all", &sink)).unwrap();
    let telling = Telling::on(open(&notify).await, &notify).await;
    let app = &telling.gate.app;
    let caller = caller(app).await;
    let body = tool("write_file", "/srv/files/reports/q3.md", "ask");
    let id = caller.ask(app, &body, None).await.unwrap();
    for _ in 0..5 {
        assert_eq!(caller.ask(app, &body, None).await.unwrap(), id);
    }
    // The next request is told of: what was to be told before it has been.
    let other = caller.ask(app, &tool("write_file", "/srv/files/reports/q4.md", "ask"), None).await.unwrap();
    until("both are heard", async || (sink.heard().len() >= 2).then_some(())).await;
    until("nothing waits", async || deliveries(&telling.gate, "waiting").await.is_empty().then_some(())).await;
    let subjects: Vec<Value> = sink.heard().iter().map(|heard| serde_json::from_slice(&heard.body).unwrap()).collect();
    let subjects: Vec<&Value> = subjects.iter().map(|event| &event["subject"]).collect();
    assert_eq!(subjects, [&json!(id), &json!(other)], "once each");
}

//! Findings as others read them: in the OCSF export and on `/metrics`.

use policy_core::digest::Digest;

use super::*;

/// Says that a write ran that the gate was never asked about.
async fn ran(story: &Story, token: &str, name: &str) {
    let body = json!({
        "evidence_id": name,
        "phase": "executed",
        "subject": {"type": "Agent", "id": format!("{AGENTS}report-writer")},
        "action": "write_file",
        "server": "files",
        "input_digest": Digest::of_json(&json!({"path": format!("/srv/files/{name}.md")})).unwrap(),
        "started_at": story.gate.app.record().now,
    });
    let request = story.client.request(Method::POST, "/api/v1/executions").bearer_auth(token);
    let answer = Client::send(request.json(&body)).await;
    assert_eq!(answer.status.as_u16(), 204, "{answer:?}");
}

async fn act(story: &Story, person: &str, id: &Value, act: &str, body: Value) {
    let path = format!("/api/v1/findings/{}/{act}", id.as_str().expect("an id"));
    let answer = story.client.post(&path, person, Box::leak(Box::new(body))).await;
    assert!(answer.status.is_success(), "{act}: {answer:?}");
}

/// How many findings are told by their kind and strength, of those that there are.
async fn measured(story: &Story) -> Vec<String> {
    let text = story.client.get("/metrics", None).await.text;
    let told = text.lines().filter(|line| line.starts_with("proviso_findings{") && !line.ends_with(" 0"));
    told.map(|line| line.trim_start_matches("proviso_findings").to_owned()).collect()
}

#[tokio::test]
async fn findings_are_told_as_detections_and_counted_by_kind_and_strength() {
    let story = Story::begin().await;
    let ola = story.gate.person("ola").await;
    assert_eq!(measured(&story).await, Vec::<String>::new());
    ran(&story, &story.point, "seen").await;
    ran(&story, &story.agent, "said").await;
    story.gate.clock.advance(600);
    story.gate.app.reconcile().await.expect("compared");
    assert_eq!(
        measured(&story).await,
        [
            "{kind=\"ran_without_decision\",strength=\"reported\"} 1",
            "{kind=\"ran_without_decision\",strength=\"observed\"} 1"
        ]
    );
    let list = story.client.get("/api/v1/findings?state=unresolved", Some(&ola)).await.json();
    let of = |strength: &str| {
        let findings = list["findings"].as_array().expect("findings");
        findings.iter().find(|finding| finding["strength"] == strength).expect("a finding")["id"].clone()
    };
    let (seen, said) = (of("observed"), of("reported"));
    act(&story, &ola, &seen, "comments", json!({"words": "asked the team"})).await;
    act(&story, &ola, &seen, "state", json!({"state": "acknowledged", "note": "looking"})).await;
    act(&story, &ola, &seen, "state", json!({"state": "resolved", "outcome": "fixed", "note": "put right"})).await;
    assert_eq!(measured(&story).await, ["{kind=\"ran_without_decision\",strength=\"reported\"} 1"]);

    let told = events(&export(&story, &ola, "format=ocsf").await.text);
    for event in &told {
        let faults = schema::faults(event);
        assert!(faults.is_empty(), "{faults:?}: {event:#}");
    }
    let of_finding = |id: &Value| told.iter().filter(|event| event["finding_info"]["uid"] == *id).collect::<Vec<_>>();
    let detections = told.iter().filter(|event| event["class_uid"] == 2004).count();
    let steps = of_finding(&seen);
    assert_eq!(detections, steps.len() + of_finding(&said).len(), "each is of one of the two");
    let types: Vec<&Value> = steps.iter().map(|event| &event["type_uid"]).collect();
    assert_eq!(types, [200_401, 200_402, 200_402, 200_403]);
    let opened = steps[0];
    assert_eq!(
        (&opened["severity_id"], &opened["confidence_id"], &opened["is_alert"]),
        (&json!(4), &json!(3), &json!(true))
    );
    assert_eq!(opened["finding_info"]["types"], json!(["ran_without_decision"]));
    assert_eq!(opened["unmapped"]["ai_agent"]["uid"], format!("{AGENTS}report-writer"));
    let evidence = opened["finding_info"]["related_events"][0]["uid"].as_str().expect("what it rests on");
    assert!(told.iter().any(|event| event["metadata"]["uid"] == evidence), "`{evidence}` is in the same export");
    assert_eq!(steps[1]["comment"], json!("asked the team"));
    assert_eq!(steps[1]["unmapped"]["proviso"]["by"]["uid"], json!("User::ola"));
    assert_eq!((&steps[2]["status_id"], &steps[3]["status_id"]), (&json!(2), &json!(4)));
    let reported = of_finding(&said)[0];
    assert_eq!(
        (&reported["severity_id"], &reported["confidence_id"]),
        (&json!(2), &json!(1)),
        "somebody's word is no more"
    );

    // Of an agent its findings are told whole, of another agent none.
    let of_agent = async |agent: &str| {
        let told = events(&export(&story, &ola, &format!("format=ocsf&agent=Agent::{AGENTS}{agent}")).await.text);
        told.iter().filter(|event| event["class_uid"] == 2004).count()
    };
    assert_eq!((of_agent("report-writer").await, of_agent("intern-bot").await), (detections, 0));
}

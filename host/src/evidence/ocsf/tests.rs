use policy_core::digest::Digest;
use serde_json::{Value, json};

use super::*;

fn line(change: impl FnOnce(&mut Value)) -> String {
    let mut line = json!({
        "class_uid": 6003, "category_uid": 6, "type_uid": 600_301, "activity_id": 1, "severity_id": 1,
        "time": 1_795_348_800_000_i64, "start_time": 1_795_348_799_000_i64, "end_time": 1_795_348_800_500_i64,
        "status_id": 1,
        "metadata": {"version": "1.8.0", "uid": "w-1", "product": {"name": "files", "vendor_name": "Acme"}},
        "actor": {"app_uid": "Agent::spiffe://acme.example/agent/report-writer", "user": {"uid": "svc-7"}},
        "api": {
            "operation": "write_file", "service": {"name": "files"},
            "request": {"uid": "c1", "data": {"path": "/srv/files/a.md", "content": "hello"}},
        },
        "src_endpoint": {"hostname": "worker-3", "ip": "10.0.0.7"},
        "unmapped": {"proviso": {"task": "weekly-report"}, "other": {"a": [1]}},
        "observables": [],
    });
    change(&mut line);
    line.to_string()
}

fn one(change: impl FnOnce(&mut Value)) -> Result<(String, Said), String> {
    read(&line(change)).map(|mut all| all.remove(0)).map_err(|bad| bad.what)
}

#[test]
fn a_line_says_who_ran_what_when_and_where() {
    let (id, said) = one(|_| {}).unwrap();
    assert_eq!(id, "w-1");
    assert_eq!(said.subject, Some(EntityRef::new("Agent", "spiffe://acme.example/agent/report-writer")));
    assert_eq!((said.action.as_deref(), said.server.as_deref()), (Some("write_file"), Some("files")));
    assert_eq!((said.call.as_deref(), said.task.as_deref()), (Some("c1"), Some("weekly-report")));
    assert_eq!(said.host.as_deref(), Some("worker-3"));
    let digest = Digest::of_json(&json!({"content": "hello", "path": "/srv/files/a.md"})).unwrap();
    assert_eq!(said.input_digest, Some(digest));
    assert_eq!(said.started_at.map(Timestamp::millis), Some(1_795_348_799_000));
    assert_eq!(said.phase, ExecutionPhase::Executed);
    let (_, said) = one(|line| {
        line["status_id"] = json!(2);
        line["api"]["request"]["data"] = json!(r#"{"path":"/srv/files/a.md","content":"hello"}"#);
        for name in ["start_time", "end_time", "src_endpoint", "unmapped", "type_uid"] {
            line.as_object_mut().unwrap().remove(name);
        }
        line["actor"].as_object_mut().unwrap().remove("app_uid");
    })
    .unwrap();
    assert_eq!((said.phase, said.input_digest), (ExecutionPhase::Failed, Some(digest)));
    assert_eq!(said.subject, Some(EntityRef::new("", "svc-7")), "the bundle knows the type");
    assert_eq!(said.started_at.map(Timestamp::millis), Some(1_795_348_800_000));
}

#[test]
fn a_line_that_is_none_is_named_and_with_it_the_file_is_refused() {
    for (what, change) in [
        ("class", (|line| line["class_uid"] = json!(3002)) as fn(&mut Value)),
        ("type", |line| line["type_uid"] = json!(600_302)),
        ("no name", |line| drop(line["metadata"].as_object_mut().unwrap().remove("uid"))),
        ("nobody", |line| line["actor"] = json!({})),
        ("no actor", |line| drop(line.as_object_mut().unwrap().remove("actor"))),
        ("nothing", |line| line["api"] = json!({})),
        ("no time", |line| drop(line.as_object_mut().unwrap().remove("time"))),
        ("a time of long ago", |line| line["start_time"] = json!(-1)),
        ("seconds for a text", |line| line["time"] = json!("2026-11-29T10:00:00Z")),
        ("another digest", |line| line["unmapped"]["proviso"]["input_digest"] = json!("0".repeat(64))),
        ("a digest that is none", |line| line["unmapped"]["proviso"]["input_digest"] = json!("abc")),
        ("a member of ours that is none", |line| line["unmapped"]["proviso"]["grants"] = json!("g")),
    ] {
        let file = format!("{}\n\n{}\n{}\n", line(|_| {}), line(change), line(|_| {}));
        assert_eq!(read(&file).map_err(|bad| bad.line), Err(3), "{what}");
    }
    for twisted in ["", "{", "[]", "null", "{}{}", "{\"class_uid\":6003,\"class_uid\":6003}"] {
        let file = format!("{}\n{twisted}\n", line(|_| {}));
        let refused = read(&file).is_err();
        assert_eq!(refused, !twisted.is_empty(), "{twisted}");
    }
    let long = format!("{}\n", line(|line| line["message"] = json!("x".repeat(LONGEST))));
    assert!(read(&long).is_err());
}

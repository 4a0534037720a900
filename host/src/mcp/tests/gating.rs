//! Calls that the gate judges.

use policy_core::digest::Digest;
use proviso_api::operations::ExecutionPhase::{Executed, Failed, OutcomeUnknown, Sending};
use serde_json::{Value, json};

use super::passing::assert_refused;
use super::world::{
    World, away, bare, call, exception, guardrail, held, permitted, requestable, scope, stateless_call, value,
};
use crate::mcp::question::Question;
use crate::mcp::sentences::Failure;
use crate::mcp::session::{Answer, Ask, End, Input, Side};

const CANONICAL: &[u8] =
    br#"{"id":"1","jsonrpc":"2.0","method":"tools/call","params":{"arguments":{"a":"x","b":1},"name":"write"}}"#;

#[test]
fn a_permitted_call_is_announced_and_leaves_as_the_canonical_bytes_that_were_judged() {
    let mut world = World::listed(scope);
    world.client_says(&call("1"));
    assert_eq!(world.story, ["evaluate tools/call", "report sending", "upstream"], "the report is first");
    assert_eq!(world.upstream, [CANONICAL]);
    let question = world.questions()[0];
    assert_eq!((question.kind, question.id.as_str(), question.server.as_str()), ("tool", "write", "files"));
    assert_eq!(question.tool, Digest::of_json(&super::world::tool("write")).ok(), "as the upstream listed it");
    let Ask::Report(report) = &world.asks[1] else { panic!("a report") };
    assert_eq!(report.digest, Some(Digest::of(br#"{"a":"x","b":1}"#)));
    assert_eq!((report.evaluation_id.as_deref(), report.call.as_ref()), (Some("eval_1"), Some(&question.call)));

    let answer = br#"{"jsonrpc":"2.0", "id":"1","result":{"content":[ ]}}"#;
    world.upstream_line(answer);
    assert_eq!(world.client, [answer], "the answer as it came");
    assert_eq!(world.phases(), [Sending, Executed]);
}

#[test]
fn an_error_of_a_tool_is_reported_as_failed() {
    for answer in
        [json!({"result": {"isError": true, "content": []}}), json!({"error": {"code": -32602, "message": "no"}})]
    {
        let mut world = World::listed(scope);
        world.client_says(&call("1"));
        let mut answer = answer;
        answer["jsonrpc"] = "2.0".into();
        answer["id"] = "1".into();
        world.upstream_says(&answer);
        assert_eq!((world.phases(), world.told()), (vec![Sending, Failed], answer));
    }
}

#[test]
fn a_refused_call_comes_back_as_a_result_that_the_model_can_act_on() {
    let mut world = World::listed(requestable);
    world.client_says(&call("1"));
    assert!(world.upstream.is_empty());
    let result = &world.told()["result"];
    assert_eq!(result["isError"], json!(true));
    assert_eq!(result.get("resultType"), None);
    let sentence = result["content"][0]["text"].as_str().expect("a sentence");
    assert!(sentence.contains("`write` was not run") && sentence.contains("proviso_request"), "{sentence}");
    let context = &result["_meta"]["proviso.dev/context"];
    assert_eq!(context["access_request"]["expires_at"], json!("2026-11-22T16:15:00Z"));
    assert_eq!(context["evaluation_id"], json!("eval_1"));

    let mut world = World::listed(guardrail);
    world.client_says(&stateless_call("2", &json!({})));
    let result = &world.told()["result"];
    assert_eq!((&result["isError"], &result["resultType"]), (&json!(true), &json!("complete")));
    assert!(!result["content"][0]["text"].as_str().expect("a sentence").contains("proviso_request"));
    assert_eq!(result["_meta"]["proviso.dev/context"].get("access_request"), None);
}

#[test]
fn what_became_of_the_exception_is_said_before_the_offer() {
    let states = [
        ("not_active", "has not begun, so wait for its beginning"),
        ("suspended", "is suspended, since the policy has changed"),
        ("expired", "has expired; "),
        ("exhausted", "is used up; "),
        ("revoked", "was revoked, so do not count on the same again"),
        ("over_budget", "has too little left in its budget, so a smaller call may pass"),
        ("over_rate", "is being used too fast, so wait a while and repeat this call"),
        ("<b>made up</b>", "does not cover it now; "),
    ];
    for (state, told) in states {
        for offered in [true, false] {
            let mut arguments = json!({"a": state});
            if offered {
                arguments["b"] = json!(1);
            }
            let mut message = call("1");
            message["params"]["arguments"] = arguments.clone();
            let mut world = World::listed(held);
            world.client_says(&message);
            assert!(world.upstream.is_empty(), "{state}");
            let result = &world.told()["result"];
            let sentence = result["content"][0]["text"].as_str().expect("a sentence");
            let said = format!("`write` was not run: the exception that covered it {told}");
            assert!(sentence.starts_with(&said), "{state}: {sentence}");
            assert_eq!(sentence.contains("proviso_request"), offered, "{state}: {sentence}");
            assert!(!sentence.contains("grant_1"), "ids are data: {sentence}");
            let grant = json!({"id": "grant_1", "state": state});
            assert_eq!(result["_meta"]["proviso.dev/context"]["proviso.dev/grant"], grant);

            let mut world = World::listed(held);
            let check = json!({"name": "proviso_check", "arguments": {"tool": "write", "arguments": arguments}});
            world.client_says(&json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": check}));
            let checked = world.told()["result"]["content"][0]["text"].clone();
            let said = format!("the exception that covered it {told}");
            assert!(checked.as_str().is_some_and(|checked| checked.contains(&said)), "{state}: {checked}");
        }
    }
}

#[test]
fn what_does_not_fit_is_no_allow() {
    fn other(_: &Question) -> Result<Answer, Failure> {
        permitted(Digest::of(b"other arguments"), json!({"reason": "scope"}))
    }
    for (policy, code) in [
        (away as super::world::Policy, "gate_unreachable"),
        (bare, "allow_incomplete"),
        (other, "input_digest_differs"),
        (|_: &Question| Ok(Answer::Reported), "allow_incomplete"),
    ] {
        let mut world = World::listed(policy);
        world.client_says(&call("1"));
        assert!(world.upstream.is_empty(), "{code}");
        assert_eq!(world.told()["result"]["isError"], json!(true));
        assert_eq!(world.told()["result"]["_meta"]["proviso.dev/context"]["reason"], json!(code));
        assert!(world.phases().is_empty());
    }
}

#[test]
fn nothing_leaves_that_could_not_be_announced() {
    let mut world = World::listed(scope);
    world.record = false;
    world.client_says(&call("1"));
    assert!(world.upstream.is_empty() && world.told()["result"]["isError"] == json!(true));
}

#[test]
fn an_allow_is_good_for_its_seconds_only() {
    for (judging, announcing, leaves) in [(4_999, 0, true), (5_000, 0, false), (0, 4_999, true), (4_000, 1_000, false)]
    {
        let mut world = World::listed(scope);
        world.prompt = false;
        world.client_says(&call("1"));
        world.now += judging;
        world.release();
        world.now += announcing;
        world.release();
        assert_eq!(!world.upstream.is_empty(), leaves, "{judging} {announcing}");
        if !leaves {
            assert_eq!(world.told()["result"]["_meta"]["proviso.dev/context"]["reason"], json!("allow_lapsed"));
        }
    }
}

#[test]
fn what_would_travel_unjudged_is_refused() {
    let mut world = World::listed(scope);
    for (params, code) in [
        (json!({"name": "write", "arguments": {}, "extra": 1}), "unknown_member"),
        (json!({"name": "write", "arguments": [1]}), "bad_params"),
        (json!({"name": "write", "inputResponses": {"a": {}}}), "unknown_member"),
        (json!({"name": "proviso_none", "arguments": {}}), "no_such_tool"),
        (json!({"arguments": {}}), "bad_params"),
    ] {
        world.client_says(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
        assert_eq!(world.told()["error"]["code"], json!(-32602), "{params}");
        assert_refused(&world.told(), code);
    }
    assert!(world.upstream.is_empty() && world.asks.is_empty());
}

#[test]
fn a_cancelled_call_that_was_not_sent_is_never_sent() {
    let mut world = World::listed(scope);
    world.prompt = false;
    world.client_says(&call("1"));
    world.client_says(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "1"}}));
    world.release();
    world.release();
    assert!(world.upstream.is_empty() && world.client.is_empty());
}

#[test]
fn a_cancelled_call_that_was_sent_is_of_unknown_outcome() {
    let mut world = World::listed(scope);
    world.client_says(&call("1"));
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "1"}});
    world.client_says(&cancelled);
    assert_eq!(world.sent(), cancelled);
    assert_eq!(world.phases(), [Sending, OutcomeUnknown]);
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": "1", "result": {}}));
    assert!(world.client.is_empty(), "nobody waits any more");
}

#[test]
fn a_call_that_was_begun_and_not_finished_is_of_unknown_outcome() {
    type Going = fn(&mut World);
    let gone: [(Going, Option<End>); 5] = [
        (|world| world.input(Input::UpstreamClosed), Some(End::UpstreamClosed)),
        (|world| world.input(Input::ClientClosed), Some(End::ClientClosed)),
        (|world| world.upstream_line(br#"{"jsonrpc":"2.0","id":"1","result":{"a":1,"a":1}}"#), None),
        (|world| world.upstream_line(br#"{"jsonrpc":"2.0","id":"1","result":{"content"#), None),
        (|world| world.input(Input::TooLong(Side::Upstream, b"{\"jsonrpc\":\"2.0\"".to_vec())), None),
    ];
    for (gone, end) in gone {
        let mut world = World::listed(exception);
        world.client_says(&call("1"));
        gone(&mut world);
        assert_eq!(world.phases(), [Sending, OutcomeUnknown]);
        let result = &world.told()["result"];
        let sentence = result["content"][0]["text"].as_str().expect("a sentence");
        assert!(sentence.contains("unknown") && !sentence.contains("not run"), "{sentence}");
        assert_eq!(world.end, end);
    }
}

#[test]
fn what_was_not_sent_when_the_session_ends_was_not_run() {
    let mut world = World::listed(scope);
    world.prompt = false;
    world.client_says(&call("1"));
    world.input(Input::UpstreamClosed);
    assert!(world.told()["result"]["content"][0]["text"].as_str().expect("a sentence").contains("not run"));
    assert!(world.phases().is_empty());
}

#[test]
fn other_methods_leave_as_canonical_bytes_too() {
    let mut world = World::new(scope);
    world.client_line(
        br#"{"method":"resources/read", "jsonrpc":"2.0","id":1,"params":{"uri":"a:b","_meta":{"progressToken":1}}}"#,
    );
    let sent =
        br#"{"id":1,"jsonrpc":"2.0","method":"resources/read","params":{"_meta":{"progressToken":1},"uri":"a:b"}}"#;
    assert_eq!(world.upstream, [sent]);
    assert_eq!(world.questions()[0].input, Some(json!({"uri": "a:b"})));
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": 1, "result": {"contents": []}}));
    assert_eq!(world.phases(), [Sending, Executed]);
}

#[test]
fn calls_at_once_do_not_mix() {
    let mut world = World::listed(scope);
    world.client_says(&call("1"));
    world.client_says(&call("2"));
    for id in ["2", "1"] {
        world.upstream_says(&json!({"jsonrpc": "2.0", "id": id, "result": {"content": [id]}}));
    }
    let told: Vec<Value> = world.client.iter().map(|line| value(line)).collect();
    assert_eq!((&told[0]["result"]["content"][0], &told[1]["result"]["content"][0]), (&json!("2"), &json!("1")));
    let calls: Vec<&str> = world.questions().iter().map(|question| question.call.as_str()).collect();
    assert_ne!(calls[0], calls[1], "each call has an id of its own");
}

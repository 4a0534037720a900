//! What an upstream asks in the middle of a call.

use proviso_api::operations::ExecutionPhase::{Executed, OutcomeUnknown, Sending};
use serde_json::{Value, json};

use super::passing::assert_refused;
use super::world::{World, call, exception, guardrail, scope, stateless, stateless_call};
use crate::mcp::question::Question;
use crate::mcp::sentences::Failure;
use crate::mcp::session::{Answer, Input};

/// The call by an exception, its answers by nobody's leave.
fn no_answers(question: &Question) -> Result<Answer, Failure> {
    if question.action == "tools/call" { exception(question) } else { guardrail(question) }
}

/// The call by an exception, its answers by scope.
fn answers_in_scope(question: &Question) -> Result<Answer, Failure> {
    if question.action == "tools/call" { exception(question) } else { scope(question) }
}

fn elicitation() -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {"message": "Sure?"}})
}

fn accepted() -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "result": {"action": "accept", "content": {"z": 1.0, "a": 2}}})
}

pub fn input_required(id: &str, requests: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": {
        "resultType": "input_required", "inputRequests": requests, "requestState": "s1"
    }})
}

pub fn answered(id: &str) -> Value {
    stateless_call(id, &json!({"inputResponses": {"q": {"action": "accept"}}, "requestState": "s1"}))
}

#[test]
fn under_scope_questions_and_answers_pass_as_they_came() {
    let mut world = World::listed(scope);
    world.client_says(&call("1"));
    world.upstream_says(&elicitation());
    assert_eq!(world.told(), elicitation());
    let answer = br#"{ "jsonrpc":"2.0","id":7,"result":{"action":"accept"}}"#;
    world.client_line(answer);
    assert_eq!(world.upstream.last().map(Vec::as_slice), Some(answer.as_slice()));
    assert_eq!(world.questions().len(), 1, "part of that call");
    world.client_line(answer);
    assert_eq!(world.upstream.len(), 2, "answered once");
}

#[test]
fn under_an_exception_an_answer_is_a_question_of_its_own() {
    let mut world = World::listed(answers_in_scope);
    world.client_says(&call("1"));
    world.upstream_says(&elicitation());
    world.client_says(&accepted());
    let questions = world.questions();
    assert_eq!(questions.len(), 2);
    assert_eq!((questions[1].action.as_str(), questions[1].id.as_str()), ("elicitation/answer", "write"));
    assert_eq!(questions[1].input, Some(json!({"action": "accept", "content": {"z": 1, "a": 2}})));
    assert_eq!(questions[1].call, questions[0].call, "one call id across the exchange");
    // With the grant ends what continues the call: the gate is told which one it was.
    assert_eq!((&questions[0].continues, questions[1].continues.as_deref()), (&None, Some("eval_1")));
    let canonical = br#"{"id":7,"jsonrpc":"2.0","result":{"action":"accept","content":{"a":2,"z":1}}}"#;
    assert_eq!(world.upstream.last().map(Vec::as_slice), Some(canonical.as_slice()));
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": "1", "result": {"content": []}}));
    assert_eq!(world.phases(), [Sending, Sending, Executed, Executed], "the answer shares the call's outcome");
}

#[test]
fn without_a_permit_the_exchange_ends() {
    let mut world = World::listed(no_answers);
    world.client_says(&call("1"));
    world.upstream_says(&elicitation());
    world.client_says(&accepted());
    assert_eq!((&world.sent()["id"], world.sent()["error"].is_object()), (&json!(7), true));
    assert!(!String::from_utf8_lossy(&world.upstream.concat()).contains("accept"), "no answer has left");
    world.clear();
    world.client_says(&accepted());
    assert!(world.upstream.is_empty() && world.asks.is_empty(), "and there is nothing more to answer");
}

#[test]
fn sampling_is_part_of_the_call_too_and_the_doubtful_call_is_the_stricter_one() {
    fn by_arguments(question: &Question) -> Result<Answer, Failure> {
        match &question.input {
            Some(input) if input.get("a").is_some() => exception(question),
            Some(input) if input.get("action").is_some() || input.get("role").is_some() => guardrail(question),
            _ => scope(question),
        }
    }
    let mut world = World::listed(by_arguments);
    world.client_says(&json!({"jsonrpc": "2.0", "id": 0, "method": "tools/call", "params": {"name": "ask"}}));
    world.client_says(&call("1"));
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": 7, "method": "sampling/createMessage", "params": {}}));
    world.client_says(&json!({"jsonrpc": "2.0", "id": 7, "result": {"role": "assistant"}}));
    assert!(world.sent()["error"].is_object());
}

#[test]
fn what_an_upstream_asks_outside_of_any_call_is_a_question() {
    for method in ["elicitation/create", "sampling/createMessage", "made/up"] {
        let mut world = World::listed(guardrail);
        world.upstream_says(&json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": {}}));
        assert_eq!(world.questions()[0].action, method);
        assert!(world.client.is_empty() && world.sent()["error"].is_object());

        let mut world = World::listed(scope);
        world.prompt = false;
        let asked = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": {}});
        world.upstream_says(&asked);
        world.client_says(&json!({"jsonrpc": "2.0", "id": 7, "result": {}}));
        assert!(world.upstream.is_empty(), "nobody has been asked yet");
        world.release();
        assert_eq!(world.told(), asked);
    }
}

#[test]
fn roots_are_what_the_proxy_was_configured_with() {
    let mut world = World::listed(guardrail);
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": 7, "method": "roots/list"}));
    assert_eq!(world.sent(), json!({"jsonrpc": "2.0", "id": 7, "result": {"roots": [{"uri": "file:///data"}]}}));
    assert!(world.client.is_empty() && world.asks.is_empty());
}

#[test]
fn in_the_later_era_the_repeated_call_is_the_same_call() {
    let mut world = World::listed(scope);
    world.client_says(&stateless_call("1", &json!({})));
    let required = input_required("1", &json!({"q": {"method": "elicitation/create"}}));
    world.upstream_says(&required);
    assert_eq!(world.told(), required);
    assert_eq!(world.phases(), [Sending], "it is not finished");
    world.client_says(&answered("2"));
    let questions = world.questions();
    assert_eq!(questions.len(), 2);
    assert_eq!((&questions[0].call, &questions[0].input), (&questions[1].call, &questions[1].input));
    assert_eq!(world.sent()["params"]["inputResponses"], json!({"q": {"action": "accept"}}));
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": "2", "result": {"resultType": "complete", "content": []}}));
    assert_eq!(world.phases(), [Sending, Sending, Executed, Executed]);
}

#[test]
fn in_the_later_era_answers_under_an_exception_are_a_question_and_no_second_use() {
    let mut world = World::listed(answers_in_scope);
    world.client_says(&stateless_call("1", &json!({})));
    world.upstream_says(&input_required("1", &json!({"q": {"method": "elicitation/create"}})));
    world.client_says(&answered("2"));
    let actions: Vec<&str> = world.questions().iter().map(|question| question.action.as_str()).collect();
    assert_eq!(actions, ["tools/call", "elicitation/answer"], "the grant is used once");
    assert_eq!(world.questions()[1].input, Some(json!({"q": {"action": "accept"}})));
    assert_eq!(world.questions()[1].continues.as_deref(), Some("eval_1"));
    assert_eq!(world.upstream.len(), 2);

    let mut world = World::listed(no_answers);
    world.client_says(&stateless_call("1", &json!({})));
    world.upstream_says(&input_required("1", &json!({"q": {"method": "elicitation/create"}})));
    world.client_says(&answered("2"));
    assert_eq!((world.upstream.len(), world.told()["result"]["isError"].as_bool()), (1, Some(true)));
    assert_eq!(world.phases(), [Sending, OutcomeUnknown], "it was begun");
    world.client_says(&answered("3"));
    assert_eq!(world.told()["error"]["code"], json!(-32602), "the exchange is over");
}

#[test]
fn answers_to_a_call_in_scope_do_not_travel_once_only_a_grant_permits_it() {
    let mut world = World::listed(scope);
    world.client_says(&stateless_call("1", &json!({})));
    world.upstream_says(&input_required("1", &json!({"q": {"method": "elicitation/create"}})));
    world.policy = exception;
    world.client_says(&answered("2"));
    assert_eq!((world.upstream.len(), world.told()["result"]["isError"].as_bool()), (1, Some(true)));
}

#[test]
fn answers_that_belong_to_no_exchange_go_nowhere() {
    let mut world = World::listed(exception);
    world.client_says(&stateless_call("1", &json!({})));
    world.upstream_says(&input_required("1", &json!({"q": {"method": "elicitation/create"}})));
    world.clear();
    for more in [
        json!({"inputResponses": {}, "requestState": "s2"}),
        json!({"inputResponses": {}, "requestState": "s1", "arguments": {"other": 1}}),
        json!({"inputResponses": {}, "requestState": "s1", "name": "ask"}),
        json!({"requestState": "s2"}),
    ] {
        world.client_says(&stateless_call("2", &more));
        assert_eq!(world.told()["error"]["code"], json!(-32602), "{more}");
        assert_refused(&world.told(), "no_exchange");
    }
    assert!(world.upstream.is_empty() && world.asks.is_empty());
    // Under a state that it was given, a server would take the call for another one: scope changes nothing of that.
    world.policy = scope;
    world.client_says(&stateless_call("3", &json!({"inputResponses": {}, "requestState": "s2"})));
    assert_refused(&world.told(), "no_exchange");
    assert!(world.upstream.is_empty() && world.asks.is_empty());
}

#[test]
fn answers_that_nothing_was_asked_for_travel_under_scope_alone() {
    let stray = |id: &str| stateless_call(id, &json!({"inputResponses": {"other": {"action": "accept"}}}));
    let mut world = World::listed(scope);
    world.client_says(&stray("1"));
    let asked: Vec<bool> = world.questions().iter().map(|question| question.ask).collect();
    assert_eq!(asked, [true, false], "asked first, which uses nothing, and judged as any other call");
    assert_eq!(world.sent()["params"]["inputResponses"], json!({"other": {"action": "accept"}}));
    // The server asks once more, and that is an exchange.
    world.upstream_says(&input_required("1", &json!({"q": {"method": "elicitation/create"}})));
    world.client_says(&answered("2"));
    assert_eq!(world.upstream.len(), 2);
    // Where only a grant permits the call, nobody has approved the answers, and nothing of the grant is used.
    for (policy, code) in [(exception as fn(&Question) -> _, Some("no_exchange")), (guardrail, None)] {
        let mut world = World::listed(policy);
        world.client_says(&stray("1"));
        assert!(world.questions().iter().all(|question| question.ask) && world.upstream.is_empty());
        match code {
            Some(code) => assert_refused(&world.told(), code),
            None => assert_eq!(world.told()["result"]["isError"], json!(true)),
        }
    }
    // What was in scope a moment ago, and goes by a grant now.
    let mut world = World::listed(|question| if question.ask { scope(question) } else { exception(question) });
    world.client_says(&stray("1"));
    assert_eq!((world.upstream.len(), world.told()["result"]["isError"].as_bool()), (0, Some(true)));
}

#[test]
fn a_wish_for_roots_is_answered_here_in_the_later_era_too() {
    let mut world = World::listed(exception);
    world.client_says(&stateless_call("1", &json!({})));
    world.upstream_says(&input_required("1", &json!({"r": {"method": "roots/list"}})));
    assert!(world.client.is_empty());
    let again = world.sent();
    assert_eq!(again["params"]["inputResponses"], json!({"r": {"roots": [{"uri": "file:///data"}]}}));
    assert_eq!((&again["params"]["requestState"], world.questions().len()), (&json!("s1"), 1));
    assert_eq!(again["params"]["_meta"], stateless());
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": "1", "result": {"forged": true}}));
    assert!(world.client.is_empty(), "the first id is answered already");
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": again["id"], "result": {"resultType": "complete"}}));
    assert_eq!(world.told(), json!({"jsonrpc": "2.0", "id": "1", "result": {"resultType": "complete"}}));

    let mut world = World::listed(scope);
    world.client_says(&stateless_call("1", &json!({})));
    world.upstream_says(&input_required(
        "1",
        &json!({"r": {"method": "roots/list"}, "q": {"method": "elicitation/create"}}),
    ));
    assert_eq!(world.told()["result"]["inputRequests"], json!({"q": {"method": "elicitation/create"}}));
    world.client_says(&stateless_call("2", &json!({
        "inputResponses": {"q": {"action": "accept"}, "r": {"roots": [{"uri": "file:///etc"}]}}, "requestState": "s1"
    })));
    assert_eq!(world.sent()["params"]["inputResponses"]["r"], json!({"roots": [{"uri": "file:///data"}]}));
}

#[test]
fn starting_a_task_is_the_use() {
    for started in
        [json!({"task": {"taskId": "t1", "status": "working"}}), json!({"resultType": "task", "taskId": "t1"})]
    {
        let mut world = World::listed(exception);
        world.client_says(&call("1"));
        world.upstream_says(&json!({"jsonrpc": "2.0", "id": "1", "result": started}));
        world.clear();
        for (id, method) in [(2, "tasks/get"), (3, "tasks/result"), (4, "tasks/cancel")] {
            let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {"taskId": "t1"}});
            world.client_says(&message);
            assert_eq!(world.sent(), message);
        }
        assert!(world.asks.is_empty(), "tasks/* of that task need none");
        world.client_says(&json!({"jsonrpc": "2.0", "id": 5, "method": "tasks/get", "params": {"taskId": "t2"}}));
        assert_eq!(world.questions()[0].kind, "task");
    }
}

#[test]
fn answers_to_a_task_under_an_exception_are_a_question() {
    let mut world = World::listed(no_answers);
    world.client_says(&stateless_call("1", &json!({})));
    world.upstream_says(&json!({"jsonrpc": "2.0", "id": "1", "result": {"resultType": "task", "taskId": "t1"}}));
    world.clear();
    let params = json!({"taskId": "t1", "inputResponses": {"q": {}}, "_meta": stateless()});
    world.client_says(&json!({"jsonrpc": "2.0", "id": 2, "method": "tasks/update", "params": params}));
    assert_eq!(world.questions()[0].action, "elicitation/answer");
    assert!(world.upstream.is_empty() && world.told()["error"].is_object());
}

#[test]
fn an_exchange_that_is_never_answered_is_of_unknown_outcome() {
    let mut world = World::listed(scope);
    world.client_says(&stateless_call("1", &json!({})));
    world.upstream_says(&input_required("1", &json!({"q": {"method": "elicitation/create"}})));
    world.input(Input::ClientClosed);
    assert_eq!(world.phases(), [Sending, OutcomeUnknown]);
}

#[test]
fn an_exchange_waits_for_ten_minutes_and_no_longer() {
    for (waited, open) in [(10 * 60 * 1000 - 1, true), (10 * 60 * 1000, false)] {
        let mut world = World::listed(scope);
        world.client_says(&stateless_call("1", &json!({})));
        world.upstream_says(&input_required("1", &json!({"q": {"method": "elicitation/create"}})));
        world.now += waited;
        world.clear();
        world.client_says(&answered("2"));
        assert_eq!(world.upstream.len(), usize::from(open), "{waited}");
        assert_eq!(world.phases(), [if open { Sending } else { OutcomeUnknown }], "{waited}");
    }
}

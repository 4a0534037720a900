use policy_core::digest::Digest;
use serde_json::json;

use super::*;

fn request(change: impl FnOnce(&mut Value)) -> Value {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let mut span = json!({
        "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174", "parentSpanId": "eee19b7ec3c1b173",
        "name": "execute_tool write_file", "kind": 1,
        "startTimeUnixNano": "1795348800000000000", "endTimeUnixNano": "1795348800500000000",
        "attributes": [
            text("gen_ai.operation.name", "execute_tool"),
            text("gen_ai.tool.name", "write_file"),
            text("gen_ai.tool.call.id", "call_model_1"),
            text("gen_ai.tool.call.arguments", r#"{"path":"/srv/files/a.md","content":"hello"}"#),
            text("proviso.call.id", "c1"),
            {"key": "retries", "value": {"intValue": "3"}},
        ],
        "status": {},
    });
    change(&mut span);
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("host.name", "worker-3"), text("proviso.server", "files")]},
        "scopeSpans": [{"scope": {"name": "agent"}, "spans": [span]}],
    }]})
}

fn pieces(change: impl FnOnce(&mut Value)) -> Vec<Piece> {
    read_json(request(change).to_string().as_bytes()).unwrap()
}

fn attribute(span: &mut Value, key: &str, value: Value) {
    let list = span["attributes"].as_array_mut().unwrap();
    list.retain(|one| one["key"] != key);
    if !value.is_null() {
        list.push(json!({"key": key, "value": value}));
    }
}

#[test]
fn a_tools_span_is_a_word_on_what_ran() {
    let (id, said) = pieces(|_| {}).remove(0).unwrap();
    assert_eq!(id, "5b8efff798038103d269b633813fc60c/eee19b7ec3c1b174");
    assert_eq!((said.action.as_deref(), said.server.as_deref()), (Some("write_file"), Some("files")));
    assert_eq!((said.call.as_deref(), said.host.as_deref()), (Some("c1"), Some("worker-3")));
    let digest = Digest::of_json(&json!({"path": "/srv/files/a.md", "content": "hello"})).unwrap();
    assert_eq!((said.input_digest, said.phase), (Some(digest), ExecutionPhase::Executed));
    assert_eq!(said.ended_at.map(Timestamp::millis), Some(1_795_348_800_500));
    // By the MCP convention as well, with arguments as they are, and with an error of the tool.
    let mcp = pieces(|span| {
        attribute(span, "gen_ai.operation.name", Value::Null);
        attribute(span, "mcp.method.name", json!({"stringValue": "tools/call"}));
        attribute(span, "error.type", json!({"stringValue": "tool_error"}));
        let list = json!({"kvlistValue": {"values": [
            {"key": "path", "value": {"stringValue": "/srv/files/a.md"}},
            {"key": "content", "value": {"stringValue": "hello"}},
        ]}});
        attribute(span, "gen_ai.tool.call.arguments", list);
    });
    let (_, said) = mcp.into_iter().next().unwrap().unwrap();
    assert_eq!((said.input_digest, said.phase), (Some(digest), ExecutionPhase::Failed));
}

#[test]
fn other_spans_are_nobodys_word_and_half_a_tools_span_is_said_to_be_one() {
    for (what, expected, change) in [
        (
            "a chat",
            0,
            (|span| attribute(span, "gen_ai.operation.name", json!({"stringValue": "chat"}))) as fn(&mut Value),
        ),
        ("a list", 0, |span| {
            attribute(span, "gen_ai.operation.name", Value::Null);
            attribute(span, "mcp.method.name", json!({"stringValue": "tools/list"}));
        }),
        ("no tool", 1, |span| attribute(span, "gen_ai.tool.name", Value::Null)),
        ("a number for a tool", 1, |span| attribute(span, "gen_ai.tool.name", json!({"intValue": 3}))),
        ("no trace", 1, |span| span["traceId"] = json!("")),
        ("zeros", 1, |span| span["spanId"] = json!("0000000000000000")),
        ("no hex", 1, |span| span["spanId"] = json!("zzzzzzzzzzzzzzzz")),
        ("no start", 1, |span| span["startTimeUnixNano"] = json!(null)),
    ] {
        let pieces = pieces(change);
        assert_eq!(pieces.len(), expected, "{what}");
        assert!(pieces.iter().all(Result::is_err), "{what}");
    }
    // Arguments that are none say nothing of arguments.
    for arguments in ["[1]", "3", "{\"a\":1,\"a\":2}", "not json"] {
        let (_, said) = pieces(|span| attribute(span, "gen_ai.tool.call.arguments", json!({"stringValue": arguments})))
            .remove(0)
            .unwrap();
        assert_eq!(said.input_digest, None, "{arguments}");
    }
    for twisted in
        ["", "[]", "{\"resourceSpans\":{}}", "{\"resourceSpans\":[],\"resourceSpans\":[]}", "{\"resourceSpans\":[3]}"]
    {
        assert!(read_json(twisted.as_bytes()).is_err(), "{twisted}");
    }
    assert_eq!(read_json(b"{}").unwrap().len(), 0);
}

/// A message's field, as the format writes it.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    put_bytes(&mut message, number, bytes);
    message
}

fn fixed(number: u8, value: u64) -> Vec<u8> {
    [&[(number << 3) | 1][..], &value.to_le_bytes()].concat()
}

fn text_attribute(key: &str, value: &str) -> Vec<u8> {
    [field(1, key.as_bytes()), field(2, &field(1, value.as_bytes()))].concat()
}

/// The same request in protocol buffers.
fn message() -> Vec<u8> {
    let trace: Vec<u8> = (0..16).map(|at| 0x5b ^ at).collect();
    let mut span =
        [field(1, &trace), field(2, &[0xee, 1, 2, 3, 4, 5, 6, 7]), field(5, b"execute_tool write_file")].concat();
    span.extend(fixed(7, 1_795_348_800_000_000_000));
    span.extend(fixed(8, 1_795_348_800_500_000_000));
    for (key, value) in [
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.name", "write_file"),
        ("gen_ai.tool.call.arguments", r#"{"path":"/srv/files/a.md","content":"hello"}"#),
    ] {
        span.extend(field(9, &text_attribute(key, value)));
    }
    // A field of tomorrow, and a status that is an error.
    span.extend(field(14, b"whatever"));
    span.extend(field(15, &[0x18, 2]));
    let resource = field(1, &text_attribute("host.name", "worker-3"));
    field(1, &[field(1, &resource), field(2, &field(2, &span))].concat())
}

#[test]
fn protocol_buffers_say_the_same_as_json() {
    let (id, said) = read_protobuf(&message()).unwrap().remove(0).unwrap();
    assert!(id.starts_with("5b5a59585f5e5d5c") && id.ends_with("/ee01020304050607"), "{id}");
    let digest = Digest::of_json(&json!({"path": "/srv/files/a.md", "content": "hello"})).unwrap();
    assert_eq!((said.input_digest, said.phase), (Some(digest), ExecutionPhase::Failed));
    assert_eq!((said.action.as_deref(), said.host.as_deref()), (Some("write_file"), Some("worker-3")));
    assert_eq!(said.started_at.map(Timestamp::millis), Some(1_795_348_800_000));
}

/// What OpenTelemetry's own SDK for Python (1.45.2, `encode_spans`) wrote of two spans: an agent's, and in it a tool's that
/// failed, with attributes of each kind, an event and a status.
const OF_THE_SDK: &str = "0a9f040a320a170a0c736572766963652e6e616d6512070a056167656e740a170a09686f73742e6e616d65120a0a08776f726b65722d33\
12e8030a070a056167656e7412dd020a1083698d7aa3e6bf0c0075ec46d2598cfb12087ceaca9306f061a922087ade201533b339062a17\
657865637574655f746f6f6c2077726974655f66696c653001390080ecaf385cea184100e5b9cd385cea184a270a1567656e5f61692e6f\
7065726174696f6e2e6e616d65120e0a0c657865637574655f746f6f6c4a200a1067656e5f61692e746f6f6c2e6e616d65120c0a0a7772\
6974655f66696c654a4f0a1a67656e5f61692e746f6f6c2e63616c6c2e617267756d656e747312310a2f7b2270617468223a20222f7372\
762f66696c65732f612e6d64222c2022636f6e74656e74223a202268656c6c6f227d4a160a0772657472696573120b18fdffffffffffff\
ffff014a120a05726174696f120921000000000000e03f4a080a026f6b120210014a140a046c697374120c2a0a0a030a01610a030a0162\
5a12092f24767fce80ec181207737461727465647a0612026e6f1802850100010000127d0a1083698d7aa3e6bf0c0075ec46d2598cfb12\
087ade201533b339062a1a696e766f6b655f6167656e74207265706f72742d77726974657230013900b65174385cea1841004a87eb385c\
ea184a270a1567656e5f61692e6f7065726174696f6e2e6e616d65120e0a0c696e766f6b655f6167656e747a00850100010000";

#[test]
fn what_the_sdk_of_others_writes_is_read() {
    let digits: Vec<char> = OF_THE_SDK.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    let pieces = read_protobuf(&bytes).unwrap();
    // The agent's own span is nobody's word on a tool.
    assert_eq!(pieces.len(), 1);
    let (id, said) = pieces.into_iter().next().unwrap().unwrap();
    assert_eq!(id, "83698d7aa3e6bf0c0075ec46d2598cfb/7ceaca9306f061a9");
    assert_eq!(said.parent.as_deref(), Some("7ade201533b33906"));
    let digest = Digest::of_json(&json!({"path": "/srv/files/a.md", "content": "hello"})).unwrap();
    assert_eq!((said.input_digest, said.phase), (Some(digest), ExecutionPhase::Failed));
    assert_eq!((said.action.as_deref(), said.host.as_deref()), (Some("write_file"), Some("worker-3")));
    assert_eq!(said.ended_at.map(Timestamp::millis), Some(1_795_348_800_500));
}

#[test]
fn no_cut_and_no_flipped_byte_does_more_than_be_refused_or_say_something_else() {
    let whole = message();
    for length in 0..whole.len() {
        drop(read_protobuf(&whole[..length]));
    }
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            drop(read_protobuf(&bytes));
        }
    }
    // A value in a value in a value, and so on.
    let mut value = field(1, b"x");
    for _ in 0..200 {
        value = field(5, &field(1, &value));
    }
    let attribute = [field(1, b"deep"), field(2, &value)].concat();
    let request = field(1, &field(2, &field(2, &field(9, &attribute))));
    assert_eq!(read_protobuf(&request).map(drop), Err(NoMessage));
}

#[test]
fn what_was_not_taken_is_said_in_both_encodings() {
    assert_eq!(answer_json(0, ""), json!({}));
    assert_eq!(answer_json(2, "why")["partialSuccess"]["rejectedSpans"], "2");
    assert_eq!(answer_protobuf(0, ""), Vec::<u8>::new());
    assert_eq!(answer_protobuf(2, "why"), [10, 7, 8, 2, 18, 3, b'w', b'h', b'y']);
}

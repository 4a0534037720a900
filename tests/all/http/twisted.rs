//! Texts and paths that two readers may take for two things. Ours takes each for one thing, or refuses it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy_core::json;
use proviso_tests::{Client, Story, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{allowed, denied, refusal, refused, sizes, verdict};
use crate::mcp::python;

/// What stands in a question where a careless reader may find another meaning: whole values, and what breaks out of one.
const TWISTED: [&str; 103] = [
    // Plain values, which all read alike.
    "1",
    "-1",
    "0",
    "1.5",
    "-0.25",
    "1e3",
    "1E3",
    "1e+3",
    "100e-2",
    "9007199254740991",
    "-9007199254740991",
    "1.0",
    "-0",
    "-0.0",
    "0e0",
    "5e-324",
    "1.7976931348623157",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "[[]]",
    r#""""#,
    r#""a""#,
    r#""\u0061""#,
    r#""\/""#,
    r#""\ud83d\ude00""#,
    r#""\u0000""#,
    "\"\u{e9}\"",
    "\"e\u{301}\"",
    r#"{"__proto__":1}"#,
    r#"{"constructor":{"prototype":{"x":1}}}"#,
    r#"{"__proto__":{"decision":true}}"#,
    r#"{"toString":1}"#,
    r#"{"":1}"#,
    r#"{"a":1,"A":2}"#,
    "{\"\u{e9}\":1,\"e\u{301}\":2}",
    "{\"a\":1,\"\u{430}\":2}",
    r#"{"a ":1,"a":2}"#,
    "[1 , 2]",
    "\t1\r\n",
    r#"1,"wishes2":2"#,
    r#"{"a":[{"b":{"c":null}}]}"#,
    // The same name twice: some keep the first, some the last.
    r#"{"a":1,"a":2}"#,
    r#"{"a":1,"\u0061":2}"#,
    r#"{"a":{"b":1,"b":2}}"#,
    r#"[{"a":1,"a":1}]"#,
    r#"1,"subject":{"type":"Agent","id":"other"}"#,
    r#"1,"wishes":2"#,
    r#"{"__proto__":1,"__proto__":2}"#,
    "{\"\u{e9}\":1,\"\\u00e9\":2}",
    r#"{"":1,"":2}"#,
    // Numbers that some round, and what is none.
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "1e400",
    "-1e400",
    "1e-400",
    "1e16",
    "0.10000000000000000555",
    "3.0000000000000001",
    "18446744073709551615",
    "99999999999999999999",
    "NaN",
    "Infinity",
    "-Infinity",
    "nan",
    "01",
    "-01",
    "+1",
    "1.",
    ".5",
    "1e",
    "0x10",
    "1_000",
    "1e1.5",
    "--1",
    "\u{ff11}",
    // Strings that are no text.
    r#""\ud83d""#,
    r#""\ude00""#,
    r#""\ude00\ud83d""#,
    r#""\ud83d\u0041""#,
    r#"{"\ud800":1}"#,
    "\"\u{1}\"",
    "\"a\tb\"",
    "\"a\nb\"",
    r#""\x41""#,
    r#""\u00g0""#,
    r#""\'""#,
    r#""\a""#,
    "'a'",
    "\u{201c}a\u{201d}",
    // What some let pass around values.
    "[1,]",
    "[,1]",
    r#"{"a":1,}"#,
    r#"{a:1}"#,
    "/* */1",
    "1//",
    "1 2",
    "[1}",
    "undefined",
    "\u{a0}1",
];

/// Reads each pair of a line, both in Base64, and says of the first whether it is read as the second.
const PYTHON: &str = r#"
import base64, json, sys
def same(a, b):
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b
for line in sys.stdin:
    text, ours = (base64.b64decode(part) for part in line.split())
    try:
        read = json.loads(text)
    except ValueError:
        print("refused")
        continue
    print("same" if same(read, json.loads(ours)) else "differs")
"#;

const NODE: &str = r#"
const same = (a, b) => {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const names = Object.keys(a);
  return Array.isArray(a) === Array.isArray(b) && names.length === Object.keys(b).length
    && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
};
for (const line of require("node:fs").readFileSync(0, "utf8").trim().split("\n")) {
  const [text, ours] = line.split(" ").map((part) => Buffer.from(part, "base64"));
  let read;
  try {
    read = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text));
  } catch {
    console.log("refused");
    continue;
  }
  console.log(same(read, JSON.parse(ours.toString())) ? "same" : "differs");
}
"#;

/// What another reader says of each text beside what ours reads.
fn read_by(mut reader: Command, texts: &[(Vec<u8>, Vec<u8>)]) -> Vec<String> {
    let mut child = reader.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a reader");
    let lines = texts.iter().map(|(text, ours)| format!("{} {}\n", STANDARD.encode(text), STANDARD.encode(ours)));
    let lines: String = lines.collect();
    child.stdin.take().expect("its input").write_all(lines.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).expect("words");
    said.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn what_the_gate_reads_python_and_node_read_as_the_very_same() {
    proviso_tests::clauses!("c4-6-other-readers", "c4-6-duplicate-members", "c4-6-numbers", "c4-6-surrogates");
    let story = Story::begin().await;
    let whole = write_file("report-writer", "/srv/files/drafts/a.md", "c1").to_string();
    let mut bodies: Vec<Vec<u8>> = TWISTED
        .iter()
        .map(|twisted| format!(r#"{},"wishes":{twisted}}}"#, whole.strip_suffix('}').unwrap()).into_bytes())
        .collect();
    // Texts that are no UTF-8, or are marked as something else.
    let marked = ["\u{feff}".as_bytes(), whole.as_bytes()].concat();
    let wide: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let broken =
        whole.replace("hello", "h\u{1}").into_bytes().into_iter().map(|byte| if byte == 1 { 0xff } else { byte });
    bodies.extend([marked, wide, broken.collect()]);
    let mut taken = Vec::new();
    let mut texts = Vec::new();
    for body in &bodies {
        let request = story.client.request(Method::POST, "/access/v1/evaluation").bearer_auth(&story.point);
        let request = request.header("proviso-subject-token", &story.agent).header("content-type", "application/json");
        let answer = Client::send(request.body(body.clone())).await;
        let shown = String::from_utf8_lossy(body);
        // The gate takes a body for what the core's reader reads, and refuses it where that refuses.
        let read = json::read(body, json::Limits::DEFAULT);
        assert_eq!(answer.status.as_u16(), if read.is_ok() { 200 } else { 400 }, "{shown}: {answer:?}");
        if let Err(error) = &read {
            assert_eq!(refusal(&answer), refused(400, error.code()), "{shown}");
        }
        taken.push(read.is_ok());
        let ours = read.map_or_else(|_| b"null".to_vec(), |value| json::to_canonical_bytes(&value).unwrap());
        texts.push((body.clone(), ours));
    }
    let mut by_python = Command::new(python());
    by_python.args(["-c", PYTHON]);
    let mut by_node = Command::new("node");
    by_node.args(["-e", NODE]);
    let mut others_take = 0;
    let said = [read_by(by_python, &texts), read_by(by_node, &texts)];
    for (number, taken) in taken.iter().enumerate() {
        let words = said.each_ref().map(|said| said[number].as_str());
        if *taken {
            assert_eq!(words, ["same", "same"], "{}", String::from_utf8_lossy(&bodies[number]));
        } else {
            others_take += usize::from(words.contains(&"differs"));
        }
    }
    let fine = taken.iter().filter(|taken| **taken).count();
    assert_eq!((fine, others_take >= 25), (44, true), "{others_take} that another reader takes");
}

#[tokio::test]
async fn a_path_that_only_looks_like_the_approved_one_is_another_or_none() {
    proviso_tests::clauses!("c4-6-look-alikes", "c4-6-invisible");
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    // Approved with one code point for its letter.
    let folder = "/srv/files/caf\u{e9}";
    let own = format!("{folder}/a.md");
    let id = story.ask(&write_file("report-writer", &own, "ask"), Some(folder)).await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    for (path, expected) in [
        // The letter and its accent apart, full width, Cyrillic, a ligature, another case.
        ("/srv/files/cafe\u{301}/a.md", "approval_required"),
        ("/srv/files/\u{ff43}af\u{e9}/a.md", "approval_required"),
        ("/srv/files/\u{441}af\u{e9}/a.md", "approval_required"),
        ("/srv/files/ca\u{fb00}\u{e9}/a.md", "approval_required"),
        ("/srv/files/CAF\u{c9}/a.md", "approval_required"),
        // A full-width separator separates nothing.
        ("/srv/files/caf\u{e9}\u{ff0f}a.md", "approval_required"),
        ("/srv/files/caf\u{e9}\u{2215}a.md", "approval_required"),
        // What nobody sees is in no path at all.
        ("/srv/files/caf\u{e9}\u{200b}/a.md", "bad_input"),
        ("/srv/files/caf\u{e9}/\u{200b}", "bad_input"),
        ("/srv/files/caf\u{e9}/a\u{200d}.md", "bad_input"),
        ("/srv/files/caf\u{e9}/a\u{2060}.md", "bad_input"),
        ("/srv/files/caf\u{e9}/\u{feff}a.md", "bad_input"),
        ("/srv/files/caf\u{e9}/a.md\u{ad}", "bad_input"),
        ("/srv/files/caf\u{e9}/\u{a0}a.md", "bad_input"),
        ("/srv/files/caf\u{e9}/\u{202e}dm.a", "bad_input"),
        ("/srv/files/caf\u{e9}/a\u{fe0f}.md", "bad_input"),
    ] {
        let answer = story.evaluate(&write_file("report-writer", path, "beside")).await;
        assert_eq!(verdict(&answer), denied(expected), "{path:?}");
    }
    // A segment of full-width dots is a name like any other: it leads nowhere, and stays inside.
    let dots = story.evaluate(&write_file("report-writer", &format!("{folder}/\u{ff0e}\u{ff0e}"), "dots")).await;
    assert_eq!(verdict(&dots), allowed("exception"));
    assert_eq!(verdict(&story.evaluate(&write_file("report-writer", &own, "own")).await), allowed("exception"));
}

#[tokio::test]
async fn a_member_that_means_something_to_a_language_means_nothing_here() {
    proviso_tests::clauses!("c4-6-prototype-members");
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let scope = write_file("report-writer", "/srv/files/drafts/a.md", "c1")["context"]["input"].clone();
    for name in ["__proto__", "constructor", "prototype", "toString", "Path", "path ", "p\u{430}th"] {
        // Beside the arguments it is an argument that the action does not have.
        let mut argument = call.clone();
        argument["context"]["input"][name] = scope["path"].clone();
        assert_eq!(verdict(&story.evaluate(&argument).await), denied("bad_input"), "{name}");
        // Anywhere else it is a claim that nobody asked for.
        for pointer in ["", "/subject", "/action", "/resource", "/context"] {
            let mut claimed = call.clone();
            let value = json!({"decision": true, "input": scope, "id": "other", "autonomy": 1});
            claimed.pointer_mut(pointer).unwrap()[name] = value;
            let answer = story.evaluate(&claimed).await;
            assert_eq!(verdict(&answer), denied("approval_required"), "{name} in `{pointer}`: {answer:?}");
        }
    }
    // Nor does a request get by such a member what the call does not.
    let denial = story.evaluate(&call).await.json();
    let mut body = story.request_body(&call, &denial, None);
    body["__proto__"] = json!({"requested_access": {"emergency": true}, "denial": {"evaluation_id": "eval_0"}});
    let before = sizes(&story);
    let answer = story.request(&body).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    assert_eq!(sizes(&story).iter().sum::<u64>(), before.iter().sum::<u64>() + 1);
    let id = answer.json()["task"]["id"].as_str().unwrap().to_owned();
    let mara = story.gate.person("mara").await;
    let request = super::exception(&story, &mara, &id).await["exception"]["request"].clone();
    assert!(request["emergency"] != Value::Bool(true), "{request:#}");
}

//! The exercise of `docs/usability`: its script seeds ten requests in a gate of its own, and counts what was missed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use proviso_tests::{Binary, Client, Parties, signed_in};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn the_exercise_seeds_ten_requests_and_tells_which_of_the_bad_ones_were_let_through() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/usability/seed.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(Binary::path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("node runs");
    let mut lines = BufReader::new(child.stdout.take().expect("its output"));
    let mut link = String::new();
    while !link.starts_with("http") {
        link.clear();
        assert!(lines.read_line(&mut link).expect("a line") > 0, "it ended before it said who decides");
    }
    let (page, secret) = link.trim().split_once('#').expect("a sign-in link");
    let url = page.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let client = Client::new(url);
    let request = client.request(reqwest::Method::POST, "/api/v1/session").json(&json!({"link": secret}));
    let mara = signed_in(&Client::send(request).await).expect("a session");
    let waiting = client.get("/api/v1/exceptions?state=requested", Some(&mara)).await.json();
    let waiting = waiting["exceptions"].as_array().expect("a list").clone();
    assert_eq!(waiting.len(), 10, "{waiting:#?}");
    let of = |task: &str| -> Value {
        let line = waiting.iter().find(|line| line["task"] == json!(format!("exercise-{task}")));
        line.unwrap_or_else(|| panic!("no `{task}`")).clone()
    };
    // What hides something stands a tier higher than the same without it.
    assert_eq!((&of("report")["tier"], &of("lookalike")["tier"]), (&json!("medium"), &json!("high")));
    let parties = Parties { client, point: String::new(), agent: String::new() };
    for (task, decision, state) in
        [("report", "approve", "granted"), ("wide", "approve", "granted"), ("other-agent", "refuse", "denied")]
    {
        let id = of(task)["id"].as_str().expect("an id").to_owned();
        let voted = parties.vote(&mara, &id, decision, None).await;
        assert_eq!(voted.json()["state"], json!(state), "{task}: {voted:?}");
    }
    child.stdin.take().expect("its input").write_all(b"\n").expect("it listens");
    let mut told = String::new();
    lines.read_to_string(&mut told).expect("what was decided");
    assert!(child.wait().expect("its end").success(), "{told}");
    assert!(told.contains("3 of 10 decided, 1 of 3 missed"), "{told}");
    let missed: Vec<&str> = told.lines().filter(|line| line.contains("MISSED")).collect();
    assert!(missed.len() == 1 && missed[0].starts_with("wide"), "{told}");
}

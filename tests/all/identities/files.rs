//! The file of `proviso serve --identities`, on the running binary: what starts, what does not, and what it says.

use std::fs;
use std::path::Path;

use proviso::clock::{Clock as _, SystemClock};
use proviso::trust::Identities;
use proviso_tests::{AGENTS, Binary, Client, Parties, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{AUDIENCE, LOGIN, LOGIN_ISS, MESH, bundle, file, publish};

/// Why this file is refused.
fn fault(text: &str) -> String {
    Identities::parse(text).err().map(|error| format!("{}: {error}", error.code())).unwrap_or_default()
}

#[test]
fn what_this_gate_cannot_check_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path());
    let good = file(folder.path(), "");
    assert_eq!(fault(&good), "");
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let mesh = folder.path().join("mesh.json").display().to_string();
    for (what, text) in [
        ("a binding that nobody here checks", file(folder.path(), "bound = \"token_binding\"")),
        ("certificates of what is no trust domain", file(folder.path(), "certificates = {}")),
        ("certificates for ever", replaced("algorithms = [\"ES256\"]", "certificates = { longest = \"91d\" }")),
        ("certificates for nothing", replaced("algorithms = [\"ES256\"]", "certificates = { longest = \"0s\" }")),
        ("authorities that are not there", replaced("algorithms = [\"ES256\"]", "certificates = {}")),
        ("the name of a point that vouches", replaced(LOGIN_ISS, "point:edge")),
        ("an unknown member", file(folder.path(), "trusted = true")),
        ("an unknown table", file(folder.path(), "\n[[person]]\nname = \"x\"")),
        ("no signature at all", replaced("\"ES256\"", "\"none\"")),
        ("a shared secret", replaced("\"ES256\"", "\"HS256\"")),
        ("a curve that this gate cannot check", replaced("\"ES256\"", "\"ES512\"")),
        ("an algorithm that SPIFFE forbids", replaced("\"ES256\"", "\"EdDSA\"")),
        ("no algorithm", replaced("[\"ES256\"]", "[]")),
        ("no trust domain's name", replaced("\"acme.example\"", "\"Acme.example\"")),
        ("a path in a trust domain's name", replaced("\"acme.example\"", "\"acme.example/x\"")),
        ("the gate's own name", replaced(LOGIN_ISS, "proviso")),
        ("a trust domain's name for an issuer", replaced(LOGIN_ISS, "spiffe://acme.example")),
        ("an issuer twice", replaced("https://other.example", LOGIN_ISS)),
        ("both kinds", replaced("trust_domain = \"acme.example\"", "trust_domain = \"a\"\nissuer = \"b\"")),
        ("no keys", replaced(&format!("file = \"{mesh}\""), "")),
        ("keys that are not there", replaced("mesh.json", "nothing.json")),
        ("keys of another use", replaced("mesh.json", "login.json")),
        ("keys without TLS", replaced(&format!("file = \"{mesh}\""), "url = \"http://keys.example/\"")),
        ("keys inside the network", replaced(&format!("file = \"{mesh}\""), "url = \"https://10.0.0.1/\"")),
        ("keys that are kept for ever", replaced("mesh.json\"", "mesh.json\", keep = \"30d\"")),
        ("keys that are looked at all the time", replaced("mesh.json\"", "mesh.json\", refresh = \"1s\"")),
        ("a life for ever", file(folder.path(), "longest = \"30d\"")),
        ("a task from who asks", file(folder.path(), "task = \"sub\"")),
        (
            "a name that is no issuer's",
            file(folder.path(), "").replace("spiffe://acme.example\"]", "spiffe://b.example\"]"),
        ),
        ("an enforcement point of nobody", {
            let point = "\n[[enforcement_point]]\nname = \"x\"\nissuer = \"https://a.example\"\nsubject = \"x\"\n\
                         subjects = \"Agent::*\"\nservers = [\"files\"]\n";
            format!("{good}{point}")
        }),
    ] {
        assert!(fault(&text).starts_with("bad_identities: "), "{what}: {}", fault(&text));
    }
}

/// Seconds since 1970: the binary's clock is the machine's.
fn now() -> i64 {
    SystemClock.now().millis() / 1000
}

fn write_bundle(folder: &Path) {
    for (path, text) in bundle() {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

async fn who(gate: &Binary, token: &str) -> (u16, Value) {
    let answer = Client::send(gate.client.request(Method::GET, "/api/v1/whoami").bearer_auth(token)).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn a_gate_believes_whom_its_file_names_until_an_operator_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, policies) = (folder.path().join("data"), folder.path().join("bundle"));
    write_bundle(&policies);
    publish(folder.path());
    let identities = folder.path().join("identities.toml");
    fs::write(&identities, file(folder.path(), "")).unwrap();
    let gate = Binary::serve_bundle(&data, &policies, &["--identities", &identities.display().to_string()]);
    let svid = json!({
        "sub": format!("{AGENTS}report-writer"), "aud": AUDIENCE, "exp": now() + 300, "iat": now(), "txn": "weekly-report",
    });
    let svid = MESH.sign(None, &svid);
    let (status, said) = who(&gate, &svid).await;
    assert_eq!((status, &said["subject"]["id"]), (200, &json!(format!("{AGENTS}report-writer"))), "{said}");
    let point = gate.token(&[
        "enforcement-point",
        "--name",
        "proxy",
        "--subjects",
        &format!("Agent::{AGENTS}*"),
        "--servers",
        "files",
    ]);
    let parties = Parties { client: gate.client.clone(), point, agent: svid.clone() };
    let answer = parties.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c1")).await;
    assert_eq!(answer.json()["decision"], true, "{answer:?}");

    let list = gate.token(&["list", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let lines = list["tokens"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["by"] == "spiffe://acme.example" && line["state"] == "live"), "{list}");
    gate.token(&["revoke", "--issuer", "spiffe://acme.example", "--sub", &format!("{AGENTS}report-writer")]);
    assert_eq!(who(&gate, &svid).await.1["code"], "credential_ended");

    let claims = json!({
        "iss": LOGIN_ISS, "sub": "agent|ledger-bot", "aud": AUDIENCE, "exp": now() + 300, "iat": now(), "jti": "one",
        "client_id": "c", "txn": "weekly-report",
    });
    let token = LOGIN.sign(Some("at+jwt"), &claims);
    assert_eq!(who(&gate, &token).await.0, 200);
    gate.token(&["revoke", "--issuer", LOGIN_ISS, "--jti", "one"]);
    assert_eq!(who(&gate, &token).await.1["code"], "credential_ended");
    let data = data.display().to_string();
    for arguments in [
        &["revoke"][..],
        &["revoke", "pvf_x", "--issuer", LOGIN_ISS],
        &["revoke", "--issuer", LOGIN_ISS, "--sub", "x", "--jti", "y"],
        &["revoke", "--sub", "x"],
    ] {
        let output = Binary::run(&[&["token"], arguments, &["--data", &data]].concat());
        assert_eq!(output.status.code(), Some(64), "{arguments:?} {output:?}");
    }
    let output = Binary::run(&["token", "revoke", "--issuer", LOGIN_ISS, "--data", &data, "--json"]);
    assert_eq!(output.status.code(), Some(65), "{output:?}");
}

#[test]
fn a_file_that_cannot_be_used_is_told_and_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("identities.toml");
    fs::write(&text, "[[issuer]]\ntrust_domain = \"acme.example\"\n").unwrap();
    for file in [text, folder.path().join("nothing.toml")] {
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../bundles/sample");
        let data = folder.path().join("data").display().to_string();
        let output = Binary::run(&[
            "serve",
            "--json",
            "--single-user",
            "--bundle",
            sample,
            "--data",
            &data,
            "--identities",
            &file.display().to_string(),
        ]);
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(65), "{told}");
        assert!(told.contains("bad_identities") && told.contains("docs/identities.md"), "{told}");
    }
}

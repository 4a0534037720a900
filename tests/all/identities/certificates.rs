//! X.509-SVIDs over TLS: who an enforcement point is by its certificate, and each check with one in which only that is
//! wrong.

use proviso::app::Operator;
use proviso_tests::{AGENTS, Binary, Client, TestGate, as_person, write_file};
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
use reqwest::Method;
use serde_json::json;

use super::authority::{Authority, GATEWAY, Mesh, lasts};
use super::keys::Served;
use super::{MESH, MESH_ISS};

fn operator() -> Operator {
    Operator { uid: 4242, name: "tester".to_owned() }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn a_point_is_who_its_certificate_says_for_as_long_as_it_lasts() {
    let mesh = Mesh::begin().await;
    let leaf = mesh.authority.leaf(mesh.now(), &[GATEWAY], |_| {});
    let said = mesh.who(&leaf).await.json();
    assert_eq!((&said["caller"], &said["name"]), (&json!("enforcement_point"), &json!("edge")), "{said}");
    // One connection for all that follows.
    let client = mesh.client(Some(&leaf));
    let agent = mesh.token("report-writer", "j1", None);
    let call = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    let asked = async || {
        let request = client.request(Method::POST, "/access/v1/evaluation").header("proviso-subject-token", &agent);
        Client::send(request.json(&call)).await
    };
    assert_eq!(asked().await.json()["decision"], true);
    let lines = mesh.gate.app.tokens();
    let line = lines.iter().find(|line| line.what.starts_with("edge: ")).expect("it is recorded");
    assert_eq!(line.by, MESH_ISS);
    // A certificate of another name asks for nobody, whatever token of an agent comes with it.
    let other = mesh.authority.leaf(mesh.now(), &["spiffe://acme.example/gateway/other"], |_| {});
    let request = mesh.client(Some(&other)).request(Method::POST, "/access/v1/evaluation");
    let answer = Client::send(request.header("proviso-subject-token", &agent).json(&call)).await;
    assert_eq!(answer.code(), "certificate_alone");
    // What has ended has ended in the middle of a connection, too.
    mesh.gate.clock.advance(3_600);
    let request = client.request(Method::GET, "/api/v1/whoami");
    assert_eq!(Client::send(request).await.code(), "token_expired");
}

#[tokio::test]
async fn each_check_of_a_certificate_refuses_it_alone() {
    let mesh = Mesh::begin().await;
    let (now, authority, stranger) = (mesh.now(), &mesh.authority, Authority::new());
    let below = authority.below();
    assert_eq!(mesh.code(&authority.leaf(now, &[GATEWAY], |_| {})).await.0, 200);
    assert_eq!(
        mesh.code(&below.leaf(now, &[GATEWAY], |_| {}).led_by(&below)).await.0,
        200,
        "through another authority"
    );
    for (what, leaf, code) in [
        ("another authority", stranger.leaf(now, &[GATEWAY], |_| {}), refused(401, "certificate_untrusted")),
        (
            "another authority, with ours behind it",
            stranger.leaf(now, &[GATEWAY], |_| {}).led_by(authority),
            refused(401, "certificate_untrusted"),
        ),
        ("no way to the authority", below.leaf(now, &[GATEWAY], |_| {}), refused(401, "certificate_untrusted")),
        (
            "another trust domain",
            authority.leaf(now, &["spiffe://evil.example/gateway/edge"], |_| {}),
            refused(401, "certificate_untrusted"),
        ),
        ("no id", authority.leaf(now, &[], |_| {}), refused(401, "certificate_name")),
        (
            "two ids",
            authority.leaf(now, &[GATEWAY, "spiffe://acme.example/agent/x"], |_| {}),
            refused(401, "certificate_name"),
        ),
        (
            "a name of the web",
            authority.leaf(now, &["https://acme.example/x"], |_| {}),
            refused(401, "certificate_name"),
        ),
        (
            "a trust domain's id",
            authority.leaf(now, &["spiffe://acme.example"], |_| {}),
            refused(401, "certificate_name"),
        ),
        (
            "another spelling",
            authority.leaf(now, &["spiffe://ACME.example/gateway/edge"], |_| {}),
            refused(401, "certificate_name"),
        ),
        (
            "an authority's",
            authority.leaf(now, &[GATEWAY], |leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
            refused(401, "certificate_usage"),
        ),
        (
            "a key that signs certificates",
            authority.leaf(now, &[GATEWAY], |leaf| leaf.key_usages.push(KeyUsagePurpose::KeyCertSign)),
            refused(401, "certificate_usage"),
        ),
        (
            "a key that signs lists of revoked ones",
            authority.leaf(now, &[GATEWAY], |leaf| leaf.key_usages.push(KeyUsagePurpose::CrlSign)),
            refused(401, "certificate_usage"),
        ),
        (
            "a key that only agrees on others",
            authority.leaf(now, &[GATEWAY], |leaf| leaf.key_usages = vec![KeyUsagePurpose::KeyAgreement]),
            refused(401, "certificate_usage"),
        ),
        (
            "a key for nothing that is said",
            authority.leaf(now, &[GATEWAY], |leaf| leaf.key_usages.clear()),
            refused(401, "certificate_usage"),
        ),
        (
            "a server's alone",
            authority
                .leaf(now, &[GATEWAY], |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
            refused(401, "certificate_untrusted"),
        ),
        ("over", authority.leaf(now, &[GATEWAY], |leaf| lasts(leaf, now - 600, now)), refused(401, "token_expired")),
        (
            "not begun",
            authority.leaf(now, &[GATEWAY], |leaf| lasts(leaf, now + 61, now + 600)),
            refused(401, "token_not_yet"),
        ),
        (
            "longer than it may",
            authority.leaf(now, &[GATEWAY], |leaf| lasts(leaf, now, now + 7_261)),
            refused(401, "token_too_long"),
        ),
        (
            "an agent's, which says no task",
            authority.leaf(now, &[&format!("{AGENTS}report-writer")], |_| {}),
            refused(403, "certificate_alone"),
        ),
    ] {
        assert_eq!(mesh.code(&leaf).await, code, "{what}");
    }
}

#[tokio::test]
async fn authorities_rotate_without_a_restart_and_what_is_too_old_is_believed_by_nobody() {
    let mesh = Mesh::begin().await;
    let next = Authority::new();
    let (of_first, of_next) =
        (mesh.authority.leaf(mesh.now(), &[GATEWAY], |_| {}), next.leaf(mesh.now(), &[GATEWAY], |_| {}));
    assert_eq!(mesh.code(&of_first).await.0, 200);
    assert_eq!(mesh.code(&of_next).await, refused(401, "certificate_untrusted"));
    mesh.publish(&[mesh.authority.jwk(), next.jwk()]);
    mesh.gate.clock.advance(31);
    assert_eq!((mesh.code(&of_next).await.0, mesh.code(&of_first).await.0), (200, 200), "both, while it rotates");
    // One that was taken away is believed no longer than `refresh`.
    mesh.publish(&[next.jwk()]);
    mesh.gate.clock.advance(301);
    assert_eq!(mesh.code(&of_first).await, refused(401, "certificate_untrusted"));
    assert_eq!(mesh.code(&of_next).await.0, 200);
    // A bundle that cannot be read counts as it was, and not for ever.
    mesh.hide();
    mesh.gate.clock.advance(1_800);
    assert_eq!(mesh.code(&of_next).await.0, 200);
    mesh.gate.clock.advance(1_260);
    let fresh = next.leaf(mesh.now(), &[GATEWAY], |_| {});
    mesh.gate.clock.advance(600);
    assert_eq!(mesh.code(&fresh).await, refused(503, "issuer_keys_unavailable"));
}

#[tokio::test]
async fn authorities_at_an_address_rotate_without_a_restart() {
    let (first, next) = (Authority::new(), Authority::new());
    let bundle = |authorities: &[&Authority]| {
        let keys: Vec<_> =
            authorities.iter().map(|authority| authority.jwk()).chain([MESH.public("jwt-svid")]).collect();
        json!({"spiffe_sequence": 1, "keys": keys})
    };
    let served = Served::begin(bundle(&[&first])).await;
    let keys = format!(
        "{{ url = \"http://{}/keys\", allow = [\"127.0.0.1/32\"], refresh = \"5m\", keep = \"1h\" }}",
        served.at
    );
    let mesh = Mesh::elsewhere(first, &keys).await;
    let leaf = |authority: &Authority| authority.leaf(mesh.now(), &[GATEWAY], |_| {});
    let (of_first, of_next) = (leaf(&mesh.authority), leaf(&next));
    assert_eq!(mesh.code(&of_first).await.0, 200);
    let asked = served.asked();
    assert_eq!(mesh.code(&of_next).await, refused(401, "certificate_untrusted"));
    // Within half a minute nobody asks again, whatever is shown.
    assert_eq!((mesh.code(&of_next).await.0, served.asked()), (401, asked));
    served.say(Some(bundle(&[&mesh.authority, &next])));
    mesh.gate.clock.advance(31);
    assert_eq!((mesh.code(&of_next).await.0, mesh.code(&of_first).await.0), (200, 200), "both, while it rotates");
    // One that was taken away is believed no longer than `refresh`.
    served.say(Some(bundle(&[&next])));
    mesh.gate.clock.advance(301);
    assert_eq!(mesh.code(&of_first).await, refused(401, "certificate_untrusted"));
    assert_eq!(mesh.code(&of_next).await.0, 200);
    // An address that answers no more counts as it did, and not for ever.
    served.say(None);
    mesh.gate.clock.advance(1_800);
    assert_eq!(mesh.code(&of_next).await.0, 200);
    mesh.gate.clock.advance(1_260);
    let fresh = leaf(&next);
    mesh.gate.clock.advance(600);
    assert_eq!(mesh.code(&fresh).await, refused(503, "issuer_keys_unavailable"));
}

#[tokio::test]
async fn one_certificate_is_ended_alone_and_a_workload_with_all_of_its() {
    let mesh = Mesh::begin().await;
    let leaf = || mesh.authority.leaf(mesh.now(), &[GATEWAY], |_| {});
    let (one, two) = (leaf(), leaf());
    assert_eq!((mesh.code(&one).await.0, mesh.code(&two).await.0), (200, 200));
    let app = &mesh.gate.app;
    app.end_foreign(MESH_ISS, None, Some(&one.id()), &operator()).await.unwrap();
    assert_eq!(mesh.code(&one).await, refused(401, "credential_ended"));
    assert_eq!(mesh.code(&two).await.0, 200);
    app.end_foreign(MESH_ISS, Some(GATEWAY), None, &operator()).await.unwrap();
    assert_eq!(mesh.code(&two).await, refused(401, "credential_ended"));
    assert_eq!(mesh.code(&leaf()).await, refused(401, "credential_ended"), "one that was signed since");
}

#[tokio::test]
async fn a_certificate_is_nobody_s_sign_in_and_takes_none_away() {
    let mesh = Mesh::begin().await;
    let leaf = mesh.authority.leaf(mesh.now(), &[GATEWAY], |_| {});
    let client = mesh.client(Some(&leaf));
    let get = async |path: &str, person: Option<&str>| {
        let request = client.request(Method::GET, path);
        Client::send(match person {
            Some(person) => as_person(request, person),
            None => request,
        })
        .await
    };
    assert_eq!(get("/api/v1/exceptions", None).await.code(), "no_session");
    let mara = mesh.gate.person("mara").await;
    let seen = get("/api/v1/session", Some(&mara)).await.json();
    assert_eq!(seen["person"]["id"], "mara", "{seen}");
    assert!(get("/api/v1/exceptions", Some(&mara)).await.status.is_success());
    // And whoever has none is asked for a token.
    let request = mesh.client(None).request(Method::GET, "/api/v1/whoami");
    assert_eq!(Client::send(request).await.code(), "no_credential");
}

#[tokio::test]
async fn what_a_header_says_of_a_certificate_is_nobody_s_word() {
    let mesh = Mesh::begin().await;
    let leaf = mesh.authority.leaf(mesh.now(), &[GATEWAY], |_| {});
    let plain = TestGate::start().await;
    let bound = mesh.token("report-writer", "j1", Some(json!({"x5t#S256": leaf.thumbprint()})));
    let pem = mesh.authority.pem().replace('\n', "%0A");
    for client in [&mesh.client(None), &plain.client] {
        for header in [
            "x-forwarded-client-cert",
            "x-ssl-client-cert",
            "x-client-cert",
            "client-cert",
            "client-cert-chain",
            "ssl-client-verify",
            "x-spiffe-id",
        ] {
            let told = format!("By={GATEWAY};URI={GATEWAY};Hash={};Cert=\"{pem}\"", leaf.id());
            let request = client.request(Method::GET, "/api/v1/whoami").header(header, &told);
            assert_eq!(Client::send(request).await.code(), "no_credential", "{header}");
            let request = client.request(Method::GET, "/api/v1/whoami").bearer_auth(&bound).header(header, &told);
            let code = Client::send(request).await.code();
            assert!(["token_binding", "token_issuer", "unauthenticated"].contains(&code.as_str()), "{header}: {code}");
        }
    }
}

#[test]
fn a_gate_without_tls_of_its_own_promises_no_certificates() {
    let folder = tempfile::tempdir().unwrap();
    super::publish(folder.path());
    let file = folder.path().join("identities.toml");
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../bundles/sample");
    let (data, path) = (folder.path().join("data").display().to_string(), file.display().to_string());
    for (what, text) in [
        ("bound to certificates", super::file(folder.path(), "bound = \"mtls\"")),
        ("a trust domain's", {
            let text = super::file(folder.path(), "");
            text.replacen("algorithms = [\"ES256\"]", "algorithms = [\"ES256\"]\ncertificates = {}", 1)
        }),
    ] {
        std::fs::write(&file, text).unwrap();
        for more in [&[][..], &["--behind-proxy", "--public-url", "https://gate.example"]] {
            let arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--bundle", sample, "--data", &data];
            let output = Binary::run(&[&arguments[..], &["--identities", &path], more].concat());
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            let told = format!("{told}{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(output.status.code(), Some(64), "{what} {more:?}: {told}");
            assert!(told.contains("certificates_without_tls"), "{what} {more:?}: {told}");
            assert!(!std::path::Path::new(&data).exists(), "{what} {more:?}");
        }
    }
}

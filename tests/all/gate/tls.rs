//! TLS of the gate's own: served, renewed while it runs, and refused where it is not good.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proviso_tests::{Binary, until};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};

use super::failure;

/// An authority, and a folder in which what it signed lies.
struct House {
    folder: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl House {
    fn build() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let house = Self { folder: tempfile::tempdir().unwrap(), authority };
        fs::write(house.path("ca.pem"), house.authority.pem()).unwrap();
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A certificate for these names until the year begins, and its key, as two texts.
    fn issued(&self, names: &[&str], year: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// Puts a pair where the gate looks.
    fn put(&self, (certificate, key): &(String, String)) {
        fs::write(self.path("tls.crt"), certificate).unwrap();
        fs::write(self.path("tls.key"), key).unwrap();
        fs::set_permissions(self.path("tls.key"), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn serve(&self, more: &[&str]) -> Binary {
        let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample");
        let (certificate, key) = (self.text("tls.crt"), self.text("tls.key"));
        let arguments = [&["--tls-cert", &certificate, "--tls-key", &key][..], more].concat();
        Binary::serve_bundle(&self.path("data"), &bundle, &arguments)
    }

    /// A client that believes this authority alone.
    fn client(&self) -> reqwest::Client {
        let authority = reqwest::Certificate::from_pem(self.authority.pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_built_in_root_certs(false).add_root_certificate(authority);
        client.no_proxy().build().unwrap()
    }

    /// A handshake in this version for this name, or for none.
    async fn shake(
        &self,
        address: SocketAddr,
        name: &str,
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_protocol_versions(versions).unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// The certificate that is served now.
    async fn served(&self, address: SocketAddr) -> Vec<u8> {
        let stream = self.shake(address, "127.0.0.1", &[&version::TLS13]).await.expect("a handshake");
        let certificates = stream.get_ref().1.peer_certificates().expect("certificates");
        certificates.first().expect("one").to_vec()
    }
}

const NAMES: [&str; 2] = ["gate.example", "127.0.0.1"];

fn address(gate: &Binary) -> SocketAddr {
    gate.client.url.strip_prefix("https://").expect("an https address").parse().expect("an address")
}

async fn trouble(client: &reqwest::Client, gate: &Binary, of: &str) -> bool {
    let text = client.get(format!("{}/metrics", gate.client.url)).send().await.unwrap().text().await.unwrap();
    text.contains(&format!("proviso_tls_trouble{{of=\"{of}\"}} 1"))
}

#[tokio::test]
async fn a_gate_speaks_tls_1_2_and_1_3_to_who_believes_its_authority_and_http_1_inside() {
    let house = House::build();
    house.put(&house.issued(&NAMES, 2096));
    let gate = house.serve(&[]);
    let client = house.client();
    let answer = client.get(format!("{}/readyz", gate.client.url)).send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_11));
    for one in [&version::TLS12, &version::TLS13] {
        house.shake(address(&gate), "gate.example", &[one]).await.expect("a handshake");
    }
    // A link to sign in is https, and so the session's cookie goes over nothing else.
    let link = gate.token(&["approver", "--user", "mara"]);
    assert!(link.starts_with(&gate.client.url), "{link}");
    let secret = link.rsplit('#').next().unwrap_or_default();
    let request = client.post(format!("{}/api/v1/session", gate.client.url)).json(&json!({"link": secret}));
    let answer = request.send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.contains("Secure"), "{cookie}");
    // A stranger's authority is believed by nobody.
    let other = House::build();
    assert!(other.client().get(format!("{}/readyz", gate.client.url)).send().await.is_err());
    gate.stop();
}

#[tokio::test]
async fn neither_a_name_that_is_not_its_own_nor_plain_http_nor_a_handshake_that_hangs_gets_anywhere() {
    let house = House::build();
    house.put(&house.issued(&NAMES, 2096));
    let gate = house.serve(&[]);
    let place = address(&gate);
    assert!(house.shake(place, "other.example", &[&version::TLS13]).await.is_err());
    // Those that say nothing, and one that stops in the middle, take nobody's turn.
    let mut hanging = Vec::new();
    for _ in 0..64 {
        hanging.push(TcpStream::connect(place).await.unwrap());
    }
    let mut begun = TcpStream::connect(place).await.unwrap();
    begun.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    // A handshake has 15 seconds: whoever waited for one of those would come too late.
    let request = house.client().get(format!("{}/livez", gate.client.url)).timeout(Duration::from_secs(12));
    assert!(request.send().await.expect("an answer in time").status().is_success());
    // Plain HTTP gets one answer, and nothing of the gate's.
    let mut plain = TcpStream::connect(place).await.unwrap();
    plain.write_all(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: gate.example\r\n\r\n").await.unwrap();
    let mut said = String::new();
    plain.read_to_string(&mut said).await.unwrap();
    let (head, body) = said.split_once("\r\n\r\n").expect("an answer");
    let body: Value = serde_json::from_str(body).expect("a problem");
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert_eq!(body["code"], json!("tls_needed"), "{body}");
    assert!(body["help"].is_string());
    drop((hanging, begun));
    gate.stop();
}

#[tokio::test]
async fn a_new_pair_is_served_without_a_restart_and_a_bad_one_takes_nothing_s_place() {
    let house = House::build();
    house.put(&house.issued(&NAMES, 2096));
    let gate = house.serve(&[]);
    let (place, client) = (address(&gate), house.client());
    let first = house.served(place).await;
    let mut standing = house.shake(place, "gate.example", &[&version::TLS13]).await.expect("a handshake");
    let good = house.issued(&NAMES, 2096);
    house.put(&good);
    // By itself, as files are renewed.
    let second = until("the new certificate is served", async || {
        Some(house.served(place).await).filter(|served| *served != first)
    })
    .await;
    // A connection that stood goes on.
    standing.write_all(b"GET /livez HTTP/1.1\r\nHost: gate.example\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = standing.read_to_end(&mut said).await;
    assert!(said.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&said));

    let (another, open) = (house.issued(&NAMES, 2096), house.issued(&NAMES, 2096));
    let bad: [(&str, (String, String), u32); 4] = [
        ("a key of another", (another.0, good.1.clone()), 0o600),
        ("expired", house.issued(&NAMES, 2020), 0o600),
        ("everybody's key", open, 0o604),
        ("no certificate", ("not PEM".to_owned(), good.1.clone()), 0o600),
    ];
    for (what, pair, mode) in bad {
        house.put(&pair);
        fs::set_permissions(house.path("tls.key"), fs::Permissions::from_mode(mode)).unwrap();
        gate.hang_up();
        until(what, async || trouble(&client, &gate, "reload").await.then_some(())).await;
        assert_eq!(house.served(place).await, second, "{what}: the one before goes on");
        // The good one back again ends the trouble.
        house.put(&good);
        gate.hang_up();
        until(what, async || (!trouble(&client, &gate, "reload").await).then_some(())).await;
    }
    gate.stop();
}

#[tokio::test]
async fn a_reload_ends_no_gate_that_has_nothing_to_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Binary::serve(&folder.path().join("data"));
    gate.hang_up();
    // A signal that nobody had taken over would have ended it at once.
    let answer = gate.client.get("/livez", None).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    gate.stop();
}

#[tokio::test]
async fn a_certificate_that_ends_within_a_week_is_told_of() {
    let house = House::build();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(NAMES.map(str::to_owned).to_vec()).unwrap();
    let now = proviso::clock::Clock::now(&proviso::clock::SystemClock);
    let text = now.plus(policy_core::time::Span::from_seconds(3 * 86_400)).to_string();
    let day: Vec<i32> = text.split(['-', 'T']).take(3).map(|part| part.parse().expect("a number")).collect();
    let [year, month, day] = day.try_into().expect("year, month and day");
    params.not_after = date_time_ymd(year, u8::try_from(month).unwrap(), u8::try_from(day).unwrap());
    let certificate = params.signed_by(&key, &house.authority).unwrap();
    house.put(&(certificate.pem(), key.serialize_pem()));
    let gate = house.serve(&[]);
    assert!(trouble(&house.client(), &gate, "ending").await);
    assert!(!trouble(&house.client(), &gate, "reload").await);
    gate.stop();
}

#[test]
fn a_gate_does_not_start_with_what_is_not_good() {
    let house = House::build();
    let good = house.issued(&NAMES, 2096);
    let (data, bundle) = (house.text("data"), Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample"));
    let (certificate, key) = (house.text("tls.crt"), house.text("tls.key"));
    let refused = |more: &[&str]| {
        let bundle = bundle.display().to_string();
        let arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--bundle", &bundle, "--data", &data];
        let tls = ["--tls-cert", &certificate, "--tls-key", &key];
        let told = failure(&Binary::run(&[&arguments[..], &tls, more].concat()));
        assert!(!Path::new(&data).exists(), "nothing was made by {more:?}");
        told
    };
    let bad = |code: &str| (Some(65), code.to_owned());
    assert_eq!(refused(&[]), bad("tls_file_unreadable"));
    house.put(&good);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(refused(&[]), bad("tls_key_open"));
    for (pair, code) in [
        ((good.0.clone(), house.issued(&NAMES, 2096).1), "tls_key_of_another"),
        (house.issued(&NAMES, 2020), "tls_certificate_expired"),
        (("x".to_owned(), good.1.clone()), "tls_no_certificate"),
        ((good.0.clone(), good.0.clone()), "tls_no_key"),
    ] {
        house.put(&pair);
        assert_eq!(refused(&[]), bad(code));
    }
    house.put(&good);
    assert_eq!(refused(&["--public-url", "https://elsewhere.example"]), (Some(64), "tls_name_mismatch".to_owned()));
    assert_eq!(refused(&["--public-url", "http://gate.example"]), (Some(64), "public_url_without_tls".to_owned()));
}

#[tokio::test]
async fn the_proxy_holds_the_gate_against_the_authorities_that_it_is_given() {
    use crate::mcp::proxy::{Place, Proxy, command_with};

    let house = House::build();
    house.put(&house.issued(&NAMES, 2096));
    let gate = house.serve(&[]);
    let parties = super::parties(&gate);
    let place = Place { gate: &gate.client.url, server: "files", point: &parties.point, agent: &parties.agent };
    let server = crate::mcp::lister(r#"[{"name":"read_file","inputSchema":{"type":"object"}}]"#);
    let other = House::build();
    for (ca, reached) in [(house.text("ca.pem"), true), (other.text("ca.pem"), false)] {
        let mut proxy = Proxy::spawn(command_with(place, &["--gate-ca", &ca], &server));
        let answer = proxy.request("tools/list", &json!({})).await;
        let reason = &answer["error"]["data"]["proviso.dev/context"]["reason"];
        assert_eq!(*reason == json!("gate_unreachable"), !reached, "{answer}");
        proxy.kill().await;
    }
    gate.stop();
}

//! Authorities of trust domains and what they sign, made by rcgen; and a gate with TLS of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proviso::clock::Clock as _;
use proviso::tls::Pair;
use proviso::trust::Identities;
use proviso_tests::{AGENTS, Answer, Client, Setup, TestGate};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    SanType, date_time_ymd,
};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{AUDIENCE, LOGIN, LOGIN_ISS, MESH, bundle};

/// The gateway that the file names as an enforcement point.
pub(super) const GATEWAY: &str = "spiffe://acme.example/gateway/edge";

/// An authority of a trust domain, or of servers.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, as whoever has both shows it.
pub(super) struct Leaf {
    pem: String,
    der: Vec<u8>,
}

impl Authority {
    pub fn new() -> Self {
        Self(CertifiedIssuer::self_signed(authority_params(), KeyPair::generate().unwrap()).unwrap())
    }

    /// One below it.
    pub fn below(&self) -> Self {
        Self(CertifiedIssuer::signed_by(authority_params(), KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    /// As a SPIFFE trust bundle has it.
    pub fn jwk(&self) -> Value {
        json!({"use": "x509-svid", "kty": "EC", "crv": "P-256", "x5c": [STANDARD.encode(self.0.der())]})
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// An X.509-SVID with these ids, good for an hour from this second, and changed.
    pub fn leaf(&self, now: i64, ids: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = ids.iter().map(|id| SanType::URI((*id).try_into().unwrap())).collect();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        params.is_ca = IsCa::ExplicitNoCa;
        lasts(&mut params, now - 10, now + 3_600);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Leaf { pem: format!("{}{}", key.serialize_pem(), certificate.pem()), der: certificate.der().to_vec() }
    }
}

/// From when until when, in seconds since 1970.
pub(super) fn lasts(params: &mut CertificateParams, from: i64, until: i64) {
    let at = |second: i64| date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(second).unwrap());
    (params.not_before, params.not_after) = (at(from), at(until));
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Leaf {
    /// With those behind it that lead to its authority.
    pub fn led_by(mut self, authority: &Authority) -> Self {
        self.pem.push_str(&authority.pem());
        self
    }

    /// As `x5t#S256` has it.
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.der))
    }

    /// By which an operator names it.
    pub fn id(&self) -> String {
        Sha256::digest(&self.der).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A gate inside TLS that believes the certificates of a trust domain.
pub(super) struct Mesh {
    pub gate: TestGate,
    pub authority: Authority,
    server: Authority,
    folder: TempDir,
}

impl Mesh {
    pub async fn begin() -> Self {
        Self::with("").await
    }

    /// With these members more in the login's entry, or tables behind it.
    pub async fn with(login: &str) -> Self {
        Self::of(Authority::new(), login, None).await
    }

    /// Where the trust domain's bundle lies at an address, as this says in the file.
    pub async fn elsewhere(authority: Authority, keys: &str) -> Self {
        Self::of(authority, "", Some(keys)).await
    }

    async fn of(authority: Authority, login: &str, keys: Option<&str>) -> Self {
        let (server, folder) = (Authority::new(), tempfile::tempdir().unwrap());
        let key = KeyPair::generate().unwrap();
        let served = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &server.0).unwrap();
        let pair = Pair { certificate: folder.path().join("tls.crt"), key: folder.path().join("tls.key") };
        fs::write(&pair.certificate, served.pem()).unwrap();
        fs::write(&pair.key, key.serialize_pem()).unwrap();
        fs::set_permissions(&pair.key, fs::Permissions::from_mode(0o600)).unwrap();
        publish(folder.path(), &[authority.jwk()]);
        let mut text = file(folder.path(), login);
        if let Some(keys) = keys {
            let here = format!("{{ file = \"{}/mesh.json\" }}", folder.path().display());
            assert!(text.contains(&here));
            text = text.replacen(&here, keys, 1);
        }
        let identities = Identities::parse(&text).unwrap_or_else(|error| panic!("{error}"));
        let tls = Some((pair, client_of(&server, None)));
        let gate = TestGate::with(Setup { bundle: bundle(), identities, tls, ..Setup::default() }).await;
        Self { gate, authority, server, folder }
    }

    /// The trust domain's bundle is another from now on.
    pub fn publish(&self, authorities: &[Value]) {
        publish(self.folder.path(), authorities);
    }

    /// Nobody can read the trust domain's bundle any more.
    pub fn hide(&self) {
        fs::remove_file(self.folder.path().join("mesh.json")).unwrap();
    }

    pub fn now(&self) -> i64 {
        self.gate.clock.now().millis() / 1000
    }

    /// A client with a certificate, or with none.
    pub fn client(&self, leaf: Option<&Leaf>) -> Client {
        Client::over(self.gate.client.url.clone(), client_of(&self.server, leaf))
    }

    /// What the gate makes of whoever shows this certificate, and no token.
    pub async fn who(&self, leaf: &Leaf) -> Answer {
        Client::send(self.client(Some(leaf)).request(Method::GET, "/api/v1/whoami")).await
    }

    pub async fn code(&self, leaf: &Leaf) -> (u16, String) {
        let answer = self.who(leaf).await;
        (answer.status.as_u16(), answer.code())
    }

    /// An agent's access token, bound as said.
    pub fn token(&self, agent: &str, jti: &str, cnf: Option<Value>) -> String {
        let mut claims = json!({
            "iss": LOGIN_ISS, "sub": "5f0c1e", "aud": AUDIENCE, "exp": self.now() + 300, "iat": self.now(), "jti": jti,
            "client_id": "app-1", "txn": "weekly-report",
            "act": {"iss": "spiffe://acme.example", "sub": format!("{AGENTS}{agent}")},
        });
        if let Some(cnf) = cnf {
            claims["cnf"] = cnf;
        }
        LOGIN.sign(Some("at+jwt"), &claims)
    }
}

fn client_of(server: &Authority, leaf: Option<&Leaf>) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(server.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_built_in_root_certs(false).add_root_certificate(root);
    let client = match leaf {
        Some(leaf) => client.identity(reqwest::Identity::from_pem(leaf.pem.as_bytes()).unwrap()),
        None => client,
    };
    client.build().unwrap()
}

/// The keys' documents of mesh and login in a folder, with these authorities of the mesh's.
pub(super) fn publish(folder: &std::path::Path, authorities: &[Value]) {
    let keys: Vec<Value> = [MESH.public("jwt-svid")].into_iter().chain(authorities.iter().cloned()).collect();
    fs::write(folder.join("mesh.json"), json!({"spiffe_sequence": 1, "keys": keys}).to_string()).unwrap();
    fs::write(folder.join("login.json"), json!({"keys": [LOGIN.public("sig")]}).to_string()).unwrap();
}

fn file(folder: &std::path::Path, login: &str) -> String {
    let folder = folder.display();
    format!(
        r#"
[[issuer]]
trust_domain = "acme.example"
keys = {{ file = "{folder}/mesh.json" }}
algorithms = ["ES256"]
audience = ["{AUDIENCE}"]
certificates = {{ longest = "2h" }}

[[enforcement_point]]
name = "edge"
issuer = "spiffe://acme.example"
subject = "{GATEWAY}"
subjects = "Agent::spiffe://acme.example/agent/*"
servers = ["files"]

[[issuer]]
issuer = "{LOGIN_ISS}"
keys = {{ file = "{folder}/login.json" }}
algorithms = ["RS256"]
audience = ["{AUDIENCE}"]
may_name = ["spiffe://acme.example"]
{login}
"#
    )
}

//! Mails over TLS to a server of a house of its own: they go out where its certificate is good, and nowhere else.

use std::io::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use proviso::notify::Notify;
use proviso_api::routing::DeliveryLine;
use proviso_tests::{Setup, Story, TestGate, until, write_file};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A private certification authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A server's side of TLS with a certificate for this name.
    fn server(&self, name: &str) -> TlsAcceptor {
        self.server_until(name, 4096)
    }

    /// The same with one that ends when this year begins.
    fn server_until(&self, name: &str, year: i32) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap()))
    }

    fn file(&self, folder: &Path) -> String {
        let path = folder.join("ca.pem");
        std::fs::write(&path, self.0.pem()).unwrap();
        path.display().to_string()
    }
}

/// How the server does TLS.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Implicit,
    Starttls,
    /// It never offers TLS.
    Clear,
    /// It offers TLS and refuses when it is asked for it.
    Withdrawn,
}

/// A mail server that keeps what it was told, in clear and inside TLS.
#[derive(Clone)]
struct Server {
    address: SocketAddr,
    way: Way,
    tls: TlsAcceptor,
    clear: Arc<Mutex<Vec<String>>>,
    inside: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(way: Way, tls: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, way, tls, clear: Arc::default(), inside: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        server
    }

    /// Whoever does not like the certificate goes away in the middle, which is no error of the server.
    async fn serve(self, stream: TcpStream) -> Result<(), Error> {
        if self.way == Way::Implicit {
            let stream = self.tls.accept(stream).await?;
            return converse(stream, "220 sink", false, &self.inside, "").await.map(drop);
        }
        let offer = if self.way == Way::Clear { "" } else { "250-STARTTLS\r\n" };
        let upgraded = converse(stream, "220 sink", self.way == Way::Starttls, &self.clear, offer).await?;
        match upgraded {
            Some(stream) => converse(self.tls.accept(stream).await?, "", false, &self.inside, "").await.map(drop),
            None => Ok(()),
        }
    }

    fn told(lines: &Mutex<Vec<String>>, word: &str) -> bool {
        lines.lock().unwrap().iter().any(|line| line.contains(word))
    }

    /// Whether a word of a mail, of its envelope or of the password went over the line in clear.
    fn leaked(&self) -> bool {
        ["MAIL", "RCPT", "DATA", "AUTH", "acme.example"].iter().any(|word| Self::told(&self.clear, word))
    }
}

/// SMTP until its end; the stream, where TLS is to follow.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    greeting: &str,
    upgrades: bool,
    told: &Mutex<Vec<String>>,
    offer: &str,
) -> Result<Option<S>, Error> {
    let mut stream = BufReader::new(stream);
    if !greeting.is_empty() {
        stream.write_all(format!("{greeting}\r\n").as_bytes()).await?;
        stream.flush().await?;
    }
    let mut is_data = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        told.lock().unwrap().push(line.clone());
        let answer = match line.trim_end() {
            "." if is_data => {
                is_data = false;
                "250 kept".to_owned()
            }
            _ if is_data => continue,
            "STARTTLS" if upgrades => "220 go on".to_owned(),
            "STARTTLS" => "454 not now".to_owned(),
            "DATA" => {
                is_data = true;
                "354 go on".to_owned()
            }
            line if line.starts_with("EHLO") => format!("250-sink\r\n{offer}250 AUTH PLAIN"),
            line if line.starts_with("AUTH") => "235 fine".to_owned(),
            "QUIT" => "221 bye".to_owned(),
            _ => "250 fine".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        stream.flush().await?;
        if upgrades && line.trim_end() == "STARTTLS" {
            return Ok(Some(stream.into_inner()));
        }
    }
}

/// The table of a mail server that people are told by.
fn table(folder: &Path, server: &Server, name: &str, ca: &str) -> Result<Notify, proviso::notify::ConfigError> {
    let password = folder.join("password");
    std::fs::write(&password, "a long password").unwrap();
    let tls = if server.way == Way::Implicit { "implicit" } else { "starttls" };
    Notify::parse(&format!(
        "[email]\nserver = \"{name}\"\nport = {}\ntls = \"{tls}\"\n{ca}\nfrom = \"gate@acme.example\"\nuser = \"proviso\"\n\
         password = {{ file = {:?} }}\n[email.people]\nmara = \"mara@acme.example\"\n",
        server.address.port(),
        password.display().to_string(),
    ))
}

/// A gate that tells by this server, with one request that mara is told of.
async fn telling(notify: Notify) -> Story {
    let story = Story::on(TestGate::with(Setup { notify, ..Setup::default() }).await).await;
    story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    story
}

/// The mail's delivery, once it is so.
async fn delivery(story: &Story, state: &str, so: impl Fn(&DeliveryLine) -> bool) -> DeliveryLine {
    let find = async || {
        let lines = story.gate.app.deliveries(Some(state)).await.expect("the list").deliveries;
        lines.into_iter().find(|line| line.channel == "email" && so(line))
    };
    until("the delivery", find).await
}

#[tokio::test]
async fn a_mail_goes_out_over_tls_by_a_private_authority() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::named("house");
    let ca = format!("ca = {:?}", authority.file(folder.path()));
    for (way, name) in [(Way::Starttls, "localhost"), (Way::Implicit, "localhost"), (Way::Implicit, "127.0.0.1")] {
        let server = Server::start(way, authority.server(name)).await;
        let story = telling(table(folder.path(), &server, name, &ca).unwrap()).await;
        delivery(&story, "delivered", |_| true).await;
        for word in ["AUTH PLAIN", "MAIL FROM:<gate@acme.example>", "RCPT TO:<mara@acme.example>", "/exceptions/exc_"] {
            assert!(Server::told(&server.inside, word), "{word}: {:?}", server.inside);
        }
        assert!(!server.leaked(), "{:?}", server.clear);
    }
}

#[tokio::test]
async fn no_mail_leaves_for_a_server_that_cannot_prove_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let [authority, stranger, impostor] = ["house", "elsewhere", "house"].map(Authority::named);
    let ca = format!("ca = {:?}", authority.file(folder.path()));
    let cases = [
        (
            "another authority",
            Way::Starttls,
            stranger.server("localhost"),
            ca.as_str(),
            "of no authority that is trusted",
        ),
        ("another authority", Way::Implicit, stranger.server("localhost"), &ca, "of no authority that is trusted"),
        ("one that took the name", Way::Starttls, impostor.server("localhost"), &ca, "of no authority that is trusted"),
        ("a private one that nobody named", Way::Starttls, authority.server("localhost"), "", "of no authority"),
        ("another name", Way::Starttls, authority.server("mail.acme.example"), &ca, "for another name than `server`"),
        ("another name", Way::Implicit, authority.server("mail.acme.example"), &ca, "for another name than `server`"),
        ("one that is over", Way::Implicit, authority.server_until("localhost", 2020), &ca, "is not valid now"),
        ("no TLS", Way::Clear, authority.server("localhost"), &ca, "STARTTLS is not supported on this server"),
        ("TLS that is withdrawn", Way::Withdrawn, authority.server("localhost"), &ca, "the mail server answered 454"),
    ];
    for (what, way, tls, ca, said) in cases {
        let server = Server::start(way, tls).await;
        let story = telling(table(folder.path(), &server, "localhost", ca).unwrap()).await;
        let line = delivery(&story, "waiting", |line| line.attempts > 0).await;
        assert!(line.error.as_deref().is_some_and(|error| error.contains(said)), "{what}: {line:?}");
        assert!(line.due.is_some_and(|due| due > line.at), "{what}: it is tried again: {line:?}");
        assert!(!server.leaked() && server.inside.lock().unwrap().is_empty(), "{what}: {server:?}");
    }
}

#[tokio::test]
async fn a_server_that_stays_untrusted_is_given_up_and_found_in_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let [authority, stranger] = ["house", "elsewhere"].map(Authority::named);
    let ca = format!("ca = {:?}", authority.file(folder.path()));
    let server = Server::start(Way::Starttls, stranger.server("localhost")).await;
    let story = telling(table(folder.path(), &server, "localhost", &ca).unwrap()).await;
    for attempts in 1..10 {
        let line = delivery(&story, "waiting", |line| line.attempts == attempts && line.kind == "exception.requested");
        let line = line.await;
        let wait = line.due.expect("it is tried again").since(story.gate.app.delivery_time());
        story.gate.clock.advance(u32::try_from(wait.seconds()).unwrap() + 1);
    }
    let line = delivery(&story, "dead", |line| line.kind == "exception.requested").await;
    assert!(line.error.is_some_and(|error| error.contains("of no authority that is trusted")));
    assert!(!server.leaked() && server.inside.lock().unwrap().is_empty(), "{server:?}");
}

#[tokio::test]
async fn a_file_of_authorities_that_holds_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::named("house");
    let server = Server::start(Way::Starttls, authority.server("localhost")).await;
    let path = folder.path().join("bad.pem");
    let ca = format!("ca = {:?}", path.display().to_string());
    table(folder.path(), &server, "localhost", &ca).expect_err("there is no such file");
    let good = authority.0.pem();
    let (head, _) = good.split_at(good.len() / 2);
    let nothing = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for bad in ["", "no certificate", head, nothing, &good.replace("CERTIFICATE", "PRIVATE KEY")] {
        std::fs::write(&path, bad).unwrap();
        let error = table(folder.path(), &server, "localhost", &ca).expect_err(bad);
        assert_eq!(error.code(), "bad_notify_file", "{bad}");
    }
    let plain = "[email]\nserver = \"localhost\"\nport = 25\ntls = \"none\"\nfrom = \"gate@acme.example\"\n";
    Notify::parse(&format!("{plain}{ca}\n")).expect_err("`ca` without TLS");
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("clear", &self.clear).field("inside", &self.inside).finish_non_exhaustive()
    }
}

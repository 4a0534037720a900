//! Mails: plain text, a link, and nothing that anybody outside the house wrote.

use std::error::Error as _;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Letter};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::Tls as Way;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use policy_core::text;
use policy_core::time::Timestamp;
use rustls::{CertificateError, Error as TlsError};

use super::backoff::Failed;
use super::config::{Email, Tls};
use crate::app::Message;
use crate::store::Delivery;

/// How long the mail server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(15);
/// And in all.
const ALL_PATIENCE: Duration = Duration::from_secs(60);

/// The way to the mail server.
pub(super) struct Postbox {
    email: Email,
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Postbox {
    /// A way to the configured mail server; TLS by rustls.
    pub(super) fn new(email: &Email) -> Result<Self, SmtpError> {
        let way = match email.tls {
            Tls::Implicit => Way::Wrapper(email.tls_parameters()?),
            // INVARIANT: required, so that a server or somebody before it that offers none gets no word of ours.
            Tls::Starttls => Way::Required(email.tls_parameters()?),
            // Only on loopback: the configuration holds that.
            Tls::None => Way::None,
        };
        // "Dangerous" is what it is without the next call.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&email.server).tls(way);
        let builder = builder.timeout(Some(PATIENCE)).port(email.port);
        let builder = match &email.login {
            Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.clone())),
            None => builder,
        };
        Ok(Self { email: email.clone(), transport: builder.build() })
    }

    /// Sends a delivery once.
    pub(super) async fn send(&self, delivery: &Delivery, now: Timestamp) -> Result<(), Failed> {
        let to =
            self.email.mailbox(&delivery.target).ok_or_else(|| Failed::for_good("no mail address is configured"))?;
        let message: Message =
            serde_json::from_slice(&delivery.message).map_err(|_| Failed::for_good("the message cannot be read"))?;
        let letter = letter(&self.email.from, to, delivery, &message, now)?;
        match tokio::time::timeout(ALL_PATIENCE, self.transport.send(letter)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Failed::of(why(&error))),
            Err(_) => Err(Failed::of("the mail server did not answer in time")),
        }
    }
}

/// Why a mail did not leave, in our words: an answer's text and a certificate's names are others'.
fn why(error: &SmtpError) -> String {
    if let Some(code) = error.status() {
        return format!("the mail server answered {code}");
    }
    if let Some(tls) = tls_error(error) {
        let what = match tls {
            // The second is somebody with an authority's name and another key.
            TlsError::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
                "its certificate is of no authority that is trusted; `ca` names another"
            }
            TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => "its certificate is for another name than `server`",
            TlsError::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. },
            ) => "its certificate is not valid now",
            TlsError::InvalidCertificate(_) => "its certificate is not good",
            _ => "it does not speak TLS as it must",
        };
        return format!("no mail was sent: the mail server is not trusted, {what}");
    }
    if error.is_client() {
        // What the library itself found wanting before anything was said of the mail.
        let found = error.source().map(|found| text::visible(&found.to_string(), 100)).unwrap_or_default();
        return format!("no mail was sent: {found}");
    }
    "there is no connection to the mail server".to_owned()
}

/// What TLS found wrong, wherever in the error it lies.
fn tls_error(error: &SmtpError) -> Option<&TlsError> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(found) = inner.downcast_ref::<TlsError>() {
            return Some(found);
        }
        let io = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = io.and_then(|inner| inner.downcast_ref::<TlsError>()) {
            return Some(found);
        }
        source = inner.source();
    }
    None
}

/// The letter. Every header is made by the library from an address that it has parsed or from words of ours.
fn letter(
    from: &Mailbox,
    to: &Mailbox,
    delivery: &Delivery,
    message: &Message,
    now: Timestamp,
) -> Result<Letter, Failed> {
    let (subject, first) = words(message);
    let sent = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0));
    let mut lines = vec![first];
    if let Some(tier) = &message.tier {
        lines.push(format!("Tier: {}", text::visible(tier, 60)));
    }
    if let Some(until) = message.decide_by {
        lines.push(format!("Until: {until}"));
    }
    if let Some(count) = message.unconfirmed {
        lines.push(format!("Waiting: {count}"));
    }
    lines.extend([String::new(), message.link.clone(), String::new()]);
    lines.push("Sign in to see what it is about. Nothing is decided by mail.".to_owned());
    let domain = from.email.domain();
    Letter::builder()
        .from(from.clone())
        .to(to.clone())
        .date(sent)
        .message_id(Some(format!("<{}@{domain}>", delivery.id)))
        .subject(subject)
        .header(ContentType::TEXT_PLAIN)
        .body(lines.join("\r\n"))
        .map_err(|_| Failed::for_good("the mail cannot be written"))
}

/// Subject and first line, for what happened.
fn words(message: &Message) -> (String, String) {
    let wanted = match message.kind.as_str() {
        "exception.requested" => "A decision is wanted",
        "exception.reminder" => "A decision is still wanted",
        "exception.emergency" => "An emergency was declared, and a decision is wanted soon",
        "question.asked" => "Before deciding, somebody asks what you may answer",
        "exception.escalated" => "Nobody has decided yet, and you are asked next",
        "exception.handed_over" => "A request was handed to you",
        "deputy.appointed" => "You stand in for somebody",
        "account.proposed" => "Somebody wants an account to be a way in of yours",
        "recovery.begun" => {
            "The last administrator is said to be lost, and another is let in after a day unless you stop it"
        }
        "recovery.stopped" => "Somebody stopped letting another administrator in",
        "recovery.offered" => "The day has passed, and another administrator is let in",
        "epoch.unconfirmed" => "The record was restored, and what you may confirm waits",
        _ => "Something happened",
    };
    (format!("Proviso: {}", lower(wanted)), format!("{wanted}."))
}

fn lower(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Channel, DeliveryState};

    #[test]
    fn no_word_of_a_message_gets_into_a_header() {
        let evil = "high\r\nBcc: everybody@elsewhere.example\r\n\r\n<b>now</b>";
        let message = Message {
            link: "http://127.0.0.1:8731/exceptions/exc_1".to_owned(),
            exception: Some("exc_1".to_owned()),
            tier: Some(evil.to_owned()),
            decide_by: Some(Timestamp::from_millis(0)),
            groups: vec![evil.to_owned()],
            ..Message::of(evil, Timestamp::from_millis(0))
        };
        let delivery = Delivery {
            id: "msg_1".to_owned(),
            seq: 1,
            channel: Channel::Email,
            target: "person/mara".to_owned(),
            message: Vec::new(),
            state: DeliveryState::Waiting,
            attempts: 0,
            due: Timestamp::from_millis(0),
            at: Timestamp::from_millis(0),
            error: None,
        };
        let mailbox: Mailbox = "Mara <mara@acme.example>".parse().unwrap();
        let letter = letter(&mailbox, &mailbox, &delivery, &message, Timestamp::from_millis(0)).unwrap();
        let text = String::from_utf8(letter.formatted()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.contains("elsewhere"), "{head}");
        assert!(head.contains("Message-ID: <msg_1@acme.example>"), "{head}");
        assert!(head.contains("text/plain"), "{head}");
        assert!(letter.envelope().to().len() == 1);
        assert!(!text.contains("\nBcc:"), "{text}");
    }
}

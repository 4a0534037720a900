//! Mails: plain text, a link, and nothing that anybody outside the house wrote.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Letter};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use policy_core::text;
use policy_core::time::Timestamp;

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
    pub(super) fn new(email: &Email) -> Result<Self, lettre::transport::smtp::Error> {
        let builder = match email.tls {
            Tls::Implicit => AsyncSmtpTransport::<Tokio1Executor>::relay(&email.server)?,
            Tls::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&email.server)?,
            // Only on loopback: the configuration holds that.
            Tls::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&email.server),
        };
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
            Ok(Err(error)) => Err(Failed::of(match error.status() {
                Some(code) => format!("the mail server answered {code}"),
                None => "there is no connection to the mail server".to_owned(),
            })),
            Err(_) => Err(Failed::of("the mail server did not answer in time")),
        }
    }
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
        "exception.escalated" => "Nobody has decided yet, and you are asked next",
        "exception.handed_over" => "A request was handed to you",
        "deputy.appointed" => "You stand in for somebody",
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
            kind: evil.to_owned(),
            at: Timestamp::from_millis(0),
            link: "http://127.0.0.1:8731/exceptions/exc_1".to_owned(),
            exception: Some("exc_1".to_owned()),
            tier: Some(evil.to_owned()),
            decide_by: Some(Timestamp::from_millis(0)),
            groups: vec![evil.to_owned()],
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

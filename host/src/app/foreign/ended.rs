//! What operators end of other issuers' credentials: one token by its own id, or whatever names a subject.

use policy_core::text;

use super::seen::token_name;
use crate::app::App;
use crate::app::append::Proposal;
use crate::app::event::LedgerEvent;
use crate::app::refusal::Refusal;
use crate::app::settings::Operator;
use crate::identity::{EndedParty, IdentityEvent};
use crate::store::VersionKey;
use crate::trust::Party;

impl App {
    /// Ends a token, or whatever names a subject, for good. Of what is ended already nothing is written.
    ///
    /// # Errors
    /// `bad_target` unless exactly one of the two is named; `unknown_issuer`.
    pub async fn end_foreign(
        &self,
        issuer: &str,
        subject: Option<&str>,
        jti: Option<&str>,
        by: &Operator,
    ) -> Result<(), Refusal> {
        let shown = |name: &str| text::visible(name, 80);
        if !self.settings().identities.knows(issuer) {
            let help =
                "take the issuer's name from the file of `serve --identities`: `spiffe://NAME` for a trust domain";
            return Err(
                Refusal::not_found("unknown_issuer", format!("`{}` is no issuer here", shown(issuer))).help(help)
            );
        }
        let usable = |text: &str| !text.is_empty() && text.len() <= 2_048;
        let ended = match (subject.filter(|text| usable(text)), jti.filter(|text| usable(text))) {
            (Some(subject), None) => {
                EndedParty::Subject(Party { issuer: issuer.to_owned(), subject: subject.to_owned() })
            }
            (None, Some(jti)) => EndedParty::Token {
                issuer: issuer.to_owned(),
                id: jti.to_owned(),
                token: token_name(self.keys(), issuer, jti),
            },
            _ => {
                return Err(Refusal::bad(
                    "bad_target",
                    "name a subject of the issuer or a token's `jti`, and not both",
                ));
            }
        };
        let now = self.now();
        self.admit(|state| {
            if state.registry.has_ended(&ended) {
                return Ok(Proposal { expected: Vec::new(), records: Vec::new(), answer: () });
            }
            let event = IdentityEvent::CredentialEnded { ended: ended.clone(), by: by.name.clone(), at: now };
            let mut record = self.ledger(now, &LedgerEvent::Identity(event))?;
            // INVARIANT (R7): a use under way conflicts with the end of its credential.
            let ends = state.registry.named_by(&ended).into_iter().map(VersionKey::Identity);
            record.touches.extend(ends);
            Ok(Proposal { expected: Vec::new(), records: vec![record], answer: () })
        })
        .await
        .map(drop)
    }
}

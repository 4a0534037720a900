//! What operators end of other issuers' credentials: one token by its own id, one credential, or whatever names a subject.

use policy_core::text;

use super::seen::token_name;
use crate::app::App;
use crate::app::append::Proposal;
use crate::app::event::LedgerEvent;
use crate::app::identities::unknown_token;
use crate::app::refusal::Refusal;
use crate::app::settings::Operator;
use crate::app::state::State;
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
        self.end(|_| Ok(ended.clone()), by).await
    }

    /// Ends a credential for good, by the id that the list shows: every token that says the same of the same.
    ///
    /// # Errors
    /// `unknown_token`.
    pub(in crate::app) async fn end_credential(&self, id: &str, by: &Operator) -> Result<(), Refusal> {
        // INVARIANT (R7): what the gate does not know it believes anew, so the end is of what is said and not of its record,
        // which may be over, forgotten or erased.
        let ended = |state: &State| {
            let said = state.registry.said_in(id).ok_or_else(|| unknown_token(id))?;
            Ok(EndedParty::Credential { id: id.to_owned(), said: said.clone() })
        };
        self.end(ended, by).await
    }

    async fn end(&self, ended: impl Fn(&State) -> Result<EndedParty, Refusal>, by: &Operator) -> Result<(), Refusal> {
        let now = self.now();
        self.admit(|state| {
            let ended = ended(state)?;
            if state.registry.has_ended(&ended) {
                return Ok(Proposal { expected: Vec::new(), records: Vec::new(), answer: () });
            }
            // INVARIANT (R7): a use under way conflicts with the end of its credential.
            let ends: Vec<_> = state.registry.named_by(&ended).into_iter().map(VersionKey::Identity).collect();
            let event = IdentityEvent::CredentialEnded { ended, by: by.name.clone(), at: now };
            let mut record = self.ledger(now, &LedgerEvent::Identity(event))?;
            record.touches.extend(ends);
            Ok(Proposal { expected: Vec::new(), records: vec![record], answer: () })
        })
        .await
        .map(drop)
    }
}

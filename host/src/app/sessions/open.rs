//! A session begins.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use proviso_api::session::Session;

use crate::app::App;
use crate::app::append::{Proposal, contended};
use crate::app::event::LedgerEvent;
use crate::app::identities::ASSURANCE;
use crate::app::limits::Often;
use crate::app::ownership::hold_present;
use crate::app::passkeys::UsedPasskey;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::sessions::Page;
use crate::app::state::State;
use crate::identity::{Account, IdentityEvent, PersonSession, PersonSessionFacts, Secret, SecretKind, Stronger};
use crate::store::VersionKey;

/// How much of what a browser says of itself is kept.
const LONGEST_BROWSER: usize = 300;

/// Where somebody signs in from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whence {
    /// The secret of the session that the browser had until now.
    pub session: Option<String>,
    /// What the browser says of itself.
    pub browser: Option<String>,
}

/// Somebody who comes in.
#[derive(Clone)]
pub(in crate::app) struct Entry<'a> {
    /// By which link.
    pub link: Option<&'a Secret>,
    /// Who.
    pub person: EntityRef,
    /// Whether the link was minted under the gate's own user.
    pub same_user: bool,
    /// How strongly.
    pub assurance: String,
    /// By which account of a provider.
    pub account: Option<Account>,
    /// By which passkey, which has just signed.
    pub passkey: Option<UsedPasskey>,
    /// More strongly for a while.
    pub stronger: Option<Stronger>,
    /// The bundle's groups that the provider's claim was mapped to.
    pub groups: Vec<EntityRef>,
    /// Where from.
    pub whence: Whence,
    /// The session that goes on under a fresh secret, by its public id.
    pub continues: Option<String>,
    /// The session in whose page the link was made, for the command line.
    pub page: Option<Page>,
}

impl Entry<'_> {
    /// By a link, or in a demo by nothing.
    pub fn by_link(person: EntityRef) -> Self {
        Self {
            link: None,
            person,
            same_user: false,
            assurance: ASSURANCE.to_owned(),
            account: None,
            passkey: None,
            stronger: None,
            groups: Vec::new(),
            whence: Whence::default(),
            continues: None,
            page: None,
        }
    }
}

impl App {
    /// Opens a session: its secret, for the cookie, and the reply. `hold` is asked in the same turn in which it is admitted.
    ///
    /// # Errors
    /// `link_used`; `departed_person`; `signed_out`; `too_often`; what `hold` refuses.
    pub(in crate::app) async fn open_session(
        &self,
        entry: Entry<'_>,
        hold: impl Fn(&State) -> Result<(), Refusal>,
    ) -> Result<(String, Session), Refusal> {
        let secret = self.draw(SecretKind::Session)?;
        let now = self.now();
        let person = entry.person.clone();
        // A link is good once, and somebody else's to give; these two are good again and again.
        let again = entry.passkey.is_some() || entry.account.is_some();
        let slot = again.then(|| self.slot(Often::SignIns, &person)).transpose()?;
        let facts = PersonSessionFacts {
            id: secret.id().to_owned(),
            hash: secret.hash(self.keys()),
            person: person.clone(),
            assurance: entry.assurance,
            expires_at: match &entry.page {
                Some(page) => page.lasts_until(now),
                None => self.lasts_until(entry.continues.as_deref(), now)?,
            },
            same_user: entry.same_user,
            account: entry.account.map(Box::new),
            passkey: entry.passkey.as_ref().map(|used| used.passkey.id.clone()),
            stronger: entry.stronger,
            // INVARIANT (R4): all that is taken over of the page's session is who it is, and in which groups.
            groups: entry.page.as_ref().map_or(entry.groups, |page| page.groups.clone()),
            made_in: entry.page.as_ref().map(|page| page.session.clone()),
            browser: entry.whence.browser.map(|text| text.chars().take(LONGEST_BROWSER).collect()),
        };
        let continues = entry.continues;
        let before = entry.whence.session.and_then(|text| Secret::parse(SecretKind::Session, &text));
        let link = entry.link;
        let passkey = entry.passkey;
        self.admit(|state| {
            // INVARIANT (R4): one link, one session, also when two browsers present it at once.
            if link.is_some_and(|link| state.registry.token(link, self.keys(), now).is_none()) {
                return Err(Refusal::conflict("link_used", "the sign-in link was used"));
            }
            // INVARIANT (R4): nobody comes in who is said to have left meanwhile.
            hold_present(state, &person)?;
            hold(state)?;
            // INVARIANT (R4, R7): nor by a passkey that is over meanwhile, or that somebody with a copy has used.
            if let Some(used) = &passkey
                && !used.still_signs(state)?.has_grown(used.counter)
                && !sabotaged!("r4_cloned_passkey")
            {
                return Err(contended());
            }
            let link = link.map(|link| state.version(VersionKey::Identity(link.id().to_owned())));
            let used = passkey.iter().map(|used| used.version(state));
            let keys = [VersionKey::Ownership, VersionKey::Members].map(|key| state.version(key));
            // INVARIANT (R7): whoever ends the page's session meanwhile ends this.
            let page = entry.page.as_ref().map(|page| state.version(VersionKey::Identity(page.session.clone())));
            let expected = link.into_iter().chain(used).chain(keys).chain(page).collect();
            // INVARIANT (R4): a browser that signs in anew has no session of before, whoever gave it that one.
            let before = before.as_ref().and_then(|before| state.registry.session(before, self.keys(), now));
            // INVARIANT (R4, R7): a session that was ended meanwhile goes on under no other secret, and none in another
            // browser than its own.
            if continues.as_ref().is_some_and(|id| before.as_ref().is_none_or(|before| before.id != *id)) {
                return Err(signed_out());
            }
            let expected = expected_of(state, expected, before.as_ref());
            let event = IdentityEvent::SignedIn {
                link: entry.link.map(|link| link.id().to_owned()),
                session: Box::new(facts.clone()),
                replaces: before.map(|before| before.id),
                at: now,
            };
            let used = passkey.as_ref().and_then(|used| used.event(now));
            let events = used.into_iter().chain([event]);
            let records = events.map(|event| self.ledger(now, &LedgerEvent::Identity(event)));
            let mut records = records.collect::<Result<Vec<_>, _>>()?;
            if entry.page.is_none() {
                records.extend(self.enrolment(state, &person, entry.link.map(Secret::id), now)?);
            }
            Ok(Proposal { expected, records, answer: () })
        })
        .await?;
        if let Some(slot) = slot {
            slot.spent();
        }
        let key = Some(secret.page_key(self.keys()).to_string());
        let session = Session { key, ..self.session_reply(&facts.session(now)).await };
        Ok((secret.reveal(), session))
    }

    /// Authenticating anew makes no session longer.
    fn lasts_until(&self, continues: Option<&str>, now: Timestamp) -> Result<Timestamp, Refusal> {
        let whole = now.plus(self.ways().sessions.absolute);
        let Some(id) = continues else { return Ok(whole) };
        let state = self.state();
        let before = state.registry.open_session(id, now).ok_or_else(signed_out)?;
        Ok(before.facts.expires_at.min(whole))
    }
}

type Expected = Vec<(VersionKey, u64)>;

/// A session that is replaced is expected as it is: who ends it meanwhile is not passed over.
fn expected_of(state: &State, mut expected: Expected, before: Option<&PersonSession>) -> Expected {
    expected.extend(before.map(|before| state.version(VersionKey::Identity(before.id.clone()))));
    expected
}

fn signed_out() -> Refusal {
    Refusal::new(RefusalKind::Unauthenticated, "signed_out", "you are not signed in")
}

//! The first administrator: a link in a file that the gate's user alone reads.

use policy_core::entity::EntityRef;
use policy_core::text;
use policy_core::time::Timestamp;

use super::event::MembershipEvent;
use super::links::ENROL_WITHIN;
use crate::app::App;
use crate::app::ownership::hold_present;
use crate::app::refusal::Refusal;
use crate::app::settings::Operator;
use crate::app::state::State;
use crate::app::tasks::OPERATOR;

/// A link that lies in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaidLink {
    /// Who comes in by it.
    pub person: EntityRef,
    /// The file.
    pub file: String,
    /// Until when it works.
    pub expires_at: Timestamp,
}

impl App {
    /// At the first start of a gate that nobody was ever at: the link of its first administrator.
    ///
    /// # Errors
    /// `record_unavailable`; `link_unwritable`.
    pub async fn offer_first_enrolment(&self) -> Result<Option<LaidLink>, Refusal> {
        let due = {
            let state = self.state();
            state.members.nobody_was_here() && state.members.first_link().is_none()
        };
        if !due || self.settings().is_demo() || self.policy().administrators(self.now()).is_empty() {
            return Ok(None);
        }
        self.offer_enrolment(&self.settings().operator.clone(), None).await.map(Some)
    }

    /// Makes the link of the first administrator anew; without a name of the first of those whom the bundle lets be one.
    ///
    /// # Errors
    /// `no_administrators` where the bundle lets nobody be one; `not_an_administrator`; `administrator_exists`;
    /// `recover_instead` where there was one; `departed_person`; `link_unwritable`.
    pub async fn offer_enrolment(&self, by: &Operator, user: Option<&str>) -> Result<LaidLink, Refusal> {
        let operator = EntityRef::new(OPERATOR, &by.name);
        let person = self.coming_administrator(&self.state(), user)?;
        let link = self.draw_link(&person, (&by.name, by.uid), ENROL_WITHIN, self.is_own_user(by))?;
        let now = self.now();
        self.admit(|state| {
            self.hold_first(state)?;
            hold_present(state, &person)?;
            let event = MembershipEvent::EnrolmentOffered {
                person: person.clone(),
                link: link.id().to_owned(),
                by: operator.clone(),
                at: now,
            };
            self.with_link(state, &link, state.members.first_link(), (&operator, event))
        })
        .await?;
        let file = self.lay_link(&link)?;
        Ok(LaidLink { person, file, expires_at: link.expires_at() })
    }

    /// INVARIANT (R4): the way in without a wait is for a gate that never had an administrator.
    fn hold_first(&self, state: &State) -> Result<(), Refusal> {
        self.hold_none_here(state)?;
        let had = |person: &EntityRef| state.members.enrolled(person).is_some();
        if state.members.had_administrator() || self.policy().administrators(self.now()).iter().any(had) {
            return Err(Refusal::conflict("recover_instead", "this gate had an administrator before"));
        }
        Ok(())
    }

    /// Who is to be an administrator: whom the bundle lets be one.
    pub(super) fn coming_administrator(&self, state: &State, user: Option<&str>) -> Result<EntityRef, Refusal> {
        let policy = self.policy();
        let administrators = policy.administrators(self.now());
        let present = |person: &&EntityRef| state.ownership.departed(person).is_none();
        match user {
            Some(user) => {
                let person = EntityRef::new(policy.person_type(), user);
                if administrators.contains(&person) {
                    return Ok(person);
                }
                let shown = text::visible(user, 80);
                let what = format!("the bundle does not let `{shown}` look after people");
                Err(Refusal::bad("not_an_administrator", what))
            }
            None => administrators.iter().find(present).cloned().ok_or_else(|| {
                Refusal::conflict("no_administrators", "the bundle lets nobody who is here look after people")
            }),
        }
    }
}

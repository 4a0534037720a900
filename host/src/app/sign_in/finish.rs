//! A sign-in ends: the browser is back, its answer is held against what it holds, and the account is a person's or nobody's.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::session::Session;
use proviso_api::sign_in::{FinishSignIn, SignInFinished};

use super::attempt::{Attempt, same};
use super::begin::{FLOW_LIFE, busy, faulty};
use super::ways::{Authenticated, ProviderAnswer, Way};
use crate::app::App;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::sessions::{Entry, Whence};
use crate::app::state::State;
use crate::identity::{Account, Stronger};

/// What a browser comes back with, besides the provider's answer.
#[derive(Debug, Clone, Default)]
pub struct Arrival {
    /// What it holds of the sign-in that it began.
    pub held: Option<String>,
    /// Where it signs in from, and by which session it was signed in.
    pub whence: Whence,
}

/// Who comes in.
struct Coming {
    person: EntityRef,
    whence: Whence,
    continues: Option<String>,
}

impl App {
    /// Ends a sign-in by a provider: the session's secret, for the cookie, and the reply.
    ///
    /// # Errors
    /// `sign_in_not_begun_here`, `sign_in_over`, `other_issuer`, `sign_in_refused`, `bad_id_token`, `provider_unavailable`,
    /// `sign_in_busy`, `unknown_account`, `account_of_another`, `departed_person`.
    pub async fn finish_sign_in(
        &self,
        answer: FinishSignIn,
        arrival: Arrival,
    ) -> Result<(String, SignInFinished), Refusal> {
        let now = self.now();
        let (attempt, way) = self.sign_in_under_way(&answer, &arrival, now)?;
        let asked = attempt.asked(self.keys(), self.redirect(way));
        let code = match (answer.code, answer.error) {
            (Some(code), None) => Ok(code),
            (_, error) => Err(error.unwrap_or_else(|| "no_code".to_owned())),
        };
        let answer = ProviderAnswer { iss: answer.iss, code };
        let turn = self.attempts().turn().ok_or_else(busy)?;
        let redeemed = way.provider.redeem(answer, &asked, now).await;
        drop(turn);
        let authenticated = redeemed.map_err(|fault| faulty(way, fault))?;
        let person = self.person_of(way, &authenticated)?;
        if let Some(session) = &attempt.step_up {
            self.hold_same(session, way, &authenticated, now)?;
        }
        let coming = Coming { person, whence: arrival.whence, continues: attempt.step_up };
        let (secret, session) = self.enter(way, authenticated, coming).await?;
        Ok((secret, SignInFinished { session, return_to: attempt.return_to }))
    }

    /// The attempt that this is the end of.
    fn sign_in_under_way(
        &self,
        answer: &FinishSignIn,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<(Attempt, &Way), Refusal> {
        let attempt = arrival.held.as_deref().and_then(|held| Attempt::open(held, self.keys()));
        let attempt = attempt.ok_or_else(not_begun_here)?;
        let state = attempt.state(self.keys());
        // INVARIANT (R4): only the browser that began a sign-in ends it. Whoever sends somebody an answer of their own signs
        // nobody in as themselves (CSRF, session fixation).
        let bound = answer.state.parse().is_ok_and(|shown| same(&shown, &state));
        if !bound && !sabotaged!("r4_state_unbound") {
            return Err(not_begun_here());
        }
        // INVARIANT (R4): an answer that arrives where another provider's belongs is none (mix-up).
        if answer.provider != attempt.provider {
            return Err(not_begun_here());
        }
        let lasts = attempt.begun_at <= now && now < attempt.begun_at.plus(FLOW_LIFE);
        // INVARIANT (R4): one attempt, one session.
        let first = lasts && self.attempts().is_run(&attempt.run) && self.attempts().make(attempt.begun_at, state);
        if !first && !sabotaged!("r4_attempt_again") {
            return Err(over());
        }
        let way = self.way(&attempt.provider)?;
        Ok((attempt, way))
    }

    /// Whose account it is. Nobody's e-mail and nobody's name is looked at: both can be another's tomorrow.
    fn person_of(&self, way: &Way, authenticated: &Authenticated) -> Result<EntityRef, Refusal> {
        let linked =
            || self.state().members.linked(&way.issuer, &authenticated.subject).map(|held| held.person.clone());
        let Some(user) = way.people.get(&authenticated.subject) else {
            if let Some(person) = linked() {
                self.known_person(&person)?;
                return Ok(person);
            }
            let shown = text::visible(&authenticated.subject, 255);
            let detail = format!("the account `{shown}` of `{}` is nobody's here", way.label);
            return Err(Refusal::forbidden("unknown_account", detail));
        };
        let person = EntityRef::new(self.policy().person_type(), user.clone());
        self.known_person(&person)?;
        Ok(person)
    }

    /// INVARIANT (R4): whoever makes a session stronger is who signed in to it, by the same account.
    fn hold_same(
        &self,
        session: &str,
        way: &Way,
        authenticated: &Authenticated,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let state = self.state();
        let account = state.registry.open_session(session, now).and_then(|open| open.facts.account.as_ref());
        let same = account.is_some_and(|held| held.issuer == way.issuer && held.subject == authenticated.subject);
        if same || sabotaged!("r4_step_up_by_another") {
            return Ok(());
        }
        Err(Refusal::forbidden("other_account", "that is not the account which this session was signed in by"))
    }

    async fn enter(
        &self,
        way: &Way,
        authenticated: Authenticated,
        coming: Coming,
    ) -> Result<(String, Session), Refusal> {
        let Coming { person, whence, continues } = coming;
        let account = Account {
            provider: way.name.clone(),
            issuer: way.issuer.clone(),
            subject: authenticated.subject,
            acr: authenticated.acr,
            auth_time: authenticated.auth_time,
            sid: authenticated.sid,
        };
        // INVARIANT (R4): the file says what each of the provider's groups is, and the bundle whether there is such a group
        // and whether people may be in it. What of that is missing brings nothing.
        let groups = way.groups.as_ref().map(|claim| claim.mapped(&authenticated.groups)).unwrap_or_default();
        let groups = groups.into_iter().filter(|group| self.policy().may_be_in(&person, group)).collect();
        let word = account.acr.as_ref().and_then(|acr| way.step_up.get(acr));
        let stronger = word
            .zip(account.auth_time)
            .map(|(word, at)| Stronger { assurance: word.clone(), until: at.plus(way.step_up_for) });
        let held = account.clone();
        let entry = Entry {
            link: None,
            person: person.clone(),
            same_user: false,
            continues,
            page: None,
            assurance: way.assurance.clone(),
            account: Some(account),
            passkey: None,
            stronger,
            groups,
            whence,
        };
        let mapped = way.people.contains_key(&held.subject);
        let hold = move |state: &State| {
            hold_account(state, &held, &person)?;
            // INVARIANT (R7): an account that was unlinked meanwhile opens nothing.
            let linked = state.members.linked(&held.issuer, &held.subject);
            if mapped || linked.is_some_and(|linked| linked.person == person) {
                return Ok(());
            }
            Err(Refusal::forbidden("unknown_account", "the account is nobody's here any more"))
        };
        self.open_session(entry, hold).await
    }
}

/// INVARIANT (R4): an account belongs to the person it first signed in as, whatever the operator's file says later: nobody
/// votes as two people by one account.
fn hold_account(state: &State, account: &Account, person: &EntityRef) -> Result<(), Refusal> {
    match state.registry.person_of(&account.issuer, &account.subject) {
        Some(other) if other != person && !sabotaged!("r4_account_moves") => {
            let what = "this account has signed in as another person before";
            Err(Refusal::forbidden("account_of_another", what))
        }
        _ => Ok(()),
    }
}

fn not_begun_here() -> Refusal {
    let what = "this browser began no such sign-in";
    Refusal::new(RefusalKind::Unauthenticated, "sign_in_not_begun_here", what)
}

fn over() -> Refusal {
    Refusal::new(RefusalKind::Unauthenticated, "sign_in_over", "this sign-in took too long, or was ended already")
}

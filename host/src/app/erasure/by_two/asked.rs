//! What people say is to be erased, as the gate understands and records it; and what that would come to.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use proviso_api::erasures::{ErasurePlan, ErasureWhat, KeptCount, RecordPlace};

use super::super::kept::Kept;
use super::super::report::ErasureReport;
use super::super::run::Act;
use super::super::selection::{Class, ErasureRequest, Selection, Who};
use crate::app::App;
use crate::app::refusal::Refusal;

impl App {
    /// What is meant, for somebody whom it is not about.
    ///
    /// # Errors
    /// `nothing_selected`; `bad_class`; `unknown_log`, `unknown_record`; `never_erased`; `own_person`.
    pub(super) fn planned(
        &self,
        person: &EntityRef,
        what: &ErasureWhat,
    ) -> Result<(Selection, ErasurePlan, Digest), Refusal> {
        let classes: Result<Vec<Class>, String> = what.classes.iter().map(|word| word.parse()).collect();
        let mut classes = classes.map_err(|known| Refusal::bad("bad_class", format!("a class of texts is {known}")))?;
        classes.sort();
        classes.dedup();
        let request = ErasureRequest {
            person: what.person.clone(),
            agent: what.agent.clone(),
            record: what.record.as_ref().map(|place| (place.log.clone(), place.seq)),
            older_than: what.older_than,
            classes,
            reason: String::new(),
            dry_run: true,
        };
        let selection = Selection::of(&request, &self.policy().person_type())?;
        if let Who::Record(log, seq) = selection.who {
            self.hold_record(log, seq)?;
        }
        self.hold_of_another(person, &selection)?;
        let plan = ErasurePlan {
            what: selection.word().to_owned(),
            of: selection.entity().map(|entity| self.keys().pseudonym(&entity.to_string())),
            record: match selection.who {
                Who::Record(log, seq) => Some(RecordPlace { log: log.name().to_owned(), seq }),
                _ => None,
            },
            older_than: selection.older_than,
            classes: selection.classes.iter().map(|class| class.word().to_owned()).collect(),
        };
        let digest = Digest::of_json(&plan).map_err(|error| Refusal::bad("bad_input", error.to_string()))?;
        Ok((selection, plan, digest))
    }

    /// INVARIANT (R4): nobody takes out of the record what is about themselves, or about an agent of theirs.
    pub(super) fn hold_of_another(&self, person: &EntityRef, selection: &Selection) -> Result<(), Refusal> {
        // A person is no agent, but whoever asks writes what they like.
        match &selection.who {
            Who::Person(of) | Who::Agent(of) if self.is_own(person, of) => own(),
            // Whose one record is, the record says: it is held once that was read.
            Who::Person(_) | Who::Agent(_) | Who::Record(..) | Who::Anybody => Ok(()),
        }
    }

    /// INVARIANT (R4): nor one record of it: a sign-in or link of their own, a token of an agent of theirs, what was asked
    /// by it or in their name.
    pub(super) fn hold_record_of_another(&self, person: &EntityRef, report: &ErasureReport) -> Result<(), Refusal> {
        if report.of.iter().any(|of| self.is_own(person, of)) { own() } else { Ok(()) }
    }

    /// Nor lately: whoever hands an agent over does not take its past along.
    fn is_own(&self, person: &EntityRef, of: &EntityRef) -> bool {
        of == person || self.owners_in(&self.state(), of, self.now()).contains(person)
    }

    /// What it would come to.
    pub(super) async fn would_erase(&self, selection: &Selection) -> Result<ErasureReport, Refusal> {
        self.carry_out(selection, Act { by: "", reason: "", dry_run: true, by_two: None }).await
    }
}

fn own() -> Result<(), Refusal> {
    if sabotaged!("r4_own_erasure") {
        return Ok(());
    }
    let what = "nobody erases what is about themselves, what they asked for, or what an agent of theirs did";
    Err(Refusal::forbidden("own_person", what).help("let two others do it"))
}

/// Refuses what would erase nothing: two people do not decide on that.
///
/// # Errors
/// `on_hold`; `nothing_to_erase`.
pub(super) fn hold_something(report: &ErasureReport) -> Result<(), Refusal> {
    if report.erased.values().any(|payloads| *payloads > 0) {
        return Ok(());
    }
    let why: Vec<String> =
        report.kept.iter().map(|(why, records)| format!("{records} records stay: {}", why.sentence())).collect();
    if report.kept.contains_key(&Kept::OnHold) {
        return Err(Refusal::conflict("on_hold", format!("a legal hold covers it; {}", why.join("; "))));
    }
    let why = if why.is_empty() { "there is none of it".to_owned() } else { why.join("; ") };
    Err(Refusal::conflict("nothing_to_erase", format!("nothing would be erased: {why}")))
}

/// What stays, for people.
pub(super) fn kept(report: &ErasureReport) -> Vec<KeptCount> {
    let told = |(why, count): (&Kept, &u64)| KeptCount {
        why: why.word().to_owned(),
        says: why.sentence().to_owned(),
        count: *count,
    };
    report.kept.iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_erases_nothing_is_refused_and_says_why() {
        let mut report = ErasureReport::default();
        assert_eq!(hold_something(&report).unwrap_err().code, "nothing_to_erase");
        report.keep(Kept::TooNew);
        report.count(Class::Decisions, 0);
        assert_eq!(hold_something(&report).unwrap_err().code, "nothing_to_erase");
        report.keep(Kept::OnHold);
        let held = hold_something(&report).unwrap_err();
        assert!(held.code == "on_hold" && held.detail.contains("legal hold"), "{held:?}");
        report.count(Class::Decisions, 1);
        assert!(hold_something(&report).is_ok(), "what a hold covers stays, and the rest goes");
        let told: Vec<(String, u64)> = kept(&report).into_iter().map(|line| (line.why, line.count)).collect();
        assert_eq!(told, [("on_hold".to_owned(), 1), ("too_new".to_owned(), 1)]);
    }
}

//! What changed between the sheet that was shown and the one that stands now.

use policy_core::sheet::DecisionSheet;

use super::facts::{short, terms};
use super::scope::lines;

/// What is different now, one sentence each; empty when nothing that the page shows is.
pub fn changes(shown: &DecisionSheet, now: &DecisionSheet) -> Vec<String> {
    let mut changes = Vec::new();
    let (before, after) = (&shown.exception, &now.exception);
    if before.phase.word() != after.phase.word() {
        changes.push(format!("It was {}, it is {} now.", before.phase.word(), after.phase.word()));
    }
    if shown.bundle.digest != now.bundle.digest {
        let (old, new) = (shown.bundle.digest.to_string(), now.bundle.digest.to_string());
        changes.push(format!(
            "{} activated bundle {} in place of {}.",
            now.bundle.activated_by,
            short(&new),
            short(&old)
        ));
    }
    if shown.module != now.module {
        changes.push("The gate runs another module.".into());
    }
    let (old, new) = (terms(&before.terms), terms(&after.terms));
    for (name, words) in &new {
        if !old.contains(&(*name, words.clone())) {
            changes.push(format!("The terms now say {name}: {words}."));
        }
    }
    if after.versions.len() > before.versions.len()
        && let Some(version) = after.versions.last()
    {
        let by = version.by.as_ref().map_or_else(|| "Somebody".to_owned(), |person| person.id.to_string());
        let scope: Vec<String> =
            lines(&version.scope).into_iter().map(|(name, words)| format!("{name} {words}")).collect();
        changes.push(format!("{by} narrowed it to version {}: {}.", version.number, scope.join("; ")));
    }
    for vote in after.votes.iter().skip(before.votes.len()) {
        changes.push(format!("{} voted on version {}.", vote.person.id, vote.version));
    }
    for (vote, earlier) in after.votes.iter().zip(&before.votes) {
        if vote.withdrawn.is_some() && earlier.withdrawn.is_none() {
            changes.push(format!("{} took the approval of version {} back.", vote.person.id, vote.version));
        }
    }
    if shown.refused != now.refused {
        changes.push("The refused call is judged in another way now.".into());
    }
    changes
}

#[cfg(test)]
mod tests {
    use policy_core::digest::Digest;

    use super::*;
    use crate::view_model::samples;

    #[test]
    fn what_voids_a_vote_is_told() {
        let shown = samples::sheet().sheet;
        assert!(changes(&shown, &shown).is_empty());
        let mut now = shown.clone();
        now.bundle.digest = Digest::of(b"another");
        now.exception.terms.approvals = 2;
        now.exception.votes.push(samples::approval("Ola", 1));
        let told = changes(&shown, &now);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[1].contains("approvals: 2 different people"), "{told:?}");
    }

    #[test]
    fn another_position_alone_is_no_change() {
        let shown = samples::sheet().sheet;
        let mut now = shown.clone();
        now.as_of += 40;
        now.at = samples::at(600);
        assert!(changes(&shown, &now).is_empty(), "other news does not void");
    }
}

//! A page of a search, asked again: the same results, in the same order.

use policy_core::digest::Digest;
use policy_core::question::SealedQuestion;
use proviso_api::search::Found;

use super::bench::Bench;
use super::classes::Class;
use crate::app::event::SearchRecord;
use crate::app::inputs::{APPROVAL_UNVERIFIABLE, NOT_A_CANDIDATE, NOT_SEALED};

/// Asks every question of the page.
pub(super) fn page(
    bench: &mut Bench<'_>,
    (module, bundle): (Digest, Option<Digest>),
    search: &SearchRecord,
    questions: &[SealedQuestion],
) -> Result<Class, Class> {
    let differs = |what: String| Class::disagreed("outcome_differs", what);
    let apart = match &search.apart {
        Some(apart) => apart.as_slice(),
        None if questions.len() == search.judged.len() => &[],
        // Records of before do not say which of them has no question.
        None => return Ok(Class::NotEvaluated("search_of_before".to_owned())),
    };
    // Also where nothing of it could be sealed, it is agreed with on what it names, or not at all.
    if let Some(bundle) = bundle {
        bench.ready(module, bundle)?;
    }
    let (mut found, mut limit, mut asked) = (Vec::new(), None, 0u64);
    let mut questions = questions.iter();
    for (at, key) in (0u32..).zip(&search.judged) {
        let why = apart.iter().find(|one| one.at == at).map(|one| one.why.as_str());
        if why == Some(NOT_SEALED) {
            continue;
        }
        let question = questions.next().ok_or_else(|| differs(format!("no question is recorded for `{key}`")))?;
        match why {
            Some(NOT_A_CANDIDATE | APPROVAL_UNVERIFIABLE) => {
                if !bench.ask(module, question)?.outcome.permits() {
                    return Err(differs(format!("asked again, `{key}` is not even permitted")));
                }
            }
            Some(kind) => limit = Some(kind.to_owned()),
            None => {
                asked = asked.saturating_add(1);
                if bench.ask(module, question)?.outcome.permits() {
                    found.push(key.as_str());
                }
            }
        }
    }
    if questions.next().is_some() {
        return Err(differs("there are more questions than it looked at".to_owned()));
    }
    let told: Vec<&str> = search.results.iter().map(key_of).collect();
    if found != told {
        return Err(differs(format!("recorded: {}; asked again: {}", told.join(", "), found.join(", "))));
    }
    Ok(match limit {
        Some(kind) => Class::Limit(kind),
        None => Class::Agreed { questions: asked, search: true, repeated: false },
    })
}

fn key_of(found: &Found) -> &str {
    match found {
        Found::Entity { id, .. } => id,
        Found::Action { name } => name,
    }
}

//! A preview of many recorded denials where all at once are more than a call of the module bears.

use std::sync::atomic::Ordering;

use super::*;

/// An open request for whatever lies in the folder of these many denials.
async fn asked(gate: &Gate, denials: usize) -> String {
    let caller = caller(&gate.app).await;
    for number in 0..denials {
        let path = format!("/srv/files/reports/{number}.md");
        assert!(!caller.evaluate(&gate.app, tool("write_file", &path, &format!("d{number}"))).await.decision);
    }
    let body = tool("write_file", "/srv/files/reports/asked.md", "asked");
    caller.ask(&gate.app, &body, Some("/srv/files/reports")).await.unwrap()
}

#[tokio::test]
async fn all_denials_are_counted_in_however_many_calls_and_the_vote_is_on_the_same() {
    let gate = Gate::start().await;
    let (app, id) = (&gate.app, asked(&gate, 150).await);
    let mara = person(app, "mara").await;
    let sheet = app.sheet(&mara, &id, None).await.unwrap().sheet;
    let shown = app.shown(&mara, &id, Some(sheet.as_of)).await.unwrap();
    let scope = sheet.exception.request.scope.clone();
    let tried = || std::mem::take(&mut *gate.engine.previewed.lock().unwrap());
    let whole = app.preview(&shown, &scope).await.unwrap();
    assert_eq!((tried(), whole.tried, whole.flips.len()), (vec![151], 151, 151), "the denials, and the call itself");
    // Not in every folder: some flip and some do not, and each keeps its place.
    let mut narrow = scope.clone();
    let values = [7, 63, 64, 100, 149].map(|n| Scalar::String(format!("/srv/files/reports/{n}.md"))).to_vec();
    let test = Test::OneOf { values };
    narrow.arguments = ArgumentScope::Conditions(vec![Condition { at: vec!["path".to_owned()], test }]);
    let few = app.preview(&shown, &narrow).await.unwrap();
    assert_eq!((few.flips.len(), few.tried), (5, 151), "{:?}", few.flips);
    tried();
    for (most, calls) in [
        (150, vec![151, 64, 64, 23]),
        (64, vec![151, 64, 64, 23]),
        (63, [vec![151, 64], vec![8; 18], vec![7]].concat()),
        (8, [vec![151, 64], vec![8; 18], vec![7]].concat()),
    ] {
        gate.engine.most_tried.store(most, Ordering::SeqCst);
        for (scope, at_once) in [(&scope, &whole), (&narrow, &few)] {
            assert_eq!(app.preview(&shown, scope).await.unwrap(), *at_once, "{most}");
            assert_eq!(tried(), calls, "{most}");
        }
    }
    // What the browser found at once is what the gate finds in parts: the vote counts.
    gate.engine.most_tried.store(usize::MAX, Ordering::SeqCst);
    let ballot = ballot(app, &mara, &id, VoteDecision::Approve, Some(scope)).await;
    gate.engine.most_tried.store(64, Ordering::SeqCst);
    assert!(app.vote(&mara, &id, unsigned(ballot)).await.unwrap().grant.is_some());
}

#[tokio::test]
async fn where_even_a_few_are_too_much_nothing_is_counted_and_no_vote_passes() {
    let gate = Gate::start().await;
    let (app, id) = (&gate.app, asked(&gate, 20).await);
    let mara = person(app, "mara").await;
    let ballot = ballot(app, &mara, &id, VoteDecision::Approve, None).await;
    gate.engine.previewed.lock().unwrap().clear();
    gate.engine.most_tried.store(7, Ordering::SeqCst);
    let refused = app.vote(&mara, &id, unsigned(ballot.clone())).await.unwrap_err();
    assert_eq!((refused.code, refused.kind), ("limit", super::super::refusal::RefusalKind::Unavailable));
    assert_eq!(*gate.engine.previewed.lock().unwrap(), [21, 8], "it does not go on for ever");
    gate.engine.most_tried.store(8, Ordering::SeqCst);
    assert!(app.vote(&mara, &id, unsigned(ballot)).await.unwrap().grant.is_some());
}

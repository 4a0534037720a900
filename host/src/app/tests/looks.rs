//! What people look at must not keep others waiting, nor without bound.

use std::sync::atomic::Ordering;
use std::task::Poll;

use futures::FutureExt as _;
use policy_core::console::Act;
use policy_core::entity::EntityRef;

use super::{WRITER, caller, in_state, person, tool};
use crate::app::console::{About, LOOKED_UP_AT_ONCE};
use crate::app::testing::Gate;
use crate::app::{LinesWanted, PageWanted};

#[tokio::test]
async fn a_look_at_very_much_lets_others_in_between() {
    let gate = Gate::start().await;
    let (app, mara) = (&gate.app, person(&gate.app, "mara").await);
    let slices = 8;
    let asked = vec![(Act::View, About::agent(&EntityRef::new("Agent", WRITER))); slices * LOOKED_UP_AT_ONCE];
    let mut asking = Box::pin(app.may_each(&mara, &asked, app.now()));
    let mut given_way = 0;
    // The native engine answers at once: whatever is not ready gives way.
    let answers = loop {
        match futures::poll!(&mut asking) {
            Poll::Ready(answers) => break answers.unwrap(),
            Poll::Pending => given_way += 1,
        }
    };
    assert_eq!((answers.len(), given_way), (asked.len(), slices - 1));
}

#[tokio::test]
async fn dear_looks_of_one_person_are_few_at_once_and_nobody_else_waits_for_them() {
    let gate = Gate::start().await;
    let app = &gate.app;
    let caller = caller(app).await;
    caller.write(app, "/srv/files/reports/q3.md", "c1").await;
    let (mara, ola) = (person(app, "mara").await, person(app, "ola").await);
    let agent = EntityRef::new("Agent", WRITER);
    let held = [app.turn_to_look(&mara.person).await.unwrap(), app.turn_to_look(&mara.person).await.unwrap()];
    let mut waiting = Vec::new();
    while waiting.len() < 14 {
        let mut one = Box::pin(app.turn_to_look(&mara.person));
        assert!((&mut one).now_or_never().is_none());
        waiting.push(one);
    }
    let page = PageWanted::default();
    let lines = || app.record_lines(&mara, LinesWanted::default(), &page);
    assert_eq!(lines().await.unwrap_err().code, "too_many_looks");
    assert_eq!(app.agent(&mara, &agent).await.unwrap_err().code, "too_many_looks");
    assert!(!app.agent(&ola, &agent).await.unwrap().calls.is_empty());
    drop(waiting);
    drop(held);
    assert!(!app.agent(&mara, &agent).await.unwrap().calls.is_empty());
    assert!(!lines().await.unwrap().lines.is_empty());
}

#[tokio::test]
async fn of_what_looks_the_same_to_policy_the_queue_asks_once() {
    let gate = Gate::start().await;
    let app = &gate.app;
    let (caller, mara) = (caller(app).await, person(app, "mara").await);
    let asked_for = |count: usize| {
        let (gate, mara) = (&gate, &mara);
        async move {
            let before = gate.engine.asked_who.load(Ordering::SeqCst);
            let list = gate.app.exceptions(mara, &in_state("requested"), &PageWanted::default()).await.unwrap();
            assert_eq!(list.exceptions.len(), count);
            assert!(list.exceptions.iter().all(|line| line.needs_me), "each waits for her all the same");
            gate.engine.asked_who.load(Ordering::SeqCst) - before
        }
    };
    caller.ask(app, &tool("write_file", "/srv/files/reports/a.md", "c1"), None).await.unwrap();
    let of_one = asked_for(1).await;
    for (path, call) in [("/srv/files/reports/b.md", "c2"), ("/srv/files/reports/c.md", "c3")] {
        caller.ask(app, &tool("write_file", path, call), None).await.unwrap();
    }
    assert_eq!((of_one, asked_for(3).await), (1, 1));
    // Another action is another question.
    caller.ask(app, &tool("create_directory", "/srv/files/reports/d", "c4"), None).await.unwrap();
    assert_eq!(asked_for(4).await, 2);
}

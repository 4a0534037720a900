//! The form never goes beyond what was asked for, and what it shows is what is granted.

use policy_core::grant::Test;

use super::*;
use crate::view_model::samples;

fn form() -> GrantForm {
    GrantForm::open(&samples::sheet(), &samples::questions())
}

#[test]
fn the_form_opens_with_the_smallest_grant() {
    let form = form();
    let scope = form.scope(samples::at(120)).expect("makes sense");
    assert_eq!(scope.arguments, ArgumentScope::Exact);
    assert_eq!(scope.max_uses, 1);
    assert_eq!(scope, samples::sheet().smallest);
}

#[test]
fn the_form_opens_with_what_others_have_approved() {
    let mut sheet = samples::sheet();
    sheet.sheet.exception.votes.push(samples::approval("Ola", 1));
    let form = GrantForm::open(&sheet, &samples::questions());
    assert_eq!(form.scope(samples::at(120)), Ok(samples::asked_scope()));
}

#[test]
fn no_edit_widens() {
    let mut form = form();
    form.uses = 6;
    assert!(form.scope(samples::at(120)).is_err(), "five uses were asked for");
    form.uses = 5;
    form.not_after = samples::at(3_601);
    assert!(form.scope(samples::at(120)).is_err(), "an hour was asked for");
    form.set_length(0, samples::at(120));
    form.set_length(u64::MAX, samples::at(120));
    assert_eq!(form.ends(samples::at(120)), samples::at(3_600), "the longest ends with what was asked for");
    form.exact = false;
    let path = form.knobs.iter_mut().find(|knob| knob.at == ["path"]).expect("has a path");
    path.kind = Kind::Inside;
    path.folder = "/reports/../etc".into();
    assert!(form.scope(samples::at(120)).is_err(), "a path that is not in its normal form");
    let path = form.knobs.iter_mut().find(|knob| knob.at == ["path"]).expect("has a path");
    path.folder = "/".into();
    assert!(form.scope(samples::at(120)).is_err(), "only /reports was asked for");
}

#[test]
fn knobs_make_conditions() {
    let mut form = form();
    form.exact = false;
    for knob in &mut form.knobs {
        knob.kind = if knob.at == ["path"] { Kind::Inside } else { Kind::Open };
    }
    let scope = form.scope(samples::at(120)).expect("makes sense");
    let inside = Condition { at: vec!["path".into()], test: Test::Inside { path: "/reports/q4".into() } };
    assert_eq!(scope.arguments, ArgumentScope::Conditions(vec![inside]));
    for knob in &mut form.knobs {
        knob.kind = Kind::Open;
    }
    assert_eq!(form.scope(samples::at(120)), Err("A grant fixes at least one argument.".into()));
}

/// A form for a request that says how long and, at the latest, until when.
fn lasting(asked: u64, latest: u64) -> GrantForm {
    let mut sheet = samples::sheet();
    let window = |scope: Scope, length| Scope {
        valid_for: Some(Span::from_seconds(length)),
        not_after: samples::at(latest),
        ..scope
    };
    sheet.smallest = window(sheet.smallest, asked.min(900));
    sheet.sheet.exception.request.scope = window(samples::asked_scope(), asked);
    sheet.sheet.exception.versions[0].scope = sheet.sheet.exception.request.scope.clone();
    GrantForm::open(&sheet, &samples::questions())
}

#[test]
fn a_length_counts_from_the_yes_and_not_from_the_request() {
    let form = lasting(3_600, 5_400);
    for now in [0, 600, 1_200].map(samples::at) {
        assert_eq!(form.length(now), Span::from_seconds(900), "it opens with the smallest, however late it is");
        assert_eq!(form.ends(now), now.plus(Span::from_seconds(900)));
    }
    assert_eq!(form.ends(samples::at(5_000)), samples::at(5_400), "and ends with the window at the latest");
    assert_eq!(form.asked_length(samples::at(0)), Span::from_seconds(3_600));
    assert_eq!(form.scope(samples::at(0)).expect("makes sense").valid_for, Some(Span::from_seconds(900)));
}

#[test]
fn a_length_is_set_as_one_where_one_was_asked_for() {
    let mut form = lasting(3_600, 5_400);
    let now = samples::at(120);
    form.set_length(60, now);
    let scope = form.scope(now).expect("makes sense");
    assert_eq!((scope.valid_for, scope.not_after), (Some(Span::from_seconds(60)), samples::at(5_400)));
    assert_eq!(scope.granted_at(now, None).not_after, form.ends(now), "what is shown is what is granted");
    assert_eq!(form.longest(now), Span::from_seconds(3_600), "never longer than what was asked for");
    assert_eq!(form.longest(samples::at(5_000)), Span::from_seconds(400), "nor beyond the window");
    form.set_length(u64::MAX, now);
    assert!(form.scope(now).is_ok(), "the longest is not wider");
}

#[test]
fn what_opens_more_than_another_is_wider_and_what_closes_is_not() {
    let opening = lasting(3_600, 5_400);
    let wider = |change: fn(&mut GrantForm)| {
        let mut form = opening.clone();
        change(&mut form);
        form.is_wider(&opening)
    };
    assert!(!wider(|_| ()));
    assert!(!wider(|form| form.set_length(60, samples::at(120))));
    assert!(wider(|form| form.set_length(3_600, samples::at(120))));
    assert!(wider(|form| form.uses += 1));
    assert!(wider(|form| form.exact = false));
}

#[test]
fn terms_shorten_what_others_have_approved() {
    let mut sheet = samples::sheet();
    let asked =
        Scope { valid_for: Some(Span::from_seconds(3_600)), not_after: samples::at(9_000), ..samples::asked_scope() };
    sheet.sheet.exception.versions[0].scope = asked;
    sheet.sheet.exception.votes.push(samples::approval("Ola", 1));
    sheet.sheet.exception.terms.max_duration = Span::from_seconds(600);
    let form = GrantForm::open(&sheet, &samples::questions());
    assert_eq!(form.ends(samples::at(0)), samples::at(600), "as after an emergency");
}

#[test]
fn a_window_that_is_over_cannot_be_voted_on() {
    assert!(form().scope(samples::at(1_100)).is_err());
    assert_eq!(form().longest(samples::at(3_600)), Span::from_seconds(0));
}

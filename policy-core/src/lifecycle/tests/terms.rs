//! What two terms demand together, part by part.

use crate::fixtures::*;
use crate::grant::Rate;
use crate::lifecycle::strictest;
use crate::outcome::Terms;
use crate::time::Span;

fn both(first: &Terms, second: &Terms) -> Terms {
    strictest(first, second, &path(&["low", "high"]), &path(&["link", "webauthn"]))
}

fn seconds(seconds: u64) -> Option<Span> {
    Some(Span::from_seconds(seconds))
}

fn rate(uses: u32, per: u64) -> Option<Rate> {
    Some(Rate { uses, per: Span::from_seconds(per) })
}

/// The strictest is the same whichever comes first, and with itself.
fn check(first: &Terms, second: &Terms, expected: &Terms) {
    assert_eq!(both(first, second), *expected);
    assert_eq!(both(second, first), *expected);
    for terms in [first, second, expected] {
        assert_eq!(both(terms, terms), *terms, "with itself");
        assert_eq!(both(expected, terms), *expected, "again");
    }
}

#[test]
fn each_part_is_the_stricter_one() {
    let none = Terms { lead_time: None, ..terms(1) };
    type Part<'a> = &'a dyn Fn(&mut Terms);
    let raised = |t: &mut Terms| {
        t.tier = "high".into();
        t.raised_from = Some("low".into());
    };
    let rows: &[(Part<'_>, Part<'_>, Part<'_>)] = &[
        (&|t| t.decide_within = seconds(60), &|t| t.decide_within = seconds(90), &|t| t.decide_within = seconds(60)),
        (&|t| t.decide_within = seconds(60), &|_| (), &|t| t.decide_within = seconds(60)),
        (&|t| t.decide_within = seconds(8 * 3600 + 1), &|_| (), &|_| ()),
        (&|t| t.lead_time = seconds(60), &|t| t.lead_time = seconds(90), &|t| t.lead_time = seconds(60)),
        (&|t| t.lead_time = seconds(60), &|_| (), &|_| ()),
        (&|t| t.max_rate = rate(5, 60), &|t| t.max_rate = rate(6, 60), &|t| t.max_rate = rate(5, 60)),
        (&|t| t.max_rate = rate(5, 60), &|_| (), &|t| t.max_rate = rate(5, 60)),
        (&|t| t.max_rate = rate(5, 60), &|t| t.max_rate = rate(9, 600), &|t| t.max_rate = rate(5, 600)),
        (&|t| t.max_renewals = Some(2), &|t| t.max_renewals = Some(3), &|t| t.max_renewals = Some(2)),
        (&|t| t.max_renewals = Some(2), &|_| (), &|_| ()),
        (&|t| t.renewal_period = seconds(60), &|t| t.renewal_period = seconds(90), &|t| t.renewal_period = seconds(90)),
        (&|t| t.renewal_period = seconds(60), &|_| (), &|t| t.renewal_period = seconds(60)),
        (&|t| t.emergency_approvals = Some(1), &|t| t.emergency_approvals = Some(2), &|t| {
            t.emergency_approvals = Some(2)
        }),
        (&|t| t.emergency_approvals = Some(1), &|_| (), &|_| ()),
        (&|t| t.silence = seconds(60), &|t| t.silence = seconds(90), &|t| t.silence = seconds(90)),
        (&|t| t.silence = seconds(60), &|_| (), &|_| ()),
        (&|t| t.silence = seconds(7200), &|_| (), &|t| t.silence = seconds(7200)),
        (&|t| t.for_another = true, &|t| t.for_another = true, &|t| t.for_another = true),
        (&|t| t.for_another = true, &|_| (), &|_| ()),
        (&|t| t.binding = true, &|_| (), &|t| t.binding = true),
        (&|t| t.binding = true, &|t| t.binding = true, &|t| t.binding = true),
        (&|t| t.review_within = seconds(60), &|_| (), &|t| t.review_within = seconds(60)),
        (&|t| t.review_within = seconds(60), &|t| t.review_within = seconds(90), &|t| t.review_within = seconds(60)),
        (&raised, &|_| (), &raised),
        (&raised, &|t| t.tier = "high".into(), &|t| t.tier = "high".into()),
    ];
    for (number, (first, second, expected)) in rows.iter().enumerate() {
        let with = |part: &Part<'_>| {
            let mut terms = none.clone();
            part(&mut terms);
            terms
        };
        println!("row {number}");
        check(&with(first), &with(second), &with(expected));
    }
}

#[test]
fn who_is_told_is_everybody_whom_either_tells() {
    let told = |groups: &[&str], notify: &[&str], escalate: &[&str]| Terms {
        groups: path(groups),
        notify: path(notify),
        escalate: path(escalate),
        ..terms(1)
    };
    for (first, second, notify, escalate) in [
        (told(&["a"], &[], &[]), told(&["b"], &[], &[]), &[][..], &[][..]),
        (
            told(&["a"], &["x", "w"], &["z", "y"]),
            told(&["a"], &["v", "x"], &["y", "u"]),
            &["x", "w", "v"],
            &["z", "y", "u"],
        ),
        (told(&["a"], &["x"], &[]), told(&["b", "c"], &[], &["z"]), &["x", "b", "c"], &["z"]),
        (told(&["b", "c"], &[], &["z"]), told(&["a"], &["x"], &[]), &["b", "c", "x"], &["z"]),
    ] {
        let all = both(&first, &second);
        assert_eq!((all.notify.clone(), all.escalate.clone()), (path(notify), path(escalate)));
        assert_eq!(both(&all, &second), all, "again");
    }
}

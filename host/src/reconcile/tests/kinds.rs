//! Each kind of finding, and just beside it what is none.

use policy_core::digest::Digest;
use policy_core::time::Timestamp;
use proviso_api::findings::EvidenceClass::{Observed, Reported, SystemOfRecord};
use proviso_api::findings::FindingKind::{self, *};
use proviso_api::operations::ExecutionPhase;

use super::{agent, allowed, at, compare, denied, grant, kinds, of, ran};
use crate::reconcile::{Decided, Evidence, GrantFact};

const NONE: [FindingKind; 0] = [];

fn with(mut evidence: Evidence, change: impl FnOnce(&mut Evidence)) -> Evidence {
    change(&mut evidence);
    evidence
}

fn by_grant(name: &str, seconds: f64) -> Decided {
    Decided { exception: Some("exc_1".to_owned()), grant: Some("grant_1".to_owned()), ..allowed(name, seconds) }
}

#[test]
fn what_ran_has_a_decision_or_is_found() {
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[ran("s1", 2.0)], &[], 10.0), NONE);
    assert_eq!(kinds(&[], &[ran("s1", 2.0)], &[], 10.0), [RanWithoutDecision]);
    // The tool's name on its server is the bundle's action; another server's tool of that name is not.
    let tool = with(ran("s1", 2.0), |evidence| evidence.said.action = Some("fs_write".to_owned()));
    assert_eq!(kinds(&[allowed("e1", 0.0)], std::slice::from_ref(&tool), &[], 10.0), NONE);
    let elsewhere = with(tool, |evidence| evidence.said.server = Some("other".to_owned()));
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[elsewhere], &[], 10.0), [RanWithoutDecision]);
    // With other arguments it is another call.
    let other = with(ran("s1", 2.0), |evidence| evidence.said.input_digest = Some(Digest::of(b"b")));
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[other], &[], 10.0), [RanWithoutDecision]);
    // A point's own call id is another call's, too.
    let other = with(ran("s1", 2.0), |evidence| {
        evidence.credential = Some("pvp_proxy".to_owned());
        evidence.said.call = Some("call-other".to_owned());
    });
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[other], &[], 10.0), [RanWithoutDecision]);
}

#[test]
fn what_ran_after_a_denial_is_told_from_what_nobody_asked_for() {
    assert_eq!(kinds(&[denied("e1", 0.0)], &[ran("s1", 2.0)], &[], 10.0), [RanAfterDenial]);
    // An hour and a half minute later it is no longer after that one.
    assert_eq!(kinds(&[denied("e1", 0.0)], &[ran("s1", 3_629.0)], &[], 9_999.0), [RanAfterDenial]);
    assert_eq!(kinds(&[denied("e1", 0.0)], &[ran("s1", 3_631.0)], &[], 9_999.0), [RanWithoutDecision]);
    // Denied first and permitted then: it ran on the allow.
    assert_eq!(kinds(&[denied("e1", 0.0), allowed("e2", 1.0)], &[ran("s1", 2.0)], &[], 10.0), NONE);
    // By name there is no doubt.
    let found = compare(&[denied("e1", 0.0), allowed("e2", 1.0)], &[of(Observed, "e1", "x", 2.0)], &[], 10.0);
    let drawn = found.findings.values().next().unwrap();
    assert_eq!((drawn.kind, drawn.strength, drawn.ambiguous), (RanAfterDenial, Observed, false));
}

#[test]
fn what_ran_is_what_was_allowed_or_says_what_differs() {
    let named = |change: fn(&mut Evidence)| with(of(Observed, "e1", "x", 1.0), change);
    for (change, differs) in [
        ((|_| {}) as fn(&mut Evidence), None),
        (|e| e.said.input_digest = Some(Digest::of(b"b")), Some("the arguments")),
        (|e| e.said.server = Some("ledger".to_owned()), Some("the server")),
        (|e| e.said.action = Some("move_file".to_owned()), Some("the action")),
        (|e| e.said.task = Some("another".to_owned()), Some("the task")),
        (|e| e.said.grant = Some("grant_9".to_owned()), Some("the grant")),
        (|e| e.said.subject.as_mut().unwrap().id = "x".into(), Some("the subject")),
        // What it does not say differs in nothing.
        (|e| (e.said.server, e.said.input_digest) = (None, None), None),
    ] {
        let found = compare(&[allowed("e1", 0.0)], &[named(change)], &[], 10.0);
        let told: Vec<String> = found.findings.values().flat_map(|drawn| drawn.about.clone()).collect();
        assert_eq!(told, differs.map(str::to_owned).into_iter().collect::<Vec<_>>());
        assert!(found.findings.keys().all(|(kind, _)| *kind == OutsideConditions), "{found:?}");
    }
}

#[test]
fn an_allow_ends_and_a_grant_ends() {
    // Five seconds, and thirty of others' clocks.
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[of(Observed, "e1", "x", 35.0)], &[], 60.0), NONE);
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[of(Observed, "e1", "x", 35.001)], &[], 60.0), [AfterExpiry]);
    // Without a name, as well.
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[ran("s1", 35.0)], &[], 60.0), NONE);
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[ran("s1", 36.0)], &[], 60.0), [AfterExpiry]);
    // Who does not say when it began is believed: the report came late.
    let undated = with(of(Observed, "e1", "x", 900.0), |evidence| evidence.said.started_at = None);
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[undated], &[], 1_000.0), NONE);
    // A call that names a grant and was never asked for.
    let on_grant = |seconds: f64| with(ran("s1", seconds), |e| e.said.grant = Some("grant_1".to_owned()));
    assert_eq!(kinds(&[], &[on_grant(100.0)], &[grant(100.0)], 900.0), [RanWithoutDecision]);
    assert_eq!(kinds(&[], &[on_grant(136.0)], &[grant(100.0)], 900.0), [AfterExpiry]);
    let revoked = |seconds: f64| GrantFact { revoked_at: Some(at(seconds)), ..grant(900.0) };
    assert_eq!(kinds(&[], &[on_grant(136.0)], &[revoked(100.0)], 900.0), [AfterRevocation]);
    // A decision just before the revoke: its call may still begin within the allow, and not later.
    for (began, expected) in [(135.0, vec![]), (136.0, vec![AfterRevocation])] {
        let run = of(SystemOfRecord, "e1", "x", began);
        assert_eq!(
            kinds(&[by_grant("e1", 99.0)], &[run], &[revoked(100.0)], 900.0)
                .into_iter()
                .filter(|kind| *kind != AfterExpiry)
                .collect::<Vec<_>>(),
            expected,
            "{began}"
        );
    }
}

#[test]
fn one_allow_is_for_one_call() {
    let twice = [ran("s1", 1.0), ran("s2", 2.0)];
    assert_eq!(kinds(&[allowed("e1", 0.0)], &twice, &[], 10.0), [MoreOften]);
    assert_eq!(kinds(&[allowed("e1", 0.0), allowed("e2", 1.5)], &twice, &[], 10.0), NONE);
    // Who else tells of the same call tells of the same call.
    let two_sources = [ran("s1", 1.0), of(Observed, "e1", "x", 1.0), of(Reported, "e1", "y", 1.0)];
    assert_eq!(kinds(&[allowed("e1", 0.0)], &two_sources, &[], 10.0), NONE);
    // Several words of one source on one execution are one, and a repeat is no second allow.
    let sending = with(of(Observed, "e1", "x", 1.0), |evidence| evidence.said.phase = ExecutionPhase::Sending);
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[sending, of(Observed, "e1", "x", 1.0)], &[], 10.0), NONE);
    let repeat = Decided { allow: "e1".into(), ..allowed("e2", 3.0) };
    let both = [of(Observed, "e1", "x", 1.0), of(Observed, "e2", "y", 4.0)];
    assert_eq!(kinds(&[allowed("e1", 0.0), repeat], &both, &[], 10.0), [MoreOften]);
    // Telemetry tells of one call twice: the agent's span, and inside it the client's.
    let span = |name: &str, began: f64, ended: f64| {
        with(ran(name, began), |evidence| {
            evidence.said.trace = Some("trace".to_owned());
            evidence.said.ended_at = Some(at(ended));
        })
    };
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[span("s1", 1.0, 3.0), span("s2", 1.5, 2.5)], &[], 10.0), NONE);
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[span("s1", 1.0, 2.0), span("s2", 2.5, 3.0)], &[], 10.0), [MoreOften]);
    // Two that the same span holds stand beside each other, however their times lie.
    let held = |name: &str| with(span(name, 1.0, 3.0), |evidence| evidence.said.parent = Some("outer".to_owned()));
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[held("s1"), held("s2")], &[], 10.0), [MoreOften]);
}

#[test]
fn two_alike_in_one_second_are_told_apart_or_called_ambiguous() {
    let two = [allowed("e1", 0.0), allowed("e2", 0.4)];
    // By their ids.
    let named = |name: &str, seconds: f64| {
        with(ran(name, seconds), |evidence| evidence.said.call = Some(format!("call-{name}")))
    };
    let found = compare(&two, &[named("e1", 0.5), named("e2", 0.6)], &[], 400.0);
    assert_eq!((found.matched, found.ambiguous, found.findings.len()), (2, 0, 0));
    // Without, both are covered, and which is which is not said.
    let found = compare(&two, &[ran("s1", 0.5), ran("s2", 0.6)], &[], 400.0);
    assert_eq!((found.matched, found.ambiguous, found.findings.len()), (2, 2, 0));
    // One ran, and which one did not is not guessed: the finding names both.
    let found = compare(&two, &[ran("s1", 0.5)], &[], 400.0);
    let drawn: Vec<_> = found.findings.values().map(|drawn| (drawn.kind, drawn.ambiguous)).collect();
    assert_eq!((found.ambiguous, drawn), (1, vec![(NeverRan, true)]));
    // A third one is one too many, whichever of them it was.
    let found = compare(&two, &[ran("s1", 0.5), ran("s2", 0.6), ran("s3", 0.7)], &[], 400.0);
    let drawn: Vec<_> = found.findings.values().map(|drawn| (drawn.kind, drawn.ambiguous)).collect();
    assert_eq!(drawn, [(MoreOften, true)]);
    // Seconds apart, the nearest that was asked before it.
    let found = compare(&[allowed("e1", 0.0), allowed("e2", 3.0)], &[ran("s1", 3.5)], &[], 400.0);
    let drawn: Vec<_> =
        found.findings.iter().map(|((kind, key), drawn)| (*kind, key.as_str(), drawn.ambiguous)).collect();
    assert_eq!(drawn, [(NeverRan, "e1", false)]);
}

#[test]
fn what_was_permitted_ran_or_whoever_declares_to_report_says_nothing() {
    // Five seconds of the allow and five minutes of the point.
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[], &[], 304.999), NONE);
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[], &[], 305.0), [NeverRan]);
    assert_eq!(compare(&[allowed("e1", 0.0)], &[], &[], 1.0).next, Some(at(305.0)));
    // One that declares nothing.
    let mut other = allowed("e1", 0.0);
    other.kind.point = Some("gateway".to_owned());
    assert_eq!(kinds(&[other], &[], &[], 9_999.0), NONE);
    assert_eq!(kinds(&[denied("e1", 0.0)], &[], &[], 9_999.0), NONE);
    // An agent's word ends no silence; a system's does.
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[of(Reported, "e1", "x", 1.0)], &[], 305.0), [NeverRan]);
    assert_eq!(kinds(&[allowed("e1", 0.0)], &[ran("s1", 1.0)], &[], 305.0), NONE);
}

#[test]
fn a_grant_was_used_or_ended_without() {
    let unused = GrantFact { used: false, ..grant(100.0) };
    assert_eq!(kinds(&[], &[], std::slice::from_ref(&unused), 99.999), NONE);
    assert_eq!(kinds(&[], &[], std::slice::from_ref(&unused), 100.0), [GrantNeverUsed]);
    assert_eq!(kinds(&[], &[], &[grant(100.0)], 200.0), NONE);
    let revoked = GrantFact { revoked_at: Some(at(50.0)), ..unused };
    assert_eq!(kinds(&[], &[], &[revoked], 200.0), NONE);
}

#[test]
fn a_call_that_began_has_an_end() {
    let begun = |class| {
        with(of(class, "e1", "x", 1.0), |evidence| {
            (evidence.said.phase, evidence.recorded_at) = (ExecutionPhase::Sending, at(1.0));
        })
    };
    let two = |first: Evidence, second: Evidence, now: f64| {
        let mut decided = allowed("e1", 0.0);
        decided.kind.point = None;
        kinds(&[decided], &[first, second], &[], now)
    };
    let end = |class| with(of(class, "e1", "y", 1.0), |evidence| evidence.source = "another".to_owned());
    let mut decided = allowed("e1", 0.0);
    decided.kind.point = None;
    assert_eq!(kinds(std::slice::from_ref(&decided), &[begun(Observed)], &[], 60.999), NONE);
    assert_eq!(kinds(std::slice::from_ref(&decided), &[begun(Observed)], &[], 61.0), [OutcomeUnknown]);
    // As strong or stronger evidence ends it, weaker does not.
    for (opened, closed, open) in [
        (Reported, Reported, false),
        (Reported, Observed, false),
        (Observed, Observed, false),
        (Observed, SystemOfRecord, false),
        (Observed, Reported, true),
        (SystemOfRecord, Observed, true),
    ] {
        let found = two(begun(opened), end(closed), 61.0);
        assert_eq!(found, if open { vec![OutcomeUnknown] } else { vec![] }, "{opened:?} {closed:?}");
    }
    let unknown = with(begun(Observed), |evidence| evidence.said.phase = ExecutionPhase::OutcomeUnknown);
    assert_eq!(kinds(&[decided], &[unknown], &[], 1.0), [OutcomeUnknown]);
}

#[test]
fn one_identity_is_in_one_task_and_on_one_host_at_a_time() {
    let spanning = |name: &str, from: f64, to: f64| {
        with(of(Observed, name, name, from), |evidence| evidence.said.ended_at = Some(at(to)))
    };
    let task = |name: &str, task: &str, seconds: f64| {
        let mut decided = allowed(name, seconds);
        decided.kind.task = task.to_owned();
        decided
    };
    let two = [task("e1", "a", 0.0), task("e2", "b", 1.0)];
    assert_eq!(kinds(&two, &[spanning("e1", 1.0, 3.0), spanning("e2", 2.0, 4.0)], &[], 10.0), [SeveralTasks]);
    assert_eq!(kinds(&two, &[spanning("e1", 1.0, 2.0), spanning("e2", 2.0, 4.0)], &[], 10.0), NONE);
    let same = [task("e1", "a", 0.0), task("e2", "a", 1.0)];
    assert_eq!(kinds(&same, &[spanning("e1", 1.0, 3.0), spanning("e2", 2.0, 4.0)], &[], 10.0), NONE);
    let host = |name: &str, host: &str, seconds: f64| {
        with(of(Observed, name, name, seconds), |evidence| evidence.said.host = Some(host.to_owned()))
    };
    let two = [allowed("e1", 0.0), allowed("e2", 1.0)];
    assert_eq!(kinds(&two, &[host("e1", "a", 1.0), host("e2", "b", 11.0)], &[], 20.0), [SeveralHosts]);
    assert_eq!(kinds(&two, &[host("e1", "a", 1.0), host("e2", "b", 11.001)], &[], 20.0), NONE);
    assert_eq!(kinds(&two, &[host("e1", "a", 1.0), host("e2", "a", 2.0)], &[], 20.0), NONE);
    // Two sources may name one host in two ways; and what two sources say together is worth what the weaker is.
    let elsewhere = with(host("e2", "b", 2.0), |evidence| evidence.source = "another".to_owned());
    assert_eq!(kinds(&two, &[host("e1", "a", 1.0), elsewhere], &[], 20.0), NONE);
}

#[test]
fn what_is_forgotten_is_judged_by_no_one() {
    let mut account = super::account(&[], &[ran("s1", 7_200.0)]);
    let found = |since: Option<Timestamp>, account: &mut crate::reconcile::Account| {
        account.since = since;
        let found = crate::reconcile::reconcile(account, &[], &super::rules(), at(9_999.0));
        (found.findings.len(), found.too_old)
    };
    assert_eq!(found(None, &mut account), (1, 0));
    // Every decision of the hour and half minute before it must be known.
    assert_eq!(found(Some(at(7_200.0 - 3_630.0)), &mut account), (1, 0));
    assert_eq!(found(Some(at(7_200.0 - 3_629.0)), &mut account), (0, 1));
    assert_eq!(agent().kind, "Agent");
}

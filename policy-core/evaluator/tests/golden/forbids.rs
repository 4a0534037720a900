//! One forbid more never opens anything (R2): every golden question again, under each of many guardrails beside the
//! bundle's own.

use policy_core::abi::{Evaluate, Load, Op};
use policy_core::entity::EntityRef;
use policy_core::json::to_canonical_bytes;
use policy_core::question::SealedQuestion;
use policy_evaluator::abi::Instance;

use crate::ask::entity;
use crate::case::{self, load_all};
use crate::play::played;

/// Of whom or what a forbid speaks.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    Any,
    /// What most questions of the bundle are about.
    Own,
    /// What no question is about.
    Other,
}

/// A generated guardrail.
struct Forbid {
    principal: Scope,
    action: Scope,
    resource: Scope,
    condition: Condition,
}

#[derive(Clone, Copy, PartialEq)]
enum Condition {
    Holds(&'static str),
    Fails(&'static str),
    /// What errs while it is evaluated denies, too.
    Errs(&'static str),
}

const CONDITIONS: [Condition; 5] = [
    Condition::Holds(""),
    Condition::Holds("unless { context has nothing }"),
    Condition::Fails("when { context has nothing }"),
    Condition::Fails("unless { context has task || !(context has task) }"),
    Condition::Errs("when { 9223372036854775807 + 1 > 0 }"),
];

const SCOPES: [Scope; 3] = [Scope::Any, Scope::Own, Scope::Other];

/// What most questions of a bundle are about.
struct Usual {
    subject: EntityRef,
    action: String,
    resource: EntityRef,
}

impl Usual {
    /// By the head of the first file that asks the bundle.
    fn of(bundle: &str) -> Self {
        let file = load_all().into_iter().find(|file| file.head.bundle == bundle).expect("a file that asks it");
        let text = |name: &str| file.head.ask[name].as_str().expect("a text").to_owned();
        Self { subject: entity(&text("subject")), action: text("action"), resource: entity(&text("resource")) }
    }
}

/// Every scope with every other, and the conditions in turn.
fn forbids() -> Vec<Forbid> {
    let scopes = SCOPES.iter().flat_map(|principal| {
        SCOPES.iter().flat_map(move |action| SCOPES.iter().map(move |resource| (*principal, *action, *resource)))
    });
    let conditions = CONDITIONS.iter().cycle();
    let mut forbids: Vec<Forbid> = scopes
        .zip(conditions)
        .map(|((principal, action, resource), condition)| Forbid { principal, action, resource, condition: *condition })
        .collect();
    forbids.extend(CONDITIONS.map(|condition| {
        let scope = Scope::Any;
        Forbid { principal: scope, action: scope, resource: scope, condition }
    }));
    forbids
}

impl Forbid {
    fn text(&self, usual: &Usual, namespace: Option<&str>) -> String {
        let named = |kind: &str, id: &str| {
            let namespace = namespace.map(|namespace| format!("{namespace}::")).unwrap_or_default();
            format!("{namespace}{kind}::{id:?}")
        };
        let part = |scope, variable: &str, kind: &str, id: &str| match scope {
            Scope::Any => variable.to_owned(),
            Scope::Own => format!("{variable} == {}", named(kind, id)),
            Scope::Other => format!("{variable} == {}", named(kind, "what nobody asks about")),
        };
        let principal = part(self.principal, "principal", &usual.subject.kind, &usual.subject.id);
        let action = part(self.action, "action", "Action", &usual.action);
        let resource = part(self.resource, "resource", &usual.resource.kind, &usual.resource.id);
        let (Condition::Holds(condition) | Condition::Fails(condition) | Condition::Errs(condition)) = self.condition;
        format!("@id(\"planted\")\nforbid ({principal}, {action}, {resource})\n{condition};")
    }

    fn never_matches(&self) -> bool {
        [self.principal, self.action, self.resource].contains(&Scope::Other)
            || matches!(self.condition, Condition::Fails(_))
    }

    /// Whether it forbids this call, or errs on it.
    fn is_about(&self, question: &SealedQuestion, usual: &Usual) -> bool {
        let call = &question.call;
        let is = |scope, own: bool| scope == Scope::Any || (scope == Scope::Own && own);
        is(self.principal, call.subject == usual.subject)
            && is(self.action, call.action == usual.action)
            && is(self.resource, call.resources.contains(&usual.resource))
            && !matches!(self.condition, Condition::Fails(_))
    }
}

/// The bundle with one guardrail more, under its own digest, so that the same questions can be asked.
fn with(bundle: &str, forbid: &str) -> Instance {
    let mut load: Load = serde_json::from_str(&case::bundle(bundle).load).expect("what loads a bundle");
    load.files.insert("guardrails/planted.cedar".to_owned(), forbid.to_owned());
    let mut instance = Instance::new();
    let answer = instance.call(Op::Load as i32, &to_canonical_bytes(&load).expect("a canonical form"));
    assert!(answer.starts_with(b"{\"ok\""), "{forbid}: {}", String::from_utf8_lossy(&answer));
    instance
}

fn permits(answer: &str) -> bool {
    answer.contains(r#""outcome":"permitted_by_"#)
}

#[test]
fn r2_one_forbid_more_never_turns_a_denial_into_a_permit() {
    let (mut closed, mut open, mut denied) = (0, 0, 0);
    for name in ["ledger", "hops", "limits", "edge"] {
        let usual = Usual::of(name);
        let namespace = case::bundle(name).bundle.rules.config.namespace.clone();
        let questions: Vec<_> = (played().0.iter())
            .filter(|call| call.op == Op::Evaluate as i32 && call.bundle.as_deref() == Some(name))
            // What is large is asked once, elsewhere: to read it takes longest, and it says nothing of a forbid.
            .filter(|call| call.input.len() < 100_000)
            .filter_map(|call| Some((call, serde_json::from_str::<Evaluate>(&call.input).ok()?.question)))
            .collect();
        for forbid in forbids() {
            let text = forbid.text(&usual, namespace.as_deref());
            let mut instance = with(name, &text);
            for (call, question) in &questions {
                let answer = instance.call(call.op, call.input.as_bytes());
                let answer = String::from_utf8(answer).expect("an answer is text");
                let (was, is) = (permits(&call.answer), permits(&answer));
                assert!(was || !is, "{} is open under {text}", call.name);
                if forbid.never_matches() {
                    assert_eq!(answer, call.answer, "{} under {text}", call.name);
                } else if forbid.is_about(question, &usual) {
                    assert!(!is, "{} is not closed by {text}", call.name);
                }
                closed += usize::from(was && !is);
                open += usize::from(is);
                denied += usize::from(!was);
            }
        }
    }
    assert!(closed > 500 && open > 500 && denied > 500, "{closed} closed, {open} open, {denied} denied before");
}

//! What takes two takes two in each matter, by each sign-in and whoever has a part in it: one hole for each.

use policy_core::entity::EntityRef;

use super::super::matters::Matters;
use super::*;

const TWO: &str = "permit (principal in Group::\"administrators\", action == Proviso::Action::\"unlock\", resource)";
const MARA: &str = "permit (principal == User::\"mara\", action == Proviso::Action::\"unlock\", resource)";
const TOM: &str = "permit (principal == User::\"tom\", action == Proviso::Action::\"unlock\", resource)";
const JUN: &str = "permit (principal == User::\"jun\", action == Proviso::Action::\"unlock\", resource)";
const ALL: &str = "permit (principal, action == Proviso::Action::\"unlock\", resource)";

/// A bundle of these permits of `unlock`, each with whether it says two.
fn bundle(permits: &[(bool, &str, &str)]) -> Bundle {
    let text: String = permits
        .iter()
        .enumerate()
        .map(|(number, (two, permit, when))| {
            let persons = if *two { "@persons(\"2\")" } else { "" };
            format!("@id(\"p{number}\") {persons} {permit} {when};\n")
        })
        .collect();
    with(&["mara", "tom"], &format!("{text}{ACTIVATES}")).unwrap()
}

/// Two, but for one who does it alone where this holds.
fn split(condition: &str) -> Bundle {
    let (unless, when) = (format!("unless {{ {condition} }}"), format!("when {{ {condition} }}"));
    bundle(&[(true, TWO, &unless), (false, MARA, &when)])
}

fn found(old: &Bundle, new: &Bundle) -> Vec<(Act, String)> {
    alone_by(old, new).into_iter().map(|one| (one.act, one.person.id.into())).collect()
}

fn mara() -> Vec<(Act, String)> {
    vec![(Act::Unlock, "mara".to_owned())]
}

#[test]
fn a_rule_on_one_matter_or_one_sign_in_makes_nothing_one_persons_that_takes_two() {
    let (two, one) = (bundle(&[(true, TWO, "")]), bundle(&[(false, MARA, "")]));
    for condition in [
        "context has tier && context.tier == \"low\"",
        "context has tier && context.tier != \"low\"",
        "context has tier && context.tier like \"*ow\"",
        "context has tier && context.tier == \"of another bundle\"",
        "context has tier && !([\"low\", \"medium\", \"high\", \"sealed\"].contains(context.tier))",
        "!(context has tier)",
        "context has action && context.action == \"write_file\"",
        "context has action && context.action like \"of ano*ther*\"",
        "context.assurance == \"link\"",
        "context.assurance != \"webauthn\"",
        "context.assurance == \"webauthn\"",
        "context has requester && context.requester == principal",
        "context has requester && principal != context.requester",
        "!(context has requester)",
        "context.owners.contains(principal)",
        "resource is Agent && !context.owners.contains(principal)",
        "context has task",
        "context has tier && context.tier == \"low\" && context.assurance == \"link\" && \
         context.owners.contains(principal) && context has requester && context.requester != principal",
    ] {
        let split = split(condition);
        assert_eq!(found(&two, &split), mara(), "{condition}");
        assert_eq!(found(&split, &one), mara(), "the rest takes two: {condition}");
        assert_eq!(found(&split, &split), [], "{condition}");
        assert_eq!(found(&one, &split), [], "one did it alone: {condition}");
        // Where a permit that says two matches as well, it takes two.
        let both = bundle(&[(true, TWO, ""), (false, MARA, &format!("when {{ {condition} }}"))]);
        assert_eq!(found(&two, &both), [], "{condition}");
        // What no rule permitted to anybody took no two. Where somebody's part counts, another may have another.
        if condition.contains("principal") {
            continue;
        }
        let beside = bundle(&[(true, TWO, &format!("unless {{ {condition} }}"))]);
        assert_eq!(found(&beside, &split), [], "{condition}");
    }
}

#[test]
fn it_is_held_against_the_same_matter_whoever_else_has_a_part_in_it() {
    let (owns, asks) = ("when { context.owners.contains(principal) }", "when { context.requester == principal }");
    let owns_not = "when { resource is Agent && !context.owners.contains(principal) }";
    let asks = asks.replace("context.requester ==", "context has requester && context.requester ==");
    let asks_not = asks.replace("==", "!=");
    let (asks, asks_not) = (asks.as_str(), asks_not.as_str());
    for (old, new, is_found, what) in [
        (vec![(true, TWO, owns)], (MARA, owns_not), true, "two owners do it, and one who is none"),
        (vec![(true, TWO, owns_not)], (MARA, owns), true, "two who own nothing do it, and one owner"),
        (vec![(true, TOM, owns_not)], (MARA, owns), true, "another who owns nothing takes a second"),
        (vec![(true, MARA, owns_not)], (MARA, owns), false, "nobody does it where she is the owner"),
        (vec![(true, TWO, owns_not), (false, TOM, owns)], (MARA, owns_not), true, "tom need not be an owner"),
        (vec![(true, TWO, owns_not), (false, TWO, owns)], (MARA, owns), false, "an owner does it alone"),
        (vec![(true, TWO, asks)], (MARA, asks_not), true, "tom may be who asks"),
        (vec![(true, TWO, asks)], (MARA, asks), true, "who asks takes a second"),
        (vec![(true, TOM, asks)], (MARA, asks), false, "where she asks nobody does it"),
        (vec![(true, TOM, asks_not)], (MARA, asks), true, "where she asks tom takes a second"),
        (vec![(true, MARA, asks_not), (false, TOM, asks_not)], (MARA, asks_not), true, "but where tom asks himself"),
        (
            vec![(true, MARA, asks_not), (false, TOM, asks_not), (false, JUN, asks_not)],
            (MARA, asks_not),
            false,
            "of two one is always another",
        ),
        (
            vec![(true, MARA, asks_not), (false, ALL, asks)],
            (MARA, asks_not),
            true,
            "somebody may ask whom the bundle does not know",
        ),
    ] {
        let (old, new) = (bundle(&old), bundle(&[(false, new.0, new.1)]));
        assert_eq!(found(&old, &new), if is_found { mara() } else { Vec::new() }, "{what}");
    }
}

#[test]
fn what_cannot_be_tried_is_refused_and_not_passed() {
    let two = bundle(&[(true, TWO, "")]);
    for (condition, member) in [
        ("context has task && context.task like \"T-*\"", "task"),
        ("context.owners.contains(User::\"tom\")", "owners"),
        ("context.owners.isEmpty()", "owners"),
        ("context has requester && context.requester == User::\"tom\"", "requester"),
        ("context has requester && context.requester in Group::\"approvers\"", "requester"),
    ] {
        let split = split(condition);
        assert_eq!(alone(&two, &split, now()), Err(TooMuch::Beyond(member)), "{condition}");
        assert_eq!(alone(&split, &two, now()), Err(TooMuch::Beyond(member)), "{condition}");
        assert_eq!(alone(&split, &split, now()), Ok(Vec::new()), "nothing is another thing: {condition}");
        assert!(TooMuch::Beyond(member).to_string().contains(&format!("`context.{member}`")));
        // What one alone did before takes no two, and what a rule on something else looks at is not asked.
        assert_eq!(alone(&bundle(&[(false, TWO, "")]), &split, now()), Ok(Vec::new()), "{condition}");
        let view = ALL.replace("unlock", "view");
        let beside = bundle(&[(true, TWO, ""), (false, &view, &format!("when {{ {condition} }}"))]);
        assert_eq!(alone(&two, &beside, now()), Ok(Vec::new()), "{condition}");
    }
    let (low, write) =
        ("context has tier && context.tier == \"low\"", "context has action && context.action like \"w*\"");
    let by = |condition: &str| {
        format!(
            "@id(\"two\") @persons(\"2\") {TWO} unless {{ {condition} }};\n@id(\"one\") {MARA} when {{ {condition} }};{ACTIVATES}"
        )
    };
    let crowd = |console: &str| crowded(4_000, true, console);
    let told = alone(&crowd(&by("false")), &crowd(&by(&format!("{low} && {write}"))), now());
    assert_eq!(told, Err(TooMuch::Questions), "so many matters are too many");
}

#[test]
fn there_are_as_many_matters_and_parts_as_rules_can_tell_apart() {
    let agent = EntityRef::new("Agent", "spiffe://acme.example/agent/intern-bot");
    for (condition, count, parts) in [
        ("resource is Agent", 1, 1),
        ("context has task", 2, 1),
        // None, four of the bundle, one that is named, and one that nothing names.
        ("context has tier && context.tier == \"gone\"", 7, 1),
        // Two of the bundle, one that is named, and one that nothing names.
        ("context.assurance == \"gone\"", 4, 1),
        ("context has task && context.assurance == \"gone\"", 8, 1),
        ("context.owners.contains(principal)", 1, 2),
        ("context has requester && context.requester == principal", 1, 3),
        ("context.owners.contains(principal) || context has requester", 1, 6),
    ] {
        let bundle = bundle(&[(true, TWO, &format!("when {{ {condition} }}"))]);
        let matters = Matters::of(&[(&bundle, &bundle.console_reads)]).unwrap();
        assert_eq!((matters.count(), matters.parts(Some(&agent)).len()), (count, parts), "{condition}");
        assert_eq!(matters.all().len() * matters.assurances.len(), count, "{condition}");
        assert_eq!(matters.parts(None).len(), 1, "of the gate nobody is an owner: {condition}");
    }
}

#[test]
fn what_is_too_much_to_try_of_one_person_is_a_yes() {
    let jun = EntityRef::new("User", "jun");
    let by = format!("@id(\"one\") {MARA} when {{ context has tier && context.tier == \"gone\" }};{ACTIVATES}");
    assert!(!crowded(100, true, &by).may_ever(&jun, &[Act::Unlock]));
    // Seven matters each of eight thousand agents.
    assert!(crowded(8_000, true, &by).may_ever(&jun, &[Act::Unlock]));
}

#[test]
fn what_an_invitation_can_lead_to_is_tried_in_each_matter_and_by_each_sign_in() {
    let jun = EntityRef::new("User", "jun");
    let may = |condition: &str| {
        bundle(&[(false, JUN, &format!("when {{ {condition} }}"))]).may_ever(&jun, &[Act::Unlock, Act::Vote])
    };
    for (condition, ever) in [
        ("context has requester && context.requester != principal", true),
        ("context has requester && context.requester == principal", true),
        ("context.owners.contains(principal)", true),
        ("resource is Agent && !context.owners.contains(principal)", true),
        ("context.assurance == \"link\"", true),
        ("context has tier && context.tier == \"medium\"", true),
        ("context has task", true),
        ("context has task && context.task == \"T-1\"", true),
        ("context.now < datetime(\"2020-01-01\")", true),
        ("context has action && context.action == \"read_file\"", true),
        ("resource is Agent && resource.autonomy > 9", false),
        ("context.assurance == \"link\" && context.assurance == \"webauthn\"", false),
        ("context.owners.contains(principal) && !(resource is Agent)", false),
    ] {
        assert_eq!(may(condition), ever, "{condition}");
    }
    assert!(!bundle(&[(false, MARA, "")]).may_ever(&jun, &[Act::Unlock, Act::Vote]));
}

//! What is proved narrower is narrower, whatever is asked; and what could be wider is not proved.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use policy_core::lifecycle::strictest;
use policy_core::outcome::Outcome;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use super::*;
use crate::Bundle;
use crate::bundle::tests::sample;
use crate::tables::{Answered, Row, answer, read};

fn with(change: impl FnOnce(&mut BTreeMap<String, String>)) -> Bundle {
    let mut files = sample();
    change(&mut files);
    Bundle::accept(&files).unwrap()
}

/// What proves nothing, and whether the whole is proved.
fn told(new: &Bundle) -> (bool, Vec<(StepKind, bool)>) {
    let found = narrowing(&with(|_| ()), new);
    (found.proved, found.steps.into_iter().map(|step| (step.kind, step.narrows)).collect())
}

fn replaced(file: &str, from: &str, to: &str) -> Bundle {
    with(|files| {
        let text = files.get_mut(file).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        *text = text.replacen(from, to, 1);
    })
}

fn added(file: &str, text: &str) -> Bundle {
    with(|files| files.entry(file.to_owned()).or_default().push_str(text))
}

#[test]
fn each_step_that_narrows_is_proved_and_each_other_is_not() {
    let forbid = "\n@id(\"no-more\") forbid (principal, action == Action::\"write_file\", resource);";
    let permit = "\n@id(\"more\") permit (principal, action == Action::\"write_file\", resource);";
    let files = "approval/request/files.cedar";
    assert_eq!(told(&with(|_| ())), (true, vec![]));
    assert_eq!(told(&added("guardrails/files.cedar", forbid)), (true, vec![(StepKind::ForbidAdded, true)]));
    assert_eq!(told(&added("scope/files.cedar", permit)), (false, vec![(StepKind::PermitAdded, false)]));
    for (file, kind, narrows) in [
        ("scope/files.cedar", StepKind::PermitRemoved, true),
        ("approval/approve/people.cedar", StepKind::PermitRemoved, true),
        ("guardrails/files.cedar", StepKind::ForbidRemoved, false),
    ] {
        let (proved, steps) = told(&with(|files| drop(files.remove(file).unwrap())));
        assert!(!steps.is_empty() && steps.iter().all(|step| *step == (kind, narrows)), "{file}: {steps:?}");
        assert_eq!(proved, narrows, "{file}");
    }
    // A policy of the same name is the same one by what it says alone.
    for (file, policy) in
        [("guardrails/a.cedar", "forbid"), ("scope/a.cedar", "permit"), ("approval/approve/a.cedar", "permit")]
    {
        let action = if file.starts_with("approval/") { "approve" } else { "write_file" };
        let saying = |when: &str| {
            added(file, &format!("@id(\"a\") {policy} (principal, action == Action::\"{action}\", resource) {when};"))
        };
        let (one, other) = (saying("when { 1 == 1 }"), saying("when { 1 == 2 }"));
        let found = narrowing(&one, &other);
        assert_eq!(found.steps, [Step { narrows: false, kind: StepKind::PolicyChanged, of: "a".to_owned() }], "{file}");
        assert!(!found.proved && narrowing(&one, &saying("when { 1 == 1 }")).steps.is_empty(), "{file}");
    }
    // A wider step beside a narrower one is wider.
    let both = with(|files| {
        files.get_mut("guardrails/files.cedar").unwrap().push_str(forbid);
        files.get_mut("scope/files.cedar").unwrap().push_str(permit);
    });
    assert_eq!(told(&both), (false, vec![(StepKind::PermitAdded, false), (StepKind::ForbidAdded, true)]));
    // Words for people decide nothing.
    assert_eq!(told(&with(|files| drop(files.insert("NOTES.md".to_owned(), "x".to_owned())))), (true, vec![]));
    for (file, kind) in [
        ("schema.cedarschema", StepKind::SchemaChanged),
        ("bundle.toml", StepKind::ConfigChanged),
        ("entities.json", StepKind::EntitiesChanged),
    ] {
        assert_eq!(told(&added(file, "\n")), (false, vec![(kind, false)]), "{file}");
    }
    let text = sample()[files].clone();
    let uses = text.lines().find(|line| line.contains("@max_uses(")).unwrap();
    assert_eq!(told(&replaced(files, uses, "@max_uses(\"1\")")), (true, vec![(StepKind::TermsStricter, true)]));
    assert_eq!(told(&replaced(files, uses, "@max_uses(\"999\")")), (false, vec![(StepKind::TermsChanged, false)]));
    let silence = format!("{uses} @silence(\"3h\")");
    assert_eq!(told(&replaced(files, uses, &silence)), (true, vec![(StepKind::TermsStricter, true)]));
    let silence = format!("{uses} @silence(\"5m\")");
    assert_eq!(told(&replaced(files, uses, &silence)), (false, vec![(StepKind::TermsChanged, false)]));
    let another = "@escalate(\"security\") @for_another(\"yes\")";
    let found = told(&replaced(files, "@escalate(\"security\")", another));
    assert_eq!(found, (false, vec![(StepKind::TermsChanged, false)]));
    assert!(told(&replaced(files, "@for_another(\"yes\")\n", "")).0);
    // In whatever order people are told.
    let services = "approval/request/services.cedar";
    let turned = replaced(services, "@escalate(\"security,approvers\")", "@escalate(\"approvers,security\")");
    assert_eq!(told(&turned), (true, vec![]));
    let telling = |names: &str| replaced(services, "@notify(\"operations\")", &format!("@notify(\"{names}\")"));
    let turned = narrowing(&telling("operations,finance"), &telling("finance,operations"));
    assert!(turned.proved && turned.steps.is_empty(), "{:?}", turned.steps);
    // Another tier is neither stricter nor laxer: who approves depends on it.
    let tier = text.lines().find(|line| line.contains("@tier(\"low\")")).unwrap();
    assert!(!told(&replaced(files, tier, &tier.replace("low", "medium"))).0);
    let console = "@id(\"a\") permit (principal, action == Proviso::Action::\"activate\", resource);";
    let beside = console.replace("\"a\"", "\"b\"");
    let saying = |policy: &str| added("console/a.cedar", &format!("{beside}\n{policy}"));
    let (none, one, two) = (saying(""), saying(console), saying(&format!("@persons(\"2\") {console}")));
    for (old, new) in [(&none, &one), (&one, &none), (&one, &two), (&two, &one)] {
        let found = narrowing(old, new);
        assert_eq!(found.steps, [Step { narrows: false, kind: StepKind::ConsoleChanged, of: "a".to_owned() }]);
        assert!(!found.proved && narrowing(new, new).steps.is_empty());
    }
}

/// The permits of `approval/request/` alone, in place of the sample's.
fn requests(policies: &[(&str, &str, &str)]) -> Bundle {
    with(|files| {
        files.retain(|path, _| !path.starts_with("approval/request/"));
        let policy = |(id, terms, when): &(&str, &str, &str)| {
            let terms = match *terms {
                "sealed" => "@tier(\"sealed\")".to_owned(),
                uses => format!("@tier(\"low\") @approvals(\"1\") @max_duration(\"1h\") @max_uses(\"{uses}\")"),
            };
            format!("@id(\"{id}\") {terms} permit (principal, action == Action::\"write_file\", resource) {when};\n")
        };
        files.insert("approval/request/all.cedar".to_owned(), policies.iter().map(policy).collect());
    })
}

#[test]
fn a_request_that_is_taken_away_may_leave_laxer_ones() {
    let proved = |old: &[_], new: &[_]| narrowing(&requests(old), &requests(new)).proved;
    let (lax, strict, sealed) = (("lax", "9", ""), ("strict", "1", ""), ("sealed", "sealed", ""));
    assert!(proved(&[lax, strict], &[strict]), "what is left is as strict as what went");
    assert!(!proved(&[lax, strict], &[lax]), "where both matched, the strict one counted");
    assert!(proved(&[lax], &[]), "nothing is left to ask for");
    assert!(!proved(&[lax, sealed], &[lax]), "what closed it is gone");
    assert!(proved(&[lax], &[lax, sealed]));
    assert!(!proved(&[lax], &[lax, strict]), "what could not be asked for can be now");
    let of_few = ("lax", "9", "when { context has requested && context.requested.uses < 3 }");
    assert!(!proved(&[of_few], &[lax]) && !proved(&[lax], &[of_few]), "of the same name and terms, and another policy");
    // One that errs lets nothing be asked for: it may not go.
    let sum = ("errs", "9", "when { context has requested && context.requested.uses * 9223372036854775807 > 1 }");
    assert!(!proved(&[sum, strict], &[strict]));
    let plain = ("plain", "9", "when { context has requested && context.requested.uses < 3 }");
    assert!(proved(&[plain, strict], &[strict]));
    let closed = [("lax", "sealed", "")];
    assert!(proved(&[lax], &closed) && !proved(&closed, &[lax]));
}

#[test]
fn who_is_named_by_a_change_is_told() {
    let named = |new: &Bundle| named(&with(|_| ()), new).into_iter().map(|one| one.id).collect::<Vec<_>>();
    let entities = |change: &dyn Fn(&mut Vec<serde_json::Value>)| {
        with(|files| {
            let mut entities: Vec<serde_json::Value> = serde_json::from_str(&files["entities.json"]).unwrap();
            change(&mut entities);
            files.insert("entities.json".to_owned(), json!(entities).to_string());
        })
    };
    assert_eq!(named(&with(|files| drop(files.remove("scope/files.cedar")))), Vec::<String>::new());
    let user = |id: &str| json!({"type": "User", "id": id});
    let new = json!({"uid": user("new"), "attrs": {"name": "New"}, "parents": [{"type": "Group", "id": "approvers"}]});
    assert_eq!(named(&entities(&|all| all.push(new.clone()))), ["new"]);
    let moved = entities(&|all| {
        let mara = all.iter_mut().find(|one| one["uid"] == user("mara")).unwrap();
        mara["parents"] = json!([]);
    });
    assert_eq!(named(&moved), ["mara"]);
    // An agent that is given to somebody names both.
    let owned = entities(&|all| {
        let agent = all.iter_mut().find(|one| one["attrs"]["owner"]["__entity"]["id"] == "ines").unwrap();
        let text = agent["attrs"]["owner"].to_string().replace("ines", "tom");
        agent["attrs"]["owner"] = serde_json::from_str(&text).unwrap();
    });
    assert_eq!(named(&owned), ["ines", "tom"]);
    // However deep it says so.
    let telling = |members: &str, attrs: serde_json::Value| {
        with(|files| {
            let schema = files.get_mut("schema.cedarschema").unwrap();
            let agent = "autonomy: Long };";
            assert!(schema.contains(agent));
            *schema = schema.replacen(agent, &format!("autonomy: Long, {members} }};"), 1);
            let mut entities: Vec<serde_json::Value> = serde_json::from_str(&files["entities.json"]).unwrap();
            let agent = entities.iter_mut().find(|one| one["attrs"]["owner"]["__entity"]["id"] == "ines").unwrap();
            let all = agent["attrs"].as_object_mut().unwrap();
            all.extend(attrs.as_object().unwrap().clone());
            files.insert("entities.json".to_owned(), json!(entities).to_string());
        })
    };
    let person = |id: &str| json!({"__entity": user(id)});
    let deputies = |id: &str| telling("deputies?: Set<User>", json!({"deputies": [person(id)]}));
    let desk = |id: &str| telling("desk?: { lead: User }", json!({"desk": {"lead": person(id)}}));
    for (before, after) in [(deputies("jun"), deputies("mara")), (desk("jun"), desk("mara"))] {
        let found: Vec<_> = super::named(&before, &after).into_iter().map(|one| one.id).collect();
        assert_eq!(found, ["ines", "jun", "mara"]);
    }
    // A group that is another one names all who are in it.
    let nesting = |parents: serde_json::Value| {
        with(|files| {
            let schema = files.get_mut("schema.cedarschema").unwrap();
            *schema = schema.replacen("entity Group;", "entity Group in [Group];", 1);
            let mut entities: Vec<serde_json::Value> = serde_json::from_str(&files["entities.json"]).unwrap();
            let finance = json!({"type": "Group", "id": "finance"});
            entities.iter_mut().find(|one| one["uid"] == finance).unwrap()["parents"] = parents;
            files.insert("entities.json".to_owned(), json!(entities).to_string());
        })
    };
    let nested = nesting(json!([{"type": "Group", "id": "security"}]));
    let found: Vec<_> = super::named(&nesting(json!([])), &nested).into_iter().map(|one| one.id).collect();
    assert_eq!(found, ["jun", "mara"]);
    let console = "@id(\"a\") permit (principal == User::\"tom\", action == Proviso::Action::\"activate\", resource);";
    assert_eq!(named(&added("console/a.cedar", console)), ["tom"]);
    // Who approves does no more in Proviso itself: they are named by their names alone, wherever these stand.
    let approving = |who: &str, when: &str| {
        let scope = format!("{who}, action == Action::\"approve\", resource == Volume::\"files\"");
        named(&added("approval/approve/a.cedar", &format!("@id(\"a\") permit ({scope}){when};")))
    };
    assert_eq!(approving("principal == User::\"tom\"", ""), ["tom"]);
    assert_eq!(approving("principal in Group::\"approvers\"", ""), Vec::<String>::new());
    let listed = " when { [User::\"tom\", User::\"ines\"].contains(principal) }";
    assert_eq!(approving("principal is User", listed), ["ines", "tom"]);
    // Whoever gains by a policy that names nobody decides nothing about it while two others are left to; where all of
    // them gain, somebody has to.
    let gaining = |mails: &[&str], able: &[&str]| {
        let permit = |id: &str, who: &str, act: &str| {
            let action = format!("action == Proviso::Action::\"{act}\"");
            format!("@id(\"{id}\") permit (principal == User::\"{who}\", {action}, resource);\n")
        };
        let activate: String = able.iter().map(|who| permit(&format!("by-{who}"), who, "activate")).collect();
        let before = added("console/a.cedar", &activate);
        let names: Vec<String> = mails.iter().map(|name| format!("principal.name == \"{name}\"")).collect();
        let more = format!(
            "@id(\"more\") permit (principal, action == Proviso::Action::\"erase\", resource) when {{ {} }};",
            names.join(" || ")
        );
        let after = added("console/a.cedar", &format!("{activate}{more}"));
        super::named(&before, &after).into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    let name = |id: &str| {
        let entities: Vec<serde_json::Value> = serde_json::from_str(&sample()["entities.json"]).unwrap();
        let one = entities.into_iter().find(|one| one["uid"] == user(id)).unwrap();
        one["attrs"]["name"].as_str().unwrap().to_owned()
    };
    let (mara, tom) = (name("mara"), name("tom"));
    assert_eq!(gaining(&[&mara], &["mara", "tom"]), ["mara"]);
    assert_eq!(gaining(&[&mara, &tom], &["mara", "tom", "jun", "ines"]), ["mara", "tom"]);
    assert_eq!(gaining(&[&mara, &tom], &["mara", "tom", "jun"]), Vec::<String>::new());
    let issuers = "\n[issuers.\"https://login.acme.example\"]\n\"5f\" = \"User::ines\"\n";
    assert_eq!(named(&added("bundle.toml", issuers)), ["ines"]);
}

fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bundles/sample/tests");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let rows = |path: &Path| read("table", &fs::read_to_string(path).unwrap()).unwrap();
    paths.iter().flat_map(|path| rows(path)).collect()
}

/// A change of the sample that may narrow it, or not.
fn changes() -> impl Strategy<Value = Vec<(String, String)>> {
    let uses = |uses: u32| ("@max_uses(".to_owned(), format!("@max_uses(\"{uses}\") //"));
    let all = vec![
        ("drop".to_owned(), "scope/files.cedar".to_owned()),
        ("drop".to_owned(), "scope/ledger.cedar".to_owned()),
        ("drop".to_owned(), "scope/services.cedar".to_owned()),
        ("drop".to_owned(), "guardrails/files.cedar".to_owned()),
        ("drop".to_owned(), "guardrails/ledger.cedar".to_owned()),
        ("drop".to_owned(), "approval/request/files.cedar".to_owned()),
        ("drop".to_owned(), "approval/request/ledger.cedar".to_owned()),
        ("forbid".to_owned(), "write_file".to_owned()),
        ("forbid".to_owned(), "post_journal".to_owned()),
        ("permit".to_owned(), "write_file".to_owned()),
        ("permit".to_owned(), "delete_journal".to_owned()),
        uses(1),
        uses(40),
    ];
    subsequence(all, 0..4)
}

fn changed(changes: &[(String, String)]) -> Option<Bundle> {
    let mut files = sample();
    for (what, of) in changes {
        match what.as_str() {
            "drop" => drop(files.remove(of)),
            "forbid" | "permit" => {
                let folder = if what == "forbid" { "guardrails" } else { "scope" };
                let policy = format!("@id(\"{what}-{of}\") {what} (principal, action == Action::\"{of}\", resource);");
                files.insert(format!("{folder}/{what}-{of}.cedar"), policy);
            }
            from => {
                for text in files.iter_mut().filter(|(path, _)| path.starts_with("approval/request/")) {
                    let lines = text.1.lines().map(|line| {
                        line.split_once(from).map_or_else(|| line.to_owned(), |(before, _)| format!("{before}{of}"))
                    });
                    *text.1 = lines.collect::<Vec<_>>().join("\n");
                }
            }
        }
    }
    Bundle::accept(&files).ok()
}

/// Whether the second answer gives no more than the first.
fn gives_no_more(bundle: &Bundle, before: &Answered, after: &Answered) -> bool {
    let permits = |answer: &Answered| answer.outcome == Outcome::PermittedByScope;
    if permits(before) || permits(after) {
        return permits(before);
    }
    match (&before.terms, &after.terms) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(terms), Some(now)) => {
            let config = &bundle.rules.config;
            let both = strictest(terms, now, &config.tiers, &config.step_ups);
            (both.approvals, both.max_uses, both.max_duration, &both.tier, &both.step_up)
                == (now.approvals, now.max_uses, now.max_duration, &now.tier, &now.step_up)
                && after.approvers.iter().all(|person| before.approvers.contains(person))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_proved_narrower_gives_no_more_whatever_is_asked(
        changes in changes(),
        subject in select(vec!["report-writer", "ledger-bot", "close-planner", "intern-bot", "release-bot"]),
        uses in 1u32..60,
        row in any::<proptest::sample::Index>(),
        other in any::<proptest::sample::Index>(),
    ) {
        let (old, rows) = (with(|_| ()), rows());
        if let Some(new) = changed(&changes) {
            let (row, other) = (row.get(&rows), other.get(&rows));
            let mut ask = row.ask.clone();
            ask.subject = format!("Agent::spiffe://acme.example/agent/{subject}");
            ask.input.clone_from(&other.ask.input);
            ask.requested.uses = Some(uses);
            for ask in [&ask, &row.ask] {
                let (before, after) = (answer(&old, ask), answer(&new, ask));
                let narrower = narrowing(&old, &new).proved;
                prop_assert!(
                    !narrower || gives_no_more(&old, &before, &after),
                    "{changes:?}: {before:#?} {after:#?}"
                );
            }
        }
    }
}

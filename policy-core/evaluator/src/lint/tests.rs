//! The sample raises no warning; each slip in it raises its own, with file, line and remedy.

use std::collections::BTreeMap;

use super::*;
use crate::bundle::error::line_with;
use crate::bundle::tests::sample;

fn told(files: &BTreeMap<String, String>) -> Vec<Warning> {
    warnings(&Bundle::accept(files).unwrap())
}

/// One change to the sample bundle, and the warning that it raises.
struct Slip {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// The rule that is named, and its file where that is another.
    rule: &'static str,
    at: &'static str,
    code: &'static str,
    says: &'static str,
}

const REQUESTS: &str = "approval/request/ledger.cedar";
const SERVICES: &str = "approval/request/services.cedar";
const PEOPLE: &str = "approval/approve/people.cedar";

#[test]
fn the_sample_raises_no_warning() {
    assert_eq!(told(&sample()), []);
}

#[test]
fn each_slip_is_told_by_rule_code_and_remedy() {
    let slip = |file, from, to, rule, at, code, says| Slip { file, from, to, rule, at, code, says };
    let slips = [
        // Nobody left to approve.
        slip(
            PEOPLE,
            "context.tier == \"high\"",
            "context.tier == \"medium\"",
            "regulated-journals-need-finance-and-security",
            REQUESTS,
            "no_eligible_approver",
            "none of them of security",
        ),
        slip(
            PEOPLE,
            "Group::\"operations\"",
            "Group::\"finance\"",
            "restarting-production-needs-two",
            SERVICES,
            "no_eligible_approver",
            "none of them of operations",
        ),
        slip(
            SERVICES,
            "@approvals(\"2\")",
            "@approvals(\"5\")",
            "restarting-production-needs-two",
            SERVICES,
            "no_eligible_approver",
            "asks for 5 approvals",
        ),
        slip(
            "entities.json",
            "{\"type\": \"User\", \"id\": \"ines\"}}, \"autonomy\": 3",
            "{\"type\": \"User\", \"id\": \"sol\"}}, \"autonomy\": 3",
            "releasing-what-one-wrote-needs-two",
            SERVICES,
            "no_eligible_approver",
            "only User::kit could",
        ),
        slip(
            PEOPLE,
            "context.tier == \"high\"",
            "context.tier == \"high\" && context.now.toTime() > duration(\"25h\")",
            "regulated-journals-need-finance-and-security",
            REQUESTS,
            "no_eligible_approver",
            "security",
        ),
        // Somebody to vote and nobody left to look afterwards.
        slip(
            REQUESTS,
            "@id(\"the-most-autonomous-post-in-small-steps\")\n@tier(\"high\")",
            "@id(\"the-most-autonomous-post-in-small-steps\")\n@tier(\"medium\")",
            "the-most-autonomous-post-in-small-steps",
            REQUESTS,
            "no_eligible_reviewer",
            "the 2 who could approve it at tier `medium` vote on it",
        ),
        slip(
            SERVICES,
            "@max_uses(\"1\")\n@presence(\"session\")\npermit (\n  principal is Agent,\n  action == Action::\"deploy_service\",\n  resource is Service\n)\nwhen { principal.autonomy <= 3 && !resource.production };",
            "@max_uses(\"1\")\n@presence(\"session\")\n@review_within(\"1d\")\npermit (\n  principal is Agent,\n  action == Action::\"deploy_service\",\n  resource is Service\n)\nwhen { principal.autonomy <= 3 && !resource.production };",
            "releasing-what-one-wrote-needs-two",
            SERVICES,
            "no_eligible_reviewer",
            "the 2 who could approve it at tier `medium` vote on it",
        ),
        // Rules that decide nothing.
        slip(
            "scope/ledger.cedar",
            "agent/ledger-bot",
            "agent/ledger-bod",
            "ledger-bot-posts-small-batches",
            "scope/ledger.cedar",
            "unreachable_rule",
            "no entity that the bundle knows",
        ),
        slip(
            REQUESTS,
            "principal.autonomy >= 4",
            "principal.autonomy >= 9",
            "the-most-autonomous-post-in-small-steps",
            REQUESTS,
            "unreachable_rule",
            "no entity that the bundle knows",
        ),
        slip(
            PEOPLE,
            "principal in Group::\"operations\"",
            "principal in Group::\"operation\"",
            "operations-decides-on-services",
            PEOPLE,
            "unreachable_rule",
            "no entity that the bundle knows",
        ),
        slip(
            "guardrails/ledger.cedar",
            "action == Action::\"delete_journal\",\n  resource",
            "action == Action::\"delete_journal\",\n  resource == Dataset::\"finance/gone\"",
            "journals-are-never-deleted",
            "guardrails/ledger.cedar",
            "unreachable_rule",
            "no entity that the bundle knows",
        ),
        slip(
            "guardrails/ledger.cedar",
            "when { principal.autonomy < 2 }",
            "when { true }",
            "posting-needs-two-of-finance",
            REQUESTS,
            "unreachable_rule",
            "forbidden by `the-least-autonomous-never-post`",
        ),
        slip(
            "guardrails/ledger.cedar",
            "when { principal.autonomy < 2 }",
            "when { resource.regulated }",
            "regulated-journals-need-finance-and-security",
            REQUESTS,
            "unreachable_rule",
            "forbidden by",
        ),
        slip(
            "scope/ledger.cedar",
            "resource is Dataset\n);",
            "resource is Dataset\n);\n\n@id(\"again\")\npermit (principal is Agent, action == Action::\"read_journal\", resource == Dataset::\"finance/sandbox\");",
            "again",
            "scope/ledger.cedar",
            "unreachable_rule",
            "decided already by `journals-may-be-read`",
        ),
        slip(
            SERVICES,
            "when { principal.autonomy <= 3 && !resource.production }",
            "when { resource has production && 1 > 2 }",
            "releasing-what-one-wrote-needs-two",
            SERVICES,
            "unreachable_rule",
            "",
        ),
        // Terms against each other.
        slip(
            REQUESTS,
            "@approvals(\"2\")\n@groups(\"finance\")\n@max_duration(\"4h\")",
            "@approvals(\"2\")\n@groups(\"finance,security,approvers\")\n@max_duration(\"4h\")",
            "posting-needs-two-of-finance",
            REQUESTS,
            "conflicting_terms",
            "of 3 groups",
        ),
        slip(
            REQUESTS,
            "when { principal.autonomy >= 4 }",
            "when { principal.autonomy >= 2 }",
            "the-most-autonomous-post-in-small-steps",
            REQUESTS,
            "conflicting_terms",
            "the same requests",
        ),
        slip(
            SERVICES,
            "@max_rate(\"1/5m\")",
            "@max_rate(\"3/5m\")",
            "restarting-production-needs-two",
            SERVICES,
            "conflicting_terms",
            "never reaches",
        ),
        // One person for what stays done.
        slip(
            REQUESTS,
            "@approvals(\"2\")\n@groups(\"finance\")\n@max_duration(\"4h\")",
            "@approvals(\"1\")\n@groups(\"finance\")\n@max_duration(\"4h\")",
            "posting-needs-two-of-finance",
            REQUESTS,
            "single_approver",
            "lets one person approve `post_journal`",
        ),
        slip(
            "schema.cedarschema",
            "@effect(\"production\")\n@reversible(\"yes\")",
            "@effect(\"production\")",
            "restarting-production-needs-two",
            SERVICES,
            "single_approver",
            "`restart_service`",
        ),
        slip(
            "schema.cedarschema",
            "@effect(\"files\")\n@reversible(\"no\")\naction write_file",
            "@effect(\"files, regulated\")\naction write_file",
            "writing-a-file-needs-one",
            "approval/request/files.cedar",
            "single_approver",
            "`write_file`",
        ),
        slip(
            SERVICES,
            "@approvals(\"2\")\n@groups(\"operations,security\")",
            "@approvals(\"1\")\n@groups(\"operations,security\")",
            "releasing-to-production-needs-operations-and-security",
            SERVICES,
            "single_approver",
            "lets one person approve `deploy_service`",
        ),
        slip(
            SERVICES,
            "@max_duration(\"1h\")\n@max_uses(\"1\")\n@presence(\"session\")\n@lead_time(\"7d\")",
            "@emergency_approvals(\"1\")\n@max_duration(\"1h\")\n@max_uses(\"1\")\n@presence(\"session\")\n@lead_time(\"7d\")",
            "releasing-to-production-needs-operations-and-security",
            SERVICES,
            "single_approver",
            "lets one person approve `deploy_service`",
        ),
        // Nobody to tell.
        slip(
            SERVICES,
            "@escalate(\"security\")",
            "@escalate(\"securty\")",
            "releasing-to-production-needs-operations-and-security",
            SERVICES,
            "empty_group",
            "`securty`",
        ),
        slip(
            "scope/files.cedar",
            "/srv/files/drafts/*",
            "/srv/files/dr\u{430}fts/*",
            "drafts-may-be-written",
            "scope/files.cedar",
            "odd_characters",
            "",
        ),
    ];
    let mut failures = Vec::new();
    for Slip { file, from, to, rule, at, code, says } in &slips {
        let mut files = sample();
        let text = files.get_mut(*file).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        *text = text.replacen(from, to, 1);
        let found = told(&files);
        let line = line_with(&files[*at], &format!("\"{rule}\""));
        let fits = |one: &&Warning| {
            one.code == *code
                && one.file == *at
                && one.line == line
                && one.message.contains(rule)
                && one.message.contains(says)
        };
        if found.iter().find(fits).is_none_or(|one| one.help.is_empty()) {
            failures.push(format!("{rule} {code} {says}: {found:#?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_another_permit_surely_adds_is_counted() {
    let mut files = sample();
    let text = files.get_mut(REQUESTS).unwrap();
    // One for every journal, but two surely match whatever it does.
    let one = "@approvals(\"2\")\n@groups(\"finance\")\n@max_duration(\"4h\")";
    *text = text.replacen(one, "@approvals(\"1\")\n@groups(\"finance\")\n@max_duration(\"4h\")", 1);
    text.push_str(
        "@id(\"two-whatever-it-is\") @tier(\"medium\") @approvals(\"2\") @max_duration(\"4h\") @max_uses(\"20\") @presence(\"session\")\n\
         permit (principal is Agent, action == Action::\"post_journal\", resource);",
    );
    let found = told(&files);
    assert!(found.iter().all(|warning| warning.code != "single_approver"), "{found:#?}");
}

#[test]
fn what_cannot_be_tried_is_said() {
    let mut files = sample();
    let agents = (0..700).map(|n| format!("{{\"uid\": {{\"type\": \"Agent\", \"id\": \"a{n}\"}}, \"attrs\": {{\"owner\": {{\"__entity\": {{\"type\": \"User\", \"id\": \"tom\"}}}}, \"autonomy\": 3}}, \"parents\": []}},"));
    let data = (0..400).map(|n| format!("{{\"uid\": {{\"type\": \"Dataset\", \"id\": \"d{n}\"}}, \"attrs\": {{\"regulated\": false}}, \"parents\": []}},"));
    let more: String = agents.chain(data).collect();
    let text = files.get_mut("entities.json").unwrap();
    *text = text.replacen('[', &format!("[{more}"), 1);
    let found = told(&files);
    assert!(found.iter().any(|warning| warning.code == "not_all_tried"), "{found:#?}");
}

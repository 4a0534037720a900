//! The sample bundle loads; each way to be wrong is told by file, line and code.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::*;

mod lines;
mod model;
mod small;

/// The sample bundle, as files by path.
pub(crate) fn sample() -> BTreeMap<String, String> {
    fn read(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
            if name == "tests" {
                continue;
            }
            if path.is_dir() {
                read(&path, &format!("{name}/"), files);
            } else {
                files.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bundles/sample"), "", &mut files);
    files
}

#[test]
fn the_sample_bundle_is_accepted_and_its_digest_is_of_every_byte() {
    let files = sample();
    let bundle = Bundle::accept(&files).unwrap();
    assert!(bundle.rules.policy_count() >= 12);
    for path in files.keys() {
        let mut changed = files.clone();
        changed.get_mut(path).unwrap().push('\n');
        let digests = digests(&changed).unwrap();
        assert_ne!(digests.bundle, bundle.digests.bundle, "{path}");
        assert_eq!(digests.policy == bundle.digests.policy, path == ENTITIES, "{path}");
        assert_eq!(digests.entities == bundle.digests.entities, path != ENTITIES, "{path}");
    }
}

#[test]
fn what_the_module_loads_is_what_was_accepted() {
    let bundle = Bundle::accept(&sample()).unwrap();
    let load = bundle.load();
    assert!(!load.files.contains_key(ENTITIES));
    let rules = Rules::read(&load.files, load.bundle).unwrap();
    assert_eq!(rules.policy_count(), bundle.rules.policy_count());
    assert_eq!(rules.digest, bundle.digests.bundle);
}

/// Where an error points.
#[derive(Debug, Clone, Copy)]
enum Line {
    /// At this line.
    Is(u32),
    /// At the one line that holds this text, wherever the sample has it.
    Of(&'static str),
}

impl From<u32> for Line {
    fn from(line: u32) -> Self {
        Self::Is(line)
    }
}

impl From<&'static str> for Line {
    fn from(text: &'static str) -> Self {
        Self::Of(text)
    }
}

impl Line {
    fn in_text(self, text: &str) -> u32 {
        match self {
            Self::Is(line) => line,
            Self::Of(wanted) => {
                let found: Vec<u32> =
                    text.lines().zip(1..).filter(|(line, _)| line.contains(wanted)).map(|(_, at)| at).collect();
                assert_eq!(found.len(), 1, "`{wanted}` stands on one line");
                found[0]
            }
        }
    }
}

/// One change to the sample bundle, and where and how it is refused.
struct Case {
    file: &'static str,
    change: fn(&str) -> String,
    line: Line,
    code: &'static str,
    says: &'static str,
}

const PERMIT: &str = "permit (principal is Agent, action == Action::\"move_file\", resource);";
const TERMS: &str = "@tier(\"low\") @approvals(\"1\") @max_duration(\"1h\") @max_uses(\"1\")";

fn case(
    file: &'static str,
    change: fn(&str) -> String,
    line: impl Into<Line>,
    code: &'static str,
    says: &'static str,
) -> Case {
    Case { file, change, line: line.into(), code, says }
}

#[test]
fn a_wrong_bundle_is_refused_with_file_line_and_code() {
    let cases = [
        case("scope/x.cedar", |_| format!("\n@id(\"a\")\n{PERMIT} permit ("), 3, "bad_policy", "unexpected end"),
        case("scope/x.cedar", |_| PERMIT.into(), 1, "no_id", "no `@id`"),
        case("scope/x.cedar", |_| format!("@id(\"a b\") {PERMIT}"), 1, "no_id", "no `@id`"),
        case("scope/x.cedar", |_| format!("\n@id(\"journals-may-be-read\") {PERMIT}"), 2, "same_id", "two policies"),
        case(
            "scope/x.cedar",
            |_| format!("@id(\"a\") {}", PERMIT.replace("permit", "forbid")),
            1,
            "wrong_folder",
            "is a forbid",
        ),
        case("guardrails/x.cedar", |_| format!("// why\n@id(\"a\") {PERMIT}"), 2, "wrong_folder", "is a permit"),
        case(
            "approval/approve/x.cedar",
            |_| "@id(\"a\") forbid (principal, action == Action::\"approve\", resource);".into(),
            1,
            "wrong_folder",
            "is a forbid",
        ),
        case("scope/x.cedar", |_| format!("@id(\"a\") @tier(\"low\") {PERMIT}"), 1, "bad_annotation", "`@tier`"),
        case("approval/request/x.cedar", |_| format!("@id(\"a\") {PERMIT}"), 1, "bad_annotation", "no `@tier`"),
        case(
            "approval/request/x.cedar",
            |_| format!("@id(\"a\") {TERMS} @max_use(\"1\") {PERMIT}"),
            1,
            "bad_annotation",
            "`@max_use`",
        ),
        case(
            "approval/request/x.cedar",
            |_| format!("@id(\"a\") {} {PERMIT}", TERMS.replace("\"low\"", "\"lowest\"")),
            1,
            "bad_annotation",
            "lowest",
        ),
        case(
            "approval/request/x.cedar",
            |_| format!("@id(\"a\") {} {PERMIT}", TERMS.replace("approvals(\"1\")", "approvals(\"0\")")),
            1,
            "bad_annotation",
            "approvals",
        ),
        case(
            "approval/request/x.cedar",
            |_| format!("@id(\"a\") {} {PERMIT}", TERMS.replace("\"1h\"", "\"an hour\"")),
            1,
            "bad_annotation",
            "max_duration",
        ),
        case(
            "approval/request/x.cedar",
            |_| format!("@id(\"a\") {TERMS} @step_up(\"fax\") {PERMIT}"),
            1,
            "bad_annotation",
            "fax",
        ),
        case(
            "approval/request/x.cedar",
            |_| format!("@id(\"a\") {TERMS} @groups(\"a,,b\") {PERMIT}"),
            1,
            "bad_annotation",
            "groups",
        ),
        case("bundle.toml", |text| text.replace("[\"sealed\"]", "[\"low\"]"), 6, "bad_config", "last of `tiers`"),
        case("bundle.toml", |text| text.replace("[\"sealed\"]", "[\"seald\"]"), 6, "bad_config", "last of `tiers`"),
        case(
            "scope/x.cedar",
            |_| "@id(\"a\")\npermit (principal == ?principal, action, resource);".into(),
            2,
            "template",
            "no templates",
        ),
        case(
            "scope/x.cedar",
            |_| {
                "@id(\"a\") permit (principal is Agent, action == Action::\"move_file\", resource)\nwhen { principal.clever };".into()
            },
            2,
            "invalid_policy",
            "clever",
        ),
        case(
            "guardrails/x.cedar",
            |_| {
                format!(
                    "@id(\"a\") forbid (principal, action, resource) when {{ {}true{} }};",
                    "(".repeat(70),
                    ")".repeat(70)
                )
            },
            1,
            "too_complex",
            "64 levels",
        ),
        case("scope/deep/x.cedar", |_| format!("@id(\"a\") {PERMIT}"), 1, "unknown_file", "no part of a bundle"),
        case("scope/x.txt", |_| "x".into(), 1, "unknown_file", "no part of a bundle"),
        case("bundle.toml", |text| format!("colour = 1\n{text}"), 1, "bad_config", "colour"),
        case(
            "bundle.toml",
            |text| text.replace("[types]", "[reconcile]\non = { ran_often = \"open\" }\n\n[types]"),
            12,
            "bad_config",
            "ran_often",
        ),
        case(
            "bundle.toml",
            |text| text.replace("[types]", "[reconcile]\non = { never_ran = \"burn\" }\n\n[types]"),
            12,
            "bad_config",
            "burn",
        ),
        case("bundle.toml", |text| text.replace("\"low\", ", "\"low\", \"low\", "), 2, "bad_config", "twice"),
        case(
            "bundle.toml",
            |text| text.replacen("action = \"read_file\"", "action = \"red_file\"", 1),
            19,
            "bad_config",
            "red_file",
        ),
        case("bundle.toml", |text| text.replace("\"User\"", "\"Usr\""), 12, "bad_config", "Usr"),
        case(
            "bundle.toml",
            |text| format!("{text}\n[claims.Agent]\nnames = [\"autonomy\"]\nenforcement_points = [\"gateway\"]\n"),
            145,
            "claim_in_guardrail",
            "autonomy",
        ),
        case(
            "bundle.toml",
            |text| format!("{text}\n[claims.Dataset]\nnames = [\"closed\"]\nenforcement_points = [\"gateway\"]\n"),
            145,
            "bad_config",
            "closed",
        ),
        case("schema.cedarschema", |text| format!("entity User {text}"), 2, "bad_schema", "expected"),
        case("schema.cedarschema", |text| format!("action approve;\n{text}"), 1, "reserved", "approve"),
        case(
            "schema.cedarschema",
            |text| format!("namespace Proviso {{ entity A; }}\n{text}"),
            1,
            "reserved",
            "Proviso",
        ),
        case(
            "schema.cedarschema",
            |text| text.replacen("@path path", "@pat path", 1),
            "@pat path",
            "bad_schema",
            "`@pat`",
        ),
        case(
            "schema.cedarschema",
            |text| text.replacen("head?: Long", "@path head?: Long", 1),
            "@path head",
            "bad_schema",
            "no string",
        ),
        case(
            "schema.cedarschema",
            |text| text.replacen("@sum(\"rows\")", "@sum(\"row\")", 1),
            "@sum(\"row\")",
            "bad_schema",
            "whole number",
        ),
        case(
            "entities.json",
            |text| text.replacen("\"autonomy\": 2", "\"autonomy\": \"2\"", 1),
            "\"autonomy\": \"2\"",
            "bad_entities",
            "autonomy",
        ),
        case(
            "entities.json",
            |text| text.replacen("\"autonomy\": 2", "\"autonomy\": 2, \"autonomy\": 3", 1),
            "\"autonomy\": 2, \"autonomy\": 3",
            "bad_entities",
            "autonomy",
        ),
        case(
            "entities.json",
            |text| text.replacen("{\"name\": \"Ines Okafor\"}", "{}", 1),
            "\"id\": \"ines\"}, \"attrs\": {}",
            "bad_entities",
            "is missing",
        ),
        case(
            "entities.json",
            |text| text.replacen("\"type\": \"Volume\"", "\"type\": \"Disk\"", 1),
            "\"type\": \"Disk\"",
            "bad_entities",
            "Disk",
        ),
    ];
    check(cases);
}

/// Holds every case against what the bundle with its change is refused for.
fn check(cases: impl IntoIterator<Item = Case>) {
    let mut failures = Vec::new();
    for case in cases {
        let mut files = sample();
        let before = files.get(case.file).cloned().unwrap_or_default();
        let after = (case.change)(&before);
        let changed = before != after;
        let line = case.line.in_text(&after);
        files.insert(case.file.to_owned(), after);
        let errors = Bundle::accept(&files).err().unwrap_or_default();
        let found = errors.iter().find(|e| e.file == case.file && e.code == case.code && e.message.contains(case.says));
        let fits = found.is_some_and(|e| !e.help.is_empty() && e.line == line);
        if !changed || !fits {
            failures.push(format!("{} {line} {} {}: {errors:?}", case.file, case.code, case.says));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn terms_are_read_strictly() {
    // What is added to the four mandatory ones, and what the refusal says.
    let refused = [
        ("@decide_within(\"0s\")", "decide_within"),
        ("@decide_within(\"8 h\")", "decide_within"),
        ("@decide_within(\"367d\")", "decide_within"),
        ("@decides_within(\"8h\")", "unknown annotation `@decides_within`"),
        ("@lead_time(\"soon\")", "lead_time"),
        ("@max_rate(\"10\")", "max_rate"),
        ("@max_rate(\"0/1h\")", "max_rate"),
        ("@max_rate(\"10/0s\")", "max_rate"),
        ("@max_rate(\"+1/1h\")", "max_rate"),
        ("@max_rate(\"257/1h\")", "max_rate"),
        ("@max_rate(\"1/400d\")", "max_rate"),
        ("@max_renewals(\"-1\") @renewal_period(\"7d\")", "max_renewals"),
        ("@max_renewals(\"02\") @renewal_period(\"7d\")", "max_renewals"),
        ("@max_renewals(\"101\") @renewal_period(\"7d\")", "max_renewals"),
        ("@max_renewals(\"2\")", "contradicts itself"),
        ("@renewal_period(\"7d\")", "contradicts itself"),
        ("@max_renewals(\"2\") @renewal_period(\"week\")", "renewal_period"),
        ("@notify(\"\")", "notify"),
        ("@notify(\"a,a\")", "notify"),
        ("@escalate(\"a,,b\")", "escalate"),
        ("@escalate(\"a,b,a\")", "escalate"),
        ("@notify(\"a,b\") @escalate(\"c,b\")", "`b` is told first"),
        ("@emergency_approvals(\"0\")", "emergency_approvals"),
        ("@emergency_approvals(\"2\")", "contradicts itself"),
        ("@silence(\"1.5h\")", "silence"),
        ("@for_another(\"no\")", "for_another"),
        ("@for_another(\"YES\")", "for_another"),
        ("@presence(\"passkey\")", "`@presence(\"passkey\")`"),
        ("@presence(\"Session\")", "`@presence(\"Session\")`"),
        ("@step_up(\"webauthn\") @presence(\"session\")", "`@step_up` demands more"),
        ("@binding(\"yes\")", "`@binding(\"yes\")`"),
        ("@review_within(\"1d2d\")", "review_within"),
    ];
    let accept = |terms: &str| {
        let mut files = sample();
        files.insert("approval/request/x.cedar".to_owned(), format!("\n@id(\"a\") {terms} {PERMIT}"));
        Bundle::accept(&files)
    };
    for (more, says) in refused {
        let errors = accept(&format!("{TERMS} {more}")).unwrap_err();
        let first = &errors[0];
        let place = (first.file.as_str(), first.line, first.code);
        assert_eq!((errors.len(), place), (1, ("approval/request/x.cedar", 2, "bad_annotation")), "{more}");
        assert!(first.message.contains(says) && !first.help.is_empty(), "{more}: {first:?}");
    }
    for fine in ["", "@presence(\"session\")", "@step_up(\"link\") @presence(\"session\")", "@step_up(\"webauthn\")"] {
        assert!(accept(&format!("{TERMS} {fine}")).is_ok(), "{fine}");
    }
    // A tier that nobody can request has no terms, and every other one has all four.
    assert!(accept("@tier(\"sealed\")").is_ok());
    for (terms, says) in
        [(&TERMS.replace("low", "sealed") as &str, "nobody can request"), ("@tier(\"low\")", "no `@approvals`")]
    {
        let errors = accept(terms).unwrap_err();
        assert!(errors[0].message.contains(says), "{errors:?}");
    }
}

#[test]
fn a_missing_file_is_named() {
    for file in ["bundle.toml", "schema.cedarschema"] {
        let mut files = sample();
        files.remove(file);
        let errors = Bundle::accept(&files).unwrap_err();
        assert_eq!((errors[0].code, errors[0].file.as_str()), ("missing_file", file));
    }
}

#[test]
fn a_namespace_applies_to_types_and_actions() {
    let files = BTreeMap::from(
        [
            ("bundle.toml", "namespace = \"Acme\"\ntiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n"),
            ("schema.cedarschema", "namespace Acme { entity User, Agent, File; action read appliesTo { principal: [Agent], resource: [File] }; }"),
            ("scope/a.cedar", "@id(\"a\") permit (principal is Acme::Agent, action == Acme::Action::\"read\", resource);"),
            ("approval/approve/a.cedar", "@id(\"b\") permit (principal is Acme::User, action == Acme::Action::\"approve\", resource) when { context.action == Acme::Action::\"read\" && !context.voted.contains(principal) };"),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned())),
    );
    let bundle = Bundle::accept(&files).unwrap();
    assert_eq!(bundle.rules.config.short("Acme::Agent"), "Agent");
    assert_eq!(bundle.rules.config.long("Agent"), "Acme::Agent");
}

#[test]
fn a_guardrail_on_any_action_need_not_fit_the_question_about_approvers() {
    let guardrail = "@id(\"g\") forbid (principal, action, resource) when { context.task == \"frozen\" };";
    let schema = "entity User, Agent, File; action read appliesTo { principal: [Agent], resource: [File], context: { task: String } };";
    let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
    let files = |path: &str, text: &str| {
        let files = [("schema.cedarschema", schema), ("bundle.toml", config), (path, text)];
        Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into())
    };
    assert!(files("guardrails/g.cedar", guardrail).is_ok());
    let about_approve = "@id(\"g\") forbid (principal, action == Action::\"approve\", resource);";
    let errors = files("guardrails/g.cedar", about_approve).unwrap_err();
    assert_eq!(errors[0].code, "invalid_policy");
}

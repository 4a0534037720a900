//! Every weakness that can be told: what it is, what it leads to, how it is mended. `docs/doctor.md` is this table.

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody gets in, nobody can decide, or the record can be lost or rewritten.
    Grave,
    /// Worth mending.
    Hint,
}

impl Severity {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Grave => "grave",
            Self::Hint => "hint",
        }
    }
}

/// One kind of weakness.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// How bad it is.
    pub severity: Severity,
    /// A stable snake_case code.
    pub code: &'static str,
    /// What is weak.
    pub what: &'static str,
    /// What it leads to.
    pub why: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

/// All of them.
pub const fn kinds() -> &'static [Kind] {
    &KINDS
}

const KINDS: [Kind; 37] = [
    Kind {
        severity: Severity::Grave,
        code: "single_user",
        what: "the gate takes agents under its own operating-system user",
        why: "an agent that runs as the gate's user approves its own requests",
        help: "run the gate as a user that no agent can become, and leave `--single-user` out",
    },
    Kind {
        severity: Severity::Grave,
        code: "same_user_as_agent",
        what: "an agent's proxy runs as the gate's user",
        why: "an agent that runs as the gate's user reads its keys",
        help: "let agents and their proxies run as another user than the gate",
    },
    Kind {
        severity: Severity::Hint,
        code: "runs_as_root",
        what: "the data folder is root's",
        why: "whoever takes the gate over has the machine",
        help: "give the gate a user of its own: deploy/proviso.service does",
    },
    Kind {
        severity: Severity::Grave,
        code: "data_open",
        what: "others can enter the data folder",
        why: "others read the record's texts, or write beside it",
        help: "`chmod 700` the data folder",
    },
    Kind {
        severity: Severity::Grave,
        code: "keys_open",
        what: "others can read a key",
        why: "whoever has the keys signs heads, mints codes and forges states of approvals",
        help: "`chmod 600` the files in the data folder's `keys`, and rotate what others may have read",
    },
    Kind {
        severity: Severity::Grave,
        code: "bundle_writable",
        what: "others can write into the bundle",
        why: "the next activation is of what they wrote",
        help: "take the others' right to write away from the bundle's folder and files",
    },
    Kind {
        severity: Severity::Grave,
        code: "settings_writable",
        what: "others can write a file of settings, or the keys of an issuer that it names",
        why: "they say where the record goes, who is told, and whose word counts",
        help: "take the others' right to write away from the file",
    },
    Kind {
        severity: Severity::Grave,
        code: "secret_open",
        what: "others can read a secret",
        why: "whoever has it speaks as the gate to whoever takes its messages and copies",
        help: "`chmod 600` the file that holds it, and change what others may have read",
    },
    Kind {
        severity: Severity::Grave,
        code: "plain_http",
        what: "the public address is plain HTTP",
        why: "tokens and sessions travel in the clear",
        help: "give the gate a certificate, or put a TLS proxy in front: docs/transport.md",
    },
    Kind {
        severity: Severity::Grave,
        code: "proxy_can_be_gone_round",
        what: "the gate listens on every address behind its proxy",
        why: "whoever reaches the machine goes round the proxy, in the clear",
        help: "let `--listen` name an address that only the proxy reaches, such as 127.0.0.1",
    },
    Kind {
        severity: Severity::Grave,
        code: "certificate_ends",
        what: "the gate's certificate ends soon",
        why: "every enforcement point is without its gate, and denies",
        help: "renew it; the gate takes the new one without a restart",
    },
    Kind {
        severity: Severity::Hint,
        code: "tls_key_open_to_group",
        what: "a group can read the certificate's key",
        why: "more than the gate can pass for the gate",
        help: "`chmod 600` the file of the key",
    },
    Kind {
        severity: Severity::Grave,
        code: "no_second_copy",
        what: "the record is in one place alone",
        why: "what the disk loses nobody has",
        help: "name a `[[copy]]` in the file of `--record`: docs/copies.md",
    },
    Kind {
        severity: Severity::Hint,
        code: "copy_beside_data",
        what: "a copy lies on the data folder's own file system",
        why: "it is lost with the record",
        help: "let the copy go to another machine or mount",
    },
    Kind {
        severity: Severity::Grave,
        code: "no_held_head",
        what: "nobody else holds a head of the record",
        why: "an operator can rewrite the record, and no one can show it",
        help: "name a `[[head]]` in the file of `--record`, best a witness: docs/copies.md",
    },
    Kind {
        severity: Severity::Hint,
        code: "head_beside_data",
        what: "the heads that are kept lie on the data folder's own file system",
        why: "whoever rewrites the record rewrites them too",
        help: "let heads go to a witness, a webhook or another machine",
    },
    Kind {
        severity: Severity::Hint,
        code: "nobody_is_told",
        what: "nobody is told of requests",
        why: "they wait until somebody happens to look, and lapse",
        help: "give `--notify` a file: docs/notify.md",
    },
    Kind {
        severity: Severity::Hint,
        code: "kept_for_ever",
        what: "everything is kept for ever",
        why: "texts of people and agents pile up, and are there to be lost",
        help: "give `--retention` a file: docs/erasure.md",
    },
    Kind {
        severity: Severity::Hint,
        code: "asks_without_bound",
        what: "a subject may ask thousands of times a second",
        why: "one agent can take all the gate's time",
        help: "leave `--evaluations` as it is, or below 1000",
    },
    Kind {
        severity: Severity::Grave,
        code: "terms_without_people",
        what: "what policy asks for nobody can give",
        why: "requests are taken, wait, and lapse",
        help: "permit more people in approval/approve/, or put them into the group: `proviso bundle check`",
    },
    Kind {
        severity: Severity::Grave,
        code: "one_yes_for_grave_acts",
        what: "one person's yes is enough for what cannot be taken back",
        why: "one stolen session is enough, too",
        help: "ask for two with `@approvals(\"2\")`",
    },
    Kind {
        severity: Severity::Hint,
        code: "empty_group",
        what: "a group that is to be told has nobody in it",
        why: "nobody hears of it",
        help: "put people into the group, or name another",
    },
    Kind {
        severity: Severity::Hint,
        code: "rule_hardly_meant",
        what: "a rule is right by the letter and hardly meant",
        why: "it never decides, or contradicts another",
        help: "`proviso bundle check` says where, and what to do",
    },
    Kind {
        severity: Severity::Grave,
        code: "agent_without_owner",
        what: "an agent has no owner",
        why: "nobody answers for it, and nobody is kept from voting on it as its owner",
        help: "let entities.json name its owner",
    },
    Kind {
        severity: Severity::Grave,
        code: "one_approver",
        what: "one person alone can approve",
        why: "whoever has that one session decides everything, and nobody decides while they are away",
        help: "put more people into the groups that approval/approve/ names",
    },
    Kind {
        severity: Severity::Hint,
        code: "too_few_people",
        what: "there are fewer than three people",
        why: "with a requester and an owner left out, nobody is left to approve",
        help: "let entities.json know more people",
    },
    Kind {
        severity: Severity::Grave,
        code: "one_administrator",
        what: "console/ lets fewer than two people look after people",
        why: "nothing that takes two approvers is granted, and nobody is a second yes",
        help: "permit `administer` to two people of entities.json at least",
    },
    Kind {
        severity: Severity::Hint,
        code: "nothing_forbidden",
        what: "guardrails/ forbids nothing",
        why: "an approval can allow whatever somebody asks for",
        help: "write down in guardrails/ what nobody may ever do",
    },
    Kind {
        severity: Severity::Hint,
        code: "no_copy_awaited",
        what: "no tier waits for a copy",
        why: "an allow of the highest tier is lost with the disk that held it",
        help: "name the highest tier in `[record] wait_for_copy` of bundle.toml",
    },
    Kind {
        severity: Severity::Hint,
        code: "claims_believed",
        what: "the bundle believes what callers claim",
        why: "an enforcement point that lies decides what policy sees",
        help: "list claims only where policy cannot know better, and name the points that are believed",
    },
    Kind {
        severity: Severity::Hint,
        code: "other_bundle_active",
        what: "the bundle's folder is not what the gate judges by",
        why: "what you read is not what decides",
        help: "activate it with `serve --activate`, or put the active one back",
    },
    Kind {
        severity: Severity::Hint,
        code: "owners_disagree",
        what: "bundle and log name different owners",
        why: "what policy reads of an owner is not who owns it",
        help: "let entities.json say who owns it now",
    },
    Kind {
        severity: Severity::Grave,
        code: "owner_left",
        what: "somebody who left still owns something",
        why: "nobody answers for it",
        help: "`proviso owner leaves`, and hand it over",
    },
    Kind {
        severity: Severity::Hint,
        code: "point_for_everybody",
        what: "an enforcement point's token is for every agent",
        why: "whoever finds it asks as any of them, and takes their uses",
        help: "give each proxy a token for its own agents: `proviso token enforcement-point --subjects`",
    },
    Kind {
        severity: Severity::Hint,
        code: "link_alone",
        what: "somebody comes in by the operator's links alone",
        why: "whoever has root on the host can sign in as them, and vote as them where a session is enough",
        help: "let them add a passkey on the page You, or give them an account in the file of --sign-in",
    },
    Kind {
        severity: Severity::Grave,
        code: "clock_doubted",
        what: "the clock is doubted",
        why: "no exception is honoured",
        help: "look at the clock, then `proviso trust-clock`",
    },
    Kind {
        severity: Severity::Hint,
        code: "restore_unconfirmed",
        what: "exceptions of before a restore wait to be confirmed",
        why: "agents that rely on them are denied",
        help: "confirm them on the dashboard: docs/restore.md",
    },
];

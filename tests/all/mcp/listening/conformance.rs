//! The suite of the protocol's authors, against a server on rmcp alone and through the proxy: every check comes to the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proviso_tests::{Setup, TestGate};

use super::proxy::{Listening, allow_all, resource};
use super::rmcp_server;
use super::suite::{Bearer, Check, Results, Scenarios, required, run};
use super::upstream::Upstream;

/// How often a difference is looked at again: scenarios wait for so many milliseconds and no longer, and a machine may be
/// busy. What differs each time differs.
const LOOKS: usize = 3;

/// A server on rmcp, and another of the kind behind the proxy, with everything in scope.
struct Both {
    alone: String,
    through: String,
    _proxy: Listening,
}

impl Both {
    async fn start() -> Self {
        let (bearer, (listen, _)) = (Bearer::bind().await, resource());
        let gate = TestGate::with(Setup { bundle: allow_all(), ..Setup::default() }).await;
        let (at, through, address) = (gate.client.url.clone(), bearer.url.clone(), rmcp_server::start().await);
        let upstream = (Upstream::start().await, address.as_str());
        let own = format!("http://{listen}/mcp");
        let proxy = Listening::known_as(gate, (&at, "upstream"), upstream, (listen, through.clone()), &[]).await;
        bearer.lead_to(own, proxy.agent.clone());
        Self { alone: rmcp_server::start().await, through, _proxy: proxy }
    }

    /// What these scenarios come to, alone and through the proxy.
    async fn run(&self, scenarios: &Scenarios<'_>, folder: &Path) -> (Results, Results) {
        let (alone, through) = (folder.join("alone"), folder.join("through"));
        tokio::join!(run(&self.alone, scenarios, &alone), run(&self.through, scenarios, &through))
    }
}

/// What is not equal, and why that is so.
struct Known {
    scenario: &'static str,
    /// The check's name.
    check: &'static str,
    alone: &'static str,
    through: &'static str,
}

/// rmcp holds no header against the arguments that it mirrors. The proxy does, since what is mirrored is what was judged (R3).
const fn stricter(check: &'static str) -> Known {
    Known { scenario: "http-custom-header-server-validation", check, alone: "FAILURE", through: "SUCCESS" }
}

const KNOWN: [Known; 6] = [
    stricter("ServerRejectsInvalidBase64Chars"),
    stricter("ServerRejectsInvalidBase64Padding"),
    stricter("ServerRejectsMissingCustomHeader"),
    stricter("ServerRejectsInvalidBase64CharsErrorCode"),
    stricter("ServerRejectsInvalidBase64PaddingErrorCode"),
    stricter("ServerRejectsMissingCustomHeaderErrorCode"),
];

/// What is to be seen through the proxy of what was seen without it.
fn expected(scenario: &str, alone: &[Check]) -> Vec<Check> {
    let of = |check: &Check| {
        let is_it =
            |known: &&Known| known.scenario == scenario && known.check == check.name && known.alone == check.end;
        let end = KNOWN.iter().find(is_it).map_or(check.end.as_str(), |known| known.through);
        Check { end: end.to_owned(), ..check.clone() }
    };
    alone.iter().map(of).collect()
}

/// How often each check ended how. What the suite only writes down of what was sent and heard is no check.
fn ends(checks: &[Check]) -> BTreeMap<(&str, &str, &str), usize> {
    let mut ends = BTreeMap::new();
    for check in checks.iter().filter(|check| check.end != "INFO" || check.id.starts_with("server-")) {
        *ends.entry((check.id.as_str(), check.name.as_str(), check.end.as_str())).or_default() += 1;
    }
    ends
}

/// What differs, by the scenarios' names: that one of them was not run is a difference, too.
fn differences(alone: &Results, through: &Results, all: &BTreeSet<String>) -> BTreeMap<String, String> {
    let none = Vec::new();
    let only = |these: &[Check], those: &[Check]| {
        let (mine, known) = (ends(these), ends(those));
        let differs = |check: &&Check| {
            let end = (check.id.as_str(), check.name.as_str(), check.end.as_str());
            mine.get(&end).is_some_and(|count| known.get(&end) != Some(count))
        };
        these.iter().filter(differs).map(|check| format!("\n    {check:?}")).collect::<String>()
    };
    let of = |name: &String| {
        let (alone, through) = (expected(name, alone.get(name).unwrap_or(&none)), through.get(name).unwrap_or(&none));
        let is_same = !alone.is_empty() && ends(&alone) == ends(through);
        (!is_same).then(|| format!("expected{}\n  through{}", only(&alone, through), only(through, &alone)))
    };
    all.iter().filter_map(|name| Some((name.clone(), of(name)?))).collect()
}

async fn is_the_same(requirements: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let both = Both::start().await;
    let (alone, mut through) = both.run(&Scenarios::All(requirements), &folder.path().join("all")).await;
    let (required, besides) = required(requirements);
    assert!(required.len() > 25 && !besides.is_empty(), "{required:?} {besides:?}");
    let all = alone.keys().chain(through.keys()).chain(&required).chain(&besides).cloned().collect();
    let mut differ = differences(&alone, &through, &all);
    for look in 1..LOOKS {
        for name in std::mem::take(&mut differ).into_keys() {
            let folder = folder.path().join(format!("{look}-{name}"));
            let (alone, again) = both.run(&Scenarios::One(&name, requirements), &folder).await;
            differ.extend(differences(&alone, &again, &[name].into()));
            through.extend(again);
        }
    }
    let told: Vec<String> = differ.iter().map(|(name, told)| format!("{name}\n  {told}")).collect();
    assert!(told.is_empty(), "{requirements}: {}", told.join("\n"));
    // And it is a server that passes what is required, or equal would say little.
    let failed = |name: &&String| through[*name].iter().any(|check| check.end == "FAILURE");
    let failed: Vec<&String> = required.iter().filter(failed).collect();
    assert!(failed.is_empty(), "{requirements}: {failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_of_2025_11_25_comes_to_the_same_through_the_proxy() {
    is_the_same("2025-11-25").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_of_2026_07_28_comes_to_the_same_through_the_proxy() {
    is_the_same("2026-07-28").await;
}

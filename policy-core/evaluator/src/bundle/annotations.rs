//! The terms of a request, as annotations on a permit in `approval/request/`.

use cedar_policy::Policy;
use policy_core::outcome::Terms;
use policy_core::time::Span;

use super::config::Config;

const KNOWN: [&str; 9] =
    ["approvals", "doc", "groups", "id", "max_duration", "max_uses", "review_within", "step_up", "tier"];
/// The most approvals that terms may demand, and the most uses.
const MOST_APPROVALS: u32 = 16;
const MOST_USES: u32 = 1_000_000;
/// The longest duration that terms may allow: a year.
const LONGEST: u64 = 366 * 86_400;

/// Reads the terms of one permit, or says what is wrong and what to do.
pub(crate) fn terms(id: &str, policy: &Policy, config: &Config) -> Result<Terms, (String, String)> {
    let mut unknown: Vec<&str> = policy.annotations().map(|(key, _)| key).filter(|key| !KNOWN.contains(key)).collect();
    unknown.sort_unstable();
    if let Some(unknown) = unknown.first() {
        return Err((
            format!("`{id}` has an unknown annotation `@{unknown}`"),
            format!("known are {}", KNOWN.join(", ")),
        ));
    }
    let must = |name: &str| {
        let missing = || (format!("`{id}` has no `@{name}`"), format!("say `@{name}(\"…\")`: it has no default"));
        policy.annotation(name).ok_or_else(missing)
    };
    let wrong =
        |name: &str, text: &str, help: &str| (format!("`@{name}(\"{text}\")` of `{id}` is wrong"), help.to_owned());
    let number = |name: &str, most: u32| {
        let text = must(name)?;
        let number = text.parse::<u32>().ok().filter(|n| (1..=most).contains(n) && *text == n.to_string());
        number.ok_or_else(|| wrong(name, text, &format!("a whole number from 1 to {most}")))
    };
    let span = |name: &str, text: &str| {
        let span = text.parse::<Span>().ok().filter(|span| (1..=LONGEST).contains(&span.seconds()));
        span.ok_or_else(|| wrong(name, text, "a duration from `1s` to `366d`, such as `1h30m`"))
    };
    let listed = |name: &str, scale: &[String], text: &str| {
        let found = scale.iter().find(|known| known.as_str() == text).cloned();
        found.ok_or_else(|| wrong(name, text, &format!("bundle.toml lists {}", scale.join(", "))))
    };
    let mut groups: Vec<String> = match policy.annotation("groups") {
        Some(text) => text.split(',').map(|group| group.trim().to_owned()).collect(),
        None => Vec::new(),
    };
    groups.sort();
    groups.dedup();
    if groups.iter().any(String::is_empty) {
        return Err(wrong(
            "groups",
            policy.annotation("groups").unwrap_or_default(),
            "names of groups, with `,` between",
        ));
    }
    let terms = Terms {
        tier: listed("tier", &config.tiers, must("tier")?)?,
        approvals: number("approvals", MOST_APPROVALS)?,
        groups,
        max_duration: span("max_duration", must("max_duration")?)?,
        max_uses: number("max_uses", MOST_USES)?,
        step_up: policy.annotation("step_up").map(|text| listed("step_up", &config.step_ups, text)).transpose()?,
        review_within: policy.annotation("review_within").map(|text| span("review_within", text)).transpose()?,
        decide_within: None,
        lead_time: None,
        max_rate: None,
        max_renewals: None,
        renewal_period: None,
        notify: Vec::new(),
        escalate: Vec::new(),
        emergency_approvals: None,
        silence: None,
        for_another: false,
        policies: vec![id.to_owned()],
    };
    Ok(terms)
}

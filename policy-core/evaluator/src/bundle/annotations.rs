//! The terms of a request, as annotations on a permit in `approval/request/`.

use std::collections::BTreeSet;

use cedar_policy::Policy;
use policy_core::grant::Rate;
use policy_core::outcome::Terms;
use policy_core::presence::Presence;
use policy_core::time::Span;

use super::config::Config;

const KNOWN: [&str; 21] = [
    "approvals",
    "binding",
    "decide_within",
    "doc",
    "emergency_approvals",
    "escalate",
    "for_another",
    "groups",
    "id",
    "lead_time",
    "max_duration",
    "max_rate",
    "max_renewals",
    "max_uses",
    "notify",
    "presence",
    "renewal_period",
    "review_within",
    "silence",
    "step_up",
    "tier",
];
/// The most approvals that terms may demand, the most uses and the most renewals that they may allow.
const MOST_APPROVALS: u32 = 16;
const MOST_USES: u32 = 1_000_000;
const MOST_RENEWALS: u32 = 100;
/// The longest duration that terms may say: a year.
const LONGEST: u64 = 366 * 86_400;

/// What is wrong, and what to do about it.
type Wrong = (String, String);

/// Reads the terms of one permit, or says what is wrong and what to do. No terms: its tier is one that nobody can
/// request.
pub(crate) fn terms(id: &str, policy: &Policy, config: &Config) -> Result<Option<Terms>, Wrong> {
    let reader = Reader { id, policy };
    reader.all_known()?;
    let tier = reader.listed("tier", &config.tiers)?.ok_or_else(|| reader.missing("tier"))?;
    if config.not_requestable.contains(&tier) {
        let mut more = policy.annotations().map(|(key, _)| key).filter(|key| !["doc", "id", "tier"].contains(key));
        return match more.next() {
            None => Ok(None),
            Some(more) => Err((
                format!("`{id}` says `@{more}` of tier `{tier}`, which nobody can request"),
                "what cannot be requested has no terms: take the annotation out, or choose another tier".to_owned(),
            )),
        };
    }
    let terms = Terms {
        tier,
        approvals: reader.number("approvals", 1..=MOST_APPROVALS)?.ok_or_else(|| reader.missing("approvals"))?,
        groups: reader.names("groups")?.into_iter().collect::<BTreeSet<_>>().into_iter().collect(),
        max_duration: reader.span("max_duration")?.ok_or_else(|| reader.missing("max_duration"))?,
        max_uses: reader.number("max_uses", 1..=MOST_USES)?.ok_or_else(|| reader.missing("max_uses"))?,
        step_up: reader.listed("step_up", &config.step_ups)?,
        presence: reader.presence()?,
        review_within: reader.span("review_within")?,
        decide_within: reader.span("decide_within")?,
        lead_time: reader.span("lead_time")?,
        max_rate: reader.rate()?,
        max_renewals: reader.number("max_renewals", 0..=MOST_RENEWALS)?,
        renewal_period: reader.span("renewal_period")?,
        notify: reader.once("notify")?,
        escalate: reader.once("escalate")?,
        emergency_approvals: reader.number("emergency_approvals", 1..=MOST_APPROVALS)?,
        silence: reader.span("silence")?,
        for_another: reader.yes("for_another")?,
        binding: reader.required("binding")?,
        raised_from: None,
        policies: vec![id.to_owned()],
    };
    reader.agrees(&terms, config)?;
    Ok(Some(terms))
}

/// One permit's annotations.
struct Reader<'a> {
    id: &'a str,
    policy: &'a Policy,
}

impl<'a> Reader<'a> {
    fn all_known(&self) -> Result<(), Wrong> {
        let mut unknown: Vec<&str> =
            self.policy.annotations().map(|(key, _)| key).filter(|key| !KNOWN.contains(key)).collect();
        unknown.sort_unstable();
        match unknown.first() {
            Some(unknown) => Err((
                format!("`{}` has an unknown annotation `@{unknown}`", self.id),
                format!("known are {}", KNOWN.join(", ")),
            )),
            None => Ok(()),
        }
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.policy.annotation(name)
    }

    fn missing(&self, name: &str) -> Wrong {
        (format!("`{}` has no `@{name}`", self.id), format!("say `@{name}(\"…\")`: it has no default"))
    }

    fn wrong(&self, name: &str, text: &str, help: impl Into<String>) -> Wrong {
        (format!("`@{name}(\"{text}\")` of `{}` is wrong", self.id), help.into())
    }

    fn number(&self, name: &str, of: std::ops::RangeInclusive<u32>) -> Result<Option<u32>, Wrong> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse::<u32>().ok().filter(|number| of.contains(number) && *text == number.to_string());
        let help = || format!("a whole number from {} to {}", of.start(), of.end());
        number.map(Some).ok_or_else(|| self.wrong(name, text, help()))
    }

    fn span(&self, name: &str) -> Result<Option<Span>, Wrong> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let span = text.parse::<Span>().ok().filter(|span| (1..=LONGEST).contains(&span.seconds()));
        span.map(Some).ok_or_else(|| self.wrong(name, text, "a duration from `1s` to `366d`, such as `1h30m`"))
    }

    fn rate(&self) -> Result<Option<Rate>, Wrong> {
        let Some(text) = self.text("max_rate") else { return Ok(None) };
        let rate = text.parse::<Rate>().ok().filter(|rate| rate.per.seconds() <= LONGEST);
        let help = "uses from 1 to 256 in a duration from `1s` to `366d`, such as `10/1h`";
        rate.map(Some).ok_or_else(|| self.wrong("max_rate", text, help))
    }

    fn listed(&self, name: &str, scale: &[String]) -> Result<Option<String>, Wrong> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let found = scale.iter().find(|known| known.as_str() == text).cloned();
        found.map(Some).ok_or_else(|| self.wrong(name, text, format!("bundle.toml lists {}", scale.join(", "))))
    }

    fn names(&self, name: &str) -> Result<Vec<String>, Wrong> {
        let Some(text) = self.text(name) else { return Ok(Vec::new()) };
        let names: Vec<String> = text.split(',').map(|group| group.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err(self.wrong(name, text, "names of groups, with `,` between"));
        }
        Ok(names)
    }

    /// Names whose order means something.
    fn once(&self, name: &str) -> Result<Vec<String>, Wrong> {
        let names = self.names(name)?;
        if names.iter().collect::<BTreeSet<_>>().len() == names.len() {
            Ok(names)
        } else {
            Err(self.wrong(name, self.text(name).unwrap_or_default(), "name each group once, in the order of telling"))
        }
    }

    /// Where nothing is said, a vote is signed.
    fn presence(&self) -> Result<Presence, Wrong> {
        let Some(text) = self.text("presence") else { return Ok(Presence::Signature) };
        Presence::of(text).ok_or_else(|| {
            let words = Presence::ALL.map(Presence::word).join("`, `");
            self.wrong("presence", text, format!("one of `{words}`; without it a vote is signed"))
        })
    }

    fn yes(&self, name: &str) -> Result<bool, Wrong> {
        match self.text(name) {
            None => Ok(false),
            Some("yes") => Ok(true),
            Some(text) => Err(self.wrong(name, text, "`yes`, or leave the annotation out")),
        }
    }

    fn required(&self, name: &str) -> Result<bool, Wrong> {
        match self.text(name) {
            None => Ok(false),
            Some("required") => Ok(true),
            Some(text) => Err(self.wrong(name, text, "`required`, or leave the annotation out")),
        }
    }

    /// Refuses terms that take back with one annotation what they say with another.
    fn agrees(&self, terms: &Terms, config: &Config) -> Result<(), Wrong> {
        let against =
            |what: &str, help: &str| Err((format!("`{}` contradicts itself: {what}", self.id), help.to_owned()));
        // What is more than any session is, no session shows.
        let more = terms.step_up.is_some() && terms.step_up.as_ref() != config.step_ups.first();
        if more && terms.presence.is_session() {
            return against(
                "`@presence(\"session\")` takes any session, and `@step_up` demands more",
                "say `@presence(\"authentication\")` for one that was made just now, or leave it out for a signed vote",
            );
        }
        if terms.emergency_approvals.is_some_and(|emergency| emergency > terms.approvals) {
            return against(
                "an emergency takes more approvals than `@approvals`",
                "`@emergency_approvals` is for fewer: lower it, or leave it out",
            );
        }
        if terms.max_renewals.is_some() != terms.renewal_period.is_some() {
            return against(
                "of `@max_renewals` and `@renewal_period` it says one",
                "say both: how often, and how long after its end a request counts as the renewal of a grant",
            );
        }
        if let Some(twice) = terms.escalate.iter().find(|group| terms.notify.contains(group)) {
            let what = format!("`{twice}` is told first by `@notify` and next by `@escalate`");
            return against(&what, "name a group in one of the two");
        }
        Ok(())
    }
}

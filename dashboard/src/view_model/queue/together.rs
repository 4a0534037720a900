//! Which requests can be approved together: one and the same call, in the weakest tier.

use proviso_api::exceptions::ExceptionLine;

/// How many are approved at one press.
const MOST_TOGETHER: usize = 10;

/// Whether these are one and the same call, asked more than once, of the weakest of these tiers.
pub fn together(lines: &[ExceptionLine], tiers: &[String]) -> bool {
    let Some((first, others)) = lines.split_first() else { return false };
    let weakest = tiers.first().is_some_and(|weakest| *weakest == first.tier);
    let same = first.same.is_some() && others.iter().all(|other| other.same == first.same && other.tier == first.tier);
    weakest && same && !others.is_empty() && lines.len() <= MOST_TOGETHER
}

#[cfg(test)]
mod tests {
    use policy_core::digest::Digest;

    use super::*;
    use crate::view_model::samples::line;

    fn like(id: &str, call: &str) -> ExceptionLine {
        ExceptionLine { same: Some(Digest::of(call.as_bytes())), ..line(id, "requested", true) }
    }

    #[test]
    fn only_one_and_the_same_call_of_the_weakest_tier_is_approved_together() {
        let tiers = ["low".to_owned(), "high".to_owned()];
        assert!(together(&[like("a", "x"), like("b", "x")], &tiers));
        assert!(!together(&[like("a", "x"), like("b", "y")], &tiers), "another call");
        assert!(!together(&[like("a", "x")], &tiers), "one has a page");
        assert!(!together(&[], &tiers));
        let high = |id: &str| ExceptionLine { tier: "high".into(), ..like(id, "x") };
        assert!(!together(&[high("a"), high("b")], &tiers));
        let hidden = |id: &str| line(id, "requested", true);
        assert!(!together(&[hidden("a"), hidden("b")], &tiers), "what one may not see is the same as nothing");
        let many: Vec<ExceptionLine> = (0..=MOST_TOGETHER).map(|number| like(&number.to_string(), "x")).collect();
        assert!(!together(&many, &tiers));
    }
}

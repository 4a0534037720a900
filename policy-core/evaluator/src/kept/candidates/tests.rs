use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, ResourceScope, Scope};
use policy_core::json::{Limits, read, to_canonical_bytes};
use policy_core::time::Timestamp;

use super::*;

fn candidate(id: &str, uses_left: u32) -> Candidate {
    let scope = Scope {
        resource: ResourceScope::Is(EntityRef::new("File", "f")),
        arguments: ArgumentScope::Exact,
        not_before: None,
        not_after: Timestamp::from_millis(1),
        max_uses: 5,
        valid_for: None,
        rate: None,
        budgets: Vec::new(),
    };
    let grant = Grant {
        id: id.into(),
        exception: "exception-1".into(),
        version: 1,
        subject: EntityRef::new("Agent", "a"),
        task: "t".into(),
        chain: Vec::new(),
        enforcement_point: "proxy".into(),
        server: None,
        tool: None,
        action: "read".into(),
        input_digest: Digest::of(b"{}"),
        input_names: Vec::new(),
        members: Vec::new(),
        scope,
    };
    Candidate { grant: grant.into(), uses_left, budgets_left: Vec::new(), rate_left: None }
}

fn text(candidates: &[Candidate]) -> String {
    String::from_utf8(to_canonical_bytes(candidates).unwrap()).unwrap()
}

#[test]
fn candidates_are_those_of_their_text_and_known_again_by_it() {
    let kept = KeptCandidates::default();
    for held in [vec![], vec![candidate("a", 1)], vec![candidate("a", 1), candidate("b", 0)]] {
        let text = text(&held);
        assert_eq!(kept.at(&text), None);
        let made = kept.of(&text).unwrap();
        assert_eq!(*made, held);
        assert!(Arc::ptr_eq(&made, &kept.of(&text).unwrap()));
        let (length, known) = kept.at(&format!("{text},\"chain\":[]}}")).unwrap();
        assert!(length == text.len() && Arc::ptr_eq(&known, &made));
    }
}

#[test]
fn a_grant_is_known_by_its_text_where_a_counter_or_another_grant_is_not() {
    let kept = KeptCandidates::default();
    let first = kept.of(&text(&[candidate("a", 2), candidate("b", 2)])).unwrap();
    // A use of the second one, the first one revoked, and one that was granted since.
    let held = [candidate("b", 1), candidate("c", 5), candidate("b", 1)];
    let second = kept.of(&text(&held)).unwrap();
    assert_eq!(*second, held);
    assert!(second[0].grant.is(&first[1].grant) && second[2].grant.is(&first[1].grant));
    // Another grant of the same id is another text.
    let mut other = candidate("a", 2);
    other.grant.scope.max_uses = 6;
    let third = kept.of(&text(&[other.clone(), candidate("a", 2)])).unwrap();
    assert_eq!(*third, [other, candidate("a", 2)]);
    assert!(!third[0].grant.is(&first[0].grant) && third[1].grant.is(&first[0].grant));
}

#[test]
fn what_is_no_list_of_candidates_is_kept_as_none() {
    let kept = KeptCandidates::default();
    let whole = text(&[candidate("a", 1)]);
    kept.of(&whole).unwrap();
    for (text, is_read) in [
        ("[1]".to_owned(), false),
        ("{}".to_owned(), false),
        (whole.replace("\"uses_left\":1", "\"uses_left\":-1"), false),
        (whole.replace("\"uses_left\":1", "\"uses_left\":1.0"), false),
        (whole.replace("{\"grant\"", "{ \"grant\""), false),
        (whole.replace("\"version\":1", "\"version\":\"1\""), false),
        // Members that nobody knows are passed over, whatever they hold.
        (whole.replace("\"version\":1", "\"version\":1,\"zeal\":[{}]"), true),
        (whole.replace("\"uses_left\":1", "\"rate_left\":null,\"uses_left\":1"), true),
        // One that is written as an array has its members in their order.
        (whole.replace("{\"grant\":", "[").replace(",\"uses_left\":1}", ",1]"), true),
        (whole.replace("{\"grant\":", "[1,").replace(",\"uses_left\":1}", "]"), false),
    ] {
        let strict = read(text.as_bytes(), Limits::DEFAULT).ok();
        let strict: Option<Vec<Candidate>> = strict.and_then(|value| serde_json::from_value(value).ok());
        for _ in 0..2 {
            assert_eq!(kept.of(&text).is_some(), is_read, "{text}");
            if let Some(made) = kept.of(&text) {
                assert_eq!(Some(&*made), strict.as_ref(), "{text}");
            }
        }
    }
}

#[test]
fn no_more_is_kept_than_there_is_room_for() {
    let kept = KeptCandidates::default();
    for number in 0..2 * EACH.most {
        let held = [candidate(&number.to_string(), 1), candidate("always", u32::try_from(number).unwrap())];
        assert_eq!(*kept.of(&text(&held)).unwrap(), held);
        let (all, grants) = (kept.all.sorted(), kept.grants.sorted());
        assert!(all.texts.len() <= ALL.most && all.bytes <= ALL.bytes, "{number}");
        assert!(grants.texts.len() <= EACH.most && grants.bytes <= EACH.bytes, "{number}");
    }
    let long = [candidate(&"x".repeat(ALL.longest), 1)];
    for _ in 0..2 {
        assert_eq!(*kept.of(&text(&long)).unwrap(), long);
        assert_eq!(kept.at(&text(&long)), None);
    }
}

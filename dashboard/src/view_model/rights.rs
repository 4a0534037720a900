//! What the signed-in person may do here, by the bundle's `console/`, and why not the rest.

use policy_core::console::Act;
use policy_core::lifecycle::Rejection;

use super::problem::sentence;

/// Why somebody may not do something here at all; nothing where they may.
pub fn why_not(may: &[Act], act: Act) -> Option<String> {
    (!may.contains(&act)).then(|| {
        let help = sentence(Rejection::NotPermittedHere.help());
        format!("The bundle does not let you {} here. {help}", act.says())
    })
}

/// What is said of an exception of which something is not shown: a title, and what that means.
pub fn hidden(hidden: &[Act]) -> Option<(&'static str, &'static str)> {
    match (hidden.contains(&Act::ViewArguments), hidden.contains(&Act::ViewRecord)) {
        (true, true) => Some((
            "What it is called with and what happened to it are not shown to you.",
            "You see that it was asked for, by whom, and how it stands. Nobody decides on what they may not see.",
        )),
        (true, false) => Some((
            "What it is called with is not shown to you.",
            "You see that it was asked for, by whom, how it stands and what happened, without anybody's words. Nobody \
             decides on what they may not see.",
        )),
        (false, true) => Some(("What happened to it is not shown to you.", "Its history is for others to read.")),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_may_not_do_is_told_with_its_remedy() {
        let may = [Act::View, Act::Vote];
        assert_eq!(why_not(&may, Act::Vote), None);
        let told = why_not(&may, Act::Investigate).unwrap();
        assert!(told.starts_with("The bundle does not let you look after findings here. Let somebody"), "{told}");
        assert!(told.ends_with('.'), "{told}");
        for act in Act::ALL {
            assert_eq!(why_not(&may, act).is_none(), may.contains(&act), "{act:?}");
        }
    }

    #[test]
    fn what_is_hidden_is_said_and_nothing_else() {
        assert_eq!(hidden(&[]), None);
        assert!(hidden(&[Act::ViewArguments]).unwrap().0.contains("called with"));
        assert!(hidden(&[Act::ViewRecord]).unwrap().0.contains("happened"));
        assert!(hidden(&[Act::ViewArguments, Act::ViewRecord]).unwrap().0.contains("and what happened"));
    }
}

//! What stays where it is while somebody looks or is about to press: nothing moves under the hand.

use proviso_api::exceptions::ExceptionLine;

/// A line as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The exception.
    pub line: ExceptionLine,
    /// It belongs here no more, and goes as soon as nobody holds the list.
    pub gone: bool,
}

/// The rows of a list, and how many new ones are kept back. `shown` are the ids that are drawn now; `fresh` what the view
/// holds by now; `known` finds a line that the view holds no more. While the list is held its rows keep their places:
/// what they say follows, what has gone is marked, what is new waits.
pub fn arrange(
    shown: &[String],
    fresh: Vec<ExceptionLine>,
    known: impl Fn(&str) -> Option<ExceptionLine>,
    held: bool,
) -> (Vec<Row>, usize) {
    if !held || shown.is_empty() {
        return (fresh.into_iter().map(|line| Row { line, gone: false }).collect(), 0);
    }
    let new = fresh.iter().filter(|line| !shown.contains(&line.id)).count();
    let rows = shown.iter().filter_map(|id| match fresh.iter().find(|line| line.id == *id) {
        Some(line) => Some(Row { line: line.clone(), gone: false }),
        None => known(id).map(|line| Row { line, gone: true }),
    });
    (rows.collect(), new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::samples::line;

    fn told(rows: &[Row]) -> Vec<(&str, bool)> {
        rows.iter().map(|row| (row.line.id.as_str(), row.gone)).collect()
    }

    #[test]
    fn while_a_list_is_held_its_rows_keep_their_places() {
        let fresh = || vec![line("new", "requested", true), line("b", "requested", true), line("a", "requested", true)];
        let known = |id: &str| (id == "gone").then(|| line("gone", "granted", false));
        let shown = ["a", "gone", "b", "erased"].map(str::to_owned);
        let (rows, new) = arrange(&shown, fresh(), known, true);
        assert_eq!(told(&rows), [("a", false), ("gone", true), ("b", false)]);
        assert_eq!(new, 1);
        let (rows, new) = arrange(&shown, fresh(), known, false);
        assert_eq!((told(&rows).len(), new), (3, 0));
        assert_eq!(told(&rows)[0], ("new", false));
    }

    #[test]
    fn an_empty_list_holds_nothing_back() {
        let (rows, new) = arrange(&[], vec![line("a", "requested", true)], |_| None, true);
        assert_eq!((rows.len(), new), (1, 0));
    }
}

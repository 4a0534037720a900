//! Lists that are longer than a page: what somebody may not see is taken out first, and what is left is cut.

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use serde::Serialize;

use super::App;
use super::page;
use super::refusal::Refusal;

/// How many lines a page has at most, and when nobody says.
pub(super) const MOST_LINES: usize = 500;
/// Of how many it is looked at for one page whether somebody may see them; the next page goes on behind these.
const MOST_LOOKED_AT: usize = 10_000;
/// In how many steps: each is a question to the module, and a page with room for one line takes one line a step.
const MOST_STEPS: usize = 64;

/// Where something stands in a list: by a number, and by its id where that is the same. What comes first is smaller.
pub(super) type Place = (i64, String);

/// Which page is asked for.
#[derive(Debug, Clone, Default)]
pub struct PageWanted {
    /// How many lines it has at most; absent: as many as a page can have.
    pub limit: Option<u32>,
    /// The token that the page before gave.
    pub token: Option<String>,
}

/// A walk along a list, until a page is full.
pub(super) struct Walk<T> {
    all: std::vec::IntoIter<(Place, T)>,
    query: Digest,
    limit: usize,
    seen: usize,
    looked: usize,
    steps: usize,
    last: Option<Place>,
}

impl<T> Walk<T> {
    /// Some more to look at: never more than there is room for on the page.
    pub fn some(&mut self) -> Option<Vec<T>> {
        let room = self.limit.saturating_sub(self.seen);
        if room == 0 || self.looked >= MOST_LOOKED_AT || self.steps >= MOST_STEPS {
            return None;
        }
        let some: Vec<(Place, T)> = self.all.by_ref().take(room).collect();
        let (place, _) = some.last()?;
        self.last = Some(place.clone());
        self.looked = self.looked.saturating_add(some.len());
        self.steps = self.steps.saturating_add(1);
        Some(some.into_iter().map(|(_, item)| item).collect())
    }

    /// So many of them stand on the page.
    pub const fn saw(&mut self, count: usize) {
        self.seen = self.seen.saturating_add(count);
    }
}

impl App {
    /// A walk along `all`, sorted by its places, from where a page begins. `asked` is all that the next page must be asked
    /// for in the same way.
    ///
    /// # Errors
    /// `bad_request` for a limit of 0; `bad_page_token`.
    pub(super) fn walk<T>(
        &self,
        mut all: Vec<(Place, T)>,
        wanted: &PageWanted,
        person: &EntityRef,
        asked: &impl Serialize,
    ) -> Result<Walk<T>, Refusal> {
        let limit = match wanted.limit {
            None => MOST_LINES,
            Some(0) => return Err(Refusal::bad("bad_request", "`limit` is a whole number from 1")),
            Some(limit) => usize::try_from(limit).map_or(MOST_LINES, |limit| limit.min(MOST_LINES)),
        };
        let query = Digest::of(&super::append::canonical(&(person, asked))?);
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let Some(token) = &wanted.token {
            let after = page::after(self.keys(), query, token)?;
            let (number, id) = after.split_once('/').unwrap_or_default();
            let after: Place = (number.parse().unwrap_or(i64::MIN), id.to_owned());
            all.retain(|(place, _)| *place > after);
        }
        Ok(Walk { all: all.into_iter(), query, limit, seen: 0, looked: 0, steps: 0, last: None })
    }

    /// The token of the page behind this walk's; nothing where the list ends.
    pub(super) fn next_page<T>(&self, mut walk: Walk<T>) -> Result<Option<String>, Refusal> {
        match (walk.last.take(), walk.all.next()) {
            (Some((number, id)), Some(_)) => page::token(self.keys(), walk.query, &format!("{number}/{id}")).map(Some),
            _ => Ok(None),
        }
    }
}

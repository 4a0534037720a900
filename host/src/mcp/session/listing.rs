//! The upstream's list of tools: the client's own reading of it, and the proxy's.

use serde_json::{Map, Value, json};

use super::call::Stage;
use super::{Action, End, Listing, Session, Waiting};
use crate::mcp::catalog::{self, BadList};
use crate::mcp::message::Response;
use crate::mcp::sentences::Failure;
use crate::mcp::{era, own_tools, reply};

/// How long the upstream may take to list its tools, in milliseconds.
const PATIENCE: u64 = 20_000;

/// The most pages of a list that are read.
const MOST_PAGES: usize = 100;

impl Session {
    /// INVARIANT (R3): where the upstream may change a tool without a word, its list is read again after a while.
    pub(super) fn doubt_old_list(&mut self, now: u64) {
        if let Some(good_for) = self.config.list_good_for
            && now >= self.listed_at.saturating_add(good_for)
        {
            self.catalog.stale();
        }
    }

    /// Reads the list, where nobody does so yet.
    pub(super) fn want_list(&mut self, params: &Map<String, Value>) {
        if self.listing.is_none() {
            let listing = Listing { tools: Vec::new(), pages: 0, meta: era::carried_meta(params) };
            self.read_page(listing, None);
        }
    }

    fn read_page(&mut self, listing: Listing, cursor: Option<String>) {
        let id = self.own_id();
        let mut params = Map::new();
        if let Some(cursor) = cursor {
            params.insert("cursor".to_owned(), cursor.into());
        }
        if let Some(meta) = &listing.meta {
            params.insert("_meta".to_owned(), meta.clone());
        }
        let message = json!({"jsonrpc": "2.0", "id": id, "method": "tools/list", "params": params});
        let key = Value::String(id).to_string();
        self.listing = Some((key.clone(), listing));
        self.out.push(Action::ToUpstream(reply::line(&message)));
        let ticket = self.ticket(Waiting::Listing(key));
        self.out.push(Action::After(ticket, PATIENCE));
    }

    /// The upstream answers the proxy's own reading.
    pub(super) fn listed(&mut self, response: &Response, now: u64) {
        let Some((_, mut listing)) = self.listing.take() else { return };
        let Ok(result) = &response.outcome else {
            // A server without tools: the gate judges the call without a definition.
            self.listed_at = now;
            self.catalog.replace(Vec::new());
            return self.release(now);
        };
        let page = match catalog::page(result) {
            Ok(page) => page,
            Err(bad) => return self.refuse_list(&bad),
        };
        listing.tools.extend(page.tools);
        listing.pages += 1;
        if let Some(cursor) = page.next {
            if listing.pages >= MOST_PAGES {
                return self.refuse_list(&BadList::Unreadable);
            }
            return self.read_page(listing, Some(cursor));
        }
        let mut names: Vec<&String> = listing.tools.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| matches!(pair, [first, second] if first == second)) {
            return self.refuse_list(&BadList::SameName);
        }
        self.listed_at = now;
        let changed = self.catalog.replace(listing.tools);
        self.tell_changed(&changed);
        self.release(now);
    }

    /// Lets everything go on that waited for the list.
    pub(super) fn release(&mut self, now: u64) {
        let waiting: Vec<String> =
            self.calls.iter().filter(|(_, call)| call.stage == Stage::Listing).map(|(key, _)| key.clone()).collect();
        for key in waiting {
            self.judge(&key, now);
        }
        self.release_errands();
    }

    pub(super) fn listing_elapsed(&mut self, id: &str) {
        if self.listing.as_ref().is_none_or(|(current, _)| current != id) {
            return;
        }
        self.listing = None;
        let waiting: Vec<String> =
            self.calls.iter().filter(|(_, call)| call.stage == Stage::Listing).map(|(key, _)| key.clone()).collect();
        for key in waiting {
            self.fail(&key, &Failure::NoToolList);
        }
        self.fail_waiting_errands();
    }

    /// The upstream answers the client's `tools/list`: ours are added to its first page.
    ///
    /// # Errors
    /// When the list ends the session.
    pub(super) fn client_listing(&mut self, result: &mut Value, first: bool, now: u64) -> Result<(), BadList> {
        let page = catalog::page(result)?;
        if first && page.next.is_none() {
            self.listed_at = now;
        }
        let changed = self.catalog.learn(&page, first);
        self.tell_changed(&changed);
        if first && let Some(Value::Array(tools)) = result.get_mut("tools") {
            tools.extend(own_tools::definitions());
        }
        Ok(())
    }

    /// A list that cannot be: an upstream that stands where the model looks for us is not talked to any more.
    pub(super) fn refuse_list(&mut self, bad: &BadList) {
        self.note(format!("the session ends: {bad} ({})", bad.code()));
        self.end(End::BadToolList);
    }

    fn tell_changed(&mut self, changed: &[String]) {
        for tool in changed {
            let tool = policy_core::text::visible(tool, 128);
            self.note(format!("the definition of the tool `{tool}` has changed: grants for it are void"));
        }
    }
}

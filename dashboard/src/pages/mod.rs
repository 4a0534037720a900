//! The pages. They hold state in signals, call `api`, and draw what `view_model` says.

mod acts;
mod agents;
mod command_line;
mod decision;
mod design;
mod epoch;
mod export;
mod findings;
mod help;
mod judge;
mod locks;
mod log;
mod not_found;
mod ownership;
mod palette;
mod part;
mod passkeys;
mod people;
mod pictures;
mod policies;
mod queue;
mod receipt;
mod record;
mod retention;
mod reviews;
mod shell;
mod sign_in;
mod stay;
mod what_if;
mod you;

pub use not_found::NotFound;
pub use part::{Page, decision, fetch_all, later, sign_in};
pub use queue::Queue;
pub use shell::Shell;

use leptos::prelude::*;

/// Sets the document's title. A browser marks nothing in it: odd characters are written out.
fn set_title(title: &str) {
    document().set_title(&format!("{} · Proviso", policy_core::text::visible(title, 200)));
}

/// Moves the focus to the element with this id, when it is there.
pub fn focus(id: &str) {
    use wasm_bindgen::JsCast;
    if let Some(element) = document().get_element_by_id(id).and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
        // An element that cannot take the focus keeps it where it is.
        drop(element.focus());
    }
}

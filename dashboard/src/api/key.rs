//! The session's key. The browser keeps it for this origin alone, port and all, while it sends the cookie to every port of
//! the host: whoever has only the cookie is not this page.

use leptos::prelude::window;

/// The header that carries it.
pub const HEADER: &str = "Proviso-Session-Key";

const STORED_AS: &str = "proviso-session-key";

/// The key from the last sign-in in this browser.
pub fn held() -> Option<String> {
    window().local_storage().ok()??.get_item(STORED_AS).ok()?
}

/// Keeps a new session's key, or forgets the old one's.
pub fn hold(key: Option<&str>) {
    let Ok(Some(storage)) = window().local_storage() else { return };
    // Without storage nobody stays signed in: the gate refuses the next request, and the page asks to sign in.
    drop(match key {
        Some(key) => storage.set_item(STORED_AS, key),
        None => storage.remove_item(STORED_AS),
    });
}

//! The HTTP contract, as a snapshot: a change of it is seen in review.

use std::path::Path;

#[test]
fn the_openapi_document_is_as_it_was_reviewed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let mut now = serde_json::to_string_pretty(&proviso::http::openapi::document()).unwrap();
    now.push('\n');
    if std::env::var_os("PROVISO_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(reviewed == now, "tests/openapi.json is stale: read the change, then run this test with PROVISO_BLESS=1");
}

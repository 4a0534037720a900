//! A bundle's digest: of policies and of entities, under one.

use std::collections::BTreeMap;

use policy_core::digest::Digest;
use policy_core::json::CanonicalError;
use serde::Serialize;

/// The entities' file.
pub const ENTITIES: &str = "entities.json";

/// The three digests of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Digests {
    /// Of everything: what questions and records name.
    pub bundle: Digest,
    /// Of every file but `entities.json`: the canonical JSON of `{path: SHA-256}`.
    pub policy: Digest,
    /// Of `entities.json`, in the same form.
    pub entities: Digest,
}

/// The digests of these files.
///
/// # Errors
/// Never for files whose paths are text.
pub fn digests(files: &BTreeMap<String, String>) -> Result<Digests, CanonicalError> {
    let part = |wanted: bool| {
        let part = files.iter().filter(|(path, _)| (path.as_str() == ENTITIES) == wanted);
        let part: BTreeMap<&str, Digest> =
            part.map(|(path, text)| (path.as_str(), Digest::of(text.as_bytes()))).collect();
        Digest::of_json(&part)
    };
    let (policy, entities) = (part(false)?, part(true)?);
    let bundle = Digest::of_json(&BTreeMap::from([("entities", entities), ("policy", policy)]))?;
    Ok(Digests { bundle, policy, entities })
}

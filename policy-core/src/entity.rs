//! Who and what: entity references, as in AuthZEN and Cedar.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// An entity's type and id: AuthZEN's `{type, id}`, Cedar's `TYPE::"id"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntityRef {
    /// The entity type, `Agent` or `Acme::Agent`.
    #[serde(rename = "type")]
    pub kind: SmolStr,
    /// The id within the type. Text from outside: quote it, never paste it into policy text.
    pub id: SmolStr,
}

impl EntityRef {
    /// The entity of this type with this id.
    pub fn new(kind: impl Into<SmolStr>, id: impl Into<SmolStr>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

/// `TYPE::id`, the form in which chains and the command line name entities.
impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.kind, self.id)
    }
}

/// One verified hop of the chain on whose behalf a subject acts. Inner hops narrow and exclude; they never add
/// authority.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hop {
    /// Who the hop is.
    #[serde(flatten)]
    pub entity: EntityRef,
    /// Who vouched for the hop: the issuer of the credential that named it.
    pub issuer: SmolStr,
}

//! OpenID AuthZEN Authorization API 1.0: `POST /access/v1/search/{subject,resource,action}`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::authzen::{Action, Entity};

/// What is searched for: a type. An `id` is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Who may do this to that?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectSearch {
    /// What is searched for.
    pub subject: Wanted,
    /// What.
    pub action: Action,
    /// On what.
    pub resource: Entity,
    /// The rest, as in an evaluation.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// On what may this subject do that?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceSearch {
    /// Who acts.
    pub subject: Entity,
    /// What.
    pub action: Action,
    /// What is searched for.
    pub resource: Wanted,
    /// The rest, as in an evaluation.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// What may this subject do to that?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionSearch {
    /// Who acts.
    pub subject: Entity,
    /// On what.
    pub resource: Entity,
    /// The rest, as in an evaluation.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
    /// Which page.
    #[serde(default)]
    pub page: PageRequest,
}

/// Which page of the results.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    /// `next_token` of the page before; everything else must be as it was there. Empty or absent: the first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// How many results at most: 1 to 100, 50 when absent. More than 100 are 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchReply {
    /// Where the rest is.
    pub page: PageReply,
    /// What may, what may be acted on, or what may be done. Only of the type that was searched for, sorted.
    pub results: Vec<Found>,
}

/// Where the rest of the results is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageReply {
    /// Empty: there is no more. A page may be empty and have a next one.
    pub next_token: String,
    /// How many results this page has.
    pub count: u32,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Found {
    /// A subject or a resource.
    Entity {
        /// Its type.
        #[serde(rename = "type")]
        kind: String,
        /// Its id.
        id: String,
    },
    /// An action.
    Action {
        /// Its name.
        name: String,
    },
}

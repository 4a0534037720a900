//! Values tagged with their Cedar type: the only form in which data crosses the module's boundary.

use serde::{Deserialize, Serialize};

use crate::entity::EntityRef;
use crate::record::Record;

/// A value with its Cedar type, in JSON one member: `{"long": 3}`, `{"set": [{"string": "a"}]}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A Cedar `Bool`.
    Bool(bool),
    /// A Cedar `Long`.
    Long(i64),
    /// A Cedar `String`.
    String(String),
    /// An entity reference.
    Entity(EntityRef),
    /// A Cedar `Set`. It forgets order and repeats; exact arguments are therefore compared by digest.
    Set(Vec<Value>),
    /// A Cedar record.
    Record(Record),
    /// A `datetime`, as Cedar writes it: `2026-11-22T16:00:00.000Z`.
    Datetime(String),
    /// A `duration`, as Cedar writes it: `1h30m`.
    Duration(String),
    /// A `decimal` with one to four digits behind the point.
    Decimal(String),
    /// An `ipaddr`.
    Ipaddr(String),
}

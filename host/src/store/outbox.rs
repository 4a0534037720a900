//! What is to be sent to people: rows that stand beside the log, written with the event that they tell of.
//!
//! INVARIANT (R9): nothing here has authority. A row brings an event to somebody's notice, and is sent only under a code
//! whose key lies outside the database; what is believed is folded from the log alone.

use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::types::StoreError;

/// How something is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A signed HTTP request to a configured address.
    Webhook,
    /// A mail to a configured person or group.
    Email,
}

impl Channel {
    /// The word, as rows hold it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }

    /// The channel of a word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Webhook, Self::Email].into_iter().find(|channel| channel.word() == word)
    }
}

/// What a record asks to be sent, once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// How.
    pub channel: Channel,
    /// To whom, by the name in the configuration: addresses and secrets never stand in a row.
    pub target: String,
    /// What is told: a message of the app's, as JSON.
    pub message: Vec<u8>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be tried, or to be tried again.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// Given up. A person may have it tried again.
    Dead,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// The word, as rows and the API hold it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The state of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// One row of the outbox, whose code was found right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The same for every attempt: what a receiver tells repeats by.
    pub id: String,
    /// The ledger record that asked for it.
    pub seq: u64,
    /// How.
    pub channel: Channel,
    /// To whom, by the name in the configuration.
    pub target: String,
    /// What is told.
    pub message: Vec<u8>,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    pub due: Timestamp,
    /// When its record was made.
    pub at: Timestamp,
    /// What became of the last attempt, where that failed.
    pub error: Option<String>,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver took it.
    Delivered,
    /// It did not, and is asked again.
    Again {
        /// When.
        due: Timestamp,
        /// Why it failed.
        error: String,
    },
    /// Nobody asks again by themselves.
    Dead {
        /// Why it failed.
        error: String,
    },
}

/// The rows beside the log. Calls block for as long as a disk takes.
pub trait Outbox: Send + Sync + 'static {
    /// The delivery that has been due the longest for each target, oldest first.
    ///
    /// # Errors
    /// When the database cannot be used.
    fn due(&self, now: Timestamp) -> Result<Vec<Delivery>, StoreError>;

    /// When the next one that waits is due.
    ///
    /// # Errors
    /// When the database cannot be used.
    fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Writes down what became of an attempt.
    ///
    /// # Errors
    /// When the database cannot be used. The delivery is tried again then: at least once, never at most.
    fn attempted(&self, id: &str, attempt: &Attempt) -> Result<(), StoreError>;

    /// The newest deliveries in a state.
    ///
    /// # Errors
    /// When the database cannot be used.
    fn list(&self, state: DeliveryState, most: usize) -> Result<Vec<Delivery>, StoreError>;

    /// Has a dead one tried again, from the first attempt on. Whether there is such a one.
    ///
    /// # Errors
    /// When the database cannot be used.
    fn retry(&self, id: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Gives up what waits and was asked for by a record before this one, for this reason; but not what a person had tried
    /// again that was given up for it. How many these are.
    ///
    /// # Errors
    /// When the database cannot be used.
    fn give_up_before(&self, seq: u64, why: &str) -> Result<usize, StoreError>;

    /// Forgets what is over and was made before an instant. The log keeps what was told to whom.
    ///
    /// # Errors
    /// When the database cannot be used.
    fn forget(&self, before: Timestamp) -> Result<(), StoreError>;
}

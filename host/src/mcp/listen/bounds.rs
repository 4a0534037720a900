//! What one proxy bears. Whoever wants more waits, or hears that there is no room.

use std::time::Duration;

/// Conversations at once, of all callers.
pub const MOST_CONVERSATIONS: usize = 1_000;
/// Conversations at once of one agent, in whatever tasks.
pub const MOST_OF_SUBJECT: usize = 64;
/// Bytes that one agent has not read, on all its streams, with what is kept of them: whoever has more gets no other answer,
/// and messages are dropped.
pub const MOST_UNREAD: usize = 64 * 1024 * 1024;
/// Sessions at once of one caller.
pub const MOST_SESSIONS_OF_ONE: usize = 32;
/// Requests under way in one conversation.
pub const MOST_REQUESTS: usize = 64;
/// Requests and streams of one caller in all of them: others have room whatever one does.
pub const MOST_OF_ONE: usize = 128;
/// Bytes that are kept of what one session's streams said, for whoever takes one up again.
pub const MOST_KEPT: usize = 1024 * 1024;
/// Bytes up to which of one agent's sessions anything is kept, with what it has not read: the other half is for that alone.
pub const MOST_HELD: usize = MOST_UNREAD / 2;
/// What an event counts there besides its own bytes.
pub const EVENT: usize = 256;
/// After how many milliseconds a client that was cut off may come back, where the upstream does not say.
pub const RETRY: u64 = 1_000;
/// Bytes of messages, answers apart, that wait on a stream for a client that does not read.
pub const MOST_QUEUED: usize = 4 * 1024 * 1024;
/// What happens to a conversation and was not handled yet.
pub const QUEUE: usize = 64;
/// Headers of one request.
pub const MOST_HEADERS: usize = 64;
/// Looks at callers' credentials at once, and callers that wait for theirs.
pub const MOST_LOOKS: usize = 32;
pub const MOST_LOOKED_FOR: usize = 256;

/// How long a conversation stays that nobody uses: longer than an exchange waits for its answers.
pub const IDLE: Duration = Duration::from_secs(30 * 60);
/// How long a request's body may take to arrive.
pub const BODY: Duration = Duration::from_secs(15);
/// How long an upstream may take to take a message that no allow bounds.
pub const WRITE: Duration = Duration::from_secs(10);
/// How long an upstream may take to answer, and the stream of that answer may last.
pub const LONGEST: Duration = Duration::from_secs(10 * 60);
/// After how long of silence a client hears that there is somebody.
pub const SILENCE: Duration = Duration::from_secs(10);
/// How long a caller is known without asking the gate again, and how often a stream that stays open is looked at.
///
/// INVARIANT (R7): no longer than an allow is good for. What runs is judged by the gate each time whatever this says.
pub const KNOWN: Duration = Duration::from_secs(5);
/// How long an upstream's list of tools is believed, where it cannot be counted on to say that it has changed.
pub const LIST: Duration = Duration::from_secs(30);

//! Waiting for what happens in another task, thread or process: the one place where a test may sleep.
//!
//! The host's own tests read this very file, too.

use std::time::Duration;

/// How often it is looked, and for how long in all: a minute, far beyond what anything here takes.
const PAUSE: Duration = Duration::from_millis(10);
const LOOKS: u32 = 6_000;

/// Waits until something is so: looks again and again, and fails the test where it is not so in a minute.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let mut looks = 0;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        looks += 1;
        assert!(looks < LOOKS, "in a minute not: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

//! Randomness, as an argument: the only file that draws from the system.

use std::io;

/// A source of unguessable bytes.
pub trait Random: Send + Sync + 'static {
    /// Fills the buffer.
    ///
    /// # Errors
    /// When the system has none to give.
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()>;
}

/// The system's source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where random bytes are drawn")]
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string()))
    }
}

/// 32 unguessable bytes.
///
/// # Errors
/// When the source has none to give.
pub fn key(random: &dyn Random) -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes)?;
    Ok(bytes)
}

/// An unguessable id of 128 bits: the prefix, an underscore and 32 hexadecimal digits.
///
/// # Errors
/// When the source has none to give.
pub fn id(random: &dyn Random, prefix: &str) -> io::Result<String> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{prefix}_{hex}"))
}

//! Why the proxy does not stand before a server: told once, before any message passes.

use thiserror::Error;

use super::options::OptionsError;

/// Why the proxy did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// What it was started with.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// No random bytes, no TLS or no pipes.
    #[error("the system gives no random bytes, no TLS or no pipes")]
    System,
    /// The server's command.
    #[error("the server cannot be started: {0}")]
    Server(std::io::Error),
}

impl StartError {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Options(error) => error.code(),
            Self::System => "system_unavailable",
            Self::Server(_) => "server_unavailable",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Options(error) => error.help(),
            Self::System => "look at the limits of open files and at the system's certificates".to_owned(),
            Self::Server(_) => "check the command behind `--`, and whether this user may run it".to_owned(),
        }
    }
}

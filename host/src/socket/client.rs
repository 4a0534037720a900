//! The operator's end.

use std::path::{Path, PathBuf};

use policy_core::json::{self, Limits};
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::{Reply, Request};

/// Why the gate did not answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody listens, or this user may not ask.
    #[error("no gate answers at `{path}`: {source}")]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What came back is not an answer.
    #[error("the gate's answer cannot be read: {0}")]
    Unreadable(String),
}

/// Asks the gate that holds this data folder.
///
/// # Errors
/// When it is not running, or not to be reached by this operating-system user.
pub async fn ask(data: &Path, request: &Request) -> Result<Reply, ClientError> {
    let path = super::path(data);
    let unreachable = |source| ClientError::Unreachable { path: path.clone(), source };
    let mut line = json::to_canonical_bytes(request).map_err(|error| ClientError::Unreadable(error.to_string()))?;
    line.push(b'\n');
    let mut stream = UnixStream::connect(&path).await.map_err(unreachable)?;
    stream.write_all(&line).await.map_err(unreachable)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(unreachable)?;
    json::read_as(&answer, Limits::DEFAULT).map_err(|error| ClientError::Unreadable(error.to_string()))
}

//! What is wrong with a bundle: where, what and what to do about it.

use serde::Serialize;
use thiserror::Error;

/// One thing that is wrong with a bundle. A bundle with any of these does not load.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error, Serialize)]
#[error("{file}:{line}: {message}")]
pub struct BundleError {
    /// The file, by its path in the bundle with `/`.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// A stable snake_case code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl BundleError {
    /// An error on a line of a file.
    pub(crate) fn new(
        file: &str,
        line: u32,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { file: file.to_owned(), line, code, message: message.into(), help: help.into() }
    }
}

/// The line, from 1, that a byte offset lies on.
pub(crate) fn line_of(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().get(..offset.min(text.len())).unwrap_or_default();
    u32::try_from(before.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX).saturating_add(1)
}

/// The line, from 1, on which a text first occurs; 1 when it does not.
pub(crate) fn line_with(text: &str, wanted: &str) -> u32 {
    text.find(wanted).map_or(1, |offset| line_of(text, offset))
}

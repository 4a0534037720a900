//! What can go wrong between a JavaScript host and the module.

use js_sys::wasm_bindgen::{JsCast, JsValue};
use policy_core::abi::AbiError;
use policy_core::digest::Digest;
use thiserror::Error;

/// Why an engine was not made, or did not answer. None of these is an outcome: whoever sees one has no answer (R8).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineError {
    /// The bytes are not those that were asked for.
    #[error("the module's digest is `{actual}`, not the expected `{expected}`")]
    DigestMismatch {
        /// What was asked for.
        expected: Digest,
        /// What the bytes have.
        actual: Digest,
    },
    /// The runtime does not compile or start the bytes.
    #[error("the bytes are not a module that this runtime can start: {0}")]
    NotAModule(String),
    /// The module wants something from outside.
    #[error("the module has {0} imports, and a policy module has none")]
    HasImports(u32),
    /// The module lacks a part of the boundary.
    #[error("the module does not export `{0}` as the boundary says")]
    MissingExport(&'static str),
    /// The module speaks another version of the boundary.
    #[error("the module speaks version {0} of the boundary, and this glue speaks version {expected}", expected = policy_core::abi::ABI_VERSION)]
    UnknownVersion(i32),
    /// The input is not what the operation takes.
    #[error("the input is not what the operation takes: {0}")]
    BadInput(String),
    /// The module trapped or gave up. Its instance was dropped.
    #[error("the module stopped: {0}")]
    Trapped(String),
    /// The instance was dropped after an earlier failure.
    #[error("the module's instance was dropped after an earlier failure")]
    Dropped,
    /// The module answered, but not as the boundary says. Its instance was dropped.
    #[error("the module's answer is not what the boundary says: {0}")]
    BadAnswer(String),
    /// The module answered with an error of its own.
    #[error("{}", .0.message)]
    Refused(AbiError),
}

impl EngineError {
    /// A stable code in snake_case; for [`EngineError::Refused`] the module's own.
    pub fn code(&self) -> &str {
        match self {
            Self::DigestMismatch { .. } => "digest_mismatch",
            Self::NotAModule(_) => "not_a_module",
            Self::HasImports(_) => "has_imports",
            Self::MissingExport(_) => "missing_export",
            Self::UnknownVersion(_) => "unknown_version",
            Self::BadInput(_) => "bad_input",
            Self::Trapped(_) => "trapped",
            Self::Dropped => "dropped",
            Self::BadAnswer(_) => "bad_answer",
            Self::Refused(refusal) => &refusal.code,
        }
    }
}

/// What a thrown value says.
pub(crate) fn thrown(value: &JsValue) -> String {
    value.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{value:?}"), |error| String::from(error.message()))
}

//! Why a token of another issuer is not believed. Each is a refusal of its own, so that an operator sees which check it
//! was; none says more than what whoever sent the token can read in it.

use thiserror::Error;

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// It is no compact JWS of JSON objects, or too long.
    #[error("the token cannot be read")]
    Malformed,
    /// Its header names a key or an extension that nobody here follows.
    #[error("the token's header brings a key or demands an extension")]
    Header,
    /// It is of no kind that its issuer is configured for.
    #[error("the token's `typ` is none that its issuer is configured for")]
    Type,
    /// Nobody configured who issued it.
    #[error("the token is of an issuer that this gate does not know")]
    Issuer,
    /// Its `alg` is not one of its issuer's.
    #[error("the token's `alg` is none that its issuer is configured for")]
    Algorithm,
    /// Its issuer has no such key.
    #[error("the token's key is none of its issuer's")]
    Key,
    /// The issuer's keys cannot be had.
    #[error("the keys of the token's issuer cannot be had, and those of before are too old")]
    KeysUnavailable,
    /// The signature is not that key's.
    #[error("the token's signature is wrong")]
    Signature,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// A claim that must be there is missing or has another type.
    #[error("the token lacks `{0}`, or it has another type")]
    Claim(&'static str),
    /// It is over.
    #[error("the token or certificate has expired")]
    Expired,
    /// It has not begun.
    #[error("the token or certificate is not valid yet")]
    NotYet,
    /// It lives longer than its issuer's tokens may.
    #[error("the token or certificate lives longer than its issuer's entry allows")]
    TooLong,
    /// Its subject is no SPIFFE ID of its trust domain.
    #[error("the token's subject is no SPIFFE ID of the issuer's trust domain")]
    TrustDomain,
    /// Somebody in its chain cannot be read, or is of an issuer that this one may not speak for.
    #[error("the token's `act` names somebody whom its issuer may not speak for")]
    Chain,
    /// It is bound to a key, and nobody showed that the key is theirs for this request; or it should be bound and is not.
    #[error(
        "the token and how it was shown do not fit: its issuer, or the token itself, demands proof of a key or a client's certificate"
    )]
    Binding,
    /// The client's certificate cannot be read.
    #[error("the client's certificate cannot be read")]
    CertificateForm,
    /// It names nobody, or several.
    #[error("the client's certificate does not name exactly one SPIFFE ID of a workload")]
    CertificateName,
    /// It is no leaf that signs.
    #[error("the client's certificate is an authority's, or its key usage is not that of an X.509-SVID")]
    CertificateUsage,
    /// No authority of its trust domain signed it.
    #[error("no authority of a trust domain that this gate knows signed the client's certificate")]
    CertificateUntrusted,
    /// There are more hops than a chain has.
    #[error("the token's `act` is nested too deeply")]
    Depth,
}

impl TokenFault {
    /// A stable snake_case code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "token_malformed",
            Self::Header => "token_header",
            Self::Type => "token_type",
            Self::Issuer => "token_issuer",
            Self::Algorithm => "token_algorithm",
            Self::Key => "token_key",
            Self::KeysUnavailable => "issuer_keys_unavailable",
            Self::Signature => "token_signature",
            Self::Audience => "token_audience",
            Self::Claim(_) => "token_claim",
            Self::Expired => "token_expired",
            Self::NotYet => "token_not_yet",
            Self::TooLong => "token_too_long",
            Self::TrustDomain => "token_trust_domain",
            Self::Chain => "token_chain",
            Self::Binding => "token_binding",
            Self::CertificateForm => "certificate_malformed",
            Self::CertificateName => "certificate_name",
            Self::CertificateUsage => "certificate_usage",
            Self::CertificateUntrusted => "certificate_untrusted",
            Self::Depth => "chain_too_long",
        }
    }
}

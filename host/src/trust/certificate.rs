//! Client certificates: what was shown in a handshake, and whether one is an X.509-SVID of a trust domain that the operator
//! named.
//!
//! A handshake shows that whoever is there has the certificate's key, and nothing else. Who that is, is judged here with
//! each request: so an end, a revocation and a rotated authority count within a connection, too.

use std::sync::Arc;
use std::time::Duration;

use policy_core::digest::Digest;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use super::Moment;
use super::config::Issuer;
use super::dpop::BoundTo;
use super::fault::TokenFault;
use super::spiffe;
use super::verify::{Identities, Party, VerifiedToken};

/// How far an authority's clock may be ahead of ours.
const SKEW: Span = Span::from_seconds(60);

/// The certificates that whoever is at the other end of a connection showed, and has the key of: the leaf's first.
#[derive(Debug, Clone)]
pub struct ClientCertificates(Arc<[CertificateDer<'static>]>);

impl ClientCertificates {
    /// What a handshake gave. Nothing where nothing was shown.
    pub fn of(certificates: Option<&[CertificateDer<'static>]>) -> Option<Self> {
        certificates.filter(|shown| !shown.is_empty()).map(|shown| Self(shown.into()))
    }

    fn leaf(&self) -> Option<(&CertificateDer<'static>, &[CertificateDer<'static>])> {
        self.0.split_first()
    }

    /// The thumbprint of the leaf, as `x5t#S256` has it (RFC 8705).
    pub fn thumbprint(&self) -> Option<String> {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        self.leaf().map(|(leaf, _)| URL_SAFE_NO_PAD.encode(Digest::of(leaf).as_bytes()))
    }
}

/// An authority of a trust domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    certificate: CertificateDer<'static>,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Authority {
    /// The authority that this is, where it may sign at all.
    pub fn read(der: Vec<u8>) -> Option<Self> {
        let (not_before, not_after) = {
            let parsed = whole(&der)?;
            let signs = parsed.basic_constraints().ok().flatten().is_some_and(|basic| basic.value.ca);
            signs.then(|| validity(&parsed))?
        };
        Some(Self { certificate: der.into(), not_before, not_after })
    }

    fn counts(&self, now: Timestamp) -> bool {
        self.not_before <= now && now < self.not_after
    }
}

/// What stands in a leaf.
struct Leaf {
    subject: String,
    not_before: Timestamp,
    not_after: Timestamp,
    /// By which key it is signed, as it says itself: for the record.
    signed_by: String,
}

impl Identities {
    /// Whether any of this needs a client's certificate, which only TLS of the gate's own can ask for.
    pub fn wants_certificates(&self) -> bool {
        self.issuers
            .iter()
            .any(|issuer| issuer.certificates.is_some() || issuer.bound == Some(super::config::Bound::Mtls))
    }

    /// Verifies the certificate of whoever is at the other end of the connection.
    ///
    /// # Errors
    /// The first check that fails.
    pub async fn verify_certificate(
        &self,
        shown: &ClientCertificates,
        moment: Moment,
    ) -> Result<VerifiedToken, TokenFault> {
        let (leaf, rest) = shown.leaf().ok_or(TokenFault::CertificateForm)?;
        let read = read_leaf(leaf)?;
        let issuer = self.issuer_of_certificate(&read.subject)?;
        let longest = issuer.certificates.ok_or(TokenFault::CertificateUntrusted)?;
        hold_times(&read, longest, moment.now)?;
        if !is_signed(issuer, leaf, rest, moment).await? && !sabotaged!("r4_certificate_of_anybody") {
            return Err(TokenFault::CertificateUntrusted);
        }
        let digest = Digest::of(leaf);
        Ok(VerifiedToken {
            issuer: issuer.name.clone(),
            key: read.signed_by,
            id: Some(digest.to_string()),
            digest,
            issued_at: read.not_before,
            expires_at: read.not_after,
            actor: Party { issuer: issuer.name.clone(), subject: read.subject },
            behind: Vec::new(),
            task: None,
            build: None,
            bound: shown.thumbprint().map(BoundTo::Certificate),
            unread: Vec::new(),
        })
    }

    /// INVARIANT (R4): the trust domain of the id decides which authorities count, and no other's do.
    fn issuer_of_certificate(&self, subject: &str) -> Result<&Issuer, TokenFault> {
        let domain = spiffe::trust_domain(subject).ok_or(TokenFault::CertificateName)?;
        let of =
            |issuer: &&Arc<Issuer>| issuer.certificates.is_some() && issuer.trust_domain.as_deref() == Some(domain);
        let issuer = self.issuers.iter().find(of).map(AsRef::as_ref);
        let any = || self.issuers.iter().find(|issuer| issuer.certificates.is_some()).map(AsRef::as_ref);
        issuer.or_else(|| any().filter(|_| sabotaged!("r4_any_trust_domain"))).ok_or(TokenFault::CertificateUntrusted)
    }
}

/// Whether the path leads to an authority of this trust domain as they are now, or as they are when they are looked at
/// again: authorities rotate.
async fn is_signed(
    issuer: &Issuer,
    leaf: &CertificateDer<'static>,
    rest: &[CertificateDer<'static>],
    moment: Moment,
) -> Result<bool, TokenFault> {
    let kept = issuer.keys.authorities(false, moment.boot).await?;
    if leads_to(&kept, leaf, rest, moment.now) {
        return Ok(true);
    }
    // The same ones are not asked twice: whoever shows what nobody signed makes no more work than once.
    let now = issuer.keys.authorities(true, moment.boot).await?;
    Ok(!Arc::ptr_eq(&kept, &now) && leads_to(&now, leaf, rest, moment.now))
}

/// Whether the path (RFC 5280) leads from the leaf to one of these. The library holds names, times, constraints, key usages
/// and the client's purpose where one is said.
fn leads_to(
    authorities: &[Authority],
    leaf: &CertificateDer<'static>,
    rest: &[CertificateDer<'static>],
    now: Timestamp,
) -> bool {
    let mut roots = RootCertStore::empty();
    for authority in authorities.iter().filter(|authority| authority.counts(now)) {
        // One that cannot be an anchor is none.
        let _ = roots.add(authority.certificate.clone());
    }
    if roots.is_empty() {
        return false;
    }
    let provider = Arc::new(ring::default_provider());
    let Ok(verifier) = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build() else {
        return false;
    };
    let Ok(millis) = u64::try_from(now.millis()) else { return false };
    let at = UnixTime::since_unix_epoch(Duration::from_millis(millis));
    verifier.verify_client_cert(leaf, rest, at).is_ok()
}

/// INVARIANT (R8): a leaf of the form that SPIFFE prescribes (X.509-SVID): one id, no authority, a key that signs.
fn read_leaf(leaf: &CertificateDer<'_>) -> Result<Leaf, TokenFault> {
    let parsed = whole(leaf).ok_or(TokenFault::CertificateForm)?;
    let names = parsed.subject_alternative_name().map_err(|_| TokenFault::CertificateForm)?;
    let names = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
    let mut uris = names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    let subject = match (uris.next(), uris.next()) {
        (Some(uri), None) => uri.to_owned(),
        _ => return Err(TokenFault::CertificateName),
    };
    let basic = parsed.basic_constraints().map_err(|_| TokenFault::CertificateForm)?;
    let usage = parsed.key_usage().map_err(|_| TokenFault::CertificateForm)?.ok_or(TokenFault::CertificateUsage)?;
    let signs = usage.critical && usage.value.digital_signature();
    let issues = usage.value.key_cert_sign() || usage.value.crl_sign() || basic.is_some_and(|basic| basic.value.ca);
    if (!signs || issues) && !sabotaged!("r8_certificate_usage") {
        return Err(TokenFault::CertificateUsage);
    }
    let (not_before, not_after) = validity(&parsed);
    Ok(Leaf { subject, not_before, not_after, signed_by: signed_by(&parsed) })
}

/// INVARIANT (R6, R8): a certificate has begun, has not ended, and does not live longer than its trust domain's may.
fn hold_times(leaf: &Leaf, longest: Span, now: Timestamp) -> Result<(), TokenFault> {
    if now >= leaf.not_after && !sabotaged!("r6_expired_token_believed") {
        return Err(TokenFault::Expired);
    }
    if leaf.not_before > now.plus(SKEW) {
        return Err(TokenFault::NotYet);
    }
    // Authorities set the beginning back a little, for clocks that are behind.
    if leaf.not_after > leaf.not_before.plus(longest).plus(SKEW) {
        return Err(TokenFault::TooLong);
    }
    Ok(())
}

/// A certificate, with nothing behind it.
fn whole(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, parsed) = x509_parser::parse_x509_certificate(der).ok()?;
    rest.is_empty().then_some(parsed)
}

/// From when until when: it is not good any more at that second.
fn validity(parsed: &X509Certificate<'_>) -> (Timestamp, Timestamp) {
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_millis(time.timestamp().saturating_mul(1_000));
    (at(parsed.validity.not_before), at(parsed.validity.not_after))
}

/// The id of the authority's key, or of its name where the certificate says none.
fn signed_by(parsed: &X509Certificate<'_>) -> String {
    use x509_parser::extensions::ParsedExtension;
    let said = parsed.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(authority) => authority.key_identifier.as_ref().map(|id| id.0.to_vec()),
        _ => None,
    });
    let digest = match said {
        Some(id) if id.len() <= 64 => return id.iter().map(|byte| format!("{byte:02x}")).collect(),
        Some(id) => Digest::of(&id),
        None => Digest::of(parsed.tbs_certificate.issuer.as_raw()),
    };
    digest.to_string()
}

//! The other end of a connection is asked for a certificate, and may have none. Here it shows that it has the key of what it
//! shows, and nothing more: who it is, is judged where identities are, with each request.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

/// How many certificates may come, the leaf with those that lead to its authority.
const MOST: usize = 8;
/// How many bytes they may have together.
const LONGEST: usize = 32 * 1024;

/// Takes whoever has the key of the certificate that they show.
#[derive(Debug)]
pub(super) struct KeyHolders {
    provider: Arc<CryptoProvider>,
}

impl KeyHolders {
    pub fn new(provider: Arc<CryptoProvider>) -> Self {
        Self { provider }
    }
}

impl ClientCertVerifier for KeyHolders {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None are named: authorities rotate while the gate runs, and workloads show what they have.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let bytes = intermediates.iter().chain([end_entity]).map(|one| one.len()).fold(0_usize, usize::saturating_add);
        // INVARIANT (R8): what is kept for a connection's life is bounded before anything of it is read.
        if intermediates.len() >= MOST || bytes > LONGEST {
            return Err(Error::InvalidCertificate(CertificateError::BadEncoding));
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

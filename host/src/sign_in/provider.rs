//! One provider: where a browser is sent, and what its answer is worth.

use std::borrow::Cow;
use std::sync::Arc;

use futures::future::BoxFuture;
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreJwsSigningAlgorithm};
use openidconnect::{
    AuthType, AuthenticationContextClass, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
};
use policy_core::sabotaged;
use policy_core::text;
use policy_core::time::Timestamp;
use reqwest::Url;

use super::http::Http;
use super::keeper::Keeper;
use super::logout;
use super::metadata::{Metadata, Relying, Tokens};
use super::verify::{Verifier, Wrong};
use crate::app::{Asked, Authenticated, IdentityProvider, LoggedOut, ProviderAnswer, ProviderFault};

/// A provider as the operator's file names it.
pub(super) struct Provider {
    pub(super) issuer: IssuerUrl,
    pub(super) client_id: ClientId,
    pub(super) client_secret: Option<ClientSecret>,
    pub(super) scopes: Vec<Scope>,
    pub(super) group_claim: Option<String>,
    pub(super) algorithms: Vec<CoreJwsSigningAlgorithm>,
    pub(super) http: Http,
    pub(super) keeper: Keeper,
}

impl Provider {
    async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, ProviderFault> {
        self.keeper.metadata(&self.http, now).await.ok_or(ProviderFault::Unavailable)
    }

    fn relying(&self, metadata: &Metadata) -> Relying {
        let secret = self.client_secret.clone();
        let client = Relying::from_provider_metadata(metadata.clone(), self.client_id.clone(), secret);
        // Where nothing is said, OpenID Connect means `client_secret_basic`.
        let methods = metadata.token_endpoint_auth_methods_supported();
        let basic = methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        client.set_auth_type(if basic { AuthType::BasicAuth } else { AuthType::RequestBody })
    }

    async fn authorize(&self, asked: &Asked, now: Timestamp) -> Result<String, ProviderFault> {
        let metadata = self.metadata(now).await?;
        let relying = self.relying(&metadata);
        let redirect = redirect(asked)?;
        let verifier = PkceCodeVerifier::new(asked.verifier.clone());
        let (state, nonce) = (asked.state.clone(), asked.nonce.clone());
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = relying
            .authorize_url(flow, move || CsrfToken::new(state), move || Nonce::new(nonce))
            .set_redirect_uri(Cow::Owned(redirect))
            .add_scopes(self.scopes.iter().cloned())
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if let Some(acr) = &asked.afresh {
            let values = acr.iter().cloned().map(AuthenticationContextClass::new);
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(std::time::Duration::ZERO);
            request = values.fold(request, |request, value| request.add_auth_context_value(value));
        }
        let (url, _, _) = request.url();
        // INVARIANT (R11): the page goes where the provider says, so that is an address of the web and nothing else.
        if self.http.permits(&url) { Ok(url.into()) } else { Err(ProviderFault::Unavailable) }
    }

    /// INVARIANT (R4): the answer comes from the provider that was asked (RFC 9207): another one that learnt of this
    /// sign-in cannot slip its own person's code in.
    fn hold_issuer(&self, metadata: &Metadata, iss: Option<&str>) -> Result<(), ProviderFault> {
        let told = metadata.additional_metadata().authorization_response_iss_parameter_supported;
        let right = match iss {
            Some(iss) => iss == self.issuer.as_str(),
            None => !told,
        };
        if right || sabotaged!("r4_answer_of_another_issuer") { Ok(()) } else { Err(ProviderFault::OtherIssuer) }
    }

    async fn redeem(
        &self,
        answer: ProviderAnswer,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Authenticated, ProviderFault> {
        let metadata = self.metadata(now).await?;
        self.hold_issuer(&metadata, answer.iss.as_deref())?;
        let code = answer.code.map_err(|error| ProviderFault::Refused(text::visible(&error, 80)))?;
        let relying = self.relying(&metadata);
        let tokens = self.exchange(&relying, code, asked).await?;
        let groups = self.group_claim.as_deref();
        let verifier = Verifier { algorithms: &self.algorithms, client: &self.client_id, asked, groups, now };
        match verifier.verify(&relying, &tokens) {
            Err(Wrong::Key) => {
                let rotated = self.keeper.rotated(&self.http, now).await;
                let metadata = rotated.ok_or(ProviderFault::BadToken(Wrong::Key.word()))?;
                verifier.verify(&self.relying(&metadata), &tokens)
            }
            verified => verified,
        }
        .map_err(|wrong| ProviderFault::BadToken(wrong.word()))
    }

    async fn logged_out(&self, token: String, now: Timestamp) -> Result<LoggedOut, ProviderFault> {
        let metadata = self.metadata(now).await?;
        let relying = self.relying(&metadata);
        let verified = match logout::verify(relying.id_token_verifier(), &self.algorithms, &token, now) {
            Err(Wrong::Key) => match self.keeper.rotated(&self.http, now).await {
                Some(metadata) => {
                    logout::verify(self.relying(&metadata).id_token_verifier(), &self.algorithms, &token, now)
                }
                None => Err(Wrong::Key),
            },
            verified => verified,
        };
        verified.map_err(|wrong| ProviderFault::BadToken(wrong.word()))
    }

    async fn exchange(&self, relying: &Relying, code: String, asked: &Asked) -> Result<Tokens, ProviderFault> {
        let request = relying.exchange_code(AuthorizationCode::new(code)).map_err(|_| ProviderFault::Unavailable)?;
        let request = request
            .set_pkce_verifier(PkceCodeVerifier::new(asked.verifier.clone()))
            .set_redirect_uri(Cow::Owned(redirect(asked)?));
        request.request_async(&self.http).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(said) => ProviderFault::Refused(text::visible(said.error().as_ref(), 80)),
            RequestTokenError::Request(error) => {
                tracing::warn!(issuer = %self.issuer.as_str(), error = %error, "a code could not be redeemed");
                ProviderFault::Unavailable
            }
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => ProviderFault::BadToken("form"),
        })
    }
}

fn redirect(asked: &Asked) -> Result<RedirectUrl, ProviderFault> {
    RedirectUrl::new(asked.redirect.clone()).map_err(|_| ProviderFault::Unavailable)
}

impl IdentityProvider for Provider {
    fn authorize<'a>(&'a self, asked: &'a Asked, now: Timestamp) -> BoxFuture<'a, Result<String, ProviderFault>> {
        Box::pin(Self::authorize(self, asked, now))
    }

    fn redeem<'a>(
        &'a self,
        answer: ProviderAnswer,
        asked: &'a Asked,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Authenticated, ProviderFault>> {
        Box::pin(Self::redeem(self, answer, asked, now))
    }

    fn logged_out(&self, token: String, now: Timestamp) -> BoxFuture<'_, Result<LoggedOut, ProviderFault>> {
        Box::pin(Self::logged_out(self, token, now))
    }

    fn end_session(&self, back: String, now: Timestamp) -> BoxFuture<'_, Option<String>> {
        Box::pin(async move {
            let metadata = self.metadata(now).await.ok()?;
            let mut url: Url = metadata.additional_metadata().end_session_endpoint.clone()?;
            url.query_pairs_mut()
                .append_pair("client_id", &self.client_id)
                .append_pair("post_logout_redirect_uri", &back);
            self.http.permits(&url).then(|| url.into())
        })
    }
}

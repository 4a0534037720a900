//! `/api/v1/sign-in`: by which providers people sign in, and the two ends of doing so.
//!
//! The provider sends the browser back to a page of the dashboard, which posts what it was sent back with from there: so the
//! cookies stay `SameSite=Strict`, and no address that signs somebody in can be followed from elsewhere.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use proviso_api::sign_in::{BeginSignIn, FinishSignIn, SignInBegun, SignInWays};

use crate::app::{Arrival, Whence};
use crate::http::body::{Body, Raw};
use crate::http::cookie;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// The longest logout token.
const LONGEST_TOKEN: usize = 16 * 1024;

/// The ways in besides links.
pub(in crate::http) async fn get(State(site): State<Site>) -> Json<SignInWays> {
    Json(site.app().sign_in_ways())
}

/// Begins: where the browser goes, and what binds the answer to it.
pub(in crate::http) async fn begin(
    State(site): State<Site>,
    headers: HeaderMap,
    Body(body): Body<BeginSignIn>,
) -> Result<impl IntoResponse, Refused> {
    let begun = site.app().begin_sign_in(&body).await?;
    // Tabs that were left lying make room.
    let mut cookies: Vec<String> = cookie::crowd(&site, &headers);
    cookies.push(cookie::hold_sign_in(&site, &begun.name, &begun.held));
    let cookies = cookies.into_iter().map(|line| (header::SET_COOKIE, line)).collect::<Vec<_>>();
    Ok((AppendHeaders(cookies), Json(SignInBegun { location: begun.location })))
}

/// Ends: the session, or why there is none. Either way the browser holds nothing of it any more.
pub(in crate::http) async fn end(
    State(site): State<Site>,
    headers: HeaderMap,
    Body(body): Body<FinishSignIn>,
) -> Response {
    let app = site.app().clone();
    let name: String = body.state.chars().take(cookie::SIGN_IN_NAME).collect();
    let arrival = Arrival { held: cookie::sign_in(&site, &headers, &name), whence: whence(&site, &headers) };
    let held = arrival.held.is_some();
    let done = finish(async move { app.finish_sign_in(body, arrival).await }).await;
    let forget = held.then(|| (header::SET_COOKIE, cookie::forget_sign_in(&site, &name)));
    match done {
        Ok((secret, finished)) => {
            let session = (header::SET_COOKIE, cookie::set(&site, &secret));
            (AppendHeaders(forget.into_iter().chain([session])), Json(finished)).into_response()
        }
        Err(refused) => (AppendHeaders(forget), refused).into_response(),
    }
}

/// A provider says that somebody signed out of it (OpenID Connect Back-Channel Logout 1.0). No browser sends this, and no
/// session comes with it: the token is all that counts.
pub(in crate::http) async fn logged_out(
    State(site): State<Site>,
    Path(provider): Path<String>,
    Raw { essence, bytes }: Raw,
) -> Result<StatusCode, Refused> {
    if essence != "application/x-www-form-urlencoded" {
        let detail = "a logout token comes as a form";
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    let token = logout_token(&bytes).ok_or_else(|| {
        Refused::new(StatusCode::BAD_REQUEST, "bad_logout_token", "the form holds no `logout_token`, or several")
    })?;
    let app = site.app().clone();
    // Anybody may send this: so the work that outlives whoever sent it is only ever a few at once.
    let turn = app.logout_turn().await?;
    finish(async move { app.logged_out(turn, &provider, token).await }).await?;
    Ok(StatusCode::OK)
}

/// The one token of the form. No letter of a token is ever encoded.
fn logout_token(form: &[u8]) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    let mut tokens = form.split('&').filter_map(|pair| pair.strip_prefix("logout_token="));
    let token = tokens.next().filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN)?;
    let plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    (plain && tokens.next().is_none()).then(|| token.to_owned())
}

/// Where somebody signs in from.
pub(in crate::http) fn whence(site: &Site, headers: &HeaderMap) -> Whence {
    let browser = headers.get(header::USER_AGENT).and_then(|text| text.to_str().ok()).map(str::to_owned);
    Whence { session: cookie::read(site, headers), browser }
}

//! `/api/v1/sign-in`: by which providers people sign in, and the two ends of doing so.
//!
//! The provider sends the browser back to a page of the dashboard, which posts what it was sent back with from there: so the
//! cookies stay `SameSite=Strict`, and no address that signs somebody in can be followed from elsewhere.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use proviso_api::sign_in::{BeginSignIn, FinishSignIn, SignInBegun, SignInWays};

use crate::app::{Arrival, Whence};
use crate::http::body::Body;
use crate::http::cookie;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

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

/// Where somebody signs in from.
pub(in crate::http) fn whence(site: &Site, headers: &HeaderMap) -> Whence {
    Whence { session: cookie::read(site, headers) }
}

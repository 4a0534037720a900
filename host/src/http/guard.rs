//! What every request passes first: the host it means, the origin it comes from, and its id.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::headers;
use super::problem::Refused;
use super::site::Site;

/// Refuses foreign hosts and origins, echoes `X-Request-ID`, and sets the headers that every answer has.
pub(super) async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    let id = request.headers().get("x-request-id").cloned();
    let is_page = !headers::is_data(request.uri().path());
    let mut response = match check(&site, &request) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    headers::apply(response.headers_mut(), is_page, site.dashboard().policy());
    if let Some(id) = id {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

fn check(site: &Site, request: &Request) -> Result<(), Refused> {
    let headers = request.headers();
    // A page that made its name point here (DNS rebinding) says so in `Host`.
    let host = match headers.get(header::HOST) {
        Some(host) if headers.get_all(header::HOST).iter().count() == 1 => host.to_str().ok(),
        Some(_) => None,
        None => request.uri().authority().map(|authority| authority.as_str()),
    };
    if !host.is_some_and(|host| site.knows_host(host)) {
        return Err(Refused::new(StatusCode::FORBIDDEN, "unknown_host", "this gate is not reached under that name")
            .help("use the public URL that the gate was started with"));
    }
    for origin in headers.get_all(header::ORIGIN) {
        if !origin.to_str().is_ok_and(|origin| site.knows_origin(origin)) {
            return Err(Refused::new(StatusCode::FORBIDDEN, "unknown_origin", "another site's page made this request"));
        }
    }
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if writes && !same_site(headers) {
        return Err(Refused::new(StatusCode::FORBIDDEN, "cross_site", "another site's page made this request"));
    }
    Ok(())
}

/// What a browser says of where a request comes from. Only browsers say anything.
fn same_site(headers: &HeaderMap) -> bool {
    let same = HeaderValue::from_static("same-origin");
    headers.get_all("sec-fetch-site").iter().all(|site| *site == same)
}

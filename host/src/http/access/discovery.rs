//! `GET /.well-known/authzen-configuration`.

use axum::Json;
use axum::extract::State;
use proviso_api::authzen::Configuration;

use crate::http::site::Site;

/// Where things are, and what is spoken besides.
pub(in crate::http) async fn get(State(site): State<Site>) -> Json<Configuration> {
    let url = site.public_url();
    Json(Configuration {
        policy_decision_point: url.to_owned(),
        access_evaluation_endpoint: format!("{url}/access/v1/evaluation"),
        access_request_endpoint: format!("{url}/access/v1/requests"),
        capabilities: vec!["urn:openid:authzen:capability:access-request".to_owned()],
    })
}

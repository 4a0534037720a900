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
        access_evaluations_endpoint: format!("{url}/access/v1/evaluations"),
        search_subject_endpoint: format!("{url}/access/v1/search/subject"),
        search_resource_endpoint: format!("{url}/access/v1/search/resource"),
        search_action_endpoint: format!("{url}/access/v1/search/action"),
        access_request_endpoint: format!("{url}/access/v1/requests"),
        jwks_uri: format!("{url}/access/v1/jwks"),
        capabilities: vec!["urn:openid:authzen:capability:access-request".to_owned()],
    })
}

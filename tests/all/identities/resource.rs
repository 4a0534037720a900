//! Tokens of other issuers that are shown to a proxy which is a resource of its own: they are for it, by the whole text, or
//! for nobody there.

use proviso_tests::Client;
use reqwest::Method;
use serde_json::json;

use super::{AUDIENCE, MESH, World, access_token};

const RESOURCE: &str = "https://mcp.acme.example/mcp";

#[tokio::test]
async fn a_token_is_for_the_resource_that_it_is_shown_to_or_for_nobody() {
    let world = World::begin().await;
    let proxy = world.gate.point_at(RESOURCE, "edge", &["files"]).await;
    let plain = world.gate.point("plain", &["files"]).await;
    let shown = async |point: &str, token: &str| {
        let request = world.gate.client.request(Method::GET, "/api/v1/whoami").bearer_auth(point);
        let answer = Client::send(request.header("proviso-subject-token", token)).await;
        (answer.status.as_u16(), answer.code(), answer.text.contains(RESOURCE))
    };
    let refused = || (401, "token_audience".to_owned(), false);
    for (audience, at_the_proxy, elsewhere) in [
        (json!(RESOURCE), true, false),
        (json!([RESOURCE, "https://else.example"]), true, false),
        (json!(AUDIENCE), false, true),
        (json!("https://mcp.acme.example/mcp/"), false, false),
        (json!("https://mcp.acme.example"), false, false),
        (json!("https://other.example/mcp"), false, false),
    ] {
        let mut svid = world.svid("report-writer", "close-q4");
        svid["aud"] = audience.clone();
        let mut access = world.access("report-writer", "close-q4", "5f0c1e", "t1");
        access["aud"] = audience.clone();
        for token in [MESH.sign(None, &svid), access_token(&access)] {
            let told = shown(&proxy, &token).await;
            assert_eq!(told, if at_the_proxy { (200, String::new(), true) } else { refused() }, "{audience}");
            let told = shown(&plain, &token).await;
            assert_eq!(told, if elsewhere { (200, String::new(), false) } else { refused() }, "{audience}");
            assert_eq!(world.code(&token).await.0, if elsewhere { 200 } else { 401 }, "{audience} at the gate itself");
        }
    }
    // Nothing that is sent says which resource it is.
    let token = MESH.sign(None, &world.svid("report-writer", "close-q4"));
    let request = world.gate.client.request(Method::GET, "/api/v1/whoami").bearer_auth(&proxy);
    let request = request.header("proviso-subject-token", &token).header("proviso-resource", AUDIENCE);
    let answer = Client::send(request.query(&[("resource", AUDIENCE)])).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (401, "token_audience".to_owned()));
}

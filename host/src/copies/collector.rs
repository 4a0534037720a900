//! A copy at an HTTPS collector: `GET`, `PUT` and `DELETE` of `URL/ledger/…`, with a bearer token.

use futures::future::BoxFuture;
use reqwest::{Method, StatusCode};

use super::address::{Address, Answer};
use super::sink::{Sink, SinkError};

/// A collector.
pub(super) struct Collector {
    address: Address,
    token: String,
}

impl Collector {
    pub(super) const fn new(address: Address, token: String) -> Self {
        Self { address, token }
    }

    async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Answer, SinkError> {
        let request = self.address.request(method, path).bearer_auth(&self.token).body(body);
        self.address.send(request).await
    }
}

impl Sink for Collector {
    fn get<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, SinkError>> {
        Box::pin(async move {
            let answer = self.ask(Method::GET, path, Vec::new()).await?;
            if answer.status == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            answer.good().map(|answer| Some(answer.body))
        })
    }

    fn put<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move { self.ask(Method::PUT, path, bytes).await?.good().map(drop) })
    }

    fn remove<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move { self.ask(Method::DELETE, path, Vec::new()).await?.good().map(drop) })
    }
}

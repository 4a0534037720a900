//! A copy at an HTTPS collector: `GET`, `PUT` and `DELETE` of `URL/ledger/…`, with a bearer token.

use futures::future::BoxFuture;
use reqwest::Method;

use super::address::{Address, Answer};
use super::remote::Remote;
use super::sink::SinkError;

/// A collector.
pub(super) struct Collector {
    address: Address,
    token: String,
}

impl Collector {
    pub(super) const fn new(address: Address, token: String) -> Self {
        Self { address, token }
    }
}

impl Remote for Collector {
    fn ask<'a>(
        &'a self,
        method: Method,
        path: &'a str,
        body: Vec<u8>,
        most: usize,
    ) -> BoxFuture<'a, Result<Answer, SinkError>> {
        let request = self.address.request(method, path).bearer_auth(&self.token).body(body);
        Box::pin(self.address.send_for(request, most))
    }
}

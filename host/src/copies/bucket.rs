//! A copy in a bucket of an S3-compatible store, by paths below the endpoint: `ENDPOINT/BUCKET/PREFIX/ledger/…`.

use futures::future::BoxFuture;
use reqwest::Method;

use super::address::{Address, Answer};
use super::config::BucketAt;
use super::remote::Remote;
use super::sigv4::{Credentials, Signed};
use super::sink::SinkError;
use crate::clock::{Clock as _, SystemClock};

/// A bucket.
pub(super) struct Bucket {
    address: Address,
    /// Bucket and prefix.
    below: String,
    region: String,
    credentials: Credentials,
}

impl Bucket {
    pub(super) fn new(at: &BucketAt) -> Self {
        let below = [at.bucket.as_str(), at.prefix.trim_matches('/')].into_iter().filter(|part| !part.is_empty());
        let below = below.collect::<Vec<_>>().join("/");
        let (region, credentials) = (at.region.clone(), at.credentials.clone());
        Self { address: at.address.clone(), below, region, credentials }
    }
}

impl Remote for Bucket {
    fn ask<'a>(
        &'a self,
        method: Method,
        path: &'a str,
        body: Vec<u8>,
        most: usize,
    ) -> BoxFuture<'a, Result<Answer, SinkError>> {
        Box::pin(async move {
            let path = format!("{}/{path}", self.below);
            let url = self.address.below(&path);
            // What we name ourselves: letters, digits, `.`, `/`, `-` and `_`, and as much of the operator's prefix.
            let host = match (url.host_str(), url.port()) {
                (Some(host), Some(port)) => format!("{host}:{port}"),
                (Some(host), None) => host.to_owned(),
                (None, _) => return Err(SinkError::of("the endpoint has no host")),
            };
            let signed = Signed {
                method: method.as_str(),
                host: &host,
                path: url.path(),
                query: "",
                region: &self.region,
                body: &body,
                // The store compares it with its own clock, not with the gate's time.
                at: SystemClock.now(),
            };
            let headers = signed.headers(&self.credentials);
            let request = self
                .address
                .request(method, &path)
                .header("x-amz-date", headers.date)
                .header("x-amz-content-sha256", headers.content)
                .header("authorization", headers.authorization)
                .body(body);
            self.address.send_for(request, most).await
        })
    }
}

//! A copy that is reached over HTTP: a file is got, put and removed by the methods of those names.

use futures::future::BoxFuture;
use reqwest::{Method, StatusCode};

use super::address::Answer;
use super::sink::{SHORT, Sink, SinkError};

/// A receiver over HTTP, with whatever proves to it who asks.
pub(super) trait Remote: Send + Sync + 'static {
    /// Asks about the file at this path. The answer has at most so many bytes.
    fn ask<'a>(
        &'a self,
        method: Method,
        path: &'a str,
        body: Vec<u8>,
        most: usize,
    ) -> BoxFuture<'a, Result<Answer, SinkError>>;
}

impl<T: Remote> Sink for T {
    fn get<'a>(&'a self, path: &'a str, most: usize) -> BoxFuture<'a, Result<Option<Vec<u8>>, SinkError>> {
        Box::pin(async move {
            let answer = self.ask(Method::GET, path, Vec::new(), most).await?;
            if answer.status == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            answer.good().map(|answer| Some(answer.body))
        })
    }

    fn put<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move { self.ask(Method::PUT, path, bytes, SHORT).await?.good().map(drop) })
    }

    fn remove<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move { self.ask(Method::DELETE, path, Vec::new(), SHORT).await?.good().map(drop) })
    }
}

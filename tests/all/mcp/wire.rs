//! A wire between a proxy and its gate that keeps what went over it to the gate.

use std::sync::{Arc, Mutex, PoisonError};

use proviso_tests::{Setup, Story, TestGate};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

/// The wire.
pub(super) struct Wire {
    pub(super) url: String,
    heard: Arc<Mutex<String>>,
}

impl Wire {
    /// A gate that is reached over a wire.
    pub(super) async fn to_a_gate(setup: Setup) -> (Self, Story) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let gate = TestGate::with(Setup { public_url: Some(url.clone()), ..setup }).await;
        let wire = Self { url, heard: Arc::default() };
        let (heard, to) = (Arc::clone(&wire.heard), gate.client.url.replace("http://", ""));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&to).await.expect("the gate listens");
                let ((from_near, mut to_near), (mut from_far, to_far)) = (near.into_split(), far.into_split());
                tokio::spawn(keep(from_near, to_far, Arc::clone(&heard)));
                tokio::spawn(async move { copy(&mut from_far, &mut to_near).await });
            }
        });
        (wire, Story::on(gate).await)
    }

    /// Every JSON value under this name that went over it, in order, as it was written.
    pub(super) fn members(&self, name: &str) -> Vec<Value> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let named = format!("\"{name}\":");
        heard
            .split(&named)
            .skip(1)
            .filter_map(|text| serde_json::Deserializer::from_str(text).into_iter().next()?.ok())
            .collect()
    }

    /// How many requests began like this.
    pub(super) fn count(&self, beginning: &str) -> usize {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).matches(beginning).count()
    }
}

async fn keep(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    heard: Arc<Mutex<String>>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer).await?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return to.shutdown().await;
        }
        heard.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(bytes));
        to.write_all(bytes).await?;
    }
}

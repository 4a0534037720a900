//! The beginning of a connection inside TLS; and a word to whoever speaks plain HTTP there.

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::remedies::remedy;

/// The first byte of a TLS handshake; no method of HTTP begins so.
const HANDSHAKE: u8 = 22;

/// Shakes hands. Nothing where that failed, or where no TLS came.
pub(super) async fn hands_shaken(tls: &TlsAcceptor, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    let mut first = [0_u8];
    match stream.peek(&mut first).await {
        Ok(1..) if first == [HANDSHAKE] => {}
        Ok(1..) => {
            refuse(stream).await;
            return None;
        }
        // Nobody there any more.
        Ok(0) | Err(_) => return None,
    }
    match tls.accept(stream).await {
        Ok(stream) => Some(stream),
        Err(error) => {
            tracing::debug!(%error, "a handshake failed");
            None
        }
    }
}

/// Says in the clear, and nothing else in the clear, that this is no place for it.
async fn refuse(mut stream: TcpStream) {
    let code = "tls_needed";
    let body = json!({
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "this address speaks TLS",
        "code": code,
        "help": remedy(code),
    })
    .to_string();
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // What was sent is taken off, so that closing does not cut the answer off; what it said is nobody's business.
    let mut sent = [0_u8; 8192];
    let _ = stream.try_read(&mut sent);
    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

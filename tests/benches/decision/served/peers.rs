//! What HTTP and the disk cost by themselves.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use crate::Result;
use crate::measure::each;

/// What a gate says, about.
const SAID: &str = r#"{"decision":true,"context":{"evaluation_id":"dec_00000000000000000000000000000000","reason":"permitted_by_scope","policies":["files-may-be-read"],"expires_at":"2026-11-29T00:00:00.000Z"}}"#;
/// About what a decision adds to a record.
const LINE: [u8; 1024] = [b' '; 1024];

/// A file that lines are added to.
pub struct Disk {
    file: Mutex<File>,
}

impl Disk {
    pub fn new(path: &Path) -> Result<Self> {
        Ok(Self { file: Mutex::new(OpenOptions::new().create(true).append(true).open(path)?) })
    }

    /// Adds a line, and waits until the disk has it.
    pub fn sync(&self) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&LINE)?;
        Ok(file.sync_data()?)
    }

    /// How long that usually takes.
    pub fn usual(&self) -> Result<Duration> {
        let times = each(101, || self.sync().map(|()| true))?;
        times.get(times.len() / 2).copied().ok_or_else(|| "nothing was synced".into())
    }
}

/// Handlers that answer as a gate does.
pub struct Peers {
    /// Does nothing.
    pub nothing: String,
    /// Adds a line to a file and syncs it, each for itself.
    pub syncing: String,
}

impl Peers {
    pub async fn start(kept: &Path) -> Result<Self> {
        let disk = Arc::new(Disk::new(kept)?);
        let answer = || ([(CONTENT_TYPE, "application/json")], SAID);
        let sync = move |_: Bytes| {
            let disk = Arc::clone(&disk);
            async move {
                let synced = spawn_blocking(move || disk.sync().is_ok()).await;
                if matches!(synced, Ok(true)) { Ok(answer()) } else { Err("the disk failed") }
            }
        };
        let router = Router::new()
            .route("/nothing", post(move |_: Bytes| async move { answer() }))
            .route("/syncing", post(sync));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { nothing: format!("{url}/nothing"), syncing: format!("{url}/syncing") })
    }
}

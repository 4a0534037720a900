//! Serving until told to stop.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long open requests have after the gate was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until `stopping` turns true, then lets open requests end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, router: Router, stopping: watch::Receiver<bool>) -> std::io::Result<()> {
    let (mut told, mut late) = (stopping.clone(), stopping);
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        // A sender that is gone stops the gate as well.
        let _ = told.wait_for(|stop| *stop).await;
    });
    let overdue = async move {
        let _ = late.wait_for(|stop| *stop).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => served,
        () = overdue => Ok(()),
    }
}

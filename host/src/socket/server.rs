//! The gate's end.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use policy_core::json::{self, Limits};
use policy_core::time::Timestamp;
use proviso_api::findings::FindingLine;
use proviso_api::sessions::SessionLine;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;

use super::{KeyLine, LONGEST_LINE, Reply, Request, user_name};
use crate::app::{App, LaidLink, Operator, RecoveryStep, Refusal, RefusalKind};
use crate::identity::{MintRequest, TokenLine};
use crate::signing::PublicKey;

/// How long one exchange may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many bytes of credentials one answer holds, so that the other end's strict reader takes it.
const LONGEST_PAGE: usize = 512 * 1024;

/// How many sessions one answer holds.
const MOST_SESSIONS: usize = 500;

/// How many findings one answer holds.
const MOST_FINDINGS: usize = 500;

/// Listens in the data folder, which this process holds alone, until `stopping` turns true.
///
/// # Errors
/// When the socket cannot be made.
pub fn listen(data: &Path, app: App, mut stopping: watch::Receiver<bool>) -> io::Result<()> {
    let path = super::path(data);
    // The folder is locked: a socket that is there was left by a gate that is gone.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopping.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, _)) => drop(tokio::spawn(exchange(stream, app.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "the operator's socket did not accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        // A file that is left over is removed by the next start.
        let _ = fs::remove_file(&path);
    });
    Ok(())
}

async fn exchange(stream: UnixStream, app: App) {
    // INVARIANT (R4): who asks is the kernel's word (SO_PEERCRED), never the message's.
    let Ok(peer) = stream.peer_cred() else { return };
    let by = Operator { uid: peer.uid(), name: user_name(peer.uid()) };
    let (reading, mut writing) = stream.into_split();
    let mut line = Vec::new();
    let mut reading = BufReader::new(reading).take(LONGEST_LINE as u64);
    let read = timeout(PATIENCE, reading.read_until(b'\n', &mut line)).await;
    let limits = Limits { max_bytes: LONGEST_LINE, ..Limits::DEFAULT };
    let reply = match read.map(|read| read.map(|_| json::read_as::<Request>(line.trim_ascii_end(), limits))) {
        // What was begun is finished, also when the other end has gone; an erasure reads all of the record first.
        Ok(Ok(Ok(request))) => match tokio::spawn(answer(app, request, by)).await {
            Ok(reply) => reply,
            Err(_) => refused(&Refusal::record_unavailable()),
        },
        Ok(Ok(Err(error))) => refused(&Refusal::bad(error.code(), error.to_string())),
        Ok(Err(error)) => {
            tracing::debug!(%error, "an operator went away");
            return;
        }
        Err(_) => {
            tracing::debug!("an operator was too slow");
            return;
        }
    };
    let written = timeout(PATIENCE, async move {
        let mut bytes = json::to_canonical_bytes(&reply).map_err(io::Error::other)?;
        bytes.push(b'\n');
        writing.write_all(&bytes).await
    });
    match written.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "an operator went away"),
        Err(_) => tracing::debug!("an operator was too slow"),
    }
}

async fn answer(app: App, request: Request, by: Operator) -> Reply {
    let done = match request {
        Request::MintAgent { subject, task, via, on_behalf, resource } => {
            mint(&app, MintRequest::Agent { subject, task, via, on_behalf, resource }, &by).await
        }
        Request::MintEnforcementPoint { name, subjects, servers, vouches, resource } => {
            mint(&app, MintRequest::EnforcementPoint { name, subjects, servers, vouches, resource }, &by).await
        }
        Request::MintApprover { user } => mint(&app, MintRequest::Approver { user }, &by).await,
        Request::ListTokens { after } => Ok(page(app.tokens(), after.as_deref())),
        Request::RevokeToken { id } => app.revoke_token(&id, &by).await.map(|()| Reply::Done {}),
        Request::ListSessions { user } => app.sessions_as_operator(user.as_deref()).map(|list| sessions(list.sessions)),
        Request::EndSessions { ending } => {
            app.end_sessions_as(&by, &ending).await.map(|done| Reply::SessionsEnded { ended: done.ended })
        }
        Request::EndForeign { issuer, subject, jti } => {
            let ended = app.end_foreign(&issuer, subject.as_deref(), jti.as_deref(), &by).await;
            ended.map(|()| Reply::Done {})
        }
        Request::EndTask { task, reason } => app.end_task_as(&by, &task, &reason).await.map(|_| Reply::Done {}),
        Request::RotateKeys { reason } => app.rotate_keys(&by, &reason).await.map(|_| keys(app.signing_keys())),
        Request::RotateCredentialKeys { reason } => {
            app.rotate_credential_keys(&by, &reason).await.map(|_| keys(app.token_keys()))
        }
        Request::RotateLogKey { reason } => app.rotate_log_key(&by, &reason).await.map(|()| Reply::Done {}),
        Request::ListKeys {} => Ok(keys(app.signing_keys())),
        Request::ListCredentialKeys {} => Ok(keys(app.token_keys())),
        Request::BringEvidence { source, pieces } => {
            let pieces = pieces.into_iter().map(|piece| (piece.id, piece.said)).collect();
            let brought = app.bring_evidence(&by, &source, pieces).await;
            brought.map(|brought| Reply::Brought { recorded: brought.recorded, known: brought.known })
        }
        Request::Reconcile { since } => reconcile(&app, since).await,
        Request::Erase(request) => app.erase(&by, &request).await.map(|report| Reply::Erased(Box::new(report))),
        Request::PlaceHold { target, reason } => {
            app.place_hold(&by, target, &reason).await.map(|hold| Reply::Holds { holds: vec![hold] })
        }
        Request::LiftHold { id, reason } => app.lift_hold(&by, &id, &reason).await.map(|()| Reply::Done {}),
        Request::ListHolds {} => Ok(Reply::Holds { holds: app.holds() }),
        Request::ShowOwner { of } => app.owner(&of).map(|reply| Reply::Owner(Box::new(reply))),
        Request::HandOwner(request) => {
            app.hand_over_owner_as(&by, *request).await.map(|reply| Reply::Owner(Box::new(reply)))
        }
        Request::ShowDeparture { user } => app.departure(&user).map(|reply| Reply::Departure(Box::new(reply))),
        Request::SayOf { user, departed: true, reason } => {
            app.departed(&by, &user, &reason).await.map(|()| Reply::Done {})
        }
        Request::SayOf { user, departed: false, reason } => {
            app.returned(&by, &user, &reason).await.map(|()| Reply::Done {})
        }
        Request::EnrolAdministrator { user } => app.offer_enrolment(&by, user.as_deref()).await.map(laid),
        Request::ConfirmInvitation { id } => {
            let agreed = app.agree_as(&by, &id).await;
            agreed.map(|(secret, expires_at)| Reply::Minted { id, secret, expires_at })
        }
        Request::Recover { user, reason } => {
            app.recover(&by, user.as_deref(), reason.as_deref()).await.map(|step| match step {
                RecoveryStep::Waits(line) => Reply::RecoveryWaits(Box::new(line)),
                RecoveryStep::Ready(link) => laid(link),
            })
        }
        Request::StopRecovery { reason } => app.stop_recovery_as(&by, &reason).await.map(|()| Reply::Done {}),
        Request::TrustClock { reason } => app.trust_clock(&by, &reason).await.map(|()| Reply::Done {}),
    };
    done.unwrap_or_else(|refusal| refused(&refusal))
}

fn laid(link: LaidLink) -> Reply {
    Reply::LinkLaid { person: link.person, file: link.file, expires_at: link.expires_at }
}

/// The newest sessions, as many as the other end reads.
fn sessions(mut sessions: Vec<SessionLine>) -> Reply {
    sessions.truncate(MOST_SESSIONS);
    Reply::Sessions { sessions }
}

async fn reconcile(app: &App, since: Option<Timestamp>) -> Result<Reply, Refusal> {
    let report = app.reconcile().await?;
    Ok(Reply::Reconciled { report, findings: newest(app.unresolved_findings(since)) })
}

fn keys(keys: Vec<PublicKey>) -> Reply {
    let line = |key: PublicKey| KeyLine {
        kid: key.kid,
        state: if key.retired_at.is_some() { "retired" } else { "signing" }.to_owned(),
        made_at: key.made_at,
        retired_at: key.retired_at,
    };
    Reply::Keys { keys: keys.into_iter().map(line).collect() }
}

async fn mint(app: &App, request: MintRequest, by: &Operator) -> Result<Reply, Refusal> {
    let minted = app.mint(request, by).await?;
    Ok(Reply::Minted { id: minted.id, secret: minted.secret, expires_at: minted.expires_at })
}

/// The credentials behind this one, as many as the other end reads.
fn page(mut tokens: Vec<TokenLine>, after: Option<&str>) -> Reply {
    if let Some(told) = tokens.iter().position(|line| Some(line.id.as_str()) == after) {
        tokens.drain(..=told);
    }
    let mut size = 0usize;
    let fits = tokens.iter().take_while(|line| {
        // An unreadable line would be one that is left out.
        size = size.saturating_add(json::to_canonical_bytes(line).map_or(0, |bytes| bytes.len()));
        size <= LONGEST_PAGE
    });
    // One at least, else nobody would ever be told the rest.
    let fits = fits.count().max(1);
    let more = tokens.len() > fits;
    tokens.truncate(fits);
    Reply::Tokens { tokens, more }
}

fn refused(refusal: &Refusal) -> Reply {
    Reply::Refused {
        code: refusal.code.to_owned(),
        unavailable: refusal.kind == RefusalKind::Unavailable,
        detail: refusal.detail.clone(),
        help: refusal.help.clone(),
    }
}

/// The newest of them: an operator who wants all of them exports them.
fn newest(mut findings: Vec<FindingLine>) -> Vec<FindingLine> {
    findings.truncate(MOST_FINDINGS);
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize, length: usize) -> Vec<TokenLine> {
        let line = |number: usize| TokenLine {
            id: format!("pva_{number:032}"),
            kind: "agent".to_owned(),
            what: "x".repeat(length),
            minted_at: Timestamp::from_millis(0),
            by: "root".to_owned(),
            expires_at: Timestamp::from_millis(1),
            state: "live".to_owned(),
        };
        (0..count).map(line).collect()
    }

    #[test]
    fn pages_tell_every_credential_once_and_each_can_be_read() {
        for (count, length) in [(0, 1), (1, 1), (3, 60_000), (40, 60_000), (5_000, 300), (2, 2 * LONGEST_PAGE)] {
            let all = lines(count, length);
            let mut told = Vec::new();
            loop {
                let after = told.last().map(|line: &TokenLine| line.id.clone());
                let reply = page(all.clone(), after.as_deref());
                if length < LONGEST_PAGE {
                    let bytes = json::to_canonical_bytes(&reply).unwrap();
                    assert_eq!(json::read_as::<Reply>(&bytes, Limits::DEFAULT).unwrap(), reply);
                }
                let Reply::Tokens { tokens, more } = reply else { panic!("{reply:?}") };
                told.extend(tokens);
                if !more {
                    break;
                }
            }
            assert_eq!(told, all, "{count} of {length} bytes");
        }
    }
}

//! `GET /api/v1/record/export`: the record as OCSF, CSV or JSON with proofs, in a stream of pieces; as OCSF also one
//! that goes on.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use futures::stream::unfold;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::record::time;
use crate::app::{App, Exporting};
use crate::export::{Format, Wanted};
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::site::Site;

/// How often a stream that goes on looks for what is new.
const LOOK: Duration = Duration::from_millis(500);

/// What is wanted.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Asked {
    format: Option<String>,
    since: Option<String>,
    until: Option<String>,
    agent: Option<String>,
    approver: Option<String>,
    exception: Option<String>,
    follow: Option<String>,
}

/// The export.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, Refused> {
    let word = asked.format.as_deref().unwrap_or("json");
    let format: Format = word.parse().map_err(|help| bad("bad_format", "that is no format of an export", help))?;
    let follow = match asked.follow.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(bad("bad_request", "`follow` is true or false", "leave `follow` out, or say `true`")),
    };
    if follow && format != Format::Ocsf {
        return Err(bad("bad_format", "only OCSF goes on", "leave `follow` out, or ask for `format=ocsf`"));
    }
    let wanted = Wanted {
        since: time(asked.since.as_deref())?,
        until: time(asked.until.as_deref())?,
        agent: asked.agent,
        approver: asked.approver,
        exception: asked.exception,
    };
    let reader = Reader {
        app: site.app().clone(),
        exporting: site.app().export_for(&person.session, format, wanted).await?,
        secret: person.secret,
        follow,
        stopping: site.stopping(),
    };
    let name = format!("attachment; filename=\"proviso-record.{}\"", format.extension());
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(unfold(Some(reader), |reader| async { next(reader?).await }))))
}

fn bad(code: &str, what: &str, help: &str) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, code, what).help(help)
}

struct Reader {
    app: App,
    exporting: Exporting,
    secret: String,
    follow: bool,
    stopping: watch::Receiver<bool>,
}

type Piece = (Result<Bytes, io::Error>, Option<Reader>);

/// The next piece that is not empty. A piece that cannot be made breaks the connection, so that nobody takes what there
/// is for the whole.
async fn next(mut reader: Reader) -> Option<Piece> {
    loop {
        // A session that has ended reads nothing more, also of what stood there before.
        if reader.app.session(&reader.secret).is_err() {
            return if reader.follow { None } else { Some((Err(io::Error::other("signed_out")), None)) };
        }
        let (again, piece) = match spawn_blocking(move || made(reader)).await {
            Ok(made) => made,
            Err(_) => return Some((Err(io::Error::other("the export ended")), None)),
        };
        reader = again;
        match piece {
            Err(code) => return Some((Err(io::Error::other(code)), None)),
            Ok(Some(bytes)) if bytes.is_empty() => {}
            Ok(Some(bytes)) => return Some((Ok(bytes.into()), Some(reader))),
            Ok(None) if !reader.follow => return None,
            Ok(None) => {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = reader.stopping.wait_for(|stop| *stop) => return None,
                }
            }
        }
    }
}

fn made(mut reader: Reader) -> (Reader, Result<Option<Vec<u8>>, &'static str>) {
    let piece = match reader.exporting.piece() {
        Ok(None) if reader.follow => match reader.exporting.go_on() {
            Ok(true) => reader.exporting.piece(),
            Ok(false) => Ok(None),
            Err(refusal) => Err(refusal),
        },
        piece => piece,
    };
    let piece = piece.map_err(|refusal| refusal.code);
    (reader, piece)
}

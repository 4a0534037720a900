//! What proves the record to somebody else: tiles, consistency of heads, receipts.

use audit_verify::receipt::{Opened, OpenedPayload, Receipt};
use audit_verify::source::StoredRecord;
use audit_verify::tree::Tile;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proviso_api::operations::ConsistencyReply;

use super::App;
use super::event::{DECISION, EVENT};
use super::refusal::Refusal;
use crate::store::{Head, Log};

impl App {
    /// The newest signed head of a log, or the newest that a witness vouches for.
    ///
    /// # Errors
    /// `unknown_log`; `not_witnessed`.
    pub fn checkpoint(&self, log: &str, witnessed: bool) -> Result<String, Refusal> {
        let log = named(log)?;
        if witnessed {
            return self.witnessed(log);
        }
        let newest = self.store().heads().into_iter().find(|head| head.log == log);
        newest.map(|head| head.note).ok_or_else(unknown_log)
    }

    /// A tile of a log.
    ///
    /// # Errors
    /// `unknown_log`; `no_such_tile` for a path that is none, or one that the log does not fill; `record_unreadable`.
    pub(super) fn tile(&self, log: &str, path: &str) -> Result<Vec<u8>, Refusal> {
        let log = named(log)?;
        let tile: Tile = format!("tile/{path}").parse().map_err(|_| no_such_tile())?;
        let bytes = self.store().tile(log, tile).map_err(|error| unreadable(&error))?;
        bytes.ok_or_else(no_such_tile)
    }

    /// The newest head, and that the first `from` records are its beginning.
    ///
    /// # Errors
    /// `unknown_log`; `log_shorter` where somebody holds a head over more records than this log has: it was cut, or is
    /// another; `log_empty` where nobody does, and it has none.
    pub fn consistency(&self, log: &str, from: u64) -> Result<ConsistencyReply, Refusal> {
        let log = named(log)?;
        if from == 0 && !self.store().heads().iter().any(|head| head.log == log) {
            return Err(Refusal::not_found("log_empty", "this log has no record yet, and so no head")
                .help("ask again when it has: `GET /api/v1/record` lists the logs that do"));
        }
        let (Head { size, note, .. }, proof) = self.store().consistency(log, from).ok_or_else(|| {
            Refusal::conflict("log_shorter", "this log has fewer records than the head that you hold is for")
                .help("keep that head, and show both to whoever runs this gate: the record was cut or replaced")
        })?;
        let proof = proof.iter().map(audit_verify::TreeHash::to_base64).collect();
        Ok(ConsistencyReply { log: log.name().to_owned(), from, size, note, proof })
    }

    /// A record as it is stored.
    ///
    /// # Errors
    /// `unknown_log`; `unknown_record`; `record_unreadable`.
    pub(super) fn record_of(&self, log: &str, seq: &str) -> Result<StoredRecord, Refusal> {
        let log = named(log)?;
        let seq: u64 = seq.parse().map_err(|_| unknown_record())?;
        self.store().stored(log, seq).map_err(|error| unreadable(&error))?.ok_or_else(unknown_record)
    }

    /// The receipt of one record: a C2SP tlog-proof that holds the record and, with `open`, what it says. Under the newest
    /// head, or the one over exactly `size` records that somebody holds.
    ///
    /// # Errors
    /// `unknown_log`; `unknown_record`; `no_such_head`; `record_unreadable`.
    pub(super) fn receipt(
        &self,
        log: &str,
        stored: StoredRecord,
        open: bool,
        size: Option<u64>,
    ) -> Result<String, Refusal> {
        let (log, seq) = (named(log)?, stored.seq);
        let (head, proof) = match size {
            None => self.store().inclusion(log, seq).ok_or_else(unknown_record)?,
            Some(size) => {
                let head = self.store().head_over(log, size).map_err(|error| unreadable(&error))?;
                let proof = self.store().inclusion_under(log, seq, size);
                head.zip(proof).ok_or_else(no_such_head)?
            }
        };
        // What was asked and claimed besides stays where it is: a receipt is for handing on.
        let disclosed =
            stored.payloads.into_iter().filter(|payload| open && [EVENT, DECISION].contains(&payload.name.as_str()));
        // Of what was erased the receipt proves the leaf alone.
        let there = disclosed.filter_map(|payload| Some((payload.name, payload.content?)));
        let opened = there.map(|(name, content)| {
            let text = String::from_utf8(content.bytes).map_err(|error| unreadable(&error))?;
            Ok((name, OpenedPayload { salt: STANDARD.encode(content.salt), text }))
        });
        let payloads = opened.collect::<Result<_, Refusal>>()?;
        let leaf = String::from_utf8(stored.bytes).map_err(|error| unreadable(&error))?;
        let receipt = Receipt { opened: Opened { leaf, payloads }, index: seq, proof, note: head.note };
        receipt.to_text().map_err(|error| unreadable(&error))
    }
}

/// The log of this name, as addresses write it: `/` as `-`.
pub(super) fn named(name: &str) -> Result<Log, Refusal> {
    Log::ALL.into_iter().find(|log| log.name().replace('/', "-") == name).ok_or_else(unknown_log)
}

fn unknown_record() -> Refusal {
    Refusal::not_found("unknown_record", "the log has no such record")
}

fn no_such_head() -> Refusal {
    Refusal::not_found("no_such_head", "no head over exactly so many records was signed, or it does not cover this one")
        .help("leave `size` out for the newest head, or take a head that `checkpoint` or `consistency` gave")
}

fn unknown_log() -> Refusal {
    Refusal::not_found("unknown_log", "there is no such log").help("the logs are `ledger` and `decisions-main`")
}

fn no_such_tile() -> Refusal {
    Refusal::not_found("no_such_tile", "the log has no such tile")
        .help("read the checkpoint first: its size says which tiles there are, and how wide the last ones")
}

pub(super) fn unreadable(error: &dyn std::error::Error) -> Refusal {
    tracing::error!(%error, "a record cannot be read");
    Refusal::new(super::RefusalKind::Unavailable, "record_unreadable", "the record cannot be read")
        .help("the operator runs `proviso audit verify`")
}

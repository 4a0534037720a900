//! Telemetry as evidence: the word of whoever was traced.

use super::event::EvidenceRecord;
use super::evidence::MOST_TOGETHER;
use crate::app::App;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::evidence::otlp::Piece;
use crate::identity::Credential;

/// What became of the spans that were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many spans of tools were not taken.
    pub rejected: usize,
    /// Why the first of them was not.
    pub why: String,
}

impl Taken {
    fn reject(&mut self, why: &str) {
        if self.rejected == 0 {
            why.clone_into(&mut self.why);
        }
        self.rejected += 1;
    }
}

impl App {
    /// Records the spans of tools. One that cannot be taken is counted, and stops no other.
    ///
    /// # Errors
    /// `no_subject_token` from an enforcement point that names no agent; `not_for_this_subject`; `claim_conflict`;
    /// `too_many_evaluations`; `record_unavailable`.
    pub async fn take_traces(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        pieces: Vec<Piece>,
    ) -> Result<Taken, Refusal> {
        let asker = super::super::asker::Asker::of(caller, subject)?;
        let _turn = match &asker.point {
            Some(point) => self.turn_of_point(point).await?,
            None => self.turn_to_report(&asker.agent.subject, &asker.agent.task).await?,
        };
        let mut taken = Taken::default();
        let mut records = Vec::new();
        for piece in pieces {
            match piece {
                Err(why) => taken.reject(why),
                // One turn is taken for all of them.
                Ok(_) if records.len() == MOST_TOGETHER => taken.reject("a request brings at most 200 spans of tools"),
                Ok(piece) => match self.piece(caller, subject, piece, true) {
                    Ok(record) => records.push(record),
                    Err(refusal) => taken.reject(&refusal.detail),
                },
            }
        }
        let credentials: Vec<&str> = asker.credentials().collect();
        match self.record_evidence(&credentials, records.clone()).await {
            Ok(_) => {}
            Err(refusal) if refusal.kind == RefusalKind::Conflict => {
                self.one_by_one(&credentials, &records, &mut taken).await?;
            }
            Err(refusal) => return Err(refusal),
        }
        Ok(taken)
    }

    /// One of these was there already and said something else: the others are taken all the same.
    async fn one_by_one(
        &self,
        credentials: &[&str],
        records: &[EvidenceRecord],
        taken: &mut Taken,
    ) -> Result<(), Refusal> {
        for record in records {
            match self.record_evidence(credentials, vec![record.clone()]).await {
                Ok(_) => {}
                Err(refusal) if refusal.kind == RefusalKind::Conflict => taken.reject(&refusal.detail),
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(())
    }
}

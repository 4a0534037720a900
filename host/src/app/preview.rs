//! The preview on the module: what a grant would allow, of the call that is asked for and of recorded denials.
//!
//! A browser asks the module of all of them at once and has no fuel to run out of. The gate's calls are bounded each by
//! itself, so that where all at once are too much for one, it asks of fewer at a time and counts together: the answer is
//! the same, since each denial is tried by itself.

use policy_core::abi::{Op, Previewed, Previews};
use policy_core::grant::{Grant, Scope};

use super::App;
use super::engine::EngineError;
use super::judge::NoAnswer;
use super::refusal::Refusal;
use super::sheets::{Recorded, Shown};

/// Of how many denials one call is asked where more were too much for it. Each was asked by itself once, within the
/// fuel of a question: so few are within that of a preview.
const FEWER: [usize; 2] = [64, 8];
/// After how long no further part is begun, in milliseconds: each takes the place of other people's previews and of
/// bundles that are loaded, and goes on when whoever votes has gone.
const LONGEST: u64 = 60_000;

impl App {
    /// Runs the preview on the module: the same operation on the same questions as in the approver's browser.
    ///
    /// # Errors
    /// `limit` where the module gives no answer within its bounds, of however few denials; when a record cannot be read.
    pub(super) async fn preview(&self, shown: &Shown, scope: &Scope) -> Result<Previewed, Refusal> {
        let others = self.others(shown).await?;
        Ok(self.previewed(shown, &self.trial(shown, scope.clone()), &others).await?)
    }

    /// INVARIANT (R8): what is counted was tried, each denial once; where a part gives no answer, nothing does.
    async fn previewed(&self, shown: &Shown, grant: &Grant, others: &[Recorded]) -> Result<Previewed, NoAnswer> {
        let (mut waiting, mut size, mut sum) = (others, others.len(), None);
        let begun = self.boot();
        loop {
            if self.boot().saturating_sub(begun) > LONGEST {
                return Err(NoAnswer::Engine(EngineError::Timeout));
            }
            let (tried, later) = waiting.split_at(size.min(waiting.len()));
            let preview = Previews::over(&shown.question, tried.iter().map(|other| other.get()), shown.sheet.at);
            let input = preview.and_then(|preview| preview.with(grant)).map_err(|_| NoAnswer::Unreadable)?;
            match self.ask_module_in(Op::Preview, input).await {
                Ok(part) => {
                    let whole = together(sum.take(), part);
                    if later.is_empty() {
                        return Ok(whole);
                    }
                    (sum, waiting) = (Some(whole), later);
                }
                Err(error) => {
                    let fewer = FEWER.into_iter().find(|fewer| *fewer < tried.len() && is_too_much(&error));
                    size = fewer.ok_or(error)?;
                }
            }
        }
    }
}

/// Whether fewer denials may be answered of.
const fn is_too_much(error: &NoAnswer) -> bool {
    matches!(error, NoAnswer::Engine(EngineError::Fuel | EngineError::Timeout))
}

/// What was counted so far, and of the next denials: all else does not depend on them, and is the same in each part.
fn together(sum: Option<Previewed>, part: Previewed) -> Previewed {
    let Some(mut sum) = sum else { return part };
    let begun = sum.tried;
    sum.flips.extend(part.flips.iter().map(|flip| flip.saturating_add(begun)));
    sum.tried = sum.tried.saturating_add(part.tried);
    sum.by_others = sum.by_others.saturating_add(part.by_others);
    sum
}

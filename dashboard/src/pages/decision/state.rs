//! What the decision page holds.

use std::sync::Arc;

use leptos::prelude::*;
use policy_core::grant::Scope;
use policy_core::question::SealedQuestion;
use policy_core::time::Timestamp;
use proviso_api::exceptions::{ExceptionDetail, FrictionKind, QuestionsReply, SheetReply};
use proviso_api::past::PastReply;

use super::super::stay::Stay;
use crate::app::Desk;
use crate::preview::client::{Broken, Preview};
use crate::view_model::grant_form::GrantForm;
use crate::view_model::preview::{Shown, trial};
use crate::view_model::problem::ApiError;

/// What the gate said of one exception at one position: shown together, voted on together.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Which load this is: another number is another sheet on the page.
    pub number: u32,
    /// The exception for this person.
    pub detail: ExceptionDetail,
    /// The sheet at the detail's position.
    pub sheet: SheetReply,
    /// What the preview evaluates, for an open exception.
    pub questions: Option<QuestionsReply>,
    /// What became of the like, where the gate said so.
    pub past: Option<PastReply>,
}

impl Loaded {
    /// Whether votes are wanted.
    pub fn is_open(&self) -> bool {
        self.detail.state == "requested" && self.questions.is_some()
    }

    /// The recorded denials that the preview tries.
    pub fn others(&self) -> &[SealedQuestion] {
        self.questions.as_ref().map(|questions| questions.others.as_slice()).unwrap_or_default()
    }
}

/// How the module fares.
#[derive(Debug, Clone, PartialEq)]
pub enum Module {
    /// It is fetched, checked and started.
    Starting,
    /// It answers; milliseconds for compiling and loading.
    Ready(f64),
    /// It is not what the sheet names, or does not start: there is no preview and no vote.
    Broken(Broken),
}

/// How the vote fares.
#[derive(Debug, Clone, PartialEq)]
pub enum Voting {
    /// Nothing was sent.
    Idle,
    /// It is on its way.
    Sending,
    /// The gate refused it.
    Refused(ApiError),
    /// What was shown is not what stands: what changed, in sentences.
    Stale(Vec<String>),
    /// It counts; what to say of it.
    Done(String),
}

/// The page's signals.
#[derive(Clone, Copy)]
pub struct State {
    /// Whether somebody is still on the page.
    pub stay: Stay,
    /// The exception's id.
    pub id: StoredValue<String>,
    /// What is shown.
    pub loaded: RwSignal<Option<Arc<Loaded>>>,
    /// The newest detail: history and state go on while the sheet stands still.
    pub newest: RwSignal<Option<ExceptionDetail>>,
    /// Why nothing could be loaded.
    pub failed: RwSignal<Option<ApiError>>,
    /// There is no sheet for this person: they may not see what it is called with.
    pub blind: RwSignal<bool>,
    /// The module.
    pub module: RwSignal<Module>,
    /// What the approver has set.
    pub form: RwSignal<Option<GrantForm>>,
    /// The newest preview.
    pub shown: RwSignal<Option<Shown>>,
    /// Why the newest trial gave no preview.
    pub trouble: RwSignal<Option<Broken>>,
    /// The approver's words.
    pub reason: RwSignal<String>,
    /// An approval is of whatever lies inside the scope, too.
    pub inside: RwSignal<bool>,
    /// A reason was needed and not there.
    pub missing: RwSignal<bool>,
    /// Whether the knobs that open more than this call needs are shown.
    pub opened: RwSignal<bool>,
    /// What became of the like.
    pub past: RwSignal<Option<PastReply>>,
    /// Whether the second step of a yes is open.
    pub confirming: RwSignal<bool>,
    /// What was typed there.
    pub typed: RwSignal<String>,
    /// The vote.
    pub voting: RwSignal<Voting>,
    /// The gate's time, once a second.
    pub clock: RwSignal<Timestamp>,
    /// The worker. Replaced, and so ended, with each sheet.
    pub preview: StoredValue<Option<Preview>, LocalStorage>,
}

impl State {
    /// The state of a page that has loaded nothing yet.
    pub fn new(id: String) -> Self {
        Self {
            stay: Stay::here(),
            id: StoredValue::new(id),
            loaded: RwSignal::new(None),
            newest: RwSignal::new(None),
            failed: RwSignal::new(None),
            blind: RwSignal::new(false),
            module: RwSignal::new(Module::Starting),
            form: RwSignal::new(None),
            shown: RwSignal::new(None),
            trouble: RwSignal::new(None),
            reason: RwSignal::new(String::new()),
            inside: RwSignal::new(false),
            missing: RwSignal::new(false),
            opened: RwSignal::new(false),
            past: RwSignal::new(None),
            confirming: RwSignal::new(false),
            typed: RwSignal::new(String::new()),
            voting: RwSignal::new(Voting::Idle),
            clock: Desk::take().now,
            preview: StoredValue::new_local(None),
        }
    }

    /// The state of the page around.
    pub fn take() -> Self {
        expect_context::<Self>()
    }

    /// What is shown. The page draws its parts only after it has loaded.
    pub fn sheet(&self) -> Option<Arc<Loaded>> {
        self.loaded.get_untracked()
    }

    /// Whether the form opens more than the page opened with: what lets this call through, or what others approved.
    pub fn is_wider(&self) -> bool {
        let opening = self.loaded.with_untracked(|loaded| {
            let loaded = loaded.as_ref()?;
            Some(GrantForm::open(&loaded.sheet, loaded.questions.as_ref()?))
        });
        self.form.with(|form| form.as_ref().zip(opening.as_ref()).is_some_and(|(form, opening)| form.is_wider(opening)))
    }

    /// Back to what the page opened with.
    pub fn close_again(&self) {
        let opening = self.loaded.with_untracked(|loaded| {
            let loaded = loaded.as_ref()?;
            Some(GrantForm::open(&loaded.sheet, loaded.questions.as_ref()?))
        });
        self.opened.set(false);
        if opening.is_some() {
            self.form.set(opening);
            self.try_form();
        }
    }

    /// What a yes takes besides the vote, as the gate told with the sheet.
    pub fn friction(&self) -> FrictionKind {
        let friction = self.sheet().and_then(|loaded| loaded.detail.friction.as_ref().map(|friction| friction.kind));
        // A gate that says nothing of it checks nothing of it.
        friction.unwrap_or(FrictionKind::OneStep)
    }

    /// What is to be typed for a yes, where the tier wants that.
    pub fn name_to_type(&self) -> Option<String> {
        self.sheet()?.detail.friction.as_ref()?.name.clone()
    }

    /// Takes what the gate says of the exception now. Answers overtake each other: an older one changes nothing.
    pub fn hear(&self, detail: ExceptionDetail) {
        let known = self.newest.with_untracked(|newest| newest.as_ref().map_or(0, |newest| newest.position));
        if detail.position >= known {
            self.newest.set(Some(detail));
        }
    }

    /// Whether the exception is known to have left the state that the page shows.
    pub fn has_gone_on(&self) -> bool {
        let (loaded, newest) = (self.loaded.get_untracked(), self.newest.get_untracked());
        loaded.zip(newest).is_some_and(|(loaded, newest)| {
            newest.position > loaded.detail.position && newest.state != loaded.detail.state
        })
    }

    /// These words are on record: they leave the field, unless somebody has begun to say something else meanwhile.
    pub fn is_said(&self, words: &str) {
        if self.reason.try_with_untracked(|now| now.trim() == words.trim()) == Some(true) {
            self.reason.set(String::new());
        }
    }

    /// Whether an act is on its way: another one waits for what comes of it.
    pub fn is_sending(&self) -> bool {
        self.voting.with_untracked(|voting| *voting == Voting::Sending)
    }

    /// The scope that the form stands for; follows the form.
    pub fn scope(&self) -> Option<Result<Scope, String>> {
        self.form.with(|form| form.as_ref().map(|form| form.scope(self.now())))
    }

    /// When the grant would end if the last vote landed now; follows form and clock.
    pub fn ends(&self) -> Memo<Option<Timestamp>> {
        let Self { form, clock, .. } = *self;
        Memo::new(move |_| {
            let now = clock.get();
            form.with(|form| form.as_ref().map(|form| form.ends(now)))
        })
    }

    /// Changes the form, and has the new grant tried.
    pub fn edit(&self, change: impl FnOnce(&mut GrantForm)) {
        self.form.update(|form| {
            if let Some(form) = form {
                change(form);
            }
        });
        self.try_form();
    }

    /// Has the grant tried that the form stands for.
    pub fn try_form(&self) {
        let now = self.now();
        let Some(loaded) = self.sheet() else { return };
        let Some(questions) = loaded.questions.as_ref() else { return };
        let wanted = self.form.with_untracked(|form| {
            let form = form.as_ref()?;
            let scope = form.scope(now).ok()?;
            Some(trial(form, scope, questions))
        });
        if let Some(wanted) = wanted {
            self.preview.with_value(|preview| {
                if let Some(preview) = preview {
                    preview.ask(wanted);
                }
            });
        }
    }

    /// The gate's time, without following it.
    pub fn now(&self) -> Timestamp {
        self.clock.get_untracked()
    }
}

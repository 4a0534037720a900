//! What people do to an exception besides voting, and what they say of it afterwards.

use policy_core::lifecycle::{Disposition, ReviewOutcome};
use proviso_api::acts::{AnswerRequest, DispositionRequest, Reason, ShownReason};
use proviso_api::exceptions::ExceptionList;
use proviso_api::reviews::{CloseReview, ReviewList};

use super::{get, post_only, segment};
use crate::view_model::problem::ApiError;

/// The reviews that nobody has closed.
///
/// # Errors
/// As the gate refuses.
pub async fn open_reviews() -> Result<ReviewList, ApiError> {
    get("/api/v1/reviews?state=open").await
}

/// Closes a review.
///
/// # Errors
/// As the gate refuses.
pub async fn close_review(review: &str, outcome: ReviewOutcome, note: String) -> Result<(), ApiError> {
    post_only(&format!("/api/v1/reviews/{}/close", segment(review)), &CloseReview { outcome, note }).await
}

/// Closed exceptions that nobody has judged.
///
/// # Errors
/// As the gate refuses.
pub async fn unjudged() -> Result<ExceptionList, ApiError> {
    get("/api/v1/exceptions?disposition=missing").await
}

/// Judges a closed exception.
///
/// # Errors
/// As the gate refuses.
pub async fn judge(id: &str, disposition: Disposition) -> Result<(), ApiError> {
    let body = DispositionRequest { disposition, note: String::new() };
    post_only(&format!("/api/v1/exceptions/{}/disposition", segment(id)), &body).await
}

/// Declares an emergency.
///
/// # Errors
/// As the gate refuses.
pub async fn declare_emergency(id: &str, body: &ShownReason) -> Result<(), ApiError> {
    post_only(&format!("/api/v1/exceptions/{}/emergency", segment(id)), body).await
}

/// What was made before the gate was restored, and waits to be confirmed.
///
/// # Errors
/// As the gate refuses.
pub async fn unconfirmed() -> Result<ExceptionList, ApiError> {
    get("/api/v1/exceptions?state=unconfirmed").await
}

/// Confirms one of those.
///
/// # Errors
/// As the gate refuses.
pub async fn confirm(id: &str, body: &ShownReason) -> Result<(), ApiError> {
    post_only(&format!("/api/v1/exceptions/{}/confirm", segment(id)), body).await
}

/// Gives a use back that nobody reported.
///
/// # Errors
/// As the gate refuses.
pub async fn give_back(id: &str, evaluation: &str, reason: String) -> Result<(), ApiError> {
    let path = format!("/api/v1/exceptions/{}/uses/{}/give_back", segment(id), segment(evaluation));
    post_only(&path, &Reason { reason }).await
}

/// Answers the question of a vote.
///
/// # Errors
/// As the gate refuses.
pub async fn answer(id: &str, vote: u32, words: String) -> Result<(), ApiError> {
    post_only(&format!("/api/v1/exceptions/{}/answer", segment(id)), &AnswerRequest { vote, words }).await
}

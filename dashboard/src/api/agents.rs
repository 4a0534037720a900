//! `/api/v1/agents` and `/api/v1/agent`.

use policy_core::entity::EntityRef;
use proviso_api::agents::{AgentList, AgentReply};

use super::{get, segment};
use crate::view_model::problem::ApiError;

/// The agents that this person may see; a page of them.
///
/// # Errors
/// As the gate refuses.
pub async fn agents(page: Option<&str>) -> Result<AgentList, ApiError> {
    let page = page.map(|page| format!("?page={}", segment(page))).unwrap_or_default();
    get(&format!("/api/v1/agents{page}")).await
}

/// One agent, and what it may do today.
///
/// # Errors
/// As the gate refuses.
pub async fn agent(agent: &EntityRef) -> Result<AgentReply, ApiError> {
    get(&format!("/api/v1/agent?type={}&id={}", segment(&agent.kind), segment(&agent.id))).await
}

//! `/api/v1`: everything that the dashboard does.

pub(super) mod acts;
pub(super) mod bundles;
pub(super) mod events;
pub(super) mod exceptions;
pub(super) mod executions;
pub(super) mod export;
pub(super) mod findings;
pub(super) mod grants;
pub(super) mod locks;
pub(super) mod logs;
pub(super) mod ownership;
pub(super) mod record;
pub(super) mod retention;
pub(super) mod reviews;
pub(super) mod revocations;
pub(super) mod routing;
pub(super) mod session;
pub(super) mod sessions;
pub(super) mod sheet;
pub(super) mod sign_in;
pub(super) mod stops;
pub(super) mod tasks;
pub(super) mod traces;
pub(super) mod votes;
pub(super) mod whoami;

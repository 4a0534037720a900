//! The lifecycle's rules, each with the abuse beside the use, and what holds of every history.

use crate::fixtures::step;
use crate::lifecycle::{Command, Context, Event, Exception, Rejection};

mod afterwards;
mod asked;
mod confirm;
mod emergency;
mod grants;
mod inside;
mod later;
mod presence;
mod properties;
mod renewal;
mod terms;
mod votes;
mod walk;
mod wire;
mod withdraw;

/// The kinds of the events that a command makes.
fn after(exception: &Exception, command: Command, context: &Context) -> Result<Vec<&'static str>, Rejection> {
    let (_, events) = step(Some(exception.clone()), command, context)?;
    Ok(events.iter().map(Event::kind).collect())
}

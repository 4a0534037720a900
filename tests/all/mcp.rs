//! The proxy as a process, with servers and clients of other authors, unmodified, and a real gate.

mod asking;
mod conversations;
mod enforcement;
mod exchanges;
mod listening;
mod process;
pub mod proxy;
mod roots;
mod stops;
mod story;
mod swapped;
mod wire;
mod witness;

pub use process::lister;
pub use proxy::{npm_server, python};

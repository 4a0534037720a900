//! The proxy as a process, with servers and clients of other authors, unmodified, and a real gate.

mod conversations;
mod process;
mod proxy;
mod roots;
mod stops;
mod story;

pub use proxy::npm_server;

//! `proviso mcp --listen` as a process, with a real gate and an upstream that writes down what it hears.

mod callers;
mod conformance;
mod counterparts;
mod going_round;
mod handshake;
mod hostile;
mod proxy;
mod resuming;
mod rmcp_server;
mod stateless;
mod suite;
mod unread;
mod upstream;

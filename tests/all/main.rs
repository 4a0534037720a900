//! One integration binary.

#[cfg(test)]
mod activation;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod cli_bundle;
#[cfg(test)]
mod console;
#[cfg(test)]
mod copies;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod house;
#[cfg(test)]
mod http;
#[cfg(test)]
mod http_bad_input;
#[cfg(test)]
mod http_events;
#[cfg(test)]
mod http_guards;
#[cfg(test)]
mod identities;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod own_tokens;
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod people;
#[cfg(test)]
mod record;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod same_words;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod usability;

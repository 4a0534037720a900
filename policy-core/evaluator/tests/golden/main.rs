//! The golden cases: text files in `tests/golden` that a reviewer reads, each case a question and what it must come to.
//!
//! Here they run natively; `vectors.json` holds the same calls as bytes, for the gate's runtime, Node and the browser.
//! It is written by `PROVISO_BLESS=1 cargo test -p policy-evaluator --features validate --test golden`, and must not be
//! stale.

#[cfg(test)]
mod ask;
#[cfg(test)]
mod build;
#[cfg(test)]
mod case;
#[cfg(test)]
mod forbids;
#[cfg(test)]
mod play;
#[cfg(test)]
mod repeat;
#[cfg(test)]
mod summary;
#[cfg(test)]
mod vectors;

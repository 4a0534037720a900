//! One integration binary.

#[cfg(test)]
mod house;

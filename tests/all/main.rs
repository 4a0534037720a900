//! One integration binary.

mod house;

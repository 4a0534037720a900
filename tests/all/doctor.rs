//! Weak set-ups, each made of a good one by one change: the doctor tells of that one, and of nothing in the good one.

mod bundles;
mod flags;
mod records;
mod rows;
mod world;

//! `cargo xtask screenshots`: each page in light and dark, wide and narrow, for a person to look at.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::command::{cargo, command, run};
use crate::place::Place;
use crate::test::testing;
use crate::{assets, inputs, tools};

/// The tests that look at pages are called so: most of them once for each look.
const LOOKS: [&str; 19] = [
    "light, wide",
    "light, narrow",
    "dark, wide",
    "dark, narrow",
    "light and dark, wide and narrow",
    "look right",
    "palette",
    "made up",
    "pictures",
    "today",
    "strongest",
    "lock is set",
    "hidden",
    "before a restore",
    "waits to be confirmed",
    "activate a wider",
    "were chosen",
    "log is narrowed",
    "erase looks first",
];

/// Builds what is shown, plays the tests that look at pages, and says where the pictures are.
pub fn take(place: &Place) -> Result<()> {
    tools::install_all(place)?;
    assets::build_assets(place, false)?;
    run(cargo(place, &["build", "--package", "proviso"])?.arg("--quiet"))?;
    let folder = place.target.join("screenshots");
    inputs::remove(&folder)?;
    let mut looks = command(place, place.root.join("tests/e2e/node_modules/.bin/playwright"))?;
    looks.args(["test", "--project", "story", "--grep", &LOOKS.join("|")]).current_dir(place.root.join("tests/e2e"));
    run(testing(place, &mut looks)?.env("CARGO_TARGET_DIR", &place.target))?;
    let pictures = fs::read_dir(&folder).with_context(|| format!("no picture lies in `{}`", folder.display()))?.count();
    if pictures == 0 {
        bail!("no picture was taken");
    }
    println!("{pictures} pictures in {}", folder.display());
    Ok(())
}

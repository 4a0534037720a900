//! The page's code in several files: what the queue needs, and what is fetched behind it.
//!
//! The dashboard marks functions whose code is for later. The linked program still says what refers to what, so it can be
//! cut there; then the glue is made anew, for the part that comes first.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use wasm_split_cli_support::{Options, transform};

use crate::command::{command, run};
use crate::inputs;
use crate::place::Place;
use crate::trusted;

/// All that decides about what becomes of the files: whoever keeps them makes them anew when it is another.
pub const fn text() -> &'static str {
    include_str!("split.rs")
}

/// Cuts `linked`, the program that Trunk put into `folder` as a whole, and puts its parts there in its place. Where it is
/// to be `bare`, nobody wants the names of its functions.
pub fn split(place: &Place, folder: &Path, linked: &Path, bare: bool) -> Result<()> {
    let glue = trusted::glue(folder)?;
    let stem = glue.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let digest = stem.rsplit('-').next().unwrap_or_default();
    let parts = place.target.join("trunk/parts");
    inputs::remove(&parts)?;
    let (main, link) = (parts.join("main.wasm"), format!("./parts-{digest}.js"));
    let program = fs::read(linked).with_context(|| format!("cannot read `{}`", linked.display()))?;
    let page = format!("./{stem}.js");
    let mut options = Options::new(&program);
    (options.output_dir, options.main_out_path) = (&parts, &main);
    (options.main_module, options.link_name) = (&page, &link);
    let split = transform(options).map_err(|error| anyhow!("the dashboard cannot be cut: {error:#}"))?;
    let mut loader = fs::read_to_string(parts.join(&link)).context("no loader of the parts was written")?;
    for part in split.split_modules {
        let name = part.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Under the whole's digest: a page never loads a part of another build.
        let named = format!("{}-{digest}.wasm", name.trim_start_matches("split_").trim_end_matches(".wasm"));
        loader = loader.replace(&format!("\"./{name}\""), &format!("\"./{named}\""));
        fs::rename(&part, folder.join(named)).context("cannot move a part of the dashboard")?;
    }
    fs::write(folder.join(&link), loader).context("cannot write the loader of the parts")?;
    let mut bindgen = command(place, "wasm-bindgen")?;
    bindgen.args(["--target", "web", "--no-typescript", "--keep-lld-exports", "--out-name", &stem, "--out-dir"]);
    bindgen.arg(folder);
    if bare {
        bindgen.arg("--remove-name-section");
    }
    run(bindgen.arg(&main))
}

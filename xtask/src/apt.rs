//! Debian packages: the browser and its driver, Node, Python.

use anyhow::{Result, bail};

use crate::command::{command, output_of, run};
use crate::place::Place;

/// What a program on the search path needs: its Debian packages.
const PACKAGES: [(&str, &[&str]); 5] = [
    ("chromium", &["chromium", "fonts-dejavu-core"]),
    ("chromedriver", &["chromium-driver"]),
    ("node", &["nodejs"]),
    ("npm", &["npm"]),
    ("python3", &["python3", "python3-venv"]),
];

/// Installs the packages of every program that is missing, or says what to install.
pub fn install(place: &Place) -> Result<()> {
    let mut missing = Vec::new();
    for (program, packages) in PACKAGES {
        match place.which(program) {
            Some(path) => println!("    {program}: {}", path.display()),
            None => missing.extend_from_slice(packages),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    println!("    missing: {} (installing takes 1 to 3 minutes)", missing.join(" "));
    let mut id = command(place, "id")?;
    id.arg("-u");
    let root = output_of(id).is_some_and(|id| id == "0");
    let mut sudo = command(place, "sudo")?;
    sudo.args(["-n", "true"]);
    if place.which("apt-get").is_none() || !(root || output_of(sudo).is_some()) {
        bail!("install these and start again: {}", missing.join(" "));
    }
    for arguments in [vec!["update"], [vec!["install", "--yes", "--no-install-recommends"], missing].concat()] {
        let mut apt = command(place, if root { "apt-get" } else { "sudo" })?;
        if !root {
            apt.args(["-n", "apt-get"]);
        }
        apt.args(["-o", "DPkg::Lock::Timeout=120"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut apt)?;
    }
    Ok(())
}

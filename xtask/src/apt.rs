//! Debian packages: the browser and its driver, Node, Python.

use anyhow::{Result, bail};

use crate::command::{command, output_of, run};
use crate::place::Place;

/// What a program on the search path needs: its Debian packages.
const PACKAGES: [(&str, &[&str]); 6] = [
    ("chromium", &["chromium", "fonts-dejavu-core"]),
    ("chromedriver", &["chromium-driver"]),
    ("node", &["nodejs"]),
    ("npm", &["npm"]),
    ("python3", &["python3", "python3-venv"]),
    // The runbooks ask the gate with it, and tests run their commands.
    ("curl", &["curl"]),
];

/// Installs the packages of every program that is missing, or says what to install.
pub fn install(place: &Place) -> Result<()> {
    let mut missing = Vec::new();
    for (program, packages) in PACKAGES {
        match place.which(program) {
            Some(path) if is_whole(place, program)? => println!("    {program}: {}", path.display()),
            _ => missing.extend_from_slice(packages),
        }
    }
    if missing.is_empty() {
        return node_is_new_enough(place);
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
    node_is_new_enough(place)
}

/// Whether a program that is there can do what is asked of it. Debian's Python comes without what a virtual environment
/// is made of.
fn is_whole(place: &Place, program: &str) -> Result<bool> {
    if program != "python3" {
        return Ok(true);
    }
    let mut ask = command(place, program)?;
    ask.args(["-c", "import venv, ensurepip"]);
    Ok(output_of(ask).is_some())
}

/// The clients and servers of other authors need this one.
const NODE: u32 = 20;

fn node_is_new_enough(place: &Place) -> Result<()> {
    let mut ask = command(place, "node")?;
    ask.arg("--version");
    let told = output_of(ask).unwrap_or_default();
    match major(&told) {
        Some(version) if version >= NODE => Ok(()),
        _ => bail!(
            "node says `{}`: install {NODE} or newer, which Debian 13 has and Debian 12 has not, and start again",
            told.trim()
        ),
    }
}

/// The first number of `v20.19.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn versions_are_told_by_their_first_number() {
        for (text, expected) in [("v20.19.2\n", Some(20)), ("v9", Some(9)), ("20.1", None), ("", None), ("v.1", None)] {
            assert_eq!(major(text), expected, "{text}");
        }
    }
}

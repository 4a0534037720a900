//! The folder that a demo plays in.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::roles;
use crate::assets;

/// What the sample bundle calls the folder that the files server serves.
const WRITTEN_ROOT: &str = "/srv/files";
/// The file of a bundle that says who is in what.
const ENTITIES: &str = "entities.json";

/// A demo's folder: the gate's data, the served files, the tokens.
#[derive(Debug, Clone)]
pub struct Place {
    base: PathBuf,
}

impl Place {
    /// What the gate's data folder is called, below the demo's folder.
    pub const DATA: &str = "data";

    /// Makes, or finds again, the folders below `base`.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn open(base: &Path) -> io::Result<Self> {
        for folder in ["", "files/reports", "files/drafts", "tokens"] {
            DirBuilder::new().recursive(true).mode(0o700).create(base.join(folder))?;
        }
        let place = Self { base: base.canonicalize()? };
        let first = place.files().join("week-46.md");
        if !first.exists() {
            fs::write(first, "# Week 46\n\nOrders up 4 %, returns flat.\n")?;
        }
        Ok(place)
    }

    /// The gate's data folder.
    pub fn data(&self) -> PathBuf {
        self.base.join(Self::DATA)
    }

    /// Where the proxies keep the heads that they saw: a demo's record is another than its user's gates'.
    pub fn state(&self) -> PathBuf {
        self.base.join("state")
    }

    /// The folder that the files server serves.
    pub fn files(&self) -> PathBuf {
        self.base.join("files")
    }

    /// A file that holds one token.
    pub fn token(&self, name: &str) -> PathBuf {
        self.base.join("tokens").join(name)
    }

    /// Writes a token where its owner alone can read it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_token(&self, name: &str, token: &str) -> io::Result<()> {
        let options = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(self.token(name));
        options?.write_all(token.as_bytes())
    }

    /// The sample bundle, about this demo's files, with a role for everybody.
    pub fn bundle(&self) -> BTreeMap<String, String> {
        let files = self.files().display().to_string();
        let about_here = |text: String| text.replace(WRITTEN_ROOT, &files);
        let mut bundle: BTreeMap<String, String> =
            assets::sample_bundle().into_iter().map(|(path, text)| (path, about_here(text))).collect();
        if let Some(entities) = bundle.get_mut(ENTITIES)
            && let Some(with_roles) = roles::with_roles(entities)
        {
            *entities = with_roles;
            bundle.extend(assets::demo_console());
        }
        bundle
    }
}

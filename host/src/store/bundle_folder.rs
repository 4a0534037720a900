//! Reads a bundle's folder, once: no links followed, nothing but what a bundle holds.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use thiserror::Error;

/// How many bytes a bundle may have in all.
const LARGEST_BUNDLE: u64 = 16 * 1024 * 1024;
/// The folders of a bundle.
const FOLDERS: [&str; 5] = ["scope", "guardrails", "approval/request", "approval/approve", "console"];
/// The files at its top.
const FILES: [&str; 3] = ["schema.cedarschema", "entities.json", "bundle.toml"];
/// The folder of the bundle's tables: nobody's policy, and under no digest.
const TABLES: &str = "tests";

/// Why a folder cannot be read as a bundle.
#[derive(Debug, Error)]
pub enum BundleFolderError {
    /// A file or folder.
    #[error("`{path}` cannot be read: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A link, a device, a pipe.
    #[error("`{0}` is neither a file nor a folder; links are not followed")]
    NotAFile(String),
    /// Something that a bundle does not hold.
    #[error("`{0}` does not belong in a bundle")]
    Stray(String),
    /// Not UTF-8.
    #[error("`{0}` is not UTF-8 text")]
    NotText(String),
    /// Too many bytes.
    #[error("the bundle has more than {LARGEST_BUNDLE} bytes")]
    TooLarge,
}

/// Every file of a bundle by its path with `/`.
///
/// # Errors
/// When something in the folder is no regular file, does not belong in a bundle, is not text or is too large.
pub fn read(folder: &Path) -> Result<BTreeMap<String, String>, BundleFolderError> {
    let mut files = BTreeMap::new();
    let mut left = LARGEST_BUNDLE;
    walk(folder, "", &mut left, &mut files)?;
    Ok(files)
}

/// The tables of a bundle by their path with `/`, `tests/*.toml`; none where it has no such folder.
///
/// # Errors
/// When something in the folder is no regular file, no table, is not text or is too large.
pub fn read_tables(folder: &Path) -> Result<BTreeMap<String, String>, BundleFolderError> {
    let (mut files, mut left) = (BTreeMap::new(), LARGEST_BUNDLE);
    let folder = folder.join(TABLES);
    match fs::symlink_metadata(&folder) {
        Ok(found) if found.is_dir() => walk(&folder, TABLES, &mut left, &mut files)?,
        Ok(_) => return Err(BundleFolderError::NotAFile(TABLES.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(BundleFolderError::File { path: folder.display().to_string(), source }),
    }
    Ok(files)
}

fn walk(
    folder: &Path,
    prefix: &str,
    left: &mut u64,
    files: &mut BTreeMap<String, String>,
) -> Result<(), BundleFolderError> {
    let unreadable = |source| BundleFolderError::File { path: folder.display().to_string(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().into_string().map_err(|name| BundleFolderError::NotText(format!("{name:?}")))?;
        // Editors' and version control's own files are nobody's policy.
        if name.starts_with('.') || name.ends_with('~') || (prefix.is_empty() && name.ends_with(".md")) {
            continue;
        }
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            if path == TABLES {
                continue;
            }
            let known = prefix != TABLES && (path == "approval" || FOLDERS.contains(&path.as_str()));
            if !known {
                return Err(BundleFolderError::Stray(path));
            }
            walk(&entry.path(), &path, left, files)?;
        } else if kind.is_file() {
            let ours = match prefix {
                "" => FILES.contains(&path.as_str()),
                TABLES => path.ends_with(".toml"),
                _ => path.ends_with(".cedar"),
            };
            if !ours || prefix == "approval" {
                return Err(BundleFolderError::Stray(path));
            }
            let bytes =
                fs::read(entry.path()).map_err(|source| BundleFolderError::File { path: path.clone(), source })?;
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            *left = left.checked_sub(size).ok_or(BundleFolderError::TooLarge)?;
            let text = String::from_utf8(bytes).map_err(|_| BundleFolderError::NotText(path.clone()))?;
            files.insert(path, text);
        } else {
            return Err(BundleFolderError::NotAFile(path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_bundle_holds_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("approval/request")).unwrap();
        fs::create_dir(root.join("scope")).unwrap();
        fs::write(root.join("bundle.toml"), "x").unwrap();
        fs::write(root.join(".swp"), "x").unwrap();
        fs::write(root.join("scope/read.cedar"), "permit").unwrap();
        fs::write(root.join("approval/request/write.cedar"), "permit").unwrap();
        let files: Vec<_> = read(root).unwrap().into_keys().collect();
        assert_eq!(files, ["approval/request/write.cedar", "bundle.toml", "scope/read.cedar"]);

        std::os::unix::fs::symlink("/etc/hostname", root.join("scope/link.cedar")).unwrap();
        assert!(matches!(read(root), Err(BundleFolderError::NotAFile(path)) if path == "scope/link.cedar"));
        fs::remove_file(root.join("scope/link.cedar")).unwrap();

        // Tables are read apart, and are no part of the bundle.
        assert_eq!(read_tables(root).unwrap(), BTreeMap::new());
        fs::create_dir(root.join("tests")).unwrap();
        fs::write(root.join("tests/a.toml"), "x").unwrap();
        assert!(!read(root).unwrap().contains_key("tests/a.toml"));
        assert_eq!(read_tables(root).unwrap().into_keys().collect::<Vec<_>>(), ["tests/a.toml"]);
        for stray in ["tests/a.cedar", "tests/more"] {
            if stray.contains('.') { fs::write(root.join(stray), "x") } else { fs::create_dir(root.join(stray)) }
                .unwrap();
            assert!(matches!(read_tables(root), Err(BundleFolderError::Stray(path)) if path == stray), "{stray}");
            if stray.contains('.') { fs::remove_file(root.join(stray)) } else { fs::remove_dir(root.join(stray)) }
                .unwrap();
        }

        for stray in ["scope/policy.txt", "notes.txt", "approval/lost.cedar"] {
            fs::write(root.join(stray), "x").unwrap();
            assert!(matches!(read(root), Err(BundleFolderError::Stray(path)) if path == stray), "{stray}");
            fs::remove_file(root.join(stray)).unwrap();
        }
        fs::create_dir(root.join("extra")).unwrap();
        assert!(matches!(read(root), Err(BundleFolderError::Stray(path)) if path == "extra"));
    }
}

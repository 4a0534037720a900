//! Brotli forms of what the gate serves, made when it is built: nothing is compressed while somebody waits for an answer.
//!
//! Each is read back before it is kept, and lies beside the file that it is a form of, with one more ending.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use brotli::enc::BrotliEncoderParams;
use brotli::{BrotliCompress, BrotliDecompress};

use crate::inputs;

/// What a form's name has behind that of its file.
pub const ENDING: &str = ".br";

/// The kinds of files that are text or code; all others are packed already, or too small to matter.
const KINDS: [&str; 5] = ["html", "css", "js", "wasm", "svg"];

/// How far back a form may refer, as a power of two in bytes: the most that every browser takes.
const WINDOW: i32 = 24;

/// What is done to make a file small.
#[derive(Clone, Copy)]
pub enum Effort {
    /// As little as is worth it, for what is built again and again and read on the same machine.
    Little,
    /// All that can be done, for what is deployed.
    Most,
}

impl Effort {
    const fn quality(self) -> i32 {
        match self {
            Self::Little => 2,
            Self::Most => 11,
        }
    }

    /// All that decides about the forms: whoever keeps them makes them anew when it is another.
    pub fn text(self) -> String {
        format!("brotli {} {WINDOW} {KINDS:?}", self.quality())
    }
}

/// Makes the form of one file, at a path of the caller's choice. Returns the bytes of both.
pub fn file(from: &Path, to: &Path, effort: Effort) -> Result<(usize, usize)> {
    let plain = fs::read(from).with_context(|| format!("cannot read `{}`", from.display()))?;
    let form = compress(&plain, effort).with_context(|| format!("cannot compress `{}`", from.display()))?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let sizes = (plain.len(), form.len());
    fs::write(to, form).with_context(|| format!("cannot write `{}`", to.display()))?;
    Ok(sizes)
}

/// Makes a form beside each file of a folder, and of the folders in it, that gets smaller by it.
pub fn folder(folder: &Path, effort: Effort) -> Result<()> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    // Those of files that are here no more, or are others.
    for form in files.iter().filter(|path| has_ending(path, ENDING.trim_start_matches('.'))) {
        inputs::remove(form)?;
    }
    files.retain(|path| KINDS.iter().any(|kind| has_ending(path, kind)));
    let sizes = thread::scope(|scope| {
        let work: Vec<_> = files.iter().map(|path| scope.spawn(move || beside(path, effort))).collect();
        work.into_iter()
            .map(|one| one.join().map_err(|_| anyhow!("a thread that compressed a file has panicked"))?)
            .collect::<Result<Vec<_>>>()
    })?;
    let sum = |pick: fn(&(usize, usize)) -> usize| sizes.iter().map(pick).sum::<usize>() / 1000;
    println!("    brotli: {} files, {} KB as {} KB", sizes.len(), sum(|both| both.0), sum(|both| both.1));
    Ok(())
}

/// The form of a file where there is one, else the file: what goes out to a browser.
pub fn smallest(file: &Path) -> PathBuf {
    let form = form_of(file);
    if form.is_file() { form } else { file.to_owned() }
}

fn beside(path: &Path, effort: Effort) -> Result<(usize, usize)> {
    let form = form_of(path);
    let (plain, compressed) = file(path, &form, effort)?;
    if compressed < plain {
        return Ok((plain, compressed));
    }
    inputs::remove(&form)?;
    Ok((plain, plain))
}

fn form_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ENDING);
    name.into()
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn compress(mut plain: &[u8], effort: Effort) -> Result<Vec<u8>> {
    let expected = plain;
    let parameters = BrotliEncoderParams {
        quality: effort.quality(),
        lgwin: WINDOW,
        size_hint: plain.len(),
        ..BrotliEncoderParams::default()
    };
    let mut form = Vec::new();
    BrotliCompress(&mut plain, &mut form, &parameters)?;
    let mut back = Vec::with_capacity(expected.len());
    BrotliDecompress(&mut form.as_slice(), &mut back)?;
    if back != expected {
        bail!("what comes back is not what was compressed");
    }
    Ok(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gets_smaller_has_a_form_beside_it_and_nothing_else_has() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("snippets")).unwrap();
        let text = "the same words again and again, ".repeat(100);
        let (packed, others) =
            (["index.html", "base.css", "snippets/glue.js", "code.wasm", "icon.svg"], ["picture.png", "notes.txt"]);
        for name in packed.iter().chain(&others) {
            fs::write(at(name), &text).unwrap();
        }
        fs::write(at("short.js"), "x").unwrap();
        fs::write(at("empty.css"), "").unwrap();
        // Left behind by a file that is here no more.
        fs::write(at("gone.js.br"), "old").unwrap();
        for effort in [Effort::Little, Effort::Most, Effort::Most] {
            folder(place.path(), effort).unwrap();
            for name in packed {
                let form = fs::read(at(&format!("{name}.br"))).unwrap();
                let mut back = Vec::new();
                BrotliDecompress(&mut form.as_slice(), &mut back).unwrap();
                assert!(back == text.as_bytes() && form.len() < text.len() / 10, "{name}: {} bytes", form.len());
                assert_eq!(smallest(&at(name)), at(&format!("{name}.br")));
            }
            for name in ["picture.png", "notes.txt", "short.js", "empty.css", "gone.js"] {
                assert!(!at(&format!("{name}.br")).exists(), "{name}");
                assert_eq!(smallest(&at(name)), at(name));
            }
            assert!(!at("index.html.br.br").exists(), "a form has no form");
        }
    }

    #[test]
    fn every_byte_comes_back_whatever_the_effort() {
        let mut plain = Vec::new();
        for number in 0u32..60_000 {
            plain.extend((number.wrapping_mul(2_654_435_761) >> (number % 24)).to_le_bytes());
        }
        for effort in [Effort::Little, Effort::Most] {
            assert!(compress(&plain, effort).unwrap().len() < plain.len());
            assert!(!compress(b"", effort).unwrap().is_empty());
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_told_by_its_name() {
        let place = tempfile::tempdir().unwrap();
        let error = file(&place.path().join("none.js"), &place.path().join("none.js.br"), Effort::Most).unwrap_err();
        assert!(error.to_string().contains("none.js`"), "{error:#}");
        assert!(folder(&place.path().join("nowhere"), Effort::Most).is_err());
    }
}

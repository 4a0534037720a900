//! What an earlier start compiled: `DATA/cache`. A file that is not ours, or of another compiler, is a miss.

use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use policy_core::digest::Digest;
use wasmtime::{Engine, Module};

const CODE_BYTES: usize = 32;

/// A folder of compiled modules, each under an authentication code of the gate's own.
pub struct Cache<'a> {
    folder: PathBuf,
    code: &'a dyn Fn(&[u8]) -> Digest,
}

impl<'a> Cache<'a> {
    /// What the code is for, under the gate's key.
    pub const CODE: &'static [u8] = b"proviso-compiled-module-v1\0";

    /// The cache in this data folder. `code` authenticates bytes under a key that only the gate has.
    pub fn new(data: &Path, code: &'a dyn Fn(&[u8]) -> Digest) -> Self {
        Self { folder: data.join("cache"), code }
    }

    fn file(&self, engine: &Engine, digest: &Digest) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder.join(format!("{digest}-{:016x}", hasher.finish()))
    }

    /// The module, when an earlier start of this very compiler kept it.
    pub(super) fn read(&self, engine: &Engine, digest: &Digest) -> Option<Module> {
        let kept = fs::read(self.file(engine, digest)).ok()?;
        let (code, compiled) = kept.split_at_checked(CODE_BYTES)?;
        if (self.code)(&covered(digest, compiled)).as_bytes() != code {
            tracing::warn!("a compiled module in the cache is not what the gate wrote; it is compiled again");
            return None;
        }
        load(engine, compiled)
    }

    /// Keeps a module. A disk that does not take it costs the next start its two seconds, nothing else.
    pub(super) fn write(&self, module: &Module, digest: &Digest) {
        let written = module.serialize().map_err(std::io::Error::other).and_then(|compiled| {
            if !self.folder.exists() {
                DirBuilder::new().mode(0o700).create(&self.folder)?;
            }
            let file = self.file(module.engine(), digest);
            if file.exists() && self.read(module.engine(), digest).is_some() {
                return Ok(());
            }
            let mut bytes = (self.code)(&covered(digest, &compiled)).as_bytes().to_vec();
            bytes.extend_from_slice(&compiled);
            let half = file.with_extension("new");
            fs::write(&half, bytes)?;
            fs::rename(&half, &file)
        });
        if let Err(error) = written {
            tracing::warn!(%error, "the compiled module could not be kept");
        }
    }
}

/// What the code covers: which module it is said to be, and the bytes.
fn covered(digest: &Digest, compiled: &[u8]) -> Vec<u8> {
    let mut bytes = digest.as_bytes().to_vec();
    bytes.extend_from_slice(compiled);
    bytes
}

#[expect(unsafe_code, reason = "compiled code is trusted only under the gate's own authentication code")]
fn load(engine: &Engine, compiled: &[u8]) -> Option<Module> {
    // SAFETY: the bytes carry a code that only this gate can have written, over this very content: they are the output
    // of `Module::serialize`. Another version of the compiler is refused by the runtime itself.
    let module = unsafe { Module::deserialize(engine, compiled) };
    module.ok()
}

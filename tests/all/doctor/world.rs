//! A good set-up, and what the doctor says of it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use proviso_tests::{Binary, OtherUser, copy_folder};
use serde_json::Value;

/// Who takes heads: nobody on this machine.
pub const HEAD: &str = r#"
[[head]]
name = "siem"
webhook = { url = "https://events.acme.example/heads", secrets = [{ file = "SECRET" }] }
"#;

/// Who takes all of it: nobody on this machine.
pub const COPY: &str = r#"
[[copy]]
name = "collector"
https = { url = "https://collector.acme.example/proviso", token = { file = "SECRET" } }
"#;

const NOTIFY: &str = r#"
[[webhook]]
name = "siem"
url = "https://events.acme.example/proviso"
secrets = [{ file = "SECRET" }]
"#;

/// A secret of a webhook; a collector takes it as its token as well.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A folder with all that a gate is started with.
pub struct World {
    folder: tempfile::TempDir,
    /// More on the command line.
    pub more: Vec<String>,
    /// Options to leave out.
    pub without: BTreeSet<&'static str>,
}

impl World {
    /// A good one, without a record.
    pub fn good() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let world = Self { folder, more: Vec::new(), without: BTreeSet::new() };
        copy_folder(&sample(), &world.path("bundle")).expect("a copy of the sample bundle");
        let config = world.path("bundle").join("bundle.toml");
        let text = fs::read_to_string(&config).expect("a file");
        fs::write(config, format!("{text}\n[record]\nwait_for_copy = [\"high\"]\n")).expect("a file");
        close(&world.path("bundle"));
        world.write("secret", SECRET);
        world.mode("secret", 0o600);
        world.record(&[HEAD, COPY]);
        world.write("notify.toml", &NOTIFY.replace("SECRET", &world.text("secret")));
        world.write("retention.toml", "[keep]\narguments = \"90d\"\n");
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a file that others can only read.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
        self.mode(name, 0o644);
    }

    /// Says where the record goes besides.
    pub fn record(&self, receivers: &[&str]) {
        self.write("record.toml", &receivers.concat().replace("SECRET", &self.text("secret")));
    }

    pub fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("a mode");
    }

    /// Another text in a file of the bundle.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = format!("bundle/{file}");
        let text = fs::read_to_string(self.path(&path)).expect("a file of the bundle");
        assert!(text.contains(from), "`{from}` stands in {file}");
        self.write(&path, &text.replace(from, to));
    }

    /// A gate on this world's bundle.
    pub fn gate(&self, more: &[&str]) -> Binary {
        Binary::serve_bundle_apart(&self.path("data"), &self.path("bundle"), more)
    }

    /// Gives the data folder to a user of its own, where that can be done.
    pub fn own(&self) {
        if let Some(nobody) = OtherUser::find() {
            give(&self.path("data"), nobody.uid());
        }
    }

    /// More on the command line.
    pub fn say(&mut self, words: &[&str]) {
        self.more.extend(words.iter().map(|word| (*word).to_owned()));
    }

    /// Exit code, and the codes that are told, each with a message and a remedy.
    pub fn told(&self) -> (Option<i32>, BTreeSet<String>) {
        let (exit, json) = self.told_json();
        let weaknesses = json["weaknesses"].as_array().unwrap_or_else(|| panic!("{json}"));
        let codes = weaknesses.iter().map(|weakness| {
            for member in ["message", "help"] {
                assert!(weakness[member].as_str().is_some_and(|text| !text.is_empty()), "{weakness}");
            }
            weakness["code"].as_str().expect("a code").to_owned()
        });
        (exit, codes.collect())
    }

    /// Whether this is told.
    pub fn tells(&self, code: &str) -> bool {
        self.told().1.contains(code)
    }

    pub fn told_json(&self) -> (Option<i32>, Value) {
        let mut words = vec!["doctor".to_owned(), "--json".to_owned()];
        let options = [
            ("--bundle", "bundle"),
            ("--data", "data"),
            ("--record", "record.toml"),
            ("--notify", "notify.toml"),
            ("--retention", "retention.toml"),
        ];
        for (option, name) in options {
            if !self.without.contains(option) && (option != "--data" || self.path("data").exists()) {
                words.extend([option.to_owned(), self.text(name)]);
            }
        }
        words.extend(self.more.iter().cloned());
        let output = Binary::run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}")))
    }
}

/// Holds that one change of a good one makes the doctor tell of it, and that it ends as that is grave or not.
pub fn tells(code: &str, change: impl FnOnce(&mut World)) {
    let mut world = World::good();
    change(&mut world);
    let (exit, told) = world.told();
    assert!(told.contains(code), "`{code}` is not told: {told:?}");
    let grave = super::rows::grave();
    let expected = if told.iter().any(|code| grave.contains(code.as_str())) { 2 } else { 0 };
    assert_eq!(exit, Some(expected), "{told:?}");
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample")
}

/// Takes everybody's right to write away, whatever the clone was made with.
fn close(path: &Path) {
    let mode = if path.is_dir() { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    if path.is_dir() {
        fs::read_dir(path).expect("a folder").for_each(|entry| close(&entry.expect("an entry").path()));
    }
}

fn give(path: &Path, uid: u32) {
    // A socket of a gate that has ended is nobody's any more.
    let _ = chown(path, Some(uid), None);
    if path.is_dir() {
        fs::read_dir(path).expect("a folder").for_each(|entry| give(&entry.expect("an entry").path(), uid));
    }
}

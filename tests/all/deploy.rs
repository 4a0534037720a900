//! What lies in `deploy/` fits the binary: each option is there, the unit is one, the image is nobody's root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proviso_tests::Binary;
use serde_json::{Value, json};

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(deploy(name)).unwrap()
}

/// Holds that these words are a command of the binary and options that it takes.
fn holds(words: &[&str]) {
    let (command, options) = words.split_first().expect("a command");
    let help = String::from_utf8(Binary::run(&[command, "--help"]).stdout).unwrap();
    let known: Vec<&str> = help.split([' ', '\n', ',']).collect();
    for option in options.iter().filter(|word| word.starts_with("--")) {
        assert!(known.contains(option), "`{command}` takes no `{option}`");
    }
}

#[test]
fn the_unit_starts_what_there_is_as_a_user_of_its_own_and_is_one() {
    let unit = read("proviso.service");
    let line = |name: &str| {
        let found = unit.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        found.unwrap_or_else(|| panic!("no `{name}`"))
    };
    let words: Vec<&str> = line("ExecStart").split(' ').skip(1).collect();
    holds(&words);
    assert_ne!(line("User"), "root");
    for (name, value) in [("NoNewPrivileges", "yes"), ("ProtectSystem", "strict"), ("StateDirectoryMode", "0700")] {
        assert_eq!(line(name), value);
    }
    assert!(line("ExecReload").contains("-HUP"));
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return;
    }
    // As it is, but for program and user: systemd wants them to be there.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proviso.service");
    let placed = unit.replace("/usr/local/bin/proviso", &Binary::path().display().to_string());
    let placed = placed.replace("User=proviso", "User=daemon").replace("Group=proviso", "Group=daemon");
    fs::write(&path, placed).unwrap();
    let mut analyze = Command::new("systemd-analyze");
    let output = analyze.args(["verify", "--man=no", "--recursive-errors=no"]).arg(&path).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    // What is wrong with other units of this machine is not ours.
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("proviso.service")).collect();
    assert!(ours.is_empty(), "{told}");
}

#[test]
fn the_image_runs_as_a_user_of_its_own_and_starts_what_there_is() {
    let image = read("Containerfile");
    let line = |name: &str| image.lines().rfind(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
    let user = line("USER ").trim_start_matches("USER ");
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    let words: Vec<String> = serde_json::from_str(line("CMD ").trim_start_matches("CMD ")).unwrap();
    holds(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(line("ENTRYPOINT ").contains("/usr/local/bin/proviso"));
    assert!(line("VOLUME ").contains("/var/lib/proviso"));
    assert!(!image.contains("\nADD ") && !image.contains("0777"), "{image}");
    // What it copies is there, or is what the release build makes.
    for copied in image.lines().filter(|line| line.starts_with("COPY ")) {
        let from = copied.split(' ').skip(1).find(|word| !word.starts_with("--")).unwrap();
        assert!(from == "target/release/proviso" || deploy("..").join(from).exists(), "{from}");
    }
}

#[test]
fn the_file_of_settings_is_one_with_all_that_stands_in_its_comments() {
    let folder = tempfile::tempdir().unwrap();
    let whole: String = read("proviso.toml")
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.split(' ').nth(1) == Some("=") => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert!(whole.contains("\ntls-cert = "), "{whole}");
    for text in [read("proviso.toml"), whole] {
        let path = folder.path().join("proviso.toml");
        fs::write(&path, &text).unwrap();
        let (path, none) = (path.display().to_string(), folder.path().join("none").display().to_string());
        // The command line wins, so that this machine's own gate is left alone: what comes to be missed is the bundle.
        let serve = Binary::run(&["serve", "--json", "--config", &path, "--data", &none, "--bundle", &none]);
        let told: Value = serde_json::from_slice(&serve.stdout).unwrap();
        assert_eq!(told["error"]["code"], json!("bundle_unreadable"), "{told}");
    }
}

#[test]
fn settings_come_from_the_command_line_before_the_environment_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proviso.toml");
    let told = |text: &str, words: &[&str], variables: &[(&str, &str)]| {
        fs::write(&path, text).unwrap();
        let mut command = Command::new(Binary::path());
        command.args(["doctor", "--json", "--config", &path.display().to_string()]).args(words);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    };
    let file = "listen = \"0.0.0.0:0\"\npublic-url = \"ftp://file.example\"\nsingle-user = true\n";
    let refused = told(file, &[], &[]);
    assert_eq!(refused["error"]["code"], json!("bad_public_url"), "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|message| message.contains("file.example")));
    let variables = [("PROVISO_PUBLIC_URL", "https://env.example"), ("PROVISO_SINGLE_USER", "false")];
    let refused = told(file, &[], &variables);
    assert_eq!(refused["error"]["code"], json!("listen_without_tls"), "{refused}");
    let is_single = |told: &Value| told["weaknesses"].to_string().contains("single_user");
    let fine = told(file, &["--listen", "127.0.0.1:0"], &variables);
    assert!(fine["weaknesses"].is_array() && !is_single(&fine), "{fine}");
    let fine = told(file, &["--listen", "127.0.0.1:0", "--public-url", "https://word.example"], &[]);
    assert!(is_single(&fine), "the file says so: {fine}");
    // What is no setting is refused.
    for text in ["listn = \"x\"\n", "activate = \"x\"\n", "single-user = \"yes\"\n", "listen = [\n"] {
        let refused = told(text, &[], &[]);
        assert_eq!(refused["error"]["code"], json!("bad_settings"), "{text}: {refused}");
        assert!(refused["error"]["help"].is_string());
    }
}

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

/// What a unit says of this; one that goes on over lines as one line.
fn line<'a>(unit: &'a str, name: &str) -> &'a str {
    let found = unit.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no `{name}`"))
}

/// Holds that a unit starts what there is, as a user of its own, and that systemd takes it for one.
fn holds_unit(name: &str, user: &str) -> String {
    let unit = read(name).replace("\\\n", " ");
    let words: Vec<&str> = line(&unit, "ExecStart").split_whitespace().skip(1).collect();
    holds(&words);
    assert_eq!((line(&unit, "User"), line(&unit, "Group")), (user, user));
    for (name, value) in [
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
        ("CapabilityBoundingSet", ""),
        ("PrivateTmp", "yes"),
        ("ProtectHome", "yes"),
    ] {
        assert_eq!(line(&unit, name), value, "{name}");
    }
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return unit;
    }
    // As it is, but for program and user: systemd wants them to be there.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let placed = unit.replace("/usr/local/bin/proviso", &Binary::path().display().to_string());
    let placed = placed.replace(&format!("User={user}\n"), "User=daemon\n");
    let placed = placed.replace(&format!("Group={user}\n"), "Group=daemon\n");
    fs::write(&path, placed).unwrap();
    let mut analyze = Command::new("systemd-analyze");
    let output = analyze.args(["verify", "--man=no", "--recursive-errors=no"]).arg(&path).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    // What is wrong with other units of this machine is not ours.
    let ours: Vec<&str> = told.lines().filter(|line| line.contains(name)).collect();
    assert!(ours.is_empty(), "{told}");
    unit
}

#[test]
fn the_unit_starts_what_there_is_as_a_user_of_its_own_and_is_one() {
    let unit = holds_unit("proviso.service", "proviso");
    assert!(line(&unit, "ExecReload").contains("-HUP"));
}

#[test]
fn the_unit_of_the_proxy_holds_its_secrets_in_files_of_its_own_user() {
    let unit = holds_unit("proviso-mcp.service", "proviso-mcp");
    let start = line(&unit, "ExecStart");
    let words: Vec<&str> = start.split_whitespace().collect();
    assert_eq!(words[1], "mcp", "{start}");
    // Whoever lists processes sees no secret: each stands in a file of the folder that its user alone enters.
    for option in ["--token-file", "--upstream-credential"] {
        let place = words.iter().position(|word| *word == option).unwrap_or_else(|| panic!("no {option}"));
        assert!(words[place + 1].starts_with("/etc/proviso-mcp/"), "{option} {}", words[place + 1]);
    }
    assert!(!words.iter().any(|word| ["--token", "--credential"].contains(word)), "{start}");
    assert_eq!(
        (line(&unit, "ConfigurationDirectory"), line(&unit, "ConfigurationDirectoryMode")),
        ("proviso-mcp", "0700")
    );
    // What it names of its environment is what its words ask for, and nothing else.
    let said: std::collections::BTreeSet<&str> =
        words.iter().filter_map(|word| word.strip_prefix("${")?.strip_suffix('}')).collect();
    assert_eq!(said.into_iter().collect::<Vec<_>>(), ["GATE", "RESOURCE", "SERVER", "UPSTREAM"]);
    let comment = read("proviso-mcp.service");
    assert!(comment.contains("# GATE, SERVER, RESOURCE and UPSTREAM"));
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

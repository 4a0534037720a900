//! Two gates of one data folder, a demo's folder, somebody else's folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use proviso_tests::Binary;

use super::failure;

fn serve(data: &Path) -> Output {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample").display().to_string();
    let data = data.display().to_string();
    Binary::run(&["serve", "--json", "--listen", "127.0.0.1:0", "--bundle", &bundle, "--data", &data])
}

#[tokio::test]
async fn a_second_gate_does_not_open_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Binary::serve(&data);
    assert_eq!(failure(&serve(&data)), (Some(69), "data_folder_in_use".to_owned()));
    // The first one goes on, socket and all.
    let parties = super::parties(&first);
    let call = proviso_tests::write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    assert_eq!(parties.evaluate(&call).await.json()["decision"], true);
    first.kill();
    let second = Binary::serve(&data);
    let parties = proviso_tests::Parties { client: second.client.clone(), ..parties };
    assert_eq!(parties.evaluate(&call).await.json()["decision"], true, "credentials outlive the process");
}

#[test]
fn a_demos_folder_is_no_gates() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Binary::serve(&data).kill();
    let marker = data.join("proviso-data");
    assert_eq!(fs::read_to_string(&marker).unwrap().trim(), "gate");
    fs::write(&marker, "demo\n").unwrap();
    assert_eq!(failure(&serve(&data)), (Some(69), "wrong_data_folder".to_owned()));
}

#[test]
fn a_folder_of_other_files_or_open_to_others_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("letter.txt"), "dear").unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(failure(&serve(&data)), (Some(69), "not_a_data_folder".to_owned()));
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(failure(&serve(&data)), (Some(69), "data_folder_open".to_owned()));
    assert_eq!(fs::read_to_string(data.join("letter.txt")).unwrap(), "dear");
}

#[test]
fn beyond_loopback_only_behind_tls() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample").display().to_string();
    let arguments = ["serve", "--json", "--listen", "0.0.0.0:0", "--bundle", &bundle, "--data", &data];
    assert_eq!(failure(&Binary::run(&arguments)).0, Some(64));
    let plain = [&arguments[..], &["--public-url", "http://gate.example"]].concat();
    assert_eq!(failure(&Binary::run(&plain)).0, Some(64));
}

//! A disk that is full: what stops something is recorded all the same, in space that was kept for it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::super::testing::FakeClock;
use super::*;

/// Where the small disk is, for the test in its own name space.
const SMALL_DISK: &str = "PROVISO_TEST_SMALL_DISK";

/// Writes into a file until no byte fits any more.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("filler");
    let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
    for size in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
    path
}

/// Runs itself once more, in name spaces of its own where a small disk can be mounted by anybody.
#[test]
fn a_full_disk_denies_all_and_still_records_revokes_locks_and_the_end() {
    if let Ok(disk) = std::env::var(SMALL_DISK) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return runtime.block_on(on_a_small_disk(Path::new(&disk)));
    }
    let folder = tempfile::tempdir().unwrap();
    let name = std::thread::current().name().unwrap().to_owned();
    let script = "mount -t tmpfs -o size=24m,mode=700 tmpfs \"$1\" && exec \"$2\" --exact \"$3\" --nocapture";
    let run = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(SMALL_DISK, folder.path())
        .output()
        .expect("`unshare` of util-linux");
    assert!(run.status.success(), "{run:?}");
    assert!(String::from_utf8_lossy(&run.stdout).contains("1 passed"), "{run:?}");
}

async fn on_a_small_disk(disk: &Path) {
    let folder = Arc::new(tempfile::tempdir_in(disk).unwrap());
    let clock = FakeClock::new("2026-11-22T12:00:00Z");
    let gate = Gate::open(folder, clock, |_| {}).await.unwrap();
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let path = "/srv/files/reports/q3.md";
    let id = caller.ask(app, &tool("write_file", path, "c1"), None).await.unwrap();
    let grant = approve(app, "mara", &id, None).await.unwrap().unwrap();
    let mara = person(app, "mara").await;

    let filler = fill(disk);
    // R1: some bytes may have been left in the file's last page, but they do not last.
    let mut denied = false;
    for n in 0..200 {
        let read = caller.evaluate(app, tool("read_file", "/srv/files/a.md", &format!("f{n}"))).await;
        denied |= !read.decision;
        fill(disk);
    }
    assert!(denied, "the disk is full");
    assert_eq!(app.ready(), Err("record_unavailable"));
    assert_eq!(app.revoke(&mara, &grant, "wrong file").await.unwrap().state, "revoked");
    lock(app, &mara, LockTarget::Task("close-q4".into())).await.unwrap();
    assert_eq!(app.ready(), Err("record_unavailable"), "what is kept is for stops alone");
    let read = caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c2")).await;
    assert_eq!((read.decision, read.context.reason.as_str()), (false, "record_unavailable"));
    app.end_task(&mara, "close-q3", "nothing works").await.unwrap();
    app.stopped().await.unwrap();

    // After the restart it is all there.
    std::fs::remove_file(&filler).unwrap();
    let gate = gate.again().await.unwrap();
    let app = &gate.app;
    assert_eq!(app.ready(), Ok(()));
    let mara = person(app, "mara").await;
    assert_eq!(app.exception(&mara, &id).await.unwrap().state, "revoked");
    assert_eq!(app.locks(&mara).locks.len(), 1);
    assert!(app.is_task_over("close-q3"));
    let other = Caller { agent: agent(app, "close-q5", None).await, point: caller.point };
    assert!(other.evaluate(app, tool("read_file", "/srv/files/a.md", "c3")).await.decision);
    // And space is kept again.
    let kept = gate.folder.path().join("data/reserve");
    assert!(kept.exists());
}

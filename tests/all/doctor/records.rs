//! What the record tells.

use proviso_tests::{Binary, Story, write_file};

use super::world::World;

fn run(world: &World, words: &[&str]) {
    let data = world.text("data");
    let output = Binary::run(&[words, &["--data", &data]].concat());
    assert!(output.status.success(), "{words:?}: {output:?}");
}

#[test]
fn how_a_gate_was_started_is_told_by_its_record() {
    let world = World::good();
    world.gate(&["--single-user"]).stop();
    world.own();
    assert!(world.tells("single_user"), "the last start counts");
    // Another bundle lies there than the one that decides.
    assert!(!world.tells("other_bundle_active"));
    world.edit("bundle.toml", "# From weakest", "# The tiers, from weakest");
    assert!(world.tells("other_bundle_active"));
    // What is not the record that was signed is read by nobody.
    std::fs::write(world.path("data/heads/ledger"), "x").unwrap();
    let (exit, json) = world.told_json();
    assert_eq!(exit, Some(65), "{json}");
}

#[test]
fn owners_that_left_or_are_others_and_tokens_for_everybody_are_told_while_the_gate_runs() {
    let world = World::good();
    let gate = world.gate(&[]);
    assert!(!world.tells("single_user") && !world.tells("owner_left"));
    let mint = |name: &str, subjects: &str| {
        run(&world, &["token", "enforcement-point", "--name", name, "--subjects", subjects, "--servers", "files"]);
        world.tells("point_for_everybody")
    };
    assert!(!mint("narrow", "Agent::spiffe://acme.example/*") && mint("wide", "Agent::*"));
    run(&world, &["owner", "departed", "jun", "--reason", "left"]);
    assert!(world.tells("owner_left"), "by the bundle");
    let agent = "Agent::spiffe://acme.example/agent/intern-bot";
    run(&world, &["owner", "hand-over", "--agent", agent, "--to", "User::kit", "--reason", "jun left"]);
    let (_, told) = world.told();
    assert!(told.contains("owners_disagree") && !told.contains("owner_left"), "{told:?}");
    run(&world, &["owner", "departed", "kit", "--reason", "left, too"]);
    assert!(world.tells("owner_left"), "by a hand-over");
    gate.stop();
}

#[tokio::test]
async fn what_waits_after_a_restore_is_told() {
    let world = World::good();
    let gate = world.gate(&["--single-user"]);
    let parties = crate::gate::parties(&gate);
    parties.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    assert!(!world.tells("restore_unconfirmed"));
    let backup = world.text("backup");
    run(&world, &["backup", "--to", &backup]);
    gate.stop();
    std::fs::rename(world.path("data"), world.path("lost")).unwrap();
    run(&world, &["restore", "--from", &backup, "--reason", "the disk broke"]);
    world.gate(&["--single-user"]).stop();
    assert!(world.tells("restore_unconfirmed"));
}

#[tokio::test]
async fn a_clock_that_is_doubted_is_told() {
    let story = Story::begin().await;
    let told = async || {
        let data = story.gate.data().display().to_string();
        let run = move || Binary::run(&["doctor", "--json", "--data", &data]);
        let output = tokio::task::spawn_blocking(run).await.expect("it ran");
        String::from_utf8_lossy(&output.stdout).contains("clock_doubted")
    };
    assert!(!told().await);
    story.gate.clock.set_back(3_600);
    // Whatever is asked next notices it.
    story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c")).await;
    assert!(told().await);
}

#[tokio::test]
async fn who_comes_in_by_links_alone_is_told() {
    let world = World::good();
    let gate = world.gate(&["--single-user"]);
    assert!(!world.tells("link_alone"));
    crate::gate::sign_in(&gate, "mara").await;
    assert!(world.tells("link_alone"));
    gate.stop();
}

//! What we say first, and what we say of each attacker: nobody takes it out by the way.

use super::{read, root};

/// The attackers of the design, in its order.
const ATTACKERS: [&str; 8] = [
    "agent, own user and host",
    "agent, same operating-system user as the gate",
    "enforcement point",
    "one approver",
    "operator",
    "network",
    "database host",
    "gate host, root",
];

#[test]
fn the_readme_says_first_under_which_user_the_gate_runs() {
    let readme = read(&root().join("README.md"));
    let first = readme.lines().find(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(first, Some("**Run the gate under a user that no agent can become.**"));
}

#[test]
fn security_says_of_each_attacker_what_holds_and_what_does_not() {
    let security = read(&root().join("SECURITY.md"));
    let header = "| attacker | holds | does not hold, and we say so |";
    let rows = security.lines().skip_while(|line| *line != header).skip(2).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect();
    let attackers: Vec<&str> = rows.iter().filter_map(|row| row.first().copied()).collect();
    assert_eq!(attackers, ATTACKERS);
    for row in rows {
        assert!(row.len() == 3 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}

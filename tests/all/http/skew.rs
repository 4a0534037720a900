//! A gate's clock that somebody sets, back and forth, around the 30 seconds that it may be wrong by (R6).

use std::sync::Arc;

use proviso::app::Operator;
use proviso_tests::{Setup, Story, TestClock, TestGate, write_file};

use super::{allowed, denied, granted, verdict};

const APPROVED: &str = "/srv/files/reports/b.md";
const IN_SCOPE: &str = "/srv/files/drafts/a.md";

async fn started() -> (Story, Arc<TestClock>) {
    let clock = Arc::new(TestClock::new());
    (Story::on(TestGate::with(Setup { clock: Arc::clone(&clock), ..Setup::default() }).await).await, clock)
}

#[tokio::test]
async fn r6_a_clock_that_is_half_a_minute_off_is_believed_and_one_second_more_is_not() {
    proviso_tests::clauses!("c4-7-skew", "c4-7-set-back");
    for (set_back, believed) in
        [(-3_600, false), (-31, false), (-30, true), (-1, true), (1, true), (30, true), (31, false), (3_600, false)]
    {
        let (story, clock) = started().await;
        granted(&story).await;
        // Time that passes on both clocks is no skew.
        clock.advance(60);
        clock.set_back(set_back);
        let expected = if believed { allowed("exception") } else { denied("clock_unsafe") };
        let used = story.evaluate(&write_file("report-writer", APPROVED, "u1")).await;
        assert_eq!(verdict(&used), expected, "set back by {set_back} s");
        // Delegated scope hangs on no clock.
        assert_eq!(verdict(&story.evaluate(&write_file("report-writer", IN_SCOPE, "d1")).await), allowed("scope"));
        // Set right again by whoever set it wrong: what was doubted stays doubted until an operator says otherwise.
        clock.set_back(-set_back);
        let again = story.evaluate(&write_file("report-writer", APPROVED, "u2")).await;
        assert_eq!(verdict(&again), expected, "set back by {set_back} s, and right again");
        if !believed {
            let operator = Operator { uid: 0, name: "root".to_owned() };
            story.gate.app.trust_clock(&operator, "the time server was wrong").await.unwrap();
            let trusted = story.evaluate(&write_file("report-writer", APPROVED, "u3")).await;
            assert_eq!(verdict(&trusted), allowed("exception"), "set back by {set_back} s, and trusted");
        }
    }
}

#[tokio::test]
async fn r6_no_skew_that_is_believed_moves_the_end_of_a_grant() {
    proviso_tests::clauses!("c4-7-end");
    // Seconds that the wall clock is set back by just before the end, and whether the grant is live a second before it.
    for (set_back, live_before) in [(-30, false), (0, true), (30, true)] {
        for (seconds, live) in [(15 * 60 - 1, live_before), (15 * 60, false)] {
            let (story, clock) = started().await;
            granted(&story).await;
            clock.advance(seconds);
            clock.set_back(set_back);
            let answer = story.evaluate(&write_file("report-writer", APPROVED, "u1")).await;
            assert_eq!(verdict(&answer).0, live, "{seconds} s, set back by {set_back}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn r6_a_restart_forgets_no_time_and_believes_no_clock_behind_its_record() {
    proviso_tests::clauses!("c4-7-restart");
    for (set_back, believed) in [(30, true), (31, false), (86_400, false)] {
        let (story, clock) = started().await;
        granted(&story).await;
        clock.set_back(set_back);
        let gate = story.gate.again(Setup { clock: Arc::clone(&clock), ..Setup::default() }).await;
        let story = Story::on(gate).await;
        let answer = story.evaluate(&write_file("report-writer", APPROVED, "u1")).await;
        let expected = if believed { allowed("exception") } else { denied("clock_unsafe") };
        assert_eq!(verdict(&answer), expected, "{set_back}");
    }
}

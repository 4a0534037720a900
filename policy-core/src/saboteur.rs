//! Planted faults: each takes one check of one rule out, turns it round or does it too late.
//!
//! Only a test build with `--cfg saboteur` compiles them, and there one is chosen at run time; every other build
//! compiles [`sabotaged!`](crate::sabotaged) to `false`, and nothing of this module. `tests/saboteurs.toml` says which
//! test catches which fault; `cargo xtask nightly --only saboteurs` plants each and expects that test to fail.

/// The faults, in a fixed order: a module without imports is told the position.
#[cfg(saboteur)]
pub const NAMES: &[&str] = &[
    "r1_unrecorded",
    "r1_failure_allows",
    "r1_reply_first",
    "r1_failed_sync_trusted",
    "r1_waits_for_ever",
    "r1_copy_not_awaited",
    "r2_guardrails_removed",
    "r2_open_scopes_left_out",
    "r2_error_ignored",
    "r2_grant_first",
    "r2_erased_past_begins_anew",
    "r2_narrower_without_guardrail",
    "r3_subject",
    "r3_task",
    "r3_chain",
    "r3_enforcement_point",
    "r3_server",
    "r3_tool",
    "r3_resource",
    "r3_arguments",
    "r3_uses_late",
    "r3_state_believed",
    "r3_use_back_early",
    "r3_repeat_apart",
    "r3_evidence_of_others",
    "r3_any_task",
    "r3_build",
    "r3_proof_again",
    "r3_any_certificate",
    "r3_unbound_use",
    "r3_vouched_use",
    "r4_unsigned_vote",
    "r4_unsigned_act",
    "r4_operators_door",
    "r4_challenge_again",
    "r4_passkey_of_another",
    "r4_handle_of_another",
    "r4_cloned_passkey",
    "r4_new_passkey_counts",
    "r6_late_challenge",
    "r7_ended_passkey_signs",
    "r9_signature_unchecked",
    "r3_any_resource",
    "r3_session_of_anybody",
    "r3_stray_answers_use_a_grant",
    "r4_requester",
    "r4_owner",
    "r4_stranger",
    "r4_one_is_enough",
    "r4_older_version",
    "r4_not_judged_again",
    "r4_owner_before",
    "r4_hand_over_forgotten",
    "r4_deputy_of_party",
    "r4_two_on_a_seat",
    "r4_stranger_hands_over",
    "r4_handed_to_anybody",
    "r4_console_not_asked",
    "r4_blind_vote",
    "r4_one_does_what_takes_two",
    "r4_next_bundle_by_one",
    "r4_one_matter_tried",
    "r4_erased_by_one",
    "r4_own_erasure",
    "r4_state_unbound",
    "r4_own_person",
    "r4_link_makes_more",
    "r4_new_person_votes",
    "r4_one_administrator",
    "r4_invited_by_one",
    "r4_second_yes_by_the_first",
    "r4_invited_by_who_left",
    "r4_operator_agrees",
    "r4_recovered_beside_another",
    "r4_recovered_at_once",
    "r4_attempt_again",
    "r4_answer_of_another_issuer",
    "r4_azp_ignored",
    "r4_at_hash_ignored",
    "r4_account_moves",
    "r4_step_up_lasts",
    "r4_step_up_by_another",
    "r4_step_up_twice",
    "r4_unmapped_group",
    "r4_anybody_named",
    "r4_one_activates",
    "r4_proposer_votes",
    "r4_own_role_activated",
    "r4_vote_for_another_list",
    "r4_stale_list_activates",
    "r4_nobody_activates_next",
    "r4_operator_activates",
    "r4_module_by_one",
    "r4_certificate_of_anybody",
    "r4_any_trust_domain",
    "r5_widens",
    "r5_renewals_at_once",
    "r6_grant_outlives",
    "r6_late_vote",
    "r6_late_erasure",
    "r6_clock_believed",
    "r6_idle_session_lives",
    "r6_expired_token_believed",
    "r7_revoke_ignored",
    "r7_lock_ignored",
    "r7_unrecorded_stop_dropped",
    "r7_old_credential_believed",
    "r7_stop_overtaken",
    "r7_ended_token_believed",
    "r7_outlives_its_session",
    "r8_limit_allows",
    "r8_unknown_entity",
    "r8_duplicate_members",
    "r8_step_up_offered",
    "r8_no_copy_ignored",
    "r8_signature_believed",
    "r8_own_signature_believed",
    "r8_any_audience",
    "r8_old_keys_believed",
    "r8_proof_not_asked",
    "r8_certificate_usage",
    "r8_unbound_offered",
    "r8_unknown_caller_let_in",
    "r9_unsigned_believed",
    "r9_fork_honoured",
    "r9_shorter_log",
    "r9_epoch_ignored",
    "r9_newer_head_ignored",
    "r9_snapshot_of_anybody",
    "r9_snapshot_ahead",
    "r9_mismatch_believed",
    "r9_erased_in_snapshot",
    "r10_other_question",
    "r10_module_not_kept",
    "r11_meta_kept",
    "r4_withdrawn_vote_counts",
    "r11_odd_characters",
    "r11_undecodable_not_raised",
    "r11_reported_acts",
];

/// The chosen fault's position, plus one; nothing is sabotaged at zero.
#[cfg(saboteur)]
static CHOSEN: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// The variable by which a test chooses a fault.
#[cfg(saboteur)]
pub const VARIABLE: &str = "PROVISO_SABOTEUR";

/// Chooses the fault at this position of [`NAMES`].
#[cfg(saboteur)]
pub fn choose(position: usize) {
    CHOSEN.store(position.saturating_add(1), std::sync::atomic::Ordering::Relaxed);
}

/// The position of the chosen fault.
#[cfg(saboteur)]
pub fn chosen() -> Option<usize> {
    CHOSEN.load(std::sync::atomic::Ordering::Relaxed).checked_sub(1)
}

/// Whether this fault is the chosen one.
#[cfg(saboteur)]
pub fn is(name: &str) -> bool {
    chosen().and_then(|position| NAMES.get(position)).is_some_and(|chosen| *chosen == name)
}

/// Whether a fault whose name begins so is the chosen one: for a layer that would catch what another lets through.
#[cfg(saboteur)]
pub fn is_any(prefix: &str) -> bool {
    chosen().and_then(|position| NAMES.get(position)).is_some_and(|chosen| chosen.starts_with(prefix))
}

/// Whether the fault of this name is planted: `false`, but in a test build with `--cfg saboteur`.
#[macro_export]
macro_rules! sabotaged {
    ($name:literal) => {{
        #[cfg(saboteur)]
        let planted = $crate::saboteur::is($name);
        #[cfg(not(saboteur))]
        let planted = false;
        planted
    }};
    (any $prefix:literal) => {{
        #[cfg(saboteur)]
        let planted = $crate::saboteur::is_any($prefix);
        #[cfg(not(saboteur))]
        let planted = false;
        planted
    }};
}

//! What to do about a refusal, by its stable code. Where a place knows better, it says so itself.

use policy_core::lifecycle::Rejection;
use policy_core::outcome::words_of;

/// What to do about a refusal with this code, by the gate or by the proxy; nothing where each place says it itself.
pub fn remedy(code: &str) -> Option<&'static str> {
    // What a denial is called is said once, for the proxy and the page, too.
    if let Some(words) = words_of(code) {
        return words.help;
    }
    Some(match code {
        // What was sent.
        "bad_json" | "trailing_text" | "bad_string" => "send one JSON value in UTF-8, and nothing after it",
        "duplicate_member" => "give each member once",
        "bad_number" => "send whole numbers within 2^53, and others in a form that loses nothing",
        "too_deep" => "send at most 32 levels",
        "too_large" => "send at most 1 MiB, and of a bundle 8",
        "too_slow" => "send the body without pauses",
        "bad_shape" | "bad_request" | "bad_header" => "send what API.md and /api/v1/openapi.json describe",
        "unsupported_media_type" => "send `content-type: application/json`",
        "method_not_allowed" => "see /api/v1/openapi.json for what each address takes",
        "not_found" => "see /api/v1/openapi.json for the addresses that there are",
        "bad_state" => "ask for one of the states that API.md names",
        "bad_name" => "use letters, digits, `-`, `_`, `.` and `:`",
        "bad_target" => "name exactly one thing that exists",
        "overloaded" => "ask again after the seconds that `Retry-After` says",
        "claim_conflict" => "leave out of the body what the credential says",
        // What was said over MCP.
        "not_an_object" | "not_json_rpc" => "send one JSON-RPC 2.0 message a line, as an object, and no batch",
        "no_id" => "give each request and each answer an id: a string or a whole number",
        "id_on_notification" => "send a notification without an id",
        "bad_method" => "name the method, as a string",
        "bad_params" => "send `params` as the protocol describes them for this method",
        "bad_answer" => "answer with one of `result` and `error`, as an object",
        "unknown_member" => "leave out what the protocol does not know in this place",
        "no_exchange" => "look at what the call changed, if it was begun, and make it again without answers",
        "no_such_tool" => "take the tool's name from `tools/list`",
        // What was said over MCP's Streamable HTTP.
        "not_acceptable" => "accept `application/json` and `text/event-stream`; `GET` takes the latter alone",
        "header_mismatch" => {
            "let `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name` and `Mcp-Param-…` say what the body says; list the tools \
             again where one wants its arguments mirrored"
        }
        "unsupported_version" => "speak one of the versions in `supported`",
        "version_differs" => "name the version that was agreed upon in `initialize`",
        "unknown_method" => "ask for what `server/discover` says that there is",
        "nothing_asked" => "answer within the call that asked, by `inputResponses`",
        "session_needed" => "begin a session by `initialize`, or name the version 2026-07-28, which has none",
        "session_begun" => "leave `Mcp-Session-Id` out of `initialize`",
        "no_session_here" | "session_over" => "begin a new session by `initialize`",
        "no_stream_here" => {
            "follow the session without `Last-Event-ID`, and look at what the call changed before it is made again"
        }
        "id_in_use" => "give each request of a session an id of its own",
        "too_many_sessions" | "too_many_calls" | "too_many_callers" => "end some, or wait for them to end",
        "too_many_headers" => "send at most 64 headers",
        "only_post" => "send messages by `POST`; a session of 2025-11-25 is followed by `GET` and ended by `DELETE`",
        "proxy_not_known" => "the operator mints the proxy a new token by `token enforcement-point --resource URL`",
        "no_endpoint" => "use the resource that /.well-known/oauth-protected-resource names",
        "token_in_address" => "send it in `Authorization` alone, and have this one revoked: it stands in logs now",
        "no_subject" => "send an agent's token: a proxy's own, or another's, is nobody to ask for",
        "resource_differs" => {
            "the operator mints the proxy's token with `token enforcement-point --resource URL`, and the URL that the proxy \
             is started with"
        }
        // Who asks.
        "no_credential" | "unauthenticated" => {
            "send a live bearer token from `proviso token agent` or `enforcement-point`"
        }
        "token_malformed" | "token_header" => {
            "send a compact JWS of at most 8 KiB, without `crit`, `jku`, `x5u`, `jwk` and `x5c` in its header"
        }
        "token_type" => {
            "send a JWT-SVID (`typ` absent, `JWT` or `JOSE`), an access token (`typ: at+jwt`), or one of the gate's own as it was printed"
        }
        "token_issuer" => "the operator names the issuer in the file of `serve --identities`",
        "token_algorithm" => "the issuer's entry in the file of `serve --identities` lists its `algorithms`",
        "token_key" => {
            "sign with a key that the issuer publishes; a new one is seen within half a minute; one of the gate's own is minted anew by `proviso token`"
        }
        "issuer_keys_unavailable" => {
            "ask again; if it stays so, the operator looks whether the issuer's keys can be had"
        }
        "token_signature" => "send the token as its issuer signed it",
        "token_audience" => {
            "get a token for where it is shown: the gate, as its issuer's entry says, or the proxy's own `--resource`"
        }
        "token_claim" => "docs/identities.md lists the claims that a token must have",
        "token_expired" => {
            "get a new token or certificate from the issuer; one of the gate's own is minted anew by `proviso token`"
        }
        "token_not_signed" => "the operator mints a new one by `proviso token agent` or `enforcement-point`",
        "token_not_yet" => "look at the issuer's clock; up to a minute of difference is allowed",
        "token_too_long" => "get one that lives no longer than `longest` of the issuer's entry",
        "token_trust_domain" => "send the JWT-SVID of a workload of a configured trust domain",
        "token_chain" => "`may_name` of the issuer's entry says of which other issuers it may name somebody in `act`",
        "token_binding" => {
            "send `Authorization: DPoP TOKEN` with a fresh proof in `DPoP`, made for this method and address, or come with the client certificate that it is bound to; see docs/identities.md"
        }
        "certificate_malformed" | "certificate_name" | "certificate_usage" => {
            "show an X.509-SVID: a leaf that signs, with exactly one SPIFFE ID; see docs/identities.md"
        }
        "certificate_untrusted" => {
            "the operator names the trust domain with `certificates` in the file of `serve --identities`; send the certificates that lead to its authority, too"
        }
        "certificate_alone" => {
            "an agent sends a token that is bound to its certificate; `[[enforcement_point]]` names points"
        }
        "certificates_without_tls" => {
            "serve with `--tls-cert` and `--tls-key`: only then does the gate see client certificates"
        }
        "may_not_vouch" => {
            "send the agent's token; the operator lets a point vouch by `--vouches`, or `vouches = true`"
        }
        "bad_vouching" => "docs/identities.md says what `Proviso-Vouched` holds",
        "chain_unclear" => "let the human stand at the end of the chain, as `sub`",
        "task_missing" => "get a token whose task claim (`txn`, or `task` of the issuer's entry) says the task",
        "subject_not_mapped" => "`[issuers]` in `bundle.toml` says who the subjects of an issuer are",
        "not_a_workload" => "send a token in which an agent acts: as its subject, or as `act` on a person's behalf",
        "credential_ended" => "the operator has ended it by `proviso token revoke`; ask with another identity",
        "unknown_issuer" => "take the issuer's name from the file of `serve --identities`",
        "bad_identities" => "docs/identities.md says what the file of `--identities` holds",
        "credential_of_earlier_epoch" => "the operator mints a new one by `proviso token`; docs/restore.md says why",
        "no_subject_token" => "send the agent's token as `Proviso-Subject-Token`",
        "no_session" | "signed_out" | "bad_link" | "link_used" => "sign in with a link from `proviso token approver`",
        "sign_in_not_begun_here" | "sign_in_over" | "other_issuer" => "begin to sign in again, in this browser",
        "bad_logout_token" => "send a logout token that is signed for this gate and was made just now",
        "passkeys_unavailable" => {
            "the operator gives the gate a name by `--public-url https://…`; on one machine `http://localhost:PORT` will do"
        }
        "challenge_over" => "begin again: a challenge is good once, for five minutes",
        "other_challenge" => "begin again, in this session and for this",
        "bad_assertion" => "try again on the gate's own page; docs/passkeys.md says what is checked",
        "unknown_passkey" => "use a passkey that stands on your page, or sign in otherwise and add one",
        "passkey_cloned" => {
            "sign in otherwise, end the passkey on your page, and find out who has a copy of it; the finding stays until then"
        }
        "passkey_taken" => "use the passkey that is there, or another authenticator",
        "too_many_passkeys" => "end one that you do not need",
        "no_such_passkey" => "take the passkey from the list of your own",
        "bad_label" => "give it a name of 1 to 64 characters",
        "no_passkey" => "add a passkey on your page",
        "passkey_too_new" => "vote by a passkey that you have had for a day, or wait",
        "session_idle" => "sign in again",
        "unknown_session" => "take the session from the list of your own, or from `proviso session list`",
        "own_page_needed" => "make it on your own page, in the browser that you signed in with",
        "link_for_command_line" => "give it to a command, in `PROVISO_LINK` or a file of `--link`",
        "too_many_links" => "use or end one on your page, or wait a quarter of an hour",
        "no_step_up" => "sign in by a provider whose `acr` the operator's file says is worth more",
        "other_account" => "authenticate by the account that you are signed in by",
        "sign_in_refused" => "sign in again; if it stays so, whoever runs the provider says why",
        "bad_id_token" => {
            "sign in again; if it stays so, the operator looks at the gate's log and the provider's settings"
        }
        "provider_unavailable" => "try again in a while, or sign in with a link from `proviso token approver`",
        "sign_in_busy" => "try again in a moment",
        "unknown_provider" => "take the provider from the sign-in page",
        "bad_return_to" => "name a page of this gate by its path",
        "unknown_account" => "the operator writes the account beside your name into the file of `--sign-in`",
        "account_of_another" => "sign in by your own account; whose one is, the record says for good",
        "session_key_missing" => "use the page that signed in, or sign in again",
        "not_an_enforcement_point" => "ask through an enforcement point: its token as bearer, the agent's beside it",
        "not_for_this_subject" => "mint a token whose subjects name this agent",
        "not_for_this_server" | "server_needed" => "name a server that the enforcement point's token is for",
        "chain_too_long" | "chain_loops" => {
            "name each agent between the subject and the human once, eight hops at most"
        }
        "no_requester" => "mint the agent's token with `--for USER`",
        "not_a_demo" => "sign in with a link from `proviso token approver`",
        "unknown_host" => "open the gate under the name that `--public-url` says, or its own address",
        "unknown_origin" | "cross_site" => "use the gate's own page",
        "not_yours" => "let its owner do it",
        "new_person" => Rejection::NewPerson.help(),
        "one_administrator" => Rejection::OneAdministrator.help(),
        "own_person" => "let another administrator do it; your own sessions end on the page `You`",
        "own_invitation" => "let the person who is invited open the link, in a browser of their own",
        "same_person" => "let another person who may do it agree",
        "enrolled_already" => "they sign in as before, or the operator mints a link by `proviso token approver`",
        "not_enrolled" => "invite them first",
        "proposed_already" => "agree to what waits, or take it back first",
        "too_many_proposals" => "agree to some of those that wait, or take them back",
        "unknown_member_proposal" => "take the id from the page `People`",
        "proposal_over" => "look at the page `People`; begin it anew where it is still wanted",
        "proposer_gone" => "begin it anew",
        "not_an_invitation" => "let another administrator agree on the page `People`",
        "second_administrator_exists" => "let them agree on the page `People`",
        "link_void" => "ask for a new one: an administrator invites, or the operator runs `proviso admin enrol`",
        "link_unwritable" => "look at the disk and the modes of the data folder, and ask again",
        "no_administrators" => {
            "permit `administer` to people of the bundle in its `console/`; docs/console.md says how"
        }
        "not_an_administrator" => "name somebody whom the bundle's `console/` permits `administer`",
        "administrator_exists" => {
            "let them invite others; one who is lost is said to have left by `proviso owner departed`"
        }
        "recover_instead" => "`proviso admin recover` lets another one in, after a day",
        "enrol_instead" => "`proviso admin enrol` makes the first administrator's link",
        "recovery_under_way" => "wait for it, or stop it by `proviso admin recover --stop --reason TEXT`",
        "no_recovery" => "there is nothing to stop or to go on with; `proviso admin recover --reason TEXT` begins one",
        "record_doubted" => "the operator keeps the data folder as it is, and runs `proviso audit verify`",
        "record_unverified" => "ask again once `proviso_record_verified` says `whole`: it is being read",
        "clock_doubted" => "see to the clock, then `proviso trust-clock`",
        "bundle_changed" => "look at the page again, and do it again where you still may",
        "bad_account" => "take the `sub` from the refusal that the person was shown when they tried to sign in",
        "linked_already" => "they sign in by it",
        "unknown_account_link" => "take the account from the person's page; one of the operator's file is ended there",
        "not_permitted_here" => Rejection::NotPermittedHere.help(),
        "second_person_needed" => "let the bundle's author take `@persons` off what this gate lets one person do",
        // What is there.
        "unknown_exception" | "unknown_task" => "take the id from the queue, or from the reply to the request",
        "unknown_record" | "unknown_grant" | "unknown_lock" | "unknown_evaluation" | "unknown_position" => {
            "take the id from the history"
        }
        "unknown_finding" => "take the id from the list of findings",
        "bad_evidence" => "say who acted, what ran and when, as docs/reconcile.md describes it",
        "evidence_conflict" => "give another execution, or another word on it, a name or a phase of its own",
        "outcome_needed" => "say `expected`, `fixed` or `misuse` with `resolved`, and no outcome with another state",
        "unknown_agent" => "take the agent from the bundle's entities",
        "departed_person" => "name somebody who is there; `proviso owner returned` says that they are",
        "owns_already" => "name somebody else",
        "unknown_deputy" => "take the id from the list of deputies; either of the two ends it",
        "unknown_delivery" => "take the id from the list of deliveries that were given up",
        "task_ended" => "ask in another task: one that has ended does not come again",
        "unknown_token" => "take the id from `proviso token list`",
        "not_witnessed" => "look whether the operator's file names a witness, and at the record's page how it fares",
        "unknown_person" => "take it from the bundle's entities",
        "unknown_bundle" => "load the page again: another bundle may be active",
        "unknown_proposal" => "take the digest from the list of proposals, or propose it",
        "stale_list" => "look at what the bundle changes now; where another one became active, propose it again",
        "proposal_refused" => "say why it should be active after all, and propose it again",
        "already_active" => "nothing is to be done",
        "module_unusable" => "give the `policy.wasm` that `cargo xtask build` makes",
        "own_change" => "let others activate what is about you",
        "not_the_proposer" => "let two others look at it; who proposes is no second pair of eyes",
        "too_few_may_activate" => "change each of these people in a bundle of its own, so that others are left",
        "nobody_activates" => "permit `activate` on the gate to two people of entities.json at least",
        "own_way_in" => {
            "they sign in by it; where it is lost, `proviso session revoke --user ID` ends it and a day later a link is made, \
             and the last administrator comes back by `proviso admin recover`"
        }
        "invitation_needed" => "an administrator invites them on the page People",
        "too_much_to_compare" => {
            "keep the permits in `console/` as they are, or say `@persons(\"2\")` on all of them that one is on today, and \
             let these look at no task, and at owners and requester only for whether they are the principal"
        }
        "link_not_encrypted" => "take a link of the gate's address by `https`, or run the command on the gate's host",
        "one_does_alone" => "say `@persons(\"2\")` on the permits in `console/` that allow it",
        "people_activate" => "propose it by `proviso bundle propose`",
        "no_link" => {
            "make a link on your page \"You\", or get one by `proviso token approver`, and give it in `PROVISO_LINK` or a file of `--link`"
        }
        "stale_sheet" => "look at the exception again, and vote on what is there now",
        "nothing_selected" => "name one of a person, an agent and a record, or an age with `--older-than`",
        "never_erased" => "records of the gate itself, of bundles and of erasures are what the rest is held against",
        "unknown_log" => "the logs are `ledger` and `decisions/main`; in addresses `decisions-main`",
        "bad_class" => "the classes stand in docs/erasure.md",
        "on_hold" => "wait until the operator lifts the hold: `proviso hold list` shows it",
        "nothing_to_erase" => "look at what stays and why; what is younger than eight days stays until it is older",
        "unknown_erasure" => "take the id from the page `Retention`",
        "erasure_over" => "look at the page `Retention`; propose it anew where it is still wanted",
        "other_erasure" => "look at what it would erase, and say whom or what it is about as it was proposed",
        "unknown_hold" => "`proviso hold list` shows the holds",
        "bad_retention" => "docs/erasure.md says what the file of `--retention` holds",
        "payload_erased" => "nobody can show it any more; `proviso audit verify` counts what was erased",
        "reason_needed" => Rejection::ReasonNeeded.help(),
        "justification_needed" => "say why in `context.business_justification`",
        "duplicate_request" => "use a new `Idempotency-Key` for another request",
        "expired_denial" | "invalid_denial_binding" => "make the call again, and answer that denial, unaltered",
        "not_requestable" => Rejection::NotRequestable.help(),
        "invalid_task_state" => "look at how the request stands",
        "task_expired" => "ask again",
        "too_many_credentials" => {
            "wait for `Retry-After`, or go on with a token that says what one before it said; the issuer keeps task and build the same over a task"
        }
        "too_many_looks" => "wait for `Retry-After`: what you looked at before is still being looked up",
        "too_often" => "wait for `Retry-After`; nothing was done",
        "too_many_requests" => "wait until some of the open ones are decided, or take some back",
        "bad_scope" => Rejection::BadScope.help(),
        "bad_group" => Rejection::BadGroup.help(),
        // The gate itself.
        "no_dashboard" => "run `cargo xtask build`, which builds it",
        "no_randomness" | "internal_error" => {
            "ask again; if it stays so, the operator looks at the gate's log and disk"
        }
        // The command line.
        "usage" => "`proviso --help`, and `--help` behind a command, say what it takes",
        "bad_bundle" => "`proviso bundle check` says everything that is wrong with it",
        "question_unreadable" => "give a file that holds an AuthZEN evaluation request, or send one to standard input",
        "bad_public_url" => "give scheme, host and port alone, such as `https://proviso.example`",
        "listen_without_tls" => {
            "give `--tls-cert` and `--tls-key`, or `--behind-proxy` with the proxy's `--public-url https://…`, or listen \
             on 127.0.0.1"
        }
        "public_url_needed" => "say by `--public-url https://…` which name people and agents use",
        "public_url_without_tls" => "give `--public-url` with `https://`",
        "tls_name_mismatch" => {
            "give a certificate for the name in `--public-url`, or the name that the certificate is for"
        }
        "tls_file_unreadable" => "check the paths of `--tls-cert` and `--tls-key`, and who may read them",
        "tls_no_certificate" => "give a certificate in PEM, its chain behind it",
        "tls_no_key" => "give its private key in PEM, without a passphrase",
        "tls_key_open" => "take the others' rights away: `chmod o-rwx` on the file of the key",
        "tls_key_unusable" => "take a key of RSA, ECDSA (P-256, P-384) or Ed25519",
        "tls_key_of_another" => "give the key that the certificate was made for",
        "tls_certificate_expired" => "renew the certificate",
        "tls_certificate_not_yet" => "look at the clocks of this machine and of whoever signs certificates",
        "tls_needed" => "ask by `https://`",
        "no_tls" => "give a certificate with a key of RSA, ECDSA or Ed25519",
        "bad_settings" => "docs/settings.md says what the file of `--config` holds",
        "not_looked_at" => "run it as the user who may read what is given, or as root",
        "cannot_listen" => "give another address with `--listen`",
        "bad_sign_in_file" => "docs/sign-in.md says what the file of `--sign-in` holds",
        "bad_record_file" => "docs/copies.md says what the file of `--record` holds",
        "cannot_notify" => "docs/notify.md says what the file of `--notify` holds",
        "no_folder" => "give a folder that you may write to with `--data`",
        "no_signals" | "no_runtime" => "look at the limits of processes and open files of this user",
        "no_cast" => "the lines on standard error say what stopped it; start the demo again",
        "client_gone" => "start it from an MCP client, which keeps standard input and output open",
        "gate_unreadable" => "use the `proviso` that the gate itself was started with",
        _ => return None,
    })
}

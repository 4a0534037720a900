//! What goes over the wire, in a notation short enough to be read whole.
//!
//! `NAME: member type, member? type, …` — a `?` stands behind what may be absent, `[T]` is a list of T, a capital letter
//! begins another schema's name. `NAME= word word …` gives the words that a text is one of. `NAME| Schema Schema …` is
//! any one of these.

use serde_json::{Map, Value, json};

const SCHEMAS: &str = r#"
Problem: type string, title string, status integer, detail string, code string, help? string
Configuration: policy_decision_point string, access_evaluation_endpoint string, access_evaluations_endpoint string, search_subject_endpoint string, search_resource_endpoint string, search_action_endpoint string, access_request_endpoint string, jwks_uri string, capabilities [string]
EntityRef: type string, id string
Hop: type string, id string, issuer string
Entity: type string, id string, properties? object
Action: name string, properties? object
EvaluationRequest: subject Entity, action Action, resource Entity, context? object
EvaluationsRequest: subject? Entity, action? Action, resource? Entity, context? object, evaluations? [object], options? EvaluationsOptions
EvaluationsOptions: evaluations_semantic? Semantic
Semantic= execute_all deny_on_first_deny permit_on_first_permit
EvaluationsReply| BatchReply EvaluationReply
BatchReply: evaluations [ItemReply]
ItemReply: decision boolean, context object
Wanted: type string
PageRequest: token? string, limit? integer
PageReply: next_token string, count integer
SubjectSearch: subject Wanted, action Action, resource Entity, context? object, page? PageRequest
ResourceSearch: subject Entity, action Action, resource Wanted, context? object, page? PageRequest
ActionSearch: subject Entity, resource Entity, context? object, page? PageRequest
SearchReply: page PageReply, results [object]
JwkSet: keys [object]
EvaluationReply: decision boolean, context ReplyContext
ReplyContext: evaluation_id string, evaluated_at timestamp, reason string, message string, help? string, access_request? AccessRequestOffer, approval? ApprovalRef, next_action? string, retry_after? integer, proviso.dev/valid_for? integer, proviso.dev/repeated? boolean, proviso.dev/input_digest? digest, proviso.dev/grant? GrantHint
GrantHint: id string, state string
ApprovalRef: id string, approved_until timestamp, approved_at? timestamp, state? any
AccessRequestOffer: endpoint string, expires_at timestamp, binding_token? string, request_schema_url? string, display OfferDisplay
OfferDisplay: title string, scope Scope, approvals integer, max_duration duration, max_uses integer
AccessRequest: subject Entity, resource Entity, action Action, context? object, denial DenialRef, requested_access? RequestedAccess, client? RequestClient
RequestClient: actor? object
DenialRef: evaluation_id? string, binding_token? string, expires_at timestamp
RequestedAccess: requested_until? timestamp, emergency? boolean, proviso.dev/renews? string, proviso.dev/scope? Scope
TaskReply: task Task, result? TaskResult
Task: id string, status string, status_endpoint string, expires_at? timestamp, progress? Progress, display? TaskDisplay, links Links
Progress: current_step integer, total_steps integer
TaskDisplay: reason? string, granted? Scope, questions? [TaskQuestion]
TaskQuestion: vote integer, words string, asked_at timestamp, answered boolean
Links: cancel string, review string
TaskResult: mode string, approval ApprovalRef
CancelRequest: reason? string
Scope: resource any, arguments any, not_before? timestamp, not_after timestamp, valid_for? duration, rate? Rate, max_uses integer, budgets? [Budget]
Rate: uses integer, per duration
Budget: at [string], max integer
SignIn: link string
Session: person EntityRef, assurance string, expires_at timestamp, now timestamp, demo boolean, single_user boolean, minted [Minted], may [ActWord], key? string, groups? [EntityRef], step_up? string, recovery? RecoveryLine
Minted: id string, kind string, at timestamp, by string, what string
WhoAmI: caller string, name? string, resource? string, subject? EntityRef, task? string, chain? [Hop], build? string
ExceptionList: now timestamp, position integer, exceptions [ExceptionLine], next? string, attention? AttentionLine, tiers [string]
AttentionLine: limit integer, decided integer, until timestamp
ExceptionLine: id string, state string, says string, subject EntityRef, task string, action string, resources [EntityRef], tier string, votes integer, approvals integer, requested_at timestamp, decide_by timestamp, not_after? timestamp, uses integer, max_uses integer, needs_me boolean, repeated integer, emergency boolean, says_emergency boolean, disposition? DispositionWord, hidden? [ActWord], routed_on? boolean, grant? string, last_use? timestamp, may_revoke? boolean, waiting? boolean, undo_until? timestamp, same? digest, presence? PresenceWord
ActWord= view view_arguments view_record export vote answer review investigate hand_over revoke lock unlock operate activate erase administer
ExceptionDetail: now timestamp, position integer, state string, says string, exception Exception, allowed object, history [HistoryLine], uses [UseLine], owner? OwnerReply, hidden? [ActWord], routed_on? boolean, attention? AttentionLine, undo_until? timestamp, reopens? string, reopened_as? string, waiting? boolean, friction? Friction
Friction: kind FrictionKind, name? string
FrictionKind= one_step reason name
UseLine: evaluation string, call string, at timestamp, reported? ExecutionPhase, given_back boolean
HistoryLine: log string, seq integer, at timestamp, kind string, by? EntityRef, sentence string, said? string
Exception: request RequestFacts, terms Terms, bundle digest, versions [Version], votes [Vote], phase object, answers? [Answer], repeats? [Repeat], repeated? integer, emergency? Emergency, reviews? [Review], disposition? Disposed, unconfirmed? Unconfirmed
Unconfirmed: epoch integer, confirmations? [Confirmation]
Confirmation: by EntityRef, reason string, assurance string, groups? [string], proof? Proof, at timestamp
Answer: vote integer, by EntityRef, words string, at timestamp
Repeat: at timestamp, evaluation string, justification string, changed? boolean
Emergency: by EntityRef, reason string, decide_by timestamp, proof? Proof, at timestamp
Review: id string, kind ReviewKind, due timestamp, opened_at timestamp, closed? ReviewClosing
ReviewKind= after_use emergency
ReviewClosing: by EntityRef, outcome ReviewOutcome, note string, at timestamp
ReviewOutcome= appropriate excessive abuse
Disposed: disposition DispositionWord, by EntityRef, note string, at timestamp
DispositionWord= one_off policy_too_narrow policy_too_wide asked_by_mistake abuse
Renewal: of string, number integer, declared boolean
RequestFacts: id string, question SealedQuestion, evaluation string, requester EntityRef, asker? EntityRef, owners [EntityRef], scope Scope, justification string, emergency boolean, renews? Renewal, requested_at timestamp, decide_by timestamp
Version: number integer, scope Scope, by? EntityRef
Vote: person EntityRef, decision VoteDecision, version integer, sheet digest, as_of integer, reason string, assurance string, groups [string], inside? boolean, proof? Proof, at timestamp, withdrawn? timestamp
Terms: tier string, approvals integer, groups [string], max_duration duration, max_uses integer, step_up? string, presence? PresenceWord, review_within? duration, decide_within? duration, lead_time? duration, max_rate? Rate, max_renewals? integer, renewal_period? duration, notify? [string], escalate? [string], emergency_approvals? integer, silence? duration, for_another? boolean, binding? boolean, raised_from? string, policies [string]
SealedQuestion: v integer, purpose string, bundle digest, now timestamp, call object, task string, chain [Hop], enforcement_point? string, bound? boolean, vouched? boolean, context object, entities [object], claimed? object, candidates [object], locks [Lock], requested object
Grant: id string, exception string, version integer, subject EntityRef, task string, chain [Hop], enforcement_point string, server? string, tool? digest, action string, scope Scope, members? [EntityRef], input_digest digest, input_names [string]
SheetReply: sheet DecisionSheet, smallest Scope
DecisionSheet: v integer, as_of integer, at timestamp, exception Exception, refused Evaluation, says string, effects [string], arguments [Argument], bundle BundleFact, module digest, tried [integer], renews? Predecessor
Predecessor: id string, state string, scope Scope, granted_at timestamp, uses integer, disposition? DispositionWord
Evaluation: outcome string, reason string, policies [string], errors [object], grant? string, terms? Terms
Argument: at [string], text string
BundleFact: digest digest, activated_by string, reason string, activated_at timestamp, changed [any]
QuestionsReply: question SealedQuestion, grant Grant, others [SealedQuestion], groups? [ResourceGroup]
ResourceGroup: group EntityRef, members [EntityRef]
CastVote: decision VoteDecision, as_of integer, sheet digest, reason string, grant Scope, inside? boolean, confirm? string, signature? VoteSignature
VoteSignature: held string, assertion PasskeyAssertion
PasskeyAssertion: credential string, authenticator_data string, client_data string, signature string
VoteChallenge: nonce digest, held string, expires_at timestamp, rp_id string, credentials [string]
Proof: by ProofWord, issuer? string, acr? string, at? timestamp, passkey? string, key? string, rp_id? string, origin? string, nonce? digest, statement? string, credential? string, authenticator_data? string, client_data? string, signature? string
ProofWord= session authentication signature
PresenceWord= session authentication signature
PasskeyList: now timestamp, rp_id? string, passkeys [PasskeyLine]
PasskeyLine: id string, label string, algorithm string, state PasskeyState, synced boolean, added_at timestamp, used_at? timestamp, counts_from timestamp
PasskeyState= live suspended earlier_epoch
PasskeyChallenge: challenge digest, held string, expires_at timestamp, rp_id string, user string, name string, exclude [string]
AddPasskey: held string, label string, attestation_object string, client_data string
PasskeySignInChallenge: challenge digest, held string, expires_at timestamp, rp_id string
PasskeySignIn: held string, user string, assertion PasskeyAssertion
VoteDecision= approve refuse ask
VoteReply: state string, position integer, grant? string
PastReply: now timestamp, counts PastCounts, dispositions [DispositionCount], refusals [PastRefusal], differs [Difference], last_approved? string, needed? duration, yours [YourDecision]
PastCounts: asked integer, granted integer, refused integer, undecided integer, used integer, unused integer, revoked integer, found_wanting integer, findings integer
DispositionCount: disposition DispositionWord, count integer
PastRefusal: exception string, by string, at timestamp, reason string
Difference: at string, before string, now string
YourDecision: exception string, says string, decision VoteDecision, at timestamp, state string, uses integer, disposition? DispositionWord
PicturesReply: now timestamp, position integer, from timestamp, days integer, requests [DayCount], times [DayTimes], yours? Times, teams [TeamTimes], recurring [Recurring], narrowed Narrowed, unused PartOf, dispositions [DispositionCount], not_judged integer
DayCount: day integer, tier string, outcome string, count integer
Times: decided integer, half integer, most integer
DayTimes: day integer, decided integer, half integer, most integer
TeamTimes: group string, people integer, decided integer, half integer, most integer
Recurring: action string, resource string, agent? string, asked integer, granted integer, refused integer
Narrowed: grants integer, narrower integer, asked_seconds integer, granted_seconds integer, asked_uses integer, granted_uses integer, taken_uses integer
PartOf: count integer, of integer
AgentList: now timestamp, position integer, agents [AgentLine], next? string
AgentLine: agent EntityRef, known boolean, owners [EntityRef], grants integer, requests integer, locked boolean, asked_at? timestamp
AgentReply: now timestamp, position integer, line AgentLine, owner? OwnerReply, attributes [any], locks [LockLine], exceptions [ExceptionLine], policies [PolicyMention], calls [CallToday], more_calls integer, hidden? [ActWord]
PolicyMention: policy string, folder string, file string, line integer, actions [string], resources [EntityRef], resources_in_all integer, looks_at_the_call boolean, text string
CallToday: says string, action string, resources [EntityRef], task string, asked_at timestamp, seq integer, permitted_then boolean, outcome string, reason string, policies [string], exception? string
WhatIf: record? integer, subject? EntityRef, task? string, on_behalf? EntityRef, server? string, action? string, resource? EntityRef, input? any
WhatIfReply: now timestamp, asked WhatIf, says string, question SealedQuestion, module digest, then? Evaluation
UndoReply: exception string, state string, position integer, calls_in_flight [CallInFlight]
RevokeRequest: reason string
AnswerRequest: vote integer, words string
Reason: reason string
ShownReason: reason string, signed? SignedSheet
SignedSheet: as_of integer, signature VoteSignature
ActChallengeRequest: act SignedAct, about string
SignedAct= activate confirm declare_emergency lift_lock erase
DispositionRequest: disposition DispositionWord, note? string
RenewRequest: justification string, scope? Scope
ReviewList: now timestamp, position integer, reviews [ReviewLine], next? string
ReviewLine: id string, kind ReviewKind, due timestamp, opened_at timestamp, closed? ReviewClosing, exception string, overdue boolean, tier string, subject EntityRef, task string, says string, may_close any
CloseReview: outcome ReviewOutcome, note? string
Lock: id string, target LockTarget
LockTarget: subject? EntityRef, person? EntityRef, task? string, tool? string, server? string, grant? string
LockList: locks [LockLine], presence? PresenceWord
LiftRequest: signature? VoteSignature
LockLine: id string, target LockTarget, by EntityRef, reason string, at timestamp, groups [string], until? timestamp, lifting [EntityRef], you_may string
LockRequest: target LockTarget, reason string, reach? digest
Locked: id string, until? timestamp, calls_in_flight [CallInFlight]
RenewLockRequest: reason string
Lifting: lifted boolean
ReachReply: reach Reach, digest digest, calls_in_flight [CallInFlight]
Reach: target LockTarget, grants [string], requests [string], subjects [EntityRef]
RevokeReply: state string, position integer, calls_in_flight [CallInFlight]
RevocationRequest: target RevocationTarget, reason string
RevocationTarget: subject? EntityRef, person? EntityRef, task? string, approver? EntityRef, credential? string
RevocationReply: grants [string], position integer, calls_in_flight [CallInFlight]
CallInFlight: evaluation_id string, call? string, subject EntityRef, task string, action string, server? string, grant? string, at timestamp, sending boolean
StopList: calls [CallInFlight]
EndTaskRequest: reason string
TaskEnded: grants [string], requests [string], calls_in_flight [CallInFlight]
HandoverRequest: to EntityRef, reason string
HandoverReply: to EntityRef
Owned: agent? EntityRef, exception? string
OwnerSource= bundle hand_over
HandOwnerRequest: of Owned, from? EntityRef, to EntityRef, reason string
OwnerReply: of Owned, owners [EntityRef], source OwnerSource, by_agent boolean, since? timestamp, by? EntityRef, bundle? [EntityRef]
Departure: person EntityRef, now timestamp, departed_at? timestamp, groups [GroupLine], agents [LeftAgent], exceptions [LeftException], findings [string], locks [LeftLock], deputies [string], credentials [LeftCredential]
GroupLine: group string, source OwnerSource
LeftAgent: agent EntityRef, owners [EntityRef], source OwnerSource
LeftException: id string, state string, says string, parts [Part]
Part= owner requester voter
LeftLock: id string, reason string, at timestamp
LeftCredential: id string, kind string, what string, expires_at timestamp
OwnershipReply: now timestamp, position integer, people [PersonLine], more integer, disagreements [Disagreement], gone [StillNamed]
PersonLine: person EntityRef, departed_at? timestamp, groups [string], agents integer, exceptions integer, findings integer, deputies integer
Disagreement: agent EntityRef, bundle [EntityRef], hand_over [EntityRef], since timestamp, by EntityRef
StillNamed: person EntityRef, departed_at timestamp, groups [string], agents [EntityRef]
RetentionReply: now timestamp, position integer, keep [KeptFor], looked_at? timestamp, holds [HoldLine], erased Erased, erasures [ErasureLine], earlier integer, proposals? [ErasureProposalLine], you_may_erase? boolean, presence? PresenceWord
KeptFor: class string, age duration
HoldLine: id string, of? EntityRef, exception? string, reason string, by string, at timestamp
Erased: payloads [ClassCount], replays integer, previews integer, exceptions integer, findings integer
ClassCount: class string, count integer
ErasureLine: run string, what string, older_than? duration, by string, people? [EntityRef], reason string, at timestamp, erased Erased
ErasureWhat: person? string, agent? EntityRef, record? RecordPlace, older_than? duration, classes? [string]
RecordPlace: log string, seq integer
ErasurePlan: what string, of? digest, record? RecordPlace, older_than? duration, classes? [string]
ErasurePreview: plan ErasurePlan, digest digest, erased Erased, kept [KeptCount], presence? PresenceWord
KeptCount: why string, says string, count integer
ProposeErasure: what ErasureWhat, reason string, shown digest, signature? VoteSignature
ConfirmErasure: what ErasureWhat, shown digest, signature? VoteSignature
ErasureProposalLine: id string, plan ErasurePlan, digest digest, reason string, by EntityRef, at timestamp, until timestamp, state string, confirmed_by? EntityRef, you_may_confirm boolean
ErasureReply: proposal ErasureProposalLine, run? string, erased Erased, kept [KeptCount]
InviteRequest: user string, reason string
LinkAccountRequest: provider string, subject string, reason string
UnlinkAccountRequest: provider string, subject string, reason string
MembershipKind= invitation account
MembershipLine: id string, kind MembershipKind, person EntityRef, provider? string, subject? string, by EntityRef, reason string, at timestamp, until timestamp, state string, agreed_by? EntityRef, you_may_agree boolean
MembershipReply: proposal MembershipLine, link? string, link_expires_at? timestamp
RecoveryLine: person EntityRef, by EntityRef, reason string, at timestamp, ready_at timestamp
PeopleReply: now timestamp, position integer, administrators [EntityRef], has_console boolean, people [Member], more integer, proposals [MembershipLine], recovery? RecoveryLine
Member: person EntityRef, groups [string], administrator boolean, enrolled_at? timestamp, new_until? timestamp, departed_at? timestamp, sessions integer
MemberDetail: now timestamp, member Member, may [ActWord], accounts [AccountLine], sessions [SessionLine]
AccountLine: provider string, subject string, linked_at? timestamp, linked_by? [EntityRef]
DeputyRequest: deputy EntityRef, from? timestamp, until timestamp, reason string
DeputyLine: id string, absent EntityRef, deputy EntityRef, from timestamp, until timestamp, reason string
DeputyList: now timestamp, deputies [DeputyLine]
DeliveryLine: id string, state string, channel string, target string, kind string, exception? string, position integer, at timestamp, attempts integer, due? timestamp, error? string
DeliveryList: now timestamp, deliveries [DeliveryLine]
ExecutionReport: evaluation_id? string, call? string, phase ExecutionPhase, digest? digest, evidence_id? string, subject? EntityRef, task? string, action? string, server? string, input_digest? digest, grant? string, host? string, started_at? timestamp, ended_at? timestamp
OtlpTraces: resourceSpans? [object]
OtlpTaken: partialSuccess? object
EvidenceClass= reported observed system_of_record
FindingKind= ran_without_decision ran_after_denial outside_conditions after_expiry after_revocation more_often never_ran grant_never_used outcome_unknown several_tasks several_hosts cloned_passkey
FindingState= open acknowledged resolved
FindingOutcome= explained expected fixed misuse
RecordLines: now timestamp, position integer, lines [RecordLine], looked integer, back_to? timestamp, next? string
RecordLine: log string, seq integer, at timestamp, kind string, outcome? string, reason? string, policies? [string], by? EntityRef, subject? EntityRef, task? string, action? string, resources? [EntityRef], exception? string, finding? string, bundle? string, evaluation? string, said? string, hidden? boolean, erased? [string]
FindingList: now timestamp, position integer, unresolved integer, findings [FindingLine], next? string
FindingLine: id string, kind FindingKind, state FindingState, outcome? FindingOutcome, strength EvidenceClass, ambiguous boolean, says string, subject EntityRef, task? string, exception? string, owner? EntityRef, at timestamp, opened_at timestamp, changed_at timestamp, acted [string]
FindingDetail: now timestamp, position integer, finding FindingLine, evidence [EvidenceLine], decisions [DecisionLine], history [FindingStep]
EvidenceLine: seq integer, recorded_at timestamp, class EvidenceClass, source string, action? string, server? string, task? string, host? string, input_digest? digest, started_at? timestamp, ended_at? timestamp, phase ExecutionPhase, evaluation_id? string, call? string
DecisionLine: seq integer, at timestamp, evaluation_id string, permitted boolean, reason string, task string, action string, server? string, call? string, input_digest? digest, exception? string
FindingStep: seq integer, at timestamp, kind string, by? EntityRef, sentence string, said? string
CommentRequest: words string
AssignRequest: to EntityRef, reason string
FindingStateRequest: state FindingState, outcome? FindingOutcome, note? string
FindingActRequest: reason string
ExecutionPhase= sending executed failed outcome_unknown
Change: position integer, kind string, exception? string
ConsistencyReply: log string, from integer, size integer, note string, proof [string]
RecordReply: now timestamp, logs [LogHead], keys [string], bundle digest, module digest, epoch? EpochLine, copies? [CopyLine]
CopyLine: name string, kind string, state string, records? integer, seconds integer, error? string, erasures_pending? integer, erasure_error? string
EpochLine: epoch integer, cause string, by string, reason string, at timestamp, seq integer, gaps [Gap], unconfirmed integer
Gap: log string, from integer, missing integer
LogHead: log string, size integer, note string
BundleReply: load Load, module digest
ProposeRequest: files? object, revert_to? digest, reason string
ProposeModuleRequest: module string, reason string
BundleVoteRequest: list digest, reason string, signature? VoteSignature
BundleList: now timestamp, position integer, active digest, module digest, next_module? digest, operator_alone boolean, history [ActivationLine], proposals [ProposalLine]
ActivationLine: seq integer, bundle digest, at timestamp, by string, reason string, changed [any], people? [EntityRef], narrower? boolean, list? digest
ProposalLine: bundle digest, base digest, list digest, by EntityRef, reason string, at timestamp, revert boolean, is_module? boolean, narrower boolean, questions integer, changed integer, new_allows integer, state ProposalState, needs integer, presence? PresenceWord, votes [BundleVoteLine]
ProposalState= open stale refused
BundleVoteLine: by EntityRef, activates boolean, reason string, at timestamp
ProposalReply: proposal ProposalLine, list ChangeList, files [FileChange], you_may_not? string
ChangeList: v integer, bundle digest, base digest, module digest, other_module? digest, at timestamp, asked AskedAgain, counts object, otherwise integer, changes [ChangeLine], narrower boolean, steps [StepLine], named [EntityRef]
AskedAgain: records integer, questions integer, from? integer, older boolean, left_out object
ChangeLine: kind string, seq integer, before ChangeSide, after ChangeSide, call? ChangedCall
ChangedCall: at timestamp, subject EntityRef, task string, action string, resources [EntityRef]
ChangeSide: outcome string, reason string, policies [string]
StepLine: narrows boolean, kind string, of string
FileChange: path string, before? string, after? string
ActivationReply: state ActivationState, bundle digest, needs integer, people [EntityRef], position integer
ActivationState= active waiting refused
Load: v integer, files object, bundle digest
SessionList: now timestamp, sessions [SessionLine], links [LinkLine]
LinkLine: id string, since timestamp, expires_at timestamp, here boolean
LinkMade: id string, link string, expires_at timestamp
SessionLine: id string, person EntityRef, since timestamp, last_seen timestamp, expires_at timestamp, assurance string, by string, browser? string, current boolean, for_command_line boolean
SessionsEnded: ended integer
StepUp: return_to? string
SignedOut: location? string
SignInWays: providers [ProviderLine], passkeys boolean
ProviderLine: name string, label string
BeginSignIn: provider string, return_to? string
SignInBegun: location string
FinishSignIn: provider string, state string, code? string, iss? string, error? string
SignInFinished: session Session, return_to string
DemoPeople: people [DemoPerson]
DemoPerson: person EntityRef, groups [string]
DemoSignIn: person EntityRef
OpenApi: openapi string, info object, paths object, components object
"#;

/// Every schema by its name.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    for line in SCHEMAS.lines() {
        if let Some((name, words)) = line.split_once("= ") {
            let words: Vec<&str> = words.split(' ').collect();
            schemas.insert(name.to_owned(), json!({"type": "string", "enum": words}));
        } else if let Some((name, kinds)) = line.split_once("| ") {
            let kinds: Vec<Value> = kinds.split(' ').map(super::reference).collect();
            schemas.insert(name.to_owned(), json!({"oneOf": kinds}));
        } else if let Some((name, members)) = line.split_once(": ") {
            schemas.insert(name.to_owned(), object(members));
        }
    }
    schemas
}

fn object(members: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for member in members.split(", ") {
        let Some((name, kind)) = member.split_once(' ') else { continue };
        let bare = name.trim_end_matches('?');
        if bare == name {
            required.push(bare);
        }
        properties.insert(bare.to_owned(), schema(kind));
    }
    json!({"type": "object", "properties": properties, "required": required})
}

fn schema(kind: &str) -> Value {
    if let Some(item) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return json!({"type": "array", "items": schema(item)});
    }
    match kind {
        "any" => json!({}),
        "timestamp" => json!({"type": "string", "format": "date-time"}),
        "duration" => json!({"type": "string", "description": "as Cedar writes it, such as `1h30m`"}),
        "digest" => json!({"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256"}),
        "string" | "integer" | "boolean" | "object" => json!({"type": kind}),
        name => super::reference(name),
    }
}

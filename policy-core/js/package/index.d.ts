/**
 * Proviso's policy module for Node, browsers and workers.
 *
 * The class is the whole API. The data keeps the names of the module's boundary, in snake_case: see `ABI.md`.
 */

/** A running `policy.wasm`. It holds the bundle that `load` gave it last. */
export class PolicyModule {
  private constructor();

  /**
   * Compiles and starts `policy.wasm`. It blocks for some tens of milliseconds: in a browser call it in a worker.
   *
   * @param bytes the file, as it was fetched
   * @param expectedSha256 the digest that you trust, 64 lower-case hexadecimal digits
   * @throws {PolicyError} `digest_mismatch`, `not_a_module`, `has_imports`, `missing_export`, `unknown_version`
   */
  static fromBytes(bytes: Uint8Array, expectedSha256: Digest): PolicyModule;

  /** Loads a bundle's policies; it replaces the one before. @throws {PolicyError} */
  load(load: Load): Loaded;

  /** Evaluates a question. A denial is an answer and no error. @throws {PolicyError} */
  evaluate(evaluate: Evaluate): Evaluation;

  /** The terms for what the question requests, whatever scope says. @throws {PolicyError} */
  terms(evaluate: Evaluate): TermsAnswer;

  /** Who of these people may approve. @throws {PolicyError} */
  eligible(eligible: Eligible): Eligibility[];

  /** A grant as policy. @throws {PolicyError} */
  compile(compile: Compile): Compiled;

  /** What a yes would allow. @throws {PolicyError} */
  preview(preview: Preview): Previewed;

  /** What of this one person may do in Proviso itself, in the order that it was asked in. @throws {PolicyError} */
  console(console: Console): ConsoleAnswer[];

  /**
   * The raw boundary: canonical JSON (RFC 8785) in UTF-8 in and out. The answer is `{"ok": …}` or
   * `{"error": {"code", "message"}}`; it throws only when there is none.
   *
   * @param op the operation's number: load 1, evaluate 2, terms 3, eligible 4, compile 5, preview 6, console 7
   * @throws {PolicyError} `trapped`, `dropped`, `bad_answer`
   */
  call(op: number, input: Uint8Array): Uint8Array;

  /** Gives the instance's memory back. The object must not be used afterwards. */
  free(): void;
}

/** What every method throws. Whoever catches one has no answer: treat it as a denial. */
export interface PolicyError extends Error {
  readonly name: "PolicyError";
  readonly code: PolicyErrorCode;
}

/**
 * Stable codes. The first group comes from the glue, the second from the module.
 * After `trapped`, `bad_answer` and `dropped` the object is spent: make a new one from the same bytes.
 */
export type PolicyErrorCode =
  | "digest_mismatch"
  | "not_a_module"
  | "has_imports"
  | "missing_export"
  | "trapped"
  | "dropped"
  | "bad_answer"
  //
  | "bad_input"
  | "unknown_version"
  | "unknown_op"
  | "too_large"
  | "too_deep"
  | "not_loaded"
  | "wrong_bundle"
  | "bad_bundle"
  | "bad_grant";

// Words that stand for one thing everywhere.

/** A SHA-256 digest: 64 lower-case hexadecimal digits. */
export type Digest = string;

/** An instant: RFC 3339 in UTC with three digits, `2026-11-22T16:00:00.000Z`. */
export type Timestamp = string;

/** A length of time in whole seconds, as Cedar writes it: `1h30m`. Units `d`, `h`, `m`, `s`, largest first. */
export type Span = string;

/** A whole number within ±(2⁵³−1). */
export type Integer = number;

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** An entity: AuthZEN's `{type, id}`, Cedar's `TYPE::"id"`. */
export interface EntityRef {
  type: string;
  /** Text from outside: show it as plain text. */
  id: string;
}

/** One verified hop of the chain on whose behalf a subject acts. */
export interface Hop extends EntityRef {
  /** The issuer of the credential that named the hop. */
  issuer: string;
}

/** A value with its Cedar type, one member. */
export type Value =
  | { bool: boolean }
  | { long: Integer }
  | { string: string }
  | { entity: EntityRef }
  /** It forgets order and repeats. */
  | { set: Value[] }
  | { record: { [name: string]: Value } }
  | { datetime: string }
  | { duration: string }
  /** One to four digits behind the point. */
  | { decimal: string }
  | { ipaddr: string };

// Operation 1: load.

/** A bundle's policies, as the files that they stand in. */
export interface Load {
  v: 1;
  /** Every file of the bundle by its path with `/`, `entities.json` left out: entities arrive with each question. */
  files: { [path: string]: string };
  /** The bundle's digest, echoed and held against each question's. */
  bundle: Digest;
}

/** What loading answers. */
export interface Loaded {
  bundle: Digest;
  /** How many policies were read. */
  policies: Integer;
}

// Operations 2 and 3: evaluate, terms.

/** A question for the loaded bundle. */
export interface Evaluate {
  v: 1;
  question: SealedQuestion;
}

/** All that an outcome depends on, besides the bundle that it names. */
export interface SealedQuestion {
  v: 1;
  /** A question changes nothing; a use is one call's evaluation, and may consume a grant. */
  purpose: "question" | "use";
  bundle: Digest;
  /** When it is judged. */
  now: Timestamp;
  call: Call;
  /** From a verified credential. */
  task: string;
  /** From the current actor inward; verified hops only. */
  chain: Hop[];
  /** The credential that asks, where an enforcement point does. */
  enforcement_point?: string;
  /** Whether the agent's credential is bound to a key of its holder's. */
  bound?: true;
  /** Whether subject, task and chain are the enforcement point's word. */
  vouched?: true;
  /** Cedar's context as the gate believes it, without `input` and `requested`. */
  context: { [name: string]: Value };
  /** The slice of entities that policies may look at, sorted by uid. */
  entities: EntityFact[];
  /** What the caller claimed and was not believed. It never reaches policy. */
  claimed?: { [name: string]: Json };
  /** The subject's grants for this task that may be live. */
  candidates: Candidate[];
  /** The locks in force for anything that this question names. */
  locks: Lock[];
  requested: Requested;
}

/** One call, in the bundle's words. */
export interface Call {
  subject: EntityRef;
  action: string;
  /** All must be permitted. */
  resources: EntityRef[];
  /** The arguments as Cedar sees them; absent where the action takes none. */
  input?: Value;
  /** The digest of the canonical arguments (`null` where there are none). */
  input_digest: Digest;
  /** Whether the action declares what its `input` holds. */
  typed: boolean;
  /** Arguments that the schema marks `@path`, as member paths. */
  paths?: string[][];
  /** The upstream server, by its configured name. */
  server?: string;
  /** The digest of the tool's definition. */
  tool?: Digest;
}

/** One entity of the slice, with where its facts come from. */
export interface EntityFact {
  uid: EntityRef;
  attrs: { [name: string]: Value };
  /** Direct parents, sorted. */
  parents: EntityRef[];
  /** `bundle`, `unknown`, or the name of an enforcement point that the bundle believes. */
  source: string;
}

/** A grant that may cover the call, with its counters. */
export interface Candidate {
  grant: Grant;
  uses_left: Integer;
  /** What is left of each budget, in the order of the scope's budgets. */
  budgets_left?: Integer[];
  /** Uses left in the running stretch of the scope's rate. */
  rate_left?: Integer;
}

/** A stop, above everything. */
export interface Lock {
  id: string;
  target: LockTarget;
}

/** What a lock stops. */
export type LockTarget =
  | { subject: EntityRef }
  | { person: EntityRef }
  | { task: string }
  /** An action. */
  | { tool: string }
  | { server: string }
  /** A grant's id. */
  | { grant: string };

/** What a request asks for and what is already held. */
export interface Requested {
  duration: Span;
  uses: Integer;
  held_grants: Integer;
  held_uses: Integer;
  held_sum: Integer;
  emergency: boolean;
  /** The most that the request could take in all of the argument that `@sum` names; absent: 0. */
  sum?: Integer;
  /** The agent that asks, as `TYPE::id`, where it is another than the subject. */
  asker?: string;
}

/** At most so many uses in every stretch of so long. */
export interface Rate {
  uses: Integer;
  per: Span;
}

/** The four outcomes. Only the first two let a call pass. */
export type Outcome = "permitted_by_scope" | "permitted_by_exception" | "requestable_denial" | "denial";

/** Why an outcome is what it is. */
export type Reason =
  | "scope"
  | "exception"
  | "approval_required"
  | "not_permitted"
  | "guardrail"
  | "guardrail_error"
  | "chain"
  | "locked"
  | "bad_input"
  | "unknown_action"
  | "unknown_type"
  | "unknown_entity"
  | "unknown_version"
  | "terms_unavailable"
  | "binding_required"
  // From here on the gate's own: the module never answers them.
  | "limit"
  | "record_unavailable"
  | "contended"
  | "clock_unsafe"
  | "copy_late";

/** An evaluation's answer. */
export interface Evaluation {
  outcome: Outcome;
  reason: Reason;
  /** The policies that decided, by `@id`, sorted. */
  policies: string[];
  /** The policies that erred, sorted. */
  errors: PolicyFault[];
  /** The grant that covers the call, for `permitted_by_exception`. */
  grant?: string;
  /** For `requestable_denial`. */
  terms?: Terms;
}

/** An error in one policy. In a guardrail it denies; elsewhere it means that the policy did not match. */
export interface PolicyFault {
  /** The policy's `@id`, or the grant's id. */
  policy: string;
  message: string;
}

/** What policy demands of a request. */
export interface Terms {
  tier: string;
  /** How many distinct persons must approve, at least 1. */
  approvals: Integer;
  /** Groups of which each must give at least one vote, sorted. */
  groups: string[];
  max_duration: Span;
  max_uses: Integer;
  /** The sign-in strength that a vote needs, where one is demanded. */
  step_up?: string;
  /** How soon after the end a review is due, where one is demanded. */
  review_within?: Span;
  /** How long people have to decide; 8 hours when absent. */
  decide_within?: Span;
  /** How long after the request a grant may begin; absent: it begins when it is made. */
  lead_time?: Span;
  /** How many uses in how long. */
  max_rate?: Rate;
  /** How often a grant may be renewed; absent: never. */
  max_renewals?: Integer;
  /** How long after a grant's end a request that overlaps it counts as its renewal. */
  renewal_period?: Span;
  /** The groups that are told first; absent: those in `groups`. */
  notify?: string[];
  /** The groups that are told next, in this order. */
  escalate?: string[];
  /** How many persons must approve in a declared emergency; absent: as many as without one. */
  emergency_approvals?: Integer;
  /** How long after a refusal whatever lies inside it is not asked again; an hour when absent. */
  silence?: Span;
  /** Whether an agent other than the subject may ask. */
  for_another?: true;
  /** Whether only credentials that are bound to a key may ask, and use what was granted. */
  binding?: true;
  /** What an approval takes beside who gives it; absent: a session is enough. */
  presence?: "authentication" | "signature";
  /** The tier that the permits say, where the arguments hold what cannot be shown as what it is; `tier` is the next. */
  raised_from?: string;
  /** The `@id`s of the permits that matched, sorted. */
  policies: string[];
}

/** Whether the call may be requested, and on which terms. */
export interface TermsAnswer {
  /** Absent when it may not be requested. */
  terms?: Terms;
  /** The policies in `approval/request/` that erred, sorted. */
  errors: PolicyFault[];
}

// Operation 4: eligible.

/** Who of these people may approve. */
export interface Eligible {
  v: 1;
  /** The refused question. Its entities hold what is known of the people, too. */
  question: SealedQuestion;
  people: Voter[];
  tier: string;
  requester: EntityRef;
  /** Who owns the subject, or did in the 30 days before, sorted. */
  owners: EntityRef[];
  /** Who voted already, sorted. */
  voted: EntityRef[];
  /** Votes that count so far. */
  votes: Integer;
}

/** A person who would vote. */
export interface Voter {
  person: EntityRef;
  /** How strongly they signed in: a step-up that `bundle.toml` lists. */
  assurance: string;
  /** Groups that their sign-in brought, besides those that the bundle says they are in. */
  groups?: EntityRef[];
}

/** Whether one person may approve by `approval/approve/`. Separation of duty is the gate's, not this answer's. */
export interface Eligibility {
  person: EntityRef;
  eligible: boolean;
  /** The ids of the entities that the person is in, directly or through another, sorted. */
  groups: string[];
  /** The policies that permit it, by `@id`, sorted. */
  policies: string[];
  /** The policies that erred, sorted. */
  errors: PolicyFault[];
}

// Operation 5: compile.

/** A grant to compile. */
export interface Compile {
  v: 1;
  grant: Grant;
}

/** A grant as policy. */
export interface Compiled {
  /** The Cedar permit, for people to read. */
  cedar: string;
  /** The permit's EST, Cedar's JSON form. */
  est: Json;
}

/** What the votes made: everything that a use is held against. */
export interface Grant {
  id: string;
  exception: string;
  /** Which version of the scope won, from 1. */
  version: Integer;
  subject: EntityRef;
  task: string;
  /** From the current actor inward. Compared as a whole. */
  chain: Hop[];
  enforcement_point: string;
  server?: string;
  /** The digest of the tool's definition, where the call is a tool's. */
  tool?: Digest;
  action: string;
  scope: Scope;
  /** Who was in the group when it was approved, where the resource scope is a group. At most 256. */
  members?: EntityRef[];
  /** The digest of the approved call's canonical arguments. */
  input_digest: Digest;
  /** The names of the approved call's top-level arguments, sorted. */
  input_names: string[];
}

/** A narrowed scope: a vote's `grant`. */
export interface Scope {
  resource: ResourceScope;
  /** The same arguments by digest, or conditions that all hold, at least one. */
  arguments: "exact" | [Condition, ...Condition[]];
  /** Not usable before; absent: from approval on. */
  not_before?: Timestamp;
  /** Not usable at this instant or after it. */
  not_after: Timestamp;
  /** At least 1. */
  max_uses: Integer;
  /** How long from its start, where it is that and no fixed end that counts. */
  valid_for?: Span;
  /** How many uses in how long. */
  rate?: Rate;
  budgets?: Budget[];
}

/** Exactly one resource, or the members of a group as they were when it was approved. */
export type ResourceScope = { is: EntityRef } | { in: EntityRef };

/** One condition on one argument; an argument that is absent is outside every condition. */
export type Condition =
  | { at: string[]; op: "equals"; value: Scalar }
  /** All of one type, at least one. */
  | { at: string[]; op: "one_of"; values: Scalar[] }
  /** Both ends included; `min` is 0 when not given. */
  | { at: string[]; op: "between"; min?: Integer; max: Integer }
  /** A path that is this folder or lies in it. The folder is absolute and in normal form. */
  | { at: string[]; op: "inside"; path: string };

/** A value that a condition can compare with. */
export type Scalar = boolean | Integer | string | EntityRef;

/** A sum over an integer argument that all uses of a grant stay within. */
export interface Budget {
  at: string[];
  max: Integer;
}

// Operation 6: preview.

/** What a yes would allow. */
export interface Preview {
  v: 1;
  /** The refused question, without this grant among its candidates. */
  question: SealedQuestion;
  /** The grant as it would be, its id the exception's. */
  grant: Grant;
  /** Recorded denials to try the grant on, at most 1,024. */
  others: SealedQuestion[];
  /** When the grant is tried: what `now` becomes in every question. */
  at: Timestamp;
}

/** What a yes would allow, as the module that enforces it answers. */
export interface Previewed {
  before: Evaluation;
  after: Evaluation;
  /** The edge of the grant in each dimension. */
  edges: Edge[];
  /** The dimensions that the yes does not fix, by name, sorted. */
  open: string[];
  /** The recorded denials that would pass, by their position in `others`. */
  flips: Integer[];
  /** How many recorded denials were tried. */
  tried: Integer;
  /** Flips whose subject is another than the request's. Anything but 0 is a defect. */
  by_others: Integer;
  /** Guardrails that apply to the action and that the grant does not cross, by `@id`, sorted. */
  guardrails: string[];
  /** Where its length says so: if it were granted when it was tried. */
  ends: Timestamp;
}

/** The edge of a grant in one dimension, tried on the module. */
export interface Edge {
  /** `resource`, `task`, `subject`, `time`, `uses`, or an argument's path such as `input.rows`. */
  dimension: string;
  /** The largest call that passes, in words of that dimension. */
  passes: string;
  passes_outcome: Outcome;
  /** The nearest that does not. */
  fails: string;
  fails_outcome: Outcome;
}

// Operation 7: console.

/** What one person may do in Proviso itself, by `console/`. */
export interface Console {
  v: 1;
  /** The bundle that is asked. */
  bundle: Digest;
  /** Who, and how strongly signed in. */
  person: Voter;
  now: Timestamp;
  /** What is known of the person, the agents and the owners, with what they are in. */
  entities: EntityFact[];
  /** Each on its own. */
  acts: ConsoleAct[];
}

/** One thing that somebody would do. */
export interface ConsoleAct {
  act: Act;
  /** The agent that it is about; absent: the gate as a whole. */
  about?: EntityRef;
  /** Who owns that agent now, sorted. */
  owners?: EntityRef[];
  /** The person who asks for it, where it is about a request. */
  requester?: EntityRef;
  /** The action that the agent asks for, by name. */
  action?: string;
  tier?: string;
  task?: string;
}

/** The actions of `console/`, `Proviso::Action::"…"`. */
export type Act =
  | "view"
  | "view_arguments"
  | "view_record"
  | "export"
  | "vote"
  | "answer"
  | "review"
  | "investigate"
  | "hand_over"
  | "revoke"
  | "lock"
  | "unlock"
  | "operate"
  | "activate"
  | "erase"
  | "administer";

/** Whether somebody may do one thing. */
export interface ConsoleAnswer {
  permitted: boolean;
  /** How many people it takes: 1, or 2 where a policy that permits it says `@persons("2")`. */
  persons: 1 | 2;
  /** The policies that permit it, by `@id`, sorted. */
  policies: string[];
  /** The policies that erred, sorted. */
  errors: PolicyFault[];
}

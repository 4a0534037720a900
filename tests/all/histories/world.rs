//! Plays one history: a gate, eight clients, and a seed that says what each of them does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use proviso::clock::Clock as _;
use proviso::store::{bundle_folder, verify};
use proviso_tests::{AGENTS, Answer, Parties, Setup, TestGate};
use serde_json::{Value, json};

use super::seen::{History, Seen, Used, What};

const CLIENTS: u64 = 8;
const AGENT_NAMES: [&str; 2] = ["first", "second"];
const TASKS: [&str; 2] = ["one", "two"];
const POINTS: [&str; 2] = ["left", "right"];
const PEOPLE: [&str; 7] = ["pia", "pat", "quin", "rita", "olga", "otto", "sten"];

/// Of so many histories one is checked by its record, too.
const VERIFIED: u64 = 10;

/// What everybody shares.
struct World {
    gate: TestGate,
    points: BTreeMap<&'static str, String>,
    agents: BTreeMap<(&'static str, &'static str), String>,
    people: BTreeMap<&'static str, String>,
    counter: AtomicU64,
    seen: Mutex<Vec<Seen>>,
    found: Mutex<Found>,
}

/// What clients have heard of and may use.
#[derive(Default)]
struct Found {
    /// Evaluations that may be asked for, with their answers.
    denials: Vec<(Used, Value)>,
    exceptions: Vec<String>,
    grants: Vec<String>,
    locks: Vec<String>,
    /// Calls that were made: what may be sent again.
    calls: Vec<Used>,
}

/// Small, and the same on every machine: splitmix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let position = usize::try_from(self.below(all.len() as u64)).expect("an index");
        &all[position]
    }

    /// One of those that there are, if any.
    fn any<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| self.of(all).clone())
    }
}

/// Plays so many operations.
pub async fn play(seed: u64, operations: usize) -> History {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories");
    let bundle = bundle_folder::read(&folder).expect("the bundle of the histories");
    let gate = TestGate::with(Setup { bundle, ..Setup::default() }).await;
    let mut points = BTreeMap::new();
    for point in POINTS {
        points.insert(point, gate.point(point, &["files", "other"]).await);
    }
    let mut agents = BTreeMap::new();
    for agent in AGENT_NAMES {
        for task in TASKS {
            agents.insert((agent, task), gate.agent(agent, task, Some("rita")).await);
        }
    }
    let mut people = BTreeMap::new();
    for person in PEOPLE {
        people.insert(person, gate.person(person).await);
    }
    let world = Arc::new(World {
        gate,
        points,
        agents,
        people,
        counter: AtomicU64::new(0),
        seen: Mutex::default(),
        found: Mutex::default(),
    });
    // Each operation reads the counter twice. What finds nothing to do is none.
    let enough = 2 * u64::try_from(operations).expect("a small number");
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let mut dice = Dice(seed.wrapping_mul(CLIENTS).wrapping_add(client));
                for step in 0.. {
                    if world.counter.load(Ordering::SeqCst) >= enough {
                        return;
                    }
                    world.step(&mut dice, &format!("{client}-{step}")).await;
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("a client that does not panic");
    }
    if seed.is_multiple_of(VERIFIED) {
        // Grants from votes, uses inside their grants, and each by one decision: told by a crate that knows no gate.
        let verified = verify::verify(world.gate.data(), None, &[], &mut |_| {});
        assert!(verified.is_ok(), "history {seed}: {verified:?}");
    }
    let recorded =
        world.gate.app.record().logs.iter().filter(|log| log.log.starts_with("decisions")).map(|log| log.size).sum();
    let mut operations = std::mem::take(&mut *world.seen.lock().unwrap_or_else(PoisonError::into_inner));
    operations.sort_by_key(|seen| seen.begin);
    History { operations, recorded }
}

impl World {
    async fn step(&self, dice: &mut Dice, name: &str) {
        match dice.below(100) {
            0..60 => self.evaluate(dice, name).await,
            60..77 => self.repeat(dice).await,
            77..84 => self.ask(dice).await,
            84..90 => self.vote(dice).await,
            90..92 => self.revoke(dice).await,
            92..93 => self.lock(dice).await,
            93..97 => self.unlock(dice).await,
            97..99 => self.wait(dice).await,
            _ => self.look(dice).await,
        }
    }

    fn found<T>(&self, look: impl FnOnce(&mut Found) -> T) -> T {
        look(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs one operation between two readings of the counter and of the clock.
    async fn see(&self, run: impl Future<Output = Vec<What>>) {
        let (begin, from) = (self.counter.fetch_add(1, Ordering::SeqCst), self.gate.clock.now().millis());
        let all = run.await;
        let (until, end) = (self.gate.clock.now().millis(), self.counter.fetch_add(1, Ordering::SeqCst));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(all.into_iter().map(|what| Seen { begin, end, from, until, what }));
    }

    async fn evaluate(&self, dice: &mut Dice, name: &str) {
        let agent = *dice.of(&AGENT_NAMES);
        let action = if dice.below(40) == 0 { "wipe" } else { "write" };
        let volume = match dice.below(20) {
            0 => "nowhere",
            1..4 => "vault",
            _ => "files",
        };
        let path = match dice.below(24) {
            0 => "/srv/reports/secret/a",
            1 => "/srv/drafts/odd/a",
            2 => "/srv/reports/../keys",
            3 => "/srv/elsewhere",
            4..10 => "/srv/drafts/a",
            10..18 => "/srv/reports/a",
            18..21 => "/srv/reports/b",
            _ => "/srv/reports/deep/c",
        };
        let rows = match dice.below(40) {
            0 => json!(1.5),
            1 => json!("1"),
            // Few shapes: each vote previews one denial of each, twice.
            2 => json!(2),
            _ => json!(1),
        };
        let mut input = json!({"path": path, "rows": rows});
        if dice.below(40) == 0 {
            input["force"] = json!(true);
        }
        let mut context = json!({
            "input": input,
            "proviso.dev/server": dice.of(&["files", "files", "files", "other"]),
            "proviso.dev/call": name,
        });
        if dice.below(20) == 0 {
            context["proviso.dev/tool"] = json!("ab".repeat(32));
        }
        let is_use = dice.below(8) != 0;
        if !is_use {
            context["proviso.dev/ask"] = json!(true);
        }
        let body = json!({
            "subject": {"type": "Agent", "id": format!("{AGENTS}{agent}")},
            "action": {"name": action},
            "resource": {"type": "Volume", "id": volume},
            "context": context,
        });
        let (task, point) = ((*dice.of(&TASKS)).to_owned(), (*dice.of(&POINTS)).to_owned());
        let call = Used {
            agent: agent.to_owned(),
            task,
            point,
            body,
            is_use,
            answered: false,
            allowed: false,
            reason: String::new(),
            grant: None,
        };
        self.send(call).await;
    }

    /// The very same call once more: of another agent, task or point sometimes.
    async fn repeat(&self, dice: &mut Dice) {
        let Some(mut call) = self.found(|found| dice.any(&found.calls)) else { return };
        match dice.below(6) {
            0 => call.task = (*dice.of(&TASKS)).to_owned(),
            1 => call.point = (*dice.of(&POINTS)).to_owned(),
            2 => {
                call.agent = (*dice.of(&AGENT_NAMES)).to_owned();
                call.body["subject"]["id"] = json!(format!("{AGENTS}{}", call.agent));
            }
            3 => call.body["context"]["proviso.dev/call"] = json!(format!("again-{}", dice.next())),
            _ => {}
        }
        self.send(call).await;
    }

    async fn send(&self, mut call: Used) {
        let (point, agent) = (&self.points[call.point.as_str()], &self.agents[&(name(&call.agent), name(&call.task))]);
        self.see(async {
            let answer = self.gate.client.post_for("/access/v1/evaluation", point, agent, &call.body).await;
            let body = answer.json();
            call.answered = answer.status.is_success();
            call.allowed = body["decision"] == json!(true);
            call.reason = body["context"]["reason"].as_str().unwrap_or_default().to_owned();
            call.grant = body["context"]["approval"]["id"].as_str().map(str::to_owned);
            self.found(|found| {
                if body["context"]["access_request"].is_object() {
                    found.denials.push((call.clone(), body.clone()));
                }
                if call.reason == "exception" || call.reason == "approval_required" {
                    found.calls.push(call.clone());
                }
            });
            vec![What::Used(call)]
        })
        .await;
    }

    async fn ask(&self, dice: &mut Dice) {
        let Some((call, denied)) = self.found(|found| dice.any(&found.denials)) else { return };
        let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
        if dice.below(3) > 0 {
            scope["arguments"] = json!([{"at": ["path"], "op": "inside", "path": "/srv/reports"}]);
            scope["max_uses"] = json!(1 + dice.below(4));
        }
        if dice.below(8) == 0 {
            scope["valid_for"] = json!("2m");
        }
        let (point, agent) = (&self.points[call.point.as_str()], &self.agents[&(name(&call.agent), name(&call.task))]);
        let parties = Parties { client: self.gate.client.clone(), point: point.clone(), agent: agent.clone() };
        self.see(async {
            let answer = parties.request(&parties.request_body(&call.body, &denied, Some(scope.clone()))).await;
            let task = answer.json()["task"].clone();
            let Some(id) = task["id"].as_str().map(str::to_owned) else { return vec![What::Other] };
            let decide_by =
                task["expires_at"].as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
            self.found(|found| found.exceptions.push(id.clone()));
            // One that was decided before this repeat of it came has no time to decide any more.
            let decide_by = decide_by.map_or(i64::MAX, |time| time.timestamp_millis());
            vec![What::Asked { call, scope, id, decide_by }]
        })
        .await;
    }

    async fn vote(&self, dice: &mut Dice) {
        // The newest are the ones still open.
        let recent = |all: &Vec<String>| all.len().saturating_sub(4);
        let Some(id) = self.found(|found| dice.any(&found.exceptions[recent(&found.exceptions)..])) else { return };
        // Most are people who may: a vote is the dearest operation, and one that counts for nothing leads nowhere.
        let person = match dice.below(10) {
            0..5 => *dice.of(&["pia", "pat"]),
            5..8 => "quin",
            _ => *dice.of(&["rita", "olga", "otto", "sten"]),
        };
        let decision = if dice.below(12) == 0 { "refuse" } else { "approve" };
        let cookie = &self.people[person];
        let detail = self.gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(cookie)).await.json();
        if detail["state"] != "requested" {
            return;
        }
        let versions = detail["exception"]["versions"].as_array().cloned().unwrap_or_default();
        let mut scope = versions.last().map(|version| version["scope"].clone()).unwrap_or_default();
        match dice.below(12) {
            0 => scope["max_uses"] = json!(scope["max_uses"].as_u64().unwrap_or(1) + 1),
            1 => scope["max_uses"] = json!(1),
            2 if scope["arguments"].is_array() => {
                scope["arguments"] = json!([{"at": ["path"], "op": "inside", "path": "/srv/reports/deep"}]);
            }
            3 if scope["arguments"].is_array() => {
                scope["arguments"] = json!([{"at": ["path"], "op": "inside", "path": "/srv"}]);
            }
            4 => scope["valid_for"] = json!("2m"),
            5 => scope["valid_for"] = json!("1h"),
            _ => {}
        }
        let parties = Parties { client: self.gate.client.clone(), point: String::new(), agent: String::new() };
        let Some(position) = detail["position"].as_u64() else { return };
        let grant = Some(scope.clone());
        let Some(ballot) = parties.ballot_at(cookie, &id, position, decision, grant).await else { return };
        self.see(async {
            let answer = self.gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), cookie, &ballot).await;
            if !answer.status.is_success() {
                return vec![What::Other];
            }
            let grant = answer.json()["grant"].as_str().map(str::to_owned);
            self.found(|found| found.grants.extend(grant.clone()));
            let (person, decision) = (person.to_owned(), decision.to_owned());
            vec![What::Voted { person, exception: id.clone(), decision, scope, grant }]
        })
        .await;
    }

    async fn revoke(&self, dice: &mut Dice) {
        let Some(grant) = self.found(|found| dice.any(&found.grants)) else { return };
        let body = json!({"reason": "it is not wanted any more"});
        self.see(async {
            let path = format!("/api/v1/grants/{grant}/revoke");
            let answer = self.gate.client.post(&path, &self.people["quin"], &body).await;
            vec![if answer.status.is_success() { What::Revoked { grant } } else { What::Other }]
        })
        .await;
    }

    async fn lock(&self, dice: &mut Dice) {
        let agent = *dice.of(&AGENT_NAMES);
        let task = *dice.of(&TASKS);
        let (kind, target, shown) = match dice.below(4) {
            0 => ("subject", json!({"type": "Agent", "id": format!("{AGENTS}{agent}")}), agent),
            1 => ("task", json!(task), task),
            2 => ("server", json!("other"), "other"),
            _ => ("person", json!({"type": "User", "id": "rita"}), "rita"),
        };
        let mut body = json!({"target": {kind: target}, "reason": "to look at it"});
        if kind == "server" {
            let reach = self.gate.client.get("/api/v1/locks/reach?server=other", Some(&self.people["pat"])).await;
            body["reach"] = reach.json()["digest"].clone();
        }
        self.see(async {
            let answer = self.gate.client.post("/api/v1/locks", &self.people["pat"], &body).await;
            let Some(id) = lock_id(&answer) else { return vec![What::Other] };
            self.found(|found| found.locks.push(id.clone()));
            vec![What::Locked { kind: kind.to_owned(), target: shown.to_owned(), id }]
        })
        .await;
    }

    async fn unlock(&self, dice: &mut Dice) {
        let locks = self.found(|found| std::mem::take(&mut found.locks));
        if locks.is_empty() {
            return;
        }
        let keep = dice.below(4) == 0;
        for id in locks {
            if keep {
                self.found(|found| found.locks.push(id.clone()));
                continue;
            }
            self.see(async {
                let request = self.gate.client.request(reqwest::Method::DELETE, &format!("/api/v1/locks/{id}"));
                let request = proviso_tests::as_person(request, &self.people["pat"]);
                proviso_tests::Client::send(request).await;
                vec![What::Unlocked { id }]
            })
            .await;
        }
    }

    async fn wait(&self, dice: &mut Dice) {
        let seconds = u32::try_from(dice.below(120)).expect("two minutes at most");
        self.see(async {
            self.gate.clock.advance(seconds);
            vec![What::Other]
        })
        .await;
    }

    async fn look(&self, dice: &mut Dice) {
        let cookie = &self.people[*dice.of(&PEOPLE)];
        self.see(async {
            self.gate.client.get("/api/v1/exceptions", Some(cookie)).await;
            vec![What::Other]
        })
        .await;
    }
}

fn lock_id(answer: &Answer) -> Option<String> {
    answer.status.is_success().then(|| answer.json()["id"].as_str().map(str::to_owned)).flatten()
}

/// The name as the tables hold it.
fn name(text: &str) -> &'static str {
    AGENT_NAMES.into_iter().chain(TASKS).find(|known| *known == text).expect("a name of ours")
}

//! Eight clients at once: calls in scope, calls under exceptions, votes and revokes, and what they were told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use proviso_tests::{Client, Parties, as_person, write_file};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// What was acknowledged: somebody read the answer to its end.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    /// Evaluations, with what was told of them.
    pub(super) decisions: Vec<(String, Told)>,
    /// Exceptions with the digest of the sheet that the vote was bound to.
    pub(super) votes: Vec<(String, String)>,
    /// Exceptions whose grant was taken away.
    pub(super) revokes: Vec<String>,
    /// How many were refused since the record could not be written in time.
    pub(super) unrecorded: usize,
}

impl Acknowledged {
    pub(super) fn count(&self) -> usize {
        self.decisions.len() + self.votes.len() + self.revokes.len()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.decisions.extend(other.decisions);
        self.votes.extend(other.votes);
        self.revokes.extend(other.revokes);
        self.unrecorded += other.unrecorded;
    }
}

/// What an enforcement point was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It may.
    Allowed,
    /// It may not.
    Denied,
    /// It may not any more: what was recorded as an allow had ended when it was to be told, by a revoke.
    Lapsed,
}

/// A ballot that waits to be cast.
pub(super) struct Ballot {
    pub(super) exception: String,
    pub(super) ballot: Value,
}

/// What the clients share.
pub(super) struct Load(Arc<Shared>);

struct Shared {
    client: Client,
    point: String,
    agent: String,
    mara: String,
    /// Which life of the folder this is: each call has an id of its own.
    number: usize,
    ballots: Mutex<Vec<Ballot>>,
    /// Grants that can be used and taken away: the exception, and the folder that it is for.
    grants: Mutex<Vec<(String, String)>>,
    calls: AtomicUsize,
    acknowledged: Mutex<Acknowledged>,
}

impl Load {
    pub(super) fn new(
        parties: &Parties,
        mara: &str,
        number: usize,
        ballots: Vec<Ballot>,
        grants: Vec<(String, String)>,
    ) -> Self {
        Self(Arc::new(Shared {
            client: parties.client.clone(),
            point: parties.point.clone(),
            agent: parties.agent.clone(),
            mara: mara.to_owned(),
            number,
            ballots: Mutex::new(ballots),
            grants: Mutex::new(grants),
            calls: AtomicUsize::new(0),
            acknowledged: Mutex::default(),
        }))
    }

    /// Goes on until the gate is dead; it is killed when so much was acknowledged. What was.
    pub(super) async fn until_dead(self, enough: usize, kill: impl Fn() + Send + Sync + 'static) -> Acknowledged {
        let kill = Arc::new(kill);
        let clients = (0..8).map(|client| {
            let (shared, kill) = (Arc::clone(&self.0), Arc::clone(&kill));
            tokio::spawn(async move {
                while shared.act(client).await.is_some() {
                    // Whoever comes later finds it dead.
                    if shared.count() >= enough {
                        kill();
                    }
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("a client that ends with its gate");
        }
        std::mem::take(&mut self.0.acknowledged.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).count()
    }

    /// One act of a client. Nothing: nobody answered any more.
    async fn act(&self, client: usize) -> Option<()> {
        match client {
            0..=2 => self.call("/srv/files/drafts/a.md".to_owned()).await,
            3 | 4 => {
                let grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let turn = self.calls.load(Ordering::Relaxed) % grants.len().max(1);
                let files = grants.get(turn).map_or("/srv/files/reports/none", |(_, files)| files.as_str());
                self.call(format!("{files}/a.md")).await
            }
            5 | 6 => self.vote().await,
            _ => self.revoke().await,
        }
    }

    async fn call(&self, path: String) -> Option<()> {
        let id = format!("call-{}-{}", self.number, self.calls.fetch_add(1, Ordering::Relaxed));
        let request = self.client.request(Method::POST, "/access/v1/evaluation").bearer_auth(&self.point);
        let request = request.header("proviso-subject-token", &self.agent);
        let (status, reply) = answered(request.json(&write_file("report-writer", &path, &id))).await?;
        assert_eq!(status, 200, "{reply}");
        if reply["context"]["reason"] == "record_unavailable" {
            assert_eq!(reply["decision"], false, "{reply}");
            return self.unrecorded();
        }
        let evaluation = reply["context"]["evaluation_id"].as_str().expect("an id").to_owned();
        let lapsed = reply["context"]["message"].as_str().is_some_and(|told| told.contains("the allow lapsed"));
        let told = match reply["decision"].as_bool().expect("a decision") {
            true => Told::Allowed,
            false if lapsed => Told::Lapsed,
            false => Told::Denied,
        };
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).decisions.push((evaluation, told));
        Some(())
    }

    /// A disk that took longer than anybody waits for: what says so is refused, and need not be there.
    fn unrecorded(&self) -> Option<()> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).unrecorded += 1;
        Some(())
    }

    async fn vote(&self) -> Option<()> {
        let next = self.ballots.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(Ballot { exception, ballot }) = next else {
            return self.call("/srv/files/drafts/b.md".to_owned()).await;
        };
        let path = format!("/api/v1/exceptions/{exception}/votes");
        let (status, reply) =
            answered(as_person(self.client.request(Method::POST, &path), &self.mara).json(&ballot)).await?;
        if (status, &reply["code"]) == (503, &json!("record_unavailable")) {
            return self.unrecorded();
        }
        assert_eq!((status, &reply["state"]), (200, &json!("granted")), "{reply}");
        let sheet = ballot["sheet"].as_str().expect("a digest").to_owned();
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).votes.push((exception, sheet));
        Some(())
    }

    async fn revoke(&self) -> Option<()> {
        // The half of them that is left is used on.
        let next = {
            let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
            if grants.len() > 2 { grants.pop() } else { None }
        };
        let Some((exception, _)) = next else { return self.call("/srv/files/drafts/c.md".to_owned()).await };
        let detail =
            as_person(self.client.request(Method::GET, &format!("/api/v1/exceptions/{exception}")), &self.mara);
        let (_, detail) = answered(detail).await?;
        // One that is used up meanwhile has its counters around it.
        let held = &detail["exception"]["phase"]["grant"];
        let grant = held["id"].as_str().or(held["grant"]["id"].as_str()).expect("a grant").to_owned();
        let path = format!("/api/v1/grants/{grant}/revoke");
        let request =
            as_person(self.client.request(Method::POST, &path), &self.mara).json(&json!({"reason": "enough"}));
        let (status, reply) = answered(request).await?;
        if (status, &reply["code"]) == (503, &json!("record_unavailable")) {
            return self.unrecorded();
        }
        assert_eq!(status, 200, "{detail} {reply}");
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).revokes.push(exception);
        Some(())
    }
}

/// Status and body of an answer that came whole.
async fn answered(request: RequestBuilder) -> Option<(u16, Value)> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let body = response.bytes().await.ok()?;
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}

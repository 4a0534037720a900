//! Whoever is asked over HTTP, by the same client in the same way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proviso_tests::{AGENTS, Story};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Result;
use crate::measure::now;

/// One of them.
pub struct Asked {
    http: Client,
    url: String,
    /// The enforcement point's token.
    point: String,
    /// The agents that it asks for in turn, with their tokens.
    agents: Vec<(&'static str, String)>,
    asked: AtomicU64,
}

/// Who asks at a gate: it works on a bounded number of one agent's questions at once, and a point asks for many.
const ASKING: [&str; 4] = ["report-writer", "ledger-bot", "close-planner", "release-bot"];

impl Asked {
    /// A gate with the sample bundle.
    pub async fn gate(story: &Story) -> Result<Self> {
        let url = format!("{}/access/v1/evaluation", story.client.url);
        let mut agents = Vec::new();
        for agent in ASKING {
            agents.push((agent, story.gate.agent(agent, &format!("task-of-{agent}"), Some("ines")).await));
        }
        Self::new(url, story.point.clone(), agents)
    }

    /// A handler of ours, which looks at nothing that it is sent.
    pub fn peer(url: &str) -> Result<Self> {
        Self::new(url.to_owned(), "nobody".to_owned(), vec![("nobody", "nobody".to_owned())])
    }

    fn new(url: String, point: String, agents: Vec<(&'static str, String)>) -> Result<Self> {
        let http = Client::builder().no_proxy().build()?;
        Ok(Self { http, url, point, agents, asked: AtomicU64::new(0) })
    }

    /// Asks once, for a call that scope permits, and holds the answer against that.
    pub async fn ask(&self) -> Result<()> {
        let call = self.asked.fetch_add(1, Ordering::Relaxed);
        let turn = usize::try_from(call)? % self.agents.len().max(1);
        let (agent, token) = self.agents.get(turn).ok_or("nobody asks")?;
        let request = self.http.post(&self.url).bearer_auth(&self.point).header("proviso-subject-token", token);
        let answer = request.json(&question(agent, call)).send().await?.text().await?;
        if answer.contains("\"decision\":true") { Ok(()) } else { Err(format!("no permit: {answer}").into()) }
    }

    /// Asks over so many connections at once, so many times over each. How long all of it took.
    pub async fn at_once(asked: &Arc<Self>, connections: usize, calls: u32) -> Result<Duration> {
        let begun = now();
        let mut all = JoinSet::new();
        for _ in 0..connections {
            let asked = Arc::clone(asked);
            all.spawn(async move {
                for _ in 0..calls {
                    asked.ask().await.map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(())
            });
        }
        while let Some(one) = all.join_next().await {
            one??;
        }
        Ok(begun.elapsed())
    }
}

fn question(agent: &str, call: u64) -> Value {
    json!({
        "subject": {"type": "Agent", "id": format!("{AGENTS}{agent}")},
        "action": {"name": "read_file"},
        "resource": {"type": "Volume", "id": "files"},
        "context": {
            "input": {"path": "/srv/files/reports/q4.md"},
            "proviso.dev/server": "files",
            "proviso.dev/call": format!("bench-{call}"),
        },
    })
}

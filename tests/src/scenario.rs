//! The story's questions, and the way from a denial to a grant, over HTTP alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use policy_core::abi::{Answer as ModuleAnswer, Preview, Previewed};
use policy_core::digest::Digest;
use policy_core::grant::ResourceScope;
use policy_core::json;
use policy_core::sheet::{DecisionSheet, binding};
use proviso::gate::{Limits, WasmEngine};
use proviso_api::exceptions::{BundleReply, ExceptionDetail, QuestionsReply, SheetReply};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::gate::TestGate;

/// What the ids of the sample bundle's agents begin with.
pub const AGENTS: &str = "spiffe://acme.example/agent/";

/// `write_file` to a path, by an agent.
pub fn write_file(agent: &str, path: &str, call: &str) -> Value {
    json!({
        "subject": {"type": "Agent", "id": format!("{AGENTS}{agent}")},
        "action": {"name": "write_file"},
        "resource": {"type": "Volume", "id": "files"},
        "context": {
            "input": {"path": path, "content": "hello"},
            "proviso.dev/server": "files",
            "proviso.dev/call": call,
        },
    })
}

/// `post_journal` of so many rows, by an agent.
pub fn post_rows(agent: &str, dataset: &str, rows: i64, call: &str) -> Value {
    json!({
        "subject": {"type": "Agent", "id": format!("{AGENTS}{agent}")},
        "action": {"name": "post_journal"},
        "resource": {"type": "Dataset", "id": dataset},
        "context": {
            "input": {"rows": rows},
            "proviso.dev/server": "ledger",
            "proviso.dev/call": call,
        },
    })
}

/// The scope that a denial offered, widened to every file inside a folder.
pub fn inside(scope: &Value, folder: &str, uses: u32) -> Value {
    let mut scope = scope.clone();
    scope["arguments"] = json!([{"at": ["path"], "op": "inside", "path": folder}]);
    scope["max_uses"] = json!(uses);
    scope
}

/// How many uses of its grant an exception has consumed, by what the gate tells of it.
pub fn uses(detail: &Value) -> Option<u64> {
    let phase = &detail["exception"]["phase"];
    phase["uses"].as_u64().or_else(|| phase["grant"]["uses"].as_u64())
}

/// The sample bundle's story on a gate in this process.
pub struct Story {
    /// The gate.
    pub gate: TestGate,
    parties: Parties,
}

/// Who plays the story at any gate: report-writer in a task for ines, behind a proxy.
pub struct Parties {
    /// The gate, as anybody reaches it.
    pub client: Client,
    /// The enforcement point's token.
    pub point: String,
    /// The agent's token.
    pub agent: String,
}

impl std::ops::Deref for Story {
    type Target = Parties;

    fn deref(&self) -> &Parties {
        &self.parties
    }
}

impl Story {
    /// A fresh gate with the sample bundle.
    pub async fn begin() -> Self {
        Self::on(TestGate::start().await).await
    }

    /// Other parties at this gate.
    pub fn of(gate: TestGate, parties: Parties) -> Self {
        Self { gate, parties }
    }

    /// The credentials on this gate.
    pub async fn on(gate: TestGate) -> Self {
        let point = gate.point("proxy", &["files", "ledger"]).await;
        let agent = gate.agent("report-writer", "weekly-report", Some("ines")).await;
        let parties = Parties { client: gate.client.clone(), point, agent };
        Self { gate, parties }
    }
}

impl Parties {
    /// Asks for a call, as the proxy.
    pub async fn evaluate(&self, body: &Value) -> Answer {
        self.client.post_for("/access/v1/evaluation", &self.point, &self.agent, body).await
    }

    /// The body of a request for the call that was denied.
    pub fn request_body(&self, call: &Value, denied: &Value, scope: Option<Value>) -> Value {
        let mut body = call.clone();
        body["context"]["business_justification"] = json!("the weekly report is due");
        if let Some(context) = body["context"].as_object_mut() {
            context.remove("proviso.dev/call");
        }
        body["denial"] = json!({
            "evaluation_id": denied["context"]["evaluation_id"],
            "expires_at": denied["context"]["access_request"]["expires_at"],
        });
        if let Some(scope) = scope {
            body["requested_access"] = json!({"proviso.dev/scope": scope});
        }
        body
    }

    /// Sends a request.
    pub async fn request(&self, body: &Value) -> Answer {
        self.client.post_for("/access/v1/requests", &self.point, &self.agent, body).await
    }

    /// From a call that is refused to an open request: its id.
    #[expect(clippy::panic, reason = "a harness fails its test by panicking")]
    pub async fn ask(&self, call: &Value, folder: Option<&str>) -> String {
        let denied = self.evaluate(call).await.json();
        let offered = &denied["context"]["access_request"]["display"]["scope"];
        let scope = folder.map(|folder| inside(offered, folder, 3));
        let answer = self.request(&self.request_body(call, &denied, scope)).await;
        match answer.json()["task"]["id"].as_str() {
            Some(id) => id.to_owned(),
            None => panic!("no request was made: {denied:#} {answer:?}"),
        }
    }

    /// What a person's page would send: sheet and preview at the newest position, evaluated on the module itself.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub async fn ballot(&self, cookie: &str, id: &str, decision: &str, grant: Option<Value>) -> Value {
        let detail = self.client.get(&format!("/api/v1/exceptions/{id}"), Some(cookie)).await;
        let detail: ExceptionDetail = serde_json::from_str(&detail.text).expect("an exception");
        self.ballot_at(cookie, id, detail.position, decision, grant).await.expect("a sheet")
    }

    /// The same for a position that was read before. None where the exception has ended meanwhile, and there is no
    /// ballot to cast.
    #[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
    pub async fn ballot_at(
        &self,
        cookie: &str,
        id: &str,
        position: u64,
        decision: &str,
        grant: Option<Value>,
    ) -> Option<Value> {
        let client = &self.client;
        let get = async |path: &str| {
            client.get(&format!("/api/v1/exceptions/{id}/{path}?as_of={position}"), Some(cookie)).await
        };
        let sheet = get("sheet").await;
        if !sheet.status.is_success() {
            return None;
        }
        let SheetReply { sheet, smallest } = serde_json::from_str(&sheet.text).expect("a sheet");
        let questions: QuestionsReply = serde_json::from_str(&get("questions").await.text).expect("questions");
        let session: Value = client.get("/api/v1/session", Some(cookie)).await.json();
        let person = serde_json::from_value(session["person"].clone()).expect("a person");
        let scope = match grant {
            Some(grant) => serde_json::from_value(grant).expect("a scope"),
            None => sheet.exception.current().map_or(smallest, |version| version.scope.clone()),
        };
        let engine = engine(client, cookie, sheet.bundle.digest).await;
        let previewed = preview(&engine, &sheet, questions, &scope).await;
        let digest = binding(&person, &sheet, &scope, &previewed).expect("a canonical form");
        // As who sees the page would type it; where the tier does not ask for it nobody reads it.
        let resources = sheet.exception.request.question.call.resources.iter().map(|resource| resource.id.as_str());
        Some(json!({
            "confirm": resources.collect::<Vec<_>>().join(", "),
            "decision": decision,
            "as_of": sheet.as_of,
            "sheet": digest,
            "reason": "looked at it",
            "grant": scope,
        }))
    }

    /// Votes with what the page would send.
    pub async fn vote(&self, cookie: &str, id: &str, decision: &str, grant: Option<Value>) -> Answer {
        let ballot = self.ballot(cookie, id, decision, grant).await;
        self.client.post(&format!("/api/v1/exceptions/{id}/votes"), cookie, &ballot).await
    }
}

/// The preview, on the very module, as a browser makes it.
#[expect(clippy::expect_used, clippy::panic, reason = "a harness fails its test by panicking")]
async fn preview(
    engine: &WasmEngine,
    sheet: &DecisionSheet,
    questions: QuestionsReply,
    scope: &policy_core::grant::Scope,
) -> Previewed {
    use policy_core::abi::{ABI_VERSION, Op};
    use proviso::app::Engine as _;
    // A group in the grant is its members, as the gate told them.
    let named = questions.groups.iter().find(|group| scope.resource == ResourceScope::In(group.group.clone()));
    let members = named.map_or_else(|| questions.grant.members.clone(), |group| group.members.clone());
    let grant = policy_core::grant::Grant { scope: scope.clone(), members, ..questions.grant };
    let input = Preview { v: ABI_VERSION, question: questions.question, grant, others: questions.others, at: sheet.at };
    let input = json::to_canonical_bytes(&input).expect("a canonical form");
    let answer = engine.call(sheet.bundle.digest, Op::Preview, input).await.expect("an answer");
    let limits = json::Limits { max_bytes: 16 << 20, ..json::Limits::DEFAULT };
    match json::read_as(&answer, limits).expect("JSON") {
        ModuleAnswer::Ok(previewed) => previewed,
        ModuleAnswer::Error(error) => panic!("the preview is refused: {error:?}"),
    }
}

/// The module with this bundle in it: fetched and loaded once for all tests, since that takes longer than most of them.
#[expect(clippy::expect_used, reason = "a harness fails its test by panicking")]
async fn engine(client: &Client, cookie: &str, bundle: Digest) -> Arc<WasmEngine> {
    use proviso::app::Engine as _;
    static LOADED: Mutex<BTreeMap<Digest, Arc<WasmEngine>>> = Mutex::new(BTreeMap::new());
    let kept = || LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(engine) = kept().get(&bundle) {
        return Arc::clone(engine);
    }
    let answer = client.get(&format!("/api/v1/bundles/{bundle}"), Some(cookie)).await;
    let reply: BundleReply = serde_json::from_str(&answer.text).expect("the active bundle");
    assert_eq!(reply.load.bundle, bundle, "the sheet's own");
    let engine = WasmEngine::new(crate::gate::module(), Limits::default());
    let engine = Arc::new(engine.expect("the module's exports"));
    engine.load(reply.load).await.expect("the bundle loads");
    kept().insert(bundle, Arc::clone(&engine));
    engine
}

//! The server of the conformance tests, on rmcp: the tools, prompts and resources that
//! `@modelcontextprotocol/conformance` asks for, in both eras.
//!
//! What it offers stands in `tests/mcp/fixture.json`; here is what moves.

#![expect(deprecated, reason = "the earlier era has what the later one leaves out")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientCapabilities, CompleteRequestParams, CompleteResult, ElicitRequest,
    GetPromptRequestParams, GetPromptResponse, InputRequiredResult, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ServerCapabilities, ServerConfig, ServerNotification, ServerRequest, SetLevelRequestParams, SubscribeRequestParams,
    SubscriptionFilter, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, SubscriptionContext};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

const OFFERS: &str = include_str!("../../../mcp/fixture.json");

/// What changed, for whoever subscribed.
#[derive(Clone, Copy, PartialEq)]
enum Changed {
    Tools,
    Prompts,
}

#[derive(Clone)]
struct Fixture {
    offers: Arc<Value>,
    changes: broadcast::Sender<Changed>,
    sessions: Arc<LocalSessionManager>,
}

/// The wire's form of something, as the library's type.
fn typed<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

fn text(words: &str) -> Value {
    json!({"content": [{"type": "text", "text": words}]})
}

/// A result that nothing more is needed for: the later era wants that said, and the library leaves it out of the earlier.
fn complete<T: DeserializeOwned>(mut result: Value) -> Result<T, ErrorData> {
    if let Some(members) = result.as_object_mut() {
        members.insert("resultType".to_owned(), "complete".into());
    }
    typed(result)
}

fn invalid(what: &'static str) -> ErrorData {
    ErrorData::invalid_params(what, None)
}

impl Fixture {
    fn offer(&self, name: &str) -> Value {
        self.offers.get(name).cloned().unwrap_or_default()
    }

    fn list<T: DeserializeOwned>(&self, name: &str) -> Result<T, ErrorData> {
        typed(json!({name: self.offer(name), "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}))
    }

    /// The next round of an exchange (2026-07-28), or nothing once every input is there. The state is the number of rounds
    /// that are over, under a seal that whoever changes it does not have.
    fn round(
        exchange: &Value,
        responses: Option<&BTreeMap<String, Value>>,
        state: Option<&str>,
        capabilities: &Value,
    ) -> Result<Option<InputRequiredResult>, ErrorData> {
        let sealed = |round: usize| format!("round {round} sealed {:x}", (round + 7) * 2_654_435_761);
        let rounds = exchange["rounds"].as_array().cloned().unwrap_or_default();
        let keeps_state = exchange["state"] == true;
        let mut over = 0;
        if keeps_state && (state.is_some() || responses.is_some()) {
            let found = (0..rounds.len()).find(|round| Some(sealed(*round).as_str()) == state);
            over = found.ok_or_else(|| invalid("the state is not one that was given out"))?;
        }
        let answered = |round: &Value| {
            let all = round.as_object().into_iter().flatten();
            all.clone().count() > 0
                && all
                    .into_iter()
                    .all(|(key, _)| responses.and_then(|given| given.get(key)).is_some_and(Value::is_object))
        };
        if rounds.get(over).is_some_and(answered) {
            over += 1;
        }
        let Some(next) = rounds.get(over) else { return Ok(None) };
        let capable = |request: &Value| match request["method"].as_str() {
            Some("sampling/createMessage") => capabilities.get("sampling").is_some(),
            Some("elicitation/create") => capabilities.get("elicitation").is_some(),
            _ => capabilities.get("roots").is_some(),
        };
        let all = next.as_object().into_iter().flatten();
        let wanted: Map<String, Value> = all
            .filter(|(_, request)| exchange["capable"] != true || capable(request))
            .map(|(key, request)| (key.clone(), request.clone()))
            .collect();
        let mut result = json!({"resultType": "input_required", "inputRequests": wanted});
        if let Some(members) = result.as_object_mut().filter(|_| keeps_state) {
            members.insert("requestState".to_owned(), sealed(over).into());
        }
        typed(result).map(Some)
    }

    async fn logs(context: &RequestContext<RoleServer>) -> Result<Value, ErrorData> {
        for words in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
            let note = json!({"method": "notifications/message", "params": {"level": "info", "data": words}});
            notify(context, note).await?;
        }
        Ok(text("logged"))
    }

    async fn progresses(context: &RequestContext<RoleServer>) -> Result<Value, ErrorData> {
        for progress in [0, 50, 100] {
            if let Some(token) = context.meta.get_progress_token() {
                let params = json!({"progressToken": token, "progress": progress, "total": 100});
                notify(context, json!({"method": "notifications/progress", "params": params})).await?;
            }
        }
        Ok(text("progressed"))
    }

    /// Closes the streams of the session that calls, and answers when they are taken up again (2025-11-25).
    async fn reconnects(&self, context: &RequestContext<RoleServer>) -> Result<Value, ErrorData> {
        let parts = context.extensions.get::<axum::http::request::Parts>();
        let session = parts.and_then(|parts| parts.headers.get("mcp-session-id")?.to_str().ok());
        let session = session.ok_or_else(|| invalid("there is no session whose stream could be closed"))?;
        let handle = self.sessions.sessions.read().await.get(session).cloned();
        let handle = handle.ok_or_else(|| invalid("there is no such session"))?;
        for stream in 0..8 {
            // It is under one of these numbers, and the library tells nobody under which.
            let _none = handle.close_sse_stream(stream, Some(Duration::from_millis(200))).await;
        }
        Ok(self.offers["results"]["test_reconnection"].clone())
    }

    /// Asks the client in the middle of a call (2025-11-25).
    async fn asks(context: &RequestContext<RoleServer>, request: ServerRequest) -> Result<Value, String> {
        let answer = tokio::time::timeout(Duration::from_secs(20), context.peer.send_request(request)).await;
        let answer = answer.map_err(|_| "no answer".to_owned())?.map_err(|error| error.to_string())?;
        serde_json::to_value(answer).map_err(|error| error.to_string())
    }
}

async fn notify(context: &RequestContext<RoleServer>, notification: Value) -> Result<(), ErrorData> {
    let notification: ServerNotification = typed(notification)?;
    // A client that has gone hears nothing.
    let _gone = context.peer.send_notification(notification).await;
    Ok(())
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let capabilities = json!({
            "tools": {"listChanged": true}, "prompts": {"listChanged": true}, "resources": {"subscribe": true},
            "logging": {}, "completions": {}
        });
        let capabilities: ServerCapabilities = serde_json::from_value(capabilities).unwrap_or_default();
        ServerConfig::new(capabilities)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.list("tools")
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.as_ref();
        let argument = |name: &str| {
            let arguments = request.arguments.as_ref();
            arguments.and_then(|all| all.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let capabilities = serde_json::to_value(context.client_capabilities()).unwrap_or_default();
        if let Some(exchange) = self.offers["exchanges"].get(name) {
            let (responses, state) = (request.input_responses.as_ref(), request.request_state.as_deref());
            return match Self::round(exchange, responses, state, &capabilities)? {
                Some(asked) => Ok(asked.into()),
                None => {
                    // In one order of members, whichever they came in.
                    let told = policy_core::json::to_canonical_bytes(&json!(responses)).unwrap_or_default();
                    let told = format!("state-ok {}", String::from_utf8_lossy(&told));
                    complete::<rmcp::model::CallToolResult>(text(&told)).map(Into::into)
                }
            };
        }
        let result = match name {
            "test_reconnection" => self.reconnects(&context).await?,
            "test_tool_with_logging" => Self::logs(&context).await?,
            "test_tool_with_progress" => Self::progresses(&context).await?,
            "test_missing_capability" => {
                if capabilities.get("sampling").is_none() {
                    let required: ClientCapabilities = typed(json!({"sampling": {}}))?;
                    return Err(ErrorData::missing_required_client_capability(required));
                }
                text("The client can sample.")
            }
            "test_trigger_tool_change" | "test_trigger_prompt_change" => {
                let changed = if name == "test_trigger_tool_change" { Changed::Tools } else { Changed::Prompts };
                // Nobody may have subscribed.
                let _nobody = self.changes.send(changed);
                text("changed")
            }
            "test_sampling" => {
                let message = json!({"role": "user", "content": {"type": "text", "text": argument("prompt")}});
                let params = typed(json!({"messages": [message], "maxTokens": 100}))?;
                let request = rmcp::model::CreateMessageRequest::new(params);
                match Self::asks(&context, ServerRequest::CreateMessageRequest(request)).await {
                    Ok(answer) => text(&format!("LLM response: {answer}")),
                    Err(error) => json!({"content": text(&error)["content"], "isError": true}),
                }
            }
            _ if self.offers["asks"].get(name).is_some() => {
                let mut params = self.offers["asks"][name].clone();
                if params["message"].is_null() {
                    params["message"] = argument("message").into();
                }
                let request = ElicitRequest::new(typed(params)?);
                match Self::asks(&context, ServerRequest::ElicitRequest(request)).await {
                    Ok(answer) => {
                        text(&format!("User response: action={}, content={}", answer["action"], answer["content"]))
                    }
                    Err(error) => json!({"content": text(&error)["content"], "isError": true}),
                }
            }
            _ => self.offers["results"].get(name).cloned().ok_or_else(|| invalid("there is no such tool"))?,
        };
        complete::<rmcp::model::CallToolResult>(result).map(Into::into)
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.list("prompts")
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if request.name == "test_input_required_result_prompt" {
            let capabilities = serde_json::to_value(context.client_capabilities()).unwrap_or_default();
            let (responses, state) = (request.input_responses.as_ref(), request.request_state.as_deref());
            if let Some(asked) = Self::round(&self.offers["prompt_exchange"], responses, state, &capabilities)? {
                return Ok(asked.into());
            }
        }
        let result =
            self.offers["prompt_results"].get(&request.name).ok_or_else(|| invalid("there is no such prompt"))?;
        let mut result = result.to_string();
        for (name, value) in request.arguments.iter().flatten() {
            let value = value.as_str().unwrap_or_default().replace(['"', '\\'], "");
            result = result.replace(&format!("{{{name}}}"), &value);
        }
        let result = serde_json::from_str(&result).unwrap_or_default();
        complete::<rmcp::model::GetPromptResult>(result).map(Into::into)
    }

    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.list("resources")
    }

    async fn list_resource_templates(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = self.offer("templates");
        typed(json!({"resourceTemplates": templates, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri.as_str();
        let of_template = uri.strip_prefix("test://template/").and_then(|rest| rest.strip_suffix("/data")).map(|id| {
            let data = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")});
            json!({"uri": uri, "mimeType": "application/json", "text": data.to_string()})
        });
        let content = self.offers["contents"].get(uri).cloned().or(of_template);
        let content =
            content.ok_or_else(|| ErrorData::invalid_params("Resource not found", Some(json!({"uri": uri}))))?;
        let result = json!({"contents": [content], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"});
        typed::<rmcp::model::ReadResourceResult>(result).map(Into::into)
    }

    async fn complete(
        &self,
        _request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        typed(
            json!({"completion": {"values": ["paris", "park", "party"], "total": 3, "hasMore": false}, "resultType": "complete"}),
        )
    }

    async fn set_level(
        &self,
        _request: SetLevelRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn subscribe(
        &self,
        _request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(
        &self,
        _request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        loop {
            let changed = tokio::select! {
                () = context.cancelled() => return Ok(()),
                changed = changes.recv() => changed,
            };
            // What the client did not ask for is refused by the library, which is what is wanted.
            let _told = match changed {
                Ok(Changed::Tools) => context.sink().notify_tool_list_changed().await,
                Ok(Changed::Prompts) => context.sink().notify_prompt_list_changed().await,
                Err(_) => return Ok(()),
            };
        }
    }
}

/// A server that listens, for as long as the test lasts. Its endpoint's URL.
pub async fn start() -> String {
    let (changes, _) = broadcast::channel(16);
    let sessions = Arc::new(LocalSessionManager::default());
    let offers = serde_json::from_str(OFFERS).expect("what is offered is JSON");
    let fixture = Fixture { offers: Arc::new(offers), changes, sessions: Arc::clone(&sessions) };
    let config = StreamableHttpServerConfig::default()
        .with_allowed_origins(["http://127.0.0.1:*", "http://localhost:*"])
        .enforce_origin_validation();
    let service = StreamableHttpService::new(move || Ok(fixture.clone()), sessions, config);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    let router = Router::new().route_service("/mcp", service);
    drop(tokio::spawn(async move { axum::serve(listener, router).await }));
    url
}

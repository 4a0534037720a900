//! Traces of OpenTelemetry (OTLP/HTTP), read by the semantic conventions for GenAI and MCP: a span that executes a tool
//! is the word of whoever was traced that it ran.
//!
//! The conventions are still in development; the names here are those of `open-telemetry/semantic-conventions-genai`.

use policy_core::json::{self, Limits, ReadError};
use policy_core::time::Timestamp;
use proviso_api::operations::ExecutionPhase;
use serde::Deserialize;
use serde_json::{Value, json};

use super::attributes::{Attributes, KeyValue, of_json, of_protobuf, text};
use super::protobuf::{Fields, NoMessage, put_bytes, put_number};
use super::{digest_of, digest_of_text};
use crate::reconcile::Said;

/// A span, with what it comes from.
#[derive(Debug, Default)]
struct Span {
    trace: String,
    span: String,
    parent: String,
    began: u64,
    ended: u64,
    failed: bool,
    attributes: Attributes,
}

/// A tool's span as evidence: its name, and what it says; or why it is none.
pub type Piece = Result<(String, Said), &'static str>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    #[serde(default)]
    resource: Resource,
    #[serde(default)]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Debug, Default, Deserialize)]
struct Resource {
    #[serde(default)]
    attributes: Vec<KeyValue>,
}

#[derive(Debug, Deserialize)]
struct ScopeSpans {
    #[serde(default)]
    spans: Vec<JsonSpan>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonSpan {
    #[serde(default)]
    trace_id: String,
    #[serde(default)]
    span_id: String,
    #[serde(default)]
    parent_span_id: String,
    #[serde(default)]
    start_time_unix_nano: Value,
    #[serde(default)]
    end_time_unix_nano: Value,
    #[serde(default)]
    attributes: Vec<KeyValue>,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    code: Value,
}

/// Reads a body in JSON.
///
/// # Errors
/// What is not strict JSON, or no such message.
pub fn read_json(bytes: &[u8]) -> Result<Vec<Piece>, ReadError> {
    let request: Request = json::read_object_as(bytes, Limits::DEFAULT, &[])?;
    let mut pieces = Vec::new();
    for from in request.resource_spans {
        let resource = of_json(from.resource.attributes);
        for span in from.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let failed = span.status.code == json!(2) || span.status.code == json!("STATUS_CODE_ERROR");
            let span = Span {
                trace: span.trace_id.to_ascii_lowercase(),
                span: span.span_id.to_ascii_lowercase(),
                parent: span.parent_span_id.to_ascii_lowercase(),
                began: nanos(&span.start_time_unix_nano),
                ended: nanos(&span.end_time_unix_nano),
                failed,
                attributes: of_json(span.attributes),
            };
            pieces.extend(piece(span, &resource));
        }
    }
    Ok(pieces)
}

/// 64 bits are a text in JSON.
fn nanos(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(0)
}

/// Reads a body in protocol buffers: `ExportTraceServiceRequest`.
///
/// # Errors
/// Bytes that are no such message.
pub fn read_protobuf(bytes: &[u8]) -> Result<Vec<Piece>, NoMessage> {
    let mut pieces = Vec::new();
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        if number == 1 {
            resource_spans(field.bytes()?, &mut pieces)?;
        }
    }
    Ok(pieces)
}

fn resource_spans(bytes: &[u8], pieces: &mut Vec<Piece>) -> Result<(), NoMessage> {
    let (mut resource, mut spans) = (Attributes::new(), Vec::new());
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => {
                let mut fields = Fields(field.bytes()?);
                while let Some((number, field)) = fields.next()? {
                    if number == 1 {
                        of_protobuf(field.bytes()?, &mut resource)?;
                    }
                }
            }
            2 => {
                let mut fields = Fields(field.bytes()?);
                while let Some((number, field)) = fields.next()? {
                    if number == 2 {
                        spans.push(span(field.bytes()?)?);
                    }
                }
            }
            _ => {}
        }
    }
    pieces.extend(spans.into_iter().filter_map(|span| piece(span, &resource)));
    Ok(())
}

/// `Span`: trace 1, span 2, the span around it 4, start 7, end 8, attributes 9, status 15 with its code 3.
fn span(bytes: &[u8]) -> Result<Span, NoMessage> {
    let mut span = Span::default();
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => span.trace = hex(field.bytes()?),
            2 => span.span = hex(field.bytes()?),
            4 => span.parent = hex(field.bytes()?),
            7 => span.began = field.number()?,
            8 => span.ended = field.number()?,
            9 => of_protobuf(field.bytes()?, &mut span.attributes)?,
            15 => {
                let mut fields = Fields(field.bytes()?);
                while let Some((number, field)) = fields.next()? {
                    span.failed |= number == 3 && field.number()? == 2;
                }
            }
            _ => {}
        }
    }
    Ok(span)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a span says; nothing where it executes no tool.
fn piece(span: Span, resource: &Attributes) -> Option<Piece> {
    let attributes = &span.attributes;
    let executes = text(attributes, "gen_ai.operation.name") == Some("execute_tool")
        || text(attributes, "mcp.method.name") == Some("tools/call");
    executes.then(|| said(&span, resource))
}

fn said(span: &Span, resource: &Attributes) -> Piece {
    let attributes = &span.attributes;
    let is_id = |id: &str, length: usize| {
        id.len() == length && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && id.bytes().any(|byte| byte != b'0')
    };
    if !is_id(&span.trace, 32) || !is_id(&span.span, 16) {
        return Err("a span has no trace id and span id");
    }
    let action = text(attributes, "gen_ai.tool.name").ok_or("a tool's span has no `gen_ai.tool.name`")?;
    if span.began == 0 {
        return Err("a span does not say when it began");
    }
    let arguments = attributes.get("gen_ai.tool.call.arguments");
    let input_digest = arguments.and_then(|arguments| match arguments {
        Value::String(text) => digest_of_text(text),
        other => digest_of(other),
    });
    let own = |name: &str| text(attributes, name).or_else(|| text(resource, name)).map(str::to_owned);
    let phase = if span.ended == 0 {
        ExecutionPhase::OutcomeUnknown
    } else if span.failed || text(attributes, "error.type").is_some() {
        ExecutionPhase::Failed
    } else {
        ExecutionPhase::Executed
    };
    let said = Said {
        subject: None,
        task: None,
        action: Some(action.to_owned()),
        server: own("proviso.server"),
        input_digest,
        evaluation: own("proviso.evaluation.id"),
        call: own("proviso.call.id"),
        grant: own("proviso.grant.id"),
        host: own("host.name").or_else(|| own("host.id")),
        started_at: Some(instant(span.began)),
        ended_at: (span.ended > 0).then(|| instant(span.ended)),
        phase,
        trace: Some(span.trace.clone()),
        parent: is_id(&span.parent, 16).then(|| span.parent.clone()),
    };
    Ok((format!("{}/{}", span.trace, span.span), said))
}

fn instant(nanos: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX))
}

/// The answer in JSON: `ExportTraceServiceResponse`.
pub fn answer_json(rejected: usize, why: &str) -> Value {
    if rejected == 0 {
        return json!({});
    }
    json!({"partialSuccess": {"rejectedSpans": rejected.to_string(), "errorMessage": why}})
}

/// The answer in protocol buffers.
pub fn answer_protobuf(rejected: usize, why: &str) -> Vec<u8> {
    let mut answer = Vec::new();
    if rejected > 0 {
        let mut partial = Vec::new();
        put_number(&mut partial, 1, rejected as u64);
        put_bytes(&mut partial, 2, why.as_bytes());
        put_bytes(&mut answer, 1, &partial);
    }
    answer
}

#[cfg(test)]
mod tests;

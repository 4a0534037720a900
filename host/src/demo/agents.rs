//! The agents that speak to the gate through a gateway of the house, over HTTP.

use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Condition, Scope, Test};
use policy_core::time::Span;
use proviso_api::authzen::EvaluationReply;
use proviso_api::operations::ExecutionPhase;
use serde_json::json;

use super::gate::{Call, Gate, fresh_id};
use super::pause;
use super::place::Place;

/// Reads, which is in its scope, and writes to `reports/`, which is not.
pub(super) async fn report_writer(gate: &Gate, place: &Place) {
    let volume = EntityRef::new("Volume", "files");
    let reports = place.files().join("reports");
    for week in 46.. {
        let page = place.files().join("week-46.md");
        let read = Call {
            agent: "report-writer",
            server: "files",
            action: "read_file",
            resource: volume.clone(),
            input: json!({"path": page}),
        };
        run(gate, &read, || Ok(())).await;
        pause(4).await;

        let file = reports.join(format!("week-{week}.md"));
        let content = format!("# Report for week {week}\n\nOrders up 4 %, returns flat.\n");
        let write = Call {
            agent: "report-writer",
            server: "files",
            action: "write_file",
            resource: volume.clone(),
            input: json!({"path": file, "content": content}),
        };
        let wider = |scope: &Scope| Scope {
            arguments: ArgumentScope::Conditions(vec![Condition {
                at: vec!["path".to_owned()],
                test: Test::Inside { path: reports.display().to_string() },
            }]),
            not_after: scope.not_after.plus(Span::from_seconds(30 * 60)),
            max_uses: 3,
            ..scope.clone()
        };
        let why = format!("The team expects the report of week {week} in reports/ before noon.");
        until_done(gate, &write, wider, &why, || std::fs::write(&file, &content)).await;
        pause(25).await;
    }
}

/// Posts to a regulated journal: two people, of finance and of security.
pub(super) async fn close_planner(gate: &Gate) {
    for batch in 1_u32.. {
        pause(6).await;
        let post = Call {
            agent: "close-planner",
            server: "ledger",
            action: "post_journal",
            resource: EntityRef::new("Dataset", "finance/ledger-eu"),
            input: json!({"dataset": "finance/ledger-eu", "rows": 240 + batch, "memo": "accruals Q3"}),
        };
        let why = "Accruals of the third quarter are posted before the books close tonight.";
        until_done(gate, &post, Scope::clone, why, || Ok(())).await;
        pause(40).await;
    }
}

/// Tries what a guardrail forbids, now and then; and once the ledger saw it run all the same, which is a finding.
pub(super) async fn intern_bot(gate: &Gate) {
    for time in 1_u32.. {
        pause(15).await;
        let delete = Call {
            agent: "intern-bot",
            server: "ledger",
            action: "delete_journal",
            resource: EntityRef::new("Dataset", "finance/sandbox"),
            input: json!({"dataset": "finance/sandbox"}),
        };
        run(gate, &delete, || Ok(())).await;
        if time == 2 {
            gate.saw(&delete).await;
        }
        pause(45).await;
    }
}

/// One call, as an enforcement point makes it: asked, reported as sending, run, reported. The reply where the gate gave
/// one.
async fn run(gate: &Gate, call: &Call, act: impl FnOnce() -> std::io::Result<()>) -> Option<EvaluationReply> {
    let id = fresh_id();
    let reply = gate.evaluate(call, &id).await?;
    // What cannot be reported as sent is not sent.
    if reply.decision && gate.report(call.agent, &reply, &id, ExecutionPhase::Sending).await {
        let phase = if act().is_ok() { ExecutionPhase::Executed } else { ExecutionPhase::Failed };
        gate.report(call.agent, &reply, &id, phase).await;
    }
    Some(reply)
}

/// Makes a call; where that is refused and may be asked for, asks, waits for people, and tries again. At most one open
/// request at a time: the queue stays short.
async fn until_done(
    gate: &Gate,
    call: &Call,
    scope: impl Fn(&Scope) -> Scope,
    why: &str,
    act: impl Fn() -> std::io::Result<()>,
) {
    let Some(refused) = run(gate, call, &act).await else { return };
    let Some(offer) = refused.context.access_request.as_ref().filter(|_| !refused.decision) else { return };
    let Some(asked) = gate.request(call, &refused, scope(&offer.display.scope), why).await else { return };
    loop {
        pause(3).await;
        match gate.status(call.agent, &asked.task.id).await {
            Some(status) if status.task.status == "pending" => {}
            Some(status) if status.task.status == "approved" => {
                run(gate, call, &act).await;
                return;
            }
            _ => return,
        }
    }
}

//! The record: where the logs stand, and what judges.

use leptos::prelude::*;
use proviso_api::operations::CopyLine;

use super::epoch::Epoch;
use super::export::Export;
use super::receipt::CheckReceipt;
use super::set_title;
use crate::api;
use crate::app::Desk;
use crate::components::{Card, Failure};
use crate::view_model::copies::{erasures, lag};
use crate::view_model::time::zoned;

/// The pages of the record.
#[component]
pub fn Tabs(
    /// Which one this is.
    here: &'static str,
) -> impl IntoView {
    let current = move |name| (here == name).then_some("page");
    view! {
        <div class="tools">
            <nav class="tabs" aria-label="The record">
                <a href="/record" aria-current=current("record")>"Where it stands"</a>
                <a href="/record/log" aria-current=current("log")>"The log"</a>
                <a href="/retention" aria-current=current("retention")>"Retention"</a>
            </nav>
            <Export />
        </div>
    }
}

/// Where the record goes besides, and how far it is there.
#[component]
fn Copies(copies: Vec<CopyLine>) -> impl IntoView {
    (!copies.is_empty()).then(|| {
        let row = |line: CopyLine| {
            let class = if line.state == "fine" { "soft" } else { "bad" };
            let erasures = erasures(&line).map(|told| view! { <p class="bad">{told}</p> });
            view! { <tr><th scope="row" class="mono">{line.name.clone()}</th><td class="word">{line.kind.clone()}</td><td><span class=class>{lag(&line)}</span>{erasures}</td></tr> }
        };
        view! {
            <Card title="Where it goes besides">
                <table><tbody>{copies.into_iter().map(row).collect_view()}</tbody></table>
            </Card>
        }
    })
}

/// Heads of the logs, bundle and module.
#[component]
pub fn Record() -> impl IntoView {
    set_title("Record");
    let desk = Desk::take();
    let record = LocalResource::new(move || {
        // Every change is a record: ask again.
        desk.position.track();
        api::record()
    });
    let body = move || {
        record.get().map(|record| match record {
            Err(error) => {
                desk.note(&error);
                view! { <Failure error /> }.into_any()
            }
            Ok(record) => view! {
                <p class="soft">{format!("as of {}", zoned(record.now))}</p>
                <Card title="What judges">
                    <table>
                        <tbody>
                            <tr><th scope="row">"bundle"</th><td><code class="whole">{record.bundle.to_string()}</code></td></tr>
                            <tr><th scope="row">"module"</th><td><code class="whole">{record.module.to_string()}</code></td></tr>
                        </tbody>
                    </table>
                </Card>
                <Copies copies=record.copies />
                <Card title="Logs">
                    {record
                        .logs
                        .into_iter()
                        .map(|log| view! {
                            <h3 class="mono">{log.log}</h3>
                            <p>{format!("{} records. Its signed head:", log.size)}</p>
                            <pre class="note" tabindex="0">{log.note}</pre>
                        })
                        .collect_view()}
                    <p class="soft">
                        "Keep a head: whoever holds one can tell later whether anything before it was changed. "
                        <code>"proviso audit verify --data DIR"</code> " checks every record."
                    </p>
                </Card>
            }
            .into_any(),
        })
    };
    view! {
        <h1>"Record"</h1>
        <Tabs here="record" />
        <Epoch />
        <Transition fallback=|| view! { <p class="soft">"Asking the gate …"</p> }>{body}</Transition>
        // What a receipt came to stays while the record goes on.
        <CheckReceipt />
    }
}

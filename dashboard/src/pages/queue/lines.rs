//! The lines of a tab: those around the window are drawn, and while somebody is on them none changes its place.

use std::collections::BTreeSet;

use leptos::ev;
use leptos::html::Ul;
use leptos::prelude::*;
use proviso_api::exceptions::ExceptionLine;
use wasm_bindgen::JsCast as _;

use super::Page;
use super::active::ActOnChosen;
use super::row::Line;
use crate::app::Desk;
use crate::view_model::queue::{Row, Tab, View, arrange, window};

/// The list of a tab, and what stands there where it holds nothing. The last line that ends keeps its place, too.
#[component]
pub(super) fn Lines(fresh: Memo<Vec<ExceptionLine>>, empty: ViewFn) -> impl IntoView {
    let (page, desk) = (Page::take(), Desk::take());
    let list = NodeRef::<Ul>::new();
    let (pointed, focused) = (RwSignal::new(false), RwSignal::new(false));
    let released = RwSignal::new(0_u32);
    let drawn = RwSignal::new(Vec::<Row>::new());
    let kept_back = RwSignal::new(0_usize);
    let chosen = RwSignal::new(BTreeSet::<String>::new());
    Effect::new(move |before: Option<(View, u32)>| {
        let now = (page.view.get(), released.get());
        let fresh = fresh.get();
        let held = (pointed.get() || focused.get()) && before.as_ref() == Some(&now);
        let shown: Vec<String> = drawn.with_untracked(|rows| rows.iter().map(|row| row.line.id.clone()).collect());
        // One that the gate lists no more stands as it was last seen.
        let drawn_before = |id: &str| {
            drawn.with_untracked(|rows| rows.iter().find(|row| row.line.id == id).map(|row| row.line.clone()))
        };
        let known = |id: &str| page.book.with_untracked(|book| book.line(id).cloned()).or_else(|| drawn_before(id));
        let (rows, new) = arrange(&shown, fresh, known, held);
        if before.is_some() && !rows.iter().map(|row| &row.line.id).eq(shown.iter()) {
            desk.page_changed();
        }
        kept_back.set(new);
        drawn.set(rows);
        now
    });
    // What is drawn follows the window.
    let place = RwSignal::new((0.0_f64, 0.0_f64, 0.0_f64));
    let measure = move || {
        // The next frame may be another page's.
        let Some(list) = list.try_get_untracked().flatten() else { return };
        let row = list.first_element_child().map(|row| row.unchecked_into::<web_sys::HtmlElement>().offset_height());
        let scrolled = window_y() - f64::from(list.offset_top());
        place.set((f64::from(row.unwrap_or(0)), scrolled, window_height()));
    };
    let on_scroll = window_event_listener(ev::scroll, move |_| measure());
    let on_resize = window_event_listener(ev::resize, move |_| measure());
    on_cleanup(move || {
        on_scroll.remove();
        on_resize.remove();
    });
    Effect::new(move |_| {
        drawn.track();
        page.view.track();
        request_animation_frame(measure);
    });
    let seen = Memo::new(move |_| {
        let (row, scrolled, height) = place.get();
        window(drawn.with(Vec::len), row, scrolled, height)
    });
    let rows = Memo::new(move |_| {
        let seen = seen.get();
        drawn.with(|rows| {
            let place = |(index, row): (usize, &Row)| (index, row.clone());
            let some = rows.iter().enumerate().skip(seen.first).take(seen.last.saturating_sub(seen.first));
            some.map(place).collect::<Vec<_>>()
        })
    });
    let total = move || drawn.with(Vec::len).to_string();
    let tab = Memo::new(move |_| page.view.with(|view| view.tab));
    let holds_nothing = Memo::new(move |_| drawn.with(Vec::is_empty) && fresh.with(Vec::is_empty));
    view! {
        {move || holds_nothing.get().then(|| empty.run())}
        <p class="kept-back" role="status">
            {move || match kept_back.get() {
                0 => ().into_any(),
                count => view! {
                    <button class="quiet" on:click=move |_| released.update(|count| *count = count.wrapping_add(1))>
                        {if count == 1 { "1 new line: show it".to_owned() } else { format!("{count} new lines: show them") }}
                    </button>
                }
                .into_any(),
            }}
        </p>
        <ActOnChosen tab chosen drawn />
        <ul
            class="lines queue" class:active=move || tab.get() == Tab::Active node_ref=list
            hidden=move || holds_nothing.get()
            style:padding-top=move || format!("{}px", seen.get().above)
            style:padding-bottom=move || format!("{}px", seen.get().below)
            on:pointerenter=move |_| pointed.set(true)
            on:pointerleave=move |_| pointed.set(false)
            on:focusin=move |_| focused.set(true)
            on:focusout=move |_| focused.set(false)
        >
            <For
                each=move || rows.get()
                // The whole line is the key: a line that changed is drawn again, the others keep the focus.
                key=move |(index, row)| (tab.get_untracked().word(), *index, row.gone, serde_json::to_string(&row.line).unwrap_or_default())
                children=move |(index, row)| view! {
                    <li
                        class:gone=row.gone aria-posinset=(index + 1).to_string()
                        aria-setsize=total
                    >
                        <Line line=row.line gone=row.gone tab=tab.get_untracked() chosen />
                    </li>
                }
            />
        </ul>
    }
}

fn window_y() -> f64 {
    leptos::prelude::window().scroll_y().unwrap_or(0.0)
}

fn window_height() -> f64 {
    leptos::prelude::window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or(0.0)
}

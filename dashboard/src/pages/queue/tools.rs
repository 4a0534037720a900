//! The tabs, the filters and the order, each a link or a field that changes the address.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::super::export::Export;
use super::Page;
use crate::preferences::{save_views, saved_views};
use crate::view_model::queue::{Over, Sort, Tab, View, count, named};

/// The tabs, each with how many lines it has; a plus where more are to be had.
#[component]
pub(super) fn Tabs() -> impl IntoView {
    let page = Page::take();
    let counts = Memo::new(move |_| {
        page.book.with(|book| {
            let lines = book.lines();
            Tab::ALL.map(|tab| match (tab, &book.over) {
                (Tab::Reviews, _) => page.reviews.get().map(|count| count.to_string()).unwrap_or_default(),
                (Tab::History | Tab::All, Over::Nothing) => String::new(),
                (Tab::History | Tab::All, Over::Some(_)) => format!("{}+", count(&lines, tab)),
                _ => count(&lines, tab).to_string(),
            })
        })
    });
    let tabs = move || {
        let view = page.view.get();
        Tab::ALL
            .into_iter()
            .zip(counts.get())
            .map(|(each, count)| {
                let current = (each == view.tab).then_some("page");
                view! { <a href=view.on(each).address() aria-current=current>{each.label()} " " <span class="count">{count}</span></a> }
            })
            .collect_view()
    };
    let over = Memo::new(move |_| page.view.with(|view| view.tab.shows_what_is_over()));
    view! {
        <div class="tools">
            <nav class="tabs" aria-label="Which exceptions">{tabs}</nav>
            <Show when=move || over.get()><Export /></Show>
        </div>
    }
}

/// The search, the filters, the order, and views that were saved.
#[component]
pub(super) fn Narrow() -> impl IntoView {
    let page = Page::take();
    let navigate = use_navigate();
    let show = Callback::new(move |view: View| {
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        navigate(&view.address(), options);
    });
    let search = Memo::new(move |_| page.view.with(|view| view.search.clone()));
    let on_search = move |event| show.run(View { search: event_target_value(&event), ..page.view.get_untracked() });
    let sorts = Sort::ALL
        .map(|sort| {
            let is_set = move || page.view.with(|view| view.sort == sort);
            view! { <option value=sort.word() prop:selected=is_set>{sort.label()}</option> }
        })
        .collect_view();
    let on_sort = move |event| {
        show.run(View { sort: Sort::from_word(&event_target_value(&event)), ..page.view.get_untracked() });
    };
    view! {
        <div class="tools narrowing" role="search">
            <label class="filter">
                <span class="unseen">"Search"</span>
                <input id="search" type="search" placeholder="agent, task, tool, resource" prop:value=search on:input=on_search />
            </label>
            <Filter label="tier" show read=|view| view.tier.clone() write=|view, value| view.tier = value of=|line| line.tier.clone() />
            <Filter label="agent" show read=|view| view.agent.clone() write=|view, value| view.agent = value of=|line| line.subject.id.to_string() />
            <Filter label="task" show read=|view| view.task.clone() write=|view, value| view.task = value of=|line| line.task.clone() />
            <Filter label="state" show read=|view| view.state.clone() write=|view, value| view.state = value of=|line| line.state.clone() />
            <label class="pick">
                <span class="unseen">"Order"</span>
                <select id="sort" on:change=on_sort>{sorts}</select>
            </label>
            <Views show />
        </div>
    }
}

/// One filter: the values that the lines of the tab have.
#[component]
fn Filter(
    label: &'static str,
    show: Callback<View>,
    read: fn(&View) -> Option<String>,
    write: fn(&mut View, Option<String>),
    of: fn(&proviso_api::exceptions::ExceptionLine) -> String,
) -> impl IntoView {
    /// More than these are found by the search.
    const MOST: usize = 200;
    let page = Page::take();
    let set = Memo::new(move |_| page.view.with(read));
    let values = Memo::new(move |_| {
        let mut values: BTreeSet<String> = page.book.with(|book| book.lines().iter().map(of).take(20_000).collect());
        values.extend(set.get());
        values.into_iter().take(MOST).collect::<Vec<_>>()
    });
    let options = move || {
        let set = set.get();
        values
            .get()
            .into_iter()
            .map(|value| {
                let is_set = set.as_ref() == Some(&value);
                let shown = policy_core::text::visible(&value, 60);
                view! { <option value=value selected=is_set>{shown}</option> }
            })
            .collect_view()
    };
    let on_change = move |event| {
        let mut view = page.view.get_untracked();
        write(&mut view, Some(event_target_value(&event)).filter(|value| !value.is_empty()));
        show.run(view);
    };
    view! {
        <label class="pick">
            <span class="unseen">{label}</span>
            <select id=format!("filter-{label}") on:change=on_change>
                <option value="" selected=move || set.with(Option::is_none)>{format!("any {label}")}</option>
                {options}
            </select>
        </label>
    }
}

/// Views that were saved in this browser, and saving this one.
#[component]
fn Views(show: Callback<View>) -> impl IntoView {
    let page = Page::take();
    let saved = RwSignal::new(saved_views());
    let naming = RwSignal::new(false);
    let name = RwSignal::new(String::new());
    let links = move || {
        saved
            .get()
            .into_iter()
            .map(|view| {
                let forgotten = view.name.clone();
                let forget = move |_| {
                    saved.update(|saved| saved.retain(|known| known.name != forgotten));
                    save_views(&saved.get_untracked());
                };
                let label = format!("Forget the view {}", view.name);
                view! {
                    <span class="chip saved">
                        <a href=view.address>{view.name}</a>
                        <button class="bare" aria-label=label on:click=forget>"×"</button>
                    </span>
                }
            })
            .collect_view()
    };
    let keep = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let address = page.view.get_untracked().address();
        saved.update(|saved| *saved = named(std::mem::take(saved), &name.get_untracked(), address));
        save_views(&saved.get_untracked());
        name.set(String::new());
        naming.set(false);
    };
    let narrowed = move || page.view.with(|view| view.narrows() || view.sort != Sort::default());
    let clear = move |_| show.run(View { tab: page.view.get_untracked().tab, ..View::default() });
    view! {
        {links}
        <Show when=narrowed>
            <button class="quiet" on:click=clear>"Clear"</button>
            <button class="quiet" aria-expanded=move || naming.get().to_string() on:click=move |_| naming.update(|naming| *naming = !*naming)>"Save this view"</button>
        </Show>
        <Show when=move || naming.get()>
            <form class="naming" on:submit=keep>
                <label class="unseen" for="view-name">"Name of the view"</label>
                <input id="view-name" type="text" maxlength="40" autocomplete="off" placeholder="a name" prop:value=name
                    on:input=move |event| name.set(event_target_value(&event)) />
                <button class="quiet">"Save"</button>
            </form>
        </Show>
    }
}

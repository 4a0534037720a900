//! The pieces that these pages are made of, each as it looks, so that nobody makes a second one.

use leptos::prelude::*;

use super::set_title;
use crate::app::Desk;
use crate::components::{Card, Countdown, Digest, Field, Notice, Text, Tone};
use crate::view_model::time::zoned;

/// The colours, by the names of `dashboard/style/tokens.css`, and what each is for.
const COLOURS: [(&str, &str); 10] = [
    ("bg", "behind everything"),
    ("panel", "what lies on it"),
    ("sunk", "what is set into that"),
    ("ink", "text"),
    ("soft", "text beside"),
    ("edge", "the border of what can be pressed"),
    ("accent", "the one thing to do, and links"),
    ("warn", "look twice"),
    ("bad", "wrong, or wider than needed"),
    ("good", "verified, or passes"),
];

/// What odd characters look like.
const HOSTILE: &str = "report\u{202e}gnp.exe <b>not bold</b> \u{200b}zero width, \u{0430}pple with a Cyrillic letter";

/// The page.
#[component]
pub fn Design() -> impl IntoView {
    set_title("Pieces");
    let desk = Desk::take();
    let typed = RwSignal::new(String::new());
    let soon = Memo::new(move |_| desk.now.get().millis() / 60_000);
    let colours = COLOURS
        .map(|(name, what)| {
            view! {
                <tr>
                    <td class="word"><span class=format!("swatch of-{name}") aria-hidden="true"></span></td>
                    <th scope="row"><code>{format!("--{name}")}</code></th>
                    <td>{what}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <h1>"The pieces of these pages"</h1>
        <p class="soft">"Tokens stand in " <code>"dashboard/style/tokens.css"</code> ", components in " <code>"dashboard/src/components"</code> ". What is not here is not made twice."</p>
        <div class="columns">
            <div>
                <Card title="Colours"><table><tbody>{colours}</tbody></table></Card>
                <Card title="Text">
                    <h3>"A heading inside a card"</h3>
                    <p>"Plain text, " <span class="soft">"text beside"</span> ", " <code>"what machines compare"</code> ", " <kbd>"k"</kbd> "."</p>
                    <p>"Text from outside: " <span class="mono"><Text text=HOSTILE /></span></p>
                    <p>"A digest: " <Digest digest="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /></p>
                    <p class="quote"><Text text="What somebody said, as they said it." /></p>
                </Card>
                <Card title="Times">
                    <p>{move || zoned(desk.now.get())}</p>
                    <p>{move || { soon.track(); view! { <Countdown then=desk.now.get_untracked().plus(policy_core::time::Span::from_seconds(1_800)) /> } }}</p>
                </Card>
            </div>
            <div>
                <Card title="Things to press">
                    <p class="presets">
                        <button>"Something else"</button>
                        <button class="yes">"The one thing to do"</button>
                        <button class="no">"What takes away"</button>
                        <button class="quiet">"Beside"</button>
                        <button aria-disabled="true">"Not now"</button>
                        <button class="quiet" aria-pressed="true">"Chosen"</button>
                    </p>
                    <Field id="piece-text" label="A field of a form" kind="text" fields=typed of=|typed| typed />
                    <label for="piece-wrong">"A field that makes no sense"</label>
                    <input id="piece-wrong" type="text" aria-invalid="true" aria-describedby="piece-problem" />
                    <p class="problem" id="piece-problem">"Say what it should be."</p>
                </Card>
                <Card title="Chips">
                    <p class="chips">
                        {["requested", "granted", "denied", "revoked", "suspended", "lapsed"]
                            .map(|state| view! { <span class=format!("chip state-{state}")>{state}</span> })
                            .collect_view()}
                        <span class="chip strong">"strong"</span>
                        <span class="chip warn">"look twice"</span>
                    </p>
                </Card>
                <Notice tone=Tone::Plain title="To know."><p>"What there is to know."</p></Notice>
                <Notice tone=Tone::Warn title="To look at."><p>"What to look at twice."</p></Notice>
                <Notice tone=Tone::Bad title="Something is wrong."><p>"And what to do about it."</p></Notice>
                <Notice tone=Tone::Good title="It went well." />
                <p class="empty">"An empty list says what would stand here, and what brings it here."</p>
            </div>
        </div>
    }
}

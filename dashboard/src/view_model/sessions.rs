//! Where a person is signed in, in words.

use policy_core::text;
use proviso_api::sessions::SessionLine;

/// Where a session is, in a few words.
pub fn place(line: &SessionLine) -> String {
    if line.for_command_line { "the command line".to_owned() } else { browser(line.browser.as_deref()) }
}

/// What a browser that says this of itself is, in two words: good enough to tell one's own devices apart. Anybody can say
/// anything there, so it is shown as what was said, and decides nothing.
pub fn browser(said: Option<&str>) -> String {
    let Some(said) = said.map(str::trim).filter(|said| !said.is_empty()) else {
        return "a browser that says nothing of itself".to_owned();
    };
    // The ones behind say that they are the ones before, too.
    let browsers =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "an iPhone"),
        ("iPad", "an iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "a Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let find =
        |words: &[(&str, &'static str)]| words.iter().find(|(mark, _)| said.contains(mark)).map(|(_, name)| *name);
    match (find(&browsers), find(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => text::visible(said, 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_in_two_words_or_as_it_says() {
        for (said, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36 Edg/156.0",
                "Edge on Windows",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
                "Safari on a Mac",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1",
                "Safari on an iPhone",
            ),
            ("curl/8.9.1", "curl/8.9.1"),
            ("\u{202e}evil", "⟨U+202E⟩evil"),
        ] {
            assert_eq!(browser(Some(said)), expected, "{said}");
        }
        assert_eq!(browser(None), browser(Some("  ")));
    }
}

//! Everything that can be gone to or done, by its name.

use super::keys::PLACES;
use super::queue::Saved;

/// What an entry of the palette does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Opens this address.
    Go(String),
    /// Tells times in UTC or in the zone of this computer.
    Zone,
    /// Follows the system's colours, or light or dark ones always.
    Theme,
    /// Shows the list of keys.
    Keys,
    /// Copies the address of this page.
    CopyLink,
    /// Copies what this page asked the gate, as a line for a shell.
    CopyCurl,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// The keys that do the same.
    pub keys: String,
    /// What it does.
    pub does: Does,
}

/// All entries: places, what can be done, and this person's saved views.
pub fn entries(saved: &[Saved]) -> Vec<Entry> {
    let entry = |name: &str, keys: &str, does| Entry { name: name.to_owned(), keys: keys.to_owned(), does };
    let mut all: Vec<Entry> = PLACES
        .into_iter()
        .map(|(letter, address, name)| {
            entry(&format!("Go to {name}"), &format!("g {letter}"), Does::Go(address.into()))
        })
        .collect();
    all.push(entry("Go to the pieces that these pages are made of", "", Does::Go("/design".into())));
    all.push(entry("Tell times in UTC, or as this computer does", "", Does::Zone));
    all.push(entry("Light, dark, or as the system has it", "", Does::Theme));
    all.push(entry("Copy the link of this page", "", Does::CopyLink));
    all.push(entry("Copy as curl what this page asked the gate", "", Does::CopyCurl));
    all.push(entry("List the keys", "?", Does::Keys));
    all.extend(saved.iter().map(|saved| entry(&format!("View: {}", saved.name), "", Does::Go(saved.address.clone()))));
    all
}

/// The entries whose names have every word of what was typed, those first that begin with it. What reads like an id of an
/// exception can be opened.
pub fn found(all: Vec<Entry>, typed: &str) -> Vec<Entry> {
    let typed = typed.trim();
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let mut kept: Vec<Entry> = all
        .into_iter()
        .filter(|entry| {
            let name = entry.name.to_lowercase();
            words.iter().all(|word| name.contains(word))
        })
        .collect();
    let first = words.first().cloned().unwrap_or_default();
    kept.sort_by_key(|entry| !entry.name.to_lowercase().split(' ').any(|word| word.starts_with(&first)));
    let is_id = typed.len() > 8 && typed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if is_id && typed.starts_with("exc_") {
        let does = Does::Go(format!("/exceptions/{typed}"));
        kept.insert(0, Entry { name: format!("Open {typed}"), keys: String::new(), does });
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(typed: &str) -> Vec<String> {
        let saved = [Saved { name: "high and mine".into(), address: "/?tier=high".into() }];
        found(entries(&saved), typed).into_iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn what_is_typed_narrows_by_every_word() {
        assert_eq!(names("LOCK")[0], "Go to locks");
        assert_eq!(names("copy curl"), ["Copy as curl what this page asked the gate"]);
        assert_eq!(names("view mine"), ["View: high and mine"]);
        assert!(names("no such thing").is_empty());
        assert!(names("").len() > 15);
    }

    #[test]
    fn an_id_opens_its_page_and_nothing_else_does() {
        let open = |typed: &str| found(entries(&[]), typed).first().map(|entry| entry.does.clone());
        assert_eq!(open(" exc_0123456789 "), Some(Does::Go("/exceptions/exc_0123456789".into())));
        assert_eq!(open("exc_../../evil"), None);
    }
}

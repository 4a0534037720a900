//! What operators look at: the values of `/metrics`, an alert for each, and a page for each alert whose commands work.

mod alerts;
mod runbooks;
mod values;

use std::collections::BTreeMap;

use proviso_tests::Client;

/// The samples of an OpenMetrics text, each by its name with its labels. Read strictly: a family begins with its type, has
/// its samples together and under names that its type allows, and the text ends by saying so.
fn read(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut types: BTreeMap<&str, &str> = BTreeMap::new();
    let mut family = "";
    let body = text.strip_suffix("# EOF\n").unwrap_or_else(|| panic!("no end: {text}"));
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let words: Vec<&str> = rest.splitn(3, ' ').collect();
            let [keyword, name, said] = words.as_slice() else { panic!("`{line}` says nothing") };
            match *keyword {
                "TYPE" => {
                    assert!(types.insert(name, said).is_none(), "`{name}` begins twice");
                    family = name;
                }
                "HELP" | "UNIT" => assert_eq!(*name, family, "{line}"),
                other => panic!("`{other}` is no keyword"),
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("`{line}` is no sample"));
        let name = sample.split('{').next().unwrap_or_default();
        let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("`{name}` is not of `{family}`"));
        let allowed: &[&str] = match types.get(family).copied() {
            Some("gauge") => &[""],
            Some("counter") => &["_total"],
            Some("histogram") => &["_bucket", "_sum", "_count"],
            other => panic!("`{family}` has the type {other:?}"),
        };
        assert!(allowed.contains(&suffix), "`{name}` of a {:?}", types.get(family));
        let value = value.parse().unwrap_or_else(|_| panic!("`{line}` has no number"));
        assert!(samples.insert(sample.to_owned(), value).is_none(), "`{sample}` twice");
    }
    samples
}

/// What a gate tells.
async fn told(client: &Client) -> BTreeMap<String, f64> {
    let answer = client.get("/metrics", None).await;
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    read(&answer.text)
}

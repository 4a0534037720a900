//! The OpenMetrics text format, version 1.0: families of samples, and a line that says that it is whole.

use std::fmt::{Display, Write as _};

/// What it is served as.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A text in the making.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    family: &'static str,
}

impl Exposition {
    /// Begins a family: a `gauge`, `counter` or `histogram`. A name in seconds says so as its unit.
    pub(super) fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.family = name;
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# TYPE {name} {kind}");
        if name.ends_with("_seconds") {
            let _ = writeln!(self.text, "# UNIT {name} seconds");
        }
        let _ = writeln!(self.text, "# HELP {name} {help}");
    }

    /// A sample of the family. `suffix` is what its kind demands: `_total`, `_bucket`, `_sum`, `_count` or nothing.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{suffix}{labels} {value}", self.family);
    }

    /// The whole text.
    pub(super) fn end(mut self) -> String {
        self.text.push_str("# EOF\n");
        self.text
    }
}

/// Milliseconds as seconds.
pub(super) fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_quoted_and_the_end_is_said() {
        let mut text = Exposition::default();
        text.family("a_seconds", "gauge", "How long.");
        text.sample("", &[("of", "a\"b\\c\nd"), ("to", "é")], seconds(1_050));
        text.family("b", "counter", "How often.");
        text.sample("_total", &[], 3);
        let expected = "# TYPE a_seconds gauge\n# UNIT a_seconds seconds\n# HELP a_seconds How long.\n\
                        a_seconds{of=\"a\\\"b\\\\c\\nd\",to=\"é\"} 1.050\n\
                        # TYPE b counter\n# HELP b How often.\nb_total 3\n# EOF\n";
        assert_eq!(text.end(), expected);
    }
}

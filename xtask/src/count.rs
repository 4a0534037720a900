//! How many tests ran, read from what the runners print.

/// Tests that passed and failed so far.
#[derive(Default, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Browser tests that failed once and passed when they were tried again: to be read, and mended.
    pub flaky: u64,
}

impl Count {
    /// Adds what one line of output says: a closing line of libtest, wasm-bindgen-test, node:test or Playwright.
    pub fn read_line(&mut self, line: &str) {
        let line = plain(line);
        let line = line.trim();
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += before(result, " passed");
            self.failed += before(result, " failed");
        } else if let Some(rest) = line.strip_prefix("# pass ").or_else(|| line.strip_prefix("ℹ pass ")) {
            self.passed += rest.parse().unwrap_or(0);
        } else if let Some(rest) = line.strip_prefix("# fail ").or_else(|| line.strip_prefix("ℹ fail ")) {
            self.failed += rest.parse().unwrap_or(0);
        } else {
            self.read_playwright(line);
        }
    }

    /// Playwright closes with `3 passed (1.2m)`, `1 flaky` and `1 failed`, each on a line of its own.
    fn read_playwright(&mut self, line: &str) {
        let mut words = line.split(' ');
        let (Some(number), Some(word), third) = (words.next(), words.next(), words.next()) else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match (word, third) {
            ("passed", Some(time)) if time.starts_with('(') => self.passed += number,
            ("failed", None) => self.failed += number,
            ("flaky", None) => self.flaky += number,
            _ => {}
        }
    }
}

/// The whole number that stands directly before the word.
fn before(text: &str, word: &str) -> u64 {
    text.split_once(word)
        .and_then(|(head, _)| head.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// The line without terminal colours.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // A colour ends with the first letter.
            characters.by_ref().find(|next| next.is_ascii_alphabetic());
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, passed: u64, failed: u64) {
        let mut count = Count::default();
        output.lines().for_each(|line| count.read_line(line));
        assert_eq!((count.passed, count.failed), (passed, failed), "{output}");
    }

    #[test]
    fn what_passed_at_the_second_try_is_told_apart() {
        let mut count = Count::default();
        "  2 flaky\n    [story] › story.spec.ts:3\n  7 passed (1.2m)".lines().for_each(|line| count.read_line(line));
        assert_eq!(count, Count { passed: 7, failed: 0, flaky: 2 });
    }

    #[test]
    fn counts_what_each_runner_prints() {
        check("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.1s", 12, 0);
        check("test result: FAILED. 3 passed; 2 failed; 0 ignored", 3, 2);
        check("test result: \u{1b}[32mok\u{1b}[0m. 4 passed; 0 failed", 4, 0);
        check("# pass 5\n# fail 1", 5, 1);
        check("ℹ tests 6\nℹ pass 6\nℹ fail 0", 6, 0);
        check("  1 failed\n    [story] › story.spec.ts:3\n  7 passed (1.2m)", 7, 1);
        check("3 passed over the bridge\nrunning 3 tests\n2 failed attempts", 0, 0);
    }
}

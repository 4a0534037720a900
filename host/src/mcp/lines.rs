//! Bytes to lines, bounded.

use super::session::{Input, Side};

/// How much of a line that is too long is kept: enough to see what it was.
const BEGINNING: usize = 256;

/// Cuts a stream into lines. A line over the bound is not kept, and is told as such at its end.
#[derive(Debug)]
pub struct Splitter {
    side: Side,
    most: usize,
    line: Vec<u8>,
    too_long: bool,
}

impl Splitter {
    /// For one side's stream.
    pub const fn new(side: Side, most: usize) -> Self {
        Self { side, most, line: Vec::new(), too_long: false }
    }

    /// Takes bytes, answers the lines that end in them. Empty lines are nothing.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Input> {
        let mut inputs = Vec::new();
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        let mut piece = pieces.next();
        while let Some(current) = piece {
            piece = pieces.next();
            if !self.too_long {
                self.line.extend_from_slice(current);
                if self.line.len() > self.most {
                    self.too_long = true;
                    self.line.truncate(BEGINNING);
                }
            }
            if piece.is_some() {
                inputs.extend(self.end());
            }
        }
        inputs
    }

    fn end(&mut self) -> Option<Input> {
        let line = std::mem::take(&mut self.line);
        let too_long = std::mem::take(&mut self.too_long);
        if line.trim_ascii().is_empty() {
            return None;
        }
        Some(match (too_long, self.side) {
            (true, side) => Input::TooLong(side, line),
            (false, Side::Client) => Input::Client(line),
            (false, Side::Upstream) => Input::Upstream(line),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_they_end() {
        let mut splitter = Splitter::new(Side::Client, 8);
        assert!(splitter.push(b"ab").is_empty());
        let inputs = splitter.push(b"c\n\n \r\nde\r\n0123456789\nf");
        let told: Vec<String> = inputs
            .iter()
            .map(|input| match input {
                Input::Client(line) => String::from_utf8_lossy(line).into_owned(),
                Input::TooLong(Side::Client, _) => "too long".to_owned(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(told, ["abc", "de\r", "too long"]);
        assert!(matches!(splitter.push(b"\n").as_slice(), [Input::Client(line)] if line == b"f"));
    }
}

//! Server-sent events, as the transport uses them: read from an upstream within bounds, written to a client.

use super::kept::Place;

/// Something that an upstream's stream says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A message.
    Message(Vec<u8>),
    /// An event too large to be read.
    TooLarge,
}

/// Cuts a stream into events.
#[derive(Debug)]
pub struct Reader {
    most: usize,
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    too_large: bool,
    /// Whether the last byte was a carriage return, which a line feed may follow.
    after_return: bool,
    /// The id of the last event that had one, from where the stream may be taken up again.
    pub last_id: Option<String>,
    /// How long to wait before that, in milliseconds, where the upstream says so.
    pub retry: Option<u64>,
}

/// The longest id of an event that is kept.
const LONGEST_ID: usize = 1_024;

impl Reader {
    /// A reader of events of so many bytes at most.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            too_large: false,
            after_return: false,
            last_id: None,
            retry: None,
        }
    }

    /// Goes on with another stream that follows this one: what was begun is not finished there.
    pub fn begin_again(&mut self) {
        let (last_id, retry) = (self.last_id.take(), self.retry);
        *self = Self { last_id, retry, ..Self::new(self.most) };
    }

    /// Takes bytes, answers the events that end in them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Said> {
        let mut said = Vec::new();
        for byte in bytes {
            let was_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if was_return => {}
                b'\n' | b'\r' => said.extend(self.end_line()),
                byte if self.line.len() < self.most => self.line.push(*byte),
                _ => self.too_large = true,
            }
        }
        said
    }

    fn end_line(&mut self) -> Option<Said> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            let has_data = std::mem::take(&mut self.has_data);
            if std::mem::take(&mut self.too_large) {
                return Some(Said::TooLarge);
            }
            // What primes a stream has an id and nothing to say.
            return (has_data && !data.is_empty()).then_some(Said::Message(data));
        }
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => {
                let value = line.get(colon + 1..).unwrap_or_default();
                (line.get(..colon).unwrap_or_default(), value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line.as_slice(), &b""[..]),
        };
        match name {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                if self.data.len() + value.len() > self.most {
                    self.too_large = true;
                    self.data = Vec::new();
                } else {
                    self.data.extend_from_slice(value);
                }
            }
            b"id" if value.len() <= LONGEST_ID && !value.contains(&0) => {
                self.last_id = String::from_utf8(value.to_vec()).ok();
            }
            b"retry" => self.retry = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
            _ => {}
        }
        None
    }
}

/// A message as an event, with its place where it has one. JSON has no line ends but between its parts, where a space does
/// as well.
pub fn event(message: &[u8], place: Option<Place>) -> Vec<u8> {
    let mut event = place.map(|place| format!("id: {place}\n").into_bytes()).unwrap_or_default();
    event.extend_from_slice(b"event: message\ndata: ");
    event.extend(message.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    event.extend_from_slice(b"\n\n");
    event
}

/// What primes a stream: the place behind which it may be taken up again, after how many milliseconds, and nothing said.
pub fn primer(place: Place, retry: u64) -> Vec<u8> {
    format!("id: {place}\nretry: {retry}\ndata:\n\n").into_bytes()
}

/// That there is somebody.
pub const SIGN_OF_LIFE: &[u8] = b":\n\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, most: usize) -> (Vec<String>, Reader) {
        let mut reader = Reader::new(most);
        // A byte at a time: where a stream is cut says nothing.
        let said = text.bytes().flat_map(|byte| reader.push(&[byte])).map(|said| match said {
            Said::Message(data) => String::from_utf8_lossy(&data).into_owned(),
            Said::TooLarge => "too large".to_owned(),
        });
        (said.collect(), reader)
    }

    #[test]
    fn events_are_read_as_the_standard_has_them() {
        let (said, reader) = read("id: 7\ndata:\n\n: hello\n\nretry: 500\nevent: message\ndata: {\"a\":1}\n\n", 64);
        assert_eq!(said, ["{\"a\":1}"], "what primes a stream and what only keeps it says nothing");
        assert_eq!((reader.last_id.as_deref(), reader.retry), (Some("7"), Some(500)));
        let (said, _) = read("data: {\r\ndata: }\r\n\r\ndata:x\r\rdata: unfinished\n", 64);
        assert_eq!(said, ["{\n}", "x"]);
    }

    #[test]
    fn an_event_without_end_takes_no_room() {
        let (said, reader) = read(&format!("data: {}\n\ndata: fine\n\n", "x".repeat(1_000)), 64);
        assert_eq!(said, ["too large", "fine"]);
        assert!(reader.line.capacity() < 256);
        let (said, reader) = read(&format!("{}\n\n", "data: abcdefgh\n".repeat(100)), 64);
        assert_eq!(said, ["too large"]);
        assert!(reader.data.capacity() < 256);
    }

    #[test]
    fn a_message_is_one_event() {
        let plain = event(b"{\"a\":\n 1}", None);
        assert_eq!(plain, b"event: message\ndata: {\"a\":  1}\n\n");
        let mut reader = Reader::new(64);
        assert_eq!(reader.push(&plain), [Said::Message(b"{\"a\":  1}".to_vec())]);
        assert_eq!(reader.last_id, None);
        let place = Place { stream: 7, number: 2 };
        assert_eq!(reader.push(&event(b"{}", Some(place))), [Said::Message(b"{}".to_vec())]);
        assert_eq!(reader.last_id.as_deref(), Some("7-2"));
        assert_eq!(reader.push(&primer(Place { number: 3, ..place }, 500)), []);
        assert_eq!((reader.last_id.as_deref(), reader.retry), (Some("7-3"), Some(500)));
    }
}

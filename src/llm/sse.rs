//! Streams: bytes as they arrive -> whole lines -> server-sent events. A character or an event may be cut anywhere between two pieces.

/// Longest line that is held, bytes: one chunk of an answer is a few hundred; filter results some thousands.
const LINE_BYTES_MAX: usize = 1 << 20;

/// A line longer than [`LINE_BYTES_MAX`].
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

/// Bytes -> lines, without their ends. Decodes only whole lines, so that no character is ever seen in half.
#[derive(Default)]
pub struct Lines {
    held: Vec<u8>,
}

impl Lines {
    /// The lines that these bytes complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut lines = Vec::new();
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|b| *b == b'\n') {
            let (line, after) = rest.split_at(at);
            self.hold(line)?;
            lines.push(self.take());
            rest = after.get(1..).unwrap_or_default();
        }
        self.hold(rest)?;
        Ok(lines)
    }

    /// What stands after the last line end; empty if nothing does.
    pub fn rest(mut self) -> String {
        self.take()
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.held.len() + bytes.len() > LINE_BYTES_MAX {
            return Err(TooLong);
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    fn take(&mut self) -> String {
        let mut line = std::mem::take(&mut self.held);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8_lossy(&line).into_owned()
    }
}

/// Bytes -> the `data` of server-sent events. Comments (keep-alives), names, ids and retry hints are passed over.
#[derive(Default)]
pub struct Events {
    lines: Lines,
    data: Option<String>,
}

impl Events {
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLong> {
        let mut events = Vec::new();
        for line in self.lines.feed(bytes)? {
            if line.is_empty() {
                events.extend(self.data.take());
            } else {
                self.line(&line)?;
            }
        }
        Ok(events)
    }

    /// The last event, where the stream ended without its blank line.
    pub fn rest(mut self) -> Option<String> {
        let line = std::mem::take(&mut self.lines).rest();
        if !line.is_empty() {
            self.line(&line).ok()?;
        }
        self.data
    }

    fn line(&mut self, line: &str) -> Result<(), TooLong> {
        let Some(value) = line.strip_prefix("data:") else { return Ok(()) };
        let value = value.strip_prefix(' ').unwrap_or(value);
        let held = self.data.as_ref().map_or(0, String::len);
        if held + value.len() > LINE_BYTES_MAX {
            return Err(TooLong);
        }
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str =
        ": ping\n\ndata: {\"a\":\"Zürich 東京\"}\n\nevent: x\nid: 3\ndata:two\ndata: lines\r\n\r\nretry: 5\n\ndata: [DONE]\n\ndata: cut";

    fn whole(pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
        let mut events = Events::default();
        let mut all = Vec::new();
        for piece in pieces {
            all.extend(events.feed(piece).unwrap());
        }
        (all, events.rest())
    }

    #[test]
    fn comments_and_names_are_passed_over() {
        let (events, rest) = whole(&[STREAM.as_bytes()]);
        assert_eq!(events, ["{\"a\":\"Zürich 東京\"}", "two\nlines", "[DONE]"]);
        assert_eq!(rest.as_deref(), Some("cut"));
        assert_eq!(whole(&[b"data: x\n\n"]), (vec!["x".to_owned()], None));
    }

    #[test]
    fn a_line_without_end_does_not_take_the_memory() {
        let mut lines = Lines::default();
        assert_eq!(lines.feed(&vec![b'x'; LINE_BYTES_MAX + 1]), Err(TooLong));
        let mut events = Events::default();
        let line = [b"data: ".as_slice(), &vec![b'x'; LINE_BYTES_MAX / 2], b"\n"].concat();
        assert!(events.feed(&line).is_ok());
        assert!(events.feed(&line).is_ok());
        assert_eq!(events.feed(&line), Err(TooLong), "many lines of one event neither");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn cut_anywhere_it_reads_the_same(mut cuts in proptest::collection::vec(0..STREAM.len(), 0..6)) {
            cuts.sort_unstable();
            let bytes = STREAM.as_bytes();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
            pieces.push(&bytes[from..]);
            prop_assert_eq!(whole(&pieces), whole(&[bytes]));
        }
    }
}

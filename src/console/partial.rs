//! A model's answer while it is being written: JSON that may end anywhere, as the fields that are there so far. Tolerant of everything,
//! decides nothing: the whole answer is read, strictly, elsewhere.

use std::iter::Peekable;
use std::str::Chars;

/// Lists and objects within each other end here; an answer has two.
const DEPTH_MAX: usize = 6;
/// Fields and pieces that are looked at: an answer has seven, with a handful of lines.
const PIECES_MAX: usize = 64;

#[derive(Debug, PartialEq)]
pub enum Partial {
    /// Not a word of the answer yet.
    Nothing,
    /// Words, where JSON was asked for.
    Words(String),
    Fields(Vec<Field>),
}

/// A field that has begun. Its value: one piece, or those of a list. A text that is still being written ends with `…`.
#[derive(Debug, PartialEq)]
pub struct Field {
    pub key: String,
    pub pieces: Vec<String>,
}

pub fn read(draft: &str) -> Partial {
    // What a model thinks aloud before it answers.
    let said = match draft.rsplit_once("</think>") {
        Some((_, said)) => said,
        None if draft.trim_start().starts_with("<think") => return Partial::Nothing,
        None => draft,
    };
    let fence = |text: &str| text.trim_start().trim_start_matches("```").trim_start_matches("json").trim().is_empty();
    match said.split_once('{') {
        Some((_, object)) => Partial::Fields(Scan { rest: object.chars().peekable() }.fields()),
        None if fence(said) => Partial::Nothing,
        None => Partial::Words(said.trim().to_owned()),
    }
}

struct Scan<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Scan<'_> {
    /// The fields of an object whose brace is behind us.
    fn fields(&mut self) -> Vec<Field> {
        let mut fields = Vec::new();
        while fields.len() < PIECES_MAX && self.skip_to(|c| c == '"' || c == '}') == Some('"') {
            let (key, whole) = self.text();
            if !whole || self.skip_to(|c| !c.is_whitespace()) != Some(':') {
                break;
            }
            let mut pieces = Vec::new();
            self.value(&mut pieces, 0);
            fields.push(Field { key, pieces });
        }
        fields
    }

    /// A value as the pieces that people read: of a list each item, of an object its values in a row.
    fn value(&mut self, pieces: &mut Vec<String>, depth: usize) {
        while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
        match self.rest.peek() {
            None => {}
            Some('"') => {
                self.rest.next();
                let (mut text, whole) = self.text();
                if !whole {
                    text.push('…');
                }
                pieces.push(text);
            }
            Some('[' | '{') if depth >= DEPTH_MAX => while self.rest.next().is_some() {},
            Some('[') => {
                self.rest.next();
                while pieces.len() < PIECES_MAX && self.until_item(']') {
                    self.value(pieces, depth + 1);
                }
            }
            Some('{') => {
                self.rest.next();
                let mut row = Vec::new();
                while row.len() < PIECES_MAX && self.until_item('}') {
                    // The key says less than its value.
                    self.value(&mut Vec::new(), depth + 1);
                    if self.skip_to(|c| !c.is_whitespace()) != Some(':') {
                        break;
                    }
                    self.value(&mut row, depth + 1);
                }
                pieces.push(row.join(" "));
            }
            Some(_) => {
                let mut bare = String::new();
                while let Some(c) = self.rest.next_if(|c| !matches!(c, ',' | '}' | ']') && !c.is_whitespace()) {
                    bare.push(c);
                }
                if bare.is_empty() {
                    // A bracket that closes nothing: gone, or it would stand here for ever.
                    self.rest.next();
                } else {
                    pieces.push(bare);
                }
            }
        }
    }

    /// Stands before the next item of a list; `false` at its end, which is behind us then.
    fn until_item(&mut self, end: char) -> bool {
        while self.rest.next_if(|c| c.is_whitespace() || *c == ',').is_some() {}
        match self.rest.peek() {
            Some(c) if *c == end => {
                self.rest.next();
                false
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Goes behind the next character that is wanted, and gives it.
    fn skip_to(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        self.rest.by_ref().find(|c| wanted(*c))
    }

    /// A text whose quote is behind us, and whether it has ended. What its escapes hide is control characters at worst: whoever draws it
    /// strips those.
    fn text(&mut self) -> (String, bool) {
        let mut text = String::new();
        while let Some(c) = self.rest.next() {
            match c {
                '"' => return (text, true),
                '\\' => match self.rest.next() {
                    Some('n' | 't' | 'r' | 'b' | 'f') => text.push(' '),
                    Some('u') => text.extend(self.escaped()),
                    Some(plain) => text.push(plain),
                    None => {}
                },
                c => text.push(c),
            }
        }
        (text, false)
    }

    /// The character of a `\uXXXX` whose `u` is behind us; a pair of them where it takes two.
    fn escaped(&mut self) -> Option<char> {
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        self.rest.next_if_eq(&'\\')?;
        self.rest.next_if_eq(&'u')?;
        let low = self.hex()?.checked_sub(0xdc00)?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)
    }

    fn hex(&mut self) -> Option<u32> {
        let mut number = 0;
        for _ in 0..4 {
            number = number * 16 + self.rest.next_if(char::is_ascii_hexdigit)?.to_digit(16)?;
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fields as `key: piece | piece`.
    fn check(draft: &str, want: &[&str]) {
        let Partial::Fields(fields) = read(draft) else { panic!("{draft}: {:?}", read(draft)) };
        let said: Vec<String> = fields.iter().map(|field| format!("{}: {}", field.key, field.pieces.join(" | "))).collect();
        assert_eq!(said, want, "{draft}");
    }

    #[test]
    fn fields_are_there_as_they_are_written() {
        check("{", &[]);
        check(r#"{"quo"#, &[]);
        check(r#"{"quotes": ["#, &["quotes: "]);
        check(r#"{"quotes": ["java.lang.Out"#, &["quotes: java.lang.Out…"]);
        check(r#"{"quotes": ["a", "b"], "summary": "The dri"#, &["quotes: a | b", "summary: The dri…"]);
        check(r#"```json {"cause": "resource", "confidence": 0.8, "act"#, &["cause: resource", "confidence: 0.8"]);
        check(r#"{"parameters": [{"setting": "driver_memory", "value": "x2"}, {"setting": "wor"#, &["parameters: driver_memory x2 | wor…"]);
        check(r#"<think>{"cause": "network"}</think>{"cause": "quota"}"#, &["cause: quota"]);
        check(r#"{"summary": "say \"no\" 100\u20ac \ud83d\ude00 a\\b\n c"#, &["summary: say \"no\" 100€ 😀 a\\b  c…"]);
        check(r#"{"summary": "cut in an escape \u20"#, &["summary: cut in an escape …"]);
        check(r#"{"summary": "x"}} {"cause": "y"}"#, &["summary: x"]);
        assert_eq!(read("<think>well"), Partial::Nothing);
        assert_eq!(read("```json\n"), Partial::Nothing);
        assert_eq!(read(" I would retry"), Partial::Words("I would retry".to_owned()));
    }

    fn any_json() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[{}\\[\\]\",:\\\\u0-9a-f ]{0,200}",
            Just("{\"a\":".repeat(50)),
            Just("{\"a\": [[[[[[[[[[1".to_owned()),
            Just(format!("{{\"a\": [{}", "1,".repeat(500))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_a_model_writes_is_read_wherever_it_is_cut(text in any_json(), cut in 0usize..200) {
            let cut: String = text.chars().take(cut).collect();
            read(&cut);
            read(&text);
        }
    }
}

use proptest::prelude::*;

use super::*;

/// What secrets, their labels and their notations are made of, in any order.
const PIECES: [&str; 48] = [
    "password",
    "token=",
    "api_key: ",
    "secret",
    "key",
    "Authorization: Bearer ",
    "Basic ",
    "curl -u a:",
    "--password ",
    "-p",
    "= ",
    ":",
    "\"",
    "'",
    "\\\"",
    "`",
    "{",
    "}",
    "(",
    ")",
    ",",
    ";",
    "&",
    "|",
    "\n",
    "  ",
    "\\n",
    "│ ",
    "<password>",
    "</password>",
    "://",
    "user:",
    "@host.example.com",
    "dapi",
    "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "AKIA",
    "eyJhbGciOiJI",
    ".",
    "Zx9Qw3Er7Ty1Ui5Op2As",
    "Summer2024!",
    "‹password-1›",
    "‹",
    "\u{1b}[31m",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "é",
    "%3D",
    "None",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn redacting_twice_is_redacting_once(text in text()) {
        let once = REDACTOR.redact(&text).text;
        let twice = REDACTOR.redact(&once);
        prop_assert_eq!(&twice.text, &once, "from {:?}", text);
        prop_assert!(twice.found.is_empty());
    }

    #[test]
    fn any_text_is_read_to_its_end(text in any::<String>()) {
        let once = REDACTOR.redact(&text).text;
        prop_assert_eq!(REDACTOR.redact(&once).text, once);
    }

    #[test]
    fn a_labelled_password_goes_whatever_stands_around(before in text(), after in text(), seed in any::<u64>()) {
        let password = made::made("{alnum:9}-{alnum:9}7", seed).text;
        let text = format!("{before}\n\ndb_password={password}\n\n{after}");
        let out = REDACTOR.redact(&text).text;
        prop_assert!(!out.contains(&password), "{out}");
    }
}

/// What is made to cost time: each is repeated to a long line.
const HOSTILE: [&str; 26] = [
    "password",
    "password=",
    "password=\"",
    "password='\\\"",
    "dapi",
    "eyJ",
    "://",
    "://a:b",
    "PRIVATE KEY",
    "-----BEGIN PRIVATE KEY-----",
    "\u{1b}[",
    "\u{1b}]",
    "token=a&",
    "key: {",
    "@",
    "curl -u ",
    "password=&quot;",
    "password=%22",
    "Bearer ",
    "cookie: a=",
    "password: |\n",
    "sk-",
    "1Q~",
    "machine login password x ",
    "password=\"a\" + ",
    "auth(",
];

#[test]
fn hostile_lines_cost_a_bounded_number_of_looks_at_each_byte() {
    const BYTES: usize = 12 << 10;
    const LOOKS_MAX: usize = 700;
    for piece in HOSTILE {
        let line = piece.repeat(BYTES / piece.len());
        let work = Work::default();
        REDACTOR.look(Text::new(&line, &work));
        assert!(work.spent() <= LOOKS_MAX * line.len(), "{piece:?} costs {} looks a byte", work.spent() / line.len());
    }
}

use std::sync::LazyLock;

use super::*;

mod corpus;
mod made;
mod properties;
mod rows;
mod trained;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

#[test]
fn what_people_read_afterwards() {
    for (text, want) in [
        ("password=Summer2024!", "password=‹password-1›"),
        ("a password: one4all, again one4all; secret=two4two.", "a password: ‹password-1›, again ‹password-1›; secret=‹secret-1›"),
        ("postgres://etl:pa55w0rd@db.example.com/dw", "postgres://etl:‹url-password-1›@db.example.com/dw"),
        ("password=${DB_PASSWORD} token=None", "password=${DB_PASSWORD} token=None"),
        ("password=‹password-4› pwd=new0ne", "password=‹password-4› pwd=‹password-5›"),
    ] {
        assert_eq!(REDACTOR.redact(text).text, want);
    }
}

#[test]
fn everything_is_looked_for() {
    assert!(REDACTOR.search.is_complete());
}

#[test]
fn what_was_found_is_counted_by_kind() {
    let found = REDACTOR.redact("password=Summer2024! and Summer2024!; secret=two4two").found;
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [("password".to_owned(), 2), ("secret".to_owned(), 1)]);
}

#[test]
fn a_secret_that_one_text_gives_away_is_known_in_all() {
    let (texts, _) = REDACTOR.redact_all(&["connect failed for Winter77x", "db.password=Winter77x"]);
    assert_eq!(texts, ["connect failed for ‹password-1›", "db.password=‹password-1›"]);
}

#[test]
fn addresses_go_only_when_asked_for() {
    let text = "mail ana@example.com from 10.1.2.3, 127.0.0.1 and fe80::1:2; abfss://raw@lake.dfs.core.windows.net";
    assert_eq!(REDACTOR.redact(text).text, text);
    let all = Redactor::new(Options { emails: Personal::Redact, addresses: Personal::Redact });
    assert_eq!(all.redact(text).text, "mail ‹email-1› from ‹ip-1›, 127.0.0.1 and ‹ip-2›; abfss://raw@lake.dfs.core.windows.net");
}

//! What a value that stands beside a label is: nothing, a reference to a secret kept elsewhere, something masked already, a look-alike,
//! or the secret itself.

use super::random::{Makeup, Pairs};

/// Words that stand for an absent or a described value.
const NOTHING: &[&str] = &[
    "none",
    "null",
    "nil",
    "~",
    "nan",
    "true",
    "false",
    "undefined",
    "empty",
    "n/a",
    "na",
    "unset",
    "not set",
    "yes",
    "no",
    "on",
    "off",
    "missing",
    "required",
    "optional",
    "invalid",
    "expired",
    "provided",
    "string",
    "str",
    "bytes",
    "char",
    "varchar",
    "text",
    "object",
    "int",
    "any",
    "default",
    "unknown",
    "void",
    "bigint",
    "boolean",
    "double",
    "float",
    "timestamp",
    "date",
    "binary",
    "long",
    "integer",
    "decimal",
    "stringtype",
    "securestring",
];

/// What the value of a masked secret says.
const MASKS: &[&str] = &[
    "redacted",
    "masked",
    "hidden",
    "filtered",
    "removed",
    "secret",
    "sensitive",
    "censored",
    "protected",
    "omitted",
    "obfuscated",
    "sanitized",
    "scrubbed",
    "not shown",
    "known after apply",
    "placeholder",
    "your",
    "insert",
    "example-key",
    "changeme-here",
    "replace",
    "confidential",
];

/// Nothing, a truth value, a type.
pub fn is_nothing(value: &str) -> bool {
    const TYPES: [&str; 10] =
        ["varchar(", "nvarchar(", "char(", "decimal(", "array<", "struct<", "map<", "option[", "optional[", "<class "];
    let starts = |start: &str| value.get(..start.len()).is_some_and(|front| front.eq_ignore_ascii_case(start));
    value.is_empty() || NOTHING.iter().any(|word| value.eq_ignore_ascii_case(word)) || TYPES.into_iter().any(starts)
}

/// Masked already: stars, crosses, dots, or a word that says so in brackets. Our own placeholders too.
pub fn is_masked(value: &str) -> bool {
    if value.contains('‹') {
        return true;
    }
    let inner = value.trim_matches(|c: char| "<>[](){}\"'#*_-.=…".contains(c));
    if inner.is_empty() {
        return true;
    }
    let lower = inner.to_ascii_lowercase();
    let bracketed = value.starts_with(['<', '[', '(', '{', '*', '#']) || value.starts_with("__");
    let whole = MASKS.iter().any(|mask| lower == *mask) && lower != "secret" && lower != "your" && lower != "insert" && lower != "replace";
    let said = (bracketed || lower.contains("placeholder")) && MASKS.iter().any(|mask| lower.contains(mask));
    let is_star = |c: char| matches!(c, '*' | '•' | '●' | '…' | '█');
    let stars = value.chars().filter(|c| is_star(*c)).count();
    let in_a_row = value.split(|c: char| !is_star(c)).map(|run| run.chars().count()).max().unwrap_or(0);
    let crosses = inner.len() >= 3 && inner.chars().all(|c| matches!(c, 'x' | 'X'));
    // A plan's `(known after apply)`, of which a value without quotes is the first word; `YOUR_TOKEN_HERE`.
    let announced = matches!(value, "(known" | "(not")
        || ["your-", "your_", "my-secret", "insert-", "replace-"].iter().any(|start| lower.starts_with(start)) && is_name(inner)
        || ["_here", "-here"].iter().any(|end| lower.ends_with(end)) && is_name(inner);
    let shortened = announced || value.contains("...") && value.len() < 24;
    whole || said || crosses || shortened || in_a_row >= 3 && 3 * stars >= value.chars().count()
}

/// Letters joined by hyphens or underscores.
fn is_name(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_'))
}

/// Points to a secret that is kept elsewhere, or is code that will fetch one.
pub fn is_reference(value: &str) -> bool {
    let value = value.trim();
    const STARTS: &[&str] = &[
        "${",
        "$(",
        "{{",
        "#{",
        "%(",
        "%{",
        "<%",
        "((",
        "@{",
        "@Microsoft.KeyVault",
        "dbutils.",
        "os.environ",
        "os.getenv",
        "getenv(",
        "env(",
        "env.",
        "var.",
        "local.",
        "module.",
        "data.",
        "each.",
        "vault:",
        "ssm:",
        "sm://",
        "secretsmanager:",
        "arn:",
        "secretRef",
        "secrets/",
        "secrets.",
        "secret(",
        "keyvault:",
        "akv:",
        "ref+",
        "op://",
        "file:",
        "!vault",
        "!Ref",
        "!Sub",
        "ENC[",
        "projects/",
        "<set to the key",
    ];
    if STARTS.iter().any(|start| value.starts_with(start)) {
        return true;
    }
    let bytes = value.as_bytes();
    let first = bytes.first().copied().unwrap_or(0);
    let last = bytes.last().copied().unwrap_or(0);
    let rest = value.get(1..).unwrap_or("");
    let is_name =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b' ' | b':'));
    let inner = value.get(1..value.len().saturating_sub(1)).unwrap_or("");
    match first {
        // A shell variable; passwords begin with `$` too, but have digits or signs further on.
        b'$' => is_shell_name(rest) && !rest.bytes().any(|b| b.is_ascii_digit()) || rest.starts_with("env:"),
        b'%' => last == b'%' && is_name(inner) || matches!(value, "%s" | "%d" | "%r" | "%v" | "%q"),
        b'<' if value == "<set" => true,
        b'<' => last == b'>' && is_name(inner),
        b'{' => {
            let is_path = inner.split('.').all(|part| is_shell_name(part) && !part.bytes().any(|b| b.is_ascii_digit()));
            last == b'}' && (inner.is_empty() || is_path)
        }
        b'@' => last == b'@' && is_name(inner),
        b':' => is_shell_name(rest),
        b'?' => rest.is_empty() || rest.bytes().all(|b| b.is_ascii_digit()),
        b'_' => value.starts_with("__") && value.ends_with("__") && is_shell_name(value),
        _ => false,
    }
}

/// A name of letters, digits and underscores that starts with a letter or an underscore.
fn is_shell_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `config.db.password`, `self.token`: names joined by dots, of which the first or the last says that this is code.
pub fn is_attribute(text: &str, pairs: &Pairs) -> bool {
    const ROOTS: &str = "self cls this cfg conf config settings args params options opts ctx context request req os env app spark dbutils secrets credentials \
                         creds db database connection conn client props properties job task user account session auth state data var local module";
    const ENDS: [&str; 11] =
        ["password", "passwd", "pwd", "token", "secret", "key", "credential", "credentials", "value", "auth", "passphrase"];
    let mut parts = text.split('.');
    let Some(first) = parts.next() else { return false };
    let Some(last) = parts.next_back() else { return false };
    let is_name = |part: &str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    let is_made_of_words = !Makeup::of(text, pairs).is_odd() && text.len() >= 8;
    let last_small = last.to_ascii_lowercase();
    text.split('.').all(is_name)
        && (is_made_of_words || ROOTS.split_whitespace().any(|root| first == root) || ENDS.iter().any(|end| last_small.ends_with(end)))
}

pub fn is_uuid(value: &str) -> bool {
    let value = value.trim_matches(['{', '}']);
    value.len() == 36
        && value.bytes().enumerate().all(|(at, b)| if matches!(at, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

pub fn is_number(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-' | b'+' | b'_' | b'%'))
        && value.bytes().any(|b| b.is_ascii_digit())
}

/// A path, a URL or an address in a store: where something is, not what opens it.
pub fn is_place(value: &str) -> bool {
    if let Some((scheme, _)) = value.split_once("://") {
        return !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b':'));
    }
    [
        "/dbfs/",
        "/mnt/",
        "/etc/",
        "/run/",
        "/var/",
        "/home/",
        "/opt/",
        "/tmp/",
        "/usr/",
        "/Users/",
        "/Volumes/",
        "/Workspace/",
        "/databricks/",
        "/local_disk0/",
        "/bin/",
        "/root/",
        "/secrets/",
        "/api/",
        "/v1/",
        "/v2/",
        "~/",
        "./",
        "../",
        "dbfs:/",
        "file:/",
    ]
    .iter()
    .any(|start| value.starts_with(start))
        || value.len() > 3 && value.as_bytes().get(1..3) == Some(b":\\")
        || value.starts_with('/')
            && value.matches('/').count() >= 2
            && value.split('/').all(|part| part.len() <= 24 && !part.bytes().any(|b| b.is_ascii_digit()))
        || [
            ".pem",
            ".json",
            ".key",
            ".txt",
            ".p12",
            ".jks",
            ".pfx",
            ".yaml",
            ".yml",
            ".crt",
            ".cer",
            ".py",
            ".scala",
            ".java",
            ".conf",
            ".properties",
            ".keytab",
            ".ini",
            ".cfg",
            ".toml",
            ".csv",
            ".parquet",
            ".xml",
        ]
        .iter()
        .any(|end| value.ends_with(end))
        || is_file(value)
}

/// Folders, and a file whose name ends in letters: `exports/2025/f38e.json.gz`.
fn is_file(value: &str) -> bool {
    let Some((folders, file)) = value.rsplit_once('/') else { return false };
    let Some((stem, end)) = file.rsplit_once('.') else { return false };
    !folders.is_empty()
        && !stem.is_empty()
        && (2..=8).contains(&end.len())
        && end.bytes().all(|b| b.is_ascii_lowercase())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b'='))
}

/// `name.of.a.class.Or.Package`, `module.function`.
pub fn is_class_name(value: &str) -> bool {
    let parts: Vec<&str> = value.split('.').collect();
    parts.len() >= 3
        && parts.iter().all(|part| {
            part.bytes().next().is_some_and(|b| !b.is_ascii_digit())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'))
                && part.bytes().filter(u8::is_ascii_digit).count() <= 2
        })
}

/// A date or a time.
pub fn is_time(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    digits >= 4
        && value.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'.' | b'T' | b'Z' | b'+' | b'/'))
        && value.contains(['-', ':', '/'])
}

/// Letters only, as in prose.
pub fn is_word(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'\'' | b'-' | b'.' | b',' | b'!' | b'?'))
        && value.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
}

/// As people choose passwords: letters with digits or signs, no version, number, address or time.
pub fn looks_chosen(value: &str, pairs: &Pairs) -> bool {
    let makeup = Makeup::of(value, pairs);
    makeup.length >= 6
        && makeup.letters() >= 2
        && (makeup.digits >= 1 && makeup.kinds() >= 2
            || makeup.length >= 8 && makeup.letters() >= 4 && value.contains(['#', '$', '%', '^', '&', '*', '+', '~']))
        && !is_place(value)
        && !is_time(value)
        && !is_version(value)
}

/// `v1.2.3`, `3.11`, `13.3.x-scala2.12`.
pub fn is_version(value: &str) -> bool {
    let value = value.strip_prefix('v').unwrap_or(value);
    value.bytes().next().is_some_and(|b| b.is_ascii_digit())
        && value.contains('.')
        && value.split('.').next().is_some_and(|part| part.len() <= 3 && is_number(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_secret_is_seen() {
        for value in
            ["{{secrets/scope/key}}", "${DB_PASSWORD}", "$TOKEN", "dbutils.secrets.get(scope", "<password>", "%s", ":pw", "var.db_password"]
        {
            assert!(is_reference(value), "{value}");
        }
        for value in
            ["[REDACTED]", "*********(redacted)", "********", "<hidden>", "xxxxxxxx", "(sensitive value)", "‹password-1›", "dapi****"]
        {
            assert!(is_masked(value), "{value}");
        }
        for value in ["None", "", "null", "False"] {
            assert!(is_nothing(value), "{value}");
        }
        for value in ["$ecr3t!9", "Summer2024!", "pa55-word", "{a;b}"] {
            assert!(!is_reference(value) && !is_masked(value) && !is_nothing(value), "{value}");
        }
    }

    #[test]
    fn random_and_made_of_words_are_told_apart() {
        let pairs = Pairs::new();
        for value in
            ["4kq4uOxQOG_yr8U4C1lVsYBzFIOUPKQ9", "yc5mxvq1je1sej7h7z6s4e5jthi6", "PQmkEGiAqeOPzL7ecduBzlI5yBiNWrRK", "qkzvxwpqjhgtrbnmxc"]
        {
            assert!(Makeup::of(value, &pairs).is_random(), "{value}");
        }
        for value in [
            "customer_tokens_2025",
            "SharedAccessSignatureCredentials",
            "org.apache.spark.sql.catalyst.expressions",
            "prod-etl-warehouse-2",
            "java.util.concurrent.ThreadPoolExecutor",
        ] {
            assert!(!Makeup::of(value, &pairs).is_random(), "{value}");
        }
    }
}

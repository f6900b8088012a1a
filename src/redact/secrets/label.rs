//! Names that announce a secret: `DB_PASSWORD`, `x-api-key`, `spark.hadoop.fs.s3a.secret.key`, `clientSecret`. The last word of a name
//! decides (`token_count` is a count), words before it say which secret it is, or that it is none (`partition key`).

/// How much a name promises: what is asked of the value beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// `key`, `code`, `session`: only a value that is drawn at random.
    Weak,
    /// `token`, `api_key`: a value that is no word of prose.
    Firm,
    /// `password`, `client_secret`: whatever stands there.
    Strong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub kind: &'static str,
    pub weight: Weight,
}

/// Parts of words to look for in a text, in small letters; [`label`] judges the whole name around each.
pub const STEMS: &[&str] = &[
    "pass",
    "pwd",
    "psw",
    "secret",
    "token",
    "key",
    "auth",
    "cred",
    "signature",
    "sig",
    "session",
    "sessid",
    "sid",
    "jwt",
    "cookie",
    "kennwort",
    "contrase",
    "senha",
    "bearer",
    "mnemonic",
    "seed",
    "assertion",
    "otp",
    "code",
    "pin",
    "_pat",
    "-pat",
    "pat",
    "salt",
    "sas",
    "pw",
    "saml",
    "crypt",
    "hash",
];

const PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "passcode",
    "pwd",
    "pass",
    "pw",
    "psw",
    "pswd",
    "kennwort",
    "contrase",
    "contrasena",
    "senha",
    "passwords",
    "pword",
    "passw",
    "pwds",
    "storepass",
    "keypass",
    "userpwd",
    "userpass",
    "secretphrase",
    "passout",
];
const PASSWORD_ENDS: &[&str] = &["password", "passwd", "passphrase", "pwd", "passwort", "passcode"];
/// What stands before `pass` when it is one word: `dbpass`, not `bypass`.
const PASS_STARTS: &[&str] = &[
    "db",
    "user",
    "ftp",
    "sftp",
    "smtp",
    "mysql",
    "pg",
    "root",
    "admin",
    "my",
    "sql",
    "ssh",
    "mail",
    "http",
    "proxy",
    "redis",
    "ldap",
    "svc",
    "jmx",
    "keystore",
    "truststore",
    "key",
    "store",
    "imap",
    "bind",
    "vault",
];
/// Words before `key` that make it a secret.
const KEY_SECRET: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "account",
    "shared",
    "storage",
    "encryption",
    "encrypt",
    "crypt",
    "crypto",
    "decrypt",
    "decryption",
    "master",
    "signing",
    "sign",
    "signature",
    "subscription",
    "client",
    "app",
    "application",
    "service",
    "integration",
    "license",
    "licence",
    "instrumentation",
    "ssh",
    "host",
    "function",
    "functions",
    "fernet",
    "hmac",
    "aes",
    "rsa",
    "deploy",
    "deployment",
    "write",
    "server",
    "consumer",
    "auth",
    "oauth",
    "admin",
    "session",
    "webhook",
    "ingest",
    "ingestion",
    "insert",
    "push",
    "jwt",
    "jws",
    "jwk",
    "sas",
    "cosmos",
    "cosmosdb",
    "openai",
    "gpt",
    "anthropic",
    "claude",
    "mistral",
    "cohere",
    "groq",
    "gemini",
    "google",
    "maps",
    "dd",
    "datadog",
    "newrelic",
    "nr",
    "sendgrid",
    "mailgun",
    "stripe",
    "twilio",
    "azure",
    "aws",
    "gcp",
    "gcs",
    "gcm",
    "fcm",
    "huggingface",
    "hf",
    "tenant",
    "tls",
    "ssl",
    "wrapping",
    "unseal",
    "recovery",
    "transit",
    "kek",
    "dek",
    "cmk",
    "cookie",
    "flask",
    "django",
    "rails",
    "laravel",
    "cipher",
    "symmetric",
    "dbx",
    "databricks",
    "elastic",
    "elasticsearch",
    "algolia",
    "pagerduty",
    "routing",
    "splunk",
    "snowflake",
    "redis",
    "kafka",
    "confluent",
    "eventhub",
    "servicebus",
    "bus",
    "search",
    "cognitive",
    "speech",
    "vault",
    "pem",
    "pgp",
    "gpg",
    "age",
    "wallet",
    "x",
];
/// Words before `key` that make it the key of a table, a map or a message.
const KEY_PLAIN: &[&str] = &[
    "partition",
    "partitioning",
    "sort",
    "primary",
    "foreign",
    "cache",
    "row",
    "object",
    "group",
    "grouping",
    "shuffle",
    "block",
    "idempotency",
    "dedup",
    "dedupe",
    "deduplication",
    "surrogate",
    "natural",
    "business",
    "composite",
    "unique",
    "join",
    "merge",
    "range",
    "cluster",
    "clustering",
    "bucket",
    "map",
    "dict",
    "index",
    "lookup",
    "config",
    "conf",
    "configuration",
    "property",
    "scope",
    "registry",
    "translation",
    "message",
    "record",
    "order",
    "customer",
    "event",
    "topic",
    "metric",
    "tag",
    "label",
    "public",
    "pub",
    "dimension",
    "blob",
    "file",
    "log",
    "state",
    "lock",
    "missing",
    "duplicate",
    "invalid",
    "unknown",
    "with",
    "json",
    "column",
    "s3",
    "task",
    "parameter",
    "widget",
    "option",
    "distribution",
    "dist",
    "candidate",
    "aggregate",
    "alternate",
];
/// Words before `token` that make it a cursor or a mark.
const TOKEN_PLAIN: &[&str] = &[
    "page",
    "next",
    "continuation",
    "idempotency",
    "request",
    "sync",
    "cancellation",
    "cancel",
    "unexpected",
    "lock",
    "invalid",
    "expected",
    "pagination",
    "stop",
    "eos",
    "bos",
    "pad",
    "unk",
    "mask",
    "sep",
    "cls",
    "end",
    "start",
    "special",
    "resume",
    "delta",
    "cursor",
    "order",
    "max",
    "min",
    "per",
    "num",
    "position",
];
/// Words after the deciding one that change nothing.
const NEUTRAL: &[&str] = &[
    "value",
    "val",
    "plaintext",
    "plain",
    "text",
    "txt",
    "raw",
    "str",
    "b64",
    "base64",
    "hex",
    "prod",
    "dev",
    "test",
    "stage",
    "staging",
    "primary",
    "secondary",
    "old",
    "new",
    "current",
    "previous",
    "default",
    "env",
    "param",
    "arg",
    "decoded",
    "encoded",
    "encrypted",
    "data",
    "latest",
    "backup",
];

/// A name's words, small, each without its closing digits.
#[derive(Default)]
pub struct Words {
    letters: String,
    ends: Vec<usize>,
}

/// Words of a name that are looked at, from its end: more would only cost time.
const WORDS_MAX: usize = 12;
/// Longest name, bytes; of a longer one only the end counts.
pub const NAME_BYTES_MAX: usize = 160;

impl Words {
    /// Splits at signs and where a capital starts a word.
    pub fn of(&mut self, name: &str) {
        self.letters.clear();
        self.ends.clear();
        let bytes = name.as_bytes();
        let mut previous = 0;
        for (at, &b) in bytes.iter().enumerate() {
            if !b.is_ascii_alphanumeric() {
                self.close();
                previous = 0;
                continue;
            }
            let next_is_small = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            let starts = b.is_ascii_uppercase() && (previous_is_small(previous) || previous.is_ascii_uppercase() && next_is_small);
            if starts {
                self.close();
            }
            self.letters.push(char::from(b.to_ascii_lowercase()));
            previous = b;
        }
        self.close();
    }

    fn close(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        let word = self.letters.get(start..).unwrap_or("");
        let bare = word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        if bare > 0 {
            self.letters.truncate(start + bare);
            self.ends.push(start + bare);
        } else {
            self.letters.truncate(start);
        }
    }

    /// The word `back` places from the end; 0 is the last.
    pub fn back(&self, back: usize) -> &str {
        if back >= WORDS_MAX {
            return "";
        }
        let Some(last) = self.ends.len().checked_sub(back + 1) else { return "" };
        let start = last.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(last).and_then(|end| self.letters.get(start..*end)).unwrap_or("")
    }

    pub fn count(&self) -> usize {
        self.ends.len().min(WORDS_MAX)
    }

    fn any(&self, which: impl Fn(&str) -> bool) -> bool {
        (0..self.count()).any(|back| which(self.back(back)))
    }
}

fn previous_is_small(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

/// What the name announces; `before` is the word that stands before it, as in `secret key: …`.
pub fn label(name: &str, before: &str, words: &mut Words) -> Option<Label> {
    let name = trim_host(name);
    words.of(name);
    let mut head = 0;
    while head + 1 < words.count() && NEUTRAL.contains(&words.back(head)) {
        head += 1;
    }
    let word = words.back(head);
    let adjective = match words.back(head + 1) {
        "" => before,
        adjective => adjective,
    };
    let of = |kind, weight| Some(Label { kind, weight });
    if is_password(word) {
        let bare = words.count() == 1;
        let is_doubtful = matches!(word, "pass" | "pw" | "psw") && bare;
        return of("password", if is_doubtful { Weight::Firm } else { Weight::Strong });
    }
    let is_secret_key = |adjective: &str| KEY_SECRET.contains(&adjective) || adjective.ends_with("api") || adjective.ends_with("secret");
    match word {
        "secret" | "secrets" => of("secret", if words.count() == 1 { Weight::Firm } else { Weight::Strong }),
        "token" | "tokens" if TOKEN_PLAIN.contains(&adjective) => None,
        "tokens" => of("token", Weight::Weak),
        "token" | "jwt" | "bearer" => of("token", Weight::Firm),
        "pat" | "otp" if words.count() > 1 || matches!(word, "pat") => of("token", Weight::Weak),
        "key" | "keys" if KEY_PLAIN.contains(&adjective) && !words.any(|word| matches!(word, "secret" | "private" | "api")) => None,
        "key" | "keys" if adjective == "private" => of("private-key", Weight::Firm),
        "key" | "keys" if is_secret_key(adjective) || words.any(|word| matches!(word, "secret" | "api" | "private")) => {
            of("key", Weight::Firm)
        }
        "key" => of("key", Weight::Weak),
        "credential" | "credentials" | "creds" | "cred" => of("secret", Weight::Firm),
        "sig" | "signature" => of("signature", Weight::Weak),
        "sas" => of("signature", Weight::Weak),
        "session" | "sessid" | "sid" | "cookie" => of("session", Weight::Weak),
        "id" if matches!(adjective, "session" | "sess") => of("session", Weight::Weak),
        "sessionid" | "jsessionid" | "phpsessid" | "asp.net_sessionid" => of("session", Weight::Weak),
        "authorization" => of("auth", Weight::Firm),
        "auth" => of("auth", Weight::Weak),
        "code" if matches!(adjective, "" | "auth" | "authorization" | "device" | "user" | "verification" | "recovery" | "backup") => {
            of("code", Weight::Weak)
        }
        "pin" if matches!(adjective, "" | "user" | "card" | "hsm" | "token" | "slot") => of("pin", Weight::Weak),
        "mnemonic" | "seed" => of("secret", Weight::Weak),
        "assertion" | "samlresponse" => of("token", Weight::Weak),
        "salt" => of("salt", Weight::Weak),
        "hash" if matches!(adjective, "password" | "passwd" | "pwd" | "pw") => of("password-hash", Weight::Weak),
        _ => joined(word),
    }
}

/// Two words written as one: `accesskey`, `clientsecret`, `authtoken`.
fn joined(word: &str) -> Option<Label> {
    let of = |kind, weight| Some(Label { kind, weight });
    if let Some(start) = word.strip_suffix("key") {
        let known = KEY_SECRET.iter().any(|adjective| adjective.len() > 1 && start.ends_with(adjective));
        return if known && !KEY_PLAIN.contains(&start) { of("key", Weight::Firm) } else { None };
    }
    if word.ends_with("secret") {
        return of("secret", Weight::Strong);
    }
    if let Some(start) = word.strip_suffix("token") {
        return if TOKEN_PLAIN.contains(&start) { None } else { of("token", Weight::Firm) };
    }
    if word.ends_with("credentials") {
        return of("secret", Weight::Firm);
    }
    if word.ends_with("sessionid") || word.ends_with("sessid") {
        return of("session", Weight::Weak);
    }
    None
}

fn is_password(word: &str) -> bool {
    PASSWORDS.contains(&word)
        || PASSWORD_ENDS.iter().any(|end| word.ends_with(end))
        || word.strip_suffix("pass").is_some_and(|start| PASS_STARTS.contains(&start))
}

/// Azure and S3A settings name the account or bucket behind or within: `fs.azure.account.key.<account>.dfs.core.windows.net`.
fn trim_host(name: &str) -> &str {
    for end in [".dfs.core.", ".blob.core.", ".table.core.", ".queue.core.", ".file.core.", ".dfs.fabric.", ".documents.azure."] {
        if let Some(at) = name.find(end) {
            let front = name.get(..at).unwrap_or(name);
            return front.rsplit_once('.').map_or(front, |(setting, _account)| setting);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, before: &str, want: Option<Weight>) {
        let found = label(name, before, &mut Words::default()).map(|label| label.weight);
        assert_eq!(found, want, "{name} after {before:?}");
    }

    #[test]
    fn the_last_word_decides_and_the_one_before_says_which() {
        for name in ["password", "DB_PASSWORD", "sfPassword", "spring.datasource.password", "PGPASSWORD", "client_secret", "dbpass", "pwd"]
        {
            check(name, "", Some(Weight::Strong));
        }
        for name in [
            "token",
            "access_token",
            "x-api-key",
            "apiKey",
            "AZURE_STORAGE_KEY",
            "fs.azure.account.key.lake.dfs.core.windows.net",
            "secretkey",
            "spark.hadoop.fs.s3a.secret.key",
            "accessKey",
            "secret",
        ] {
            check(name, "", Some(Weight::Firm));
        }
        check("key", "API", Some(Weight::Weak));
        check("key", "api", Some(Weight::Firm));
        for name in ["key", "sig", "auth", "sessionId"] {
            check(name, "", Some(Weight::Weak));
        }
        for name in [
            "token_count",
            "max_tokens_total",
            "partition_key",
            "api_key_id",
            "secret_name",
            "password_file",
            "bypass",
            "monkey",
            "page_token",
            "public_key",
            "tokenizer",
        ] {
            check(name, "", None);
        }
        check("key", "partition", None);
        check("token", "unexpected", None);
    }
}

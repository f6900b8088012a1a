//! Calls that take a secret by position: `login("user", "x")`, `HTTPBasicAuth('user', 'x')`, `AzureKeyCredential("x")`.

use super::found::Found;
use super::quote::Quote;
use super::random::{Makeup, Pairs};
use super::text::{Text, is_alnum, is_blank};
use super::value::{is_masked, is_nothing, is_place, is_reference, is_word, looks_chosen};

/// Calls whose last of at least two strings is a password.
const PAIRS_OF: &[&str] = &[
    "login",
    "HTTPBasicAuth",
    "HTTPDigestAuth",
    "BasicAuth",
    "HttpNtlmAuth",
    "Auth",
    "Login",
    "Client",
    "HTTPProxyAuth",
    "getConnection",
    "__construct",
    "auth",
    "basic_auth",
    "http_auth",
    "credentials",
    "UsernamePasswordCredential",
    "UsernamePasswordCredentials",
    "ClientSecretCredential",
    "BasicAWSCredentials",
    "BasicSessionCredentials",
    "AwsBasicCredentials.create",
    "PasswordAuthentication",
    "PlainTextAuthProvider",
    "simple_bind_s",
    "simple_bind",
    "bind_s",
    "NetworkCredential",
    "Credentials",
    "Credential",
    "set_password",
    "add_password",
    "authenticate",
    "PlainCredentials",
    "UserCredential",
    "ServicePrincipalCredentials",
    "StaticCredentials",
    "NewStaticCredentials",
    "auth_basic",
    "basicAuth",
    "setBasicAuth",
    "SetBasicAuth",
    "username_password",
    "Authentication",
    "StaticTokenProvider",
    "createConnection",
    "usernamePassword",
    "connect_ldap",
    "tokenAuth",
    "basic_auth_header",
    "encode_basic",
    "request_basic_authentication",
    "connect",
    "database",
    "set_secret",
    "put_secret",
    "FTP",
    "FTP_TLS",
    "SFTP",
];

/// Calls whose first string is a secret.
const FIRST_OF: &[&str] = &[
    "ConvertTo-SecureString",
    "AzureKeyCredential",
    "AzureSasCredential",
    "AzureNamedKeyCredential",
    "SecretStr",
    "SecretString",
    "Fernet",
    "StaticToken",
    "TokenAuth",
    "BearerAuth",
    "token_auth",
    "set_token",
    "setToken",
    "setPassword",
    "set_password",
    "setSecret",
    "setApiKey",
    "set_api_key",
    "with_token",
    "withToken",
    "withPassword",
    "base64",
    "b64encode",
    "btoa",
    "encodeBase64",
    "with_password",
    "setAuthToken",
    "SecureString",
    "TokenCredential",
    "StorageSharedKeyCredential",
    "SharedKeyCredential",
    "MasterKeyCredential",
    "BearerToken",
    "AccessTokenAuth",
    "PersonalAccessToken",
    "ApiKeyAuth",
    "APIKeyAuth",
    "PASSWORD",
    "OLD_PASSWORD",
    "EncryptByPassPhrase",
    "DecryptByPassPhrase",
    "ENCRYPTBYPASSPHRASE",
    "DECRYPTBYPASSPHRASE",
];

/// Functions of SQL whose last string is a key: what comes before is a column.
const LAST_OF: &[&str] = &[
    "aes_encrypt",
    "aes_decrypt",
    "AES_ENCRYPT",
    "AES_DECRYPT",
    "pgp_sym_encrypt",
    "pgp_sym_decrypt",
    "PGP_SYM_ENCRYPT",
    "PGP_SYM_DECRYPT",
    "try_aes_decrypt",
    "hmac",
    "HMAC",
    "encrypt_iv",
    "decrypt_iv",
    "ENCRYPT_RAW",
    "DECRYPT_RAW",
    "DES_ENCRYPT",
    "DES_DECRYPT",
];

/// Calls whose password may be a phrase of several words: nothing else stands there.
const TAKE_PHRASES: [&str; 4] = ["ConvertTo-SecureString", "getConnection", "__construct", "PasswordAuthentication"];

/// Words to look for; the opening parenthesis is checked behind them.
pub fn words() -> Vec<&'static str> {
    PAIRS_OF.iter().chain(FIRST_OF).chain(LAST_OF).copied().collect()
}

/// Arguments that are read.
const ARGUMENTS_MAX: usize = 6;

/// The secret of the call whose name stands at `start..end`.
pub fn find(text: Text<'_>, start: usize, end: usize, pairs: &Pairs) -> Option<Found> {
    let name = text.slice(start, end);
    if is_alnum(text.before(start)) && !text.at(start).is_ascii_uppercase() {
        return None;
    }
    // `auth=(…)`, `ConvertTo-SecureString "x"`.
    let mut position = text.skip_max(end, 3, |b| matches!(b, b'=' | b' '));
    let called = text.at(position) == b'(';
    if called {
        position = text.skip(position + 1, is_blank);
    } else if !matches!(name, "ConvertTo-SecureString" | "SecureString" | "basic_auth") {
        return None;
    }
    let strings = strings(text, position);
    if strings.is_empty() && matches!(name, "Credentials" | "Credential" | "UserCredential" | "PasswordAuthentication") {
        return printed(text, position, pairs);
    }
    // Of other things than a database's, only what looks drawn.
    if matches!(name, "connect" | "database") {
        return connection(text, &strings, pairs);
    }
    let first_only = FIRST_OF.contains(&name) && !(name == "set_password" && strings.len() > 1);
    let (from, to) = if first_only {
        strings.first().copied()?
    } else if LAST_OF.contains(&name) {
        let key = strings.iter().rfind(|(from, to)| to - from >= 8)?;
        if !looks_chosen(text.slice(key.0, key.1), pairs) {
            return None;
        }
        *key
    } else {
        let rest = strings.get(1..)?;
        rest.iter().find(|(from, to)| looks_chosen(text.slice(*from, *to), pairs)).or(rest.last()).copied()?
    };
    if name == "Client" {
        // Twilio's account id, and the token behind it.
        let (from, to) = strings.first().copied()?;
        let account = text.slice(from, to);
        if account.len() != 34 || !account.starts_with("AC") {
            return None;
        }
    }
    let mut word = text.slice(from, to);
    if matches!(name, "base64" | "b64encode" | "btoa" | "encodeBase64") {
        word = word.split_once(':')?.1;
    }
    let from = to - word.len();
    let is_none = is_nothing(word)
        || is_masked(word)
        || is_reference(word)
        || is_place(word)
        || word.contains(' ') && !TAKE_PHRASES.contains(&name)
        || word.len() < 4;
    let is_plain = is_word(word)
        && !matches!(name, "HTTPBasicAuth" | "getConnection" | "PasswordAuthentication" | "ConvertTo-SecureString" | "simple_bind_s");
    let is_name = is_plain && !looks_chosen(word, pairs) && !Makeup::of(word, pairs).is_random();
    (!is_none && !is_name).then(|| Found { start: from, end: to, kind: "password", words: word.to_owned() })
}

/// `connect("host", "user", "x")`, `connect("user/x@host")`: of other things than a database's, only what looks drawn.
fn connection(text: Text<'_>, strings: &[(usize, usize)], pairs: &Pairs) -> Option<Found> {
    let (first, first_end) = strings.first().copied()?;
    if let Some((user, rest)) = text.slice(first, first_end).split_once('/')
        && let Some((password, _)) = rest.split_once('@')
        && user.bytes().all(|b| is_alnum(b) || b == b'_')
        && password.len() >= 6
        && !is_masked(password)
        && !is_reference(password)
    {
        let start = first + user.len() + 1;
        return Some(Found { start, end: start + password.len(), kind: "password", words: password.to_owned() });
    }
    let rest = strings.get(1..).filter(|rest| rest.len() >= 2)?;
    let (start, end) = rest.iter().copied().find(|(from, to)| is_drawn(text.slice(*from, *to), pairs))?;
    Some(Found { start, end, kind: "password", words: text.slice(start, end).to_owned() })
}

/// More than a name with a number.
pub fn is_drawn(word: &str, pairs: &Pairs) -> bool {
    let makeup = Makeup::of(word, pairs);
    looks_chosen(word, pairs)
        && makeup.digits > 0
        && (makeup.is_random() || makeup.upper > 0 || word.contains('-'))
        && !word.contains(['.', '/', ' '])
}

/// `Credentials(etl,x,None)`: an object as it is printed, without quotes.
fn printed(text: Text<'_>, position: usize, pairs: &Pairs) -> Option<Found> {
    let user = text.skip_max(position, 64, |b| is_alnum(b) || matches!(b, b'_' | b'.' | b'-' | b'@'));
    if text.at(user) != b',' || user == position {
        return None;
    }
    let start = text.skip_spaces(user + 1);
    let end = text.skip_max(start, 128, |b| !is_blank(b) && !matches!(b, b',' | b')'));
    let word = text.slice(start, end);
    (looks_chosen(word, pairs) && !is_masked(word) && !is_reference(word)).then(|| Found {
        start,
        end,
        kind: "password",
        words: word.to_owned(),
    })
}

/// The strings among the first arguments; reading stops at the closing parenthesis.
fn strings(text: Text<'_>, mut position: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for _ in 0..ARGUMENTS_MAX {
        if matches!(text.at(position), b'b' | b'u' | b'r' | b'f') && Quote::at(text, position + 1).is_some() {
            position += 1;
        }
        if let Some(quote) = Quote::at(text, position) {
            let start = position + quote.len();
            let Some(close) = quote.close(text, start) else { break };
            found.push((start, close));
            position = close + quote.len();
        } else {
            position = text.skip_max(position, 80, |b| !matches!(b, b',' | b')' | b'\n' | b'('));
        }
        position = text.skip(position, is_blank);
        if text.at(position) != b',' {
            break;
        }
        position = text.skip(position + 1, is_blank);
    }
    found
}

//! Names that announce a secret: `DB_PASSWORD`, `x-api-key`, `spark.hadoop.fs.s3a.secret.key`, `clientSecret`. The last word of a name
//! decides (`token_count` is a count), words before it say which secret it is, or that it is none (`partition key`).

use std::collections::HashMap;

use super::name::Words;

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

/// Parts of names to look for in a text, in small letters; [`Labels::of`] judges the whole name around each.
const STEMS: &str = "hmac pass pwd psw secret token key auth cred signature session sessid appid app_id psk answer verifier jwt cookie kennwort contrasena senha clave_ wachtwoord salasana heslo haslo jelszo lozinka sifre bearer mnemonic phrase assertion codes \
    saml _hash passhash pwhash string-value bindpw rootpw dbpw _pat -pat _pw -pw .pw sas. _seed -seed .seed _otp -otp _pin -pin _sas -sas .sas _sig _salt _sid p4ss pa55 p@ss";
/// A password or another secret in other languages than English, as a whole name.
const FOREIGN: &[(&str, &str)] = &[
    (
        "password",
        "kennwort|passwort|zugangswort|contraseña|contrasena|contraseñas|clave|palabra clave|clave de acceso|mot de passe|mot_de_passe|mdp|motdepasse|\
         phrase secrète|code d'accès|senha|palavra-passe|palavra passe|parola d'ordine|parola|chiave di accesso|wachtwoord|lösenord|losenord|adgangskode|\
         kodeord|passord|salasana|tunnussana|hasło|haslo|heslo|jelszó|jelszo|geslo|lozinka|zaporka|şifre|sifre|parolă|slaptažodis|parole|пароль|пароля|\
         лозинка|парола|κωδικός πρόσβασης|κωδικός|סיסמה|كلمة المرور|كلمة السر|पासवर्ड|รหัสผ่าน|mật khẩu|matkhau|kata sandi|katasandi|sandi|密码|密碼|口令|\
         パスワード|暗証番号|비밀번호|암호|비번",
    ),
    (
        "secret",
        "geheimnis|geheimwort|secreto|clave secreta|clave_secreta|clavesecreta|clé secrète|cle_secrete|clé_secrète|segredo|chave secreta|chave_secreta|\
         chiave segreta|chiave_segreta|geheim|hemlighet|salaisuus|sekret|секрет|секретный ключ|密钥|密鑰|秘密鍵|シークレット|비밀키|시크릿",
    ),
    (
        "token",
        "zugangsschlüssel|zugriffsschlüssel|zugriffstoken|token d'accès|jeton|jeton d'accès|clé d'accès|clé api|cle_api|clave api|clave_api|chave de api|\
         chave_api|chave de acesso|chiave api|chiave_api|api-schlüssel|toegangstoken|toegangssleutel|токен|ключ доступа|令牌|访问令牌|トークン|토큰",
    ),
];
/// Those whose letters other words have too: only before a sign.
const FOREIGN_SHORT: &str = "clave mdp parola parole geheim sekret sandi secreto jeton";

/// Words of [`FOREIGN`], each a whole name, as they stand within and at the start of a sentence and in capitals.
pub fn foreign() -> impl Iterator<Item = (String, &'static str)> {
    let ways = |word: &str| {
        let mut letters = word.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        let mut ways = vec![word.to_owned(), format!("{first}{}", letters.as_str()), word.to_uppercase()];
        // Letters of ASCII are compared without regard to capitals anyway.
        ways.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        ways
    };
    FOREIGN.iter().flat_map(move |(kind, words)| words.split('|').flat_map(move |word| ways(word.trim())).map(|word| (word, *kind)))
}

/// What a word of another language announces.
pub fn foreign_label(kind: &'static str) -> Label {
    Label { kind, weight: if kind == "token" { Weight::Firm } else { Weight::Strong } }
}

/// Must a sign stand behind the word?
pub fn is_short_foreign(word: &str) -> bool {
    FOREIGN_SHORT.split(' ').any(|short| word.eq_ignore_ascii_case(short))
}
/// Short ones, which other words are full of: each with a sign behind it.
const SHORT_STEMS: &str = "login sig sid otp code pin pat seed salt sas pw";
const SIGNS: [&str; 7] = ["=", ":", "\"", "'", "%", "<", ">"];

/// What to look for. Some end with the sign behind the name.
pub fn stems() -> Vec<String> {
    let short = SHORT_STEMS.split_whitespace().flat_map(|stem| SIGNS.iter().map(move |sign| format!("{stem}{sign}")));
    let spaced = ["pat", "pw", "sas", "pin"].iter().map(|stem| format!("{stem} "));
    STEMS.split_whitespace().map(str::to_owned).chain(short).chain(spaced).collect()
}

const PASSWORDS: &str = "password passwd passwort passphrase passcode pwd pass pw psw pswd kennwort contrasena senha wachtwoord salasana heslo haslo jelszo lozinka sifre passwords pword passw pwds \
    storepass keypass userpwd userpass secretphrase passout bindpw rootpw adminpw userpw dbpw sfpw passw0rd p4ssw0rd p4ssword pa55word pa55w0rd p4ss \
    masterauth requirepass";
const PASSWORD_ENDS: &[&str] =
    &["password", "passwd", "passphrase", "pwd", "passwort", "passcode", "bindpw", "rootpw", "adminpw", "kennwort", "storepass", "keypass"];
/// What stands before `pass` when it is one word: `dbpass`, not `bypass`.
const PASS_STARTS: &str = "db user ftp sftp smtp mysql pg root admin my sql ssh mail http proxy redis ldap svc jmx keystore truststore key store imap bind \
    vault";
/// Words before `key` that make it a secret.
const KEY_SECRET: &str = "api principal application access secret private account shared storage encryption encrypt crypt crypto decrypt decryption master signing sign \
    signature subscription app integration license licence instrumentation ssh function functions \
    fernet hmac aes rsa deploy deployment consumer auth oauth admin webhook jwt \
    jws jwk sas cosmos cosmosdb openai gpt anthropic claude mistral cohere groq gemini google maps dd datadog newrelic nr sendgrid \
    mailgun stripe twilio azure aws gcp gcs gcm fcm huggingface hf tenant tls ssl wrapping unseal recovery transit kek dek cmk \
    flask django rails laravel cipher symmetric dbx databricks algolia pagerduty routing splunk \
    snowflake confluent cognitive speech vault pem pgp gpg wallet write ingest ingestion insert sa";
/// Words before `key` that make it the key of a table, a map or a message.
const KEY_PLAIN: &str = "recv fingerprint trusted signed partition partitioning sort primary foreign cache row object group grouping shuffle block idempotency dedup dedupe deduplication \
    surrogate natural business composite unique join merge range cluster clustering bucket map dict index lookup config conf \
    configuration property scope registry translation message record order customer event topic metric tag label public pub \
    dimension blob file log state lock missing duplicate invalid unknown with json column s3 task parameter widget option \
    distribution dist candidate aggregate alternate hash hk publishable site verify";
/// Words before `token` that make it a cursor or a mark.
const TOKEN_PLAIN: &str = "page next continuation idempotency request sync cancellation cancel unexpected lock invalid expected pagination stop eos bos pad \
    unk mask sep cls end start starting special resume delta cursor order max min per num position";
/// Words after the deciding one that change nothing.
const NEUTRAL: &str = "value val plaintext plain text txt raw str b b64 base64 hex prod dev test stage staging primary secondary old new string current \
    previous default env param arg decoded encoded encrypted data latest backup base";

/// What a word of a name may be.
#[derive(Clone, Copy, Default)]
struct Role {
    password: bool,
    pass_start: bool,
    key_secret: bool,
    key_plain: bool,
    token_plain: bool,
    neutral: bool,
}

/// The words that are known, by what they may be.
pub struct Labels(HashMap<&'static str, Role>);

impl Labels {
    pub fn new() -> Self {
        let mut roles: HashMap<&'static str, Role> = HashMap::new();
        let mut give =
            |words: &'static str, role: fn(&mut Role)| words.split_whitespace().for_each(|word| role(roles.entry(word).or_default()));
        give(PASSWORDS, |role| role.password = true);
        give(PASS_STARTS, |role| role.pass_start = true);
        give(KEY_SECRET, |role| role.key_secret = true);
        give(KEY_PLAIN, |role| role.key_plain = true);
        give(TOKEN_PLAIN, |role| role.token_plain = true);
        give(NEUTRAL, |role| role.neutral = true);
        Self(roles)
    }

    fn role(&self, word: &str) -> Role {
        self.0.get(word).copied().unwrap_or_default()
    }

    /// What the name announces; `before` is the word that stands before it, as in `secret key: …`.
    pub fn of(&self, name: &str, before: &str, words: &mut Words) -> Option<Label> {
        if name == "string-value" {
            // `databricks secrets put-secret … --string-value x`
            return announced("secret", Weight::Strong);
        }
        if ["auth_string", "auth-string", "authstring", "authString"].iter().any(|end| name.ends_with(end)) {
            return announced("secret", Weight::Firm);
        }
        if name.ends_with("auth.user.info") {
            // `user:password` of a schema registry.
            return announced("secret", Weight::Strong);
        }
        words.of(trim_host(name));
        let mut head = 0;
        while head + 1 < words.count() && self.role(words.back(head)).neutral {
            head += 1;
        }
        let word = words.back(head);
        let adjective = match words.back(head + 1) {
            "" => before,
            adjective => adjective,
        };
        let bare = words.count() == 1;
        // `pass_db`, `password_admin`: whose it is stands behind.
        let first = words.back(words.count().saturating_sub(1));
        if words.count() == 2
            && self.role(word).pass_start
            && !matches!(word, "key" | "store" | "my")
            && matches!(first, "pass" | "password" | "passwd" | "pwd" | "pw")
        {
            return announced("password", Weight::Strong);
        }
        if self.is_password(word) {
            let is_doubtful = matches!(word, "pass" | "pw" | "psw") && bare;
            return announced("password", if is_doubtful { Weight::Firm } else { Weight::Strong });
        }
        match word {
            "secret" | "secrets" => announced("secret", if bare { Weight::Firm } else { Weight::Strong }),
            "token" | "tokens" if self.role(adjective).token_plain => None,
            "tokens" => announced("token", Weight::Weak),
            "token" | "jwt" | "bearer" => announced("token", Weight::Firm),
            "pat" if !bare => announced("token", Weight::Firm),
            "pat" => announced("token", Weight::Weak),
            "otp" | "totp" => announced("pin", Weight::Weak),
            // A header of somebody's own making.
            "key"
                if words.count() > 2
                    && name.get(..2).is_some_and(|front| front.eq_ignore_ascii_case("x-"))
                    && !self.role(adjective).key_plain =>
            {
                announced("key", Weight::Firm)
            }
            "key" | "keys" => self.key(adjective, words),
            // The public half of a pair, of no use to anybody who reads logs, but it goes with the other half.
            "id" if adjective == "key" && words.back(head + 2) == "access" => announced("key", Weight::Weak),
            _ => other(word, adjective).or_else(|| self.joined(word)),
        }
    }

    fn is_password(&self, word: &str) -> bool {
        self.role(word).password
            || PASSWORD_ENDS.iter().any(|end| word.ends_with(end))
            || word.strip_suffix("pass").is_some_and(|start| self.role(start).pass_start)
    }

    fn key(&self, adjective: &str, words: &Words) -> Option<Label> {
        let says_secret = words.any(|word| matches!(word, "secret" | "private" | "api"));
        if self.role(adjective).key_plain && !says_secret {
            None
        } else if adjective == "private" {
            announced("private-key", Weight::Firm)
        } else if self.role(adjective).key_secret || adjective.ends_with("api") || adjective.ends_with("secret") || says_secret {
            announced("key", Weight::Firm)
        } else {
            announced("key", Weight::Weak)
        }
    }

    /// Two words written as one: `accesskey`, `clientsecret`, `authtoken`.
    fn joined(&self, word: &str) -> Option<Label> {
        if let Some(start) = word.strip_suffix("key") {
            let known = (0..start.len()).any(|at| start.len() - at > 1 && start.get(at..).is_some_and(|end| self.role(end).key_secret));
            // Duo's three keys.
            let known = known || matches!(start, "s" | "i" | "a");
            return if known && !self.role(start).key_plain { announced("key", Weight::Firm) } else { None };
        }
        if word.ends_with("secret") {
            return announced("secret", Weight::Strong);
        }
        if let Some(start) = word.strip_suffix("token") {
            return if self.role(start).token_plain { None } else { announced("token", Weight::Firm) };
        }
        if word.ends_with("sessionid") || word.ends_with("sessid") { announced("session", Weight::Weak) } else { None }
    }
}

fn announced(kind: &'static str, weight: Weight) -> Option<Label> {
    Some(Label { kind, weight })
}

/// Words that announce other things than passwords, secrets, tokens and keys.
fn other(word: &str, adjective: &str) -> Option<Label> {
    match word {
        "credential" | "credentials" | "creds" | "cred" => announced("credential", Weight::Weak),
        "login" => announced("login", Weight::Weak),
        "appid" => announced("key", Weight::Weak),
        "id" if adjective == "app" => announced("key", Weight::Weak),
        "verifier" if adjective == "code" => announced("code", Weight::Weak),
        "psk" => announced("password", Weight::Firm),
        "answer" if matches!(adjective, "security" | "secret") => announced("password", Weight::Firm),
        "sig" | "signature" | "sas" | "hmac" => announced("signature", Weight::Weak),
        // A name of an account, as Twilio has it.
        "sid" if matches!(adjective, "account" | "service" | "messaging" | "verify" | "message" | "call") => None,
        "session" | "sessid" | "sid" | "cookie" => announced("session", Weight::Weak),
        "id" if adjective == "secret" => announced("secret-id", Weight::Weak),
        "code" if matches!(adjective, "recovery" | "backup" | "rescue" | "scratch") => announced("secret", Weight::Firm),
        "codes" if matches!(adjective, "recovery" | "backup" | "rescue" | "scratch") => announced("secret", Weight::Firm),
        "id" if matches!(adjective, "session" | "sess") => announced("session", Weight::Weak),
        "authorization" => announced("auth", Weight::Firm),
        "auth" => announced("auth", Weight::Weak),
        "code" if matches!(adjective, "time" | "otp" | "mfa" | "passcode" | "confirmation" | "login" | "verification" | "security") => {
            announced("pin", Weight::Weak)
        }
        "code" if matches!(adjective, "" | "auth" | "authorization" | "device" | "user" | "verification") => {
            announced("code", Weight::Weak)
        }
        "pin" if matches!(adjective, "" | "user" | "card" | "hsm" | "token" | "slot") => announced("pin", Weight::Weak),
        "mnemonic" => announced("secret", Weight::Firm),
        "phrase" if matches!(adjective, "seed" | "recovery" | "secret" | "mnemonic") => announced("secret", Weight::Firm),
        "seed" => announced("secret", Weight::Weak),
        "response" if adjective == "saml" => announced("token", Weight::Weak),
        "assertion" | "samlresponse" => announced("token", Weight::Weak),
        "salt" => announced("salt", Weight::Weak),
        "hash" if matches!(adjective, "password" | "passwd" | "pwd" | "pw") => announced("password-hash", Weight::Weak),
        _ => None,
    }
}

/// Azure and S3A settings name the account or bucket behind or within: `fs.azure.account.key.<account>.dfs.core.windows.net`.
fn trim_host(name: &str) -> &str {
    if name.len() < 24 || !name.ends_with(".net") && !name.ends_with(".com") {
        return name;
    }
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
        let found = Labels::new().of(name, before, &mut Words::default()).map(|label| label.weight);
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

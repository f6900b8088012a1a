//! All keys: one definition each gives file, environment, `--set`, help, example file and `runmend config`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::kind::Kind;
use super::layer::Entry;

/// One key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub key: &'static str,
    pub kind: Kind,
    /// As text; `None`: unset.
    pub default: Option<&'static str>,
    pub doc: &'static str,
}

impl Setting {
    /// Its name as an environment variable.
    pub fn variable(&self) -> String {
        format!("RUNMEND_{}", self.key.replace('.', "__").to_uppercase())
    }
}

const fn span(min_ms: u64, max_s: u64) -> Kind {
    Kind::Duration { min: Duration::from_millis(min_ms), max: Duration::from_secs(max_s) }
}

const fn set(key: &'static str, kind: Kind, default: Option<&'static str>, doc: &'static str) -> Setting {
    Setting { key, kind, default, doc }
}

const DAY_S: u64 = 24 * 3600;
const SHARE: Kind = Kind::Number { min: 0.0, max: 1.0 };

/// In the order in which the example file and `runmend config` show them.
pub const SETTINGS: &[Setting] = &[
    set("workspace.host", Kind::Host, None, "The workspace's URL. Also DATABRICKS_HOST."),
    set("workspace.token", Kind::Secret, None, "A personal access token of it. Also DATABRICKS_TOKEN."),
    set("workspace.profile", Kind::Words, None, "Profile of ~/.databrickscfg, or several. Also DATABRICKS_CONFIG_PROFILE and --profile."),
    set("workspace.config_file", Kind::Path, None, "Another file than ~/.databrickscfg. Also DATABRICKS_CONFIG_FILE."),
    set("workspace.name", Kind::Text, None, "What runmend calls the workspace; else the profile's name, or the host's first label."),
    set("workspace.allow_http", Kind::Bool, Some("false"), "Allow plain http to another machine. The token can then be read on the way."),
    set("mode", Kind::OneOf(&["approve", "auto", "observe"]), Some("approve"), "What an automatic decision may do."),
    set("poll.interval", span(10, DAY_S), Some("60s"), "How often the workspace is asked for failed runs."),
    set("poll.lookback", span(1000, 60 * DAY_S), Some("24h"), "How far back the first poll looks, by a run's start."),
    set("watch.interval", span(10, DAY_S), Some("15s"), "How often a run that was re-run is looked at."),
    set("retry.max_attempts", Kind::Count { min: 0, max: 100 }, Some("3"), "Most automatic re-runs of one failed run."),
    set("retry.base_delay", span(0, DAY_S), Some("30s"), "Wait before the first re-run."),
    set("retry.factor", Kind::Number { min: 1.0, max: 100.0 }, Some("2.0"), "By how much the wait grows with each re-run."),
    set("retry.max_delay", span(0, 7 * DAY_S), Some("15m"), "Longest wait."),
    set("retry.jitter", SHARE, Some("0.2"), "Share of the wait by which it may differ to either side."),
    set("policy.min_confidence", SHARE, Some("0.85"), "Below this confidence in the cause nothing is re-run without a person."),
    set("policy.critical", Kind::Words, Some(""), "Name patterns (`*`, `?`) of jobs where a person approves each action."),
    set("policy.trust_tags", Kind::Bool, Some("false"), "Let a job's tag raise its mode to auto; otherwise a tag can only lower it."),
    set(
        "mail.smtp",
        Kind::MailServer,
        Some("file:"),
        "smtp://user:password@host:port (STARTTLS), smtps://… (TLS), or file:FOLDER for .eml files; `file:` is the outbox in data_dir.",
    ),
    set("mail.from", Kind::Mailbox, Some("runmend@localhost"), "Sender of mails."),
    set("mail.default_to", Kind::Mailbox, None, "Who gets the mail when a job names no owner."),
    set("mail.on_call", Kind::Mailbox, None, "Who is paged; mail.default_to when unset."),
    set("mail.ca_file", Kind::Path, None, "A further trusted certificate authority (PEM), for the mail server."),
    set(
        "redact.emails",
        Kind::Bool,
        Some("false"),
        "Take e-mail addresses out of what is collected, as secrets are: from screen, ledger, prompts, mails and exports.",
    ),
    set("redact.ips", Kind::Bool, Some("false"), "Take IP addresses out of it too, but for loopback."),
    set("rules.dir", Kind::Path, None, "Folder with your own rule files."),
    set("data_dir", Kind::Path, None, "Where the ledger and the outbox live; else the user's data folder."),
    set("ledger", Kind::Ledger, None, "The ledger's file; else ledger.db in data_dir. Also --ledger."),
    set("log.level", Kind::OneOf(&["error", "warn", "info", "debug", "trace"]), Some("info"), "How much is logged. Also --log-level."),
    set("ui.theme", Kind::Text, Some("auto"), "Colours of the console: a theme's name or file."),
    set("ui.color", Kind::Bool, Some("true"), "Use colours. Also --no-color and NO_COLOR."),
    set("ui.ascii", Kind::Bool, Some("false"), "Draw with ASCII only. Also --ascii."),
    set("llm.provider", Kind::OneOf(&["none", "azure", "openai", "databricks", "ollama"]), Some("none"), "Who gives a second opinion."),
    set("llm.base_url", Kind::HttpUrl, None, "The provider's URL. Also AZURE_OPENAI_ENDPOINT."),
    set("llm.deployment", Kind::Text, None, "Azure deployment. Also AZURE_OPENAI_DEPLOYMENT."),
    set("llm.model", Kind::Text, None, "The model's name."),
    set("llm.api_key", Kind::Secret, None, "The provider's key. Also AZURE_OPENAI_API_KEY."),
    set("llm.api_version", Kind::Text, None, "Azure API version. Also OPENAI_API_VERSION."),
    set(
        "llm.auth",
        Kind::OneOf(&["auto", "key", "entra"]),
        Some("auto"),
        "How runmend shows who it is: by llm.api_key, or by a token of Entra ID. auto: the key; on azure without one, Entra ID.",
    ),
    set("llm.tenant_id", Kind::Text, None, "Entra ID: the tenant. Also AZURE_TENANT_ID."),
    set("llm.client_id", Kind::Text, None, "Entra ID: the application (service principal). Also AZURE_CLIENT_ID."),
    set("llm.client_secret", Kind::Secret, None, "Entra ID: its secret. Also AZURE_CLIENT_SECRET."),
    set(
        "llm.authority",
        Kind::HttpUrl,
        Some("https://login.microsoftonline.com"),
        "Where tokens come from: another one for sovereign clouds. Also AZURE_AUTHORITY_HOST.",
    ),
    set(
        "llm.scope",
        Kind::Text,
        Some("https://ai.azure.com/.default"),
        "What a token is for; older resources want https://cognitiveservices.azure.com/.default.",
    ),
    set("llm.ask", Kind::OneOf(&["always", "unsure", "never"]), Some("unsure"), "When the provider is asked."),
    set("llm.daily_budget", Kind::Number { min: 0.0, max: 100_000.0 }, None, "Most to spend on opinions a day, in US dollars."),
    set("llm.hourly_budget", Kind::Number { min: 0.0, max: 100_000.0 }, None, "Most to spend on opinions an hour, in US dollars."),
    set("llm.timeout", span(1000, 600), Some("30s"), "From the question to the opinion, retries included; then the rules decide alone."),
    set("llm.prices", Kind::Path, None, "A price table of your own, in the format of assets/prices.toml; it goes before ours."),
    set("webhook.listen", Kind::Listen, None, "Address and port for Databricks job notifications."),
    set("webhook.path", Kind::UrlPath, Some("/webhook"), "Path of the webhook."),
    set("webhook.username", Kind::Text, None, "User name that the webhook demands."),
    set("webhook.password", Kind::Secret, None, "Password that the webhook demands."),
    set(
        "metrics.listen",
        Kind::Listen,
        None,
        "Address and port of the metrics endpoint: GET /metrics, for Prometheus. It asks for no password.",
    ),
];

/// Sections that are read and checked before the part that uses them is built, and what that part is.
const NOT_BUILT: [(&str, &str); 1] = [("webhook.", "the webhook is")];

pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The known key that looks most like `key`, if any does.
pub fn nearest(key: &str) -> Option<&'static str> {
    let key: String = key.chars().take(100).collect::<String>().to_lowercase();
    if let Some(same_tail) = unique_tail(&key) {
        return Some(same_tail);
    }
    SETTINGS
        .iter()
        .map(|setting| (strsim::osa_distance(&key, setting.key), setting.key))
        .min()
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(2))
        .map(|(_, known)| known)
}

/// `interval_poll` is anyone's guess, but `max_attempts` alone, or `poll_interval`, is clear.
fn unique_tail(key: &str) -> Option<&'static str> {
    let mut found = SETTINGS.iter().filter(|setting| {
        let tail = setting.key.rsplit('.').next().unwrap_or(setting.key);
        tail == key || setting.key.replace('.', "_") == key.replace('.', "_")
    });
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only.key),
        _ => None,
    }
}

/// A setting without effect must not look as if it had one.
pub(super) fn warn_of_what_is_not_built(entries: &BTreeMap<&'static str, Entry>, warnings: &mut Vec<String>) {
    for (prefix, part) in NOT_BUILT {
        let keys: Vec<&str> = entries.keys().filter(|key| key.starts_with(prefix)).copied().collect();
        if !keys.is_empty() {
            warnings.push(format!("{} not built into this version: {} without effect", part, keys.join(", ")));
        }
    }
}

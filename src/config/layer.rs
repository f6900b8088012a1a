//! The layers, weakest first, each a list of checked values that know where they came from.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::Value;
use toml::de::{DeTable, DeValue};

use super::Inputs;
use super::error::ConfigError;
use super::kind::Place;
use super::settings::{self, SETTINGS, Setting};
use super::source::Source;
use crate::domain::decision::Mode;
use crate::domain::secret::REDACTED;

/// Largest configuration file read, bytes: what is larger is another file named by mistake.
pub(super) const FILE_BYTES_MAX: u64 = 1 << 20;

#[derive(Clone, PartialEq)]
pub struct Entry {
    pub value: Value,
    pub source: Source,
}

/// Without the value, which may be a secret.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{REDACTED} from {}", self.source)
    }
}

pub type Layer = BTreeMap<&'static str, Entry>;

/// Variables of others that mean one of our settings.
const FOREIGN: [(&str, &str); 4] = [
    ("DATABRICKS_HOST", "workspace.host"),
    ("DATABRICKS_TOKEN", "workspace.token"),
    ("DATABRICKS_CONFIG_PROFILE", "workspace.profile"),
    ("DATABRICKS_CONFIG_FILE", "workspace.config_file"),
];

/// As [`FOREIGN`], but meant for many programs at once: these only fill what nothing of ours says.
const FOREIGN_LLM: [(&str, &str); 8] = [
    ("AZURE_OPENAI_ENDPOINT", "llm.base_url"),
    ("AZURE_OPENAI_API_KEY", "llm.api_key"),
    ("AZURE_OPENAI_DEPLOYMENT", "llm.deployment"),
    ("OPENAI_API_VERSION", "llm.api_version"),
    ("AZURE_TENANT_ID", "llm.tenant_id"),
    ("AZURE_CLIENT_ID", "llm.client_id"),
    ("AZURE_CLIENT_SECRET", "llm.client_secret"),
    ("AZURE_AUTHORITY_HOST", "llm.authority"),
];

/// Variables with our prefix that are no settings: the config file's place, and the test suite's own.
const RESERVED: [&str; 2] = ["RUNMEND_CONFIG", "RUNMEND_TEST_"];

/// Defaults, config file, `.env`, environment, options, `--set`.
pub fn all(inputs: &Inputs, warnings: &mut Vec<String>) -> Result<Vec<Layer>, ConfigError> {
    let here = Place { folder: &inputs.cwd, home: inputs.home.as_deref() };
    let dot_env = read_dot_env(inputs, warnings)?;
    let mut weak = Layer::new();
    for env in [&dot_env, &inputs.env] {
        for (name, key) in FOREIGN_LLM {
            if let Some(text) = env.get(name).filter(|text| !text.trim().is_empty()) {
                let source = Source::Environment { name: name.to_owned() };
                if let Err(error) = put_text(&mut weak, key, text, source, &here) {
                    warnings.push(format!("{name} is passed over: {error}"));
                }
            }
        }
    }
    Ok(vec![
        defaults(&here)?,
        weak,
        file(inputs, warnings)?,
        variables(&dot_env, &here, |name| Source::DotEnv { name }, warnings)?,
        variables(&inputs.env, &here, |name| Source::Environment { name }, warnings)?,
        options(inputs, &here)?,
        sets(inputs, &here)?,
    ])
}

/// The strongest value of each key that is not left at its default.
pub fn merge(layers: &[Layer]) -> Layer {
    let mut merged = Layer::new();
    for layer in layers.iter().skip(1) {
        merged.extend(layer.iter().map(|(key, entry)| (*key, entry.clone())));
    }
    merged
}

/// The default of a setting in its stored form.
pub fn default_of(setting: &Setting, place: &Place<'_>) -> Result<Option<Value>, ConfigError> {
    let Some(text) = setting.default else { return Ok(None) };
    setting.kind.read_text(text, place).map(Some).ok_or_else(|| bad(setting, &Value::from(text), Source::Default))
}

fn defaults(place: &Place<'_>) -> Result<Layer, ConfigError> {
    let mut layer = Layer::new();
    for setting in SETTINGS {
        if let Some(value) = default_of(setting, place)? {
            layer.insert(setting.key, Entry { value, source: Source::Default });
        }
    }
    Ok(layer)
}

fn bad(setting: &Setting, value: &Value, source: Source) -> ConfigError {
    ConfigError::BadValue {
        key: setting.key.to_owned(),
        source_of: source,
        expected: setting.kind.expects(),
        got: setting.kind.quotable(value),
    }
}

fn put_text(layer: &mut Layer, key: &str, text: &str, source: Source, place: &Place<'_>) -> Result<(), ConfigError> {
    let Some(setting) = settings::find(key) else {
        return Err(unknown(key, source));
    };
    let value = setting.kind.read_text(text, place).ok_or_else(|| bad(setting, &Value::from(text), source.clone()))?;
    layer.insert(setting.key, Entry { value, source });
    Ok(())
}

fn unknown(key: &str, source: Source) -> ConfigError {
    let key: String = crate::redact::control::one_line(key).chars().take(100).collect();
    ConfigError::UnknownKey { near: settings::nearest(&key).map(str::to_owned), key, source_of: source }
}

fn file(inputs: &Inputs, warnings: &mut Vec<String>) -> Result<Layer, ConfigError> {
    let named =
        inputs.options.config.clone().or_else(|| inputs.env.get("RUNMEND_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from));
    let path = match (&named, &inputs.config_dir) {
        (Some(path), _) => inputs.cwd.join(path),
        (None, Some(folder)) => folder.join("config.toml"),
        (None, None) => return Ok(Layer::new()),
    };
    let Some(text) = read(&path, "the config file", named.is_some())? else { return Ok(Layer::new()) };
    let layer = parse_file(&text, &path, inputs.home.as_deref())?;
    warn_of_readable_secrets(&path, &layer, warnings);
    Ok(layer)
}

/// The file's text; `None` when it does not exist and nobody named it.
pub(super) fn read(path: &Path, what: &'static str, demanded: bool) -> Result<Option<String>, ConfigError> {
    let unreadable = |reason: String| ConfigError::Unreadable { what, path: path.to_owned(), reason };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !demanded => return Ok(None),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(unreadable(format!("it is larger than {} KiB", FILE_BYTES_MAX >> 10)));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))
}

pub(super) fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

fn parse_file(text: &str, path: &Path, home: Option<&Path>) -> Result<Layer, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        what: "the config file",
        path: path.to_owned(),
        line: error.span().map(|span| line_of(text, span.start)),
        reason: error.message().to_owned(),
    })?;
    let mut flat = Vec::new();
    flatten("", table.get_ref(), &mut flat);
    let place = Place { folder: path.parent().unwrap_or(path), home };
    let mut layer = Layer::new();
    for (key, value, start) in flat {
        let source = Source::File { path: path.to_owned(), line: line_of(text, start) };
        let Some(setting) = settings::find(&key) else { return Err(unknown(&key, source)) };
        let read = value.as_ref().and_then(|value| setting.kind.read(value, &place));
        let value = read.ok_or_else(|| bad(setting, &value.unwrap_or_else(|| Value::from("")), source.clone()))?;
        layer.insert(setting.key, Entry { value, source });
    }
    Ok(layer)
}

/// Tables become dotted keys; a table where a setting stands, or an empty unknown one, is a key of its own. `None`: no TOML value of ours.
fn flatten(prefix: &str, table: &DeTable<'_>, flat: &mut Vec<(String, Option<Value>, usize)>) {
    for (name, value) in table.iter() {
        let key = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
        let is_section = SETTINGS.iter().any(|setting| setting.key.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('.')));
        match value.get_ref() {
            DeValue::Table(inner) if is_section => flatten(&key, inner, flat),
            other => flat.push((key, plain(other), name.span().start)),
        }
    }
}

fn plain(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => Value::from(i64::from_str_radix(number.as_str(), number.radix()).ok()?),
        DeValue::Float(number) => Value::from(number.as_str().parse::<f64>().ok()?),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Array(list) => Value::Array(list.iter().map(|item| plain(item.get_ref())).collect::<Option<_>>()?),
        DeValue::Datetime(_) | DeValue::Table(_) => return None,
    })
}

#[cfg(unix)]
fn warn_of_readable_secrets(path: &Path, layer: &Layer, warnings: &mut Vec<String>) {
    use std::os::unix::fs::PermissionsExt;

    let holds_secret = layer.keys().any(|key| settings::find(key).is_some_and(|setting| setting.kind.is_secret()));
    let readable = std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o044 != 0);
    if holds_secret && readable {
        warnings.push(format!("{} holds a secret and other users may read it: `chmod 600` it", path.display()));
    }
}

#[cfg(not(unix))]
fn warn_of_readable_secrets(_path: &Path, _layer: &Layer, _warnings: &mut Vec<String>) {}

/// The `.env` of the current folder. Nothing of it enters the process environment, and a line that is none costs only itself:
/// the file often belongs to another program.
fn read_dot_env(inputs: &Inputs, warnings: &mut Vec<String>) -> Result<BTreeMap<String, String>, ConfigError> {
    let path = inputs.cwd.join(".env");
    let text = match read(&path, "the .env file", false) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(BTreeMap::new()),
        Err(error) => {
            warnings.push(format!("{error}: {}", path.display()));
            return Ok(BTreeMap::new());
        }
    };
    let mut values = BTreeMap::new();
    let mut unread = 0_u32;
    for item in dotenvy::from_read_iter(text.as_bytes()) {
        match item {
            Ok((name, value)) => {
                // The first definition of a name counts, as in every other reader of such files.
                values.entry(name).or_insert(value);
            }
            Err(_) => unread += 1,
        }
    }
    if unread > 0 {
        warnings.push(format!("{}: {unread} line(s) cannot be read and are passed over", path.display()));
    }
    Ok(values)
}

fn variables(
    env: &BTreeMap<String, String>,
    place: &Place<'_>,
    source: fn(String) -> Source,
    warnings: &mut Vec<String>,
) -> Result<Layer, ConfigError> {
    let mut layer = Layer::new();
    for (name, key) in FOREIGN {
        // An empty variable is an unset one: composed environments pass many of those.
        if let Some(text) = env.get(name).filter(|text| !text.trim().is_empty()) {
            put_text(&mut layer, key, text, source(name.to_owned()), place)?;
        }
    }
    if env.get("NO_COLOR").is_some_and(|text| !text.is_empty()) {
        put_text(&mut layer, "ui.color", "false", source("NO_COLOR".to_owned()), place)?;
    }
    for (name, text) in env {
        let Some(rest) = name.strip_prefix("RUNMEND_") else { continue };
        if text.trim().is_empty()
            || RESERVED.iter().any(|reserved| name == reserved || (reserved.ends_with('_') && name.starts_with(reserved)))
        {
            continue;
        }
        let key = rest.to_lowercase().replace("__", ".");
        match settings::find(&key) {
            Some(_) => put_text(&mut layer, &key, text, source(name.clone()), place)?,
            // With our separator it can only be meant as a setting; without it, it may be anybody's.
            None => match settings::nearest(&key).and_then(settings::find) {
                Some(near) if rest.contains("__") || near.key.replace('.', "_") == key => {
                    return Err(ConfigError::UnknownKey {
                        key: name.clone(),
                        source_of: source(name.clone()),
                        near: Some(near.variable()),
                    });
                }
                _ if rest.contains("__") => {
                    return Err(ConfigError::UnknownKey { key: name.clone(), source_of: source(name.clone()), near: None });
                }
                _ => warnings.push(format!("{name} is no setting and is passed over")),
            },
        }
    }
    Ok(layer)
}

fn options(inputs: &Inputs, place: &Place<'_>) -> Result<Layer, ConfigError> {
    let options = &inputs.options;
    let mut layer = Layer::new();
    if !options.profiles.is_empty() {
        let names = options.profiles.iter().map(|name| Value::from(name.as_str())).collect();
        layer.insert("workspace.profile", Entry { value: Value::Array(names), source: Source::Option("--profile") });
    }
    if let Some(ledger) = &options.ledger {
        put_text(&mut layer, "ledger", ledger, Source::Option("--ledger"), place)?;
    }
    if let Some(level) = &options.log_level {
        put_text(&mut layer, "log.level", level, Source::Option("--log-level"), place)?;
    }
    if options.no_color {
        put_text(&mut layer, "ui.color", "false", Source::Option("--no-color"), place)?;
    }
    if options.ascii {
        put_text(&mut layer, "ui.ascii", "true", Source::Option("--ascii"), place)?;
    }
    match inputs.asked_mode {
        Some(Mode::Auto) => put_text(&mut layer, "mode", "auto", Source::Option("--auto"), place)?,
        Some(Mode::Approve) | Some(Mode::Observe) | None => {}
    }
    Ok(layer)
}

fn sets(inputs: &Inputs, place: &Place<'_>) -> Result<Layer, ConfigError> {
    let mut layer = Layer::new();
    for text in &inputs.options.sets {
        let (key, value) = text.split_once('=').ok_or(ConfigError::BadSet)?;
        put_text(&mut layer, key.trim(), value, Source::Set, place)?;
    }
    if inputs.asked_mode == Some(Mode::Observe) {
        put_text(&mut layer, "mode", "observe", Source::Option("--observe"), place)?;
    }
    Ok(layer)
}

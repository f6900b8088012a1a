//! Which workspaces to work on: host and token of one layer, or profiles of the Databricks configuration file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use configparser::ini::Ini;
use serde::Serialize;
use url::{Host, Url};

use super::Inputs;
use super::error::ConfigError;
use super::kind::{Kind, Place};
use super::layer::{self, Layer};
use super::sheet::Sheet;
use super::source::Source;
use crate::domain::ids::WorkspaceName;
use crate::domain::secret::Secret;
use crate::redact::control::one_line;

/// Longest workspace name, characters: it stands in every incident's id and in the console's header.
const NAME_CHARS_MAX: usize = 64;

/// One workspace, ready to be called.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkspaceConfig {
    pub name: WorkspaceName,
    /// `https://host[:port]/`, without path.
    pub host: Url,
    pub token: Secret,
    pub profile: Option<String>,
    /// Where the host came from.
    pub source: Source,
}

/// One profile's lines.
type Profile = BTreeMap<String, String>;

pub(super) fn resolve(
    inputs: &Inputs,
    layers: &[Layer],
    sheet: &Sheet,
    warnings: &mut Vec<String>,
) -> Result<Vec<WorkspaceConfig>, ConfigError> {
    let layer_of = |key: &str| layers.iter().rposition(|layer| layer.contains_key(key));
    let source_of = |key: &str| layers.iter().rev().find_map(|layer| layer.get(key)).map_or(Source::Default, |entry| entry.source.clone());
    let (host_layer, profile_layer) = (layer_of("workspace.host"), layer_of("workspace.profile"));
    let profiles = sheet.workspace.profile.clone().unwrap_or_default();

    // `None < Some(_)`: a host gives way only to a profile that a stronger layer names.
    if !profiles.is_empty() && profile_layer > host_layer {
        let file = ProfileFile::open(inputs, sheet, Demand::Named)?;
        let token = (layer_of("workspace.token") > profile_layer).then(|| sheet.workspace.token.clone()).flatten();
        return named_profiles(&file, &profiles, token, sheet);
    }
    let Some(host) = &sheet.workspace.host else {
        return without_host(inputs, sheet, source_of("workspace.token"));
    };
    let source = source_of("workspace.host");
    let token = match &sheet.workspace.token {
        Some(token) => token.clone(),
        None => token_of_same_host(inputs, sheet, host, profiles.first().map(String::as_str))
            .ok_or_else(|| ConfigError::NoToken { host: host.clone(), source_of: source.clone() })?,
    };
    warn_of_borrowed_token(layers, host, warnings);
    Ok(vec![build(host, token, None, source, sheet)?])
}

fn named_profiles(file: &ProfileFile, names: &[String], token: Option<Secret>, sheet: &Sheet) -> Result<Vec<WorkspaceConfig>, ConfigError> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for name in names {
        let (host, own_token) = file.host_and_token(name, token.is_some())?;
        let token = token.clone().or(own_token).unwrap_or_default();
        let source = Source::Profile { name: name.clone(), path: file.path.clone() };
        let workspace = build(&host, token, Some(name), source, sheet)?;
        if !seen.insert(workspace.name.clone()) {
            return Err(ConfigError::SameName { name: workspace.name.0 });
        }
        found.push(workspace);
    }
    Ok(found)
}

/// Nothing names a host: the file's DEFAULT profile, as Databricks' own tools do; else there is nothing.
fn without_host(inputs: &Inputs, sheet: &Sheet, token_source: Source) -> Result<Vec<WorkspaceConfig>, ConfigError> {
    let file = ProfileFile::open(inputs, sheet, Demand::Perhaps)?;
    if file.profiles.get(DEFAULT).is_some_and(|profile| profile.contains_key("host")) {
        return named_profiles(&file, &[DEFAULT.to_owned()], sheet.workspace.token.clone(), sheet);
    }
    if sheet.workspace.token.is_some() {
        return Err(ConfigError::NoHost { source_of: token_source });
    }
    Err(ConfigError::NotConfigured)
}

/// A profile's token goes to that profile's host and to no other.
fn token_of_same_host(inputs: &Inputs, sheet: &Sheet, host: &str, profile: Option<&str>) -> Option<Secret> {
    let file = ProfileFile::open(inputs, sheet, Demand::Perhaps).ok()?;
    let (of_profile, token) = file.host_and_token(profile.unwrap_or(DEFAULT), false).ok()?;
    (of_profile == host).then_some(token).flatten()
}

/// A token that stands beside another host was probably made there.
fn warn_of_borrowed_token(layers: &[Layer], host: &str, warnings: &mut Vec<String>) {
    let Some((at, token)) = layers.iter().enumerate().rev().find_map(|(at, layer)| Some((at, layer.get("workspace.token")?))) else {
        return;
    };
    let beside = layers.iter().take(at + 1).rev().find_map(|layer| layer.get("workspace.host")).and_then(|entry| entry.value.as_str());
    if let Some(beside) = beside
        && beside != host
    {
        warnings.push(format!("the token from {} stands beside host {beside}, but goes to {host}", token.source));
    }
}

fn build(host: &str, token: Secret, profile: Option<&str>, source: Source, sheet: &Sheet) -> Result<WorkspaceConfig, ConfigError> {
    let bad =
        || ConfigError::BadValue { key: "workspace.host".to_owned(), source_of: source.clone(), expected: Kind::Host.expects(), got: None };
    let url = Url::parse(host).map_err(|_| bad())?;
    if url.scheme() == "http" && !is_loopback(&url) && !sheet.workspace.allow_http {
        return Err(ConfigError::PlainHttp { host: host.to_owned(), source_of: source });
    }
    let label = match url.host() {
        Some(Host::Domain(domain)) => domain.split('.').next().unwrap_or(domain).to_owned(),
        Some(Host::Ipv4(ip)) => ip.to_string(),
        Some(Host::Ipv6(ip)) => ip.to_string(),
        None => return Err(bad()),
    };
    let named = sheet.workspace.name.as_deref().or(profile).unwrap_or(&label);
    Ok(WorkspaceConfig { name: workspace_name(named), host: url, token, profile: profile.map(str::to_owned), source })
}

/// A name that can stand before the `/` of an incident's id.
fn workspace_name(text: &str) -> WorkspaceName {
    let clean: String = one_line(text)
        .trim()
        .chars()
        .take(NAME_CHARS_MAX)
        .map(|c| if c == '/' || c == '#' || c.is_whitespace() { '-' } else { c })
        .collect();
    WorkspaceName(if clean.is_empty() { "workspace".to_owned() } else { clean })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

const DEFAULT: &str = "DEFAULT";

/// Must the Databricks configuration file exist?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    Named,
    Perhaps,
}

struct ProfileFile {
    path: PathBuf,
    profiles: BTreeMap<String, Profile>,
}

impl ProfileFile {
    fn open(inputs: &Inputs, sheet: &Sheet, demand: Demand) -> Result<Self, ConfigError> {
        let named = sheet.workspace.config_file.clone();
        let path =
            named.clone().or_else(|| Some(inputs.home.as_ref()?.join(".databrickscfg"))).unwrap_or_else(|| PathBuf::from(".databrickscfg"));
        let demanded = demand == Demand::Named || named.is_some();
        let Some(text) = layer::read(&path, "the Databricks configuration file", demanded)? else {
            return Ok(Self { path, profiles: BTreeMap::new() });
        };
        let profiles = parse(&text, &path)?;
        Ok(Self { path, profiles })
    }

    /// The profile's host, normalised, and its token; without one only if `has_token` says that it comes from elsewhere.
    fn host_and_token(&self, name: &str, has_token: bool) -> Result<(String, Option<Secret>), ConfigError> {
        let Some(profile) = self.profiles.get(name) else {
            return Err(ConfigError::NoProfile {
                profile: one_line(name).chars().take(100).collect(),
                path: self.path.clone(),
                have: self.profiles.keys().map(|name| one_line(name)).collect(),
            });
        };
        let bad = |reason: String| ConfigError::BadProfile { profile: name.to_owned(), path: self.path.clone(), reason };
        let host = profile.get("host").ok_or_else(|| bad("it has no host".to_owned()))?;
        let place = Place { folder: Path::new(""), home: None };
        let host = Kind::Host.read_text(host, &place).ok_or_else(|| bad(format!("its host is not {}", Kind::Host.expects())))?;
        let token = profile.get("token").filter(|token| one_line(token) == **token).map(|token| Secret::new(token.trim()));
        if token.is_none() && !has_token {
            let auth = profile.get("auth_type").map(|auth| one_line(auth).chars().take(40).collect::<String>());
            return Err(bad(match auth {
                Some(auth) => format!("it signs in by `{auth}`, and this version takes personal access tokens only"),
                None => "it has no token".to_owned(),
            }));
        }
        Ok((host.as_str().unwrap_or_default().to_owned(), token))
    }
}

fn parse(text: &str, path: &Path) -> Result<BTreeMap<String, Profile>, ConfigError> {
    // Case-sensitive, no inline comments (a token may hold `#` or `;`), only `=` separates (a URL holds `:`).
    let mut ini = Ini::new_cs();
    ini.set_default_section(DEFAULT);
    ini.set_inline_comment_symbols(Some(&[]));
    let mut delimited = ini.defaults();
    delimited.delimiters = vec!['='];
    ini.load_defaults(delimited);
    let sections = ini.read(text.to_owned()).map_err(|reason| ConfigError::Syntax {
        what: "the Databricks configuration file",
        path: path.to_owned(),
        line: reason.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse().ok()),
        // The parser's own words quote the line, which may hold a token.
        reason: "a line is neither `[profile]` nor `key = value`".to_owned(),
    })?;
    let lines = |section: std::collections::HashMap<String, Option<String>>| {
        section.into_iter().filter_map(|(key, value)| Some((key.to_lowercase(), value.filter(|value| !value.trim().is_empty())?))).collect()
    };
    Ok(sections.into_iter().map(|(name, section)| (name, lines(section))).collect())
}

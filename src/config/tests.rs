use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::domain::secret::REDACTED;
use crate::notify::way::SmtpServer;

/// A folder that is home, current folder and configuration folder at once.
struct World {
    folder: TempDir,
    inputs: Inputs,
}

fn world() -> World {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_owned();
    let inputs = Inputs {
        cwd: path.clone(),
        home: Some(path.clone()),
        config_dir: Some(path.clone()),
        data_dir: Some(path.join("data")),
        ..Inputs::default()
    };
    World { folder, inputs }
}

impl World {
    fn path(&self) -> &Path {
        self.folder.path()
    }
    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.path().join(name), text).unwrap();
        self
    }
    fn config(self, text: &str) -> Self {
        self.file("config.toml", text)
    }
    fn env(mut self, name: &str, value: &str) -> Self {
        self.inputs.env.insert(name.to_owned(), value.to_owned());
        self
    }
    fn set(mut self, text: &str) -> Self {
        self.inputs.options.sets.push(text.to_owned());
        self
    }
    fn profile(mut self, name: &str) -> Self {
        self.inputs.options.profiles.push(name.to_owned());
        self
    }
    fn mode(mut self, mode: Mode) -> Self {
        self.inputs.asked_mode = Some(mode);
        self
    }
    fn load(&self) -> Result<Loaded, ConfigError> {
        Config::load(&self.inputs)
    }
    /// The error as the edge would report it, without this folder's name.
    fn report(&self, error: &ConfigError) -> String {
        let place = error.place().map(|place| format!(" @ {place}")).unwrap_or_default();
        format!("{error}{place} > {}", error.remedy()).replace(&format!("{}/", self.path().display()), "")
    }
    fn refused(&self) -> String {
        match self.load() {
            Ok(loaded) => match &loaded.workspaces {
                Ok(_) => panic!("nothing was refused"),
                Err(error) => self.report(error),
            },
            Err(error) => self.report(&error),
        }
    }
}

const CFG: &str = "; comment\n[DEFAULT]\nhost = https://default.cloud.databricks.com\ntoken = dapi-default#1;2\n\n[prod]\nhost=https://prod.example.com/?o=12\ntoken=dapi-prod\n\n[cli]\nhost = https://cli.example.com\nauth_type = databricks-cli\n";

#[test]
fn nothing_but_defaults() {
    let loaded = world().load().unwrap();
    assert_eq!(loaded.workspaces, Err(ConfigError::NotConfigured));
    let config = loaded.config;
    assert_eq!(config.policy, Policy::default());
    assert_eq!(
        (config.mode, config.poll.interval, config.poll.lookback),
        (Mode::Approve, Duration::from_secs(60), Duration::from_secs(86_400))
    );
    assert_eq!(config.watch_interval, Duration::from_secs(15));
    assert!(matches!(&config.mail.way, Way::Outbox(folder) if folder.ends_with("data/outbox")));
    assert_eq!(config.ledger, LedgerPlace::Sqlite(config.data_dir.join("ledger.db")));
    assert_eq!((loaded.sources.len(), loaded.warnings), (0, vec![]));
}

#[test]
fn each_layer_is_stronger_than_those_below() {
    let source_of = |world: &World| {
        let loaded = world.load().unwrap();
        let source = loaded.sources.get("poll.interval").unwrap_or(&Source::Default).to_string();
        (duration::words(loaded.config.poll.interval), source.replace(&format!("{}/", world.path().display()), ""))
    };
    let check = |world: &World, value: &str, source: &str| assert_eq!(source_of(world), (value.to_owned(), source.to_owned()));
    let world = world();
    check(&world, "1m", "default");
    let world = world.config("mode = 'auto'\n[poll]\ninterval = '2m'\n");
    check(&world, "2m", "config.toml, line 3");
    let world = world.file(".env", "RUNMEND_POLL__INTERVAL=3m\n");
    check(&world, "3m", "RUNMEND_POLL__INTERVAL in .env");
    let world = world.env("RUNMEND_POLL__INTERVAL", "4m");
    check(&world, "4m", "environment variable RUNMEND_POLL__INTERVAL");
    let world = world.set("poll.interval=5m");
    check(&world, "5m", "--set");
    assert!(std::env::var("RUNMEND_POLL__INTERVAL").is_err(), "the .env leaked");
}

#[test]
fn observe_wins_over_everything_and_auto_over_the_file() {
    let mode = |world: World| world.load().unwrap().config.mode;
    assert_eq!(mode(world().config("mode = 'observe'").mode(Mode::Auto)), Mode::Auto);
    assert_eq!(mode(world().set("mode=observe").mode(Mode::Auto)), Mode::Observe);
    assert_eq!(mode(world().set("mode=auto").mode(Mode::Observe)), Mode::Observe);
}

fn refused(world: World, want: &str) {
    let report = world.refused();
    assert!(report.starts_with(want), "\n got {report}\nwant {want}");
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_its_remedy() {
    refused(
        world().config("\n[poll]\nintervall = '2m'\n"),
        "there is no setting `poll.intervall` @ config.toml, line 3 > did you mean `poll.interval`?",
    );
    refused(world().config("[pol]\ninterval = '2m'\n"), "there is no setting `pol` @ config.toml, line 1 > ");
    refused(
        world().config("max_attempts = 2\n"),
        "there is no setting `max_attempts` @ config.toml, line 1 > did you mean `retry.max_attempts`?",
    );
    refused(world().config("poll = 3\n"), "there is no setting `poll` @ config.toml, line 1");
    refused(world().config("a = 'x\n"), "the config file is not well-formed: ");
    refused(world().set("poll.intervall=2m"), "there is no setting `poll.intervall` @ --set > did you mean `poll.interval`?");
    refused(world().set("poll.interval"), "`--set` takes KEY=VALUE @ --set");
    refused(world().set("poll.interval=30"), "`poll.interval` cannot be `30`: expected a duration such as `500ms`");
    refused(world().config("[retry]\njitter = 2\n"), "`retry.jitter` cannot be `2`: expected a number from 0 to 1 @ config.toml, line 2");
    refused(world().config("[policy]\ntrust_tags = 'yes'\n"), "`policy.trust_tags` cannot be `yes`: expected true or false");
    refused(
        world().env("RUNMEND_MODE", "fast"),
        "`mode` cannot be `fast`: expected one of approve, auto, observe @ environment variable RUNMEND_MODE",
    );
    refused(
        world().env("RUNMEND_POL__INTERVAL", "1s"),
        "there is no setting `RUNMEND_POL__INTERVAL` @ environment variable RUNMEND_POL__INTERVAL > did you mean `RUNMEND_POLL__INTERVAL`?",
    );
    refused(
        world().env("RUNMEND_POLL_INTERVAL", "1s"),
        "there is no setting `RUNMEND_POLL_INTERVAL` @ environment variable RUNMEND_POLL_INTERVAL > did you mean `RUNMEND_POLL__INTERVAL`?",
    );
    refused(
        world().set("ledger=postgres://u:secret@db/x"),
        "a PostgreSQL ledger is not built into this version @ --set > give the path of a SQLite file",
    );
    refused(world().set("mail.smtp=smtp://u:hidden@"), "`mail.smtp` cannot be this: expected `smtp://");
    refused(world().set("workspace.host=https://u:hidden@h"), "`workspace.host` cannot be this: expected a workspace URL");
    refused(world().set("mail.default_to=a@b\r\nBcc: c@d"), "`mail.default_to` cannot be");
    let mut missing = world();
    missing.inputs.options.config = Some("no.toml".into());
    refused(missing, "cannot read the config file: No such file or directory (os error 2) @ no.toml > ");
}

#[test]
fn a_variable_that_is_nobodys_setting_costs_a_warning_only() {
    let loaded = world().env("RUNMEND_BIN", "/x").env("RUNMEND_TEST_PYTHON", "/y").env("RUNMEND_MODE", "").load().unwrap();
    assert_eq!(loaded.warnings, ["RUNMEND_BIN is no setting and is passed over"]);
}

#[test]
fn what_has_no_effect_yet_says_so() {
    let loaded = world().set("llm.provider=azure").set("webhook.listen=127.0.0.1:1").env("AZURE_OPENAI_API_KEY", "k").load().unwrap();
    assert_eq!(loaded.warnings, ["the webhook is not built into this version: webhook.listen without effect"]);
    assert_eq!(loaded.config.llm.api_key.unwrap().expose(), "k");
}

#[test]
fn an_application_of_entra_id_is_found_where_other_tools_find_it() {
    let world = world()
        .env("AZURE_TENANT_ID", "t")
        .env("AZURE_CLIENT_ID", "c")
        .env("AZURE_CLIENT_SECRET", "s")
        .env("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us")
        .set("llm.client_id=own");
    let llm = world.load().unwrap().config.llm;
    assert_eq!((llm.tenant_id.as_deref(), llm.client_id.as_deref()), (Some("t"), Some("own")), "what is ours is stronger");
    assert_eq!((llm.client_secret.unwrap().expose(), llm.authority.as_str()), ("s", "https://login.microsoftonline.us/"));
    assert_eq!((llm.auth.as_str(), llm.scope.as_str()), ("auto", "https://ai.azure.com/.default"));
}

/// Workspaces as `name host token`, or the error's report.
fn workspaces(world: &World) -> Vec<String> {
    match world.load().unwrap().workspaces {
        Ok(found) => found.iter().map(|one| format!("{} {} {}", one.name, one.host, one.token.expose())).collect(),
        Err(error) => vec![world.report(&error)],
    }
}

fn works_on(world: World, want: &[&str]) {
    assert_eq!(workspaces(&world), want);
}

#[test]
fn the_ways_to_name_a_workspace() {
    works_on(
        world().env("DATABRICKS_HOST", "acme-prod.cloud.databricks.com").env("DATABRICKS_TOKEN", "123"),
        &["acme-prod https://acme-prod.cloud.databricks.com/ 123"],
    );
    works_on(world().file(".env", "export DATABRICKS_HOST='https://a.b.c/?o=1#x'\nDATABRICKS_TOKEN=t # mine\n"), &["a https://a.b.c/ t"]);
    works_on(
        world().config("[workspace]\nhost = 'http://127.0.0.1:8080'\ntoken = 't'\nname = 'My/Shop'"),
        &["My-Shop http://127.0.0.1:8080/ t"],
    );
    works_on(world().file(".databrickscfg", CFG), &["DEFAULT https://default.cloud.databricks.com/ dapi-default#1;2"]);
    works_on(world().file(".databrickscfg", CFG).profile("prod"), &["prod https://prod.example.com/ dapi-prod"]);
    works_on(
        world().file(".databrickscfg", CFG).profile("prod").profile("DEFAULT"),
        &["prod https://prod.example.com/ dapi-prod", "DEFAULT https://default.cloud.databricks.com/ dapi-default#1;2"],
    );
    works_on(
        world().file("other", CFG).env("DATABRICKS_CONFIG_FILE", "other").env("DATABRICKS_CONFIG_PROFILE", "prod"),
        &["prod https://prod.example.com/ dapi-prod"],
    );
    // The option names the profile: stronger than the variables. A variable names it: the host beside it is meant.
    let both = || world().file(".databrickscfg", CFG).env("DATABRICKS_HOST", "https://env.example.com").env("DATABRICKS_TOKEN", "e");
    works_on(both().profile("prod"), &["prod https://prod.example.com/ dapi-prod"]);
    works_on(both().env("DATABRICKS_CONFIG_PROFILE", "prod"), &["env https://env.example.com/ e"]);
    works_on(both().profile("prod").set("workspace.token=s"), &["prod https://prod.example.com/ s"]);
    works_on(both().profile("prod").set("workspace.host=https://set.example.com"), &["set https://set.example.com/ e"]);
    works_on(
        world().file(".databrickscfg", CFG).env("DATABRICKS_HOST", "default.cloud.databricks.com"),
        &["default https://default.cloud.databricks.com/ dapi-default#1;2"],
    );
}

#[test]
fn a_profiles_token_goes_to_no_other_host() {
    let world = world().file(".databrickscfg", CFG).env("DATABRICKS_HOST", "https://elsewhere.example.com");
    refused(world, "workspace https://elsewhere.example.com has no token @ environment variable DATABRICKS_HOST > set DATABRICKS_TOKEN");
}

#[test]
fn a_token_that_stands_beside_another_host_is_warned_of() {
    let loaded =
        world().config("[workspace]\nhost='https://a.example.com'\ntoken='t'").set("workspace.host=https://b.example.com").load().unwrap();
    assert!(loaded.warnings.iter().any(|warning| warning.contains("goes to https://b.example.com")), "{:?}", loaded.warnings);
}

#[test]
fn what_is_wrong_with_a_workspace_is_named() {
    refused(
        world(),
        "no Databricks workspace is configured > configure one of these ways:\n1. set DATABRICKS_HOST and DATABRICKS_TOKEN\n2. use a profile",
    );
    refused(world().env("DATABRICKS_TOKEN", "t"), "there is a token, but no workspace host @ environment variable DATABRICKS_TOKEN");
    refused(
        world().profile("prod"),
        "cannot read the Databricks configuration file: No such file or directory (os error 2) @ .databrickscfg",
    );
    refused(
        world().file(".databrickscfg", CFG).profile("dev"),
        "there is no profile `dev` @ .databrickscfg > choose one of DEFAULT, cli, prod",
    );
    refused(
        world().file(".databrickscfg", CFG).profile("cli"),
        "profile `cli` cannot be used: it signs in by `databricks-cli`, and this version takes personal access tokens only",
    );
    refused(
        world().file(".databrickscfg", "[x]\n[y\nsecret").profile("x"),
        "the Databricks configuration file is not well-formed: a line is neither",
    );
    refused(world().file(".databrickscfg", CFG).profile("prod").profile("prod"), "two workspaces are both called `prod`");
    let plain = || world().env("DATABRICKS_HOST", "http://10.0.0.1").env("DATABRICKS_TOKEN", "t");
    refused(plain(), "http://10.0.0.1 would be called over plain http");
    works_on(plain().set("workspace.allow_http=true"), &["10.0.0.1 http://10.0.0.1/ t"]);
}

#[test]
fn paths_start_where_they_are_written() {
    let world = world();
    fs::create_dir(world.path().join("etc")).unwrap();
    let mut world = world
        .file("etc/my.toml", "data_dir = 'd'\n[rules]\ndir = '~/rules'\n[mail]\nca_file = 'ca.pem'\nsmtp = 'smtps://m'")
        .env("RUNMEND_LEDGER", "l.db");
    world.inputs.options.config = Some("etc/my.toml".into());
    let config = world.load().unwrap().config;
    let at = |tail: &str| world.path().join(tail);
    assert_eq!((config.data_dir, config.rules_dir), (at("etc/d"), Some(at("rules"))));
    assert_eq!(config.ledger, LedgerPlace::Sqlite(at("l.db")));
    assert!(matches!(config.mail.way, Way::Smtp(SmtpServer { ca_file: Some(ca), .. }) if ca == at("etc/ca.pem")));
}

#[test]
fn values_of_every_kind_are_read_from_file_and_text() {
    let file = world()
        .config("[retry]\nmax_attempts = 0x5\nfactor = 3\n[policy]\ncritical = ['pay*', \"x\"]\ntrust_tags = true\nmin_confidence = 1\n")
        .load()
        .unwrap()
        .config
        .policy;
    let text = world()
        .set("retry.max_attempts=5")
        .set("retry.factor=3")
        .set("policy.critical=pay*, x")
        .set("policy.trust_tags=true")
        .env("RUNMEND_POLICY__MIN_CONFIDENCE", "1")
        .load()
        .unwrap()
        .config
        .policy;
    assert_eq!(file, text);
    assert_eq!((file.retry.max_attempts, file.critical), (5, vec!["pay*".to_owned(), "x".to_owned()]));
}

/// A value of each kind that is right, as text.
fn sample(setting: &Setting) -> &'static str {
    use kind::Kind::*;
    match setting.kind {
        Text | Secret | Words => "word",
        Path | Ledger => "some/path",
        Bool => "true",
        Duration { .. } => "10m",
        Count { .. } => "2",
        Number { .. } => "1",
        OneOf(words) => words[0],
        Listen => "[::1]:80",
        Mailbox => "a@example.com",
        Host | HttpUrl => "https://example.com",
        MailServer => "smtp://u:word@example.com",
        UrlPath => "/x",
    }
}

#[test]
fn the_table_and_the_sections_have_the_same_keys() {
    let mut world = world();
    for setting in SETTINGS {
        world = world.set(&format!("{}={}", setting.key, sample(setting)));
        world.load().unwrap_or_else(|error| panic!("{}: {error}", setting.key));
    }
    let loaded = world.load().unwrap();
    assert_eq!(loaded.sources.len(), SETTINGS.len());
}

#[test]
fn the_example_file_is_the_tables_and_uncommented_it_loads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/config.example.toml");
    let text = example::example();
    if std::env::var_os("RUNMEND_TEST_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "write it anew: RUNMEND_TEST_BLESS=1 cargo test example_file");
    let uncommented: String = text
        .lines()
        .filter(|line| !line.ends_with("= ") && !line.ends_with("\"\""))
        .map(|line| match line.strip_prefix("# ") {
            Some(rest)
                if rest.split(" = ").next().is_some_and(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
                    && rest.contains(" = ") =>
            {
                format!("{rest}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let loaded = world().config(&uncommented).load().unwrap();
    assert_eq!(loaded.config.policy, Policy::default());
    assert!(loaded.sources.contains_key("retry.factor") && loaded.sources.contains_key("mode"));
}

#[test]
fn a_listing_shows_value_source_and_meaning() {
    let loaded = world().set("poll.interval=90s").set("mail.smtp=smtps://me:pw@m.example.com").load().unwrap();
    let lines = loaded.listing();
    assert_eq!(lines.len(), SETTINGS.len());
    let text = listing::human(&lines);
    assert!(text.contains("poll.interval          1m30s                        --set\n"), "{text}");
    assert!(text.contains("smtps://me:‹redacted›@m.example.com:465"), "{text}");
    assert!(text.contains("workspace.host         (unset)                      default\n"), "{text}");
    assert!(!text.contains("pw"));
}

proptest! {
    #[test]
    fn loading_never_panics(toml in "[a-z.\\[\\]= '\"0-9\n{},_-]{0,80}|[^\u{0}]{0,40}", cfg in any::<String>(), dot_env in any::<String>(), name in "RUNMEND_[A-Z_]{0,20}", value in any::<String>(), set in any::<String>()) {
        let world = world().config(&toml).file(".databrickscfg", &cfg).file(".env", &dot_env).env(&name, &value).env("DATABRICKS_HOST", &value);
        let _ = world.load();
        let _ = world.set(&set).load();
    }

    #[test]
    fn any_text_as_any_value_gives_a_config_or_an_error_that_names_the_key(at in 0..SETTINGS.len(), text in "[^\r\n]{0,30}|[0-9.smhd-]{1,8}") {
        let key = SETTINGS[at].key;
        match world().set(&format!("{key}={text}")).load() {
            Ok(_) | Err(ConfigError::NotBuilt { .. }) => {}
            Err(ConfigError::BadValue { key: named, .. }) => prop_assert_eq!(named, key),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn nothing_printed_holds_a_secret(secret in "zq[a-zA-Z0-9]{6,20}") {
        let world = world()
            .config(&format!("[llm]\napi_key = '{secret}'\n[webhook]\npassword = '{secret}'\n[mail]\nsmtp = 'smtp://u:{secret}@m.example.com'\n"))
            .file(".databrickscfg", &format!("[p]\nhost=https://h.example.com\ntoken={secret}\n"))
            .set(&format!("workspace.token={secret}"))
            .profile("p");
        let loaded = world.load().unwrap();
        let lines = loaded.listing();
        let shown = [format!("{loaded:?}"), listing::human(&lines), serde_json::to_string(&lines).unwrap(), serde_json::to_string(loaded.workspaces.as_ref().unwrap()).unwrap()];
        for text in shown {
            prop_assert!(text.contains(REDACTED), "{}", text);
            prop_assert!(!text.contains(&secret), "{}", text);
        }
        for wrong in [format!("workspace.token= {secret}\u{7}x"), format!("mail.smtp=smtp:/{secret}"), format!("llm.base_url=http://u:{secret}@h"), format!("ledger=mysql://u:{secret}@h")] {
            let report = super::Config::load(&{ let mut inputs = world.inputs.clone(); inputs.options.sets.push(wrong); inputs }).map(|_| ()).unwrap_err();
            prop_assert!(!format!("{report:?} {report} {}", report.remedy()).contains(&secret), "{:?}", report);
        }
    }
}

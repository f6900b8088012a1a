//! Where log lines go: stderr, or a file while a console owns the terminal.

use std::fs::OpenOptions;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use runmend::config::Config;

pub fn to_stderr(config: &Config) {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter(config))
        .with_target(false)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .try_init();
}

/// Beside a story on stdout: only what is wrong.
pub fn to_stderr_quietly() {
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("error"))
        .with_target(false)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .try_init();
}

/// `runmend.log` in the data folder. A file that cannot be written costs the log, not the console.
pub fn to_file(config: &Config) {
    let _ = std::fs::create_dir_all(&config.data_dir);
    let Ok(file) = OpenOptions::new().create(true).append(true).open(config.data_dir.join("runmend.log")) else { return };
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter(config))
        .with_target(false)
        .with_ansi(false)
        .with_writer(Mutex::new(file))
        .try_init();
}

/// Our own lines at the level asked for; of the libraries only what is wrong.
fn filter(config: &Config) -> EnvFilter {
    EnvFilter::try_new(format!("warn,runmend={}", config.log_level)).unwrap_or_default()
}

//! Command lines whose one-letter options carry a password: `curl -u user:x`, `mysql -px`, `sqlcmd -P x`.

use super::found::Found;
use super::quote::Quote;
use super::text::{Text, is_alnum, is_blank, is_quote, is_space};
use super::value::{is_masked, is_reference};

/// How an option holds its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// `-p x`
    All,
    /// `-px`, nothing between
    Attached,
    /// `-u user:x`
    AfterColon,
    /// `-u x:`, a key in place of a user, and no password
    BeforeColon,
    /// `-U user%x`
    AfterPercent,
    /// `-u user,x`
    AfterComma,
    /// `pass:x`
    AfterWord,
}

/// Programs, their options, and what those hold. Sources: their manuals.
const OPTIONS: &[(&[&str], &[&str], Holds)] = &[
    (&["curl"], &["-u", "--user"], Holds::BeforeColon),
    (&["curl", "curlftpfs", "http", "https", "xh"], &["-u", "--user", "-U", "--proxy-user", "-a", "--auth"], Holds::AfterColon),
    (&["mysql", "mysqldump", "mysqladmin", "mariadb", "mysqlimport", "mariadb-dump", "mysqlsh"], &["-p"], Holds::Attached),
    (&["sqlcmd", "bcp", "osql", "isql", "tsql", "freebcp", "go-sqlcmd", "zip", "unzip", "db2"], &["-P"], Holds::All),
    (
        &[
            "sshpass",
            "docker",
            "podman",
            "helm",
            "cf",
            "oc",
            "az",
            "twine",
            "beeline",
            "mongo",
            "mongosh",
            "mongodump",
            "mongoexport",
            "mongoimport",
            "mongorestore",
            "snowsql",
            "cqlsh",
            "nuget",
            "buildah",
            "skopeo",
            "dbt",
            "impala-shell",
            "trino",
            "presto",
            "nerdctl",
            "crane",
            "airflow",
            "rabbitmqctl",
            "jfrog",
            "jf",
            "7z",
            "7za",
            "rar",
        ],
        &["-p", "-P", "-ap"],
        Holds::All,
    ),
    (&["redis-cli", "valkey-cli", "keydb-cli"], &["-a"], Holds::All),
    (
        &["ldapsearch", "ldapmodify", "ldapadd", "ldapwhoami", "ldapdelete", "ldappasswd", "vsql", "nzsql", "wbadmin", "kadmin"],
        &["-w"],
        Holds::All,
    ),
    (&["sqoop", "bteq", "fastexport", "hdbsql", "ipmitool", "psexec", "plink", "pscp"], &["-p", "-P"], Holds::All),
    (&["sshpass", "7z", "7za", "rar", "unrar"], &["-p"], Holds::Attached),
    (&["openssl"], &["-passin", "-passout", "-pass"], Holds::AfterWord),
    (&["openssl"], &["-k", "-K"], Holds::All),
    (&["smbclient", "winexe", "smbmap", "rpcclient", "mount.cifs"], &["-U", "--user"], Holds::AfterPercent),
    (&["lftp"], &["-u", "--user"], Holds::AfterComma),
    (&["ssh-keygen"], &["-N", "-P"], Holds::All),
    (&["snmpwalk", "snmpget"], &["-A", "-X", "-c"], Holds::All),
];

/// Longest command line that is read, bytes.
const LINE_BYTES_MAX: usize = 4 << 10;

/// Words to look for; [`find`] reads the line behind each.
pub fn programs() -> Vec<String> {
    let all = OPTIONS.iter().flat_map(|(programs, _, _)| programs.iter().copied()).chain(LOGINS.iter().copied());
    // Short names, which other words are full of, come with the sign behind them.
    let mut programs: Vec<String> = all
        .flat_map(|program| {
            let signs: &[&str] = if program.len() <= 4 { &[" ", "'", "\"", ".exe"] } else { &[""] };
            signs.iter().map(move |sign| format!("{program}{sign}"))
        })
        .collect();
    programs.sort_unstable();
    programs.dedup();
    programs
}

/// Programs that take `user/password@host`.
const LOGINS: &[&str] = &["CONNECT", "sqlplus", "sqlldr", "expdp", "impdp", "rman", "jdbc:oracle:thin:", "exp", "imp"];

/// The passwords on the command line that the program's name at `start..end` begins. Returns where reading ended.
pub fn find(text: Text<'_>, start: usize, end: usize, all: &mut Vec<Found>) -> usize {
    let program = text.slice(start, end).trim_end_matches([' ', '\'', '"']).trim_end_matches(".exe");
    let end = start + program.len();
    let before = text.before(start);
    if is_alnum(before) || matches!(before, b'_' | b'-' | b'.') {
        return end;
    }
    if LOGINS.contains(&program) {
        return login(text, end, all);
    }
    let after = text.at(end);
    if !(is_space(after) || is_quote(after) || matches!(after, b'.' | b'\\' | b'-' | b',')) {
        return end;
    }
    let stop = text.line_end(end, LINE_BYTES_MAX);
    let mut position = end;
    while position < stop {
        position = text.skip_max(position, LINE_BYTES_MAX, |b| is_space(b) || is_quote(b) || b == b',' || b == b'[' || b == b'\\');
        // The next command of a pipe or list.
        if matches!(text.at(position), b'|' | b';' | b'\n') || position >= stop {
            break;
        }
        let word_end = word_end(text, position);
        if text.at(position) == b'-' {
            option(text, program, position, word_end, all);
        }
        position = word_end.max(position + 1);
    }
    stop.min(position.max(end))
}

fn word_end(text: Text<'_>, start: usize) -> usize {
    text.skip_max(start, LINE_BYTES_MAX, |b| !is_blank(b) && !is_quote(b) && b != b',')
}

fn option(text: Text<'_>, program: &str, start: usize, end: usize, all: &mut Vec<Found>) {
    let word = text.slice(start, end);
    for (programs, options, holds) in OPTIONS {
        if !programs.contains(&program) {
            continue;
        }
        for option in *options {
            let value = if word == *option && *holds != Holds::Attached {
                argument(text, end)
            } else if word.len() > option.len()
                && word.starts_with(option)
                && (option.len() == 2 || word.as_bytes().get(option.len()) == Some(&b'='))
                && !word.starts_with("--p")
            {
                let at = start + option.len() + usize::from(option.len() > 2);
                attached(text, at, end, *holds)
            } else if word == *option {
                // `-p'x y'`: the quote ended the word.
                Quote::at(text, end).and_then(|quote| Some((end + quote.len(), quote.close(text, end + quote.len())?)))
            } else {
                None
            };
            if let Some((from, to)) = value {
                push(text, from, to, *holds, all);
                if *holds == Holds::BeforeColon {
                    break;
                }
                return;
            }
        }
    }
}

/// A value right behind its option: with two letters only where it may be no other option's bundle.
fn attached(text: Text<'_>, at: usize, end: usize, holds: Holds) -> Option<(usize, usize)> {
    let word = text.slice(at, end);
    let is_bundle = holds == Holds::All && word.len() < 6 || word.starts_with('-');
    (!is_bundle).then_some((at, end))
}

/// The argument after an option: quoted, bare, or the next item of a list.
fn argument(text: Text<'_>, end: usize) -> Option<(usize, usize)> {
    let mut position = end;
    if let Some(quote) = Quote::at(text, position) {
        position += quote.len();
        position = text.skip_max(position, 8, |b| is_space(b) || b == b',');
    }
    position = text.skip_spaces(position);
    if let Some(quote) = Quote::at(text, position) {
        let start = position + quote.len();
        return Some((start, quote.close(text, start)?));
    }
    let stop = text.skip_max(position, LINE_BYTES_MAX, |b| !is_blank(b) && !is_quote(b));
    (stop > position && text.at(position) != b'-').then_some((position, stop))
}

fn push(text: Text<'_>, from: usize, to: usize, holds: Holds, all: &mut Vec<Found>) {
    let word = text.slice(from, to);
    // `-u user:'x'`
    if holds == Holds::AfterColon
        && word.ends_with(':')
        && let Some(quote) = Quote::at(text, to)
        && let Some(close) = quote.close(text, to + quote.len())
    {
        return push(text, to + quote.len(), close, Holds::All, all);
    }
    let after = |sign: char| word.find(sign).map(|at| at + 1);
    let offset = match holds {
        Holds::All | Holds::Attached => Some(0),
        Holds::AfterColon => after(':'),
        Holds::BeforeColon => None,
        Holds::AfterPercent => after('%'),
        Holds::AfterComma => after(','),
        Holds::AfterWord => word.strip_prefix("pass:").map(|_| 5),
    };
    if holds == Holds::BeforeColon {
        if let Some(key) =
            word.strip_suffix(':').filter(|key| key.len() >= 16 && key.bytes().any(|b| b.is_ascii_digit()) && !is_reference(key))
        {
            all.push(Found { start: from, end: from + key.len(), kind: "key", words: key.to_owned() });
        }
        return;
    }
    let Some(words) =
        offset.and_then(|offset| word.get(offset..)).filter(|words| words.len() >= 3 || holds == Holds::All && !words.is_empty())
    else {
        return;
    };
    let is_port = words.len() <= 5 && words.bytes().all(|b| b.is_ascii_digit());
    if is_masked(words)
        || is_reference(words)
        || is_port
        || words.contains("://")
        || words.starts_with(['/', '-'])
        || words.contains(':') && words.contains('/')
    {
        return;
    }
    all.push(Found { start: to - words.len(), end: to, kind: "password", words: words.to_owned() });
}

/// `user/password@host` or `user/password`, first word of the line.
fn login(text: Text<'_>, end: usize, all: &mut Vec<Found>) -> usize {
    let mut position = end;
    for _ in 0..4 {
        position = text.skip_max(position, 80, |b| is_space(b) || is_quote(b));
        let stop = text.skip_max(position, 300, |b| !is_blank(b) && !is_quote(b));
        let word = text.slice(position, text.floor(stop));
        if word.starts_with('-') {
            position = stop;
            continue;
        }
        if let Some((user, rest)) = word.split_once('/') {
            let password = rest.rsplit_once('@').map_or(rest, |(password, _)| password);
            let is_user = !user.is_empty() && user.bytes().all(|b| is_alnum(b) || matches!(b, b'_' | b'#' | b'.' | b'[' | b']' | b'-'));
            if is_user
                && !password.is_empty()
                && !is_masked(password)
                && !is_reference(password)
                && (rest.contains('@') || password.bytes().any(|b| b.is_ascii_digit()))
                && !password.contains('/')
            {
                let start = position + user.len() + 1;
                all.push(Found { start, end: start + password.len(), kind: "password", words: password.to_owned() });
            }
        }
        return stop;
    }
    position
}

//! What names a failure, of an exception's class and message.
//!
//! What names it best names it alone: an error condition (also one that only an older wording stands for), a missing class, a service's
//! error code, an errno, an exit code, the setting that gave the limit. Elsewhere it is the template of the message, with the exception's
//! class where the message says little.

use super::fold::{find, rfind};
use super::{template, wording};

/// So much of a message names its kind; what follows is a plan, a query or a listing.
const MESSAGE_BYTES_MAX: usize = 1200;
/// A message of so many plain words says more than the class that a client gives it.
const TELLING_WORDS_MIN: usize = 4;
/// A clause of fewer words is a code or a heading: the sentence tells more.
const CLAUSE_WORDS_MIN: usize = 2;

pub const HINTS: [&str; 6] =
    [".WITH_SUGGESTION", ".WITHOUT_SUGGESTION", ".NO_HINT", ".WITH_HINT", ".WITH_RECOMMENDATION", ".WITHOUT_RECOMMENDATION"];

/// `DELTA_METADATA_CHANGED`, `io.delta.exceptions.MetadataChangedException` -> `metadatachanged`.
pub fn normal(name: &str) -> String {
    // A condition keeps its sub-condition, unless that only tells of a hint; a class loses its packages.
    let condition = name.split('.').next().is_some_and(|first| first.contains('_') && !first.bytes().any(|b| b.is_ascii_lowercase()));
    let name = match condition {
        true => HINTS.iter().find_map(|hint| name.strip_suffix(hint)).unwrap_or(name),
        false => simple(name),
    };
    let name = name.strip_prefix("DELTA_").or_else(|| name.strip_prefix("Spark")).unwrap_or(name);
    let name = name.strip_suffix("Exception").or_else(|| name.strip_suffix("Error")).unwrap_or(name);
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase() as char).collect()
}

fn simple(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or_default()
}

/// How the names in a class's messages are taken.
enum Names {
    /// The message is masked.
    Masked,
    /// The message is a symbol of code, or tells of one: `AttributeError: module 'x' has no attribute 'y'`. Another symbol, another failure.
    Symbols,
    /// Only the longest dotted name counts: a class or method, which every runtime puts into other words.
    Class,
    /// The two classes count.
    Cast,
    /// The message is a name of data (a key, a host), or only some runtimes give it.
    Nothing,
}

fn names(class: &str, message: &str) -> Names {
    let message = message.trim_start_matches([':', ' ', '\n']);
    match class {
        "AttributeError" | "NameError" | "TypeError" | "ModuleNotFoundError" | "ImportError" | "SystemExit" => Names::Symbols,
        "ClassNotFoundException" | "NoClassDefFoundError" | "NoSuchMethodError" | "NoSuchFieldError" => Names::Class,
        "ClassCastException" => Names::Cast,
        "UnknownHostException" => Names::Nothing,
        // What newer runtimes say of it depends on how the program was compiled.
        "NullPointerException" if message.is_empty() || message.starts_with("Cannot ") => Names::Nothing,
        _ => Names::Masked,
    }
}

/// Exceptions that any program may raise, with words that are the language's: where they were raised names the failure too.
pub fn is_anybodys(class: &str) -> bool {
    matches!(
        simple(class),
        "NullPointerException"
            | "NoSuchElementException"
            | "IndexOutOfBoundsException"
            | "ArrayIndexOutOfBoundsException"
            | "StringIndexOutOfBoundsException"
            | "MatchError"
    )
}

/// `at`: where in the message the words stand that decided, if any did.
pub fn named(class: &str, message: &str, at: Option<(usize, usize)>) -> String {
    let message = template::head(message, MESSAGE_BYTES_MAX);
    let (class, message, at) = headed(class, message, at);
    let (class, message, at) = innermost(message).map_or((simple(class), message, at), |(class, message)| (class, message, None));
    match names(class, message) {
        Names::Symbols => return format!("{}|{}", normal(class), symbols(message)),
        Names::Cast => return format!("cast|{}", cast(message)),
        Names::Class => return format!("missing|{}", dotted(message)),
        Names::Nothing => return normal(class),
        Names::Masked => {}
    }
    if class == "KeyError"
        && let Some(key) = lone(message)
    {
        // A setting that is not set (`KeyError: 'TARGET_CATALOG'`) is another matter than a key that the data does not have.
        return if key.contains('_') && !key.bytes().any(|b| b.is_ascii_lowercase()) { format!("key|{key}") } else { "key".to_owned() };
    }
    if let Some(condition) = wording::condition(message) {
        return normal(condition);
    }
    if let Some(name) = privilege(message).or_else(|| service_code(message)).or_else(|| errno(message)).or_else(|| exit_code(message)) {
        return name;
    }
    if let Some(at) = find(message, "controlled by ") {
        return format!("{}|{}", normal(class), message[at..].split_whitespace().nth(2).unwrap_or_default());
    }
    // The root's own words start behind the scheduler's.
    let start = ["Reason: ", "most recent failure: "].iter().filter_map(|mark| find(message, mark).map(|at| at + mark.len())).max();
    let start = start.unwrap_or(0);
    let own = coded(message[start..].trim_start_matches([':', ' ']));
    let start = message.len() - own.len();
    let at = at.and_then(|(from, to)| Some((from.checked_sub(start)?, to.checked_sub(start)?)));
    let mut template = template::of(own, at);
    if template.plain < CLAUSE_WORDS_MIN {
        template = template::of(own, None);
    }
    if template.plain == 0 {
        // Nothing but names: `empty.reduceLeft`.
        let names = own.split_whitespace().map(simple).filter(|name| name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_'));
        template.text = names.collect();
    }
    match template.plain >= TELLING_WORDS_MIN {
        true => template.text,
        false => format!("{}|{}", normal(class), template.text),
    }
}

/// `DeadlockDetected: …` names a class as well as `psycopg2.errors.DeadlockDetected: …`; what Py4J puts before an exception it does not.
fn headed<'a>(class: &'a str, message: &'a str, at: Option<(usize, usize)>) -> (&'a str, &'a str, Option<(usize, usize)>) {
    let behind = |from: usize| at.and_then(|(start, end)| Some((start.checked_sub(from)?, end.checked_sub(from)?)));
    if let Some(call) = find(message, "An error occurred while calling ")
        && let Some(end) = find(&message[call..], "\n: ").map(|end| call + end + 3)
    {
        let rest = &message[end..];
        let length = super::line::class_length(rest).filter(|length| rest[*length..].starts_with(':')).unwrap_or(0);
        return (&rest[..length], &rest[length..], behind(end + length));
    }
    let length = message.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = &message[..length];
    let humps = name.bytes().filter(u8::is_ascii_uppercase).count();
    match class.is_empty() && name.starts_with(|c: char| c.is_ascii_uppercase()) && (2..name.len() / 3 + 1).contains(&humps) {
        true if message[length..].starts_with(": ") => (name, &message[length..], behind(length)),
        _ => (class, message, at),
    }
}

/// The words behind a code that only carries them: `[USER_RAISED_EXCEPTION] …`, `PERMISSION_DENIED: …`.
fn coded(message: &str) -> &str {
    let inner = message.strip_prefix('[').unwrap_or(message);
    let length = inner.bytes().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.')).count();
    let rest = &inner[length..];
    // OpenSSL's reasons: `[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: …`.
    if let Some(reason) = message.strip_prefix("[SSL: ") {
        return reason.find("] ").map_or(message, |end| &reason[end + 2..]);
    }
    match inner[..length].contains('_').then(|| rest.strip_prefix("] ").or_else(|| rest.strip_prefix(": "))).flatten() {
        Some(words) => words.trim_start(),
        None => message,
    }
}

/// Python's chains of causes in one line: `Max retries exceeded … (Caused by SSLError(SSLEOFError(8, 'EOF occurred …')))`.
fn innermost(message: &str) -> Option<(&str, &str)> {
    let at = ["Error(", "Exception("].iter().filter_map(|end| rfind(message, end).map(|at| at + end.len() - 1)).max()?;
    let from = at - message[..at].bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
    let class = &message[from..at];
    let arguments = &message[at + 1..];
    // The first argument may be an object's repr: `<HTTPConnection(host='a') at 0x7f>, 'Connection to a timed out'`.
    let arguments = arguments.strip_prefix('<').and_then(|rest| rest.find(">, ").map(|end| &rest[end..])).unwrap_or(arguments);
    let words = arguments.find(['\'', '"']).map(|quote| &arguments[quote + 1..])?;
    let end = words.find(['\'', '"']).filter(|_| words.starts_with(':'));
    class.starts_with(|c: char| c.is_ascii_uppercase()).then_some((class, &words[..end.unwrap_or(words.len())]))
}

fn symbols(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim_matches([':', ' ']);
    // Where the module lies is no part of its name.
    let line = line.find(" (/").map_or(line, |at| &line[..at]);
    line.to_ascii_lowercase()
}

fn dotted(message: &str) -> String {
    message
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '$')))
        .max_by_key(|word| word.matches(['.', '/']).count())
        .unwrap_or_default()
        .replace('/', ".")
        .trim_matches('.')
        .to_owned()
}

/// `[class] java.lang.String cannot be cast to [class] java.lang.Integer (…)`.
fn cast(message: &str) -> String {
    message.split_whitespace().map(|word| word.trim_matches([':', '.'])).filter(|word| word.contains('.')).take(2).map(simple).collect()
}

/// The message's only word, without its quotes.
fn lone(message: &str) -> Option<&str> {
    let line = message.trim_matches([':', ' ', '\n']).lines().next()?;
    let key = line.trim_matches(['\'', '"']);
    (!key.contains(['\'', '"', '['])).then_some(key)
}

/// `User does not have USE CATALOG on Catalog 'main'`.
fn privilege(message: &str) -> Option<String> {
    let rest = &message[find(message, " does not have ")? + " does not have ".len()..];
    let name = rest[..rest.find(" on ")?].trim();
    (!name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b' ')).then(|| format!("privilege|{name}"))
}

/// What a cloud service calls an error, where that says more than its words.
fn service_code(message: &str) -> Option<String> {
    if let Some(at) = find(message, "AADSTS") {
        let digits = message[at + 6..].bytes().take_while(u8::is_ascii_digit).count();
        return Some(format!("code|{}", &message[at..at + 6 + digits]));
    }
    let code = [behind(message, "An error occurred ("), behind(message, "Error Code: "), spelled(message)].into_iter().flatten();
    for code in code {
        // `503 Slow Down` and `SlowDown`.
        let name: String = code.chars().filter(char::is_ascii_alphabetic).collect();
        if name.len() >= 6 && !ANY_ERROR.contains(&name.as_str()) {
            return Some(format!("code|{}", normal(&name)));
        }
    }
    let rest = ["rror code", "rrorCode", "rror Code"].iter().find_map(|key| message.get(find(message, key)? + key.len()..))?;
    let rest = rest.trim_start_matches(['"', '\'', ':', '=', ' ']);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits >= 4).then(|| format!("code|{}", &rest[..digits]))
}

/// Codes that say only that something went wrong: the message decides.
const ANY_ERROR: [&str; 12] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "AccessDenied",
    "AccessDeniedException",
    "ValidationError",
    "ValidationException",
    "InvalidParameterValue",
    "InvalidRequest",
    "InvalidRequestException",
    "ServiceUnavailable",
    "BadRequest",
];

fn behind<'a>(message: &'a str, mark: &str) -> Option<&'a str> {
    let rest = &message[find(message, mark)? + mark.len()..];
    let code = &rest[..rest.find([';', ',', ')', '.'])?];
    (code.len() <= 64 && !code.contains(['_', '\n'])).then_some(code)
}

/// A cloud's code before its words: `AWS failure: InsufficientInstanceCapacity: …`.
fn spelled(message: &str) -> Option<&str> {
    const PARTS: [&str; 6] = ["Insufficient", "LimitExceeded", "QuotaExceeded", "AllocationFailed", "SkuNotAvailable", "CapacityExceeded"];
    message
        .split_whitespace()
        .filter_map(|word| word.strip_suffix(':'))
        .find(|word| PARTS.iter().any(|part| word.contains(part)) && word.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// `[Errno 111] Connection refused`: the number is the operating system's, the words are too.
fn errno(message: &str) -> Option<String> {
    let rest = &message[find(message, "[Errno ")? + "[Errno ".len()..];
    Some(format!("errno|{}", &rest[..rest.find(']').filter(|end| *end <= 8)?]))
}

/// Signals and Spark's own codes. The small ones (1, 2) any program gives.
fn exit_code(message: &str) -> Option<String> {
    for (at, _) in message.match_indices("xit") {
        let rest = template::head(&message[at..], 32);
        let Some(digit) = rest.find(|c: char| c.is_ascii_digit()) else { continue };
        let code: u32 = rest[digit..].split(|c: char| !c.is_ascii_digit()).next().and_then(|code| code.parse().ok()).unwrap_or(0);
        if (50..=60).contains(&code) || (128..=165).contains(&code) {
            let who = ["kernel", "river", "xecutor", "ontainer"].iter().position(|who| message.contains(who)).unwrap_or(9).min(3);
            // A container is an executor's.
            return Some(format!("exit|{}|{code}", if who == 3 && message.contains("ontainer") { 2 } else { who }));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(a: (&str, &str), b: (&str, &str), same: bool) {
        let (a, b) = (named(a.0, a.1, None), named(b.0, b.1, None));
        assert_eq!(a == b, same, "{a}\n{b}");
    }

    #[test]
    fn what_names_the_failure_decides() {
        check(("X", "Reason: Command exited with code 137"), ("Y", "x: Reason: Command exited with code 137"), true);
        check(("X", "Command exited with code 137"), ("X", "Command exited with code 143"), false);
        check(("X", "The Python kernel is unresponsive. Exit code 137"), ("X", "executor 1: Command exited with code 137"), false);
        check(
            ("A", "An error occurred (SlowDown) when calling PutObject: x"),
            ("B", "Slow (Error Code: 503 Slow Down; Request ID: 7)"),
            true,
        );
        check(
            ("A", "An error occurred (AccessDenied) when calling X: no"),
            ("A", "An error occurred (AccessDenied) when calling Y: yes"),
            false,
        );
        check(("OSError", "[Errno 28] No space left on device: '/a'"), ("IOError", "[Errno 28] No space left: '/b'"), true);
        check(
            ("R", "No reply in 5 s. This timeout is controlled by spark.rpc.askTimeout"),
            ("R", "Futures timed out. This timeout is controlled by spark.rpc.askTimeout"),
            true,
        );
        check(
            ("P", "PERMISSION_DENIED: User does not have USE CATALOG on Catalog 'a'"),
            ("Q", "Insufficient privileges: User does not have USE CATALOG on Catalog"),
            true,
        );
        check(("P", "User does not have USE CATALOG on Catalog 'a'"), ("P", "User does not have CREATE SCHEMA on Catalog 'a'"), false);
        check(
            ("S", "Max retries exceeded (Caused by SSLError(SSLEOFError(8, u'EOF occurred (_ssl.c:590)')))"),
            ("T", "(Caused by SSLError(SSLEOFError(8, 'EOF occurred (_ssl.c:2406)')))"),
            true,
        );
        check(("S", "canceling statement due to statement timeout"), ("T", "ERROR: canceling statement due to statement timeout"), true);
        check(("S", "Connection refused"), ("T", "Connection refused"), false);
    }

    #[test]
    fn names_of_code_count_and_names_of_data_do_not() {
        check(("KeyError", "'sku'"), ("KeyError", "'price'"), true);
        check(("KeyError", "'sku'"), ("KeyError", "'TARGET_CATALOG'"), false);
        check(("KeyError", "'sku'"), ("KeyError", "\"['profit'] not in index\""), false);
        check(("java.lang.ClassNotFoundException", "a.b.C"), ("java.lang.ClassNotFoundException", "a.b.D"), false);
        check(("java.lang.ClassNotFoundException", "a.b.C"), ("NoClassDefFoundError", "a/b/C"), true);
        check(("NoSuchMethodError", "a.b.C.id()J"), ("NoSuchMethodError", "'long a.b.C.id()'"), true);
        check(
            ("ClassCastException", "java.lang.String cannot be cast to java.lang.Integer"),
            (
                "ClassCastException",
                "class java.lang.String cannot be cast to class java.lang.Integer (java.lang.String is in module java.base)",
            ),
            true,
        );
        check(("UnsupportedOperationException", "empty.reduceLeft"), ("UnsupportedOperationException", "a.b.Dictionary"), false);
        check(("ModuleNotFoundError", "No module named 'a'"), ("ModuleNotFoundError", "No module named 'b'"), false);
        check(
            ("ImportError", "cannot import name 'a' from 'b' (/x/b.py)"),
            ("ImportError", "cannot import name 'a' from 'b' (/y/b.py)"),
            true,
        );
        assert_eq!(normal("DELTA_CONCURRENT_APPEND"), normal("io.delta.exceptions.ConcurrentAppendException"));
        assert_eq!(normal("UNRESOLVED_COLUMN.WITH_SUGGESTION"), normal("UNRESOLVED_COLUMN"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_text_has_a_name_and_the_same_one_again(class in ".{0,40}", message in words(), at in 0usize..300, long in 0usize..40) {
            let at = Some((at, at + long));
            prop_assert_eq!(named(&class, &message, at), named(&class, &message, at));
        }
    }

    /// Texts around what the names are read from, with characters of several bytes next to it.
    fn words() -> impl Strategy<Value = String> {
        let marks = [
            "Error(",
            "Exception(",
            "rrorCode",
            "rror code",
            "Error Code: ",
            "An error occurred (",
            "[Errno ",
            "exit code ",
            "AADSTS",
            "é",
            "“",
            "日",
            " does not have ",
            " on ",
            "controlled by ",
            "[SSL: ",
            "] ",
            "An error occurred while calling ",
            "\n: ",
            "'",
            "\"",
            "<",
            ">, ",
            "137",
            ": ",
            "Reason: ",
            ". ",
            "A_B.C",
            "/",
            ")",
            ";",
        ];
        prop::collection::vec(prop_oneof![3 => prop::sample::select(marks.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"], 0..24)
            .prop_map(|pieces| pieces.concat())
    }
}

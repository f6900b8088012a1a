//! Failures that have an error condition today, in the words that older runtimes (Spark 2 and 3, Delta before its conditions) and other
//! writers give them. Sources: the messages of Spark's and Delta's own releases.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

/// Words in lower case, numbers as `#`; the condition. An earlier row goes before a later one.
const WORDINGS: [(&str, &str); 63] = [
    // A file that may not be read and one that is gone end with the same advice.
    ("(permission denied)", "FILE_PERMISSION_DENIED"),
    ("it is possible the underlying files have been updated", "FAILED_READ_FILE.FILE_NOT_EXIST"),
    ("parquet column cannot be converted in file", "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH"),
    ("could not read footer for file", "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER"),
    ("malformed records are detected in record parsing", "MALFORMED_RECORD_IN_PARSING"),
    ("failed merging schema", "CANNOT_MERGE_SCHEMAS"),
    ("failed to merge incompatible data types", "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE"),
    ("path does not exist:", "PATH_NOT_FOUND"),
    ("failed to find data source", "DATA_SOURCE_NOT_FOUND"),
    ("table or view not found", "TABLE_OR_VIEW_NOT_FOUND"),
    ("mismatched input '", "PARSE_SYNTAX_ERROR"),
    ("extraneous input '", "PARSE_SYNTAX_ERROR"),
    ("no viable alternative at input", "PARSE_SYNTAX_ERROR"),
    ("given input columns:", "UNRESOLVED_COLUMN"),
    ("is ambiguous, could be", "AMBIGUOUS_REFERENCE"),
    ("undefined function:", "UNRESOLVED_ROUTINE"),
    ("found duplicate column(s)", "COLUMN_ALREADY_EXISTS"),
    ("is neither present in the group by, nor is it an aggregate function", "MISSING_AGGREGATION"),
    ("can only be performed on tables with the same number of columns", "NUM_COLUMNS_MISMATCH"),
    ("can only be performed on inputs with the same number of columns", "NUM_COLUMNS_MISMATCH"),
    ("more than one row returned by a subquery used as an expression", "SCALAR_SUBQUERY_TOO_MANY_ROWS"),
    ("divide by zero", "DIVIDE_BY_ZERO"),
    ("integer overflow", "ARITHMETIC_OVERFLOW"),
    ("long overflow", "ARITHMETIC_OVERFLOW"),
    ("bytes of memory, got #", "UNABLE_TO_ACQUIRE_MEMORY"),
    ("cancelled because sparkcontext was shut down", "SPARK_CONTEXT_SHUT_DOWN"),
    ("job # cancelled", "SPARK_JOB_CANCELLED"),
    ("cancelled part of cancelled job group", "SPARK_JOB_CANCELLED"),
    ("kryo serialization failed: buffer overflow", "KRYO_BUFFER_OVERFLOW"),
    ("multiple streaming jobs detected for", "CONCURRENT_STREAM_LOG_UPDATE"),
    ("multiple streaming queries are concurrently using", "CONCURRENT_STREAM_LOG_UPDATE"),
    ("encountered unknown field(s) during parsing", "UNKNOWN_FIELD_EXCEPTION"),
    ("is bigger than spark.driver.maxresultsize", "RESULTS_ABOVE_MAX_RESULT_SIZE"),
    ("which exceeds max allowed: spark.rpc.message.maxsize", "TASK_ABOVE_RPC_MESSAGE_SIZE"),
    ("could not execute broadcast in # secs", "BROADCAST_TIMEOUT"),
    ("executor heartbeat timed out after", "EXECUTOR_HEARTBEAT_TIMED_OUT"),
    ("killed by yarn for exceeding", "CONTAINER_ABOVE_MEMORY_LIMIT"),
    ("is running beyond physical memory limits", "CONTAINER_ABOVE_MEMORY_LIMIT"),
    ("is running beyond virtual memory limits", "CONTAINER_ABOVE_MEMORY_LIMIT"),
    ("beyond the 'physical' memory limit", "CONTAINER_ABOVE_MEMORY_LIMIT"),
    ("beyond the 'virtual' memory limit", "CONTAINER_ABOVE_MEMORY_LIMIT"),
    ("please increase heap size using the --driver-memory option", "INVALID_DRIVER_MEMORY"),
    ("python worker exited unexpectedly", "PYTHON_WORKER_EXITED"),
    ("task not serializable", "TASK_NOT_SERIALIZABLE"),
    // Delta.
    ("multiple source rows matched", "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE"),
    ("the transaction log has been truncated", "DELTA_TRUNCATED_TRANSACTION_LOG"),
    ("contains invalid character(s) among", "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES"),
    ("found invalid character(s) among", "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES"),
    ("failed to merge fields", "DELTA_FAILED_TO_MERGE_FIELDS"),
    ("a schema mismatch detected when writing to the delta table", "DELTA_METADATA_MISMATCH"),
    ("not null constraint violated for column", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"),
    ("violated by row with values", "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"),
    ("is not a delta table", "DELTA_MISSING_DELTA_TABLE"),
    ("files were added to the root of the table by a concurrent update", "DELTA_CONCURRENT_APPEND"),
    ("files were added to partition", "DELTA_CONCURRENT_APPEND"),
    ("attempted to read one or more files that were deleted", "DELTA_CONCURRENT_DELETE_READ"),
    ("attempted to delete one or more files that were deleted", "DELTA_CONCURRENT_DELETE_DELETE"),
    ("the metadata of the delta table has been changed by a concurrent update", "DELTA_METADATA_CHANGED"),
    ("the protocol version of the delta table has been changed by a concurrent update", "DELTA_PROTOCOL_CHANGED"),
    ("using the same checkpoint to write into this table", "DELTA_CONCURRENT_TRANSACTION"),
    ("a concurrent transaction has written new data", "DELTA_CONCURRENT_WRITE"),
    ("detected schema change", "DELTA_SCHEMA_CHANGED"),
    ("cannot time travel delta table to version", "DELTA_CANNOT_TIME_TRAVEL"),
];

/// `None` only if the rows could not be built: then no wording is known.
static MATCHER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = WORDINGS.iter().map(|(words, _)| words);
    AhoCorasickBuilder::new().match_kind(MatchKind::Standard).build(words).ok()
});

/// The condition that a message words without naming it.
pub fn condition(message: &str) -> Option<&'static str> {
    let text = plain(message);
    let row = MATCHER.as_ref()?.find_overlapping_iter(&text).map(|found| found.pattern().as_usize()).min()?;
    WORDINGS.get(row).map(|(_, condition)| *condition)
}

/// Lower case, each number one `#`, each run of white space one blank.
fn plain(message: &str) -> Vec<u8> {
    let bytes = message.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        let byte = match byte {
            b'0'..=b'9' => b'#',
            b'.' | b',' if plain.last() == Some(&b'#') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => continue,
            byte if byte.is_ascii_whitespace() => b' ',
            byte => byte.to_ascii_lowercase(),
        };
        if !(matches!(byte, b'#' | b' ') && plain.last() == Some(&byte)) {
            plain.push(byte);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, want: Option<&str>) {
        assert_eq!(condition(message), want, "{message:?}");
    }

    #[test]
    fn older_wordings_are_known_by_their_condition() {
        check("Job 12 cancelled because SparkContext was shut down", Some("SPARK_CONTEXT_SHUT_DOWN"));
        check("Job 12 cancelled by user", Some("SPARK_JOB_CANCELLED"));
        check("Unable to acquire 65536 bytes of memory, got 0", Some("UNABLE_TO_ACQUIRE_MEMORY"));
        check("mismatched input 'FORM' expecting <EOF>", Some("PARSE_SYNTAX_ERROR"));
        check("File x does not exist\nIt is possible the underlying files\nhave been updated.", Some("FAILED_READ_FILE.FILE_NOT_EXIST"));
        check("/x (Permission denied)\nIt is possible the underlying files have been updated.", Some("FILE_PERMISSION_DENIED"));
        check("division by zero", None);
        check("", None);
    }

    #[test]
    fn the_rows_can_be_built_and_are_written_as_they_are_compared() {
        assert!(MATCHER.is_some());
        for (words, condition) in WORDINGS {
            assert_eq!(plain(words), words.as_bytes());
            assert!(condition.bytes().all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'.')), "{condition}");
        }
    }
}

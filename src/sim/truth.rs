//! What would happen if a failed run were run again: hidden from the workspace's callers, told by the book.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// In JSON and TOML: `"never"`, `"canceled"`, `{transient = 0.8}`, `{passes_after = 2}`, `{cured_by = "memory"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Each re-run passes with this probability.
    Transient(f64),
    /// The re-run of this number passes (1: the first one), those before it fail alike.
    PassesAfter(u32),
    /// Passes once this limit of the job is raised: memory, disk, timeout, result_size, message_size.
    CuredBy(String),
    /// Fails the same way until its owner changes something.
    Never,
    /// A person stopped it; run again, it passes.
    Canceled,
}

/// Limits that a failure can be cured by, and the settings that raise them. A setting is found at any depth of the job.
const LIMITS: [(&str, &[&str]); 5] = [
    (
        "memory",
        &[
            "node_type_id",
            "driver_node_type_id",
            "spark.driver.memory",
            "spark.executor.memory",
            "spark.executor.memoryOverhead",
            "spark.executor.pyspark.memory",
        ],
    ),
    ("disk", &["enable_elastic_disk", "ebs_volume_count", "ebs_volume_size", "local_ssd_count", "node_type_id"]),
    ("timeout", &["timeout_seconds", "spark.sql.broadcastTimeout", "spark.network.timeout", "spark.sql.streaming.stopTimeout"]),
    ("result_size", &["spark.driver.maxResultSize"]),
    ("message_size", &["spark.rpc.message.maxSize"]),
];

pub fn is_limit(word: &str) -> bool {
    LIMITS.iter().any(|(limit, _)| *limit == word)
}

/// The words that `cured_by` takes.
pub fn limits() -> String {
    LIMITS.map(|(limit, _)| limit).join(", ")
}

/// Has a setting that raises `limit` become larger between the two settings of a job?
pub fn raised(limit: &str, before: &Value, after: &Value) -> bool {
    let Some((_, names)) = LIMITS.iter().find(|(known, _)| *known == limit) else { return false };
    names.iter().any(|name| {
        let (mut old, mut new) = (Vec::new(), Vec::new());
        gather(before, name, &mut old);
        gather(after, name, &mut new);
        // Largest against largest: one cluster that grew is enough, and which task uses it is not looked into.
        match (largest(&old), largest(&new)) {
            (Some(old), Some(new)) => new > old,
            (None, Some(new)) => new > 0.0,
            (_, None) => false,
        }
    })
}

fn gather<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(name));
            fields.values().for_each(|inner| gather(inner, name, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| gather(inner, name, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn largest(values: &[&Value]) -> Option<f64> {
    values.iter().filter_map(|value| size(value)).max_by(f64::total_cmp)
}

/// `true` is more than `false`, `16g` more than `8g`, `Standard_E8ds_v5` more than `Standard_E4ds_v5`, `r5.2xlarge` more than `r5.xlarge`.
fn size(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => sized_text(text),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn sized_text(text: &str) -> Option<f64> {
    let lower = text.trim().to_ascii_lowercase();
    if let Some((_, size)) = lower.split_once('.').filter(|(_, size)| size.ends_with("large")) {
        let times: f64 = size.trim_end_matches("xlarge").trim_end_matches("large").parse().unwrap_or(1.0);
        return Some(if size == "large" { 0.5 } else { times });
    }
    // The first number of a node type tells its cores; of a size, how much.
    let digits: String = lower.chars().skip_while(|c| !c.is_ascii_digit()).take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let number: f64 = digits.trim_end_matches('.').parse().ok()?;
    if !lower.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(number);
    }
    let unit = lower.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim();
    Some(match unit.chars().next() {
        Some('k') => number * 1024.0,
        Some('m') if unit != "min" => number * 1024.0 * 1024.0,
        Some('g') => number * 1024.0 * 1024.0 * 1024.0,
        Some('t') => number * 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => number,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(limit: &str, name: &str, before: Value, after: Value, want: bool) {
        let job = |value: &Value| json!({"tasks": [{"new_cluster": {name: value}}]});
        assert_eq!(raised(limit, &job(&before), &job(&after)), want, "{limit}: {name} {before} -> {after}");
    }

    #[test]
    fn only_more_of_the_right_limit_cures() {
        check("memory", "node_type_id", json!("Standard_E4ds_v5"), json!("Standard_E8ds_v5"), true);
        check("memory", "node_type_id", json!("r5.xlarge"), json!("r5.2xlarge"), true);
        check("memory", "node_type_id", json!("r5.2xlarge"), json!("r5.xlarge"), false);
        check("memory", "spark.driver.memory", json!("8g"), json!("16g"), true);
        check("memory", "spark.driver.memory", json!("900m"), json!("1g"), true);
        check("memory", "spark.driver.memory", json!("8g"), json!("8g"), false);
        check("memory", "timeout_seconds", json!(60), json!(600), false);
        check("timeout", "timeout_seconds", json!(60), json!(600), true);
        check("disk", "enable_elastic_disk", json!(false), json!(true), true);
        check("result_size", "spark.driver.maxResultSize", Value::Null, json!("4g"), true);
    }
}

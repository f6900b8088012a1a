//! The JSON schema of an answer, from the words of the domain's types. Keys keep their order: a model writes them in the schema's order,
//! and shall look (quotes) before it judges (cause).

use std::sync::LazyLock;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::domain::action::Action;
use crate::domain::cause::Cause;

/// A named schema as providers take it.
#[derive(Debug)]
pub struct Schema {
    /// `[A-Za-z0-9_-]`, at most 64 characters.
    pub name: &'static str,
    pub root: Node,
}

/// JSON whose objects keep their order.
#[derive(Clone, Debug)]
pub enum Node {
    Word(&'static str),
    No,
    List(Vec<Node>),
    Object(Vec<(&'static str, Node)>),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Word(word) => serializer.serialize_str(word),
            Self::No => serializer.serialize_bool(false),
            Self::List(nodes) => serializer.collect_seq(nodes),
            Self::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, node) in entries {
                    map.serialize_entry(key, node)?;
                }
                map.end()
            }
        }
    }
}

/// The keys of an answer, in order. `verdict::Form` reads exactly these.
pub const KEYS: [&str; 7] = ["quotes", "summary", "cause", "action", "parameters", "confidence", "message"];

/// A verdict. Keeps to what every server takes: no bounds, no patterns, each key required; ranges are checked in `verdict`.
pub static VERDICT: LazyLock<Schema> = LazyLock::new(|| {
    let property = |key: &'static str| {
        let node = match key {
            "quotes" => list(kind("string")),
            "cause" => words(Cause::ALL.iter().map(|cause| cause.as_str())),
            "action" => words(Action::ALL.iter().map(|action| action.as_str())),
            "parameters" => list(object(vec![("setting", kind("string")), ("value", kind("string"))])),
            "confidence" => kind("number"),
            _ => kind("string"),
        };
        (key, node)
    };
    Schema { name: "verdict", root: object(KEYS.into_iter().map(property).collect()) }
});

fn kind(word: &'static str) -> Node {
    Node::Object(vec![("type", Node::Word(word))])
}

fn words(all: impl Iterator<Item = &'static str>) -> Node {
    Node::Object(vec![("type", Node::Word("string")), ("enum", Node::List(all.map(Node::Word).collect()))])
}

fn list(items: Node) -> Node {
    Node::Object(vec![("type", Node::Word("array")), ("items", items)])
}

fn object(properties: Vec<(&'static str, Node)>) -> Node {
    let required = properties.iter().map(|(key, _)| Node::Word(key)).collect();
    Node::Object(vec![
        ("type", Node::Word("object")),
        ("properties", Node::Object(properties)),
        ("required", Node::List(required)),
        ("additionalProperties", Node::No),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_what_strict_servers_take() {
        let text = serde_json::to_string(&VERDICT.root).unwrap();
        assert!(text.find("\"quotes\"") < text.find("\"cause\""), "a model looks before it judges: {text}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut objects = vec![&value, &value["properties"]["parameters"]["items"]];
        while let Some(object) = objects.pop() {
            let keys: Vec<_> = object["properties"].as_object().unwrap().keys().cloned().collect();
            let mut required: Vec<_> = object["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect();
            required.sort();
            assert_eq!((object["type"].as_str(), &object["additionalProperties"]), (Some("object"), &serde_json::json!(false)));
            assert_eq!(keys, required, "each key is required");
        }
        assert_eq!(value["properties"]["cause"]["enum"].as_array().unwrap().len(), Cause::ALL.len());
        for refused in ["minimum", "maximum", "pattern", "maxLength", "maxItems", "format"] {
            assert!(!text.contains(refused), "{refused} is a 400 on some servers");
        }
    }
}

//! The JSON schema of a model's answer, made from the scene and the robot.
//!
//! There is one schema for all back ends: objects and places are enumerations
//! of what is there now, operations those that the robot declared. Interfaces
//! accept different subsets of JSON schema, so it is *lowered* on writing
//! ([`Dialect`]): what a subset lacks becomes words in `description`. Whatever
//! a model then writes is parsed and verified again in Rust; the schema only
//! makes good answers likelier.
//!
//! Keys are written in a fixed order, the verdict first: models write in the
//! order of the schema, and equal scenes give equal bytes.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use vola_types::{Direction, MAX_WAIT_SECONDS, ON_TABLE, Op, Relation, Scene, Verdict};

use crate::capabilities::Capabilities;
use crate::documents::Inquiry;
use crate::request::PlanRequest;
use crate::verifier::{MAX_OPTIONS, MAX_STEPS};

/// Most quotations in an answer.
const MAX_CITATIONS: usize = 8;

/// Which keywords may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// No bounds on numbers and lists; Anthropic's documented subset.
    WithoutBounds,
    /// `minimum`, `maximum` and `maxItems` as well.
    WithBounds,
}

/// A node of the schema. Objects are closed and all their keys required.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Text(&'static str),
    TextOrNull(&'static str),
    Number(&'static str, [f64; 2]),
    Words(Vec<String>),
    List(Box<Node>, usize),
    Object(Vec<(&'static str, Node)>),
    AnyOf(Vec<Node>),
    Reference(&'static str),
}

/// The schema of an answer over one scene.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSchema {
    root: Node,
    definitions: Vec<(&'static str, Node)>,
}

impl PlanSchema {
    /// The schema for this scene and this robot.
    #[must_use]
    pub fn new(scene: &Scene, capabilities: &Capabilities) -> Self {
        let steps = || Node::List(Box::new(Node::Reference("step")), MAX_STEPS);
        let option = Node::Object(vec![
            ("label", Node::Text("what the person reads")),
            ("steps", steps()),
        ]);
        let subtask = Node::Object(vec![
            ("goal", Node::Text("this part in a few words")),
            ("steps", steps()),
        ]);
        let verdicts = Verdict::ALL.map(|verdict| verdict.as_str().to_owned());
        let root = Node::Object(vec![
            ("verdict", Node::Words(verdicts.to_vec())),
            ("say", Node::Text("one sentence for the person")),
            ("question", Node::TextOrNull("only with the verdict ask")),
            ("options", Node::List(Box::new(option), MAX_OPTIONS)),
            ("goal", Node::Text("the whole goal in a few words")),
            ("subtasks", Node::List(Box::new(subtask), MAX_STEPS)),
            ("confidence", Node::Number("how sure", [0.0, 1.0])),
        ]);
        let step = Node::AnyOf(step_forms(scene, capabilities));
        Self {
            root,
            definitions: vec![("step", step)],
        }
    }

    /// The schema for a request: with an answer and its quotations where
    /// passages of documents are given.
    #[must_use]
    pub fn of(request: &PlanRequest) -> Self {
        let schema = Self::new(&request.scene, &request.capabilities);
        let passages = request.inquiry.iter().flat_map(Inquiry::passages);
        let ids: Vec<String> = passages.map(|(id, _)| id).collect();
        if ids.is_empty() {
            schema
        } else {
            schema.citing(ids)
        }
    }

    fn citing(mut self, ids: Vec<String>) -> Self {
        if let Node::Object(keys) = &mut self.root {
            let citation = Node::Object(vec![
                ("passage", Node::Words(ids)),
                (
                    "quote",
                    Node::Text("words of that passage, letter by letter"),
                ),
            ]);
            let about = "the answer to <question>, from <documents> alone; null: not there";
            keys.push(("answer", Node::TextOrNull(about)));
            keys.push(("citations", Node::List(Box::new(citation), MAX_CITATIONS)));
        }
        self
    }

    /// The schema as JSON text, in this dialect.
    #[must_use]
    pub fn text(&self, dialect: Dialect) -> String {
        // Writing into a string fails for no value of this type.
        serde_json::to_string(&self.lowered(dialect)).unwrap_or_default()
    }

    /// The schema for serialising inside of a request, in this dialect.
    #[must_use]
    pub fn lowered(&self, dialect: Dialect) -> LoweredSchema<'_> {
        LoweredSchema {
            schema: self,
            dialect,
        }
    }

    /// The first 16 hexadecimal digits of the text's BLAKE3 hash.
    #[must_use]
    pub fn hash(&self, dialect: Dialect) -> String {
        let mut digits = blake3::hash(self.text(dialect).as_bytes())
            .to_hex()
            .to_string();
        digits.truncate(16);
        digits
    }
}

/// The forms of a step that can make sense in this scene.
fn step_forms(scene: &Scene, capabilities: &Capabilities) -> Vec<Node> {
    let ids = |fits: &dyn Fn(&str) -> bool| -> Vec<String> {
        let fitting = scene.objects.iter().filter(|object| fits(&object.kind));
        fitting.map(|object| object.id.clone()).collect()
    };
    let graspable = ids(&|kind| capabilities.can_grasp(kind));
    let pushable = ids(&|kind| capabilities.can_push(kind));
    let openable = ids(&|kind| capabilities.is_openable(kind));
    let all = ids(&|_| true);
    let places: Vec<String> = [all, scene.regions.clone()].concat();
    let with_table = [places.clone(), vec![ON_TABLE.to_owned()]].concat();
    let relations = Relation::ALL.map(|it| it.as_str().to_owned()).to_vec();
    let directions = Direction::ALL.map(|it| it.as_str().to_owned()).to_vec();

    let mut forms = Vec::new();
    let mut add = |op: Op, arguments: Vec<(&'static str, Node)>| {
        let possible = arguments
            .iter()
            .all(|(_, node)| !matches!(node, Node::Words(words) if words.is_empty()));
        if capabilities.can(op) && possible {
            let mut keys = vec![("op", Node::Words(vec![op.as_str().to_owned()]))];
            keys.extend(arguments);
            forms.push(Node::Object(keys));
        }
    };
    let words = |list: &[String]| Node::Words(list.to_vec());
    add(Op::MoveTo, vec![("target", words(&places))]);
    add(Op::Pick, vec![("object", words(&graspable))]);
    add(
        Op::Place,
        vec![
            ("object", words(&graspable)),
            ("target", words(&with_table)),
            ("relation", words(&relations)),
        ],
    );
    add(
        Op::Push,
        vec![
            ("object", words(&pushable)),
            ("target", words(&scene.regions)),
        ],
    );
    add(
        Op::Push,
        vec![
            ("object", words(&pushable)),
            ("direction", words(&directions)),
        ],
    );
    for op in [Op::Open, Op::Close] {
        add(op, vec![("object", words(&openable))]);
    }
    for op in [Op::OpenGripper, Op::CloseGripper, Op::Home] {
        add(op, Vec::new());
    }
    let seconds = Node::Number("seconds", [0.0, MAX_WAIT_SECONDS]);
    add(Op::Wait, vec![("seconds", seconds)]);
    if forms.is_empty() {
        // A robot that can do nothing: a form that no step has.
        forms.push(Node::Object(vec![(
            "op",
            Node::Words(vec!["none".to_owned()]),
        )]));
    }
    forms
}

/// A schema with the dialect it is written in.
#[derive(Debug, Clone, Copy)]
pub struct LoweredSchema<'a> {
    schema: &'a PlanSchema,
    dialect: Dialect,
}

impl Serialize for LoweredSchema<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write_keys(&mut map, &self.schema.root, self.dialect)?;
        let definitions = Definitions(&self.schema.definitions, self.dialect);
        map.serialize_entry("$defs", &definitions)?;
        map.end()
    }
}

struct Definitions<'a>(&'a [(&'static str, Node)], Dialect);

impl Serialize for Definitions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, node) in self.0 {
            map.serialize_entry(name, &Lowered(node, self.1))?;
        }
        map.end()
    }
}

struct Lowered<'a>(&'a Node, Dialect);

impl Serialize for Lowered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        write_keys(&mut map, self.0, self.1)?;
        map.end()
    }
}

struct List<'a>(&'a [Node], Dialect);

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for node in self.0 {
            list.serialize_element(&Lowered(node, self.1))?;
        }
        list.end()
    }
}

fn write_keys<M: SerializeMap>(map: &mut M, node: &Node, dialect: Dialect) -> Result<(), M::Error> {
    let bounded = dialect == Dialect::WithBounds;
    match node {
        Node::Text(about) => {
            map.serialize_entry("type", "string")?;
            map.serialize_entry("description", about)
        }
        Node::TextOrNull(about) => {
            let null = serde_json::json!([{"type": "string"}, {"type": "null"}]);
            map.serialize_entry("anyOf", &null)?;
            map.serialize_entry("description", about)
        }
        Node::Number(about, [low, high]) => {
            map.serialize_entry("type", "number")?;
            let about = format!("{about}, from {low} to {high}");
            map.serialize_entry("description", &about)?;
            if bounded {
                map.serialize_entry("minimum", low)?;
                map.serialize_entry("maximum", high)?;
            }
            Ok(())
        }
        Node::Words(words) => {
            map.serialize_entry("type", "string")?;
            map.serialize_entry("enum", words)
        }
        Node::List(items, most) => {
            map.serialize_entry("type", "array")?;
            map.serialize_entry("description", &format!("at most {most}"))?;
            map.serialize_entry("items", &Lowered(items, dialect))?;
            if bounded {
                map.serialize_entry("maxItems", most)?;
            }
            Ok(())
        }
        Node::Object(keys) => {
            map.serialize_entry("type", "object")?;
            map.serialize_entry("properties", &Definitions(keys, dialect))?;
            let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
            map.serialize_entry("required", &names)?;
            map.serialize_entry("additionalProperties", &false)
        }
        Node::AnyOf(nodes) => map.serialize_entry("anyOf", &List(nodes, dialect)),
        Node::Reference(name) => map.serialize_entry("$ref", &format!("#/$defs/{name}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const SCENE: &str = r#"{"objects":[
      {"id":"red_block","kind":"block","color":"red","position":[0.4,0.2,0.02]},
      {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.5,0.0,0.03]}]}"#;

    fn schema(ops: &[Op]) -> PlanSchema {
        let scene = Scene::from_json(SCENE).unwrap();
        PlanSchema::new(&scene, &Capabilities::with_ops(ops))
    }

    /// Every key of the schema that is a keyword, not a name of a property.
    fn keywords(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (key, below) in map {
                    if key == "properties" || key == "$defs" {
                        found.push(key.clone());
                        for node in below.as_object().unwrap().values() {
                            keywords(node, found);
                        }
                    } else {
                        found.push(key.clone());
                        keywords(below, found);
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|node| keywords(node, found)),
            _ => {}
        }
    }

    #[test]
    fn the_documented_subset_is_kept() {
        let text = schema(&Op::ALL).text(Dialect::WithoutBounds);
        let mut found = Vec::new();
        keywords(&serde_json::from_str(&text).unwrap(), &mut found);
        let allowed = [
            "type",
            "properties",
            "required",
            "additionalProperties",
            "enum",
            "anyOf",
            "items",
            "description",
            "$ref",
            "$defs",
        ];
        for key in &found {
            assert!(allowed.contains(&key.as_str()), "{key}");
        }
        // Every object is closed.
        let objects = text.matches(r#""type":"object""#).count();
        assert!(objects > 5);
        assert_eq!(
            text.matches(r#""additionalProperties":false"#).count(),
            objects
        );
        assert!(
            schema(&Op::ALL)
                .text(Dialect::WithBounds)
                .contains(r#""maxItems":64"#)
        );
    }

    #[test]
    fn only_what_is_there_can_be_named_and_the_verdict_comes_first() {
        let text = schema(&[Op::Pick, Op::Place]).text(Dialect::WithoutBounds);
        assert!(
            text.starts_with(r#"{"type":"object","properties":{"verdict":"#),
            "{text}"
        );
        assert!(text.contains(r#"["pick"]"#) && !text.contains(r#"["push"]"#));
        // A bowl does not fit the gripper, but is a target.
        assert!(text.contains(r#""object":{"type":"string","enum":["red_block"]}"#));
        assert!(text.contains(r#""enum":["red_block","blue_bowl","top left corner""#));
        assert_ne!(
            schema(&[Op::Pick]).hash(Dialect::WithBounds),
            schema(&Op::ALL).hash(Dialect::WithBounds)
        );
    }
}

//! The schema as it is evaluated: the bundle's own, with our fragment and the `approve` action added.

use std::collections::BTreeMap;

use cedar_policy::{Schema, SchemaFragment};
use serde_json::{Map, Value, json};

use super::caps::{self, Token};
use super::config::Config;
use super::error::{BundleError, line_of, line_with};
use super::place::Part;
use super::policies::first_label;
use super::types::{ActionType, EntityShape, Member, Type};

/// The file.
pub const FILE: &str = "schema.cedarschema";
/// The action that `approval/approve/` is asked about.
pub const APPROVE: &str = "approve";
/// The annotations that mean something on an action.
const ACTION_ANNOTATIONS: [&str; 5] = ["doc", "effect", "reversible", "says", "sum"];
/// How deep a type may nest once every name is resolved: what the strict reader lets through as arguments.
const DEEPEST_TYPE: usize = 32;

/// The schema, and what we read from its JSON form.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) schema: Schema,
    /// The same without `approve`: what every folder but `approval/approve/` is validated against, so that a guardrail
    /// on any action need not fit an action that it is never asked about.
    #[cfg(feature = "validate")]
    pub(crate) judged: Schema,
    /// What `console/` is written in and asked with.
    pub(crate) console: Schema,
    pub(crate) actions: BTreeMap<String, ActionType>,
    pub(crate) types: BTreeMap<String, EntityShape>,
}

/// Reads the schema and adds what is ours: `Proviso::Requested` and the `approve` action (design section 4).
pub(crate) fn read(text: &str, config: &Config, config_text: &str) -> Result<Model, BundleError> {
    caps::check(FILE, text, caps::Kind::Schema)?;
    let refuse = |line, message: String| {
        let help = "the schema is Cedar's, https://docs.cedarpolicy.com/schema/human-readable-schema.html";
        BundleError::new(FILE, line, "bad_schema", message, help)
    };
    let (fragment, _) = SchemaFragment::from_cedarschema_str(text).map_err(|error| {
        let line = first_label(&error).map_or(1, |offset| line_of(text, offset));
        refuse(line, error.to_string())
    })?;
    // What Cedar finds in the JSON form has no place there: it is looked for in the text.
    let unfit = |message: String| refuse(line_in_text(text, &message), message);
    let mut schema = fragment.to_json_value().map_err(|error| unfit(error.to_string()))?;
    let resources = add_ours(&mut schema, text, config)?;
    let people = std::iter::once(&config.types.person).chain(&config.types.subjects);
    for kind in people {
        let long = config.long(kind);
        let (namespace, name) = long.rsplit_once("::").unwrap_or(("", &long));
        if schema.get(namespace).and_then(|namespace| namespace.get("entityTypes")?.get(name)).is_none() {
            let message = format!("`{kind}` is no entity type of the schema");
            let line = line_with(config_text, &format!("\"{kind}\""));
            let help = "name what schema.cedarschema declares";
            return Err(BundleError::new(super::config::FILE, line, "bad_config", message, help));
        }
    }
    #[cfg(feature = "validate")]
    let judged = Schema::from_json_value(schema.clone()).map_err(|error| unfit(error.to_string()))?;
    let console = Schema::from_json_value(crate::console::schema(&schema, config));
    let console = console.map_err(|error| unfit(error.to_string()))?;
    add_approve(&mut schema, config, resources);
    let reader = Reader { schema: &schema, text };
    let (actions, types) = (reader.actions(config)?, reader.types()?);
    let schema = Schema::from_json_value(schema.clone()).map_err(|error| unfit(error.to_string()))?;
    Ok(Model {
        schema,
        #[cfg(feature = "validate")]
        judged,
        console,
        actions,
        types,
    })
}

/// The line that Cedar points at when it reads the text itself, with a stand-in for what is ours behind it; else that of
/// the first name that its message quotes.
fn line_in_text(text: &str, message: &str) -> u32 {
    let with_ours = format!("{text}\nnamespace Proviso {{ type Requested = {{}}; }}");
    let error = Schema::from_cedarschema_str(&with_ours).err();
    let label = error.as_ref().and_then(first_label).map(|offset| line_of(text, offset));
    let whole = Part::whole(text);
    let mut quoted = message.split(['"', '`']).skip(1).step_by(2);
    label.or_else(|| quoted.find_map(|name| whole.name(name))).unwrap_or(1)
}

/// Adds the fragment, and answers with what an approval can be about.
fn add_ours(schema: &mut Value, text: &str, config: &Config) -> Result<Vec<Value>, BundleError> {
    let ours = |name: &str| {
        let message = format!("`{name}` is added by Proviso and cannot be declared by a bundle");
        BundleError::new(
            FILE,
            Part::whole(text).name(name).unwrap_or(1),
            "reserved",
            message,
            "take it out, or rename it",
        )
    };
    let namespaces = schema.as_object_mut().ok_or_else(|| ours("Proviso"))?;
    let long = json!({"type": "EntityOrCommon", "name": "__cedar::Long"});
    let requested = json!({"type": "Record", "attributes": {
        "duration": {"type": "EntityOrCommon", "name": "__cedar::duration"},
        "uses": long, "held_grants": long, "held_uses": long, "held_sum": long,
        "emergency": {"type": "EntityOrCommon", "name": "__cedar::Bool"},
        "sum": long,
        "asker": {"type": "EntityOrCommon", "name": "__cedar::String", "required": false},
    }});
    let fragment = json!({"commonTypes": {"Requested": requested}, "entityTypes": {}, "actions": {}});
    if namespaces.insert("Proviso".to_owned(), fragment).is_some() {
        return Err(ours("Proviso"));
    }
    let home = config.namespace.clone().unwrap_or_default();
    let namespace = namespaces
        .entry(home)
        .or_insert_with(|| json!({"entityTypes": {}, "actions": {}}))
        .as_object_mut()
        .ok_or_else(|| ours("namespace"))?;
    let resources = action_resources(namespace, config);
    let actions = namespace.entry("actions").or_insert_with(|| json!({})).as_object_mut();
    let actions = actions.ok_or_else(|| ours("actions"))?;
    if actions.contains_key(APPROVE) {
        return Err(ours(APPROVE));
    }
    Ok(resources)
}

fn add_approve(schema: &mut Value, config: &Config, resources: Vec<Value>) {
    let home = config.namespace.clone().unwrap_or_default();
    let actions = schema.get_mut(&home).and_then(|namespace| namespace.get_mut("actions"));
    if let Some(actions) = actions.and_then(Value::as_object_mut) {
        actions.insert(APPROVE.to_owned(), approve(config, resources));
    }
}

/// Every resource type of an action that a subject may take: what an approval can be about.
fn action_resources(namespace: &Map<String, Value>, config: &Config) -> Vec<Value> {
    let actions = namespace.get("actions").and_then(Value::as_object).into_iter().flat_map(Map::values);
    let mut resources = Vec::new();
    for applies in actions.filter_map(|action| action.get("appliesTo")) {
        let names = |key: &str| applies.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let asked = |name: &Value| {
            name.as_str()
                .is_some_and(|name| config.types.subjects.iter().any(|s| config.short(s) == config.short(name)))
        };
        if names("principalTypes").iter().any(asked) {
            resources.extend(names("resourceTypes"));
        }
    }
    resources.sort_by_key(ToString::to_string);
    resources.dedup();
    resources
}

fn approve(config: &Config, resources: Vec<Value>) -> Value {
    let named = |name: &str| json!({"type": "EntityOrCommon", "name": name});
    let string = named("__cedar::String");
    let people = json!({"type": "Set", "element": {"type": "Entity", "name": config.types.person}});
    let action = json!({"type": "Entity", "name": config.long("Action")});
    let context = json!({"type": "Record", "attributes": {
        "action": action, "task": string, "tier": string, "owners": people, "voted": people,
        "requester": {"type": "Entity", "name": config.types.person},
        "chain": string, "now": named("__cedar::datetime"), "assurance": string, "votes": named("__cedar::Long"),
    }});
    json!({"appliesTo": {"principalTypes": [config.types.person], "resourceTypes": resources, "context": context}})
}

struct Reader<'a> {
    schema: &'a Value,
    text: &'a str,
}

impl Reader<'_> {
    fn refuse(&self, near: &str, message: String) -> BundleError {
        self.refuse_at(Part::whole(self.text).name(near).unwrap_or(1), message)
    }

    fn refuse_annotation(&self, key: &str, message: String) -> BundleError {
        self.refuse_at(Part::whole(self.text).annotation(key), message)
    }

    fn refuse_at(&self, line: u32, message: String) -> BundleError {
        let help = "see the table of annotations and types in policy-core/ABI.md";
        BundleError::new(FILE, line, "bad_schema", message, help)
    }

    fn namespaces(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.schema.as_object().into_iter().flatten()
    }

    fn actions(&self, config: &Config) -> Result<BTreeMap<String, ActionType>, BundleError> {
        let home = config.namespace.clone().unwrap_or_default();
        let mut actions = BTreeMap::new();
        for (name, action) in members(self.schema.get(&home), "actions") {
            let annotations = strings(action.get("annotations"));
            if let Some(unknown) = annotations.keys().find(|key| !ACTION_ANNOTATIONS.contains(&key.as_str())) {
                return Err(
                    self.refuse_annotation(unknown, format!("action `{name}` has an unknown annotation `@{unknown}`"))
                );
            }
            let applies = action.get("appliesTo");
            let kinds = |key: &str| {
                let names = applies.and_then(|applies| applies.get(key)).and_then(Value::as_array);
                names.into_iter().flatten().filter_map(Value::as_str).map(|name| self.full(&home, name)).collect()
            };
            let context = match applies.and_then(|applies| applies.get("context")) {
                Some(context) => match self.resolve(&home, context, 0)? {
                    Type::Record(members) => members,
                    _ => return Err(self.refuse(name, format!("the context of action `{name}` is not a record"))),
                },
                None => BTreeMap::new(),
            };
            let action = ActionType {
                principals: kinds("principalTypes"),
                resources: kinds("resourceTypes"),
                context,
                annotations,
            };
            if let Some(sum) = action.annotations.get("sum") {
                let place: Vec<String> = sum.split('.').map(str::to_owned).collect();
                let member = action.input().and_then(|input| super::types::at(input, &place));
                if member.is_none_or(|member| member.of != Type::Long) {
                    let quoted = format!("\"{sum}\"");
                    let written = [Token::Sign('@'), Token::Word("sum"), Token::Sign('('), Token::Text(&quoted)];
                    let line = Part::whole(self.text).find(&written).unwrap_or(1);
                    let message = format!("`@sum(\"{sum}\")` of action `{name}` names no whole number");
                    return Err(self.refuse_at(line, message));
                }
            }
            actions.insert(name.clone(), action);
        }
        Ok(actions)
    }

    fn types(&self) -> Result<BTreeMap<String, EntityShape>, BundleError> {
        let mut types = BTreeMap::new();
        for (namespace, _) in self.namespaces() {
            for (name, entity) in members(self.schema.get(namespace), "entityTypes") {
                let attributes = match entity.get("shape").map(|shape| self.resolve(namespace, shape, 0)) {
                    None => BTreeMap::new(),
                    Some(shape) => match shape? {
                        Type::Record(members) => members,
                        _ => return Err(self.refuse(name, format!("the shape of `{name}` is not a record"))),
                    },
                };
                let groups = entity.get("memberOfTypes").and_then(Value::as_array).into_iter().flatten();
                let member_of = groups.filter_map(Value::as_str).map(|name| self.full(namespace, name)).collect();
                let listed = entity.get("enum").is_some();
                types.insert(join(namespace, name), EntityShape { attributes, member_of, listed });
            }
        }
        Ok(types)
    }

    /// A type's full name: in this namespace when it is declared there, else as it stands.
    fn full(&self, namespace: &str, name: &str) -> String {
        let here = self.schema.get(namespace).and_then(|namespace| namespace.get("entityTypes")?.get(name));
        if here.is_some() { join(namespace, name) } else { name.to_owned() }
    }

    fn resolve(&self, namespace: &str, of: &Value, depth: usize) -> Result<Type, BundleError> {
        let name = of.get("name").and_then(Value::as_str).unwrap_or_default();
        if depth > DEEPEST_TYPE {
            return Err(self.refuse(name, format!("a type nests more than {DEEPEST_TYPE} levels deep")));
        }
        match of.get("type").and_then(Value::as_str).unwrap_or_default() {
            "Set" => {
                let element = of.get("element").unwrap_or(&Value::Null);
                Ok(Type::Set(Box::new(self.resolve(namespace, element, depth + 1)?)))
            }
            "Record" => self.record(namespace, of, depth),
            "Entity" => Ok(Type::Entity(self.full(namespace, name))),
            "EntityOrCommon" => self.named(namespace, name, depth),
            other => self.named(namespace, if name.is_empty() { other } else { name }, depth),
        }
    }

    fn record(&self, namespace: &str, of: &Value, depth: usize) -> Result<Type, BundleError> {
        let mut record = BTreeMap::new();
        for (name, member) in members(Some(of), "attributes") {
            let annotations = strings(member.get("annotations"));
            if let Some(unknown) = annotations.keys().find(|key| !["doc", "path", "secret"].contains(&key.as_str())) {
                return Err(
                    self.refuse_annotation(unknown, format!("member `{name}` has an unknown annotation `@{unknown}`"))
                );
            }
            let of = self.resolve(namespace, member, depth + 1)?;
            let path = annotations.contains_key("path");
            let text = match &of {
                Type::Set(element) => **element == Type::String,
                other => *other == Type::String,
            };
            if path && !text {
                let (whole, marked) =
                    (Part::whole(self.text), [Token::Sign('@'), Token::Word("path"), Token::Word(name)]);
                let line = whole.find(&marked).or_else(|| whole.name(name)).unwrap_or(1);
                return Err(self.refuse_at(line, format!("`@path` stands on `{name}`, which is no string")));
            }
            let required = member.get("required").and_then(Value::as_bool).unwrap_or(true);
            let secret = annotations.contains_key("secret");
            record.insert(name.clone(), Member { of, required, path, secret });
        }
        Ok(Type::Record(record))
    }

    fn named(&self, namespace: &str, name: &str, depth: usize) -> Result<Type, BundleError> {
        let common = |namespace: &str, name: &str| self.schema.get(namespace)?.get("commonTypes")?.get(name);
        let (outer, last) = name.rsplit_once("::").unwrap_or(("", name));
        if outer != "__cedar" {
            for (home, name) in [(namespace, name), (outer, last)] {
                if let Some(of) = common(home, name) {
                    return self.resolve(home, of, depth + 1);
                }
            }
            let declared = |namespace: &str, name: &str| {
                self.schema.get(namespace).and_then(|namespace| namespace.get("entityTypes")?.get(name)).is_some()
            };
            if declared(namespace, name) {
                return Ok(Type::Entity(join(namespace, name)));
            }
            if declared(outer, last) {
                return Ok(Type::Entity(name.to_owned()));
            }
        }
        match last {
            "Bool" | "Boolean" => Ok(Type::Bool),
            "Long" => Ok(Type::Long),
            "String" => Ok(Type::String),
            "datetime" => Ok(Type::Datetime),
            "duration" => Ok(Type::Duration),
            "decimal" => Ok(Type::Decimal),
            "ipaddr" => Ok(Type::Ipaddr),
            // A namespace that has actions has their type, too.
            "Action" if outer.is_empty() && members(self.schema.get(namespace), "actions").next().is_some() => {
                Ok(Type::Entity(join(namespace, name)))
            }
            "Action" => Ok(Type::Entity(name.to_owned())),
            _ => Err(self.refuse(name, format!("`{name}` is no type that the schema declares"))),
        }
    }
}

fn join(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}::{name}") }
}

fn members<'a>(of: Option<&'a Value>, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    of.and_then(|of| of.get(key)).and_then(Value::as_object).into_iter().flatten()
}

fn strings(of: Option<&Value>) -> BTreeMap<String, String> {
    let entries = of.and_then(Value::as_object).into_iter().flatten();
    entries.map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_owned())).collect()
}

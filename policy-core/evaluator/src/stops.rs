//! What a lock stops. Gate and module ask the same, so that what one of them holds back the other does not let through.

use policy_core::question::{Call, LockTarget, SealedQuestion};

use crate::Rules;
use crate::bundle::Config;

/// The type that COAZ's default mapping names a tool by: `tools/call` on `tool::NAME`.
pub const TOOL: &str = "tool";
/// MCP's method for a tool's call, and COAZ's default action for it.
pub const TOOLS_CALL: &str = "tools/call";

/// The tools that a call names by what it is on; none where `[[tool]]` gave it an action of the bundle's.
pub fn tools_of(call: &Call) -> impl Iterator<Item = &str> {
    call.resources.iter().filter(|resource| resource.kind == TOOL).map(|resource| resource.id.as_str())
}

impl Config {
    /// Whether a call of this action, on these tools, is a call of the tool that a lock names: the action has its name,
    /// or `[[tool]]` maps it to the action, whatever its server, or the call is on `tool::NAME`.
    pub fn is_call_of<'a>(&self, tool: &str, action: &str, mut on: impl Iterator<Item = &'a str>) -> bool {
        let mapped = || self.tool.iter().any(|mapped| mapped.name == tool && mapped.action == action);
        action == tool || on.any(|named| named == tool) || mapped()
    }
}

impl Rules {
    /// Whether a lock stops anything that this question names. A locked grant is no candidate instead.
    ///
    /// INVARIANT (R7): a lock stops what it names wherever the question names it.
    pub fn stops(&self, target: &LockTarget, question: &SealedQuestion) -> bool {
        let call = &question.call;
        match target {
            LockTarget::Subject(entity) | LockTarget::Person(entity) => {
                *entity == call.subject || question.chain.iter().any(|hop| hop.entity == *entity)
            }
            LockTarget::Task(task) => *task == question.task,
            LockTarget::Tool(tool) => self.config.is_call_of(tool, &call.action, tools_of(call)),
            LockTarget::Server(server) => call.server.as_deref() == Some(server.as_str()),
            LockTarget::Grant(_) => false,
        }
    }

    /// Whether there is anything that a lock on this tool could stop: an action or a `[[tool]]` of that name, or any
    /// name at all where tools are called under COAZ's default mapping, which lists none.
    pub fn may_call(&self, tool: &str) -> bool {
        let by_default = self.actions.get(TOOLS_CALL).is_some_and(|action| {
            let tool = self.config.long(TOOL);
            action.resources.contains(&tool)
        });
        by_default || self.actions.contains_key(tool) || self.config.tool.iter().any(|mapped| mapped.name == tool)
    }
}

#[cfg(test)]
#[cfg(feature = "validate")]
mod tests {
    use policy_core::digest::Digest;
    use policy_core::entity::EntityRef;

    use super::*;
    use crate::Bundle;

    /// A tool whose action has another name, and whatever else as COAZ's default has it where `by_default`.
    fn rules(by_default: bool) -> Rules {
        let tools_call = "action \"tools/call\" appliesTo { principal: [Agent], resource: [tool] };";
        let schema = format!(
            "namespace Acme {{ entity User, Agent, File, tool;\naction write appliesTo {{ principal: [Agent], resource: [File] }};\n{} }}",
            if by_default { tools_call } else { "" }
        );
        let config = r#"
            namespace = "Acme"
            tiers = ["low"]
            step_ups = ["link"]
            [types]
            person = "User"
            subjects = ["Agent"]
            [[tool]]
            server = "disk"
            name = "save"
            action = "write"
            resource = "File"
            fixed = "all"
        "#;
        let files = [("schema.cedarschema", schema.as_str()), ("bundle.toml", config)];
        Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()).unwrap().rules
    }

    fn call(action: &str, resource: EntityRef) -> Call {
        Call {
            subject: EntityRef::new("Agent", "one"),
            action: action.into(),
            resources: vec![resource],
            input: None,
            input_digest: Digest::of(b"null"),
            typed: false,
            paths: Vec::new(),
            server: Some("disk".into()),
            tool: None,
        }
    }

    #[test]
    fn a_tool_is_named_by_itself_or_by_its_action() {
        let mapped = call("write", EntityRef::new("File", "all"));
        let by_default = call(TOOLS_CALL, EntityRef::new(TOOL, "wipe"));
        // What has a tool's name and is none.
        let file = call(TOOLS_CALL, EntityRef::new("File", "wipe"));
        for (tool, expected) in [
            ("save", [true, false, false]),
            ("write", [true, false, false]),
            ("wipe", [false, true, false]),
            (TOOLS_CALL, [false, true, true]),
            ("sav", [false, false, false]),
            ("all", [false, false, false]),
        ] {
            let config = &rules(true).config;
            let stopped =
                [&mapped, &by_default, &file].map(|call| config.is_call_of(tool, &call.action, tools_of(call)));
            assert_eq!(stopped, expected, "{tool}");
        }
    }

    #[test]
    fn only_what_can_be_called_can_be_stopped() {
        let (listed, by_default) = (rules(false), rules(true));
        for (tool, expected) in [("save", true), ("write", true), ("wipe", false), (TOOLS_CALL, false)] {
            assert_eq!((listed.may_call(tool), by_default.may_call(tool)), (expected, true), "{tool}");
        }
        // `tools/call` on something else lists no tools either.
        let mut elsewhere = rules(true);
        let action = elsewhere.actions.get_mut(TOOLS_CALL).unwrap();
        action.resources = std::iter::once("Acme::File".to_owned()).collect();
        assert!(!elsewhere.may_call("wipe") && elsewhere.may_call(TOOLS_CALL));
    }
}

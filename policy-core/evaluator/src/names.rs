//! The schema's types by the names that questions use, as Cedar has them: a name is parsed once, not for each reference.

use std::collections::BTreeMap;

use cedar_policy_core::ast::EntityType;

use crate::bundle::Config;
use crate::bundle::types::EntityShape;

/// Every declared type, by each name that means it in this bundle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    kinds: BTreeMap<String, EntityType>,
}

impl Names {
    /// The names of these types, given as Cedar has them.
    pub(crate) fn new(config: &Config, declared: &BTreeMap<String, EntityShape>) -> Self {
        let action = config.long("Action");
        let mut kinds = BTreeMap::new();
        for long in declared.keys().map(String::as_str).chain([action.as_str()]) {
            let Ok(kind) = long.parse::<cedar_policy::EntityTypeName>() else { continue };
            // INVARIANT: a name means what `Config::long` makes of it, and is left to it where that is something else.
            let names = [long, config.short(long)].into_iter().filter(|name| config.long(name) == long);
            for name in names {
                kinds.insert(name.to_owned(), kind.as_ref().clone());
            }
        }
        Self { kinds }
    }

    /// The type that this name means, where the schema declares it.
    pub(crate) fn kind(&self, name: &str) -> Option<&EntityType> {
        self.kinds.get(name)
    }
}

//! What stands for `console/` where a bundle has none.

use cedar_policy::{PolicyId, PolicySet};

use crate::bundle::BundleError;

/// The preset's one policy.
pub(crate) const PRESET: &str = "proviso-preset";

/// As it was before there was a `console/`: whoever the bundle knows may do what the gate lets people do at all. What
/// only an operator of the gate did, nobody does.
const TEXT: &str = r#"
permit (principal, action, resource)
unless {
  action in [Proviso::Action::"activate", Proviso::Action::"erase", Proviso::Action::"administer"]
};
"#;

/// The preset as a policy set.
pub(crate) fn preset() -> Result<PolicySet, BundleError> {
    let broken = |message: String| BundleError::new("console", 1, "bad_policy", message, "add a folder `console/`");
    let read: PolicySet = TEXT.parse().map_err(|error| broken(format!("the preset cannot be read: {error}")))?;
    let mut set = PolicySet::new();
    for policy in read.policies() {
        set.add(policy.new_id(PolicyId::new(PRESET))).map_err(|error| broken(error.to_string()))?;
    }
    Ok(set)
}

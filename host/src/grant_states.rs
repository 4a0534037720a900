//! The states of a grant that does not let a call through, in words: the gate's message and the proxy's sentence say the
//! same.

/// What a state's word means, after "the exception that covered it".
pub fn told(state: &str) -> &'static str {
    match state {
        "not_active" => "has not begun",
        "suspended" => "is suspended",
        "unconfirmed" => "was granted before the gate was restored, and people have to confirm it first",
        "expired" => "has expired",
        "exhausted" => "is used up",
        "revoked" => "was revoked",
        "over_budget" => "has too little left in its budget",
        "over_rate" => "is being used too fast",
        _ => "does not cover it now",
    }
}

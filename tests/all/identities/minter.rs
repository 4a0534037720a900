//! Tokens of other issuers, minted by PyJWT in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};

struct Process {
    _child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

/// Asks the one process of this test run.
fn ask(question: &Value) -> Value {
    static PROCESS: OnceLock<Mutex<Process>> = OnceLock::new();
    let process = PROCESS.get_or_init(|| {
        let python = std::env::var_os("PROVISO_PYTHON").unwrap_or_else(|| "python3".into());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/mint.py");
        let mut command = Command::new(python);
        let mut child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python");
        let to = child.stdin.take().expect("its input");
        let from = BufReader::new(child.stdout.take().expect("its output"));
        Mutex::new(Process { _child: child, to, from })
    });
    let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(process.to, "{question}").expect("the minter reads");
    let mut line = String::new();
    process.from.read_line(&mut line).expect("the minter answers");
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("the minter failed on {question}"))
}

/// A key of an issuer: `NAME/KID`, so that two keys of one name can have one id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub name: &'static str,
    pub kid: &'static str,
    pub alg: &'static str,
}

impl Key {
    /// Its public half, as issuers publish it.
    pub fn public(self, usage: &str) -> Value {
        let mut jwk = ask(&json!({"op": "jwk", "key": self.name, "alg": self.alg}));
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!(usage);
        jwk.as_object_mut().unwrap().remove("key_ops");
        jwk
    }

    /// Signs these claims; `typ` as given, or none.
    pub fn sign(self, typ: Option<&str>, claims: &Value) -> String {
        self.sign_with(&json!({"typ": typ}), claims)
    }

    /// Signs these claims under a header with these members besides `alg` and `kid`.
    pub fn sign_with(self, more: &Value, claims: &Value) -> String {
        let mut headers = json!({"kid": self.kid});
        for (name, value) in more.as_object().unwrap() {
            headers[name] = value.clone();
        }
        self.mint(json!({"headers": headers, "claims": claims}))
    }

    /// Signs with the key itself in the header.
    pub fn prove(self, typ: &str, claims: &Value) -> String {
        self.mint(json!({"headers": {"typ": typ}, "claims": claims, "own": true}))
    }

    /// The thumbprint of its public half.
    pub fn thumbprint(self) -> String {
        ask(&json!({"op": "thumbprint", "key": self.name, "alg": self.alg})).as_str().unwrap().to_owned()
    }

    fn mint(self, mut more: Value) -> String {
        more["op"] = json!("sign");
        more["key"] = json!(self.name);
        more["alg"] = json!(self.alg);
        ask(&more).as_str().unwrap().to_owned()
    }
}

/// A token without a signature, or one that is only a hash under a public text.
pub(super) fn weak(alg: &str, kid: &str, secret: Option<&str>, claims: &Value) -> String {
    let mut question = json!({"op": "sign", "alg": alg, "headers": {"kid": kid}, "claims": claims});
    if let Some(secret) = secret {
        question["secret"] = json!(secret);
    }
    ask(&question).as_str().unwrap().to_owned()
}

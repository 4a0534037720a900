//! What a command says and how it exits.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::shown;
use crate::remedies::remedy;

/// The exit codes that scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Permitted, or fine.
    Fine = 0,
    /// Denied.
    Denied = 2,
    /// Requestable, or pending.
    Requestable = 3,
    /// What was approved has expired.
    Expired = 4,
    /// The command line makes no sense.
    Usage = 64,
    /// What was given to read is bad.
    BadInput = 65,
    /// Something that is needed is not there.
    Unavailable = 69,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// A command that did what it was asked.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) exit: Exit,
    /// For people; nothing is printed when it is empty.
    pub(super) text: String,
    /// For `--json`; `null` where the command has written it already.
    pub(super) json: Value,
}

impl Done {
    pub(super) fn fine(text: impl Into<String>, json: Value) -> Self {
        Self { exit: Exit::Fine, text: text.into(), json }
    }
}

/// A command that did not.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// More members for `--json`. Apart, so that results stay small.
    pub(super) more: Box<Value>,
}

impl Failure {
    /// A failure with its code's remedy, the same that the API gives.
    pub(super) fn new(exit: Exit, code: impl Into<String>, message: impl Into<String>) -> Self {
        let code = code.into();
        let help = remedy(&code).map(str::to_owned);
        Self { exit, code, message: message.into(), help, more: Box::new(Value::Null) }
    }

    pub(super) fn unavailable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, code, message)
    }

    pub(super) fn bad_input(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Exit::BadInput, code, message)
    }

    pub(super) fn usage(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, message)
    }

    /// With more members for `--json`.
    pub(super) fn with(mut self, more: Value) -> Self {
        *self.more = more;
        self
    }

    /// With what to do about it here, where the place knows better.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// For `--json`.
    pub(super) fn json(&self) -> Value {
        let Self { code, message, help, more, .. } = self;
        let mut error = json!({"code": code, "message": message, "help": help});
        if let (Value::Object(members), Value::Object(more)) = (&mut error, &**more) {
            members.extend(more.clone());
        }
        json!({"error": error})
    }
}

/// Prints and exits.
pub(super) fn finish(done: Result<Done, Failure>, as_json: bool) -> ExitCode {
    match done {
        Ok(done) if as_json => {
            if !done.json.is_null() {
                println!("{}", shown::json(&done.json.to_string()));
            }
            done.exit.into()
        }
        Ok(done) => {
            if !done.text.is_empty() {
                println!("{}", shown::lines(&done.text));
            }
            done.exit.into()
        }
        Err(failure) => {
            if as_json {
                println!("{}", shown::json(&failure.json().to_string()));
            } else {
                eprintln!("error: {}", shown::lines(&failure.message));
                if let Some(help) = &failure.help {
                    eprintln!("  help: {}", shown::lines(help));
                }
            }
            failure.exit.into()
        }
    }
}

/// One line while a command goes on, such as a gate that is ready.
pub(super) fn say(line: &str) {
    println!("{line}");
}

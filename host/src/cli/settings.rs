//! One file of settings for `serve` and `doctor`, and `PROVISO_*` over it. Its members are the long options, by their names:
//! there is no second list of them. What stands on the command line wins, then the environment, then the file.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};
use policy_core::text;
use toml::{Table, Value};

use super::output::Failure;

/// The option that names the file; in the environment it is `PROVISO_CONFIG`.
const CONFIG: &str = "config";
/// The commands that take one.
const TAKES_IT: [&str; 2] = ["serve", "doctor"];
/// What is an act, done once and with a reason, and no setting.
const ACTS: [&str; 2] = ["activate", "reason"];

/// The command line with what file and environment say before it: the last word of an option counts.
///
/// # Errors
/// `bad_settings` where the file cannot be read, names what is no option, or says it in another kind of value.
pub(super) fn expand(
    arguments: &[OsString],
    cli: &Command,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Vec<OsString>, Failure> {
    let place = arguments.iter().skip(1).position(|word| !is_option(word)).map(|place| place.saturating_add(1));
    let name = place.and_then(|place| arguments.get(place)).and_then(|word| word.to_str()).unwrap_or_default();
    let (Some(place), Some(command), true) = (place, cli.find_subcommand(name), TAKES_IT.contains(&name)) else {
        return Ok(arguments.to_vec());
    };
    let (before, after) = arguments.split_at(place.saturating_add(1));
    let table = match file(after).or_else(|| set(variable, CONFIG).map(PathBuf::from)) {
        Some(file) => read(&file, cli)?,
        None => Table::new(),
    };
    let mut said = Vec::new();
    for option in command.get_arguments().filter(|option| is_setting(option)) {
        let Some(long) = option.get_long() else { continue };
        let value = match set(variable, long) {
            Some(text) if is_switch(option) => switch(long, &text)?,
            Some(text) => Some(text),
            None => table.get(long).map(|value| of_file(long, value, is_switch(option))).transpose()?.flatten(),
        };
        if let Some(value) = value {
            said.push(OsString::from(format!("--{long}")));
            said.extend((!is_switch(option)).then_some(value));
        }
    }
    Ok([before, &said, after].concat())
}

fn is_option(word: &OsStr) -> bool {
    word.to_str().is_some_and(|word| word.starts_with('-'))
}

/// Whether an option says how a gate runs, and not what is to be done now.
fn is_setting(option: &Arg) -> bool {
    let known = option.get_long().is_some_and(|long| long != CONFIG && !ACTS.contains(&long));
    known && !option.is_global_set() && matches!(option.get_action(), ArgAction::Set | ArgAction::SetTrue)
}

fn is_switch(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
}

/// The file that the command line names.
fn file(after: &[OsString]) -> Option<PathBuf> {
    let mut words = after.iter();
    let mut named = None;
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--config") => named = words.next().map(PathBuf::from),
            Some(word) => named = word.strip_prefix("--config=").map(PathBuf::from).or(named),
            None => {}
        }
    }
    named
}

/// What the environment says of an option; said as nothing it is not said.
fn set(variable: &dyn Fn(&str) -> Option<OsString>, long: &str) -> Option<OsString> {
    let name = format!("PROVISO_{}", long.to_ascii_uppercase().replace('-', "_"));
    variable(&name).filter(|value| !value.is_empty())
}

fn switch(long: &str, text: &OsStr) -> Result<Option<OsString>, Failure> {
    match text.to_str() {
        Some("true") => Ok(Some(OsString::new())),
        Some("false") => Ok(None),
        _ => Err(bad(format!("`{long}` in the environment is `true` or `false`"))),
    }
}

fn of_file(long: &str, value: &Value, is_switch: bool) -> Result<Option<OsString>, Failure> {
    match (value, is_switch) {
        (Value::Boolean(on), true) => Ok(on.then(OsString::new)),
        (Value::String(text), false) => Ok(Some(text.into())),
        (Value::Integer(number), false) => Ok(Some(number.to_string().into())),
        (_, true) => Err(bad(format!("`{long}` is `true` or `false`"))),
        (_, false) => Err(bad(format!("`{long}` is a text or a whole number"))),
    }
}

fn read(file: &std::path::Path, cli: &Command) -> Result<Table, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| bad(format!("`{shown}` cannot be read: {error}")))?;
    let table: Table =
        toml::from_str(&text).map_err(|error| bad(format!("`{shown}` is no TOML: {}", error.message())))?;
    // A file is written for the gate, and read by the doctor, who may not take all of it.
    let known = |name: &String| {
        let options = TAKES_IT.into_iter().filter_map(|command| cli.find_subcommand(command));
        options
            .flat_map(Command::get_arguments)
            .any(|option| is_setting(option) && option.get_long() == Some(name.as_str()))
    };
    match table.keys().find(|name| !known(name)) {
        Some(name) => Err(bad(format!("`{}` in `{shown}` is no setting of `serve`", text::visible(name, 60)))),
        None => Ok(table),
    }
}

fn bad(message: String) -> Failure {
    Failure::bad_input("bad_settings", message)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser};

    use super::*;

    /// As the real one, in small.
    #[derive(Debug, Parser)]
    struct Small {
        #[arg(long, global = true)]
        json: bool,
        #[command(subcommand)]
        command: Sub,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Sub {
        Serve(Serve),
        Other,
    }

    #[derive(Debug, clap::Args, PartialEq, Eq)]
    #[command(args_override_self = true)]
    struct Serve {
        #[arg(long)]
        data: String,
        #[arg(long, default_value = "127.0.0.1:1")]
        listen: String,
        #[arg(long)]
        single_user: bool,
        #[arg(long, default_value_t = 7)]
        evaluations: u32,
        #[arg(long)]
        activate: Option<String>,
        #[arg(long)]
        config: Option<PathBuf>,
    }

    fn told(words: &[&str], variables: &[(&str, &str)]) -> Result<Serve, String> {
        let words: Vec<OsString> = ["proviso"].iter().chain(words).map(OsString::from).collect();
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        let words = expand(&words, &Small::command(), &variable).map_err(|failure| failure.message)?;
        match Small::try_parse_from(words).map_err(|error| error.kind().to_string())?.command {
            Sub::Serve(serve) => Ok(serve),
            Sub::Other => Err("other".to_owned()),
        }
    }

    fn file(text: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proviso.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path.display().to_string())
    }

    #[test]
    fn the_command_line_wins_then_the_environment_then_the_file() {
        let (_folder, file) = file("data = \"file\"\nlisten = \"file:1\"\nsingle-user = true\nevaluations = 5\n");
        let serve = told(&["serve", "--config", &file], &[]).unwrap();
        let said = (serve.data.as_str(), serve.listen.as_str(), serve.single_user, serve.evaluations);
        assert_eq!(said, ("file", "file:1", true, 5));
        let environment = [("PROVISO_LISTEN", "env:1"), ("PROVISO_SINGLE_USER", "false"), ("PROVISO_EVALUATIONS", "")];
        let serve = told(&["--json", "serve", "--data", "here", &format!("--config={file}")], &environment).unwrap();
        let said = (serve.data.as_str(), serve.listen.as_str(), serve.single_user, serve.evaluations);
        assert_eq!(said, ("here", "env:1", false, 5));
        // The environment can name the file, and everything can stand there.
        let serve = told(&["serve"], &[("PROVISO_CONFIG", &file), ("PROVISO_DATA", "env")]).unwrap();
        assert_eq!((serve.data.as_str(), serve.evaluations), ("env", 5));
        assert_eq!(told(&["serve", "--data", "d"], &[]).unwrap().listen, "127.0.0.1:1");
        assert_eq!(told(&["other"], &[("PROVISO_CONFIG", "/no/such")]), Err("other".to_owned()));
    }

    #[test]
    fn what_is_no_setting_is_refused_by_its_name() {
        for (text, name) in [
            ("listn = \"x\"\n", "`listn`"),
            ("activate = \"x\"\n", "`activate`"),
            ("config = \"x\"\n", "`config`"),
            ("json = true\n", "`json`"),
            ("data = true\n", "`data`"),
            ("data = [\"x\"]\n", "`data`"),
            ("single-user = \"yes\"\n", "`single-user`"),
            ("data = \"x\"\ndata = \"y\"\n", "no TOML"),
        ] {
            let (_folder, file) = file(text);
            let refused = told(&["serve", "--data", "d", "--config", &file], &[]).unwrap_err();
            assert!(refused.contains(name), "{text}: {refused}");
        }
        let refused = told(&["serve", "--data", "d"], &[("PROVISO_SINGLE_USER", "1")]).unwrap_err();
        assert!(refused.contains("single-user"), "{refused}");
        assert!(told(&["serve", "--config", "/no/such/file"], &[]).unwrap_err().contains("cannot be read"));
        // An act is said where it is done.
        assert_eq!(told(&["serve", "--data", "d", "--activate", "x"], &[]).unwrap().activate.as_deref(), Some("x"));
    }
}

//! One argument of the call, and what a grant would demand of it.

use policy_core::grant::{Condition, Scalar, Test};
use policy_core::value::Value;

/// What a grant demands of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What the call has.
    Equals,
    /// One of a list.
    OneOf,
    /// A whole number in a range.
    Between,
    /// A path in a folder.
    Inside,
    /// Nothing.
    Open,
}

impl Kind {
    /// The kind's word in a form.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Equals => "equals",
            Self::OneOf => "one of",
            Self::Between => "between",
            Self::Inside => "inside",
            Self::Open => "open",
        }
    }

    /// The kind with that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Equals, Self::OneOf, Self::Between, Self::Inside, Self::Open]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// The knob for one argument. The texts are what stands in the form's fields, also while it makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knob {
    /// Where the argument stands.
    pub at: Vec<String>,
    /// What the call has there.
    pub value: Scalar,
    /// What was asked for of this argument: `None` where anything was.
    pub asked: Option<Test>,
    /// What the knob is set to.
    pub kind: Kind,
    /// For [`Kind::OneOf`]: one value a line.
    pub values: String,
    /// For [`Kind::Between`].
    pub min: String,
    /// For [`Kind::Between`].
    pub max: String,
    /// For [`Kind::Inside`].
    pub folder: String,
    is_path: bool,
}

impl Knob {
    /// The knob for an argument, set to what the call has.
    pub fn new(at: Vec<String>, value: Scalar, is_path: bool, asked: Option<Test>) -> Self {
        let text = plain(&value);
        let folder = match &asked {
            Some(Test::Inside { path }) if *path == text => path.clone(),
            _ => parent(&text).to_owned(),
        };
        let min = match &asked {
            Some(Test::Between { min, .. }) => *min,
            _ => {
                if let Scalar::Long(number) = value {
                    number.min(0)
                } else {
                    0
                }
            }
        };
        Self {
            at,
            asked,
            kind: Kind::Equals,
            values: text.clone(),
            min: min.to_string(),
            max: text,
            folder,
            is_path,
            value,
        }
    }

    /// Sets the knob to what a test says.
    pub fn set(&mut self, test: &Test) {
        match test {
            Test::Equals { .. } => self.kind = Kind::Equals,
            Test::OneOf { values } => {
                self.kind = Kind::OneOf;
                self.values = values.iter().map(plain).collect::<Vec<_>>().join("\n");
            }
            Test::Between { min, max } => {
                self.kind = Kind::Between;
                (self.min, self.max) = (min.to_string(), max.to_string());
            }
            Test::Inside { path } => {
                self.kind = Kind::Inside;
                self.folder.clone_from(path);
            }
        }
    }

    /// What the knob can be set to: what fits the argument's type and lies inside what was asked for.
    pub fn kinds(&self) -> Vec<Kind> {
        let fitting: &[Kind] = match (&self.value, self.is_path) {
            (Scalar::Bool(_) | Scalar::Entity(_), _) => &[Kind::Equals, Kind::Open],
            (Scalar::Long(_), _) => &[Kind::Equals, Kind::OneOf, Kind::Between, Kind::Open],
            (Scalar::String(_), true) => &[Kind::Equals, Kind::OneOf, Kind::Inside, Kind::Open],
            (Scalar::String(_), false) => &[Kind::Equals, Kind::OneOf, Kind::Open],
        };
        // A list is written one value a line: a text of several lines cannot stand in it.
        let lines = matches!(&self.value, Scalar::String(text) if text.contains(['\n', '\r']));
        let one_line = |kind: &Kind| *kind != Kind::OneOf || !lines;
        let inside: &[Kind] = match &self.asked {
            None => fitting,
            Some(Test::Equals { .. }) => &[Kind::Equals],
            Some(Test::OneOf { .. }) => &[Kind::Equals, Kind::OneOf],
            Some(Test::Between { .. }) => &[Kind::Equals, Kind::OneOf, Kind::Between],
            Some(Test::Inside { .. }) => &[Kind::Equals, Kind::OneOf, Kind::Inside],
        };
        fitting.iter().copied().filter(|kind| inside.contains(kind)).filter(one_line).collect()
    }

    /// The condition that the knob stands for; none when it is open.
    ///
    /// # Errors
    /// One sentence about a field that cannot be read.
    pub fn condition(&self) -> Result<Option<Condition>, String> {
        let name = self.at.join(".");
        let number = |text: &str| {
            text.trim().parse::<i64>().map_err(|_| format!("{name}: `{}` is not a whole number", text.trim()))
        };
        let test = match self.kind {
            Kind::Open => return Ok(None),
            Kind::Equals => Test::Equals { value: self.value.clone() },
            Kind::Between => Test::Between { min: number(&self.min)?, max: number(&self.max)? },
            Kind::Inside => Test::Inside { path: self.folder.trim().to_owned() },
            Kind::OneOf => {
                let lines = self.values.lines().filter(|line| !line.trim().is_empty());
                let values = match self.value {
                    Scalar::Long(_) => lines.map(|line| number(line).map(Scalar::Long)).collect::<Result<_, _>>()?,
                    _ => lines.map(|line| Scalar::String(line.to_owned())).collect::<Vec<_>>(),
                };
                if values.is_empty() {
                    return Err(format!("{name}: name at least one value"));
                }
                Test::OneOf { values }
            }
        };
        Ok(Some(Condition { at: self.at.clone(), test }))
    }
}

/// The scalar arguments of a call with their paths, in the order of their names.
pub fn scalars(input: &Value) -> Vec<(Vec<String>, Scalar)> {
    let mut found = Vec::new();
    walk(input, &mut Vec::new(), &mut found);
    found
}

fn walk(value: &Value, at: &mut Vec<String>, found: &mut Vec<(Vec<String>, Scalar)>) {
    let scalar = match value {
        Value::Record(members) => {
            for (name, member) in members {
                at.push(name.to_string());
                walk(member, at, found);
                at.pop();
            }
            return;
        }
        Value::Bool(value) => Scalar::Bool(*value),
        Value::Long(value) => Scalar::Long(*value),
        Value::String(text) => Scalar::String(text.clone()),
        Value::Entity(reference) => Scalar::Entity(reference.clone()),
        // No condition compares these: such an argument is fixed by the digest, or open.
        Value::Set(_) | Value::Datetime(_) | Value::Duration(_) | Value::Decimal(_) | Value::Ipaddr(_) => return,
    };
    found.push((at.clone(), scalar));
}

/// A scalar as it stands in a form's field.
fn plain(value: &Scalar) -> String {
    match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Long(value) => value.to_string(),
        Scalar::String(text) => text.clone(),
        Scalar::Entity(reference) => reference.to_string(),
    }
}

/// The folder that a path lies in.
fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((folder, _)) => folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(asked: Option<Test>) -> Knob {
        Knob::new(vec!["rows".into()], Scalar::Long(412), false, asked)
    }

    #[test]
    fn a_knob_opens_with_what_the_call_has() {
        let knob = rows(None);
        let condition = knob.condition().expect("reads").expect("is set");
        assert_eq!(condition.test, Test::Equals { value: Scalar::Long(412) });
        assert_eq!((knob.min.as_str(), knob.max.as_str()), ("0", "412"));
    }

    #[test]
    fn a_knob_offers_only_what_lies_inside_the_request() {
        assert_eq!(rows(None).kinds(), [Kind::Equals, Kind::OneOf, Kind::Between, Kind::Open]);
        assert_eq!(
            rows(Some(Test::Between { min: 5, max: 500 })).kinds(),
            [Kind::Equals, Kind::OneOf, Kind::Between],
            "what was asked with an upper end is never offered open"
        );
        let flag = Knob::new(vec!["force".into()], Scalar::Bool(false), false, None);
        assert_eq!(flag.kinds(), [Kind::Equals, Kind::Open]);
    }

    #[test]
    fn a_text_of_several_lines_is_no_entry_of_a_list() {
        let knob = Knob::new(vec!["content".into()], Scalar::String("# Q4\ndone".into()), false, None);
        assert_eq!(knob.kinds(), [Kind::Equals, Kind::Open]);
    }

    #[test]
    fn a_path_opens_at_its_own_folder() {
        let knob = Knob::new(
            vec!["path".into()],
            Scalar::String("/reports/q4/a.md".into()),
            true,
            Some(Test::Inside { path: "/reports".into() }),
        );
        assert_eq!(knob.folder, "/reports/q4");
        assert_eq!(knob.kinds(), [Kind::Equals, Kind::OneOf, Kind::Inside]);
    }

    #[test]
    fn fields_that_cannot_be_read_are_named() {
        let mut knob = rows(None);
        knob.kind = Kind::Between;
        knob.max = "many".into();
        assert_eq!(knob.condition(), Err("rows: `many` is not a whole number".into()));
        knob.kind = Kind::OneOf;
        knob.values = "\n \n".into();
        assert_eq!(knob.condition(), Err("rows: name at least one value".into()));
        knob.values = "412\n17".into();
        let condition = knob.condition().expect("reads").expect("is set");
        assert_eq!(condition.test, Test::OneOf { values: vec![Scalar::Long(412), Scalar::Long(17)] });
    }

    #[test]
    fn nested_scalars_have_their_whole_path() {
        let inner = Value::Record([("to".to_owned(), Value::String("x".into()))].into());
        let input = Value::Record([("a".to_owned(), inner), ("tags".to_owned(), Value::Set(vec![]))].into());
        assert_eq!(scalars(&input), [(vec!["a".to_owned(), "to".to_owned()], Scalar::String("x".into()))]);
    }
}

//! `proviso bundle test`: does a bundle answer the questions of its tables as their author expects?

use std::path::Path;

use policy_evaluator::tables::{self, Answered, Difference, Row};
use serde_json::{Value, json};

use super::super::output::{Done, Exit, Failure};

pub(super) fn run(folder: &Path) -> Result<Done, Failure> {
    let bundle = super::accept(folder)?;
    let rows = match super::rows(folder)? {
        Ok(rows) => rows,
        Err(errors) => return Ok(super::told(&errors)),
    };
    if rows.is_empty() {
        return Err(Failure::bad_input("no_tables", format!("`{}` has no tables in tests/", folder.display()))
            .help("write tests/NAME.toml as docs/bundles.md shows: what is never asked is never known"));
    }
    let misnamed: Vec<_> = rows.iter().flat_map(|row| tables::misnamed(&bundle, row)).collect();
    if !misnamed.is_empty() {
        return Ok(super::told(&misnamed));
    }
    let (mut text, mut told, mut failed) = (String::new(), Vec::new(), 0_usize);
    for row in &rows {
        let answer = tables::answer(&bundle, &row.ask);
        let differences = tables::differences(&bundle, row, &answer);
        if !differences.is_empty() {
            failed = failed.saturating_add(1);
            text.push_str(&red(row, &answer, &differences));
        }
        let passed = differences.is_empty();
        told.push(json!({
            "file": row.file, "line": row.line, "name": row.name,
            "passed": passed, "differences": differences, "answer": answer,
        }));
    }
    let passed = rows.len().saturating_sub(failed);
    text.push_str(&format!("{} rows: {passed} as expected, {failed} not", rows.len()));
    let exit = if failed == 0 { Exit::Fine } else { Exit::Denied };
    Ok(Done { exit, text, json: json!({"passed": passed, "failed": failed, "rows": told}) })
}

/// A row that is not as expected, for people.
fn red(row: &Row, answer: &Answered, differences: &[Difference]) -> String {
    let mut text = format!("{}:{}: {}\n", row.file, row.line, row.name);
    for Difference { member, expected, got } in differences {
        text.push_str(&format!("  {member}: expected {}, got {}\n", word(expected), word(got)));
    }
    if let Some(message) = &answer.message {
        text.push_str(&format!("  the question does not fit the bundle: {message}\n"));
    }
    if !answer.policies.is_empty() {
        text.push_str(&format!("  by {}\n", answer.policies.join(", ")));
    }
    for error in &answer.errors {
        text.push_str(&format!("  {} could not be evaluated: {}\n", error.policy, error.message));
    }
    text
}

/// A value as a table writes it.
pub(super) fn word(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "nobody".to_owned(),
        Value::Array(items) => items.iter().map(word).collect::<Vec<_>>().join(", "),
        Value::Object(members) => match (members.get("uses"), members.get("per")) {
            (Some(uses), Some(per)) => format!("{}/{}", word(uses), word(per)),
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}

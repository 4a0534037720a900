//! How far the record has come to who holds it besides, in words.

use proviso_api::operations::CopyLine;

/// How a receiver stands.
pub fn lag(line: &CopyLine) -> String {
    let records = match line.records {
        Some(1) => "1 record behind".to_owned(),
        Some(more) => format!("{more} records behind"),
        None => "behind".to_owned(),
    };
    let behind = format!("{records} for {} s", line.seconds);
    match (line.state.as_str(), line.records) {
        ("fine", None | Some(0)) => "holds all".to_owned(),
        ("fine", Some(_)) => behind,
        ("other_record", _) => "holds another record, and is left as it is: give it another place".to_owned(),
        ("failing", _) => format!("takes nothing ({}); {behind}", line.error.as_deref().unwrap_or("no reason told")),
        _ => "was not reached yet".to_owned(),
    }
}

/// What a copy may hold that is erased at the gate. Absent: nothing.
pub fn erasures(line: &CopyLine) -> Option<String> {
    let texts = match line.erasures_pending.filter(|pending| *pending > 0)? {
        1 => "1 text that is".to_owned(),
        more => format!("{more} texts that are"),
    };
    let why = line.erasure_error.as_ref().map(|error| format!(" ({error})")).unwrap_or_default();
    Some(format!("may still hold {texts} erased here{why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_told_with_its_reason() {
        let line = |state: &str, records: Option<u64>, error: Option<&str>| CopyLine {
            name: "nas".into(),
            kind: "folder".into(),
            state: state.into(),
            records,
            seconds: 3,
            error: error.map(str::to_owned),
            erasures_pending: None,
            erasure_error: None,
        };
        for (line, told) in [
            (line("fine", Some(0), None), "holds all"),
            (line("fine", None, None), "holds all"),
            (line("fine", Some(1), None), "1 record behind for 3 s"),
            (line("failing", Some(9), Some("it is full")), "takes nothing (it is full); 9 records behind for 3 s"),
            (line("failing", None, None), "takes nothing (no reason told); behind for 3 s"),
            (line("begun", Some(9), None), "was not reached yet"),
        ] {
            assert_eq!(lag(&line), told);
        }
        assert!(lag(&line("other_record", Some(1), None)).contains("another record"));
    }

    #[test]
    fn what_a_copy_does_not_let_go_is_told_with_its_reason() {
        let line = |pending: Option<u64>, error: Option<&str>| CopyLine {
            name: "nas".into(),
            kind: "folder".into(),
            state: "fine".into(),
            records: Some(0),
            seconds: 0,
            error: None,
            erasures_pending: pending,
            erasure_error: error.map(str::to_owned),
        };
        for (line, told) in [
            (line(None, None), None),
            (line(Some(0), Some("stale")), None),
            (line(Some(1), None), Some("may still hold 1 text that is erased here")),
            (line(Some(7), Some("it is full")), Some("may still hold 7 texts that are erased here (it is full)")),
        ] {
            assert_eq!(erasures(&line).as_deref(), told);
        }
    }
}

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
}

//! What a person wants of the record, as the address that answers it.

use super::queue::encoded;

/// A form that others read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// JSON with proofs.
    #[default]
    Json,
    /// OCSF, one event a line.
    Ocsf,
    /// A table.
    Csv,
}

impl Format {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::Json, Self::Ocsf, Self::Csv];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ocsf => "ocsf",
            Self::Csv => "csv",
        }
    }

    /// What it is called.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Json => "JSON with proofs",
            Self::Ocsf => "OCSF",
            Self::Csv => "CSV",
        }
    }

    /// For whom it is.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Json => "whoever gets it checks it without this gate: proviso audit verify --proofs",
            Self::Ocsf => "one event a line, for a SIEM",
            Self::Csv => "a table, for a spreadsheet",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ocsf => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// What a person wants, as they filled it in. What is empty narrows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// As what.
    pub format: Format,
    /// From when on: a date and time as the browser's field writes it, in UTC.
    pub since: String,
    /// Up to when, this instant not included.
    pub until: String,
    /// Of which agent: `TYPE::ID`, or its id alone.
    pub agent: String,
    /// Of which approver.
    pub approver: String,
    /// Of which exception, by id.
    pub exception: String,
}

impl Wanted {
    /// The address that answers it.
    ///
    /// # Errors
    /// With what is wrong, where nothing could be inside.
    pub fn address(&self) -> Result<String, &'static str> {
        let (since, until) = (instant(&self.since), instant(&self.until));
        // Both are written alike, so that they compare as they stand.
        if let (Some(since), Some(until)) = (&since, &until)
            && since >= until
        {
            return Err("The end does not lie behind the beginning, so nothing lies between them.");
        }
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let members = [
            ("since", since),
            ("until", until),
            ("agent", text(&self.agent)),
            ("approver", text(&self.approver)),
            ("exception", text(&self.exception)),
        ];
        let narrowed: String = members
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| format!("&{name}={}", encoded(&value))))
            .collect();
        Ok(format!("/api/v1/record/export?format={}{narrowed}", self.format.word()))
    }

    /// What the file is called.
    pub fn file_name(&self) -> String {
        let plain = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        let of: String = self.exception.trim().chars().filter(plain).take(64).collect();
        let of = if of.is_empty() { "record".to_owned() } else { of };
        format!("proviso-{of}.{}", self.format.extension())
    }
}

/// A browser's date and time, as the gate reads it: it may leave out the seconds, and knows no zone.
pub(super) fn instant(field: &str) -> Option<String> {
    let field = field.trim();
    let seconds = if field.matches(':').count() < 2 { ":00" } else { "" };
    (!field.is_empty()).then(|| format!("{field}{seconds}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(since: &str, until: &str) -> Wanted {
        Wanted { since: since.into(), until: until.into(), ..Wanted::default() }
    }

    #[test]
    fn what_is_empty_narrows_nothing_and_the_rest_is_encoded() {
        assert_eq!(Wanted::default().address().as_deref(), Ok("/api/v1/record/export?format=json"));
        let all = Wanted {
            format: Format::Ocsf,
            agent: "Agent::spiffe://acme.example/a b&format=csv".into(),
            approver: " mara ".into(),
            exception: "exc_1".into(),
            ..wanted("2026-11-29T16:00", "2026-11-29T16:00:30")
        };
        assert_eq!(
            all.address().as_deref(),
            Ok("/api/v1/record/export?format=ocsf&since=2026-11-29T16%3A00%3A00Z&until=2026-11-29T16%3A00%3A30Z\
                &agent=Agent%3A%3Aspiffe%3A%2F%2Facme.example%2Fa%20b%26format%3Dcsv&approver=mara&exception=exc_1")
        );
    }

    #[test]
    fn an_end_that_is_not_behind_the_beginning_is_told_before_anything_is_asked() {
        for (since, until, fine) in [
            ("2026-11-29T16:00", "2026-11-29T16:00", false),
            ("2026-11-29T16:00:01", "2026-11-29T16:00", false),
            ("2026-11-29T16:00", "2026-11-29T16:00:01", true),
            ("2026-11-29T16:00", "", true),
            ("", "2026-11-29T16:00", true),
        ] {
            assert_eq!(wanted(since, until).address().is_ok(), fine, "{since} {until}");
        }
    }

    #[test]
    fn a_file_is_named_after_what_it_is_of_and_holds_no_path() {
        let of =
            |exception: &str, format| Wanted { exception: exception.into(), format, ..Wanted::default() }.file_name();
        assert_eq!(of("", Format::Json), "proviso-record.json");
        assert_eq!(of("exc_a-1", Format::Csv), "proviso-exc_a-1.csv");
        assert_eq!(of("../../etc/passwd", Format::Ocsf), "proviso-etcpasswd.jsonl");
        for each in Format::ALL {
            assert!(!each.label().is_empty() && !each.says().is_empty());
        }
    }
}

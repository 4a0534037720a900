//! `proviso doctor`: what is weak in a set-up, and how to mend it. It takes what `serve` takes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use policy_evaluator::Bundle;
use serde_json::json;

use super::bundle;
use super::listen::Listen;
use super::output::{Done, Exit, Failure};
use crate::app::{Allowance, Retention};
use crate::clock::{Clock as _, SystemClock};
use crate::copies::Record;
use crate::doctor::{
    Found, Setup, Severity, Weakness, look_at_bundle, look_at_bundle_folder, look_at_data_folder, look_at_processes,
    look_at_record, look_at_secrets, look_at_settings, look_at_setup,
};
use crate::notify::Notify;
use crate::tls::Pair;

/// Tell what is weak in a set-up, and how to mend it. Nothing is written.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct Doctor {
    /// The bundle's folder.
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// The data folder; its gate may run.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A file of settings, as for `serve`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    listen: Listen,
    /// As for `serve`.
    #[arg(long)]
    single_user: bool,
    /// As for `serve`.
    #[arg(long, value_name = "NUMBER", default_value_t = Allowance::default().evaluations)]
    evaluations: u32,
    /// As for `serve`.
    #[arg(long, value_name = "FILE")]
    notify: Option<PathBuf>,
    /// As for `serve`.
    #[arg(long, value_name = "FILE")]
    retention: Option<PathBuf>,
    /// As for `serve`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(doctor: &Doctor) -> Result<Done, Failure> {
    doctor.listen.check()?;
    let mut found = Found::default();
    let now = SystemClock.now();
    doctor.settings(&mut found)?;
    let setup = doctor.setup()?;
    look_at_setup(&setup, now, &mut found).map_err(|error| Failure::bad_input(error.code(), error.to_string()))?;
    let bundle = doctor.bundle.as_deref().map(|folder| doctor.bundle(folder, &mut found)).transpose()?;
    if let Some(data) = &doctor.data {
        look_at_data_folder(data, &mut found).map_err(|error| unseen(data, &error))?;
        look_at_processes(data, &mut found);
        look_at_record(data, bundle.as_ref(), now, &mut found).map_err(|error| {
            Failure::new(super::serve::exit_of(&error), error.code(), error.to_string()).help(error.help())
        })?;
    }
    Ok(told(&found.sorted()))
}

impl Doctor {
    /// The files that settings stand in.
    fn settings(&self, found: &mut Found) -> Result<(), Failure> {
        for file in [&self.config, &self.notify, &self.retention, &self.record].into_iter().flatten() {
            look_at_settings(file, found).map_err(|error| unseen(file, &error))?;
        }
        for file in [&self.notify, &self.record].into_iter().flatten() {
            look_at_secrets(file, found).map_err(|error| unseen(file, &error))?;
        }
        Ok(())
    }

    fn setup(&self) -> Result<Setup, Failure> {
        let bad = |code: &str, error: &dyn std::error::Error| Failure::bad_input(code, error.to_string());
        let notify = self
            .notify
            .as_deref()
            .map(Notify::read)
            .transpose()
            .map_err(|error| bad(error.code(), &error).help("docs/notify.md says what the file holds"))?;
        let record = self.record.as_deref().map(Record::read).transpose().map_err(|error| bad(error.code(), &error))?;
        let retention =
            self.retention.as_deref().map(Retention::read).transpose().map_err(|error| bad(error.code(), &error))?;
        let files = self.listen.tls_cert.clone().zip(self.listen.tls_key.clone());
        Ok(Setup {
            single_user: self.single_user,
            listen: Some(self.listen.listen),
            public_url: self.listen.public_url.clone(),
            behind_proxy: self.listen.behind_proxy,
            pair: files.map(|(certificate, key)| Pair { certificate, key }),
            evaluations: self.evaluations,
            notify: notify.unwrap_or_default(),
            has_retention: retention.is_some_and(|retention| !retention.keep.is_empty()),
            record: record.unwrap_or_default(),
            data: self.data.clone(),
        })
    }

    fn bundle(&self, folder: &Path, found: &mut Found) -> Result<Bundle, Failure> {
        let files: BTreeMap<String, String> = bundle::read(folder)?;
        look_at_bundle_folder(folder, found).map_err(|error| unseen(folder, &error))?;
        let accepted = Bundle::accept(&files).map_err(|errors| {
            let first = errors.first().map(ToString::to_string).unwrap_or_default();
            Failure::bad_input("bad_bundle", format!("the bundle does not load: {first}"))
        })?;
        look_at_bundle(&accepted, &files, found);
        Ok(accepted)
    }
}

fn unseen(path: &Path, error: &std::io::Error) -> Failure {
    Failure::unavailable("not_looked_at", format!("`{}` cannot be looked at: {error}", path.display()))
}

fn told(weaknesses: &[Weakness]) -> Done {
    let grave = weaknesses.iter().filter(|weakness| weakness.severity == Severity::Grave).count();
    let hints = weaknesses.len().saturating_sub(grave);
    let mut lines: Vec<String> = weaknesses
        .iter()
        .map(|Weakness { severity, code, message, help }| {
            format!("{}: {message} ({code})\n  help: {help}", severity.word())
        })
        .collect();
    lines.push(match (grave, hints) {
        (0, 0) => "nothing weak was found; docs/doctor.md says what is looked at".to_owned(),
        _ => format!("{grave} grave, {hints} to look at; docs/doctor.md says what each leads to"),
    });
    let exit = if grave == 0 { Exit::Fine } else { Exit::Denied };
    let json = json!({"weaknesses": weaknesses, "grave": grave, "hints": hints});
    Done { exit, text: lines.join("\n"), json }
}

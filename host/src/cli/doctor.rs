//! `proviso doctor`: what is weak in a set-up, and how to mend it. It takes what `serve` takes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use policy_evaluator::Bundle;
use serde_json::json;

use super::bundle;
use super::given::Given;
use super::output::{Done, Exit, Failure};
use crate::clock::{Clock as _, SystemClock};
use crate::doctor::{
    Found, Setup, Severity, Weakness, look_at_bundle, look_at_bundle_folder, look_at_data_folder, look_at_named,
    look_at_processes, look_at_record, look_at_settings, look_at_setup,
};
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
    given: Given,
}

/// Runs it.
pub(super) fn run(doctor: &Doctor) -> Result<Done, Failure> {
    doctor.given.listen.check()?;
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
        if let Some(file) = &self.config {
            look_at_settings(file, found).map_err(|error| unseen(file, &error))?;
        }
        for file in self.given.named() {
            look_at_settings(file, found).map_err(|error| unseen(file, &error))?;
            look_at_named(file, found).map_err(|error| unseen(file, &error))?;
        }
        Ok(())
    }

    fn setup(&self) -> Result<Setup, Failure> {
        let Given { listen, single_user, evaluations, .. } = &self.given;
        let files = self.given.read()?;
        let pair = listen.tls_cert.clone().zip(listen.tls_key.clone());
        Ok(Setup {
            single_user: *single_user,
            listen: Some(listen.listen),
            public_url: listen.public_url.clone(),
            behind_proxy: listen.behind_proxy,
            pair: pair.map(|(certificate, key)| Pair { certificate, key }),
            evaluations: *evaluations,
            notify: files.notify,
            has_retention: !files.retention.keep.is_empty(),
            record: files.record,
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

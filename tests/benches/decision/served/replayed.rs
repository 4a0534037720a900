//! How fast recorded questions are asked again.

use std::path::Path;

use proviso::random::SystemRandom;
use proviso::replay::{ModuleFiles, Replay, Span, Spool};
use proviso::store::{Keys, verify};

use crate::figures::Measured;
use crate::measure::now;
use crate::{Result, Run};

/// What is to be reached, unless native cedar-policy is slower by more than half.
const RECORDS_A_SECOND: f64 = 100_000.0;
const THREADS: usize = 2;

/// Replays what this gate has recorded. The figure is the rate against the lesser of a hundred thousand records a second
/// and twice the rate of native cedar-policy over ten policies.
pub fn measure(run: &mut Run, data: &Path) -> Result<()> {
    let modules = ModuleFiles::of_gate(data, Keys::read(data)?);
    let mut spool = Spool::new(&SystemRandom)?;
    let begun = now();
    let report = verify::with_source(data, |source, trust| {
        let replay =
            Replay { source, trust, span: Span::default(), modules: &modules, proposed: None, threads: THREADS };
        replay.run(&mut spool, &mut |_| ())
    })??;
    let took = begun.elapsed().as_secs_f64();
    let counts = &report.counts;
    if counts.disagreed > 0 {
        return Err(format!("{} records do not agree", counts.disagreed).into());
    }
    #[expect(clippy::cast_precision_loss, reason = "some ten thousand records")]
    let rate = counts.questions as f64 / took;
    let native = run.times.iter().find(|time| time.who.starts_with("cedar-policy natively"));
    let native = native.ok_or("native cedar-policy was not measured")?.micros.median;
    println!("{:>10.1} records a second of {} replayed", rate, counts.questions);
    run.figure("replay", Measured::exactly(rate / RECORDS_A_SECOND.min(2e6 / native)));
    Ok(())
}

//! regorus on the policies of a folder: says once what it answers, then how long so many questions take.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::time::Instant;

use regorus::Engine;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("a folder is missing")?);
    let mut engine = Engine::new();
    engine.add_policy("policies.rego".to_owned(), fs::read_to_string(folder.join("policies.rego"))?)?;
    let question = fs::read_to_string(folder.join("question.json"))?;
    let mut ask = || -> Result<bool, Box<dyn Error>> {
        engine.set_input_json(&question)?;
        Ok(*engine.eval_rule("data.gate.allow".to_owned())?.as_bool()?)
    };
    let mut out = io::stdout();
    writeln!(out, "{}", if ask()? { "permit" } else { "deny" })?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let calls: u32 = line?.trim().parse()?;
        let begun = Instant::now();
        for _ in 0..calls {
            ask()?;
        }
        writeln!(out, "{}", begun.elapsed().as_nanos())?;
        out.flush()?;
    }
    Ok(())
}

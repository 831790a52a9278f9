//! `vola policy versions`: which versions of a bundle there are, which one runs, and how
//! they did.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use vola_bundle::{BASE_VERSION, Bundle, VersionRecord, VersionShare};

use crate::{
    failure::{Failure, exit},
    output::{Align, Console, Table, percent},
};

use super::version_runs::{self, Told};

/// `vola policy versions`.
#[derive(Debug, Args)]
pub(crate) struct VersionsArguments {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Let this version run where the deployment names none; `base` is the bundle as it is
    #[arg(long = "use", value_name = "NAME")]
    choose: Option<String>,
    /// Share of the episodes in which it runs, 0 to 1; `base` runs in the others
    #[arg(long, requires = "choose", default_value_t = 1.0)]
    share: f64,
    /// Tell how the versions did in the run logs of this folder (`[record] folder`)
    #[arg(long, value_name = "FOLDER", conflicts_with = "choose")]
    runs: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(own: &VersionsArguments, console: Console) -> Result<u8, Failure> {
    let bundle = Bundle::open(&own.bundle)?;
    if let Some(folder) = &own.runs {
        return tell_runs(&version_runs::read(folder, &bundle.hash()?)?, console);
    }
    if let Some(version) = &own.choose {
        bundle.use_version(&VersionShare {
            version: version.clone(),
            share: own.share,
        })?;
    }
    let in_use = bundle.version_in_use()?.unwrap_or(VersionShare {
        version: BASE_VERSION.to_owned(),
        share: 1.0,
    });
    let share_of = |name: &str| match (name == in_use.version, name) {
        (true, BASE_VERSION) => 1.0,
        (true, _) => in_use.share,
        (false, BASE_VERSION) => 1.0 - in_use.share,
        (false, _) => 0.0,
    };
    let versions = bundle.versions()?;
    if console.is_json() {
        console.object(&json!({"version": BASE_VERSION, "share": share_of(BASE_VERSION)}))?;
        for record in &versions {
            let mut object = serde_json::to_value(record).map_err(Failure::Encoding)?;
            object["version"] = json!(record.name);
            object["share"] = json!(share_of(&record.name));
            object["blake3"] = json!(bundle.version(&record.name)?.hash());
            console.object(&object)?;
        }
        return Ok(exit::DONE);
    }
    let mut table = Table::new(&[
        ("version", Align::Left),
        ("from", Align::Left),
        ("corrections", Align::Right),
        ("off a person's path (mm)", Align::Right),
        ("off old paths (mm)", Align::Right),
        ("share of episodes", Align::Right),
    ]);
    let share = |name: &str| format!("{:.0} %", share_of(name) * 100.0);
    let mut row = |cells: [String; 6]| table.row(cells);
    let empty = String::new;
    row([
        BASE_VERSION.to_owned(),
        empty(),
        empty(),
        empty(),
        empty(),
        share(BASE_VERSION),
    ]);
    for record in &versions {
        row([
            record.name.clone(),
            record.parent.clone(),
            record.figures["corrections"]["episodes"].to_string(),
            format!(
                "{} → {}",
                millimetres(record, "before", "correction_m"),
                millimetres(record, "after", "correction_m")
            ),
            millimetres(record, "after", "old_m"),
            share(&record.name),
        ]);
    }
    console.write(&table.render(console.style()))?;
    Ok(exit::DONE)
}

/// One row a robot and version, then how far each version is from the bundle as it is.
fn tell_runs(told: &Told, console: Console) -> Result<u8, Failure> {
    if console.is_json() {
        for ((robot, version), own) in &told.runs {
            console.object(&json!({
                "robot": robot, "version": version, "runs": own.runs, "done": own.done,
                "asked": own.asked, "success": own.rate(),
            }))?;
        }
        for (robot, version, difference) in told.differences() {
            console.object(&json!({
                "robot": robot, "version": version, "against": BASE_VERSION,
                "difference": difference,
            }))?;
        }
        console.object(&json!({
            "logs": told.logs, "of_others": told.others, "damaged_lines": told.damaged,
        }))?;
        return Ok(exit::DONE);
    }
    let mut table = Table::new(&[
        ("robot", Align::Left),
        ("version", Align::Left),
        ("runs", Align::Right),
        ("done", Align::Right),
        ("95 % interval", Align::Right),
        ("asked", Align::Right),
    ]);
    for ((robot, version), own) in &told.runs {
        let rate = own.rate();
        table.row([
            robot.clone(),
            version.clone(),
            own.runs.to_string(),
            percent(rate.rate),
            format!("{} to {}", percent(rate.low), percent(rate.high)),
            own.asked.to_string(),
        ]);
    }
    console.write(&table.render(console.style()))?;
    for (robot, version, apart) in told.differences() {
        let points = |share: f64| format!("{:+.1}", share * 100.0);
        console.line(&format!(
            "`{version}` against `{BASE_VERSION}` on {robot}: {} points ({} to {})",
            points(apart.rate),
            points(apart.low),
            points(apart.high)
        ))?;
    }
    console.line(&format!(
        "{} logs of this bundle, {} of others, {} lines that could not be read",
        told.logs, told.others, told.damaged
    ))?;
    Ok(exit::DONE)
}

fn millimetres(record: &VersionRecord, side: &str, key: &str) -> String {
    let value = record.figures["held_out"][side][key].as_f64();
    value.map_or_else(|| "?".to_owned(), |metres| format!("{:.1}", metres * 1e3))
}

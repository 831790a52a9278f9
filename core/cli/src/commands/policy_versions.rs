//! `vola policy versions`: which versions of a bundle there are, and which one runs.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use vola_bundle::{BASE_VERSION, Bundle, VersionRecord, VersionShare};

use crate::{
    failure::{Failure, exit},
    output::{Align, Console, Table},
};

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
}

/// Runs the command.
pub(crate) fn run(own: &VersionsArguments, console: Console) -> Result<u8, Failure> {
    let bundle = Bundle::open(&own.bundle)?;
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
    let percent = |name: &str| format!("{:.0} %", share_of(name) * 100.0);
    let mut row = |cells: [String; 6]| table.row(cells);
    let empty = String::new;
    row([
        BASE_VERSION.to_owned(),
        empty(),
        empty(),
        empty(),
        empty(),
        percent(BASE_VERSION),
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
            percent(&record.name),
        ]);
    }
    console.write(&table.render(console.style()))?;
    Ok(exit::DONE)
}

fn millimetres(record: &VersionRecord, side: &str, key: &str) -> String {
    let value = record.figures["held_out"][side][key].as_f64();
    value.map_or_else(|| "?".to_owned(), |metres| format!("{:.1}", metres * 1e3))
}

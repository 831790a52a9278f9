//! How soon the operator's page is told, and how soon the robot does what it says:
//! a served robot on loopback, with the page's two connections.
//!
//! The robot's clock and this one are compared by the messages themselves: the one
//! that came soonest after its own time says where both stand. So the time until a
//! question is shown may be too short by what that message took, and the time until
//! a jog is obeyed too long; the shortest round trip bounds it. When the arm moved
//! is read from what the control loop took in, not from what the server says of it.

mod page;
mod times;

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use super::{Bench, Measured, typed};
use crate::{
    prove::figure::{Bar, Figure},
    workspace::words,
};
use page::Page;
use times::{Latencies, Times};

/// A robot that is unsure as soon as it makes no progress for a moment, as the
/// default deployment otherwise.
const DEPLOYMENT: &str = "\
[robot]
plugin = \"tabletop/franka\"
[policy]
bundle = \"BUNDLE\"
threads = 2
latency_ms = 20
[execution]
mode = \"receding\"
execute_rows = 2
[safety]
position_margin = 0.02
state_deadline_ms = 100
[control]
missed_ticks = 100
[confidence]
signals = [\"no_progress\"]
thresholds = { no_progress = 0.5 }
budget = { per_primitive = 100, per_hour = 1000 }
[planner]
backends = [\"rules\"]
[handoff]
safe_stop = \"hold\"
";
/// Questions and jogs that count, and those that only try the way.
const COUNTS: (u32, u32) = (100, 4);
/// Sentences for each question at most.
const MOST_ROUNDS: u32 = 4;
const SENTENCE: &str = "pick up any block";
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time between two jogs: the dead-man's, and that in which the arm comes to rest.
const BETWEEN_JOGS: Duration = Duration::from_millis(900);
/// Bars (ms): a hold on the page, a question once the arm stands; a jog at the robot.
const QUESTION_MS: f64 = 100.0;
const JOG_MS: f64 = 50.0;

impl Bench<'_> {
    /// Holds and jogs of a served robot.
    pub(super) fn console(&self) -> Result<Measured, String> {
        let count = if self.is_quick { COUNTS.1 } else { COUNTS.0 };
        let folder = self.workspace.target.join("prove-console");
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(failed)?;
        }
        fs::create_dir_all(&folder).map_err(failed)?;
        let bundle = self.workspace.root.join(crate::prove::BUNDLE);
        let config = folder.join("unsure.toml");
        let text = DEPLOYMENT.replace("BUNDLE", &bundle.display().to_string());
        fs::write(&config, text).map_err(failed)?;
        let record = folder.join("control.bin");
        let (config, record) = (self.seen_from_root(&config), self.seen_from_root(&record));
        let arguments = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--seed",
            "2",
            "--config",
            &config,
            "--record-control",
            &record,
        ];
        let mut times = Times::default();
        let mut served = Served::start(&mut self.program.command(&arguments))?;
        let mut page = Page::open(served.address)?;
        holds(&mut page, count, &mut times)?;
        jogs(&mut page, count, &mut times)?;
        served.end()?;
        drop(page);
        let replay = ["replay", &record];
        let replayed = self.program.objects(&replay)?;
        let replayed = replayed.first().ok_or("replay printed nothing")?;
        let latencies = times.latencies(replayed)?;
        // Megabytes that nobody reads.
        fs::remove_dir_all(&folder).map_err(failed)?;
        Ok((vec![typed(&arguments), typed(&replay)], figures(&latencies)))
    }
}

fn figures(latencies: &Latencies) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (name, values, bar) in [
        (
            "from the decision to hold to its being shown on the page",
            &latencies.hold_to_page_ms,
            Some(QUESTION_MS),
        ),
        (
            "from the arm at rest, holding, to the question on the page",
            &latencies.rest_to_question_ms,
            Some(QUESTION_MS),
        ),
        (
            "from the decision to hold, with the braking, to the question on the page",
            &latencies.hold_to_question_ms,
            None,
        ),
        (
            "from a jog sent by the page to the command that moves the arm",
            &latencies.jog_to_command_ms,
            Some(JOG_MS),
        ),
        ("page to server and back", &latencies.round_trip_ms, None),
    ] {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = |percent: usize| {
            let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(index).copied().unwrap_or(f64::NAN)
        };
        for (part, value, bar) in [
            ("half of them within", rank(50), None),
            ("95 % of them within", rank(95), bar),
            ("longest", rank(100), None),
        ] {
            figures.push(
                Figure::new(format!("{name}, {part}"), value, "ms")
                    .over(values.len() as u64)
                    .with_bar(bar.map(Bar::AtMost)),
            );
        }
    }
    figures
}

/// A served robot; it ends with the measurement.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start(command: &mut Command) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("vola serve: {error}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let pipe = child.stdout.take().ok_or("vola serve: no output")?;
        let mut lines = BufReader::new(pipe).lines();
        let first = lines.next().transpose().map_err(failed)?;
        let told: Value = serde_json::from_str(&first.unwrap_or_default())
            .map_err(|error| format!("vola serve: {error}"))?;
        let address = told["listening"]
            .as_str()
            .and_then(|address| address.parse().ok())
            .ok_or_else(|| format!("vola serve: no address in {told}"))?;
        // The same is heard over the network; nobody waits for who does not read.
        std::thread::Builder::new()
            .name("served".to_owned())
            .spawn(move || lines.for_each(drop))
            .map_err(failed)?;
        Ok(Self { child, address })
    }

    /// Asks it to end, so that what it recorded has an end.
    fn end(&mut self) -> Result<(), String> {
        let mut kill = Command::new("kill");
        kill.args(["-INT", &self.child.id().to_string()]);
        let status = kill
            .status()
            .map_err(|error| format!("{}: {error}", words(&kill)))?;
        if !status.success() {
            return Err(format!("{}: {status}", words(&kill)));
        }
        let status = self.child.wait();
        status
            .map(drop)
            .map_err(|error| format!("vola serve: {error}"))
    }
}

/// Makes it unsure again and again: when it holds, when it is asked about.
fn holds(page: &mut Page, count: u32, times: &mut Times) -> Result<(), String> {
    let (mut answered, mut asked) = (0, 0);
    for _ in 0..MOST_ROUNDS * count {
        page.say(SENTENCE)?;
        let before = asked;
        loop {
            let heard = page.next(PATIENCE)?;
            times.see(&heard);
            if let Some(question) = heard.question().filter(|it| *it != answered) {
                answered = question;
                if heard.is_of_a_hold() {
                    asked += 1;
                    page.order(&json!({"choose": "abort"}))?;
                } else {
                    // Of a planner that wants to know which: another scene follows.
                    page.order(&json!({"stop": "hold"}))?;
                }
            }
            if heard.is_event("finished") {
                break;
            }
        }
        page.ping()?;
        if asked >= count {
            return Ok(());
        }
        if asked == before {
            // It holds a block, or there is none left.
            page.say("/reset")?;
        }
    }
    Err(format!("it held only {asked} times"))
}

/// Takes the arm and moves it a little, up and down.
fn jogs(page: &mut Page, count: u32, times: &mut Times) -> Result<(), String> {
    page.say("/reset")?;
    page.say(SENTENCE)?;
    let (mut is_asked, mut has_arm) = (false, false);
    while !has_arm {
        let heard = page.next(PATIENCE)?;
        times.see(&heard);
        if heard.is_of_a_hold() && !is_asked {
            is_asked = true;
            page.order(&json!({"choose": "take_over"}))?;
        }
        has_arm = heard.is_event("handoff_state") && heard.message["to"] == "take_over";
    }
    for number in 0..count {
        // Not in step with the robot's own looks.
        let pause = BETWEEN_JOGS + Duration::from_millis(u64::from(number * 7 % 23));
        page.hear_for(pause, |heard| times.see(heard))?;
        let up = if number % 2 == 0 { 0.05 } else { -0.05 };
        times.jog_sent();
        page.order(&json!({"jog": {"linear_m_per_s": [0.0, 0.0, up]}}))?;
    }
    page.hear_for(BETWEEN_JOGS, |heard| times.see(heard))?;
    page.order(&json!({"choose": "abort"}))?;
    page.hear_for(BETWEEN_JOGS, |heard| times.see(heard))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::figure::value;

    #[test]
    fn bars_are_on_what_a_person_waits_for() {
        let latencies = Latencies {
            hold_to_page_ms: vec![9.0],
            rest_to_question_ms: (1..=100).map(f64::from).collect(),
            hold_to_question_ms: vec![200.0],
            jog_to_command_ms: vec![20.0, 60.0],
            round_trip_ms: vec![0.3],
        };
        let figures = figures(&latencies);
        assert_eq!(figures.len(), 15);
        let met: Vec<bool> = figures.iter().filter_map(Figure::is_met).collect();
        assert_eq!(met, [true, true, false]);
        let name =
            "from the arm at rest, holding, to the question on the page, 95 % of them within";
        assert!((value(&figures, name).value - 95.0).abs() < 1e-9);
    }
}

//! A plugin in this process that never returns: the arm is stopped, the cause
//! told, the process ends.
//!
//! Nobody can end such a call or go on beside it: the thread that it holds is the
//! policy's, or the control loop's own. So that a robot is not left to a program
//! that only looks alive, a thread of its own watches both. In a process of its
//! own (`[plugins.isolation]`) the same plugin would be ended and replaced.

use std::{
    thread,
    time::{Duration, Instant},
};

use vola_bundle::Deployment;
use vola_runtime::{CallWatch, ControlWatch, Session, StopLevel, StopSwitch};

use crate::{
    failure::Failure, log_writer, output::Console, process_setup::restore_terminal, report,
};

/// A call may last so many times the deadline of an isolated one: in this
/// process it ends the program, and may only have waited for a busy machine.
const PATIENCE: u32 = 10;
/// How often is looked.
const PERIOD: Duration = Duration::from_millis(100);
/// Time for the arm to come to rest; no stop needs more than half of it.
const TO_REST: Duration = Duration::from_millis(1000);
/// Time for the cause to be read.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long log lines are waited for then.
const LAST_LINES: Duration = Duration::from_millis(50);

/// Watches over a session in real time until the process ends.
///
/// # Errors
/// When the watching thread cannot be had.
pub(crate) fn watch_over(
    session: &Session,
    deployment: &Deployment,
    console: Console,
) -> Result<(), Failure> {
    let watch = HangWatch {
        calls: session.call_watch(),
        control: session.control_watch(),
        stop: session.stop_switch(),
        limit: deployment
            .plugins()
            .call_deadline()
            .saturating_mul(PATIENCE),
        robot: format!("embodiment `{}`", session.embodiment_id()),
    };
    let body = move || {
        let failure = watch.wait();
        restore_terminal();
        let code = failure.exit_code();
        // Whoever does not read standard output does not keep the program.
        let _ = end_in(LAST_WORDS, code);
        let _ = report(&failure, console.is_json());
        log_writer::flush(LAST_LINES);
        std::process::exit(i32::from(code));
    };
    thread::Builder::new()
        .name("vola-hang-watch".to_owned())
        .spawn(body)
        .map(drop)
        .map_err(|source| Failure::System {
            what: "the thread that watches for plugins that hang",
            source,
        })
}

/// Ends the process in so long, whatever this thread waits for.
fn end_in(time: Duration, code: u8) -> std::io::Result<thread::JoinHandle<()>> {
    let body = move || {
        thread::sleep(time);
        std::process::exit(i32::from(code));
    };
    thread::Builder::new()
        .name("leaving".to_owned())
        .spawn(body)
}

struct HangWatch {
    calls: CallWatch,
    control: ControlWatch,
    stop: StopSwitch,
    limit: Duration,
    robot: String,
}

impl HangWatch {
    /// Returns when something hangs, with the arm at rest where that can be had.
    fn wait(&self) -> Failure {
        let mut ticks = self.control.ticks();
        let mut ticked = Instant::now();
        loop {
            thread::sleep(PERIOD);
            if let Some(call) = self.calls.overdue(self.limit) {
                self.stop.demand(StopLevel::ControlledStop);
                // The control thread obeys within a tick; this one cannot ask
                // for the pose, so it waits as long as any stop takes.
                thread::sleep(TO_REST);
                return hung(call.who, call.entry, call.lasted, "the arm was stopped");
            }
            let now = self.control.ticks();
            // The session may be over: then no tick is late.
            if now != ticks || self.control.has_ended() {
                (ticks, ticked) = (now, Instant::now());
            } else if ticked.elapsed() > self.limit {
                let who = self.robot.clone();
                let then =
                    "the control loop stands with it; only the robot's own time-out holds the arm";
                return hung(who, "state or command", ticked.elapsed(), then);
            }
        }
    }
}

fn hung(who: String, entry: &'static str, lasted: Duration, then: &'static str) -> Failure {
    Failure::Hung {
        who,
        entry,
        seconds: lasted.as_secs_f64(),
        then,
    }
}

//! A run's events, told to a person.
//!
//! The same events that programs read as JSON lines become sentences here, so
//! that chat and run never say two different things.

use vola_types::{
    Outcome, Plan, RunEvent, RunEventKind, RunOutcome, Scene, Step, Verdict, object_phrase,
    step_sentence,
};

use super::{Style, Tone, joined, seconds};

/// Cells of the confidence bar.
const BAR: usize = 10;

/// What has been told so far of a run.
#[derive(Debug)]
pub(crate) struct Story {
    style: Style,
    scene: Scene,
    steps: usize,
    /// Steps before the one that is run, or was run last.
    done: usize,
    running: Option<RunningStep>,
    /// Position of the step that is next while the run is paused.
    paused: Option<usize>,
    /// A person shows something.
    is_lesson: bool,
}

/// The step that is being done.
#[derive(Debug, Clone)]
struct RunningStep {
    index: usize,
    task: String,
    since: f64,
    now: f64,
    confidence: Option<(f64, f64)>,
}

impl Story {
    /// An empty story in this style.
    pub(crate) fn new(style: Style) -> Self {
        Self {
            style,
            scene: Scene::default(),
            steps: 0,
            done: 0,
            running: None,
            paused: None,
            is_lesson: false,
        }
    }

    /// Takes an event; the lines that a person should read.
    #[expect(clippy::too_many_lines, reason = "one arm for each event")]
    pub(crate) fn tell(&mut self, event: &RunEvent) -> Vec<String> {
        let style = self.style;
        match &event.kind {
            RunEventKind::Scene { scene } => {
                self.scene = scene.clone();
                Vec::new()
            }
            // For programs.
            RunEventKind::State { .. } => Vec::new(),
            RunEventKind::Plan { plan } => self.plan(plan),
            RunEventKind::StepStarted {
                index,
                task,
                attempt,
                alternative,
                ..
            } => {
                self.done = *index;
                self.running = Some(RunningStep {
                    index: *index,
                    task: task.clone(),
                    since: event.t,
                    now: event.t,
                    confidence: None,
                });
                let again = match (*attempt, alternative) {
                    (1, None) => String::new(),
                    (1, Some(way)) => format!("  ({way})"),
                    (_, Some(way)) => format!("  (try {attempt}, {way})"),
                    (_, None) => format!("  (try {attempt})"),
                };
                let place = style.paint(Tone::Faint, &self.place(*index));
                vec![format!(
                    "  {place} {task} …{}",
                    style.paint(Tone::Warning, &again)
                )]
            }
            RunEventKind::Confidence {
                score, threshold, ..
            } => {
                if let Some(step) = &mut self.running {
                    step.now = event.t;
                    step.confidence = Some((*score, *threshold));
                }
                Vec::new()
            }
            RunEventKind::Handoff {
                reason,
                score,
                threshold,
                choices,
            } => self.handoff(reason, score.zip(*threshold), choices),
            RunEventKind::StepFinished {
                index,
                step,
                outcome,
                reason,
            } => self.step_finished(event.t, *index, step, (*outcome, reason.as_deref())),
            RunEventKind::Safety { limit, action } => {
                vec![style.paint(Tone::Warning, &format!("  ! {limit}: {action}"))]
            }
            RunEventKind::HandoffState {
                to, phase, cause, ..
            } => {
                let is_given = matches!(to.as_str(), "hold" | "ask" | "take_over");
                self.is_lesson = is_given && (self.is_lesson || cause == "taught");
                let said = if self.is_lesson {
                    in_lesson(to, phase.as_deref())
                } else {
                    by_hand(to, phase.as_deref())
                };
                said.map(|said| style.paint(Tone::Warning, said))
                    .into_iter()
                    .collect()
            }
            // For programs: a person has no use for a hash.
            RunEventKind::Commands { .. } => Vec::new(),
            RunEventKind::Replanned { reason, steps } => {
                let said = format!("  ↻ I plan anew: {reason}");
                self.changed(style.paint(Tone::Warning, &said), steps)
            }
            RunEventKind::Paused { index, reason } => {
                self.running = None;
                self.paused = Some(*index);
                let said = format!("  ‖ I hold still. {reason} Say go on, skip or stop.");
                vec![style.paint(Tone::Warning, &said)]
            }
            RunEventKind::Resumed { .. } => {
                self.paused = None;
                vec![style.paint(Tone::Good, "  ▸ I go on.")]
            }
            RunEventKind::Skipped { index, step, steps } => {
                self.done = index + 1;
                self.steps = index + 1 + steps.len();
                let words = step_sentence(step, &self.scene);
                vec![style.paint(Tone::Warning, &format!("  » I leave out: {words}"))]
            }
            RunEventKind::Edited { say, steps, .. } => {
                self.changed(style.paint(Tone::Strong, say), steps)
            }
            RunEventKind::EditRefused { reason, .. } => {
                let reason = reason.trim_end_matches('.');
                vec![style.paint(
                    Tone::Warning,
                    &format!("The plan stays as it is: {reason}."),
                )]
            }
            RunEventKind::Answered { say, .. } => vec![say.clone()],
            RunEventKind::Finished {
                success,
                outcome,
                seconds,
                reason,
                ..
            } => {
                self.running = None;
                self.paused = None;
                finished_line(style, (*success, *outcome), *seconds, reason.as_deref())
                    .into_iter()
                    .collect()
            }
        }
    }

    /// One line on what is being done now, without colours; nothing between
    /// steps.
    pub(crate) fn status(&self) -> Option<String> {
        if let Some(index) = self.paused {
            return Some(format!("{} paused", self.place(index)));
        }
        let step = self.running.as_ref()?;
        let mut line = format!("{} {}", self.place(step.index), step.task);
        if let Some((score, threshold)) = step.confidence {
            line.push_str(&format!(
                "  sure {} {:.0} %",
                bar(score, threshold),
                100.0 * score
            ));
        }
        let lasted = step.now - step.since;
        if lasted > 0.0 {
            line.push_str(&format!("  {}", seconds(lasted)));
        }
        Some(line)
    }

    /// The step that is being done and its confidence, for captions.
    pub(crate) fn current(&self) -> Option<(String, Option<(f64, f64)>)> {
        let step = self.running.as_ref()?;
        Some((
            format!("{} {}", self.place(step.index), step.task),
            step.confidence,
        ))
    }

    fn place(&self, index: usize) -> String {
        format!("{}/{}", index + 1, self.steps.max(index + 1))
    }

    fn plan(&mut self, plan: &Plan) -> Vec<String> {
        let mut lines = self.provenance(plan);
        lines.extend(self.verdict(plan));
        lines.extend(self.documents(plan));
        lines
    }

    /// What documents say beside a plan, and where it stands.
    fn documents(&self, plan: &Plan) -> Vec<String> {
        let answer = plan.answer.as_deref().unwrap_or_default();
        let mut lines = Vec::new();
        // An answer alone was told as the plan's own words.
        if plan.verdict != Verdict::Chat && !answer.is_empty() {
            lines.push(answer.to_owned());
        }
        let faint = |line: String| self.style.paint(Tone::Faint, &line);
        lines.extend(plan.citations.iter().map(|citation| {
            let (file, line) = (&citation.file, citation.line);
            // An answer in the documents' own words names the place itself.
            faint(if answer.contains(&citation.quote) {
                format!("  {file}, line {line}")
            } else {
                let place = citation.place();
                format!("  {place}, line {line}: \u{201c}{}\u{201d}", citation.quote)
            })
        }));
        lines
    }

    /// Who answered and why those before did not, where that is not obvious.
    fn provenance(&self, plan: &Plan) -> Vec<String> {
        let mut lines: Vec<String> = plan
            .fallbacks
            .iter()
            .map(|failed| format!("  {} gave no plan: {}", failed.backend, failed.reason))
            .collect();
        match &plan.model {
            Some(model) => lines.push(format!("  answered by {} ({model})", plan.backend)),
            None if !lines.is_empty() && plan.backend != "person" => {
                lines.push(format!("  answered by {}", plan.backend));
            }
            None => {}
        }
        let faint = |line: String| self.style.paint(Tone::Faint, &line);
        lines.into_iter().map(faint).collect()
    }

    fn verdict(&mut self, plan: &Plan) -> Vec<String> {
        let style = self.style;
        let say = own_words(plan);
        match plan.verdict {
            Verdict::Execute => {
                (self.steps, self.done) = (plan.steps.len(), 0);
                let mut lines = vec![style.paint(Tone::Strong, say)];
                if plan.steps.len() > 1 {
                    lines.extend(self.numbered(0, &plan.steps));
                }
                lines
            }
            Verdict::Ask => {
                let question = plan.question.as_deref().unwrap_or(say);
                let labels: Vec<String> = plan
                    .options
                    .iter()
                    .map(|option| option.label.clone())
                    .collect();
                self.question(question, &labels)
            }
            Verdict::Infeasible => vec![style.paint(Tone::Warning, say)],
            Verdict::Unsafe => vec![style.paint(Tone::Bad, say)],
            Verdict::Chat => vec![plan.say.clone()],
        }
    }

    /// Other steps are run from here.
    fn changed(&mut self, said: String, steps: &[Step]) -> Vec<String> {
        self.steps = self.done + steps.len();
        let mut lines = vec![said];
        lines.extend(self.numbered(self.done, steps));
        lines
    }

    fn numbered(&self, before: usize, steps: &[Step]) -> Vec<String> {
        let line = |(index, step): (usize, &Step)| {
            let number = format!("{}.", before + index + 1);
            let number = self.style.paint(Tone::Faint, &number);
            format!("  {number} {}", step_sentence(step, &self.scene))
        };
        steps.iter().enumerate().map(line).collect()
    }

    fn question(&self, question: &str, choices: &[String]) -> Vec<String> {
        let mut lines = vec![self.style.paint(Tone::Strong, question)];
        lines.extend(choices.iter().enumerate().map(|(index, label)| {
            format!(
                "  {} {label}",
                self.style.paint(Tone::Typed, &(index + 1).to_string())
            )
        }));
        lines
    }

    fn handoff(
        &mut self,
        reason: &str,
        score: Option<(f64, f64)>,
        choices: &[String],
    ) -> Vec<String> {
        let measured = score.map_or_else(String::new, |(score, threshold)| {
            format!(
                " ({:.0} %, I need {:.0} %)",
                100.0 * score,
                100.0 * threshold
            )
        });
        let asked = self.style.paint(
            Tone::Warning,
            &format!("I hold still: {}{measured}.", reason.trim_end_matches('.')),
        );
        let mut lines = vec![asked];
        lines.extend(self.question("What shall I do?", choices));
        lines
    }

    fn step_finished(
        &mut self,
        t: f64,
        index: usize,
        step: &Step,
        (outcome, reason): (Outcome, Option<&str>),
    ) -> Vec<String> {
        let running = self.running.take();
        self.done = index + usize::from(outcome == Outcome::Done);
        let lasted = running.as_ref().map_or(String::new(), |step| {
            format!("  {}", seconds(t - step.since))
        });
        let task = running.map_or_else(|| step_sentence(step, &self.scene), |step| step.task);
        let (sign, tone) = match outcome {
            Outcome::Done => ("✓", Tone::Good),
            Outcome::Interrupted => ("■", Tone::Warning),
            Outcome::Failed | Outcome::TimedOut => ("✗", Tone::Bad),
        };
        let why = match (outcome, reason) {
            (Outcome::Done, _) => String::new(),
            (_, Some(reason)) => format!(": {}", reason.trim_end_matches('.')),
            (Outcome::TimedOut, None) => ": it took too long".to_owned(),
            (Outcome::Interrupted, None) => ": stopped".to_owned(),
            (Outcome::Failed, None) => ": it did not work".to_owned(),
        };
        let place = self.style.paint(Tone::Faint, &self.place(index));
        let lasted = self.style.paint(Tone::Faint, &lasted);
        vec![format!(
            "  {place} {} {task}{why}{lasted}",
            self.style.paint(tone, sign)
        )]
    }
}

/// What a plan says, without the answer from documents after it.
fn own_words(plan: &Plan) -> &str {
    let answer = plan.answer.as_deref().unwrap_or_default();
    plan.say
        .strip_suffix(answer)
        .unwrap_or(&plan.say)
        .trim_end()
}

fn finished_line(
    style: Style,
    (success, outcome): (bool, RunOutcome),
    lasted: f64,
    reason: Option<&str>,
) -> Option<String> {
    let reason = reason
        .map(|reason| reason.trim().trim_end_matches('.'))
        .filter(|reason| !reason.is_empty());
    let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    let (tone, text) = match outcome {
        // These were told as the plan's own words.
        RunOutcome::Chat | RunOutcome::Infeasible | RunOutcome::Unsafe => return None,
        RunOutcome::Done if success => (Tone::Good, format!("Done in {}.", seconds(lasted))),
        RunOutcome::Done => (
            Tone::Bad,
            "I thought it was done, but the world shows that it is not.".to_owned(),
        ),
        RunOutcome::NeedsPerson => (Tone::Warning, "I wait for an answer.".to_owned()),
        RunOutcome::Failed => (Tone::Bad, format!("I could not do it{why}.")),
        RunOutcome::Aborted => (Tone::Warning, format!("{}.", reason.unwrap_or("Stopped"))),
        RunOutcome::SafetyStop => (Tone::Bad, format!("The safety layer stopped me{why}.")),
    };
    Some(style.paint(tone, &text))
}

/// "▮▮▮▮▮▮▮▯▯▯", with "!" below the threshold.
fn bar(score: f64, threshold: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of 0..=1 of ten cells; NaN becomes none"
    )]
    let full = ((score.clamp(0.0, 1.0) * BAR as f64).round() as usize).min(BAR);
    let sign = if score < threshold { "!" } else { "" };
    format!("{}{}{sign}", "▮".repeat(full), "▯".repeat(BAR - full))
}

/// "a red block, two blue bowls and a closed drawer".
pub(crate) fn scene_words(scene: &Scene) -> String {
    let mut nouns: Vec<(String, usize)> = Vec::new();
    for object in &scene.objects {
        let state = match object.open {
            Some(true) => "open ",
            Some(false) => "closed ",
            None => "",
        };
        let noun = format!("{state}{}", object.noun());
        match nouns.iter_mut().find(|(known, _)| *known == noun) {
            Some((_, count)) => *count += 1,
            None => nouns.push((noun, 1)),
        }
    }
    let words: Vec<String> = nouns
        .into_iter()
        .map(|(noun, count)| counted(&noun, count))
        .collect();
    let mut text = if words.is_empty() {
        "nothing on the table".to_owned()
    } else {
        joined(&words)
    };
    if let Some(held) = &scene.gripper.holding {
        text.push_str(&format!("; I hold {}", object_phrase(held, scene)));
    }
    text
}

fn counted(noun: &str, count: usize) -> String {
    const WORDS: [&str; 8] = ["no", "one", "two", "three", "four", "five", "six", "seven"];
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    match count {
        1 if vowel => format!("an {noun}"),
        1 => format!("a {noun}"),
        _ => format!(
            "{} {noun}s",
            WORDS
                .get(count)
                .map_or_else(|| count.to_string(), |word| (*word).to_owned())
        ),
    }
}

/// What a change of the handoff means to somebody who may move the arm; the other
/// changes are told by what leads to them.
/// What a person who shows something is told.
fn in_lesson(to: &str, phase: Option<&str>) -> Option<&'static str> {
    let is_begun = (to, phase) == ("take_over", Some("correction"));
    is_begun
        .then_some("  ✋ The arm is yours: jog x 0.05, open, close, then next, keep or discard.")
}

fn by_hand(to: &str, phase: Option<&str>) -> Option<&'static str> {
    match (to, phase) {
        ("take_over", Some("correction")) => Some("  ✋ What you do now is the correction."),
        ("take_over", _) => Some(
            "  ✋ You have the arm: jog x 0.05, open, close, then correct, give back or abort.",
        ),
        ("safe_stop", _) => Some("  ! Nobody answered: the safe stop of this deployment follows."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(story: &mut Story, t: f64, json: serde_json::Value) -> String {
        let kind: RunEventKind = serde_json::from_value(json).unwrap();
        story.tell(&RunEvent { t, kind }).join("\n")
    }

    fn story() -> Story {
        let mut story = Story::new(Style::Plain);
        let scene = serde_json::json!({"event":"scene","scene":{"objects":[
            {"id":"red_block","kind":"block","color":"red"},{"id":"blue_bowl","kind":"bowl","color":"blue"}]}});
        assert_eq!(tell(&mut story, 0.0, scene), "");
        story
    }

    #[test]
    fn what_a_person_changes_is_told_with_the_numbers_that_count_on() {
        let mut story = story();
        let pick = serde_json::json!({"op":"pick","object":"red_block"});
        let plan = serde_json::json!({"event":"plan","plan":{"verdict":"execute","say":"I will.",
            "steps":[pick, {"op":"place","object":"red_block","target":"blue_bowl","relation":"in"}]}});
        tell(&mut story, 0.1, plan);
        tell(
            &mut story,
            0.2,
            serde_json::json!({"event":"step_started","index":0,"step":pick,"task":"pick it","attempt":1}),
        );
        tell(
            &mut story,
            1.0,
            serde_json::json!({"event":"step_finished","index":0,"step":pick,"outcome":"done"}),
        );
        let paused = serde_json::json!({"event":"paused","index":1,"reason":"You said so."});
        assert_eq!(
            tell(&mut story, 1.1, paused),
            "  ‖ I hold still. You said so. Say go on, skip or stop."
        );
        assert_eq!(story.status().unwrap(), "2/2 paused");
        let edited = serde_json::json!({"event":"edited","sentence":"no","say":"All right.",
            "steps":[{"op":"home"},{"op":"open_gripper"}]});
        assert_eq!(
            tell(&mut story, 1.2, edited),
            "All right.\n  2. go home\n  3. open the gripper"
        );
        tell(
            &mut story,
            1.3,
            serde_json::json!({"event":"resumed","index":1}),
        );
        let home = serde_json::json!({"event":"step_started","index":1,"step":{"op":"home"},"task":"go home",
            "attempt":2,"alternative":"from above it"});
        assert_eq!(
            tell(&mut story, 1.4, home),
            "  2/3 go home …  (try 2, from above it)"
        );
        let refused =
            serde_json::json!({"event":"edit_refused","sentence":"no","reason":"I see none."});
        assert_eq!(
            tell(&mut story, 1.5, refused),
            "The plan stays as it is: I see none."
        );
    }

    #[test]
    fn a_run_reads_like_a_conversation() {
        let mut story = story();
        let plan = serde_json::json!({"event":"plan","plan":{"verdict":"execute",
            "say":"I will put the red block in the blue bowl.",
            "steps":[{"op":"pick","object":"red_block"},
                {"op":"place","object":"red_block","target":"blue_bowl","relation":"in"}]}});
        assert_eq!(
            tell(&mut story, 0.1, plan),
            "I will put the red block in the blue bowl.\n  1. pick up the red block\n  2. place the red block in the blue bowl"
        );
        let started = serde_json::json!({"event":"step_started","index":0,"attempt":2,
            "step":{"op":"pick","object":"red_block"},"task":"pick up the red block"});
        assert_eq!(
            tell(&mut story, 0.5, started),
            "  1/2 pick up the red block …  (try 2)"
        );
        let sure = serde_json::json!({"event":"confidence","score":0.66,"threshold":0.5});
        assert_eq!(tell(&mut story, 2.0, sure), "");
        assert_eq!(
            story.status().unwrap(),
            "1/2 pick up the red block  sure ▮▮▮▮▮▮▮▯▯▯ 66 %  1.5 s"
        );
        let finished = serde_json::json!({"event":"step_finished","index":0,"outcome":"failed",
            "step":{"op":"pick","object":"red_block"},"reason":"it slipped"});
        assert_eq!(
            tell(&mut story, 4.0, finished),
            "  1/2 ✗ pick up the red block: it slipped  3.5 s"
        );
        assert_eq!(story.status(), None);
        let end =
            serde_json::json!({"event":"finished","success":true,"outcome":"done","seconds":9.84});
        assert_eq!(tell(&mut story, 9.9, end), "Done in 9.8 s.");
    }

    #[test]
    fn questions_are_numbered() {
        let mut story = story();
        let ask = serde_json::json!({"event":"plan","plan":{"verdict":"ask","say":"Which one?","question":"Which one?",
            "options":[{"label":"the left one"},{"label":"the right one"}]}});
        assert_eq!(
            tell(&mut story, 0.0, ask),
            "Which one?\n  1 the left one\n  2 the right one"
        );
        let handoff = serde_json::json!({"event":"handoff","reason":"I am unsure","score":0.2,"threshold":0.4,
            "choices":["continue","abort"]});
        assert_eq!(
            tell(&mut story, 0.0, handoff),
            "I hold still: I am unsure (20 %, I need 40 %).\nWhat shall I do?\n  1 continue\n  2 abort"
        );
    }

    #[test]
    fn the_world_may_disagree() {
        let end =
            serde_json::json!({"event":"finished","success":false,"outcome":"done","seconds":3.0});
        assert_eq!(
            tell(&mut story(), 3.0, end),
            "I thought it was done, but the world shows that it is not."
        );
        let stopped = serde_json::json!({"event":"finished","success":false,"outcome":"aborted","seconds":3.0,
            "reason":"Stopped by a person."});
        assert_eq!(tell(&mut story(), 3.0, stopped), "Stopped by a person.");
        let refused = serde_json::json!({"event":"finished","success":false,"outcome":"infeasible","seconds":0.0});
        assert_eq!(tell(&mut story(), 0.0, refused), "");
    }

    #[test]
    fn scenes_are_counted_in_words() {
        let scene = Scene::from_json(
            r#"{"objects":[{"id":"a","kind":"block","color":"red"},{"id":"b","kind":"block","color":"red"},
            {"id":"c","kind":"bowl","color":"orange","on":"gripper"},{"id":"drawer","kind":"drawer","open":false}]}"#,
        )
        .unwrap();
        assert_eq!(
            scene_words(&scene),
            "two red blocks, an orange bowl and a closed drawer; I hold the orange bowl"
        );
        assert_eq!(scene_words(&Scene::default()), "nothing on the table");
    }
}

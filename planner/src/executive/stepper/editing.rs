//! Changing a plan while it runs.
//!
//! The arm rests meanwhile. What is wanted is planned by the same ladder as any
//! sentence, over the scene as it is (with what the hand holds), and verified
//! together with the rest; what cannot be verified changes nothing.

use vola_types::{RunEventKind, Scene, Step, Verdict, step_sentence};

use super::{Course, Stepper};
use crate::describe::and_list;
use crate::executive::interjection::{Edit, LeftOut};
use crate::executive::plan_parts::{joined, object_of, parts};
use crate::executive::{Answered, Cast, request};
use crate::request::{Dialogue, LastCommand, PlanRequest};
use crate::rules::{is_command_verb, objects_named};
use crate::verifier::verify_steps;

/// Most questions about one change.
const MOST_QUESTIONS: usize = 3;

/// A change that can be made.
struct Changed {
    /// What is done now, for the person.
    say: String,
    /// The steps that are run from here.
    steps: Vec<Step>,
}

/// Why a change is not made, in words.
type Refused = String;

/// What is planned for the words of a change.
struct Wanted {
    goal: String,
    steps: Vec<Step>,
}

impl Stepper<'_> {
    /// Changes the rest of the plan, or says why not.
    pub(super) async fn edit(
        &mut self,
        line: &str,
        edit: &Edit,
        (scene, dialogue): (&mut Scene, &mut Dialogue),
        cast: &mut Cast<'_>,
    ) -> Course {
        cast.robot.stop().await?;
        *scene = self.look(cast).await?;
        let changed = match edit {
            Edit::LeaveOut(what) => self.left_out(what, scene, dialogue, cast).await,
            Edit::First(words) => self.first(words, scene, dialogue, cast).await,
            Edit::Also(words) => self.also(words, scene, dialogue, cast).await,
            Edit::Instead(words) => self.instead(words, scene, dialogue, cast).await,
        };
        if self.executive.is_stopped(cast) {
            return Ok(Some(self.stop_at(cast).await));
        }
        match changed {
            Ok(Changed { say, steps }) => {
                cast.emit(RunEventKind::Edited {
                    sentence: line.to_owned(),
                    say,
                    steps: steps.clone(),
                });
                self.edits += 1;
                // The sentence would be planned as it was.
                self.sentence = None;
                dialogue.question = None;
                dialogue.refer_to(&steps);
                self.continue_with(steps, dialogue);
            }
            Err(reason) => cast.emit(RunEventKind::EditRefused {
                sentence: line.to_owned(),
                reason,
            }),
        }
        Ok(None)
    }

    /// The rest in parts; the first one is being done.
    fn rest(&self) -> Vec<Vec<Step>> {
        parts(self.steps.get(self.next..).unwrap_or_default())
    }

    /// In the place of what is being done, or of what the words name.
    async fn instead(
        &self,
        words: &str,
        scene: &Scene,
        dialogue: &Dialogue,
        cast: &mut Cast<'_>,
    ) -> Result<Changed, Refused> {
        let rest = self.rest();
        let replaced = rejected_part(words, &rest, scene).unwrap_or(0);
        let part = self.part_with_pick(&rest, replaced);
        let wanted = self.plan(words, scene, (dialogue, &part), cast).await?;
        let is_about_part = wanted.steps.iter().any(|step| {
            let object = object_of(&part);
            let target = part.last().and_then(Step::target);
            (object.is_some() && step.object() == object)
                || (target.is_some() && step.target() == target)
        });
        // "Open the drawer instead": something else altogether.
        let kept = if is_about_part || rest.len() <= 1 {
            let done_by = |part: &Vec<Step>| wanted.steps.contains(&part[part.len() - 1]);
            let mut kept = rest.clone();
            let mut later = kept.split_off(replaced.min(kept.len()));
            if !later.is_empty() {
                later.remove(0);
            }
            let moves_another = object_of(&wanted.steps) != object_of(&part);
            for some in [&mut kept, &mut later] {
                some.retain(|part| !done_by(part));
                if moves_another {
                    without_double(some, &wanted, words, scene)?;
                }
            }
            [kept, later]
        } else {
            [Vec::new(), Vec::new()]
        };
        let capabilities = cast.robot.capabilities();
        let [mut all, later] = kept;
        all.push(wanted.steps);
        all.extend(later);
        let steps = joined(&all, scene, &capabilities)?;
        Ok(Changed {
            say: format!("All right, instead: {}.", wanted.goal),
            steps,
        })
    }

    /// Before the rest: a part of it, or something new.
    async fn first(
        &self,
        words: &str,
        scene: &Scene,
        dialogue: &Dialogue,
        cast: &mut Cast<'_>,
    ) -> Result<Changed, Refused> {
        let mut rest = self.rest();
        let capabilities = cast.robot.capabilities();
        let mut named = parts_named(words, &rest, scene);
        let mut wanted = None;
        if named.is_empty() {
            let part = self.part_with_pick(&rest, 0);
            let planned = self.plan(words, scene, (dialogue, &part), cast).await?;
            let acts = |part: &Vec<Step>| object_of(part) == object_of(&planned.steps);
            named = rest
                .iter()
                .enumerate()
                .filter(|(_, part)| acts(part))
                .map(|(index, _)| index)
                .collect();
            wanted = Some(planned);
        }
        let say = match (named.first(), wanted) {
            (Some(0), _) => return Err("That is what I am doing first already.".to_owned()),
            (Some(index), _) => {
                let part = rest.remove(*index);
                let say = in_words(&part, scene);
                rest.insert(0, part);
                say
            }
            (None, Some(wanted)) => {
                rest.insert(0, wanted.steps);
                wanted.goal
            }
            (None, None) => return Err("I do not know what to do first.".to_owned()),
        };
        let steps = joined(&rest, scene, &capabilities)?;
        Ok(Changed {
            say: format!("All right, first: {say}."),
            steps,
        })
    }

    /// After the rest.
    async fn also(
        &self,
        words: &str,
        scene: &Scene,
        dialogue: &Dialogue,
        cast: &mut Cast<'_>,
    ) -> Result<Changed, Refused> {
        let capabilities = cast.robot.capabilities();
        let rest = joined(&self.rest(), scene, &capabilities)?;
        // It is planned in the world that the rest leaves.
        let after = verify_steps(&rest, scene, &capabilities).map_err(|it| it.to_string())?;
        let last = parts(&self.steps).pop().unwrap_or_default();
        let wanted = self.plan(words, &after, (dialogue, &last), cast).await?;
        let steps = joined(&[rest, wanted.steps], scene, &capabilities)?;
        Ok(Changed {
            say: format!("All right, afterwards also: {}.", wanted.goal),
            steps,
        })
    }

    /// Without some of the rest.
    async fn left_out(
        &self,
        what: &LeftOut,
        scene: &Scene,
        dialogue: &Dialogue,
        cast: &mut Cast<'_>,
    ) -> Result<Changed, Refused> {
        let rest = self.rest();
        let dropped: Vec<usize> = match what {
            LeftOut::Last => rest.len().checked_sub(1).into_iter().collect(),
            LeftOut::Number(number) => vec![self.part_of_step(*number, &rest)?],
            LeftOut::Named(words) => {
                let named = parts_named(words, &rest, scene);
                if named.is_empty() {
                    let part = self.part_with_pick(&rest, 0);
                    let planned = self.plan(words, scene, (dialogue, &part), cast).await?;
                    let object = object_of(&planned.steps);
                    let acts = |index: &usize| object_of(&rest[*index]) == object;
                    (0..rest.len()).filter(acts).collect()
                } else {
                    named
                }
            }
        };
        if dropped.is_empty() {
            return Err("Nothing that is left to do has to do with that.".to_owned());
        }
        let (mut kept, mut gone) = (Vec::new(), Vec::new());
        for (index, part) in rest.into_iter().enumerate() {
            if dropped.contains(&index) {
                gone.push(part);
            } else {
                kept.push(part);
            }
        }
        let capabilities = cast.robot.capabilities();
        let steps = joined(&kept, scene, &capabilities)?;
        let comes_back = |part: &Vec<Step>| steps.contains(&part[part.len() - 1]);
        if let Some(part) = gone.iter().find(|part| comes_back(part)) {
            let words = in_words(part, scene);
            return Err(format!("What comes after it needs that I {words}."));
        }
        let words: Vec<String> = gone.iter().map(|part| in_words(part, scene)).collect();
        Ok(Changed {
            say: format!("All right, I leave out to {}.", and_list(&words)),
            steps,
        })
    }

    /// The part with the step of this number, as the plan was shown.
    fn part_of_step(&self, number: usize, rest: &[Vec<Step>]) -> Result<usize, Refused> {
        let index = number.saturating_sub(1);
        if index < self.next {
            return Err(format!("Step {number} is done already."));
        }
        let mut before = self.next;
        for (part, steps) in rest.iter().enumerate() {
            before += steps.len();
            if index < before {
                return Ok(part);
            }
        }
        Err(format!("There are only {} steps.", self.steps.len()))
    }

    /// A part of the rest, with the pick that was done for it.
    fn part_with_pick(&self, rest: &[Vec<Step>], index: usize) -> Vec<Step> {
        let Some(part) = rest.get(index) else {
            return parts(&self.steps).pop().unwrap_or_default();
        };
        let mut whole = part.clone();
        if index == 0
            && let [Step::Place { object, .. }, ..] = part.as_slice()
        {
            let object = object.clone();
            whole.insert(0, Step::Pick { object });
        }
        whole
    }

    /// Plans the words of a change, said about `part`; asks the person where they
    /// may mean several things.
    async fn plan(
        &self,
        words: &str,
        scene: &Scene,
        (dialogue, part): (&Dialogue, &[Step]),
        cast: &mut Cast<'_>,
    ) -> Result<Wanted, Refused> {
        let mut said = dialogue.clone();
        said.question = None;
        said.refer_to(part);
        if let Some(last) = &mut said.last {
            *last = LastCommand {
                sentence: last.sentence.clone(),
                steps: part.to_vec(),
                finished_steps: 0,
            };
        }
        let mut words = words.to_owned();
        for _ in 0..MOST_QUESTIONS {
            let request: PlanRequest = request(&words, scene, &said, cast.robot);
            let plan = self.executive.plan_unless_stopped(&request, cast).await;
            let Some(mut plan) = plan else {
                return Err("It was stopped.".to_owned());
            };
            said.note(&words, &plan);
            if plan.verdict == Verdict::Ask {
                cast.emit(RunEventKind::Plan { plan: plan.clone() });
                match self.executive.ask(&plan, &request, cast).await {
                    Answered::Plan(chosen) => plan = *chosen,
                    Answered::Text(text) => {
                        words = text;
                        continue;
                    }
                    Answered::Nothing => return Err("All right, it stays as it is.".to_owned()),
                    Answered::Nobody => return Err("Nobody said which one.".to_owned()),
                }
            }
            return match plan.verdict {
                Verdict::Execute => Ok(Wanted {
                    goal: plan.tree.goal,
                    steps: plan.steps,
                }),
                _ => Err(plan.say),
            };
        }
        Err("I do not understand how to change it.".to_owned())
    }
}

/// A thing that is to go somewhere else later does not go twice: a whole command
/// ("put the green one there instead") stands in place of what was planned for it;
/// "no, the green one" says only what is meant already.
fn without_double(
    kept: &mut Vec<Vec<Step>>,
    wanted: &Wanted,
    words: &str,
    scene: &Scene,
) -> Result<(), Refused> {
    let object = object_of(&wanted.steps);
    let acts = |part: &Vec<Step>| object.is_some() && object_of(part) == object;
    let Some(later) = kept.iter().find(|part| acts(part)) else {
        return Ok(());
    };
    // "The open one" tells which.
    let is_whole = words.to_lowercase().split([',', ';']).any(|clause| {
        let first = clause
            .split_whitespace()
            .find(|word| !matches!(*word, "no" | "not"));
        first.is_some_and(is_command_verb)
    });
    if !is_whole {
        return Err(format!(
            "That comes later anyway: I {}. Say \"skip\" to leave out what I am doing now.",
            in_words(later, scene)
        ));
    }
    kept.retain(|part| !acts(part));
    Ok(())
}

/// The part that "not the green one, …" rejects by a colour or kind of its
/// object; none where it names none, or that of none.
fn rejected_part(words: &str, rest: &[Vec<Step>], scene: &Scene) -> Option<usize> {
    let lower = words.to_lowercase();
    let after = lower.split_once("not ").map(|(_, after)| after)?;
    let rejected = after.split([',', ';']).next()?;
    let named = parts_named(rejected, rest, scene);
    let is_general = ["that one", "this one", "it", "that", "this"].contains(&rejected.trim());
    named.first().copied().filter(|_| !is_general)
}

/// Positions of the parts that act on what a noun phrase means.
fn parts_named(words: &str, rest: &[Vec<Step>], scene: &Scene) -> Vec<usize> {
    let objects: Vec<String> = rest
        .iter()
        .filter_map(|part| object_of(part).map(str::to_owned))
        .collect();
    let asked = PlanRequest::new(words, scene.clone());
    let phrase = words.trim_start_matches("do ").trim();
    let named = objects_named(phrase, &asked, &objects);
    let acts = |part: &Vec<Step>| object_of(part).is_some_and(|id| named.iter().any(|n| n == id));
    rest.iter()
        .enumerate()
        .filter(|(_, part)| acts(part))
        .map(|(index, _)| index)
        .collect()
}

/// "pick up the red block and place it …" in short: the last step of the part.
fn in_words(part: &[Step], scene: &Scene) -> String {
    part.last()
        .map_or_else(String::new, |step| step_sentence(step, scene))
}

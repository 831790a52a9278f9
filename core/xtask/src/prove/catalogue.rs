//! What can be proved: the claims, how each is measured, and its bars.

use super::figure::Bar;

/// One claim.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof {
    /// Its name, and that of its report.
    pub(crate) name: &'static str,
    /// What is measured.
    pub(crate) what: &'static str,
    /// How.
    pub(crate) way: Way,
}

/// How a claim is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// By `vola eval`.
    Eval(Evaluation),
    /// By `vola policy bench`.
    PolicyBench,
    /// By the tests of the boundary.
    Boundary,
    /// By `vola record --expert --clean`, for each arm.
    Expert,
    /// By the time and memory of whole processes.
    Processes,
    /// By the proof that comes with the safety filter.
    SafetyFilter,
    /// By `vola doctor --faults`.
    Faults,
    /// By `vola bench control` on a busy machine.
    ControlThread,
    /// By the test that counts what the control loop allocates and locks.
    ControlPath,
    /// By the tests of isolated plugins.
    Isolation,
    /// By `vola eval` with and without the safety filter.
    FilterCost,
    /// By `vola eval --suite planner`, for each back end that needs no network.
    Planner,
    /// By `vola calibrate --planner`.
    Asking,
    /// By the recorder's own tests.
    Recording,
    /// By `vola eval --suite documents`.
    Documents,
    /// By `vola eval --suite handoff`.
    Handoff,
    /// By `vola eval --suite handoff --operator simulated`.
    Operator,
    /// By the runtime's test of random handoffs on a control loop.
    HandoffRest,
    /// By the page's connections to `vola serve`, without a browser.
    Console,
    /// By `vola policy adapt`, with `vola eval` before and after.
    Adaptation,
    /// By `vola bench planner`, in turn with llama.cpp's Python package.
    LocalSpeed,
    /// By `vola bench soak`, for two hours.
    Soak,
}

/// A call of `vola eval`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evaluation {
    /// Arguments beside the number of episodes.
    pub(crate) arguments: &'static [&'static str],
    /// Figures with a bar: a task's name, or a field of the summary.
    pub(crate) bars: &'static [(&'static str, Bar)],
}

/// Episodes a task.
pub(crate) const EPISODES: u32 = 200;
/// Episodes a task where only the way is tried.
pub(crate) const QUICK_EPISODES: u32 = 2;

/// Share of clean episodes that may be held.
const HELD: (&str, Bar) = ("held", Bar::AtMost(0.08));
/// Episodes a second in virtual time with two workers.
const PACE: (&str, Bar) = ("episodes_per_second", Bar::AtLeast(1.0));
/// What a policy that does not look, or does not listen, may still reach.
const BY_CHANCE: Bar = Bar::AtMost(0.15);

/// Every claim, in the order of the summary.
pub(crate) const PROOFS: [Proof; 33] = [
    Proof {
        name: "policy-franka",
        what: "how often `tabletop/franka` does each task; scenes never trained on, goal points from the camera",
        way: Way::Eval(Evaluation {
            arguments: &[],
            bars: &[
                ("pick", Bar::AtLeast(0.97)),
                ("place_in", Bar::AtLeast(0.97)),
                ("place_on_region", Bar::AtLeast(0.97)),
                ("push", Bar::AtLeast(0.95)),
                ("push_to_region", Bar::AtLeast(0.95)),
                ("stack", Bar::AtLeast(0.88)),
                ("relation", Bar::AtLeast(0.88)),
                ("drawer", Bar::AtLeast(0.85)),
                ("place_in_drawer", Bar::AtLeast(0.85)),
                ("multi", Bar::AtLeast(0.88)),
                HELD,
                PACE,
            ],
        }),
    },
    Proof {
        name: "policy-ur5e",
        what: "the same for `tabletop/ur5e` with the same bundle",
        way: Way::Eval(Evaluation {
            arguments: &["--arm", "tabletop/ur5e"],
            bars: &[
                ("pick", Bar::AtLeast(0.92)),
                ("place_in", Bar::AtLeast(0.92)),
                ("place_on_region", Bar::AtLeast(0.92)),
                ("push", Bar::AtLeast(0.90)),
                ("push_to_region", Bar::AtLeast(0.90)),
                ("stack", Bar::AtLeast(0.88)),
                ("relation", Bar::AtLeast(0.88)),
                ("drawer", Bar::AtLeast(0.85)),
                ("place_in_drawer", Bar::AtLeast(0.85)),
                ("multi", Bar::AtLeast(0.88)),
                HELD,
            ],
        }),
    },
    Proof {
        name: "commands-franka",
        what: "whole sentences from a cold start through planner and executive: every op that is declared",
        way: Way::Eval(Evaluation {
            arguments: &["--suite", "commands"],
            bars: &[
                ("pick", Bar::AtLeast(0.97)),
                ("place_in", Bar::AtLeast(0.97)),
                ("place_on_region", Bar::AtLeast(0.97)),
                ("push", Bar::AtLeast(0.95)),
                ("push_to_region", Bar::AtLeast(0.95)),
                ("stack", Bar::AtLeast(0.88)),
                ("relation", Bar::AtLeast(0.88)),
                ("drawer", Bar::AtLeast(0.85)),
                ("place_in_drawer", Bar::AtLeast(0.85)),
                ("multi", Bar::AtLeast(0.88)),
            ],
        }),
    },
    Proof {
        name: "commands-ur5e",
        what: "the same for `tabletop/ur5e`",
        way: Way::Eval(Evaluation {
            arguments: &["--suite", "commands", "--arm", "tabletop/ur5e"],
            bars: &[
                ("pick", Bar::AtLeast(0.92)),
                ("place_in", Bar::AtLeast(0.92)),
                ("place_on_region", Bar::AtLeast(0.92)),
                ("push", Bar::AtLeast(0.90)),
                ("push_to_region", Bar::AtLeast(0.90)),
                ("stack", Bar::AtLeast(0.88)),
                ("relation", Bar::AtLeast(0.88)),
                ("drawer", Bar::AtLeast(0.85)),
                ("place_in_drawer", Bar::AtLeast(0.85)),
                ("multi", Bar::AtLeast(0.88)),
            ],
        }),
    },
    Proof {
        name: "words-only",
        what: "picking by words alone, without goal points",
        way: Way::Eval(Evaluation {
            arguments: &["--task", "pick", "--words-only"],
            bars: &[("pick", Bar::AtLeast(0.95))],
        }),
    },
    Proof {
        name: "phrases",
        what: "tasks in sentences whose templates training never used",
        way: Way::Eval(Evaluation {
            arguments: &[
                "--phrases",
                "held-out",
                "--task",
                "pick",
                "--task",
                "place_in",
                "--task",
                "place_on_region",
                "--task",
                "push",
                "--task",
                "stack",
                "--task",
                "relation",
                "--task",
                "push_to_region",
                "--task",
                "drawer",
                "--task",
                "place_in_drawer",
            ],
            bars: &[
                ("pick", Bar::AtLeast(0.97)),
                ("place_in", Bar::AtLeast(0.97)),
                ("place_on_region", Bar::AtLeast(0.97)),
                ("push", Bar::AtLeast(0.95)),
                ("stack", Bar::AtLeast(0.88)),
                ("relation", Bar::AtLeast(0.88)),
                ("push_to_region", Bar::AtLeast(0.95)),
                ("drawer", Bar::AtLeast(0.85)),
                ("place_in_drawer", Bar::AtLeast(0.85)),
            ],
        }),
    },
    Proof {
        name: "phrases-ur5e",
        what: "the same for `tabletop/ur5e`",
        way: Way::Eval(Evaluation {
            arguments: &[
                "--arm",
                "tabletop/ur5e",
                "--phrases",
                "held-out",
                "--task",
                "pick",
                "--task",
                "place_in",
                "--task",
                "place_on_region",
                "--task",
                "push",
                "--task",
                "stack",
                "--task",
                "relation",
                "--task",
                "push_to_region",
                "--task",
                "drawer",
                "--task",
                "place_in_drawer",
            ],
            bars: &[
                ("pick", Bar::AtLeast(0.92)),
                ("place_in", Bar::AtLeast(0.92)),
                ("place_on_region", Bar::AtLeast(0.92)),
                ("push", Bar::AtLeast(0.90)),
                ("stack", Bar::AtLeast(0.88)),
                ("relation", Bar::AtLeast(0.88)),
                ("push_to_region", Bar::AtLeast(0.90)),
                ("drawer", Bar::AtLeast(0.85)),
                ("place_in_drawer", Bar::AtLeast(0.85)),
            ],
        }),
    },
    Proof {
        name: "combos",
        what: "targets whose colour and kind training never used as a target",
        way: Way::Eval(Evaluation {
            arguments: &["--combos", "held_out", "--task", "pick", "--task", "push"],
            bars: &[("pick", Bar::AtLeast(0.90)), ("push", Bar::AtLeast(0.85))],
        }),
    },
    Proof {
        name: "black-images",
        what: "that it looks: success with black pictures",
        way: Way::Eval(Evaluation {
            arguments: &["--black-images", "--task", "pick", "--task", "push"],
            bars: &[("pick", BY_CHANCE), ("push", BY_CHANCE)],
        }),
    },
    Proof {
        name: "shuffled",
        what: "that it listens: success when another target is named than the one measured",
        way: Way::Eval(Evaluation {
            arguments: &["--shuffle-target", "--task", "pick", "--task", "push"],
            bars: &[("pick", BY_CHANCE), ("push", BY_CHANCE)],
        }),
    },
    Proof {
        name: "scene",
        what: "the scene that the camera shows, and the one that is remembered after a command, against the true one",
        way: Way::Eval(Evaluation {
            arguments: &["--suite", "scene"],
            bars: &[
                ("recall", Bar::AtLeast(0.98)),
                ("precision", Bar::AtLeast(0.98)),
                ("median_error_m", Bar::AtMost(0.01)),
            ],
        }),
    },
    Proof {
        name: "multi",
        what: "sentences of two to four steps through the planner's grammar, scene from the camera",
        way: Way::Eval(Evaluation {
            arguments: &["--task", "multi", "--backend", "rules"],
            bars: &[("multi", Bar::AtLeast(0.88))],
        }),
    },
    Proof {
        name: "planner",
        what: "plans for 2000 commands out of the held-out phrase book and for 300 sentences of people, a third of them Urdu",
        way: Way::Planner,
    },
    Proof {
        name: "asking",
        what: "how often the right reading is among those that are kept, where the planner asks about its doubts",
        way: Way::Asking,
    },
    Proof {
        name: "local-speed",
        what: "tokens a second of a random model of half a billion parameters in Q8_0, here and in llama.cpp, in turn; and the second sentence against the first",
        way: Way::LocalSpeed,
    },
    Proof {
        name: "documents",
        what: "questions over the shipped manual: the right passage cited, or said not to be there; alone and beside commands",
        way: Way::Documents,
    },
    Proof {
        name: "handoff",
        what: "how well it is known that an episode fails: false holds on clean episodes, failures under thirteen perturbations, against a velocity limit and chance",
        way: Way::Handoff,
    },
    Proof {
        name: "operator",
        what: "what a simulated operator who is asked adds to perturbed episodes, and how much of the operator's time it takes",
        way: Way::Operator,
    },
    Proof {
        name: "handoff-rest",
        what: "that nothing moves while the arm holds or a person is asked, in random sequences of a handoff's events",
        way: Way::HandoffRest,
    },
    Proof {
        name: "console",
        what: "how soon a question is on the operator's page, and how soon the arm does what the page says; on loopback",
        way: Way::Console,
    },
    Proof {
        name: "policy-bench",
        what: "time of a policy step, pixels to checked chunk",
        way: Way::PolicyBench,
    },
    Proof {
        name: "boundary",
        what: "cost of calls through a loaded plugin library, and of loading it",
        way: Way::Boundary,
    },
    Proof {
        name: "expert",
        what: "how often the scripted expert that shows the tasks does them, undisturbed",
        way: Way::Expert,
    },
    Proof {
        name: "run-fast",
        what: "whole processes: one pick-and-place in virtual time, and chat to its first answer",
        way: Way::Processes,
    },
    Proof {
        name: "safety-filter",
        what: "that nothing gets past the safety filter: hostile commands, stops from random states, time of a tick",
        way: Way::SafetyFilter,
    },
    Proof {
        name: "faults",
        what: "that every fault of the lab is found, named and survived, by both arms",
        way: Way::Faults,
    },
    Proof {
        name: "control-thread",
        what: "lateness and work of the control thread in real time, every core busy besides",
        way: Way::ControlThread,
    },
    Proof {
        name: "control-path",
        what: "that the control loop allocates nothing and waits for nobody, plugins included",
        way: Way::ControlPath,
    },
    Proof {
        name: "isolation",
        what: "what a plugin's own process costs, and how soon its loss is noticed",
        way: Way::Isolation,
    },
    Proof {
        name: "filter-cost",
        what: "success with the safety filter on, and off",
        way: Way::FilterCost,
    },
    Proof {
        name: "recording",
        what: "what is lost when a recording process is killed at 200 random moments, and what recording costs",
        way: Way::Recording,
    },
    Proof {
        name: "adaptation",
        what: "what 20 corrections of a camera that was moved for good bring, cost and take; scenes never seen",
        way: Way::Adaptation,
    },
    Proof {
        name: SOAK,
        what: "what grows in two hours at full rate; measured only when named",
        way: Way::Soak,
    },
];

/// The proof that takes hours.
pub(crate) const SOAK: &str = "soak";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_file_names_and_stand_once() {
        let names: BTreeSet<&str> = PROOFS.iter().map(|proof| proof.name).collect();
        assert_eq!(names.len(), PROOFS.len());
        let is_plain = |name: &str| {
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit())
        };
        assert!(names.into_iter().all(is_plain));
    }
}

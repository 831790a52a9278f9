//! The templates and words that sentences are made of.
//!
//! `{o}` is the object ("red block"), `{t}` the target ("blue bowl", "top left corner"), `{r}` a
//! relation ("left of"), `{d}` a direction ("to the left"). The first training template is the
//! canonical sentence that the runtime says; held-out templates use words of training ones only.

use vola_types::{Direction, Relation};

/// Ways to say one kind of step.
pub(crate) struct Templates {
    pub(crate) training: &'static [&'static str],
    pub(crate) held_out: &'static [&'static str],
}

pub(crate) const PICK: Templates = Templates {
    training: &[
        "pick up the {o}",
        "pick the {o} up",
        "grab the {o}",
        "take the {o}",
        "lift the {o}",
        "get the {o}",
        "pick up a {o} please",
        "please grab the {o} from the table",
        "could you pick up the {o}",
        "lift up the {o}",
        "take hold of the {o}",
        "grasp the {o}",
    ],
    held_out: &[
        "can you lift the {o} up from the table",
        "get hold of the {o} please",
        "the {o} , grab it",
        "please take the {o} up",
        "take hold of the {o} and lift it up",
        "lift the {o} from the table please",
    ],
};
pub(crate) const PLACE_IN: Templates = Templates {
    training: &[
        "place the {o} in the {t}",
        "put the {o} in the {t}",
        "put the {o} into the {t}",
        "drop the {o} in the {t}",
        "place the {o} inside the {t}",
        "put it in the {t}",
        "set the {o} down in the {t}",
        "please drop the held {o} into the {t}",
        "into the {t} with the {o}",
        "move the {o} into the {t}",
        "could you put the {o} in the {t}",
        "into the {t} , put the {o}",
        "take it and drop it into the {t}",
    ],
    held_out: &[
        "could you set the {o} inside the {t}",
        "in the {t} , place the {o}",
        "please drop it into the {t}",
        "take the {o} and put it in the {t}",
        "set it down inside the {t} please",
        "the {o} , drop it in the {t}",
    ],
};
pub(crate) const PLACE_ON: Templates = Templates {
    training: &[
        "place the {o} on the {t}",
        "put the {o} on the {t}",
        "put the {o} on top of the {t}",
        "stack the {o} on the {t}",
        "set the {o} down on the {t}",
        "place it on top of the {t}",
        "stack the {o} on top of the {t}",
        "please put the held {o} onto the {t}",
        "move the {o} onto the {t}",
        "lay the {o} on the {t}",
        "could you put the {o} on top of the {t}",
        "on the {t} , stack the {o}",
        "take it and set it on top of the {t}",
    ],
    held_out: &[
        "could you stack it on the {t}",
        "on top of the {t} , put the {o}",
        "please set the {o} onto the {t}",
        "take the {o} and stack it on top of the {t}",
    ],
};
pub(crate) const PLACE_REGION: Templates = Templates {
    training: &[
        "place the {o} on the {t}",
        "put the {o} on the {t}",
        "put the {o} at the {t}",
        "place the {o} in the {t} of the table",
        "set the {o} down at the {t}",
        "put it down on the {t}",
        "move the {o} to the {t}",
        "please place the held {o} in the {t} area",
        "drop the {o} at the {t}",
        "lay the {o} on the {t} of the table",
        "could you put the {o} on the {t}",
        "on the {t} , place the {o}",
        "in the {t} of the table , set it down",
        "take the {o} to the {t}",
        "take it and put it at the {t}",
        "please lay the {o} in the {t}",
        "could you move it to the {t} area of the table",
        "set it on the {t}",
        "please set the {o} down at the {t} area",
        "pick the {o} and move it to the {t}",
    ],
    held_out: &[
        "could you set it down in the {t} area",
        "at the {t} of the table , put the {o}",
        "please move it to the {t}",
        "take the {o} and lay it on the {t}",
        "the {o} , lay it down at the {t}",
        "could you drop the {o} on the {t} of the table",
    ],
};
pub(crate) const PLACE_BESIDE: Templates = Templates {
    training: &[
        "place the {o} {r} the {t}",
        "put the {o} {r} the {t}",
        "set the {o} down {r} the {t}",
        "put it {r} the {t}",
        "move the {o} {r} the {t}",
        "please place the held {o} {r} the {t}",
        "drop the {o} {r} the {t}",
        "lay the {o} on the table {r} the {t}",
        "place it down {r} the {t}",
        "could you put the {o} {r} the {t}",
        "{r} the {t} , set it down",
        "take it and lay it {r} the {t}",
    ],
    held_out: &[
        "could you set it {r} the {t}",
        "{r} the {t} , put the {o}",
        "take the {o} and place it {r} the {t}",
        "please lay the {o} down {r} the {t}",
    ],
};
pub(crate) const PUSH: Templates = Templates {
    training: &[
        "push the {o} {d}",
        "slide the {o} {d}",
        "move the {o} {d}",
        "push the {o} a bit {d}",
        "shove the {o} {d}",
        "please push the {o} {d}",
        "slide the {o} a bit {d} on the table",
        "nudge the {o} {d}",
        "could you push the {o} {d}",
        "give the {o} a push {d}",
        "can you push the {o} {d}",
        "push it {d} , the {o}",
        "please slide the {o} {d} a bit",
        "give the {o} a nudge {d}",
        "a shove {d} to the {o} please",
    ],
    held_out: &[
        "can you slide the {o} {d} please",
        "the {o} , push it {d}",
        "please shove the {o} a bit {d}",
        "give a nudge to the {o} {d}",
        "push the {o} a bit {d} please",
        "could you shove the {o} {d} on the table",
    ],
};
pub(crate) const PUSH_REGION: Templates = Templates {
    training: &[
        "push the {o} to the {t}",
        "slide the {o} to the {t}",
        "push the {o} into the {t}",
        "push the {o} towards the {t}",
        "shove the {o} to the {t}",
        "please push the {o} to the {t} of the table",
        "slide the {o} over to the {t}",
        "nudge the {o} to the {t}",
        "could you push the {o} to the {t} area",
        "can you push the {o} into the {t} area",
        "push it into the {t} , the {o}",
        "please slide it to the {t} , the {o}",
        "give the {o} a nudge over to the {t}",
    ],
    held_out: &[
        "can you slide the {o} into the {t} please",
        "the {o} , push it to the {t}",
        "please shove the {o} over to the {t} area",
        "give the {o} a push to the {t}",
        "could you shove the {o} into the {t} of the table",
        "nudge the {o} over to the {t} please",
    ],
};
pub(crate) const OPEN: Templates = Templates {
    training: &[
        "open the {o}",
        "pull the {o} open",
        "please open the {o}",
        "pull out the {o}",
        "open up the {o}",
        "could you open the {o}",
        "slide the {o} open",
        "get the {o} open",
    ],
    held_out: &[
        "can you pull the {o} out please",
        "the {o} , open it",
        "please slide the {o} out",
    ],
};
pub(crate) const CLOSE: Templates = Templates {
    training: &[
        "close the {o}",
        "push the {o} closed",
        "please close the {o}",
        "shut the {o}",
        "push the {o} shut",
        "could you close the {o}",
        "slide the {o} closed",
        "get the {o} closed",
    ],
    held_out: &[
        "can you shut the {o} please",
        "the {o} , close it",
        "please push the {o} back closed",
    ],
};

/// Words for a relation; the first is the canonical one.
pub(crate) fn relation_words(relation: Relation) -> &'static [&'static str] {
    match relation {
        Relation::In => &["in"],
        Relation::On => &["on"],
        Relation::LeftOf => &["left of", "to the left of", "on the left of"],
        Relation::RightOf => &["right of", "to the right of", "on the right of"],
        Relation::InFrontOf => &["in front of", "before"],
        Relation::Behind => &["behind", "in back of"],
        Relation::NextTo => &["next to", "beside", "near", "close to"],
    }
}

/// Words for a direction; the first is the canonical one.
pub(crate) fn direction_words(direction: Direction) -> &'static [&'static str] {
    match direction {
        Direction::Left => &["to the left", "left", "towards the left"],
        Direction::Right => &["to the right", "right", "towards the right"],
        Direction::Forward => &["forward", "away from you", "away"],
        Direction::Back => &["back", "towards you", "backwards"],
    }
}

/// Nouns for a kind; the first is the canonical one.
pub(crate) fn kind_words(kind: &str) -> &'static [&'static str] {
    match kind {
        "bowl" => &["bowl", "dish"],
        "drawer" => &["drawer"],
        _ => &["block", "cube", "brick"],
    }
}

//! The syntax tree: what a sentence says, before anyone looks at the scene.

use vola_types::{Direction, Region};

/// Tokens `start..end` of the sentence; also the key under which a person's
/// choice is remembered.
pub(super) type Span = (usize, usize);

/// How many objects a noun phrase means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Quantity {
    /// "the red block", "red block".
    The,
    /// "a block", "two of the blocks": whichever.
    Any(usize),
    /// "the two blocks": exactly these.
    Exactly(usize),
    /// "all", "every", "each".
    All,
    /// "both".
    Both,
    /// "a few", "some", "most": how many is not said.
    Vague(String),
}

/// The noun.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Head {
    /// A kind of the scene or of the default tabletop.
    Kind(String),
    /// "thing", "object".
    Anything,
    /// "one", or no noun at all: as the context has it.
    One,
    /// An id of the scene.
    Id(String),
    /// "it", "that".
    It,
    /// "them", "those".
    Them,
    /// A noun nobody knows.
    Unknown(String),
}

/// A side of the table, seen from the robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// +y.
    Left,
    /// −y.
    Right,
    /// +x.
    Far,
    /// −x.
    Near,
    /// Between.
    Middle,
}

/// Extremes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Superlative {
    /// "leftmost", …
    Most(Side),
    /// "nearest"; to the robot when nothing is named.
    Nearest(Option<Box<NounPhrase>>),
    /// "farthest".
    Farthest(Option<Box<NounPhrase>>),
    /// "on top of the pile".
    Highest,
}

/// A state an object can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing in it.
    Empty,
    /// Something in it.
    Full,
    /// Open.
    Open,
    /// Closed.
    Closed,
    /// In the gripper.
    Held,
}

/// One noun phrase.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NounPhrase {
    pub(super) span: Span,
    pub(super) quantity: Quantity,
    pub(super) plural: bool,
    pub(super) head: Head,
    /// Any of these colours; empty for any colour.
    pub(super) colors: Vec<String>,
    /// None of these colours.
    pub(super) not_colors: Vec<String>,
    pub(super) sides: Vec<Side>,
    pub(super) superlative: Option<Superlative>,
    /// "second … from the left"; counted from this side.
    pub(super) ordinal: Option<(usize, Side)>,
    /// "block 2": the number in the id.
    pub(super) number: Option<usize>,
    pub(super) state: Option<State>,
    /// "the other", "another", "the rest".
    pub(super) other: bool,
    /// "that block": the one spoken of, if it fits.
    pub(super) deictic: bool,
    /// "of the same colour", "matching".
    pub(super) same_color: bool,
    /// An adjective that the scene cannot answer ("big").
    pub(super) unknown_adjective: Option<String>,
    /// "that is (not) in the bowl": condition and whether it must hold.
    pub(super) conditions: Vec<(Prep, bool)>,
    pub(super) except: Option<Box<NounGroup>>,
}

impl NounPhrase {
    pub(super) fn new(at: usize, head: Head) -> Self {
        Self {
            span: (at, at),
            quantity: Quantity::The,
            plural: false,
            head,
            colors: Vec::new(),
            not_colors: Vec::new(),
            sides: Vec::new(),
            superlative: None,
            ordinal: None,
            number: None,
            state: None,
            other: false,
            deictic: false,
            same_color: false,
            unknown_adjective: None,
            conditions: Vec::new(),
            except: None,
        }
    }

    /// Whether it names several objects.
    pub(super) fn is_group(&self) -> bool {
        self.plural
            || match self.quantity {
                Quantity::Any(n) | Quantity::Exactly(n) => n > 1,
                Quantity::The => self.head == Head::Them,
                _ => true,
            }
    }
}

/// Noun phrases joined by "and" or "or".
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NounGroup {
    pub(super) members: Vec<NounPhrase>,
    /// Joined by "or": one of them.
    pub(super) either: bool,
}

/// What a preposition means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PrepKind {
    In,
    On,
    /// "to", "at", "towards".
    To,
    LeftOf,
    RightOf,
    InFrontOf,
    Behind,
    NextTo,
    /// "from", "out of", "off".
    From,
    Above,
    Under,
    Between,
}

/// What a preposition points at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PlaceRef {
    /// One region, or the possible ones ("a corner").
    Regions(Vec<Region>),
    /// "the left": a direction, a side or an adjective.
    Side(Side),
    Table,
    /// The robot's hand.
    Hand,
    /// The person, or the robot's own base.
    Me,
    There,
    Object(Box<NounPhrase>),
    Pair(Box<NounPhrase>, Box<NounPhrase>),
}

/// A preposition with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prep {
    pub(super) span: Span,
    pub(super) kind: PrepKind,
    pub(super) place: PlaceRef,
    /// "into", "onto", "to": only ever says where to, never which one.
    pub(super) motion: bool,
}

/// What one clause asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    /// Bring somewhere. With a `way` and no place it is a push.
    Put {
        object: NounGroup,
        preps: Vec<Prep>,
        way: Option<Direction>,
        /// "put it down", "drop it".
        down: bool,
        /// "move": a bare side means a direction.
        is_move: bool,
    },
    Take {
        object: NounGroup,
        preps: Vec<Prep>,
        /// "take out", "remove": onto the table.
        out: bool,
    },
    Push {
        object: NounGroup,
        preps: Vec<Prep>,
        way: Option<Direction>,
    },
    Open(NounGroup),
    Close(NounGroup),
    OpenHand,
    CloseHand,
    Release,
    MoveTo(Prep),
    Home,
    Wait(f64),
    /// A tower of these; `None`: of all blocks.
    Tower(Option<NounGroup>),
    /// Each into the bowl of its colour.
    Sort(Option<NounGroup>),
    /// Somewhere off the table's middle; the person says where.
    TidyUp(Option<NounGroup>),
    Empty(NounGroup),
    Give,
    /// "leave the red block alone".
    Leave(NounGroup),
    /// "put A and B in C and D respectively": one after the other.
    Several(Vec<Command>),
    /// "instead of opening the drawer": spoken of only.
    Denied(Box<Command>),
    Unsupported(String),
}

/// One clause.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clause {
    pub(super) command: Command,
    /// "do not …".
    pub(super) negated: bool,
}

//! The planner: from a sentence to verified primitives, and from a plan to
//! things done.
//!
//! - [`Ladder`]: back ends in order ([`Backend`]); the guard before and after,
//!   the verifier on every answer, a person as the last rung.
//! - [`RulesBackend`]: everyday English by grammar, without a model.
//! - [`ClaudeBackend`], [`OpenAiBackend`]: models over HTTP, with one prompt, one
//!   schema ([`PlanSchema`]) and one parser ([`read_reply`]).
//! - [`DecisionLog`], [`replay`]: every decision on file, and run again.
//! - [`DocumentSearch`], [`Inquiry`]: questions about documents, alone or beside
//!   a command, answered with citations.
//! - [`SceneMemory`]: from detections to scenes whose ids last.
//! - [`Executive`]: one step at a time on a [`Robot`], measured, retried,
//!   planned anew, or handed to an [`Operator`].
//! - [`SymbolicRobot`]: steps that fail, seeded, to measure the executive.
//! - [`asking`]: when a doubt is asked about, calibrated.
//! - [`verify_steps`], [`verify_draft`]: symbolic simulation of plans.
//!
//! This crate knows no runtime, no tensors and no cameras: a robot is the
//! [`Robot`] trait, a person the [`Operator`] trait, a camera a list of
//! [`Detection`]s. Other back ends plug in through [`Backend`].

pub mod asking;
mod backend;
mod backends;
mod capabilities;
mod decision_record;
pub mod describe;
mod documents;
mod draft;
mod executive;
pub mod geometry;
pub mod guard;
mod ladder;
mod letters;
mod plan_reply;
mod plan_schema;
pub mod postcondition;
mod prompt;
pub mod readings;
mod request;
mod rules;
mod scene_memory;
mod sentence_reader;
mod symbolic_robot;
mod transcript;
mod verifier;

pub use backend::{Backend, BackendError};
pub use backends::{
    Address, Agreement, ApiKey, ClaudeBackend, ClaudeSettings, DEFAULT_CLAUDE_MODEL,
    DEFAULT_MAX_TOKENS, Environment, ModelOptions, OpenAiBackend, OpenAiSettings, RetrySettings,
    SetupError, Unavailable, claude_rung, openai_rung,
};
pub use capabilities::{Capabilities, Workspace};
pub use decision_record::{
    Asked, AttemptRecord, DecisionLog, DecisionRecord, RecordError, Replay, RungRecord,
    read_record, replay,
};
pub use documents::{Asked as AskedOfDocuments, DocumentSearch, Found, Inquiry, Passage};
pub use draft::{PlanDraft, Quote};
pub use executive::{
    Actors, AnswerOnce, Attention, ChannelSink, Edit, EventSink, EventsOnly, Executive,
    ExecutiveSettings, HandoffTurn, Heed, Interjection, Journal, LeftOut, NoOperator, Operator,
    Past, PrimitiveEnd, Question, Reply, Robot, RobotError, RunQuestion, RunReport, StepState,
    StopFlag, TakenOver, rebuild,
};
pub use geometry::{ResolveError, push_route, resolve, resolve_elsewhere, with_side};
pub use ladder::{DEFAULT_DEADLINE, Ladder, MAX_REPAIRS};
pub use plan_reply::{MAX_REPLY_BYTES, ReplyError, read_reply};
pub use plan_schema::{Dialect, LoweredSchema, PlanSchema};
pub use prompt::{
    SYSTEM_PROMPT, repair, robot_card, schema_in_words, situation, situation_with_documents,
};
pub use request::{
    CallLimits, Dialogue, EncodedImage, Feedback, LastCommand, MAX_SENTENCE_BYTES, OpenQuestion,
    PlanRequest,
};
pub use rules::compact;
pub use rules::{RulesBackend, is_stop_word};
pub use scene_memory::{
    Detection, Detections, Disc, GripperReading, MemorySettings, SceneMemory, View,
};
pub use sentence_reader::{ReadContext, Reading, SentenceReader};
pub use symbolic_robot::{Hazards, Mishap, SymbolicRobot, is_reached};
pub use transcript::{Exchange, Transcript};
pub use verifier::{
    MAX_OPTIONS, MAX_STEPS, MAX_TEXT_BYTES, PlanError, PlanFault, SymbolicWorld, verify_draft,
    verify_steps,
};

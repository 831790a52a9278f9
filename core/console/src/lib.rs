//! The operator's page and its server: a person, or a program, on the network
//! sees what a robot does and can stop it.
//!
//! The server knows no robot; it speaks to a [`Desk`], which whoever owns the
//! robot gives. Requests never wait for the robot: a stop throws a switch, a
//! sentence goes into a queue, events come out of a broadcast.
//!
//! # What a page gets
//! `/api/events` brings what happens and takes orders, `/api/live` brings state,
//! plan and pictures; [`live`] describes its messages. `/api/episodes` lists what was
//! recorded, `/api/episodes/N` is the course of one, and
//! `/api/episodes/N/pictures/CAMERA/FRAME` a picture of it. The page itself is a few
//! files that are part of the program: nothing is fetched from elsewhere.
//!
//! # Who may
//! The server binds the loopback interface unless told otherwise, and elsewhere
//! only with a token. Nothing changes by `GET`. Requests from another page of
//! the same browser are refused by their `Origin`, and names that lead to this
//! machine by a foreign name server by their `Host`.

mod access;
mod board;
mod desk;
mod episode_routes;
mod episodes;
mod error;
mod exposition;
mod feed;
mod hand;
pub mod live;
mod message;
mod page;
mod pictures;
mod rounds;
mod routes;
mod server;
mod talk;
mod views;
mod watching;

pub use access::Token;
pub use board::{
    Board, ChosenAnswer, EndView, PartView, QuestionView, RunView, StepState, StepView,
};
pub use desk::{Desk, Refusal, StopKind};
pub use episodes::{EpisodePage, EpisodeRow, EpisodeShelf, EpisodeView, ShelfFault, StillPicture};
pub use error::ConsoleError;
pub use exposition::Exposition;
pub use feed::Feed;
pub use hand::{Decision, Jog};
pub use live::{
    Attention, Authority, CameraCard, Capability, ControlPace, HealthFigure, JointCard, LiveState,
    Mode, PolicyPace, RobotCard, Teaching,
};
pub use pictures::{Pictures, RawPicture};
pub use server::{Server, ServerSettings};
pub use views::Views;

//! The operator's page and its server: a person, or a program, on the network
//! sees what a robot does and can stop it.
//!
//! The server knows no robot; it speaks to a [`Desk`], which whoever owns the
//! robot gives. Requests never wait for the robot: a stop throws a switch, a
//! sentence goes into a queue, events come out of a broadcast.
//!
//! # Who may
//! The server binds the loopback interface unless told otherwise, and elsewhere
//! only with a token. Nothing changes by `GET`. Requests from another page of
//! the same browser are refused by their `Origin`, and names that lead to this
//! machine by a foreign name server by their `Host`.

mod access;
mod desk;
mod error;
mod exposition;
mod feed;
mod hand;
mod routes;
mod server;
mod talk;

pub use access::Token;
pub use desk::{Desk, Refusal, StopKind};
pub use error::ConsoleError;
pub use exposition::Exposition;
pub use feed::Feed;
pub use hand::{Decision, Jog};
pub use server::{Server, ServerSettings};

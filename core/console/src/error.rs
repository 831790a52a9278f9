//! Why a server could not be had.

use std::{net::SocketAddr, path::PathBuf};

/// Why the console does not open.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}\nhelp: name another with `--listen ADDRESS:PORT`; port 0 takes a free one"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Everybody on the network would be let in.
    #[error(
        "{address} can be reached from other machines: expected a token, got none\nhelp: write a long random word into a file that only you may read (mode 0600) and name it with `--token-file FILE`, or listen on 127.0.0.1"
    )]
    Unprotected {
        /// The address.
        address: SocketAddr,
    },
    /// The token's file cannot be used.
    #[error("{}: {reason}\nhelp: one line of at least 16 characters in a file of mode 0600", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// Expected versus got.
        reason: String,
    },
    /// The server's thread could not be started.
    #[error("cannot start the console's thread: {source}")]
    Thread {
        /// What the system said.
        source: std::io::Error,
    },
}

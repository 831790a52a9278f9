//! The listening side, on a thread of its own.

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use axum::serve::ListenerExt;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::{
    ConsoleError, Desk, Feed, Token, Views,
    access::Access,
    episode_routes::Turns,
    rounds::Rounds,
    routes::{Shared, routes},
};

/// Where and for whom.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Who is let in; none: everybody on this machine.
    pub token: Option<Token>,
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens and answers from now on, without pictures and plan.
    ///
    /// # Errors
    /// As [`start_with`](Self::start_with).
    pub fn start(
        settings: ServerSettings,
        desk: Arc<dyn Desk>,
        feed: Feed,
    ) -> Result<Self, ConsoleError> {
        Self::start_with(settings, desk, feed, Views::default())
    }

    /// Listens and answers from now on.
    ///
    /// # Errors
    /// When the address is taken or not this machine's, or could be reached by
    /// others and there is no token.
    pub fn start_with(
        settings: ServerSettings,
        desk: Arc<dyn Desk>,
        feed: Feed,
        views: Views,
    ) -> Result<Self, ConsoleError> {
        let ServerSettings { address, token } = settings;
        if token.is_none() && !address.ip().is_loopback() {
            return Err(ConsoleError::Unprotected { address });
        }
        let (ready, started) = mpsc::sync_channel(1);
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("vola-console".to_owned())
            .spawn(move || {
                let access = Access {
                    token,
                    port: address.port(),
                };
                let shared = Shared {
                    desk,
                    feed,
                    access: Arc::new(access),
                    views,
                    rounds: Rounds::default(),
                    turns: Turns::default(),
                };
                serve(address, shared, &ready, ended);
            })
            .map_err(|source| ConsoleError::Thread { source })?;
        let gone = || std::io::Error::other("its thread ended");
        let bound = started.recv().unwrap_or_else(|_ended| Err(gone()));
        let address = bound.map_err(|source| ConsoleError::Bind { address, source })?;
        Ok(Self {
            address,
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            // It may have ended by itself.
            let _ = end.send(());
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the console's thread panicked");
        }
    }
}

/// The thread: everything of the network happens here.
fn serve(
    address: SocketAddr,
    mut shared: Shared,
    ready: &mpsc::SyncSender<std::io::Result<SocketAddr>>,
    ended: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        let listener = match listen(address).await {
            Ok(bound) => bound,
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        let (listener, address) = listener;
        // The port that a free one came to.
        shared.access = Arc::new(Access {
            token: shared.access.token.clone(),
            port: address.port(),
        });
        let rounds = shared.rounds.clone();
        let rounds = rounds.make(Arc::clone(&shared.desk), shared.views.clone());
        let _ = ready.send(Ok(address));
        tokio::select! {
            result = axum::serve(listener.tap_io(at_once), routes(shared)) => {
                if let Err(error) = result {
                    tracing::error!("the console ended: {error}");
                }
            }
            () = rounds => {}
            // Open connections end with the runtime.
            _ = ended => {}
        }
    });
}

/// Small messages leave at once: a question, or a stop, is not kept back to be
/// sent with the next.
fn at_once(connection: &mut TcpStream) {
    if let Err(error) = connection.set_nodelay(true) {
        tracing::debug!("a connection may be slow: {error}");
    }
}

async fn listen(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

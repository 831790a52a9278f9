//! Requests for recorded episodes: all of them read, none changes anything.
//!
//! One is read at a time, on a thread that may wait for the disk; those that come
//! meanwhile wait for their turn, and a few at most.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use tokio::sync::Semaphore;

use crate::{
    EpisodeShelf, ShelfFault,
    routes::{Shared, bad, refused},
};

/// Episodes in one answer.
const PAGE: usize = 30;
/// Requests that wait for their turn at most; more are turned away.
const WAITING: usize = 32;

/// Who may read, and who may wait for it.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    reading: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            reading: Arc::new(Semaphore::new(1)),
            waiting: Arc::new(Semaphore::new(WAITING)),
        }
    }
}

/// `?before=N`: the newest of those below N.
pub(crate) async fn episodes(State(shared): State<Shared>, uri: Uri) -> Response {
    let pairs = uri.query().unwrap_or_default().split('&');
    let before = pairs
        .filter_map(|pair| pair.strip_prefix("before="))
        .map(str::parse::<usize>)
        .next();
    let before = match before.transpose() {
        Ok(before) => before,
        Err(error) => return bad(&format!("before: expected a number: {error}")),
    };
    read(&shared, move |shelf| {
        Ok(Json(shelf.page(before, PAGE)?).into_response())
    })
    .await
}

pub(crate) async fn episode(State(shared): State<Shared>, Path(number): Path<usize>) -> Response {
    read(&shared, move |shelf| {
        Ok(Json(shelf.course(number)?).into_response())
    })
    .await
}

pub(crate) async fn picture(
    State(shared): State<Shared>,
    Path((number, camera, frame)): Path<(usize, String, usize)>,
) -> Response {
    read(&shared, move |shelf| {
        let picture = shelf.picture(number, &camera, frame)?;
        let kind = (header::CONTENT_TYPE, picture.media_type);
        Ok(([kind], picture.bytes).into_response())
    })
    .await
}

/// Reads off this thread; a stop that comes meanwhile is not kept waiting.
async fn read(
    shared: &Shared,
    run: impl FnOnce(&dyn EpisodeShelf) -> Result<Response, ShelfFault> + Send + 'static,
) -> Response {
    let Some(shelf) = shared.views.episodes.clone() else {
        return refused(
            StatusCode::NOT_FOUND,
            "nothing is recorded here: name a folder with `[record] folder`, or `--record DIR`",
        );
    };
    let Ok(_place) = Arc::clone(&shared.turns.waiting).try_acquire_owned() else {
        return refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many recordings are asked for at once; ask again",
        );
    };
    let Ok(turn) = Arc::clone(&shared.turns.reading).acquire_owned().await else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "the console ends");
    };
    let reading = move || {
        // Kept until the reading ends, also when whoever asked has gone.
        let _turn = turn;
        run(shelf.as_ref())
    };
    match tokio::task::spawn_blocking(reading).await {
        Ok(Ok(response)) => response,
        Ok(Err(ShelfFault::Missing(reason))) => refused(StatusCode::NOT_FOUND, &reason),
        Ok(Err(ShelfFault::Damaged(reason))) => refused(StatusCode::UNPROCESSABLE_ENTITY, &reason),
        Err(error) => {
            tracing::error!("a recording could not be read: {error}");
            refused(
                StatusCode::UNPROCESSABLE_ENTITY,
                "the recording could not be read; the log says more",
            )
        }
    }
}

//! The status page, from the host and back.

use crate::{step, wit};
use function_fetch_engine::{Engine, Timestamp};
use function_fetch_status::{Request, answer as status};

pub fn answer(
    engine: &Engine,
    request: &wit::StatusRequest,
    store_read: bool,
    now: Timestamp,
) -> Option<wit::LocalReply> {
    let request = Request {
        method: &request.method,
        https: request.https,
        authorization: request.authorization.as_deref(),
        cookie: request.cookie.as_deref(),
        accept: request.accept.as_deref(),
        accept_language: request.accept_language.as_deref(),
        form: request.form.as_deref(),
    };
    status(engine, &request, store_read, now).map(step::reply_to_host)
}

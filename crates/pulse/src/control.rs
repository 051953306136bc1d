//! The control socket: requests become questions to the driver.

use std::path::PathBuf;

use runtime::control_server::{ControlServer, Method, Request, Response, StatusCode};
use runtime::{ExitError, Journal};
use tokio::sync::oneshot;

use crate::notice::{Notice, Notices, Question};

/// Serves `pulse.sock`.
pub(crate) fn serve(
    path: PathBuf,
    journal: Journal,
    notices: Notices,
) -> Result<ControlServer, ExitError> {
    ControlServer::start(path, move |request| {
        let (journal, notices) = (journal.clone(), notices.clone());
        async move { answer(request, &journal, &notices).await }
    })
}

async fn answer(request: Request, journal: &Journal, notices: &Notices) -> Response {
    let question = match (&request.method, request.path.as_str()) {
        (&Method::GET, "/v1/history") => return Response::json(&journal.history()),
        (&Method::GET, "/v1/status") => Question::Status,
        (&Method::GET, "/metrics") => Question::Metrics,
        (&Method::POST, "/v1/reload") => Question::Reload,
        (&Method::POST, "/v1/rotate-key") => Question::RotateKey,
        (&Method::POST, "/v1/apply") => match request.json() {
            Ok(body) => Question::Apply(body),
            Err(response) => return response,
        },
        (&Method::POST, "/v1/failover") => match request.json() {
            Ok(body) => Question::Failover(body),
            Err(response) => return response,
        },
        (&Method::POST, "/v1/takeover") => match request.json() {
            Ok(body) => Question::TakeOver(body),
            Err(response) => return response,
        },
        (_, path) => return Response::not_found(path),
    };
    let (reply, answer) = oneshot::channel();
    let ending = || {
        let text = "pulse is ending: ask again once it runs";
        Response::failure(StatusCode::SERVICE_UNAVAILABLE, text)
    };
    if notices.send(Notice::Asked(question, reply)).await.is_err() {
        return ending();
    }
    answer.await.unwrap_or_else(|_| ending())
}

//! The control socket: what is asked goes to the driver, which has the state, and comes back.

use std::path::PathBuf;

use control::action::{ActionResult, Apply, Failure, ServerAction};
use control::explain::Explanation;
use control::plan::{PlanAnswer, PlanRequest};
use control::status::LvsdStatus;
use runtime::control_server::{ControlServer, Method, Request, Response, StatusCode};
use runtime::{ExitError, Journal};
use tokio::sync::{mpsc, oneshot};

use crate::metrics;

/// Questions that may wait for the driver; there are no more connections than this either.
const WAITING_QUESTIONS: usize = 32;

/// What is asked, with the place for the answer.
#[derive(Debug)]
pub(super) enum Question {
    /// `GET /v1/status`, and `/metrics`.
    Status(oneshot::Sender<LvsdStatus>),
    /// `POST /v1/server`.
    Act(Box<ServerAction>, oneshot::Sender<Result<ActionResult, Failure>>),
    /// `POST /v1/apply`, and `/v1/reload`.
    Apply(Apply, oneshot::Sender<Result<ActionResult, Failure>>),
    /// `POST /v1/plan`.
    Plan(Box<PlanRequest>, oneshot::Sender<PlanAnswer>),
    /// `GET /v1/explain?server=…`.
    Explain(String, oneshot::Sender<Explanation>),
}

/// Serves the socket at `path`; the questions come out of the receiver.
pub(super) fn serve(
    path: PathBuf,
    journal: Journal,
) -> Result<(ControlServer, mpsc::Receiver<Question>), ExitError> {
    let (questions, receiver) = mpsc::channel(WAITING_QUESTIONS);
    let server = ControlServer::start(path, move |request| {
        let (questions, journal) = (questions.clone(), journal.clone());
        async move { answer(&request, &questions, &journal).await.unwrap_or_else(|failed| failed) }
    })?;
    Ok((server, receiver))
}

async fn answer(
    request: &Request,
    questions: &mpsc::Sender<Question>,
    journal: &Journal,
) -> Result<Response, Response> {
    match (&request.method, request.path.as_str()) {
        (&Method::GET, "/v1/status") => {
            Ok(Response::json(&ask(questions, Question::Status).await?))
        }
        (&Method::GET, "/metrics") => {
            Ok(Response::text(metrics::render(&ask(questions, Question::Status).await?)))
        }
        (&Method::GET, "/v1/history") => Ok(Response::json(&journal.history())),
        (&Method::GET, "/v1/explain") => {
            let server = request.query("server").ok_or_else(|| {
                let error = "say which real server: /v1/explain?server=ADDRESS";
                Response::failure(StatusCode::BAD_REQUEST, error)
            })?;
            let question = |place| Question::Explain(server.to_owned(), place);
            let explanation = ask(questions, question).await?;
            if explanation.servers.is_empty() {
                let error = format!(
                    "no real server {server}; name one as lvsctl status shows it: ADDRESS, ADDRESS:PORT or its name"
                );
                return Err(Response::failure(StatusCode::NOT_FOUND, error));
            }
            Ok(Response::json(&explanation))
        }
        (&Method::POST, "/v1/server") => {
            let action: Box<ServerAction> = Box::new(request.json()?);
            action.decision.check().map_err(bad_request)?;
            outcome(
                ask(questions, |place| Question::Act(action, place)).await?,
                StatusCode::NOT_FOUND,
            )
        }
        (&Method::POST, "/v1/reload") => {
            let question = |place| Question::Apply(Apply::Unconfirmed, place);
            outcome(ask(questions, question).await?, StatusCode::UNPROCESSABLE_ENTITY)
        }
        (&Method::POST, "/v1/apply") => {
            let apply: Apply = request.json()?;
            apply.check().map_err(bad_request)?;
            let status = match apply {
                Apply::Keep => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            outcome(ask(questions, |place| Question::Apply(apply, place)).await?, status)
        }
        (&Method::POST, "/v1/plan") => {
            let plan = Box::new(request.json()?);
            Ok(Response::json(&ask(questions, |place| Question::Plan(plan, place)).await?))
        }
        _ => Err(Response::not_found(&request.path)),
    }
}

fn bad_request(failure: Failure) -> Response {
    Response::failure(StatusCode::BAD_REQUEST, failure.error)
}

fn outcome(
    result: Result<ActionResult, Failure>,
    status: StatusCode,
) -> Result<Response, Response> {
    match result {
        Ok(done) => Ok(Response::json(&done)),
        Err(failure) => Err(Response::failure(status, failure.error)),
    }
}

async fn ask<T>(
    questions: &mpsc::Sender<Question>,
    question: impl FnOnce(oneshot::Sender<T>) -> Question,
) -> Result<T, Response> {
    let (place, answer) = oneshot::channel();
    let gone = || Response::failure(StatusCode::SERVICE_UNAVAILABLE, "lvsd is ending");
    questions.send(question(place)).await.map_err(|_| gone())?;
    answer.await.map_err(|_| gone())
}

#[cfg(test)]
mod tests {
    use runtime::control_server::Peer;

    use super::*;

    async fn post(path: &str, body: &'static str) -> Response {
        // Nobody takes a question: what reaches the driver is "lvsd is ending".
        let (questions, _) = mpsc::channel(1);
        let peer = Peer { uid: 0, gids: Vec::new(), pid: None };
        let (path, body) = (path.to_owned(), body.into());
        let request = Request { method: Method::POST, path, query: Vec::new(), body, peer };
        let answer = answer(&request, &questions, &Journal::new()).await;
        answer.unwrap_or_else(|failed| failed)
    }

    #[tokio::test]
    async fn a_span_that_no_clock_takes_is_a_bad_request_and_never_asked() {
        let year = r#"{"type":"confirmed","trial_seconds":31622400}"#;
        assert_eq!(post("/v1/apply", year).await.status, StatusCode::SERVICE_UNAVAILABLE);
        let trial = r#"{"type":"confirmed","trial_seconds":18446744073709551611}"#;
        let drain = r#"{"server":"www1","decision":{"type":"drain","deadline_seconds":18446744073709551611}}"#;
        for (path, body) in [("/v1/apply", trial), ("/v1/server", drain)] {
            let answer = post(path, body).await;
            let said = String::from_utf8_lossy(&answer.body);
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{said}");
            assert!(said.contains("more than a year"), "{said}");
        }
    }
}

//! Questions and requests of the control socket.

use config::in_force::How;
use control::action::{ActionResult, MoveGroups};
use heartbeat::{GroupId, Request};
use runtime::control_server::{Response, StatusCode};
use runtime::journal::{EventKind, Level};
use tokio::sync::oneshot;

use super::Driver;
use crate::notice::Question;
use crate::{clock, metrics, status};

impl Driver {
    pub(super) fn asked(&mut self, question: Question, reply: oneshot::Sender<Response>) {
        let response = match question {
            Question::Status => Response::json(&status::of(self)),
            Question::Metrics => Response::text(metrics::of(&status::of(self), self)),
            Question::Failover(body) => self.requested(&body, Request::Failover, "failover"),
            Question::TakeOver(body) if body.force => {
                self.requested(&body, Request::Force, "forced takeover")
            }
            Question::TakeOver(body) => self.requested(&body, Request::TakeOver, "takeover"),
            Question::RotateKey => return self.rotate(reply),
            Question::Reload => return self.read_again(How::Unconfirmed, Some(reply)),
            Question::Apply(apply) => return self.apply_asked(apply, reply),
        };
        // Who asked may be gone.
        let _sent = reply.send(response);
    }

    fn requested(
        &mut self,
        body: &MoveGroups,
        request: fn(GroupId) -> Request,
        verb: &'static str,
    ) -> Response {
        let (named, swept) = self.plan.chosen(&body.groups);
        if named.is_empty() {
            let text = format!("{verb}: none of the groups is {}", body.groups.join(" or "));
            return Response::failure(StatusCode::CONFLICT, text);
        }
        let (mut done, mut refused) = (Vec::new(), Vec::new());
        for name in named {
            let id = GroupId::of(&name);
            let (actions, outcome) = self.failover.handle_request(request(id), clock::now());
            match outcome {
                Ok(()) => {
                    let fields = [("group", name.clone()), ("action", verb.to_owned())];
                    let journal = &self.tools.journal;
                    journal.record(EventKind::Operator, Level::Info, "operator acts", &fields);
                    done.push(format!("group {name}: {verb} begun"));
                }
                Err(error) => {
                    refused.push(format!("group {name}: {verb} is not possible: {error}"))
                }
            }
            self.carry_out(actions);
        }
        // Of "all groups", those that are where they should be are no failure.
        if refused.is_empty() || (swept && !done.is_empty()) {
            return Response::json(&ActionResult { done });
        }
        Response::failure(StatusCode::CONFLICT, refused.join("; "))
    }
}

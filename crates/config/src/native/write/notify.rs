//! Who is told of changes.

use super::super::scalar::render_duration;
use super::super::yaml::Yaml;
use super::{Map, texts};
use crate::model::{Mail, Notify, ServerNotify};

pub(super) fn notify(notify: &Notify) -> Option<Yaml> {
    let mut map = Map::new("services.*.notify");
    map.put_list("empty", texts(&notify.empty));
    map.put_list("filled", texts(&notify.filled));
    map.put_some("mail", notify.mail.as_ref().map(mail));
    map.put_text_if("results", notify.results.as_ref());
    (!map.entries.is_empty()).then(|| map.done())
}

pub(super) fn of_server(notify: &ServerNotify) -> Option<Yaml> {
    let mut map = Map::new("services.*.servers[].notify");
    map.put_list("up", texts(&notify.up));
    map.put_list("down", texts(&notify.down));
    (!map.entries.is_empty()).then(|| map.done())
}

fn mail(mail: &Mail) -> Yaml {
    let mut map = Map::new("services.*.notify.mail");
    map.put_list("to", texts(&mail.to));
    map.put_text_if("from", mail.from.as_ref());
    map.put_text_if("server", mail.server.as_ref());
    map.put_text_if("repeat", mail.repeat.map(render_duration));
    map.done()
}

//! `send`, `expect`, `use_regex` and `send_program`.

use ipvs::Protocol;

use super::service::span_of;
use super::values::{Report, Settings};
use crate::foreign::regex::{Dialect, expected};
use crate::foreign::report::Reporter;
use crate::model::{CheckKind, Expect};

/// How the real servers of a virtual server are asked.
pub(super) fn kind(
    report: &mut Report<'_>,
    settings: Settings<'_>,
    port: u16,
    protocol: Protocol,
) -> CheckKind {
    let regex = report.switch(settings, "use_regex", false);
    let send = settings.get("send").and_then(|setting| report.text(setting));
    let program = settings
        .get("send_program")
        .filter(|setting| setting.values.first().is_some_and(|value| !value.text.is_empty()));
    if let Some(program) = program {
        if let Some(send) = settings.get("send").filter(|_| send.as_deref() != Some("")) {
            let help = "remove one of the two: the program is what is run";
            report.warning(&send.key.span, "`send` counts only without `send_program`", help);
        }
        if let Some(setting) = settings.get("use_regex").filter(|_| regex) {
            let help = "the program must print exactly what `expect` says";
            let message = "`use_regex` counts only without `send_program`";
            report.warning(&setting.key.span, message, help);
        }
        let argv = report.program(program).unwrap_or_default();
        return CheckKind::External { argv, expect: output(report, settings), sets_weight: false };
    }
    let send = send.filter(|text| !text.is_empty());
    let expect = answer(report, settings, regex);
    match (&send, &expect, protocol) {
        // nanny itself takes a virtual server on port 80 for a web server.
        (None, None, Protocol::Tcp) if port == 80 => CheckKind::SendExpect {
            udp: false,
            send: Some(b"GET / HTTP/1.0\r\n\r\n".to_vec()),
            expect: Some(Expect::Prefix(b"HTTP".to_vec())),
        },
        (None, None, Protocol::Tcp) => CheckKind::Connect,
        (None, None, _) => {
            let span = settings.get("protocol").map(span_of).unwrap_or_default();
            let help = "the real servers are pinged; write `send` and `expect`, or `send_program`";
            report.warning(&span, "nothing says how a UDP service is checked", help);
            CheckKind::Ping
        }
        (Some(_), None, Protocol::Udp) => {
            let span = settings.get("send").map(span_of).unwrap_or_default();
            let help = "any answer is taken for a good one; write `expect = \"*\"`, or what it begins with";
            report.warning(&span, "a UDP server says nothing unless it answers", help);
            CheckKind::SendExpect {
                udp: true,
                send: send.map(String::into_bytes),
                expect: Some(Expect::Anything),
            }
        }
        _ => CheckKind::SendExpect {
            udp: protocol == Protocol::Udp,
            send: send.map(String::into_bytes),
            expect,
        },
    }
}

/// What a server's answer must begin with, or match.
fn answer(report: &mut Report<'_>, settings: Settings<'_>, regex: bool) -> Option<Expect> {
    let setting = settings.get("expect")?;
    let text = report.text(setting).filter(|text| !text.is_empty())?;
    if text == "*" {
        return Some(Expect::Anything);
    }
    if !regex {
        return Some(Expect::Prefix(text.into_bytes()));
    }
    expected(report, &text, Dialect::Posix, &span_of(setting))
}

/// What a program must print: exactly `expect`, and the end of the line, also with `use_regex`. A
/// program that fails, hangs or is missing never makes a server look well, whatever nanny did.
fn output(report: &mut Report<'_>, settings: Settings<'_>) -> Option<Expect> {
    let setting = settings.get("expect")?;
    let text = report.text(setting).filter(|text| !text.is_empty())?;
    Some(Expect::Regex(format!("^{}\\s*$", regex::escape(&text))))
}

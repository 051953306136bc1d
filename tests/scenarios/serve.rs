//! The seed network with everything running, and a prompt: a person plays with it.

use crate::demo::{CONFIG, sorry_servers};
use lab::console::{BAD, DIM, STRONG, line, paint};
use lab::failure::Context;
use lab::pair::{self, Pair, start_pulse};
use lab::seed::VIP;
use lab::{Failure, Load, Node, Outcome, Run, Seed, WebServer, ensure, seed};
use std::io::{BufRead, Write};

/// What the person can say.
const HELP: &str = "\
HOST COMMAND…        run a program on a host: c, ra, rb, r1, r2
                       ra lvsctl status          rb ipvsadm -Ln
                       c curl -s http://192.168.1.1/
shell HOST           a shell on a host; leave it with `exit`
load                 200 requests, one each 10 ms: who answered, what was lost
close r1 | open r1   the web server on r1 dies, or returns (r2 likewise)
off ra | on ra       ra loses power, or has it again (rb likewise)
cut ra 1 | mend ra 1 one cable: 0 is the lan, 1 the heartbeats' wire
log ra               what pulse wrote there last
quit                 end the lab";

/// What runs while the person plays.
struct Play {
    net: Seed,
    pair: Pair,
    r1: WebServer,
    r2: WebServer,
    _sorry: Vec<WebServer>,
}

/// Starts everything and obeys until the person has enough.
pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (r1, r2) = net.web()?;
    let sorry = sorry_servers(&net)?;
    line("Two routers start: ra (master) and rb (backup) …");
    let pair = Pair::start(&net, CONFIG)?;
    let mut play = Play { net, pair, r1, r2, _sorry: sorry };
    let holder = pair::wait_until_warm(&play.net, VIP, 2)?;
    line(&format!("{} has {VIP}. Say `help` for what can be said.", holder.name()));
    let mut input = std::io::stdin().lock();
    loop {
        prompt()?;
        let mut said = String::new();
        if input.read_line(&mut said).context("reading what you say")? == 0 {
            return Ok(());
        }
        let words: Vec<&str> = said.split_whitespace().collect();
        if matches!(words.as_slice(), ["quit" | "exit"]) {
            return Ok(());
        }
        if let Err(failure) = play.obey(&words) {
            line(&paint(BAD, &failure.to_string()));
        }
    }
}

fn prompt() -> Outcome {
    let mut out = std::io::stdout().lock();
    write!(out, "{} ", paint(STRONG, "lab>")).context("the prompt")?;
    out.flush().context("the prompt")
}

impl Play {
    fn obey(&mut self, words: &[&str]) -> Outcome {
        match *words {
            [] => {}
            ["help"] => HELP.lines().for_each(line),
            ["load"] => {
                let load = Load::new(seed::web_address()).most(200).start(&self.net.c)?;
                line(&load.complete()?.summary());
            }
            ["close", name] => self.web(name)?.close()?,
            ["open", name] => self.web(name)?.open()?,
            ["off", name] => self.router(name)?.power_off()?,
            ["on", name] => self.power_on(name)?,
            ["cut", name, number] => self.host(name)?.wire(index(number)?)?.cut()?,
            ["mend", name, number] => self.host(name)?.wire(index(number)?)?.mend()?,
            ["log", name] => self.log(name)?,
            ["shell", name] => self.host(name)?.interactive(&["bash", "--norc"])?,
            [name, ref command @ ..] if !command.is_empty() => {
                self.host(name)?.interactive(command)?;
            }
            _ => line("say `help` for what can be said"),
        }
        Ok(())
    }

    fn power_on(&mut self, name: &str) -> Outcome {
        let router = self.router(name)?;
        ensure!(!router.has_address("127.0.0.1")?, "{name} has power");
        router.power_on()?;
        let daemon = Some(start_pulse(router)?);
        if name == "ra" {
            self.pair.a = daemon
        } else {
            self.pair.b = daemon
        }
        Ok(())
    }

    fn log(&self, name: &str) -> Outcome {
        let daemon = if name == "ra" { &self.pair.a } else { &self.pair.b };
        let text = daemon.as_ref().map_or_else(|| Ok(String::new()), lab::Daemon::log)?;
        let skip = text.lines().count().saturating_sub(20);
        text.lines().skip(skip).for_each(|row| line(&paint(DIM, row)));
        Ok(())
    }

    fn host(&self, name: &str) -> Outcome<&Node> {
        let found = self.net.hosts().into_iter().find(|host| host.name() == name);
        found.ok_or_else(|| Failure::new(format!("no host {name}; say `help`")))
    }

    fn router(&self, name: &str) -> Outcome<&Node> {
        let found = self.net.routers().into_iter().find(|host| host.name() == name);
        found.ok_or_else(|| Failure::new(format!("{name} is no router: ra or rb")))
    }

    fn web(&mut self, name: &str) -> Outcome<&mut WebServer> {
        match name {
            "r1" => Ok(&mut self.r1),
            "r2" => Ok(&mut self.r2),
            _ => Err(Failure::new(format!("{name} is no web server: r1 or r2"))),
        }
    }
}

fn index(number: &str) -> Outcome<usize> {
    number.parse().context(format_args!("cable {number}"))
}

//! Which setting belongs to which block.

use super::keys::{Place, unknown};
use super::lexer::{Setting, Statement, Value};
use crate::diagnostic::Diagnostics;
use crate::foreign::word::Word;
use crate::source::Source;

/// A block: a virtual server or a real server.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Its name.
    pub(super) name: Value,
    /// What it sets.
    pub(super) settings: Vec<Setting>,
    /// The real servers in it.
    pub(super) servers: Vec<Block>,
}

/// The file, sorted.
#[derive(Debug, Default)]
pub(super) struct File {
    /// What stands in no block.
    pub(super) settings: Vec<Setting>,
    /// The virtual servers.
    pub(super) virtuals: Vec<Block>,
    /// The failover services, with the words that open their blocks.
    pub(super) failovers: Vec<(Word, Block)>,
}

/// Sorts statements into blocks, and reports braces that do not fit and unknown keys.
pub(super) fn sort(source: &Source, statements: Vec<Statement>, out: &mut Diagnostics) -> File {
    let mut sorter = Sorter { source, out, file: File::default(), open: Vec::new(), brace: None };
    for statement in statements {
        sorter.take(statement);
    }
    sorter.finish()
}

struct Sorter<'a> {
    source: &'a Source,
    out: &'a mut Diagnostics,
    file: File,
    /// The blocks that are open, the innermost last, with the words that opened them.
    open: Vec<(Word, Block)>,
    /// The line that opened a block without its `{`.
    brace: Option<Word>,
}

impl Sorter<'_> {
    fn take(&mut self, statement: Statement) {
        if let Statement::Brace(word) = statement {
            self.take_brace(&word);
            return;
        }
        if let Some(kind) = self.brace.take() {
            let help = format!("write `{} NAME {{` on one line", kind.text);
            self.out.error(self.source, kind.span, "the `{` of this block is missing", help);
        }
        match statement {
            Statement::Set(setting) => self.set(setting),
            Statement::Open { kind, name, brace } => {
                self.open(kind.clone(), name);
                self.brace = Some(kind).filter(|_| !brace);
            }
            Statement::Close(word) => {
                if self.open.is_empty() {
                    self.out.error(self.source, word.span, "this `}` closes nothing", "remove it");
                } else {
                    self.close();
                }
            }
            Statement::Brace(_) => {}
        }
    }

    fn take_brace(&mut self, word: &Word) {
        let (message, help) = match self.brace.take() {
            Some(kind) => {
                let help = format!(
                    "write `{} NAME {{` on one line, as Piranha itself wants it",
                    kind.text
                );
                self.out.warning(self.source, word.span.clone(), "the `{` stands alone", help);
                return;
            }
            None => ("this `{` opens nothing", "write `virtual NAME {` or `server NAME {`"),
        };
        self.out.error(self.source, word.span.clone(), message, help);
    }

    fn place(&self) -> Place {
        match self.open.last().map(|(kind, _)| kind.text.as_str()) {
            None => Place::File,
            Some("server") => Place::Server,
            Some(_) => Place::Virtual,
        }
    }

    fn set(&mut self, setting: Setting) {
        let place = self.place();
        if !place.keys().contains(&setting.key.text.as_str()) {
            let message = format!("`{}` is no key {}", setting.key.text, place.name());
            let help = unknown(&setting.key.text, place);
            self.out.error(self.source, setting.key.span, message, help);
            return;
        }
        let settings = match self.open.last_mut() {
            Some((_, block)) => &mut block.settings,
            None => &mut self.file.settings,
        };
        if let Some(first) = settings.iter_mut().find(|known| known.key.text == setting.key.text) {
            let line = self.source.place(first.key.span.clone()).line;
            let message = format!("`{}` is set in line {line} already", setting.key.text);
            let help = "this one counts; remove one of them";
            self.out.warning(self.source, setting.key.span.clone(), message, help);
            *first = setting;
            return;
        }
        settings.push(setting);
    }

    fn open(&mut self, kind: Word, name: Option<Value>) {
        let name = name.unwrap_or_else(|| Value {
            text: kind.text.clone(),
            span: kind.span.clone(),
            quote: None,
        });
        if kind.text == "server" {
            if self.open.is_empty() {
                let help = "write it between the `{` and the `}` of a virtual server";
                self.out.error(self.source, kind.span.clone(), "a real server stands alone", help);
            } else if self.place() == Place::Server {
                self.not_closed();
                self.close();
            }
        } else {
            while !self.open.is_empty() {
                self.not_closed();
                self.close();
            }
        }
        let block = Block { name, settings: Vec::new(), servers: Vec::new() };
        self.open.push((kind, block));
    }

    fn not_closed(&mut self) {
        if let Some((kind, block)) = self.open.last() {
            let message = format!("{} {} is not closed", kind.text, block.name.text);
            let help = "write a line with `}` at its end";
            self.out.error(self.source, kind.span.clone(), message, help);
        }
    }

    fn close(&mut self) {
        let Some((kind, block)) = self.open.pop() else { return };
        match kind.text.as_str() {
            "virtual" => self.file.virtuals.push(block),
            "failover" => self.file.failovers.push((kind, block)),
            _ => {
                if let Some((_, parent)) = self.open.last_mut() {
                    parent.servers.push(block);
                }
            }
        }
    }

    fn finish(mut self) -> File {
        while let Some((kind, block)) = self.open.last() {
            let message = format!("{} {} is not closed", kind.text, block.name.text);
            let help = "taken as closed at the end of the file; write a line with `}`";
            self.out.warning(self.source, kind.span.clone(), message, help);
            self.close();
        }
        self.file
    }
}

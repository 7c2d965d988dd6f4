//! A row of the table: what a client writes, and how the target responds. What becomes of it on each host is in
//! `expected.json`.

use super::tap::Reply;

/// What a client does, one after the other.
#[derive(Clone)]
pub enum Act {
    /// Writes. `{decoy}` stands for the address that must never be contacted, `{row}` for the row's number.
    Say(Vec<u8>),
    /// Sends no more, and continues to read.
    Finish,
    /// Reads one response.
    Await,
}

/// The row.
pub struct Row {
    pub name: String,
    pub acts: Vec<Act>,
    pub reply: Reply,
    /// Whether the outcome shows the responses' fields and bodies.
    pub shows_answers: bool,
    /// Whether it depends on time what the target receives, so that the outcome does not show it.
    pub races: bool,
}

/// A row in which a client writes some bytes and reads a response.
pub fn row(name: impl Into<String>, bytes: impl AsRef<[u8]>) -> Row {
    Row {
        name: name.into(),
        acts: vec![Act::Say(bytes.as_ref().to_vec()), Act::Await],
        reply: Reply::default(),
        shows_answers: false,
        races: false,
    }
}

/// A row in which the target responds with some bytes to a GET, and closes.
pub fn answer(name: impl Into<String>, bytes: impl AsRef<[u8]>) -> Row {
    let mut row = row(name, "GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n\r\n");
    row.reply.bytes = bytes.as_ref().to_vec();
    row.reply.closes = true;
    row.shows_answers = true;
    row
}

impl Row {
    /// The client does this in place of writing and reading a response.
    pub fn acts(mut self, acts: impl Into<Vec<Act>>) -> Self {
        self.acts = acts.into();
        self
    }

    /// The client reads so many responses.
    pub fn answers(mut self, count: usize) -> Self {
        self.acts.truncate(1);
        self.acts.extend(vec![Act::Await; count]);
        self
    }

    /// The client sends no more after the bytes.
    pub fn finished(mut self) -> Self {
        self.acts.insert(1, Act::Finish);
        self
    }

    /// It depends on time what the target receives.
    pub fn races(mut self) -> Self {
        self.races = true;
        self
    }

    /// How the target responds.
    pub fn reply(mut self, reply: Reply) -> Self {
        self.reply = reply;
        self
    }
}

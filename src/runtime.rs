//! The outside, as the core sees it.
//!
//! Everything that waits, and everything that differs from run to run, goes through [`Runtime`]: on Workers it is
//! JavaScript's `fetch`, timers, KV and Durable Objects, in tests a virtual clock and scripted upstreams. An implementation
//! decides nothing. It must keep three promises, on which the engine's correctness rests:
//!
//! - a call or body that is dropped is aborted at once, and so is every one of a request whose client has gone;
//! - [`Runtime::call`] and [`Runtime::read`] return by the time they are given;
//! - [`Tap::end`] is called exactly once for every relayed stream that did not end by [`Step::Finish`],
//!   [`Step::Abort`] or [`Step::Leave`].

use std::time::Duration;

use crate::http::Headers;
use crate::time::Timestamp;

/// What the core needs of the platform.
pub trait Runtime: Clone + 'static {
    /// The rest of an upstream's streamed body. Dropping it aborts the call.
    type Body: 'static;
    /// What a streamed response to the client is made of.
    type Stream;
    /// The end of such a stream that is written to.
    type Pipe: 'static;

    /// The time.
    fn now(&self) -> Timestamp;
    /// 64 random bits.
    fn random(&self) -> u64;
    /// Waits.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;
    /// Sends one request upstream, and waits for its headers, or for all of its body where that is not streamed. A body is
    /// streamed when `call.streamed` was asked, the status is 2xx, and the answer does not call itself JSON or HTML.
    fn call(&self, call: Call) -> impl Future<Output = Result<Reply<Self::Body>, CallError>>;
    /// The next bytes of a streamed body.
    fn read(&self, body: &mut Self::Body, until: Timestamp) -> impl Future<Output = Read>;
    /// A stream to the client, and its end to write to.
    fn pipe(&self) -> (Self::Pipe, Self::Stream);
    /// Writes to the client, as soon as what was written before is on its way.
    fn write(&self, pipe: &Self::Pipe, bytes: Vec<u8>);
    /// Ends the client's stream.
    fn close(&self, pipe: &Self::Pipe);
    /// Relays a body: `first` is sent at once, then what `tap` makes of each further chunk. At its end the client's stream is closed, unless the
    /// tap leaves it open.
    fn pump(
        &self,
        pipe: &Self::Pipe,
        first: Vec<u8>,
        body: Self::Body,
        tap: Box<dyn Tap>,
        limits: StreamLimits,
    ) -> impl Future<Output = ()> + 'static;
    /// A stored cache entry's value and metadata. Errors are misses.
    fn cache_get(&self, key: &str) -> impl Future<Output = Option<(String, String)>>;
    /// Stores a cache entry; `expire` is when storage may forget it.
    fn cache_put(&self, key: String, value: String, metadata: String, expire: Duration) -> impl Future<Output = ()> + 'static;
    /// Sends a message to the breaker object of that name and returns its answer; nothing where it cannot be reached.
    fn exchange(&self, object: &str, message: String) -> impl Future<Output = Option<String>> + 'static;
    /// Where the caller is, as a Durable Object location hint.
    fn region(&self) -> &'static str;
    /// Goes on with `task` after the response (`wait_until`).
    fn after(&self, task: impl Future<Output = ()> + 'static);
    /// Writes a line to the log.
    fn log(&self, line: &str);
}

/// One upstream request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where to.
    pub to: Destination,
    /// All header fields, credentials included: never printed.
    pub headers: Headers,
    /// The body.
    pub body: String,
    /// Whether the answer is wanted as a stream.
    pub streamed: bool,
    /// When the headers, or an unstreamed body's end, must have come.
    pub until: Timestamp,
    /// The most that an unstreamed body may hold, in bytes.
    pub max_bytes: usize,
}

/// Where a call goes.
#[derive(Clone, Debug)]
pub enum Destination {
    /// A `POST` to this address.
    Post(String),
    /// Another method, and the address.
    Other(&'static str, String),
    /// Nowhere: the runtime plays this script as if an upstream had answered so.
    Script(Script),
}

/// An upstream's behaviour, written down: the simulated provider's answers, and the upstreams of the host tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// From the call to the headers.
    pub head_after: Duration,
    /// What the headers are.
    pub head: ScriptHead,
    /// The body's pieces, each after a wait.
    pub pieces: Vec<(Duration, Vec<u8>)>,
    /// What comes after the last piece.
    pub ending: Ending,
}

/// How a script begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptHead {
    /// With a status and header fields.
    Answer(u16, Headers),
    /// With a connection that fails.
    Refuse,
    /// Not at all.
    Hang,
}

/// How a script's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By the regular end of the body.
    Eof,
    /// By a broken connection.
    Cut,
    /// Never: the connection stays open, and silent.
    Hang,
}

/// An upstream's answer as far as it has been read.
#[derive(Debug)]
pub struct Reply<B> {
    /// The HTTP status.
    pub status: u16,
    /// All header fields.
    pub headers: Headers,
    /// The body.
    pub body: Payload<B>,
}

/// An upstream's body.
#[derive(Debug)]
pub enum Payload<B> {
    /// All of it.
    Whole(String),
    /// What is still to be read.
    Stream(B),
}

/// Why a call gave no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError {
    /// No connection, or one that broke before the headers.
    Connect,
    /// Nothing by the time that was set.
    Timeout,
    /// The body broke off.
    Cut,
    /// The body is larger than was allowed.
    TooLarge,
    /// The client has gone.
    ClientGone,
}

/// What reading a streamed body gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Some bytes.
    Bytes(Vec<u8>),
    /// The end.
    End(End),
}

/// How a streamed body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By its regular end.
    Eof,
    /// By a broken connection.
    Cut,
    /// By silence: nothing within the time that was set.
    Silence,
    /// By its greatest duration.
    Overlong,
    /// By the client's leaving.
    ClientGone,
}

/// How long a relayed stream may go on.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// Between any two reads.
    pub stall: Duration,
    /// In all.
    pub until: Timestamp,
}

/// What runs over a relayed stream.
pub trait Tap {
    /// Looks at one chunk and says what the client is given in its stead.
    fn chunk(&mut self, bytes: &[u8]) -> Step;
    /// The body ended: the last bytes for the client, such as an error event. None where its stream is left open, as another upstream's goes on.
    fn end(&mut self, end: End) -> Option<Vec<u8>>;
}

/// What becomes of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It goes to the client as it is.
    Pass,
    /// These bytes go instead (perhaps none).
    Replace(Vec<u8>),
    /// These bytes go, and then the stream is over, complete. The upstream's body may be read to its end, so that its connection can
    /// carry the next call; what it holds beyond is nobody's business. [`Tap::end`] is not asked.
    Finish(Vec<u8>),
    /// These bytes go, and then the stream is over, as it went wrong: the upstream call is dropped. [`Tap::end`] is not asked.
    Abort(Vec<u8>),
    /// The upstream call is dropped, as it went wrong, and the client's stream is left open. [`Tap::end`] is not asked.
    Leave,
}

//! A world under virtual time: a clock that jumps to the next thing that happens, upstreams that follow scripts, storage, and breaker
//! objects whose messages can be lost. A whole request runs in it in microseconds, and the same seed gives the same run.

#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, reason = "a test's world ends when it is wrong")]
#![allow(missing_docs, unreachable_pub, clippy::type_complexity, reason = "a test's tools")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use breakwater::breaker;
use breakwater::gateway::{self, Bindings, Gateway};
use breakwater::http::{Body, Headers, Request, Response};
use breakwater::runtime::{
    Call, CallError, Destination, End, Ending, Payload, Read, Reply, Runtime, Script, ScriptHead, Step, StreamLimits, Tap,
};
use breakwater::time::{Timestamp, millis};

/// Where every world's clock begins; far from zero, so that subtracting from it is safe.
pub const DAWN: u64 = 1_800_000_000_000;

/// Everything outside of the gateway.
pub struct World {
    now: Cell<u64>,
    random: Cell<u64>,
    timers: RefCell<BTreeMap<(u64, u64), Waker>>,
    tasks: RefCell<VecDeque<Task>>,
    count: Cell<u64>,
    /// What an upstream does with a call: address, body, how many calls this address had.
    pub upstream: RefCell<Box<dyn FnMut(&Sent) -> Script>>,
    /// Every call so far, in the order of their start.
    pub calls: RefCell<Vec<Rc<CallLog>>>,
    /// What is stored: value, metadata, when it is forgotten.
    pub stored: RefCell<HashMap<String, (String, String, u64)>>,
    /// How long a look into storage takes, in milliseconds.
    pub look_up: Cell<u64>,
    objects: RefCell<HashMap<String, breaker::Object>>,
    object_store: RefCell<HashMap<String, String>>,
    /// What becomes of a message to a breaker object.
    pub post: RefCell<Box<dyn FnMut(&str) -> Post>>,
    /// How many exchanges each object had.
    pub exchanges: RefCell<HashMap<String, u64>>,
    /// The log.
    pub lines: RefCell<Vec<String>>,
}

/// A request as an upstream receives it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub url: String,
    pub headers: Headers,
    pub body: String,
    pub streamed: bool,
    /// How many calls this address had before.
    pub nth: usize,
    /// When, since the world's beginning.
    pub at: Duration,
    /// The client request that it is for: [`Virtual::request`].
    pub request: u64,
}

/// The fate of a message to an object, each way after a delay.
#[derive(Clone, Copy, Debug)]
pub enum Post {
    Delivered(Duration),
    /// The object never sees it.
    Lost(Duration),
    /// The object sees it, and its answer is lost.
    AnswerLost(Duration),
}

/// One upstream call.
#[derive(Debug)]
pub struct CallLog {
    pub sent: Sent,
    pub started: u64,
    /// When it ended, and whether by its own end.
    pub ended: Cell<Option<(u64, bool)>>,
    /// When its headers came.
    pub headed: Cell<Option<u64>>,
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Flag>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl World {
    pub fn new(seed: u64) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(DAWN),
            random: Cell::new(seed),
            timers: RefCell::default(),
            tasks: RefCell::default(),
            count: Cell::new(0),
            upstream: RefCell::new(Box::new(|_| panic!("no upstream was set"))),
            calls: RefCell::default(),
            stored: RefCell::default(),
            look_up: Cell::new(2),
            objects: RefCell::default(),
            object_store: RefCell::default(),
            post: RefCell::new(Box::new(|_| Post::Delivered(Duration::from_millis(5)))),
            exchanges: RefCell::default(),
            lines: RefCell::default(),
        })
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now.get() - DAWN)
    }

    pub fn next_random(&self) -> u64 {
        let seed = self.random.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.random.set(seed);
        let mut mixed = seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&self, bound: u64) -> u64 {
        self.next_random() % bound.max(1)
    }

    fn id(&self) -> u64 {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        self.tasks.borrow_mut().push_back(Task { future: Box::pin(future), woken });
    }

    /// Runs everything until nothing is left to happen before `until` (since the beginning), and sets the clock to it.
    pub fn run_until(&self, until: Duration) {
        let until = DAWN + millis(until);
        loop {
            self.poll_woken();
            let next = self.timers.borrow().keys().next().map(|(at, _)| *at);
            match next {
                Some(at) if at <= until => self.fire(at),
                _ => break,
            }
        }
        self.now.set(self.now.get().max(until));
    }

    /// Runs `future` to its end, and everything else meanwhile.
    pub fn block_on<T: 'static>(&self, future: impl Future<Output = T> + 'static) -> T {
        let result = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&result);
        self.spawn(async move {
            let value = future.await;
            *slot.borrow_mut() = Some(value);
        });
        for _ in 0..10_000_000_u64 {
            self.poll_woken();
            if let Some(value) = result.borrow_mut().take() {
                return value;
            }
            let next = self.timers.borrow().keys().next().map(|(at, _)| *at);
            self.fire(next.expect("nothing is left to happen, and the future is not done"));
        }
        panic!("the future does not end");
    }

    fn fire(&self, at: u64) {
        self.now.set(self.now.get().max(at));
        let due: Vec<_> = {
            let mut timers = self.timers.borrow_mut();
            let later = timers.split_off(&(at + 1, 0));
            std::mem::replace(&mut *timers, later).into_values().collect()
        };
        due.into_iter().for_each(Waker::wake);
    }

    fn poll_woken(&self) {
        loop {
            let mut progressed = false;
            let count = self.tasks.borrow().len();
            for _ in 0..count {
                let next = self.tasks.borrow_mut().pop_front();
                let Some(mut task) = next else { break };
                if !task.woken.0.swap(false, Ordering::SeqCst) {
                    self.tasks.borrow_mut().push_back(task);
                    continue;
                }
                progressed = true;
                let waker = Waker::from(Arc::clone(&task.woken));
                if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                    self.tasks.borrow_mut().push_back(task);
                }
            }
            if !progressed {
                return;
            }
        }
    }

    /// Forgets the objects' memory, as an eviction or a deploy does; what they stored stays.
    pub fn evict_objects(&self) {
        self.objects.borrow_mut().clear();
    }

    /// Upstream calls that are still under way.
    pub fn open_calls(&self) -> usize {
        self.calls.borrow().iter().filter(|call| call.ended.get().is_none()).count()
    }

    fn deliver(&self, name: &str, message: &str) -> String {
        *self.exchanges.borrow_mut().entry(name.to_owned()).or_default() += 1;
        let now = Timestamp::from_millis(self.now.get());
        let random = self.next_random();
        let mut objects = self.objects.borrow_mut();
        let object = objects.entry(name.to_owned()).or_insert_with(|| {
            let stored = self.object_store.borrow().get(name).cloned();
            stored.map_or_else(breaker::Object::new, |stored| breaker::Object::restore(&stored, now))
        });
        let exchanged = object.exchange(message, now, random);
        if let Some(store) = exchanged.store {
            self.object_store.borrow_mut().insert(name.to_owned(), store);
        }
        exchanged.answer
    }
}

/// A wait that ends at a point in time.
pub struct Until {
    world: Rc<World>,
    at: u64,
    key: Option<(u64, u64)>,
}

impl Future for Until {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(key) = self.key.take() {
            self.world.timers.borrow_mut().remove(&key);
        }
        if self.world.now.get() >= self.at {
            return Poll::Ready(());
        }
        let key = (self.at, self.world.id());
        self.world.timers.borrow_mut().insert(key, context.waker().clone());
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Until {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.world.timers.borrow_mut().remove(&key);
        }
    }
}

/// The [`Runtime`] of one request in a world.
#[derive(Clone)]
pub struct Virtual {
    pub world: Rc<World>,
    /// When the client leaves, in the world's own time.
    leaves: u64,
    /// Tells this client request from others.
    pub request: u64,
    /// What waits for headers now, and the most that ever did: upstream calls, cache look-ups and messages to objects.
    waiting: Rc<Cell<(usize, usize)>>,
}

/// One more that waits, for as long as this is held.
struct Waiting(Rc<Cell<(usize, usize)>>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let (now, most) = self.0.get();
        self.0.set((now - 1, most));
    }
}

/// The rest of a scripted body.
pub struct Rest {
    log: Rc<CallLog>,
    world: Rc<World>,
    pieces: VecDeque<(Duration, Vec<u8>)>,
    ending: Ending,
    /// When the next piece comes.
    next_at: u64,
}

impl Rest {
    fn close(&self, regular: bool) {
        if self.log.ended.get().is_none() {
            self.log.ended.set(Some((self.world.now.get(), regular)));
        }
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        self.close(false);
    }
}

impl Virtual {
    pub fn new(world: &Rc<World>, leaves: Option<Duration>) -> Self {
        let leaves = leaves.map_or(u64::MAX, |leaves| DAWN + millis(leaves));
        Self { world: Rc::clone(world), leaves, request: world.id(), waiting: Rc::default() }
    }

    /// The most that waited for headers at the same time.
    pub fn most_waiting(&self) -> usize {
        self.waiting.get().1
    }

    fn wait(&self) -> Waiting {
        let (now, most) = self.waiting.get();
        self.waiting.set((now + 1, most.max(now + 1)));
        Waiting(Rc::clone(&self.waiting))
    }

    fn until(&self, at: u64) -> Until {
        Until { world: Rc::clone(&self.world), at, key: None }
    }

    /// What comes first of: the event at `at`, the limit, the client's leaving.
    async fn race(&self, at: u64, limit: u64) -> Race {
        let first = at.min(limit).min(self.leaves);
        self.until(first).await;
        if self.leaves <= first {
            Race::Gone
        } else if at <= limit {
            Race::Event
        } else {
            Race::Limit
        }
    }
}

enum Race {
    Event,
    Limit,
    Gone,
}

/// What a client has received of a stream.
#[derive(Clone, Default)]
pub struct Received {
    pub bytes: Rc<RefCell<Vec<u8>>>,
    /// When it ended.
    pub ended: Rc<Cell<Option<Duration>>>,
}

impl Runtime for Virtual {
    type Body = Rest;
    type Stream = Received;
    type Pipe = Received;

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.world.now.get())
    }

    fn random(&self) -> u64 {
        self.world.next_random()
    }

    async fn sleep(&self, duration: Duration) {
        self.until(self.world.now.get() + millis(duration)).await;
    }

    async fn call(&self, call: Call) -> Result<Reply<Rest>, CallError> {
        let url = match &call.to {
            Destination::Post(url) => url.clone(),
            Destination::Other(method, url) => format!("{method} {url}"),
            Destination::Script(_) => "simulated".to_owned(),
        };
        let nth = self.world.calls.borrow().iter().filter(|other| other.sent.url == url).count();
        let sent = Sent {
            url,
            headers: call.headers,
            body: call.body,
            streamed: call.streamed,
            nth,
            at: self.world.elapsed(),
            request: self.request,
        };
        let script = match call.to {
            Destination::Post(_) | Destination::Other(..) => (self.world.upstream.borrow_mut())(&sent),
            Destination::Script(script) => script,
        };
        let started = self.world.now.get();
        let log = Rc::new(CallLog { sent, started, ended: Cell::new(None), headed: Cell::new(None) });
        self.world.calls.borrow_mut().push(Rc::clone(&log));
        let until = call.until.as_millis();
        let head_at = if script.head == ScriptHead::Hang { u64::MAX } else { started + millis(script.head_after) };
        let mut rest = Rest {
            log: Rc::clone(&log),
            world: Rc::clone(&self.world),
            pieces: script.pieces.into(),
            ending: script.ending,
            next_at: head_at,
        };
        let waiting = self.wait();
        let head = self.race(head_at, until).await;
        drop(waiting);
        match head {
            Race::Event => {}
            Race::Limit => return Err(CallError::Timeout),
            Race::Gone => return Err(CallError::ClientGone),
        }
        let ScriptHead::Answer(status, headers) = script.head else { return Err(CallError::Connect) };
        log.headed.set(Some(self.world.now.get()));
        let kind = headers.get("content-type").unwrap_or_default();
        if call.streamed && (200..300).contains(&status) && !kind.contains("json") && !kind.contains("html") {
            return Ok(Reply { status, headers, body: Payload::Stream(rest) });
        }
        let mut all = Vec::new();
        loop {
            match self.read(&mut rest, call.until).await {
                Read::Bytes(bytes) if all.len() + bytes.len() > call.max_bytes => return Err(CallError::TooLarge),
                Read::Bytes(bytes) => all.extend(bytes),
                Read::End(End::Eof) => break,
                Read::End(End::Cut) => return Err(CallError::Cut),
                Read::End(End::ClientGone) => return Err(CallError::ClientGone),
                Read::End(End::Silence | End::Overlong) => return Err(CallError::Timeout),
            }
        }
        Ok(Reply { status, headers, body: Payload::Whole(String::from_utf8_lossy(&all).into_owned()) })
    }

    async fn read(&self, body: &mut Rest, until: Timestamp) -> Read {
        let at = match body.pieces.front() {
            Some((wait, _)) => body.next_at + millis(*wait),
            None if body.ending == Ending::Hang => u64::MAX,
            None => body.next_at,
        };
        match self.race(at, until.as_millis()).await {
            Race::Limit => return Read::End(End::Silence),
            Race::Gone => return Read::End(End::ClientGone),
            Race::Event => {}
        }
        body.next_at = at;
        if let Some((_, piece)) = body.pieces.pop_front() {
            return Read::Bytes(piece);
        }
        body.close(true);
        Read::End(if body.ending == Ending::Cut { End::Cut } else { End::Eof })
    }

    fn pipe(&self) -> (Received, Received) {
        let received = Received::default();
        (received.clone(), received)
    }

    fn write(&self, pipe: &Received, bytes: Vec<u8>) {
        assert!(pipe.ended.get().is_none(), "a stream that is closed was written to");
        pipe.bytes.borrow_mut().extend(bytes);
    }

    fn close(&self, pipe: &Received) {
        pipe.ended.set(Some(self.world.elapsed()));
    }

    fn pump(
        &self,
        pipe: &Received,
        first: Vec<u8>,
        mut body: Rest,
        mut tap: Box<dyn Tap>,
        limits: StreamLimits,
    ) -> impl Future<Output = ()> + 'static {
        let (runtime, client) = (self.clone(), pipe.clone());
        async move {
            runtime.write(&client, first);
            loop {
                let until = (runtime.now() + limits.stall).min(limits.until);
                let over = match runtime.read(&mut body, until).await {
                    Read::Bytes(bytes) => match tap.chunk(&bytes) {
                        Step::Pass => {
                            runtime.write(&client, bytes);
                            continue;
                        }
                        Step::Replace(bytes) => {
                            runtime.write(&client, bytes);
                            continue;
                        }
                        Step::Finish(bytes) | Step::Abort(bytes) => Some(bytes),
                        Step::Leave => None,
                    },
                    Read::End(End::Silence) if limits.until <= runtime.now() => tap.end(End::Overlong),
                    Read::End(end) => tap.end(end),
                };
                if let Some(last) = over {
                    runtime.write(&client, last);
                    runtime.close(&client);
                }
                return;
            }
        }
    }

    async fn cache_get(&self, key: &str) -> Option<(String, String)> {
        let _waiting = self.wait();
        self.sleep(Duration::from_millis(self.world.look_up.get())).await;
        let stored = self.world.stored.borrow();
        let (value, metadata, forgotten) = stored.get(key)?;
        (*forgotten > self.world.now.get()).then(|| (value.clone(), metadata.clone()))
    }

    fn cache_put(&self, key: String, value: String, metadata: String, expire: Duration) -> impl Future<Output = ()> + 'static {
        let world = Rc::clone(&self.world);
        async move {
            let forgotten = world.now.get() + millis(expire);
            world.stored.borrow_mut().insert(key, (value, metadata, forgotten));
        }
    }

    fn exchange(&self, object: &str, message: String) -> impl Future<Output = Option<String>> + 'static {
        let (runtime, object) = (self.clone(), object.to_owned());
        async move {
            let _waiting = runtime.wait();
            let post = (runtime.world.post.borrow_mut())(&object);
            let (Post::Delivered(delay) | Post::Lost(delay) | Post::AnswerLost(delay)) = post;
            runtime.sleep(delay).await;
            match post {
                Post::Delivered(_) => {
                    let answer = runtime.world.deliver(&object, &message);
                    runtime.sleep(delay).await;
                    Some(answer)
                }
                Post::Lost(_) => None,
                Post::AnswerLost(_) => {
                    runtime.world.deliver(&object, &message);
                    None
                }
            }
        }
    }

    fn region(&self) -> &'static str {
        "weur"
    }

    fn after(&self, task: impl Future<Output = ()> + 'static) {
        self.world.spawn(task);
    }

    fn log(&self, line: &str) {
        self.world.lines.borrow_mut().push(line.to_owned());
    }
}

/// A gateway open to everyone, by this configuration; `secrets` are its bindings.
pub fn gateway(config: &str, secrets: &[(&str, &str)]) -> Rc<Gateway> {
    let text = |name: &str| match name {
        "GATEWAY_CONFIG" => Some(config.to_owned()),
        "BREAKWATER_OPEN" => Some("loopback".to_owned()),
        _ => secrets.iter().find(|(secret, _)| *secret == name).map(|(_, value)| (*value).to_owned()),
    };
    Rc::new(Gateway::new(&Bindings { text: &text }, &|line| assert!(!line.contains("is wrong"), "{line}")))
}

/// A chat request by a client on loopback.
pub fn chat(body: &str, headers: &[(&'static str, &str)]) -> Request {
    post("/v1/chat/completions", body, headers)
}

/// A request to an endpoint by a client on loopback.
pub fn post(path: &str, body: &str, headers: &[(&'static str, &str)]) -> Request {
    Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: String::new(),
        host: "127.0.0.1".to_owned(),
        headers: headers.iter().map(|(name, value)| (*name, *value)).collect(),
        body: body.to_owned(),
    }
}

/// Sends a request and waits for the response's head.
pub fn send(world: &Rc<World>, gateway: &Rc<Gateway>, request: Request) -> Response<Received> {
    let runtime = Virtual::new(world, None);
    world.block_on(gateway::handle(Rc::clone(gateway), runtime, request))
}

/// Sends a request and waits until its answer has ended: status, header fields, and all of the body.
pub fn ask(world: &Rc<World>, gateway: &Rc<Gateway>, request: Request) -> (u16, Headers, String) {
    let response = send(world, gateway, request);
    let body = match response.body {
        Body::Empty => String::new(),
        Body::Text(text) => text,
        Body::Stream(received) => {
            while received.ended.get().is_none() {
                world.run_until(world.elapsed() + Duration::from_millis(10));
            }
            String::from_utf8_lossy(&received.bytes.borrow()).into_owned()
        }
    };
    (response.status, response.headers, body)
}

//! One world: isolates, their objects, a provider with a fault, and the traffic, in one queue of events.
//!
//! What an isolate does is what `src/consult.rs` does, with the same views, objects and messages, as events instead of futures.

use std::time::Duration;

use breakwater::breaker::{Admission, Due, Object, Outcome, Question, Settings, TargetId, Ticket, View};
use breakwater::time::{Timestamp, millis};

use crate::contender::Contender;
use crate::dice::Dice;
use crate::fault::{Call, Fault, KEYS, MODELS};
use crate::tally::{Figures, STEP, Tally};
use crate::wheel::{HORIZON, Wheel};

/// When worlds begin.
const DAWN: u64 = 1_800_000_000_000;

/// The most that a request waits for an object.
const PATIENCE: u64 = 50;

/// The longest that news wait for anything but the next request.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// When a message that got lost is given up.
const GIVEN_UP: u64 = 1_000;

/// One message in so many is lost, each way.
const LOST: f64 = 0.001;

/// A world's measure. Times are in milliseconds.
#[derive(Clone, Debug)]
pub struct Size {
    pub isolates: usize,
    /// The regions' shares of isolates.
    pub regions: Vec<f64>,
    /// Requests per second, altogether.
    pub rate: f64,
    /// How long it goes well, how long it fails, and how long it goes well afterwards.
    pub before: u64,
    pub fault: u64,
    pub after: u64,
    /// How long an isolate lives on average.
    pub lifetime: f64,
    pub settings: Settings,
}

struct Isolate {
    region: usize,
    /// Requests per second.
    rate: f64,
    /// Tells an isolate from the one that took its place.
    life: u32,
    view: Option<View>,
    targets: Vec<TargetId>,
    /// Whether the last of the fault's calls that it tried since that began was sent.
    sending: Option<bool>,
}

/// A request that waits, or whose call is under way.
struct Request {
    /// Tells it from an earlier one in the same place.
    stamp: u64,
    isolate: usize,
    life: u32,
    call: Call,
    target: Option<TargetId>,
    ticket: Option<Ticket>,
    began: u64,
    waiting: bool,
    outcome: Outcome,
}

/// A message under way, and its answer.
struct Letter {
    isolate: usize,
    life: u32,
    text: String,
    sent: breakwater::breaker::Sent,
    question: Option<Question>,
    /// The request that waits for it, with its stamp.
    waiter: Option<(usize, u64)>,
    answer: Option<String>,
}

#[derive(Clone, Copy)]
enum Event {
    /// A request comes.
    Request(usize),
    /// None has come yet.
    Idle(usize),
    /// An isolate ends, and another takes its place.
    Leave(usize),
    /// It goes on.
    Live(usize),
    /// A question reaches the central object.
    Asked(usize),
    /// It is sent upstream.
    Go(usize),
    /// Its call ends.
    Ended(usize),
    /// The central object hears of that.
    Told(usize),
    /// It has waited long enough.
    Impatient(usize, u64),
    /// A message reaches its object.
    Delivered(usize),
    /// The answer, or that there is none, reaches the isolate.
    Answered(usize),
    /// What was gathered is to be told.
    Tell(usize, u32),
}

/// Things in numbered places, which are used again.
struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Slab<T> {
    fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    fn put(&mut self, thing: T) -> usize {
        if let Some(place) = self.free.pop() {
            self.places[place] = Some(thing);
            return place;
        }
        self.places.push(Some(thing));
        self.places.len() - 1
    }

    fn take(&mut self, place: usize) -> Option<T> {
        let thing = self.places[place].take();
        if thing.is_some() {
            self.free.push(place);
        }
        thing
    }
}

pub struct Fleet {
    size: Size,
    contender: Contender,
    fault: Fault,
    dice: Dice,
    wheel: Wheel<Event>,
    isolates: Vec<Isolate>,
    objects: Vec<Object>,
    /// The central object's circuits, and its targets by region, model and key.
    central: View,
    central_targets: Vec<TargetId>,
    requests: Slab<Request>,
    letters: Slab<Letter>,
    stamps: u64,
    tally: Tally,
}

/// A view of one provider, and its targets by model and key.
fn view(settings: Settings) -> (View, Vec<TargetId>) {
    let mut view = View::new(std::iter::once(("provider".to_owned(), settings)));
    let mut targets = Vec::new();
    for (model, _) in MODELS {
        targets.extend(KEYS.map(|key| view.target(0, model, key)));
    }
    (view, targets)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds of a few minutes")]
#[allow(clippy::cast_precision_loss, reason = "thousands")]
impl Fleet {
    pub fn new(size: &Size, contender: Contender, fault: Fault, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        // A few are busy, most are nearly idle.
        let weights: Vec<f64> = (0..size.isolates).map(|_| dice.around(1.0, 1.5).min(100.0)).collect();
        let all: f64 = weights.iter().sum();
        let isolates = weights.iter().map(|weight| Isolate {
            region: 0,
            rate: size.rate * weight / all,
            life: 0,
            view: None,
            targets: Vec::new(),
            sending: None,
        });
        let mut isolates: Vec<Isolate> = isolates.collect();
        for isolate in &mut isolates {
            isolate.region = dice.among(&size.regions);
        }
        let (central, central_targets) = view(size.settings);
        let mut fleet = Self {
            size: size.clone(),
            contender,
            fault,
            dice,
            wheel: Wheel::new(),
            isolates,
            objects: size.regions.iter().map(|_| Object::new()).collect(),
            central,
            central_targets,
            requests: Slab::new(),
            letters: Slab::new(),
            stamps: 0,
            tally: Tally::default(),
        };
        for place in 0..fleet.isolates.len() {
            fleet.renew(place);
            fleet.plan_request(place);
            fleet.plan_end(place);
        }
        fleet
    }

    /// Lives it through.
    pub fn run(mut self) -> Figures {
        let (begins, ends) = (self.size.before, self.size.before + self.size.fault);
        let over = ends + self.size.after;
        while self.wheel.now() < over {
            for event in self.wheel.turn() {
                self.on(event);
            }
            let now = self.wheel.now();
            if now > begins && now <= ends && (now - begins).is_multiple_of(STEP) {
                let share = self.stopped();
                self.tally.stopped.push(share);
            }
        }
        self.tally.requests = self.stamps;
        self.tally.figures(begins / 2, begins, ends)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(DAWN + self.wheel.now())
    }

    /// How long the fault has lasted.
    fn since(&self) -> Option<u64> {
        let since = self.wheel.now().checked_sub(self.size.before)?;
        (since < self.size.fault).then_some(since)
    }

    fn renew(&mut self, place: usize) {
        let isolate = &mut self.isolates[place];
        isolate.life += 1;
        isolate.sending = None;
        if self.contender.has_views() {
            let (view, targets) = view(self.size.settings);
            (isolate.view, isolate.targets) = (Some(view), targets);
        }
    }

    fn plan_request(&mut self, place: usize) {
        let rate = self.isolates[place].rate;
        self.plan_random(rate, Event::Request(place), Event::Idle(place));
    }

    fn plan_end(&mut self, place: usize) {
        let rate = 1_000.0 / self.size.lifetime;
        self.plan_random(rate, Event::Leave(place), Event::Live(place));
    }

    /// Plans an event of those that come `rate` times a second; a wait beyond the horizon is drawn anew there, as it has no memory.
    fn plan_random(&mut self, rate: f64, event: Event, not_yet: Event) {
        let wait = self.dice.wait(rate);
        if wait < HORIZON as f64 {
            self.wheel.plan(wait as u64, event);
        } else {
            self.wheel.plan(HORIZON, not_yet);
        }
    }

    fn on(&mut self, event: Event) {
        match event {
            Event::Request(place) => self.request(place),
            Event::Leave(place) => {
                self.renew(place);
                self.plan_end(place);
            }
            Event::Idle(place) => self.plan_request(place),
            Event::Live(place) => self.plan_end(place),
            Event::Asked(request) => self.asked(request),
            Event::Go(request) => self.go(request),
            Event::Ended(request) => self.ended(request),
            Event::Told(request) => self.told(request),
            Event::Impatient(request, stamp) => self.impatient(request, stamp),
            Event::Delivered(letter) => self.delivered(letter),
            Event::Answered(letter) => self.answered(letter),
            Event::Tell(place, life) => self.tell(place, life),
        }
    }

    fn request(&mut self, place: usize) {
        let wait = self.wheel.now();
        self.plan_request(place);
        let isolate = &self.isolates[place];
        let model = self.dice.among(&MODELS.map(|(_, share)| share));
        let key = usize::from(self.dice.happens(0.5));
        let call = Call { region: isolate.region, model, key };
        self.stamps += 1;
        let stamp = self.stamps;
        let target = isolate.targets.get(model * KEYS.len() + key).copied();
        let life = isolate.life;
        let request = Request {
            stamp,
            isolate: place,
            life,
            call,
            target,
            ticket: None,
            began: wait,
            waiting: false,
            outcome: Outcome::Nothing,
        };
        let request = self.requests.put(request);
        match self.contender {
            Contender::Nobody => self.go(request),
            Contender::Central => {
                let way = self.way(call.region);
                self.wheel.plan(way, Event::Asked(request));
            }
            Contender::Alone | Contender::Ours => {
                let now = self.now();
                match self.isolates[place].view.as_ref().map_or(Due::No, |view| view.due(0, now)) {
                    Due::No => {}
                    Due::Refresh => self.exchange(place, None, None),
                    Due::Cold => {
                        self.wait(request);
                        self.exchange(place, None, Some((request, stamp)));
                        return;
                    }
                }
                self.admit(request);
            }
        }
    }

    /// One way to the object of one's own region; or to the other side of the world, where the central one may be.
    fn way(&mut self, region: usize) -> u64 {
        let far = if self.contender == Contender::Central && region > 0 { 60.0 } else { 0.0 };
        (far + self.dice.around(6.0, 0.7)) as u64
    }

    fn wait(&mut self, request: usize) {
        if let Some(own) = self.requests.places[request].as_mut() {
            own.waiting = true;
            let left = (own.began + PATIENCE).saturating_sub(self.wheel.now());
            let stamp = own.stamp;
            self.wheel.plan(left, Event::Impatient(request, stamp));
        }
    }

    fn impatient(&mut self, request: usize, stamp: u64) {
        let Some(own) = self.requests.places[request].as_mut().filter(|own| own.stamp == stamp && own.waiting) else { return };
        own.waiting = false;
        if own.ticket.is_none() {
            // It waited for knowledge, or for a lease: the circuits say which.
            self.admit(request);
        }
    }

    fn admit(&mut self, request: usize) {
        let now = self.now();
        let Some(own) = self.requests.places[request].as_ref() else { return };
        let (place, life, stamp, began) = (own.isolate, own.life, own.stamp, own.began);
        let isolate = &mut self.isolates[place];
        let (Some(view), Some(target)) = (isolate.view.as_mut().filter(|_| life == isolate.life), own.target) else {
            self.requests.take(request);
            return;
        };
        match view.admit(target, now) {
            Admission::Go(ticket) => self.sent(request, ticket),
            Admission::Refused(_) => self.refused(request),
            Admission::Ask(_) if self.wheel.now() >= began + PATIENCE => self.refused(request),
            Admission::Ask(question) => {
                self.wait(request);
                self.exchange(place, Some(question), Some((request, stamp)));
            }
        }
    }

    fn sent(&mut self, request: usize, ticket: Ticket) {
        if let Some(own) = self.requests.places[request].as_mut() {
            own.ticket = Some(ticket);
        }
        self.go(request);
    }

    fn go(&mut self, request: usize) {
        let (at, since) = (self.wheel.now(), self.since());
        let Some(own) = self.requests.places[request].as_mut() else { return };
        own.waiting = false;
        let fate = self.fault.meet(own.call, since, &mut self.dice);
        own.outcome = fate.outcome;
        let probe = own.ticket.as_ref().is_some_and(Ticket::is_probe);
        if since.is_some() && probe {
            self.tally.probes += 1;
        }
        if self.fault.concerns(own.call) {
            let step = self.tally.step(at);
            step.tried += 1;
            step.wasted += u64::from(fate.wasted);
            self.isolates[own.isolate].sending = since.map(|_| !probe);
        }
        self.wheel.plan(fate.after, Event::Ended(request));
    }

    fn refused(&mut self, request: usize) {
        let (at, since) = (self.wheel.now(), self.since());
        let Some(own) = self.requests.take(request) else { return };
        let fate = self.fault.meet(own.call, since, &mut self.dice);
        if !fate.wasted {
            self.tally.wrongly.0 += u64::from(since.is_some());
            self.tally.wrongly.1 += 1;
            self.tally.bystanders += u64::from(!self.fault.concerns(own.call));
        }
        if self.fault.concerns(own.call) {
            let step = self.tally.step(at);
            step.tried += 1;
            step.refused += 1;
            self.isolates[own.isolate].sending = since.map(|_| false);
        }
    }

    fn ended(&mut self, request: usize) {
        if self.contender == Contender::Central {
            let region = self.requests.places[request].as_ref().map_or(0, |own| own.call.region);
            let way = self.way(region);
            self.wheel.plan(way, Event::Told(request));
            return;
        }
        let Some(own) = self.requests.take(request) else { return };
        // With its isolate ends what it would have said.
        if own.life == self.isolates[own.isolate].life
            && let Some(ticket) = own.ticket
        {
            self.record(own.isolate, &ticket, own.outcome);
        }
    }

    fn record(&mut self, place: usize, ticket: &Ticket, outcome: Outcome) {
        let (now, random) = (self.now(), self.dice.next());
        let isolate = &mut self.isolates[place];
        let Some(view) = isolate.view.as_mut() else { return };
        let urgency = view.record(ticket, outcome, now, random);
        match view.tell_in(0, urgency, now, self.dice.next()) {
            None => {}
            Some(wait) if wait > LONGEST_WAIT => {}
            Some(Duration::ZERO) => self.exchange(place, None, None),
            Some(wait) => self.wheel.plan(millis(wait), Event::Tell(place, isolate.life)),
        }
    }

    fn tell(&mut self, place: usize, life: u32) {
        let (now, isolate) = (self.now(), &self.isolates[place]);
        if life == isolate.life && isolate.view.as_ref().is_some_and(|view| view.must_tell(0, now)) {
            self.exchange(place, None, None);
        }
    }

    fn exchange(&mut self, place: usize, question: Option<Question>, waiter: Option<(usize, u64)>) {
        let now = self.now();
        let isolate = &mut self.isolates[place];
        let (life, region) = (isolate.life, isolate.region);
        let Some(view) = isolate.view.as_mut() else { return };
        let (text, sent) = view.outgoing(0, question.as_ref(), now);
        let letter = self.letters.put(Letter { isolate: place, life, text, sent, question, waiter, answer: None });
        let way = self.way(region);
        if self.contender == Contender::Alone {
            self.wheel.plan(way, Event::Answered(letter));
        } else if self.dice.happens(LOST) {
            self.wheel.plan(GIVEN_UP, Event::Answered(letter));
        } else {
            self.wheel.plan(way, Event::Delivered(letter));
        }
    }

    fn delivered(&mut self, letter: usize) {
        let (now, at, random) = (self.now(), self.wheel.now(), self.dice.next());
        let Some(own) = self.letters.places[letter].as_mut() else { return };
        let region = self.isolates[own.isolate].region;
        self.tally.exchanged(region, at);
        let exchanged = self.objects[region].exchange(&own.text, now, random);
        if self.dice.happens(LOST) {
            self.wheel.plan(GIVEN_UP, Event::Answered(letter));
            return;
        }
        own.answer = Some(exchanged.answer);
        let way = self.way(region);
        self.wheel.plan(way, Event::Answered(letter));
    }

    fn answered(&mut self, letter: usize) {
        let now = self.now();
        let Some(own) = self.letters.take(letter) else { return };
        let isolate = &mut self.isolates[own.isolate];
        let Some(view) = isolate.view.as_mut().filter(|_| own.life == isolate.life) else { return };
        let answer = own.answer.as_deref();
        view.incoming(0, own.sent, answer, now);
        let granted = own.question.map(|question| view.resolve(&question, answer, now));
        let waiter = own.waiter.filter(|(request, stamp)| {
            self.requests.places[*request].as_ref().is_some_and(|own| own.stamp == *stamp && own.waiting)
        });
        match (granted, waiter) {
            (Some(Ok(ticket)), Some((request, _))) => self.sent(request, ticket),
            (Some(Err(_)), Some((request, _))) => self.refused(request),
            (None, Some((request, _))) => {
                if let Some(own) = self.requests.places[request].as_mut() {
                    own.waiting = false;
                }
                self.admit(request);
            }
            // Nobody waits any more: the lease goes back.
            (Some(Ok(ticket)), None) => self.record(own.isolate, &ticket, Outcome::Nothing),
            (Some(Err(_)) | None, None) => {}
        }
    }

    fn asked(&mut self, request: usize) {
        let (now, at) = (self.now(), self.wheel.now());
        self.tally.exchanged(0, at);
        let Some(own) = self.requests.places[request].as_mut() else { return };
        let region = own.call.region;
        let target = self.central_targets[own.call.model * KEYS.len() + own.call.key];
        let admitted = match self.central.admit(target, now) {
            Admission::Go(ticket) => Some(ticket),
            Admission::Refused(_) => None,
            Admission::Ask(question) => self.central.resolve(&question, None, now).ok(),
        };
        match admitted {
            Some(ticket) => {
                own.ticket = Some(ticket);
                let way = self.way(region);
                self.wheel.plan(way, Event::Go(request));
            }
            None => self.refused(request),
        }
    }

    fn told(&mut self, request: usize) {
        let (now, at, random) = (self.now(), self.wheel.now(), self.dice.next());
        self.tally.exchanged(0, at);
        if let Some(own) = self.requests.take(request)
            && let Some(ticket) = own.ticket
        {
            self.central.record(&ticket, own.outcome, now, random);
        }
    }

    /// The share of the isolates that have met the fault, and would send none of its calls now.
    fn stopped(&self) -> f64 {
        let now = self.now();
        let (mut tried, mut stopped) = (0_u64, 0_u64);
        for isolate in &self.isolates {
            let Some(sending) = isolate.sending else { continue };
            tried += 1;
            if !sending {
                stopped += 1;
                continue;
            }
            let (view, targets) = match (&isolate.view, self.contender) {
                (Some(view), _) => (view, &isolate.targets),
                (None, Contender::Central) => (&self.central, &self.central_targets),
                (None, _) => continue,
            };
            let concerned = targets.iter().enumerate().filter(|(place, _)| {
                let call = Call { region: isolate.region, model: place / KEYS.len(), key: place % KEYS.len() };
                self.fault.concerns(call)
            });
            stopped += u64::from(concerned.into_iter().all(|(_, target)| !view.is_closed(*target, now)));
        }
        stopped as f64 / tried.max(1) as f64
    }
}

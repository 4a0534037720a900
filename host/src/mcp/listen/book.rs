//! The conversations that there are: sessions of the earlier era by name, and in the later one each caller's own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use policy_core::digest::Digest;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};

use super::actor::{Actor, Event, Parts, Shared};
use super::bounds::{IDLE, MOST_CONVERSATIONS, MOST_OF_ONE, MOST_OF_SUBJECT, MOST_SESSIONS_OF_ONE, MOST_UNREAD, QUEUE};
use super::callers::Caller;
use super::stops::Begun;
use super::upstream::Upstream;
use crate::clock::Clock;
use crate::mcp::era::Era;
use crate::mcp::gate::Gate;
use crate::mcp::session::Config;
use crate::random::{self, Random};

/// A conversation, as its entrance holds it.
pub struct Conversation {
    /// Whose it is, and nobody else's.
    pub caller: Digest,
    /// The agent, in whatever task.
    subject: String,
    /// What entrance and conversation both know.
    pub shared: Arc<Shared>,
    events: Sender<Event>,
    gate: Arc<Gate>,
    used: AtomicU64,
    counter: AtomicU64,
}

impl Conversation {
    /// Lets something happen, by this newest token of the caller's. Whether the conversation is there for it.
    pub async fn happen(&self, event: Event, token: &str, now: u64) -> bool {
        self.gate.renew(token);
        self.used.store(now, Ordering::Release);
        self.events.send(event).await.is_ok()
    }

    /// Tells that nobody listens any more. By whoever goes away, who waits for nothing.
    pub fn events(&self) -> Sender<Event> {
        self.events.clone()
    }

    /// The next number for a request.
    pub fn number(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::AcqRel).saturating_add(1)
    }

    fn is_over(&self) -> bool {
        self.events.is_closed()
    }

    /// The newest token of its caller's.
    pub fn token(&self) -> String {
        self.gate.subject_token()
    }

    /// Whether nobody listens and nothing is under way.
    fn is_at_rest(&self) -> bool {
        self.shared.open.load(Ordering::Acquire) == 0 && !self.shared.begun.load(Ordering::Acquire)
    }

    fn is_idle(&self, now: u64) -> bool {
        let idle = u64::try_from(IDLE.as_millis()).unwrap_or(u64::MAX);
        self.is_at_rest() && now >= self.used.load(Ordering::Acquire).saturating_add(idle)
    }
}

/// What a new conversation is made with.
pub struct Making {
    pub server: String,
    pub roots: Option<Vec<String>>,
    pub list_good_for: u64,
    pub upstream: Arc<Upstream>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub begun: Arc<Begun>,
}

/// There is no room, or there are no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom;

#[derive(Default)]
struct Shelves {
    sessions: BTreeMap<String, Arc<Conversation>>,
    callers: BTreeMap<Digest, Arc<Conversation>>,
    /// What each agent has not read, in whatever conversations, also in those that are over: for as long as it lies there.
    unread: BTreeMap<String, Weak<AtomicUsize>>,
}

impl Shelves {
    /// What this agent has not read. Nothing is forgotten by ending the conversation that it lies in.
    fn unread_of(&mut self, subject: &str) -> Arc<AtomicUsize> {
        if let Some(unread) = self.unread.get(subject).and_then(Weak::upgrade) {
            return unread;
        }
        self.unread.retain(|_, unread| unread.strong_count() > 0);
        let unread = Arc::default();
        self.unread.insert(subject.to_owned(), Arc::downgrade(&unread));
        unread
    }
}

/// All of them.
pub struct Book {
    making: Making,
    shelves: Mutex<Shelves>,
    /// Held by each that lives.
    alive: Mutex<Option<Sender<()>>>,
}

impl Book {
    /// Nobody has called yet. `alive` is closed once the book is and every conversation has ended.
    pub fn new(making: Making, alive: Sender<()>) -> Self {
        Self { making, shelves: Mutex::default(), alive: Mutex::new(Some(alive)) }
    }

    /// The session of this name, where it is this caller's.
    pub fn session(&self, name: &str, caller: &Caller) -> Option<Arc<Conversation>> {
        let mut shelves = self.shelves();
        let found = shelves.sessions.get(name)?;
        if found.is_over() {
            shelves.sessions.remove(name);
            return None;
        }
        // INVARIANT (R3): whoever knows another's session has the name of it and nothing more.
        (found.caller == caller.key).then(|| Arc::clone(found))
    }

    /// A new session of this caller's, and its name.
    ///
    /// # Errors
    /// When there is no room.
    pub fn open(&self, caller: &Caller, gate: Gate) -> Result<(String, Arc<Conversation>), NoRoom> {
        let name = random::id(&*self.making.random, "mcp").map_err(|_| NoRoom)?;
        let mut shelves = self.shelves();
        let own = shelves.sessions.values().filter(|one| one.caller == caller.key && !one.is_over()).count();
        if own >= MOST_SESSIONS_OF_ONE {
            return Err(NoRoom);
        }
        Self::make_room(&mut shelves, &subject_of(caller))?;
        let unread = shelves.unread_of(&subject_of(caller));
        let conversation = self.begin(Era::Handshake, caller, gate, unread)?;
        shelves.sessions.insert(name.clone(), Arc::clone(&conversation));
        Ok((name, conversation))
    }

    /// What this caller asks without a session.
    ///
    /// # Errors
    /// When there is no room.
    pub fn of(&self, caller: &Caller, gate: impl FnOnce() -> Gate) -> Result<Arc<Conversation>, NoRoom> {
        let mut shelves = self.shelves();
        if let Some(found) = shelves.callers.get(&caller.key).filter(|found| !found.is_over()) {
            return Ok(Arc::clone(found));
        }
        Self::make_room(&mut shelves, &subject_of(caller))?;
        let unread = shelves.unread_of(&subject_of(caller));
        let conversation = self.begin(Era::Stateless, caller, gate(), unread)?;
        shelves.callers.insert(caller.key, Arc::clone(&conversation));
        Ok(conversation)
    }

    /// Whether this caller has as many requests and streams open, or its agent as much unread, as it may.
    pub fn is_full_of(&self, caller: &Caller) -> bool {
        let shelves = self.shelves();
        let own = shelves.sessions.values().chain(shelves.callers.get(&caller.key));
        let own = own.filter(|one| one.caller == caller.key);
        let open: usize = own.map(|one| one.shared.open.load(Ordering::Acquire)).sum();
        let unread = shelves.unread.get(&subject_of(caller)).and_then(Weak::upgrade);
        open >= MOST_OF_ONE || unread.is_some_and(|unread| unread.load(Ordering::Acquire) >= MOST_UNREAD)
    }

    /// Ends a session of this name.
    pub fn remove(&self, name: &str) {
        self.shelves().sessions.remove(name);
    }

    /// Ends what nobody has used for a while.
    pub async fn sweep(&self) {
        let now = self.making.clock.boot();
        let idle: Vec<Arc<Conversation>> = {
            let mut shelves = self.shelves();
            let mut idle = Vec::new();
            let mut stays = |one: &Arc<Conversation>| {
                let is_idle = one.is_idle(now);
                if is_idle {
                    idle.push(Arc::clone(one));
                }
                !is_idle && !one.is_over()
            };
            shelves.sessions.retain(|_, one| stays(one));
            shelves.callers.retain(|_, one| stays(one));
            idle
        };
        for one in idle {
            let _over = one.events.send(Event::End).await;
        }
    }

    /// Tells each what the gate has stopped.
    pub fn stopped(&self, evaluations: &Arc<[String]>) {
        for one in self.all() {
            // INVARIANT (R7): who is slow to hear of a stop holds up nobody else's.
            if let Err(TrySendError::Full(event)) = one.events.try_send(Event::Stopped(Arc::clone(evaluations))) {
                let events = one.events.clone();
                tokio::spawn(async move {
                    let _over = events.send(event).await;
                });
            }
        }
    }

    /// Ends everything, and lets nothing begin any more.
    pub async fn close(&self) {
        drop(self.alive.lock().unwrap_or_else(PoisonError::into_inner).take());
        for one in self.all() {
            let _over = one.events.send(Event::End).await;
        }
    }

    fn all(&self) -> Vec<Arc<Conversation>> {
        let shelves = self.shelves();
        shelves.sessions.values().chain(shelves.callers.values()).cloned().collect()
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes room for one more of this agent's: what rests longest has to go, of its own where it has too many.
    fn make_room(shelves: &mut Shelves, subject: &str) -> Result<(), NoRoom> {
        let all = |shelves: &Shelves| shelves.sessions.len() + shelves.callers.len();
        if all(shelves) >= MOST_CONVERSATIONS {
            shelves.sessions.retain(|_, one| !one.is_over());
            shelves.callers.retain(|_, one| !one.is_over());
        }
        let every = shelves.sessions.values().chain(shelves.callers.values());
        if every.filter(|one| one.subject == subject && !one.is_over()).count() >= MOST_OF_SUBJECT {
            return Self::end_longest(shelves, |one| one.subject == subject);
        }
        if all(shelves) >= MOST_CONVERSATIONS { Self::end_longest(shelves, |_| true) } else { Ok(()) }
    }

    fn end_longest(shelves: &mut Shelves, of: impl Fn(&Conversation) -> bool) -> Result<(), NoRoom> {
        let every = shelves.sessions.values().chain(shelves.callers.values());
        let resting = every.filter(|one| of(one) && one.is_at_rest() && !one.is_over());
        let longest = resting.min_by_key(|one| one.used.load(Ordering::Acquire)).cloned().ok_or(NoRoom)?;
        // Its queue is empty: it rests.
        longest.events.try_send(Event::End).map_err(|_| NoRoom)?;
        shelves.sessions.retain(|_, one| !Arc::ptr_eq(one, &longest));
        shelves.callers.retain(|_, one| !Arc::ptr_eq(one, &longest));
        Ok(())
    }

    fn begin(
        &self,
        era: Era,
        caller: &Caller,
        gate: Gate,
        unread: Arc<AtomicUsize>,
    ) -> Result<Arc<Conversation>, NoRoom> {
        let word = random::id(&*self.making.random, "s").map_err(|_| NoRoom)?;
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(NoRoom)?;
        let (events, receiver) = channel(QUEUE);
        let (gate, shared) = (Arc::new(gate), Arc::new(Shared { unread, ..Shared::default() }));
        let config = Config {
            server: self.making.server.clone(),
            roots: self.making.roots.clone(),
            list_good_for: Some(self.making.list_good_for),
            word,
        };
        let parts = Parts {
            era,
            config,
            gate: Arc::clone(&gate),
            upstream: Arc::clone(&self.making.upstream),
            clock: Arc::clone(&self.making.clock),
            begun: Arc::clone(&self.making.begun),
            shared: Arc::clone(&shared),
            events: events.clone(),
        };
        tokio::spawn(Actor::new(parts).live(receiver, alive));
        let used = AtomicU64::new(self.making.clock.boot());
        let counter = AtomicU64::new(0);
        Ok(Arc::new(Conversation {
            caller: caller.key,
            subject: subject_of(caller),
            shared,
            events,
            gate,
            used,
            counter,
        }))
    }
}

/// An agent, in whatever task.
fn subject_of(caller: &Caller) -> String {
    format!("{}::{}", caller.subject.kind, caller.subject.id)
}
